//! Filters of numbers and sizes.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed as _, ToPrimitive as _};

use super::{filter, refuse};
use crate::template::python::number::{fixed, parse_float, parse_int, round as round_float, round_int, to_float, to_int};
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Value;

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] = &[
    filter("abs", &[], abs),
    filter("filesizeformat", &[Optional("binary")], filesizeformat),
    filter("float", &[Optional("default")], float),
    filter("human_readable", &[Optional("isbits"), Optional("unit")], human_readable),
    filter("human_to_bytes", &[Optional("default_unit"), Optional("isbits")], human_to_bytes),
    filter("int", &[Optional("default"), Optional("base")], int),
    filter("log", &[Optional("base")], log),
    filter("pow", &[Required("y")], pow),
    filter("root", &[Optional("base")], root),
    filter("round", &[Optional("precision"), Optional("method")], round),
];

fn abs(_: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    match value {
        Val::Plain(Value::Float(number)) => Ok(Val::from(number.abs())),
        Val::Duration(microseconds) => Ok(Val::Duration(microseconds.saturating_abs())),
        Val::Plain(other) => match to_int(other) {
            Some(number) => Ok(Val::Plain(Value::int(number.abs()))),
            None => refuse(format!("bad operand type for abs(): '{}'", value.type_name())),
        },
        _ => refuse(format!("bad operand type for abs(): '{}'", value.type_name())),
    }
}

fn int(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if let Val::Plain(Value::Float(number)) = value
        && number.is_infinite()
    {
        return refuse("cannot convert float infinity to integer");
    }
    let base = u32::try_from(arguments.int_or(1, 10)?).unwrap_or(u32::MAX);
    let number = match value {
        Val::Plain(Value::Text(text)) => {
            let text = text.as_str();
            parse_int(text, base).or_else(|| to_int(&Value::Float(parse_float(text)?)))
        }
        Val::Plain(other) => to_int(other),
        _ => None,
    };
    Ok(match number {
        Some(number) => Val::Plain(Value::int(number)),
        None => arguments.get(0).cloned().unwrap_or_else(|| Val::from(0_i64)),
    })
}

fn float(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let number = match value {
        Val::Plain(Value::Text(text)) => parse_float(text.as_str()),
        Val::Plain(other) => to_float(other),
        _ => None,
    };
    Ok(match number {
        Some(number) => Val::from(number),
        None => arguments.get(0).cloned().unwrap_or_else(|| Val::from(0.0)),
    })
}

fn round(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let digits = i32::try_from(arguments.int_or(0, 0)?.clamp(-400, 400)).expect("it was clamped");
    let method = match arguments.get(1) {
        None => "common",
        Some(method) => method.as_str().unwrap_or(""),
    };
    let change = match method {
        "common" => None,
        "ceil" => Some(f64::ceil as fn(f64) -> f64),
        "floor" => Some(f64::floor as fn(f64) -> f64),
        _ => return refuse("method must be common, ceil or floor"),
    };
    let Val::Plain(plain) = value else {
        return refuse(format!("type {} doesn't define __round__ method", value.type_name()));
    };
    match (plain, change) {
        (Value::Float(number), None) => Ok(Val::from(round_float(*number, digits))),
        (other, None) => match to_int(other) {
            Some(number) => Ok(Val::Plain(Value::int(round_int(&number, digits)))),
            None => refuse(format!("type {} doesn't define __round__ method", value.type_name())),
        },
        (other, Some(change)) => match to_float(other) {
            Some(number) => {
                let scale = 10_f64.powi(digits);
                if scale == 0.0 {
                    return refuse("float division by zero");
                }
                if scale.is_infinite() {
                    return refuse("int too large to convert to float");
                }
                Ok(Val::from(change(number * scale) / scale))
            }
            None => refuse(format!("must be real number, not {}", value.type_name())),
        },
    }
}

/// A number for mathematics, or the error of the filter.
fn real(val: &Val, filter: &str) -> Result<f64> {
    match val.as_plain().and_then(to_float) {
        Some(number) => Ok(number),
        None => refuse(format!("{filter}() can only be used on numbers: must be real number, not {}", val.type_name())),
    }
}

fn log(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let number = real(value, "log")?;
    let base = arguments.get(0).map_or(Ok(std::f64::consts::E), |base| real(base, "log"))?;
    if number <= 0.0 || base <= 0.0 {
        return refuse("math domain error");
    }
    if base == 1.0 {
        return refuse("float division by zero");
    }
    Ok(Val::from(if arguments.get(0).is_none() {
        number.ln()
    } else if base == 10.0 {
        number.log10()
    } else {
        number.ln() / base.ln()
    }))
}

fn pow(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let (number, exponent) = (real(value, "pow")?, real(arguments.required(0), "pow")?);
    let result = number.powf(exponent);
    if number.is_finite() && exponent.is_finite() {
        if result.is_nan() || number == 0.0 && exponent < 0.0 {
            return refuse("math domain error");
        }
        if result.is_infinite() {
            return refuse("math range error");
        }
    }
    Ok(Val::from(result))
}

fn root(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let number = real(value, "root")?;
    let base = arguments.get(0).map_or(Ok(2.0), |base| real(base, "root"))?;
    if base == 0.0 {
        return refuse("root() can only be used on numbers: float division by zero");
    }
    let result = if base == 2.0 { number.sqrt() } else { number.powf(1.0 / base) };
    if result.is_nan() && !number.is_nan() {
        return refuse("root() can only be used on numbers: math domain error");
    }
    Ok(Val::from(result))
}

fn filesizeformat(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let bytes = match value {
        Val::Plain(Value::Text(text)) => parse_float(text.as_str()),
        Val::Plain(other) => to_float(other),
        _ => None,
    };
    let Some(bytes) = bytes else {
        return refuse(format!("could not convert string to float: {}", evaluator.repr(value)?.as_str()));
    };
    let binary = arguments.flag_or(evaluator, 0, false)?;
    let (base, units) = if binary {
        (1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"])
    } else {
        (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"])
    };
    if bytes == 1.0 {
        return Ok(Val::from("1 Byte"));
    }
    if bytes < base {
        return Ok(Val::from(format!("{} Bytes", bytes.trunc() + 0.0)));
    }
    // Powers are exact, as in Python: a float beside one is a little more or less.
    let base_int = BigInt::from(if binary { 1024 } else { 1000 });
    let mut limit = base_int.clone();
    for unit in units {
        limit *= &base_int;
        let is_less = Value::Float(bytes).compare(&Value::int(limit.clone())) == Some(Ordering::Less);
        if is_less || unit == units[7] {
            let shown = fixed(base * bytes / limit.to_f64().unwrap_or(f64::INFINITY), 1);
            return Ok(Val::from(format!("{shown} {unit}")));
        }
    }
    Ok(Val::NONE)
}

/// What the names of units begin with.
const PREFIXES: [(char, &str); 9] =
    [('Y', "yotta"), ('Z', "zetta"), ('E', "exa"), ('P', "peta"), ('T', "tera"), ('G', "giga"), ('M', "mega"), ('K', "kilo"), ('B', "")];

/// Letters of the units and how often 1024 is in them.
const UNITS: [(char, i32); 9] = [('Y', 8), ('Z', 7), ('E', 6), ('P', 5), ('T', 4), ('G', 3), ('M', 2), ('K', 1), ('B', 0)];

fn human_readable(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(size) = value.as_plain().and_then(to_float) else {
        return refuse(format!(
            "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
            value.type_name()
        ));
    };
    let bits = arguments.flag_or(evaluator, 0, false)?;
    let wanted = match arguments.get(1) {
        Some(unit) if !unit.is_none() => evaluator.text(unit)?.as_str().to_uppercase().chars().next(),
        _ => None,
    };
    let known = |letter: char| UNITS.into_iter().find(|(unit, _)| *unit == letter);
    let chosen = match wanted {
        Some(letter) => known(letter),
        None => UNITS.into_iter().find(|(_, power)| size >= 1024_f64.powi(*power)),
    };
    let (letter, power) = chosen.unwrap_or(('B', 0));
    let suffix = match (letter, bits) {
        ('B', true) => "bits".to_owned(),
        ('B', false) => "Bytes".to_owned(),
        (letter, true) => format!("{letter}b"),
        (letter, false) => format!("{letter}B"),
    };
    let shown = if size.is_nan() { "nan".to_owned() } else { fixed(size / 1024_f64.powi(power), 2) };
    Ok(Val::from(format!("{shown} {suffix}")))
}

fn human_to_bytes(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let shown = evaluator.text(value)?;
    let bits = arguments.flag_or(evaluator, 1, false)?;
    let fail = |message: String| -> Result<Val> { refuse(format!("human_to_bytes() can't interpret the input: {message}")) };
    let pattern = compile(r"(\d*\.?\d+)\s*([A-Za-z]+)?\s*", Flags { ascii: true, ..Flags::default() }, Anchor::Both);
    let pattern = pattern.map_err(|error| TemplateError::plugin(error.to_string()))?;
    let found = pattern.search(shown.as_str()).map_err(|error| TemplateError::plugin(error.to_string()))?;
    let digits = found.as_ref().and_then(|found| found.group(shown.as_str(), 1)).unwrap_or_default();
    let Some(number) = parse_float(digits) else {
        return fail(format!("human_to_bytes() can't interpret following string: {}", shown.as_str()));
    };
    let own = found.as_ref().and_then(|found| found.group(shown.as_str(), 2)).map(str::to_owned);
    let unit = match own {
        Some(unit) => Some(unit),
        None => match arguments.get(0) {
            Some(unit) if !unit.is_none() => Some(evaluator.text(unit)?.as_str().to_owned()),
            _ => None,
        },
    };
    let Some(unit) = unit else { return Ok(rounded(number)) };
    let letter = unit.chars().next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default();
    let Some((letter, power)) = UNITS.into_iter().find(|(known, _)| *known == letter) else {
        return fail(format!(
            "human_to_bytes() failed to convert {} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B",
            shown.as_str()
        ));
    };
    let (class, name) = if bits { ('b', "bit") } else { ('B', "byte") };
    // A lone letter is of either kind; with more letters, the kind must be the one asked for.
    if unit.chars().count() > 1 {
        let prefix = PREFIXES.into_iter().find(|(known, _)| *known == letter).map_or("", |(_, prefix)| prefix);
        let (short, other) =
            if letter == 'B' { (class.to_string(), name.to_owned()) } else { (format!("{letter}{class}"), letter.to_string()) };
        if unit != short && unit.to_lowercase() != format!("{prefix}{name}") {
            return fail(format!(
                "human_to_bytes() failed to convert {}. Value is not a valid string (expect {short} or {other})",
                shown.as_str()
            ));
        }
    }
    Ok(rounded(number * 1024_f64.powi(power)))
}

fn rounded(number: f64) -> Val {
    let whole = round_float(number, 0);
    Val::Plain(to_int(&Value::Float(whole)).map_or(Value::Null, Value::int))
}

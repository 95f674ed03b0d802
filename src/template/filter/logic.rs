//! Filters that decide: defaults, mandatory values, truth, types.

use super::{filter, refuse};
use crate::template::{Bound, Evaluator, Filter, Markers, Param, Result, Val};
use crate::value::Value;

pub(super) const FILTERS: &[Filter] = &[
    filter("bool", &[], bool),
    Filter { name: "d", params: DEFAULT, markers: Markers::Accept, run: default },
    Filter { name: "default", params: DEFAULT, markers: Markers::Accept, run: default },
    Filter { name: "mandatory", params: &[Param::Optional("msg")], markers: Markers::Accept, run: mandatory },
    Filter { name: "ternary", params: TERNARY, markers: Markers::Accept, run: ternary },
    Filter { name: "type_debug", params: &[], markers: Markers::Accept, run: type_debug },
];

const DEFAULT: &[Param] = &[Param::Optional("default_value"), Param::Optional("boolean")];
const TERNARY: &[Param] = &[Param::Required("true_val"), Param::Required("false_val"), Param::Optional("none_val")];

fn default(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if let Val::Undefined(undefined) = value
        && undefined.is_sealed()
    {
        return Ok(value.clone());
    }
    let replace = value.is_undefined() || arguments.flag_or(evaluator, 1, false)? && !evaluator.truthy(value)?;
    Ok(if replace { arguments.get(0).cloned().unwrap_or_else(|| Val::from("")) } else { value.clone() })
}

fn mandatory(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Val::Undefined(undefined) = value else { return Ok(value.clone()) };
    if let Some(message) = arguments.get(0).filter(|message| !message.is_none()) {
        return refuse(evaluator.text(message)?.as_str());
    }
    let message = undefined.message();
    match message.strip_suffix(" is undefined") {
        Some(name) => refuse(format!("Mandatory variable {name} not defined.")),
        None => refuse("Mandatory variable not defined."),
    }
}

fn bool(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let text = match value {
        Val::Plain(Value::Bool(_)) => return Ok(value.clone()),
        Val::Plain(Value::Text(text)) => text.as_str().to_lowercase(),
        Val::Plain(Value::Int(number)) => number.to_string(),
        Val::Plain(Value::Float(number)) if number.fract() == 0.0 => {
            notice(evaluator, value, *number == 1.0)?;
            return Ok(Val::from(*number == 1.0));
        }
        _ => String::new(),
    };
    let known = match text.as_str() {
        "yes" | "on" | "1" | "true" => Some(true),
        "no" | "off" | "0" | "false" => Some(false),
        _ => None,
    };
    if known.is_none() {
        notice(evaluator, value, false)?;
    }
    Ok(Val::from(known.unwrap_or(false)))
}

fn notice(evaluator: &Evaluator, value: &Val, result: bool) -> Result<()> {
    let shown = evaluator.repr(value)?;
    let shown = if shown.is_secret() { "***" } else { shown.as_str() };
    let result = if result { "True" } else { "False" };
    let name = value.type_name();
    evaluator.deprecate(format!("The `bool` filter coerced invalid value {shown} ({name}) to {result}."));
    Ok(())
}

/// The branch that is not taken may be undefined.
fn ternary(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if value.is_undefined() {
        return Ok(value.clone());
    }
    match arguments.get(2) {
        Some(none) if value.is_none() && !none.is_none() => Ok(none.clone()),
        _ if evaluator.truthy(value)? => Ok(arguments.required(0).clone()),
        _ => Ok(arguments.required(1).clone()),
    }
}

fn type_debug(_: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    Ok(Val::from(match value {
        Val::Undefined(undefined) if undefined.is_sealed() => "VaultExceptionMarker",
        Val::Undefined(_) => "UndefinedMarker",
        other => other.type_name(),
    }))
}

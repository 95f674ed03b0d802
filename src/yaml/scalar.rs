//! What a scalar means: YAML 1.1 as PyYAML resolves it (`yes` is true, `010` is 8, `1:30` is 90), and what its tags make of it.

use jiff::civil;
use num_bigint::BigInt;
use num_traits::Num as _;

use crate::value::Value;

/// What a plain scalar resolves to.
#[derive(Debug, PartialEq)]
pub(super) enum Plain {
    /// Data.
    Value(Value),
    /// A text.
    Text,
    /// `<<`.
    Merge,
    /// `=`.
    ValueKey,
}

/// The meaning of an untagged plain scalar; `Err` where PyYAML takes it for a number or a date and then cannot build it.
pub(super) fn resolve(text: &str) -> Result<Plain, String> {
    Ok(Plain::Value(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "<<" => return Ok(Plain::Merge),
        "=" => return Ok(Plain::ValueKey),
        _ => match (boolean(text), text.as_bytes()[0]) {
            (Some(value), _) => Value::Bool(value),
            (_, b'-' | b'+' | b'.' | b'0'..=b'9') => match number_or_date(text)? {
                Some(value) => value,
                None => return Ok(Plain::Text),
            },
            _ => return Ok(Plain::Text),
        },
    }))
}

fn number_or_date(text: &str) -> Result<Option<Value>, String> {
    if is_float(text) {
        return float(text).map(Some);
    }
    if is_int(text) {
        return int(text).map(Some);
    }
    if is_timestamp(text) {
        return timestamp(text).map(Some);
    }
    Ok(None)
}

/// The booleans of YAML 1.1, in the three spellings that it allows.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

fn is_digits(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit) && all(text, |byte| byte.is_ascii_digit() || byte == b'_')
}

fn is_int(text: &str) -> bool {
    let body = unsigned(text);
    if let Some(binary) = body.strip_prefix("0b") {
        return all(binary, |byte| matches!(byte, b'0' | b'1' | b'_'));
    }
    if let Some(hexadecimal) = body.strip_prefix("0x") {
        return all(hexadecimal, |byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    match body.split_once(':') {
        None if body == "0" => true,
        None if body.starts_with('0') => all(&body[1..], |byte| matches!(byte, b'0'..=b'7' | b'_')),
        None => is_digits(body),
        Some((first, rest)) => is_digits(first) && !first.starts_with('0') && rest.split(':').all(is_sexagesimal),
    }
}

/// `[0-5]?[0-9]`
fn is_sexagesimal(text: &str) -> bool {
    match text.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [ten, digit] => matches!(ten, b'0'..=b'5') && digit.is_ascii_digit(),
        _ => false,
    }
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") || matches!(unsigned(text), ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let exponent_fits =
        exponent.is_none_or(|exponent| exponent.starts_with(['-', '+']) && all(&exponent[1..], |byte| byte.is_ascii_digit()));
    let Some((whole, fraction)) = mantissa.split_once('.') else { return false };
    let plain_fraction = fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    if whole.is_empty() {
        return exponent_fits && is_digits(fraction);
    }
    match unsigned(whole).split_once(':') {
        None => exponent_fits && plain_fraction && is_digits(unsigned(whole)),
        Some((first, rest)) => exponent.is_none() && plain_fraction && is_digits(first) && rest.split(':').all(is_sexagesimal),
    }
}

/// The integer that `!!int` or a plain scalar names.
pub(super) fn int(text: &str) -> Result<Value, String> {
    let clean = text.replace('_', "");
    let negative = clean.starts_with('-');
    let body = unsigned(&clean);
    let wrong = || format!("`{text}` is not an integer");
    let number = if body == "0" {
        BigInt::ZERO
    } else if let Some(binary) = body.strip_prefix("0b") {
        BigInt::from_str_radix(binary, 2).map_err(|_| wrong())?
    } else if let Some(hexadecimal) = body.strip_prefix("0x") {
        BigInt::from_str_radix(hexadecimal, 16).map_err(|_| wrong())?
    } else if body.starts_with('0') {
        BigInt::from_str_radix(body, 8).map_err(|_| wrong())?
    } else {
        let mut number = BigInt::ZERO;
        for part in body.split(':') {
            let digit: BigInt =
                if part.starts_with(['-', '+']) { return Err(wrong()) } else { part.trim().parse().map_err(|_| wrong())? };
            number = number * 60 + digit;
        }
        number
    };
    Ok(Value::int(if negative { -number } else { number }))
}

/// The number that `!!float` or a plain scalar names.
pub(super) fn float(text: &str) -> Result<Value, String> {
    let clean = text.replace('_', "").to_lowercase();
    let body = unsigned(&clean);
    let number = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => {
            let mut number = 0.0;
            for part in body.split(':') {
                number = number * 60.0 + part.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a number"))?;
            }
            number
        }
    };
    Ok(Value::Float(if clean.starts_with('-') { -number } else { number }))
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_date = bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| if matches!(index, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    is_date || (Moment::read(text).is_some_and(|moment| moment.time.is_some()))
}

/// The date or moment that `!!timestamp` or a plain scalar names.
pub(super) fn timestamp(text: &str) -> Result<Value, String> {
    let wrong = || format!("`{text}` is not a date");
    let moment = Moment::read(text).ok_or_else(wrong)?;
    let [year, month, day] = moment.date;
    let date =
        civil::Date::new(year, i8::try_from(month).map_err(|_| wrong())?, i8::try_from(day).map_err(|_| wrong())?).map_err(|_| wrong())?;
    let Some([hour, minute, second]) = moment.time else { return Ok(Value::Date(date)) };
    let small = |number: i16| i8::try_from(number).map_err(|_| wrong());
    let time = civil::Time::new(small(hour)?, small(minute)?, small(second)?, moment.microseconds * 1000).map_err(|_| wrong())?;
    Ok(Value::DateTime(date.to_datetime(time), moment.offset))
}

struct Moment {
    date: [i16; 3],
    time: Option<[i16; 3]>,
    microseconds: i32,
    offset: Option<i32>,
}

impl Moment {
    /// `YYYY-M-D`, then perhaps `T` or blanks and `h:mm:ss`, a fraction and a zone.
    fn read(text: &str) -> Option<Self> {
        let (year, rest) = digits(text, 4, 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
        let date = [year, month, day];
        if rest.is_empty() {
            return Some(Self { date, time: None, microseconds: 0, offset: None });
        }
        let rest = match rest.strip_prefix(['T', 't']) {
            Some(rest) => rest,
            None => Some(rest.trim_start_matches([' ', '\t'])).filter(|trimmed| trimmed.len() < rest.len())?,
        };
        let (hour, rest) = digits(rest, 1, 2)?;
        let (minute, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let (second, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        let mut microseconds = 0;
        if let Some(after) = rest.strip_prefix('.') {
            let length = after.bytes().take_while(u8::is_ascii_digit).count();
            let padded = format!("{:0<6}", &after[..length.min(6)]);
            microseconds = padded.parse().ok()?;
            rest = &after[length..];
        }
        let zone = rest.trim_start_matches([' ', '\t']);
        let offset = match zone {
            "" if rest.is_empty() => None,
            "Z" => Some(0),
            _ => Some(zone_seconds(zone)?),
        };
        Some(Self { date, time: Some([hour, minute, second]), microseconds, offset })
    }
}

fn zone_seconds(zone: &str) -> Option<i32> {
    let body = zone.strip_prefix(['-', '+'])?;
    let (hours, rest) = digits(body, 1, 2)?;
    let minutes = match rest.strip_prefix(':') {
        Some(rest) => digits(rest, 2, 2).filter(|(_, rest)| rest.is_empty())?.0,
        None if rest.is_empty() => 0,
        None => return None,
    };
    let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
    Some(if zone.starts_with('-') { -seconds } else { seconds })
}

/// As many digits as there are, at least `least` and at most `most`, as a number, and what follows.
fn digits(text: &str, least: usize, most: usize) -> Option<(i16, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least { None } else { Some((text[..length].parse().ok()?, &text[length..])) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str) {
        let found = match resolve(text) {
            Ok(Plain::Value(value)) => format!("{} {value:?}", value.type_name()),
            Ok(other) => format!("{other:?}"),
            Err(error) => error,
        };
        assert_eq!(found, shown, "{text}");
    }

    #[test]
    fn plain_scalars_mean_what_they_mean_to_pyyaml() {
        for word in ["yes", "True", "ON"] {
            check(word, "bool true");
        }
        for word in
            ["y", "n", "yEs", "08", "0o10", "01:30", "1:60", "1e3", "1.0e3", "-", ".", "+", "-.5", "1.2.3", "12a", "0xg", "2020-1-1", "1-1"]
        {
            check(word, "Text");
        }
        check("010", "int 8");
        check("0_", "int 0");
        check("1_000", "int 1000");
        check("1:30", "int 90");
        check("-1:30", "int -90");
        check("0x_F", "int 15");
        check("0b11", "int 3");
        check("+12", "int 12");
        check("123456789012345678901", "int 123456789012345678901");
        check("1.0e+3", "float 1000.0");
        check("1.", "float 1.0");
        check(".5", "float 0.5");
        check("1:30.5", "float 90.5");
        check("-.inf", "float \"-Infinity\"");
        check("2020-01-01", "date \"2020-01-01\"");
        check("2020-1-1 1:02:03", "datetime \"2020-01-01T01:02:03\"");
        check("2020-01-01T01:02:03.5+01:00", "datetime \"2020-01-01T01:02:03.500000+01:00\"");
        check("2020-13-01", "`2020-13-01` is not a date");
        check("~", "NoneType null");
        check("<<", "Merge");
        check("=", "ValueKey");
    }
}

//! JSON in and out, for the wire and for events. What comes in is never trusted: this is where invariant 6 holds for hosts.

use num_bigint::BigInt;
use serde_json::Value as Json;

use super::{Key, Text, Value};

/// A value from JSON; its texts are neither trusted nor secret.
pub fn from_json(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => number_from_json(&number),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::list(items.into_iter().map(from_json).collect()),
        Json::Object(entries) => Value::map(entries.into_iter().map(|(key, value)| (Key::from(key), from_json(value))).collect()),
    }
}

/// A value as JSON: dates as ISO text, keys as text, integers of any size, `NaN` and infinities as text.
pub fn to_json(value: &Value) -> Json {
    convert(value, Secrets::Reveal)
}

/// As [`to_json`], with secret texts as `***`: for everything that people or logs see.
pub fn to_json_shown(value: &Value) -> Json {
    convert(value, Secrets::Hide)
}

/// As [`to_json_shown`], with what came out of vaults as `***` too, which Ansible shows to people: for `Debug`.
pub(super) fn to_json_logged(value: &Value) -> Json {
    convert(value, Secrets::HideVaults)
}

#[derive(Clone, Copy)]
enum Secrets {
    Reveal,
    Hide,
    HideVaults,
}

impl Secrets {
    fn hides(self, text: &Text) -> bool {
        match self {
            Self::Reveal => false,
            Self::Hide => text.is_secret(),
            Self::HideVaults => text.is_secret() || text.envelope().is_some(),
        }
    }
}

fn convert(value: &Value, secrets: Secrets) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(number) => Json::from(*number),
        Value::BigInt(number) => exact_number(&number.to_string()),
        Value::Float(number) => serde_json::Number::from_f64(*number).map_or_else(|| Json::from(non_finite(*number)), Json::Number),
        Value::Text(text) if secrets.hides(text) => Json::from("***"),
        Value::Text(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) if bytes.is_secret() && !matches!(secrets, Secrets::Reveal) => Json::from("***"),
        Value::Bytes(bytes) => Json::from(bytes.to_text()),
        Value::Date(date) => Json::from(date.to_string()),
        Value::DateTime(moment, offset) => Json::from(iso(moment, *offset)),
        Value::List(items) => Json::Array(items.iter().map(|item| convert(item, secrets)).collect()),
        Value::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_json_key(), convert(value, secrets))).collect()),
    }
}

/// `2020-01-02T03:04:05+00:00`, as Python's `isoformat`.
fn iso(moment: &jiff::civil::DateTime, offset: Option<i32>) -> String {
    let zone = offset.map_or_else(String::new, |seconds| {
        let sign = if seconds < 0 { '-' } else { '+' };
        format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
    });
    // All digits or none.
    match moment.subsec_nanosecond() / 1000 {
        0 => format!("{moment:.0}{zone}"),
        _ => format!("{moment:.6}{zone}"),
    }
}

/// What Python's `json` writes.
pub(super) fn non_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

fn number_from_json(number: &serde_json::Number) -> Value {
    let text = number.as_str();
    if let Some(number) = number.as_i64() {
        return Value::Int(number);
    }
    match text.parse::<BigInt>() {
        Ok(number) => Value::int(number),
        Err(_) => Value::Float(text.parse().unwrap_or(f64::NAN)),
    }
}

fn exact_number(digits: &str) -> Json {
    digits.parse::<serde_json::Number>().map_or_else(|_| Json::from(digits), Json::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_size_survive() {
        let text = r#"{"a":123456789012345678901234567890,"b":1.0,"c":[true,null,"x"]}"#;
        let value = from_json(serde_json::from_str(text).unwrap());
        assert_eq!(to_json(&value).to_string(), text);
    }

    #[test]
    fn secrets_are_hidden_when_shown() {
        let value = Value::Text(Text::from("hunter2").into_secret());
        assert_eq!((to_json(&value), to_json_shown(&value)), (Json::from("hunter2"), Json::from("***")));
        let vaulted = Value::Text(Text::sealed("x", None).opened("hunter2"));
        assert_eq!((to_json_shown(&vaulted), to_json_logged(&vaulted)), (Json::from("hunter2"), Json::from("***")));
    }
}

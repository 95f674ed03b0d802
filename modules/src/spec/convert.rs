//! Ansible's coercions of one value to one kind, with its words where it cannot be done.

use super::{Kind, literal, python, repr, text};
use crate::{Json, JsonMap};

/// `value` as `kind`.
pub fn convert(kind: Kind, value: &Json, choices: &[&str]) -> Result<Json, String> {
    match kind {
        Kind::Str | Kind::Path => Ok(Json::String(to_text(value, choices))),
        Kind::Bool => to_bool(value).map(Json::Bool),
        Kind::Int => to_int(value),
        Kind::Float => to_float(value),
        Kind::List => to_list(value),
        Kind::Dict => to_dict(value),
        Kind::Raw => Ok(value.clone()),
        Kind::Json => to_json_text(value).map(Json::String),
        Kind::Bytes => to_size(value, 'B', "bytes").map(Json::from),
        Kind::Bits => to_size(value, 'b', "bits").map(Json::from),
    }
}

fn to_text(value: &Json, choices: &[&str]) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Bool(truth) if !choices.is_empty() => {
            // YAML read the user's `yes` as a bool; where just one choice means that bool, it was meant.
            let words: &[&str] = if *truth { &["y", "yes", "on", "1", "true", "t"] } else { &["n", "no", "off", "0", "false", "f"] };
            let mut meant = choices.iter().filter(|choice| words.contains(&choice.to_lowercase().as_str()));
            match (meant.next(), meant.next()) {
                (Some(only), None) => (*only).to_owned(),
                _ => text(value),
            }
        }
        other => text(other),
    }
}

/// Ansible's booleans.
fn to_bool(value: &Json) -> Result<bool, String> {
    let word = match value {
        Json::Bool(truth) => return Ok(*truth),
        Json::String(text) => text.trim().to_lowercase(),
        Json::Number(number) => match number.as_f64() {
            Some(1.0) => "1".to_owned(),
            Some(0.0) => "0".to_owned(),
            _ => number.to_string(),
        },
        Json::Null | Json::Array(_) | Json::Object(_) => {
            return Err(format!("<class '{}'> cannot be converted to a bool", python::type_name(value)));
        }
    };
    match word.as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" => Ok(false),
        _ => Err(format!(
            "The value '{}' is not a valid boolean. Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
            text(value)
        )),
    }
}

fn to_int(value: &Json) -> Result<Json, String> {
    let refused = || Err(format!("\"{}\" cannot be converted to an int", repr(value)));
    let written = match value {
        Json::Bool(truth) => return Ok(Json::from(i64::from(*truth))),
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().replace('_', ""),
        Json::Null | Json::Array(_) | Json::Object(_) => return refused(),
    };
    whole(&written).map_or_else(refused, Ok)
}

/// A decimal text without a fraction: `5`, `+5`, `5.00`, `1e3`.
fn whole(written: &str) -> Option<Json> {
    let digits = written.strip_prefix('+').unwrap_or(written);
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        let trimmed = unsigned.trim_start_matches('0');
        let plain = if trimmed.is_empty() { "0" } else { trimmed };
        let sign = if digits.starts_with('-') && plain != "0" { "-" } else { "" };
        return serde_json::from_str(&format!("{sign}{plain}")).ok();
    }
    let number: f64 = digits.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 9e15 && unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.'))
        .then(|| Json::from(number as i64))
}

fn to_float(value: &Json) -> Result<Json, String> {
    let number = match value {
        Json::Number(number) => number.as_f64(),
        Json::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    number
        .filter(|number| number.is_finite())
        .map(Json::from)
        .ok_or_else(|| format!("<class '{}'> cannot be converted to a float", python::type_name(value)))
}

fn to_list(value: &Json) -> Result<Json, String> {
    match value {
        Json::Array(_) => Ok(value.clone()),
        Json::String(text) => Ok(Json::Array(text.split(',').map(Json::from).collect())),
        Json::Number(_) | Json::Bool(_) => Ok(Json::Array(vec![Json::String(text(value))])),
        Json::Null | Json::Object(_) => Err(format!("<class '{}'> cannot be converted to a list", python::type_name(value))),
    }
}

fn to_dict(value: &Json) -> Result<Json, String> {
    match value {
        Json::Object(_) => Ok(value.clone()),
        Json::String(text) if text.starts_with('{') => match serde_json::from_str(text).ok().or_else(|| literal(text)) {
            Some(Json::Object(map)) => Ok(Json::Object(map)),
            _ => Err("unable to evaluate string as dictionary".to_owned()),
        },
        Json::String(text) if text.contains('=') => pairs(text).map(Json::Object),
        Json::String(_) => Err("dictionary requested, could not parse JSON or key=value".to_owned()),
        other => Err(format!("<class '{}'> cannot be converted to a dict", python::type_name(other))),
    }
}

/// `a=1, b="two words"`, parted by commas or blanks outside quotes.
fn pairs(text: &str) -> Result<JsonMap, String> {
    let mut fields: Vec<String> = Vec::new();
    let (mut field, mut quote, mut escaped) = (String::new(), None, false);
    for letter in text.trim().chars() {
        if escaped {
            field.push(letter);
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if quote == Some(letter) {
            quote = None;
        } else if quote.is_none() && matches!(letter, '\'' | '"') {
            quote = Some(letter);
        } else if quote.is_none() && matches!(letter, ',' | ' ') {
            if !field.is_empty() {
                fields.push(std::mem::take(&mut field));
            }
        } else {
            field.push(letter);
        }
    }
    if !field.is_empty() {
        fields.push(field);
    }
    let mut map = JsonMap::new();
    for field in fields {
        let Some((key, value)) = field.split_once('=') else {
            return Err("dictionary update sequence element #0 has length 1; 2 is required".to_owned());
        };
        map.insert(key.to_owned(), Json::from(value));
    }
    Ok(map)
}

fn to_json_text(value: &Json) -> Result<String, String> {
    match value {
        Json::String(text) => Ok(text.trim().to_owned()),
        Json::Array(_) | Json::Object(_) => Ok(python::json(value)),
        other => Err(format!("<class '{}'> cannot be converted to a json string", python::type_name(other))),
    }
}

/// `10`, `10M`, `1.5GB`; for bits `10Mb`.
fn to_size(value: &Json, unit: char, what: &str) -> Result<u64, String> {
    let written = text(value);
    let refused = || format!("<class '{}'> cannot be converted to a {what} value", python::type_name(value));
    let trimmed = written.trim();
    let split = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(trimmed.len());
    let (number, suffix) = trimmed.split_at(split);
    let number: f64 = number.parse().map_err(|_| refused())?;
    let suffix = suffix.trim();
    let mut letters = suffix.chars();
    let factor = match letters.next().map(|first| first.to_ascii_uppercase()) {
        None => 1.0,
        Some('B') => 1.0,
        Some(first) => {
            let power = ['K', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'].iter().position(|letter| *letter == first).ok_or_else(refused)?;
            let rest = letters.as_str();
            let fits = rest.is_empty() || rest == unit.to_string() || rest.eq_ignore_ascii_case(if unit == 'B' { "bytes" } else { "bits" });
            if !fits {
                return Err(refused());
            }
            1024_f64.powi(i32::try_from(power + 1).expect("there are eight powers"))
        }
    };
    Ok((number * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(kind: Kind, value: Json, expected: Json) {
        assert_eq!(convert(kind, &value, &[]), Ok(expected));
    }

    #[test]
    fn values_become_what_ansible_makes_of_them() {
        check(Kind::Str, json!(5), json!("5"));
        check(Kind::Str, json!(true), json!("True"));
        check(Kind::Str, json!({"a": [1, null]}), json!("{'a': [1, None]}"));
        check(Kind::Bool, json!("Yes"), json!(true));
        check(Kind::Bool, json!(0.0), json!(false));
        check(Kind::Int, json!("1.0"), json!(1));
        check(Kind::Int, json!(" 007 "), json!(7));
        check(Kind::Int, json!(true), json!(1));
        check(Kind::List, json!("a,b"), json!(["a", "b"]));
        check(Kind::List, json!(5), json!(["5"]));
        check(Kind::Dict, json!("a=1, b='x y'"), json!({"a": "1", "b": "x y"}));
        check(Kind::Dict, json!("{'a': True, 'b': [1, 2.5]}"), json!({"a": true, "b": [1, 2.5]}));
        check(Kind::Json, json!({"a": 1}), json!("{\"a\": 1}"));
        check(Kind::Bytes, json!("1.5K"), json!(1536));
        check(Kind::Bits, json!("1Mb"), json!(1_048_576));
    }

    #[test]
    fn what_cannot_be_is_said_in_ansibles_words() {
        assert_eq!(convert(Kind::Int, &json!("abc"), &[]), Err("\"'abc'\" cannot be converted to an int".to_owned()));
        assert_eq!(convert(Kind::Int, &json!(1.5), &[]), Err("\"1.5\" cannot be converted to an int".to_owned()));
        assert_eq!(convert(Kind::List, &json!({"a": 1}), &[]), Err("<class 'dict'> cannot be converted to a list".to_owned()));
    }

    #[test]
    fn a_bool_is_the_one_choice_that_means_it() {
        assert_eq!(convert(Kind::Str, &json!(true), &["no", "yes", "full"]), Ok(json!("yes")));
        assert_eq!(convert(Kind::Str, &json!(false), &["off", "no"]), Ok(json!("False")));
    }
}

//! The functions of JMESPath.

use std::cmp::Ordering;

use num_bigint::BigInt;

use super::{Node, is_number, is_true, run, same, text};
use crate::template::print::value_to_text;
use crate::template::python::json::{JsonOptions, dumps};
use crate::template::python::number;
use crate::value::{Map, Value};

/// Names, what they take, and whether there may be more of the last.
const FUNCTIONS: &[(&str, &[&[&str]], bool)] = &[
    ("abs", &[&["number"]], false),
    ("avg", &[&["array"]], false),
    ("ceil", &[&["number"]], false),
    ("contains", &[&["array", "string"], &[]], false),
    ("ends_with", &[&["string"], &["string"]], false),
    ("floor", &[&["number"]], false),
    ("join", &[&["string"], &["array"]], false),
    ("keys", &[&["object"]], false),
    ("length", &[&["string", "array", "object"]], false),
    ("map", &[&["expref"], &["array"]], false),
    ("max", &[&["array"]], false),
    ("max_by", &[&["array"], &["expref"]], false),
    ("merge", &[&["object"]], true),
    ("min", &[&["array"]], false),
    ("min_by", &[&["array"], &["expref"]], false),
    ("not_null", &[&[]], true),
    ("reverse", &[&["array", "string"]], false),
    ("sort", &[&["array"]], false),
    ("sort_by", &[&["array"], &["expref"]], false),
    ("starts_with", &[&["string"], &["string"]], false),
    ("sum", &[&["array"]], false),
    ("to_array", &[&[]], false),
    ("to_number", &[&[]], false),
    ("to_string", &[&[]], false),
    ("type", &[&[]], false),
    ("values", &[&["object"]], false),
];

/// Calls a function; `&expression` is not evaluated.
pub fn call(name: &str, arguments: &[Node], value: &Value) -> Result<Value, String> {
    let Some((name, params, more)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(format!("Unknown function: {name}()"));
    };
    if arguments.len() < params.len() || (arguments.len() > params.len() && !more) {
        let least = if *more { "at least " } else { "" };
        return Err(format!("Expected {least}{} argument(s) for function {name}(), received {}", params.len(), arguments.len()));
    }
    let mut values = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let kinds = params[index.min(params.len() - 1)];
        let found = run(argument, value)?;
        let kind = if matches!(argument, Node::Expression(_)) { "expref" } else { type_of(&found) };
        if !kinds.is_empty() && !kinds.contains(&kind) {
            let wanted = kinds.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
            let shown = value_to_text(&found);
            return Err(format!(
                "In function {name}(), invalid type for value: {}, expected one of: [{wanted}], received: \"{kind}\"",
                shown.as_str()
            ));
        }
        values.push(found);
    }
    let expression = arguments.iter().find_map(|argument| match argument {
        Node::Expression(inner) => Some(&**inner),
        _ => None,
    });
    Ok(match expression {
        Some(inner) => with_expression(name, inner, values.iter().find_map(Value::as_list).unwrap_or_default())?,
        None => plain(name, &values),
    })
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => "number",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        Value::Text(_) | Value::Bytes(_) | Value::Date(_) | Value::DateTime(..) => "string",
    }
}

fn with_expression(name: &str, inner: &Node, items: &[Value]) -> Result<Value, String> {
    let keys: Vec<Value> = items.iter().map(|item| run(inner, item)).collect::<Result<_, _>>()?;
    if name == "map" {
        return Ok(Value::list(keys));
    }
    let wanted = keys.first().map_or("null", type_of);
    if let Some(wrong) = keys.iter().find(|key| !matches!(type_of(key), "number" | "string") || type_of(key) != wanted) {
        return Err(format!(
            "In function {name}(), invalid type for value: {}, expected one of: ['number', 'string'], received: \"{}\"",
            value_to_text(wrong).as_str(),
            type_of(wrong)
        ));
    }
    let mut pairs: Vec<(&Value, &Value)> = keys.iter().zip(items).collect();
    pairs.sort_by(|(left, _), (right, _)| order(left, right));
    Ok(match name {
        "sort_by" => Value::list(pairs.into_iter().map(|(_, item)| item.clone()).collect()),
        "min_by" => pairs.first().map(|(_, item)| (*item).clone()).unwrap_or_default(),
        _ => {
            // Of several largest the first.
            let largest = pairs.last().map(|(key, _)| *key);
            pairs.iter().find(|(key, _)| Some(*key) == largest).map(|(_, item)| (*item).clone()).unwrap_or_default()
        }
    })
}

fn order(left: &Value, right: &Value) -> Ordering {
    left.compare(right).unwrap_or(Ordering::Equal)
}

fn float(value: &Value) -> f64 {
    number::to_float(value).unwrap_or(0.0)
}

fn sum(items: &[Value]) -> Value {
    if items.iter().any(|item| matches!(item, Value::Float(_))) {
        return Value::Float(items.iter().map(float).sum());
    }
    Value::int(items.iter().filter_map(number::to_int).sum::<BigInt>())
}

fn rounded(value: &Value, round: fn(f64) -> f64) -> Value {
    match value {
        Value::Float(number) => number::to_int(&Value::Float(round(*number))).map(Value::int).unwrap_or_default(),
        whole => whole.clone(),
    }
}

fn plain(name: &str, values: &[Value]) -> Value {
    let first = values.first().unwrap_or(&Value::Null);
    let (items, map) = (first.as_list().unwrap_or_default(), first.as_map());
    let chars = |index: usize| values.get(index).and_then(Value::as_str).unwrap_or_default();
    match name {
        "abs" => match first {
            Value::Float(number) => Value::Float(number.abs()),
            whole => number::to_int(whole).map(|number| Value::int(BigInt::from(number.magnitude().clone()))).unwrap_or_default(),
        },
        "avg" if items.is_empty() => Value::Null,
        "avg" => Value::Float(items.iter().map(float).sum::<f64>() / items.len() as f64),
        "ceil" => rounded(first, f64::ceil),
        "floor" => rounded(first, f64::floor),
        "contains" => match first.as_str() {
            Some(text) => Value::Bool(values[1].as_str().is_some_and(|part| text.contains(part))),
            None => Value::Bool(items.iter().any(|item| same(item, &values[1]))),
        },
        "ends_with" => Value::Bool(chars(0).ends_with(chars(1))),
        "starts_with" => Value::Bool(chars(0).starts_with(chars(1))),
        "join" => {
            let parts: Vec<&str> = values[1].as_list().unwrap_or_default().iter().filter_map(Value::as_str).collect();
            text(parts.join(chars(0)))
        }
        "keys" => Value::list(map.map(|map| map.keys().map(|key| key.value().clone()).collect()).unwrap_or_default()),
        "values" => Value::list(map.map(|map| map.values().cloned().collect()).unwrap_or_default()),
        "length" => Value::from(match first {
            Value::Text(text) => text.as_str().chars().count(),
            Value::Map(map) => map.len(),
            _ => items.len(),
        }),
        "max" => items.iter().max_by(|left, right| order(left, right)).cloned().unwrap_or_default(),
        "min" => items.iter().min_by(|left, right| order(left, right)).cloned().unwrap_or_default(),
        "merge" => {
            let mut merged = Map::new();
            for (key, value) in values.iter().filter_map(Value::as_map).flat_map(Map::iter) {
                merged.insert(key.clone(), value.clone());
            }
            Value::map(merged)
        }
        "not_null" => values.iter().find(|value| !value.is_null()).cloned().unwrap_or_default(),
        "reverse" => match first.as_str() {
            Some(chars) => text(chars.chars().rev().collect::<String>()),
            None => Value::list(items.iter().rev().cloned().collect()),
        },
        "sort" => {
            let mut sorted = items.to_vec();
            sorted.sort_by(order);
            Value::list(sorted)
        }
        "sum" => sum(items),
        "to_array" if matches!(first, Value::List(_)) => first.clone(),
        "to_array" => Value::list(vec![first.clone()]),
        "to_number" if is_number(first) => first.clone(),
        "to_number" => match (chars(0).parse::<i64>(), chars(0).parse::<f64>()) {
            (Ok(number), _) if is_true(first) => Value::Int(number),
            (Err(_), Ok(number)) => Value::Float(number),
            _ => Value::Null,
        },
        "to_string" if matches!(first, Value::Text(_)) => first.clone(),
        "to_string" => text(dumps(first, &JsonOptions { separators: Some((",".to_owned(), ":".to_owned())), ..JsonOptions::default() })),
        _ => text(type_of(first)),
    }
}

//! JMESPath, the language of `json_query`: parsed by binding powers, run over plain data.

mod function;
mod parser;

use std::cmp::Ordering;

use crate::value::{Map, Text, Value};

pub use parser::parse;

/// A piece of a query.
#[derive(Clone, Debug)]
pub enum Node {
    /// `@`
    Current,
    /// `name`
    Field(String),
    /// `a.b`, and `a[0]`: the second on what the first gives.
    Then(Box<Node>, Box<Node>),
    /// `[0]`
    Index(i64),
    /// `[a:b:c]`
    Slice(Option<i64>, Option<i64>, Option<i64>),
    /// `a[*].b`
    Project(Box<Node>, Box<Node>),
    /// `a.*.b`
    ProjectValues(Box<Node>, Box<Node>),
    /// `a[?c].b`
    Filter(Box<Node>, Box<Node>, Box<Node>),
    /// `a[]`
    Flatten(Box<Node>),
    /// `a < b`
    Compare(&'static str, Box<Node>, Box<Node>),
    /// `a || b`
    Or(Box<Node>, Box<Node>),
    /// `a && b`
    And(Box<Node>, Box<Node>),
    /// `!a`
    Not(Box<Node>),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(String, Node)>),
    /// `'text'` and `` `json` ``
    Literal(Value),
    /// `f(a)`
    Call(String, Vec<Node>),
    /// `&a`
    Expression(Box<Node>),
}

/// What a query gives for `value`; the error is in the words of Python's library.
pub fn run(node: &Node, value: &Value) -> Result<Value, String> {
    Ok(match node {
        Node::Current | Node::Expression(_) => value.clone(),
        Node::Field(name) => value.get(name).cloned().unwrap_or_default(),
        Node::Then(first, second) => run(second, &run(first, value)?)?,
        Node::Index(index) => value.as_list().and_then(|items| items.get(place(*index, items.len())?).cloned()).unwrap_or_default(),
        Node::Slice(start, stop, step) => match value.as_list() {
            Some(items) => Value::list(slice(items, *start, *stop, step.unwrap_or(1))?),
            None => Value::Null,
        },
        Node::Project(base, each) => match run(base, value)?.as_list() {
            Some(items) => project(each, items.iter())?,
            None => Value::Null,
        },
        Node::ProjectValues(base, each) => match run(base, value)?.as_map() {
            Some(map) => project(each, map.values())?,
            None => Value::Null,
        },
        Node::Filter(base, each, condition) => match run(base, value)?.as_list() {
            Some(items) => {
                let mut kept = Vec::new();
                for item in items {
                    if is_true(&run(condition, item)?) {
                        kept.push(item);
                    }
                }
                project(each, kept.into_iter())?
            }
            None => Value::Null,
        },
        Node::Flatten(base) => match run(base, value)?.as_list() {
            Some(items) => {
                let open = |item: &Value| item.as_list().map_or_else(|| vec![item.clone()], <[Value]>::to_vec);
                Value::list(items.iter().flat_map(open).collect())
            }
            None => Value::Null,
        },
        Node::Compare(sign, left, right) => compare(sign, &run(left, value)?, &run(right, value)?),
        Node::Or(left, right) => match run(left, value)? {
            found if is_true(&found) => found,
            _ => run(right, value)?,
        },
        Node::And(left, right) => match run(left, value)? {
            found if is_true(&found) => run(right, value)?,
            found => found,
        },
        Node::Not(inner) => Value::Bool(!is_true(&run(inner, value)?)),
        Node::List(_) | Node::Map(_) if value.is_null() => Value::Null,
        Node::List(nodes) => Value::list(nodes.iter().map(|node| run(node, value)).collect::<Result<_, _>>()?),
        Node::Map(entries) => {
            let mut map = Map::new();
            for (key, node) in entries {
                map.insert(key.as_str(), run(node, value)?);
            }
            Value::map(map)
        }
        Node::Literal(literal) => literal.clone(),
        Node::Call(name, arguments) => function::call(name, arguments, value)?,
    })
}

fn project<'v>(each: &Node, items: impl Iterator<Item = &'v Value>) -> Result<Value, String> {
    let mut found = Vec::new();
    for item in items {
        let value = run(each, item)?;
        if !value.is_null() {
            found.push(value);
        }
    }
    Ok(Value::list(found))
}

/// Empty things, `false` and `null` are not; 0 is.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Text(text) => !text.as_str().is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }
}

fn compare(sign: &str, left: &Value, right: &Value) -> Value {
    match sign {
        "==" => return Value::Bool(same(left, right)),
        "!=" => return Value::Bool(!same(left, right)),
        _ => {}
    }
    if !is_number(left) || !is_number(right) {
        return Value::Null;
    }
    let order = left.compare(right);
    Value::Bool(match sign {
        "<" => order == Some(Ordering::Less),
        "<=" => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        ">" => order == Some(Ordering::Greater),
        _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    })
}

/// Equality, but `true` is not 1.
fn same(left: &Value, right: &Value) -> bool {
    matches!(left, Value::Bool(_)) == matches!(right, Value::Bool(_)) && left == right
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    usize::try_from(if index < 0 { index + length } else { index }).ok()
}

fn slice(items: &[Value], start: Option<i64>, stop: Option<i64>, step: i64) -> Result<Vec<Value>, String> {
    if step == 0 {
        return Err("slice step cannot be zero".to_owned());
    }
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |index: Option<i64>, default: i64| match index {
        None => default,
        Some(index) if index < 0 => index.saturating_add(length).clamp(low, high),
        Some(index) => index.clamp(low, high),
    };
    let (start, stop) = if step > 0 { (bound(start, low), bound(stop, high)) } else { (bound(start, high), bound(stop, low)) };
    let mut found = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        found.extend(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned());
        at = at.saturating_add(step);
    }
    Ok(found)
}

/// A text as data.
fn text(chars: impl Into<String>) -> Value {
    Value::Text(Text::from(chars.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_and_wrong_queries_are_errors() {
        for wrong in ["", "a.", "a b", "[", "a[", "{", "{a", "'x", "`x", "\"x", "f(", "a[?", "[1:2:0]x", "&", "*.", "a || ", "#"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(parse(&"!".repeat(100_000)).is_err());
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"a.".repeat(100_000)).is_err());
    }
}

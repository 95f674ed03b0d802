//! `Value`: plain data as YAML, Python and JSON know it. Immutable, `Arc` inside, `Send`; a clone is a counter. A text carries
//! two bits: *trusted* (the user wrote it, so it may be a template) and *secret* (it is never shown). Knows no templates.

mod bytes;
mod dump;
mod float;
mod json;
mod key;
mod map;
mod merge;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil;
use num_bigint::BigInt;

pub use bytes::Bytes;
pub use dump::{Layout, dump};
pub use float::float_repr;
pub use json::{from_json, to_json, to_json_shown};
pub use key::Key;
pub use map::Map;
pub use merge::{ListMerge, Recursive, merge, merge_into};
pub use text::Text;

/// Plain data.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, Python's `None`.
    #[default]
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// An integer of 64 bits: nearly all.
    Int(i64),
    /// An integer beyond 64 bits.
    BigInt(Arc<BigInt>),
    /// A floating point number.
    Float(f64),
    /// A text.
    Text(Text),
    /// Bytes.
    Bytes(Bytes),
    /// A date of YAML, `2020-01-01`.
    Date(civil::Date),
    /// A date with a time of YAML; the offset in seconds, where one was written.
    DateTime(civil::DateTime, Option<i32>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map that keeps its order; keys are any scalar.
    Map(Arc<Map>),
}

impl Value {
    /// A text that is neither trusted nor secret: what a host or a program said.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(Text::new(text))
    }

    /// A list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A map.
    pub fn map(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }

    /// An integer of any size.
    pub fn int(number: BigInt) -> Self {
        i64::try_from(&number).map_or_else(|_| Self::BigInt(Arc::new(number)), Self::Int)
    }

    /// The characters, if this is a text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The boolean, if this is one; see [`Value::truthy`] for Python's truth of any value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The integer, if this is one that fits.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The entry `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// Python's truth: empty, zero and `None` are false.
    pub fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::BigInt(_) | Self::Date(_) | Self::DateTime(..) => true,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.as_str().is_empty(),
            Self::Bytes(bytes) => !bytes.as_slice().is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// Python's name of the type, as Ansible's messages and `type_debug` show it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Text(text) if text.is_markup() => "Markup",
            Self::Text(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::DateTime(..) => "datetime",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
        }
    }

    /// This value with every text in it (map values and list items, at any depth) changed by `change`; shares what has none.
    #[must_use]
    pub fn map_texts(&self, change: &dyn Fn(&Text) -> Text) -> Self {
        match self {
            Self::Text(text) => Self::Text(change(text)),
            Self::List(items) => Self::list(items.iter().map(|item| item.map_texts(change)).collect()),
            Self::Map(map) => Self::map(map.iter().map(|(key, value)| (key.clone(), value.map_texts(change))).collect()),
            other => other.clone(),
        }
    }

    /// Python's order of numbers with numbers, texts with texts, lists with lists; `None` where Python raises.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Text(left), Self::Text(right)) => Some(left.as_str().cmp(right.as_str())),
            (Self::Bytes(left), Self::Bytes(right)) => Some(left.as_slice().cmp(right.as_slice())),
            (Self::Date(left), Self::Date(right)) => Some(left.cmp(right)),
            (Self::DateTime(left, _), Self::DateTime(right, _)) => Some(left.cmp(right)),
            (Self::List(left), Self::List(right)) => {
                for (left, right) in left.iter().zip(right.iter()) {
                    if left != right {
                        return left.compare(right);
                    }
                }
                Some(left.len().cmp(&right.len()))
            }
            _ => key::compare_numbers(self, other),
        }
    }
}

/// Python's `==`: numbers and booleans by value, maps regardless of order.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Text(left), Self::Text(right)) => left.as_str() == right.as_str(),
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Date(left), Self::Date(right)) => left == right,
            (Self::DateTime(left, a), Self::DateTime(right, b)) => left == right && a == b,
            (Self::List(left), Self::List(right)) => Arc::ptr_eq(left, right) || left == right,
            (Self::Map(left), Self::Map(right)) => Arc::ptr_eq(left, right) || left == right,
            _ => key::compare_numbers(self, other) == Some(Ordering::Equal),
        }
    }
}

/// For tests and logs: JSON, with secrets and what came out of vaults hidden.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", json::to_json_logged(self))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::int(BigInt::from(number))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_python_s() {
        assert_eq!(Value::Bool(true), Value::Int(1));
        assert_eq!(Value::Float(2.0), Value::Int(2));
        assert_ne!(Value::text("1"), Value::Int(1));
        assert_ne!(Value::Null, Value::Bool(false));
    }

    #[test]
    fn order_refuses_what_python_refuses() {
        assert_eq!(Value::Int(1).compare(&Value::text("a")), None);
        assert_eq!(Value::Int(1).compare(&Value::Float(1.5)), Some(Ordering::Less));
    }
}

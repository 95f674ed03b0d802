//! A key of a map: any scalar, equal and hashed as in Python (`1`, `1.0` and `True` are one key).

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use indexmap::Equivalent;
use num_bigint::BigInt;
use num_traits::{FromPrimitive as _, ToPrimitive as _};

use super::{Text, Value};

/// A scalar as key.
#[derive(Clone)]
pub struct Key(Value);

impl Key {
    /// `value` as a key; `None` for lists and maps, which Python cannot hash.
    pub fn new(value: Value) -> Option<Self> {
        match value {
            Value::List(_) | Value::Map(_) => None,
            scalar => Some(Self(scalar)),
        }
    }

    /// The key as a value.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The characters of a text key.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// The key as JSON writes it: texts as they are, `true`, `null`, numbers in decimal.
    pub fn to_json_key(&self) -> String {
        match &self.0 {
            Value::Text(text) => text.as_str().to_owned(),
            other => super::to_json(other).as_str().map_or_else(|| super::to_json(other).to_string(), str::to_owned),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Value::Text(text) => text.as_str().hash(state),
            Value::Bool(value) => i64::from(*value).hash(state),
            Value::Int(number) => number.hash(state),
            Value::BigInt(number) => number.hash(state),
            Value::Float(number) => match integral(*number) {
                Some(Value::Int(number)) => number.hash(state),
                Some(Value::BigInt(number)) => number.hash(state),
                _ => number.to_bits().hash(state),
            },
            Value::Bytes(bytes) => bytes.as_slice().hash(state),
            Value::Date(date) => date.hash(state),
            Value::DateTime(moment, offset) => (moment, offset).hash(state),
            Value::Null | Value::List(_) | Value::Map(_) => 0_u8.hash(state),
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<&str> for Key {
    fn from(chars: &str) -> Self {
        Self(Value::text(chars))
    }
}

impl From<String> for Key {
    fn from(chars: String) -> Self {
        Self(Value::text(chars))
    }
}

impl From<Text> for Key {
    fn from(text: Text) -> Self {
        Self(Value::Text(text))
    }
}

/// Order of two numbers (booleans are numbers); `None` if one is not a number.
pub(super) fn compare_numbers(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Float(number), other) => Some(compare_float(*number, &integer(other)?)?),
        (other, Value::Float(number)) => Some(compare_float(*number, &integer(other)?)?.reverse()),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        _ => Some(integer(left)?.cmp(&integer(right)?)),
    }
}

fn compare_float(number: f64, integer: &BigInt) -> Option<Ordering> {
    if number.is_nan() {
        return None;
    }
    let Some(floor) = BigInt::from_f64(number.floor()) else {
        return Some(if number > 0.0 { Ordering::Greater } else { Ordering::Less });
    };
    match floor.cmp(integer) {
        Ordering::Equal if number.fract() != 0.0 => Some(Ordering::Greater),
        order => Some(order),
    }
}

fn integer(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(value) => Some(BigInt::from(i64::from(*value))),
        Value::Int(number) => Some(BigInt::from(*number)),
        Value::BigInt(number) => Some((**number).clone()),
        _ => None,
    }
}

fn integral(number: f64) -> Option<Value> {
    if number.fract() != 0.0 {
        return None;
    }
    let big = BigInt::from_f64(number)?;
    Some(big.to_i64().map_or_else(|| Value::int(big), Value::Int))
}

//! Python's methods of texts, lists, dicts, numbers and times.

mod bytes;
mod clock;
mod dict;
mod list;
mod scalar;
mod text;
mod translate;

use super::super::{Arguments, Object, Result, TemplateError, Val};
use super::Evaluator;
use crate::value::Value;

pub use dict::pairs_of;
pub use scalar::data_attribute;

/// A method that was taken but not called yet.
pub struct Method {
    /// What it will be called on.
    pub base: Val,
    /// Its name.
    pub name: &'static str,
}

impl Object for Method {
    fn type_name(&self) -> &str {
        match (&self.base, self.name) {
            (
                Val::Dict(_) | Val::Plain(Value::Map(_)) | Val::Scope(_),
                "items" | "values" | "get" | "copy" | "pop" | "setdefault" | "popitem",
            ) => "method",
            _ => "builtin_function_or_method",
        }
    }

    fn print(&self) -> String {
        format!("<built-in method {} of {} object>", self.name, self.base.type_name())
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
        call(evaluator, &self.base, Call::new(&self.base, self.name, arguments))
    }
}

/// The method of this name, if the value has it.
pub fn find(val: &Val, name: &str) -> Option<&'static str> {
    let names: &[&'static str] = match val {
        Val::Plain(Value::Text(text)) if text.is_markup() && text::MARKUP_METHODS.contains(&name) => text::MARKUP_METHODS,
        Val::Plain(Value::Text(_)) => text::METHODS,
        Val::Plain(Value::Bytes(_)) => bytes::METHODS,
        Val::List(_) | Val::Plain(Value::List(_)) => list::METHODS,
        Val::Tuple(_) | Val::Range(_) => &["count", "index"],
        Val::Dict(_) | Val::Plain(Value::Map(_)) | Val::Scope(_) => dict::METHODS,
        Val::Plain(Value::Int(_) | Value::BigInt(_) | Value::Bool(_)) => scalar::INT_METHODS,
        Val::Plain(Value::Float(_)) => scalar::FLOAT_METHODS,
        Val::Plain(Value::Date(_)) => scalar::DATE_METHODS,
        Val::Plain(Value::DateTime(..)) => scalar::TIME_METHODS,
        Val::Duration(_) => &["total_seconds"],
        _ => return None,
    };
    names.iter().find(|known| **known == name).copied()
}

/// Calls a method that [`find`] found.
pub fn call(evaluator: &Evaluator, base: &Val, call: Call) -> Result<Val> {
    let name = call.name;
    match base {
        Val::Plain(Value::Text(text)) => text::call(evaluator, text, name, call),
        Val::Plain(Value::Bytes(bytes)) => bytes::call(bytes, name, &call),
        Val::List(_) | Val::Plain(Value::List(_)) | Val::Tuple(_) | Val::Range(_) => list::call(evaluator, base, name, call),
        Val::Dict(_) | Val::Plain(Value::Map(_)) | Val::Scope(_) => dict::call(evaluator, base, name, call),
        other => scalar::call(other, name, call),
    }
}

/// The arguments of one method call.
pub struct Call {
    /// The method, for messages.
    pub name: &'static str,
    /// The type that it belongs to, for messages.
    pub owner: &'static str,
    /// What it was called with.
    pub arguments: Arguments,
}

impl Call {
    /// A call of the method `name` of `base`.
    pub fn new(base: &Val, name: &'static str, arguments: Arguments) -> Self {
        let owner = match base {
            Val::Plain(value) => value.type_name(),
            Val::List(_) => "list",
            Val::Dict(_) | Val::Scope(_) => "dict",
            Val::Tuple(_) => "tuple",
            Val::Range(_) => "range",
            _ => "object",
        };
        Self { name, owner, arguments }
    }

    /// Python's error for the wrong number of arguments.
    fn expect(&self, least: usize, most: usize) -> Result<()> {
        if let Some(Val::Undefined(undefined)) = self.arguments.first_undefined() {
            return Err(undefined.error());
        }
        self.count(least, most)
    }

    /// As [`Call::expect`], where an undefined argument is welcome.
    fn count(&self, least: usize, most: usize) -> Result<()> {
        let given = self.arguments.positional.len() + self.arguments.named.len();
        let (name, owner) = (self.name, self.owner);
        let message = match (least, most) {
            _ if (least..=most).contains(&given) => return Ok(()),
            (0, 0) => format!("{owner}.{name}() takes no arguments ({given} given)"),
            (1, 1) => format!("{owner}.{name}() takes exactly one argument ({given} given)"),
            _ if given < least => format!("{name} expected at least {least} argument{}, got {given}", if least == 1 { "" } else { "s" }),
            _ => format!("{name} expected at most {most} argument{}, got {given}", if most == 1 { "" } else { "s" }),
        };
        Err(TemplateError::conversion(message))
    }

    /// The argument at `index`, or of this name.
    fn get(&self, index: usize, name: &str) -> Option<&Val> {
        let named = || self.arguments.named.iter().find(|(known, _)| &**known == name).map(|(_, val)| val);
        self.arguments.positional.get(index).or_else(named)
    }

    fn text(&self, index: usize, name: &str) -> Result<Option<&str>> {
        match self.get(index, name) {
            None => Ok(None),
            Some(val) if val.is_none() => Ok(None),
            Some(val) => match val.as_str() {
                Some(chars) => Ok(Some(chars)),
                None => {
                    Err(TemplateError::conversion(format!("{}() argument {} must be str, not {}", self.name, index + 1, val.type_name())))
                }
            },
        }
    }

    fn int(&self, index: usize, name: &str) -> Result<Option<i64>> {
        match self.get(index, name) {
            None => Ok(None),
            Some(val) if val.is_none() => Ok(None),
            Some(val) => match val.as_int() {
                Some(number) => Ok(Some(number)),
                None => Err(TemplateError::conversion(format!("'{}' object cannot be interpreted as an integer", val.type_name()))),
            },
        }
    }
}

//! Attributes, items and slices: `a.b`, `a['b']`, `a[1:2]`.

use std::rc::Rc;

use super::super::{Range, Result, TemplateError, Undefined, Val};
use super::{Evaluator, methods};
use crate::value::{Bytes, Text, Value};

impl Evaluator {
    /// `val.name`: Python's attributes and methods first, then items.
    pub fn attribute(&self, val: &Val, name: &str) -> Result<Val> {
        if name.starts_with("__") && !val.is_undefined() {
            return Ok(Undefined::said(format!("access to attribute '{name}' of '{}' object is unsafe.", val.type_name())).into());
        }
        if let Some(found) = self.python_attribute(val, name)? {
            return Ok(found);
        }
        match val {
            Val::Undefined(_) => Ok(val.clone()),
            Val::Plain(Value::Map(map)) => match map.get(name) {
                Some(value) => Ok(self.owned(Val::Plain(value.clone()))),
                None => Ok(missing(val, &Value::text(name))),
            },
            Val::Dict(_) | Val::Scope(_) => match self.entry(val, &Value::text(name))? {
                Some(found) => Ok(found),
                None => Ok(missing(val, &Value::text(name))),
            },
            Val::Pending(_) => self.attribute(&self.forced(val)?, name),
            other => Ok(missing(other, &Value::text(name))),
        }
    }

    /// `val[key]`: items first, then Python's attributes and methods.
    pub fn item(&self, val: &Val, key: &Val) -> Result<Val> {
        if val.is_undefined() || key.is_undefined() {
            return Ok(if val.is_undefined() { val.clone() } else { key.clone() });
        }
        let found = match (val, key) {
            (Val::Plain(Value::Map(map)), Val::Plain(key)) => map.get_key(key).cloned().map(|value| self.owned(Val::Plain(value))),
            (Val::Dict(_) | Val::Scope(_), Val::Plain(key)) => self.entry(val, key)?,
            (Val::Plain(Value::List(items)), _) => match index(key, items.len()) {
                Some(index) => items.get(index).cloned().map(|value| self.owned(Val::Plain(value))),
                None => None,
            },
            (Val::List(list), _) => {
                let length = list.borrow().len();
                match index(key, length) {
                    Some(index) => self.list_item(list, index)?,
                    None => None,
                }
            }
            (Val::Tuple(items), _) => match index(key, items.len()).and_then(|index| items.get(index)) {
                Some(item) => Some(self.forced(item)?),
                None => None,
            },
            (Val::Plain(Value::Bytes(bytes)), _) => {
                let bytes = bytes.as_slice();
                index(key, bytes.len()).map(|index| Val::from(i64::from(bytes[index])))
            }
            (Val::Range(range), _) => index(key, range.len()).and_then(|index| range.get(index)).map(Val::from),
            (Val::Plain(Value::Text(text)), _) if key.as_int().is_some() => {
                let length = text.as_str().chars().count();
                let char = index(key, length).and_then(|index| text.as_str().chars().nth(index));
                char.map(|char| Val::from(self.alike(text, char)))
            }
            (Val::Pending(_), _) => return self.item(&self.forced(val)?, key),
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if let Some(name) = key.as_str()
            && !name.starts_with("__")
            && let Some(found) = self.python_attribute(val, name)?
        {
            return Ok(found);
        }
        match key {
            Val::Plain(key) => Ok(missing(val, key)),
            // What cannot be a key is in nothing.
            _ => Ok(Undefined::attribute(val.type_name(), self.text(key)?.as_str()).into()),
        }
    }

    /// `val[start:stop:step]`
    pub fn slice(&self, val: &Val, start: Option<&Val>, stop: Option<&Val>, step: Option<&Val>) -> Result<Val> {
        if let Val::Undefined(_) = val {
            return Ok(val.clone());
        }
        let bound = |bound: Option<&Val>| match bound {
            None => Ok(None),
            Some(val) if val.is_none() => Ok(None),
            Some(Val::Undefined(undefined)) => Err(undefined.error()),
            Some(val) => match val.as_int() {
                Some(number) => Ok(Some(number)),
                None => Err(TemplateError::conversion("slice indices must be integers or None or have an __index__ method")),
            },
        };
        let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
        if step == 0 {
            return Err(TemplateError::conversion("slice step cannot be zero"));
        }
        match val {
            Val::Plain(Value::Text(text)) => {
                let chars: Vec<char> = text.as_str().chars().collect();
                let part: String = indices(chars.len(), start, stop, step).filter_map(|index| chars.get(index)).collect();
                Ok(Val::from(self.alike(text, part)))
            }
            Val::Plain(Value::Bytes(bytes)) => {
                let all = bytes.as_slice();
                let part: Vec<u8> = indices(all.len(), start, stop, step).filter_map(|index| all.get(index).copied()).collect();
                self.charge(part.len())?;
                Ok(Val::Plain(Value::Bytes(Bytes::new(part).secret_if(bytes.is_secret()))))
            }
            Val::List(_) | Val::Tuple(_) | Val::Plain(Value::List(_)) => {
                let items = self.elements(val);
                let part: Vec<Val> = indices(items.len(), start, stop, step).filter_map(|index| items.get(index).cloned()).collect();
                self.charge(part.len() * size_of::<Val>())?;
                Ok(if matches!(val, Val::Tuple(_)) { Val::tuple(part) } else { Val::list(part) })
            }
            Val::Range(range) => {
                let mut part = indices(range.len(), start, stop, step).filter_map(|index| range.get(index));
                let first = part.next();
                let count = i64::try_from(indices(range.len(), start, stop, step).count()).unwrap_or(i64::MAX);
                let step = range.step.saturating_mul(step);
                let first = first.unwrap_or(range.start);
                Ok(Val::Range(Range { start: first, stop: first.saturating_add(step.saturating_mul(count)), step }))
            }
            Val::Pending(_) => {
                let val = self.forced(val)?;
                let number = |number: Option<i64>| number.map(Val::from);
                self.slice(&val, number(start).as_ref(), number(stop).as_ref(), Some(&Val::from(step)))
            }
            other => Err(TemplateError::conversion(format!("'{}' object is not subscriptable", other.type_name()))),
        }
    }

    /// Methods, and what objects offer.
    pub(super) fn python_attribute(&self, val: &Val, name: &str) -> Result<Option<Val>> {
        if let Val::Object(object) = val {
            return object.attribute(self, name);
        }
        if let Val::Tuple(tuple) = val
            && let Some(index) = tuple.kind.names().iter().position(|own| *own == name)
        {
            return tuple.get(index).map(|item| self.forced(item)).transpose();
        }
        if let Some(method) = methods::find(val, name) {
            return Ok(Some(Val::Object(Rc::new(methods::Method { base: val.clone(), name: method }))));
        }
        Ok(methods::data_attribute(val, name))
    }
}

/// The marker for an attribute or item that is not there.
pub fn missing(val: &Val, key: &Value) -> Val {
    let is_container =
        matches!(val, Val::Plain(Value::Map(_) | Value::List(_) | Value::Text(_)) | Val::List(_) | Val::Dict(_) | Val::Tuple(_));
    let shown = match key {
        Value::Text(text) => {
            let mut shown = String::new();
            super::super::print::quote(&mut shown, text.as_str());
            Text::from(shown)
        }
        other => super::super::print::value_to_text(other),
    };
    if let Val::Scope(scope) = val
        && scope.is_of_hosts()
    {
        return Undefined::host(val, key.as_str().unwrap_or_default(), shown.as_str()).into();
    }
    if let (Some(name), true) = (key.as_str(), val.is_mapping()) {
        return Undefined::entry(val, name, shown.as_str()).into();
    }
    if key.as_str().is_some() || is_container {
        return Undefined::attribute(val.type_name(), shown.as_str()).into();
    }
    let of = if val.is_none() { "None".to_owned() } else { format!("{} object", val.type_name()) };
    Undefined::said(format!("{of} has no element {}", shown.as_str())).into()
}

/// The position that `key` names in a sequence; negative ones count from the end.
fn index(key: &Val, length: usize) -> Option<usize> {
    let number = key.as_int()?;
    if number >= 0 {
        return usize::try_from(number).ok().filter(|index| *index < length);
    }
    length.checked_sub(usize::try_from(number.unsigned_abs()).ok()?)
}

/// The positions that a slice names, in order.
fn indices(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> impl Iterator<Item = usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let clamp = |bound: i64, low: i64, high: i64| if bound < 0 { (bound.saturating_add(length)).max(low) } else { bound.min(high) };
    let (first, last) = if step > 0 {
        (start.map_or(0, |start| clamp(start, 0, length)), stop.map_or(length, |stop| clamp(stop, 0, length)))
    } else {
        (start.map_or(length - 1, |start| clamp(start, -1, length - 1)), stop.map_or(-1, |stop| clamp(stop, -1, length - 1)))
    };
    let mut next = first;
    std::iter::from_fn(move || {
        let inside = if step > 0 { next < last } else { next > last };
        if !inside {
            return None;
        }
        let index = usize::try_from(next).ok();
        next = next.saturating_add(step);
        index
    })
}

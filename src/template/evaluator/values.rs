//! What Python does with any value: iterate, measure, compare, print, convert.

use std::cmp::Ordering;
use std::rc::Rc;

use super::super::{Dict, ErrorKind, OMITTED, Result, TemplateError, Val, print};
use super::{Evaluator, with_stack};
use crate::value::{Key, Map, Text, Value};

impl Evaluator {
    /// What iterating yields: items of lists, tuples and ranges, keys of dicts, characters of texts.
    pub fn items(&self, val: &Val) -> Result<Vec<Val>> {
        match val {
            Val::Plain(Value::List(items)) => Ok(items.iter().cloned().map(Val::Plain).collect()),
            Val::Plain(Value::Map(map)) => Ok(map.keys().map(|key| Val::Plain(key.value().clone())).collect()),
            Val::Plain(Value::Text(text)) => {
                self.charge(text.as_str().len().saturating_mul(64))?;
                Ok(text.as_str().chars().map(|char| Val::from(self.derived(text, char.to_string()))).collect())
            }
            Val::Plain(Value::Bytes(bytes)) => {
                self.charge(bytes.as_slice().len().saturating_mul(size_of::<Val>()))?;
                Ok(bytes.as_slice().iter().map(|byte| Val::from(i64::from(*byte))).collect())
            }
            Val::List(list) => {
                let count = list.borrow().len();
                (0..count).filter_map(|index| self.list_item(list, index).transpose()).collect()
            }
            Val::Tuple(items) => items.iter().map(|item| self.forced(item)).collect(),
            Val::Dict(dict) => Ok(dict.borrow().keys().map(|key| Val::Plain(key.value().clone())).collect()),
            Val::Scope(scope) => Ok(scope.names().into_iter().map(Val::text).collect()),
            Val::Range(range) => {
                self.charge(range.len().saturating_mul(size_of::<Val>()))?;
                Ok((0..range.len()).filter_map(|index| range.get(index)).map(Val::from).collect())
            }
            Val::Undefined(undefined) => Err(undefined.error()),
            Val::Pending(_) => self.items(&self.forced(val)?),
            Val::Object(object) => match object.items() {
                Some(items) => Ok(items),
                None => Err(TemplateError::conversion(format!("'{}' object is not iterable", object.type_name()))),
            },
            Val::Plain(_) | Val::Duration(_) | Val::Omit => {
                Err(TemplateError::conversion(format!("'{}' object is not iterable", val.type_name())))
            }
        }
    }

    /// Keys and values of a mapping, values rendered; an error for anything else.
    pub fn entries(&self, val: &Val) -> Result<Vec<(Key, Val)>> {
        match val {
            Val::Plain(Value::Map(map)) => Ok(map.iter().map(|(key, value)| (key.clone(), Val::Plain(value.clone()))).collect()),
            Val::Dict(dict) => {
                let keys: Vec<Key> = dict.borrow().keys().cloned().collect();
                keys.into_iter().filter_map(|key| self.dict_entry(dict, &key).transpose().map(|val| Ok((key, val?)))).collect()
            }
            Val::Scope(scope) => {
                let names = scope.names();
                names
                    .into_iter()
                    .filter_map(|name| self.scope_variable(scope, &name).transpose().map(|val| Ok((Key::from(Text::new(name)), val?))))
                    .collect()
            }
            Val::Undefined(undefined) => Err(undefined.error()),
            Val::Pending(_) => self.entries(&self.forced(val)?),
            other => Err(TemplateError::conversion(format!("'{}' object is not a mapping", other.type_name()))),
        }
    }

    /// Python's `len()`; renders no element.
    pub fn length(&self, val: &Val) -> Result<usize> {
        match val {
            Val::Plain(Value::List(items)) => Ok(items.len()),
            Val::Plain(Value::Map(map)) => Ok(map.len()),
            Val::Plain(Value::Text(text)) => Ok(text.as_str().chars().count()),
            Val::Plain(Value::Bytes(bytes)) => Ok(bytes.as_slice().len()),
            Val::List(list) => Ok(list.borrow().len()),
            Val::Tuple(items) => Ok(items.len()),
            Val::Dict(dict) => Ok(dict.borrow().len()),
            Val::Scope(scope) => Ok(scope.names().len()),
            Val::Range(range) => Ok(range.len()),
            Val::Undefined(undefined) => Err(undefined.error()),
            Val::Pending(_) => self.length(&self.forced(val)?),
            Val::Object(object) => match object.items() {
                Some(items) => Ok(items.len()),
                None => Err(TemplateError::conversion(format!("object of type '{}' has no len()", object.type_name()))),
            },
            Val::Plain(_) | Val::Duration(_) | Val::Omit => {
                Err(TemplateError::conversion(format!("object of type '{}' has no len()", val.type_name())))
            }
        }
    }

    /// Python's truth; an undefined value is its error.
    pub fn truthy(&self, val: &Val) -> Result<bool> {
        match val {
            Val::Plain(value) => Ok(value.truthy()),
            Val::List(list) => Ok(!list.borrow().is_empty()),
            Val::Dict(dict) => Ok(!dict.borrow().is_empty()),
            Val::Tuple(items) => Ok(!items.is_empty()),
            Val::Range(range) => Ok(!range.is_empty()),
            Val::Duration(microseconds) => Ok(*microseconds != 0),
            Val::Scope(_) | Val::Object(_) | Val::Omit => Ok(true),
            Val::Pending(_) => self.truthy(&self.forced(val)?),
            Val::Undefined(undefined) => Err(undefined.error()),
        }
    }

    /// Python's `==`; an undefined value is its error.
    pub fn equal(&self, left: &Val, right: &Val) -> Result<bool> {
        let _depth = self.enter()?;
        match (left, right) {
            (Val::Plain(left), Val::Plain(right)) => Ok(left == right),
            (Val::Undefined(undefined), _) | (_, Val::Undefined(undefined)) => Err(undefined.error()),
            (Val::Pending(_), _) => self.equal(&self.forced(left)?, right),
            (_, Val::Pending(_)) => self.equal(left, &self.forced(right)?),
            (Val::List(left), Val::List(right)) if Rc::ptr_eq(left, right) => Ok(true),
            (Val::Dict(left), Val::Dict(right)) if Rc::ptr_eq(left, right) => Ok(true),
            (Val::Tuple(_), Val::Tuple(_)) | (Val::List(_) | Val::Plain(Value::List(_)), Val::List(_) | Val::Plain(Value::List(_))) => {
                if self.length(left)? != self.length(right)? {
                    return Ok(false);
                }
                for (left, right) in self.items(left)?.iter().zip(&self.items(right)?) {
                    if !self.equal(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (left, right) if left.is_mapping() && right.is_mapping() => {
                if self.length(left)? != self.length(right)? {
                    return Ok(false);
                }
                for (key, left) in self.entries(left)? {
                    match self.entry(right, key.value())? {
                        Some(right) if self.equal(&left, &right)? => {}
                        _ => return Ok(false),
                    }
                }
                Ok(true)
            }
            (Val::Range(left), Val::Range(right)) => Ok(left == right),
            (Val::Duration(left), Val::Duration(right)) => Ok(left == right),
            (Val::Object(left), Val::Object(right)) => match (left.data(), right.data()) {
                (Some(left), Some(right)) => Ok(left == right),
                _ => Ok(std::ptr::addr_eq(Rc::as_ptr(left), Rc::as_ptr(right))),
            },
            (Val::Omit, Val::Omit) => Ok(true),
            _ => Ok(false),
        }
    }

    /// Python's order; `sign` is the operator that is named where there is none.
    pub fn compare(&self, left: &Val, right: &Val, sign: &str) -> Result<Ordering> {
        let _depth = self.enter()?;
        let refuse = || {
            TemplateError::conversion(format!(
                "'{sign}' not supported between instances of '{}' and '{}'",
                left.type_name(),
                right.type_name()
            ))
        };
        match (left, right) {
            (Val::Undefined(undefined), _) | (_, Val::Undefined(undefined)) => Err(undefined.error()),
            (Val::Plain(left), Val::Plain(right)) => left.compare(right).ok_or_else(refuse),
            (Val::Pending(_), _) => self.compare(&self.forced(left)?, right, sign),
            (_, Val::Pending(_)) => self.compare(left, &self.forced(right)?, sign),
            (Val::Duration(left), Val::Duration(right)) => Ok(left.cmp(right)),
            (Val::Object(one), Val::Object(other)) => match (one.data(), other.data()) {
                (Some(one), Some(other)) => one.compare(&other).ok_or_else(refuse),
                _ => Err(refuse()),
            },
            (Val::Tuple(_), Val::Tuple(_)) | (Val::List(_) | Val::Plain(Value::List(_)), Val::List(_) | Val::Plain(Value::List(_))) => {
                for (left, right) in self.items(left)?.iter().zip(&self.items(right)?) {
                    if !self.equal(left, right)? {
                        return self.compare(left, right, sign);
                    }
                }
                Ok(self.length(left)?.cmp(&self.length(right)?))
            }
            _ => Err(refuse()),
        }
    }

    /// Python's `in`.
    pub fn contains(&self, container: &Val, needle: &Val) -> Result<bool> {
        if let Val::Undefined(undefined) = needle {
            // In nothing nobody looks for it.
            let is_empty = container.is_list() && self.length(container)? == 0;
            return if is_empty { Ok(false) } else { Err(undefined.error()) };
        }
        match container {
            Val::Plain(Value::Text(text)) => match needle.as_str() {
                Some(part) => Ok(text.as_str().contains(part)),
                None => {
                    Err(TemplateError::conversion(format!("'in <string>' requires string as left operand, not {}", needle.type_name())))
                }
            },
            Val::Plain(Value::Bytes(bytes)) => match (needle.as_bytes(), needle.as_int()) {
                (Some(part), _) => {
                    let part = part.as_slice();
                    Ok(part.is_empty() || bytes.as_slice().windows(part.len()).any(|window| window == part))
                }
                (None, Some(number)) => match u8::try_from(number) {
                    Ok(byte) => Ok(bytes.as_slice().contains(&byte)),
                    Err(_) => Err(TemplateError::conversion("byte must be in range(0, 256)")),
                },
                (None, None) => Err(TemplateError::conversion(format!("a bytes-like object is required, not '{}'", needle.type_name()))),
            },
            Val::Plain(Value::Map(_)) | Val::Dict(_) => match needle {
                Val::Plain(key) => match Key::new(key.clone()) {
                    Some(_) => self.has_entry(container, key),
                    None => Err(unhashable(needle)),
                },
                Val::List(_) | Val::Dict(_) => Err(unhashable(needle)),
                _ => Ok(false),
            },
            Val::Scope(scope) => Ok(needle.as_str().is_some_and(|name| scope.contains(name))),
            Val::Range(range) => Ok(needle.as_int().is_some_and(|number| {
                let [number, start, stop, step] = [number, range.start, range.stop, range.step].map(i128::from);
                let within = if step > 0 { start <= number && number < stop } else { stop < number && number <= start };
                within && (number - start) % step == 0
            })),
            Val::Plain(Value::List(items)) if needle.as_plain().is_some() => {
                Ok(needle.as_plain().is_some_and(|needle| items.contains(needle)))
            }
            Val::Plain(Value::List(_)) | Val::List(_) | Val::Tuple(_) => {
                for item in self.items(container)? {
                    if self.equal(&item, needle)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Val::Pending(_) => self.contains(&self.forced(container)?, needle),
            Val::Undefined(undefined) => Err(undefined.error()),
            other => Err(TemplateError::conversion(format!("argument of type '{}' is not iterable", other.type_name()))),
        }
    }

    /// Python's `str()`; secret where a text in it is.
    pub fn text(&self, val: &Val) -> Result<Text> {
        print::to_text(self, val)
    }

    /// The text that a value is to Ansible's own filters: bytes are what they encode, all else is `str()`.
    pub fn decoded(&self, val: &Val) -> Result<Text> {
        match val {
            Val::Plain(Value::Bytes(bytes)) => Ok(bytes.decoded()),
            other => self.text(other),
        }
    }

    /// Python's `repr()`; secret where a text in it is.
    pub fn repr(&self, val: &Val) -> Result<Text> {
        print::to_repr(self, val)
    }

    /// A new text made of `source`'s characters: not trusted, secret where `source` is.
    pub fn derived(&self, source: &Text, chars: impl Into<String>) -> Text {
        let text = Text::from(chars.into());
        if source.is_secret() { text.into_secret() } else { text }
    }

    /// As [`Evaluator::derived`], and markup where `source` is.
    pub fn alike(&self, source: &Text, chars: impl Into<String>) -> Text {
        let text = self.derived(source, chars);
        if source.is_markup() { text.into_markup() } else { text }
    }

    /// Plain data, at any depth: what leaves the render. Undefined values are their errors, omitted entries are dropped,
    /// tuples become lists; functions, ranges and the like are an error.
    pub fn value(&self, val: &Val) -> Result<Value> {
        match val {
            Val::Plain(Value::Text(text)) => Ok(Value::Text(text.clone().without_markup())),
            Val::Plain(value) => Ok(value.clone()),
            Val::Omit => Err(TemplateError::new(ErrorKind::Omitted, OMITTED)),
            other => self.finish(other).map(Option::unwrap_or_default),
        }
    }

    /// As [`Evaluator::value`]; `None` where it is to be left out.
    pub(in super::super) fn finish(&self, val: &Val) -> Result<Option<Value>> {
        let _depth = self.enter()?;
        with_stack(|| self.finish_level(val))
    }

    fn finish_level(&self, val: &Val) -> Result<Option<Value>> {
        match val {
            Val::Plain(Value::Text(text)) => Ok(Some(Value::Text(text.clone().without_markup()))),
            Val::Plain(value) => Ok(Some(value.clone())),
            Val::Omit => Ok(None),
            Val::List(_) | Val::Tuple(_) => {
                let items = self.items(val)?;
                Ok(Some(Value::list(items.iter().filter_map(|item| self.finish(item).transpose()).collect::<Result<_>>()?)))
            }
            Val::Dict(_) | Val::Scope(_) => {
                let mut map = Map::new();
                for (key, val) in self.entries(val)? {
                    if let Some(value) = self.finish(&val)? {
                        map.insert(key, value);
                    }
                }
                Ok(Some(Value::map(map)))
            }
            Val::Pending(_) => self.finish(&self.forced(val)?),
            Val::Undefined(undefined) if undefined.is_inline_if() => Err(unstorable("Undefined")),
            Val::Undefined(undefined) => Err(undefined.error()),
            Val::Object(object) => match object.items() {
                _ if object.data().is_some() => Ok(object.data()),
                Some(items) => self.finish(&Val::list(items)),
                None => Err(unstorable(object.type_name())),
            },
            Val::Range(_) | Val::Duration(_) => Err(unstorable(val.type_name())),
        }
    }

    /// An entry of a mapping by key, rendered.
    pub fn entry(&self, mapping: &Val, key: &Value) -> Result<Option<Val>> {
        match mapping {
            Val::Plain(Value::Map(map)) => Ok(map.get_key(key).cloned().map(Val::Plain)),
            Val::Dict(dict) => match Key::new(key.clone()) {
                Some(key) => self.dict_entry(dict, &key),
                None => Ok(None),
            },
            Val::Scope(scope) => match key.as_str() {
                Some(name) => self.scope_variable(scope, name),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn has_entry(&self, mapping: &Val, key: &Value) -> Result<bool> {
        match mapping {
            Val::Plain(Value::Map(map)) => Ok(map.get_key(key).is_some()),
            Val::Dict(dict) => Ok(Key::new(key.clone()).is_some_and(|key| dict.borrow().contains_key(&key))),
            other => Ok(self.entry(other, key)?.is_some()),
        }
    }

    /// `val` as a key of a dict.
    pub fn key(&self, val: &Val) -> Result<Key> {
        match val {
            Val::Plain(value) => Key::new(value.clone()).ok_or_else(|| unhashable(val)),
            Val::Undefined(undefined) => Err(undefined.error()),
            Val::Pending(_) => self.key(&self.forced(val)?),
            other => Err(unhashable(other)),
        }
    }

    /// One level of a container as a dict that can be changed.
    pub fn to_dict(&self, mapping: &Val) -> Result<Dict> {
        Ok(self.entries(mapping)?.into_iter().collect())
    }
}

fn unhashable(val: &Val) -> TemplateError {
    TemplateError::conversion(format!("unhashable type: '{}'", val.type_name()))
}

fn unstorable(type_name: &str) -> TemplateError {
    TemplateError::new(ErrorKind::Render, format!("Type '{type_name}' is unsupported for variable storage."))
}

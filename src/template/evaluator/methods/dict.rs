//! Methods of `dict`.

use super::super::super::{Arguments, DictRef, Result, TemplateError, Val};
use super::super::Evaluator;
use super::Call;
use crate::value::{Key, Value};

/// The methods there are.
pub const METHODS: &[&str] = &["clear", "copy", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// Calls the method `name` of a dict.
pub fn call(evaluator: &Evaluator, base: &Val, name: &str, call: Call) -> Result<Val> {
    match name {
        "copy" => {
            call.expect(0, 0)?;
            let Val::Dict(dict) = base else { return Ok(Val::dict(evaluator.to_dict(base)?)) };
            let copy = dict.borrow().clone();
            return Ok(Val::dict(copy));
        }
        "items" => {
            call.expect(0, 0)?;
            let entries = evaluator.entries(base)?.into_iter();
            return Ok(Val::list(entries.map(|(key, val)| Val::tuple(vec![Val::Plain(key.value().clone()), val])).collect()));
        }
        "keys" => {
            call.expect(0, 0)?;
            return Ok(Val::list(evaluator.items(base)?));
        }
        "values" => {
            call.expect(0, 0)?;
            return Ok(Val::list(evaluator.entries(base)?.into_iter().map(|(_, val)| val).collect()));
        }
        "get" => {
            if let Some(Val::Undefined(undefined)) = call.arguments.positional.first() {
                return Err(undefined.error());
            }
            let Some(key) = call.get(0, "key") else { return call.expect(1, 2).map(|()| Val::NONE) };
            if matches!(base, Val::Scope(scope) if scope.is_of_hosts()) {
                return evaluator.item(base, key);
            }
            let found = match key {
                Val::Plain(key) => evaluator.entry(base, key)?,
                _ => None,
            };
            return Ok(found.or_else(|| call.get(1, "default").cloned()).unwrap_or(Val::NONE));
        }
        _ => {}
    }
    let Val::Dict(dict) = base else {
        return Err(TemplateError::conversion(format!("`{name}` cannot change this '{}'", base.type_name())));
    };
    change(evaluator, dict, name, call)
}

fn change(evaluator: &Evaluator, dict: &DictRef, name: &str, call: Call) -> Result<Val> {
    match name {
        "clear" => {
            dict.borrow_mut().clear();
            Ok(Val::NONE)
        }
        "pop" => {
            let Some(key) = call.arguments.positional.first() else { return call.expect(1, 2).map(|()| Val::NONE) };
            let key = evaluator.key(key)?;
            let found = dict.borrow_mut().shift_remove(&key);
            match (found, call.arguments.positional.get(1)) {
                (Some(val), _) => evaluator.forced(&val),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Err(TemplateError::conversion(evaluator.repr(&Val::Plain(key.value().clone()))?.as_str())),
            }
        }
        "popitem" => {
            let last = dict.borrow_mut().pop();
            let Some((key, val)) = last else {
                return Err(TemplateError::conversion("'popitem(): dictionary is empty'"));
            };
            Ok(Val::tuple(vec![Val::Plain(key.value().clone()), evaluator.forced(&val)?]))
        }
        "setdefault" => {
            let Some(key) = call.arguments.positional.first() else { return call.expect(1, 2).map(|()| Val::NONE) };
            let key = evaluator.key(key)?;
            if let Some(found) = evaluator.dict_entry(dict, &key)? {
                return Ok(found);
            }
            let default = call.arguments.positional.get(1).cloned().unwrap_or(Val::NONE);
            dict.borrow_mut().insert(key, default.clone());
            Ok(default)
        }
        _ => update(evaluator, dict, call.arguments),
    }
}

fn update(evaluator: &Evaluator, dict: &DictRef, arguments: Arguments) -> Result<Val> {
    let mut entries = match arguments.positional.first() {
        None => Vec::new(),
        Some(mapping) if mapping.is_mapping() => evaluator.entries(mapping)?,
        Some(pairs) => pairs_of(evaluator, pairs)?,
    };
    entries.extend(arguments.named.into_iter().map(|(name, val)| (Key::from(&*name), val)));
    evaluator.charge(entries.len() * size_of::<(Key, Val)>())?;
    dict.borrow_mut().extend(entries);
    Ok(Val::NONE)
}

/// Keys and values from a list of pairs.
pub fn pairs_of(evaluator: &Evaluator, pairs: &Val) -> Result<Vec<(Key, Val)>> {
    let mut entries = Vec::new();
    for (index, pair) in evaluator.items(pairs)?.iter().enumerate() {
        if matches!(pair, Val::Plain(Value::Int(_) | Value::Bool(_) | Value::Null | Value::Float(_))) {
            let message = format!("cannot convert dictionary update sequence element #{index} to a sequence");
            return Err(TemplateError::conversion(message));
        }
        match &evaluator.items(pair)?[..] {
            [key, val] => entries.push((evaluator.key(key)?, val.clone())),
            other => {
                let message = format!("dictionary update sequence element #{index} has length {}; 2 is required", other.len());
                return Err(TemplateError::conversion(message));
            }
        }
    }
    Ok(entries)
}

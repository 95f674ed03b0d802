//! Filters of dicts: merging, turning to lists and back, reaching in.

use std::rc::Rc;

use super::{filter, refuse};
use crate::template::print::repr;
use crate::template::{Bound, Dict, Evaluator, Filter, Param, Result, TemplateError, Undefined, Val};
use crate::value::{Key, Value};

use Param::{Optional, Required, Rest, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("attr", &[Required("name")], attr),
    filter("combine", &[Rest, RestNamed], combine),
    filter("dict2items", &[Optional("key_name"), Optional("value_name")], dict2items),
    filter("dictsort", &[Optional("case_sensitive"), Optional("by"), Optional("reverse")], dictsort),
    filter("extract", &[Required("container"), Optional("morekeys")], extract),
    filter("items", &[], items),
    filter("items2dict", &[Optional("key_name"), Optional("value_name")], items2dict),
    filter("rekey_on_member", &[Required("key"), Optional("duplicates")], rekey_on_member),
    filter("subelements", &[Required("subelements"), Optional("skip_missing")], |evaluator, value, arguments| {
        let skip_missing = arguments.flag_or(evaluator, 1, false)?;
        subelements(evaluator, value, arguments.required(0), skip_missing).map(Val::list)
    }),
];

fn attr(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let name = evaluator.text(arguments.required(0))?;
    if value.is_mapping() {
        // An attribute, never an entry.
        let shown = evaluator.repr(&Val::from(name))?;
        return Ok(Val::Undefined(Rc::new(Undefined::attribute(value.type_name(), shown.as_str()))));
    }
    evaluator.attribute(value, name.as_str())
}

/// What `combine` does with two lists under one key.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::template) enum Lists {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendRp,
    PrependRp,
}

impl Lists {
    /// `recursive` and `list_merge`, out of the named arguments.
    pub fn options(evaluator: &Evaluator, arguments: &Bound) -> Result<(bool, Self)> {
        let (mut recursive, mut lists) = (false, Self::Replace);
        for (name, val) in &arguments.named {
            match &**name {
                "recursive" => recursive = evaluator.truthy(val)?,
                "list_merge" => lists = Self::of(val)?,
                _ => return refuse("'recursive' and 'list_merge' are the only valid keyword arguments"),
            }
        }
        Ok((recursive, lists))
    }

    /// The value of `list_merge`.
    fn of(val: &Val) -> Result<Self> {
        Ok(match val.as_str() {
            Some("replace") => Self::Replace,
            Some("keep") => Self::Keep,
            Some("append") => Self::Append,
            Some("prepend") => Self::Prepend,
            Some("append_rp") => Self::AppendRp,
            Some("prepend_rp") => Self::PrependRp,
            _ => {
                return refuse(
                    "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'",
                );
            }
        })
    }
}

fn combine(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let (recursive, lists) = Lists::options(evaluator, arguments)?;
    let mut dicts = Vec::new();
    for val in std::iter::once(value).chain(&arguments.rest) {
        // One level of lists is opened, so that `[a, b] | combine` works.
        flatten_one(evaluator, val, &mut dicts)?;
    }
    // Ansible skips what stands for nothing.
    dicts.retain(|dict| !dict.is_none() && !matches!(dict.as_str(), Some("None" | "null")));
    let Some(mut merged) = dicts.pop() else { return Ok(Val::dict(Dict::new())) };
    for dict in dicts.iter().rev() {
        merged = merge(evaluator, dict, &merged, recursive, lists)?;
    }
    Ok(merged)
}

fn flatten_one(evaluator: &Evaluator, val: &Val, dicts: &mut Vec<Val>) -> Result<()> {
    match val.is_list() {
        true => dicts.extend(evaluator.items(val)?),
        false => dicts.push(val.clone()),
    }
    Ok(())
}

/// Two dicts as one.
pub(in crate::template) fn merge(evaluator: &Evaluator, first: &Val, second: &Val, recursive: bool, lists: Lists) -> Result<Val> {
    let _depth = evaluator.enter()?;
    if !first.is_mapping() || !second.is_mapping() {
        return refuse(format!(
            "failed to combine variables, expected dicts but got a '{}' and a '{}'.",
            first.type_name(),
            second.type_name()
        ));
    }
    let mut merged = evaluator.to_dict(first)?;
    for (key, new) in evaluator.entries(second)? {
        let val = match merged.get(&key) {
            Some(old) if recursive && old.is_mapping() && new.is_mapping() => merge(evaluator, old, &new, recursive, lists)?,
            Some(old) if lists != Lists::Replace && old.is_list() && new.is_list() => merge_lists(evaluator, old, &new, lists)?,
            _ => new,
        };
        merged.insert(key, val);
    }
    Ok(Val::dict(merged))
}

fn merge_lists(evaluator: &Evaluator, old: &Val, new: &Val, lists: Lists) -> Result<Val> {
    let (old_items, new_items) = (evaluator.items(old)?, evaluator.items(new)?);
    let mut rest = Vec::new();
    if matches!(lists, Lists::AppendRp | Lists::PrependRp) {
        for item in &old_items {
            if !evaluator.contains(new, item)? {
                rest.push(item.clone());
            }
        }
    }
    Ok(match lists {
        Lists::Replace => new.clone(),
        Lists::Keep => old.clone(),
        Lists::Append => Val::list([old_items, new_items].concat()),
        Lists::Prepend => Val::list([new_items, old_items].concat()),
        Lists::AppendRp => Val::list([rest, new_items].concat()),
        Lists::PrependRp => Val::list([new_items, rest].concat()),
    })
}

/// How Python names the class in messages.
fn class_name(val: &Val) -> String {
    format!("<class '{}'>", val.type_name())
}

fn name_or(arguments: &Bound, index: usize, default: &str) -> Val {
    arguments.get(index).cloned().unwrap_or_else(|| Val::from(default))
}

fn dict2items(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if !value.is_mapping() {
        return refuse(format!("dict2items requires a dictionary, got {} instead.", class_name(value)));
    }
    let (key_name, value_name) = (evaluator.key(&name_or(arguments, 0, "key"))?, evaluator.key(&name_or(arguments, 1, "value"))?);
    let entries = evaluator.entries(value)?.into_iter().map(|(key, val)| {
        let mut dict = Dict::new();
        dict.insert(key_name.clone(), Val::Plain(key.value().clone()));
        dict.insert(value_name.clone(), val);
        Val::dict(dict)
    });
    Ok(Val::list(entries.collect()))
}

fn items2dict(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    if !value.is_list() {
        return refuse(format!("items2dict requires a list, got {} instead.", class_name(value)));
    }
    let (key_name, value_name) = (name_or(arguments, 0, "key"), name_or(arguments, 1, "value"));
    let mut dict = Dict::new();
    for item in evaluator.items(value)? {
        if !item.is_mapping() && !item.is_list() {
            return refuse(format!("items2dict requires a list of dictionaries, got {} instead.", evaluator.repr(value)?.as_str()));
        }
        let (key, val) = (entry(evaluator, &item, &key_name)?, entry(evaluator, &item, &value_name)?);
        let (Some(key), Some(val)) = (key, val) else {
            return refuse(format!(
                "items2dict requires each dictionary in the list to contain the keys '{}' and '{}', got {} instead.",
                evaluator.text(&key_name)?.as_str(),
                evaluator.text(&value_name)?.as_str(),
                evaluator.repr(value)?.as_str()
            ));
        };
        dict.insert(evaluator.key(&key)?, val);
    }
    Ok(Val::dict(dict))
}

/// An entry of a dict, or an item of a list.
fn entry(evaluator: &Evaluator, mapping: &Val, key: &Val) -> Result<Option<Val>> {
    if mapping.is_list() {
        return evaluator.item(mapping, key).map(|val| Some(val).filter(|val| !val.is_undefined()));
    }
    evaluator.entry(mapping, evaluator.key(key)?.value())
}

fn items(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if !value.is_mapping() {
        return refuse("Can only get item pairs from a mapping.");
    }
    Ok(pairs(evaluator.entries(value)?))
}

fn pairs(entries: Vec<(Key, Val)>) -> Val {
    Val::list(entries.into_iter().map(|(key, val)| Val::tuple(vec![Val::Plain(key.value().clone()), val])).collect())
}

fn dictsort(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let case_sensitive = arguments.flag_or(evaluator, 0, false)?;
    let by = name_or(arguments, 1, "key");
    let reverse = arguments.flag_or(evaluator, 2, false)?;
    let by_key = match by.as_str() {
        Some("key") => true,
        Some("value") => false,
        _ => return refuse("You can only sort by either \"key\" or \"value\""),
    };
    if !value.is_mapping() {
        return refuse(format!("'{}' object has no attribute 'items'", value.type_name()));
    }
    let mut entries = Vec::new();
    for (key, val) in evaluator.entries(value)? {
        let sorted_by = if by_key { Val::Plain(key.value().clone()) } else { val.clone() };
        let sorted_by = match sorted_by.as_str() {
            Some(text) if !case_sensitive => Val::from(text.to_lowercase()),
            _ => sorted_by,
        };
        entries.push((vec![sorted_by], (key, val)));
    }
    super::list::sort_by_key(evaluator, &mut entries, reverse)?;
    Ok(pairs(entries.into_iter().map(|(_, entry)| entry).collect()))
}

fn extract(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let container = arguments.required(0);
    if container.is_mapping() && matches!(value, Val::List(_) | Val::Dict(_) | Val::Plain(Value::List(_) | Value::Map(_))) {
        return Ok(Undefined::attribute(container.type_name(), evaluator.repr(value)?.as_str()).into());
    }
    let mut found = evaluator.item(container, value)?;
    let keys = match arguments.get(1).filter(|keys| !keys.is_none()) {
        None => Vec::new(),
        Some(keys) if keys.is_list() => evaluator.items(keys)?,
        Some(key) => vec![key.clone()],
    };
    for key in keys {
        found = evaluator.item(&found, &key)?;
    }
    Ok(found)
}

fn rekey_on_member(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let duplicates = name_or(arguments, 1, "error");
    let overwrite = match duplicates.as_str() {
        Some("error") => false,
        Some("overwrite") => true,
        _ => {
            let shown = evaluator.text(&duplicates)?;
            return refuse(format!("duplicates parameter to rekey_on_member has unknown value '{}'", shown.as_str()));
        }
    };
    let items = match value {
        mapping if mapping.is_mapping() => evaluator.entries(mapping)?.into_iter().map(|(_, val)| val).collect(),
        list if list.is_list() => evaluator.items(list)?,
        _ => return refuse("Type is not a valid list, set, or dict"),
    };
    let member = arguments.required(0);
    let mut dict = Dict::new();
    for item in items {
        if !item.is_mapping() {
            return refuse("List item is not a valid dict");
        }
        let Some(key) = entry(evaluator, &item, member)? else {
            return refuse(format!("Key {} was not found.", repr(&evaluator.value(member)?)));
        };
        let key = evaluator.key(&key)?;
        if dict.contains_key(&key) && !overwrite {
            return refuse(format!("Key {} is not unique, cannot convert to dict.", repr(key.value())));
        }
        dict.insert(key, item);
    }
    Ok(Val::dict(dict))
}

/// Pairs of each item with each element of the list that `path` names in it.
pub(in crate::template) fn subelements(evaluator: &Evaluator, value: &Val, path: &Val, skip_missing: bool) -> Result<Vec<Val>> {
    let items = match value {
        mapping if mapping.is_mapping() => evaluator.entries(mapping)?.into_iter().map(|(_, val)| val).collect(),
        list if list.is_list() => evaluator.items(list)?,
        _ => return refuse("obj must be a list of dicts or a nested dict"),
    };
    let keys: Vec<Val> = match path {
        Val::Plain(Value::Text(text)) => text.as_str().split('.').map(Val::from).collect(),
        list if list.is_list() => evaluator.items(list)?,
        _ => return refuse("subelements must be a list or a string"),
    };
    let mut pairs = Vec::new();
    for item in items {
        let mut found = item.clone();
        for key in &keys {
            if !found.is_mapping() {
                return refuse(format!(
                    "the key {} should point to a dictionary, got '{}'",
                    evaluator.text(key)?.as_str(),
                    evaluator.text(&found)?.as_str()
                ));
            }
            found = match entry(evaluator, &found, key)? {
                Some(val) => val,
                None if skip_missing => {
                    found = Val::list(Vec::new());
                    break;
                }
                None => {
                    return refuse(format!(
                        "could not find {} key in iterated item {}",
                        evaluator.repr(key)?.as_str(),
                        evaluator.repr(&found)?.as_str()
                    ));
                }
            };
        }
        if !found.is_list() {
            let last = keys.last().ok_or_else(|| TemplateError::plugin("subelements must name a key"))?;
            return refuse(format!(
                "the key {} should point to a list, got {}",
                evaluator.repr(last)?.as_str(),
                evaluator.repr(&found)?.as_str()
            ));
        }
        pairs.extend(evaluator.items(&found)?.into_iter().map(|element| Val::tuple(vec![item.clone(), element])));
    }
    Ok(pairs)
}

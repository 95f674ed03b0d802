//! Filters of lists as sets: they keep the order in which items came.

use std::collections::HashSet;

use super::list::key_of;
use super::{attribute, filter, refuse};
use crate::template::{Bound, Evaluator, Filter, Param, Result, Val};
use crate::value::Key;

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] = &[
    filter("difference", OTHER, |evaluator, value, arguments| {
        let (left, right) = both(evaluator, value, arguments)?;
        only(evaluator, left, &right, Wanted::Missing)
    }),
    filter("intersect", OTHER, |evaluator, value, arguments| {
        let (left, right) = both(evaluator, value, arguments)?;
        only(evaluator, left, &right, Wanted::There)
    }),
    filter("symmetric_difference", OTHER, symmetric_difference),
    filter("union", OTHER, |evaluator, value, arguments| {
        let (left, right) = both(evaluator, value, arguments)?;
        distinct(evaluator, [left, right].concat()).map(Val::list)
    }),
    filter("unique", &[Optional("case_sensitive"), Optional("attribute")], unique),
];

const OTHER: &[Param] = &[Required("b")];

fn both(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<(Vec<Val>, Vec<Val>)> {
    Ok((evaluator.items(value)?, evaluator.items(arguments.required(0))?))
}

/// Items that were seen: by hash where they are scalars, by comparison where not.
#[derive(Default)]
struct Seen {
    keys: HashSet<Key>,
    others: Vec<Val>,
}

impl Seen {
    fn of(evaluator: &Evaluator, items: &[Val]) -> Result<Self> {
        let mut seen = Self::default();
        for item in items {
            seen.add(evaluator, item)?;
        }
        Ok(seen)
    }

    fn has(&self, evaluator: &Evaluator, item: &Val) -> Result<bool> {
        if let Some(key) = key_of(item) {
            return Ok(self.keys.contains(&key));
        }
        for other in &self.others {
            if evaluator.equal(other, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it is new.
    fn add(&mut self, evaluator: &Evaluator, item: &Val) -> Result<bool> {
        if let Val::Undefined(undefined) = item {
            return Err(undefined.error());
        }
        if let Some(key) = key_of(item) {
            return Ok(self.keys.insert(key));
        }
        let new = !self.has(evaluator, item)?;
        if new {
            self.others.push(item.clone());
        }
        Ok(new)
    }
}

/// Each item once, in the order in which they came.
pub(in crate::template) fn distinct(evaluator: &Evaluator, items: Vec<Val>) -> Result<Vec<Val>> {
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in items {
        if seen.add(evaluator, &item)? {
            kept.push(item);
        }
    }
    Ok(kept)
}

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    There,
    Missing,
}

fn only(evaluator: &Evaluator, items: Vec<Val>, other: &[Val], wanted: Wanted) -> Result<Val> {
    let seen = Seen::of(evaluator, other)?;
    let mut kept = Vec::new();
    for item in distinct(evaluator, items)? {
        if seen.has(evaluator, &item)? == (wanted == Wanted::There) {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn symmetric_difference(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let (left, right) = both(evaluator, value, arguments)?;
    let (in_left, in_right) = (Seen::of(evaluator, &left)?, Seen::of(evaluator, &right)?);
    let mut kept = Vec::new();
    for item in distinct(evaluator, [left, right].concat())? {
        if in_left.has(evaluator, &item)? != in_right.has(evaluator, &item)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

/// Python's name of a type that has no hash.
fn unhashable(key: &Val) -> Option<&'static str> {
    match key {
        dict if dict.is_mapping() => Some("_AnsibleLazyTemplateDict"),
        list if list.is_list() && !matches!(list, Val::Tuple(_)) => Some("_AnsibleLazyTemplateList"),
        _ => None,
    }
}

fn unique(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let case_sensitive = arguments.flag_or(evaluator, 0, false)?;
    let path = arguments.get(1).filter(|path| !path.is_none());
    let can_fall_back = path.is_none() && (case_sensitive || arguments.get(0).is_none_or(Val::is_none));
    let items = evaluator.items(value)?;
    let mut seen = Seen::default();
    let mut kept = Vec::new();
    for item in &items {
        let item = item.clone();
        let key = match path {
            Some(path) => attribute(evaluator, &item, path, None)?,
            None => item.clone(),
        };
        let key = match key.as_str() {
            Some(text) if !case_sensitive => Val::from(text.to_lowercase()),
            _ => key,
        };
        if let Some(unhashable) = unhashable(&key) {
            if can_fall_back {
                return Ok(Val::list(distinct(evaluator, items)?));
            }
            return refuse(format!(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support the parameters supplied: unhashable type: '{unhashable}'"
            ));
        }
        if seen.add(evaluator, &key)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

//! Merging maps as Ansible's `combine` filter and `hash_behaviour = merge` do.

use std::sync::Arc;

use super::{Map, Value};

/// Whether maps inside maps are merged too, or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursive {
    /// Inner maps are merged.
    Yes,
    /// Inner maps are replaced.
    No,
}

/// What becomes of two lists under one key, while merging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMerge {
    /// The second wins.
    Replace,
    /// The first stays.
    Keep,
    /// First, then second.
    Append,
    /// Second, then first.
    Prepend,
    /// As append; what the second has too is taken out of the first.
    AppendRp,
    /// As prepend; what the second has too is taken out of the first.
    PrependRp,
}

/// `second` over `first`; entries of `first` keep their place.
pub fn merge(first: &Map, second: &Map, recursive: Recursive, lists: ListMerge) -> Map {
    let mut merged = first.clone();
    merge_into(&mut merged, second, recursive, lists);
    merged
}

/// `second` over what is in `merged`.
pub fn merge_into(merged: &mut Map, second: &Map, recursive: Recursive, lists: ListMerge) {
    let replaces = recursive == Recursive::No && lists == ListMerge::Replace;
    for (key, new) in second.iter() {
        let old = if replaces { None } else { merged.get_key(key.value()) };
        let value = match (old, new) {
            (Some(Value::Map(old)), Value::Map(new)) if recursive == Recursive::Yes => Value::map(merge(old, new, recursive, lists)),
            (Some(Value::List(old)), Value::List(new)) => merge_lists(old, new, lists),
            _ => new.clone(),
        };
        merged.insert(key.clone(), value);
    }
}

fn merge_lists(old: &Arc<Vec<Value>>, new: &Arc<Vec<Value>>, lists: ListMerge) -> Value {
    let rest = || old.iter().filter(|item| !new.contains(item)).cloned().collect::<Vec<_>>();
    match lists {
        ListMerge::Replace => Value::List(Arc::clone(new)),
        ListMerge::Keep => Value::List(Arc::clone(old)),
        ListMerge::Append => Value::list([&old[..], &new[..]].concat()),
        ListMerge::Prepend => Value::list([&new[..], &old[..]].concat()),
        ListMerge::AppendRp => Value::list([&rest()[..], &new[..]].concat()),
        ListMerge::PrependRp => Value::list([&new[..], &rest()[..]].concat()),
    }
}

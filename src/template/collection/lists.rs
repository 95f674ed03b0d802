//! Filters of `community.general` over several lists at once.

use super::{filter, refuse};
use crate::template::filter::{Lists, distinct, merge_dicts};
use crate::template::{Arguments, Bound, Evaluator, Filter, Param, Result, Val};

use Param::{Rest, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("community.general.lists_difference", PARAMS, |evaluator, value, arguments| {
        combined(evaluator, value, arguments, "lists_difference", "difference")
    }),
    filter("community.general.lists_intersect", PARAMS, |evaluator, value, arguments| {
        combined(evaluator, value, arguments, "lists_intersect", "intersect")
    }),
    filter("community.general.lists_mergeby", PARAMS, mergeby),
    filter("community.general.lists_symmetric_difference", PARAMS, |evaluator, value, arguments| {
        combined(evaluator, value, arguments, "lists_symmetric_difference", "symmetric_difference")
    }),
    filter("community.general.lists_union", PARAMS, |evaluator, value, arguments| {
        combined(evaluator, value, arguments, "lists_union", "union")
    }),
];

const PARAMS: &[Param] = &[Rest, RestNamed];

/// The list and the others; a list of lists is several.
fn combined(evaluator: &Evaluator, value: &Val, arguments: &Bound, own: &str, name: &str) -> Result<Val> {
    let mut flattened = false;
    for (keyword, val) in &arguments.named {
        match &**keyword {
            "flatten" => flattened = evaluator.truthy(val)?,
            other => return refuse(format!("{own}() got unexpected keywords arguments: {other}")),
        }
    }
    let mut lists: Vec<Val> = std::iter::once(value).chain(&arguments.rest).cloned().collect();
    if flattened {
        let mut opened = Vec::new();
        for list in lists {
            let items = evaluator.items(&list)?;
            match !items.is_empty() && items.iter().all(Val::is_list) {
                true => opened.extend(items),
                false => opened.push(list),
            }
        }
        lists = opened;
    }
    if let Some(wrong) = lists.iter().find(|list| !list.is_list()) {
        return refuse(format!("can only concatenate list (not \"{}\") to list", wrong.type_name()));
    }
    let mut lists = lists.into_iter();
    let first = lists.next().unwrap_or_else(|| Val::list(Vec::new()));
    let mut result = Val::list(distinct(evaluator, evaluator.items(&first)?)?);
    for list in lists {
        result = evaluator.call_filter(name, &result, Arguments::of(vec![list]))?;
    }
    Ok(result)
}

fn mergeby(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let (recursive, lists) = Lists::options(evaluator, arguments)?;
    let Some((index, others)) = arguments.rest.split_last() else {
        return refuse("At least two arguments are needed: the lists, and the name of what joins them");
    };
    let index = evaluator.key(index)?;
    let mut all = Vec::new();
    for list in std::iter::once(value).chain(others) {
        if !list.is_list() {
            let shown = evaluator.text(list)?;
            return refuse(format!(
                "All arguments before the argument index for lists_mergeby must be lists. {} is <class '{}'>",
                shown.as_str(),
                list.type_name()
            ));
        }
        let items = evaluator.items(list)?;
        match !items.is_empty() && items.iter().all(Val::is_list) {
            true => all.extend(items),
            false => all.push(list.clone()),
        }
    }
    if let [only] = all.as_slice() {
        return Ok(only.clone());
    }
    let mut merged: Vec<(Val, Val)> = Vec::new();
    for list in &all {
        for item in evaluator.items(list)? {
            if !item.is_mapping() {
                let shown = evaluator.text(&item)?;
                return refuse(format!(
                    "Elements of list arguments for lists_mergeby must be dictionaries. {} is <class '{}'>",
                    shown.as_str(),
                    item.type_name()
                ));
            }
            let Some(key) = evaluator.entry(&item, index.value())? else { continue };
            let mut place = None;
            for (at, (known, _)) in merged.iter().enumerate() {
                if evaluator.equal(known, &key)? {
                    place = Some(at);
                    break;
                }
            }
            match place {
                Some(at) => merged[at].1 = merge_dicts(evaluator, &merged[at].1, &item, recursive, lists)?,
                None => merged.push((key, item)),
            }
        }
    }
    let sorted = Val::list(merged.into_iter().map(|(_, item)| item).collect());
    let by = vec![("attribute".into(), Val::Plain(index.value().clone())), ("case_sensitive".into(), Val::from(true))];
    evaluator.call_filter("sort", &sorted, Arguments { positional: Vec::new(), named: by })
}

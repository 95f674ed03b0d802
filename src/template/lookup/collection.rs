//! Lookups that shape the values they are given.

use super::{flag_or, given, refuse};
use crate::template::filter::chance;
use crate::template::{Dict, Evaluator, Lookup, Options, Result, Val};
use crate::value::{Key, Value};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "dict", options: &[], run: dict },
    Lookup { name: "indexed_items", options: &[], run: indexed_items },
    Lookup { name: "items", options: &[], run: |evaluator, terms, _| flatten(evaluator, terms) },
    Lookup { name: "list", options: &[], run: |_, terms, _| Ok(terms.to_vec()) },
    Lookup { name: "nested", options: &[], run: nested },
    Lookup { name: "random_choice", options: &[], run: random_choice },
    Lookup { name: "subelements", options: &["skip_missing"], run: subelements },
    Lookup { name: "together", options: &[], run: together },
];

/// One level of lists is opened.
pub(super) fn flatten(evaluator: &Evaluator, terms: &[Val]) -> Result<Vec<Val>> {
    let mut all = Vec::new();
    for term in terms {
        match term.is_list() {
            true => all.extend(evaluator.items(term)?),
            false => all.push(term.clone()),
        }
    }
    Ok(all)
}

fn dict(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let mut pairs = Vec::new();
    for term in terms {
        if !term.is_mapping() {
            return refuse(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{}' of type <class '{}'>)",
                evaluator.text(term)?.as_str(),
                term.type_name()
            ));
        }
        for (key, val) in evaluator.entries(term)? {
            let mut pair = Dict::new();
            pair.insert(Key::from("key"), Val::Plain(key.value().clone()));
            pair.insert(Key::from("value"), val);
            pairs.push(Val::dict(pair));
        }
    }
    Ok(pairs)
}

fn indexed_items(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let items = flatten(evaluator, terms)?;
    Ok(items.into_iter().enumerate().map(|(index, item)| Val::list(vec![Val::from(index), item])).collect())
}

fn nested(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    if terms.is_empty() {
        return refuse("with_nested requires at least one element in the nested list");
    }
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for term in terms {
        let items = evaluator.items(term)?;
        evaluator.charge(rows.len().saturating_mul(items.len()).saturating_mul(size_of_val(terms)))?;
        let mut longer = Vec::new();
        for row in &rows {
            for item in &items {
                longer.push([&row[..], &flatten(evaluator, std::slice::from_ref(item))?[..]].concat());
            }
        }
        rows = longer;
    }
    Ok(rows.into_iter().map(Val::list).collect())
}

fn together(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    if terms.is_empty() {
        return refuse("with_together requires at least one element in each list");
    }
    let columns: Vec<Vec<Val>> = terms.iter().map(|term| evaluator.items(term)).collect::<Result<_>>()?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    let mut rows = Vec::new();
    for index in 0..count {
        let row: Vec<Val> = columns.iter().map(|column| column.get(index).cloned().unwrap_or(Val::NONE)).collect();
        rows.push(Val::list(flatten(evaluator, &row)?));
    }
    Ok(rows)
}

fn random_choice(_: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    Ok(terms.get(chance(terms.len())).cloned().into_iter().collect())
}

const SUBELEMENTS: &str = "subelements lookup expects a list of two or three items, ";

/// Unlike the filter, the item comes without the list that was opened.
fn subelements(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let [elements, path, rest @ ..] = terms else {
        return refuse(format!("{SUBELEMENTS}first a dict or a list, second a string pointing to the subkey"));
    };
    let mut skip_missing = flag_or(evaluator, options, "skip_missing", false)?;
    match rest {
        [] => {}
        [flags] if flags.is_mapping() => {
            let flags = Options { named: flags_of(evaluator, flags)? };
            skip_missing = given(&flags, "skip_missing").is_some() && flag_or(evaluator, &flags, "skip_missing", false)?;
        }
        _ => return refuse(format!("{SUBELEMENTS}the optional third item must be a dict with flags skip_missing")),
    }
    let is_skipped = |val: &Val| -> Result<bool> {
        let skipped = evaluator.entry(val, &Value::from("skipped"))?;
        Ok(skipped.is_some_and(|skipped| matches!(skipped, Val::Plain(Value::Bool(true)))))
    };
    // What a task that was skipped registered has no elements.
    if elements.is_mapping() && is_skipped(elements)? {
        return Ok(Vec::new());
    }
    let items = match elements {
        mapping if mapping.is_mapping() => evaluator.entries(mapping)?.into_iter().map(|(_, val)| val).collect(),
        list if list.is_list() => evaluator.items(list)?,
        _ => return refuse(format!("{SUBELEMENTS}first a dict or a list, second a string pointing to the subkey")),
    };
    let Some(path) = path.as_str() else {
        return refuse(format!("{SUBELEMENTS}first a dict or a list, second a string pointing to the subkey"));
    };
    let keys: Vec<&str> = path.split('.').collect();
    let mut pairs = Vec::new();
    for item in items {
        if !item.is_mapping() {
            return refuse(format!("subelements lookup expects a dictionary, got '{}'", evaluator.text(&item)?.as_str()));
        }
        if is_skipped(&item)? {
            continue;
        }
        let (found, rest) = open(evaluator, &item, &keys, skip_missing)?;
        for element in found {
            pairs.push(Val::list(vec![rest.clone(), element]));
        }
    }
    Ok(pairs)
}

fn flags_of(evaluator: &Evaluator, flags: &Val) -> Result<Vec<(std::sync::Arc<str>, Val)>> {
    let entries = evaluator.entries(flags)?;
    if entries.iter().any(|(key, _)| key.as_str() != Some("skip_missing")) {
        return refuse(format!("{SUBELEMENTS}the optional third item must be a dict with flags skip_missing"));
    }
    Ok(entries.into_iter().map(|(_, val)| ("skip_missing".into(), val)).collect())
}

/// The list at the end of `keys`, and the item without it.
fn open(evaluator: &Evaluator, item: &Val, keys: &[&str], skip_missing: bool) -> Result<(Vec<Val>, Val)> {
    let Some((key, deeper)) = keys.split_first() else { return Ok((Vec::new(), item.clone())) };
    let mut rest = evaluator.to_dict(item)?;
    let Some(found) = rest.shift_remove(&Key::from(*key)) else {
        if skip_missing {
            return Ok((Vec::new(), item.clone()));
        }
        return refuse(format!("could not find '{key}' key in iterated item '{}'", evaluator.text(item)?.as_str()));
    };
    if deeper.is_empty() {
        if !found.is_list() {
            return refuse(format!("the key {key} should point to a list, got '{}'", evaluator.text(&found)?.as_str()));
        }
        return Ok((evaluator.items(&found)?, Val::dict(rest)));
    }
    if !found.is_mapping() {
        if skip_missing {
            return Ok((Vec::new(), item.clone()));
        }
        return refuse(format!("the key {key} should point to a dictionary, got '{}'", evaluator.text(&found)?.as_str()));
    }
    let (elements, inner) = open(evaluator, &found, deeper, skip_missing)?;
    rest.insert(Key::from(*key), inner);
    Ok((elements, Val::dict(rest)))
}

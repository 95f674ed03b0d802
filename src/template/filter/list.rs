//! Filters of lists: ends, order, groups, sums, combinations.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{attribute, derived, filter, refuse};
use crate::template::ir::Operator;
use crate::template::{Bound, Evaluator, Filter, Param, Result, Undefined, Val};
use crate::value::Key;

use Param::{Optional, Required, Rest};

pub(super) const FILTERS: &[Filter] = &[
    filter("batch", &[Required("linecount"), Optional("fill_with")], batch),
    filter("combinations", &[Required("r")], combinations),
    filter("count", &[], length),
    filter("first", &[], |evaluator, value, _| end(evaluator, value, "first")),
    filter("flatten", &[Optional("levels"), Optional("skip_nulls")], flatten),
    filter("groupby", &[Required("attribute"), Optional("default"), Optional("case_sensitive")], groupby),
    filter("last", &[], |evaluator, value, _| end(evaluator, value, "last")),
    filter("length", &[], length),
    filter("list", &[], |evaluator, value, _| evaluator.items(value).map(Val::list)),
    filter("max", EXTREME, |evaluator, value, arguments| extreme(evaluator, value, arguments, Ordering::Greater)),
    filter("min", EXTREME, |evaluator, value, arguments| extreme(evaluator, value, arguments, Ordering::Less)),
    filter("permutations", &[Optional("r")], permutations),
    filter("product", &[Rest, Optional("repeat")], product),
    filter("reverse", &[], reverse),
    filter("slice", &[Required("slices"), Optional("fill_with")], slice),
    filter("sort", &[Optional("reverse"), Optional("case_sensitive"), Optional("attribute")], sort),
    filter("sum", &[Optional("attribute"), Optional("start")], sum),
    filter("zip", &[Rest, Optional("strict")], zip),
    filter("zip_longest", &[Rest, Optional("fillvalue")], zip_longest),
];

const EXTREME: &[Param] = &[Optional("case_sensitive"), Optional("attribute")];

fn length(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    evaluator.length(value).map(Val::from)
}

fn end(evaluator: &Evaluator, value: &Val, which: &str) -> Result<Val> {
    let mut items = evaluator.items(value)?;
    let found = if which == "first" { items.into_iter().next() } else { items.pop() };
    Ok(found.unwrap_or_else(|| nothing(which, "item")))
}

/// An undefined value that says what was empty.
fn nothing(which: &str, what: &str) -> Val {
    Val::Undefined(Rc::new(Undefined::said(format!("No {which} {what}, sequence was empty."))))
}

fn reverse(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if let Some(text) = value.as_text() {
        return Ok(derived(evaluator, text, text.as_str().chars().rev().collect::<String>()));
    }
    let items = evaluator.items(value).map_err(|error| {
        if error.is_undefined() { error } else { error.map_message(|message| format!("argument must be iterable: {message}")) }
    })?;
    Ok(Val::list(items.into_iter().rev().collect()))
}

fn batch(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let size = usize::try_from(arguments.int_or(0, 1)?).unwrap_or(0);
    let items = evaluator.items(value)?;
    // Nothing is as long as none at all, but for the list that is not begun yet.
    if arguments.int_or(0, 1)? == 0 && !items.is_empty() {
        return Ok(Val::list(vec![Val::list(Vec::new()), Val::list(items)]));
    }
    if size == 0 {
        return Ok(Val::list(vec![Val::list(items)]));
    }
    let mut batches: Vec<Vec<Val>> = items.chunks(size).map(<[Val]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (given(arguments, 1), batches.last_mut()) {
        evaluator.charge(size.saturating_mul(size_of::<Val>()))?;
        last.resize(size, fill.clone());
    }
    Ok(Val::list(batches.into_iter().map(Val::list).collect()))
}

/// An argument that is not `None`.
fn given(arguments: &Bound, index: usize) -> Option<&Val> {
    arguments.get(index).filter(|val| !val.is_none())
}

fn slice(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let items = evaluator.items(value)?;
    let Ok(slices) = usize::try_from(arguments.int_or(0, 1)?) else { return Ok(Val::list(Vec::new())) };
    if slices == 0 {
        return refuse("integer division or modulo by zero");
    }
    evaluator.charge(slices.saturating_mul(size_of::<Val>()))?;
    let (size, longer) = (items.len() / slices, items.len() % slices);
    let mut rest = items.into_iter();
    let mut lists = Vec::new();
    for index in 0..slices {
        let mut list: Vec<Val> = rest.by_ref().take(size + usize::from(index < longer)).collect();
        if let Some(fill) = given(arguments, 1)
            && index >= longer
        {
            list.push(fill.clone());
        }
        lists.push(Val::list(list));
    }
    Ok(Val::list(lists))
}

/// Texts in lower case, unless case counts.
fn fold(val: Val, case_sensitive: bool) -> Val {
    match val.as_str() {
        Some(text) if !case_sensitive => Val::from(text.to_lowercase()),
        _ => val,
    }
}

fn is_true_undefined(val: &Val) -> Result<()> {
    match val {
        Val::Undefined(undefined) => Err(undefined.error()),
        _ => Ok(()),
    }
}

/// Sorts by keys that were made before; stable, and an error of a comparison ends it.
pub(super) fn sort_by_key<T>(evaluator: &Evaluator, items: &mut [(Vec<Val>, T)], reverse: bool) -> Result<()> {
    let mut failure = None;
    // Equal items keep their order in reverse too.
    if reverse {
        items.reverse();
    }
    items.sort_by(|left, right| match compare_keys(evaluator, &left.0, &right.0) {
        Ok(order) => order,
        Err(error) => {
            failure.get_or_insert(error);
            Ordering::Equal
        }
    });
    if reverse {
        items.reverse();
    }
    failure.map_or(Ok(()), Err)
}

fn compare_keys(evaluator: &Evaluator, left: &[Val], right: &[Val]) -> Result<Ordering> {
    for (left, right) in left.iter().zip(right) {
        if !evaluator.equal(left, right)? {
            return evaluator.compare(left, right, "<");
        }
    }
    Ok(Ordering::Equal)
}

fn sort(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let reverse = arguments.flag_or(evaluator, 0, false)?;
    let case_sensitive = arguments.flag_or(evaluator, 1, false)?;
    let paths: Vec<Val> = match given(arguments, 2) {
        Some(path) => match path.as_str() {
            Some(text) => text.split(',').map(Val::from).collect(),
            None => vec![path.clone()],
        },
        None => Vec::new(),
    };
    let mut keyed = Vec::new();
    for item in evaluator.items(value)? {
        let mut key = Vec::new();
        for path in &paths {
            key.push(attribute(evaluator, &item, path, None)?);
        }
        if paths.is_empty() {
            key.push(item.clone());
        }
        key.iter().try_for_each(is_true_undefined)?;
        keyed.push((key.into_iter().map(|val| fold(val, case_sensitive)).collect(), item));
    }
    sort_by_key(evaluator, &mut keyed, reverse)?;
    Ok(Val::list(keyed.into_iter().map(|(_, item)| item).collect()))
}

fn extreme(evaluator: &Evaluator, value: &Val, arguments: &Bound, wanted: Ordering) -> Result<Val> {
    let case_sensitive = arguments.flag_or(evaluator, 0, false)?;
    let sign = if wanted == Ordering::Less { "<" } else { ">" };
    let mut best: Option<(Val, Val)> = None;
    for item in evaluator.items(value)? {
        let key = match given(arguments, 1) {
            Some(path) => attribute(evaluator, &item, path, None)?,
            None => item.clone(),
        };
        is_true_undefined(&key)?;
        let key = fold(key, case_sensitive);
        match &best {
            Some((best_key, _)) if evaluator.compare(&key, best_key, sign)? != wanted => {}
            _ => best = Some((key, item)),
        }
    }
    Ok(best.map_or_else(|| nothing("aggregated", "item"), |(_, item)| item))
}

fn groupby(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let case_sensitive = arguments.flag_or(evaluator, 2, false)?;
    let mut keyed = Vec::new();
    for item in evaluator.items(value)? {
        // Ansible's markers never become the `default` of this filter.
        let shown = attribute(evaluator, &item, arguments.required(0), None)?;
        is_true_undefined(&shown)?;
        keyed.push((vec![fold(shown.clone(), case_sensitive)], (shown, item)));
    }
    sort_by_key(evaluator, &mut keyed, false)?;
    let mut groups: Vec<(Vec<Val>, Val, Vec<Val>)> = Vec::new();
    for (key, (shown, item)) in keyed {
        match groups.last_mut() {
            Some((last, _, items)) if compare_keys(evaluator, last, &key)? == Ordering::Equal => items.push(item),
            _ => groups.push((key, shown, vec![item])),
        }
    }
    Ok(Val::list(groups.into_iter().map(|(_, shown, items)| Val::group(shown, items)).collect()))
}

fn sum(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let mut total = arguments.get(1).cloned().unwrap_or_else(|| Val::from(0_i64));
    if total.as_str().is_some() {
        return refuse("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for item in evaluator.items(value)? {
        let item = match given(arguments, 0) {
            Some(path) => attribute(evaluator, &item, path, None)?,
            None => item,
        };
        is_true_undefined(&item)?;
        total = evaluator.binary(Operator::Add, &total, &item)?;
    }
    Ok(total)
}

fn flatten(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let levels = match given(arguments, 0) {
        Some(_) => Some(arguments.int_or(0, 0)?),
        None => None,
    };
    let skip_nulls = arguments.flag_or(evaluator, 1, true)?;
    let mut flat = Vec::new();
    flatten_into(evaluator, value, levels, skip_nulls, &mut flat)?;
    Ok(Val::list(flat))
}

fn flatten_into(evaluator: &Evaluator, value: &Val, levels: Option<i64>, skip_nulls: bool, flat: &mut Vec<Val>) -> Result<()> {
    let _depth = evaluator.enter()?;
    for item in evaluator.items(value)? {
        if skip_nulls && (item.is_none() || matches!(item.as_str(), Some("None" | "null"))) {
            continue;
        }
        match levels {
            _ if !item.is_list() => flat.push(item),
            None => flatten_into(evaluator, &item, None, skip_nulls, flat)?,
            Some(levels) if levels >= 1 => flatten_into(evaluator, &item, Some(levels - 1), skip_nulls, flat)?,
            Some(_) => flat.push(item),
        }
    }
    Ok(())
}

fn columns(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Vec<Vec<Val>>> {
    std::iter::once(value).chain(&arguments.rest).map(|val| evaluator.items(val)).collect()
}

fn zip(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let columns = columns(evaluator, value, arguments)?;
    let count = columns.iter().map(Vec::len).min().unwrap_or(0);
    if arguments.flag_or(evaluator, 1, false)? && columns.iter().any(|column| column.len() != count) {
        return refuse("zip() argument 2 is longer than argument 1");
    }
    Ok(rows(&columns, count, &Val::NONE))
}

fn zip_longest(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let columns = columns(evaluator, value, arguments)?;
    let count = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok(rows(&columns, count, arguments.get(1).unwrap_or(&Val::NONE)))
}

fn rows(columns: &[Vec<Val>], count: usize, fill: &Val) -> Val {
    let row = |index: usize| Val::tuple(columns.iter().map(|column| column.get(index).unwrap_or(fill).clone()).collect());
    Val::list((0..count).map(row).collect())
}

fn product(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let columns = columns(evaluator, value, arguments)?;
    let repeat = usize::try_from(arguments.int_or(1, 1)?).or_else(|_| refuse("repeat argument cannot be negative"))?;
    let width = columns.len().saturating_mul(repeat);
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for column in std::iter::repeat_n(&columns, repeat).flatten() {
        evaluator.charge(rows.len().saturating_mul(column.len()).saturating_mul(width).saturating_mul(size_of::<Val>()))?;
        rows = rows.iter().flat_map(|row| column.iter().map(|item| [&row[..], std::slice::from_ref(item)].concat())).collect();
    }
    Ok(Val::list(rows.into_iter().map(Val::tuple).collect()))
}

fn permutations(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let items = evaluator.items(value)?;
    let count = match given(arguments, 0) {
        Some(_) => usize::try_from(arguments.int_or(0, 0)?).or_else(|_| refuse("r must be non-negative"))?,
        None => items.len(),
    };
    choose(evaluator, &items, count, |chosen, index| !chosen.contains(&index))
}

fn combinations(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let items = evaluator.items(value)?;
    let count = usize::try_from(arguments.int_or(0, 0)?).or_else(|_| refuse("r must be non-negative"))?;
    choose(evaluator, &items, count, |chosen, index| chosen.last().is_none_or(|last| *last < index))
}

/// All ways to choose `count` items, in order of their positions, where `fits` allows the next.
fn choose(evaluator: &Evaluator, items: &[Val], count: usize, fits: fn(&[usize], usize) -> bool) -> Result<Val> {
    if count > items.len() {
        return Ok(Val::list(Vec::new()));
    }
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..count {
        let mut longer = Vec::new();
        for row in &chosen {
            evaluator.charge(items.len().saturating_mul(row.len() + 1).saturating_mul(size_of::<usize>()))?;
            longer.extend((0..items.len()).filter(|index| fits(row, *index)).map(|index| [&row[..], &[index]].concat()));
        }
        chosen = longer;
    }
    evaluator.charge(chosen.len().saturating_mul(count).saturating_mul(size_of::<Val>()))?;
    Ok(Val::list(chosen.into_iter().map(|row| Val::tuple(row.into_iter().map(|index| items[index].clone()).collect())).collect()))
}

/// A key for plain data that can be one.
pub(super) fn key_of(val: &Val) -> Option<Key> {
    Key::new(val.as_plain()?.clone())
}

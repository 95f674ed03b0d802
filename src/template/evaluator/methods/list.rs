//! Methods of `list`, `tuple` and `range`.

use std::cmp::Ordering;

use super::super::super::{ListRef, Result, TemplateError, Val};
use super::super::Evaluator;
use super::Call;

/// The methods there are.
pub const METHODS: &[&str] = &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];

/// Calls the method `name` of a list, tuple or range.
pub fn call(evaluator: &Evaluator, base: &Val, name: &str, call: Call) -> Result<Val> {
    match name {
        "copy" => {
            call.expect(0, 0)?;
            return Ok(Val::list(evaluator.elements(base)));
        }
        "count" | "index" => {
            call.expect(1, 3)?;
            return search(evaluator, base, name, &call);
        }
        _ => {}
    }
    let Val::List(list) = base else {
        return Err(TemplateError::conversion(format!("`{name}` cannot change this '{}'", base.type_name())));
    };
    change(evaluator, list, name, &call)
}

fn search(evaluator: &Evaluator, base: &Val, name: &str, call: &Call) -> Result<Val> {
    let needle = &call.arguments.positional[0];
    let start = usize::try_from(call.int(1, "start")?.unwrap_or(0)).unwrap_or(0);
    let mut count = 0_usize;
    for (index, item) in evaluator.items(base)?.iter().enumerate().skip(start) {
        if evaluator.equal(item, needle)? {
            if name == "index" {
                return Ok(Val::from(index));
            }
            count += 1;
        }
    }
    if name == "index" {
        return Err(TemplateError::conversion(format!("{} is not in list", evaluator.repr(needle)?.as_str())));
    }
    Ok(Val::from(count))
}

fn change(evaluator: &Evaluator, list: &ListRef, name: &str, call: &Call) -> Result<Val> {
    let (least, most) = match name {
        "append" | "extend" | "remove" => (1, 1),
        "insert" => (2, 2),
        "pop" => (0, 1),
        "sort" => (0, 2),
        _ => (0, 0),
    };
    // A list may hold what is undefined; using it is the error.
    if matches!(name, "append" | "insert") {
        call.count(least, most)?
    } else {
        call.expect(least, most)?
    }
    match name {
        "append" => {
            let Some(item) = call.arguments.positional.first() else { return call.count(1, 1).map(|()| Val::NONE) };
            evaluator.charge(size_of::<Val>())?;
            list.borrow_mut().push(item.clone());
        }
        "extend" => {
            let items = evaluator.items(&call.arguments.positional[0])?;
            evaluator.charge(items.len() * size_of::<Val>())?;
            list.borrow_mut().extend(items);
        }
        "insert" => {
            let [at, item] = &call.arguments.positional[..] else { return call.expect(2, 2).map(|()| Val::NONE) };
            let length = list.borrow().len();
            let at = at
                .as_int()
                .ok_or_else(|| TemplateError::conversion(format!("'{}' object cannot be interpreted as an integer", at.type_name())))?;
            list.borrow_mut().insert(position(at, length).unwrap_or(if at < 0 { 0 } else { length }), item.clone());
        }
        "clear" => list.borrow_mut().clear(),
        "reverse" => list.borrow_mut().reverse(),
        "pop" => {
            let length = list.borrow().len();
            if length == 0 {
                return Err(TemplateError::conversion("pop from empty list"));
            }
            let index = position(call.int(0, "index")?.unwrap_or(-1), length).filter(|index| *index < length);
            let Some(index) = index else { return Err(TemplateError::conversion("pop index out of range")) };
            let item = list.borrow_mut().remove(index);
            return evaluator.forced(&item);
        }
        "remove" => {
            let needle = &call.arguments.positional[0];
            let items = evaluator.items(&Val::List(ListRef::clone(list)))?;
            for (index, item) in items.iter().enumerate() {
                if evaluator.equal(item, needle)? {
                    list.borrow_mut().remove(index);
                    return Ok(Val::NONE);
                }
            }
            return Err(TemplateError::conversion("list.remove(x): x not in list"));
        }
        _ => sort(evaluator, list, call)?,
    }
    Ok(Val::NONE)
}

fn sort(evaluator: &Evaluator, list: &ListRef, call: &Call) -> Result<()> {
    let reverse = match call.get(usize::MAX, "reverse") {
        Some(reverse) => evaluator.truthy(reverse)?,
        None => false,
    };
    let mut items = evaluator.items(&Val::List(ListRef::clone(list)))?;
    let mut failure = None;
    items.sort_by(|left, right| {
        let (left, right) = if reverse { (right, left) } else { (left, right) };
        evaluator.compare(left, right, "<").unwrap_or_else(|error| {
            failure.get_or_insert(error);
            Ordering::Equal
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    *list.borrow_mut() = items;
    Ok(())
}

/// Where `index` points to; negative ones count from the end.
fn position(index: i64, length: usize) -> Option<usize> {
    if index >= 0 {
        return usize::try_from(index).ok().filter(|index| *index <= length);
    }
    length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
}

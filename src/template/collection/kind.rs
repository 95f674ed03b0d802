//! What a value is in Python's words: the filter `reveal_ansible_type` and the test `ansible_type`.

use std::collections::BTreeSet;

use super::{filter, test};
use crate::template::{Bound, Evaluator, Filter, Param, Result, Test, Val};

use Param::{Optional, Required};

pub(super) const FILTERS: &[Filter] =
    &[filter("community.general.reveal_ansible_type", &[Optional("alias")], |evaluator, value, arguments| {
        Ok(Val::from(kind(evaluator, value, arguments, 0)?))
    })];

pub(super) const TESTS: &[Test] =
    &[test("community.general.ansible_type", &[Required("dtype"), Optional("alias")], |evaluator, value, arguments| {
        let wanted = arguments.required(0);
        let found = Val::from(kind(evaluator, value, arguments, 1)?);
        if wanted.is_list() { evaluator.contains(wanted, &found) } else { evaluator.equal(wanted, &found) }
    })];

/// `dict[str, int|str]`: of what is inside only the first level.
fn kind(evaluator: &Evaluator, value: &Val, arguments: &Bound, alias: usize) -> Result<String> {
    let name = |val: &Val| -> Result<String> {
        let name = val.type_name();
        let alias = arguments.get(alias).filter(|alias| alias.is_mapping());
        let other = alias.map_or(Ok(None), |alias| evaluator.entry(alias, &name.into()))?;
        Ok(match other {
            Some(other) => evaluator.text(&other)?.as_str().to_owned(),
            None => name.to_owned(),
        })
    };
    let names = |vals: Vec<Val>| -> Result<String> {
        let names: BTreeSet<String> = vals.iter().map(name).collect::<Result<_>>()?;
        Ok(names.into_iter().collect::<Vec<_>>().join("|"))
    };
    if value.is_mapping() {
        let (keys, vals): (Vec<Val>, Vec<Val>) =
            evaluator.entries(value)?.into_iter().map(|(key, val)| (Val::Plain(key.value().clone()), val)).unzip();
        return if keys.is_empty() { name(value) } else { Ok(format!("{}[{}, {}]", name(value)?, names(keys)?, names(vals)?)) };
    }
    if value.is_list() {
        let items = evaluator.items(value)?;
        return if items.is_empty() { name(value) } else { Ok(format!("{}[{}]", name(value)?, names(items)?)) };
    }
    name(value)
}

//! Filters: families of functions, each with its table, sorted by name.

mod chance;
mod data;
mod dict;
mod hash;
mod item;
mod list;
mod logic;
mod number;
mod password;
mod path;
#[cfg(test)]
pub(in crate::template) mod recorded;
mod regex;
mod select;
mod set;
mod text;
mod time;
mod url;
mod urlize;
mod vault;
mod wrap;

use super::{Evaluator, Filter, Markers, Param, Result, TemplateError, Val};
use crate::value::Text;

pub(in crate::template) use chance::{Source, chance};
pub(in crate::template) use dict::{Lists, merge as merge_dicts};
pub(in crate::template) use item::attribute;
pub(in crate::template) use password::Algorithm;
pub use password::hash_password;
pub(in crate::template) use path::{dirname, expand_user, normpath};
pub(in crate::template) use set::distinct;
pub(in crate::template) use url::{Url, unquote};

/// All families.
pub const FILTERS: &[&[Filter]] = &[
    chance::FILTERS,
    data::FILTERS,
    dict::FILTERS,
    hash::FILTERS,
    list::FILTERS,
    logic::FILTERS,
    number::FILTERS,
    password::FILTERS,
    path::FILTERS,
    regex::FILTERS,
    select::FILTERS,
    set::FILTERS,
    text::FILTERS,
    time::FILTERS,
    url::FILTERS,
    urlize::FILTERS,
    vault::FILTERS,
];

/// A row of a family's table; undefined input or arguments are the result.
const fn filter(name: &'static str, params: &'static [Param], run: fn(&Evaluator, &Val, &super::Bound) -> Result<Val>) -> Filter {
    Filter { name, params, markers: Markers::Propagate, run }
}

/// The filter refuses its input.
pub(in crate::template) fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(TemplateError::plugin(message))
}

/// New characters made of `source`'s.
pub(in crate::template) fn derived(evaluator: &Evaluator, source: &Text, chars: impl Into<String>) -> Val {
    Val::from(evaluator.derived(source, chars))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_give_what_ansible_gives() {
        recorded::check_records(include_str!("recorded.jsonl"));
    }

    #[test]
    fn tables_are_sorted_and_names_are_unique() {
        let mut names = std::collections::HashSet::new();
        for family in FILTERS {
            assert!(family.is_sorted_by_key(|filter| filter.name), "the family of `{}`", family[0].name);
            for filter in *family {
                assert!(names.insert(filter.name), "`{}` is there twice", filter.name);
            }
        }
    }
}

//! Filters, tests and lookups of well-used collections, built in: under their full names, and under the short ones that
//! ansible-core itself leads there.

mod address_test;
mod data;
mod duration;
mod hwaddr;
mod ipaddr;
mod jmespath;
mod keys;
mod kind;
mod lists;
mod lookup;
mod network;
mod subnet;
mod table;

use super::filter::refuse;
use super::{Bound, Evaluator, Filter, Lookup, Markers, Param, Result, Test, Val};
use crate::value::Value;

/// The families of filters.
pub const FILTERS: &[&[Filter]] = &[
    data::FILTERS,
    duration::FILTERS,
    hwaddr::FILTERS,
    ipaddr::FILTERS,
    keys::FILTERS,
    kind::FILTERS,
    lists::FILTERS,
    subnet::FILTERS,
    table::FILTERS,
];
/// The families of lookups.
pub const LOOKUPS: &[&[Lookup]] = &[lookup::LOOKUPS];
/// The families of tests.
pub const TESTS: &[&[Test]] = &[address_test::TESTS, kind::TESTS];

/// The full name of what is known by a shorter or an older one.
pub fn redirected(kind: PluginKind, name: &str) -> Option<String> {
    let (collection, short) = name.rsplit_once('.').unwrap_or(("", name));
    let target = match (kind, collection) {
        (PluginKind::Filter, "" | "ansible.builtin" | "ansible.netcommon") if matches!(short, "ipaddr" | "ipv4" | "ipv6") => {
            "ansible.utils"
        }
        (PluginKind::Filter, "" | "ansible.builtin") if matches!(short, "json_query" | "random_mac") => "community.general",
        (PluginKind::Lookup, "" | "ansible.builtin") if matches!(short, "cartesian" | "filetree" | "flattened") => "community.general",
        _ => return None,
    };
    Some(format!("{target}.{short}"))
}

/// What a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginKind {
    /// A filter.
    Filter,
    /// A lookup.
    Lookup,
    /// A test.
    Test,
}

impl PluginKind {
    /// As `meta/runtime.yml` of a collection names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Lookup => "lookup",
            Self::Test => "test",
        }
    }
}

const fn filter(name: &'static str, params: &'static [Param], run: fn(&Evaluator, &Val, &Bound) -> Result<Val>) -> Filter {
    Filter { name, params, markers: Markers::Propagate, run }
}

const fn test(name: &'static str, params: &'static [Param], run: fn(&Evaluator, &Val, &Bound) -> Result<bool>) -> Test {
    Test { name, params, markers: Markers::Propagate, run }
}

/// The error for a keyword that a filter does not take.
fn arguments_error(arguments: &Bound, supported: &str) -> Result<()> {
    match arguments.named.first() {
        Some((name, _)) => refuse(format!("['{name}. Supported parameters include: {supported}.']")),
        None => Ok(()),
    }
}

/// A whole number, also as text.
fn whole(evaluator: &Evaluator, arguments: &Bound, index: usize, name: &str) -> Result<Option<i64>> {
    match arguments.get(index) {
        None => Ok(None),
        Some(val) if val.is_none() => Ok(None),
        Some(Val::Plain(Value::Text(text))) => match text.as_str().trim().parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => refuse(format!(
                "['argument \\'{name}\\' is of type str and we were unable to convert to int: \"\\'{}\\'\" cannot be converted to an int']",
                text.as_str()
            )),
        },
        Some(val) => match val.as_int() {
            Some(number) => Ok(Some(number)),
            None => refuse(format!(
                "['argument \\'{name}\\' is of type {} and we were unable to convert to int: {} cannot be converted to an int']",
                val.type_name(),
                evaluator.repr(val)?.as_str()
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::filter::recorded;

    #[test]
    fn collections_give_what_theirs_give() {
        recorded::check_records(include_str!("recorded.jsonl"));
    }

    #[test]
    fn tables_are_sorted() {
        for family in FILTERS {
            assert!(family.is_sorted_by_key(|filter| filter.name), "the family of `{}`", family[0].name);
        }
        for family in TESTS {
            assert!(family.is_sorted_by_key(|test| test.name), "the family of `{}`", family[0].name);
        }
    }
}

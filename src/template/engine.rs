//! `Engine`: what all renders of the process share: the tables of filters, tests and lookups by name.

use std::collections::HashMap;

use super::{ErrorKind, Filter, Lookup, Result, TemplateError, Test, filter, lookup, test};

/// One per process; `Send + Sync`.
pub struct Engine {
    filters: HashMap<&'static str, &'static Filter>,
    tests: HashMap<&'static str, &'static Test>,
    lookups: HashMap<&'static str, &'static Lookup>,
}

impl Engine {
    /// An engine with all filters, tests and lookups there are.
    pub fn new() -> Self {
        Self {
            filters: filter::FILTERS.iter().flat_map(|family| family.iter()).map(|filter| (filter.name, filter)).collect(),
            tests: test::TESTS.iter().flat_map(|family| family.iter()).map(|test| (test.name, test)).collect(),
            lookups: lookup::LOOKUPS.iter().flat_map(|family| family.iter()).map(|lookup| (lookup.name, lookup)).collect(),
        }
    }

    /// The filter of this name.
    pub fn filter(&self, name: &str) -> Result<&'static Filter> {
        let found = self.filters.get(bare(name)).copied();
        found.ok_or_else(|| {
            unknown(ErrorKind::UnknownPlugin, format!("Syntax error in template: No filter named '{name}'."), name, self.filters.keys())
        })
    }

    /// The test of this name.
    pub fn test(&self, name: &str) -> Result<&'static Test> {
        let found = self.tests.get(bare(name)).copied();
        found.ok_or_else(|| {
            unknown(ErrorKind::UnknownPlugin, format!("Syntax error in template: No test named '{name}'."), name, self.tests.keys())
        })
    }

    /// The lookup of this name.
    pub fn lookup(&self, name: &str) -> Result<&'static Lookup> {
        let found = self.lookups.get(bare(name)).copied();
        found.ok_or_else(|| {
            unknown(ErrorKind::UnknownPlugin, format!("The lookup plugin '{name}' was not found."), name, self.lookups.keys())
        })
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

/// The name without the collection of what is built in.
fn bare(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

fn unknown<'a>(kind: ErrorKind, message: String, name: &str, known: impl Iterator<Item = &'a &'static str>) -> TemplateError {
    let error = TemplateError::new(kind, message);
    match closest(name, known.copied()) {
        Some(known) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// The known name that is nearest to `name`, if one is near.
pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = name.chars().count() / 3 + 1;
    let near = known.filter_map(|known| Some((distance(name, known, limit)?, known)));
    near.min_by(|left, right| left.cmp(right)).map(|(_, known)| known)
}

/// How many letters must change, be added, be removed or swapped with their neighbour; `None` beyond `limit`.
fn distance(left: &str, right: &str, limit: usize) -> Option<usize> {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > limit || left == right {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let mut cost = (last[column] + usize::from(a != b)).min(last[column + 1] + 1).min(this[column] + 1);
            if row > 0 && column > 0 && *a == right[column - 1] && left[row - 1] == *b {
                cost = cost.min(before[column - 1] + 1);
            }
            this.push(cost);
        }
        before = std::mem::replace(&mut last, this);
    }
    last.last().copied().filter(|cost| *cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["default", "dict2items", "users"];
        let check = |name: &str, expected: Option<&str>| assert_eq!(closest(name, known.into_iter()), expected);
        check("user", Some("users"));
        check("defualt", Some("default"));
        check("zzz", None);
    }

    #[test]
    fn names_are_found_with_and_without_collection() {
        let engine = Engine::new();
        assert!(engine.filter("ansible.builtin.default").is_ok() && engine.filter("default").is_ok());
        let error = engine.filter("defaut").err().unwrap();
        assert_eq!(
            (error.message(), error.hint()),
            ("Syntax error in template: No filter named 'defaut'.", Some("did you mean `default`?"))
        );
    }
}

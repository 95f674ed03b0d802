//! Tests: families of functions, each with its table, sorted by name.

mod compare;
mod file;
mod plugin;
mod result;
mod text;
mod truth;
mod types;
mod url;
mod version;

use super::{Bound, Evaluator, Markers, Param, Result, TemplateError, Test, Val};

/// All families.
pub const TESTS: &[&[Test]] =
    &[compare::TESTS, file::TESTS, plugin::TESTS, result::TESTS, text::TESTS, truth::TESTS, types::TESTS, url::TESTS, version::TESTS];

/// A row of a family's table; undefined input or arguments are their errors.
const fn test(name: &'static str, params: &'static [Param], run: fn(&Evaluator, &Val, &Bound) -> Result<bool>) -> Test {
    Test { name, params, markers: Markers::Propagate, run }
}

/// The test refuses its input.
fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(TemplateError::plugin(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::filter::recorded;

    #[test]
    fn tests_give_what_ansible_gives() {
        recorded::check_records(include_str!("recorded.jsonl"));
    }

    #[test]
    fn tables_are_sorted_and_names_are_unique() {
        let mut names = std::collections::HashSet::new();
        for family in TESTS {
            assert!(family.is_sorted_by_key(|test| test.name), "the family of `{}`", family[0].name);
            for test in *family {
                assert!(names.insert(test.name), "`{}` is there twice", test.name);
            }
        }
    }
}

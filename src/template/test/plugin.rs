//! Tests of names: whether there is such a filter or test.

use super::test;
use crate::template::Test;

pub(super) const TESTS: &[Test] = &[
    test("filter", &[], |evaluator, value, _| Ok(value.as_str().is_some_and(|name| evaluator.find_filter(name).is_ok()))),
    test("test", &[], |evaluator, value, _| Ok(value.as_str().is_some_and(|name| evaluator.find_test(name).is_ok()))),
];

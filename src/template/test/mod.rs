//! Tests: families of functions, each with its table.

use super::{Markers, Test};

/// All families.
pub const TESTS: &[&[Test]] = &[CORE];

const CORE: &[Test] = &[
    Test { name: "defined", params: &[], markers: Markers::Accept, run: |_, value, _| Ok(!value.is_undefined()) },
    Test { name: "undefined", params: &[], markers: Markers::Accept, run: |_, value, _| Ok(value.is_undefined()) },
];

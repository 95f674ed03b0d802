//! Tests of what a value is.

use super::test;
use crate::template::{Markers, Result, Test, Val};
use crate::value::{Text, Value};

pub(super) const TESTS: &[Test] = &[
    test("boolean", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Bool(_))))),
    test("callable", &[], |_, value, _| Ok(matches!(value, Val::Object(object) if object.is_callable()))),
    Test { name: "defined", params: &[], markers: Markers::Accept, run: |_, value, _| Ok(!is_missing(value)?) },
    test("escaped", &[], |_, value, _| Ok(value.as_text().is_some_and(Text::is_markup))),
    test("false", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Bool(false))))),
    test("float", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Float(_))))),
    test("integer", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Int(_) | Value::BigInt(_))))),
    test("isnan", &[], |_, value, _| Ok(is_nan(value))),
    test("iterable", &[], |evaluator, value, _| Ok(is_sized(value) || evaluator.items(value).is_ok())),
    test("mapping", &[], |_, value, _| Ok(value.is_mapping())),
    test("nan", &[], |_, value, _| Ok(is_nan(value))),
    test("none", &[], |_, value, _| Ok(value.is_none())),
    test("number", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_))))),
    test("sequence", &[], |_, value, _| Ok(is_sized(value))),
    test("string", &[], |_, value, _| Ok(value.as_text().is_some())),
    test("true", &[], |_, value, _| Ok(matches!(value, Val::Plain(Value::Bool(true))))),
    Test { name: "undefined", params: &[], markers: Markers::Accept, run: |_, value, _| is_missing(value) },
];

fn is_nan(value: &Val) -> bool {
    matches!(value, Val::Plain(Value::Float(number)) if number.is_nan())
}

fn is_sized(value: &Val) -> bool {
    value.is_list() || value.is_mapping() || value.as_text().is_some() || matches!(value, Val::Range(_)) || value.as_bytes().is_some()
}

/// Whether there is no value; of one in a vault that cannot be opened nobody knows.
fn is_missing(value: &Val) -> Result<bool> {
    match value {
        Val::Undefined(undefined) if undefined.is_sealed() => Err(undefined.error()),
        other => Ok(other.is_undefined()),
    }
}

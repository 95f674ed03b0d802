//! Tests of Python's truth.

use super::test;
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};
use crate::value::Value;

use Param::Optional;

pub(super) const TESTS: &[Test] = &[
    test("all", &[], |evaluator, value, _| {
        for item in evaluator.items(value)? {
            if !evaluator.truthy(&item)? {
                return Ok(false);
            }
        }
        Ok(true)
    }),
    test("any", &[], |evaluator, value, _| {
        for item in evaluator.items(value)? {
            if evaluator.truthy(&item)? {
                return Ok(true);
            }
        }
        Ok(false)
    }),
    test("falsy", CONVERT, |evaluator, value, arguments| Ok(!truthy(evaluator, value, arguments)?)),
    test("truthy", CONVERT, truthy),
];

const CONVERT: &[Param] = &[Optional("convert_bool")];

fn truthy(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<bool> {
    if arguments.flag_or(evaluator, 0, false)?
        && let Some(known) = convert(value)
    {
        return Ok(known);
    }
    evaluator.truthy(value)
}

/// What Ansible's options take for a boolean.
fn convert(value: &Val) -> Option<bool> {
    match value {
        Val::Plain(Value::Bool(value)) => Some(*value),
        Val::Plain(Value::Int(number @ (0 | 1))) => Some(*number == 1),
        Val::Plain(Value::Float(number)) if *number == 0.0 || *number == 1.0 => Some(*number == 1.0),
        Val::Plain(Value::Text(text)) => match text.as_str().trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

//! Tests of what a task gave.

use super::{refuse, test};
use crate::template::{Evaluator, Result, Test, Val};
use crate::value::Value;

pub(super) const TESTS: &[Test] = &[
    test("change", &[], |evaluator, value, _| changed(evaluator, value)),
    test("changed", &[], |evaluator, value, _| changed(evaluator, value)),
    test("failed", &[], |evaluator, value, _| flag(evaluator, value, "failed", "failed")),
    test("failure", &[], |evaluator, value, _| flag(evaluator, value, "failed", "failed")),
    test("finished", &[], |evaluator, value, _| of_async(evaluator, value, "finished")),
    test("reachable", &[], |evaluator, value, _| Ok(!flag(evaluator, value, "unreachable", "unreachable")?)),
    test("skip", &[], |evaluator, value, _| flag(evaluator, value, "skipped", "skipped")),
    test("skipped", &[], |evaluator, value, _| flag(evaluator, value, "skipped", "skipped")),
    test("started", &[], |evaluator, value, _| of_async(evaluator, value, "started")),
    test("succeeded", &[], |evaluator, value, _| Ok(!flag(evaluator, value, "failed", "failed")?)),
    test("success", &[], |evaluator, value, _| Ok(!flag(evaluator, value, "failed", "failed")?)),
    test("successful", &[], |evaluator, value, _| Ok(!flag(evaluator, value, "failed", "failed")?)),
    test("timedout", &[], timedout_test),
    test("unreachable", &[], |evaluator, value, _| flag(evaluator, value, "unreachable", "unreachable")),
];

fn get(evaluator: &Evaluator, value: &Val, key: &str, test: &str) -> Result<Option<Val>> {
    if !value.is_mapping() {
        return refuse(format!("The '{test}' test expects a dictionary"));
    }
    evaluator.entry(value, &Value::from(key))
}

fn flag(evaluator: &Evaluator, value: &Val, key: &str, test: &str) -> Result<bool> {
    get(evaluator, value, key, test)?.map_or(Ok(false), |val| evaluator.truthy(&val))
}

/// A loop's result is changed if one of its items is.
fn changed(evaluator: &Evaluator, value: &Val) -> Result<bool> {
    if let Some(val) = get(evaluator, value, "changed", "changed")? {
        return evaluator.truthy(&val);
    }
    let Some(results) = get(evaluator, value, "results", "changed")?.filter(Val::is_list) else { return Ok(false) };
    for item in evaluator.items(&results)? {
        if item.is_mapping() && flag(evaluator, &item, "changed", "changed")? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_async(evaluator: &Evaluator, value: &Val, key: &str) -> Result<bool> {
    match get(evaluator, value, key, key)? {
        Some(val) => evaluator.truthy(&val),
        None => {
            evaluator.notice(format!("The '{key}' test expects an async task, but a non-async task was tested"));
            Ok(true)
        }
    }
}

fn timedout_test(evaluator: &Evaluator, value: &Val, _: &crate::template::Bound) -> Result<bool> {
    match get(evaluator, value, "timedout", "timedout")? {
        Some(val) if val.is_mapping() => flag(evaluator, &val, "period", "timedout"),
        _ => Ok(false),
    }
}

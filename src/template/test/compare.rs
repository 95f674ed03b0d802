//! Tests that compare two values, or a value with the items of another.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use super::{refuse, test};
use crate::template::ir::Operator;
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};
use crate::value::Value;

use Param::Required;

pub(super) const TESTS: &[Test] = &[
    test("!=", OTHER, |evaluator, value, arguments| Ok(!evaluator.equal(value, arguments.required(0))?)),
    test("<", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, "<", Ordering::is_lt)),
    test("<=", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, "<=", Ordering::is_le)),
    test("==", OTHER, |evaluator, value, arguments| evaluator.equal(value, arguments.required(0))),
    test(">", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, ">", Ordering::is_gt)),
    test(">=", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, ">=", Ordering::is_ge)),
    test("contains", OTHER, |evaluator, value, arguments| evaluator.contains(value, arguments.required(0))),
    test("divisibleby", OTHER, |evaluator, value, arguments| remainder_is(evaluator, value, arguments.required(0), 0)),
    test("eq", OTHER, |evaluator, value, arguments| evaluator.equal(value, arguments.required(0))),
    test("equalto", OTHER, |evaluator, value, arguments| evaluator.equal(value, arguments.required(0))),
    test("even", &[], |evaluator, value, _| remainder_is(evaluator, value, &Val::from(2_i64), 0)),
    test("ge", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, ">=", Ordering::is_ge)),
    test("greaterthan", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, ">", Ordering::is_gt)),
    test("gt", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, ">", Ordering::is_gt)),
    test("in", OTHER, |evaluator, value, arguments| evaluator.contains(arguments.required(0), value)),
    test("issubset", OTHER, |evaluator, value, arguments| subset(evaluator, value, arguments.required(0))),
    test("issuperset", OTHER, |evaluator, value, arguments| subset(evaluator, arguments.required(0), value)),
    test("le", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, "<=", Ordering::is_le)),
    test("lessthan", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, "<", Ordering::is_lt)),
    test("lt", OTHER, |evaluator, value, arguments| order(evaluator, value, arguments, "<", Ordering::is_lt)),
    test("ne", OTHER, |evaluator, value, arguments| Ok(!evaluator.equal(value, arguments.required(0))?)),
    test("odd", &[], |evaluator, value, _| remainder_is(evaluator, value, &Val::from(2_i64), 1)),
    test("sameas", OTHER, |_, value, arguments| Ok(same(value, arguments.required(0)))),
    test("subset", OTHER, |evaluator, value, arguments| subset(evaluator, value, arguments.required(0))),
    test("superset", OTHER, |evaluator, value, arguments| subset(evaluator, arguments.required(0), value)),
];

const OTHER: &[Param] = &[Required("other")];

fn order(evaluator: &Evaluator, value: &Val, arguments: &Bound, sign: &str, holds: fn(Ordering) -> bool) -> Result<bool> {
    evaluator.compare(value, arguments.required(0), sign).map(holds)
}

fn remainder_is(evaluator: &Evaluator, value: &Val, divisor: &Val, wanted: i64) -> Result<bool> {
    let rest = evaluator.binary(Operator::Remainder, value, divisor)?;
    evaluator.equal(&rest, &Val::from(wanted))
}

/// Every item of `left` is in `right`; as sets, so items must be hashable.
fn subset(evaluator: &Evaluator, left: &Val, right: &Val) -> Result<bool> {
    let keys = |val: &Val| -> Result<std::collections::HashSet<_>> {
        evaluator
            .items(val)?
            .iter()
            .map(|item| match item {
                item if item.is_list() || item.is_mapping() => refuse(format!("unhashable type: '{}'", item.type_name())),
                item => evaluator.key(item),
            })
            .collect()
    };
    Ok(keys(left)?.is_subset(&keys(right)?))
}

/// Python's `is`: the very same object; equal scalars of one type count as one.
fn same(left: &Val, right: &Val) -> bool {
    match (left, right) {
        (Val::List(left), Val::List(right)) => Rc::ptr_eq(left, right),
        (Val::Dict(left), Val::Dict(right)) => Rc::ptr_eq(left, right),
        (Val::Tuple(left), Val::Tuple(right)) => Rc::ptr_eq(left, right),
        (Val::Object(left), Val::Object(right)) => Rc::ptr_eq(left, right),
        (Val::Plain(Value::List(left)), Val::Plain(Value::List(right))) => Arc::ptr_eq(left, right),
        (Val::Plain(Value::Map(left)), Val::Plain(Value::Map(right))) => Arc::ptr_eq(left, right),
        (Val::Plain(left), Val::Plain(right)) => left.type_name() == right.type_name() && left == right,
        _ => false,
    }
}

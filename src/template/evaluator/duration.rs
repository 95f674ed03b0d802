//! Arithmetic with differences of times, and of times with them.

use std::cmp::Ordering;

use jiff::civil;
use num_bigint::BigInt;
use num_traits::{Float as _, Signed as _, Zero as _};

use super::super::ir::Operator;
use super::super::{Result, TemplateError, Val};
use super::operators::{modulo, quotient};
use crate::value::Value;

const DAY: i64 = 86_400_000_000;

/// `left operator right`, if a duration or two times are among them and Python knows what that is.
pub fn arithmetic(operator: Operator, left: &Val, right: &Val) -> Option<Result<Val>> {
    use Operator::{Add, Divide, FloorDivide, Multiply, Remainder, Subtract};
    Some(match (operator, left, right) {
        (Add, Val::Duration(left), Val::Duration(right)) => of(BigInt::from(*left) + right),
        (Subtract, Val::Duration(left), Val::Duration(right)) => of(BigInt::from(*left) - right),
        (Add, Val::Plain(time), Val::Duration(duration)) | (Add, Val::Duration(duration), Val::Plain(time)) => shifted(time, *duration)?,
        (Subtract, Val::Plain(time @ Value::Date(_)), Val::Duration(duration)) => shifted(time, -duration.div_euclid(DAY) * DAY)?,
        (Subtract, Val::Plain(time), Val::Duration(duration)) => shifted(time, duration.checked_neg()?)?,
        (Subtract, Val::Plain(left), Val::Plain(right)) => Ok(Val::Duration(between(left, right)?)),
        (Multiply, Val::Duration(duration), Val::Plain(factor)) | (Multiply, Val::Plain(factor), Val::Duration(duration)) => {
            ratio(factor)?.and_then(|(above, below)| of(nearest(&(above * duration), &below)))
        }
        (Divide, Val::Duration(_), Val::Duration(0)) | (FloorDivide | Remainder, Val::Duration(_), Val::Duration(0)) => by_zero(),
        (Divide, Val::Duration(left), Val::Duration(right)) => Ok(Val::from(quotient(&BigInt::from(*left), &BigInt::from(*right)))),
        (FloorDivide, Val::Duration(left), Val::Duration(right)) => {
            Ok(Val::Plain(Value::int(floor(&BigInt::from(*left), &BigInt::from(*right)).0)))
        }
        (Remainder, Val::Duration(left), Val::Duration(right)) => of(floor(&BigInt::from(*left), &BigInt::from(*right)).1),
        (Divide, Val::Duration(duration), Val::Plain(divisor)) => ratio(divisor)?.and_then(|(above, below)| match above.is_zero() {
            true => by_zero(),
            false => of(nearest(&(below * duration), &above)),
        }),
        (FloorDivide, Val::Duration(duration), Val::Plain(divisor @ (Value::Int(_) | Value::BigInt(_) | Value::Bool(_)))) => {
            ratio(divisor)?.and_then(|(whole, _)| if whole.is_zero() { by_zero() } else { of(floor(&BigInt::from(*duration), &whole).0) })
        }
        _ => return None,
    })
}

fn by_zero() -> Result<Val> {
    Err(TemplateError::conversion("integer division or modulo by zero"))
}

fn of(microseconds: BigInt) -> Result<Val> {
    let fits = i64::try_from(microseconds).map_err(|_| TemplateError::conversion("Python int too large to convert to C int"))?;
    Ok(Val::Duration(fits))
}

/// A number as one integer over another, above zero; `None` if it is no number.
fn ratio(value: &Value) -> Option<Result<(BigInt, BigInt)>> {
    Some(Ok(match value {
        Value::Bool(flag) => (BigInt::from(i64::from(*flag)), BigInt::from(1)),
        Value::Int(number) => (BigInt::from(*number), BigInt::from(1)),
        Value::BigInt(number) => (BigInt::clone(number), BigInt::from(1)),
        Value::Float(number) if number.is_finite() => {
            let (mantissa, exponent, sign) = number.integer_decode();
            let (signed, power) = (BigInt::from(mantissa) * sign, BigInt::from(1) << exponent.unsigned_abs());
            if exponent >= 0 { (signed * power, BigInt::from(1)) } else { (signed, power) }
        }
        Value::Float(number) => {
            let name = if number.is_nan() { "NaN" } else { "Infinity" };
            return Some(Err(TemplateError::conversion(format!("cannot convert {name} to integer ratio"))));
        }
        _ => return None,
    }))
}

/// Quotient and remainder as Python has them; the divisor is not zero.
fn floor(above: &BigInt, below: &BigInt) -> (BigInt, BigInt) {
    let rest = modulo(above, below);
    ((above - &rest) / below, rest)
}

/// The integer nearest to a quotient; the even one of two.
fn nearest(above: &BigInt, below: &BigInt) -> BigInt {
    let (above, below) = if below.is_negative() { (-above, -below) } else { (above.clone(), below.clone()) };
    let (whole, rest) = floor(&above, &below);
    match (rest * 2_i32).cmp(&below) {
        Ordering::Less => whole,
        Ordering::Equal if !whole.bit(0) => whole,
        _ => whole + 1,
    }
}

/// A time or date so much later; a date knows whole days alone.
fn shifted(time: &Value, microseconds: i64) -> Option<Result<Val>> {
    let out_of_range = |_| TemplateError::conversion("date value out of range");
    let by = |microseconds: i64| jiff::SignedDuration::from_micros(microseconds);
    match time {
        Value::DateTime(moment, offset) => {
            Some(moment.checked_add(by(microseconds)).map(|moved| Val::Plain(Value::DateTime(moved, *offset))).map_err(out_of_range))
        }
        Value::Date(date) => {
            let moved = date.checked_add(by(microseconds.div_euclid(DAY) * DAY));
            Some(moved.map(|moved| Val::Plain(Value::Date(moved))).map_err(out_of_range))
        }
        _ => None,
    }
}

/// Microseconds from `right` to `left`.
fn between(left: &Value, right: &Value) -> Option<i64> {
    let span = |left: civil::DateTime, right: civil::DateTime| left.duration_since(right).as_micros();
    match (left, right) {
        (Value::DateTime(left, left_offset), Value::DateTime(right, right_offset)) if left_offset.is_some() == right_offset.is_some() => {
            let offsets = i128::from(left_offset.unwrap_or(0) - right_offset.unwrap_or(0));
            i64::try_from(span(*left, *right) - offsets * 1_000_000).ok()
        }
        (Value::Date(left), Value::Date(right)) => i64::try_from(left.duration_since(*right).as_micros()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_to_even() {
        let check = |above: i64, below: i64, expected: i64| {
            assert_eq!(nearest(&BigInt::from(above), &BigInt::from(below)), BigInt::from(expected), "{above} / {below}");
        };
        check(5, 2, 2);
        check(7, 2, 4);
        check(-5, 2, -2);
        check(5, -2, -2);
        check(8, 3, 3);
    }
}

//! Numbers as Python reads and writes them: `int()`, `float()`, `round()`, and the forms of `%` and `format`.

use num_bigint::BigInt;
use num_traits::{FromPrimitive as _, Num as _, ToPrimitive as _};

use crate::value::Value;

/// `int(text, base)`; base 0 reads the prefix.
pub fn parse_int(text: &str, base: u32) -> Option<BigInt> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = body.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find(|(prefix, _)| lower.starts_with(prefix));
    let (digits, base) = match (prefixed, base) {
        (Some((_, own)), base) if base == 0 || base == own => (lower[2..].strip_prefix('_').unwrap_or(&lower[2..]), own),
        (_, 0) if lower.len() > 1 && lower.starts_with('0') && lower.contains(|c: char| !matches!(c, '0' | '_')) => return None,
        (_, 0) => (lower.as_str(), 10),
        (_, base @ 2..=36) => (lower.as_str(), base),
        _ => return None,
    };
    if digits.is_empty() || !underscores_fit(digits) {
        return None;
    }
    let clean: String = digits.chars().filter(|c| *c != '_').map(ascii_digit).collect();
    if clean.starts_with(['-', '+']) {
        return None;
    }
    let number = BigInt::from_str_radix(&clean, base).ok()?;
    Some(if negative { -number } else { number })
}

/// `float(text)`.
pub fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let body = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    let sign = if lower.starts_with('-') { -1.0 } else { 1.0 };
    match body {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    let fits = body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '-' | '+' | '_'));
    let underscores = body.split(['.', 'e', '-', '+']).all(|run| run.is_empty() || underscores_fit(run));
    if !fits || !underscores {
        return None;
    }
    lower.replace('_', "").parse().ok()
}

/// Underscores stand between digits alone.
fn underscores_fit(digits: &str) -> bool {
    !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__")
}

/// Digits of other scripts count in Python; the common ones.
fn ascii_digit(char: char) -> char {
    let zero = match u32::from(char) {
        code @ 0x660..=0x669 => code - 0x660,
        code @ 0x6f0..=0x6f9 => code - 0x6f0,
        code @ 0x966..=0x96f => code - 0x966,
        code @ 0xff10..=0xff19 => code - 0xff10,
        _ => return char,
    };
    char::from_digit(zero, 10).unwrap_or(char)
}

/// A number or a boolean as integer, cut towards zero; `None` for anything else, `nan` and infinities.
pub fn to_int(value: &Value) -> Option<BigInt> {
    match value {
        Value::Bool(value) => Some(BigInt::from(i64::from(*value))),
        Value::Int(number) => Some(BigInt::from(*number)),
        Value::BigInt(number) => Some((**number).clone()),
        Value::Float(number) => BigInt::from_f64(number.trunc()),
        _ => None,
    }
}

/// A number or a boolean as float.
pub fn to_float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        other => to_int(other)?.to_f64(),
    }
}

/// Python's `round(number, digits)` of a float: the nearest, a half to the even digit.
pub fn round(number: f64, digits: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(digits) {
        Ok(digits) if digits > 300 => number,
        Ok(digits) => format!("{number:.digits$}").parse().unwrap_or(number),
        // No number is as large as what it would be rounded to.
        Err(_) if digits < -308 => 0.0_f64.copysign(number),
        Err(_) => {
            let scale = 10_f64.powi(-digits);
            (number / scale).round_ties_even() * scale
        }
    }
}

/// Python's `round(number, digits)` of an integer.
pub fn round_int(number: &BigInt, digits: i32) -> BigInt {
    if digits >= 0 {
        return number.clone();
    }
    let scale = BigInt::from(10).pow(digits.unsigned_abs());
    let half = &scale / 2;
    let rest = ((number % &scale) + &scale) % &scale;
    let floor = number - &rest;
    let even = ((&floor / &scale) % 2_i32) == BigInt::ZERO;
    if rest > half || rest == half && !even { floor + scale } else { floor }
}

/// `%f`: fixed digits behind the point.
pub fn fixed(number: f64, precision: usize) -> String {
    if number.is_finite() { format!("{number:.precision$}") } else { crate::value::float_repr(number) }
}

/// `%e`: `1.234568e+04`.
pub fn exponential(number: f64, precision: usize) -> String {
    if !number.is_finite() {
        return crate::value::float_repr(number);
    }
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').expect("`{:e}` writes an exponent");
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`: the shorter of both, without trailing zeros unless `alternate`.
pub fn general(number: f64, precision: usize, alternate: bool) -> String {
    if !number.is_finite() {
        return crate::value::float_repr(number);
    }
    let precision = precision.max(1);
    let scientific = format!("{number:.*e}", precision - 1);
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let fits = exponent >= -4 && usize::try_from(exponent.max(0)).is_ok_and(|exponent| exponent < precision);
    if fits {
        let behind = usize::try_from(i64::try_from(precision).unwrap_or(0) - 1 - i64::from(exponent)).unwrap_or(0);
        let text = format!("{number:.behind$}");
        return if alternate { text } else { without_zeros(&text) };
    }
    let text = exponential(number, precision - 1);
    let (digits, exponent) = text.split_once('e').expect("it was written with an exponent");
    if alternate { text } else { format!("{}e{exponent}", without_zeros(digits)) }
}

fn without_zeros(digits: &str) -> String {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.').to_owned() } else { digits.to_owned() }
}

/// Python's `hash()` of a float: its value modulo the prime 2⁶¹ − 1.
pub fn hash_of_float(number: f64) -> BigInt {
    let prime = (BigInt::from(1) << 61) - 1;
    if !number.is_finite() {
        return BigInt::from(if number.is_nan() { 0 } else { 314_159 });
    }
    let bits = number.abs().to_bits();
    let (exponent, fraction) = (i64::try_from(bits >> 52).unwrap_or(0), bits & ((1 << 52) - 1));
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    let power = exponent.max(1) - 1075;
    let base = BigInt::from(2).modpow(&BigInt::from(power.abs()), &prime);
    let factor = if power < 0 { base.modpow(&(&prime - 2), &prime) } else { base };
    BigInt::from(mantissa) * factor % prime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_python_does() {
        let check = |text: &str, base: u32, expected: Option<i64>| assert_eq!(parse_int(text, base), expected.map(BigInt::from), "{text}");
        check(" 12 ", 10, Some(12));
        check("1_000", 10, Some(1000));
        check("1__0", 10, None);
        check("_1", 10, None);
        check("-0x1f", 16, Some(-31));
        check("0x1f", 10, None);
        check("0x1f", 0, Some(31));
        check("010", 0, None);
        check("010", 10, Some(10));
        check("ff", 16, Some(255));
        check("1.0", 10, None);
        check("--1", 10, None);
        check("-+1", 10, None);
        check("", 10, None);
        check("1", 99, None);
    }

    #[test]
    fn floats_are_read_as_python_does() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(parse_float(text), expected, "{text}");
        check("1.5", Some(1.5));
        check(" -1e3 ", Some(-1000.0));
        check(".5", Some(0.5));
        check("5.", Some(5.0));
        check("1_0.5", Some(10.5));
        check("1_.5", None);
        check("Infinity", Some(f64::INFINITY));
        check("0x1", None);
        check("e", None);
    }

    #[test]
    fn rounding_is_python_s() {
        assert_eq!((round(2.5, 0), round(3.5, 0), round(2.675, 2), round(1234.5, -2)), (2.0, 4.0, 2.67, 1200.0));
        let int = |number: i64, digits| round_int(&BigInt::from(number), digits);
        assert_eq!((int(25, -1), int(35, -1), int(-25, -1), int(26, 0)), (20.into(), 40.into(), (-20).into(), 26.into()));
    }

    #[test]
    fn forms_are_c_s() {
        assert_eq!(exponential(12345.678, 6), "1.234568e+04");
        assert_eq!(general(0.0001, 6, false), "0.0001");
        assert_eq!(general(0.00001, 6, false), "1e-05");
        assert_eq!(general(1e10, 6, false), "1e+10");
        assert_eq!(general(123_456_789.0, 6, false), "1.23457e+08");
        assert_eq!(general(100.0, 6, false), "100");
        assert_eq!(general(1.5, 6, true), "1.50000");
    }
}

//! Python's arithmetic.

use num_bigint::BigInt;
use num_traits::{FromPrimitive as _, Signed as _, ToPrimitive as _, Zero as _};

use super::super::ir::Operator;
use super::super::python::html::escaped;
use super::super::{ErrorKind, Result, TemplateError, Val};
use super::{Evaluator, duration};
use crate::value::{Bytes, Text, Value};

/// A number of any kind; booleans are integers.
enum Number {
    Int(i64),
    Big(BigInt),
    Float(f64),
}

/// Results of `**` with more bits than this are refused.
const MAX_BITS: u64 = 1 << 20;

impl Evaluator {
    /// `left operator right`
    pub fn binary(&self, operator: Operator, left: &Val, right: &Val) -> Result<Val> {
        if let Val::Undefined(undefined) = left {
            return Err(undefined.error());
        }
        if let Val::Undefined(undefined) = right {
            return Err(undefined.error());
        }
        if operator == Operator::Concatenate {
            return self.concatenate(&[left, right]);
        }
        if let (Some(left), Some(right)) = (number(left), number(right)) {
            return arithmetic(operator, left, right);
        }
        if let Some(result) = duration::arithmetic(operator, left, right) {
            return result;
        }
        match operator {
            Operator::Add => self.add(left, right),
            Operator::Multiply => self.repeat(left, right),
            Operator::Remainder if left.as_text().is_some() => self.percent_format(left, right),
            other => Err(unsupported(sign(other), left, right)),
        }
    }

    /// `-val`
    pub fn negate(&self, val: &Val) -> Result<Val> {
        if let Val::Undefined(undefined) = val {
            return Err(undefined.error());
        }
        match number(val) {
            Some(Number::Float(number)) => Ok(Val::from(-number)),
            Some(Number::Int(number)) => Ok(big(-BigInt::from(number))),
            Some(Number::Big(number)) => Ok(big(-number)),
            None => match val {
                Val::Duration(microseconds) => Ok(Val::Duration(microseconds.saturating_neg())),
                _ => Err(TemplateError::conversion(format!("bad operand type for unary -: '{}'", val.type_name()))),
            },
        }
    }

    /// `+val`
    pub fn positive(&self, val: &Val) -> Result<Val> {
        match (val, number(val)) {
            (Val::Undefined(undefined), _) => Err(undefined.error()),
            (_, Some(Number::Int(number))) => Ok(Val::from(number)),
            (_, Some(Number::Big(_) | Number::Float(_))) | (Val::Duration(_), None) => Ok(val.clone()),
            (_, None) => Err(TemplateError::conversion(format!("bad operand type for unary +: '{}'", val.type_name()))),
        }
    }

    /// `a ~ b ~ c`
    pub fn concatenate(&self, parts: &[&Val]) -> Result<Val> {
        let mut out = String::new();
        let mut secret = false;
        for part in parts {
            let text = self.text(part)?;
            secret |= text.is_secret();
            out.push_str(text.as_str());
        }
        self.charge(out.len())?;
        let text = Text::from(out);
        Ok(Val::from(if secret { text.into_secret() } else { text }))
    }

    fn add(&self, left: &Val, right: &Val) -> Result<Val> {
        match (left, right) {
            (Val::Plain(Value::Text(one)), Val::Plain(Value::Text(other))) if one.is_markup() || other.is_markup() => {
                let [one, other] = [one, other].map(|text| Val::from(self.derived(text, escaped(text))));
                let joined = self.concatenate(&[&one, &other])?;
                Ok(joined.as_text().map_or(joined.clone(), |text| Val::from(text.clone().into_markup())))
            }
            (Val::Plain(Value::Text(_)), Val::Plain(Value::Text(_))) => self.concatenate(&[left, right]),
            (Val::Plain(Value::Bytes(one)), Val::Plain(Value::Bytes(other))) => {
                self.charge(one.as_slice().len() + other.as_slice().len())?;
                let both = Bytes::new([one.as_slice(), other.as_slice()].concat());
                Ok(Val::Plain(Value::Bytes(both.secret_if(one.is_secret() || other.is_secret()))))
            }
            (Val::Tuple(left), Val::Tuple(right)) => {
                self.charge((left.len() + right.len()) * size_of::<Val>())?;
                Ok(Val::tuple(left.iter().chain(right.iter()).cloned().collect()))
            }
            (left, right) if is_list(left) && is_list(right) => {
                let mut items = self.elements(left);
                items.extend(self.elements(right));
                self.charge(items.len() * size_of::<Val>())?;
                Ok(Val::list(items))
            }
            (Val::Plain(Value::Text(_)) | Val::Tuple(_), _) => Err(concatenation(left, right)),
            (left, right) if is_list(left) => Err(concatenation(left, right)),
            (left, right) => Err(unsupported("+", left, right)),
        }
    }

    fn repeat(&self, left: &Val, right: &Val) -> Result<Val> {
        let is_sequence = |val: &Val| matches!(val, Val::Tuple(_) | Val::Plain(Value::Text(_) | Value::Bytes(_))) || is_list(val);
        let (sequence, times) = if is_sequence(left) { (left, right) } else { (right, left) };
        if !is_sequence(sequence) {
            return Err(unsupported("*", left, right));
        }
        let times = match number(times) {
            Some(Number::Int(times)) => usize::try_from(times.max(0)).unwrap_or(usize::MAX),
            Some(Number::Big(times)) => times.to_usize().unwrap_or(if times.is_negative() { 0 } else { usize::MAX }),
            Some(Number::Float(_)) | None => {
                let message = format!("can't multiply sequence by non-int of type '{}'", times.type_name());
                return Err(TemplateError::conversion(message));
            }
        };
        if let Val::Plain(Value::Text(text)) = sequence {
            self.charge(text.as_str().len().saturating_mul(times))?;
            return Ok(Val::from(self.alike(text, text.as_str().repeat(times))));
        }
        if let Val::Plain(Value::Bytes(bytes)) = sequence {
            self.charge(bytes.as_slice().len().saturating_mul(times))?;
            let made = Bytes::new(bytes.as_slice().repeat(times)).secret_if(bytes.is_secret());
            return Ok(Val::Plain(Value::Bytes(made)));
        }
        let items = self.elements(sequence);
        self.charge(items.len().saturating_mul(times).saturating_mul(size_of::<Val>()))?;
        let count = items.len() * times;
        let items: Vec<Val> = items.into_iter().cycle().take(count).collect();
        Ok(if matches!(sequence, Val::Tuple(_)) { Val::tuple(items) } else { Val::list(items) })
    }

    /// The elements of a list or tuple, those not yet rendered as they are.
    pub(in super::super) fn elements(&self, val: &Val) -> Vec<Val> {
        match val {
            Val::Plain(Value::List(items)) => items.iter().cloned().map(Val::Plain).collect(),
            Val::List(list) => list.borrow().clone(),
            Val::Tuple(items) => items.to_vec(),
            _ => Vec::new(),
        }
    }
}

fn is_list(val: &Val) -> bool {
    matches!(val, Val::List(_) | Val::Plain(Value::List(_)))
}

fn number(val: &Val) -> Option<Number> {
    match val {
        Val::Plain(Value::Int(number)) => Some(Number::Int(*number)),
        Val::Plain(Value::Bool(value)) => Some(Number::Int(i64::from(*value))),
        Val::Plain(Value::BigInt(number)) => Some(Number::Big((**number).clone())),
        Val::Plain(Value::Float(number)) => Some(Number::Float(*number)),
        _ => None,
    }
}

fn big(number: BigInt) -> Val {
    Val::Plain(Value::int(number))
}

fn arithmetic(operator: Operator, left: Number, right: Number) -> Result<Val> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => {
            let quick = match operator {
                Operator::Add => left.checked_add(right),
                Operator::Subtract => left.checked_sub(right),
                Operator::Multiply => left.checked_mul(right),
                _ => None,
            };
            match quick {
                Some(number) => Ok(Val::from(number)),
                None => integers(operator, &BigInt::from(left), &BigInt::from(right)),
            }
        }
        (Number::Float(left), right) => floats(operator, left, to_float(&right)?),
        (left, Number::Float(right)) => floats(operator, to_float(&left)?, right),
        (left, right) => integers(operator, &to_big(left), &to_big(right)),
    }
}

fn to_big(number: Number) -> BigInt {
    match number {
        Number::Int(number) => BigInt::from(number),
        Number::Big(number) => number,
        Number::Float(number) => BigInt::from_f64(number.trunc()).unwrap_or_default(),
    }
}

fn to_float(number: &Number) -> Result<f64> {
    let float = match number {
        #[expect(clippy::cast_precision_loss, reason = "Python rounds to the nearest float too")]
        Number::Int(number) => *number as f64,
        Number::Big(number) => number.to_f64().unwrap_or(f64::INFINITY),
        Number::Float(number) => return Ok(*number),
    };
    if float.is_finite() { Ok(float) } else { Err(TemplateError::conversion("int too large to convert to float")) }
}

/// The float that is nearest to the quotient: 66 bits of it and whether there is more are enough to round once.
pub(super) fn quotient(left: &BigInt, right: &BigInt) -> f64 {
    let shift = 66 - i64::try_from(left.bits()).unwrap_or(i64::MAX) + i64::try_from(right.bits()).unwrap_or(i64::MAX);
    let (above, below) = if shift >= 0 { (left << shift, right.clone()) } else { (left.clone(), right << -shift) };
    let mut bits = &above / &below;
    if &bits * &below != above && !bits.bit(0) {
        bits += if (left.sign() == right.sign()) || left.is_zero() { 1 } else { -1 };
    }
    let exponent = i32::try_from(-shift).unwrap_or(if shift > 0 { i32::MIN } else { i32::MAX });
    // Two steps, as one power may be out of range where the product is not.
    bits.to_f64().unwrap_or(f64::INFINITY) * 2_f64.powi(exponent / 2) * 2_f64.powi(exponent - exponent / 2)
}

fn integers(operator: Operator, left: &BigInt, right: &BigInt) -> Result<Val> {
    let zero = |message: &str| Err(TemplateError::conversion(message));
    match operator {
        Operator::Add => Ok(big(left + right)),
        Operator::Subtract => Ok(big(left - right)),
        Operator::Multiply if left.bits() + right.bits() > MAX_BITS => Err(too_large()),
        Operator::Multiply => Ok(big(left * right)),
        Operator::Divide if right.is_zero() => zero("division by zero"),
        Operator::Divide => match quotient(left, right) {
            quotient if quotient.is_finite() => Ok(Val::from(quotient)),
            _ => zero("integer division result too large for a float"),
        },
        Operator::FloorDivide if right.is_zero() => zero("integer division or modulo by zero"),
        Operator::FloorDivide => Ok(big((left - modulo(left, right)) / right)),
        Operator::Remainder if right.is_zero() => zero("integer modulo by zero"),
        Operator::Remainder => Ok(big(modulo(left, right))),
        Operator::Power if right.is_negative() => {
            floats(Operator::Power, to_float(&Number::Big(left.clone()))?, to_float(&Number::Big(right.clone()))?)
        }
        Operator::Power => match right.to_u32() {
            Some(exponent) if left.bits().saturating_mul(u64::from(exponent)) <= MAX_BITS => Ok(big(left.pow(exponent))),
            _ if left.magnitude().bits() <= 1 => Ok(big(small_power(left, right))),
            _ => Err(too_large()),
        },
        Operator::Concatenate => Err(TemplateError::conversion("unsupported operand")),
    }
}

/// 0, 1 or -1 to any power.
fn small_power(base: &BigInt, exponent: &BigInt) -> BigInt {
    if base.is_negative() && exponent % 2_u8 == BigInt::zero() { -base } else { base.clone() }
}

/// The remainder with the sign of the divisor.
pub(super) fn modulo(left: &BigInt, right: &BigInt) -> BigInt {
    let rest = left % right;
    if !rest.is_zero() && rest.is_negative() != right.is_negative() { rest + right } else { rest }
}

fn floats(operator: Operator, left: f64, right: f64) -> Result<Val> {
    let zero = |message: &str| Err(TemplateError::conversion(message));
    match operator {
        Operator::Add => Ok(Val::from(left + right)),
        Operator::Subtract => Ok(Val::from(left - right)),
        Operator::Multiply => Ok(Val::from(left * right)),
        Operator::Divide if right == 0.0 => zero("float division by zero"),
        Operator::Divide => Ok(Val::from(left / right)),
        Operator::FloorDivide if right == 0.0 => zero("float floor division by zero"),
        Operator::FloorDivide => Ok(Val::from(float_floor(left, right))),
        Operator::Remainder if right == 0.0 => zero("float modulo"),
        Operator::Remainder => Ok(Val::from(float_modulo(left, right))),
        Operator::Power if left == 0.0 && right < 0.0 => zero("0.0 cannot be raised to a negative power"),
        Operator::Power if left < 0.0 && right.fract() != 0.0 => {
            Err(TemplateError::new(ErrorKind::Render, "Type 'complex' is unsupported for variable storage."))
        }
        Operator::Power => {
            let result = left.powf(right);
            if result.is_infinite() && left.is_finite() && right.is_finite() {
                return Err(TemplateError::conversion("(34, 'Numerical result out of range')"));
            }
            Ok(Val::from(result))
        }
        Operator::Concatenate => Err(TemplateError::conversion("unsupported operand")),
    }
}

/// The quotient, down to a whole number; zero has the sign of the quotient.
fn float_floor(left: f64, right: f64) -> f64 {
    let rest = left % right;
    let whole = (left - rest) / right;
    let whole = if rest != 0.0 && (rest < 0.0) != (right < 0.0) { whole - 1.0 } else { whole };
    if whole == 0.0 { 0.0_f64.copysign(left / right) } else { whole.round() }
}

fn float_modulo(left: f64, right: f64) -> f64 {
    let rest = left % right;
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
}

fn too_large() -> TemplateError {
    TemplateError::new(ErrorKind::Limit, "the number is too large")
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::FloorDivide => "//",
        Operator::Remainder => "%",
        Operator::Power => "** or pow()",
        Operator::Concatenate => "~",
    }
}

fn unsupported(sign: &str, left: &Val, right: &Val) -> TemplateError {
    let name = |val: &Val| if matches!(val, Val::Duration(_)) { "datetime.timedelta".to_owned() } else { val.type_name().to_owned() };
    TemplateError::conversion(format!("unsupported operand type(s) for {sign}: '{}' and '{}'", name(left), name(right)))
}

fn concatenation(left: &Val, right: &Val) -> TemplateError {
    let left = left.type_name();
    TemplateError::conversion(format!("can only concatenate {left} (not \"{}\") to {left}", right.type_name()))
}

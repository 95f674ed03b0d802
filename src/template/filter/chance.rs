//! Filters of chance: what they choose with a seed is what Python chooses with it.

use num_bigint::BigInt;
use num_traits::{Signed as _, Zero as _};

use super::{filter, refuse};
use crate::template::python::number;
use crate::template::python::random::Random;
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::Value;

use Param::Optional;

pub(super) const FILTERS: &[Filter] =
    &[filter("random", &[Optional("start"), Optional("step"), Optional("seed")], random), filter("shuffle", &[Optional("seed")], shuffle)];

/// A number that nobody can foretell.
pub(in crate::template) fn chance(below: usize) -> usize {
    use std::hash::{BuildHasher as _, Hasher as _};
    // Every `RandomState` has keys of its own, from the system's random source.
    let number = std::hash::RandomState::new().build_hasher().finish();
    usize::try_from(number % u64::try_from(below.max(1)).unwrap_or(u64::MAX)).unwrap_or(0)
}

/// Where choices come from.
pub(in crate::template) enum Source {
    /// Nobody can foretell them.
    Chance,
    /// They are the same for the same seed.
    Seeded(Box<Random>),
}

impl Source {
    /// Of a seed, if there is one.
    pub fn new(seed: Option<&Val>) -> Result<Self> {
        let random = match seed {
            None => return Ok(Self::Chance),
            Some(Val::Plain(Value::Text(text))) => Random::of_text(text.as_str()),
            Some(Val::Plain(value @ (Value::Int(_) | Value::BigInt(_) | Value::Bool(_)))) => {
                Random::of_int(&number::to_int(value).expect("these are integers"))
            }
            Some(Val::Plain(Value::Float(number))) => Random::of_int(&number::hash_of_float(*number)),
            Some(_) => return refuse("The only supported seed types are: None,\nint, float, str, bytes, and bytearray."),
        };
        Ok(Self::Seeded(Box::new(random)))
    }

    /// A position in a list of `count`; 0 of none.
    pub fn index(&mut self, count: usize) -> usize {
        match self {
            _ if count == 0 => 0,
            Self::Chance => chance(count),
            Self::Seeded(random) => random.index(count),
        }
    }

    fn below(&mut self, limit: &BigInt) -> BigInt {
        match (usize::try_from(limit), self) {
            (Ok(limit), source) => BigInt::from(source.index(limit)),
            (Err(_), Self::Seeded(random)) => random.below_big(limit),
            (Err(_), Self::Chance) => Random::of_int(&BigInt::from(chance(usize::MAX))).below_big(limit),
        }
    }
}

fn integer(val: &Val) -> Option<BigInt> {
    match val {
        Val::Plain(value @ (Value::Int(_) | Value::BigInt(_) | Value::Bool(_))) => number::to_int(value),
        _ => None,
    }
}

fn random(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let mut source = Source::new(given(2))?;
    // A start or step of 0 is none.
    let in_steps = (0..2).filter_map(given).any(|val| evaluator.truthy(val).unwrap_or(true));
    let Some(stop) = integer(value) else { return choice(evaluator, value, in_steps, &mut source) };
    let whole = |index: usize| match given(index) {
        None => Ok(BigInt::ZERO),
        Some(val) => {
            integer(val).ok_or_else(|| TemplateError::plugin(format!("'{}' object cannot be interpreted as an integer", val.type_name())))
        }
    };
    let (start, step) = (whole(0)?, whole(1)?);
    let step = if step.is_zero() { BigInt::from(1) } else { step };
    let width = &stop - &start;
    let count = if step.is_positive() { (width + &step - 1u8) / &step } else { (-width - &step - 1u8) / -&step };
    if !count.is_positive() {
        let shown = if step == BigInt::from(1) { String::new() } else { format!(", {step}") };
        return refuse(format!("empty range in randrange({start}, {stop}{shown})"));
    }
    Ok(Val::Plain(Value::int(start + step * source.below(&count))))
}

fn choice(evaluator: &Evaluator, value: &Val, in_steps: bool, source: &mut Source) -> Result<Val> {
    let is_range = matches!(value, Val::Range(_));
    if !value.is_list() && !is_range && value.as_str().is_none() && !value.is_mapping() {
        return refuse("random can only be used on sequences and integers");
    }
    if in_steps {
        return refuse("start and step can only be used with integer values");
    }
    if let Val::Range(range) = value {
        let index = source.index(range.len());
        return range.get(index).map_or_else(|| refuse("Cannot choose from an empty sequence"), |number| Ok(Val::from(number)));
    }
    let items = evaluator.items(value)?;
    let index = source.index(items.len());
    match items.get(index) {
        // Python asks a dict for the number, not for the key at that place.
        Some(_) if value.is_mapping() => match evaluator.entry(value, &Value::from(index))? {
            Some(val) => Ok(val),
            None => refuse(index.to_string()),
        },
        Some(item) => Ok(item.clone()),
        None => refuse("Cannot choose from an empty sequence"),
    }
}

fn shuffle(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let mut source = Source::new(arguments.get(0).filter(|val| !val.is_none()))?;
    if !value.is_list() && value.as_str().is_none() && !value.is_mapping() && !matches!(value, Val::Range(_)) {
        return Ok(value.clone());
    }
    let mut items = evaluator.items(value)?;
    for last in (1..items.len()).rev() {
        items.swap(last, source.index(last + 1));
    }
    Ok(Val::list(items))
}

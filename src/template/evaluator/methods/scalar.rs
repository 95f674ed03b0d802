//! Methods and attributes of numbers and times.

use jiff::civil;

use super::super::super::python;
use super::super::super::{Result, TemplateError, Val, print};
use super::{Call, clock};
use crate::value::Value;

/// The methods of `int` and `bool`.
pub const INT_METHODS: &[&str] = &["bit_length", "is_integer"];
/// The methods of `float`.
pub const FLOAT_METHODS: &[&str] = &["is_integer"];
/// The methods of `date`.
pub const DATE_METHODS: &[&str] =
    &["ctime", "isocalendar", "isoformat", "isoweekday", "replace", "strftime", "timetuple", "toordinal", "weekday"];
/// The methods of `datetime`.
pub const TIME_METHODS: &[&str] = &[
    "ctime",
    "date",
    "dst",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "time",
    "timestamp",
    "timetuple",
    "timetz",
    "toordinal",
    "tzname",
    "utcoffset",
    "utctimetuple",
    "weekday",
];

/// Calls the method `name` of a number, a time or a duration.
pub fn call(base: &Val, name: &str, call: Call) -> Result<Val> {
    let moment = match base {
        Val::Duration(microseconds) => {
            call.expect(0, 0)?;
            #[expect(clippy::cast_precision_loss, reason = "Python divides as floats too")]
            return Ok(Val::from(*microseconds as f64 / 1e6));
        }
        Val::Plain(Value::Float(number)) => {
            call.expect(0, 0)?;
            return Ok(Val::from(number.is_finite() && number.fract() == 0.0));
        }
        Val::Plain(Value::Date(date)) => (date.to_datetime(civil::Time::midnight()), None),
        Val::Plain(Value::DateTime(moment, offset)) => (*moment, *offset),
        _ => {
            call.expect(0, 0)?;
            return Ok(if name == "is_integer" { Val::from(true) } else { Val::from(bit_length(base)) });
        }
    };
    time_method(base, moment, name, &call)
}

/// What is no method: `year`, `days`, `real`.
pub fn data_attribute(val: &Val, name: &str) -> Option<Val> {
    let number = |number: i64| Some(Val::from(number));
    match (val, name) {
        (Val::Plain(Value::Int(_) | Value::BigInt(_) | Value::Float(_)), "real")
        | (Val::Plain(Value::Int(_) | Value::BigInt(_)), "numerator") => Some(val.clone()),
        (Val::Plain(Value::Int(_) | Value::BigInt(_)), "imag") => number(0),
        (Val::Plain(Value::Int(_) | Value::BigInt(_)), "denominator") => number(1),
        (Val::Duration(microseconds), "days") => number(microseconds.div_euclid(86_400_000_000)),
        (Val::Duration(microseconds), "seconds") => number(microseconds.rem_euclid(86_400_000_000) / 1_000_000),
        (Val::Duration(microseconds), "microseconds") => number(microseconds.rem_euclid(1_000_000)),
        (Val::Plain(Value::Date(date)), _) => date_attribute(*date, name),
        (Val::Plain(Value::DateTime(moment, offset)), _) => date_attribute(moment.date(), name).or_else(|| {
            Some(Val::from(match name {
                "hour" => i64::from(moment.hour()),
                "minute" => i64::from(moment.minute()),
                "second" => i64::from(moment.second()),
                "microsecond" => i64::from(moment.subsec_nanosecond() / 1000),
                "fold" => 0,
                "tzinfo" if offset.is_none() => return Some(Val::NONE),
                _ => return None,
            }))
        }),
        _ => None,
    }
}

fn date_attribute(date: civil::Date, name: &str) -> Option<Val> {
    Some(Val::from(match name {
        "year" => i64::from(date.year()),
        "month" => i64::from(date.month()),
        "day" => i64::from(date.day()),
        _ => return None,
    }))
}

fn time_method(base: &Val, (moment, offset): (civil::DateTime, Option<i32>), name: &str, call: &Call) -> Result<Val> {
    match name {
        "ctime" => {
            call.expect(0, 0)?;
            Ok(Val::from(python::time::strftime_datetime("%a %b %e %H:%M:%S %Y", moment, offset)))
        }
        "replace" => replaced(base, moment, offset, call),
        "toordinal" => {
            call.expect(0, 0)?;
            let days = moment.date().duration_since(civil::Date::constant(1, 1, 1)).as_hours() / 24;
            Ok(Val::from(days + 1))
        }
        "strftime" => {
            call.expect(1, 1)?;
            let format = call.text(0, "format")?.unwrap_or_default();
            Ok(Val::from(python::time::strftime_datetime(format, moment, offset)))
        }
        "isoformat" => {
            let separator = call.text(0, "sep")?.unwrap_or("T");
            let shown = print::value_to_text(base.as_plain().unwrap_or(&Value::Null));
            Ok(Val::from(shown.as_str().replacen(' ', separator, 1)))
        }
        "timestamp" => {
            call.expect(0, 0)?;
            let zoned = match offset {
                None => moment.to_zoned(jiff::tz::TimeZone::system()),
                Some(seconds) => moment.to_zoned(jiff::tz::Offset::from_seconds(seconds).unwrap_or(jiff::tz::Offset::UTC).to_time_zone()),
            };
            let zoned = zoned.map_err(|_| TemplateError::conversion("year is out of range"))?;
            #[expect(clippy::cast_precision_loss, reason = "Python's timestamps are floats")]
            Ok(Val::from(zoned.timestamp().as_microsecond() as f64 / 1e6))
        }
        "date" => Ok(Val::Plain(Value::Date(moment.date()))),
        "dst" | "isocalendar" | "time" | "timetuple" | "timetz" | "tzname" | "utcoffset" | "utctimetuple" => {
            call.expect(0, 0)?;
            Ok(clock::of(name, moment, offset))
        }
        "weekday" => Ok(Val::from(i64::from(moment.weekday().to_monday_zero_offset()))),
        _ => Ok(Val::from(i64::from(moment.weekday().to_monday_one_offset()))),
    }
}

/// `replace`: some parts of a date or time are others.
fn replaced(base: &Val, moment: civil::DateTime, offset: Option<i32>, call: &Call) -> Result<Val> {
    let is_date = matches!(base, Val::Plain(Value::Date(_)));
    let known: &[&str] = &["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
    let known = if is_date { &known[..3] } else { known };
    if let Some((name, _)) = call.arguments.named.iter().find(|(name, _)| !known.contains(&&**name)) {
        return Err(TemplateError::conversion(format!("'{name}' is an invalid keyword argument for replace()")));
    }
    call.expect(0, known.len())?;
    let zone = call.get(7, "tzinfo");
    if zone.is_some_and(|zone| !zone.is_none()) {
        return Err(TemplateError::conversion("tzinfo argument must be None or of a tzinfo subclass"));
    }
    let part = |index: usize, old: i64, least: i64, most: i64| -> Result<i64> {
        let new = call.int(index, known.get(index).copied().unwrap_or_default())?.unwrap_or(old);
        match (least..=most).contains(&new) {
            true => Ok(new),
            false if index == 0 => Err(TemplateError::conversion(format!("year {new} is out of range"))),
            false => Err(TemplateError::conversion(format!("{} must be in {least}..{most}", known[index]))),
        }
    };
    let year = part(0, i64::from(moment.year()), 1, 9999)?;
    let month = part(1, i64::from(moment.month()), 1, 12)?;
    let day = part(2, i64::from(moment.day()), i64::MIN, i64::MAX)?;
    let hour = part(3, i64::from(moment.hour()), 0, 23)?;
    let minute = part(4, i64::from(moment.minute()), 0, 59)?;
    let second = part(5, i64::from(moment.second()), 0, 59)?;
    let micros = part(6, i64::from(moment.subsec_nanosecond() / 1000), 0, 999_999)?;
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(|part| i8::try_from(part).unwrap_or(i8::MAX));
    let (year, nanos) = (i16::try_from(year).unwrap_or(i16::MAX), i32::try_from(micros * 1000).unwrap_or(i32::MAX));
    let out_of_month = |_| TemplateError::conversion("day is out of range for month");
    let moment = civil::DateTime::new(year, month, day, hour, minute, second, nanos).map_err(out_of_month)?;
    let offset = offset.filter(|_| zone.is_none());
    Ok(Val::Plain(if is_date { Value::Date(moment.date()) } else { Value::DateTime(moment, offset) }))
}

fn bit_length(val: &Val) -> usize {
    match val {
        Val::Plain(Value::BigInt(number)) => usize::try_from(number.bits()).unwrap_or(usize::MAX),
        other => (64 - other.as_int().unwrap_or(0).unsigned_abs().leading_zeros()) as usize,
    }
}

//! Filters of times.

use super::{filter, refuse};
use crate::template::python::number::{parse_float, to_float};
use crate::template::python::time;
use crate::template::{Bound, Evaluator, Filter, Param, Result, Val};
use crate::value::{Text, Value};

use Param::Optional;

pub(super) const FILTERS: &[Filter] =
    &[filter("strftime", &[Optional("second"), Optional("utc")], strftime), filter("to_datetime", &[Optional("format")], to_datetime)];

fn strftime(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(format) = value.as_str() else {
        let found = if value.is_none() { "None" } else { value.type_name() };
        return refuse(format!("strftime() argument 1 must be str, not {found}"));
    };
    let seconds = match arguments.get(0) {
        Some(val) if !val.is_none() => {
            let number = match val {
                Val::Plain(Value::Text(text)) => parse_float(text.as_str()),
                Val::Plain(other) => to_float(other),
                _ => None,
            };
            match number.filter(|number| number.is_finite()) {
                Some(number) => number,
                None => return refuse(format!("Invalid value for epoch value ({})", evaluator.text(val)?.as_str())),
            }
        }
        _ => std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |age| age.as_secs_f64()),
    };
    if seconds.abs() >= 9.3e18 {
        return refuse("timestamp out of range for platform time_t");
    }
    // Seconds beyond the years that exist are refused below.
    let microseconds = (seconds * 1e6).round_ties_even() as i64;
    match time::moment(microseconds, arguments.flag_or(evaluator, 1, false)?) {
        Some(moment) => Ok(Val::from(time::strftime(format, &moment))),
        None => refuse("year is out of range"),
    }
}

fn to_datetime(_: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let Some(text) = value.as_text() else {
        let found = match value {
            Val::Plain(Value::Date(_) | Value::DateTime(..)) => format!("datetime.{}", value.type_name()),
            other if other.is_none() => "None".to_owned(),
            other => other.type_name().to_owned(),
        };
        return refuse(format!("strptime() argument 1 must be str, not {found}"));
    };
    let format = arguments.text(0)?.map_or("%Y-%m-%d %H:%M:%S", Text::as_str);
    match time::strptime(text.as_str(), format) {
        Ok((moment, offset)) => Ok(Val::Plain(Value::DateTime(moment, offset))),
        Err(message) => refuse(message),
    }
}

//! `community.general.to_time_unit` and its kin: `1h 30m` as a number of one unit.

use super::{filter, refuse};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};

use Param::{Required, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("community.general.to_days", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "day")),
    filter("community.general.to_hours", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "hour")),
    filter("community.general.to_milliseconds", KEYWORDS, |evaluator, value, arguments| {
        converted(evaluator, value, arguments, "millisecond")
    }),
    filter("community.general.to_minutes", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "minute")),
    filter("community.general.to_months", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "month")),
    filter("community.general.to_seconds", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "second")),
    filter("community.general.to_time_unit", &[Required("unit"), RestNamed], |evaluator, value, arguments| {
        let unit = evaluator.text(arguments.required(0))?;
        converted(evaluator, value, arguments, unit.as_str())
    }),
    filter("community.general.to_weeks", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "week")),
    filter("community.general.to_years", KEYWORDS, |evaluator, value, arguments| converted(evaluator, value, arguments, "year")),
];

const KEYWORDS: &[Param] = &[RestNamed];
const DAY: f64 = 86_400.0;

/// How many seconds a unit is.
fn seconds(unit: &str, year: f64, month: f64) -> Option<f64> {
    Some(match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => DAY,
        "w" => 7.0 * DAY,
        "mo" => month * DAY,
        "y" => year * DAY,
        long => match long.strip_suffix('s').unwrap_or(long) {
            "millisecond" | "msec" | "msecond" => 0.001,
            "sec" | "second" => 1.0,
            "min" | "minute" => 60.0,
            "hour" => 3600.0,
            "day" => DAY,
            "week" => 7.0 * DAY,
            "month" => month * DAY,
            "year" => year * DAY,
            _ => return None,
        },
    })
}

fn converted(evaluator: &Evaluator, value: &Val, arguments: &Bound, unit: &str) -> Result<Val> {
    let (mut year, mut month) = (365.0, 30.0);
    for (name, val) in &arguments.named {
        let days = match &**name {
            "year" => &mut year,
            "month" => &mut month,
            other => return refuse(format!("to_time_unit() got unknown keyword arguments: {other}")),
        };
        let text = evaluator.text(val)?;
        *days =
            text.as_str().parse().map_err(|_| TemplateError::plugin(format!("could not convert string to float: '{}'", text.as_str())))?;
    }
    let Some(size) = seconds(unit, year, month) else {
        return refuse(format!(
            "to_time_unit() can not convert to the following unit: {unit}. Available units (singular or plural):millisecond, msec, msecond, \
             sec, second, hour, min, minute, day, week, month, year. Available short units: ms, s, m, h, d, w, mo, y"
        ));
    };
    let Some(text) = value.as_str() else {
        return refuse(format!("'{}' object has no attribute 'split'", value.type_name()));
    };
    // In thousandths, so that none is lost on the way.
    let mut sum = 0.0;
    for word in text.split_whitespace() {
        let digits = word.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(word.len());
        match (word[..digits].parse::<i32>(), seconds(&word[digits..], year, month)) {
            (Ok(count), Some(size)) => sum += f64::from(count) * (size * 1000.0),
            _ => return refuse(format!("to_time_unit() can not interpret following string: {text}")),
        }
    }
    let number = sum / (size * 1000.0);
    Ok(Val::from((number * 1e12).round() / 1e12))
}

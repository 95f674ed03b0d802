//! What a moment is else: a time of day, a week of the year, numbers one by one.

use std::fmt::Write as _;
use std::rc::Rc;

use jiff::{SignedDuration, civil};

use super::super::super::{Object, Result, TemplateError, TupleKind, Val, python};
use super::super::Evaluator;
use super::super::object::native;
use super::Call;
use crate::value::Value;

/// What a method without arguments gives of a moment.
pub fn of(method: &str, moment: civil::DateTime, offset: Option<i32>) -> Val {
    match method {
        "isocalendar" => {
            let week = moment.date().iso_week_date();
            let parts = [i64::from(week.year()), i64::from(week.week()), i64::from(week.weekday().to_monday_one_offset())];
            Val::named_tuple(TupleKind::Calendar, parts.map(Val::from).to_vec())
        }
        "time" => time_of_day(moment.time(), None),
        "timetz" => time_of_day(moment.time(), offset),
        "timetuple" => parts(moment, -1),
        "utctimetuple" => {
            let utc = moment.checked_sub(SignedDuration::from_secs(i64::from(offset.unwrap_or(0))));
            parts(utc.unwrap_or(moment), 0)
        }
        "tzname" => {
            offset.map_or(Val::NONE, |seconds| Val::from(if seconds == 0 { "UTC".to_owned() } else { format!("UTC{}", zone(seconds)) }))
        }
        "utcoffset" => offset.map_or(Val::NONE, |seconds| Val::Duration(i64::from(seconds) * 1_000_000)),
        // Offsets know nothing of summer.
        _ => Val::NONE,
    }
}

fn parts(moment: civil::DateTime, is_summer: i64) -> Val {
    let numbers = [
        i64::from(moment.year()),
        i64::from(moment.month()),
        i64::from(moment.day()),
        i64::from(moment.hour()),
        i64::from(moment.minute()),
        i64::from(moment.second()),
        i64::from(moment.weekday().to_monday_zero_offset()),
        i64::from(moment.day_of_year()),
        is_summer,
    ];
    Val::named_tuple(TupleKind::Time, numbers.map(Val::from).to_vec())
}

fn zone(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

fn time_of_day(time: civil::Time, offset: Option<i32>) -> Val {
    Val::Object(Rc::new(TimeOfDay { time, offset }))
}

/// `datetime.time`; a text when it leaves the render.
struct TimeOfDay {
    time: civil::Time,
    offset: Option<i32>,
}

impl TimeOfDay {
    fn micros(&self) -> i32 {
        self.time.subsec_nanosecond() / 1000
    }
}

impl Object for TimeOfDay {
    fn type_name(&self) -> &str {
        "time"
    }

    fn print(&self) -> String {
        let (hour, minute, second, micros) = (self.time.hour(), self.time.minute(), self.time.second(), self.micros());
        let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
        format!("{hour:02}:{minute:02}:{second:02}{fraction}{}", self.offset.map_or_else(String::new, zone))
    }

    fn repr(&self) -> String {
        let (second, micros) = (self.time.second(), self.micros());
        let mut text = format!("datetime.time({}, {}", self.time.hour(), self.time.minute());
        if second != 0 || micros != 0 {
            let _ = write!(text, ", {second}");
        }
        if micros != 0 {
            let _ = write!(text, ", {micros}");
        }
        text.push(')');
        text
    }

    fn data(&self) -> Option<Value> {
        Some(Value::from(self.print()))
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        let (time, offset) = (self.time, self.offset);
        Ok(Some(match name {
            "hour" => Val::from(i64::from(time.hour())),
            "minute" => Val::from(i64::from(time.minute())),
            "second" => Val::from(i64::from(time.second())),
            "microsecond" => Val::from(i64::from(self.micros())),
            "fold" => Val::from(0_i64),
            "tzinfo" if offset.is_none() => Val::NONE,
            "isoformat" => {
                let shown = self.print();
                native("isoformat", move |_, _| Ok(Val::from(shown.clone())))
            }
            "strftime" => native("strftime", move |evaluator, arguments| match &arguments.positional[..] {
                [format] => {
                    let day = civil::date(1900, 1, 1).to_datetime(time);
                    Ok(Val::from(python::time::strftime_datetime(evaluator.text(format)?.as_str(), day, offset)))
                }
                _ => Err(TemplateError::conversion("strftime() takes exactly one argument")),
            }),
            "replace" => native("replace", move |_, arguments| {
                let base = Val::NONE;
                let call = Call::new(&base, "replace", arguments);
                let part = |index: usize, name: &str, old: i8, end: i64| -> Result<i8> {
                    let new = call.int(index, name)?.unwrap_or(i64::from(old));
                    i8::try_from(new)
                        .ok()
                        .filter(|_| (0..end).contains(&new))
                        .ok_or_else(|| TemplateError::conversion(format!("{name} must be in 0..{}", end - 1)))
                };
                let micros = call.int(3, "microsecond")?.map_or(time.subsec_nanosecond() / 1000, |new| i32::try_from(new).unwrap_or(-1));
                let nanos = if (0..1_000_000).contains(&micros) { micros * 1000 } else { -1 };
                let (hour, minute) = (part(0, "hour", time.hour(), 24)?, part(1, "minute", time.minute(), 60)?);
                let made = civil::Time::new(hour, minute, part(2, "second", time.second(), 60)?, nanos);
                let made = made.map_err(|_| TemplateError::conversion("microsecond must be in 0..999999"))?;
                Ok(time_of_day(made, offset))
            }),
            _ => return Ok(None),
        }))
    }
}

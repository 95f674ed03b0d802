//! `date_time`: now, in the host's zone.

use jiff::Zoned;

use super::{Facts, Look, set};
use crate::host::time;
use crate::{Json, JsonMap};

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let now = time::local_now(look.host.environment());
    let utc = now.with_time_zone(jiff::tz::TimeZone::UTC);
    let epoch = now.timestamp().as_second().to_string();
    let text = |format: &str| now.strftime(format).to_string();
    let micros = format!("{:06}", now.subsec_nanosecond() / 1000);
    let entries = [
        ("year", text("%Y")),
        ("month", text("%m")),
        ("weekday", text("%A")),
        ("weekday_number", text("%w")),
        ("weeknumber", text("%W")),
        ("day", text("%d")),
        ("hour", text("%H")),
        ("minute", text("%M")),
        ("second", text("%S")),
        ("epoch", epoch.clone()),
        ("epoch_int", epoch),
        ("date", text("%Y-%m-%d")),
        ("time", text("%H:%M:%S")),
        ("iso8601_micro", format!("{}.{micros}Z", utc.strftime("%Y-%m-%dT%H:%M:%S"))),
        ("iso8601", utc.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ("iso8601_basic", format!("{}{micros}", text("%Y%m%dT%H%M%S"))),
        ("iso8601_basic_short", text("%Y%m%dT%H%M%S")),
        ("tz", text("%Z")),
        ("tz_dst", summer_name(&now)),
        ("tz_offset", text("%z")),
    ];
    let map: JsonMap = entries.into_iter().map(|(name, value)| (name.to_owned(), Json::String(value))).collect();
    set(facts, "date_time", map);
}

/// The zone's name in summer; zones without one have one name.
fn summer_name(now: &Zoned) -> String {
    let in_month = |month: i8| now.with().month(month).day(1).build().ok();
    let (Some(january), Some(july)) = (in_month(1), in_month(7)) else { return now.strftime("%Z").to_string() };
    let summer = if july.offset() >= january.offset() { july } else { january };
    summer.strftime("%Z").to_string()
}

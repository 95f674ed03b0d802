//! Times: the host's own zone, and between the kinds of clocks.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Zoned;
use jiff::tz::TimeZone;
use rustix::fs::Timespec;

use super::Environment;

/// Now, in the zone of the task: its TZ, else the host's.
pub fn local_now(environment: &Environment) -> Zoned {
    jiff::Timestamp::now().to_zoned(zone(environment))
}

/// The zone of the task.
pub fn zone(environment: &Environment) -> TimeZone {
    let named = environment.get("TZ").and_then(|name| name.into_string().ok()).filter(|name| !name.is_empty());
    let named = named.and_then(|name| {
        let name = name.trim_start_matches(':');
        TimeZone::get(name).ok().or_else(|| TimeZone::posix(name).ok())
    });
    named.unwrap_or_else(|| TimeZone::try_system().unwrap_or(TimeZone::UTC))
}

/// For the system calls.
pub fn timespec(time: SystemTime) -> Option<Timespec> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(Timespec { tv_sec: i64::try_from(since.as_secs()).ok()?, tv_nsec: since.subsec_nanos().into() })
}

/// A span as Python shows a `timedelta`: `0:00:01.500000`, `1 day, 0:00:00`.
pub fn shown_span(span: jiff::SignedDuration) -> String {
    let micros = span.as_micros().max(0);
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let days = match seconds / 86_400 {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    format!("{days}{}:{:02}:{:02}{fraction}", seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shown_as_in_python() {
        let check = |micros: i64, expected: &str| assert_eq!(shown_span(jiff::SignedDuration::from_micros(micros)), expected);
        check(14_067, "0:00:00.014067");
        check(3_661_000_000, "1:01:01");
        check(90_000_000_000, "1 day, 1:00:00");
    }
}

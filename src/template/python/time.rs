//! `strftime` as the C library writes it in the C locale, and `strptime` as Python reads it.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// A moment of the local time zone, or of UTC, from microseconds since 1970.
pub fn moment(microseconds: i64, utc: bool) -> Option<Zoned> {
    let zone = if utc { TimeZone::UTC } else { TimeZone::system() };
    Some(Timestamp::from_microsecond(microseconds).ok()?.to_zoned(zone))
}

/// `time.strftime(format, moment)`.
pub fn strftime(format: &str, moment: &Zoned) -> String {
    let zone = Zone { offset: moment.offset().seconds(), name: zone_name(moment), seconds: moment.timestamp().as_second() };
    let micros = Some(moment.subsec_nanosecond() / 1000);
    Writer { moment: moment.datetime(), zone: Some(zone), micros, out: String::new() }.write(format)
}

/// `datetime.strftime(format)`, which also knows `%f`.
pub fn strftime_datetime(format: &str, moment: DateTime, offset: Option<i32>) -> String {
    let zone = offset.map(|offset| {
        let name = if offset == 0 { "UTC".to_owned() } else { format!("UTC{}", colon_offset(offset)) };
        let seconds = moment.to_zoned(TimeZone::UTC).map_or(0, |zoned| zoned.timestamp().as_second()) - i64::from(offset);
        Zone { offset, name, seconds }
    });
    let micros = Some(moment.subsec_nanosecond() / 1000);
    Writer { moment, zone, micros, out: String::new() }.write(format)
}

fn zone_name(moment: &Zoned) -> String {
    moment.time_zone().to_offset_info(moment.timestamp()).abbreviation().to_owned()
}

/// `+02:00`
fn colon_offset(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
}

struct Zone {
    offset: i32,
    name: String,
    seconds: i64,
}

struct Writer {
    moment: DateTime,
    zone: Option<Zone>,
    micros: Option<i32>,
    out: String,
}

/// What stands between `%` and the letter.
#[derive(Default)]
struct Modifiers {
    pad: Option<char>,
    upper: bool,
    swap: bool,
    width: usize,
}

impl Writer {
    fn write(mut self, format: &str) -> String {
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            if char != '%' {
                self.out.push(char);
                continue;
            }
            let before = chars.as_str();
            let mut modifiers = Modifiers::default();
            let mut letter = chars.next();
            while let Some(flag @ ('-' | '_' | '0' | '^' | '#')) = letter {
                match flag {
                    '^' => modifiers.upper = true,
                    '#' => modifiers.swap = true,
                    pad => modifiers.pad = Some(pad),
                }
                letter = chars.next();
            }
            while let Some(digit) = letter.and_then(|c| c.to_digit(10)) {
                modifiers.width = (modifiers.width * 10 + digit as usize).min(1024);
                letter = chars.next();
            }
            if let Some('E' | 'O') = letter {
                letter = chars.next();
            }
            match letter {
                Some(letter) => {
                    if !self.directive(letter, &modifiers) {
                        // The C library leaves what it does not know.
                        self.out.push('%');
                        self.out.push_str(&before[..before.len() - chars.as_str().len()]);
                    }
                }
                None => {
                    self.out.push('%');
                    self.out.push_str(before);
                }
            }
        }
        self.out
    }

    fn directive(&mut self, letter: char, modifiers: &Modifiers) -> bool {
        let moment = self.moment;
        let day = DAYS[usize::from(moment.weekday().to_monday_zero_offset().unsigned_abs())];
        let month = MONTHS[usize::from(moment.month().unsigned_abs()) - 1];
        let hour12 = if moment.hour() % 12 == 0 { 12 } else { moment.hour() % 12 };
        let half = if moment.hour() < 12 { "AM" } else { "PM" };
        let year = i64::from(moment.year());
        let week_date = moment.date().iso_week_date();
        let yday = i64::from(moment.day_of_year());
        let sunday_based = i64::from(moment.weekday().to_sunday_zero_offset());
        let monday_based = i64::from(moment.weekday().to_monday_zero_offset());
        let mut number = |value: i64, width: usize, pad: char| self.out.push_str(&modifiers.number(value, width, pad));
        match letter {
            'C' => number(year.div_euclid(100), 2, '0'),
            'd' => number(i64::from(moment.day()), 2, '0'),
            'e' => number(i64::from(moment.day()), 2, '_'),
            'g' => number(i64::from(week_date.year()).rem_euclid(100), 2, '0'),
            'G' => number(i64::from(week_date.year()), 1, '0'),
            'H' => number(i64::from(moment.hour()), 2, '0'),
            'I' => number(i64::from(hour12), 2, '0'),
            'j' => number(yday, 3, '0'),
            'k' => number(i64::from(moment.hour()), 2, '_'),
            'l' => number(i64::from(hour12), 2, '_'),
            'm' => number(i64::from(moment.month()), 2, '0'),
            'M' => number(i64::from(moment.minute()), 2, '0'),
            'S' => number(i64::from(moment.second()), 2, '0'),
            'u' => number(monday_based + 1, 1, '0'),
            'U' => number((yday + 6 - sunday_based) / 7, 2, '0'),
            'V' => number(i64::from(week_date.week()), 2, '0'),
            'w' => number(sunday_based, 1, '0'),
            'W' => number((yday + 6 - monday_based) / 7, 2, '0'),
            'y' => number(year.rem_euclid(100), 2, '0'),
            'Y' => number(year, 1, '0'),
            's' => {
                let seconds = match &self.zone {
                    Some(zone) => zone.seconds,
                    None => moment.to_zoned(TimeZone::system()).map_or(0, |zoned| zoned.timestamp().as_second()),
                };
                self.out.push_str(&modifiers.number(seconds, 1, '0'));
            }
            'f' => match self.micros {
                Some(micros) => self.word(&format!("{micros:06}"), modifiers),
                None => return false,
            },
            'a' => self.word(&day[..3], modifiers),
            'A' => self.word(day, modifiers),
            'b' | 'h' => self.word(&month[..3], modifiers),
            'B' => self.word(month, modifiers),
            'p' if modifiers.swap => self.word(&half.to_lowercase(), modifiers),
            'p' => self.word(half, modifiers),
            'P' => self.word(&half.to_lowercase(), modifiers),
            'c' => self.nested("%a %b %e %H:%M:%S %Y", modifiers),
            'D' | 'x' => self.nested("%m/%d/%y", modifiers),
            'F' => self.nested("%Y-%m-%d", modifiers),
            'r' => self.nested("%I:%M:%S %p", modifiers),
            'R' => self.nested("%H:%M", modifiers),
            'T' | 'X' => self.nested("%H:%M:%S", modifiers),
            'n' => self.out.push('\n'),
            't' => self.out.push('\t'),
            '%' => self.out.push('%'),
            'z' => {
                if let Some(zone) = &self.zone {
                    let text = colon_offset(zone.offset).replace(':', "");
                    self.out.push_str(&text);
                }
            }
            'Z' => {
                let name = self.zone.as_ref().map(|zone| zone.name.clone()).unwrap_or_default();
                let name = if modifiers.swap { name.to_lowercase() } else { name };
                self.word(&name, modifiers);
            }
            _ => return false,
        }
        true
    }

    fn nested(&mut self, format: &str, modifiers: &Modifiers) {
        let inner = Self { moment: self.moment, zone: None, micros: None, out: String::new() }.write(format);
        self.word(&inner, modifiers);
    }

    fn word(&mut self, word: &str, modifiers: &Modifiers) {
        let word = if modifiers.upper || modifiers.swap && !word.ends_with(['m', 'M']) { word.to_uppercase() } else { word.to_owned() };
        let pad = if modifiers.pad == Some('0') { '0' } else { ' ' };
        self.out.extend(std::iter::repeat_n(pad, modifiers.width.saturating_sub(word.chars().count())));
        self.out.push_str(&word);
    }
}

impl Modifiers {
    fn number(&self, value: i64, width: usize, pad: char) -> String {
        let width = if self.width > 0 { self.width } else { width };
        let mut text = String::new();
        let _ = match self.pad.unwrap_or(pad) {
            '-' => write!(text, "{value}"),
            '_' => write!(text, "{value:>width$}"),
            _ => write!(text, "{value:0>width$}"),
        };
        text
    }
}

/// `datetime.strptime(text, format)`; with the offset where the format reads one. The error is Python's.
pub fn strptime(text: &str, format: &str) -> Result<(DateTime, Option<i32>), String> {
    let mut reader = Reader { rest: text, found: Found::default() };
    match reader.read(format)? {
        true if reader.rest.is_empty() => reader.found.finish(),
        true => Err(format!("unconverted data remains: {}", reader.rest)),
        false => Err(format!("time data {} does not match format {}", quoted(text), quoted(format))),
    }
}

fn quoted(text: &str) -> String {
    if text.contains('\'') && !text.contains('"') { format!("\"{text}\"") } else { format!("'{}'", text.replace('\'', "\\'")) }
}

#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    yday: Option<i64>,
    afternoon: Option<bool>,
    offset: Option<i32>,
    weekday: Option<i64>,
    week: Option<(char, i64)>,
    iso_year: Option<i64>,
}

struct Reader<'t> {
    rest: &'t str,
    found: Found,
}

impl Reader<'_> {
    /// Whether the text matches so far.
    fn read(&mut self, format: &str) -> Result<bool, String> {
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            if char.is_whitespace() {
                let trimmed = self.rest.trim_start();
                if trimmed.len() == self.rest.len() {
                    return Ok(false);
                }
                self.rest = trimmed;
                while chars.as_str().starts_with(char::is_whitespace) {
                    chars.next();
                }
                continue;
            }
            if char != '%' {
                if !self.literal(char) {
                    return Ok(false);
                }
                continue;
            }
            let Some(directive) = chars.next() else { return Err(format!("stray % in format '{format}'")) };
            match self.directive(directive) {
                Some(true) => {}
                Some(false) => return Ok(false),
                None => return Err(format!("'{directive}' is a bad directive in format '{format}'")),
            }
        }
        Ok(true)
    }

    fn literal(&mut self, wanted: char) -> bool {
        let mut chars = self.rest.chars();
        let same = chars.next().is_some_and(|c| c == wanted || c.to_lowercase().eq(wanted.to_lowercase()));
        if same {
            self.rest = chars.as_str();
        }
        same
    }

    /// `None` for a directive that does not exist.
    fn directive(&mut self, directive: char) -> Option<bool> {
        let found = match directive {
            'Y' => self.exactly(4).map(|n| self.found.year = Some(n)),
            'y' => self.exactly(2).map(|n| self.found.year = Some(if n <= 68 { 2000 + n } else { 1900 + n })),
            'G' => self.exactly(4).map(|n| self.found.iso_year = Some(n)),
            'm' => self.number(2, 1, 12).map(|n| self.found.month = Some(n)),
            'd' => self.number(2, 1, 31).map(|n| self.found.day = Some(n)),
            'H' => self.number(2, 0, 23).map(|n| self.found.hour = n),
            'I' => self.number(2, 1, 12).map(|n| self.found.hour = n),
            'M' => self.number(2, 0, 59).map(|n| self.found.minute = n),
            'S' => self.number(2, 0, 61).map(|n| self.found.second = n),
            'j' => self.number(3, 1, 366).map(|n| self.found.yday = Some(n)),
            'U' | 'W' => self.number(2, 0, 53).map(|n| self.found.week = Some((directive, n))),
            'V' => self.number(2, 1, 53).map(|n| self.found.week = Some(('V', n))),
            'w' => self.number(1, 0, 6).map(|n| self.found.weekday = Some((n + 6) % 7)),
            'u' => self.number(1, 1, 7).map(|n| self.found.weekday = Some(n - 1)),
            'f' => self.fraction(),
            'a' => self.word(&DAYS.map(|day| &day[..3])).map(|n| self.found.weekday = Some(n)),
            'A' => self.word(&DAYS).map(|n| self.found.weekday = Some(n)),
            'b' => self.word(&MONTHS.map(|month| &month[..3])).map(|n| self.found.month = Some(n + 1)),
            'B' => self.word(&MONTHS).map(|n| self.found.month = Some(n + 1)),
            'p' => self.word(&["AM", "PM"]).map(|n| self.found.afternoon = Some(n == 1)),
            'z' => self.offset(),
            'Z' => self.word(&["UTC", "GMT"]).map(|_| ()),
            '%' => self.literal('%').then_some(()),
            'c' => return Some(self.read("%a %b %d %H:%M:%S %Y").unwrap_or(false)),
            'x' => return Some(self.read("%m/%d/%y").unwrap_or(false)),
            'X' => return Some(self.read("%H:%M:%S").unwrap_or(false)),
            _ => return None,
        };
        Some(found.is_some())
    }

    fn take(&mut self, count: usize) -> &str {
        let (head, tail) = self.rest.split_at(count);
        self.rest = tail;
        head
    }

    fn digits(&self, most: usize) -> usize {
        self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count()
    }

    fn exactly(&mut self, count: usize) -> Option<i64> {
        if self.digits(count) < count {
            return None;
        }
        self.take(count).parse().ok()
    }

    /// As many digits as are in range.
    fn number(&mut self, most: usize, least: i64, greatest: i64) -> Option<i64> {
        let available = self.digits(most);
        let count = (1..=available)
            .rev()
            .find(|count| self.rest[..*count].parse::<i64>().is_ok_and(|number| (least..=greatest).contains(&number)))?;
        self.take(count).parse().ok()
    }

    fn fraction(&mut self) -> Option<()> {
        let count = self.digits(6);
        if count == 0 {
            return None;
        }
        let digits = format!("{:0<6}", self.take(count));
        self.found.micros = digits.parse().ok()?;
        Some(())
    }

    fn word(&mut self, words: &[&str]) -> Option<i64> {
        let fits = |word: &str| self.rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        let index = (0..words.len()).filter(|index| fits(words[*index])).max_by_key(|index| words[*index].len())?;
        self.take(words[index].len());
        i64::try_from(index).ok()
    }

    fn offset(&mut self) -> Option<()> {
        if self.rest.starts_with(['Z', 'z']) {
            self.take(1);
            self.found.offset = Some(0);
            return Some(());
        }
        let sign = match self.rest.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.take(1);
        let hours = self.exactly(2)?;
        let colon = self.rest.starts_with(':');
        if colon {
            self.take(1);
        }
        let minutes = self.exactly(2).filter(|minutes| *minutes < 60)?;
        let seconds = if colon && self.rest.starts_with(':') {
            self.take(1);
            self.exactly(2)?
        } else if self.digits(2) == 2 {
            self.exactly(2)?
        } else {
            0
        };
        self.found.offset = i32::try_from(sign * (hours * 3600 + minutes * 60 + seconds)).ok();
        Some(())
    }
}

impl Found {
    fn finish(self) -> Result<(DateTime, Option<i32>), String> {
        let range = || "day is out of range for month".to_owned();
        let small = |number: i64| i8::try_from(number).map_err(|_| range());
        let year = self.year.or(self.iso_year).unwrap_or(1900);
        let date = match (self.yday, self.week, self.weekday) {
            (Some(yday), _, _) if self.month.is_none() => {
                let first = Date::new(i16::try_from(year).map_err(|_| range())?, 1, 1).map_err(|_| range())?;
                first.checked_add(jiff::Span::new().days(yday - 1)).map_err(|_| range())?
            }
            (None, Some(week), Some(weekday)) if self.month.is_none() => week_date(year, week, weekday).ok_or_else(range)?,
            _ => {
                let year = i16::try_from(year).map_err(|_| range())?;
                let month = small(self.month.unwrap_or(1))?;
                Date::new(year, month, small(self.day.unwrap_or(1))?).map_err(|_| range())?
            }
        };
        let hour = match self.afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        if self.second > 59 {
            return Err("second must be in 0..59".to_owned());
        }
        let nanos = i32::try_from(self.micros * 1000).map_err(|_| range())?;
        let time = Time::new(small(hour)?, small(self.minute)?, small(self.second)?, nanos).map_err(|_| range())?;
        Ok((date.to_datetime(time), self.offset))
    }
}

fn week_date(year: i64, (kind, week): (char, i64), weekday: i64) -> Option<Date> {
    let year = i16::try_from(year).ok()?;
    let first = Date::new(year, 1, 1).ok()?;
    let days = match kind {
        'V' => {
            let weekday = Weekday::from_monday_zero_offset(i8::try_from(weekday).ok()?).ok()?;
            return Some(jiff::civil::ISOWeekDate::new(year, i8::try_from(week).ok()?, weekday).ok()?.date());
        }
        'U' => {
            let offset = (7 - i64::from(first.weekday().to_sunday_zero_offset())) % 7;
            (weekday + 1) % 7 + 7 * (week - 1) + offset
        }
        _ => {
            let offset = (7 - i64::from(first.weekday().to_monday_zero_offset())) % 7;
            weekday + 7 * (week - 1) + offset
        }
    };
    first.checked_add(jiff::Span::new().days(days)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strftime_is_c_s() {
        let moment = moment(1_000_000_000_000_000, true).unwrap();
        let table = [
            ("%Y-%m-%d %H:%M:%S", "2001-09-09 01:46:40"),
            ("%a %A %b %B", "Sun Sunday Sep September"),
            ("%c|%x|%X|%D|%F|%T|%R|%r", "Sun Sep  9 01:46:40 2001|09/09/01|01:46:40|09/09/01|2001-09-09|01:46:40|01:46|01:46:40 AM"),
            ("%e|%-d|%_d|%05d|%k|%l|%j|%C|%y", " 9|9| 9|00009| 1| 1|252|20|01"),
            ("%U %W %V %G %g %u %w", "36 36 36 2001 01 7 0"),
            ("%s %z %Z %p %P %^a %#p", "1000000000 +0000 UTC AM am SUN am"),
            ("%% %n %t %Q %f %", "% \n \t %Q 000000 %"),
        ];
        for (format, expected) in table {
            assert_eq!(strftime(format, &moment), expected, "{format}");
        }
    }

    #[test]
    fn strptime_is_python_s() {
        let read = |text: &str, format: &str| match strptime(text, format) {
            Ok((moment, offset)) => format!("{moment} {offset:?}"),
            Err(error) => error,
        };
        let table = [
            ("2020-01-02 03:04:05", "%Y-%m-%d %H:%M:%S", "2020-01-02T03:04:05 None"),
            ("2/3/21 1:02 pm", "%m/%d/%y %I:%M %p", "2021-02-03T13:02:00 None"),
            ("10 mar 1999", "%d %b %Y", "1999-03-10T00:00:00 None"),
            ("2020 060", "%Y %j", "2020-02-29T00:00:00 None"),
            ("1.5", "%S.%f", "1900-01-01T00:00:01.5 None"),
            ("12:00 +0130", "%H:%M %z", "1900-01-01T12:00:00 Some(5400)"),
            ("2020-W01-1", "%G-W%V-%u", "2019-12-30T00:00:00 None"),
            ("2020-01-02x", "%Y-%m-%d", "unconverted data remains: x"),
            ("x", "%Y", "time data 'x' does not match format '%Y'"),
            ("2021-02-30", "%Y-%m-%d", "day is out of range for month"),
            ("x", "%q", "'q' is a bad directive in format '%q'"),
        ];
        for (text, format, expected) in table {
            assert_eq!(read(text, format), expected, "{format}");
        }
    }
}

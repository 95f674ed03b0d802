//! Python's `str()` and `repr()`, of anything that lives in a render.

use std::fmt::Write as _;

use jiff::civil;

use super::{Evaluator, Result, Val};
use crate::value::{Key, Text, Value, float_repr};

/// Which of the two printed forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `str()`
    Str,
    /// `repr()`
    Repr,
}

/// `str(val)`; secret where a text in it is.
pub fn to_text(evaluator: &Evaluator, val: &Val) -> Result<Text> {
    match val {
        Val::Plain(Value::Text(text)) => Ok(text.clone()),
        other => print(evaluator, other, Form::Str),
    }
}

/// `repr(val)`; secret where a text in it is.
pub fn to_repr(evaluator: &Evaluator, val: &Val) -> Result<Text> {
    print(evaluator, val, Form::Repr)
}

/// `str(value)` of plain data, for messages and keywords: its characters.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.as_str().to_owned(),
        other => value_to_text(other).as_str().to_owned(),
    }
}

/// `repr(value)` of plain data, for messages.
pub fn repr(value: &Value) -> String {
    let mut printer = Printer { out: String::new(), secret: false };
    printer.value(value, Form::Repr);
    printer.finish().as_str().to_owned()
}

/// `str(value)` of plain data.
pub fn value_to_text(value: &Value) -> Text {
    if let Value::Text(text) = value {
        return text.clone();
    }
    let mut printer = Printer { out: String::new(), secret: false };
    printer.value(value, Form::Str);
    printer.finish()
}

fn print(evaluator: &Evaluator, val: &Val, form: Form) -> Result<Text> {
    if let Val::Plain(value @ (Value::List(_) | Value::Map(_))) = val {
        evaluator.charge(size(value))?;
    }
    let mut printer = Printer { out: String::new(), secret: false };
    printer.val(evaluator, val, form)?;
    Ok(printer.finish())
}

/// About how long the value is when printed; a text may be in it many times.
fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.as_str().len() + 4,
        Value::List(items) => items.iter().fold(2, |sum, item| sum.saturating_add(size(item))),
        Value::Map(map) => map.values().fold(2, |sum, item| sum.saturating_add(size(item)).saturating_add(8)),
        _ => 8,
    }
}

struct Printer {
    out: String,
    secret: bool,
}

impl Printer {
    fn finish(self) -> Text {
        let text = Text::from(self.out);
        if self.secret { text.into_secret() } else { text }
    }

    fn val(&mut self, evaluator: &Evaluator, val: &Val, form: Form) -> Result<()> {
        match val {
            Val::Plain(value) => {
                if let Some(chars) = value.as_str() {
                    evaluator.charge_growth(self.out.len(), chars.len())?;
                }
                self.value(value, form);
            }
            Val::Undefined(undefined) => return Err(undefined.error()),
            Val::Pending(_) => {
                let val = evaluator.forced(val)?;
                return self.val(evaluator, &val, form);
            }
            Val::List(_) | Val::Tuple(_) => {
                let _depth = evaluator.enter()?;
                return self.list(evaluator, val);
            }
            Val::Dict(_) | Val::Scope(_) => {
                let _depth = evaluator.enter()?;
                return self.dict(evaluator, &evaluator.entries(val)?);
            }
            Val::Range(range) if range.step == 1 => {
                let _ = write!(self.out, "range({}, {})", range.start, range.stop);
            }
            Val::Range(range) => {
                let _ = write!(self.out, "range({}, {}, {})", range.start, range.stop, range.step);
            }
            Val::Duration(microseconds) => self.out.push_str(&duration(*microseconds)),
            Val::Object(object) => {
                self.out.push_str(&if form == Form::Str { object.print() } else { object.repr() });
            }
            Val::Omit => self.out.push_str("<<Omit>>"),
        }
        Ok(())
    }

    fn list(&mut self, evaluator: &Evaluator, val: &Val) -> Result<()> {
        let items = evaluator.items(val)?;
        if let Val::Tuple(tuple) = val
            && let Some(name) = tuple.kind.printed_name()
        {
            self.out.push_str(name);
            for (index, (name, item)) in tuple.kind.names().iter().zip(&items).enumerate() {
                let _ = write!(self.out, "{}{name}=", if index == 0 { "(" } else { ", " });
                self.val(evaluator, item, Form::Repr)?;
            }
            self.out.push(')');
            return Ok(());
        }
        let is_tuple = matches!(val, Val::Tuple(_));
        self.out.push(if is_tuple { '(' } else { '[' });
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.val(evaluator, item, Form::Repr)?;
        }
        self.out.push_str(match (is_tuple, items.len()) {
            (true, 1) => ",)",
            (true, _) => ")",
            (false, _) => "]",
        });
        Ok(())
    }

    fn dict(&mut self, evaluator: &Evaluator, entries: &[(Key, Val)]) -> Result<()> {
        self.out.push('{');
        for (index, (key, val)) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.value(key.value(), Form::Repr);
            self.out.push_str(": ");
            self.val(evaluator, val, Form::Repr)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn value(&mut self, value: &Value, form: Form) {
        match value {
            Value::Null => self.out.push_str("None"),
            Value::Bool(true) => self.out.push_str("True"),
            Value::Bool(false) => self.out.push_str("False"),
            Value::Int(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::BigInt(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&float_repr(*number)),
            Value::Text(text) => {
                self.secret |= text.is_secret();
                match form {
                    Form::Str => self.out.push_str(text.as_str()),
                    Form::Repr => quote(&mut self.out, text.as_str()),
                }
            }
            Value::Bytes(bytes) => {
                self.secret |= bytes.is_secret();
                self.out.push_str(&bytes.repr());
            }
            Value::Date(date) if form == Form::Str => {
                let _ = write!(self.out, "{date}");
            }
            Value::Date(date) => {
                let _ = write!(self.out, "datetime.date({}, {}, {})", date.year(), date.month(), date.day());
            }
            Value::DateTime(moment, offset) => self.out.push_str(&datetime(moment, *offset, form)),
            Value::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.value(item, Form::Repr);
                }
                self.out.push(']');
            }
            Value::Map(map) => {
                self.out.push('{');
                for (index, (key, value)) in map.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.value(key.value(), Form::Repr);
                    self.out.push_str(": ");
                    self.value(value, Form::Repr);
                }
                self.out.push('}');
            }
        }
    }
}

/// A text as Python's `repr` writes it.
pub fn quote(out: &mut String, chars: &str) {
    let mark = if chars.contains('\'') && !chars.contains('"') { '"' } else { '\'' };
    out.push(mark);
    for char in chars.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == mark => {
                out.push('\\');
                out.push(char);
            }
            char if is_printable(char) => out.push(char),
            char => {
                let code = u32::from(char);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(mark);
}

/// Whether Python prints the character as it is: not a control, format, separator or private one.
fn is_printable(char: char) -> bool {
    if char.is_ascii() {
        return !char.is_ascii_control();
    }
    !char.is_control()
        && !char.is_whitespace()
        && !matches!(u32::from(char),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f
            | 0xe000..=0xf8ff | 0xfeff | 0xfff9..=0xfffb | 0xf_0000..=0x10_ffff | 0xe_0000..=0xe_01ff)
        || matches!(u32::from(char), 0xe_0100..=0xe_01ef)
}

fn datetime(moment: &civil::DateTime, offset: Option<i32>, form: Form) -> String {
    let micros = moment.subsec_nanosecond() / 1000;
    let (year, month, day, hour, minute, second) =
        (moment.year(), moment.month(), moment.day(), moment.hour(), moment.minute(), moment.second());
    match form {
        Form::Str => {
            let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
            let zone = offset.map_or_else(String::new, |seconds| {
                let sign = if seconds < 0 { '-' } else { '+' };
                format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
            });
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}{zone}")
        }
        Form::Repr => {
            let mut text = format!("datetime.datetime({year}, {month}, {day}, {hour}, {minute}");
            if second != 0 || micros != 0 {
                let _ = write!(text, ", {second}");
            }
            if micros != 0 {
                let _ = write!(text, ", {micros}");
            }
            match offset {
                None => {}
                Some(0) => text.push_str(", tzinfo=datetime.timezone.utc"),
                Some(seconds) if seconds > 0 => {
                    let _ = write!(text, ", tzinfo=datetime.timezone(datetime.timedelta(seconds={seconds}))");
                }
                Some(seconds) => {
                    let _ = write!(text, ", tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds={}))", seconds + 86_400);
                }
            }
            text.push(')');
            text
        }
    }
}

/// `1 day, 0:00:01.500000`, as Python's `timedelta`.
fn duration(microseconds: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (microseconds.div_euclid(DAY), microseconds.rem_euclid(DAY));
    let seconds = rest / 1_000_000;
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    let _ = write!(text, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest % 1_000_000 != 0 {
        let _ = write!(text, ".{:06}", rest % 1_000_000);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_python_s() {
        let check = |chars: &str, expected: &str| {
            let mut out = String::new();
            quote(&mut out, chars);
            assert_eq!(out, expected);
        };
        check("a", "'a'");
        check("a'b", "\"a'b\"");
        check("a'\"b", "'a\\'\"b'");
        check("a\\\n\u{1b}é\u{a0}", "'a\\\\\\n\\x1bé\\xa0'");
    }
}

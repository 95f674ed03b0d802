//! JSON as Python's `json` writes and reads it: same bytes, same errors.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

use num_bigint::BigInt;

use crate::value::{Key, Map, Value, float_repr};

/// The options of `json.dumps`.
#[derive(Clone, Debug)]
pub struct JsonOptions {
    /// What each level is indented with; one line where none is said.
    pub indent: Option<String>,
    /// Whether keys are sorted.
    pub sort_keys: bool,
    /// Whether all that is not ASCII is escaped.
    pub ensure_ascii: bool,
    /// Between items, and between key and value.
    pub separators: Option<(String, String)>,
    /// Whether `<`, `>`, `&` and `'` are escaped, for use in HTML.
    pub html: bool,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self { indent: None, sort_keys: false, ensure_ascii: true, separators: None, html: false }
    }
}

/// `json.dumps(value)`.
pub fn dumps(value: &Value, options: &JsonOptions) -> String {
    let default_item = if options.indent.is_some() { "," } else { ", " };
    let (item, key) = match &options.separators {
        Some((item, key)) => (item.as_str(), key.as_str()),
        None => (default_item, ": "),
    };
    let mut writer = Writer { options, item, key, out: String::new(), lead: String::from("\n") };
    writer.value(value, 0);
    writer.out
}

struct Writer<'o> {
    options: &'o JsonOptions,
    item: &'o str,
    key: &'o str,
    out: String,
    /// A line break, and what the deepest line so far is indented with.
    lead: String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, level: usize) {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::BigInt(number) => {
                let _ = write!(self.out, "{number}");
            }
            Value::Float(number) => self.out.push_str(&float(*number)),
            Value::Text(text) => self.text(text.as_str()),
            Value::Bytes(_) | Value::Date(_) | Value::DateTime(..) => match crate::value::to_json(value) {
                serde_json::Value::String(text) => self.text(&text),
                other => self.out.push_str(&other.to_string()),
            },
            Value::List(items) => self.collection('[', ']', items.len(), level, |writer, index| writer.value(&items[index], level + 1)),
            Value::Map(map) => {
                let entries = self.entries(map);
                self.collection('{', '}', entries.len(), level, |writer, index| {
                    let (key, value) = &entries[index];
                    writer.text(key);
                    writer.out.push_str(writer.key);
                    writer.value(value, level + 1);
                });
            }
        }
    }

    fn entries<'m>(&self, map: &'m Map) -> Vec<(Cow<'m, str>, &'m Value)> {
        let mut entries: Vec<_> = map.iter().map(|(key, value)| (key, key_text(key), value)).collect();
        match (self.options.sort_keys, self.options.html) {
            (false, _) => {}
            (true, false) => entries.sort_by(|left, right| left.1.cmp(&right.1)),
            // Ansible's own filters make texts of keys first, Jinja's does not.
            (true, true) => entries.sort_by(|left, right| left.0.value().compare(right.0.value()).unwrap_or(Ordering::Equal)),
        }
        entries.into_iter().map(|(_, text, value)| (text, value)).collect()
    }

    fn collection(&mut self, open: char, close: char, count: usize, level: usize, mut element: impl FnMut(&mut Self, usize)) {
        self.out.push(open);
        for index in 0..count {
            if index > 0 {
                self.out.push_str(self.item);
            }
            self.line(level + 1);
            element(self, index);
        }
        if count > 0 {
            self.line(level);
        }
        self.out.push(close);
    }

    fn line(&mut self, level: usize) {
        if let Some(indent) = &self.options.indent {
            let length = 1 + level * indent.len();
            while self.lead.len() < length {
                self.lead.push_str(indent);
            }
            self.out.push_str(&self.lead[..length]);
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        // Most are plain from end to end.
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&' | b'\'');
        let plain = text.bytes().take_while(is_plain).count();
        self.out.push_str(&text[..plain]);
        for char in text[plain..].chars() {
            match char {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\'' if self.options.html => self.escape(char),
                ' '..='~' => self.out.push(char),
                '\0'..='\x1f' => self.escape(char),
                other if self.options.ensure_ascii => self.escape(other),
                other => self.out.push(other),
            }
        }
        self.out.push('"');
    }

    fn escape(&mut self, char: char) {
        // A byte that is no text, as Python keeps it.
        if let Some(byte) = crate::source::escape::byte_of(char) {
            let _ = write!(self.out, "\\udc{byte:02x}");
            return;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            let _ = write!(self.out, "\\u{unit:04x}");
        }
    }
}

fn float(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        float_repr(number)
    }
}

fn key_text(key: &Key) -> Cow<'_, str> {
    match key.value() {
        Value::Text(text) => text.as_str().into(),
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string().into(),
        Value::Float(number) => float(*number).into(),
        other => match crate::value::to_json(other) {
            serde_json::Value::String(text) => text.into(),
            number => number.to_string().into(),
        },
    }
}

/// How deep a document may nest.
const MAX_DEPTH: usize = 500;

/// `json.loads(text)`; the error is Python's.
pub fn loads(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    reader.blanks();
    let value = reader.value()?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.error("Extra data", reader.at));
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn error(&self, message: &str, at: usize) -> String {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{message}: line {line} column {column} (char {})", before.chars().count())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        let start = self.at;
        let rest = &self.text[start..];
        match self.peek() {
            Some(b'"') => self.string().map(Value::text),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            _ => {
                let words = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                    ("NaN", Value::Float(f64::NAN)),
                    ("Infinity", Value::Float(f64::INFINITY)),
                    ("-Infinity", Value::Float(f64::NEG_INFINITY)),
                ];
                if let Some((word, value)) = words.into_iter().find(|(word, _)| rest.starts_with(word)) {
                    self.at += word.len();
                    return Ok(value);
                }
                self.number().ok_or_else(|| self.error("Expecting value", start))
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("maximum recursion depth exceeded while decoding a JSON document".to_owned());
        }
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn number(&mut self) -> Option<Value> {
        let bytes = &self.text.as_bytes()[self.at..];
        let digits = |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut end = usize::from(bytes.first() == Some(&b'-'));
        let whole = if bytes.get(end) == Some(&b'0') { 1 } else { digits(end) };
        if whole == 0 {
            return None;
        }
        end += whole;
        let integer_end = end;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
            let count = digits(end + 1 + sign);
            if count > 0 {
                end += 1 + sign + count;
            }
        }
        let text = &self.text[self.at..self.at + end];
        self.at += end;
        if end == integer_end { text.parse::<BigInt>().ok().map(Value::int) } else { text.parse().ok().map(Value::Float) }
    }

    fn array(&mut self) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            self.blanks();
            items.push(self.value()?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.error("Expecting ',' delimiter", self.at)),
            }
        }
        self.at += 1;
        Ok(Value::list(items))
    }

    fn object(&mut self) -> Result<Value, String> {
        self.at += 1;
        let mut map = Map::new();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::map(map));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.error("Expecting property name enclosed in double quotes", self.at));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.error("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.blanks();
            let value = self.value()?;
            map.insert(key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.error("Expecting ',' delimiter", self.at)),
            }
        }
        self.at += 1;
        Ok(Value::map(map))
    }

    fn string(&mut self) -> Result<String, String> {
        let start = self.at;
        self.at += 1;
        let mut string = String::new();
        loop {
            let Some(char) = self.text[self.at..].chars().next() else {
                return Err(self.error("Unterminated string starting at", start));
            };
            let place = self.at;
            self.at += char.len_utf8();
            match char {
                '"' => return Ok(string),
                '\\' => string.push(self.escape(start, place)?),
                '\0'..='\x1f' => return Err(self.error("Invalid control character at", place)),
                other => string.push(other),
            }
        }
    }

    fn escape(&mut self, start: usize, place: usize) -> Result<char, String> {
        let Some(char) = self.text[self.at..].chars().next() else {
            return Err(self.error("Unterminated string starting at", start));
        };
        self.at += char.len_utf8();
        Ok(match char {
            '"' | '\\' | '/' => char,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.unit()?;
                let rest = &self.text[self.at..];
                if (0xd800..0xdc00).contains(&first) && rest.starts_with("\\u") {
                    let back = self.at;
                    self.at += 2;
                    let second = self.unit()?;
                    if let Some(Ok(char)) = char::decode_utf16([first, second]).next() {
                        return Ok(char);
                    }
                    self.at = back;
                }
                char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(self.error("Invalid \\escape", place)),
        })
    }

    fn unit(&mut self) -> Result<u16, String> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) else {
            return Err(self.error("Invalid \\uXXXX escape", self.at.saturating_sub(1)));
        };
        self.at += 4;
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        let check = |text: &str, expected: &str| assert_eq!(dumps(&loads(text).unwrap(), &JsonOptions::default()), expected);
        check(
            r#" {"b": [1, 2.0, null, true, "\u00e9\ud83d\ude00"], "a": {}} "#,
            r#"{"b": [1, 2.0, null, true, "\u00e9\ud83d\ude00"], "a": {}}"#,
        );
        check("123456789012345678901234567890", "123456789012345678901234567890");
        check("[NaN, -Infinity, 1e400, -0, -0.0]", "[NaN, -Infinity, Infinity, 0, -0.0]");
        check(r#"{"a":1,"a":2}"#, r#"{"a": 2}"#);
    }

    #[test]
    fn refusals_are_python_s() {
        let check = |text: &str, expected: &str| assert_eq!(loads(text).unwrap_err(), expected, "{text}");
        check("", "Expecting value: line 1 column 1 (char 0)");
        check("[1", "Expecting ',' delimiter: line 1 column 3 (char 2)");
        check("{\"a\":1} x", "Extra data: line 1 column 9 (char 8)");
        check("{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)");
        check("['a']", "Expecting value: line 1 column 2 (char 1)");
        check("[1,\n]", "Expecting value: line 2 column 1 (char 4)");
        check("\"a", "Unterminated string starting at: line 1 column 1 (char 0)");
        check("\"\\q\"", "Invalid \\escape: line 1 column 2 (char 1)");
        check("01", "Extra data: line 1 column 2 (char 1)");
        check("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)");
    }
}

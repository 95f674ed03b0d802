//! Values of INI inventories: Python literals where they are such (`5`, `[1, 'x']`, `True`), else the text itself.

use std::str::FromStr as _;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Num as _;

use crate::source::Span;
use crate::value::{Key, Map, Text, Value};

/// Deeper nesting is left a text.
const MAX_DEPTH: usize = 90;

/// What `text`, written at `span`, stands for.
pub(super) fn value(text: &str, span: &Span) -> Value {
    literal(text, span).unwrap_or_else(|| trusted(text, span))
}

fn trusted(text: impl Into<Arc<str>>, span: &Span) -> Value {
    Value::Text(Text::trusted(text, Some(span.clone())))
}

fn literal(text: &str, span: &Span) -> Option<Value> {
    let mut reader = Reader { rest: text.trim_start_matches([' ', '\t']), span, depth: 0 };
    let value = reader.tuple()?;
    reader.blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
    span: &'t Span,
    depth: usize,
}

impl Reader<'_> {
    /// Blanks and a comment.
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\x0c']);
        if self.rest.starts_with('#') {
            self.rest = "";
        }
    }

    fn take(&mut self, sign: char) -> bool {
        self.blanks();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// `1`, or `1, 2` without parentheses.
    fn tuple(&mut self) -> Option<Value> {
        let first = self.item()?;
        if !self.take(',') {
            return Some(first);
        }
        let mut items = vec![first];
        loop {
            self.blanks();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Some(Value::list(items));
            }
            items.push(self.item()?);
            if !self.take(',') {
                return Some(Value::list(items));
            }
        }
    }

    fn item(&mut self) -> Option<Value> {
        self.blanks();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '[' => self.list()?,
            '(' => self.parentheses()?,
            '{' => self.braces()?,
            '-' | '+' => self.signed()?,
            '.' if self.rest.starts_with("...") => {
                self.rest = &self.rest[3..];
                trusted("...", self.span)
            }
            '0'..='9' | '.' => self.number()?,
            _ => self.word_or_text()?,
        };
        self.depth -= 1;
        Some(value)
    }

    fn list(&mut self) -> Option<Value> {
        self.take('[');
        let mut items = Vec::new();
        while !self.take(']') {
            items.push(self.item()?);
            if !self.take(',') {
                return self.take(']').then(|| Value::list(items));
            }
        }
        Some(Value::list(items))
    }

    fn parentheses(&mut self) -> Option<Value> {
        self.take('(');
        if self.take(')') {
            return Some(Value::list(Vec::new()));
        }
        let value = self.tuple()?;
        self.take(')').then_some(value)
    }

    /// A dict or a set, which becomes a list.
    fn braces(&mut self) -> Option<Value> {
        self.take('{');
        let mut map = Map::new();
        let mut set: Vec<Value> = Vec::new();
        while !self.take('}') {
            let key = self.item()?;
            let name = Key::new(key.clone())?;
            if self.take(':') && set.is_empty() {
                map.insert(name, self.item()?);
            } else if !map.is_empty() {
                return None;
            } else if !set.contains(&key) {
                set.push(key);
            }
            if !self.take(',') {
                self.take('}').then_some(())?;
                break;
            }
        }
        Some(if set.is_empty() { Value::map(map) } else { Value::list(set) })
    }

    fn signed(&mut self) -> Option<Value> {
        let negative = self.rest.starts_with('-');
        self.rest = &self.rest[1..];
        self.blanks();
        if !self.rest.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return None;
        }
        match self.number()? {
            value if !negative => Some(value),
            Value::Int(number) => Some(Value::int(-BigInt::from(number))),
            Value::BigInt(number) => Some(Value::int(-(*number).clone())),
            Value::Float(number) => Some(Value::Float(-number)),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Value> {
        self.plain_number().unwrap_or_else(|| self.any_number())
    }

    /// What most are: a short whole number, or an address, which is none. `None`: neither.
    fn plain_number(&mut self) -> Option<Option<Value>> {
        let bytes = self.rest.as_bytes();
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match bytes.get(digits) {
            None | Some(b' ' | b',' | b']' | b')' | b'}') if (1..=18).contains(&digits) && (digits == 1 || bytes[0] != b'0') => {
                let number = self.rest[..digits].parse().ok()?;
                self.rest = &self.rest[digits..];
                Some(Some(Value::Int(number)))
            }
            Some(b'.') => {
                let rest = bytes[digits + 1..].iter().find(|byte| !byte.is_ascii_digit());
                (rest == Some(&b'.')).then_some(None)
            }
            _ => None,
        }
    }

    fn any_number(&mut self) -> Option<Value> {
        let lower = self.rest.to_ascii_lowercase();
        let word = lower.char_indices().find(|(at, character)| {
            let exponent = matches!(character, '+' | '-') && lower[..*at].ends_with('e') && !lower.starts_with("0x");
            !(character.is_alphanumeric() || matches!(character, '_' | '.') || exponent)
        });
        let length = word.map_or(lower.len(), |(at, _)| at);
        let digits = &lower[..length];
        let is_wrong = |pair: &[u8]| matches!(pair, b"__" | b"_." | b"._" | b"_e" | b"e_");
        if digits.ends_with('_') || digits.as_bytes().windows(2).any(is_wrong) {
            return None;
        }
        let clean = digits.replace('_', "");
        // What has no like of it outside of Python is a text.
        if let Some(number) = clean.strip_suffix('j') {
            let number: f64 = number.parse().ok()?;
            self.rest = &self.rest[length..];
            return Some(trusted(format!("{number}j"), self.span));
        }
        let radix = |prefix: &str, radix| clean.strip_prefix(prefix).map(|rest| BigInt::from_str_radix(rest, radix).ok().map(Value::int));
        let value = if let Some(found) = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| radix("0b", 2)) {
            found?
        } else if clean.bytes().all(|byte| byte.is_ascii_digit()) {
            if clean.starts_with('0') && clean.bytes().any(|byte| byte != b'0') {
                return None;
            }
            Value::int(BigInt::from_str(&clean).ok()?)
        } else if clean.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-')) && clean != "." {
            Value::Float(clean.parse().ok()?)
        } else {
            return None;
        };
        self.rest = &self.rest[length..];
        Some(value)
    }

    fn word_or_text(&mut self) -> Option<Value> {
        let length = self.rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(length);
        if after.starts_with(['"', '\'']) {
            return self.texts();
        }
        self.rest = after;
        match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            "set" if after.replace([' ', '\t'], "").starts_with("()") => {
                self.rest = &after[after.find(')')? + 1..];
                Some(Value::list(Vec::new()))
            }
            _ => None,
        }
    }

    /// One text, or several side by side; bytes are texts too.
    fn texts(&mut self) -> Option<Value> {
        let mut all = String::new();
        let mut kind = None;
        loop {
            let length = self.rest.find(['"', '\'']).filter(|length| *length <= 2)?;
            let (raw, bytes) = match self.rest[..length].to_ascii_lowercase().as_str() {
                "" | "u" => (false, false),
                "r" => (true, false),
                "b" => (false, true),
                "br" | "rb" => (true, true),
                _ => return None,
            };
            if *kind.get_or_insert(bytes) != bytes {
                return None;
            }
            self.rest = &self.rest[length..];
            self.text(raw, &mut all)?;
            if bytes && !all.is_ascii() {
                return None;
            }
            self.blanks();
            let next = self.rest.trim_start_matches(['r', 'R', 'u', 'U', 'b', 'B']);
            if !next.starts_with(['"', '\'']) {
                return Some(trusted(all, self.span));
            }
        }
    }

    fn text(&mut self, raw: bool, out: &mut String) -> Option<()> {
        let quote = if self.rest.starts_with("\"\"\"") || self.rest.starts_with("'''") { &self.rest[..3] } else { &self.rest[..1] };
        self.rest = &self.rest[quote.len()..];
        loop {
            if let Some(rest) = self.rest.strip_prefix(quote) {
                self.rest = rest;
                return Some(());
            }
            let character = self.rest.chars().next()?;
            self.rest = &self.rest[character.len_utf8()..];
            match (character, raw) {
                ('\\', true) => {
                    let next = self.rest.chars().next()?;
                    self.rest = &self.rest[next.len_utf8()..];
                    out.extend(['\\', next]);
                }
                ('\\', false) => self.escape(out)?,
                _ => out.push(character),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        let sign = self.rest.chars().next()?;
        let octal = self.rest.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        let mut digits = |from: usize, length: usize, radix: u32| {
            let number = u32::from_str_radix(self.rest.get(from..from + length)?, radix).ok()?;
            self.rest = &self.rest[from + length..];
            char::from_u32(number)
        };
        let character = match sign {
            'x' => digits(1, 2, 16)?,
            'u' => digits(1, 4, 16)?,
            'U' => digits(1, 8, 16)?,
            '0'..='7' => digits(0, octal, 8)?,
            'N' => return None,
            _ => {
                self.rest = &self.rest[sign.len_utf8()..];
                match sign {
                    '\\' | '\'' | '"' => sign,
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\x0b',
                    other => {
                        out.push('\\');
                        other
                    }
                }
            }
        };
        out.push(character);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn values_are_python_literals_or_texts() {
        let cases = [
            ("\"5\"", "str \"5\""),
            ("5 # five", "int 5"),
            ("abc # five", "str \"abc # five\""),
            ("[1, 'x'] ", "list [1,\"x\"]"),
            ("'q' 'r'", "str \"qr\""),
            ("{\"a\": {1,2}, 'b': (1,)}", "dict {\"a\":[1,2],\"b\":[1]}"),
            ("", "str \"\""),
            ("-5", "int -5"),
            ("1_000", "int 1000"),
            ("{{ x }}", "str \"{{ x }}\""),
            ("r'\\n'", "str \"\\\\n\""),
            ("1+2j", "str \"1+2j\""),
            ("007", "str \"007\""),
            ("00", "int 0"),
            ("'a\\x41\\n'", "str \"aA\\n\""),
            ("\"\"\"x\"\"\"", "str \"x\""),
            ("(1)", "int 1"),
            ("1,2", "list [1,2]"),
            ("\"a # b\" # c", "str \"a # b\""),
            (".5", "float 0.5"),
            ("5.", "float 5.0"),
            ("f'x'", "str \"f'x'\""),
            ("not 1", "str \"not 1\""),
            ("[1,2", "str \"[1,2\""),
            ("#foo", "str \"#foo\""),
            ("1 ; x", "str \"1 ; x\""),
            ("0x1F", "int 31"),
            ("1e3", "float 1000.0"),
            ("10.0.0.1", "str \"10.0.0.1\""),
            ("--5", "str \"--5\""),
            ("1-2", "str \"1-2\""),
            ("{}", "dict {}"),
            ("None", "NoneType null"),
            ("yes", "str \"yes\""),
            ("it's", "str \"it's\""),
            ("12abc", "str \"12abc\""),
            ("1e-3", "float 0.001"),
            ("[..., 1j, 1.5j, set(), {1, 2}, b'x', rb'\\n']", "list [\"...\",\"1j\",\"1.5j\",[],[1,2],\"x\",\"\\\\n\"]"),
            ("b'x' b'y'", "str \"xy\""),
            ("b'x' 'y'", "str \"b'x' 'y'\""),
            ("...", "str \"...\""),
        ];
        let span = Span::new(&Source::named("t", ""), 0, 0);
        for (text, shown) in cases {
            let found = value(text, &span);
            assert_eq!(format!("{} {found:?}", found.type_name()), shown, "{text}");
        }
        assert_eq!(value(&"[".repeat(10_000), &span).type_name(), "str");
    }
}

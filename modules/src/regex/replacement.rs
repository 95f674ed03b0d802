//! The template of `re.sub`: `\1`, `\g<name>`, `\n`.

use super::translate::is_identifier;
use super::{Match, Pattern, RegexError};

/// A replacement, read for one pattern.
pub struct Replacement {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads the template; group numbers and names are checked against `pattern`.
    pub fn parse(template: &str, pattern: &Pattern) -> Result<Self, RegexError> {
        let mut reader = Reader { chars: template.chars().collect(), at: 0, pattern, parts: Vec::new() };
        while reader.at < reader.chars.len() {
            reader.step()?;
        }
        Ok(Self { parts: reader.parts })
    }

    /// Writes the replacement of one match.
    pub fn expand(&self, found: &Match, text: &str, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(number) => out.push_str(found.group(text, *number).unwrap_or_default()),
            }
        }
    }
}

struct Reader<'p> {
    chars: Vec<char>,
    at: usize,
    pattern: &'p Pattern,
    parts: Vec<Part>,
}

impl Reader<'_> {
    fn step(&mut self) -> Result<(), RegexError> {
        let start = self.at;
        let char = self.chars[start];
        self.at += 1;
        if char != '\\' {
            self.push(char);
            return Ok(());
        }
        let Some(char) = self.chars.get(self.at).copied() else {
            return Err(error("bad escape (end of pattern)", start));
        };
        self.at += 1;
        match char {
            'g' => self.named(start),
            '0' => {
                self.take_octal(2);
                self.push_octal(start)
            }
            '1'..='9' => {
                if self.digit().is_some() {
                    self.at += 1;
                    let octal = self.chars[start + 1..self.at].iter().all(|c| c.is_digit(8));
                    if octal && self.digit().is_some_and(|c| c.is_digit(8)) {
                        self.at += 1;
                        return self.push_octal(start);
                    }
                }
                let digits: String = self.chars[start + 1..self.at].iter().collect();
                self.group(digits.parse().expect("two digits are a number"), start + 1)
            }
            'a' => self.text('\x07'),
            'b' => self.text('\x08'),
            'f' => self.text('\x0c'),
            'n' => self.text('\n'),
            'r' => self.text('\r'),
            't' => self.text('\t'),
            'v' => self.text('\x0b'),
            '\\' => self.text('\\'),
            letter if letter.is_ascii_alphabetic() => Err(error(format!("bad escape \\{letter}"), start)),
            other => {
                self.push('\\');
                self.text(other)
            }
        }
    }

    fn named(&mut self, start: usize) -> Result<(), RegexError> {
        if self.chars.get(self.at) != Some(&'<') {
            return Err(error("missing <", start + 2));
        }
        let name_start = start + 3;
        let Some(end) = self.chars[name_start.min(self.chars.len())..].iter().position(|c| *c == '>').map(|at| at + name_start) else {
            let message = if name_start >= self.chars.len() { "missing group name" } else { "missing >, unterminated name" };
            return Err(error(message, name_start));
        };
        let name: String = self.chars[name_start..end].iter().collect();
        self.at = end + 1;
        if name.is_empty() {
            return Err(error("missing group name", name_start));
        }
        if name.chars().all(|c| c.is_ascii_digit()) {
            let number = name.parse().map_err(|_| error(format!("invalid group reference {name}"), name_start))?;
            return self.group(number, name_start);
        }
        if !is_identifier(&name) {
            return Err(error(format!("bad character in group name '{name}'"), name_start));
        }
        let number = self.pattern.group_number(&name).ok_or_else(|| RegexError::new(format!("unknown group name '{name}'")))?;
        self.group(number, name_start)
    }

    fn group(&mut self, number: usize, at: usize) -> Result<(), RegexError> {
        if number > self.pattern.group_count() {
            return Err(error(format!("invalid group reference {number}"), at));
        }
        self.parts.push(Part::Group(number));
        Ok(())
    }

    fn digit(&self) -> Option<char> {
        self.chars.get(self.at).copied().filter(char::is_ascii_digit)
    }

    fn take_octal(&mut self, most: usize) {
        for _ in 0..most {
            self.at += usize::from(self.digit().is_some_and(|c| c.is_digit(8)));
        }
    }

    fn push_octal(&mut self, start: usize) -> Result<(), RegexError> {
        let digits: String = self.chars[start + 1..self.at].iter().collect();
        let value = u32::from_str_radix(&digits, 8).expect("these are octal digits");
        let char = char::from_u32(value).expect("three octal digits are a character");
        if value > 0o377 {
            return Err(error(format!("octal escape value \\{digits} outside of range 0-0o377"), start));
        }
        self.text(char)
    }

    fn text(&mut self, char: char) -> Result<(), RegexError> {
        self.push(char);
        Ok(())
    }

    fn push(&mut self, char: char) {
        if let Some(Part::Text(text)) = self.parts.last_mut() {
            text.push(char);
        } else {
            self.parts.push(Part::Text(char.to_string()));
        }
    }
}

fn error(message: impl Into<String>, at: usize) -> RegexError {
    RegexError::new(format!("{} at position {at}", message.into()))
}

#[cfg(test)]
mod tests {
    use super::super::{Anchor, Flags, compile};
    use super::*;

    fn replace(pattern: &str, template: &str, text: &str) -> String {
        let pattern = compile(pattern, Flags::default(), Anchor::Anywhere).unwrap();
        match Replacement::parse(template, &pattern).and_then(|replacement| pattern.replace(text, &replacement, 0)) {
            Ok((text, _)) => text,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn templates_are_python_s() {
        let table = [
            ("(a)(b)?", r"<\1\2>", "ab a", "<ab> <a>"),
            ("(?P<x>a)", r"\g<x>\g<0>\g<1>", "a", "aaa"),
            ("a", r"\n\\\.\/", "a", "\n\\\\.\\/"),
            ("a", r"\0\101", "a", "\0A"),
            ("a", r"\1", "a", "invalid group reference 1 at position 1"),
            ("a", r"\q", "a", r"bad escape \q at position 0"),
            ("a", r"\g<y>", "a", "unknown group name 'y'"),
            ("a", "\\", "a", "bad escape (end of pattern) at position 0"),
            ("x*", "-", "abxd", "-a-b--d-"),
        ];
        for (pattern, template, text, expected) in table {
            assert_eq!(replace(pattern, template, text), expected, "{template}");
        }
    }
}

//! Reads Python's pattern syntax, refuses what Python refuses in its words, and writes the same pattern for `fancy-regex`.

use super::{Flags, RegexError};

/// A pattern in `fancy-regex`'s syntax.
#[derive(Debug)]
pub(super) struct Translated {
    /// The pattern, without any anchor around it.
    pub text: String,
    /// The names of the groups, by number; 0 is the whole match.
    pub names: Vec<Option<String>>,
}

/// Translates a whole pattern.
pub(super) fn translate(pattern: &str, flags: Flags) -> Result<Translated, RegexError> {
    Translator::new(pattern, flags).whole()
}

/// How deep groups may nest: each level is a call.
const MAX_DEPTH: usize = 200;
/// What no pattern of a playbook repeats beyond.
const UNBOUNDED: Option<usize> = None;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing at all, a comment: nothing to repeat.
    Empty,
    /// An anchor: cannot be repeated either.
    Anchor,
    /// Already repeated.
    Repeat,
    /// One unit, which a quantifier may follow as it stands.
    Atom,
}

struct Piece {
    text: String,
    kind: Kind,
    min: usize,
    max: Option<usize>,
}

impl Piece {
    fn atom(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Atom, min: 1, max: Some(1) }
    }

    fn anchor(text: impl Into<String>) -> Self {
        Self { text: text.into(), kind: Kind::Anchor, min: 0, max: Some(0) }
    }
}

/// A run of alternatives, and how wide it can be.
struct Branches {
    text: String,
    min: usize,
    max: Option<usize>,
}

struct Group {
    name: Option<String>,
    width: Option<(usize, Option<usize>)>,
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    flags: Flags,
    groups: Vec<Group>,
    depth: usize,
    look_behinds: Vec<usize>,
    conditions: Vec<(usize, usize)>,
}

impl Translator {
    fn new(pattern: &str, flags: Flags) -> Self {
        Self {
            chars: pattern.chars().collect(),
            at: 0,
            flags,
            groups: vec![Group { name: None, width: None }],
            depth: 0,
            look_behinds: Vec::new(),
            conditions: Vec::new(),
        }
    }

    fn whole(mut self) -> Result<Translated, RegexError> {
        let branches = self.branches(true)?;
        if self.peek().is_some() {
            return Err(self.error("unbalanced parenthesis", self.at));
        }
        for (group, at) in &self.conditions {
            if *group >= self.groups.len() {
                return Err(self.error(format!("invalid group reference {group}"), *at));
            }
        }
        let text = if self.flags.ignore_case { format!("(?i:{})", branches.text) } else { branches.text };
        Ok(Translated { text, names: self.groups.drain(..).map(|group| group.name).collect() })
    }

    fn error(&self, message: impl Into<String>, at: usize) -> RegexError {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        let place = if self.chars.contains(&'\n') { format!(" (line {line}, column {column})") } else { String::new() };
        RegexError::new(format!("{} at position {at}{place}", message.into()))
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += 1;
        Some(char)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn digits(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// `a|b|c`, up to a `)` or the end.
    fn branches(&mut self, first: bool) -> Result<Branches, RegexError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(RegexError::new(format!("groups nest deeper than {MAX_DEPTH}")));
        }
        let mut all = self.sequence(first)?;
        while self.eat('|') {
            let branch = self.sequence(false)?;
            all.text.push('|');
            all.text.push_str(&branch.text);
            all.min = all.min.min(branch.min);
            all.max = all.max.zip(branch.max).map(|(a, b)| a.max(b));
        }
        self.depth -= 1;
        Ok(all)
    }

    fn sequence(&mut self, first: bool) -> Result<Branches, RegexError> {
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some(char) = self.peek() {
            if matches!(char, '|' | ')') {
                break;
            }
            let start = self.at;
            self.at += 1;
            if self.flags.verbose {
                if matches!(char, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c') {
                    continue;
                }
                if char == '#' {
                    while self.next().is_some_and(|c| c != '\n') {}
                    continue;
                }
            }
            let piece = match char {
                '\\' => self.escape(start)?,
                '[' => self.class(start)?,
                '*' | '+' | '?' | '{' => match self.repeat(char, start, &mut pieces)? {
                    Some(piece) => piece,
                    None => literal('{'),
                },
                '.' if self.flags.dot_all => Piece::atom("(?s:.)"),
                '.' => Piece::atom("[^\\n]"),
                '^' if self.flags.multi_line => Piece::anchor("(?m:^)"),
                '^' => Piece::anchor("\\A"),
                '$' if self.flags.multi_line => Piece::anchor("(?m:$)"),
                '$' => Piece::anchor("(?=\\n?\\z)"),
                '(' => self.group(start, first && pieces.is_empty())?,
                other => literal(other),
            };
            if piece.kind != Kind::Empty {
                pieces.push(piece);
            }
        }
        Ok(pieces.into_iter().fold(Branches { text: String::new(), min: 0, max: Some(0) }, |all, piece| Branches {
            text: all.text + &piece.text,
            min: all.min.saturating_add(piece.min),
            max: all.max.zip(piece.max).map(|(a, b)| a.saturating_add(b)),
        }))
    }

    /// A quantifier behind the last piece; `None` for a `{` that is none.
    fn repeat(&mut self, char: char, start: usize, pieces: &mut Vec<Piece>) -> Result<Option<Piece>, RegexError> {
        let (min, max) = match char {
            '?' => (0, Some(1)),
            '*' => (0, UNBOUNDED),
            '+' => (1, UNBOUNDED),
            _ => match self.bounds()? {
                Some(bounds) => bounds,
                None => return Ok(None),
            },
        };
        let item = match pieces.pop() {
            None | Some(Piece { kind: Kind::Anchor | Kind::Empty, .. }) => return Err(self.error("nothing to repeat", start)),
            Some(Piece { kind: Kind::Repeat, .. }) => return Err(self.error("multiple repeat", start)),
            Some(item) => item,
        };
        let range = match (min, max) {
            (0, Some(1)) => "?".to_owned(),
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (min, None) => format!("{{{min},}}"),
            (min, Some(max)) => format!("{{{min},{max}}}"),
        };
        let mode = if self.eat('?') {
            "?"
        } else if self.eat('+') {
            "+"
        } else {
            ""
        };
        if item.max == Some(0) {
            // What takes no room holds as often as it likes; the engine refuses to repeat a look-around.
            let text = if min == 0 { String::new() } else { item.text };
            return Ok(Some(Piece { text, kind: Kind::Repeat, min: 0, max: Some(0) }));
        }
        // A possessive `{m,n}+` is not known to every engine; an atomic group says the same.
        let text = if mode == "+" { format!("(?>{}{range})", item.text) } else { format!("{}{range}{mode}", item.text) };
        let width = item.max.zip(max).map(|(a, b)| a.saturating_mul(b));
        Ok(Some(Piece { text, kind: Kind::Repeat, min: item.min.saturating_mul(min), max: width }))
    }

    fn bounds(&mut self) -> Result<Option<(usize, Option<usize>)>, RegexError> {
        let here = self.at;
        if self.peek() == Some('}') {
            return Ok(None);
        }
        let low = self.digits();
        let high = if self.eat(',') { self.digits() } else { low.clone() };
        if !self.eat('}') {
            self.at = here;
            return Ok(None);
        }
        let number = |digits: &str| digits.parse::<usize>().ok().filter(|n| *n < u32::MAX as usize);
        let too_large = || RegexError::new("the repetition number is too large");
        let min = if low.is_empty() { 0 } else { number(&low).ok_or_else(too_large)? };
        let max = if high.is_empty() { None } else { Some(number(&high).ok_or_else(too_large)?) };
        if max.is_some_and(|max| max < min) {
            return Err(self.error("min repeat greater than max repeat", here));
        }
        Ok(Some((min, max)))
    }

    fn escape(&mut self, start: usize) -> Result<Piece, RegexError> {
        let Some(char) = self.next() else {
            return Err(self.error("bad escape (end of pattern)", start));
        };
        match char {
            'A' => Ok(Piece::anchor("\\A")),
            'Z' => Ok(Piece::anchor("\\z")),
            'b' if self.flags.ascii => Ok(Piece::anchor(ASCII_EDGE)),
            'B' if self.flags.ascii => Ok(Piece::anchor(format!("(?!{ASCII_EDGE})"))),
            'b' => Ok(Piece::anchor("\\b")),
            'B' => Ok(Piece::anchor("\\B")),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(Piece::atom(category(char, self.flags.ascii))),
            '0' => {
                let mut value = 0;
                for _ in 0..2 {
                    if let Some(digit) = self.peek().and_then(|c| c.to_digit(8)) {
                        value = value * 8 + digit;
                        self.at += 1;
                    }
                }
                Ok(literal(char::from_u32(value).expect("two octal digits are a character")))
            }
            '1'..='9' => self.reference(start),
            _ => self.character_escape(char, start).map(literal),
        }
    }

    /// `\1`, or three octal digits.
    fn reference(&mut self, start: usize) -> Result<Piece, RegexError> {
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            let octal: String = self.chars[start + 1..(start + 4).min(self.chars.len())].iter().collect();
            if octal.len() == 3 && octal.chars().all(|c| c.is_digit(8)) {
                self.at += 1;
                return self.octal(&octal, start).map(literal);
            }
        }
        let number: usize = self.chars[start + 1..self.at].iter().collect::<String>().parse().expect("these are digits");
        if number >= self.groups.len() {
            return Err(self.error(format!("invalid group reference {number}"), start + 1));
        }
        self.group_reference(number, start)
    }

    fn group_reference(&self, number: usize, at: usize) -> Result<Piece, RegexError> {
        let Some((min, max)) = self.groups[number].width else {
            return Err(self.error("cannot refer to an open group", at));
        };
        if self.look_behinds.last().is_some_and(|first| number >= *first) {
            return Err(self.error("cannot refer to group defined in the same lookbehind subpattern", at));
        }
        Ok(Piece { text: format!("(?:\\{number})"), kind: Kind::Atom, min, max })
    }

    fn octal(&self, digits: &str, start: usize) -> Result<char, RegexError> {
        let value = u32::from_str_radix(digits, 8).expect("these are octal digits");
        if value > 0o377 {
            return Err(self.error(format!("octal escape value \\{digits} outside of range 0-0o377"), start));
        }
        Ok(char::from_u32(value).expect("it is below 256"))
    }

    /// What classes and sequences have in common.
    fn character_escape(&mut self, char: char, start: usize) -> Result<char, RegexError> {
        let escape = |translator: &Self| translator.chars[start..translator.at].iter().collect::<String>();
        let width = match char {
            'a' => return Ok('\x07'),
            'f' => return Ok('\x0c'),
            'n' => return Ok('\n'),
            'r' => return Ok('\r'),
            't' => return Ok('\t'),
            'v' => return Ok('\x0b'),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other if other.is_ascii_alphanumeric() => return Err(self.error(format!("bad escape {}", escape(self)), start)),
            other => return Ok(other),
        };
        let digits_start = self.at;
        while self.at < digits_start + width && self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
            self.at += 1;
        }
        if self.at < digits_start + width {
            return Err(self.error(format!("incomplete escape {}", escape(self)), start));
        }
        let digits: String = self.chars[digits_start..self.at].iter().collect();
        let value = u32::from_str_radix(&digits, 16).expect("these are hexadecimal digits");
        char::from_u32(value).ok_or_else(|| self.error(format!("bad escape {}", escape(self)), start))
    }

    fn class(&mut self, start: usize) -> Result<Piece, RegexError> {
        let unterminated = |translator: &Self| translator.error("unterminated character set", start);
        let mut text = if self.eat('^') { "[^".to_owned() } else { "[".to_owned() };
        let first = self.at;
        loop {
            let item_start = self.at;
            let Some(char) = self.next() else { return Err(unterminated(self)) };
            if char == ']' && item_start != first {
                break;
            }
            let low = self.class_item(char, item_start)?;
            if !self.eat('-') {
                low.write(&mut text);
                continue;
            }
            let high_start = self.at;
            let Some(char) = self.next() else { return Err(unterminated(self)) };
            if char == ']' {
                low.write(&mut text);
                ClassItem::Char('-').write(&mut text);
                break;
            }
            let high = self.class_item(char, high_start)?;
            match (low, high) {
                (ClassItem::Char(low), ClassItem::Char(high)) if low <= high => {
                    ClassItem::Char(low).write(&mut text);
                    text.push('-');
                    ClassItem::Char(high).write(&mut text);
                }
                _ => {
                    let range: String = self.chars[item_start..self.at].iter().collect();
                    return Err(self.error(format!("bad character range {range}"), item_start));
                }
            }
        }
        text.push(']');
        Ok(Piece::atom(text))
    }

    fn class_item(&mut self, char: char, start: usize) -> Result<ClassItem, RegexError> {
        if char != '\\' {
            return Ok(ClassItem::Char(char));
        }
        let Some(char) = self.next() else {
            return Err(self.error("bad escape (end of pattern)", start));
        };
        match char {
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Ok(ClassItem::Category(category(char, self.flags.ascii))),
            'b' => Ok(ClassItem::Char('\x08')),
            '0'..='7' => {
                while self.at < start + 4 && self.peek().is_some_and(|c| c.is_digit(8)) {
                    self.at += 1;
                }
                let digits: String = self.chars[start + 1..self.at].iter().collect();
                self.octal(&digits, start).map(ClassItem::Char)
            }
            _ => self.character_escape(char, start).map(ClassItem::Char),
        }
    }

    /// What follows a `(`.
    fn group(&mut self, start: usize, flags_allowed: bool) -> Result<Piece, RegexError> {
        if !self.eat('?') {
            return self.capture(None, start);
        }
        let end = |translator: &Self| translator.error("unexpected end of pattern", translator.at);
        let Some(char) = self.next() else { return Err(end(self)) };
        match char {
            'P' if self.eat('<') => {
                let name = self.name('>')?;
                self.check_name(&name)?;
                self.capture(Some(name), start)
            }
            'P' if self.eat('=') => {
                let name = self.name(')')?;
                self.check_name(&name)?;
                let at = self.at - 1 - name.chars().count();
                let number = self.group_number(&name).ok_or_else(|| self.error(format!("unknown group name '{name}'"), at))?;
                self.group_reference(number, at)
            }
            'P' => {
                let Some(char) = self.next() else { return Err(end(self)) };
                Err(self.error(format!("unknown extension ?P{char}"), start + 1))
            }
            ':' => self.enclosed("(?:", start),
            '>' => self.enclosed("(?>", start),
            '#' => {
                while let Some(char) = self.next() {
                    if char == ')' {
                        return Ok(Piece { text: String::new(), kind: Kind::Empty, min: 0, max: Some(0) });
                    }
                }
                Err(self.error("missing ), unterminated comment", start))
            }
            '=' => self.look("(?=", start),
            '!' => self.look("(?!", start),
            '<' => {
                let Some(char) = self.next() else { return Err(end(self)) };
                match char {
                    '=' => self.look_behind("(?<=", start),
                    '!' => self.look_behind("(?<!", start),
                    other => Err(self.error(format!("unknown extension ?<{other}"), start + 1)),
                }
            }
            '(' => self.conditional(start),
            '-' | 'i' | 'L' | 'm' | 's' | 'u' | 'x' | 'a' => self.inline_flags(char, start, flags_allowed),
            other => Err(self.error(format!("unknown extension ?{other}"), start + 1)),
        }
    }

    fn close(&mut self, start: usize) -> Result<(), RegexError> {
        if self.eat(')') { Ok(()) } else { Err(self.error("missing ), unterminated subpattern", start)) }
    }

    fn enclosed(&mut self, open: &str, start: usize) -> Result<Piece, RegexError> {
        let inner = self.branches(false)?;
        self.close(start)?;
        Ok(Piece { text: format!("{open}{})", inner.text), kind: Kind::Atom, min: inner.min, max: inner.max })
    }

    fn capture(&mut self, name: Option<String>, start: usize) -> Result<Piece, RegexError> {
        let number = self.groups.len();
        if let Some(name) = &name
            && let Some(old) = self.group_number(name)
        {
            let at = self.at - 1 - name.chars().count();
            return Err(self.error(format!("redefinition of group name '{name}' as group {number}; was group {old}"), at));
        }
        self.groups.push(Group { name, width: None });
        let piece = self.enclosed("(", start)?;
        self.groups[number].width = Some((piece.min, piece.max));
        Ok(piece)
    }

    fn look(&mut self, open: &str, start: usize) -> Result<Piece, RegexError> {
        let piece = self.enclosed(open, start)?;
        Ok(Piece { text: format!("(?:{})", piece.text), kind: Kind::Atom, min: 0, max: Some(0) })
    }

    fn look_behind(&mut self, open: &str, start: usize) -> Result<Piece, RegexError> {
        self.look_behinds.push(self.groups.len());
        let piece = self.enclosed(open, start)?;
        self.look_behinds.pop();
        if Some(piece.min) != piece.max {
            return Err(RegexError::new("look-behind requires fixed-width pattern"));
        }
        Ok(Piece { text: format!("(?:{})", piece.text), kind: Kind::Atom, min: 0, max: Some(0) })
    }

    fn conditional(&mut self, start: usize) -> Result<Piece, RegexError> {
        let name = self.name(')')?;
        let at = self.at - 1 - name.chars().count();
        let number = match name.parse::<usize>() {
            Ok(0) => return Err(self.error("bad group number", at)),
            Ok(number) => number,
            Err(_) => {
                self.check_name(&name)?;
                self.group_number(&name).ok_or_else(|| self.error(format!("unknown group name '{name}'"), at))?
            }
        };
        self.conditions.push((number, at));
        let yes = self.sequence(false)?;
        let no = if self.eat('|') { self.sequence(false)? } else { Branches { text: String::new(), min: 0, max: Some(0) } };
        if self.peek() == Some('|') {
            return Err(self.error("conditional backref with more than two branches", self.at));
        }
        self.close(start)?;
        let max = yes.max.zip(no.max).map(|(a, b)| a.max(b));
        let text = format!("(?:(?({number})(?:{})|(?:{})))", yes.text, no.text);
        Ok(Piece { text, kind: Kind::Atom, min: yes.min.min(no.min), max })
    }

    fn inline_flags(&mut self, first: char, start: usize, allowed: bool) -> Result<Piece, RegexError> {
        let mut flags = self.flags;
        let mut on = true;
        let mut seen_off = false;
        let mut char = first;
        loop {
            match char {
                '-' if on => on = false,
                ':' | ')' if on || seen_off => break,
                'L' => return Err(self.error("bad inline flags: cannot use 'L' flag with a str pattern", self.at)),
                'a' | 'u' if !on => {
                    return Err(self.error("bad inline flags: cannot turn off flags 'a', 'u' and 'L'", self.at));
                }
                'a' => flags.ascii = true,
                'u' => flags.ascii = false,
                'i' => flags.ignore_case = on,
                'm' => flags.multi_line = on,
                's' => flags.dot_all = on,
                'x' => flags.verbose = on,
                other if other.is_alphabetic() => return Err(self.error("unknown flag", self.at - 1)),
                _ => return Err(self.error("missing -, : or )", self.at - 1)),
            }
            seen_off |= !on && char != '-';
            let message = if on { "missing -, : or )" } else { "missing flag" };
            char = self.next().ok_or_else(|| self.error(message, self.at))?;
        }
        if char == ')' {
            if !on {
                return Err(self.error("missing :", self.at - 1));
            }
            if !allowed {
                return Err(self.error("global flags not at the start of the expression", start));
            }
            self.flags = flags;
            return Ok(Piece { text: String::new(), kind: Kind::Empty, min: 0, max: Some(0) });
        }
        let outer = std::mem::replace(&mut self.flags, flags);
        let open = if flags.ignore_case { "(?i:" } else { "(?-i:" };
        let piece = self.enclosed(open, start);
        self.flags = outer;
        piece
    }

    fn name(&mut self, terminator: char) -> Result<String, RegexError> {
        let start = self.at;
        while let Some(char) = self.next() {
            if char == terminator {
                let name: String = self.chars[start..self.at - 1].iter().collect();
                if name.is_empty() {
                    return Err(self.error("missing group name", self.at - 1));
                }
                return Ok(name);
            }
        }
        if self.at == start {
            return Err(self.error("missing group name", self.at));
        }
        Err(self.error(format!("missing {terminator}, unterminated name"), start))
    }

    fn check_name(&self, name: &str) -> Result<(), RegexError> {
        if is_identifier(name) {
            return Ok(());
        }
        Err(self.error(format!("bad character in group name '{name}'"), self.at - 1 - name.chars().count()))
    }

    fn group_number(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|group| group.name.as_deref() == Some(name))
    }
}

enum ClassItem {
    Char(char),
    Category(&'static str),
}

impl ClassItem {
    fn write(&self, text: &mut String) {
        match self {
            Self::Char(char) if char.is_ascii_alphanumeric() || !char.is_ascii() => text.push(*char),
            Self::Char(char) => text.push_str(&format!("\\x{{{:X}}}", u32::from(*char))),
            Self::Category(category) => text.push_str(category),
        }
    }
}

fn literal(char: char) -> Piece {
    match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '/' | ':' | ',' | '=' | '"' | '\'' | '@' | '%' | '!' | ';' => Piece::atom(char),
        char if char.is_ascii() => Piece::atom(format!("\\x{{{:X}}}", u32::from(char))),
        char => Piece::atom(char),
    }
}

/// `\b` between ASCII's words.
const ASCII_EDGE: &str = "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))";

/// Python's classes: its words have no marks, its blanks have the four separators of ASCII.
fn category(char: char, ascii: bool) -> &'static str {
    match (char, ascii) {
        ('d', false) => "\\d",
        ('D', false) => "\\D",
        ('w', false) => "[\\p{L}\\p{N}_]",
        ('W', false) => "[^\\p{L}\\p{N}_]",
        ('s', false) => "[\\s\\x{1C}-\\x{1F}]",
        ('S', false) => "[^\\s\\x{1C}-\\x{1F}]",
        ('d', true) => "[0-9]",
        ('D', true) => "[^0-9]",
        ('w', true) => "[0-9A-Za-z_]",
        ('W', true) => "[^0-9A-Za-z_]",
        ('s', true) => "[\\x{9}-\\x{D}\\x{20}]",
        _ => "[^\\x{9}-\\x{D}\\x{20}]",
    }
}

/// Whether Python takes it as a name.
pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
}

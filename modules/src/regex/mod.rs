//! Python's `re` over `fancy-regex`: same syntax, same errors, same matches (an empty match may follow a non-empty one).
//! Templates on the controller and modules on the managed host read patterns with it. The one file that names the engine;
//! `translate.rs` reads the syntax, `replacement.rs` the templates of `sub`.

mod replacement;
mod translate;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fancy_regex::{Regex, RegexBuilder};

pub use replacement::Replacement;

/// The flags of `re.compile`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    /// `re.A`: classes are ASCII's.
    pub ascii: bool,
    /// `re.S`: `.` takes line ends too.
    pub dot_all: bool,
    /// `re.I`.
    pub ignore_case: bool,
    /// `re.M`: `^` and `$` at every line.
    pub multi_line: bool,
    /// `re.X`: blanks and comments are skipped.
    pub verbose: bool,
}

/// Where a match must lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// `re.search`: anywhere.
    Anywhere,
    /// `re.match`: at the start.
    Start,
    /// `re.fullmatch`: from start to end.
    Both,
}

/// A pattern that Python refuses, or a match that takes too long; in Python's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError {
    message: String,
}

impl RegexError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for RegexError {}

/// A compiled pattern.
pub struct Pattern {
    source: String,
    regex: Regex,
    /// The same, refusing an empty match where the search starts: what Python does after an empty match.
    advancing: OnceLock<Regex>,
    names: Vec<Option<String>>,
}

/// One match: the byte ranges of its groups, 0 the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    groups: Vec<Option<(usize, usize)>>,
}

impl Match {
    /// The whole match.
    pub fn range(&self) -> (usize, usize) {
        self.groups[0].expect("group 0 is the whole match")
    }

    /// The characters of a group in the text that was searched; `None` if it took no part.
    pub fn group<'t>(&self, text: &'t str, number: usize) -> Option<&'t str> {
        let (start, end) = (*self.groups.get(number)?)?;
        Some(&text[start..end])
    }
}

/// How many steps back a search may take, so that no pattern hangs a run.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// How many compiled patterns are kept.
const CACHE_SIZE: usize = 512;

type CacheKey = (String, Flags, Anchor);

/// A compiled pattern, from the cache if it was asked for before.
pub fn compile(pattern: &str, flags: Flags, anchor: Anchor) -> Result<Arc<Pattern>, RegexError> {
    static CACHE: OnceLock<Mutex<HashMap<CacheKey, Arc<Pattern>>>> = OnceLock::new();
    let cache = || CACHE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let key = (pattern.to_owned(), flags, anchor);
    if let Some(found) = cache().get(&key) {
        return Ok(Arc::clone(found));
    }
    let compiled = Arc::new(Pattern::new(pattern, flags, anchor)?);
    let mut cache = cache();
    if cache.len() >= CACHE_SIZE {
        cache.clear();
    }
    cache.insert(key, Arc::clone(&compiled));
    Ok(compiled)
}

/// `re.escape`.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(
            char,
            '(' | ')' | '[' | ']' | '{' | '}' | '?' | '*' | '+' | '-' | '|' | '^' | '$' | '\\' | '.' | '&' | '~' | '#' | ' ' | '\t'..='\r'
        ) {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

impl Pattern {
    fn new(pattern: &str, flags: Flags, anchor: Anchor) -> Result<Self, RegexError> {
        let translated = translate::translate(pattern, flags)?;
        let source = match anchor {
            Anchor::Anywhere => translated.text,
            Anchor::Start => format!("\\A(?:{})", translated.text),
            Anchor::Both => format!("\\A(?:{})\\z", translated.text),
        };
        let regex = build(&source)?;
        Ok(Self { source, regex, advancing: OnceLock::new(), names: translated.names })
    }

    /// How many groups there are, without the whole match.
    pub fn group_count(&self) -> usize {
        self.names.len() - 1
    }

    /// The number of a named group.
    pub fn group_number(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known.as_deref() == Some(name))
    }

    /// The named groups and their numbers.
    pub fn named_groups(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().enumerate().filter_map(|(number, name)| Some((name.as_deref()?, number)))
    }

    /// The first match.
    pub fn search(&self, text: &str) -> Result<Option<Match>, RegexError> {
        find(&self.regex, text, 0)
    }

    /// Whether there is a match.
    pub fn is_match(&self, text: &str) -> Result<bool, RegexError> {
        Ok(self.search(text)?.is_some())
    }

    /// All matches that do not overlap; `limit` 0 is none.
    pub fn find_all(&self, text: &str, limit: usize) -> Result<Vec<Match>, RegexError> {
        let mut matches = Vec::new();
        let mut from = 0;
        let mut must_advance = false;
        while limit == 0 || matches.len() < limit {
            let regex = if must_advance { self.advancing()? } else { &self.regex };
            let Some(found) = find(regex, text, from)? else { break };
            let (start, end) = found.range();
            must_advance = start == end;
            from = end;
            matches.push(found);
        }
        Ok(matches)
    }

    /// `re.subn`: the text with its matches replaced, and how many there were.
    pub fn replace(&self, text: &str, replacement: &Replacement, limit: usize) -> Result<(String, usize), RegexError> {
        let matches = self.find_all(text, limit)?;
        let mut replaced = String::with_capacity(text.len());
        let mut copied = 0;
        for found in &matches {
            let (start, end) = found.range();
            replaced.push_str(&text[copied..start]);
            replacement.expand(found, text, &mut replaced);
            copied = end;
        }
        replaced.push_str(&text[copied..]);
        Ok((replaced, matches.len()))
    }

    /// `re.split`: the pieces between matches, with the groups of each match.
    pub fn split<'t>(&self, text: &'t str, limit: usize) -> Result<Vec<Option<&'t str>>, RegexError> {
        let mut pieces = Vec::new();
        let mut copied = 0;
        for found in self.find_all(text, limit)? {
            let (start, end) = found.range();
            pieces.push(Some(&text[copied..start]));
            pieces.extend((1..=self.group_count()).map(|number| found.group(text, number)));
            copied = end;
        }
        pieces.push(Some(&text[copied..]));
        Ok(pieces)
    }

    fn advancing(&self) -> Result<&Regex, RegexError> {
        if let Some(regex) = self.advancing.get() {
            return Ok(regex);
        }
        let regex = build(&format!("(?:{})(?!\\G)", self.source))?;
        Ok(self.advancing.get_or_init(|| regex))
    }
}

fn build(source: &str) -> Result<Regex, RegexError> {
    RegexBuilder::new(source)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(64 << 20)
        .build()
        .map_err(|error| RegexError::new(format!("the pattern cannot be compiled: {error}")))
}

fn find(regex: &Regex, text: &str, from: usize) -> Result<Option<Match>, RegexError> {
    let captures = regex.captures_from_pos(text, from).map_err(|error| RegexError::new(format!("the search was given up: {error}")))?;
    Ok(captures.map(|captures| Match { groups: captures.iter().map(|group| group.map(|group| (group.start(), group.end()))).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> String {
        match compile(pattern, Flags::default(), Anchor::Anywhere).and_then(|pattern| pattern.find_all(text, 0)) {
            Ok(found) => found.iter().map(|m| format!("{:?}", &text[m.range().0..m.range().1])).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn matches_are_python_s() {
        let table = [
            ("a*", "baac", r#""" "aa" "" """#),
            ("a*?", "aa", r#""" "a" "" "a" """#),
            ("|a", "a", r#""" "a" """#),
            ("^a$", "a\n", r#""a""#),
            (r"^a\Z", "a\n", ""),
            ("(?m)^.$", "a\nb", r#""a" "b""#),
            ("(?s)a.b", "a\nb", r#""a\nb""#),
            ("a.b", "a\nb", ""),
            (r"[[a&&b]", "[&x", r#""[" "&""#),
            (r"[\w-]+", "a-b c", r#""a-b" "c""#),
            (r"[^\W\d]+", "a1b", r#""a" "b""#),
            (r"(\w)\1", "aabbc", r#""aa" "bb""#),
            (r"(?P<x>a)(?P=x)", "aa", r#""aa""#),
            (r"(a)?(?(1)b|c)", "abc", r#""ab" "c""#),
            (r"(?<=a)b", "ab", r#""b""#),
            (r"(?<!a)b", "abb", r#""b""#),
            (r"a{,2}", "aaa", r#""aa" "a" """#),
            (r"a{x", "a{x", r#""a{x""#),
            (r"a{2}{3}", "a", "multiple repeat at position 4"),
            (r"\x41\u0042\103", "ABC", r#""ABC""#),
            (r"\<b\>", "<b>", r#""<b>""#),
            (r"(?i)É", "é", r#""é""#),
            (r"(?x) a b # c", "ab", r#""ab""#),
            (r"(?i:a)b", "Ab AB", r#""Ab""#),
            ("a++a", "aaa", ""),
            ("(?>a+)a", "aaa", ""),
            (r"(?:x|y){2}", "xyx", r#""xy""#),
            ("[]a]", "]", r#""]""#),
            ("(?=a)*b", "b", r#""b""#),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn refusals_are_python_s() {
        let table = [
            ("(", "missing ), unterminated subpattern at position 0"),
            (")", "unbalanced parenthesis at position 0"),
            ("[a", "unterminated character set at position 0"),
            ("*", "nothing to repeat at position 0"),
            ("^*", "nothing to repeat at position 1"),
            ("a**", "multiple repeat at position 2"),
            ("\\", "bad escape (end of pattern) at position 0"),
            (r"\z", r"bad escape \z at position 0"),
            (r"\h", r"bad escape \h at position 0"),
            (r"[\z]", r"bad escape \z at position 1"),
            (r"\xa", r"incomplete escape \xa at position 0"),
            (r"\1", "invalid group reference 1 at position 1"),
            (r"(\1)", "cannot refer to an open group at position 1"),
            ("[b-a]", "bad character range b-a at position 1"),
            (r"[\w-a]", r"bad character range \w-a at position 1"),
            ("a{3,2}", "min repeat greater than max repeat at position 2"),
            ("(?<n>a)", "unknown extension ?<n at position 1"),
            ("(?P>a)", "unknown extension ?P> at position 1"),
            ("(?P<1>a)", "bad character in group name '1' at position 4"),
            ("(?P<a>a)(?P<a>a)", "redefinition of group name 'a' as group 2; was group 1 at position 12"),
            ("(?P=b)", "unknown group name 'b' at position 4"),
            ("(?<=a*)b", "look-behind requires fixed-width pattern"),
            ("a(?i)", "global flags not at the start of the expression at position 1"),
            ("(?", "unexpected end of pattern at position 2"),
            ("(?#a", "missing ), unterminated comment at position 0"),
            ("a\n(", "missing ), unterminated subpattern at position 2 (line 2, column 1)"),
            ("(?(2)a|b)", "invalid group reference 2 at position 3"),
        ];
        for (pattern, expected) in table {
            assert_eq!(matches(pattern, "x"), expected, "{pattern}");
        }
    }

    #[test]
    fn every_python_pattern_of_the_translator_compiles() {
        for pattern in [r"\s\S\d\D\w\W\b\B\A\Z", r"[\s\S\d\D\w\W]", "a+?b*?c??d{1,2}?", "(((a)))", "(?a)\\w\\b", "(?:)", "|", "", "(?!)"] {
            assert!(compile(pattern, Flags::default(), Anchor::Both).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn a_bomb_is_an_error() {
        let text = "x".repeat(60);
        assert!(matches(r"(x+x+)+(?=y)\1", &text).contains("given up"));
    }
}

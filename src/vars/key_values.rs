//! `key=value` texts: `-e a=1 b='x y'`, and the arguments of ad-hoc commands. Quotes and template blocks hold a word together.

use std::ops::Range;

/// A text that cannot be split.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("failed at splitting arguments, either an unbalanced jinja2 block or quotes: {0}")]
pub struct SplitError(pub String);

/// A text taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeyValues {
    /// The words with `=`.
    pub options: Vec<KeyValue>,
    /// The words without `=`, as written: `_raw_params`.
    pub raw: Option<String>,
}

/// A key and its value, with the places in the text where they are written.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// What stands before the first `=`, be it in a template or in quotes.
    pub key: String,
    /// Unquoted and unescaped.
    pub value: String,
    /// Where the key stands.
    pub key_at: Range<usize>,
    /// Where the value stands, with its quotes.
    pub value_at: Range<usize>,
}

/// Takes `text` apart. Where `known` is given (`command` and its kin), only these keys are options, and all else is raw.
pub fn key_values(text: &str, known: Option<&[&str]>) -> Result<KeyValues, SplitError> {
    let mut found = KeyValues::default();
    let mut raw = String::new();
    for word in split_words(text)? {
        let written = &text[word.clone()];
        let plain = unescape(written);
        let at = separator(&plain);
        let key = at.map(|at| &plain[..at]);
        match (key, at) {
            (Some(key), Some(at)) if known.is_none_or(|known| known.contains(&key)) => {
                let sign = word.start + separator(written).unwrap_or(0);
                found.options.push(KeyValue {
                    key: key.trim().to_owned(),
                    value: unquote(plain[at + 1..].trim()).to_owned(),
                    key_at: word.start..sign,
                    value_at: (sign + 1).min(word.end)..word.end,
                });
            }
            _ => {
                if !raw.is_empty() && !raw.ends_with('\n') {
                    raw.push(' ');
                }
                raw += written;
                if text[word.end..].starts_with('\n') {
                    raw.push('\n');
                }
            }
        }
    }
    found.raw = (!raw.is_empty()).then(|| raw.trim_end_matches('\n').to_owned());
    Ok(found)
}

/// The words of `text`, at blanks and line breaks that are in no quotes and no template block.
pub fn split_words(text: &str) -> Result<Vec<Range<usize>>, SplitError> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote: Option<char> = None;
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        let pair = (previous, character);
        match character {
            ' ' | '\n' if quote.is_none() && depth == 0 => {
                words.extend(start.take().map(|start| start..at));
                previous = character;
                continue;
            }
            '"' | '\'' if previous != '\\' => match quote {
                Some(open) if open == character => quote = None,
                Some(_) => {}
                None => quote = Some(character),
            },
            _ => {}
        }
        match pair {
            ('{', '{' | '%' | '#') => depth += 1,
            ('}' | '%' | '#', '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        // `}}}` ends one block, not two.
        previous = if matches!(pair, ('{', '{') | ('}', '}')) { ' ' } else { character };
        start.get_or_insert(at);
    }
    if quote.is_some() || depth > 0 {
        return Err(SplitError(text.to_owned()));
    }
    words.extend(start.map(|start| start..text.len()));
    Ok(words)
}

/// The first `=` that is not at the begin and not behind a backslash.
fn separator(text: &str) -> Option<usize> {
    text.match_indices('=').map(|(at, _)| at).find(|at| *at > 0 && text.as_bytes()[at - 1] != b'\\')
}

/// Without the quotes around it.
pub(crate) fn unquote(text: &str) -> &str {
    let quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote) && !text.ends_with(&format!("\\{quote}"));
    if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text }
}

/// Python's escapes made into their characters.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out += &rest[..at];
        let (character, length) = escape(&rest[at + 1..]);
        match character {
            Some(character) => out.push(character),
            None => out += &rest[at..=at + length],
        }
        rest = &rest[at + 1 + length..];
    }
    out + rest
}

/// The character that stands behind a backslash, and how many bytes it took; `None` leaves them as written.
fn escape(text: &str) -> (Option<char>, usize) {
    let number = |from: usize, length: usize, radix: u32| {
        let digits = text.get(from..from + length)?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?).map(|character| (Some(character), from + length))
    };
    let simple = |character: char| Some((Some(character), 1));
    let found = match text.chars().next() {
        Some('x') => number(1, 2, 16),
        Some('u') => number(1, 4, 16),
        Some('U') => number(1, 8, 16),
        Some('0'..='7') => number(0, text.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count(), 8),
        Some(character @ ('\\' | '\'' | '"')) => simple(character),
        Some('a') => simple('\x07'),
        Some('b') => simple('\x08'),
        Some('f') => simple('\x0c'),
        Some('n') => simple('\n'),
        Some('r') => simple('\r'),
        Some('t') => simple('\t'),
        Some('v') => simple('\x0b'),
        _ => None,
    };
    found.unwrap_or((None, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, options: &[(&str, &str)], raw: Option<&str>) {
        let found = key_values(text, None).unwrap();
        let shown: Vec<(&str, &str)> = found.options.iter().map(|option| (option.key.as_str(), option.value.as_str())).collect();
        assert_eq!((shown.as_slice(), found.raw.as_deref()), (options, raw), "{text}");
    }

    #[test]
    fn words_are_held_together_by_quotes_and_blocks() {
        check("a=1 b=\"x y\" foo", &[("a", "1"), ("b", "x y")], Some("foo"));
        check("a='[1, 2]' b={{ c | default('d e') }}", &[("a", "[1, 2]"), ("b", "{{ c | default('d e') }}")], None);
        check("a=\\\\n b=\\n c=x\\=y", &[("a", "\\n"), ("b", ""), ("c", "x\\=y")], None);
        check("a= \\d", &[("a", "")], Some("\\d"));
        check("msg={{ 'a=b' }} {{ x == 2 }} =c", &[("msg", "{{ 'a=b' }}"), ("{{ x", "= 2 }}")], Some("=c"));
        check("a={'x': 1}", &[("a", "{'x':")], Some("1}"));
        assert!(key_values("a=it's", None).is_err());
        assert!(key_values("a={{ b", None).is_err());
    }

    #[test]
    fn free_form_keeps_what_it_does_not_know() {
        let found = key_values("echo a=b  chdir=/x c\nd", Some(&["chdir"])).unwrap();
        assert_eq!(found.raw.as_deref(), Some("echo a=b c\nd"));
        assert_eq!(found.options[0].key, "chdir");
    }
}

//! POSIX shell text: quoting words so that a shell reads them back, and splitting a line into words as Python's `shlex.split` does.

use std::borrow::Cow;

/// `word` as a shell reads it back; unchanged when it needs no quotes.
pub fn quote(word: &str) -> Cow<'_, str> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "@%+=:,./-_".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', "'\"'\"'")))
}

/// Words as one command line.
pub fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Why a text is no list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A quote is never closed.
    #[error("No closing quotation")]
    Quotation,
    /// The text ends with a backslash.
    #[error("No escaped character")]
    Escape,
}

/// The words of `text`. `#` starts no comment.
pub fn split(text: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(character) = chars.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().ok_or(SplitError::Escape)?),
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), SplitError> {
    for character in chars {
        if character == '\'' {
            return Ok(());
        }
        word.push(character);
    }
    Err(SplitError::Quotation)
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), SplitError> {
    while let Some(character) = chars.next() {
        match character {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or(SplitError::Escape)? {
                escaped @ ('"' | '\\') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            other => word.push(other),
        }
    }
    Err(SplitError::Quotation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &[&str]) {
        assert_eq!(split(text).unwrap(), words);
    }

    #[test]
    fn words_are_split_as_python_splits_them() {
        check("", &[]);
        check("  ", &[]);
        check("a b\tc\nd", &["a", "b", "c", "d"]);
        check("-o 'ProxyCommand=ssh -W %h:%p jump' -p2222", &["-o", "ProxyCommand=ssh -W %h:%p jump", "-p2222"]);
        check(r#"a\ b "c\"d\\e\f" 'g\h'"#, &["a b", r#"c"d\e\f"#, r"g\h"]);
        check("'' \"\" a''b", &["", "", "ab"]);
        check("a #b", &["a", "#b"]);
        check(r"a\'b", &["a'b"]);
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert_eq!(split("a 'b"), Err(SplitError::Quotation));
        assert_eq!(split("a \"b"), Err(SplitError::Quotation));
        assert_eq!(split("a \\"), Err(SplitError::Escape));
        assert_eq!(split("\"a\\"), Err(SplitError::Escape));
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        for word in ["", "plain", "two words", "it's", "$HOME", "a\nb", "ünï", "~", "a;b", "-x", "\\", "\"", "a=b:c,d@e%f+g"] {
            check(&quote(word), &[word]);
        }
        assert_eq!(quote("a/b"), "a/b");
        assert_eq!(quote("it's"), r#"'it'"'"'s'"#);
        assert_eq!(join(["echo", "a b", ""]), "echo 'a b' ''");
    }
}

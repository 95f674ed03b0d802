//! Command lines as words: Python's `shlex.split` and `shlex.quote`.

use crate::{Failure, Result};

/// The words of a command line, quotes and backslashes taken away.
pub fn split(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => {
                let escaped = letters.next().ok_or_else(|| Failure::new("No escaped character"))?;
                word.get_or_insert_default().push(escaped);
            }
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or_else(|| Failure::new("No closing quotation"))? {
                        '\'' => break,
                        inner => word.push(inner),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or_else(|| Failure::new("No closing quotation"))? {
                        '"' => break,
                        '\\' => match letters.next().ok_or_else(|| Failure::new("No closing quotation"))? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        inner => word.push(inner),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// A word as a shell reads it back.
pub fn quote(word: &str) -> String {
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "@%+=:,./-_".contains(letter);
    if !word.is_empty() && word.chars().all(safe) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\"'\"'")) }
}

/// Words as one line that a shell reads back.
pub fn join<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|word| quote(word.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_words_and_back() {
        let check = |line: &str, words: &[&str]| assert_eq!(split(line).unwrap(), words, "{line}");
        check("echo  'a b' \"c \\\" \\d\"e f\\ g", &["echo", "a b", "c \" \\de", "f g"]);
        check("", &[]);
        check("a '' b", &["a", "", "b"]);
        check("printf 'a\\n'", &["printf", "a\\n"]);
        assert_eq!(split("ls 'a").unwrap_err().message(), "No closing quotation");
        assert_eq!(join(&["a", "b c", "it's", ""]), "a 'b c' 'it'\"'\"'s' ''");
    }
}

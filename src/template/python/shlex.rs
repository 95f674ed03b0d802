//! Python's `shlex`: quoting for a POSIX shell, and splitting as one.

/// `shlex.quote`.
pub fn quote(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '%' | '+' | '=' | ':' | ',' | '.' | '/' | '-')) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// `shlex.split(text)` without comments; the error is Python's.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No escaped character")? {
                            escaped @ ('"' | '\\') => word.push(escaped),
                            other => word.extend(['\\', other]),
                        },
                        other => word.push(other),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_python_s() {
        for (text, expected) in [("", "''"), ("a/b-c", "a/b-c"), ("a b", "'a b'"), ("it's", "'it'\"'\"'s'"), ("é", "'é'")] {
            assert_eq!(quote(text), expected);
        }
    }

    #[test]
    fn splitting_is_python_s() {
        assert_eq!(split(r#"a 'b c' "d\"e" f\ g '' "\x""#).unwrap(), ["a", "b c", "d\"e", "f g", "", "\\x"]);
        assert_eq!(split("a 'b").unwrap_err(), "No closing quotation");
    }
}

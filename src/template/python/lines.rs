//! Lines as Python's `splitlines` finds them: more than `\n` ends one.

const ENDS: [char; 10] = ['\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];

/// The lines without their ends.
pub fn split_lines(text: &str) -> Vec<&str> {
    pairs(text).map(|(line, _)| line).collect()
}

/// The lines with their ends.
pub fn split_keeping_ends(text: &str) -> Vec<&str> {
    pairs(text).map(|(_, line)| line).collect()
}

fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let at = rest.find(ENDS).unwrap_or(rest.len());
        let end = if rest[at..].starts_with("\r\n") { 2 } else { rest[at..].chars().next().map_or(0, char::len_utf8) };
        let found = (&rest[..at], &rest[..at + end]);
        rest = &rest[at + end..];
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_break_of_python_ends_a_line() {
        let text = "a\r5%\rb\r\nc\x0bd\x0ce\x1cf\x1dg\x1eh\u{85}i\u{2028}j\u{2029}k\n\nl\n\n";
        assert_eq!(split_lines(text), ["a", "5%", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "", "l", ""]);
        assert_eq!(split_keeping_ends(text).concat(), text);
        assert_eq!(split_keeping_ends("a\r\nb"), ["a\r\n", "b"]);
        assert!(split_lines("").is_empty());
    }
}

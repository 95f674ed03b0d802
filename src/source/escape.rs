//! Bytes that are no UTF-8 in texts, as Python's `surrogateescape` keeps them: each is one character that nobody uses (the last of
//! the last private plane), and a byte again where the text goes to a file.

use std::borrow::Cow;

/// The characters for the bytes 0x80 to 0xff.
const ESCAPES: std::ops::RangeInclusive<char> = '\u{10ff80}'..='\u{10ffff}';

/// The text of the bytes.
pub fn decode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if ESCAPES.contains(&char) {
                // Else it could not be told from an escaped byte.
                text.extend(char.encode_utf8(&mut [0; 4]).bytes().map(escaped));
            } else {
                text.push(char);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(escaped));
    }
    text
}

/// The byte that this character stands for.
pub fn byte_of(char: char) -> Option<u8> {
    ESCAPES.contains(&char).then(|| (u32::from(char) & 0xff) as u8)
}

/// The text for a screen: a question mark for such bytes.
pub fn shown(text: &str) -> Cow<'_, str> {
    // All these characters begin with this byte.
    if !text.as_bytes().contains(&0xf4) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut was_escaped = false;
    for char in text.chars() {
        let is_escaped = byte_of(char).is_some();
        match (is_escaped, was_escaped) {
            (true, false) => out.push('?'),
            (true, true) => {}
            (false, _) => out.push(char),
        }
        was_escaped = is_escaped;
    }
    Cow::Owned(out)
}

fn escaped(byte: u8) -> char {
    char::from_u32(0x10_ff00 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_bytes_are_shown_as_question_marks() {
        assert_eq!(shown(&decode(b"caf\xe9, a\xff\xfeb \xf0\x9f\x98\x80")), "caf?, a?b \u{1f600}");
        assert_eq!(shown("caf\u{e9}"), "caf\u{e9}");
    }
}

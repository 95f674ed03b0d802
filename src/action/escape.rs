//! Bytes that are no UTF-8 on their way through a template, as Python's `surrogateescape` lets them through: each is one character that
//! nobody uses (the last of the last private plane), and a byte again in what was rendered.

use crate::template::python::codec::Codec;

/// The characters for the bytes 0x80 to 0xff.
const ESCAPES: std::ops::RangeInclusive<char> = '\u{10ff80}'..='\u{10ffff}';

/// The text of the bytes.
pub(super) fn decode(bytes: &[u8]) -> String {
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

/// The bytes of a text that has escaped ones.
pub(super) fn encode(codec: Codec, text: &str) -> Result<Vec<u8>, String> {
    if let (Codec::Wide { bytes, .. }, Some(position)) = (codec, text.chars().position(|char| ESCAPES.contains(&char))) {
        let byte = text.chars().find_map(byte_of).unwrap_or_default();
        let name = bytes * 8;
        return Err(format!("'utf-{name}' codec can't encode character '\\udc{byte:02x}' in position {position}: surrogates not allowed"));
    }
    let mut encoded = Vec::new();
    // Only what comes first has a mark before it.
    let mut codec = codec;
    for part in text.split_inclusive(|char| ESCAPES.contains(&char)) {
        let last = part.chars().next_back().and_then(byte_of);
        let plain = part.trim_end_matches(|char| ESCAPES.contains(&char));
        encoded.extend(codec.encode(plain, "strict")?);
        encoded.extend(last);
        if let Codec::Utf8 { marked } = &mut codec {
            *marked = false;
        }
    }
    Ok(encoded)
}

fn escaped(byte: u8) -> char {
    char::from_u32(0x10_ff00 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte_of(char: char) -> Option<u8> {
    ESCAPES.contains(&char).then(|| (u32::from(char) & 0xff) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_utf8_come_through() {
        let utf8 = Codec::Utf8 { marked: false };
        for bytes in [&b"caf\xe9 \xc3\xa9\n"[..], b"a\xff\xfe\0b", b"\xf4\x8f\xbf\xbf\xff", b"\xed\xb3\xa9", b"\xe2\x82"] {
            assert_eq!(encode(utf8, &decode(bytes)).unwrap(), bytes);
        }
        assert_eq!(decode(b"\xe9").chars().count(), 1);
        assert_eq!(encode(Codec::Latin1, &decode(b"\xe9\xc3\xa9")).unwrap(), b"\xe9\xe9");
        assert_eq!(encode(Codec::Utf8 { marked: true }, &decode(b"a\xe9b")).unwrap(), b"\xef\xbb\xbfa\xe9b");
        let refused = encode(Codec::named("utf-16").unwrap(), &decode(b"caf\xe9")).unwrap_err();
        assert_eq!(refused, "'utf-16' codec can't encode character '\\udce9' in position 3: surrogates not allowed");
    }
}

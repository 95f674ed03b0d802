//! Texts with bytes that are no UTF-8 on their way to a host.

use crate::source::escape::byte_of;
use crate::template::python::codec::Codec;

/// The bytes of a text that has escaped ones.
pub(super) fn encode(codec: Codec, text: &str) -> Result<Vec<u8>, String> {
    if let (Codec::Wide { bytes, .. }, Some(position)) = (codec, text.chars().position(is_escaped)) {
        let byte = text.chars().find_map(byte_of).unwrap_or_default();
        let name = bytes * 8;
        return Err(format!("'utf-{name}' codec can't encode character '\\udc{byte:02x}' in position {position}: surrogates not allowed"));
    }
    let mut encoded = Vec::new();
    // Only what comes first has a mark before it.
    let mut codec = codec;
    for part in text.split_inclusive(is_escaped) {
        let last = part.chars().next_back().and_then(byte_of);
        let plain = part.trim_end_matches(is_escaped);
        encoded.extend(codec.encode(plain, "strict")?);
        encoded.extend(last);
        if let Codec::Utf8 { marked } = &mut codec {
            *marked = false;
        }
    }
    Ok(encoded)
}

fn is_escaped(char: char) -> bool {
    byte_of(char).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::escape::decode;

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

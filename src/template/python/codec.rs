//! Python's codecs: texts to bytes and back, by the names that Python has for encodings.

use crate::source::escape;
use encoding_rs::Encoding;

/// An encoding.
#[derive(Clone, Copy, Debug)]
pub enum Codec {
    /// `ascii`
    Ascii,
    /// `latin-1`
    Latin1,
    /// `utf-8`
    Utf8 {
        /// `utf-8-sig`: it starts with a mark.
        marked: bool,
    },
    /// `utf-16`, `utf-32` and their kin; those without an order start with a mark.
    Wide {
        /// Bytes of one unit.
        bytes: usize,
        /// Their order, where the name says it.
        order: Option<Order>,
    },
    /// One of the many of the web.
    Other(&'static Encoding),
}

/// Which byte is first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The high one.
    Big,
    /// The low one.
    Little,
}

impl Codec {
    /// The encoding of this name; the error is Python's.
    pub fn named(name: &str) -> Result<Self, String> {
        let wide = |bytes, order| Self::Wide { bytes, order };
        Ok(match name.to_lowercase().replace(['_', ' '], "-").as_str() {
            "ascii" | "us-ascii" | "646" => Self::Ascii,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => Self::Latin1,
            "utf-8" | "utf8" | "u8" | "utf" | "cp65001" => Self::Utf8 { marked: false },
            "utf-8-sig" => Self::Utf8 { marked: true },
            "utf-16" | "utf16" | "u16" => wide(2, None),
            "utf-16-le" | "utf-16le" => wide(2, Some(Order::Little)),
            "utf-16-be" | "utf-16be" => wide(2, Some(Order::Big)),
            "utf-32" | "utf32" | "u32" => wide(4, None),
            "utf-32-le" | "utf-32le" => wide(4, Some(Order::Little)),
            "utf-32-be" | "utf-32be" => wide(4, Some(Order::Big)),
            other => {
                // Python writes `cp1252` and `iso8859-15` for what the web calls `windows-1252` and `iso-8859-15`.
                let spelled = other.strip_prefix("cp").map(|page| format!("windows-{page}"));
                let labels = [Some(other.to_owned()), spelled, Some(other.replace('-', "_"))];
                match labels.into_iter().flatten().find_map(|label| Encoding::for_label_no_replacement(label.as_bytes())) {
                    Some(encoding) => Self::Other(encoding),
                    None => return Err(format!("unknown encoding: {name}")),
                }
            }
        })
    }

    /// The bytes of a text; `errors` says what becomes of characters that it has not.
    pub fn encode(self, text: &str, errors: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Utf8 { marked } => {
                let mut out = if marked { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
                for (position, char) in text.chars().enumerate() {
                    match escape::byte_of(char) {
                        None => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
                        Some(byte) if errors == "surrogateescape" => out.push(byte),
                        Some(byte) => {
                            return Err(format!(
                                "'utf-8' codec can't encode character '\\udc{byte:02x}' in position {position}: surrogates not allowed"
                            ));
                        }
                    }
                }
                Ok(out)
            }
            Self::Wide { bytes, order } => {
                let mark = if order.is_none() { "\u{feff}" } else { "" };
                let chars = mark.chars().chain(text.chars());
                let numbers: Vec<u32> = if bytes == 2 {
                    let mut units = [0; 2];
                    chars.flat_map(|char| char.encode_utf16(&mut units).iter().map(|unit| u32::from(*unit)).collect::<Vec<_>>()).collect()
                } else {
                    chars.map(u32::from).collect()
                };
                let in_order = |number: u32| match order {
                    Some(Order::Big) => number.to_be_bytes()[4 - bytes..].to_vec(),
                    _ => number.to_le_bytes()[..bytes].to_vec(),
                };
                Ok(numbers.into_iter().flat_map(in_order).collect())
            }
            Self::Ascii | Self::Latin1 | Self::Other(_) => {
                let mut out = Vec::new();
                for (position, char) in text.chars().enumerate() {
                    match self.encode_char(char) {
                        Some(bytes) => out.extend(bytes),
                        None => out.extend(self.substitute(char, position, errors)?),
                    }
                }
                Ok(out)
            }
        }
    }

    fn encode_char(self, char: char) -> Option<Vec<u8>> {
        match self {
            Self::Ascii => char.is_ascii().then(|| vec![char as u8]),
            Self::Latin1 => u8::try_from(u32::from(char)).ok().map(|byte| vec![byte]),
            Self::Other(encoding) => {
                let mut buffer = [0; 4];
                let (bytes, _, unmappable) = encoding.encode(char.encode_utf8(&mut buffer));
                (!unmappable).then(|| bytes.into_owned())
            }
            Self::Utf8 { .. } | Self::Wide { .. } => unreachable!("these have every character"),
        }
    }

    fn substitute(self, char: char, position: usize, errors: &str) -> Result<Vec<u8>, String> {
        let number = u32::from(char);
        let escaped = match number {
            0..=0xff => format!("\\x{number:02x}"),
            0x100..=0xffff => format!("\\u{number:04x}"),
            _ => format!("\\U{number:08x}"),
        };
        Ok(match errors {
            "ignore" => Vec::new(),
            "replace" => b"?".to_vec(),
            "xmlcharrefreplace" => format!("&#{number};").into_bytes(),
            "backslashreplace" => escaped.into_bytes(),
            "strict" | "surrogateescape" => {
                let (name, reason) = match self {
                    Self::Ascii => ("ascii".to_owned(), "ordinal not in range(128)"),
                    Self::Latin1 => ("latin-1".to_owned(), "ordinal not in range(256)"),
                    _ => ("charmap".to_owned(), "character maps to <undefined>"),
                };
                return Err(format!("'{name}' codec can't encode character '{escaped}' in position {position}: {reason}"));
            }
            other => return Err(format!("unknown error handler name '{other}'")),
        })
    }

    /// The text of bytes; `errors` says what becomes of those that mean nothing.
    pub fn decode(self, bytes: &[u8], errors: &str) -> Result<String, String> {
        match self {
            Self::Utf8 { marked } => {
                let bytes = if marked { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
                decode_utf8(bytes, errors)
            }
            Self::Latin1 => Ok(bytes.iter().copied().map(char::from).collect()),
            Self::Ascii => {
                let mut out = String::new();
                for (position, byte) in bytes.iter().enumerate() {
                    match (byte.is_ascii(), errors) {
                        (true, _) => out.push(char::from(*byte)),
                        (false, "ignore") => {}
                        (false, "replace") => out.push(char::REPLACEMENT_CHARACTER),
                        (false, "surrogateescape") => out.push_str(&escape::decode(&[*byte])),
                        (false, _) => {
                            return Err(format!(
                                "'ascii' codec can't decode byte 0x{byte:02x} in position {position}: ordinal not in range(128)"
                            ));
                        }
                    }
                }
                Ok(out)
            }
            Self::Wide { bytes: width, order } => decode_wide(bytes, width, order),
            Self::Other(encoding) => {
                let (text, wrong) = encoding.decode_without_bom_handling(bytes);
                if wrong && errors == "strict" {
                    return Err("'charmap' codec can't decode bytes: character maps to <undefined>".to_owned());
                }
                Ok(text.into_owned())
            }
        }
    }
}

fn decode_utf8(bytes: &[u8], errors: &str) -> Result<String, String> {
    match (std::str::from_utf8(bytes), errors) {
        (Ok(text), _) => Ok(text.to_owned()),
        (Err(_), "replace") => Ok(String::from_utf8_lossy(bytes).into_owned()),
        (Err(_), "surrogateescape") => Ok(escape::decode(bytes)),
        (Err(_), "ignore") => Ok(bytes.utf8_chunks().map(|chunk| chunk.valid()).collect()),
        (Err(error), _) => {
            let at = error.valid_up_to();
            let byte = bytes.get(at).copied().unwrap_or_default();
            let reason = match error.error_len() {
                None => "unexpected end of data",
                Some(_) if !(0xc2..=0xf4).contains(&byte) => "invalid start byte",
                Some(_) => "invalid continuation byte",
            };
            Err(format!("'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {reason}"))
        }
    }
}

fn decode_wide(bytes: &[u8], width: usize, order: Option<Order>) -> Result<String, String> {
    let (order, bytes) = match (order, bytes.get(..width)) {
        (Some(order), _) => (order, bytes),
        (None, Some([0xff, 0xfe, ..])) => (Order::Little, &bytes[width..]),
        (None, Some([0xfe, 0xff] | [0, 0, 0xfe, 0xff])) => (Order::Big, &bytes[width..]),
        (None, _) => (Order::Little, bytes),
    };
    let name = format!("utf-{}-{}e", width * 8, if order == Order::Big { 'b' } else { 'l' });
    let failed = |at: usize, reason: &str| {
        let byte = bytes.get(at).copied().unwrap_or_default();
        format!("'{name}' codec can't decode byte 0x{byte:02x} in position {at}: {reason}")
    };
    if !bytes.len().is_multiple_of(width) {
        return Err(failed(bytes.len() / width * width, "truncated data"));
    }
    let numbers = bytes.chunks_exact(width).map(|unit| {
        let fold = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        if order == Order::Big { unit.iter().fold(0, fold) } else { unit.iter().rev().fold(0, fold) }
    });
    if width == 4 {
        return numbers
            .enumerate()
            .map(|(at, number)| char::from_u32(number).ok_or_else(|| failed(at * 4, "code point not in range(0x110000)")))
            .collect();
    }
    let units = numbers.map(|number| u16::try_from(number).unwrap_or_default());
    char::decode_utf16(units).map(|char| char.map_err(|_| failed(0, "illegal encoding"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_python_s() {
        let encoded = |name: &str, text: &str| Codec::named(name).unwrap().encode(text, "strict");
        assert_eq!(encoded("latin-1", "é"), Ok(vec![0xe9]));
        assert_eq!(encoded("UTF_16", "é"), Ok(vec![0xff, 0xfe, 0xe9, 0]));
        assert_eq!(encoded("utf-32-be", "é"), Ok(vec![0, 0, 0, 0xe9]));
        assert_eq!(encoded("cp1252", "€"), Ok(vec![0x80]));
        assert_eq!(
            encoded("ascii", "é"),
            Err("'ascii' codec can't encode character '\\xe9' in position 0: ordinal not in range(128)".into())
        );
        assert_eq!(Codec::named("nope").err(), Some("unknown encoding: nope".into()));
    }

    #[test]
    fn texts_come_back() {
        for name in ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252", "koi8-r", "shift_jis"] {
            let codec = Codec::named(name).unwrap();
            let text = if name == "koi8-r" {
                "жук"
            } else if name == "shift_jis" {
                "日本"
            } else {
                "é"
            };
            assert_eq!(codec.decode(&codec.encode(text, "strict").unwrap(), "strict").as_deref(), Ok(text), "{name}");
        }
    }
}

//! How a text file's bytes become text and back, with Python's words for what does not fit.

use crate::{Failure, Result};

/// What stands before a marked UTF-8 text.
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// The encodings that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// US-ASCII.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16; with a mark of its byte order where neither is named.
    Utf16(ByteOrder),
    /// UTF-8.
    Utf8,
    /// UTF-8 behind a mark.
    Utf8Marked,
}

/// In which order the bytes of a unit stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The high one first.
    Big,
    /// The low one first.
    Little,
    /// As the mark before the text says; little where the text is made.
    Marked,
}

impl Encoding {
    /// The encoding that Python calls so.
    pub fn from_name(name: &str) -> Result<Self> {
        let plain: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.as_str() {
            "utf8" | "u8" | "utf" | "cp65001" => Ok(Self::Utf8),
            "ascii" | "usascii" | "646" => Ok(Self::Ascii),
            "utf8sig" => Ok(Self::Utf8Marked),
            "utf16" | "u16" => Ok(Self::Utf16(ByteOrder::Marked)),
            "utf16le" => Ok(Self::Utf16(ByteOrder::Little)),
            "utf16be" => Ok(Self::Utf16(ByteOrder::Big)),
            "latin1" | "latin" | "l1" | "iso88591" | "88591" | "cp819" => Ok(Self::Latin1),
            _ => Err(Failure::new(format!(
                "`encoding` `{name}` is not supported: expected `utf-8`, `utf-8-sig`, `utf-16`, `ascii` or `latin-1`"
            ))),
        }
    }

    /// The text of a file.
    pub fn decode(self, bytes: Vec<u8>) -> Result<String> {
        let refuse = |at: usize, byte: u8, why: &str| {
            Err(Failure::new(format!("'{}' codec can't decode byte {byte:#04x} in position {at}: {why}", self.name())))
        };
        match self {
            Self::Latin1 => Ok(bytes.into_iter().map(char::from).collect()),
            Self::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(at) => refuse(at, bytes[at], "ordinal not in range(128)"),
                None => Ok(bytes.into_iter().map(char::from).collect()),
            },
            Self::Utf16(order) => {
                let (order, bytes) = match (order, bytes.as_slice()) {
                    (ByteOrder::Marked, [0xff, 0xfe, rest @ ..]) => (ByteOrder::Little, rest),
                    (ByteOrder::Marked, [0xfe, 0xff, rest @ ..]) => (ByteOrder::Big, rest),
                    (order, all) => (order, all),
                };
                let unit = |pair: &[u8]| match (order, pair) {
                    (ByteOrder::Big, [high, low]) | (_, [low, high]) => u16::from_be_bytes([*high, *low]),
                    // The half of a unit is no character.
                    _ => 0xd800,
                };
                let units: Vec<u16> = bytes.chunks(2).map(unit).collect();
                let mut at = 0;
                let chars = char::decode_utf16(units.iter().copied()).map(|char| {
                    at += 1;
                    char.or_else(|_| refuse((at - 1) * 2, bytes[(at - 1) * 2], "illegal encoding").map(|_| ' '))
                });
                chars.collect()
            }
            Self::Utf8Marked => {
                let rest = bytes.strip_prefix(&MARK).map(<[u8]>::to_vec);
                Self::Utf8.decode(rest.unwrap_or(bytes))
            }
            Self::Utf8 => match String::from_utf8(bytes) {
                Ok(text) => Ok(text),
                Err(error) => {
                    let at = error.utf8_error().valid_up_to();
                    let byte = error.as_bytes()[at];
                    let why = match (error.utf8_error().error_len(), byte) {
                        (None, _) => "unexpected end of data",
                        (_, 0x80..=0xc1 | 0xf5..) => "invalid start byte",
                        _ => "invalid continuation byte",
                    };
                    refuse(at, byte, why)
                }
            },
        }
    }

    /// The bytes of a text.
    pub fn encode(self, text: &str) -> Result<Vec<u8>> {
        let limit = match self {
            Self::Utf8 => return Ok(text.as_bytes().to_vec()),
            Self::Utf8Marked => return Ok([&MARK, text.as_bytes()].concat()),
            Self::Utf16(order) => {
                let mark = (order == ByteOrder::Marked).then_some(0xfeff);
                let bytes = |unit: u16| if order == ByteOrder::Big { unit.to_be_bytes() } else { unit.to_le_bytes() };
                return Ok(mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect());
            }
            Self::Latin1 => 256,
            Self::Ascii => 128,
        };
        let encoded = text.chars().enumerate().map(|(at, char)| {
            u8::try_from(u32::from(char)).ok().filter(|byte| u32::from(*byte) < limit).ok_or_else(|| {
                let shown = match u32::from(char) {
                    code @ ..=0xff => format!("\\x{code:02x}"),
                    code @ ..=0xffff => format!("\\u{code:04x}"),
                    code => format!("\\U{code:08x}"),
                };
                let name = self.name();
                Failure::new(format!("'{name}' codec can't encode character '{shown}' in position {at}: ordinal not in range({limit})"))
            })
        });
        encoded.collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Latin1 => "latin-1",
            Self::Utf16(_) => "utf-16",
            Self::Utf8 | Self::Utf8Marked => "utf-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn texts_come_back_as_they_went() {
        for name in ["utf-8", "UTF_16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"] {
            let encoding = Encoding::from_name(name).unwrap();
            assert_eq!(encoding.decode(encoding.encode("caf\u{e9}\n").unwrap()).unwrap(), "caf\u{e9}\n", "{name}");
        }
        let bytes = |name: &str| Encoding::from_name(name).unwrap().encode("\u{e9}");
        assert_eq!(bytes("utf-16").unwrap(), [0xff, 0xfe, 0xe9, 0]);
        assert_eq!(bytes("utf-16-be").unwrap(), [0, 0xe9]);
        assert_eq!(bytes("latin-1").unwrap(), [0xe9]);
        assert!(bytes("ascii").unwrap_err().message().contains("'ascii' codec can't encode character '\\xe9' in position 0"));
        assert!(Encoding::from_name("utf-16").unwrap().decode(vec![1, 2, 3]).is_err());
    }
}

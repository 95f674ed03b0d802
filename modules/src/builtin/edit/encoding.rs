//! How a text file's bytes become text and back, with Python's words for what does not fit.

use crate::{Failure, Result};

/// The encodings that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// US-ASCII.
    Ascii,
    /// ISO 8859-1.
    Latin1,
    /// UTF-8.
    Utf8,
}

impl Encoding {
    /// The encoding that Python calls so.
    pub fn from_name(name: &str) -> Result<Self> {
        let plain: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.as_str() {
            "utf8" | "u8" | "utf" | "cp65001" => Ok(Self::Utf8),
            "ascii" | "usascii" | "646" => Ok(Self::Ascii),
            "latin1" | "latin" | "l1" | "iso88591" | "88591" | "cp819" => Ok(Self::Latin1),
            _ => Err(Failure::new(format!(
                "`encoding` `{name}` is not supported: text files are read as `utf-8`, `ascii` or `latin-1` here"
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
            Self::Utf8 => "utf-8",
        }
    }
}

//! Python's `bytes`: `!!binary` of YAML, and what `encode` gives.

use std::fmt::Write as _;
use std::sync::Arc;

use super::Text;
use crate::source::escape;

/// Immutable bytes.
#[derive(Clone)]
pub struct Bytes {
    bytes: Arc<[u8]>,
    secret: bool,
}

impl Bytes {
    /// Bytes that are not secret.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), secret: false }
    }

    /// The same bytes, secret if so.
    #[must_use]
    pub fn secret_if(self, secret: bool) -> Self {
        Self { secret: self.secret || secret, ..self }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether they are never shown.
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// The text they are, as results show it: what is no UTF-8 is escaped.
    pub fn to_text(&self) -> String {
        escape::decode(&self.bytes)
    }

    /// The same as a value: secret where they are.
    pub fn decoded(&self) -> Text {
        let text = Text::from(self.to_text());
        if self.secret { text.into_secret() } else { text }
    }

    /// `b'…'`
    pub fn repr(&self) -> String {
        let quote = if self.bytes.contains(&b'\'') && !self.bytes.contains(&b'"') { '"' } else { '\'' };
        let mut out = format!("b{quote}");
        for byte in &*self.bytes {
            match byte {
                b'\t' => out.push_str("\\t"),
                b'\n' => out.push_str("\\n"),
                b'\r' => out.push_str("\\r"),
                b'\\' => out.push_str("\\\\"),
                byte if char::from(*byte) == quote => out.extend(['\\', quote]),
                b' '..=b'~' => out.push(char::from(*byte)),
                byte => {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
        }
        out.push(quote);
        out
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_python_does() {
        assert_eq!(Bytes::new(*b"a\xff'\n").repr(), r#"b"a\xff'\n""#);
        assert_eq!(Bytes::new(*b"'\"\\").repr(), r#"b'\'"\\'"#);
    }
}

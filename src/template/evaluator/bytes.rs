//! Python's `bytes`: what `encode` gives. They become a text again when they leave the render.

use std::rc::Rc;

use super::super::python::codec::Codec;
use super::super::{Arguments, Object, Result, TemplateError, Val};
use super::Evaluator;
use super::object::native;
use crate::value::Text;

/// Bytes made of a text.
pub struct Bytes {
    bytes: Rc<[u8]>,
    /// Whether a secret text was encoded.
    is_secret: bool,
}

impl Bytes {
    /// `text.encode(encoding, errors)`
    pub fn of(text: &Text, encoding: &str, errors: &str) -> Result<Val> {
        let bytes = Codec::named(encoding).and_then(|codec| codec.encode(text.as_str(), errors)).map_err(TemplateError::conversion)?;
        Ok(Val::Object(Rc::new(Self { bytes: bytes.into(), is_secret: text.is_secret() })))
    }

    fn text(&self, chars: String) -> Text {
        if self.is_secret { Text::from(chars).into_secret() } else { Text::from(chars) }
    }
}

impl Object for Bytes {
    fn type_name(&self) -> &str {
        "bytes"
    }

    fn print(&self) -> String {
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
                byte => out += &format!("\\x{byte:02x}"),
            }
        }
        out.push(quote);
        out
    }

    fn is_secret(&self) -> bool {
        self.is_secret
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        let (bytes, is_secret) = (Rc::clone(&self.bytes), self.is_secret);
        let own = Self { bytes, is_secret };
        Ok(match name {
            "decode" => Some(native("decode", move |evaluator, mut arguments: Arguments| {
                let mut named = |name: &str, index: usize, default: &str| match arguments
                    .take(name)
                    .or_else(|| arguments.positional.get(index).cloned())
                {
                    Some(val) => evaluator.text(&val),
                    None => Ok(Text::from(default)),
                };
                let (encoding, errors) = (named("encoding", 0, "utf-8")?, named("errors", 1, "strict")?);
                let decoded = Codec::named(encoding.as_str()).and_then(|codec| codec.decode(&own.bytes, errors.as_str()));
                Ok(Val::from(own.text(decoded.map_err(TemplateError::conversion)?)))
            })),
            "hex" => Some(native("hex", move |_, _| Ok(Val::from(own.text(own.bytes.iter().map(|byte| format!("{byte:02x}")).collect()))))),
            _ => None,
        })
    }

    fn items(&self) -> Option<Vec<Val>> {
        Some(self.bytes.iter().map(|byte| Val::from(i64::from(*byte))).collect())
    }

    fn as_bytes(&self) -> Option<&[u8]> {
        Some(&self.bytes)
    }
}

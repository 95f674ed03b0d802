//! Methods of `bytes`, and the one that makes some.

use super::super::super::python::codec::Codec;
use super::super::super::{Result, TemplateError, Val};
use super::Call;
use crate::value::{Bytes, Text, Value};

/// The methods there are.
pub const METHODS: &[&str] = &["decode", "hex"];

/// `text.encode(encoding, errors)`
pub fn encode(text: &Text, encoding: &str, errors: &str) -> Result<Val> {
    let bytes = Codec::named(encoding).and_then(|codec| codec.encode(text.as_str(), errors)).map_err(TemplateError::conversion)?;
    Ok(Val::Plain(Value::Bytes(Bytes::new(bytes).secret_if(text.is_secret()))))
}

/// Calls the method `name` of bytes.
pub fn call(bytes: &Bytes, name: &str, call: &Call) -> Result<Val> {
    let made = match name {
        "decode" => {
            call.expect(0, 2)?;
            let (encoding, errors) = (call.text(0, "encoding")?.unwrap_or("utf-8"), call.text(1, "errors")?.unwrap_or("strict"));
            let decoded = Codec::named(encoding).and_then(|codec| codec.decode(bytes.as_slice(), errors));
            decoded.map_err(TemplateError::conversion)?
        }
        _ => {
            call.expect(0, 0)?;
            bytes.as_slice().iter().map(|byte| format!("{byte:02x}")).collect()
        }
    };
    let text = Text::from(made);
    Ok(Val::from(if bytes.is_secret() { text.into_secret() } else { text }))
}

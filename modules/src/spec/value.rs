//! What a field of an options struct can be: each type knows its kind, and how a checked value becomes it.

use std::path::PathBuf;

use super::{Kind, Table, text};
use crate::host::Environment;
use crate::{Json, JsonMap};

/// A type that an option's value can have.
pub trait ArgValue: Sized {
    /// Its kind in the option table.
    const KIND: Kind;
    /// Of a list: what its elements are.
    const ELEMENTS: Option<Kind> = None;

    /// The only texts it may be; empty: any.
    fn choices() -> &'static [&'static str] {
        &[]
    }

    /// The options inside it.
    fn suboptions() -> Option<Table> {
        None
    }

    /// Reads a checked value.
    fn from_json(json: Json, environment: &Environment) -> Result<Self, String>;
}

/// A closed set of texts: see `#[derive(Choice)]`.
pub trait Choice: Sized + 'static {
    /// All of them.
    const NAMES: &'static [&'static str];

    /// The text of this one.
    fn name(&self) -> &'static str;

    /// The one with this text.
    fn from_name(name: &str) -> Option<Self>;
}

/// A size in bytes, written as `10M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// A size in bits, written as `10Mb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits(pub u64);

/// Anything, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonText(pub String);

/// Reads an option that has to be there, or has a default.
pub fn read_required<T: ArgValue>(args: &mut JsonMap, name: &str, environment: &Environment) -> Result<T, String> {
    // Null where it is written so: Ansible takes it for an empty text.
    let json = args.remove(name).ok_or_else(|| format!("missing required arguments: {name}"))?;
    T::from_json(json, environment).map_err(|why| format!("argument '{name}': {why}"))
}

/// Reads an option that may be left out.
pub fn read_optional<T: ArgValue>(args: &mut JsonMap, name: &str, environment: &Environment) -> Result<Option<T>, String> {
    match args.remove(name) {
        None | Some(Json::Null) => Ok(None),
        Some(json) => T::from_json(json, environment).map(Some).map_err(|why| format!("argument '{name}': {why}")),
    }
}

impl ArgValue for String {
    const KIND: Kind = Kind::Str;

    fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
        Ok(match json {
            Json::String(text) => text,
            Json::Null => Self::new(),
            other => text(&other),
        })
    }
}

impl ArgValue for PathBuf {
    const KIND: Kind = Kind::Path;

    fn from_json(json: Json, environment: &Environment) -> Result<Self, String> {
        String::from_json(json, environment).map(|path| environment.expand_path(&path))
    }
}

impl ArgValue for bool {
    const KIND: Kind = Kind::Bool;

    fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
        json.as_bool().ok_or_else(|| format!("expected a bool, found {json}"))
    }
}

macro_rules! whole_number {
    ($($ty:ty)*) => {$(
        impl ArgValue for $ty {
            const KIND: Kind = Kind::Int;

            fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
                json.as_i64()
                    .and_then(|number| Self::try_from(number).ok())
                    .ok_or_else(|| format!("expected a whole number from {} to {}, found {json}", Self::MIN, Self::MAX))
            }
        }
    )*};
}

whole_number!(i64 i32 u64 u32 u16);

impl ArgValue for f64 {
    const KIND: Kind = Kind::Float;

    fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
        json.as_f64().ok_or_else(|| format!("expected a number, found {json}"))
    }
}

impl ArgValue for Json {
    const KIND: Kind = Kind::Raw;

    fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
        Ok(json)
    }
}

impl ArgValue for JsonMap {
    const KIND: Kind = Kind::Dict;

    fn from_json(json: Json, _: &Environment) -> Result<Self, String> {
        match json {
            Json::Object(map) => Ok(map),
            other => Err(format!("expected a dict, found {other}")),
        }
    }
}

impl<T: ArgValue> ArgValue for Vec<T> {
    const KIND: Kind = Kind::List;
    const ELEMENTS: Option<Kind> = Some(T::KIND);

    fn choices() -> &'static [&'static str] {
        T::choices()
    }

    fn suboptions() -> Option<Table> {
        T::suboptions()
    }

    fn from_json(json: Json, environment: &Environment) -> Result<Self, String> {
        match json {
            Json::Array(items) => items.into_iter().map(|item| T::from_json(item, environment)).collect(),
            other => Err(format!("expected a list, found {other}")),
        }
    }
}

impl ArgValue for Bytes {
    const KIND: Kind = Kind::Bytes;

    fn from_json(json: Json, environment: &Environment) -> Result<Self, String> {
        u64::from_json(json, environment).map(Self)
    }
}

impl ArgValue for Bits {
    const KIND: Kind = Kind::Bits;

    fn from_json(json: Json, environment: &Environment) -> Result<Self, String> {
        u64::from_json(json, environment).map(Self)
    }
}

impl ArgValue for JsonText {
    const KIND: Kind = Kind::Json;

    fn from_json(json: Json, environment: &Environment) -> Result<Self, String> {
        String::from_json(json, environment).map(Self)
    }
}

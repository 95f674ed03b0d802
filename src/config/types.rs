//! Types of settings: how the text of a file or of the environment becomes a value.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Surroundings;
use crate::source::Span;
use crate::value::Value;

/// A setting's value and where it was set. Reads as the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: ConfigOrigin,
}

impl<T> Setting<T> {
    /// Whether anybody set it.
    pub fn is_set(&self) -> bool {
        self.origin != ConfigOrigin::Default
    }
}

impl<T> std::ops::Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigOrigin {
    /// Nowhere.
    Default,
    /// In a settings file.
    File(Span),
    /// In this variable of the environment.
    Environment(&'static str),
}

impl fmt::Display for ConfigOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File(span) => span.fmt(formatter),
            Self::Environment(name) => write!(formatter, "env: {name}"),
        }
    }
}

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Yes or no.
    Bool,
    /// A number.
    Integer,
    /// A number with a fraction.
    Float,
    /// Texts between commas.
    List,
    /// A path.
    Path,
    /// Paths between commas.
    PathList,
    /// Paths between colons.
    SearchPath,
    /// A text.
    Text,
}

impl Kind {
    /// Ansible's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::List => "list",
            Self::Path => "path",
            Self::PathList => "pathlist",
            Self::SearchPath => "pathspec",
            Self::Text => "string",
        }
    }
}

impl Kind {
    /// A default as plain data, with what it is written in (`{{ANSIBLE_HOME}}`, `~`) left alone.
    pub fn plain(self, text: &str) -> Value {
        match self {
            Self::Bool => Value::Bool(text == "True"),
            Self::Integer => text.parse::<i64>().map_or_else(|_| Value::text(text), Value::from),
            Self::Float => text.parse().map_or_else(|_| Value::text(text), Value::Float),
            Self::List => Value::list(text.split(',').filter(|text| !text.is_empty()).map(Value::text).collect()),
            Self::Path | Self::PathList | Self::SearchPath | Self::Text => Value::text(text),
        }
    }
}

/// What a text is read in: relative paths are below `folder`.
pub(super) struct Reading<'r> {
    pub text: &'r str,
    pub folder: &'r Path,
    /// `ANSIBLE_HOME`.
    pub home: &'r Path,
    pub surroundings: &'r Surroundings,
    /// Empty for what is no choice.
    pub choices: &'static [&'static str],
}

impl Reading<'_> {
    fn path(&self, text: &str) -> PathBuf {
        path(text, self.folder, self.surroundings, self.home)
    }
}

/// A value that can be read from a text; the error says what was wanted.
pub(super) trait FromText: Sized {
    const KIND: Kind;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String>;

    /// The value of a setting that has no default.
    fn absent() -> Self;

    /// As plain data.
    fn to_value(&self) -> Value;
}

impl FromText for bool {
    const KIND: Kind = Kind::Bool;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        match unquoted(reading.text).to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false),
            _ => Err("a boolean".to_owned()),
        }
    }

    fn absent() -> Self {
        false
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl FromText for i64 {
    const KIND: Kind = Kind::Integer;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        unquoted(reading.text).trim().parse().map_err(|_| "an integer".to_owned())
    }

    fn absent() -> Self {
        0
    }

    fn to_value(&self) -> Value {
        Value::from(*self)
    }
}

impl FromText for f64 {
    const KIND: Kind = Kind::Float;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        unquoted(reading.text).trim().parse().map_err(|_| "a number".to_owned())
    }

    fn absent() -> Self {
        0.0
    }

    fn to_value(&self) -> Value {
        Value::Float(*self)
    }
}

impl FromText for String {
    const KIND: Kind = Kind::Text;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        let text = unquoted(reading.text);
        if reading.choices.is_empty() || reading.choices.contains(&text) {
            return Ok(text.to_owned());
        }
        Err(format!("one of `{}`", reading.choices.join("`, `")))
    }

    fn absent() -> Self {
        Self::new()
    }

    fn to_value(&self) -> Value {
        Value::text(self.as_str())
    }
}

impl FromText for PathBuf {
    const KIND: Kind = Kind::Path;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        Ok(reading.path(unquoted(reading.text)))
    }

    fn absent() -> Self {
        Self::new()
    }

    fn to_value(&self) -> Value {
        Value::text(self.to_string_lossy().as_ref())
    }
}

impl<T: FromText> FromText for Option<T> {
    const KIND: Kind = T::KIND;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        T::from_text(reading).map(Some)
    }

    fn absent() -> Self {
        None
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

/// Texts between commas.
impl FromText for Vec<String> {
    const KIND: Kind = Kind::List;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        let texts: Self = reading.text.split(',').map(|text| unquoted(text.trim()).to_owned()).filter(|text| !text.is_empty()).collect();
        match texts.iter().find(|text| !reading.choices.is_empty() && !reading.choices.contains(&text.as_str())) {
            Some(_) => Err(format!("some of `{}`", reading.choices.join("`, `"))),
            None => Ok(texts),
        }
    }

    fn absent() -> Self {
        Self::new()
    }

    fn to_value(&self) -> Value {
        Value::list(self.iter().map(|text| Value::text(text.as_str())).collect())
    }
}

/// Paths between commas: Ansible's `pathlist`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathList(pub Vec<PathBuf>);

impl FromText for PathList {
    const KIND: Kind = Kind::PathList;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        let texts = reading.text.split(',').map(|text| unquoted(text.trim())).filter(|text| !text.is_empty());
        Ok(Self(texts.map(|text| reading.path(text)).collect()))
    }

    fn absent() -> Self {
        Self::default()
    }

    fn to_value(&self) -> Value {
        Value::list(self.0.iter().map(PathBuf::to_value).collect())
    }
}

/// Paths between colons: Ansible's `pathspec`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchPath(pub Vec<PathBuf>);

impl FromText for SearchPath {
    const KIND: Kind = Kind::SearchPath;

    fn from_text(reading: &Reading<'_>) -> Result<Self, String> {
        let texts = unquoted(reading.text).split(':').map(str::trim).filter(|text| !text.is_empty());
        Ok(Self(texts.map(|text| reading.path(text)).collect()))
    }

    fn absent() -> Self {
        Self::default()
    }

    fn to_value(&self) -> Value {
        Value::list(self.0.iter().map(PathBuf::to_value).collect())
    }
}

/// A path with `~`, `$NAME`, `{{CWD}}` and `{{ANSIBLE_HOME}}` replaced, below `folder` if it is relative.
pub(super) fn path(text: &str, folder: &Path, surroundings: &Surroundings, home: &Path) -> PathBuf {
    let mut text = text.replace("{{CWD}}", &surroundings.folder.to_string_lossy());
    text = text.replace("{{ANSIBLE_HOME}}", &home.to_string_lossy());
    if let (Some(rest), Some(home)) = (text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')), surroundings.home())
    {
        text = format!("{}{rest}", home.display());
    }
    let expanded = expand_variables(&text, surroundings);
    let mut cleaned = PathBuf::new();
    for component in folder.join(expanded).components() {
        match component {
            std::path::Component::ParentDir => drop(cleaned.pop()),
            std::path::Component::CurDir => {}
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// `$NAME` and `${NAME}`; names that are not set stay as written.
fn expand_variables(text: &str, surroundings: &Surroundings) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out += &rest[..at];
        let after = &rest[at + 1..];
        let (name, length) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let length = after.find(|character: char| !character.is_ascii_alphanumeric() && character != '_').unwrap_or(after.len());
                (&after[..length], length)
            }
        };
        match surroundings.variables.get(name) {
            Some(value) => out += value,
            None => out += &rest[at..at + 1 + length],
        }
        rest = &after[length..];
    }
    out + rest
}

fn unquoted(text: &str) -> &str {
    let quoted = |quote: char| text.len() > 1 && text.starts_with(quote) && text.ends_with(quote);
    if quoted('"') || quoted('\'') { &text[1..text.len() - 1] } else { text }
}

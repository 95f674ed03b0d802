//! One difference that a module made, or would make.

use crate::{Json, JsonMap};

/// A difference: on what, and what it was and will be. The words are the same on every run.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What kind of object: `file`, `package`, `service`, `user`, …
    pub kind: &'static str,
    /// Which one.
    pub object: String,
    /// What it was.
    pub before: Json,
    /// What it will be.
    pub after: Json,
    /// What `--diff` shows for it; nothing if the module shows it by other means.
    pub diff: Option<Diff>,
}

impl Change {
    /// A change of `object`.
    pub fn of(kind: &'static str, object: impl Into<String>) -> Self {
        Self { kind, object: object.into(), before: Json::Null, after: Json::Null, diff: None }
    }

    /// From what to what.
    #[must_use]
    pub fn from_to(mut self, before: impl Into<Json>, after: impl Into<Json>) -> Self {
        self.before = before.into();
        self.after = after.into();
        self
    }

    /// What `--diff` shows.
    #[must_use]
    pub fn shown(mut self, diff: Diff) -> Self {
        self.diff = Some(diff);
        self
    }
}

/// A difference as `--diff` shows it: Ansible's dict.
#[derive(Clone, Debug, PartialEq)]
pub enum Diff {
    /// A text or a dict before and after, with a name for each side.
    BeforeAfter {
        /// The old side.
        before: Json,
        /// The new side.
        after: Json,
        /// The old side's name, often the path.
        before_header: Option<String>,
        /// The new side's name.
        after_header: Option<String>,
    },
    /// A text that a tool prepared.
    Prepared(String),
}

impl Diff {
    /// Two texts of one file.
    pub fn texts(path: &str, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self::BeforeAfter {
            before: Json::String(before.into()),
            after: Json::String(after.into()),
            before_header: Some(path.to_owned()),
            after_header: Some(path.to_owned()),
        }
    }

    /// Two texts under names of their own.
    pub fn headed(before_header: &str, before: impl Into<String>, after_header: &str, after: impl Into<String>) -> Self {
        Self::BeforeAfter {
            before: Json::String(before.into()),
            after: Json::String(after.into()),
            before_header: Some(before_header.to_owned()),
            after_header: Some(after_header.to_owned()),
        }
    }

    /// Two values without names.
    pub fn values(before: impl Into<Json>, after: impl Into<Json>) -> Self {
        Self::BeforeAfter { before: before.into(), after: after.into(), before_header: None, after_header: None }
    }

    /// Ansible's dict.
    pub fn into_json(self) -> Json {
        let mut map = JsonMap::new();
        match self {
            Self::BeforeAfter { before, after, before_header, after_header } => {
                map.insert("before".to_owned(), before);
                map.insert("after".to_owned(), after);
                if let Some(header) = before_header {
                    map.insert("before_header".to_owned(), Json::String(header));
                }
                if let Some(header) = after_header {
                    map.insert("after_header".to_owned(), Json::String(header));
                }
            }
            Self::Prepared(text) => {
                map.insert("prepared".to_owned(), Json::String(text));
            }
        }
        Json::Object(map)
    }
}

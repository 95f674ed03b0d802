//! `Undefined`: the marker that stands for something that does not exist. It knows what was asked for and where, and becomes
//! an error only when it is used.

use std::sync::Arc;

use super::{ErrorKind, Place, TemplateError};

/// Something that does not exist.
#[derive(Clone, Debug)]
pub struct Undefined {
    what: What,
    place: Option<Place>,
    hint: Option<String>,
}

#[derive(Clone, Debug)]
enum What {
    Name(Arc<str>),
    Attribute {
        of: String,
        shown: String,
    },
    /// `'a' if false`: prints as nothing, but is no value.
    InlineIf,
    Said(String),
    /// An error that is raised only when the value is used.
    Captured(TemplateError),
}

impl Undefined {
    /// The variable `name` is not defined.
    pub fn name(name: Arc<str>) -> Self {
        Self { what: What::Name(name), place: None, hint: None }
    }

    /// A value of type `of` has no attribute or item; `shown` is how Python prints it (`'x'`, `9`).
    pub fn attribute(of: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { what: What::Attribute { of: of.into(), shown: shown.into() }, place: None, hint: None }
    }

    /// An inline `if` that was false and has no `else`.
    pub fn inline_if() -> Self {
        Self { what: What::InlineIf, place: None, hint: None }
    }

    /// Undefined with a message of its own (`undef(hint=…)`, filters).
    pub fn said(message: impl Into<String>) -> Self {
        Self { what: What::Said(message.into()), place: None, hint: None }
    }

    /// Using it raises `error`.
    pub fn captured(error: TemplateError) -> Self {
        Self { what: What::Captured(error), place: None, hint: None }
    }

    /// The same, asked for at `place`, unless that is known already.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Whether this is the marker of an inline `if` without `else`, which prints as nothing.
    pub fn is_inline_if(&self) -> bool {
        matches!(self.what, What::InlineIf)
    }

    /// What Ansible says of it.
    pub fn message(&self) -> String {
        match &self.what {
            What::Name(name) => format!("'{name}' is undefined"),
            What::Attribute { of, shown } => format!("object of type '{of}' has no attribute {shown}"),
            What::InlineIf => "the inline if-expression on line 1 evaluated to false and no else section was defined.".to_owned(),
            What::Said(message) => message.clone(),
            What::Captured(error) => error.message().to_owned(),
        }
    }

    /// The error of using it.
    pub fn error(&self) -> TemplateError {
        let error = match &self.what {
            What::Captured(error) => error.clone(),
            What::Name(name) => TemplateError::new(ErrorKind::Undefined { name: Some(Arc::clone(name)) }, self.message()),
            What::Attribute { .. } | What::Said(_) => TemplateError::new(ErrorKind::Undefined { name: None }, self.message()),
            What::InlineIf => TemplateError::new(ErrorKind::Render, self.message()),
        };
        let error = error.at(self.place.as_ref().and_then(Place::span));
        match &self.hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

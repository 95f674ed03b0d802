//! `Undefined`: the marker that stands for something that does not exist. It knows what was asked for and where, and becomes
//! an error only when it is used.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::{Dict, ErrorKind, Place, ScopeVal, TemplateError, Val, engine};
use crate::value::{Key, Text, Value};

/// Something that does not exist.
#[derive(Clone)]
pub struct Undefined {
    what: What,
    place: Option<Place>,
    hint: Option<String>,
}

#[derive(Clone)]
enum What {
    Name(Arc<str>),
    /// `near` is what was asked, for "did you mean".
    Attribute {
        of: String,
        shown: String,
        near: Option<(Near, Arc<str>)>,
    },
    /// `'a' if false`: prints as nothing, but is no value.
    InlineIf,
    Said(String),
    /// An error that is raised only when the value is used.
    Captured(TemplateError),
    /// A value in a vault that cannot be opened: it is there, and nobody knows it.
    Sealed(Option<Text>, TemplateError),
}

/// A mapping that has other names; the marker may be in it, so it does not keep it alive.
#[derive(Clone)]
enum Near {
    Plain(Value),
    Dict(Weak<RefCell<Dict>>),
    Scope(Weak<ScopeVal>),
}

impl Undefined {
    /// The variable `name` is not defined.
    pub fn name(name: Arc<str>) -> Self {
        Self { what: What::Name(name), place: None, hint: None }
    }

    /// A value of type `of` has no attribute or item; `shown` is how Python prints it (`'x'`, `9`).
    pub fn attribute(of: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { what: What::Attribute { of: of.into(), shown: shown.into(), near: None }, place: None, hint: None }
    }

    /// As [`Undefined::attribute`] of a mapping that has other names.
    pub(super) fn entry(mapping: &Val, name: &str, shown: impl Into<String>) -> Self {
        let near = match mapping {
            Val::Plain(value) => Some(Near::Plain(value.clone())),
            Val::Dict(dict) => Some(Near::Dict(Rc::downgrade(dict))),
            Val::Scope(scope) => Some(Near::Scope(Rc::downgrade(scope))),
            _ => None,
        }
        .map(|near| (near, Arc::from(name)));
        Self { what: What::Attribute { of: mapping.type_name().to_owned(), shown: shown.into(), near }, place: None, hint: None }
    }

    /// `hostvars` has no such host.
    pub(super) fn host(hosts: &Val, name: &str, shown: &str) -> Self {
        let hint = match hosts {
            Val::Scope(scope) => near(name, scope.names().iter().map(|name| &**name)),
            _ => None,
        };
        Self { what: What::Said(format!("hostvars[{shown}]")), place: None, hint }
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

    /// A text in a vault that cannot be opened, or what was to be made of one; using it raises `error`.
    pub(super) fn sealed(text: Option<Text>, error: TemplateError) -> Self {
        Self { what: What::Sealed(text, error), place: None, hint: None }
    }

    /// Whether there is a value that is in a vault and cannot be opened.
    pub fn is_sealed(&self) -> bool {
        matches!(self.what, What::Sealed(..))
    }

    /// The vault's text that cannot be opened.
    pub fn as_sealed(&self) -> Option<&Text> {
        match &self.what {
            What::Sealed(text, _) => text.as_ref(),
            _ => None,
        }
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
            What::Attribute { of, shown, .. } => format!("object of type '{of}' has no attribute {shown}"),
            What::InlineIf => "the inline if-expression on line 1 evaluated to false and no else section was defined.".to_owned(),
            What::Said(message) => message.clone(),
            What::Captured(error) | What::Sealed(_, error) => error.message().to_owned(),
        }
    }

    /// The error of using it.
    pub fn error(&self) -> TemplateError {
        let error = match &self.what {
            What::Captured(error) | What::Sealed(_, error) => error.clone(),
            What::Name(name) => TemplateError::new(ErrorKind::Undefined { name: Some(Arc::clone(name)) }, self.message()),
            What::Attribute { .. } | What::Said(_) => TemplateError::new(ErrorKind::Undefined { name: None }, self.message()),
            What::InlineIf => TemplateError::new(ErrorKind::Render, self.message()),
        };
        let error = error.at(self.place.as_ref().and_then(Place::span));
        match self.hint.clone().or_else(|| self.suggestion()) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// The name in the mapping that is near to the one asked for.
    fn suggestion(&self) -> Option<String> {
        let What::Attribute { near: Some((mapping, name)), .. } = &self.what else { return None };
        let texts = |keys: &mut dyn Iterator<Item = &Key>| keys.filter_map(|key| key.as_str().map(Arc::from)).collect::<Vec<Arc<str>>>();
        let names = match mapping {
            Near::Plain(value) => texts(&mut value.as_map()?.keys()),
            Near::Dict(dict) => texts(&mut dict.upgrade()?.borrow().keys()),
            Near::Scope(scope) => scope.upgrade()?.names(),
        };
        near(name, names.iter().map(|name| &**name))
    }
}

fn near<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    engine::closest(name, names).map(|known| format!("did you mean `{known}`?"))
}

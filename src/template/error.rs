//! `TemplateError`: why a template could not be evaluated, in Ansible's words, with the place of the exact piece where known.

use std::fmt;
use std::sync::Arc;

use crate::source::{Diagnostic, Span};
use crate::value::Text;

/// What went wrong, for those who decide by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A variable, attribute or item that does not exist was used.
    Undefined {
        /// The variable's name; `None` where an attribute or an item is missing.
        name: Option<Arc<str>>,
    },
    /// The text is not a template (or not an expression) that Jinja can read.
    Syntax,
    /// No filter, test or lookup has this name.
    UnknownPlugin,
    /// A value is of the wrong type or form for what was to be done with it.
    Conversion,
    /// A filter, test or lookup refused its input.
    Plugin,
    /// A text that nobody vouches for was to be evaluated.
    Untrusted,
    /// A variable that is made of itself, or nesting without end.
    Recursion,
    /// More memory than a template may take.
    Limit,
    /// A conditional whose result is no boolean.
    BrokenConditional,
    /// A whole template that resolved to `omit`, where a value is needed.
    Omitted,
    /// A template file that was not found or not readable.
    File,
    /// A value in a vault that none of the run's secrets opens.
    Vault {
        /// Whether an expression was being evaluated, and not a template.
        expression: bool,
    },
    /// Anything else that went wrong while rendering.
    Render,
}

/// Why a template could not be evaluated.
#[derive(Clone)]
pub struct TemplateError {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    /// Whether the message names the plugin that failed.
    names_plugin: bool,
    /// What was being evaluated, the innermost.
    within: Option<&'static str>,
    span: Option<Span>,
    label: Option<String>,
    notes: Vec<String>,
    hint: Option<String>,
}

/// What is said of a text that nobody vouches for.
pub(super) const UNTRUSTED: &str = "Encountered untrusted template or expression.";

/// What is said where a value is wanted and is to be left out.
pub const OMITTED: &str = "A template was resolved to an Omit scalar.";

/// What evaluation yields.
pub type Result<T, E = TemplateError> = std::result::Result<T, E>;

impl TemplateError {
    /// An error without a place yet.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                names_plugin: false,
                within: None,
                span: None,
                label: None,
                notes: Vec::new(),
                hint: None,
            }),
        }
    }

    /// A filter, test or lookup refused its input.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Plugin, message)
    }

    /// A value of the wrong type, in Python's words (`can only concatenate str (not "int") to str`).
    pub fn conversion(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conversion, message)
    }

    /// A text that nobody vouches for where a template is wanted.
    pub fn untrusted(text: &Text) -> Self {
        Self::new(ErrorKind::Untrusted, UNTRUSTED).at(text.origin().cloned())
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.inner.kind
    }

    /// The message in Ansible's wording, without what Ansible writes around it.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Where it went wrong: the exact piece of the template, where the text's origin is known.
    pub fn span(&self) -> Option<&Span> {
        self.inner.span.as_ref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Whether something undefined was used.
    pub fn is_undefined(&self) -> bool {
        matches!(self.inner.kind, ErrorKind::Undefined { .. })
    }

    /// The same error at `span`, unless it has a place already: the innermost is the exact one.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        if self.inner.span.is_none() {
            self.inner.span = span;
        }
        self
    }

    /// The same error, met in an expression and not in a template.
    #[must_use]
    pub(super) fn in_expression(mut self) -> Self {
        if let ErrorKind::Vault { expression } = &mut self.inner.kind {
            *expression = true;
        }
        self
    }

    /// Says something at the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.inner.label = Some(label.into());
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.inner.notes.push(note.into());
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// The same error, met in a `template` or an `expression`: the innermost is the one named.
    #[must_use]
    pub(super) fn within(mut self, what: &'static str) -> Self {
        self.inner.within.get_or_insert(what);
        self
    }

    /// The same error with another message, made of the one it had.
    #[must_use]
    pub fn map_message(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.inner.message = change(&self.inner.message);
        self
    }

    /// The same error, raised by the plugin `name` (`what` is filter, test or lookup); the innermost plugin is the one named.
    /// What is undefined, untrusted, recursive or wrongly written is so whoever asks.
    #[must_use]
    pub fn of_plugin(mut self, what: &str, name: &str) -> Self {
        let is_its_own = matches!(
            self.inner.kind,
            ErrorKind::Conversion | ErrorKind::Render | ErrorKind::Plugin | ErrorKind::UnknownPlugin | ErrorKind::Limit | ErrorKind::File
        );
        if self.inner.names_plugin || !is_its_own {
            return self;
        }
        let message = self.inner.message.strip_prefix("Syntax error in template: ").unwrap_or(&self.inner.message);
        self.inner.message = format!("The {what} plugin '{name}' failed: {}", message.trim_end());
        self.inner.kind = ErrorKind::Plugin;
        self.inner.names_plugin = true;
        self
    }

    /// The message as Ansible shows it: most kinds begin with what was being done.
    pub fn full_message(&self) -> String {
        let Inner { kind, message, .. } = &*self.inner;
        let within = self.inner.within.unwrap_or("template");
        match kind {
            ErrorKind::Conversion | ErrorKind::Render | ErrorKind::File | ErrorKind::Limit => {
                format!("Error rendering {within}: {message}")
            }
            ErrorKind::UnknownPlugin if message.starts_with("Syntax error in template: ") => message.replacen("template", within, 1),
            ErrorKind::Vault { expression: false } => format!("Error rendering template: {message}"),
            ErrorKind::Vault { expression: true } => format!("Error rendering expression: {message}"),
            ErrorKind::Undefined { .. }
            | ErrorKind::Syntax
            | ErrorKind::UnknownPlugin
            | ErrorKind::Plugin
            | ErrorKind::Untrusted
            | ErrorKind::Recursion
            | ErrorKind::BrokenConditional
            | ErrorKind::Omitted => message.clone(),
        }
    }

    /// As a diagnostic, with carets below the exact piece.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.full_message());
        if let Some(span) = &self.inner.span {
            diagnostic = diagnostic.label(span, self.inner.label.as_deref().unwrap_or(""));
        }
        for note in &self.inner.notes {
            diagnostic = diagnostic.note(note);
        }
        match &self.inner.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }

    /// As a diagnostic, at `place` where the error knows none of its own.
    pub fn to_diagnostic_at(&self, place: &Span) -> Diagnostic {
        let diagnostic = self.to_diagnostic();
        if diagnostic.labels.is_empty() { diagnostic.at(place) } else { diagnostic }
    }
}

impl fmt::Debug for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.inner.kind, self.inner.message)
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.full_message())
    }
}

impl std::error::Error for TemplateError {}

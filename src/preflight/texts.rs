//! The texts of a task or play, read as what they are: templates, expressions, conditions.

use std::collections::HashSet;

use super::Name;
use super::reach::ReachedPlay;
use crate::playbook::Keyword;
use crate::source::{Diagnostic, Span, Spanned};
use crate::template::{EMPTY, Engine, Inspection, LookupUse, NOT_A_TEXT, NameUse, Reading, Templar, TemplateError};
use crate::value::{Map, Text, Value};

/// What texts ask for, gathered.
pub struct Texts<'e> {
    engine: &'e Engine,
    /// Certain mistakes.
    pub mistakes: Vec<Diagnostic>,
    /// Variables that must be there.
    pub names: Vec<NameUse>,
    /// Variables that may be undefined.
    pub guarded: HashSet<Name>,
    /// Lookups with constant names.
    pub lookups: Vec<LookupUse>,
}

/// What becomes of a variable that is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// The task fails.
    Fails,
    /// Nothing: Ansible shows the text as it is, or says so.
    Shown,
}

impl<'e> Texts<'e> {
    /// Nothing read yet.
    pub fn new(engine: &'e Engine) -> Self {
        Self { engine, mistakes: Vec::new(), names: Vec::new(), guarded: HashSet::new(), lookups: Vec::new() }
    }

    /// Reads all templates in a value, at any depth.
    pub fn templates(&mut self, value: &Value, at: &Span, undefined: Undefined) {
        match value {
            Value::Text(text) if Templar::is_template(value) => self.read(text, Reading::Template, at, undefined),
            Value::List(items) => items.iter().for_each(|item| self.templates(item, at, undefined)),
            Value::Map(map) => self.templates_of(map, at, undefined),
            _ => {}
        }
    }

    /// Reads all templates in a map's values.
    pub fn templates_of(&mut self, map: &Map, at: &Span, undefined: Undefined) {
        map.values().for_each(|item| self.templates(item, at, undefined));
    }

    /// Reads a template with its place.
    pub fn template(&mut self, written: &Spanned<Value>) {
        self.templates(&written.value, &written.span, Undefined::Fails);
    }

    /// Reads an expression.
    pub fn expression(&mut self, written: &Value, at: &Span, undefined: Undefined) {
        if let Value::Text(text) = written
            && text.is_trusted()
        {
            self.read(text, Reading::Expression, at, undefined);
        }
    }

    /// Reads a condition of `when` and the like.
    pub fn condition(&mut self, written: &Value, at: &Span) {
        let place = match written {
            Value::Text(text) => text.origin().unwrap_or(at),
            _ => at,
        };
        match written {
            Value::Bool(_) => {}
            Value::Text(text) if !text.is_trusted() => {}
            Value::Text(text) if text.as_str().trim().is_empty() => {
                self.mistakes.push(Diagnostic::error(EMPTY).at(place));
            }
            Value::Text(text) => {
                let chars = text.as_str().trim();
                let is_wrapped = |open: &str, close: &str| chars.starts_with(open) && chars.ends_with(close);
                let reading = if is_wrapped("{{", "}}") || is_wrapped("{%", "%}") { Reading::Template } else { Reading::Condition };
                self.read(text, reading, at, Undefined::Fails);
            }
            Value::Null => self.mistakes.push(Diagnostic::error(EMPTY).at(place)),
            _ => self.mistakes.push(Diagnostic::error(NOT_A_TEXT).at(place).hint("a condition is an expression: `when: count == 1`")),
        }
    }

    /// Reads conditions only for what they allow to be undefined.
    pub fn guards(&mut self, conditions: &[Spanned<Value>]) {
        let mut own = Self::new(self.engine);
        conditions.iter().for_each(|condition| own.condition(&condition.value, &condition.span));
        self.guarded.extend(own.guarded);
    }

    /// Takes over what was found in a text, or why it could not be read.
    pub fn take(&mut self, found: Result<Inspection, TemplateError>, at: &Span, undefined: Undefined) {
        match found {
            Ok(found) => {
                self.mistakes.extend(found.mistakes.iter().map(|error| diagnostic(error, at)));
                if undefined == Undefined::Fails {
                    self.names.extend(found.names);
                }
                self.guarded.extend(found.guarded);
                self.lookups.extend(found.lookups);
            }
            Err(error) => self.mistakes.push(diagnostic(&error, at)),
        }
    }

    fn read(&mut self, text: &Text, reading: Reading, at: &Span, undefined: Undefined) {
        self.take(self.engine.inspect(text, reading), at, undefined);
    }
}

/// The error where it is, or at the text that it is in.
pub fn diagnostic(error: &TemplateError, at: &Span) -> Diagnostic {
    let diagnostic = error.to_diagnostic();
    if diagnostic.labels.is_empty() { diagnostic.at(at) } else { diagnostic }
}

/// Keywords of a play that are rendered before a host is met.
const OF_PLAY: &[Keyword] =
    &[Keyword::ForceHandlers, Keyword::GatherFacts, Keyword::MaxFailPercentage, Keyword::Order, Keyword::Serial, Keyword::Strategy];

/// Mistakes in what a play says, and in the values of its variables and of its roles'.
pub fn mistakes_of_play(engine: &Engine, reached: &ReachedPlay) -> Vec<Diagnostic> {
    let play = &reached.play;
    let mut texts = Texts::new(engine);
    texts.template(&play.hosts);
    OF_PLAY.iter().filter_map(|keyword| play.get(*keyword)).for_each(|written| texts.template(written));
    reached.definable.maps.iter().for_each(|map| texts.templates_of(map, &play.span, Undefined::Shown));
    texts.mistakes
}

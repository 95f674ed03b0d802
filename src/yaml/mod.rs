//! YAML as PyYAML reads it, with a span on every node.
//!
//! [`load`] and [`load_one`] never fail: they give what could be read, and say all that is wrong. The parser crate is named in
//! `event` and `emit` alone.

mod compose;
mod duplicates;
mod emit;
mod event;
mod foreign;
mod hint;
mod node;
mod place;
mod scalar;

use std::sync::Arc;

pub use duplicates::DuplicateKeys;
pub use emit::{EmitOptions, FlowStyle, emit};
pub use foreign::load_foreign;
pub use node::{Node, NodeKind};
pub use place::scalar_span;

use crate::source::{Diagnostic, Diagnostics, Source, Span};
use crate::value::Value;
use compose::{Composer, Tags};
use event::{Events, SyntaxError};

/// All documents of `source`; one with a syntax error is left out, and reading goes on at the next `---`.
pub fn load(source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let mut documents = Vec::new();
    let mut from = byte_order_mark(source.text());
    while let Err(error) = read_from(source, from, &mut documents, diagnostics) {
        diagnostics.push(hint::diagnose(source, &error));
        match next_document(source.text(), error.at.max(from)) {
            Some(next) => from = next,
            None => break,
        }
    }
    documents
}

/// The only document of `source`: `null` where it is empty, `None` where it cannot be read (then an error was pushed).
pub fn load_one(source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Option<Node> {
    let mut found = Diagnostics::new();
    let mut documents = load(source, &mut found).into_iter();
    let broken = found.has_errors();
    diagnostics.extend(found);
    let Some(first) = documents.next() else {
        let empty = Node { span: Span::new(source, 0, 0), kind: NodeKind::Scalar(Value::Null) };
        return (!broken).then_some(empty);
    };
    if let Some(second) = documents.next() {
        let error = Diagnostic::error("found a second document, expected a single one").at(&Span::new(
            source,
            second.span.start(),
            second.span.end(),
        ));
        diagnostics.push(error.label(&first.span, "the first document"));
        return None;
    }
    Some(first)
}

fn read_from(source: &Arc<Source>, from: usize, documents: &mut Vec<Node>, diagnostics: &mut Diagnostics) -> Result<(), SyntaxError> {
    let mut events = Events::new(source.text(), from);
    let mut found = Diagnostics::new();
    let mut composer = Composer::new(source, &mut found, Tags::OfAnsible);
    let result = loop {
        match composer.document(&mut events) {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    // `a: {{ x }}/y` is a map as key and a syntax error: of one line, the latter says enough.
    let broken_line = result.as_ref().err().map(|error| source.line_column(error.at).0);
    for diagnostic in
        found.iter().filter(|diagnostic| broken_line.is_none() || diagnostic.span().map(|span| span.line_column().0) != broken_line)
    {
        diagnostics.push(diagnostic.clone());
    }
    result
}

/// The bytes of a byte order mark, which libyaml does not count in its offsets.
fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// The begin of the first line behind `at` that is a document's start.
fn next_document(text: &str, at: usize) -> Option<usize> {
    let mut from = at.min(text.len());
    while !text.is_char_boundary(from) {
        from -= 1;
    }
    while let Some(index) = text[from..].find("\n---") {
        let start = from + index + 1;
        if text[start + 3..].chars().next().is_none_or(char::is_whitespace) {
            return Some(start);
        }
        from = start;
    }
    None
}

#[cfg(test)]
mod tests;

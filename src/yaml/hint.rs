//! Turns a syntax error into a diagnostic: libyaml's words, the place that the user has to look at, and what to do about it.

use std::sync::Arc;

use super::event::SyntaxError;
use crate::source::{Diagnostic, Source, Span};

/// The diagnostic of `error`.
pub(super) fn diagnose(source: &Arc<Source>, error: &SyntaxError) -> Diagnostic {
    let unclosed = error
        .context_at
        .filter(|_| error.problem == "found unexpected end of stream" || ends_open(error) && !is_colon_in_flow(source, error));
    let at = unclosed.unwrap_or(error.at);
    let what = match error.context {
        Some(context) => format!("{} {context}", error.problem),
        None => error.problem.clone(),
    };
    let place = mark(source, at);
    let advice = Line::around(source, at).advice(error);
    let mut diagnostic = Diagnostic::error(what).at(&place);
    let line = |offset| source.line_column(offset).0;
    if let Some(context_at) = error.context_at.filter(|context_at| unclosed.is_none() && line(*context_at) != line(at)) {
        diagnostic = diagnostic.label(&mark(source, context_at), "in what begins here");
    }
    match advice {
        Some(advice) => diagnostic.hint(advice),
        None => diagnostic,
    }
}

/// A bracket that is never closed is better pointed at than the end of the file.
fn ends_open(error: &SyntaxError) -> bool {
    matches!(error.context, Some("while parsing a flow sequence" | "while parsing a flow mapping"))
        && error.problem.starts_with("did not find expected ','")
        && error.context_at.is_some()
}

/// What is to be done about a second colon in a value.
const COLON: &str = "colons in unquoted values must be followed by a non-space character; or quote the value: `key: \"a: b\"`";

/// In `{key: a: b}` the bracket is not what is wrong.
fn is_colon_in_flow(source: &Source, error: &SyntaxError) -> bool {
    let line = |offset| source.line_column(offset).0;
    ends_open(error)
        && source.text().get(error.at..).is_some_and(|rest| rest.starts_with(':'))
        && error.context_at.is_some_and(|context_at| line(context_at) == line(error.at))
}

/// The character at `at`.
fn mark(source: &Arc<Source>, at: usize) -> Span {
    let length =
        source.text()[at.min(source.text().len())..].chars().next().filter(|character| *character != '\n').map_or(0, char::len_utf8);
    Span::new(source, at, at + length)
}

/// The line that an error is in, for guessing what was meant.
struct Line<'s> {
    source: &'s Source,
    text: &'s str,
    /// Bytes before the error.
    column: usize,
}

impl<'s> Line<'s> {
    fn around(source: &'s Source, at: usize) -> Self {
        let text = source.text();
        let at = at.min(text.len());
        let start = text[..at].rfind('\n').map_or(0, |index| index + 1);
        Self { source, text: source.line(source.line_column(at).0), column: at - start }
    }

    fn advice(&self, error: &SyntaxError) -> Option<String> {
        let indent = &self.text[..self.text.len() - self.text.trim_start().len()];
        if indent.contains('\t') || self.text[self.column.min(self.text.len())..].starts_with('\t') {
            return Some("tabs are usually invalid in YAML, indent with blanks".to_owned());
        }
        if is_colon_in_flow(self.source, error) {
            return Some(COLON.to_owned());
        }
        let value = self.value();
        if value.starts_with("{{") {
            let key = self.text.trim_start().strip_suffix(value).unwrap_or_default();
            return Some(format!("a value that begins with `{{{{` must be quoted: `{key}\"{}\"`", value.trim_end().replace('"', "'")));
        }
        if let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            let rest = &value[1..];
            if rest.find(quote).is_some_and(|end| !rest[end + 1..].trim().is_empty()) {
                let outer = if quote == '"' { '\'' } else { '"' };
                return Some(format!(
                    "values starting with a quote must end with the same quote; quote all of it: `{outer}{}{outer}`",
                    value.trim_end()
                ));
            }
        }
        if error.problem.contains("mapping values are not allowed") && self.is_key_alone() {
            return Some(format!(
                "`{}` stands deeper than the line above, whose value it so continues; write it below that line's key",
                self.text.trim()
            ));
        }
        if error.problem.contains("mapping values are not allowed") {
            return Some(COLON.to_owned());
        }
        if value.starts_with(['@', '`', '%']) {
            let sign = &value[..1];
            return Some(format!("a value that begins with `{sign}` must be quoted"));
        }
        if error.problem.contains("unexpected end of stream") {
            return Some("the quote that opens here is never closed".to_owned());
        }
        if ends_open(error) {
            return Some("the bracket that opens here is not closed".to_owned());
        }
        if error.problem.contains("did not find expected '-' indicator") || error.problem.contains("did not find expected key") {
            return Some("the indentation of this line does not fit the lines before it".to_owned());
        }
        None
    }

    /// Whether the error is at the first colon of a line: what stands before it was meant as a key.
    fn is_key_alone(&self) -> bool {
        let before = &self.text[..self.column.min(self.text.len())];
        !before.contains(':') && !before.trim().contains(' ')
    }

    /// What stands behind `- ` and `key: ` in this line.
    fn value(&self) -> &'s str {
        let mut rest = self.text.trim_start();
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start();
        }
        if rest.starts_with(['"', '\'', '{', '[']) {
            return rest;
        }
        rest.split_once(": ").map_or(rest, |(_, value)| value.trim_start())
    }
}

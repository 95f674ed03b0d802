//! What a task failed of, with the place of the task: `[ERROR]: Task failed: …`, as people know it from Ansible.

use std::fmt::Write as _;

use super::place;
use crate::action;
use crate::event::{Status, TaskResult};
use crate::source::{Diagnostic, Severity, Span};
use crate::value::Value;

/// The text for a result that has failed; none where nothing is known but that it did.
pub(super) fn of_result(result: &TaskResult) -> Option<String> {
    let head = headline(result)?;
    Some(block(&head, &result.task.span))
}

/// The text for a mistake that says no more than the result does, but where it is.
pub(super) fn of_diagnostic(diagnostic: &Diagnostic, result: &TaskResult) -> Option<String> {
    let span = diagnostic.span()?;
    let adds = diagnostic.hint.is_some() || !diagnostic.notes.is_empty() || diagnostic.severity != Severity::Error;
    let message = result.result.get("msg").and_then(Value::as_str)?;
    (!adds && message == diagnostic.message).then(|| block(&headline(result).unwrap_or_else(|| message.to_owned()), span))
}

fn headline(result: &TaskResult) -> Option<String> {
    let message = result.result.get("msg").and_then(Value::as_str).unwrap_or_default();
    if result.result.contains("censored") {
        return None;
    }
    if result.result.get("failed_when_result").is_some_and(Value::truthy) {
        return Some("Task failed: Action failed: A 'failed_when' expression evaluated to 'True'.".to_owned());
    }
    if message.starts_with("Task failed: ") {
        return Some(message.to_owned());
    }
    if message.is_empty() {
        return Some("Task failed: Action failed: Unknown error.".to_owned());
    }
    let who = match result.status {
        Status::Unreachable => "",
        Status::Failed if runs_on_host(result) => "Module failed: ",
        Status::Ok | Status::Changed | Status::Skipped | Status::Failed => "Action failed: ",
    };
    Some(format!("Task failed: {who}{message}"))
}

/// Whether a module of the host has failed, not the controller's half.
fn runs_on_host(result: &TaskResult) -> bool {
    let name = &result.task.qualified;
    let short = name.strip_prefix("ansible.builtin.").unwrap_or(name);
    short != "raw" && action::spec(short).is_some()
}

/// The text, the place, and the lines around it.
fn block(head: &str, span: &Span) -> String {
    let source = span.source();
    if source.path().is_none() {
        return format!("[ERROR]: {head}\nOrigin: {}\n\n{}\n", source.name(), shortened(source.text()));
    }
    let (line, column) = span.line_column();
    let path = place::file(span);
    let mut out = format!("[ERROR]: {head}\nOrigin: {path}:{line}:{column}\n\n");
    let width = line.to_string().len();
    for number in line.saturating_sub(2).max(1)..=line {
        let text = source.text().split('\n').nth(number - 1).unwrap_or_default();
        // Writing to a text cannot fail.
        let _ = writeln!(out, "{}", cut(format!("{number:>width$} {text}").trim_end()));
    }
    let _ = writeln!(out, "{}^ column {column}", " ".repeat(width + column));
    out
}

/// Columns that a line of an excerpt takes.
const WIDTH: usize = 120;

/// A line of a file, cut where it is too wide.
fn cut(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 3).chain("...".chars()).collect()
}

/// A text that stands in no file, in one line: words that find no room are left out.
fn shortened(text: &str) -> String {
    const LEFT_OUT: &str = " [...]";
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= WIDTH {
        return line;
    }
    let room: String = line.chars().take(WIDTH - LEFT_OUT.len() + 1).collect();
    let kept = room.rfind(' ').map_or("", |end| &room[..end]);
    format!("{kept}{LEFT_OUT}").trim_start().to_owned()
}

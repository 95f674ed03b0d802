//! What a task failed of, with the place of the task: `[ERROR]: Task failed: …`, as people know it from Ansible.

use crate::action;
use crate::display::{Display, Manner, Stream};
use crate::event::{GIVEN_UP, Status, TaskResult};
use crate::source::{Diagnostic, Severity, beside, origin};
use crate::template::print::shown;
use crate::value::Value;

/// What mistakes in loops begin with, which are told as they are.
const LOOPS: &[&str] = &["Error rendering template: ", "The lookup plugin '", "The `loop` value must resolve to a 'list', "];

/// Says what a result failed of: the mistake in the user's text where one was met, else the place of the task.
pub(super) fn show(mistake: Option<Box<Diagnostic>>, result: &TaskResult, display: &mut Display, to: Stream) {
    let text = match (&mistake, display.manner()) {
        (None, _) => of_result(result),
        (Some(diagnostic), Manner::Own) => of_diagnostic(diagnostic, result),
        (Some(diagnostic), Manner::Ansible) => caused_by(diagnostic, result),
    };
    match (text, mistake) {
        (Some(text), _) => display.mistake(&text, to),
        (None, Some(diagnostic)) => display.diagnostic_beside_result(&diagnostic, to),
        (None, None) => {}
    }
}

/// The text for a result that has failed; none where nothing is known but that it did.
fn of_result(result: &TaskResult) -> Option<String> {
    Some(format!("[ERROR]: {}\n{}", headline(result)?, origin(&result.task.span)))
}

/// The text for a mistake that says no more than the result does, but where it is.
fn of_diagnostic(diagnostic: &Diagnostic, result: &TaskResult) -> Option<String> {
    let span = diagnostic.span()?;
    let adds = diagnostic.hint.is_some() || !diagnostic.notes.is_empty() || diagnostic.severity != Severity::Error;
    let message = result.result.get("msg").and_then(Value::as_str)?;
    let head = || headline(result).unwrap_or_else(|| message.to_owned());
    (!adds && message == diagnostic.message).then(|| format!("[ERROR]: {}\n{}", head(), origin(span)))
}

/// The text for a mistake: what the task says of it, where the task is, what it comes from, and where that is.
fn caused_by(diagnostic: &Diagnostic, result: &TaskResult) -> Option<String> {
    let head = headline(result)?;
    let message = result.result.get("msg").and_then(Value::as_str).unwrap_or_default();
    if message == diagnostic.message {
        return Some(format!("[ERROR]: {head}{}", beside(diagnostic)));
    }
    let (task, cause) = links(&head);
    let (task, cause) = if cause.ends_with(&diagnostic.message) {
        (format!("[ERROR]: {head}\n\n{task}."), cause)
    } else {
        (format!("[ERROR]: {head}"), &*diagnostic.message)
    };
    Some(format!("{task}\n{}\n<<< caused by >>>\n\n{cause}{}", origin(&result.task.span), beside(diagnostic)))
}

/// What went wrong in the task, and why.
fn links(head: &str) -> (&str, &str) {
    const ARGUMENTS: &str = "Task failed: Finalization of task args for ";
    const FAILED: &str = "Task failed";
    let end = match head.strip_prefix(ARGUMENTS) {
        Some(rest) => rest.find(": ").map(|at| ARGUMENTS.len() + at),
        None => head.starts_with(FAILED).then_some(FAILED.len()),
    };
    end.and_then(|end| Some((&head[..end], head[end..].strip_prefix(": ")?))).unwrap_or((head, head))
}

/// What a result failed of, in one line; none where nothing is known but that it did.
pub(super) fn headline(result: &TaskResult) -> Option<String> {
    let message = result.result.get("msg").map(shown).unwrap_or_default();
    let message = message.as_str();
    if result.result.contains("censored") || result.result.contains(GIVEN_UP) {
        return None;
    }
    if result.result.get("failed_when_result").is_some_and(Value::truthy) {
        return Some("Task failed: Action failed: A 'failed_when' expression evaluated to 'True'.".to_owned());
    }
    let is_include = matches!(&*result.task.qualified, "ansible.builtin.include_tasks" | "ansible.builtin.include_role");
    let is_of_loop = LOOPS.iter().any(|start| message.starts_with(start));
    if message.starts_with("Task failed: ") || is_of_loop || (is_include && !message.is_empty()) {
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

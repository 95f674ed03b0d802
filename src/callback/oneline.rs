//! `oneline`: one line a result.

use super::{Callback, Options, dump, minimal};
use crate::display::{Display, Role};
use crate::event::{Event, Status, TaskResult};
use crate::value::Value;

/// What ansible-core says of each failure.
const NO_TRACEBACK: &str =
    "An exception occurred during task execution. To see the full traceback, use -vvv. The error was: (traceback unavailable)";

/// The callback.
pub(super) struct Oneline {
    options: Options,
}

impl Oneline {
    pub(super) fn new(options: Options) -> Self {
        Self { options }
    }

    fn result(&self, result: &TaskResult, display: &mut Display) {
        let host = &result.host;
        let dumped = || dump::flat(result, &self.options);
        let is_command = minimal::is_output(result);
        match result.status {
            Status::Skipped => display.coloured(Role::Skip, &format!("{host} | SKIPPED")),
            Status::Unreachable => display.coloured(Role::Unreachable, &format!("{host} | UNREACHABLE!: {}", message(result))),
            Status::Failed => {
                if !result.is_loop {
                    let before = if is_command { command_line(result, "FAILED") } else { NO_TRACEBACK.to_owned() };
                    display.coloured(Role::Error, &before);
                }
                display.coloured(Role::Error, &format!("{host} | FAILED! => {}", dumped()));
            }
            Status::Changed if is_command => display.coloured(Role::Changed, &command_line(result, "CHANGED")),
            Status::Changed => display.coloured(Role::Changed, &format!("{host} | CHANGED => {}", dumped())),
            Status::Ok if is_command => display.coloured(Role::Ok, &command_line(result, "SUCCESS")),
            Status::Ok => display.coloured(Role::Ok, &format!("{host} | SUCCESS => {}", dumped())),
        }
    }
}

impl Callback for Oneline {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::Result(result) => self.result(result, display),
            Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            _ => {}
        }
    }
}

fn command_line(result: &TaskResult, word: &str) -> String {
    let text = |key: &str| result.result.get(key).and_then(Value::as_str).unwrap_or_default().replace('\n', "\\n").replace('\r', "\\r");
    let rc = result.result.get("rc").and_then(Value::as_int).unwrap_or(-1);
    let stderr = text("stderr");
    let errors = if stderr.is_empty() { String::new() } else { format!(" (stderr) {stderr}") };
    format!("{} | {word} | rc={rc} | (stdout) {}{errors}", result.host, text("stdout"))
}

fn message(result: &TaskResult) -> &str {
    result.result.get("msg").and_then(Value::as_str).unwrap_or_default()
}

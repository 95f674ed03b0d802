//! `minimal`: results of ad-hoc commands, `host | CHANGED | rc=0 >>`.

use super::{Callback, Options, diff, dump, failure};
use crate::display::{Display, Role, Stream};
use crate::event::{Event, Status, TaskResult};
use crate::source::{Diagnostic, Severity};
use crate::value::Value;

/// The callback.
pub(super) struct Minimal {
    options: Options,
    mistake: Option<Box<Diagnostic>>,
}

/// Modules whose output is shown as text.
const COMMANDS: &[&str] = &["command", "raw", "shell"];

impl Minimal {
    pub(super) fn new(options: Options) -> Self {
        Self { options, mistake: None }
    }

    fn result(&mut self, result: &TaskResult, display: &mut Display) {
        if let Some(found) = result.result.get("diff").filter(|diff| diff.truthy()) {
            for (role, line) in diff::lines(found, self.options.diff_context) {
                display.coloured(role, &line);
            }
        }
        if matches!(result.status, Status::Failed | Status::Unreachable) && !result.is_loop {
            failure::show(self.mistake.take(), result, display, Stream::Out);
        }
        let (word, role) = match result.status {
            Status::Ok => ("SUCCESS", Role::Ok),
            Status::Changed => ("CHANGED", Role::Changed),
            Status::Failed => ("FAILED", Role::Error),
            Status::Skipped => {
                display.coloured(Role::Skip, &format!("{} | SKIPPED", result.host));
                return;
            }
            Status::Unreachable => {
                let dumped = dump::whole(result, &self.options);
                display.coloured(Role::Unreachable, &format!("{} | UNREACHABLE! => {dumped}", result.host));
                return;
            }
        };
        if is_output(result) {
            display.coloured(role, &command_output(result, word));
        } else {
            let mark = if result.status == Status::Failed { "!" } else { "" };
            display.coloured(role, &format!("{} | {word}{mark} => {}", result.host, dump::whole(result, &self.options)));
        }
    }
}

impl Callback for Minimal {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::Result(result) => self.result(result, display),
            Event::Diagnostic(diagnostic) if diagnostic.severity == Severity::Error && self.mistake.is_none() => {
                self.mistake = Some(diagnostic.clone());
            }
            Event::Becomes { address, line } if self.options.verbosity > 2 => {
                display.coloured(Role::Verbose, &format!("<{address}> EXEC {line}"));
            }
            Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            _ => {}
        }
    }

    fn end(&mut self, display: &mut Display) {
        if let Some(diagnostic) = self.mistake.take() {
            display.diagnostic(&diagnostic);
        }
    }
}

/// Whether what a command printed stands for its result: not so for jobs that were waited for, unless they failed.
pub(super) fn is_output(result: &TaskResult) -> bool {
    let is_command = COMMANDS.contains(&&*result.task.qualified.replace("ansible.builtin.", ""));
    is_command && (result.status == Status::Failed || result.result.get("ansible_job_id").is_none())
}

fn command_output(result: &TaskResult, word: &str) -> String {
    let text = |key: &str| result.result.get(key).and_then(Value::as_str).unwrap_or_default();
    let rc = result.result.get("rc").and_then(Value::as_int).unwrap_or(-1);
    let mut out = format!("{} | {word} | rc={rc} >>\n{}{}", result.host, text("stdout"), text("stderr"));
    out.push_str(text("msg"));
    // The screen ends the line; without an output it is an empty one.
    out
}

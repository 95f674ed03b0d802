//! What a module's answer comes to: `changed_when`, `failed_when`, `until`, whether it is ignored, whom it notifies.

use super::{Ready, Runner};
use crate::action::Args;
use crate::event::Status;
use crate::executor::conditions::{Verdict, evaluate};
use crate::executor::keywords::{Reader, render};
use crate::executor::outcome;
use crate::executor::outcome::{ItemEnd, NO_TRACEBACK, complete, is};
use crate::playbook::{Keyword, Register, Work};
use crate::template::Templar;
use crate::template::print::shown;
use crate::value::{Map, Value};
use crate::vars::{Layer, Precedence, VarStack};

impl Runner<'_> {
    /// What a result comes to: lines, `changed_when`, `failed_when`.
    pub(in crate::executor) fn judge(&self, ready: &Ready, result: &mut Map, diagnostics: &mut Vec<crate::source::Diagnostic>) {
        complete(result);
        let task = &self.job.task;
        if is(result, "skipped") || (task.changed_when.is_empty() && task.failed_when.is_empty()) {
            return;
        }
        if is(result, "unreachable") {
            return;
        }
        let what = if is(result, "failed") && ready.route.is_some() { "Module" } else { "Action" };
        for (keyword, conditions) in [("changed", &task.changed_when), ("failed", &task.failed_when)] {
            if conditions.is_empty() {
                continue;
            }
            let templar = self.templar(&self.with_result(&ready.stack, result));
            let (name, had_failed) = (format!("{keyword}_when"), is(result, "failed"));
            match evaluate(&name, conditions, &templar) {
                Ok(verdict) => {
                    let holds = matches!(verdict, Verdict::Holds);
                    result.insert(keyword, holds);
                    result.insert(format!("{name}_result"), holds);
                    if keyword == "failed" && had_failed {
                        result.insert("failed_when_suppressed_exception", NO_TRACEBACK);
                    }
                    if keyword == "failed" && holds && result.get("msg").is_none_or(|said| said.as_str() == Some("")) {
                        result.insert("msg", format!("Task failed: {what} failed: A 'failed_when' expression evaluated to 'True'."));
                    }
                }
                Err(error) => {
                    result.insert(format!("{name}_result"), error.text);
                    if had_failed {
                        result.insert(format!("{name}_suppressed_exception"), NO_TRACEBACK);
                    }
                    result.insert("failed", true);
                    // What a module says of its failure stays; what was made of an error is made anew.
                    if message_of(result).is_empty() || message_of(result).starts_with("Task failed: ") {
                        result.insert("msg", format!("Task failed: {what} failed: {}", error.message));
                    }
                    diagnostics.push(error.diagnostic);
                    return;
                }
            }
        }
    }

    /// Whether `until` holds; without one, whether the task did not fail.
    pub(in crate::executor) fn is_satisfied(
        &self,
        ready: &Ready,
        result: &mut Map,
        diagnostics: &mut Vec<crate::source::Diagnostic>,
    ) -> bool {
        if self.job.task.until.is_empty() {
            return !is(result, "failed");
        }
        let templar = self.templar(&self.with_result(&ready.stack, result));
        match evaluate("until", &self.job.task.until, &templar) {
            Ok(verdict) => matches!(verdict, Verdict::Holds),
            Err(error) => {
                *result = ItemEnd::failed(format!("Task failed: {}", error.message), Vec::new()).result;
                diagnostics.push(error.diagnostic);
                true
            }
        }
    }

    pub(super) fn with_result(&self, stack: &VarStack, result: &Map) -> VarStack {
        let shown = Value::map(outcome::registered(result));
        let mut task = Map::new();
        task.insert("result", shown.clone());
        let mut stack = stack.with_value(Precedence::Loop, "_task", Value::map(task));
        if let Some(Register::Name(name)) = &self.job.task.register {
            stack.push(Layer::single(Precedence::Loop, &name.value, shown));
        }
        if let Some(Value::Map(found)) = result.get("ansible_facts") {
            stack.push(Layer::new(Precedence::Loop, "the task's facts", stack.found(found, self.sets_facts())));
        }
        stack
    }

    /// Whether the task's facts are variables as they are called.
    pub(super) fn sets_facts(&self) -> bool {
        matches!(&self.job.task.work, Work::Module(call) if matches!(&*call.name.short, "set_fact" | "include_vars"))
    }

    /// What every end gets once its result stands: whether it is ignored, whom it notifies.
    pub(in crate::executor) fn conclude(&self, templar: &Templar, args: &Args, end: &mut ItemEnd) {
        self.mark_ignored(templar, end);
        if end.status() == Status::Failed && !end.ignored && self.job.task.looping.is_none() {
            end.failed_args = Some(args.to_map());
        }
        if is(&end.result, "changed")
            && !is(&end.result, "failed")
            && let Some(written) = self.job.task.keywords.get(Keyword::Notify)
        {
            match render("notify", written, templar) {
                Ok(Some(Value::List(items))) => end.notify = items.iter().map(shown).collect(),
                Ok(Some(Value::Null) | None) => {}
                Ok(Some(one)) => end.notify = vec![shown(&one)],
                Err(error) => {
                    end.result.insert("failed", true);
                    end.result.insert("msg", error.message);
                    end.diagnostics.push(error.diagnostic);
                }
            }
        }
    }

    pub(super) fn mark_ignored(&self, templar: &Templar, end: &mut ItemEnd) {
        let keyword = match end.status() {
            Status::Failed => Keyword::IgnoreErrors,
            Status::Unreachable => Keyword::IgnoreUnreachable,
            Status::Ok | Status::Changed | Status::Skipped => return,
        };
        let reader = Reader { keywords: &self.job.task.keywords, templar };
        match reader.flag(keyword) {
            Ok(ignored) => end.ignored = ignored.unwrap_or(false),
            Err(error) => end.diagnostics.push(error.diagnostic),
        }
    }
}

/// What a result says in words.
fn message_of(result: &Map) -> &str {
    result.get("msg").and_then(Value::as_str).unwrap_or_default()
}

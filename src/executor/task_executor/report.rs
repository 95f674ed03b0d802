//! The task's end as the coordinator gets it: out of its one end or those of its items, with what is registered.

use std::sync::Arc;

use super::Runner;
use super::looping::Item;
use crate::action::Effect;
use crate::event::{Event, Status, TaskResult};
use crate::executor::job::{HostResult, Message, Owned};
use crate::executor::outcome;
use crate::executor::outcome::{ItemEnd, censored};
use crate::playbook::Register;
use crate::source::Diagnostic;
use crate::template::print::shown;
use crate::value::{Map, Value};
use crate::vars::VarStack;

impl Runner<'_> {
    pub(super) fn event_result(&self, result: &Map, status: Status, end: &ItemEnd) -> TaskResult {
        TaskResult {
            host: Arc::clone(&self.job.host_name),
            delegated_to: end.delegated_to.clone(),
            task: Arc::clone(&self.job.info),
            status,
            ignored: end.ignored,
            result: Arc::new(if end.no_log { censored(result) } else { result.clone() }),
            is_loop: false,
        }
    }

    /// A retry, as an event.
    pub(in crate::executor) fn tell_retry(&self, end: &ItemEnd, result: &Map, left: i64, retries: i64) {
        let result = Box::new(self.event_result(result, Status::Failed, end));
        self.tell(Event::Retry { result, left, retries });
    }

    pub(in crate::executor) fn tell(&self, event: Event) {
        self.out.send(Message::Progress(event));
    }

    /// The task's end out of its one end, or out of those of its items; expressions of `register` see the `last` of them.
    pub(super) fn sum(&self, mut end: ItemEnd, items: Option<Vec<ItemEnd>>, last: Option<&Item>) -> HostResult {
        let is_loop = items.is_some();
        let mut all = items.unwrap_or_default();
        let (registered, mistakes) = match (all.last(), last) {
            (Some(last_end), Some(last)) if matches!(self.job.task.register, Some(Register::Projection(_))) => {
                self.register(&last_end.result, &self.item_stack(last, None, &Map::new()))
            }
            _ => self.register(&end.result, &self.job.stack),
        };
        if !mistakes.is_empty() {
            // What could not be registered is the task's failure.
            end.result.insert("failed", true);
            end.diagnostics.extend(mistakes);
            self.mark_ignored(&self.templar(&self.job.stack), &mut end);
        }
        let status = end.status();
        if matches!(status, Status::Failed | Status::Unreachable) {
            std::iter::once(&mut end).chain(&mut all).for_each(|end| end.sets_nothing = true);
        }
        let failed: Vec<&ItemEnd> = all.iter().filter(|end| matches!(end.status(), Status::Failed | Status::Unreachable)).collect();
        let ignored = if failed.is_empty() { end.ignored } else { failed.iter().all(|end| end.ignored) };
        let no_log = end.no_log || all.iter().any(|end| end.no_log);
        let whole = Arc::new(std::mem::take(&mut end.result));
        let mut result = HostResult {
            host: self.job.host,
            result: Arc::clone(&whole),
            status,
            ignored,
            is_loop,
            delegated_to: end.delegated_to.clone().or_else(|| all.first().and_then(|end| end.delegated_to.clone())),
            no_log,
            effects: Vec::new(),
            facts: Vec::new(),
            notify: Vec::new(),
            registered,
            includes: Vec::new(),
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            deprecations: Vec::new(),
            failed_task: None,
        };
        if status == Status::Failed && !ignored {
            result.failed_task = Some(Box::new(self.failed_task(end.failed_args.take())));
        }
        if !is_loop {
            result.take(&whole, end);
        }
        for mut end in all {
            let own = std::mem::take(&mut end.result);
            result.take(&own, end);
        }
        result
    }

    /// Variables that `register` sets, and what was wrong with its expressions.
    pub(super) fn register(&self, result: &Map, stack: &VarStack) -> (Map, Vec<Diagnostic>) {
        let mut variables = Map::new();
        let mut mistakes = Vec::new();
        match &self.job.task.register {
            None => {}
            Some(Register::Name(name)) => {
                variables.insert(name.value.as_str(), Value::map(outcome::registered(result)));
            }
            Some(Register::Projection(names)) => {
                let templar = self.templar(&self.with_result(stack, result));
                for (name, expression) in names {
                    let value = match &expression.value {
                        Value::Text(text) => templar.expression(text),
                        other => Ok(other.clone()),
                    };
                    match value {
                        Ok(value) => {
                            variables.insert(name.value.as_str(), value);
                        }
                        Err(error) => {
                            let mut diagnostic = error.to_diagnostic_at(&expression.span);
                            diagnostic.message = format!("Register projection '{}' failed: {}", name.value, diagnostic.message);
                            mistakes.push(diagnostic);
                        }
                    }
                }
            }
        }
        (variables, mistakes)
    }
}

impl HostResult {
    /// Takes over what one item, whose result is `own`, did.
    pub(super) fn take(&mut self, own: &Map, end: ItemEnd) {
        self.diagnostics.extend(end.diagnostics);
        self.includes.extend(end.include);
        let host = end.facts_host;
        let texts = |key: &str| match own.get(key) {
            Some(Value::List(items)) => items.iter().map(note_text).collect(),
            _ => Vec::new(),
        };
        self.warnings.extend(texts("warnings"));
        self.deprecations.extend(texts("deprecations"));
        if end.sets_nothing {
            self.effects.extend(end.effect.filter(Effect::is_of_inventory).map(|what| Owned { host, what }));
            return;
        }
        self.notify.extend(end.notify);
        match end.effect {
            Some(what) => self.effects.push(Owned { host, what }),
            None => {
                let Some(Value::Map(found)) = own.get("ansible_facts") else { return };
                match self.facts.last_mut().filter(|facts| facts.host == host) {
                    Some(facts) => facts.what.extend(found.iter().map(|(key, value)| (key.clone(), value.clone()))),
                    None => self.facts.push(Owned { host, what: Map::clone(found) }),
                }
            }
        }
    }
}

/// A warning of a module: a text, or a map with one; a deprecation says when it comes true.
fn note_text(value: &Value) -> String {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let message = text("msg").map_or_else(|| shown(value), str::to_owned);
    let owner = match text("collection_name") {
        None | Some("ansible.builtin") => "ansible-core",
        Some(collection) => collection,
    };
    match text("version") {
        Some(version) => deprecated(&message, owner, version),
        None => message,
    }
}

/// A deprecation as it is shown.
pub(super) fn deprecated(message: &str, owner: &str, version: &str) -> String {
    format!("{message} This feature will be removed from {owner} version {version}.")
}

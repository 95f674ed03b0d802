//! A task's loop: its items, which of them may be sent before the ones before have answered, and what stands between two of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::controls::Controls;
use super::{Runner, Stage, report};
use crate::action;
use crate::action::Plan;
use crate::event::{Event, ItemResult};
use crate::executor::conditions::{Verdict, evaluate};
use crate::executor::job::HostResult;
use crate::executor::outcome::ItemEnd;
use crate::executor::{outcome, transfer};
use crate::playbook::{Keyword, Loop, Register, Work};
use crate::template::{ErrorKind, OMITTED, Rendered, Scope, Templar, TemplateError, Variable, lookup};
use crate::value::{Map, Value};
use crate::vars::{Layer, Precedence, VarStack};

/// Why a loop has no items.
struct NoItems {
    end: Box<ItemEnd>,
    is_undefined: bool,
}

/// The variables of one item of a loop.
pub(super) struct Item {
    pub(super) vars: Map,
    pub(super) value: Value,
}

impl Runner<'_> {
    pub(super) fn looped(&self, looping: &Loop) -> HostResult {
        let (items, pause) = match self.items(looping) {
            Ok(items) => items,
            Err(mut end) => {
                self.mark_ignored(&self.templar(&self.job.stack), &mut end);
                return self.sum(*end, None, None);
            }
        };
        for notice in self.notices.take() {
            self.tell(match notice.removed_in {
                None => Event::Warning(notice.message),
                Some(version) => Event::Deprecated(report::deprecated(&notice.message, "ansible-core", version)),
            });
        }
        let mut ends: Vec<ItemEnd> = Vec::with_capacity(items.len());
        let mut next = 0;
        let ahead = self.may_go_ahead();
        let mut last_result: Option<Map> = None;
        let mut facts = Map::new();
        let mut added: Vec<crate::action::Effect> = Vec::new();
        while next < items.len() {
            if self.shared.interrupted.load(Ordering::Relaxed) {
                break;
            }
            let stack = self.item_stack(&items[next], last_result.as_ref(), &facts);
            let mut stage = self.prepare(stack, Some(&items[next]));
            // Nothing begins after templates that were interrupted, whatever became of them.
            if self.shared.interrupted.load(Ordering::Relaxed) {
                stage = Stage::Ended(Box::new(ItemEnd::failed("interrupted", Vec::new())));
            }
            let mut batch = vec![stage];
            if ahead && batch.iter().all(can_lead) {
                self.gather(&items[next + 1..], &mut batch);
            }
            let first = next;
            next += batch.len();
            let broke = transfer::run_batch(self, batch, &mut |offset, mut end| {
                let item = &items[first + offset];
                self.take_notices(&mut end);
                end.tell_notices();
                // What an item sets the next one sees, where it is not for another host.
                if let (None, Some(Value::Map(found))) = (end.facts_host, end.result.get("ansible_facts")) {
                    let seen = self.item_stack(item, None, &facts);
                    facts.extend(seen.found(found, self.sets_facts()));
                }
                if let Some(effect) = end.effect.as_ref().filter(|effect| effect.is_of_inventory()) {
                    if added.contains(effect) && self.job.task.changed_when.is_empty() {
                        end.result.insert("changed", false);
                    }
                    added.push(effect.clone());
                }
                let stop = self.breaks(item, &mut end, &facts);
                self.finish_item(item, &mut end, &facts);
                last_result = Some(outcome::registered(&end.result));
                ends.push(end);
                stop
            });
            if broke {
                break;
            }
            if let Some(pause) = pause.filter(|_| next < items.len()) {
                transfer::sleep(&self.shared.interrupted, pause);
            }
        }
        let result = outcome::of_loop(&ends);
        let last = ends.len().checked_sub(1).and_then(|last| items.get(last));
        self.sum(ItemEnd::of(result), Some(ends), last)
    }

    /// Prepares the items that follow, as long as they go the same way and do not look at what the loop registers.
    pub(super) fn gather(&self, items: &[Item], batch: &mut Vec<Stage>) {
        let register = match &self.job.task.register {
            Some(Register::Name(name)) => Some(name.value.as_str()),
            _ => None,
        };
        for item in items.iter().take(MOST_AHEAD) {
            let touched = Arc::new(AtomicBool::new(false));
            let stack = self.item_stack(item, None, &Map::new());
            let templar_of = |stack: &VarStack| match register {
                Some(name) => {
                    let watched = Watched { inner: stack.clone(), name: name.to_owned(), touched: Arc::clone(&touched) };
                    self.templar_over(Arc::new(watched))
                }
                None => self.templar(stack),
            };
            let stage = self.prepare_with(&templar_of, stack, Some(item));
            if touched.load(Ordering::Relaxed) || !same_way(batch, &stage) {
                return;
            }
            batch.push(stage);
        }
    }

    /// Whether items may be sent before the ones before have answered.
    pub(super) fn may_go_ahead(&self) -> bool {
        let task = &self.job.task;
        let control = &task.loop_control;
        let plain = task.until.is_empty() && task.retries.is_none() && control.pause.is_none() && control.break_when.is_empty();
        let limited = task.keywords.get(Keyword::Timeout).is_some() || self.shared.tasks.timeout > 0;
        let attached = task.async_limit.is_none() && !limited;
        let module = match &task.work {
            Work::Module(call) => action::spec(&call.name.short).is_some_and(|spec| !spec.returns_facts),
            Work::IncludeTasks(_) | Work::IncludeRole(_) | Work::Meta(_) => false,
        };
        plain && attached && module && !reads_control_machine(task)
    }

    /// The items, and how long to wait between two of them.
    fn items(&self, looping: &Loop) -> Result<(Vec<Item>, Option<Duration>), Box<ItemEnd>> {
        let templar = self.templar(&self.job.stack);
        let values = match self.item_values(looping, &templar) {
            Ok(Some(values)) => values,
            Ok(None) => {
                let diagnostic = looping.items.error(OMITTED);
                return Err(Box::new(ItemEnd::failed(OMITTED, vec![diagnostic])));
            }
            Err(NoItems { end, is_undefined: false }) => return Err(end),
            Err(NoItems { end, is_undefined: true }) => {
                // A loop over something undefined is no mistake where the condition, seen without items, says no.
                return match evaluate("when", &self.job.task.keywords.when, &templar) {
                    Ok(Verdict::Not(condition)) => Err(Box::new(ItemEnd::skipped(condition))),
                    Ok(Verdict::Holds) | Err(_) => Err(end),
                };
            }
        };
        if values.is_empty() {
            return Ok((Vec::new(), None));
        }
        let Controls { loop_var, index_var, extended, with_all, pause } = Controls::read(&self.job.task.loop_control, &templar)?;
        let all = extended.then(|| Value::list(values.clone()));
        let count = values.len();
        let mut items = Vec::with_capacity(count);
        for (index, value) in values.iter().enumerate() {
            let mut vars = Map::new();
            vars.insert(loop_var.as_str(), value.clone());
            vars.insert("ansible_loop_var", loop_var.as_str());
            if let Some(index_var) = &index_var {
                vars.insert(index_var.as_str(), index);
                vars.insert("ansible_index_var", index_var.as_str());
            }
            if let Some(all) = &all {
                vars.insert("ansible_loop", extended_loop(index, count, &values, with_all.then_some(all)));
            }
            items.push(Item { vars, value: value.clone() });
        }
        Ok((items, pause))
    }

    /// What the loop goes over; `None` where that is to be left out, which a loop cannot be.
    fn item_values(&self, looping: &Loop, templar: &Templar) -> Result<Option<Vec<Value>>, NoItems> {
        let at = &looping.items;
        let failed = |error: TemplateError| {
            let diagnostic = error.to_diagnostic_at(&at.span);
            // Only of what is undefined does Ansible say here that the task has failed.
            let is_undefined = matches!(error.kind(), ErrorKind::Undefined { .. });
            let before = if is_undefined { "Task failed: " } else { "" };
            let end = Box::new(ItemEnd::failed(format!("{before}{}", error.full_message()), vec![diagnostic]));
            NoItems { end, is_undefined }
        };
        if let Some(lookup) = &looping.lookup {
            return match lookup::run_loop(&lookup.value, &at.value, templar) {
                Ok(values) => Ok(Some(values)),
                Err(error) if *error.kind() == ErrorKind::Omitted => Ok(None),
                Err(error) => Err(failed(error)),
            };
        }
        match templar.render(&at.value).map_err(failed)? {
            Rendered::Value(Value::List(items)) => Ok(Some(items.to_vec())),
            Rendered::Value(other) => {
                let mistake = Loop::not_a_list(at, &other);
                let end = Box::new(ItemEnd::failed(mistake.message.clone(), vec![mistake]));
                Err(NoItems { end, is_undefined: false })
            }
            Rendered::Omit => Ok(None),
        }
    }

    /// What an item sees: the result of the one before as the task registers it, the facts that those before found, itself.
    pub(super) fn item_stack(&self, item: &Item, registered: Option<&Map>, facts: &Map) -> VarStack {
        let mut stack = self.job.stack.clone();
        // Stronger than what the name was registered with before.
        if let (Some(result), Some(Register::Name(name))) = (registered, &self.job.task.register) {
            stack.push(Layer::single(Precedence::Loop, &name.value, Value::map(result.clone())));
        }
        if !facts.is_empty() {
            stack.push(Layer::new(Precedence::Loop, "the loop", facts.clone()));
        }
        stack.push(Layer::new(Precedence::Loop, "the loop", item.vars.clone()));
        stack
    }

    /// An item of a loop has ended: its result names it, and an event says so.
    pub(super) fn finish_item(&self, item: &Item, end: &mut ItemEnd, facts: &Map) {
        // To Ansible an item that is null is none.
        for (key, value) in item.vars.iter().filter(|(key, value)| key.as_str() != Some("ansible_loop") && !value.is_null()) {
            end.result.insert(key.clone(), value.clone());
        }
        if let Some(extended) = item.vars.get("ansible_loop") {
            end.result.insert("ansible_loop", extended.clone());
        }
        let label = if end.no_log { Value::text("(censored due to no_log)") } else { self.label_of_end(item, end, facts) };
        let mut result = self.event_result(&end.result, end.status(), end);
        result.ignored = false;
        for diagnostic in std::mem::take(&mut end.diagnostics) {
            self.tell(Event::Diagnostic(Box::new(diagnostic)));
        }
        self.tell(Event::Item(Box::new(ItemResult { result, label })));
    }

    pub(super) fn breaks(&self, item: &Item, end: &mut ItemEnd, facts: &Map) -> bool {
        let conditions = &self.job.task.loop_control.break_when;
        if conditions.is_empty() {
            return false;
        }
        let templar = self.templar(&self.ended_stack(item, end, facts));
        match evaluate("break_when", conditions, &templar) {
            Ok(verdict) => {
                let breaks = matches!(verdict, Verdict::Holds);
                end.result.insert("break_when_result", breaks);
                breaks
            }
            Err(error) => {
                let result = &mut end.result;
                result.insert("break_when_result", error.text);
                if outcome::is(result, "failed") {
                    result.insert("break_when_suppressed_exception", outcome::NO_TRACEBACK);
                }
                result.insert("failed", true);
                if !result.contains("msg") {
                    result.insert("msg", error.message);
                }
                end.diagnostics.push(error.diagnostic);
                self.mark_ignored(&templar, end);
                true
            }
        }
    }

    /// What a loop's own conditions and labels see of an item that has ended.
    fn ended_stack(&self, item: &Item, end: &ItemEnd, facts: &Map) -> VarStack {
        self.with_result(&self.item_stack(item, None, facts), &end.result).reached(Arc::clone(&self.job.reach))
    }

    /// What `label` shows of an item that has ended; a mistake in it is a warning.
    fn label_of_end(&self, item: &Item, end: &mut ItemEnd, facts: &Map) -> Value {
        if self.job.task.loop_control.label.is_none() {
            return item.value.clone();
        }
        let templar = self.templar(&self.ended_stack(item, end, facts));
        self.label(item, &templar).unwrap_or_else(|error| {
            let mut warnings = end.result.get("warnings").and_then(Value::as_list).unwrap_or_default().to_vec();
            warnings.push(Value::text(format!("Failed to template loop_control label: {}", error.full_message())));
            end.result.insert("warnings", Value::list(warnings));
            item.value.clone()
        })
    }

    /// What `label` shows of an item.
    pub(super) fn label(&self, item: &Item, templar: &Templar) -> Result<Value, TemplateError> {
        match &self.job.task.loop_control.label {
            Some(written) => match templar.render(&written.value)? {
                Rendered::Value(value) => Ok(value),
                Rendered::Omit => Ok(item.value.clone()),
            },
            None => Ok(item.value.clone()),
        }
    }
}

/// So many items of a loop are prepared ahead.
const MOST_AHEAD: usize = 4096;

/// Sees whether a name was asked for.
struct Watched {
    inner: VarStack,
    name: String,
    touched: Arc<AtomicBool>,
}

impl Scope for Watched {
    fn get(&self, name: &str) -> Option<Variable> {
        if name == self.name {
            self.touched.store(true, Ordering::Relaxed);
        }
        self.inner.get(name)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.inner.names()
    }
}

/// A first item that others may be sent behind.
fn can_lead(stage: &Stage) -> bool {
    match stage {
        Stage::Ended(_) => true,
        Stage::Ready(ready) => matches!(ready.plan, Plan::Send(_) | Plan::Done(_) | Plan::Failed(_)),
    }
}

/// Whether an item goes over the same connection as the same user as the ones before it.
fn same_way(batch: &[Stage], stage: &Stage) -> bool {
    let route_of = |stage: &Stage| match stage {
        Stage::Ready(ready) => ready.route.as_ref().map(|route| (route.key.clone(), route.becomes.clone())),
        Stage::Ended(_) => None,
    };
    if !can_lead(stage) {
        return false;
    }
    match (batch.iter().find_map(route_of), route_of(stage)) {
        (Some(first), Some(this)) => first == this,
        (None, _) | (_, None) => true,
    }
}

/// Lookups and file tests see what items before may have changed on the control machine.
fn reads_control_machine(task: &crate::playbook::Task) -> bool {
    let Work::Module(call) = &task.work else { return true };
    let touches = |value: &Value| {
        let mut found = false;
        visit_texts(value, &mut |text| {
            found |= ["lookup(", "query(", "q(", " is file", " is exists", " is directory", " is link", "is_file", "is_dir"]
                .iter()
                .any(|word| text.contains(word));
        });
        found
    };
    call.args.options.iter().any(|(_, value)| touches(&value.value))
        || call.args.free_form.as_ref().is_some_and(|text| touches(&Value::Text(text.value.clone())))
        || task.keywords.when.iter().any(|value| touches(&value.value))
}

fn visit_texts(value: &Value, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Text(text) => visit(text.as_str()),
        Value::List(items) => items.iter().for_each(|item| visit_texts(item, visit)),
        Value::Map(map) => map.values().for_each(|item| visit_texts(item, visit)),
        _ => {}
    }
}

fn extended_loop(index: usize, count: usize, values: &[Value], all: Option<&Value>) -> Value {
    let mut map = Map::new();
    map.insert("index", index + 1);
    map.insert("index0", index);
    map.insert("first", index == 0);
    map.insert("last", index + 1 == count);
    map.insert("length", count);
    map.insert("revindex", count - index);
    map.insert("revindex0", count - index - 1);
    if let Some(all) = all {
        map.insert("allitems", all.clone());
    }
    if let Some(next) = values.get(index + 1) {
        map.insert("nextitem", next.clone());
    }
    if let Some(previous) = index.checked_sub(1).and_then(|before| values.get(before)) {
        map.insert("previtem", previous.clone());
    }
    Value::map(map)
}

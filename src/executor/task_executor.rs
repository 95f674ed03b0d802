//! One task on one host: conditions, loop, arguments, the module, what comes of it. Runs on a worker, asks nobody, prints nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;

use super::conditions::{Verdict, evaluate};
use super::job::{HostResult, Include, IncludeWhat, Job, Message};
use super::keywords::{KeywordError, Reader, flag, int, render, seconds, shown};
use super::lease::Leases;
use super::outcome::{self, ItemEnd, NO_TRACEBACK, censored, complete, is};
use super::target::{ConnectionDefaults, Route, RouteError, route};
use super::transfer;
use crate::action::{self, Action, Args, Call, Failure, Plan};
use crate::event::{Event, ItemResult, Status, TaskResult};
use crate::inventory::{HostId, Inventory};
use crate::playbook::{IncludeRole, Keyword, Loop, ModuleCall, Register, RoleFiles, Work};
use crate::source::{Diagnostics, Spanned};
use crate::template::{Engine, Rendered, Scope, Templar, TemplateError, Variable, lookup};
use crate::value::{Map, Value};
use crate::vars::{Layer, Precedence, VarStack};

/// What all workers share.
pub struct Shared {
    /// Templates.
    pub engine: Arc<Engine>,
    /// Connections.
    pub leases: Leases,
    /// How hosts are reached where nothing else is said.
    pub defaults: ConnectionDefaults,
    /// How many `-v`.
    pub verbosity: u8,
    /// Set when the run is to end.
    pub interrupted: Arc<AtomicBool>,
}

/// Runs a task on one host.
pub fn run(shared: &Shared, job: &Job, out: &Sender<Message>) -> HostResult {
    let runner = Runner { shared, job, out };
    match &job.task.looping {
        None => runner.sum(runner.single(), None),
        Some(looping) => runner.looped(looping),
    }
}

pub(super) struct Runner<'j> {
    pub shared: &'j Shared,
    pub job: &'j Job,
    pub out: &'j Sender<Message>,
}

/// An item that is ready to run: conditions hold, arguments are rendered, the action has a plan.
pub(super) struct Ready {
    pub templar: Templar,
    pub stack: VarStack,
    pub args: Args,
    pub name: Arc<str>,
    pub action: &'static dyn Action,
    pub plan: Plan,
    pub route: Option<Route>,
    pub environment: Vec<(String, String)>,
    pub check: bool,
    pub diff: bool,
    pub end: ItemEnd,
    pub retry: Retry,
    pub asynchronous: Option<Asynchronous>,
    pub timeout: Option<std::time::Duration>,
}

/// How often and when to try again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    /// How often at most, beyond the first.
    pub retries: i64,
    /// Seconds between.
    pub delay: f64,
}

/// `async` and `poll`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asynchronous {
    /// The limit in seconds.
    pub limit: u64,
    /// Seconds between polls; 0: never.
    pub poll: u64,
}

/// What became of preparing an item.
pub(super) enum Stage {
    /// It has ended: skipped, failed, included.
    Ended(Box<ItemEnd>),
    /// It is to be run.
    Ready(Box<Ready>),
}

/// The variables of one item of a loop.
pub(super) struct Item {
    vars: Map,
    value: Value,
}

impl Runner<'_> {
    fn single(&self) -> ItemEnd {
        match self.prepare(self.job.stack.clone(), None) {
            Stage::Ended(end) => *end,
            Stage::Ready(ready) => self.execute(*ready),
        }
    }

    fn looped(&self, looping: &Loop) -> HostResult {
        let items = match self.items(looping) {
            Ok(items) => items,
            Err(mut end) => {
                self.mark_ignored(&self.templar(&self.job.stack), &mut end);
                return self.sum(*end, None);
            }
        };
        let mut ends: Vec<ItemEnd> = Vec::with_capacity(items.len());
        let mut next = 0;
        let templar = self.templar(&self.job.stack);
        let ahead = self.may_go_ahead();
        let mut last_result: Option<Map> = None;
        let mut facts = Map::new();
        while next < items.len() {
            if self.shared.interrupted.load(Ordering::Relaxed) {
                break;
            }
            let mut stack = self.item_stack(&items[next], last_result.as_ref());
            if !facts.is_empty() {
                stack.push(Layer::new(Precedence::SetFacts, "the loop", facts.clone()));
            }
            let stage = self.prepare(stack, Some(&items[next]));
            let mut batch = vec![stage];
            if ahead && batch.iter().all(can_lead) {
                self.gather(&items[next + 1..], &mut batch);
            }
            let first = next;
            next += batch.len();
            let broke = transfer::run_batch(self, batch, &mut |offset, mut end| {
                let item = &items[first + offset];
                // What an item sets the next one sees.
                if let Some(Value::Map(found)) = end.result.get("ansible_facts") {
                    facts.extend(found.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                let stop = self.breaks(item, &mut end);
                self.finish_item(item, &mut end);
                last_result = Some(outcome::registered(&end.result));
                ends.push(end);
                stop
            });
            if broke {
                break;
            }
            self.pause_between(&templar, next < items.len());
        }
        let result = outcome::of_loop(&ends);
        self.sum(ItemEnd::of(result), Some(ends))
    }

    /// Prepares the items that follow, as long as they go the same way and do not look at what the loop registers.
    fn gather(&self, items: &[Item], batch: &mut Vec<Stage>) {
        let register = match &self.job.task.register {
            Some(Register::Name(name)) => Some(name.value.as_str()),
            _ => None,
        };
        for item in items.iter().take(MOST_AHEAD) {
            let touched = Arc::new(AtomicBool::new(false));
            let stack = self.item_stack(item, None);
            let watched = register.map(|name| Watched { inner: stack.clone(), name: name.to_owned(), touched: Arc::clone(&touched) });
            let scope: Arc<dyn Scope> = match watched {
                Some(watched) => Arc::new(watched),
                None => Arc::new(stack.clone()),
            };
            let templar = Templar::new(&self.shared.engine, scope, Arc::clone(&self.job.context));
            let stage = self.prepare_with(templar, stack, Some(item));
            if touched.load(Ordering::Relaxed) || !same_way(batch, &stage) {
                return;
            }
            batch.push(stage);
        }
    }

    /// Whether items may be sent before the ones before have answered.
    fn may_go_ahead(&self) -> bool {
        let task = &self.job.task;
        let control = &task.loop_control;
        let plain = task.until.is_empty() && task.retries.is_none() && control.pause.is_none() && control.break_when.is_empty();
        let attached = task.async_limit.is_none() && task.keywords.get(Keyword::Timeout).is_none();
        let module = match &task.work {
            Work::Module(call) => action::spec(&call.name.short).is_some_and(|spec| !spec.returns_facts),
            Work::IncludeTasks(_) | Work::IncludeRole(_) | Work::Meta(_) => false,
        };
        plain && attached && module && !reads_control_machine(task)
    }

    fn items(&self, looping: &Loop) -> Result<Vec<Item>, Box<ItemEnd>> {
        let templar = self.templar(&self.job.stack);
        let values = match self.item_values(looping, &templar) {
            Ok(values) => values,
            Err(end) => {
                // A loop over something undefined is no mistake where the condition, seen without items, says no.
                return match evaluate("when", &self.job.task.keywords.when, &templar) {
                    Ok(Verdict::Not(condition)) => Err(Box::new(ItemEnd::skipped(condition))),
                    Ok(Verdict::Holds) | Err(_) => Err(end),
                };
            }
        };
        let control = &self.job.task.loop_control;
        let name = |written: &Option<Spanned<Value>>| match written {
            Some(written) => render("loop_control", written, &templar).map(|value| value.map(|value| shown(&value))),
            None => Ok(None),
        };
        let loop_var = name(&control.loop_var).map_err(keyword_end)?.unwrap_or_else(|| "item".to_owned());
        let index_var = name(&control.index_var).map_err(keyword_end)?;
        let option = |written: &Option<Spanned<Value>>, default| match written {
            Some(written) => flag("loop_control", written, &templar).map(|value| value.unwrap_or(default)),
            None => Ok(default),
        };
        let extended = option(&control.extended, false).map_err(keyword_end)?;
        let with_all = option(&control.extended_allitems, true).map_err(keyword_end)?;
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
        Ok(items)
    }

    fn item_values(&self, looping: &Loop, templar: &Templar) -> Result<Vec<Value>, Box<ItemEnd>> {
        let at = &looping.items;
        let failed = |error: TemplateError| {
            let diagnostic = error.to_diagnostic();
            let diagnostic = if diagnostic.labels.is_empty() { diagnostic.at(&at.span) } else { diagnostic };
            Box::new(ItemEnd::failed(format!("Task failed: {}", error.full_message()), vec![diagnostic]))
        };
        if let Some(lookup) = &looping.lookup {
            return lookup::run_loop(&lookup.value, &at.value, templar).map_err(failed);
        }
        match templar.render(&at.value).map_err(failed)? {
            Rendered::Value(Value::List(items)) => Ok(items.to_vec()),
            Rendered::Value(other) => {
                let message = format!("The `loop` value must resolve to a 'list', not '{}'.", other.type_name());
                Err(Box::new(ItemEnd::failed(format!("Task failed: {message}"), vec![at.error(message)])))
            }
            Rendered::Omit => Ok(Vec::new()),
        }
    }

    fn item_stack(&self, item: &Item, registered: Option<&Map>) -> VarStack {
        let mut stack = self.job.stack.with(Layer::new(Precedence::Loop, "the loop", item.vars.clone()));
        if let (Some(result), Some(Register::Name(name))) = (registered, &self.job.task.register) {
            stack.push(Layer::single(Precedence::SetFacts, &name.value, Value::map(result.clone())));
        }
        stack
    }

    pub(super) fn templar(&self, stack: &VarStack) -> Templar {
        Templar::new(&self.shared.engine, Arc::new(stack.clone()), Arc::clone(&self.job.context))
    }

    fn prepare(&self, stack: VarStack, item: Option<&Item>) -> Stage {
        let templar = self.templar(&stack);
        self.prepare_with(templar, stack, item)
    }

    fn prepare_with(&self, templar: Templar, stack: VarStack, item: Option<&Item>) -> Stage {
        let keywords = &self.job.task.keywords;
        let no_log = match (Reader { keywords, templar: &templar }).flag(Keyword::NoLog) {
            Ok(no_log) => no_log.unwrap_or(false),
            Err(error) => return Stage::Ended(keyword_end(error)),
        };
        let mut stage = match evaluate("when", &keywords.when, &templar) {
            Ok(Verdict::Holds) => self.prepare_work(templar, stack, item),
            Ok(Verdict::Not(condition)) => Stage::Ended(Box::new(ItemEnd::skipped(condition))),
            Err(error) => {
                let message = format!("Task failed: {}", error.message);
                let mut end = ItemEnd::failed(message, vec![error.diagnostic]);
                self.mark_ignored(&templar, &mut end);
                Stage::Ended(Box::new(end))
            }
        };
        match &mut stage {
            Stage::Ended(end) => end.no_log = no_log,
            Stage::Ready(ready) => ready.end.no_log = no_log,
        }
        stage
    }

    fn prepare_work(&self, templar: Templar, stack: VarStack, item: Option<&Item>) -> Stage {
        let (templar, stack) = match self.delegated(templar, stack) {
            Ok(seen) => seen,
            Err(end) => return Stage::Ended(end),
        };
        let mut ended = match &self.job.task.work {
            Work::Module(call) => match self.prepare_module(call, &templar, &stack) {
                Ok(ready) => {
                    let mut ready = ready(templar, stack);
                    ready.end.label = self.label(&ready.templar, item);
                    return Stage::Ready(Box::new(ready));
                }
                Err(end) => end,
            },
            Work::IncludeTasks(include) => self.include(&templar, item, |templar| {
                let file = render_text("file", &include.file, templar)?;
                Ok(IncludeWhat::Tasks(file))
            }),
            Work::IncludeRole(include) => self.include(&templar, item, |templar| role_to_include(include, templar)),
            Work::Meta(_) => Box::new(ItemEnd::of(Map::new())),
        };
        self.mark_ignored(&templar, &mut ended);
        ended.label = self.label(&templar, item);
        Stage::Ended(ended)
    }

    /// A delegated task sees how its delegate is reached, and `ansible_delegated_vars`.
    fn delegated(&self, templar: Templar, stack: VarStack) -> Result<(Templar, VarStack), Box<ItemEnd>> {
        let reader = Reader { keywords: &self.job.task.keywords, templar: &templar };
        let Some(name) = reader.text(Keyword::DelegateTo).map_err(keyword_end)?.filter(|name| !name.is_empty()) else {
            return Ok((templar, stack));
        };
        let (world, id) = host_for(&stack, &name);
        let delegate = stack.on(world).for_host(id);
        let mut seen = Map::new();
        for variable in DELEGATED {
            if let Some(value) = delegate.value(variable) {
                seen.insert(*variable, value);
            }
        }
        let mut vars = seen.clone();
        let mut of_host = seen;
        of_host.insert("inventory_hostname", name.as_str());
        let mut by_host = Map::new();
        by_host.insert(name.as_str(), Value::map(of_host));
        vars.insert("ansible_delegated_vars", Value::map(by_host));
        let stack = stack.with(Layer::new(Precedence::Loop, "the delegate", vars));
        Ok((self.templar(&stack), stack))
    }

    fn include(
        &self,
        templar: &Templar,
        item: Option<&Item>,
        what: impl FnOnce(&Templar) -> Result<IncludeWhat, KeywordError>,
    ) -> Box<ItemEnd> {
        match what(templar) {
            Ok(what) => {
                let mut result = Map::new();
                result.insert("changed", false);
                let loop_vars = item.map(|item| item.vars.clone()).unwrap_or_default();
                let label = self.label(templar, item);
                Box::new(ItemEnd { include: Some(Include { what, loop_vars, label }), ..ItemEnd::of(result) })
            }
            Err(error) => keyword_end(error),
        }
    }

    /// All of an item that is known before it runs; the closure takes what the caller owns.
    fn prepare_module(
        &self,
        call: &ModuleCall,
        templar: &Templar,
        stack: &VarStack,
    ) -> Result<impl FnOnce(Templar, VarStack) -> Ready + use<>, Box<ItemEnd>> {
        let task = &self.job.task;
        let reader = Reader { keywords: &task.keywords, templar };
        let name = Arc::clone(&call.name.short);
        let Some(action) = action::find(&name) else {
            let message = format!("the module `{}` is not supported yet", call.name.written);
            let diagnostic = crate::source::Diagnostic::error(&message).at(&call.name.span);
            return Err(Box::new(ItemEnd::failed(message, vec![diagnostic])));
        };
        let delegate = reader.text(Keyword::DelegateTo).map_err(keyword_end)?.filter(|name| !name.is_empty());
        let check = reader.flag(Keyword::CheckMode).map_err(keyword_end)?.unwrap_or(self.job.check);
        let diff = reader.flag(Keyword::Diff).map_err(keyword_end)?.unwrap_or(self.job.diff);
        reader.flag(Keyword::Become).map_err(keyword_end)?;
        let environment = reader.environment().map_err(keyword_end)?;
        let args = self.render_args(call, templar)?;
        let retry = self.retry(templar)?;
        let asynchronous = self.asynchronous(templar, check)?;
        let timeout = reader
            .int(Keyword::Timeout)
            .map_err(keyword_end)?
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0);
        let context_call = Call {
            name: &name,
            args: &args,
            templar,
            context: &self.job.context,
            check,
            diff,
            host: &self.job.host_name,
            verbosity: self.shared.verbosity,
            environment: &environment,
        };
        let plan = action.plan(&context_call).unwrap_or_else(|failure| Plan::Failed(Box::new(failure)));
        let mut end = ItemEnd { delegated_to: delegate.as_deref().map(Arc::from), ..ItemEnd::default() };
        let route = match plan {
            Plan::Done(_) | Plan::Failed(_) => None,
            Plan::Send(_) | Plan::Talk => Some(self.route(&reader, stack, delegate.as_deref())?),
        };
        if delegate.is_some() && reader.flag(Keyword::DelegateFacts).map_err(keyword_end)?.unwrap_or(false) {
            end.facts_host = delegate.as_deref().and_then(|name| stack.world().inventory().host_named(name));
        }
        let timeout = timeout.map(std::time::Duration::from_secs);
        Ok(move |templar, stack| Ready {
            templar,
            stack,
            args,
            name,
            action,
            plan,
            route,
            environment,
            check,
            diff,
            end,
            retry,
            asynchronous,
            timeout,
        })
    }

    fn route(&self, reader: &Reader<'_>, stack: &VarStack, delegate: Option<&str>) -> Result<Route, Box<ItemEnd>> {
        let name = delegate.unwrap_or(&self.job.host_name);
        let found = match delegate {
            None => {
                let defaults = &self.shared.defaults;
                return route(name, reader, reader.templar, defaults, &self.job.playbook_dir).map_err(route_end);
            }
            Some(name) => host_for(stack, name),
        };
        let (world, id) = found;
        let vars = self.templar(&stack.on(world).for_host(id));
        let reached = vars.get("inventory_hostname").ok().flatten().map_or_else(|| name.to_owned(), |name| shown(&name));
        route(&reached, reader, &vars, &self.shared.defaults, &self.job.playbook_dir).map_err(route_end)
    }

    fn render_args(&self, call: &ModuleCall, templar: &Templar) -> Result<Args, Box<ItemEnd>> {
        let mut args = Args::new(call.name.span.clone());
        let name = call.name.qualified();
        let failed = |option: &str, error: &TemplateError, at: &crate::source::Span| {
            let what = if option.is_empty() { String::new() } else { format!("Error while resolving value for '{option}': ") };
            let message = format!("Task failed: Finalization of task args for '{name}' failed: {what}{}", error.full_message());
            let diagnostic = error.to_diagnostic();
            let diagnostic = if diagnostic.labels.is_empty() { diagnostic.at(at) } else { diagnostic };
            Box::new(ItemEnd::failed(message, vec![diagnostic]))
        };
        for defaults in &self.job.task.keywords.module_defaults {
            let value = render("module_defaults", defaults, templar).map_err(keyword_end)?;
            for (module, options) in value.as_ref().and_then(Value::as_map).into_iter().flat_map(Map::iter) {
                let Some(module) = module.as_str() else { continue };
                let short = module.strip_prefix("ansible.builtin.").or_else(|| module.strip_prefix("ansible.legacy.")).unwrap_or(module);
                if *short == *call.name.short {
                    for (option, value) in options.as_map().into_iter().flat_map(Map::iter) {
                        let key = Spanned::new(Arc::from(option.to_json_key()), defaults.span.clone());
                        args.set(key, value.clone(), defaults.span.clone());
                    }
                }
            }
        }
        if let Some(variable) = &call.args.variable {
            match templar.render(&Value::Text(variable.value.clone())) {
                Ok(Rendered::Value(Value::Map(map))) => {
                    for (option, value) in map.iter() {
                        args.set(
                            Spanned::new(Arc::from(option.to_json_key()), variable.span.clone()),
                            value.clone(),
                            variable.span.clone(),
                        );
                    }
                }
                Ok(Rendered::Value(Value::Null) | Rendered::Omit) => {}
                Ok(Rendered::Value(other)) => {
                    let message = format!(
                        "Task failed: Finalization of task args for '{name}' failed: a mapping is required, found a {}",
                        other.type_name()
                    );
                    return Err(Box::new(ItemEnd::failed(&message, vec![variable.error(message.clone())])));
                }
                Err(error) => return Err(failed("", &error, &variable.span)),
            }
        }
        for (option, written) in &call.args.options {
            let option = &self.option_name(call, option, templar).map_err(|error| failed(&option.value, &error, &option.span))?;
            if is_expression(&call.name.short, &option.value, &written.value) {
                args.set(option.clone(), written.value.clone(), written.span.clone());
                continue;
            }
            match templar.render(&written.value) {
                Ok(Rendered::Value(value)) => args.set(option.clone(), value, written.span.clone()),
                Ok(Rendered::Omit) => {
                    args.take(&option.value);
                }
                Err(error) => return Err(failed(&option.value, &error, &written.span)),
            }
        }
        if let Some(free) = &call.args.free_form {
            match templar.render(&Value::Text(free.value.clone())) {
                Ok(Rendered::Value(value)) => {
                    args.set(Spanned::new(Arc::from("_raw_params"), free.span.clone()), Value::text(shown(&value)), free.span.clone());
                }
                Ok(Rendered::Omit) => {}
                Err(error) => return Err(failed("_raw_params", &error, &free.span)),
            }
        }
        Ok(args)
    }

    /// The names of `set_fact` may be templates.
    fn option_name(&self, call: &ModuleCall, option: &Spanned<Arc<str>>, templar: &Templar) -> Result<Spanned<Arc<str>>, TemplateError> {
        if &*call.name.short != "set_fact" || !option.value.contains("{{") {
            return Ok(option.clone());
        }
        let text = crate::value::Text::trusted(Arc::clone(&option.value), Some(option.span.clone()));
        let name = match templar.render(&Value::Text(text))? {
            Rendered::Value(value) => shown(&value),
            Rendered::Omit => String::new(),
        };
        Ok(Spanned::new(Arc::from(name), option.span.clone()))
    }

    fn retry(&self, templar: &Templar) -> Result<Retry, Box<ItemEnd>> {
        let task = &self.job.task;
        let retries = match &task.retries {
            Some(written) => int("retries", written, templar).map_err(keyword_end)?,
            None => None,
        };
        let retries = match retries {
            Some(retries) => retries.max(0),
            None if task.until.is_empty() => 0,
            None => 3,
        };
        let delay = match &task.delay {
            Some(written) => seconds("delay", written, templar).map_err(keyword_end)?.unwrap_or(5.0),
            None => 5.0,
        };
        Ok(Retry { retries, delay: delay.max(0.0) })
    }

    fn asynchronous(&self, templar: &Templar, check: bool) -> Result<Option<Asynchronous>, Box<ItemEnd>> {
        let task = &self.job.task;
        let limit = match &task.async_limit {
            Some(written) => int("async", written, templar).map_err(keyword_end)?.unwrap_or(0),
            None => 0,
        };
        let Some(limit) = u64::try_from(limit).ok().filter(|limit| *limit > 0) else { return Ok(None) };
        if check {
            return Err(Box::new(ItemEnd::failed("Task failed: check mode and async cannot be used on same task.", Vec::new())));
        }
        let poll = match &task.poll {
            Some(written) => int("poll", written, templar).map_err(keyword_end)?.unwrap_or(15),
            None => 15,
        };
        Ok(Some(Asynchronous { limit, poll: u64::try_from(poll).unwrap_or(0) }))
    }

    /// What `label` shows of an item.
    fn label(&self, templar: &Templar, item: Option<&Item>) -> Option<Value> {
        let item = item?;
        match &self.job.task.loop_control.label {
            Some(written) => match templar.render(&written.value) {
                Ok(Rendered::Value(value)) => Some(value),
                Ok(Rendered::Omit) | Err(_) => Some(item.value.clone()),
            },
            None => Some(item.value.clone()),
        }
    }

    /// Runs what is ready, trying again as told.
    pub(super) fn execute(&self, ready: Ready) -> ItemEnd {
        transfer::run_one(self, ready)
    }

    /// What a result comes to: lines, `changed_when`, `failed_when`.
    pub(super) fn judge(&self, ready: &Ready, result: &mut Map, diagnostics: &mut Vec<crate::source::Diagnostic>) {
        complete(result);
        let task = &self.job.task;
        if is(result, "skipped") || (task.changed_when.is_empty() && task.failed_when.is_empty()) {
            return;
        }
        if is(result, "unreachable") {
            return;
        }
        let templar = self.templar(&self.with_result(&ready.stack, result));
        if !task.changed_when.is_empty() {
            match evaluate("changed_when", &task.changed_when, &templar) {
                Ok(verdict) => {
                    let changed = matches!(verdict, Verdict::Holds);
                    result.insert("changed", changed);
                    result.insert("changed_when_result", changed);
                }
                Err(error) => {
                    result.insert("changed_when_result", error.text);
                    fail_with(result, diagnostics, error.message, error.diagnostic);
                }
            }
        }
        if !task.failed_when.is_empty() {
            let templar = self.templar(&self.with_result(&ready.stack, result));
            match evaluate("failed_when", &task.failed_when, &templar) {
                Ok(verdict) => {
                    let failed = matches!(verdict, Verdict::Holds);
                    if is(result, "failed") && !failed {
                        result.insert("failed_when_suppressed_exception", NO_TRACEBACK);
                    }
                    result.insert("failed", failed);
                    result.insert("failed_when_result", failed);
                    if failed && !result.contains("msg") {
                        result.insert("msg", "A 'failed_when' expression evaluated to 'True'.");
                    }
                }
                Err(error) => {
                    result.insert("failed_when_result", error.text);
                    fail_with(result, diagnostics, error.message, error.diagnostic);
                }
            }
        }
    }

    /// Whether `until` holds; without one, whether the task did not fail.
    pub(super) fn is_satisfied(&self, ready: &Ready, result: &mut Map, diagnostics: &mut Vec<crate::source::Diagnostic>) -> bool {
        if self.job.task.until.is_empty() {
            return !is(result, "failed");
        }
        let templar = self.templar(&self.with_result(&ready.stack, result));
        match evaluate("until", &self.job.task.until, &templar) {
            Ok(verdict) => matches!(verdict, Verdict::Holds),
            Err(error) => {
                fail_with(result, diagnostics, format!("Task failed: {}", error.message), error.diagnostic);
                true
            }
        }
    }

    fn with_result(&self, stack: &VarStack, result: &Map) -> VarStack {
        let shown = Value::map(outcome::registered(result));
        let mut task = Map::new();
        task.insert("result", shown.clone());
        let mut stack = stack.with_value(Precedence::Loop, "_task", Value::map(task));
        if let Some(Register::Name(name)) = &self.job.task.register {
            stack.push(Layer::single(Precedence::Loop, &name.value, shown));
        }
        stack
    }

    /// What every end gets once its result stands: whether it is ignored, whom it notifies.
    pub(super) fn conclude(&self, templar: &Templar, end: &mut ItemEnd) {
        self.mark_ignored(templar, end);
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

    fn mark_ignored(&self, templar: &Templar, end: &mut ItemEnd) {
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

    /// An item of a loop has ended: its result names it, and an event says so.
    fn finish_item(&self, item: &Item, end: &mut ItemEnd) {
        for (key, value) in item.vars.iter().filter(|(key, _)| key.as_str() != Some("ansible_loop")) {
            end.result.insert(key.clone(), value.clone());
        }
        if let Some(extended) = item.vars.get("ansible_loop") {
            end.result.insert("ansible_loop", extended.clone());
        }
        let mut result = self.event_result(&end.result, end.status(), end);
        result.ignored = false;
        let label =
            if end.no_log { Value::text("(censored due to no_log)") } else { end.label.clone().unwrap_or_else(|| item.value.clone()) };
        for diagnostic in std::mem::take(&mut end.diagnostics) {
            self.tell(Event::Diagnostic(Box::new(diagnostic)));
        }
        self.tell(Event::Item(Box::new(ItemResult { result, label })));
    }

    fn event_result(&self, result: &Map, status: Status, end: &ItemEnd) -> TaskResult {
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
    pub(super) fn tell_retry(&self, end: &ItemEnd, result: &Map, left: i64, retries: i64) {
        let result = Box::new(self.event_result(result, Status::Failed, end));
        self.tell(Event::Retry { result, left, retries });
    }

    pub(super) fn tell(&self, event: Event) {
        // Without a coordinator the run has ended already.
        let _ = self.out.send(Message::Progress(event));
    }

    fn breaks(&self, item: &Item, end: &mut ItemEnd) -> bool {
        let conditions = &self.job.task.loop_control.break_when;
        if conditions.is_empty() {
            return false;
        }
        let templar = self.templar(&self.item_stack(item, Some(&outcome::registered(&end.result))));
        match evaluate("break_when", conditions, &templar) {
            Ok(verdict) => {
                let breaks = matches!(verdict, Verdict::Holds);
                end.result.insert("break_when_result", breaks);
                breaks
            }
            Err(error) => {
                fail_with(&mut end.result, &mut end.diagnostics, format!("Task failed: {}", error.message), error.diagnostic);
                true
            }
        }
    }

    fn pause_between(&self, templar: &Templar, more: bool) {
        let Some(written) = self.job.task.loop_control.pause.as_ref().filter(|_| more) else { return };
        if let Ok(Some(pause)) = seconds("pause", written, templar) {
            transfer::sleep(&self.shared.interrupted, std::time::Duration::from_secs_f64(pause.max(0.0)));
        }
    }

    /// The task's end out of its one end, or out of those of its items.
    fn sum(&self, end: ItemEnd, items: Option<Vec<ItemEnd>>) -> HostResult {
        let is_loop = items.is_some();
        let mut all = items.unwrap_or_default();
        let status = end.status();
        let failed: Vec<&ItemEnd> = all.iter().filter(|end| matches!(end.status(), Status::Failed | Status::Unreachable)).collect();
        let ignored = if failed.is_empty() { end.ignored } else { failed.iter().all(|end| end.ignored) };
        let no_log = end.no_log || all.iter().any(|end| end.no_log);
        let registered = self.register(&end.result);
        let mut result = HostResult {
            host: self.job.host,
            result: end.result.clone(),
            status,
            ignored,
            is_loop,
            delegated_to: end.delegated_to.clone().or_else(|| all.first().and_then(|end| end.delegated_to.clone())),
            no_log,
            effects: Vec::new(),
            facts: Map::new(),
            facts_host: None,
            notify: Vec::new(),
            registered,
            includes: Vec::new(),
            diagnostics: Vec::new(),
            warnings: Vec::new(),
            deprecations: Vec::new(),
        };
        if !is_loop {
            all.push(end);
        }
        for end in all {
            result.take(end);
        }
        result
    }

    fn register(&self, result: &Map) -> Map {
        let mut variables = Map::new();
        match &self.job.task.register {
            None => {}
            Some(Register::Name(name)) => {
                variables.insert(name.value.as_str(), Value::map(outcome::registered(result)));
            }
            Some(Register::Projection(names)) => {
                let templar = self.templar(&self.with_result(&self.job.stack, result));
                for (name, expression) in names {
                    let value = match &expression.value {
                        Value::Text(text) => templar.expression(text).unwrap_or_default(),
                        other => other.clone(),
                    };
                    variables.insert(name.value.as_str(), value);
                }
            }
        }
        variables
    }
}

impl HostResult {
    /// Takes over what one item did.
    fn take(&mut self, end: ItemEnd) {
        self.diagnostics.extend(end.diagnostics);
        self.includes.extend(end.include);
        self.notify.extend(end.notify);
        self.facts_host = self.facts_host.or(end.facts_host);
        let texts = |key: &str| match end.result.get(key) {
            Some(Value::List(items)) => items.iter().map(note_text).collect(),
            _ => Vec::new(),
        };
        self.warnings.extend(texts("warnings"));
        self.deprecations.extend(texts("deprecations"));
        match end.effect {
            Some(effect) => self.effects.push(effect),
            None => {
                if let Some(Value::Map(facts)) = end.result.get("ansible_facts") {
                    self.facts.extend(facts.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
            }
        }
    }
}

/// What a delegated task sees of its delegate instead of its own host.
const DELEGATED: &[&str] = &[
    "ansible_connection",
    "ansible_host",
    "ansible_password",
    "ansible_port",
    "ansible_private_key_file",
    "ansible_ssh_host",
    "ansible_ssh_port",
    "ansible_ssh_private_key_file",
    "ansible_ssh_user",
    "ansible_user",
];

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

/// Arguments that are expressions, which their action evaluates.
fn is_expression(module: &str, option: &str, value: &Value) -> bool {
    match (module, option) {
        ("assert", "that") => true,
        ("debug", "var") => !Templar::is_template(value),
        _ => false,
    }
}

fn extended_loop(index: usize, count: usize, values: &[Value], all: Option<&Value>) -> Value {
    let mut map = Map::new();
    if let Some(all) = all {
        map.insert("allitems", all.clone());
    }
    map.insert("index", index + 1);
    map.insert("index0", index);
    map.insert("first", index == 0);
    map.insert("last", index + 1 == count);
    map.insert("length", count);
    map.insert("revindex", count - index);
    map.insert("revindex0", count - index - 1);
    if let Some(next) = values.get(index + 1) {
        map.insert("nextitem", next.clone());
    }
    if let Some(previous) = index.checked_sub(1).and_then(|before| values.get(before)) {
        map.insert("previtem", previous.clone());
    }
    Value::map(map)
}

fn render_text(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<String, KeywordError> {
    Ok(render(name, written, templar)?.map(|value| shown(&value)).unwrap_or_default())
}

fn role_to_include(include: &IncludeRole, templar: &Templar) -> Result<IncludeWhat, KeywordError> {
    let optional = |written: &Option<Spanned<Value>>, name: &str| match written {
        Some(written) => Ok(render(name, written, templar)?.filter(|value| !value.is_null()).map(|value| shown(&value))),
        None => Ok(None),
    };
    let option = |written: &Option<Spanned<Value>>, name: &str, default: bool| match written {
        Some(written) => Ok(flag(name, written, templar)?.unwrap_or(default)),
        None => Ok(default),
    };
    Ok(IncludeWhat::Role {
        name: render_text("name", &include.name, templar)?,
        from: RoleFiles {
            tasks: optional(&include.from.tasks, "tasks_from")?,
            vars: optional(&include.from.vars, "vars_from")?,
            defaults: optional(&include.from.defaults, "defaults_from")?,
            handlers: optional(&include.from.handlers, "handlers_from")?,
        },
        public: option(&include.public, "public", false)?,
        allow_duplicates: option(&include.allow_duplicates, "allow_duplicates", true)?,
    })
}

/// The host that a task is delegated to: one of the inventory, or one made for it.
fn host_for(stack: &VarStack, name: &str) -> (Arc<crate::vars::VarWorld>, HostId) {
    let inventory = stack.world().inventory();
    if let Some(id) = inventory.host_named(name) {
        return (Arc::clone(stack.world()), id);
    }
    let mut wider = Inventory::clone(inventory);
    let id = if matches!(name, "localhost" | "127.0.0.1" | "::1") {
        wider.implicit_localhost(name)
    } else {
        let id = wider.add_host(name);
        wider.settle();
        id
    };
    (Arc::new(stack.world().with_inventory(Arc::new(wider), &mut Diagnostics::new())), id)
}

pub(super) fn keyword_end(error: KeywordError) -> Box<ItemEnd> {
    Box::new(ItemEnd::failed(error.message, vec![error.diagnostic]))
}

fn route_end(error: RouteError) -> Box<ItemEnd> {
    match error {
        RouteError::Keyword(error) => keyword_end(*error),
        RouteError::Unsupported(message) => Box::new(ItemEnd::failed(message, Vec::new())),
    }
}

pub(super) fn failure_end(failure: Failure) -> Box<ItemEnd> {
    let mut end = ItemEnd::of(failure.result);
    end.result.insert("failed", true);
    end.diagnostics = failure.diagnostics;
    Box::new(end)
}

fn fail_with(result: &mut Map, diagnostics: &mut Vec<crate::source::Diagnostic>, message: String, diagnostic: crate::source::Diagnostic) {
    result.insert("failed", true);
    result.insert("msg", message);
    diagnostics.push(diagnostic);
}

/// A warning of a module: a text, or a map with one.
fn note_text(value: &Value) -> String {
    value.get("msg").and_then(Value::as_str).map_or_else(|| shown(value), str::to_owned)
}

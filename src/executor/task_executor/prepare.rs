//! What is worked out before an item runs: its condition, its delegate, its keywords, the way to its host.

use std::sync::Arc;

use super::looping::Item;
use super::{Asynchronous, Ready, Retry, Runner, Stage, keyword_end};
use crate::action;
use crate::action::{Call, Plan};
use crate::executor::conditions::{Verdict, evaluate};
use crate::executor::job::{Include, IncludeWhat};
use crate::executor::keywords::{KeywordError, Reader, flag, int, render, seconds};
use crate::executor::outcome::ItemEnd;
use crate::executor::target::{Route, RouteError, check as check_route, route};
use crate::inventory::{HostId, Inventory, LOCALHOST};
use crate::playbook::{ActionName, IncludeRole, Keyword, ModuleCall, RoleFiles, Work};
use crate::source::{Diagnostics, Spanned};
use crate::template::print::shown;
use crate::template::{Rendered, Templar};
use crate::value::{Map, Text, Value};
use crate::vars::{Layer, Precedence, VarStack};

impl Runner<'_> {
    pub(super) fn prepare(&self, stack: VarStack, item: Option<&Item>) -> Stage {
        let templar = self.templar(&stack);
        self.prepare_with(templar, stack, item)
    }

    pub(super) fn prepare_with(&self, templar: Templar, stack: VarStack, item: Option<&Item>) -> Stage {
        let keywords = &self.job.task.keywords;
        let no_log = match (Reader { keywords, templar: &templar }).flag(Keyword::NoLog) {
            Ok(no_log) => no_log.unwrap_or(self.shared.tasks.no_log),
            Err(error) => {
                let mut end = keyword_end(error);
                self.mark_ignored(&templar, &mut end);
                end.no_log = true;
                return Stage::Ended(end);
            }
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
        let end = match &mut stage {
            Stage::Ended(end) => &mut **end,
            Stage::Ready(ready) => &mut ready.end,
        };
        end.no_log = no_log;
        self.take_notices(end);
        stage
    }

    pub(super) fn prepare_work(&self, templar: Templar, stack: VarStack, item: Option<&Item>) -> Stage {
        let (templar, stack) = match self.delegated(templar, stack) {
            Ok(seen) => seen,
            Err(end) => return Stage::Ended(end),
        };
        let mut ended = match &self.job.task.work {
            Work::Module(call) => match self.prepare_module(call, &templar, &stack) {
                Ok(ready) => return Stage::Ready(Box::new(ready(templar, stack))),
                Err(end) => end,
            },
            Work::IncludeTasks(include) => self.include(&templar, item, |templar| {
                let file = render_text("file", &include.file, templar)?;
                Ok(IncludeWhat::Tasks(file))
            }),
            Work::IncludeRole(include) => {
                self.include(&templar, item, |templar| role_to_include(include, self.shared.tasks.public_includes, templar))
            }
            Work::Meta(_) => Box::new(ItemEnd::of(Map::new())),
        };
        self.mark_ignored(&templar, &mut ended);
        Stage::Ended(ended)
    }

    /// A delegated task sees how its delegate is reached, and `ansible_delegated_vars`.
    pub(super) fn delegated(&self, templar: Templar, stack: VarStack) -> Result<(Templar, VarStack), Box<ItemEnd>> {
        let reader = Reader { keywords: &self.job.task.keywords, templar: &templar };
        let Some(name) = reader.text(Keyword::DelegateTo).map_err(keyword_end)?.filter(|name| !name.is_empty()) else {
            return Ok((templar, stack));
        };
        let (world, id) = host_for(&stack, &name);
        if let Some(closed) = world.unopened(id) {
            let mut end = ItemEnd::failed(format!("Task failed: {}", closed.message), vec![closed.clone()]);
            self.mark_ignored(&templar, &mut end);
            return Err(Box::new(end));
        }
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

    pub(super) fn include(
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
                let label = item.map(|item| self.label(item, templar).unwrap_or_else(|_| item.value.clone()));
                Box::new(ItemEnd { include: Some(Include { what, loop_vars, label }), ..ItemEnd::of(result) })
            }
            Err(error) => keyword_end(error),
        }
    }

    /// The call with its module's name rendered, where that is a template: `action: "{{ module }} a=b"`.
    fn resolved(&self, call: &ModuleCall, templar: &Templar) -> Result<Option<ModuleCall>, Box<ItemEnd>> {
        if !call.name.written.contains("{{") {
            return Ok(None);
        }
        let span = &call.name.span;
        let text = Value::Text(Text::trusted(Arc::clone(&call.name.written), Some(span.clone())));
        let failed = |message: String, diagnostic| Box::new(ItemEnd::failed(format!("Task failed: {message}"), vec![diagnostic]));
        let name = match templar.render(&text) {
            Ok(Rendered::Value(value)) => shown(&value),
            Ok(Rendered::Omit) => String::new(),
            Err(error) => return Err(failed(error.full_message(), error.to_diagnostic_at(span))),
        };
        let name = ActionName::new(&name, span.clone());
        if action::find(&name.short).is_none() {
            let message = format!("Cannot resolve '{}' to an action or module.", name.written);
            let diagnostic = crate::source::Diagnostic::error(&message).at(span);
            return Err(failed(message, diagnostic));
        }
        Ok(Some(ModuleCall { name, args: call.args.clone(), defaults: call.defaults.clone() }))
    }

    /// All of an item that is known before it runs; the closure takes what the caller owns.
    pub(super) fn prepare_module(
        &self,
        call: &ModuleCall,
        templar: &Templar,
        stack: &VarStack,
    ) -> Result<impl FnOnce(Templar, VarStack) -> Ready + use<>, Box<ItemEnd>> {
        let task = &self.job.task;
        let reader = Reader { keywords: &task.keywords, templar };
        let resolved = self.resolved(call, templar)?;
        let call = resolved.as_ref().unwrap_or(call);
        let name = Arc::clone(&call.name.short);
        let Some(action) = action::find(&name) else {
            let message = format!("the module `{}` is not supported yet", call.name.written);
            let diagnostic = crate::source::Diagnostic::error(&message).at(&call.name.span);
            return Err(Box::new(ItemEnd::failed(message, vec![diagnostic])));
        };
        reader.check().map_err(keyword_end)?;
        let delegate = reader.text(Keyword::DelegateTo).map_err(keyword_end)?.filter(|name| !name.is_empty());
        let check = reader.flag(Keyword::CheckMode).map_err(keyword_end)?.unwrap_or(self.job.check);
        let diff = reader.flag(Keyword::Diff).map_err(keyword_end)?.unwrap_or(self.job.diff);
        reader.debugger().map_err(keyword_end)?;
        let environment = reader.environment().map_err(keyword_end)?;
        let args = self.render_args(action, call, templar)?;
        let retry = self.retry(templar)?;
        let asynchronous = self.asynchronous(templar)?;
        if asynchronous.is_some() && !action.supports_async(&name) {
            let message = format!("This action ({name}) does not support async.");
            let place = task.async_limit.as_ref().map(|written| written.error(&message));
            return Err(Box::new(ItemEnd::failed(message, place.into_iter().collect())));
        }
        let timeout = self.timeout(&reader)?;
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
            Plan::Done(_) | Plan::Failed(_) => {
                check_route(&reader, templar).map_err(route_end)?;
                None
            }
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
            invocation: None,
        })
    }

    pub(super) fn route(&self, reader: &Reader<'_>, stack: &VarStack, delegate: Option<&str>) -> Result<Route, Box<ItemEnd>> {
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

    /// Seconds that the task may take; none for 0.
    fn timeout(&self, reader: &Reader<'_>) -> Result<Option<u64>, Box<ItemEnd>> {
        let seconds = reader.int(Keyword::Timeout).map_err(keyword_end)?.unwrap_or(self.shared.tasks.timeout);
        match u64::try_from(seconds) {
            Ok(seconds) if seconds <= LONGEST_TIMEOUT => Ok((seconds > 0).then_some(seconds)),
            _ => {
                let message = format!("Task failed: Timeout {seconds} is invalid, it must be between 0 and {LONGEST_TIMEOUT}.");
                Err(Box::new(ItemEnd::failed(message, Vec::new())))
            }
        }
    }

    pub(super) fn retry(&self, templar: &Templar) -> Result<Retry, Box<ItemEnd>> {
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

    pub(super) fn asynchronous(&self, templar: &Templar) -> Result<Option<Asynchronous>, Box<ItemEnd>> {
        let task = &self.job.task;
        let limit = match &task.async_limit {
            Some(written) => int("async", written, templar).map_err(keyword_end)?.unwrap_or(0),
            None => 0,
        };
        let Some(limit) = u64::try_from(limit).ok().filter(|limit| *limit > 0) else { return Ok(None) };
        let poll = match &task.poll {
            Some(written) => int("poll", written, templar).map_err(keyword_end)?.unwrap_or(self.shared.tasks.poll),
            None => 15,
        };
        Ok(Some(Asynchronous { limit, poll: u64::try_from(poll).unwrap_or(0) }))
    }
}

/// What Ansible takes as `timeout`.
const LONGEST_TIMEOUT: u64 = 100_000_000;

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

fn render_text(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<String, KeywordError> {
    Ok(render(name, written, templar)?.map(|value| shown(&value)).unwrap_or_default())
}

fn role_to_include(include: &IncludeRole, public: bool, templar: &Templar) -> Result<IncludeWhat, KeywordError> {
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
        public: option(&include.public, "public", public)?,
        allow_duplicates: option(&include.allow_duplicates, "allow_duplicates", true)?,
        validates: option(&include.rolespec_validate, "rolespec_validate", true)?,
        rescuable: option(&include.rescuable, "rescuable", true)?,
    })
}

/// The host that a task is delegated to: one of the inventory, or one made for it.
fn host_for(stack: &VarStack, name: &str) -> (Arc<crate::vars::VarWorld>, HostId) {
    let inventory = stack.world().inventory();
    if let Some(id) = inventory.host_named(name) {
        return (Arc::clone(stack.world()), id);
    }
    let mut wider = Inventory::clone(inventory);
    let id = if LOCALHOST.contains(&name) {
        wider.implicit_localhost(name)
    } else {
        let id = wider.add_host(name);
        wider.settle();
        id
    };
    (Arc::new(stack.world().with_inventory(Arc::new(wider), &mut Diagnostics::new())), id)
}

fn route_end(error: RouteError) -> Box<ItemEnd> {
    match error {
        RouteError::Keyword(error) => keyword_end(*error),
        RouteError::Unsupported(message) => Box::new(ItemEnd::failed(format!("Task failed: {message}"), Vec::new())),
        RouteError::Unreachable(message) => Box::new(ItemEnd::unreachable(&message)),
    }
}

//! What is worked out before an item runs: its condition, its delegate, its keywords, the way to its host.

use std::sync::Arc;

use super::looping::Item;
use super::{Asynchronous, Ready, Retry, Runner, Stage, keyword_end};
use crate::action;
use crate::action::{Call, Plan, to_bool};
use crate::event::Status;
use crate::executor::conditions::{Verdict, evaluate};
use crate::executor::job::{Include, IncludeWhat};
use crate::executor::keywords::{KeywordError, Reader, int, render, seconds, wrong_type};
use crate::executor::outcome::ItemEnd;
use crate::executor::target::{Route, RouteError, check as check_route, route};
use crate::inventory::{HostId, Inventory, LOCALHOST};
use crate::playbook::{ActionName, IncludeRole, Keyword, ModuleCall, RoleFiles, Work};
use crate::source::{Diagnostics, Spanned, did_you_mean};
use crate::template::print::shown;
use crate::template::{Rendered, Templar};
use crate::value::{Map, Text, Value};
use crate::vars::{Reach, VarStack, VarWorld};

impl Runner<'_> {
    pub(super) fn prepare(&self, stack: VarStack, item: Option<&Item>) -> Stage {
        self.prepare_with(&|stack| self.templar(stack), stack, item)
    }

    /// The same with templars of the caller's making.
    pub(super) fn prepare_with(&self, templar_of: &dyn Fn(&VarStack) -> Templar, stack: VarStack, item: Option<&Item>) -> Stage {
        let keywords = &self.job.task.keywords;
        let (who, mistake) = match self.who(templar_of, &stack) {
            Ok(who) => (who, None),
            Err(end) => (Who { reach: Arc::clone(&self.job.reach), delegate: None, wrong_user: None }, Some(end)),
        };
        let stack = stack.reached(Arc::clone(&who.reach));
        let templar = templar_of(&stack);
        let no_log = match (Reader { keywords, templar: &templar }).flag(Keyword::NoLog) {
            Ok(no_log) => no_log.unwrap_or(self.shared.tasks.no_log),
            Err(error) => {
                let mut end = keyword_end(error);
                self.mark_ignored(&templar, &mut end);
                end.no_log = true;
                return Stage::Ended(end);
            }
        };
        let mut stage = match mistake.map_or_else(|| self.condition(&templar), Err) {
            Ok(Verdict::Not(condition)) => Stage::Ended(Box::new(ItemEnd::skipped(condition))),
            Ok(Verdict::Holds) => self.prepare_work(templar, stack, &who, item),
            Err(mut end) => {
                self.mark_ignored(&templar, &mut end);
                Stage::Ended(end)
            }
        };
        let end = match &mut stage {
            Stage::Ended(end) => &mut **end,
            Stage::Ready(ready) => &mut ready.end,
        };
        end.no_log = no_log;
        end.delegated_to = who.delegate.filter(|_| end.status() != Status::Skipped).map(|delegate| delegate.name);
        self.take_notices(end);
        stage
    }

    /// Whether the task's `when` holds.
    fn condition(&self, templar: &Templar) -> Result<Verdict, Box<ItemEnd>> {
        evaluate("when", &self.job.task.keywords.when, templar)
            .map_err(|error| Box::new(ItemEnd::failed(format!("Task failed: {}", error.message), vec![error.diagnostic])))
    }

    fn prepare_work(&self, templar: Templar, stack: VarStack, who: &Who, item: Option<&Item>) -> Stage {
        let mut ended = match &self.job.task.work {
            Work::Module(call) => match self.prepare_module(call, &templar, &stack, who) {
                Ok(ready) => return Stage::Ready(Box::new(ready(templar, stack))),
                Err(end) => end,
            },
            Work::IncludeTasks(include) => self.include(&templar, item, |templar| {
                let file = Options { action: "include_tasks", templar }.text("_raw_params", &include.file)?;
                Ok(IncludeWhat::Tasks(file))
            }),
            Work::IncludeRole(include) => {
                let public = self.shared.tasks.public_includes;
                self.include(&templar, item, |templar| role_to_include(include, public, &Options { action: "include_role", templar }))
            }
            Work::Meta(_) => Box::new(ItemEnd::of(Map::new())),
        };
        self.mark_ignored(&templar, &mut ended);
        Stage::Ended(ended)
    }

    /// Which host does the task, and as whom. What is asked for that cannot know it yet.
    fn who(&self, templar_of: &dyn Fn(&VarStack) -> Templar, stack: &VarStack) -> Result<Who, Box<ItemEnd>> {
        let keywords = &self.job.task.keywords;
        let mut who = Who { reach: Arc::clone(&self.job.reach), delegate: None, wrong_user: None };
        if let Some(written) = keywords.get(Keyword::RemoteUser).filter(|written| Templar::is_template(&written.value)) {
            match render(Keyword::RemoteUser.name(), written, &templar_of(stack)) {
                Ok(Some(user)) if !user.is_null() => who.reach = Arc::new(who.reach.saying("ansible_user", user)),
                Ok(_) => {}
                Err(error) => who.wrong_user = Some(error),
            }
        }
        if let Some(written) = keywords.get(Keyword::DelegateTo) {
            who.delegate = self.delegate(written, &templar_of(stack), stack)?;
        }
        if let Some(delegate) = &who.delegate {
            who.reach = Arc::new(who.reach.delegated(&delegate.name, delegate.stack.clone()));
        }
        Ok(who)
    }

    /// The host that does the task instead.
    fn delegate(&self, written: &Spanned<Value>, bare: &Templar, stack: &VarStack) -> Result<Option<Delegate>, Box<ItemEnd>> {
        let failed = |message: String, diagnostic| Box::new(ItemEnd::failed(format!("Task failed: {message}"), vec![diagnostic]));
        let name = match bare.render(&written.value) {
            Ok(Rendered::Value(Value::Null)) => {
                let message = format!("Empty hostname produced from delegate_to: \"{}\"", shown(&written.value));
                return Err(failed(message.clone(), written.error(message)));
            }
            Ok(Rendered::Value(Value::Text(name))) => name.as_str().to_owned(),
            Ok(Rendered::Value(other)) => {
                let message = format!("expected string or bytes-like object, got '{}'", other.type_name());
                return Err(failed(message.clone(), written.error(message)));
            }
            Ok(Rendered::Omit) => return Ok(None),
            Err(error) => return Err(failed(error.full_message(), error.to_diagnostic_at(&written.span))),
        };
        if name.is_empty() {
            return Ok(None);
        }
        let (world, id) = host_for(stack, &name);
        match world.unopened(id) {
            Some(closed) => Err(failed(closed.message.clone(), closed.clone())),
            None => {
                let stack = stack.on(world).for_host(id).reached(Arc::clone(&self.job.reach));
                Ok(Some(Delegate { name: Arc::from(name), stack }))
            }
        }
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
            return Err(failed(
                message,
                match did_you_mean(&name.short, action::names()) {
                    Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                    None => diagnostic,
                },
            ));
        }
        Ok(Some(ModuleCall { name, args: call.args.clone(), defaults: call.defaults.clone() }))
    }

    /// All of an item that is known before it runs; the closure takes what the caller owns.
    fn prepare_module(
        &self,
        call: &ModuleCall,
        templar: &Templar,
        stack: &VarStack,
        who: &Who,
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
        if let Some(error) = &who.wrong_user {
            return Err(keyword_end(error.clone()));
        }
        reader.check().map_err(keyword_end)?;
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
        // Ansible has programs run and files copied by modules of its own.
        let shown = match &*name {
            "command" | "shell" => "ansible.legacy.command",
            "copy" => "ansible.legacy.copy",
            _ => &*call.name.written,
        };
        let context_call = Call {
            name: &name,
            shown,
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
        let mut end = ItemEnd::default();
        let route = match plan {
            Plan::Done(_) | Plan::Failed(_) => {
                check_route(&reader, templar).map_err(route_end)?;
                None
            }
            Plan::Send(_) | Plan::Talk => Some(self.route(&reader, who)?),
        };
        if let Some(delegate) = &who.delegate
            && reader.flag(Keyword::DelegateFacts).map_err(keyword_end)?.unwrap_or(false)
        {
            end.facts_host = stack.world().inventory().host_named(&delegate.name);
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

    fn route(&self, reader: &Reader<'_>, who: &Who) -> Result<Route, Box<ItemEnd>> {
        let (defaults, dir) = (&self.shared.defaults, &self.job.playbook_dir);
        let Some(delegate) = &who.delegate else {
            return route(&self.job.host_name, reader, reader.templar, defaults, dir).map_err(route_end);
        };
        let vars = self.templar(&delegate.stack);
        let reached = vars.get("inventory_hostname").ok().flatten().map_or_else(|| delegate.name.to_string(), |name| shown(&name));
        route(&reached, reader, &vars, defaults, dir).map_err(route_end)
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
            Some(written) => int("async_val", written, templar).map_err(keyword_end)?.unwrap_or(0),
            None => 0,
        };
        let poll = match &task.poll {
            Some(written) => int("poll", written, templar).map_err(keyword_end)?.unwrap_or(self.shared.tasks.poll),
            None => self.shared.tasks.poll,
        };
        let Some(limit) = u64::try_from(limit).ok().filter(|limit| *limit > 0) else { return Ok(None) };
        Ok(Some(Asynchronous { limit, poll: u64::try_from(poll).unwrap_or(0) }))
    }
}

/// What Ansible takes as `timeout`.
const LONGEST_TIMEOUT: u64 = 100_000_000;

/// Which host does an item, and as whom.
struct Who {
    reach: Arc<Reach>,
    delegate: Option<Delegate>,
    /// Why it is not known as whom.
    wrong_user: Option<KeywordError>,
}

/// The host that does a task instead of its own, and what the task would see there.
struct Delegate {
    name: Arc<str>,
    stack: VarStack,
}

/// The options of an include, rendered.
struct Options<'a> {
    action: &'static str,
    templar: &'a Templar,
}

impl Options<'_> {
    fn value(&self, name: &str, written: &Spanned<Value>) -> Result<Option<Value>, KeywordError> {
        match self.templar.render(&written.value) {
            Ok(Rendered::Value(value)) => Ok(Some(value).filter(|value| !value.is_null())),
            Ok(Rendered::Omit) => Ok(None),
            Err(error) => {
                let what = format!("Finalization of task args for 'ansible.builtin.{}' failed", self.action);
                let message = format!("Task failed: {what}: Error while resolving value for '{name}': {}", error.full_message());
                Err(KeywordError { message, diagnostic: error.to_diagnostic_at(&written.span) })
            }
        }
    }

    fn text(&self, name: &str, written: &Spanned<Value>) -> Result<String, KeywordError> {
        Ok(self.value(name, written)?.map(|value| shown(&value)).unwrap_or_default())
    }

    fn optional(&self, name: &str, written: Option<&Spanned<Value>>) -> Result<Option<String>, KeywordError> {
        match written {
            Some(written) => Ok(self.value(name, written)?.map(|value| shown(&value))),
            None => Ok(None),
        }
    }

    fn flag(&self, name: &str, written: Option<&Spanned<Value>>, default: bool) -> Result<bool, KeywordError> {
        let Some(written) = written else { return Ok(default) };
        let Some(value) = self.value(name, written)? else { return Ok(default) };
        to_bool(&value).ok_or_else(|| wrong_type(name, written, &value, "bool"))
    }
}

fn role_to_include(include: &IncludeRole, public: bool, options: &Options<'_>) -> Result<IncludeWhat, KeywordError> {
    Ok(IncludeWhat::Role {
        name: options.text("name", &include.name)?,
        from: RoleFiles {
            tasks: options.optional("tasks_from", include.from.tasks.as_ref())?,
            vars: options.optional("vars_from", include.from.vars.as_ref())?,
            defaults: options.optional("defaults_from", include.from.defaults.as_ref())?,
            handlers: options.optional("handlers_from", include.from.handlers.as_ref())?,
        },
        public: options.flag("public", include.public.as_ref(), public)?,
        allow_duplicates: options.flag("allow_duplicates", include.allow_duplicates.as_ref(), true)?,
        validates: options.flag("rolespec_validate", include.rolespec_validate.as_ref(), true)?,
        rescuable: options.flag("rescuable", include.rescuable.as_ref(), true)?,
    })
}

/// The host that a task is delegated to: one of the inventory, or one made for it.
fn host_for(stack: &VarStack, name: &str) -> (Arc<VarWorld>, HostId) {
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

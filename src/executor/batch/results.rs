//! What results do: to the recap, to the host they came from, and, once a step has ended, to the batch.

use std::sync::Arc;

use super::Batch;
use crate::event::{Event, Status, TaskInfo, TaskResult};
use crate::executor::job::{HostResult, Job};
use crate::executor::outcome::{censored, registered};
use crate::executor::play_iterator::AfterFailure;
use crate::executor::{Executor, Stop};
use crate::inventory::HostId;
use crate::playbook::{Keyword, Task, Work, missing_handler};
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::vars::{HostUpdate, Layer, Precedence};

impl Batch<'_, '_> {
    /// Tells what a task came to on a host, and counts it; a job where the debugger lets the task run once more instead.
    pub(super) fn tell_result(&mut self, task: &Arc<Task>, info: &Arc<TaskInfo>, result: &HostResult) -> Result<Option<Job>, Stop> {
        let warns = self.executor.options.action_warnings;
        for warning in result.warnings.iter().filter(|_| warns) {
            self.executor.tell(Event::Warning(warning.clone()));
        }
        for deprecation in &result.deprecations {
            self.executor.tell(Event::Deprecated(deprecation.clone()));
        }
        for diagnostic in &result.diagnostics {
            self.executor.tell(Event::Diagnostic(Box::new(diagnostic.clone())));
        }
        let is_include = matches!(task.work, Work::IncludeTasks(_) | Work::IncludeRole(_));
        let Some(index) = self.index_of(result.host) else { return Ok(None) };
        let event = TaskResult {
            host: Arc::clone(&self.hosts[index].name),
            delegated_to: result.delegated_to.clone(),
            task: Arc::clone(info),
            status: result.status,
            ignored: result.ignored,
            result: if result.no_log { Arc::new(censored(&result.result)) } else { Arc::clone(&result.result) },
            is_loop: result.is_loop,
        };
        self.executor.tell(Event::Result(Box::new(event.clone())));
        if let Some(job) = self.debugged(index, task, info, result)? {
            return Ok(Some(job));
        }
        if let Some(role) = task.role().filter(|_| matches!(result.status, Status::Ok | Status::Changed | Status::Failed)) {
            self.hosts[index].begun.insert(role.id.clone());
        }
        if !(is_include && matches!(result.status, Status::Ok | Status::Changed)) {
            self.count(&event, result, index);
        }
        Ok(None)
    }

    /// The recap, and where the host goes on.
    pub(super) fn count(&mut self, event: &TaskResult, result: &HostResult, index: usize) {
        match result.status {
            Status::Ok | Status::Changed | Status::Skipped => self.executor.stats.count(event),
            Status::Failed if result.ignored => self.executor.stats.count(event),
            Status::Failed => {
                let name = Arc::clone(&self.hosts[index].name);
                if self.fail_host(index, &name) {
                    self.remember_failure(result);
                }
            }
            Status::Unreachable => {
                let name = Arc::clone(&self.hosts[index].name);
                if result.ignored {
                    let row = self.executor.stats.of(&name);
                    row.ok += 1;
                    row.ignored += 1;
                    return;
                }
                self.executor.stats.of(&name).unreachable += 1;
                let host = &mut self.hosts[index];
                host.unreachable = true;
                host.moves().end();
                self.executor.unreachable.insert(result.host);
                self.hosts_changed();
            }
        }
    }

    /// What a rescue may look at.
    pub(super) fn remember_failure(&mut self, result: &HostResult) {
        let mut facts = Map::new();
        if let Some(task) = &result.failed_task {
            facts.insert("ansible_failed_task", Value::map(Map::clone(task)));
        }
        facts.insert("ansible_failed_result", Value::map(registered(&result.result)));
        self.change_world().publish(result.host, HostUpdate { set_facts: facts, ..HostUpdate::default() });
    }

    /// Counts a failure; whether it is rescued.
    pub(in crate::executor) fn fail_host(&mut self, index: usize, name: &Arc<str>) -> bool {
        // Nothing is rescued in a run that ends here.
        let rescued = self.fail(index) == AfterFailure::Rescued && self.executor.check_interrupt().is_ok();
        let row = self.executor.stats.of(name);
        if rescued {
            row.rescued += 1
        } else {
            row.failed += 1
        }
        rescued
    }

    /// Included roles are roles of the play from now on.
    pub(in crate::executor) fn add_role_names(&mut self, roles: &[Arc<crate::playbook::Role>]) {
        for role in roles {
            let names = if role.is_dependency { &mut self.vars.dependent_role_names } else { &mut self.vars.role_names };
            names.push(role.name.clone());
        }
        self.layers = self.vars.prepare(self.executor.vars.inventory());
    }

    /// A role that was included with `public` is seen by all that follows.
    pub(in crate::executor) fn publish_roles(&mut self, roles: &[Arc<crate::playbook::Role>]) {
        for role in roles {
            self.vars.layers.push(Layer::new(
                Precedence::RoleDefaults,
                format!("defaults of role `{}`", role.name),
                Arc::clone(&role.defaults),
            ));
            self.vars.layers.push(Layer::new(Precedence::RoleVars, format!("vars of role `{}`", role.name), Arc::clone(&role.vars)));
        }
        self.layers = self.vars.prepare(self.executor.vars.inventory());
    }

    /// The host goes to its rescue, or has failed.
    pub(in crate::executor) fn fail(&mut self, index: usize) -> AfterFailure {
        let after = self.hosts[index].moves().fail();
        if after == AfterFailure::Failing && self.hosts[index].cursor.has_failed() {
            self.lost(index);
        }
        after
    }

    /// A host has failed for good.
    pub(in crate::executor) fn lost(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        host.failed = true;
        let id = host.id;
        self.executor.failed.insert(id);
        self.executor.taken_along.remove(&id);
        self.hosts_changed();
    }

    /// Hosts that only fail once their `always` sections have ended.
    pub(super) fn collect_lost(&mut self) {
        for index in 0..self.hosts.len() {
            if !self.hosts[index].failed && self.hosts[index].cursor.has_failed() {
                self.lost(index);
            }
        }
    }

    /// A host that ended by itself is no host of the batch any more.
    pub(in crate::executor) fn leave_out(&mut self, host: HostId) {
        self.keep_hosts(|id, _| id != host);
    }

    /// `ansible_play_hosts` and its kin follow.
    pub(super) fn hosts_changed(&mut self) {
        self.keep_hosts(|id, run| !run.failed.contains(&id) && !run.unreachable.contains(&id));
    }

    /// Only these are hosts of the play and the batch from now on.
    fn keep_hosts(&mut self, is_kept: impl Fn(HostId, &Executor<'_>) -> bool) {
        for hosts in [&mut self.vars.hosts, &mut self.vars.batch] {
            hosts.retain(|id| is_kept(*id, self.executor));
        }
        self.layers = self.vars.prepare(self.executor.vars.inventory());
    }

    /// What the results of a step do to the hosts of the batch, together.
    pub(super) fn after_step(
        &mut self,
        task: &Arc<Task>,
        templar: &Templar,
        mut results: Vec<HostResult>,
        run_once: bool,
    ) -> Result<(), Stop> {
        // Hosts answer in any order; what they set for others counts in that of the batch, the same on every run.
        results.sort_by_key(|result| self.index_of(result.host));
        let bad = |result: &HostResult| matches!(result.status, Status::Failed | Status::Unreachable) && !result.ignored;
        let any_bad = results.iter().any(bad);
        if any_bad && run_once {
            // Only the host that ran it may be rescued.
            let ran = results[0].host;
            for index in 0..self.hosts.len() {
                if self.hosts[index].id != ran && !self.hosts[index].unreachable && !self.hosts[index].failed {
                    self.hosts[index].moves().end();
                    self.lost(index);
                }
            }
        }
        let mut includes = Vec::new();
        for mut result in results {
            let ignored_or_ok = !bad(&result);
            self.publish(&mut result, run_once);
            if ignored_or_ok {
                self.notify(task, &result)?;
            }
            let found = std::mem::take(&mut result.includes);
            includes.push((result.host, found));
        }
        if includes.iter().any(|(_, found)| !found.is_empty()) {
            self.include(task, includes)?;
        }
        self.collect_lost();
        if any_bad && self.goes_in_step() && self.flag_or(task, templar, Keyword::AnyErrorsFatal, self.executor.options.any_errors_fatal) {
            self.fail_all();
        }
        self.too_many_failed();
        Ok(())
    }

    /// `any_errors_fatal`: what failed on one host has failed on all. The others may go through the rescue too, but they are lost for
    /// `ansible_play_hosts` and later plays.
    pub(super) fn fail_all(&mut self) {
        for index in 0..self.hosts.len() {
            let host = &self.hosts[index];
            let goes_on = !host.failed && !host.unreachable && !host.cursor.in_rescue() && !host.cursor.is_failing();
            if goes_on {
                let id = host.id;
                if self.executor.failed.insert(id) {
                    self.executor.taken_along.insert(id);
                }
                self.fail(index);
            }
        }
        self.hosts_changed();
    }

    /// `max_fail_percentage`: over it, the play ends for all.
    pub(super) fn too_many_failed(&mut self) {
        let Some(most) = self.most_failed else { return };
        let failed = self.hosts.iter().filter(|host| host.failed || host.unreachable).count();
        if failed as f64 / self.size.max(1) as f64 * 100.0 > most && failed > 0 {
            // Ansible says it twice: when the step ends, and when the play does.
            for _ in 0..2 {
                self.executor.tell(Event::NoHostsRemaining);
            }
            for index in 0..self.hosts.len() {
                if !self.hosts[index].failed && !self.hosts[index].unreachable {
                    self.hosts[index].moves().end();
                    self.lost(index);
                }
            }
        }
    }

    /// Notes the handlers that what has changed notifies; what a handler notifies runs in the same flush.
    pub(super) fn notify(&mut self, task: &Task, result: &HostResult) -> Result<(), Stop> {
        let Some(index) = self.index_of(result.host) else { return Ok(()) };
        for name in &result.notify {
            if self.executor.options.missing_handler_is_error && !self.handlers.knows(name) {
                return Err(self.no_handler(task, name));
            }
            let pending = &mut self.hosts[index].notifications;
            if !pending.contains(name) {
                pending.push(name.clone());
            }
        }
        if self.hosts[index].cursor.in_handlers() {
            self.wake_handlers(index);
        }
        Ok(())
    }

    /// Looks up the handlers that a host was notified of.
    pub(in crate::executor) fn wake_handlers(&mut self, index: usize) {
        for name in std::mem::take(&mut self.hosts[index].notifications) {
            for (key, handler) in self.handlers.meant_by(&name) {
                if self.hosts[index].notified.insert(key) {
                    let host = Arc::clone(&self.hosts[index].name);
                    self.executor.tell(Event::Notified { handler, host });
                }
            }
        }
    }

    /// A notified handler that is not there ends the run before the result is told.
    pub(super) fn check_notified(&mut self, task: &Task, result: &HostResult) -> Result<(), Stop> {
        match result.notify.iter().find(|name| !self.handlers.knows(name)) {
            Some(name) if self.executor.options.missing_handler_is_error => Err(self.no_handler(task, name)),
            Some(name) => {
                let warning = missing_handler(name, self.handlers.names());
                self.executor.tell(Event::Warning(warning.message));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn no_handler(&self, task: &Task, name: &str) -> Stop {
        let at = task.keywords.get(Keyword::Notify).map_or(&task.span, |written| match &written.value {
            Value::List(items) => items.iter().find_map(|item| origin_of(item, name)).unwrap_or(&written.span),
            one => origin_of(one, name).unwrap_or(&written.span),
        });
        Stop::Error(Box::new(missing_handler(name, self.handlers.names()).at(at)))
    }

    /// Adds handlers of the play or of an included role.
    pub(in crate::executor) fn add_handlers(&mut self, entries: &[crate::playbook::Entry]) {
        let mut handlers = std::mem::take(&mut self.handlers);
        let (engine, extra, vars) =
            (Arc::clone(&self.executor.shared.engine), self.executor.vars.extra_vars(), Arc::clone(&self.play.vars));
        let context = Arc::new(self.executor.template_context(&self.play.dir, Vec::new()));
        handlers.add(entries, &|task| {
            let name = task.name.as_ref()?;
            let mut layers = vec![Arc::clone(&vars)];
            layers.extend(task.role().into_iter().flat_map(|role| [role.default_layers(), role.var_layers()].concat()));
            layers.push(Arc::clone(&extra));
            let rendered = crate::executor::static_scope::render(&engine, &context, &name.value, layers).ok();
            Some(crate::template::print::shown(rendered.as_ref().unwrap_or(&name.value)))
        });
        self.handlers = handlers;
    }
}

/// Where the text was written, if the value is this text.
fn origin_of<'v>(value: &'v Value, text: &str) -> Option<&'v crate::source::Span> {
    match value {
        Value::Text(written) if written.as_str() == text => written.origin(),
        _ => None,
    }
}

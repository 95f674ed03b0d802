//! A batch of hosts going through a play together: which task is next, who does it, what comes of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::handlers::Handlers;
use super::host_state::{HostState, handler_key};
use super::job::{HostResult, Job, Message};
use super::keywords::Reader;
use super::outcome::{censored, registered};
use super::play_iterator::AfterFailure;
use super::{Executor, Gathering, Stop};
use crate::event::{Event, Status, TaskInfo, TaskResult};
use crate::inventory::HostId;
use crate::playbook::{Block, Keyword, Play, Task, Work, did_you_mean};
use crate::source::{Diagnostics, Spanned};
use crate::template::{self, Rendered, Templar};
use crate::value::{Map, Value};
use crate::vars::{HostUpdate, Layer, PlayLayers, PlayVars, Precedence, VarStack, VarWorld, role_magic};

/// In which order hosts meet tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All hosts do a task before any does the next.
    Linear,
    /// Every host goes on as soon as it can.
    Free,
}

impl Strategy {
    /// The strategy of this name.
    pub fn parse(name: &str) -> Result<Self, String> {
        match name.rsplit('.').next().unwrap_or(name) {
            "linear" => Ok(Self::Linear),
            "free" | "host_pinned" => Ok(Self::Free),
            _ => Err(format!("the strategy `{name}` is not supported, expected `linear`, `free` or `host_pinned`")),
        }
    }
}

/// Hosts that go through a play together.
pub(super) struct Batch<'b, 'a> {
    pub executor: &'b mut Executor<'a>,
    pub play: &'b Arc<Play>,
    pub vars: PlayVars,
    pub layers: Arc<PlayLayers>,
    pub hosts: Vec<HostState>,
    pub handlers: Handlers,
    strategy: Strategy,
    most_failed: Option<f64>,
    templated_files: Vec<Spanned<Value>>,
    task_layers: HashMap<usize, Arc<Vec<Arc<Layer>>>>,
    contexts: HashMap<usize, Arc<template::Context>>,
    infos: HashMap<usize, Arc<TaskInfo>>,
    tags: HashMap<usize, bool>,
    /// Tasks are told apart by their address, so those that were met are kept.
    kept: Vec<Arc<Task>>,
    snapshot: Option<Arc<VarWorld>>,
    size: usize,
    /// Whether `meta: end_play` was met: no further batch starts.
    pub ends_play: bool,
}

impl<'b, 'a> Batch<'b, 'a> {
    #[expect(clippy::too_many_arguments, reason = "one caller, which has just worked out each of them")]
    pub fn new(
        executor: &'b mut Executor<'a>,
        play: &'b Arc<Play>,
        vars: PlayVars,
        hosts: &[HostId],
        root: &Arc<Block>,
        strategy: Strategy,
        force_handlers: bool,
        most_failed: Option<f64>,
        templated_files: Vec<Spanned<Value>>,
    ) -> Self {
        let inventory = Arc::clone(executor.vars.inventory());
        let hosts: Vec<HostState> =
            hosts.iter().map(|id| HostState::new(*id, Arc::clone(inventory.host(*id).name()), Arc::clone(root))).collect();
        let mut hosts = hosts;
        if force_handlers {
            hosts.iter_mut().for_each(|host| host.moves().force_handlers());
        }
        let layers = vars.prepare(&inventory);
        let size = hosts.len();
        let mut batch = Self {
            executor,
            play,
            vars,
            layers,
            hosts,
            handlers: Handlers::default(),
            strategy,
            most_failed,
            templated_files,
            task_layers: HashMap::new(),
            contexts: HashMap::new(),
            infos: HashMap::new(),
            tags: HashMap::new(),
            kept: Vec::new(),
            snapshot: None,
            size,
            ends_play: false,
        };
        let entries = play.handlers.tasks.clone();
        batch.add_handlers(&entries);
        batch
    }

    /// Runs the play on these hosts.
    pub fn run(&mut self) -> Result<(), Stop> {
        match self.strategy {
            Strategy::Linear => self.run_linear(),
            Strategy::Free => self.run_free(),
        }
    }

    fn run_linear(&mut self) -> Result<(), Stop> {
        loop {
            self.executor.check_interrupt()?;
            let step = self.next_step();
            self.collect_lost();
            let Some((task, group)) = step else { return Ok(()) };
            self.step(&task, &group)?;
        }
    }

    /// The hosts at the least position, with the task they meet.
    fn next_step(&mut self) -> Option<(Arc<Task>, Vec<usize>)> {
        let mut least: Option<(super::play_iterator::Position, Arc<Task>)> = None;
        let mut group = Vec::new();
        for index in 0..self.hosts.len() {
            let Some((task, position)) = self.peek(index) else { continue };
            match &least {
                Some((best, _)) if *best < position => {}
                Some((best, _)) if *best == position => group.push(index),
                Some(_) | None => {
                    least = Some((position, task));
                    group = vec![index];
                }
            }
        }
        least.map(|(_, task)| (task, group))
    }

    fn peek(&mut self, index: usize) -> Option<(Arc<Task>, super::play_iterator::Position)> {
        if self.hosts[index].unreachable {
            return None;
        }
        let (tags, executor, layers, kept) =
            (std::cell::RefCell::new(&mut self.tags), &*self.executor, &self.play, std::cell::RefCell::new(&mut self.kept));
        let is_tagged = |task: &Task| {
            let key = handler_key(task);
            let known = tags.borrow().get(&key).copied();
            known.unwrap_or_else(|| {
                let runs = task_is_tagged(executor, layers, task);
                tags.borrow_mut().insert(key, runs);
                runs
            })
        };
        let next = self.hosts[index].next(&is_tagged).cloned();
        if let Some((task, _)) = &next {
            kept.borrow_mut().push(Arc::clone(task));
            let mut kept = kept.borrow_mut();
            // One entry a task is enough; neighbours are the same nearly always.
            if kept.len() > 1 && Arc::ptr_eq(&kept[kept.len() - 1], &kept[kept.len() - 2]) {
                kept.pop();
            }
        }
        next
    }

    /// One task on the hosts that meet it.
    fn step(&mut self, task: &Arc<Task>, group: &[usize]) -> Result<(), Stop> {
        for index in group {
            self.pass(*index, task);
        }
        if let Work::Meta(meta) = &task.work {
            return self.meta(task, meta, group);
        }
        let group: Vec<usize> = group.iter().copied().filter(|index| !self.skips_facts(*index, task)).collect();
        if group.is_empty() || !self.is_started(task, group[0]) {
            return Ok(());
        }
        if self.executor.options.step && !task.implicit && !self.steps(task, group[0]) {
            return Ok(());
        }
        let first_stack = self.stack(group[0], task);
        let templar = self.templar(&first_stack, task);
        let info = self.info(task, &templar);
        self.executor.tell(Event::TaskStart(Arc::clone(&info)));
        let run_once = self.flag(task, &templar, Keyword::RunOnce) || bypasses_hosts(task);
        let throttle = self.throttle(task, &templar);
        let chosen: Vec<usize> = if run_once { group[..1].to_vec() } else { group.clone() };
        let results = self.dispatch(task, &info, &chosen, throttle)?;
        self.after_step(task, &templar, results, run_once)
    }

    /// Goes past a task.
    fn pass(&mut self, index: usize, task: &Task) {
        let host = &mut self.hosts[index];
        host.moves().advance();
        if task.is_handler {
            host.notified.remove(&handler_key(task));
        }
    }

    /// Gathering is left out for hosts of which facts are known, if it is to be smart.
    fn skips_facts(&self, index: usize, task: &Task) -> bool {
        let is_gathering = task.implicit && matches!(&task.work, Work::Module(call) if &*call.name.short == "gather_facts");
        let smart = self.executor.options.gathering == Gathering::Smart && self.play.get(Keyword::GatherFacts).is_none();
        let known = || self.executor.vars.known(self.hosts[index].id).is_some_and(|known| !known.injected_facts().is_empty());
        is_gathering && smart && known()
    }

    /// `--start-at-task`: nothing runs before that task, but for what the play does by itself.
    fn is_started(&mut self, task: &Arc<Task>, index: usize) -> bool {
        if self.executor.started || task.implicit {
            return true;
        }
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        let info = self.info(task, &templar);
        let Some(wanted) = &self.executor.options.start_at else { return true };
        let bare = info.name.split_once(" : ").map_or(&*info.name, |(_, name)| name);
        let matches = |name: &str| name == wanted || template::python::fnmatch::fnmatch(name, wanted);
        self.executor.started = matches(&info.name) || matches(bare);
        self.executor.started
    }

    /// `--step`: asks before each task.
    fn steps(&mut self, task: &Arc<Task>, index: usize) -> bool {
        if self.executor.step_all {
            return true;
        }
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        let name = Arc::clone(&self.info(task, &templar).name);
        let answer = self.executor.world.console.ask(&format!("Perform task: TASK: {name} (N)o/(y)es/(c)ontinue: "), true);
        match answer.unwrap_or_default().trim().to_lowercase().as_str() {
            "y" | "yes" => true,
            "c" | "continue" => {
                self.executor.step_all = true;
                true
            }
            _ => false,
        }
    }

    /// Sends the task to workers for these hosts, and takes what they tell until all have ended.
    fn dispatch(&mut self, task: &Arc<Task>, info: &Arc<TaskInfo>, hosts: &[usize], throttle: usize) -> Result<Vec<HostResult>, Stop> {
        let mut waiting = hosts.iter().copied();
        let (mut running, mut done) = (0, 0);
        let mut results: Vec<HostResult> = Vec::with_capacity(hosts.len());
        loop {
            while running < throttle {
                let Some(index) = waiting.next() else { break };
                let job = self.job(index, task, info);
                self.executor.workers.send(job, running);
                running += 1;
            }
            if running == 0 {
                return Ok(results);
            }
            match self.executor.workers.messages.recv_timeout(Duration::from_millis(200)) {
                Ok(Message::Done(result)) => {
                    running -= 1;
                    done += 1;
                    self.check_notified(&result)?;
                    self.tell_result(task, info, &result);
                    self.executor.tell(Event::Progress { done, of: hosts.len() });
                    results.push(*result);
                }
                Ok(other) => self.told(other),
                Err(_) => {}
            }
            if self.executor.check_interrupt().is_err() {
                waiting = [].iter().copied();
                if running == 0 {
                    return Err(Stop::Interrupted);
                }
            }
        }
    }

    fn told(&mut self, message: Message) {
        match message {
            Message::Progress(event) => self.executor.tell(event),
            Message::Ask { prompt, echo, answer } => {
                let given = self.executor.world.console.ask(&prompt, echo);
                // The worker may have given up.
                let _ = answer.send(given);
            }
            Message::Say(text) => self.executor.world.console.say(&text),
            Message::Done(_) => {}
        }
    }

    fn job(&mut self, index: usize, task: &Arc<Task>, info: &Arc<TaskInfo>) -> Job {
        Job {
            host: self.hosts[index].id,
            host_name: Arc::clone(&self.hosts[index].name),
            task: Arc::clone(task),
            info: Arc::clone(info),
            stack: self.stack(index, task),
            context: self.context(task),
            playbook_dir: super::absolute(&self.play.dir),
            check: self.executor.options.check,
            diff: self.executor.options.diff,
        }
    }

    /// What the task sees on a host.
    pub fn stack(&mut self, index: usize, task: &Arc<Task>) -> VarStack {
        let world = self.world();
        let mut stack = world.stack(self.hosts[index].id, &self.layers);
        stack.push(Arc::clone(&self.hosts[index].named));
        if let Some(plugin) = self.connection_of(task) {
            stack.push(Layer::single(Precedence::CommandLine, "ansible_connection", Value::text(plugin)));
        }
        for layer in self.layers_of(task).iter() {
            stack.push(Arc::clone(layer));
        }
        if !self.templated_files.is_empty() {
            for layer in self.host_files(index, &stack) {
                stack.push(layer);
            }
        }
        stack
    }

    /// What tasks read as `ansible_connection` where no variable says it. A keyword that is a template may itself
    /// ask for that variable, so it gives none.
    fn connection_of(&self, task: &Task) -> Option<String> {
        let default = &self.executor.shared.defaults.plugin;
        let plugin = match task.keywords.get(Keyword::Connection) {
            Some(written) => written.value.as_str().filter(|name| !name.contains("{{"))?,
            None => default,
        };
        Some(if plugin == "smart" { "ssh" } else { plugin }.to_owned())
    }

    fn world(&mut self) -> Arc<VarWorld> {
        Arc::clone(self.snapshot.get_or_insert_with(|| Arc::new(self.executor.vars.clone())))
    }

    /// Changes what is known; the next job sees it.
    pub fn change_world(&mut self) -> &mut VarWorld {
        self.snapshot = None;
        &mut self.executor.vars
    }

    /// `vars_files` whose names depend on the host; those that cannot be rendered yet are tried again.
    fn host_files(&mut self, index: usize, stack: &VarStack) -> Vec<Arc<Layer>> {
        if let Some(layers) = &self.hosts[index].vars_files {
            return layers.clone();
        }
        let context = Arc::new(self.executor.template_context(&self.play.dir, vec![super::absolute(&self.play.dir)]));
        let templar = Templar::new(&self.executor.shared.engine, Arc::new(stack.clone()), context);
        let (mut layers, mut complete) = (Vec::new(), true);
        for written in &self.templated_files {
            let names: Vec<String> = match &written.value {
                Value::List(items) => items.iter().filter_map(|item| rendered(&templar, item)).collect(),
                one => rendered(&templar, one).into_iter().collect(),
            };
            match super::play::vars_file_layer(&self.play.dir, &names, &mut Diagnostics::new()) {
                Some(layer) => layers.push(layer),
                None => complete = false,
            }
        }
        if complete {
            self.hosts[index].vars_files = Some(layers.clone());
        }
        layers
    }

    fn layers_of(&mut self, task: &Arc<Task>) -> Arc<Vec<Arc<Layer>>> {
        Arc::clone(self.task_layers.entry(handler_key(task)).or_insert_with(|| Arc::new(task_layers(task))))
    }

    pub fn context(&mut self, task: &Arc<Task>) -> Arc<template::Context> {
        let key = handler_key(task);
        if let Some(context) = self.contexts.get(&key) {
            return Arc::clone(context);
        }
        let path = task.context.search_path().iter().map(|dir| super::absolute(dir)).collect();
        let context = Arc::new(self.executor.template_context(&self.play.dir, path));
        self.contexts.insert(key, Arc::clone(&context));
        context
    }

    pub fn templar(&mut self, stack: &VarStack, task: &Arc<Task>) -> Templar {
        let context = self.context(task);
        Templar::new(&self.executor.shared.engine, Arc::new(stack.clone()), context)
    }

    /// The task as events name it: with variables of the first host that meets it.
    pub fn info(&mut self, task: &Arc<Task>, templar: &Templar) -> Arc<TaskInfo> {
        let key = handler_key(task);
        let is_template = task.name.as_ref().is_some_and(|name| Templar::is_template(&name.value));
        if let Some(info) = self.infos.get(&key).filter(|_| !is_template) {
            return Arc::clone(info);
        }
        let own = task.name.as_ref().map(|name| rendered_name(templar, &name.value)).filter(|name| !name.is_empty());
        let own = own.unwrap_or_else(|| default_name(task, templar));
        let name = match task.role() {
            Some(role) if !task.implicit => format!("{} : {own}", role.name),
            Some(_) | None => own,
        };
        let check = self.flag_or(task, templar, Keyword::CheckMode, self.executor.options.check);
        let info = Arc::new(TaskInfo {
            name: Arc::from(name),
            action: Arc::from(task.action_name()),
            qualified: Arc::from(qualified(task.action_name())),
            span: task.span.clone(),
            is_handler: task.is_handler,
            check,
            tags: Arc::from(Vec::new()),
        });
        self.infos.insert(key, Arc::clone(&info));
        info
    }

    fn flag(&self, task: &Task, templar: &Templar, keyword: Keyword) -> bool {
        self.flag_or(task, templar, keyword, false)
    }

    fn flag_or(&self, task: &Task, templar: &Templar, keyword: Keyword, default: bool) -> bool {
        Reader { keywords: &task.keywords, templar }.flag(keyword).ok().flatten().unwrap_or(default)
    }

    fn throttle(&self, task: &Task, templar: &Templar) -> usize {
        let asked = Reader { keywords: &task.keywords, templar }.int(Keyword::Throttle).ok().flatten().unwrap_or(0);
        match usize::try_from(asked) {
            Ok(0) | Err(_) => self.executor.options.forks.max(1),
            Ok(some) => some.min(self.executor.options.forks.max(1)),
        }
    }

    fn index_of(&self, host: HostId) -> Option<usize> {
        self.hosts.iter().position(|state| state.id == host)
    }

    /// Tells what a task came to on a host, and counts it.
    fn tell_result(&mut self, task: &Arc<Task>, info: &Arc<TaskInfo>, result: &HostResult) {
        for warning in &result.warnings {
            self.executor.tell(Event::Warning(warning.clone()));
        }
        for deprecation in &result.deprecations {
            self.executor.tell(Event::Deprecated(deprecation.clone()));
        }
        for diagnostic in &result.diagnostics {
            self.executor.tell(Event::Diagnostic(Box::new(diagnostic.clone())));
        }
        let is_include = matches!(task.work, Work::IncludeTasks(_) | Work::IncludeRole(_));
        let Some(index) = self.index_of(result.host) else { return };
        let event = TaskResult {
            host: Arc::clone(&self.hosts[index].name),
            delegated_to: result.delegated_to.clone(),
            task: Arc::clone(info),
            status: result.status,
            ignored: result.ignored,
            result: Arc::new(if result.no_log { censored(&result.result) } else { result.result.clone() }),
            is_loop: result.is_loop,
        };
        self.executor.tell(Event::Result(Box::new(event.clone())));
        if is_include && matches!(result.status, Status::Ok | Status::Changed) {
            return;
        }
        self.count(&event, result, index);
    }

    /// The recap, and where the host goes on.
    fn count(&mut self, event: &TaskResult, result: &HostResult, index: usize) {
        match result.status {
            Status::Ok | Status::Changed | Status::Skipped => self.executor.stats.count(event),
            Status::Failed if result.ignored => self.executor.stats.count(event),
            Status::Failed => {
                let name = Arc::clone(&self.hosts[index].name);
                self.fail_host(index, &name);
                self.remember_failure(event, result);
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
    fn remember_failure(&mut self, event: &TaskResult, result: &HostResult) {
        let mut task = Map::new();
        task.insert("name", &*event.task.name);
        task.insert("action", &*event.task.action);
        let mut facts = Map::new();
        facts.insert("ansible_failed_task", Value::map(task));
        facts.insert("ansible_failed_result", Value::map(registered(&result.result)));
        self.change_world().publish(result.host, HostUpdate { set_facts: facts, ..HostUpdate::default() });
    }

    /// The same for a failure that is no module's, counted.
    pub fn fail_host(&mut self, index: usize, name: &Arc<str>) {
        let rescued = self.fail(index) == AfterFailure::Rescued;
        let row = self.executor.stats.of(name);
        if rescued { row.rescued += 1 } else { row.failed += 1 }
    }

    /// A role that was included with `public` is seen by all that follows.
    pub fn publish_roles(&mut self, roles: &[Arc<crate::playbook::Role>]) {
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
    pub fn fail(&mut self, index: usize) -> AfterFailure {
        let after = self.hosts[index].moves().fail();
        if after == AfterFailure::Failing && self.hosts[index].cursor.has_failed() {
            self.lost(index);
        }
        after
    }

    /// A host has failed for good.
    pub fn lost(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        host.failed = true;
        let id = host.id;
        self.executor.failed.insert(id);
        self.hosts_changed();
    }

    /// Hosts that only fail once their `always` sections have ended.
    fn collect_lost(&mut self) {
        for index in 0..self.hosts.len() {
            if !self.hosts[index].failed && self.hosts[index].cursor.has_failed() {
                self.lost(index);
            }
        }
    }

    /// `ansible_play_hosts` and its kin follow.
    fn hosts_changed(&mut self) {
        let lost = |id: &HostId| self.executor.failed.contains(id) || self.executor.unreachable.contains(id);
        self.vars.hosts.retain(|id| !lost(id));
        self.vars.batch.retain(|id| !lost(id));
        self.layers = self.vars.prepare(self.executor.vars.inventory());
    }

    /// What the results of a step do to the hosts of the batch, together.
    fn after_step(&mut self, task: &Arc<Task>, templar: &Templar, mut results: Vec<HostResult>, run_once: bool) -> Result<(), Stop> {
        // Hosts answer in any order; what they set for others counts in that of the batch, the same on every run.
        results.sort_by_key(|result| self.index_of(result.host));
        let bad = |result: &HostResult| matches!(result.status, Status::Failed | Status::Unreachable) && !result.ignored;
        let any_bad = results.iter().any(bad);
        if any_bad && run_once {
            let failed = results[0].host;
            for index in 0..self.hosts.len() {
                if self.hosts[index].id != failed && !self.hosts[index].unreachable && !self.hosts[index].failed {
                    self.fail(index);
                }
            }
        }
        let mut includes = Vec::new();
        for mut result in results {
            let ignored_or_ok = !bad(&result);
            self.publish(task, &mut result, run_once);
            if ignored_or_ok {
                self.notify(&result)?;
            }
            let found = std::mem::take(&mut result.includes);
            includes.push((result.host, found));
        }
        if includes.iter().any(|(_, found)| !found.is_empty()) {
            if run_once {
                let found = includes[0].1.clone();
                includes =
                    self.hosts.iter().filter(|host| !host.failed && !host.unreachable).map(|host| (host.id, found.clone())).collect();
            }
            self.include(task, includes)?;
        }
        self.collect_lost();
        if any_bad && self.flag_or(task, templar, Keyword::AnyErrorsFatal, self.executor.options.any_errors_fatal) {
            self.fail_all();
        }
        self.too_many_failed();
        Ok(())
    }

    /// `any_errors_fatal`: what failed on one host has failed on all.
    fn fail_all(&mut self) {
        for index in 0..self.hosts.len() {
            let host = &self.hosts[index];
            let goes_on = !host.failed && !host.unreachable && !host.cursor.in_rescue() && !host.cursor.is_failing();
            if goes_on {
                self.fail(index);
            }
        }
    }

    /// `max_fail_percentage`: over it, the play ends for all.
    fn too_many_failed(&mut self) {
        let Some(most) = self.most_failed else { return };
        let failed = self.hosts.iter().filter(|host| host.failed || host.unreachable).count();
        if failed as f64 / self.size.max(1) as f64 * 100.0 > most && failed > 0 {
            for index in 0..self.hosts.len() {
                if !self.hosts[index].failed && !self.hosts[index].unreachable {
                    self.hosts[index].moves().end();
                    self.lost(index);
                }
            }
        }
    }

    /// Notifies handlers of what has changed.
    fn notify(&mut self, result: &HostResult) -> Result<(), Stop> {
        let Some(index) = self.index_of(result.host) else { return Ok(()) };
        for name in &result.notify {
            let meant = self.handlers.meant_by(name);
            if meant.is_empty() {
                return Err(self.no_handler(name));
            }
            for (key, handler) in meant {
                self.hosts[index].notified.insert(key);
                let host = Arc::clone(&self.hosts[index].name);
                self.executor.tell(Event::Notified { handler, host });
            }
        }
        Ok(())
    }

    /// A notified handler that is not there ends the run before the result is told.
    fn check_notified(&self, result: &HostResult) -> Result<(), Stop> {
        match result.notify.iter().find(|name| self.handlers.meant_by(name).is_empty()) {
            Some(name) => Err(self.no_handler(name)),
            None => Ok(()),
        }
    }

    fn no_handler(&self, name: &str) -> Stop {
        let message =
            format!("The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list");
        let diagnostic = crate::source::Diagnostic::error(message);
        Stop::Error(Box::new(match did_you_mean(name, self.handlers.names()) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic,
        }))
    }

    /// Adds handlers of the play or of an included role.
    pub fn add_handlers(&mut self, entries: &[crate::playbook::Entry]) {
        let mut handlers = std::mem::take(&mut self.handlers);
        let (engine, extra, vars) =
            (Arc::clone(&self.executor.shared.engine), self.executor.vars.extra_vars(), Arc::clone(&self.play.vars));
        let context = Arc::new(self.executor.template_context(&self.play.dir, Vec::new()));
        handlers.add(entries, &|task| {
            let name = task.name.as_ref()?;
            let mut layers = vec![Arc::clone(&vars)];
            layers.extend(task.role().into_iter().flat_map(|role| [role.default_layers(), role.var_layers()].concat()));
            layers.push(Arc::clone(&extra));
            let rendered = super::static_scope::render(&engine, &context, &name.value, layers).ok();
            Some(super::keywords::shown(rendered.as_ref().unwrap_or(&name.value)))
        });
        self.handlers = handlers;
    }

    /// Every host by itself: a host's next task starts when its last has ended.
    fn run_free(&mut self) -> Result<(), Stop> {
        let mut busy: HashMap<HostId, (Arc<Task>, Arc<TaskInfo>)> = HashMap::new();
        let most = self.executor.options.forks.max(1);
        loop {
            self.executor.check_interrupt()?;
            for index in 0..self.hosts.len() {
                if busy.len() >= most {
                    break;
                }
                if busy.contains_key(&self.hosts[index].id) {
                    continue;
                }
                self.start_free(index, &mut busy)?;
            }
            if busy.is_empty() {
                return Ok(());
            }
            match self.executor.workers.messages.recv_timeout(Duration::from_millis(200)) {
                Ok(Message::Done(result)) => {
                    let Some((task, info)) = busy.remove(&result.host) else { continue };
                    self.executor.tell(Event::TaskStart(Arc::clone(&info)));
                    self.tell_result(&task, &info, &result);
                    if let Some(index) = self.index_of(result.host) {
                        let stack = self.stack(index, &task);
                        let templar = self.templar(&stack, &task);
                        self.after_step(&task, &templar, vec![*result], false)?;
                    }
                }
                Ok(other) => self.told(other),
                Err(_) => {}
            }
        }
    }

    fn start_free(&mut self, index: usize, busy: &mut HashMap<HostId, (Arc<Task>, Arc<TaskInfo>)>) -> Result<(), Stop> {
        while let Some((task, _)) = self.peek(index) {
            self.pass(index, &task);
            if let Work::Meta(meta) = &task.work {
                self.meta(&task, meta, &[index])?;
                continue;
            }
            if self.skips_facts(index, &task) || !self.is_started(&task, index) {
                continue;
            }
            let stack = self.stack(index, &task);
            let templar = self.templar(&stack, &task);
            let info = self.info(&task, &templar);
            let job = self.job(index, &task, &info);
            self.executor.workers.send(job, busy.len());
            busy.insert(self.hosts[index].id, (task, info));
            return Ok(());
        }
        Ok(())
    }
}

/// Whether a task's tags are asked for; tags may be templates over what is known without a host.
fn task_is_tagged(executor: &Executor<'_>, play: &Arc<Play>, task: &Task) -> bool {
    if task.implicit && matches!(task.work, Work::Meta(_)) {
        return true;
    }
    executor.options.tags.runs(&tags_of(executor, play, task))
}

fn tags_of(executor: &Executor<'_>, play: &Play, task: &Task) -> Vec<String> {
    let context = Arc::new(executor.template_context(&play.dir, Vec::new()));
    let mut tags = Vec::new();
    for written in &task.keywords.tags {
        let value = if Templar::is_template(&written.value) {
            let mut layers = vec![Arc::clone(&play.vars)];
            layers.extend(task.role().into_iter().flat_map(|role| [role.default_layers(), role.var_layers()].concat()));
            layers.extend(task.keywords.vars.iter().cloned());
            layers.push(executor.vars.extra_vars());
            super::static_scope::render(&executor.shared.engine, &context, &written.value, layers).unwrap_or_else(|_| written.value.clone())
        } else {
            written.value.clone()
        };
        for text in super::play::texts(&value) {
            tags.extend(text.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()));
        }
    }
    tags
}

/// Variables of the role, blocks, includes and the task itself.
fn task_layers(task: &Task) -> Vec<Arc<Layer>> {
    let mut layers = Vec::new();
    if let Some(role) = task.role() {
        let from = |what: &str| format!("{what} of role `{}`", role.name);
        layers.extend(role.default_layers().into_iter().map(|map| Layer::new(Precedence::RoleDefaults, from("defaults"), map)));
        layers.extend(role.var_layers().into_iter().map(|map| Layer::new(Precedence::RoleVars, from("vars"), map)));
        layers.extend(role.param_layers().into_iter().map(|map| Layer::new(Precedence::RoleParams, from("parameters"), map)));
        let parents: Vec<(String, std::path::PathBuf)> = if role.is_dependency {
            Vec::new()
        } else {
            role.parents.iter().map(|parent| (parent.name.clone(), super::absolute(&parent.path))).collect()
        };
        layers.push(role_magic(&role.name, &super::absolute(&role.path), &parents));
    }
    let environment = task.keywords.environment.iter().map(|written| written.value.clone()).collect();
    layers.push(Layer::single(Precedence::CommandLine, "environment", Value::list(environment)));
    layers.extend(task.keywords.vars.iter().map(|map| Layer::new(Precedence::TaskVars, "vars of the task", Arc::clone(map))));
    layers.extend(
        task.context.include_params.iter().map(|map| Layer::new(Precedence::IncludeParams, "vars of the include", Arc::clone(map))),
    );
    layers
}

fn rendered(templar: &Templar, value: &Value) -> Option<String> {
    match templar.render(value) {
        Ok(Rendered::Value(value)) => Some(super::keywords::shown(&value)),
        Ok(Rendered::Omit) | Err(_) => None,
    }
}

/// `add_host` and its like change what is the same for all hosts, so the first one does it for all.
fn bypasses_hosts(task: &Task) -> bool {
    matches!(&task.work, Work::Module(call) if matches!(&*call.name.short, "add_host" | "pause"))
}

/// A name as people see it: what is undefined in it is said there.
fn rendered_name(templar: &Templar, value: &Value) -> String {
    match templar.render(value) {
        Ok(Rendered::Value(value)) => super::keywords::shown(&value),
        Ok(Rendered::Omit) => String::new(),
        Err(error) => {
            let text = super::keywords::shown(value);
            let mark = format!("<< error 1 - {} >>", error.message());
            match (text.find("{{"), text.rfind("}}")) {
                (Some(start), Some(end)) if start < end => format!("{}{mark}{}", &text[..start], &text[end + 2..]),
                _ => text,
            }
        }
    }
}

/// The name of a task that has none.
fn default_name(task: &Task, templar: &Templar) -> String {
    match &task.work {
        Work::IncludeRole(include) => match rendered(templar, &include.name.value) {
            Some(role) => format!("{} : {role}", include.written),
            None => format!("{} : {}", include.written, super::keywords::shown(&include.name.value)),
        },
        Work::Module(_) | Work::IncludeTasks(_) | Work::Meta(_) => task.action_name().to_owned(),
    }
}

fn qualified(action: &str) -> String {
    match action.strip_prefix("ansible.legacy.") {
        Some(short) => format!("ansible.builtin.{short}"),
        None if action.contains('.') => action.to_owned(),
        None => format!("ansible.builtin.{action}"),
    }
}

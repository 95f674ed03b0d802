//! A batch of hosts going through a play together: which task is next, who does it, what comes of it.

mod debug;
mod free;
mod results;
mod view;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::action::{self, Action};
use crate::event::{Event, TaskInfo};
use crate::executor::handlers::Handlers;
use crate::executor::host_state::{HostState, handler_key};
use crate::executor::job::{HostResult, Job, Message};
use crate::executor::tags::task_is_tagged;
use crate::executor::{Executor, Gathering, Stop};
use crate::inventory::HostId;
use crate::playbook::{Block, Keyword, Play, Task, Work};
use crate::source::{Diagnostic, Spanned, absolute};
use crate::template::{self};
use crate::value::Value;
use crate::vars::{FACTS_GATHERED, Layer, PlayLayers, PlayVars, Reach, VarWorld};

/// In which order hosts meet tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// All hosts do a task before any does the next.
    Linear,
    /// Every host goes on as soon as it can.
    Free,
    /// As free, and a host that has begun goes on before others begin.
    HostPinned,
    /// As linear, and what fails starts the debugger.
    Debug,
}

impl Strategy {
    /// The strategy of this name.
    pub fn parse(name: &str) -> Result<Self, Diagnostic> {
        match name.rsplit('.').next().unwrap_or(name) {
            "linear" => Ok(Self::Linear),
            "free" => Ok(Self::Free),
            "host_pinned" => Ok(Self::HostPinned),
            "debug" => Ok(Self::Debug),
            _ => Err(Diagnostic::error(format!("Invalid play strategy specified: {name}"))
                .hint("known are `debug`, `free`, `host_pinned` and `linear`")),
        }
    }
}

/// Hosts that go through a play together.
pub(in crate::executor) struct Batch<'b, 'a> {
    pub executor: &'b mut Executor<'a>,
    pub play: &'b Arc<Play>,
    pub vars: PlayVars,
    pub layers: Arc<PlayLayers>,
    pub hosts: Vec<HostState>,
    pub handlers: Handlers,
    positions: HashMap<HostId, usize>,
    strategy: Strategy,
    most_failed: Option<f64>,
    playbook_dir: Arc<Path>,
    templated_files: Vec<Spanned<Value>>,
    task_layers: HashMap<usize, Arc<Vec<Arc<Layer>>>>,
    reaches: HashMap<usize, Arc<Reach>>,
    contexts: HashMap<usize, Arc<template::Context>>,
    infos: HashMap<usize, Arc<TaskInfo>>,
    tags: HashMap<usize, bool>,
    /// Tasks are told apart by their address, so those that were met are kept.
    kept: Vec<Arc<Task>>,
    snapshot: Option<Arc<VarWorld>>,
    /// What the debugger changed for the task that runs once more.
    edited: HashMap<HostId, debug::Edited>,
    /// What is wrong with a file of variables that is chosen by host.
    unread: Option<Diagnostic>,
    /// Hosts of the batch, those that were lost before it among them.
    pub size: usize,
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
        let positions = hosts.iter().enumerate().map(|(index, host)| (host.id, index)).collect();
        let layers = vars.prepare(&inventory);
        let size = hosts.len();
        let mut batch = Self {
            executor,
            play,
            vars,
            layers,
            hosts,
            handlers: Handlers::default(),
            positions,
            strategy,
            most_failed,
            playbook_dir: absolute(&play.dir).into(),
            templated_files,
            task_layers: HashMap::new(),
            reaches: HashMap::new(),
            contexts: HashMap::new(),
            infos: HashMap::new(),
            tags: HashMap::new(),
            kept: Vec::new(),
            snapshot: None,
            edited: HashMap::new(),
            size,
            unread: None,
            ends_play: false,
        };
        let entries = play.handlers.tasks.clone();
        batch.add_handlers(&entries);
        batch
    }

    /// Runs the play on these hosts.
    pub fn run(&mut self) -> Result<(), Stop> {
        if !self.templated_files.is_empty() {
            for index in 0..self.hosts.len() {
                let stack = self.world().stack(self.hosts[index].id, &self.layers);
                self.host_files(index, &stack);
            }
        }
        match self.strategy {
            Strategy::Linear | Strategy::Debug => self.run_linear(),
            Strategy::Free | Strategy::HostPinned => self.run_free(),
        }
    }

    /// A file of variables that cannot be read ends the run.
    fn check_files(&mut self) -> Result<(), Stop> {
        self.unread.take().map_or(Ok(()), |diagnostic| Err(Stop::Error(Box::new(diagnostic))))
    }

    fn run_linear(&mut self) -> Result<(), Stop> {
        loop {
            self.executor.check_interrupt()?;
            self.check_files()?;
            let step = self.next_step();
            self.collect_lost();
            let Some((task, group)) = step else { return Ok(()) };
            self.step(&task, &group)?;
        }
    }

    /// The hosts at the least position, with the task they meet.
    fn next_step(&mut self) -> Option<(Arc<Task>, Vec<usize>)> {
        let mut least: Option<(crate::executor::play_iterator::Position, Arc<Task>)> = None;
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

    fn peek(&mut self, index: usize) -> Option<(Arc<Task>, crate::executor::play_iterator::Position)> {
        if self.hosts[index].unreachable {
            return None;
        }
        let (tags, executor, layers, kept) =
            (std::cell::RefCell::new(&mut self.tags), &*self.executor, &self.play, std::cell::RefCell::new(&mut self.kept));
        let is_tagged = |task: &Task| {
            let key = handler_key(task);
            let known = tags.borrow().get(&key).copied();
            known.unwrap_or_else(|| {
                // All tags could be read when the tasks were taken in.
                let runs = task_is_tagged(executor, layers, task).unwrap_or(false);
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
        if group.is_empty() || !self.is_started(task) {
            return Ok(());
        }
        if self.executor.options.step && !task.implicit && !self.steps(task, group[0]) {
            return Ok(());
        }
        let first_stack = self.stack(group[0], task);
        let templar = self.templar(&first_stack, task);
        let run_once = self.flag(task, &templar, Keyword::RunOnce)? || bypasses_hosts(task);
        let info = self.info(task, &templar);
        self.executor.tell(Event::TaskStart(Arc::clone(&info)));
        self.flag(task, &templar, Keyword::AnyErrorsFatal)?;
        let throttle = self.throttle(task, &templar)?;
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
        let smart = self.executor.options.gathering == Gathering::Smart;
        let known = || self.executor.vars.known(self.hosts[index].id).is_some_and(|known| known.injected_facts().contains(FACTS_GATHERED));
        is_gathering && smart && known()
    }

    /// `--start-at-task`: nothing runs before the task of this name, as written, but for what the play does by itself.
    fn is_started(&mut self, task: &Arc<Task>) -> bool {
        if self.executor.started || task.implicit {
            return true;
        }
        self.executor.started = self.is_start(task);
        self.executor.started
    }

    /// Whether the run has begun or may begin with one of these tasks. Else the play does nothing, not even by itself.
    pub fn may_start(&self, tasks: &[&Arc<Task>]) -> bool {
        let is_tagged = |task: &Task| task_is_tagged(self.executor, self.play, task).unwrap_or(false);
        self.executor.started || tasks.iter().any(|task| !task.implicit && self.is_start(task) && is_tagged(task))
    }

    fn is_start(&self, task: &Task) -> bool {
        let Some(wanted) = &self.executor.options.start_at else { return true };
        let own = task.name.as_ref().map_or_else(|| task.action_name().to_owned(), |name| template::print::shown(&name.value));
        let matches = |name: &str| name == wanted || template::python::fnmatch::fnmatch(name, wanted);
        let in_role = task.role().is_some_and(|role| matches(&format!("{} : {own}", role.name)));
        matches(&own) || in_role
    }

    /// `--step`: asks before each task.
    fn steps(&mut self, task: &Arc<Task>, index: usize) -> bool {
        if self.executor.step_all {
            return true;
        }
        let stack = self.stack(index, task);
        let templar = self.templar(&stack, task);
        let name = Arc::clone(&self.info(task, &templar).name);
        let answer = self.executor.world.console.read(&format!("Perform task: TASK: {name} (N)o/(y)es/(c)ontinue: "));
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
                self.executor.tell(Event::HostStart { host: Arc::clone(&self.hosts[index].name), task: Arc::clone(info) });
                let job = self.job(index, task, info);
                self.executor.workers.send(job, running);
                running += 1;
            }
            if running == 0 {
                return Ok(results);
            }
            match self.executor.workers.messages.receive(Some(Duration::from_millis(200))) {
                Some(Message::Done(result)) => {
                    self.check_notified(task, &result)?;
                    if let Some(job) = self.tell_result(task, info, &result)? {
                        self.executor.workers.send(job, running - 1);
                        continue;
                    }
                    running -= 1;
                    done += 1;
                    self.executor.tell(Event::Progress { done, of: hosts.len() });
                    results.push(*result);
                }
                Some(other) => self.told(other),
                None => {}
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
            reach: self.reach(task),
            context: self.context(task),
            playbook_dir: Arc::clone(&self.playbook_dir),
            check: self.executor.options.check,
            diff: self.executor.options.diff,
        }
    }

    /// Whether all hosts do a task before any does the next.
    pub(in crate::executor) fn goes_in_step(&self) -> bool {
        matches!(self.strategy, Strategy::Linear | Strategy::Debug)
    }

    fn index_of(&self, host: HostId) -> Option<usize> {
        self.positions.get(&host).copied()
    }
}

/// Whether the first host does it for all.
fn bypasses_hosts(task: &Task) -> bool {
    matches!(&task.work, Work::Module(call) if action::find(&call.name.short).is_some_and(Action::bypasses_hosts))
}

//! One task on one host: conditions, loop, arguments, the module, what comes of it. Runs on a worker, asks nobody, prints nothing.

mod arguments;
mod controls;
mod failed_task;
mod judge;
mod looping;
mod prepare;
mod report;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::action::{Action, Args, Failure, Plan};
use crate::executor::job::{HostResult, Job, Message};
use crate::executor::keywords::KeywordError;
use crate::executor::lease::Leases;
use crate::executor::mailbox::Mailbox;
use crate::executor::outcome::ItemEnd;
use crate::executor::target::{ConnectionDefaults, Route};
use crate::executor::transfer;
use crate::template::{Engine, Notices, Scope, Templar};
use crate::vars::VarStack;

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
    /// What tasks do that do not say otherwise.
    pub tasks: TaskDefaults,
    /// Set when the run is to end.
    pub interrupted: Arc<AtomicBool>,
}

/// Settings for tasks that do not say otherwise.
#[derive(Clone, Debug)]
pub struct TaskDefaults {
    /// `no_log`.
    pub no_log: bool,
    /// `task_timeout`: seconds, 0 is no limit.
    pub timeout: i64,
    /// `poll_interval`: seconds.
    pub poll: i64,
    /// `async_dir`.
    pub async_dir: String,
    /// `inject_invocation`.
    pub inject_invocation: bool,
    /// Whether an included role's variables are seen by what follows.
    pub public_includes: bool,
}

/// Runs a task on one host.
pub fn run(shared: &Shared, job: &Job, out: &Mailbox<Message>) -> HostResult {
    let runner = Runner { shared, job, out, notices: Notices::default() };
    match &job.task.looping {
        None => runner.sum(runner.single(), None, None),
        Some(looping) => runner.looped(looping),
    }
}

pub(in crate::executor) struct Runner<'j> {
    pub shared: &'j Shared,
    pub job: &'j Job,
    pub out: &'j Mailbox<Message>,
    /// What templates had to say since an item's end took it.
    pub notices: Notices,
}

/// An item that is ready to run: conditions hold, arguments are rendered, the action has a plan.
pub(in crate::executor) struct Ready {
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
    /// The arguments that were sent, where results are to hold them.
    pub invocation: Option<driftless_modules::JsonMap>,
}

/// How often and when to try again.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::executor) struct Retry {
    /// How often at most, beyond the first.
    pub retries: i64,
    /// Seconds between.
    pub delay: f64,
}

/// `async` and `poll`.
#[derive(Clone, Copy, Debug)]
pub(in crate::executor) struct Asynchronous {
    /// The limit in seconds.
    pub limit: u64,
    /// Seconds between polls; 0: never.
    pub poll: u64,
}

/// What became of preparing an item.
pub(in crate::executor) enum Stage {
    /// It has ended: skipped, failed, included.
    Ended(Box<ItemEnd>),
    /// It is to be run.
    Ready(Box<Ready>),
}

impl Runner<'_> {
    fn single(&self) -> ItemEnd {
        let mut end = match self.prepare(self.job.stack.clone(), None) {
            Stage::Ended(end) => *end,
            Stage::Ready(ready) => self.execute(*ready),
        };
        self.take_notices(&mut end);
        end.tell_notices();
        end
    }

    /// The end has what templates said since the last one took it.
    pub(super) fn take_notices(&self, end: &mut ItemEnd) {
        end.notices.extend(self.notices.take());
    }

    pub(in crate::executor) fn templar(&self, stack: &VarStack) -> Templar {
        self.templar_over(Arc::new(stack.clone()))
    }

    pub(super) fn templar_over(&self, scope: Arc<dyn Scope>) -> Templar {
        Templar::telling(&self.shared.engine, scope, Arc::clone(&self.job.context), self.notices.clone())
    }

    /// Runs what is ready, trying again as told.
    pub(in crate::executor) fn execute(&self, ready: Ready) -> ItemEnd {
        transfer::run_one(self, ready)
    }
}

pub(in crate::executor) fn keyword_end(error: KeywordError) -> Box<ItemEnd> {
    Box::new(ItemEnd::failed(error.message, vec![error.diagnostic]))
}

pub(in crate::executor) fn failure_end(failure: Failure) -> Box<ItemEnd> {
    let mut end = ItemEnd::of(failure.result);
    end.result.insert("failed", true);
    end.diagnostics = failure.diagnostics;
    Box::new(end)
}

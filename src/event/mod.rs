//! What happened, as data: everything a run does is an [`Event`]. Screens, files and reports are consumers ([`EventSink`]);
//! nothing here decides, nothing here prints. Serialisable; [`VERSION`] grows when a field changes its meaning.

mod stats;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

pub use stats::{HostStats, RunStats};

use crate::source::{Diagnostic, Span};
use crate::value::{Map, Value};

/// The version of the events' shape.
pub const VERSION: u32 = 1;

/// How a task, or an item of its loop, ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing had to be changed.
    Ok,
    /// Something was changed (or would be, in check mode).
    Changed,
    /// A condition said no.
    Skipped,
    /// The world is not as wished.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// A task, as consumers need it.
#[derive(Clone, Debug)]
pub struct TaskInfo {
    /// Its name, rendered; the module's name where it has none; with the role's name in front.
    pub name: Arc<str>,
    /// The name that the user wrote, rendered; empty where there is none.
    pub own_name: Arc<str>,
    /// The module as written.
    pub action: Arc<str>,
    /// The module with its collection.
    pub qualified: Arc<str>,
    /// Where it was written.
    pub span: Span,
    /// Whether it is a handler.
    pub is_handler: bool,
    /// Whether it runs in check mode.
    pub check: bool,
    /// Its tags.
    pub tags: Arc<[String]>,
    /// Its arguments as written: `key=value, key=value`; none where results are hidden.
    pub args: Option<Arc<str>>,
    /// The role it is of.
    pub role: Option<Arc<str>>,
}

/// The key of a result that has failed only because `until` never held: nothing else is wrong with it.
pub const GIVEN_UP: &str = "_ansible_given_up";

/// The result of a task on one host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    /// The host.
    pub host: Arc<str>,
    /// The host that did it instead.
    pub delegated_to: Option<Arc<str>>,
    /// The task.
    pub task: Arc<TaskInfo>,
    /// How it ended.
    pub status: Status,
    /// Whether a failure does not matter.
    pub ignored: bool,
    /// What it returned: Ansible's keys; censored under `no_log`. Secrets are shown as `***` by whoever writes them.
    pub result: Arc<Map>,
    /// Whether this is the sum of a loop's items, which were shown already.
    pub is_loop: bool,
}

/// The result of one item of a loop.
#[derive(Clone, Debug)]
pub struct ItemResult {
    /// The result.
    pub result: TaskResult,
    /// What is shown as item: the label, or the item itself.
    pub label: Value,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A playbook starts.
    PlaybookStart {
        /// Its file.
        path: PathBuf,
        /// How many plays it has.
        plays: usize,
    },
    /// A play starts.
    PlayStart {
        /// Its name, or its hosts' pattern.
        name: String,
        /// Whether it runs in check mode.
        check: bool,
        /// Where it was written.
        span: Span,
        /// Whether all hosts meet a task together.
        lockstep: bool,
    },
    /// No host matches a play's pattern.
    NoHostsMatched,
    /// All hosts of a play have failed.
    NoHostsRemaining,
    /// A task starts.
    TaskStart(Arc<TaskInfo>),
    /// A task starts on a host.
    HostStart {
        /// The host.
        host: Arc<str>,
        /// The task.
        task: Arc<TaskInfo>,
    },
    /// An item of a loop ended.
    Item(Box<ItemResult>),
    /// A task ended on a host.
    Result(Box<TaskResult>),
    /// A task is tried again.
    Retry {
        /// What it returned.
        result: Box<TaskResult>,
        /// How often it will be tried yet.
        left: i64,
        /// How often it may be tried in all.
        retries: i64,
    },
    /// An asynchronous job was asked how it is.
    AsyncPoll {
        /// The host.
        host: Arc<str>,
        /// The job.
        job: String,
        /// Whether it has ended.
        finished: bool,
        /// Whether it has failed.
        failed: bool,
    },
    /// A file or role was included.
    Included {
        /// The file, or the role's name.
        file: String,
        /// For which hosts.
        hosts: Vec<Arc<str>>,
        /// The item of the loop, shown.
        item: Option<Value>,
    },
    /// A handler was notified.
    Notified {
        /// Its name.
        handler: String,
        /// On which host.
        host: Arc<str>,
    },
    /// How a task becomes another user: a command line.
    Becomes {
        /// The host's address.
        address: String,
        /// The command line.
        line: String,
    },
    /// What a `meta` task did, or why it did nothing.
    Meta(String),
    /// A module or the executor has something to say.
    Warning(String),
    /// Something will not work one day.
    Deprecated(String),
    /// The user's text is wrong, and a task met it.
    Diagnostic(Box<Diagnostic>),
    /// Why the run cannot go on.
    Refused(Box<Diagnostic>),
    /// How many hosts of a step have answered: for live progress only.
    Progress {
        /// Hosts that have answered.
        done: usize,
        /// Hosts of the step.
        of: usize,
    },
    /// The run has ended.
    Stats(Arc<RunStats>),
}

/// A consumer of events.
pub trait EventSink {
    /// Takes note of what happened.
    fn event(&mut self, event: &Event);
}

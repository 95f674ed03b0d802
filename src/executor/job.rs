//! What a worker gets and what it gives back.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::action::Effect;
use crate::event::{Event, Status, TaskInfo};
use crate::inventory::HostId;
use crate::playbook::Task;
use crate::source::Diagnostic;
use crate::template::Context;
use crate::value::{Map, Value};
use crate::vars::{Reach, VarStack};

/// All that a worker needs to run a task on one host.
pub struct Job {
    /// The host.
    pub host: HostId,
    /// Its name.
    pub host_name: Arc<str>,
    /// The task.
    pub task: Arc<Task>,
    /// The task as events name it.
    pub info: Arc<TaskInfo>,
    /// What the task sees on this host.
    pub stack: VarStack,
    /// How the host is reached, as the task reads it once it runs.
    pub reach: Arc<Reach>,
    /// Where files are looked for.
    pub context: Arc<Context>,
    /// The folder of the playbook.
    pub playbook_dir: Arc<Path>,
    /// `--check`.
    pub check: bool,
    /// `--diff`.
    pub diff: bool,
}

/// What a worker tells the coordinator.
pub enum Message {
    /// Something happened before the task's end.
    Progress(Event),
    /// Somebody is to be asked; the answer goes back.
    Ask {
        /// The question.
        prompt: String,
        /// Whether the answer is seen while it is typed.
        echo: bool,
        /// Where the answer goes: `None` where nobody is there.
        answer: SyncSender<Option<String>>,
    },
    /// Text for the person at the terminal.
    Say(String),
    /// The task has ended on a host.
    Done(Box<HostResult>),
}

/// How a task ended on one host.
#[derive(Debug)]
pub struct HostResult {
    /// The host.
    pub host: HostId,
    /// What is registered: the result, with those of a loop's items.
    pub result: Arc<Map>,
    /// How it ended.
    pub status: Status,
    /// Whether a failure does not matter.
    pub ignored: bool,
    /// Whether it went over items.
    pub is_loop: bool,
    /// The host that did it instead.
    pub delegated_to: Option<Arc<str>>,
    /// Whether the result is hidden from events.
    pub no_log: bool,
    /// What our actions do to the run.
    pub effects: Vec<Owned<Effect>>,
    /// `ansible_facts` that modules returned, as they named them.
    pub facts: Vec<Owned<Map>>,
    /// Handlers and topics to notify.
    pub notify: Vec<String>,
    /// Variables that `register` sets.
    pub registered: Map,
    /// Files and roles to include.
    pub includes: Vec<Include>,
    /// Mistakes in the user's text that the task met.
    pub diagnostics: Vec<Diagnostic>,
    /// Warnings of modules and of the executor.
    pub warnings: Vec<String>,
    /// Deprecations.
    pub deprecations: Vec<String>,
    /// The task as `rescue` sees it, where it failed.
    pub failed_task: Option<Box<Map>>,
}

/// What one item set.
#[derive(Debug)]
pub struct Owned<T> {
    /// The host that it is for, where it is not the task's: `delegate_facts`.
    pub host: Option<HostId>,
    /// This.
    pub what: T,
}

/// A file or role to include for one host.
#[derive(Clone, Debug, PartialEq)]
pub struct Include {
    /// Which.
    pub what: IncludeWhat,
    /// The loop's variables, if any.
    pub loop_vars: Map,
    /// What is shown as item.
    pub label: Option<Value>,
}

/// What to include.
#[derive(Clone, Debug, PartialEq)]
pub enum IncludeWhat {
    /// A file of tasks.
    Tasks(String),
    /// A role, with files to take instead of `main`, and the options of the include.
    Role {
        /// Which.
        name: String,
        /// Files to take instead of `main`.
        from: crate::playbook::RoleFiles<String>,
        /// Whether its variables are seen by what follows.
        public: bool,
        /// Whether it may run again.
        allow_duplicates: bool,
        /// Whether its arguments are checked.
        validates: bool,
        /// Whether a mistake in its files is the task's failure, which `rescue` sees.
        rescuable: bool,
    },
}

//! The controller's half of modules. Most only send one request and give back what came ([`Plan::Send`]); some are done without
//! a host ([`Plan::Done`]); few need a conversation ([`Plan::Talk`]). Knows no plays and no strategy.

mod add_host;
mod args;
mod assemble;
mod assert;
mod content;
mod copy;
mod debug;
mod escape;
mod fail;
mod fetch;
mod gather_facts;
mod group_by;
mod include_vars;
mod package;
mod pause;
mod raw;
mod reboot;
mod script;
mod set_fact;
mod set_stats;
mod template;
mod unarchive;
mod validate_argument_spec;
mod wait_for_connection;

use std::path::{Path, PathBuf};
use std::time::Duration;

use driftless_modules::registry;
use driftless_modules::spec::Spec;

pub use args::{Args, ArgsError, to_bool};

use crate::helper::{Reply, Request, RunError};
use crate::template::{Context, Templar};
use crate::transport::{ConnectionError, ExecOutput};
use crate::value::{Map, Value, from_json};

/// A call of a module on one host, with its arguments rendered.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The module's name without `ansible.builtin.`.
    pub name: &'a str,
    /// The module as messages name it.
    pub shown: &'a str,
    /// The arguments.
    pub args: &'a Args,
    /// For actions that render: `template`, `assert`, `debug`.
    pub templar: &'a Templar,
    /// Where files of the control machine are looked for.
    pub context: &'a Context,
    /// Change nothing, foretell.
    pub check: bool,
    /// Say what differs.
    pub diff: bool,
    /// The inventory's name of the host.
    pub host: &'a str,
    /// How many `-v`.
    pub verbosity: u8,
    /// Environment variables for the module's programs.
    pub environment: &'a [(String, String)],
}

/// What an action is about to do.
pub enum Plan {
    /// Send this request; what comes back goes to [`Action::finish`].
    Send(Box<Request>),
    /// Nothing to send.
    Done(Done),
    /// More than one request: [`Action::talk`].
    Talk,
    /// It cannot be done.
    Failed(Box<Failure>),
}

/// What came of a call.
#[derive(Debug, Default)]
pub struct Done {
    /// Ansible's result.
    pub result: Map,
    /// What it does to the run itself.
    pub effect: Option<Effect>,
}

/// What only our own actions may do to the run (invariant 8).
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// `set_fact`.
    SetFacts {
        /// The variables; templates that the user wrote stay templates.
        facts: Map,
        /// Whether they are kept as facts too.
        cacheable: bool,
    },
    /// `include_vars`.
    IncludeVars(Map),
    /// `add_host`.
    AddHost {
        /// The host.
        name: String,
        /// Its groups.
        groups: Vec<String>,
        /// Its variables.
        vars: Map,
    },
    /// `group_by`.
    GroupBy {
        /// The group.
        group: String,
        /// Groups above it.
        parents: Vec<String>,
    },
    /// `set_stats`.
    Stats {
        /// The numbers.
        data: Map,
        /// Whether they are kept per host.
        per_host: bool,
        /// Whether they are added to what is there.
        aggregate: bool,
    },
}

impl Effect {
    /// Whether it adds to the inventory.
    pub fn is_of_inventory(&self) -> bool {
        matches!(self, Self::AddHost { .. } | Self::GroupBy { .. })
    }
}

/// The controller's half of a module.
pub trait Action: Sync {
    /// The names that it serves.
    fn names(&self) -> &'static [&'static str];

    /// Its options, where no module of the same name has them.
    fn spec(&self) -> Option<&'static Spec> {
        None
    }

    /// Whether the first host does it for all of the batch, as it changes what is the same for all.
    fn bypasses_hosts(&self) -> bool {
        false
    }

    /// Whether `async` may be said of it, called by this name.
    fn supports_async(&self, _name: &str) -> bool {
        false
    }

    /// Whether an option is an expression, which the action evaluates by itself.
    fn is_expression(&self, _option: &str, _value: &Value) -> bool {
        false
    }

    /// Whether the names of its options may be templates, as the variables of `set_fact` may.
    fn has_templated_names(&self) -> bool {
        false
    }

    /// Whether its free text may be a template that gives a map of options.
    fn takes_a_map(&self) -> bool {
        false
    }

    /// The options that it checks itself, where it has no [`Spec`] and takes no others.
    fn own_options(&self) -> Option<&'static OwnOptions> {
        None
    }

    /// What is to be done. An `Err` is the message of a failure.
    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure>;

    /// What the request's answer comes to.
    fn finish(&self, _call: &Call<'_>, reply: Reply) -> Result<Done, Failure> {
        Ok(Done::of(outcome(reply)))
    }

    /// Options of which one excludes the other, and what is said where both are given.
    fn exclusive(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &[]
    }

    /// A conversation with the host.
    fn talk(&self, _call: &Call<'_>, _target: &mut dyn Target) -> Result<Done, TalkError> {
        Err(TalkError::Failed(Failure::new("this action has nothing to talk about")))
    }
}

/// Options of an action without a [`Spec`].
pub struct OwnOptions {
    /// All of them; those that begin with `_` are not the user's to write.
    pub names: &'static [&'static str],
    /// Those that must be given, any one of each row, and what is said where none is.
    pub required: &'static [(&'static [&'static str], &'static str)],
}

/// A host, for actions that talk.
pub trait Target {
    /// Sends requests, and gives their answers in order; none is started after one that ended the connection.
    fn send(&mut self, requests: Vec<Request>) -> Vec<Result<Reply, RunError>>;

    /// Runs a command line without a helper.
    fn exec(&mut self, command: &str, stdin: &[u8]) -> Result<ExecOutput, TalkError>;

    /// Closes the connection; the next request opens a new one.
    fn disconnect(&mut self);

    /// Opens the connection, if it is closed.
    fn connect(&mut self, limit: Duration) -> Result<(), ConnectionError>;

    /// Asks the person at the terminal; `None` where nobody is there.
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<String>;

    /// Waits, unless the run is interrupted.
    fn sleep(&mut self, duration: Duration) -> Result<(), TalkError>;

    /// Says what is going on.
    fn say(&mut self, text: &str);
}

/// Why a conversation ended.
#[derive(Debug)]
pub enum TalkError {
    /// The task has failed.
    Failed(Failure),
    /// A request did not end as a module's result.
    Run(RunError),
    /// The run was interrupted.
    Interrupted,
}

impl From<Failure> for TalkError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<RunError> for TalkError {
    fn from(error: RunError) -> Self {
        Self::Run(error)
    }
}

/// What a failure says that has no message of its own.
pub(crate) const NO_MESSAGE: &str = "Task failed: Action failed: Unknown error.";

/// A failed task: its message, what else its result holds, and where the mistake is, if it is in the user's text.
#[derive(Debug)]
pub struct Failure {
    /// The result.
    pub result: Map,
    /// Mistakes in the user's text.
    pub diagnostics: Vec<crate::source::Diagnostic>,
    /// Whether it is none of a module: `changed_when` and `failed_when` are not asked then.
    pub is_raised: bool,
}

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("msg", message.into());
        Self { result, diagnostics: Vec::new(), is_raised: false }
    }

    /// The same, as a failure that `changed_when` and `failed_when` are not asked about.
    #[must_use]
    pub fn raised(mut self) -> Self {
        self.is_raised = true;
        self
    }

    /// The message with what an action says before it.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        let message = format!("{prefix}{}", self.message());
        self.result.insert("msg", message);
        self
    }

    /// Adds to the result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.result.insert(key, value);
        self
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, diagnostic: crate::source::Diagnostic) -> Self {
        self.diagnostics.push(diagnostic);
        self
    }

    /// The message.
    pub fn message(&self) -> &str {
        self.result.get("msg").and_then(Value::as_str).unwrap_or_default()
    }
}

impl From<crate::template::TemplateError> for Failure {
    fn from(error: crate::template::TemplateError) -> Self {
        Self::new(format!("Task failed: {}", error.full_message())).at(error.to_diagnostic()).raised()
    }
}

impl Done {
    /// A result without effect.
    pub fn of(result: Map) -> Self {
        Self { result, effect: None }
    }
}

/// All actions, sorted; a module without a row here is served by [`Normal`].
pub const ACTIONS: &[&dyn Action] = &[
    &add_host::AddHost,
    &assemble::Assemble,
    &assert::Assert,
    &copy::Copy,
    &debug::Debug,
    &fail::Fail,
    &fetch::Fetch,
    &gather_facts::GatherFacts,
    &group_by::GroupBy,
    &include_vars::IncludeVars,
    &package::Package,
    &pause::Pause,
    &raw::Raw,
    &reboot::Reboot,
    &script::Script,
    &set_fact::SetFact,
    &set_stats::SetStats,
    &template::Template,
    &unarchive::Unarchive,
    &validate_argument_spec::ValidateArgumentSpec,
    &wait_for_connection::WaitForConnection,
];

/// The action that serves a module; `None` for a module that is not there.
pub fn find(name: &str) -> Option<&'static dyn Action> {
    let own = ACTIONS.iter().find(|action| action.names().contains(&name)).copied();
    own.or_else(|| registry::find(name).map(|_| &Normal as &dyn Action))
}

/// The options of a module or action.
pub fn spec(name: &str) -> Option<&'static Spec> {
    let own = ACTIONS.iter().find(|action| action.names().contains(&name)).and_then(|action| action.spec());
    own.or_else(|| registry::find(name).map(|module| module.spec()))
}

/// Names of all modules and actions, sorted.
pub fn names() -> Vec<&'static str> {
    let own = ACTIONS.iter().flat_map(|action| action.names().iter().copied());
    let mut names: Vec<&str> = own.chain(registry::all().iter().map(|module| module.name())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Sends the arguments, gives back what came.
pub struct Normal;

impl Action for Normal {
    fn names(&self) -> &'static [&'static str] {
        &[]
    }

    fn supports_async(&self, name: &str) -> bool {
        name != "async_status"
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let module = registry::find(call.name).ok_or_else(|| Failure::new(format!("the module `{}` is not supported yet", call.name)))?;
        Ok(Plan::Send(Box::new(call.request(call.name, call.args.check(module.spec(), call.shown)?))))
    }
}

impl Call<'_> {
    /// A request for a module with these checked arguments.
    pub fn request(&self, module: &str, checked: args::Checked) -> Request {
        let mut request = Request::new(module, checked.args);
        request.secrets = checked.secrets;
        request.check = self.check;
        request.diff = self.diff;
        request.environment = self.environment.to_vec();
        request
    }

    /// A file of the control machine, looked for in `folder` of the role and the play, then beside the task's file.
    pub fn find_file(&self, folder: &str, name: &str, option: &str) -> Result<PathBuf, Failure> {
        self.context.find_file(folder, name).ok_or_else(|| self.missing_file(folder, name, option).raised())
    }

    /// A file that is in none of these places; `option` names it.
    pub fn missing_file(&self, folder: &str, name: &str, option: &str) -> Failure {
        const WHERE: &str = "on the Ansible Controller.";
        let mut diagnostic = self.args.error_at(option, &format!("Could not find or access '{name}' {WHERE}"));
        if Path::new(name).is_absolute() {
            return Failure::new(&diagnostic.message).at(diagnostic);
        }
        let places = &self.context.search_path;
        let mut paths: Vec<String> = Vec::new();
        for place in places {
            let (inner, outer) = (place.join(folder), place);
            paths.extend([&inner, outer].map(|dir| dir.join(name).display().to_string()));
            diagnostic = diagnostic.note(format!("looked in `{}` and `{}`", inner.display(), outer.display()));
        }
        // Where the task stands beside its playbook, Ansible looks there as the task's folder and as the play's.
        if places.len() == 1 {
            paths.extend_from_within(..);
        }
        Failure::new(format!("Could not find or access '{name}'\nSearched in:\n\t{} {WHERE}", paths.join("\n\t"))).at(diagnostic)
    }
}

/// A reply as Ansible's result.
pub fn outcome(reply: Reply) -> Map {
    match from_json(serde_json::Value::Object(reply.outcome)) {
        Value::Map(map) => std::sync::Arc::unwrap_or_clone(map),
        _ => Map::new(),
    }
}

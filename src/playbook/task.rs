//! `Task`: one thing to do, as written, with all keywords in force; and what it does (`Work`).

use std::sync::Arc;

use super::{Context, Keywords};
use crate::source::{Diagnostic, Span, Spanned, short_name};
use crate::value::{Key, Map, Text, Value};

/// A task or handler. Immutable once loaded, shared by all hosts.
#[derive(Clone, Debug)]
pub struct Task {
    /// Where it was written; the same on every run, so `FILE:LINE:COLUMN` is its id.
    pub span: Span,
    /// `name:`, may be a template.
    pub name: Option<Spanned<Value>>,
    /// What it does.
    pub work: Work,
    /// What is in force, its own included.
    pub keywords: Arc<Keywords>,
    /// What it was loaded in: what a dynamic include inside inherits.
    pub context: Arc<Context>,
    /// `loop:` or `with_…:`.
    pub looping: Option<Loop>,
    /// `loop_control:`.
    pub loop_control: LoopControl,
    /// `register:`.
    pub register: Option<Register>,
    /// `until:`; all must hold.
    pub until: Vec<Spanned<Value>>,
    /// `retries:`.
    pub retries: Option<Spanned<Value>>,
    /// `delay:`.
    pub delay: Option<Spanned<Value>>,
    /// `changed_when:`; all must hold.
    pub changed_when: Vec<Spanned<Value>>,
    /// `failed_when:`; all must hold.
    pub failed_when: Vec<Spanned<Value>>,
    /// `async:`.
    pub async_limit: Option<Spanned<Value>>,
    /// `poll:`.
    pub poll: Option<Spanned<Value>>,
    /// Topics a handler listens to.
    pub listen: Vec<String>,
    /// Whether it is a handler.
    pub is_handler: bool,
    /// Whether the user did not write it: fact gathering.
    pub implicit: bool,
}

impl Task {
    /// A task that the user did not write, without any keyword.
    pub fn implicit(work: Work, context: Arc<Context>, span: Span) -> Self {
        Self {
            span,
            name: None,
            work,
            keywords: Arc::default(),
            context,
            looping: None,
            loop_control: LoopControl::default(),
            register: None,
            until: Vec::new(),
            retries: None,
            delay: None,
            changed_when: Vec::new(),
            failed_when: Vec::new(),
            async_limit: None,
            poll: None,
            listen: Vec::new(),
            is_handler: false,
            implicit: true,
        }
    }

    /// The name of the work: `debug`, `ansible.builtin.copy`, as written.
    pub fn action_name(&self) -> &str {
        match &self.work {
            Work::Module(call) => &call.name.written,
            Work::IncludeTasks(include) => &include.written,
            Work::IncludeRole(include) => &include.written,
            Work::Meta(_) => "meta",
        }
    }

    /// The same in full: `ansible.builtin.debug`; a template as written.
    pub fn qualified_action(&self) -> String {
        match &self.work {
            Work::Module(call) => call.name.qualified(),
            Work::IncludeTasks(_) | Work::IncludeRole(_) | Work::Meta(_) => qualified(short_name(self.action_name())),
        }
    }

    /// The role it is part of.
    pub fn role(&self) -> Option<&Arc<super::Role>> {
        self.context.role.as_ref()
    }
}

/// What a task does.
#[derive(Clone, Debug)]
pub enum Work {
    /// Calls a module or action.
    Module(ModuleCall),
    /// `include_tasks`.
    IncludeTasks(IncludeTasks),
    /// `include_role`.
    IncludeRole(IncludeRole),
    /// `meta`.
    Meta(Spanned<Meta>),
}

impl Work {
    /// What it is called with, as written, as `ansible_failed_task` and the debugger show it.
    pub fn args(&self) -> Map {
        let mut args = Map::new();
        match self {
            Self::Module(call) => {
                let text = call.args.free_form.iter().map(|text| (Key::from("_raw_params"), Value::Text(text.value.clone())));
                args.extend(text);
                args.extend(call.args.options.iter().map(|(name, written)| (Key::from(&*name.value), written.value.clone())));
            }
            Self::IncludeTasks(include) => {
                args.insert("_raw_params", include.file.value.clone());
            }
            Self::IncludeRole(include) => {
                args.insert("name", include.name.value.clone());
            }
            Self::Meta(_) => {}
        }
        args
    }
}

/// A call of a module.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// Which.
    pub name: ActionName,
    /// With what.
    pub args: TaskArgs,
    /// What `module_defaults` says of it, those that win last.
    pub defaults: Vec<Spanned<Value>>,
}

/// The name of a module.
#[derive(Clone, Debug)]
pub struct ActionName {
    /// As the user wrote it.
    pub written: Arc<str>,
    /// With `ansible.builtin.` and `ansible.legacy.` taken off; names of other collections in full.
    pub short: Arc<str>,
    /// Where.
    pub span: Span,
}

impl ActionName {
    /// A name as written at `span`.
    pub fn new(written: &str, span: Span) -> Self {
        Self { written: Arc::from(written), short: Arc::from(short_name(written)), span }
    }

    /// The fully qualified name; a template as written.
    pub fn qualified(&self) -> String {
        qualified(&self.short)
    }
}

fn qualified(short: &str) -> String {
    if short.contains(['.', '{']) { short.to_owned() } else { format!("ansible.builtin.{short}") }
}

/// Arguments as written: not rendered, not checked.
#[derive(Clone, Debug, Default)]
pub struct TaskArgs {
    /// Options by name, in the order written.
    pub options: Vec<(Spanned<Arc<str>>, Spanned<Value>)>,
    /// The free text of `command`, `shell`, `raw`, `script`.
    pub free_form: Option<Spanned<Text>>,
    /// Templates that give maps of options, the weakest first: `args: "{{ more }}"`, `copy: "{{ args }}"`; the options written win.
    pub variables: Vec<Spanned<Text>>,
}

impl TaskArgs {
    /// The option as written.
    pub fn get(&self, name: &str) -> Option<&Spanned<Value>> {
        self.options.iter().find(|(key, _)| &*key.value == name).map(|(_, value)| value)
    }
}

/// `loop:` or `with_…:`.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The lookup of `with_…`; `None` for `loop`.
    pub lookup: Option<Spanned<String>>,
    /// What it goes over, as written.
    pub items: Spanned<Value>,
}

impl Loop {
    /// What `loop` goes over came to something else than a list.
    pub fn not_a_list(written: &Spanned<Value>, found: &Value) -> Diagnostic {
        let diagnostic = written.error(format!("The `loop` value must resolve to a 'list', not '{}'.", found.type_name()));
        let is_name = |text: &str| !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        match &written.value {
            Value::Text(text) if is_name(text.as_str()) => {
                diagnostic.hint(format!("a variable is written `\"{{{{ {name} }}}}\"`, a list of one `[{name}]`", name = text.as_str()))
            }
            _ => diagnostic.hint("a list is written `[a, b]`, or one item a line after `- `; `dict2items` makes one of a dictionary"),
        }
    }
}

/// `loop_control:`, as written.
#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    /// The name of the loop variable.
    pub loop_var: Option<Spanned<Value>>,
    /// The name of a variable that counts from 0.
    pub index_var: Option<Spanned<Value>>,
    /// What is shown instead of the item.
    pub label: Option<Spanned<Value>>,
    /// Seconds between items.
    pub pause: Option<Spanned<Value>>,
    /// Whether `ansible_loop` is set.
    pub extended: Option<Spanned<Value>>,
    /// Whether `ansible_loop` holds all items.
    pub extended_allitems: Option<Spanned<Value>>,
    /// Ends the loop after an item.
    pub break_when: Vec<Spanned<Value>>,
}

/// `register:`.
#[derive(Clone, Debug)]
pub enum Register {
    /// The result under one name.
    Name(Spanned<String>),
    /// Expressions over the result, by name.
    Projection(Vec<(Spanned<String>, Spanned<Value>)>),
}

/// `include_tasks`, met at run time.
#[derive(Clone, Debug)]
pub struct IncludeTasks {
    /// As written.
    pub written: Arc<str>,
    /// The file, a template.
    pub file: Spanned<Value>,
    /// Its own `vars:`, which what is included sees as include parameters.
    pub vars: Arc<Map>,
    /// Keywords for what is included.
    pub apply: Arc<Keywords>,
}

/// `include_role`, met at run time.
#[derive(Clone, Debug)]
pub struct IncludeRole {
    /// As written.
    pub written: Arc<str>,
    /// Which role, a template.
    pub name: Spanned<Value>,
    /// Its own `vars:`, which what is included sees as include parameters.
    pub vars: Arc<Map>,
    /// Files to take instead of `main`, as written.
    pub from: RoleFiles<Spanned<Value>>,
    /// Keywords for what is included.
    pub apply: Arc<Keywords>,
    /// Whether the role's vars and defaults are seen by the tasks that follow.
    pub public: Option<Spanned<Value>>,
    /// Whether it runs again if it has run.
    pub allow_duplicates: Option<Spanned<Value>>,
    /// Whether a missing role can be rescued.
    pub rescuable: Option<Spanned<Value>>,
    /// Whether the role's arguments are checked.
    pub rolespec_validate: Option<Spanned<Value>>,
}

/// Which file of each of a role's folders.
#[derive(Clone, Debug, PartialEq)]
pub struct RoleFiles<T> {
    /// `tasks_from`.
    pub tasks: Option<T>,
    /// `vars_from`.
    pub vars: Option<T>,
    /// `defaults_from`.
    pub defaults: Option<T>,
    /// `handlers_from`.
    pub handlers: Option<T>,
}

impl<T> Default for RoleFiles<T> {
    fn default() -> Self {
        Self { tasks: None, vars: None, defaults: None, handlers: None }
    }
}

/// A handler that is notified and not there; `names` are those that are.
pub fn missing_handler<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Diagnostic {
    let message =
        format!("The requested handler '{name}' was not found in either the main handlers list nor in the listening handlers list");
    let diagnostic = Diagnostic::error(message);
    match super::did_you_mean(name, names) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// What `meta` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meta {
    /// Forgets facts.
    ClearFacts,
    /// Failed and unreachable hosts come back.
    ClearHostErrors,
    /// Ends the play for the batch.
    EndBatch,
    /// Ends the play for the host.
    EndHost,
    /// Ends the play for all.
    EndPlay,
    /// Ends the role for the host.
    EndRole,
    /// Runs what was notified.
    FlushHandlers,
    /// Nothing.
    Noop,
    /// Loads the inventory anew.
    RefreshInventory,
    /// Closes the host's connection.
    ResetConnection,
    /// A role's tasks are done for this host: not written by users.
    RoleComplete(RoleId),
    /// Ansible knows no such action: an error when it is met.
    Unknown(String),
}

/// What users may write.
const META_NAMES: &[&str] = &[
    "clear_facts",
    "clear_host_errors",
    "end_batch",
    "end_host",
    "end_play",
    "end_role",
    "flush_handlers",
    "noop",
    "refresh_inventory",
    "reset_connection",
];

impl Meta {
    /// The action of this name.
    pub fn parse(name: &str) -> Self {
        match name {
            "clear_facts" => Self::ClearFacts,
            "clear_host_errors" => Self::ClearHostErrors,
            "end_batch" => Self::EndBatch,
            "end_host" => Self::EndHost,
            "end_play" => Self::EndPlay,
            "end_role" => Self::EndRole,
            "flush_handlers" => Self::FlushHandlers,
            "noop" => Self::Noop,
            "refresh_inventory" => Self::RefreshInventory,
            "reset_connection" => Self::ResetConnection,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// Whether it is done host by host; the others are done once for all.
    pub fn is_of_hosts(&self) -> bool {
        matches!(self, Self::EndHost | Self::EndRole | Self::FlushHandlers | Self::Noop | Self::ResetConnection | Self::RoleComplete(_))
    }

    /// Whether `when` means anything to it.
    pub fn is_conditional(&self) -> bool {
        !matches!(self, Self::Noop | Self::RefreshInventory | Self::ResetConnection | Self::RoleComplete(_) | Self::Unknown(_))
    }

    /// What is said at `-vv` once it is done.
    pub fn said(&self, host: &str) -> Option<String> {
        Some(match self {
            Self::ClearFacts => "facts cleared".to_owned(),
            Self::ClearHostErrors => "cleared host errors".to_owned(),
            Self::EndBatch => "ending batch".to_owned(),
            Self::EndHost => format!("ending play for {host}"),
            Self::EndPlay => "ending play".to_owned(),
            Self::FlushHandlers => format!("triggered running handlers for {host}"),
            Self::Noop => "noop".to_owned(),
            Self::RefreshInventory => "inventory successfully refreshed".to_owned(),
            Self::ResetConnection => "reset connection".to_owned(),
            Self::EndRole | Self::RoleComplete(_) | Self::Unknown(_) => return None,
        })
    }

    /// What goes on where its conditions do not hold.
    pub fn left_out(&self, host: &str, role: &str) -> String {
        match self {
            Self::ClearFacts => format!("not clearing facts and fact cache for {host}"),
            Self::ClearHostErrors => format!("not clearing host error state for {host}"),
            Self::EndBatch => "continuing current batch".to_owned(),
            Self::EndHost => format!("continuing execution for {host}"),
            Self::EndPlay => "continuing play".to_owned(),
            Self::EndRole => format!("continuing role {role} for {host}"),
            Self::FlushHandlers => format!("not running handlers for {host}"),
            Self::Noop | Self::RefreshInventory | Self::ResetConnection | Self::RoleComplete(_) | Self::Unknown(_) => String::new(),
        }
    }

    /// What is wrong with an action that Ansible does not know.
    pub fn mistake(written: &Spanned<Self>) -> Option<Diagnostic> {
        let Self::Unknown(name) = &written.value else { return None };
        let diagnostic = written.error(format!("invalid meta action requested: {name}"));
        Some(match super::did_you_mean(name, META_NAMES.iter().copied()) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => {
                diagnostic.hint(format!("known are {}", META_NAMES.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
            }
        })
    }

    /// As users write it.
    pub fn name(&self) -> &str {
        match self {
            Self::ClearFacts => "clear_facts",
            Self::ClearHostErrors => "clear_host_errors",
            Self::EndBatch => "end_batch",
            Self::EndHost => "end_host",
            Self::EndPlay => "end_play",
            Self::EndRole => "end_role",
            Self::FlushHandlers => "flush_handlers",
            Self::Noop => "noop",
            Self::RefreshInventory => "refresh_inventory",
            Self::ResetConnection => "reset_connection",
            Self::RoleComplete(_) => "role_complete",
            Self::Unknown(name) => name,
        }
    }
}

/// A use of a role: two uses with the same files, variables and keywords are one, and run once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleId(pub Arc<str>);

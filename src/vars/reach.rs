//! `Reach`: what only a task that runs can read: how it gets at its host where no variable says it (`ansible_host`, `ansible_user` and
//! their kin); for a delegated task, how it gets at its delegate, and `ansible_delegated_vars`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock, OnceLock};

use super::stack::Visit;
use super::{Precedence, VarStack};
use crate::template::{Scope as _, Variable};
use crate::value::{Map, Value};

/// Properties of a connection: the variables that set each, the strongest first. Where one of them is set, all of them can be read.
const PROPERTIES: &[&[&str]] = &[
    ADDRESS,
    USER,
    PORT,
    &["ansible_connection"],
    &["ansible_module_compression"],
    &["ansible_network_os"],
    &["ansible_scp_extra_args"],
    &["ansible_sftp_extra_args"],
    &["ansible_shell_executable"],
    &["ansible_shell_type"],
    &["ansible_ssh_common_args"],
    &["ansible_ssh_executable"],
    &["ansible_ssh_extra_args"],
    &["ansible_ssh_pass", "ansible_ssh_password", "ansible_password"],
    &["ansible_ssh_pipelining", "ansible_pipelining"],
    &["ansible_ssh_private_key_file", "ansible_private_key_file"],
    &["ansible_ssh_timeout", "ansible_timeout"],
];
/// The property that each variable sets.
static PROPERTY_OF: LazyLock<HashMap<&str, &[&str], foldhash::fast::RandomState>> =
    LazyLock::new(|| PROPERTIES.iter().flat_map(|names| names.iter().map(|name| (*name, *names))).collect());

const ADDRESS: &[&str] = &["ansible_ssh_host", "ansible_host"];
const USER: &[&str] = &["ansible_ssh_user", "ansible_user"];
const PORT: &[&str] = &["ansible_ssh_port", "ansible_port"];
/// The running task, until it has a result.
const TASK: &str = "_task";
/// The variables of the delegate.
const DELEGATED: &str = "ansible_delegated_vars";

/// How a task gets at its host. The weakest of all that a [`VarStack`] knows.
#[derive(Clone, Default)]
pub struct Reach {
    said: Map,
    delegate: Option<Arc<Delegate>>,
}

/// The host that does a task instead.
struct Delegate {
    name: Arc<str>,
    stack: VarStack,
    vars: OnceLock<Value>,
}

impl Reach {
    /// What keywords and settings say, by the last of a property's variables.
    pub fn new(said: Map) -> Self {
        Self { said, delegate: None }
    }

    /// This, where a keyword says something for this host alone.
    #[must_use]
    pub fn saying(&self, name: &str, value: Value) -> Self {
        let mut reach = self.clone();
        reach.said.insert(name, value);
        reach
    }

    /// This, with the host `name` in place of the task's own, whose variables `stack` knows.
    #[must_use]
    pub fn delegated(&self, name: &str, stack: VarStack) -> Self {
        let delegate = Delegate { name: Arc::from(name), stack, vars: OnceLock::new() };
        Self { said: self.said.clone(), delegate: Some(Arc::new(delegate)) }
    }

    /// Visits what is read as `name` by a task whose variables are in `own`.
    pub(super) fn visit(&self, own: &VarStack, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
        let level = Precedence::CommandLine;
        if name == TASK {
            return visit(level, level.describe(), Variable::Value(Value::map(Map::new())));
        }
        if !name.starts_with("ansible_") {
            return ControlFlow::Continue(());
        }
        if name == DELEGATED {
            return match &self.delegate {
                Some(delegate) => visit(level, level.describe(), Variable::Value(delegate.vars(own))),
                None => ControlFlow::Continue(()),
            };
        }
        let Some(names) = PROPERTY_OF.get(name) else { return ControlFlow::Continue(()) };
        let (host, others) = match &self.delegate {
            Some(delegate) => (&delegate.stack, None),
            None => (own, Some(name)),
        };
        for other in names.iter().filter(|other| Some(**other) != others) {
            host.walk_said(other, visit)?;
        }
        if let Some(value) = names.iter().find_map(|name| self.said.get(name)) {
            visit(level, level.describe(), Variable::Value(value.clone()))?;
        }
        if *names == ADDRESS { visit(level, level.describe(), Variable::Value(host.host_name())) } else { ControlFlow::Continue(()) }
    }

    /// The names that are read here alone.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.said.keys().filter_map(|key| key.as_str());
        own.chain(["ansible_host"]).chain(self.delegate.as_ref().map(|_| DELEGATED))
    }
}

impl Delegate {
    /// All variables of the delegate, under its name; of the host that the task is for they have only the name.
    fn vars(&self, own: &VarStack) -> Value {
        let fill = || {
            let stack = self.stack.of_play();
            let mut vars = Map::new();
            for name in stack.names() {
                if let Some(value) = stack.value(&name) {
                    vars.insert(&*name, value);
                }
            }
            vars.insert("inventory_hostname", own.host_name());
            for (property, default) in [(ADDRESS, self.stack.host_name()), (PORT, Value::Null), (USER, Value::Null)] {
                if !property.iter().any(|name| vars.contains(name)) {
                    vars.insert(property[property.len() - 1], default);
                }
            }
            let mut by_host = Map::new();
            by_host.insert(&*self.name, Value::map(vars));
            Value::map(by_host)
        };
        self.vars.get_or_init(fill).clone()
    }
}

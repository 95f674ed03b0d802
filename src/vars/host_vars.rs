//! `HostVars`: what became known of one host while running: facts, `set_fact` and `register`, `include_vars`.

use std::sync::{Arc, OnceLock};

use super::facts;
use crate::value::{Map, Value};

/// The facts of files on a host.
pub(super) const LOCAL_FACTS: &str = "ansible_local";

/// What is known of one host; a new one is published after each task that found something out.
#[derive(Clone, Default)]
pub struct HostVars {
    facts: Arc<Facts>,
    include_vars: Arc<Map>,
    set_facts: Arc<Map>,
}

/// Facts in the two shapes in which templates see them.
#[derive(Default)]
struct Facts {
    /// As the modules named them, `ansible_` and all, without what hosts may not set.
    top: Map,
    /// `ansible_facts`: all of them, without the prefix.
    all: Map,
    variable: OnceLock<Value>,
}

/// What a task adds to a host.
#[derive(Clone, Debug, Default)]
pub struct HostUpdate {
    /// `ansible_facts` of a module's result, as the module named them.
    pub facts: Map,
    /// `set_fact`, `register`.
    pub set_facts: Map,
    /// `include_vars`.
    pub include_vars: Map,
}

impl HostVars {
    /// These with `update` on top.
    #[must_use]
    pub fn updated(&self, update: HostUpdate) -> Self {
        let mut new = self.clone();
        if !update.facts.is_empty() {
            let mut facts = Facts { top: self.facts.top.clone(), all: self.facts.all.clone(), variable: OnceLock::new() };
            facts::spread(update.facts, &mut facts.all, &mut facts.top);
            new.facts = Arc::new(facts);
        }
        if !update.set_facts.is_empty() {
            Arc::make_mut(&mut new.set_facts).extend(update.set_facts);
        }
        if !update.include_vars.is_empty() {
            Arc::make_mut(&mut new.include_vars).extend(update.include_vars);
        }
        new
    }

    /// These without facts: `meta: clear_facts`.
    #[must_use]
    pub fn without_facts(&self) -> Self {
        Self { facts: Arc::default(), ..self.clone() }
    }

    /// Facts under the names that modules gave them: what `ansible_distribution` reads.
    pub fn injected_facts(&self) -> &Map {
        &self.facts.top
    }

    /// Facts that people put on the host.
    pub(super) fn local_facts(&self) -> Value {
        self.facts.top.get(LOCAL_FACTS).cloned().unwrap_or_else(|| Value::map(Map::new()))
    }

    /// The value of `ansible_facts`.
    pub fn facts_variable(&self) -> &Value {
        self.facts.variable.get_or_init(|| Value::map(self.facts.all.clone()))
    }

    /// `set_fact` and `register`.
    pub fn set_facts(&self) -> &Map {
        &self.set_facts
    }

    /// `include_vars`.
    pub fn include_vars(&self) -> &Map {
        &self.include_vars
    }
}

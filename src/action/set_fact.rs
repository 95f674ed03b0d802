//! `set_fact`: variables for this host and this run.

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::value::{Key, Map, Value};
use crate::vars::is_variable_name;

/// The action.
pub(super) struct SetFact;

impl Action for SetFact {
    fn names(&self) -> &'static [&'static str] {
        &["set_fact"]
    }

    fn has_templated_names(&self) -> bool {
        true
    }

    /// As in Ansible a map alone becomes the variable `_raw_params`.
    fn takes_a_map(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let cacheable = call.args.flag(&["cacheable"], false)?;
        let mut facts = Map::new();
        for (name, value) in call.args.iter().filter(|(name, _)| *name != "cacheable") {
            if !is_variable_name(name) {
                return Err(Failure::new(format!("Task failed: Invalid variable name '{name}'.")));
            }
            facts.insert(Key::from(name), value.clone());
        }
        if facts.is_empty() {
            return Err(Failure::new("No key/value pairs provided, at least one is required for this action to succeed"));
        }
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("ansible_facts", Value::map(facts.clone()));
        Ok(Plan::Done(Done { result, effect: Some(Effect::SetFacts { facts, cacheable }) }))
    }
}

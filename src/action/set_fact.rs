//! `set_fact`: variables for this host and this run.

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::value::{Key, Map, Value};

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
            if !is_name(name) {
                let message = format!(
                    "The variable name '{name}' is not valid. Variables must start with a letter or underscore character, and contain only letters, numbers and underscores."
                );
                return Err(Failure::new(message));
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

pub(super) fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|char| char.is_ascii_alphabetic() || char == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

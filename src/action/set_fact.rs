//! `set_fact`: variables for this host and this run.

use driftless_modules::Json;
use driftless_modules::spec::{Kind, convert};

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::template::print::shown;
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
        let cacheable = match call.args.get("cacheable") {
            None => false,
            Some(value) => truth(value).map_err(|error| error.at(call.args.error_at("cacheable", "expected a boolean")))?,
        };
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

fn truth(value: &Value) -> Result<bool, Failure> {
    match convert(Kind::Bool, &Json::from(shown(value)), &[]) {
        Ok(truth) => Ok(truth == true),
        Err(why) => Err(Failure::new(format!("Task failed: {why}")).raised()),
    }
}

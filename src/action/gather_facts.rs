//! `gather_facts`: what plays do first; sends `setup`.

use driftless_modules::registry;

use super::{Action, Call, Done, Failure, Plan, outcome};
use crate::helper::Reply;
use crate::value::{Map, Value};
use crate::vars::FACTS_GATHERED;

/// The action.
pub(super) struct GatherFacts;

impl Action for GatherFacts {
    fn names(&self) -> &'static [&'static str] {
        &["gather_facts"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let setup = registry::find("setup").ok_or_else(|| Failure::new("the module `setup` is not there"))?;
        let mut args = call.args.clone();
        args.take("parallel");
        Ok(Plan::Send(Box::new(call.request("setup", args.check(setup.spec(), "setup")?))))
    }

    fn finish(&self, _call: &Call<'_>, reply: Reply) -> Result<Done, Failure> {
        let mut result = outcome(reply);
        result.insert("_ansible_verbose_override", true);
        if let Some(Value::Map(facts)) = result.get("ansible_facts") {
            let mut facts = Map::clone(facts);
            facts.insert(FACTS_GATHERED, true);
            result.insert("ansible_facts", facts);
        }
        Ok(Done::of(result))
    }
}

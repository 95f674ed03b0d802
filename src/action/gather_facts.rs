//! `gather_facts`: what plays do first; sends `setup`, or the modules that the setting `facts_modules` names.

use driftless_modules::registry;

use super::{Action, Args, Call, Done, Failure, Plan, TalkError, Target, outcome};
use crate::helper::{Reply, Request};
use crate::source::short_name;
use crate::template::print::shown;
use crate::value::{Map, Value};
use crate::vars::FACTS_GATHERED;

/// The action.
pub(super) struct GatherFacts;

/// What `setup` takes, and how a warning names it for a module that does not get it.
const OF_SETUP: &[(&str, &str)] = &[("gather_subset", "subset"), ("gather_timeout", "timeout"), ("filter", "filter")];

impl Action for GatherFacts {
    fn names(&self) -> &'static [&'static str] {
        &["gather_facts"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let names = modules(call)?;
        for name in names.iter().filter(|name| short_name(name) != "setup") {
            for (option, named) in OF_SETUP {
                if let Some(value) = call.args.get(option) {
                    call.templar.warn(format!("Not passing {named}({}) to {name}", shown(value)));
                }
            }
        }
        if let Some(missing) = names.iter().find(|name| registry::find(short_name(name)).is_none()) {
            return Err(Failure::new(format!("Task failed: The module {missing} was not found in configured module paths")));
        }
        if let [only] = names.as_slice()
            && short_name(only) == "setup"
        {
            return Ok(Plan::Send(Box::new(request(call, only)?)));
        }
        Ok(Plan::Talk)
    }

    fn finish(&self, _call: &Call<'_>, reply: Reply) -> Result<Done, Failure> {
        Ok(quiet(outcome(reply)))
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let (mut facts, mut failed) = (Map::new(), Map::new());
        for name in modules(call)? {
            let result = match request(call, &name) {
                Ok(request) => match target.send(vec![request]).pop() {
                    Some(Ok(reply)) => outcome(reply),
                    Some(Err(error)) => return Err(TalkError::Run(error)),
                    None => Map::new(),
                },
                Err(failure) => {
                    let mut result = Map::new();
                    result.insert("failed", true);
                    result.insert("msg", failure.message());
                    result
                }
            };
            if let Some(Value::Map(found)) = result.get("ansible_facts") {
                facts.extend(found.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            if result.get("failed").is_some_and(Value::truthy) {
                failed.insert(name.as_str(), Value::map(result));
            }
        }
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("ansible_facts", Value::map(facts));
        if !failed.is_empty() {
            let names: Vec<&str> = failed.keys().filter_map(|name| name.as_str()).collect();
            result.insert("failed", true);
            result.insert("msg", format!("The following modules failed to execute: {}.", names.join(", ")));
            result.insert("failed_modules", Value::map(failed));
        }
        Ok(quiet(result))
    }
}

/// The modules that are wanted, each once.
fn modules(call: &Call<'_>) -> Result<Vec<String>, Failure> {
    let wanted = match call.templar.get("ansible_facts_modules").map_err(Failure::from)? {
        Some(value) => value,
        None => call.context.lookups.config("FACTS_MODULES").unwrap_or_else(|_| Value::text("smart")),
    };
    let names: Vec<String> = match &wanted {
        Value::List(items) => items.iter().map(shown).collect(),
        one => shown(one).split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let mut kept: Vec<String> = Vec::new();
    for name in names.into_iter().map(|name| if name == "smart" { "setup".to_owned() } else { name }) {
        if !kept.iter().any(|known| short_name(known) == short_name(&name)) {
            kept.push(name);
        }
    }
    Ok(kept)
}

fn request(call: &Call<'_>, name: &str) -> Result<Request, Failure> {
    let module = registry::find(short_name(name)).ok_or_else(|| Failure::new(format!("the module `{name}` is not there")))?;
    let mut args: Args = call.args.clone();
    args.take("parallel");
    if short_name(name) != "setup" {
        OF_SETUP.iter().for_each(|(option, _)| _ = args.take(option));
    }
    Ok(call.request(short_name(name), args.check(module.spec(), name)?))
}

/// Facts are too many to be shown with `-v`; a mark among them says that they were gathered.
fn quiet(mut result: Map) -> Done {
    result.insert("_ansible_verbose_override", true);
    let found = result.get("ansible_facts").and_then(Value::as_map).filter(|_| !result.get("failed").is_some_and(Value::truthy));
    if let Some(mut facts) = found.cloned() {
        facts.insert(FACTS_GATHERED, true);
        result.insert("ansible_facts", facts);
    }
    Done::of(result)
}

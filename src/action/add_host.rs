//! `add_host`: a host for the rest of the run.

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::value::{Key, Map, Value};

/// The action.
pub(super) struct AddHost;

const NAMES: &[&str] = &["name", "hostname", "host"];
const GROUPS: &[&str] = &["groupname", "groups", "group"];
/// Those of them that are no variables of the host.
const OWN: &[&str] = &["name", "hostname", "groupname", "groups"];

impl Action for AddHost {
    fn names(&self) -> &'static [&'static str] {
        &["add_host"]
    }

    fn bypasses_hosts(&self) -> bool {
        true
    }

    fn takes_a_map(&self) -> bool {
        true
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let mut args = call.args.clone();
        if let Some(Value::Map(options)) = args.take("_raw_params") {
            for (option, value) in options.iter() {
                args.set_own(&option.to_json_key(), value.clone());
            }
        }
        let raised = |message: &str, names: &[&str]| {
            let option = names.iter().find(|name| args.get(name).is_some()).unwrap_or(&names[0]);
            Failure::new(format!("Task failed: {message}")).at(args.error_at(option, message)).raised()
        };
        let written = match args.first(NAMES).filter(|name| !name.is_null()) {
            None => return Err(Failure::new("name, host or hostname needs to be provided")),
            Some(Value::Text(text)) if text.as_str().is_empty() => return Err(raised("Invalid empty host name provided:", NAMES)),
            Some(Value::Text(text)) => text.as_str().to_owned(),
            Some(other) => {
                let found = other.type_name();
                return Err(raised(&format!("AddHost.host_name must be <class 'str'> instead of <class '{found}'>"), NAMES));
            }
        };
        let (name, port) = name_and_port(&written);
        let parts: Vec<Value> = match args.first(GROUPS) {
            None => Vec::new(),
            Some(groups) if !groups.truthy() => Vec::new(),
            Some(Value::List(items)) => items.to_vec(),
            Some(Value::Text(text)) => text.as_str().split(',').map(Value::text).collect(),
            Some(_) => return Err(Failure::new("Groups must be specified as a list.")),
        };
        let mut groups = Vec::new();
        for part in &parts {
            let Value::Text(text) = part else {
                return Err(raised(&format!("'{}' object has no attribute 'strip'", part.type_name()), GROUPS));
            };
            match text.as_str().trim() {
                "" => return Err(raised("Invalid empty/false group name provided:", GROUPS)),
                group => groups.push(group.to_owned()),
            }
        }
        let own = |name: &str| OWN.contains(&name);
        let mut vars: Map = args.iter().filter(|(name, _)| !own(name)).map(|(name, value)| (Key::from(name), value.clone())).collect();
        if let Some(port) = port {
            vars.insert("ansible_ssh_port", port);
        }
        let mut shown_host = Map::new();
        shown_host.insert("host_name", name.as_str());
        shown_host.insert("groups", Value::list(groups.iter().map(|group| Value::text(group.as_str())).collect()));
        shown_host.insert("host_vars", Value::map(vars.clone()));
        let mut result = Map::new();
        result.insert("changed", true);
        result.insert("add_host", Value::map(shown_host));
        Ok(Plan::Done(Done { result, effect: Some(Effect::AddHost { name, groups, vars }) }))
    }
}

/// A host's name and the port behind it.
fn name_and_port(written: &str) -> (String, Option<i64>) {
    let Some((name, port)) = written.rsplit_once(':') else { return (written.to_owned(), None) };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).or((!name.contains(':')).then_some(name));
    match (bare, port.parse()) {
        (Some(name), Ok(port)) if port >= 0 => (name.to_owned(), Some(port)),
        _ => (written.to_owned(), None),
    }
}

//! `add_host`: a host for the rest of the run.

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::template::print::shown;
use crate::value::{Key, Map, Value};

/// The action.
pub(super) struct AddHost;

const NAMES: &[&str] = &["name", "host", "hostname"];
const GROUPS: &[&str] = &["groups", "group", "groupname"];

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
        let Some(written) = args.text(NAMES) else {
            return Err(Failure::new("name, host or hostname needs to be provided"));
        };
        let (name, port) = match written.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') && port.parse::<u16>().is_ok() => (name.to_owned(), port.parse::<i64>().ok()),
            _ => (written, None),
        };
        let groups = match args.first(GROUPS) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.iter().map(shown).collect(),
            Some(Value::Text(text)) => {
                text.as_str().split(',').map(|group| group.trim().to_owned()).filter(|group| !group.is_empty()).collect()
            }
            Some(_) => return Err(Failure::new("Groups must be specified as a list.")),
        };
        let own = |name: &str| NAMES.contains(&name) || GROUPS.contains(&name);
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

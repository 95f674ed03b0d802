//! `getent`: entries of the host's databases of names (`passwd`, `hosts`, `services`, …), as facts.

use driftless_macros::Args;

use crate::spec::Support;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Getent;

/// Its options.
#[derive(Args)]
pub struct GetentArgs {
    /// The database: `passwd`, `group`, `hosts`, `services`, …
    #[arg(required)]
    database: String,
    /// The entry to look for; without it all that the database lists.
    key: Option<String>,
    /// The service to ask instead of those that the host is set up for.
    service: Option<String>,
    /// What stands between the fields of an entry; else `:` or blanks, by the database.
    split: Option<String>,
    /// Whether a key that is not there is a failure.
    #[arg(default = true)]
    fail_key: bool,
}

const NO_SPLIT: &str = "Invalid split value. The value must be a non-empty string";
const NO_KEY: &str = "One or more supplied key could not be found in the database.";

impl Module for Getent {
    type Args = GetentArgs;
    const NAME: &'static str = "getent";
    const SUMMARY: &'static str = "Look up entries of the host's databases of names";
    const CHECK: Support = Support::Full;
    const RETURNS_FACTS: bool = true;
    const EXAMPLES: &'static [&'static str] = &[
        "- getent:\n    database: passwd\n    key: root\n- debug:\n    var: ansible_facts.getent_passwd.root\n",
        "- getent:\n    database: services\n    key: http\n    fail_key: false\n",
    ];

    fn run(args: GetentArgs, host: &mut Host) -> Result<Outcome> {
        let split = match args.split.as_deref() {
            Some("") => return Err(Failure::new(NO_SPLIT)),
            Some(given) => Some(given),
            None if matches!(&*args.database, "passwd" | "shadow" | "group" | "gshadow") => Some(":"),
            None => None,
        };
        let mut command = host.command(host.need_program("getent")?).arg(&args.database);
        if let Some(key) = &args.key {
            command = command.arg(key);
        }
        if let Some(service) = &args.service {
            command = command.args(["-s", service]);
        }
        let output = host.query(&command)?;
        let facts = |entries: JsonMap| {
            let mut facts = JsonMap::new();
            facts.insert(format!("getent_{}", args.database), Json::Object(entries));
            facts
        };
        match output.rc() {
            0 => Ok(host.outcome().with("ansible_facts", facts(entries(&output.stdout(), split)))),
            1 => Err(Failure::new("Missing arguments, or database unknown.")),
            2 if args.fail_key => Err(Failure::new(NO_KEY)),
            2 => {
                let missing = JsonMap::from_iter([(args.key.clone().unwrap_or_default(), Json::Null)]);
                Ok(host.outcome().with("ansible_facts", facts(missing)).with("msg", NO_KEY))
            }
            3 => Err(Failure::new("Enumeration not supported on this database.")),
            _ => Err(Failure::new("Unexpected failure!")),
        }
    }
}

/// By their first field; where several have the same, a list of them.
fn entries(text: &str, split: Option<&str>) -> JsonMap {
    let mut entries = JsonMap::new();
    let mut repeated = std::collections::HashSet::new();
    for line in text.lines() {
        let mut fields: Vec<&str> = match split {
            Some(split) => line.split(split).collect(),
            None => line.split_whitespace().collect(),
        };
        if fields.is_empty() {
            continue;
        }
        let key = fields.remove(0).to_owned();
        let fields = Json::from(fields);
        match entries.get_mut(&key) {
            None => {
                entries.insert(key, fields);
            }
            Some(Json::Array(known)) if repeated.contains(&key) => known.push(fields),
            Some(known) => {
                *known = Json::Array(vec![known.take(), fields]);
                repeated.insert(key);
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Law;
    use serde_json::json;

    #[test]
    fn entries_are_facts_by_their_key() {
        let law = Law::of("getent");
        let outcome = law.unchanged(json!({"database": "passwd", "key": "root"}));
        assert_eq!(outcome.get("ansible_facts").unwrap()["getent_passwd"]["root"][1], json!("0"));
        let outcome = law.unchanged(json!({"database": "passwd", "key": "nosuchuser", "fail_key": false}));
        assert_eq!(outcome.get("ansible_facts").unwrap()["getent_passwd"], json!({"nosuchuser": null}));
        law.fails(json!({"database": "passwd", "key": "nosuchuser"}), NO_KEY);
        law.fails(json!({"database": "nosuchdatabase"}), "Missing arguments, or database unknown.");
        law.fails(json!({"database": "group", "split": ""}), NO_SPLIT);
    }

    #[test]
    fn a_key_that_comes_again_has_a_list_of_entries() {
        let found = entries("127.0.0.1 a b\n127.0.0.1 c\n\n127.0.0.1\n::1 d\n", None);
        assert_eq!(Json::Object(found), json!({"127.0.0.1": [["a", "b"], ["c"], []], "::1": ["d"]}));
        assert_eq!(Json::Object(entries("r:x:\n", Some(":"))), json!({"r": ["x", ""]}));
    }
}

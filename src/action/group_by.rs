//! `group_by`: puts the host into a group named after a value.

use super::{Action, Call, Done, Effect, Failure, OwnOptions, Plan};
use crate::value::{Map, Value};

/// The action.
pub(super) struct GroupBy;

static OPTIONS: OwnOptions =
    OwnOptions { names: &["key", "parents"], required: &[(&["key"], "the 'key' param is required when using group_by")] };

impl Action for GroupBy {
    fn names(&self) -> &'static [&'static str] {
        &["group_by"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        if let Some((unknown, _)) = call.args.iter().find(|(name, _)| !OPTIONS.names.contains(name)) {
            let at = call.args.error_at(unknown, "no such option");
            return Err(Failure::new(format!("Invalid options for group_by: {unknown}")).at(at));
        }
        let Some(key) = call.args.get("key") else {
            return Err(Failure::new("the 'key' param is required when using group_by"));
        };
        let name = |name: &Value, option: &str| match name {
            Value::Text(text) if text.as_str().is_empty() => Err(raised("Invalid empty/false group name provided:")),
            Value::Text(text) => Ok(text.as_str().to_owned()),
            other => {
                let message = format!("'{}' object has no attribute 'replace'", other.type_name());
                Err(raised(&message).at(call.args.error_at(option, "a group's name is a text")))
            }
        };
        let dashed = |name: String| name.replace(' ', "-");
        let group = name(key, "key")?;
        let parents = match call.args.get("parents") {
            None => vec!["all".to_owned()],
            Some(Value::List(items)) => items.iter().map(|item| name(item, "parents").map(dashed)).collect::<Result<_, _>>()?,
            Some(one @ Value::Text(_)) => vec![dashed(name(one, "parents")?)],
            Some(other) => {
                let message = format!("'{}' object is not iterable", other.type_name());
                return Err(raised(&message).at(call.args.error_at("parents", "expected a group or a list of groups")));
            }
        };
        let mut result = Map::new();
        result.insert("changed", false);
        // The group that is made keeps its spaces.
        result.insert("add_group", dashed(group.clone()));
        result.insert("parent_groups", Value::list(parents.iter().map(|parent| Value::text(parent.as_str())).collect()));
        Ok(Plan::Done(Done { result, effect: Some(Effect::GroupBy { group, parents }) }))
    }
}

fn raised(message: &str) -> Failure {
    Failure::new(format!("Task failed: {message}")).raised()
}

//! `group_by`: puts the host into a group named after a value.

use super::{Action, Call, Done, Effect, Failure, OwnOptions, Plan};
use crate::template::print::shown;
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
        super::args::only(call, &OPTIONS)?;
        let Some(key) = call.args.text(&["key"]) else {
            return Err(Failure::new("the 'key' param is required when using group_by"));
        };
        let parents = match call.args.get("parents") {
            None | Some(Value::Null) => vec!["all".to_owned()],
            Some(Value::List(items)) => items.iter().map(shown).collect(),
            Some(one) => shown(one).split(',').map(str::to_owned).collect(),
        };
        let group = key;
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("add_group", group.replace(' ', "-"));
        result.insert("parent_groups", Value::list(parents.iter().map(|parent| Value::text(parent.as_str())).collect()));
        Ok(Plan::Done(Done { result, effect: Some(Effect::GroupBy { group, parents }) }))
    }
}

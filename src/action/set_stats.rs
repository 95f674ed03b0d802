//! `set_stats`: values shown in the recap.

use super::{Action, Call, Done, Effect, Failure, OwnOptions, Plan, to_bool};
use crate::template::Rendered;
use crate::template::print::shown;
use crate::value::{Map, Value};
use crate::vars::is_variable_name;

/// The action.
pub(super) struct SetStats;

static OPTIONS: OwnOptions = OwnOptions { names: &["aggregate", "data", "per_host"], required: &[] };

impl Action for SetStats {
    fn names(&self) -> &'static [&'static str] {
        &["set_stats"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        if let Some((unknown, _)) = call.args.iter().find(|(name, _)| !OPTIONS.names.contains(name)) {
            return Err(Failure::new(format!("Invalid options for set_stats: {unknown}")).at(call.args.error_at(unknown, "no such option")));
        }
        // Whatever is not true is false here: nothing is refused.
        let truth = |name: &str, default| match call.args.get(name) {
            None => default,
            Some(value) => to_bool(value).unwrap_or(false),
        };
        let (per_host, aggregate) = (truth("per_host", false), truth("aggregate", true));
        let data = match call.args.get("data") {
            None => Map::new(),
            Some(Value::Map(map)) => named(call, map)?,
            Some(_) => return Err(Failure::new("The 'data' option needs to be a dictionary/hash")),
        };
        let mut stats = Map::new();
        stats.insert("data", Value::map(data.clone()));
        stats.insert("per_host", per_host);
        stats.insert("aggregate", aggregate);
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("ansible_stats", Value::map(stats));
        Ok(Plan::Done(Done { result, effect: Some(Effect::Stats { data, per_host, aggregate }) }))
    }
}

/// The data under the names that its templates give.
fn named(call: &Call<'_>, data: &Map) -> Result<Map, Failure> {
    let mut named = Map::new();
    for (key, value) in data.iter() {
        let name = match call.templar.render(key.value())? {
            Rendered::Value(name) => name,
            Rendered::Omit => continue,
        };
        let kind = if matches!(name, Value::Text(_)) { String::new() } else { format!(" of type '{}'", name.type_name()) };
        match name.as_str() {
            Some(name) if is_variable_name(name) => named.insert(name, value.clone()),
            _ => return Err(Failure::new(format!("Task failed: Invalid variable name '{}'{kind}.", shown(&name))).raised()),
        };
    }
    Ok(named)
}

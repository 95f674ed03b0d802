//! `set_stats`: values shown in the recap.

use super::{Action, Call, Done, Effect, Failure, Plan};
use crate::value::{Map, Value};

/// The action.
pub(super) struct SetStats;

impl Action for SetStats {
    fn names(&self) -> &'static [&'static str] {
        &["set_stats"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &["aggregate", "data", "per_host"])?;
        let per_host = call.args.flag(&["per_host"], false)?;
        let aggregate = call.args.flag(&["aggregate"], true)?;
        let data = match call.args.get("data") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Map(map)) => Map::clone(map),
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

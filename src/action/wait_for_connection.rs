//! `wait_for_connection`: waits until the host can be reached and modules run there.

use std::time::{Duration, Instant};

use super::{Action, Call, Done, Failure, OwnOptions, Plan, TalkError, Target};
use crate::helper::Request;
use crate::value::Map;

/// The action.
pub(super) struct WaitForConnection;

static OPTIONS: OwnOptions = OwnOptions { names: &["connect_timeout", "delay", "sleep", "timeout"], required: &[] };

impl Action for WaitForConnection {
    fn names(&self) -> &'static [&'static str] {
        &["wait_for_connection"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let unknown: Vec<&str> = call.args.iter().map(|(name, _)| name).filter(|name| !OPTIONS.names.contains(name)).collect();
        if let Some(first) = unknown.first() {
            let message = format!("Invalid options for wait_for_connection: {}", unknown.join(","));
            return Err(Failure::new(&message).at(call.args.error_at(first, &message)));
        }
        if call.check {
            let mut result = Map::new();
            result.insert("skipped", true);
            result.insert("changed", false);
            return Ok(Plan::Done(Done::of(result)));
        }
        Ok(Plan::Talk)
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let started = Instant::now();
        let [connect, delay, pause, limit] =
            [("connect_timeout", 5), ("delay", 0), ("sleep", 1), ("timeout", 600)].map(|(name, default)| span(call, name, default));
        let (connect, delay, pause, limit) = (connect?, delay?, pause?, limit?);
        target.sleep(delay)?;
        until_there(target, connect, pause, limit).map_err(|error| match error {
            TalkError::Failed(failure) => {
                let elapsed = i64::try_from(started.elapsed().as_secs()).unwrap_or(i64::MAX);
                TalkError::Failed(failure.with("elapsed", elapsed))
            }
            other => other,
        })?;
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("elapsed", i64::try_from(started.elapsed().as_secs()).unwrap_or(i64::MAX));
        Ok(Done::of(result))
    }
}

/// Tries until a module has run on the host.
pub(super) fn until_there(target: &mut dyn Target, connect: Duration, pause: Duration, limit: Duration) -> Result<(), TalkError> {
    let end = Instant::now() + limit;
    loop {
        let last = match target.connect(connect) {
            Ok(()) => {
                let ping = Request::new("ping", driftless_modules::JsonMap::new());
                match target.send(vec![ping]).pop() {
                    Some(Ok(_)) => return Ok(()),
                    Some(Err(error)) => error.to_string(),
                    None => "nothing came back".to_owned(),
                }
            }
            Err(error) => error.to_string(),
        };
        target.disconnect();
        if Instant::now() >= end {
            return Err(Failure::new(format!("timed out waiting for ping module test: {last}")).into());
        }
        target.sleep(pause)?;
    }
}

/// An option in seconds.
pub(super) fn span(call: &Call<'_>, name: &str, default: u64) -> Result<Duration, Failure> {
    let Some(value) = call.args.get(name).filter(|value| !value.is_null()) else { return Ok(Duration::from_secs(default)) };
    let number = value.as_int().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    match number.and_then(|number| u64::try_from(number).ok()) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(Failure::new(format!("argument '{name}' is of type {} and we were unable to convert to int", value.type_name()))
            .at(call.args.error_at(name, "expected whole seconds"))),
    }
}

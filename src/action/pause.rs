//! `pause`: waits for a time, or for somebody at the terminal.

use std::time::{Duration, Instant};

use super::{Action, Call, Done, Failure, OwnOptions, Plan, TalkError, Target};
use crate::value::{Map, Value};

/// The action.
pub(super) struct Pause;

static OPTIONS: OwnOptions = OwnOptions { names: &["echo", "minutes", "prompt", "seconds"], required: &[] };

impl Action for Pause {
    fn names(&self) -> &'static [&'static str] {
        &["pause"]
    }

    fn bypasses_hosts(&self) -> bool {
        true
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn exclusive(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &[("minutes", "seconds", "parameters are mutually exclusive: minutes|seconds")]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        if call.args.get("minutes").is_some() && call.args.get("seconds").is_some() {
            return Err(call.args.excluded(self.exclusive()[0]));
        }
        Ok(Plan::Talk)
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let echo = call.args.flag(&["echo"], true)?;
        let limit = match (seconds(call, "minutes")?, seconds(call, "seconds")?) {
            (Some(minutes), _) => Some(minutes * 60),
            (None, seconds) => seconds,
        };
        let prompt = call.args.text(&["prompt"]);
        let started = Instant::now();
        let mut user_input = String::new();
        match limit {
            Some(limit) => {
                let limit = limit.max(1);
                target.say(&format!("Pausing for {limit} seconds"));
                if let Some(prompt) = &prompt {
                    target.say(&format!("[{}]\n{prompt}:", call.name));
                }
                target.sleep(Duration::from_secs(limit))?;
            }
            None => {
                let asked = prompt.as_deref().unwrap_or("Press enter to continue, Ctrl+C to interrupt");
                let hidden = if echo { "" } else { " (output is hidden)" };
                match target.ask(&format!("[{}]\n{asked}{hidden}:\n", call.name), echo) {
                    Some(answer) => user_input = answer,
                    None => target.say("Not waiting for response to prompt as stdin is not interactive"),
                }
            }
        }
        let took = started.elapsed().as_secs_f64();
        let (unit, delta) = if call.args.get("minutes").is_some() { ("minutes", took / 60.0) } else { ("seconds", took) };
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("rc", 0_i64);
        result.insert("stderr", "");
        result.insert("stdout", format!("Paused for {} {unit}", crate::value::float_repr((delta * 100.0).round() / 100.0)));
        result.insert("start", python_now());
        result.insert("stop", python_now());
        result.insert("delta", Value::Int(took as i64));
        result.insert("echo", echo);
        result.insert("user_input", user_input);
        Ok(Done::of(result))
    }
}

fn seconds(call: &Call<'_>, name: &str) -> Result<Option<u64>, Failure> {
    let Some(value) = call.args.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let number = value.as_int().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    let number = number.ok_or_else(|| {
        Failure::new(format!("argument '{name}' is of type {} and we were unable to convert to int", value.type_name()))
            .at(call.args.error_at(name, "expected a whole number"))
    })?;
    Ok(Some(u64::try_from(number).unwrap_or(0)))
}

fn python_now() -> String {
    jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}

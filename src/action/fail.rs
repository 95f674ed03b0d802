//! `fail`: fails, with a message.

use super::{Action, Call, Failure, NO_MESSAGE, OwnOptions, Plan};
use crate::value::Value;

/// The action.
pub(super) struct Fail;

static OPTIONS: OwnOptions = OwnOptions { names: &["msg"], required: &[] };

impl Action for Fail {
    fn names(&self) -> &'static [&'static str] {
        &["fail"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        if let Some((unknown, _)) = call.args.iter().find(|(name, _)| !OPTIONS.names.contains(name)) {
            return Err(Failure::new(format!("Invalid options for fail: {unknown}")).at(call.args.error_at(unknown, "no such option")));
        }
        let message = match call.args.get("msg") {
            None => "Failed as requested from task".into(),
            // What is no message leaves Ansible without one.
            Some(message) if !message.truthy() => Value::from(NO_MESSAGE),
            Some(message) => message.clone(),
        };
        Err(Failure::new("").with("msg", message))
    }
}

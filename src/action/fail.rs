//! `fail`: fails, with a message.

use super::{Action, Call, Failure, Plan};

/// The action.
pub(super) struct Fail;

impl Action for Fail {
    fn names(&self) -> &'static [&'static str] {
        &["fail"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &["msg"])?;
        let message = call.args.get("msg").cloned().unwrap_or_else(|| "Failed as requested from task".into());
        Err(Failure::new("").with("msg", message))
    }
}

//! `fail`: fails, with a message.

use super::{Action, Call, Failure, OwnOptions, Plan};

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
        super::args::only(call, &OPTIONS)?;
        let message = call.args.get("msg").cloned().unwrap_or_else(|| "Failed as requested from task".into());
        Err(Failure::new("").with("msg", message))
    }
}

//! `raw`: a command line through the connection alone; needs nothing on the host but a shell.

use super::{Action, Call, Done, Failure, OwnOptions, Plan, TalkError, Target};
use crate::transport::Exit;
use crate::transport::shell::quote;
use crate::value::Map;

/// The action.
pub(super) struct Raw;

static OPTIONS: OwnOptions =
    OwnOptions { names: &["_raw_params", "executable", "free_form"], required: &[(&["_raw_params", "free_form"], "no command given")] };

impl Action for Raw {
    fn names(&self) -> &'static [&'static str] {
        &["raw"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        if call.check {
            let mut result = Map::new();
            result.insert("skipped", true);
            result.insert("changed", false);
            return Ok(Plan::Done(Done::of(result)));
        }
        if call.args.text(&["_raw_params", "free_form"]).is_none_or(|text| text.trim().is_empty()) {
            return Err(Failure::new("no command given"));
        }
        Ok(Plan::Talk)
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let command = call.args.text(&["_raw_params", "free_form"]).unwrap_or_default();
        // As in Ansible, `environment` is not for `raw`.
        let line = match call.args.text(&["executable"]) {
            Some(shell) => format!("{shell} -c {}", quote(&command)),
            None => command,
        };
        let output = target.exec(&line, b"")?;
        let rc = match &output.exit {
            Exit::Code(code) => i64::from(*code),
            Exit::Signal(name) => {
                return Err(Failure::new(format!("the command was ended by signal {name}")).with("rc", 128_i64).into());
            }
        };
        let mut result = Map::new();
        result.insert("changed", true);
        result.insert("rc", rc);
        result.insert("stdout", String::from_utf8_lossy(&output.stdout).into_owned());
        result.insert("stderr", String::from_utf8_lossy(&output.stderr).into_owned());
        if rc != 0 {
            result.insert("failed", true);
            result.insert("msg", "non-zero return code");
        }
        Ok(Done::of(result))
    }
}

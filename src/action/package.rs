//! `package`: its options go to the module of the host's own package manager, which a variable may name.

use super::{Action, Call, Failure, Normal, Plan};
use crate::value::Value;

/// The action.
pub(super) struct Package;

/// The variable that names the manager where the task does not.
const MANAGER: &str = "ansible_package_use";

impl Action for Package {
    fn names(&self) -> &'static [&'static str] {
        &["package"]
    }

    fn supports_async(&self, _name: &str) -> bool {
        true
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let is_open = call.args.text(&["use"]).is_none_or(|manager| manager == "auto");
        let Some(Value::Text(manager)) = is_open.then(|| call.templar.get(MANAGER)).transpose()?.flatten() else {
            return Normal.plan(call);
        };
        let mut args = call.args.clone();
        args.set_own("use", manager.as_str());
        Normal.plan(&Call { args: &args, ..*call })
    }
}

//! `package`: packages, whichever manager the host has. It hands its options on to that manager's module.

use driftless_macros::Args;

use super::dnf;
use crate::module::{HandOn, HandedOn};
use crate::spec::{Support, text};
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Package;

/// Its options.
#[derive(Args)]
pub struct PackageArgs {
    /// The packages, as the host's manager names them.
    #[arg(required, kind = "raw", controller)]
    name: Json,
    /// How they are to be.
    #[arg(required, controller)]
    state: String,
    /// The manager's module; `auto` finds it.
    #[arg(name = "use", default = "auto", controller)]
    manager: String,
}

/// Whether a host has a manager.
type IsHere = fn(&Host) -> bool;

/// The managers that there are modules for, and how a host that has one is known.
const MANAGERS: &[(&str, IsHere)] = &[("dnf", dnf::is_here), ("apt", |host| host.find_program("apt-get").is_some())];

impl Module for Package {
    type Args = PackageArgs;
    const NAME: &'static str = "package";
    const SUMMARY: &'static str = "Manage packages with the host's own manager";
    const DIFF: Support = Support::Full;
    const HANDS_ON: Option<HandOn> = Some(hand_on);
    const EXAMPLES: &'static [&'static str] = &["- package:\n    name: git\n    state: present\n"];

    /// Its options always go to a manager's module.
    fn run(_args: PackageArgs, _host: &mut Host) -> Result<Outcome> {
        Err(Failure::new("the options of `package` came without the mark that hands them on"))
    }
}

fn hand_on(mut options: JsonMap, host: &mut Host) -> Result<HandedOn> {
    let written = options.shift_remove("use").map_or_else(|| "auto".to_owned(), |manager| text(&manager));
    let named = written.rsplit('.').next().unwrap_or_default();
    let module = if named == "auto" {
        let found = MANAGERS.iter().find(|(_, is_here)| is_here(host)).map(|(name, _)| *name);
        found.ok_or_else(|| {
            Failure::new("Could not detect which package manager to use. Try gathering facts or setting the \"use\" option.")
        })?
    } else {
        let found = MANAGERS.iter().map(|(name, _)| *name).find(|name| *name == named);
        found.ok_or_else(|| Failure::new(format!("Could not find a matching action for the \"{written}\" package manager.")))?
    };
    let called = if written.contains('.') { written } else { format!("ansible.legacy.{module}") };
    Ok(HandedOn { module, called, options })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::Law;

    #[test]
    fn a_manager_may_be_named() {
        let law = Law::of("package");
        law.tool("apt-cache", r"printf 'hello:\n  Installed: 1.0\n  Candidate: 1.0\n  Version table:\n *** 1.0 500\n'");
        law.tool("dpkg-query", r"printf 'hello\tall\tinstalled\t1.0\n'");
        law.tool("apt-get", "exit 1");
        law.unchanged(json!({"name": "hello", "state": "present", "use": "apt"}));
        law.unchanged(json!({"name": ["hello", "hello=1.0"], "state": "present", "use": "ansible.builtin.apt"}));
        law.fails(
            json!({"name": "hello", "state": "present", "use": "zork"}),
            "Could not find a matching action for the \"zork\" package manager.",
        );
        law.fails(json!({"name": "hello", "state": "zork", "use": "apt"}), "value of state must be one of: ");
        law.unchanged(json!({"name": "hello", "use": "apt", "install_recommends": false}));
        law.fails(json!({"name": "hello", "enablerepo": "x"}), "Unsupported parameters for (ansible.legacy.apt) module: enablerepo.");
    }
}

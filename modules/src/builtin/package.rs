//! `package`: packages, whichever manager the host has. It hands its options on to that manager's module.

use driftless_macros::Args;

use super::dnf;
use crate::spec::Support;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result, registry};

/// The module.
pub struct Package;

/// Its options.
#[derive(Args)]
pub struct PackageArgs {
    /// The packages, as the host's manager names them.
    #[arg(required, kind = "raw")]
    name: Json,
    /// How they are to be.
    #[arg(required)]
    state: String,
    /// The manager's module; `auto` finds it.
    #[arg(name = "use", default = "auto")]
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
    const EXAMPLES: &'static [&'static str] = &["- package:\n    name: git\n    state: present\n"];

    fn run(args: PackageArgs, host: &mut Host) -> Result<Outcome> {
        let named = args.manager.rsplit('.').next().unwrap_or_default();
        let wanted = if named == "auto" {
            MANAGERS.iter().find(|(_, is_here)| is_here(host)).map(|(name, _)| *name)
        } else {
            MANAGERS.iter().map(|(name, _)| *name).find(|name| *name == named)
        };
        let unknown = || match named {
            "auto" => Failure::new("Could not detect which package manager to use. Try gathering facts or setting the \"use\" option."),
            _ => Failure::new(format!("Could not find a matching action for the \"{}\" package manager.", args.manager)),
        };
        let module = registry::find(wanted.ok_or_else(unknown)?).ok_or_else(unknown)?;
        let options = JsonMap::from_iter([("name".to_owned(), args.name), ("state".to_owned(), Json::from(args.state))]);
        let checked = module
            .spec()
            .check(&options)
            .map_err(|errors| Failure::new(errors.into_iter().next().map(|error| error.message).unwrap_or_default()))?;
        module.start(checked.args, host)
    }
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
        law.fails(json!({"name": "hello", "state": "zork", "use": "apt"}), "state");
    }
}

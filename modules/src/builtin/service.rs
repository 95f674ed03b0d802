//! `service`: a service, whichever manager looks after the host.

use std::time::Duration;

use driftless_macros::Args;

use super::systemd::{self, SystemdArgs};
use crate::host::words;
use crate::service::{self, Engine, InitScripts, Manager, OpenRc, State, Wanted};
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Service;

/// Its options.
#[derive(Args)]
pub struct ServiceArgs {
    /// Further words for an init script.
    #[arg(default = "", alias = "args")]
    arguments: String,
    /// Whether it starts at boot.
    enabled: Option<bool>,
    /// The service.
    #[arg(required)]
    name: String,
    /// A text to look for among the processes where the script cannot tell its status.
    pattern: Option<String>,
    /// The runlevel, for OpenRC.
    #[arg(default = "default")]
    runlevel: String,
    /// How many seconds a restart rests between stop and start.
    sleep: Option<u64>,
    /// Whether it runs.
    state: Option<State>,
    /// The service manager; `auto` is the one that runs on the host.
    #[arg(name = "use", default = "auto")]
    manager: String,
}

impl Module for Service {
    type Args = ServiceArgs;
    const NAME: &'static str = "service";
    const SUMMARY: &'static str = "Start, stop, reload and enable services, whatever manages them on the host";
    const EXAMPLES: &'static [&'static str] = &["- service:\n    name: nginx\n    state: started\n    enabled: true\n"];

    fn run(args: ServiceArgs, host: &mut Host) -> Result<Outcome> {
        let manager = match args.manager.as_str() {
            "systemd" | "systemd_service" | "ansible.builtin.systemd" | "ansible.builtin.systemd_service" => Manager::Systemd,
            "sysvinit" | "ansible.builtin.sysvinit" => {
                return Err(Failure::new("`use: sysvinit` of `service` is not supported yet; hint: leave it at `auto`"));
            }
            _ => service::manager(host),
        };
        let arguments = words::split(&args.arguments)?;
        let engine: Box<dyn Engine> = match manager {
            Manager::Systemd => return with_systemd(args, host),
            Manager::OpenRc => Box::new(OpenRc { name: args.name.clone(), runlevel: args.runlevel.clone(), arguments }),
            Manager::InitScripts => Box::new(InitScripts { name: args.name.clone(), arguments }),
        };
        if args.state.is_none() && args.enabled.is_none() {
            return Err(Failure::new("one of the following is required: state, enabled"));
        }
        let wanted = Wanted {
            name: &args.name,
            state: args.state,
            enabled: args.enabled,
            pattern: args.pattern.as_deref(),
            sleep: args.sleep.map(Duration::from_secs),
        };
        service::converge(&*engine, &wanted, host)
    }
}

fn with_systemd(args: ServiceArgs, host: &mut Host) -> Result<Outcome> {
    let given = [
        ("arguments", !args.arguments.is_empty()),
        ("pattern", args.pattern.is_some()),
        ("runlevel", args.runlevel != "default"),
        ("sleep", args.sleep.is_some()),
    ];
    for (option, _) in given.into_iter().filter(|(_, given)| *given) {
        host.warn(format!("Ignoring \"{option}\" as it is not used in \"systemd\""));
    }
    systemd::converge(&SystemdArgs::of_service(args.name, args.state, args.enabled), host)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::Law;

    #[test]
    fn a_manager_may_be_named() {
        let law = Law::of("service");
        law.tool("systemctl", "[ \"$1\" = show ] && { echo LoadState=loaded; echo ActiveState=active; }");
        let outcome = law.unchanged(json!({"name": "web", "state": "started", "use": "systemd", "sleep": 1}));
        assert_eq!(outcome.get("warnings"), Some(&json!(["Ignoring \"sleep\" as it is not used in \"systemd\""])));
        law.fails(json!({"name": "web", "state": "started", "use": "sysvinit"}), "not supported yet");
    }
}

//! `service`: a service, whichever manager looks after the host.

use std::time::Duration;

use driftless_macros::Args;

use super::systemd::{self, SystemdArgs};
use crate::host::words;
use crate::module::{HandOn, HandedOn};
use crate::service::{self, Engine, InitScripts, Manager, OpenRc, State, Wanted};
use crate::spec::text;
use crate::{Failure, Host, JsonMap, Module, Outcome, Result};

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
    #[arg(name = "use", default = "auto", controller)]
    manager: String,
}

impl Module for Service {
    type Args = ServiceArgs;
    const NAME: &'static str = "service";
    const SUMMARY: &'static str = "Start, stop, reload and enable services, whatever manages them on the host";
    const EXAMPLES: &'static [&'static str] = &["- service:\n    name: nginx\n    state: started\n    enabled: true\n"];

    const HANDS_ON: Option<HandOn> = Some(hand_on);

    fn run(args: ServiceArgs, host: &mut Host) -> Result<Outcome> {
        let arguments = words::split(&args.arguments)?;
        let engine: Box<dyn Engine> = match service::manager(host) {
            Manager::Systemd => {
                let mut outcome = systemd::converge(&SystemdArgs::of_service(args.name, args.state, args.enabled), host)?;
                outcome.remove("status");
                return Ok(outcome);
            }
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

/// Options that mean nothing to systemd.
const NOT_OF_SYSTEMD: &[&str] = &["pattern", "runlevel", "sleep", "arguments", "args"];

/// systemd has a module of its own, which gets all options; what is left stays here.
fn hand_on(mut options: JsonMap, host: &mut Host) -> Result<HandedOn> {
    let written = options.get("use").map_or_else(|| "auto".to_owned(), text);
    let is_systemd = match written.rsplit('.').next().unwrap_or_default() {
        "systemd" | "systemd_service" => true,
        "sysvinit" => return Err(Failure::new("`use: sysvinit` of `service` is not supported yet; hint: leave it at `auto`")),
        "auto" => service::manager(host) == Manager::Systemd,
        _ => false,
    };
    if !is_systemd {
        return Ok(HandedOn { module: "service", called: "ansible.legacy.service".to_owned(), options });
    }
    options.shift_remove("use");
    for option in NOT_OF_SYSTEMD {
        if options.shift_remove(*option).is_some() {
            host.warn(format!("Ignoring \"{option}\" as it is not used in \"systemd\""));
        }
    }
    Ok(HandedOn { module: "systemd", called: "ansible.legacy.systemd".to_owned(), options })
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

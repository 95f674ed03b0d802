//! `systemd` and `systemd_service`: units of systemd.

use driftless_macros::{Args, Choice};

use crate::host::Change;
use crate::service::systemd::{Shown, Unit};
use crate::service::{Engine, State};
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module by its short name.
pub struct Systemd;
/// The module by its long name.
pub struct SystemdService;

/// Its options.
#[derive(Args)]
#[args(required_by("state", "name"), required_by("enabled", "name"), required_by("masked", "name"))]
pub struct SystemdArgs {
    /// Whether systemd runs itself anew before anything else.
    #[arg(default = false, alias = "daemon-reexec")]
    daemon_reexec: bool,
    /// Whether systemd reads its units anew before anything else.
    #[arg(default = false, alias = "daemon-reload")]
    daemon_reload: bool,
    /// Whether the unit starts at boot.
    enabled: Option<bool>,
    /// Whether links that are in the way are replaced.
    force: Option<bool>,
    /// Whether the unit can be started at all.
    masked: Option<bool>,
    /// The unit; without a suffix a service.
    #[arg(alias = "service", alias = "unit")]
    name: Option<String>,
    /// Whether not to wait until the unit has done what it was told.
    #[arg(default = false)]
    no_block: bool,
    /// Whose units: the system's, the user's, or those of all users.
    #[arg(default = "system")]
    scope: Scope,
    /// Whether it runs.
    state: Option<State>,
}

/// Whose units are meant.
#[derive(Choice, Clone, Copy, PartialEq)]
enum Scope {
    System,
    User,
    Global,
}

impl SystemdArgs {
    /// What `service` asks of systemd.
    pub(super) fn of_service(name: String, state: Option<State>, enabled: Option<bool>) -> Self {
        Self {
            daemon_reexec: false,
            daemon_reload: false,
            enabled,
            force: None,
            masked: None,
            name: Some(name),
            no_block: false,
            scope: Scope::System,
            state,
        }
    }

    fn unit(&self, name: &str) -> Unit {
        let mut options = match self.scope {
            Scope::System => vec![],
            Scope::User => vec!["--user"],
            Scope::Global => vec!["--global"],
        };
        if self.no_block {
            options.push("--no-block");
        }
        if self.force == Some(true) {
            options.push("--force");
        }
        Unit { name: name.to_owned(), options }
    }
}

/// Brings a unit to what is wanted.
pub(super) fn converge(args: &SystemdArgs, host: &mut Host) -> Result<Outcome> {
    if let Some(name) = &args.name
        && let Some(found) = name.chars().find(|c| "*?[".contains(*c))
    {
        return Err(Failure::new(format!(
            "This module does not currently support using glob patterns, found '{found}' in service name: {name}"
        )));
    }
    let unit = args.unit(args.name.as_deref().unwrap_or_default());
    unit.systemctl(host)?;
    for (wanted, verb) in [(args.daemon_reload, "daemon-reload"), (args.daemon_reexec, "daemon-reexec")] {
        if wanted && args.scope != Scope::Global {
            let command = unit.systemctl(host)?.arg(verb);
            host.unrecorded(|door| {
                door.run(&command)?.or_fail(|output| format!("failure {} during {verb}: {}", output.rc(), output.stderr()))
            })?;
        }
    }
    if args.name.is_none() {
        return Ok(host.outcome().with("name", Json::Null).with("status", JsonMap::new()));
    }
    let shown = unit.show(host)?;
    let found = shown.is_found() || (shown.offline && unit.is_installed(host)?) || unit.has_script();
    if found && unit.has_script() && !shown.is_found() && !shown.offline {
        host.warn(format!("The service ({}) is actually an init script but the system is managed by systemd", unit.name));
    }
    let mut more = JsonMap::new();
    if let Some(masked) = args.masked {
        mask(&unit, masked, host)?;
    }
    if let Some(enabled) = args.enabled {
        need(&unit, found)?;
        enable(&unit, enabled, host)?;
        more.insert("enabled".to_owned(), enabled.into());
    }
    if let Some(state) = args.state {
        need(&unit, found)?;
        set_state(&unit, state, &shown, host)?;
        more.insert("state".to_owned(), state.reached().into());
    }
    let mut outcome = host.outcome().with("name", unit.name);
    outcome.extend(more);
    outcome.set("status", shown.properties);
    Ok(outcome)
}

fn need(unit: &Unit, found: bool) -> Result<()> {
    if found { Ok(()) } else { Err(Failure::new(format!("Could not find the requested service {}: host", unit.name))) }
}

fn mask(unit: &Unit, masked: bool, host: &mut Host) -> Result<()> {
    if unit.is_masked(host)? == masked {
        return Ok(());
    }
    let (verb, words) = if masked { ("mask", ("unmasked", "masked")) } else { ("unmask", ("masked", "unmasked")) };
    let command = unit.systemctl(host)?.args([verb, "--", &unit.name]);
    host.change(Change::of("service", &unit.name).from_to(words.0, words.1), |door| {
        door.run(&command)?.or_fail(|output| format!("Unable to {verb} service {}: {}{}", unit.name, output.stdout(), output.stderr()))
    })?;
    Ok(())
}

fn enable(unit: &Unit, enabled: bool, host: &mut Host) -> Result<()> {
    if unit.is_enabled(host)? == enabled {
        return Ok(());
    }
    let words = if enabled { ("disabled", "enabled") } else { ("enabled", "disabled") };
    let command = unit.enable(host, enabled)?;
    host.change(Change::of("service", &unit.name).from_to(words.0, words.1), |door| {
        let output = door.run(&command)?;
        if output.succeeded() { Ok(()) } else { Err(unit.enable_failed(enabled, &output)) }
    })?;
    Ok(())
}

fn set_state(unit: &Unit, state: State, shown: &Shown, host: &mut Host) -> Result<()> {
    if shown.offline {
        host.warn(
            "Target is a chroot or systemd is offline. This can lead to false positives or prevent the init system tools from working.",
        );
        return Ok(());
    }
    // What is about to end is stopped once more, so that it is waited for.
    let ending = shown.get("ActiveState") == "deactivating" && state == State::Stopped;
    let Some(action) = state.action(shown.is_running() || ending) else { return Ok(()) };
    let command = unit.control(host, action)?;
    let before = shown.get("ActiveState").to_owned();
    host.change(Change::of("service", &unit.name).from_to(before, state.reached()), |door| {
        let output = door.run(&command)?;
        if output.succeeded() { Ok(()) } else { Err(unit.control_failed(action, &output)) }
    })?;
    Ok(())
}

impl Module for Systemd {
    type Args = SystemdArgs;
    const NAME: &'static str = "systemd";
    const SUMMARY: &'static str = "Manage units of systemd";
    const EXAMPLES: &'static [&'static str] = &["- systemd:\n    name: nginx\n    state: restarted\n    daemon_reload: true\n"];

    fn run(args: SystemdArgs, host: &mut Host) -> Result<Outcome> {
        converge(&args, host)
    }
}

impl Module for SystemdService {
    type Args = SystemdArgs;
    const NAME: &'static str = "systemd_service";
    const SUMMARY: &'static str = "Manage units of systemd";

    fn run(args: SystemdArgs, host: &mut Host) -> Result<Outcome> {
        converge(&args, host)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::laws::{Law, Mode};

    /// A `systemctl` that knows the unit `web`, and keeps in `$WORLD.*` what it is.
    const SYSTEMCTL: &str = r#"
while case "$1" in --*) true;; *) false;; esac; do shift; done
verb=$1; unit=$3
if [ "$unit" != web ] && [ -n "$unit" ]; then
  [ "$verb" = show ] && { echo LoadState=not-found; echo ActiveState=inactive; exit 0; }
  echo "no $unit" >&2; exit 1
fi
case $verb in
  show) echo LoadState=loaded; if [ -e $WORLD.on ]; then echo ActiveState=active; else echo ActiveState=inactive; fi;;
  is-enabled) if [ -e $WORLD.masked ]; then echo masked; exit 1; elif [ -e $WORLD.boot ]; then echo enabled; else echo disabled; exit 1; fi;;
  enable) : > $WORLD.boot;;
  disable) rm $WORLD.boot;;
  start) : > $WORLD.on;;
  stop) rm $WORLD.on;;
  mask) : > $WORLD.masked;;
  unmask) rm $WORLD.masked;;
  *) echo "$verb" >> $WORLD.log;;
esac"#;

    fn law() -> Law {
        let law = Law::of("systemd");
        law.tool("systemctl", SYSTEMCTL);
        law
    }

    #[test]
    fn a_unit_is_enabled_and_started_once() {
        let law = law();
        let ran = law.converges(json!({"name": "web", "state": "started", "enabled": true}), &[("service", "web"), ("service", "web")]);
        assert_eq!(ran.outcome.get("state"), Some(&json!("started")));
        assert_eq!(ran.outcome.get("status").unwrap()["ActiveState"], "inactive");
        law.converges(json!({"name": "web", "state": "stopped", "enabled": false}), &[("service", "web"), ("service", "web")]);
        law.converges(json!({"name": "web", "masked": true}), &[("service", "web")]);
        law.converges(json!({"name": "web", "masked": false}), &[("service", "web")]);
    }

    #[test]
    fn restarting_is_always_a_change() {
        let law = law();
        law.write("world.on", "");
        assert!(law.run(json!({"name": "web", "state": "restarted"}), Mode::Check).outcome.changed());
        assert!(!law.folder().join("world.log").exists());
        let outcome = law.run(json!({"name": "web", "state": "restarted", "daemon_reload": true}), Mode::Real).outcome;
        assert_eq!(outcome.get("state"), Some(&json!("started")));
        assert_eq!(law.read("world.log"), "daemon-reload\nrestart\n");
    }

    #[test]
    fn unknown_units_and_patterns_fail() {
        let law = law();
        law.fails(json!({"name": "nonesuch", "state": "started"}), "Could not find the requested service nonesuch: host");
        law.fails(json!({"name": "nonesuch", "enabled": true}), "Could not find the requested service nonesuch: host");
        law.fails(json!({"name": "we*", "state": "started"}), "found '*' in service name: we*");
        law.unchanged(json!({}));
    }
}

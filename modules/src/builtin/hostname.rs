//! `hostname`: the host's name, now and after the next start.

use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};
use serde_json::json;

use crate::facts;
use crate::host::{Change, Diff, Write};
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Hostname;

/// Its options.
#[derive(Args)]
pub struct HostnameArgs {
    /// The name.
    #[arg(required)]
    name: String,
    /// How the name is kept; without, found out.
    r#use: Option<Strategy>,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum Strategy {
    Alpine,
    Darwin,
    Debian,
    Freebsd,
    Generic,
    Macos,
    Macosx,
    Openbsd,
    Openrc,
    Redhat,
    Sles,
    Solaris,
    Systemd,
}

impl Module for Hostname {
    type Args = HostnameArgs;
    const NAME: &'static str = "hostname";
    const SUMMARY: &'static str = "Manage the host's name";
    const DIFF: crate::spec::Support = crate::spec::Support::Full;
    const RETURNS_FACTS: bool = true;
    const EXAMPLES: &'static [&'static str] = &["hostname:\n  name: web1"];

    fn run(args: HostnameArgs, host: &mut Host) -> Result<Outcome> {
        let name = args.name.trim();
        let keeper = Keeper::of(args.r#use.unwrap_or_else(|| detect(host)))?;
        let current = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let permanent = keeper.permanent(host)?.unwrap_or_else(|| current.clone());
        let was = if permanent == name { current.clone() } else { permanent.clone() };
        if current != name || permanent != name {
            let diff = Diff::values(format!("hostname = {was}\n"), format!("hostname = {name}\n"));
            let commands = match &keeper {
                Keeper::Systemd => {
                    let program = host.need_program("hostnamectl")?;
                    let set = |kind: &str| host.command(&program).args([kind, "set-hostname", name]);
                    let mut commands = Vec::new();
                    if current != name {
                        commands.push(set("--transient"));
                    }
                    if permanent != name {
                        commands.extend([set("--pretty"), set("--static")]);
                    }
                    commands
                }
                Keeper::File(_, _) | Keeper::Nowhere if current != name => vec![host.command(host.need_program("hostname")?).arg(name)],
                Keeper::File(_, _) | Keeper::Nowhere => Vec::new(),
            };
            let content = keeper.content(name);
            host.change(Change::of("hostname", "hostname").from_to(was.as_str(), name).shown(diff), |door| {
                if let (Keeper::File(path, _), true) = (&keeper, permanent != name) {
                    let mode = (!path.exists()).then_some(0o644);
                    door.write(path, content.as_bytes(), Write { mode, unsafe_writes: true, ..Write::default() })?;
                }
                for command in &commands {
                    door.run(command)?
                        .or_fail(|output| format!("Command failed rc={}, out={}, err={}", output.rc(), output.stdout(), output.stderr()))?;
                }
                Ok(())
            })?;
        }
        let now = if host.is_checking() { current.as_str() } else { name };
        let fqdn = facts::full_name(host, now);
        let facts = json!({
            "ansible_hostname": name.split('.').next().unwrap_or_default(),
            "ansible_nodename": name,
            "ansible_fqdn": fqdn,
            "ansible_domain": fqdn.split_once('.').map_or("", |(_, domain)| domain),
        });
        Ok(host.outcome().with("name", name).with("ansible_facts", facts))
    }
}

fn detect(host: &Host) -> Strategy {
    if facts::service_manager(host) == "systemd" && host.find_program("hostnamectl").is_some() {
        return Strategy::Systemd;
    }
    match facts::identify().family.as_str() {
        "Alpine" => Strategy::Alpine,
        "Gentoo" => Strategy::Openrc,
        "RedHat" => Strategy::Redhat,
        "Suse" => Strategy::Sles,
        _ => Strategy::Debian,
    }
}

/// What keeps the name over a restart.
enum Keeper {
    Systemd,
    /// A file, and the name of its setting; without one the file holds the name alone.
    File(PathBuf, Option<&'static str>),
    Nowhere,
}

impl Keeper {
    fn of(strategy: Strategy) -> Result<Self> {
        let file = |path: &str, setting| Ok(Self::File(PathBuf::from(path), setting));
        match strategy {
            Strategy::Systemd => Ok(Self::Systemd),
            Strategy::Alpine | Strategy::Debian => file("/etc/hostname", None),
            Strategy::Openrc => file("/etc/conf.d/hostname", Some("hostname")),
            Strategy::Redhat => file("/etc/sysconfig/network", Some("HOSTNAME")),
            Strategy::Sles => file("/etc/HOSTNAME", None),
            Strategy::Generic => Ok(Self::Nowhere),
            Strategy::Darwin | Strategy::Freebsd | Strategy::Macos | Strategy::Macosx | Strategy::Openbsd | Strategy::Solaris => {
                Err(Failure::new("`use` names a strategy of another system than Linux"))
            }
        }
    }

    /// The name that is kept.
    fn permanent(&self, host: &Host) -> Result<Option<String>> {
        match self {
            Self::Systemd => {
                let command = host.command(host.need_program("hostnamectl")?).args(["--static", "status"]);
                let output = host
                    .query(&command)?
                    .or_fail(|output| format!("Command failed rc={}, out={}, err={}", output.rc(), output.stdout(), output.stderr()))?;
                Ok(Some(output.stdout().trim().to_owned()))
            }
            Self::File(path, setting) => Ok(Some(read(path, *setting).unwrap_or_default())),
            Self::Nowhere => Ok(None),
        }
    }

    /// The file with another name in it.
    fn content(&self, name: &str) -> String {
        match self {
            Self::Systemd | Self::Nowhere => String::new(),
            Self::File(_, None) => format!("{name}\n"),
            Self::File(path, Some(setting)) => with_setting(&std::fs::read_to_string(path).unwrap_or_default(), setting, name),
        }
    }
}

fn read(path: &Path, setting: Option<&str>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    match setting {
        None => Some(text.trim().to_owned()),
        Some(setting) => {
            text.lines().find_map(|line| Some(line.trim().strip_prefix(setting)?.strip_prefix('=')?.trim_matches('"').to_owned()))
        }
    }
}

fn with_setting(text: &str, setting: &str, name: &str) -> String {
    let is_it = |line: &str| line.trim().strip_prefix(setting).is_some_and(|rest| rest.starts_with('='));
    let wanted = if setting == "hostname" { format!("{setting}=\"{name}\"") } else { format!("{setting}={name}") };
    let mut lines: Vec<String> = text.lines().map(|line| if is_it(line) { wanted.clone() } else { line.to_owned() }).collect();
    if !lines.contains(&wanted) {
        lines.push(wanted);
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn checking_foretells() {
        let law = Law::of("hostname");
        law.tool("hostname", "exit 1");
        let outcome = law.run(json!({"name": "fresh.example.com", "use": "generic"}), Mode::Check).outcome;
        assert!(outcome.changed());
        assert_eq!(outcome.get("ansible_facts").unwrap()["ansible_hostname"], "fresh");
        law.fails(json!({"name": "x", "use": "generic"}), "Command failed rc=1");
        law.fails(json!({"name": "x", "use": "macos"}), "another system");
    }

    #[test]
    fn settings_are_replaced_in_their_file() {
        assert_eq!(super::with_setting("# c\nhostname=\"a\"\n", "hostname", "b"), "# c\nhostname=\"b\"\n");
        assert_eq!(super::with_setting("NETWORKING=yes\n", "HOSTNAME", "b"), "NETWORKING=yes\nHOSTNAME=b\n");
    }
}

//! `hostname`: the host's name, now and after the next start.

use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};
use serde_json::json;

use crate::facts;
use crate::host::{Change, Command, Diff, Write};
use crate::outcome::Context;
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
        let keeper = args.r#use.map_or_else(|| Ok(detect(host)), Keeper::of)?;
        let running = running_name();
        let permanent = keeper.permanent(host)?;
        // Only systemd tells the name of now from that of the next start.
        let current = if keeper == Keeper::Systemd { &running } else { &permanent };
        let was = if permanent == name { current } else { &permanent };
        if current != name || permanent != name {
            let diff = Diff::values(format!("hostname = {was}\n"), format!("hostname = {name}\n"));
            let commands = keeper.commands(host, name, current, &permanent)?;
            let content = keeper.content(name)?;
            host.change(Change::of("hostname", "hostname").from_to(was.as_str(), name).shown(diff), |door| {
                for command in &commands {
                    door.run(command)?
                        .or_fail(|output| format!("Command failed rc={}, out={}, err={}", output.rc(), output.stdout(), output.stderr()))?;
                }
                if let Some((path, content)) = content {
                    let mode = (!path.exists()).then_some(0o644);
                    door.write(&path, content.as_bytes(), Write { mode, unsafe_writes: true, ..Write::default() })?;
                }
                Ok(())
            })?;
        }
        let fqdn = facts::full_name(host, &running_name());
        let facts = json!({
            "ansible_hostname": name.split('.').next().unwrap_or_default(),
            "ansible_nodename": name,
            "ansible_fqdn": fqdn,
            "ansible_domain": fqdn.split_once('.').map_or("", |(_, domain)| domain),
        });
        Ok(host.outcome().with("name", name).with("ansible_facts", facts))
    }
}

fn running_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn detect(host: &Host) -> Keeper {
    if facts::service_manager(host) == "systemd" && host.find_program("hostnamectl").is_some() {
        return Keeper::Systemd;
    }
    match facts::identify().family.as_str() {
        "Alpine" => Keeper::Plain("/etc/hostname", IsRead::AtOnce),
        "Gentoo" => Keeper::Setting("/etc/conf.d/hostname", "hostname"),
        "RedHat" => Keeper::Setting("/etc/sysconfig/network", "HOSTNAME"),
        "Suse" => Keeper::Plain("/etc/HOSTNAME", IsRead::AtBoot),
        _ => Keeper::Plain("/etc/hostname", IsRead::AtBoot),
    }
}

/// What keeps the name over a restart. As in Ansible, all but systemd leave the name of the running host as it is.
#[derive(PartialEq)]
enum Keeper {
    Systemd,
    /// A file that holds the name alone; with Alpine's way to read it at once.
    Plain(&'static str, IsRead),
    /// A file, and the name of its setting.
    Setting(&'static str, &'static str),
}

#[derive(PartialEq)]
enum IsRead {
    AtOnce,
    AtBoot,
}

impl Keeper {
    fn of(strategy: Strategy) -> Result<Self> {
        match strategy {
            Strategy::Systemd | Strategy::Debian => Ok(Self::Systemd),
            Strategy::Alpine => Ok(Self::Plain("/etc/hostname", IsRead::AtOnce)),
            Strategy::Openrc => Ok(Self::Setting("/etc/conf.d/hostname", "hostname")),
            Strategy::Redhat => Ok(Self::Setting("/etc/sysconfig/network", "HOSTNAME")),
            Strategy::Sles => Ok(Self::Plain("/etc/HOSTNAME", IsRead::AtBoot)),
            Strategy::Generic => Err(Failure::new("`use: generic` cannot change the name; hint: leave `use` out")),
            Strategy::Darwin | Strategy::Freebsd | Strategy::Macos | Strategy::Macosx | Strategy::Openbsd | Strategy::Solaris => {
                Err(Failure::new("`use` names a strategy of another system than Linux"))
            }
        }
    }

    /// The name that is kept.
    fn permanent(&self, host: &Host) -> Result<String> {
        match self {
            Self::Systemd => {
                let command = host.command(host.need_program("hostnamectl")?).args(["--static", "status"]);
                let output = host
                    .query(&command)?
                    .or_fail(|output| format!("Command failed rc={}, out={}, err={}", output.rc(), output.stdout(), output.stderr()))?;
                Ok(output.stdout().trim().to_owned())
            }
            Self::Plain(path, _) => Ok(read(Path::new(path), None).unwrap_or_default()),
            Self::Setting(path, setting) => {
                if *setting == "HOSTNAME" && read(Path::new(path), Some(setting)).is_none() {
                    return Err(Failure::new(format!("Unable to locate HOSTNAME entry in {path}")));
                }
                Ok(read(Path::new(path), Some(setting)).unwrap_or_default())
            }
        }
    }

    /// The programs that set the name of now.
    fn commands(&self, host: &Host, name: &str, current: &str, permanent: &str) -> Result<Vec<Command>> {
        Ok(match self {
            Self::Systemd => {
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
            Self::Plain(path, IsRead::AtOnce) => vec![host.command(host.need_program("hostname")?).args(["-F", path])],
            Self::Plain(_, IsRead::AtBoot) | Self::Setting(..) => Vec::new(),
        })
    }

    /// The file with another name in it.
    fn content(&self, name: &str) -> Result<Option<(PathBuf, String)>> {
        Ok(match self {
            Self::Systemd => None,
            Self::Plain(path, _) => Some((PathBuf::from(path), format!("{name}\n"))),
            Self::Setting(path, setting) => {
                let text = std::fs::read_to_string(path).context("failed to update hostname")?;
                Some((PathBuf::from(path), with_setting(&text, setting, name)))
            }
        })
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
        let outcome = law.run(json!({"name": "fresh.example.com", "use": "sles"}), Mode::Check).outcome;
        assert!(outcome.changed());
        assert_eq!(outcome.get("ansible_facts").unwrap()["ansible_hostname"], "fresh");
        law.fails(json!({"name": "x", "use": "generic"}), "`use: generic`");
        law.fails(json!({"name": "x", "use": "macos"}), "another system");
    }

    #[test]
    fn settings_are_replaced_in_their_file() {
        assert_eq!(super::with_setting("# c\nhostname=\"a\"\n", "hostname", "b"), "# c\nhostname=\"b\"\n");
        assert_eq!(super::with_setting("NETWORKING=yes\n", "HOSTNAME", "b"), "NETWORKING=yes\nHOSTNAME=b\n");
    }
}

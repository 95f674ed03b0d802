//! systemd: `systemctl`, and what it says of a unit.

use std::path::Path;

use super::{Action, Engine};
use crate::host::glob::{glob, matches};
use crate::host::{Command, Output};
use crate::{Failure, Host, Json, JsonMap, Result};

/// A unit of systemd.
pub struct Unit {
    /// Its name, as the user wrote it.
    pub name: String,
    /// Options that stand before every command: `--user`, `--no-block`, …
    pub options: Vec<&'static str>,
}

/// What `systemctl show` says of a unit.
pub struct Shown {
    /// All properties.
    pub properties: JsonMap,
    /// Whether systemd cannot be asked because it does not run (in a chroot).
    pub offline: bool,
}

impl Shown {
    /// One property.
    pub fn get(&self, name: &str) -> &str {
        self.properties.get(name).and_then(Json::as_str).unwrap_or_default()
    }

    /// Whether systemd knows the unit.
    pub fn is_found(&self) -> bool {
        !matches!(self.get("LoadState"), "" | "not-found")
    }

    /// Whether the unit runs, or is about to.
    pub fn is_running(&self) -> bool {
        matches!(self.get("ActiveState"), "active" | "activating" | "reloading")
    }
}

impl Unit {
    /// `systemctl` with this unit's options.
    pub fn systemctl(&self, host: &Host) -> Result<Command> {
        Ok(host.command(host.need_program("systemctl")?).args(&self.options))
    }

    /// What systemd knows of it.
    pub fn show(&self, host: &Host) -> Result<Shown> {
        let command = self.systemctl(host)?;
        let output = host.query(&command.clone().args(["show", "--", &self.name]))?;
        if output.succeeded() {
            return Ok(Shown { properties: properties(&output.stdout()), offline: false });
        }
        let stderr = output.stderr();
        if is_offline(&stderr) {
            return Ok(Shown { properties: JsonMap::new(), offline: true });
        }
        let failure = Failure::new(stderr.trim()).with("rc", output.rc()).with("cmd", command.argv().join(" "));
        Err(failure.with("stdout", output.stdout()).with("stderr", stderr))
    }

    /// What `systemctl is-enabled` says: its exit code's meaning, and its words.
    fn ask_enabled(&self, host: &Host) -> Result<Output> {
        host.query(&self.systemctl(host)?.args(["is-enabled", "--", &self.name]))
    }

    /// Whether it must not be started by anybody.
    pub fn is_masked(&self, host: &Host) -> Result<bool> {
        Ok(self.ask_enabled(host)?.stdout().trim() == "masked")
    }

    /// Whether a systemd that does not run has a unit of that name.
    pub fn is_installed(&self, host: &Host) -> Result<bool> {
        Ok(!self.ask_enabled(host)?.stdout().trim().is_empty())
    }

    /// Whether a script of /etc/init.d has its name.
    pub fn has_script(&self) -> bool {
        let path = Path::new("/etc/init.d").join(&self.name);
        !self.name.contains('/') && path.is_file()
    }
}

impl Engine for Unit {
    fn is_running(&self, host: &Host) -> Result<bool> {
        Ok(self.show(host)?.is_running())
    }

    fn is_enabled(&self, host: &Host) -> Result<bool> {
        let answer = self.ask_enabled(host)?;
        let word = answer.stdout();
        if answer.succeeded() {
            // Units that only another unit can pull in count as not enabled.
            return Ok(!matches!(word.trim(), "indirect" | "alias"));
        }
        let is_of_system = !self.options.iter().any(|option| matches!(*option, "--user" | "--global"));
        // Where systemd has no clear answer (a masked unit, say), the links of a script of the same name have one.
        let may_be_script = answer.rc() == 1 && is_of_system && !word.trim().ends_with("disabled") && self.has_script();
        Ok(may_be_script && has_start_link(Path::new("/etc"), &self.name))
    }

    fn enable(&self, host: &Host, enabled: bool) -> Result<Command> {
        Ok(self.systemctl(host)?.args([if enabled { "enable" } else { "disable" }, "--", &self.name]))
    }

    fn control(&self, host: &Host, action: Action) -> Result<Command> {
        Ok(self.systemctl(host)?.args([action.word(), "--", &self.name]))
    }

    fn enable_failed(&self, enabled: bool, output: &Output) -> Failure {
        let verb = if enabled { "enable" } else { "disable" };
        Failure::new(format!("Unable to {verb} service {}: {}{}", self.name, output.stdout(), output.stderr()))
    }

    fn control_failed(&self, action: Action, output: &Output) -> Failure {
        Failure::new(format!("Unable to {} service {}: {}", action.word(), self.name, output.stderr()))
    }
}

/// Whether a runlevel starts the script of this name.
fn has_start_link(etc: &Path, name: &str) -> bool {
    let folders = glob(&etc.join("rc?.d"));
    let entries = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|link| matches("S??", link.to_string_lossy().strip_suffix(name).unwrap_or_default()))
}

fn is_offline(stderr: &str) -> bool {
    ["System has not been booted with systemd", "Running in chroot", "Failed to connect to bus"].iter().any(|text| stderr.contains(text))
}

/// Reads `NAME=value` lines; a value in braces may go on over several of them.
fn properties(shown: &str) -> JsonMap {
    let mut map = JsonMap::new();
    let mut lines = shown.lines();
    while let Some(line) = lines.next() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let mut value = value.to_owned();
        if name.starts_with("Exec") && value.starts_with('{') {
            while !value.trim_end().ends_with('}') {
                let Some(more) = lines.next() else { break };
                value.push('\n');
                value.push_str(more);
            }
        }
        map.insert(name.to_owned(), Json::String(value.trim().to_owned()));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_s_links_say_whether_it_starts() {
        let etc = tempfile::tempdir().unwrap();
        for name in ["rc2.d/S01cron", "rc2.d/K01stopped", "rc3.d/S20a.b", "other/S01else"] {
            std::fs::create_dir_all(etc.path().join(name).parent().unwrap()).unwrap();
            std::fs::write(etc.path().join(name), "").unwrap();
        }
        let found = ["cron", "ron", "stopped", "a.b", "a?b", "else"].map(|name| has_start_link(etc.path(), name));
        assert_eq!(found, [true, false, false, true, false, false]);
    }

    #[test]
    fn properties_may_have_several_lines() {
        let map = properties("Id=x.service\nExecStart={ path=/bin/sh ; argv[]=sh -c a\nb ; }\nEmpty=\nActiveState=active\n");
        assert_eq!(map["ExecStart"], "{ path=/bin/sh ; argv[]=sh -c a\nb ; }");
        assert_eq!(map["ActiveState"], "active");
        assert_eq!(map["Empty"], "");
    }
}

//! Scripts in /etc/init.d: of sysvinit, of busybox, of whatever else is PID 1.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::{Action, Engine};
use crate::host::{Command, Output};
use crate::{Failure, Host, Result};

/// Where the scripts are.
const FOLDER: &str = "/etc/init.d";

/// A service that is a script.
pub struct InitScripts {
    /// Its name.
    pub name: String,
    /// Further words for its script.
    pub arguments: Vec<String>,
}

impl InitScripts {
    fn script(&self) -> Option<PathBuf> {
        let path = PathBuf::from(FOLDER).join(&self.name);
        let runs = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
        (runs && !self.name.contains('/')).then_some(path)
    }

    fn need_script(&self) -> Result<PathBuf> {
        self.script().ok_or_else(|| Failure::new(format!("Could not find the requested service {}: host", self.name)))
    }

    fn is_linked(&self) -> bool {
        let folders = (2..=5).map(|level| PathBuf::from(format!("/etc/rc{level}.d")));
        let links = folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
        let names = links.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names
            .into_iter()
            .any(|link| link.strip_prefix('S').is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()) == self.name))
    }
}

impl Engine for InitScripts {
    fn is_running(&self, host: &Host) -> Result<bool> {
        let status = host.query(&host.command(self.need_script()?).arg("status"))?;
        Ok(status.succeeded())
    }

    fn is_enabled(&self, _host: &Host) -> Result<bool> {
        self.need_script()?;
        Ok(self.is_linked())
    }

    fn enable(&self, host: &Host, enabled: bool) -> Result<Command> {
        self.need_script()?;
        if let Some(program) = host.find_program("update-rc.d") {
            let command = host.command(program).arg(&self.name);
            return Ok(if enabled { command.arg("defaults") } else { command.arg("disable") });
        }
        if let Some(program) = host.find_program("chkconfig") {
            return Ok(host.command(program).arg(&self.name).arg(if enabled { "on" } else { "off" }));
        }
        Err(Failure::new(format!(
            "cannot enable or disable service `{}`: found neither `update-rc.d` nor `chkconfig` on the host",
            self.name
        )))
    }

    fn control(&self, host: &Host, action: Action) -> Result<Command> {
        Ok(host.command(self.need_script()?).arg(action.word()).args(&self.arguments))
    }

    fn enable_failed(&self, enabled: bool, output: &Output) -> Failure {
        let verb = if enabled { "enable" } else { "disable" };
        Failure::new(format!("Failed to {verb} service {}: {}", self.name, super::plain::said(output).message()))
    }

    fn control_failed(&self, _action: Action, output: &Output) -> Failure {
        super::plain::said(output)
    }
}

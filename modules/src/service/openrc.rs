//! OpenRC: `rc-service` and `rc-update`.

use super::{Action, Engine};
use crate::host::{Command, Output};
use crate::{Failure, Host, Result};

/// A service of OpenRC.
pub struct OpenRc {
    /// Its name.
    pub name: String,
    /// The runlevel in which it is to be enabled.
    pub runlevel: String,
    /// Further words for its script.
    pub arguments: Vec<String>,
}

impl Engine for OpenRc {
    fn is_running(&self, host: &Host) -> Result<bool> {
        // An init script's own `status` may print anything; the exit code is 0 only while the service runs.
        let status = host.query(&host.command(host.need_program("rc-service")?).args([&self.name, "status"]))?;
        Ok(status.succeeded())
    }

    fn is_enabled(&self, host: &Host) -> Result<bool> {
        let shown = host.query(&host.command(host.need_program("rc-update")?).arg("show"))?.or_fail(|output| output.stderr())?;
        Ok(is_in_runlevel(&shown.stdout(), &self.name, &self.runlevel))
    }

    fn enable(&self, host: &Host, enabled: bool) -> Result<Command> {
        let verb = if enabled { "add" } else { "delete" };
        Ok(host.command(host.need_program("rc-update")?).args([verb, &self.name, &self.runlevel]))
    }

    fn control(&self, host: &Host, action: Action) -> Result<Command> {
        Ok(host.command(host.need_program("rc-service")?).args([&self.name, action.word()]).args(&self.arguments))
    }

    fn enable_failed(&self, enabled: bool, output: &Output) -> Failure {
        let verb = if enabled { "add" } else { "delete" };
        Failure::new(format!("Error when trying to {verb} {}: rc={} {}", self.name, output.rc(), output.stderr()))
    }

    fn control_failed(&self, _action: Action, output: &Output) -> Failure {
        super::plain::said(output)
    }
}

/// Reads `rc-update show`: lines of `name | runlevel runlevel`.
fn is_in_runlevel(shown: &str, name: &str, runlevel: &str) -> bool {
    shown
        .lines()
        .filter_map(|line| line.split_once('|'))
        .any(|(service, runlevels)| service.trim() == name && runlevels.split_whitespace().any(|word| word == runlevel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runlevels_are_read() {
        let shown = "       bootlogs |      default       recovery       \n  cron |     default    \n  kmod |    sysinit\n";
        assert!(is_in_runlevel(shown, "bootlogs", "recovery"));
        assert!(is_in_runlevel(shown, "cron", "default"));
        assert!(!is_in_runlevel(shown, "kmod", "default"));
        assert!(!is_in_runlevel(shown, "cro", "default"));
    }
}

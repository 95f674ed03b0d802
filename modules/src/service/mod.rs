//! Services, whoever looks after them: what a service manager can be asked and told, which one a host has, and how a service is brought
//! to the wanted state. One file per engine; another one is a file here and a line in [`manager`].

mod initscript;
mod openrc;
mod plain;
pub mod systemd;

use std::path::Path;

use driftless_macros::Choice;

use crate::host::{Command, Output};
use crate::{Failure, Host, Result};

pub use initscript::InitScripts;
pub use openrc::OpenRc;
pub use plain::{Wanted, converge};

/// How a service is to be.
#[derive(Choice, Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Running, its configuration read anew.
    Reloaded,
    /// Running, from anew.
    Restarted,
    /// Running.
    Started,
    /// Not running.
    Stopped,
}

/// What a service manager is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run it.
    Start,
    /// End it.
    Stop,
    /// End it and run it.
    Restart,
    /// Let it read its configuration.
    Reload,
}

impl Action {
    /// The word that all service managers have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}

impl State {
    /// What has to be done, if anything, to a service that runs or does not.
    pub fn action(self, running: bool) -> Option<Action> {
        match (self, running) {
            (Self::Started, true) | (Self::Stopped, false) => None,
            (Self::Started | Self::Restarted | Self::Reloaded, false) => Some(Action::Start),
            (Self::Stopped, true) => Some(Action::Stop),
            (Self::Restarted, true) => Some(Action::Restart),
            (Self::Reloaded, true) => Some(Action::Reload),
        }
    }

    /// What it is called once reached.
    pub fn reached(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Started | Self::Restarted | Self::Reloaded => "started",
        }
    }
}

/// A service manager and one service of it.
pub trait Engine {
    /// Whether the service runs.
    fn is_running(&self, host: &Host) -> Result<bool>;
    /// Whether it is started at boot.
    fn is_enabled(&self, host: &Host) -> Result<bool>;
    /// The command that makes it start at boot, or not.
    fn enable(&self, host: &Host, enabled: bool) -> Result<Command>;
    /// The command that acts on it now.
    fn control(&self, host: &Host, action: Action) -> Result<Command>;
    /// The failure of an enabling that went wrong.
    fn enable_failed(&self, enabled: bool, output: &Output) -> Failure;
    /// The failure of an action that went wrong.
    fn control_failed(&self, action: Action, output: &Output) -> Failure;
}

/// The service managers that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// systemd runs as PID 1.
    Systemd,
    /// OpenRC started the host.
    OpenRc,
    /// Scripts in /etc/init.d, under an init of any kind.
    InitScripts,
}

/// Which service manager looks after this host now: who is PID 1 counts, not what is installed.
pub fn manager(host: &Host) -> Manager {
    if Path::new("/run/systemd/system").is_dir() && host.find_program("systemctl").is_some() {
        return Manager::Systemd;
    }
    let first = std::fs::read_to_string("/proc/1/comm").unwrap_or_default();
    let openrc = first.trim() == "openrc-init" || Path::new("/run/openrc").is_dir();
    if openrc && host.find_program("rc-service").is_some() { Manager::OpenRc } else { Manager::InitScripts }
}

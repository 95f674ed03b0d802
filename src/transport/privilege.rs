//! Who a task runs as. Which command line that takes and what its prompts and failures mean is known where it happens, in the
//! helper: `driftless_modules::privilege`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use driftless_modules::privilege::start;
use driftless_wire::{BecomeFailure, BecomeFailureKind};

use super::shell::{self, SplitError};
use super::{ConnectionError, Secret};
use crate::source::short_name;

/// How long a prompt, or the success after the password, may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// How to become another user. Two tasks with an equal one share a helper.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Become {
    /// `become_method`.
    pub method: Method,
    /// `become_user`.
    pub user: String,
    /// `become_password`.
    pub password: Option<Secret>,
    /// `become_exe`; `None`: the method's name, found on the host's `PATH`.
    pub exe: Option<String>,
    /// `become_flags`; `None`: the method's own.
    pub flags: Option<String>,
    /// What a line that asks for the password contains; none: what is known of the method.
    pub prompts: Vec<String>,
    /// The folder that the program is started in.
    pub chdir: Option<String>,
    /// How long a prompt, or the success after the password, may take.
    pub patience: Duration,
}

impl Become {
    /// `user` by sudo, without a password.
    pub fn sudo(user: impl Into<String>) -> Self {
        let (password, exe, flags, prompts, chdir) = (None, None, None, Vec::new(), None);
        Self { method: Method::Sudo, user: user.into(), password, exe, flags, prompts, chdir, patience: PATIENCE }
    }

    /// As the helper is told it.
    pub fn wired(&self) -> Result<driftless_wire::Become, BecomeFailure> {
        let split = self.flags.as_deref().map(shell::split).transpose();
        let flags = split.map_err(|error: SplitError| failed(format!("`become_flags` cannot be split into words: {error}")))?;
        Ok(driftless_wire::Become {
            method: self.method.name().to_owned(),
            user: self.user.clone(),
            password: self.password.as_ref().map(|password| password.reveal().to_owned()),
            exe: self.exe.clone(),
            flags,
            prompts: self.prompts.clone(),
            chdir: self.chdir.clone(),
        })
    }

    /// The command line that runs `command` as the other user, as people are shown it.
    pub fn command_line(&self, command: &str) -> Result<String, BecomeFailure> {
        let before = self.chdir.as_ref().map(|folder| format!("cd {} && ", shell::quote(folder))).unwrap_or_default();
        let start = start(&driftless_wire::Become { chdir: None, ..self.wired()? }, command, "PROMPT")?;
        Ok(before + &shell::join(start.argv.iter().map(String::as_str)))
    }
}

fn failed(message: String) -> BecomeFailure {
    BecomeFailure { kind: BecomeFailureKind::Other, message }
}

/// The become methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `sudo`.
    Sudo,
    /// `su`.
    Su,
    /// `doas`.
    Doas,
}

impl Method {
    /// Its name, which is also its program's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = ConnectionError;

    fn from_str(name: &str) -> Result<Self, ConnectionError> {
        match name.strip_prefix("community.general.").unwrap_or(short_name(name)) {
            "sudo" => Ok(Self::Sudo),
            "su" => Ok(Self::Su),
            "doas" => Ok(Self::Doas),
            _ => Err(ConnectionError::Unsupported(format!("become method `{name}` is not supported, expected `sudo`, `su` or `doas`"))),
        }
    }
}

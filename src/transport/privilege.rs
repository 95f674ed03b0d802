//! Who a task runs as. Which command line that takes and what its prompts and failures mean is known where it happens, in the
//! helper: `driftless_modules::privilege`. [`exec_as`] is for the commands that need no helper: `raw`.

use std::fmt;
use std::str::FromStr;

use std::time::Duration;

use driftless_modules::privilege::{PromptWatcher, Terminal, Verdict, start};
use driftless_wire::{BecomeFailure, BecomeFailureKind};
use thiserror::Error;

use super::shell::{self, SplitError};
use super::{Connection, ConnectionError, Deadline, ExecOutput, Exit, ReadEvent, Secret, StreamId};

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
    /// How long a prompt, or the success after the password, may take.
    pub patience: Duration,
}

impl Become {
    /// `user` by sudo, without a password.
    pub fn sudo(user: impl Into<String>) -> Self {
        Self { method: Method::Sudo, user: user.into(), password: None, exe: None, flags: None, prompts: Vec::new(), patience: PATIENCE }
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
        })
    }

    /// The command line that runs `command` as the other user, as people are shown it.
    pub fn command_line(&self, command: &str) -> Result<String, BecomeFailure> {
        let start = start(&self.wired()?, command, "PROMPT")?;
        Ok(shell::join(start.argv.iter().map(String::as_str)))
    }
}

/// Why a command did not run as the other user.
#[derive(Debug, Error)]
pub enum ExecAsError {
    /// The connection failed.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The other user could not be become.
    #[error("{}", .0.message)]
    Become(BecomeFailure),
}

/// Runs `command` to its end as another user, without a helper.
pub fn exec_as(
    connection: &mut dyn Connection,
    become_: &Become,
    command: &str,
    stdin: &[u8],
    deadline: Deadline,
) -> Result<ExecOutput, ExecAsError> {
    let wired = become_.wired().map_err(ExecAsError::Become)?;
    let nonce = nonce()?;
    let script = format!("echo {nonce}-started; {}", without_single_quotes(command));
    let plan = start(&wired, &script, &nonce).map_err(ExecAsError::Become)?;
    if plan.terminal != Terminal::None {
        let method = become_.method;
        return Err(ExecAsError::Become(failed(format!(
            "`{method}` with a password needs a terminal, which commands without a helper (`raw`) have not; use `sudo`"
        ))));
    }
    let stream = connection.spawn(&shell::join(plan.argv.iter().map(String::as_str)), deadline)?;
    let mut talk = Talk { connection, stream, output: ExecOutput { stdout: Vec::new(), stderr: Vec::new(), exit: Exit::Code(0) } };
    let result = match talk.until_started(PromptWatcher::new(&wired, &nonce), become_, &nonce, deadline.at_most(become_.patience)) {
        Ok(()) => talk.finish(stdin, deadline),
        Err(error) => Err(error),
    };
    let Talk { output, .. } = talk;
    connection.close_stream(stream);
    result.map(|exit| ExecOutput { exit, ..output })
}

fn failed(message: String) -> BecomeFailure {
    BecomeFailure { kind: BecomeFailureKind::Other, message }
}

/// A command of another user while it runs.
struct Talk<'a> {
    connection: &'a mut dyn Connection,
    stream: StreamId,
    output: ExecOutput,
}

impl Talk<'_> {
    /// Answers the prompt, and drops what was said before the command started.
    fn until_started(&mut self, mut watcher: PromptWatcher, become_: &Become, nonce: &str, deadline: Deadline) -> Result<(), ExecAsError> {
        let marker = format!("{nonce}-started\n");
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match self.connection.read(self.stream, &mut bytes, deadline)? {
                ReadEvent::Stdout(_) => self.output.stdout.append(&mut bytes),
                ReadEvent::Stderr(_) => match watcher.feed(&bytes) {
                    Verdict::Wait => {}
                    Verdict::SendPassword => {
                        let password = become_.password.as_ref().map_or("", Secret::reveal);
                        self.connection.send(self.stream, format!("{password}\n").as_bytes());
                    }
                    Verdict::Failed(failure) => return Err(ExecAsError::Become(failure)),
                },
                ReadEvent::Room => {}
                ReadEvent::Exit(exit) => return Err(ExecAsError::Become(watcher.ended(exit.code()))),
                ReadEvent::Timeout => return Err(ExecAsError::Become(watcher.timed_out(deadline.length().as_secs()))),
                ReadEvent::Woken => return Err(ConnectionError::Cancelled.into()),
            }
            let stdout = &mut self.output.stdout;
            if let Some(at) = stdout.windows(marker.len()).position(|window| window == marker.as_bytes()) {
                stdout.drain(..at + marker.len());
                return Ok(());
            }
        }
    }

    fn finish(&mut self, stdin: &[u8], deadline: Deadline) -> Result<Exit, ExecAsError> {
        self.connection.send(self.stream, stdin);
        self.connection.end_input(self.stream);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match self.connection.read(self.stream, &mut bytes, deadline)? {
                ReadEvent::Stdout(_) => self.output.stdout.append(&mut bytes),
                ReadEvent::Stderr(_) => self.output.stderr.append(&mut bytes),
                ReadEvent::Room => {}
                ReadEvent::Exit(exit) => return Ok(exit),
                ReadEvent::Timeout => return Err(ConnectionError::timeout("waiting for the command to end", deadline).into()),
                ReadEvent::Woken => return Err(ConnectionError::Cancelled.into()),
            }
        }
    }
}

/// The same command without `'`, which has to pass through two shells.
fn without_single_quotes(command: &str) -> String {
    if !command.contains('\'') {
        return command.to_owned();
    }
    let octal: String = command.bytes().map(|byte| format!("\\{byte:03o}")).collect();
    // A last character keeps the newlines at the end, which `$(…)` would take away.
    format!("c=\"$(printf \"{octal}x\")\"; eval \"${{c%x}}\"")
}

fn nonce() -> Result<String, ConnectionError> {
    let mut bytes = [0u8; 12];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| ConnectionError::system("getrandom", error))?;
    Ok(bytes.iter().fold("driftless-".to_owned(), |text, byte| format!("{text}{byte:02x}")))
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
        let short = ["ansible.builtin.", "ansible.legacy.", "community.general."];
        match short.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name) {
            "sudo" => Ok(Self::Sudo),
            "su" => Ok(Self::Su),
            "doas" => Ok(Self::Doas),
            _ => Err(ConnectionError::Unsupported(format!("become method `{name}` is not supported, expected `sudo`, `su` or `doas`"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Local;
    use super::*;

    /// A `sudo` that is a script: it asks on standard error as sudo does with `-S`.
    fn sudo(folder: &std::path::Path) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("sudo");
        let script = "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -p) prompt=$2; shift 2;; -u) user=$2; shift 2;; -n) quiet=1; shift;; -*) shift;; \
            *) break;; esac; done\n[ -n \"$quiet\" ] && [ $user = locked ] && { echo sudo: a password is required >&2; exit 1; }\n\
            if [ -z \"$quiet\" ]; then printf \"lecture\\n%s\" \"$prompt\" >&2; read -r word; [ \"$word\" = right ] || { \
            printf \"Sorry, try again.\\n%s\" \"$prompt\" >&2; sleep 9; }; fi\nexport BECOME=$user; exec \"$@\"\n";
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    #[test]
    fn a_command_runs_as_another_user() {
        let folder = tempfile::tempdir().unwrap();
        let run = |user: &str, password: Option<&str>, command: &str| {
            let exe = Some(sudo(folder.path()));
            let become_ = Become { exe, password: password.map(Secret::new), ..Become::sudo(user) };
            let mut local = Local::new(None).unwrap();
            exec_as(&mut local, &become_, command, b"input", Deadline::after(Duration::from_secs(20)))
        };
        for password in [None, Some("right")] {
            let output = run("app", password, "cat; echo '$BECOME' \"$BECOME\" it\\'s; echo e >&2; exit 3").unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "input$BECOME app it's\n");
            assert_eq!((&*output.stderr, output.exit), (&b"e\n"[..], Exit::Code(3)));
        }
        let kind = |error: ExecAsError| match error {
            ExecAsError::Become(failure) => failure.kind,
            ExecAsError::Connection(error) => panic!("{error}"),
        };
        assert_eq!(kind(run("app", Some("wrong"), "true").unwrap_err()), BecomeFailureKind::WrongPassword);
        assert_eq!(kind(run("locked", None, "true").unwrap_err()), BecomeFailureKind::PasswordMissing);
        let nowhere = Become { exe: Some("/nowhere/sudo".to_owned()), ..Become::sudo("app") };
        let mut local = Local::new(None).unwrap();
        let error = exec_as(&mut local, &nowhere, "true", b"", Deadline::after(Duration::from_secs(20))).unwrap_err();
        assert_eq!(kind(error), BecomeFailureKind::NoProgram);
    }
}

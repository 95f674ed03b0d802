//! Terminals for programs that read passwords from one: opened here, and made the program's by a process of its own, `terminal PATH
//! input|controlling PROGRAM ARGUMENTS`. That process leads the terminal's session and waits, so that the helper behind it is no
//! session leader and can leave the session: it must outlive the terminal to end its work in order.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// A new terminal.
pub struct Pty {
    /// Our side.
    pub master: OwnedFd,
    /// The path of the other side.
    pub path: String,
}

/// Opens a terminal that changes no byte and echoes nothing.
pub fn open() -> io::Result<Pty> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let path = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
    let mut attributes = tcgetattr(&master)?;
    attributes.make_raw();
    tcsetattr(&master, OptionalActions::Now, &attributes)?;
    Ok(Pty { master, path })
}

/// The process that gives the terminal to the program. Passes its exit code on.
pub fn run(arguments: &[String]) -> ExitCode {
    match try_run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.kind() == io::ErrorKind::NotFound => ExitCode::from(127),
        Err(error) => {
            // Its stderr is read by the login helper.
            let _ = rustix::io::write(rustix::stdio::stderr(), format!("could not use the terminal: {error}\n").as_bytes());
            ExitCode::from(126)
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the programs that change the user are no task's")]
fn try_run(arguments: &[String]) -> io::Result<u8> {
    let [path, kind, program, arguments @ ..] = arguments else { return Err(io::Error::other("arguments are missing")) };
    rustix::process::setsid()?;
    // The first terminal that a session's leader opens becomes the session's.
    let terminal = OpenOptions::new().read(true).write(true).open(path)?;
    let mut command = Command::new(program);
    command.args(arguments);
    if kind == "input" {
        command.stdin(Stdio::from(terminal.try_clone()?));
    }
    let status = command.status()?;
    Ok(status.code().or_else(|| status.signal().map(|signal| 128 + signal)).and_then(|code| u8::try_from(code).ok()).unwrap_or(255))
}

//! `ProxyCommand`: a child process whose standard streams are the connection.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::MemfdFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::super::ConnectionError;
use super::super::wake::timespec;

/// The running command; killed with all its children when dropped.
pub(super) struct ProxyChild {
    child: Child,
    command: String,
    /// What it says on standard error, for the message when it fails.
    said: File,
}

/// Starts `command` with the user's shell; gives our end of its streams.
pub(super) fn start(command: &str) -> Result<(OwnedFd, ProxyChild), ConnectionError> {
    let system = |call: &str| {
        let call = call.to_owned();
        move |error: std::io::Error| ConnectionError::system(call, error)
    };
    let (near, far) = UnixStream::pair().map_err(system("socketpair"))?;
    let said =
        rustix::fs::memfd_create("proxy-stderr", MemfdFlags::CLOEXEC).map_err(|error| ConnectionError::system("memfd_create", error))?;
    let said = File::from(said);
    let far_output = far.try_clone().map_err(system("dup"))?;
    let child = Command::new("/bin/sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::from(OwnedFd::from(far)))
        .stdout(Stdio::from(OwnedFd::from(far_output)))
        .stderr(Stdio::from(said.try_clone().map_err(system("dup"))?))
        .process_group(0)
        .spawn()
        .map_err(system("/bin/sh"))?;
    Ok((OwnedFd::from(near), ProxyChild { child, command: command.to_owned(), said }))
}

impl ProxyChild {
    /// Why the connection failed, if that is the command's fault: it said something, or ended. A command that is about to end has
    /// `patience` for it: the system closes its streams first, so that we may hear of those before there is anything to wait for.
    pub(super) fn failure(&mut self, patience: Duration) -> Option<ConnectionError> {
        if let Ok(ended) = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()) {
            let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&timespec(patience)));
        }
        let mut said = Vec::new();
        let _ = self.said.rewind();
        let _ = (&self.said).take(8192).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        let ended = self.child.try_wait().ok().flatten();
        let reason = match (said.trim().lines().last(), ended) {
            (Some(line), _) => line.to_owned(),
            (None, Some(status)) => format!("it ended with {status}"),
            (None, None) => return None,
        };
        Some(ConnectionError::Proxy { proxy: self.command.clone(), reason })
    }
}

impl Drop for ProxyChild {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        // Killed, so this does not take long.
        let _ = self.child.wait();
    }
}

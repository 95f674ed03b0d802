//! The system's `ssh` as a child process, for what libssh2 cannot do: security keys, Kerberos, certificates of host keys, forwarding.
//! Every command is a connection of its own. `ssh` ends with 255 when the transport fails, and its standard error tells why.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::process::Command;

use rustix::fs::{MemfdFlags, memfd_create};

use super::child::{ChildStream, Farewell};
use super::error::{HostKeyError, HostKeyProblem};
use super::ssh_config::user_words;
use super::stream::{self, Buffers, Engine};
use super::wake::{self, Wait};
use super::{Address, Connection, ConnectionError, Deadline, Exit, HostKeyPolicy, ReadEvent, Secret, StreamId, Waker, shell};

/// How much of what `ssh` says is kept for the message.
const KEPT: usize = 8 * 1024;

/// Runs commands with the system's `ssh`.
#[derive(Debug)]
pub(super) struct OpenSsh {
    host: String,
    user: String,
    port: u16,
    program: String,
    words: Vec<String>,
    /// A program in memory that answers `ssh`'s question for the password.
    answerer: Option<File>,
    streams: BTreeMap<StreamId, (ChildStream, Vec<u8>)>,
    next: u64,
    waker: Waker,
}

impl OpenSsh {
    pub(super) fn new(address: &Address, waker: &Waker) -> Result<Self, ConnectionError> {
        let answerer = match (&address.password, &address.private_key_passphrase) {
            (None, None) => None,
            (password, passphrase) => Some(answerer(password.as_ref(), passphrase.as_ref())?),
        };
        Ok(Self {
            host: address.host.clone(),
            user: address.user.clone().unwrap_or_default(),
            port: address.port.unwrap_or(22),
            program: address.ssh_executable.clone(),
            words: words(address, answerer.is_some())?,
            answerer,
            streams: BTreeMap::new(),
            next: 0,
            waker: waker.clone(),
        })
    }

    fn stream(&mut self, stream: StreamId) -> Result<&mut ChildStream, ConnectionError> {
        let closed = || ConnectionError::Closed("the stream was closed".to_owned());
        self.streams.get_mut(&stream).map(|(child, _)| child).ok_or_else(closed)
    }
}

/// The words before the command. What comes first counts, so ours do.
fn words(address: &Address, answers: bool) -> Result<Vec<String>, ConnectionError> {
    if address.host.starts_with('-') {
        return Err(ConnectionError::Config(format!("`{}` is no host name: it begins with `-`", address.host)));
    }
    let mut words: Vec<String> = vec!["-T".to_owned()];
    let mut option = |text: String| words.extend(["-o".to_owned(), text]);
    option("ControlPath=none".to_owned());
    option(if answers { "NumberOfPasswordPrompts=1".to_owned() } else { "BatchMode=yes".to_owned() });
    if let Some(user) = &address.user {
        option(format!("User={}", shell::quote(user)));
    }
    if let Some(port) = address.port {
        option(format!("Port={port}"));
    }
    match address.host_key_policy {
        // The user's own setting is told by their arguments and files; without one, a key that nobody knows is refused.
        HostKeyPolicy::Ask => {}
        HostKeyPolicy::Refuse => option("StrictHostKeyChecking=yes".to_owned()),
        HostKeyPolicy::AcceptNew => option("StrictHostKeyChecking=accept-new".to_owned()),
        HostKeyPolicy::Ignore => option("StrictHostKeyChecking=no".to_owned()),
    }
    if let Some(path) = &address.private_key_file {
        words.extend(["-i".to_owned(), path.display().to_string()]);
    }
    if !address.use_agent {
        words.extend(["-o".to_owned(), "IdentityAgent=none".to_owned()]);
    }
    words.extend(user_words(address)?);
    words.extend(["-o".to_owned(), format!("ConnectTimeout={}", address.connect_timeout.as_secs().max(1))]);
    words.extend(["--".to_owned(), address.host.clone()]);
    Ok(words)
}

/// A script in memory alone: no password is on a disk, an argument list or in an environment.
fn answerer(password: Option<&Secret>, passphrase: Option<&Secret>) -> Result<File, ConnectionError> {
    let fd = memfd_create("askpass", MemfdFlags::CLOEXEC).map_err(|error| ConnectionError::system("memfd_create", error))?;
    let mut file = File::from(fd);
    let mut script = "#!/bin/sh\ncase \"$1\" in\n".to_owned();
    for (pattern, secret) in [("*assphrase*", passphrase), ("*assword*", password)] {
        if let Some(secret) = secret {
            script.push_str(&format!("{pattern}) printf '%s\\n' {} ;;\n", shell::quote(secret.reveal())));
        }
    }
    script.push_str("*) exit 1 ;;\nesac\n");
    file.write_all(script.as_bytes()).map_err(|error| ConnectionError::system("write", error))?;
    Ok(file)
}

impl Connection for OpenSsh {
    fn spawn(&mut self, command: &str, _deadline: Deadline) -> Result<StreamId, ConnectionError> {
        let mut ssh = Command::new(&self.program);
        ssh.args(&self.words).arg(command);
        if let Some(answerer) = &self.answerer {
            let path = format!("/proc/{}/fd/{}", std::process::id(), answerer.as_raw_fd());
            ssh.env("SSH_ASKPASS", path).env("SSH_ASKPASS_REQUIRE", "force").env("DISPLAY", ":0");
        }
        let id = StreamId(self.next);
        self.next += 1;
        self.streams.insert(id, (ChildStream::start(ssh, Farewell::Grace)?, Vec::new()));
        Ok(id)
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8]) {
        if let Some((child, _)) = self.streams.get_mut(&stream) {
            child.buffers.queue(bytes);
        }
    }

    fn end_input(&mut self, stream: StreamId) {
        if let Some((child, _)) = self.streams.get_mut(&stream) {
            child.buffers.input_ended = true;
        }
    }

    fn unsent(&self, stream: StreamId) -> usize {
        self.streams.get(&stream).map_or(0, |(child, _)| child.buffers.unsent())
    }

    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, deadline: Deadline) -> Result<ReadEvent, ConnectionError> {
        let before = into.len();
        let event = stream::read(self, stream, into, deadline)?;
        let Some((_, said)) = self.streams.get_mut(&stream) else { return Ok(event) };
        if let ReadEvent::Stderr(_) = event {
            said.extend_from_slice(&into[before..]);
            let excess = said.len().saturating_sub(KEPT);
            said.drain(..excess);
        }
        if event == ReadEvent::Exit(Exit::Code(255)) {
            let said = String::from_utf8_lossy(said).into_owned();
            return Err(self.explain(&said));
        }
        Ok(event)
    }

    fn flush(&mut self, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError> {
        stream::flush(self, stream, deadline)
    }

    fn close_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    fn tend(&mut self) -> Result<(), ConnectionError> {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in ids {
            self.pump(id)?;
        }
        Ok(())
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn close(self: Box<Self>) {}
}

impl Engine for OpenSsh {
    fn buffers(&mut self, stream: StreamId) -> Result<&mut Buffers, ConnectionError> {
        Ok(&mut self.stream(stream)?.buffers)
    }

    fn pump(&mut self, stream: StreamId) -> Result<bool, ConnectionError> {
        self.stream(stream)?.pump()
    }

    fn wait(&mut self, stream: StreamId, deadline: Deadline) -> Result<Wait, ConnectionError> {
        let waker = self.waker.clone();
        wake::wait(&self.stream(stream)?.interest(), &waker, deadline)
    }
}

impl OpenSsh {
    /// What `ssh` meant.
    fn explain(&self, said: &str) -> ConnectionError {
        let (host, port) = (self.host.clone(), self.port);
        let last = said.trim().lines().last().unwrap_or("it ended with exit code 255 and said nothing").trim().to_owned();
        let has = |text: &str| said.contains(text);
        if has("Host key verification failed") || has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
            let problem = match (has("IDENTIFICATION HAS CHANGED"), has("REVOKED")) {
                (_, true) => HostKeyProblem::Revoked("known_hosts".to_owned()),
                (true, false) => HostKeyProblem::Changed(place(said).unwrap_or_else(|| "known_hosts".to_owned())),
                (false, false) => HostKeyProblem::Unknown,
            };
            let fingerprint =
                said.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap_or("an unknown key").trim_end_matches('.');
            let kind = ["ED25519", "ECDSA", "RSA"].into_iter().find(|kind| has(kind)).unwrap_or("").to_owned();
            return ConnectionError::HostKey(Box::new(HostKeyError { host, kind, fingerprint: fingerprint.to_owned(), problem }));
        }
        if let Some((_, methods)) = said.rsplit_once("Permission denied (") {
            let methods = methods.split(')').next().unwrap_or_default().to_owned();
            return ConnectionError::Auth { user: self.user.clone(), host, methods, detail: String::new() };
        }
        if has("Could not resolve hostname") {
            return ConnectionError::Resolve { host, reason: last.rsplit(": ").next().unwrap_or_default().to_owned() };
        }
        if has("Connection refused") {
            return ConnectionError::Refused { host, port };
        }
        if has("No route to host") || has("Network is unreachable") {
            return ConnectionError::NoRoute { host, port, reason: last.rsplit(": ").next().unwrap_or_default().to_owned() };
        }
        if has("Bad configuration option") || has("command-line line") || has("Bad owner or permissions on") {
            return ConnectionError::Config(last);
        }
        ConnectionError::Closed(last)
    }
}

/// `Offending ED25519 key in FILE:LINE`.
fn place(said: &str) -> Option<String> {
    said.lines().find(|line| line.starts_with("Offending "))?.split_once(" key in ").map(|(_, place)| place.trim().to_owned())
}

//! Connections: how bytes get to a managed host and back. A [`Connection`] runs command lines there and carries their standard
//! streams and exit codes; it knows no modules, no frames and no variables.
//!
//! | file | is |
//! |---|---|
//! | [`Address`], [`SessionKey`] | what a connection is made from, resolved by the floors above |
//! | [`Connection`] | the trait: streams of bytes, exit codes, deadlines, a wake-up from other threads |
//! | [`Transport`] | makes connections; holds what all of a run share |
//! | `ssh`, `openssh` | SSH in this process; the system's `ssh` for what that cannot do |
//! | `local`, `mock` | the connections that need no network |
//! | `ssh_config`, `known_hosts` | what the user's files say of a host |
//! | [`privilege`] | who a task runs as |
//! | [`ConnectionError`] | why a host is unreachable |
//! | [`shell`] | POSIX quoting and splitting |
//!
//! # One thread, both ways
//!
//! A stream is written and read by one thread without deadlock: [`Connection::send`] only queues, and every
//! [`Connection::read`] moves what it can in both directions before it sleeps, so a full pipe on one side never blocks the other.

mod address;
mod child;
mod connect;
mod error;
mod known_hosts;
mod local;
pub mod mock;
mod openssh;
pub mod privilege;
mod secret;
pub mod shell;
mod ssh;
mod ssh_config;
mod stream;
mod wake;

use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

pub use address::{Address, HostKeyPolicy, Plugin, SessionKey};
pub use connect::{Connected, Notice, Transport};
pub use error::{ConnectionError, HostKeyError, HostKeyProblem};
pub use local::Local;
pub use privilege::{Become, Method};
pub use secret::Secret;
pub use ssh::{Answer, HostKeyQuestion};
pub use wake::Waker;

/// How many queued bytes count as little: [`ReadEvent::Room`] tells that the queue of a stream has fallen to this.
pub const ROOM: usize = 32 * 1024;

/// How many bytes one stream holds for a caller who does not read, as in [`Connection::flush`]; then the host has to wait.
const HELD: usize = 64 * 1024 * 1024;

/// A way to run command lines on one host. One owner at a time; a [`Waker`] and [`Connection::poll_fd`] are all that others have.
pub trait Connection: Send {
    /// Starts `command` with the login's shell and gives the number of its streams. Several may run at once.
    fn spawn(&mut self, command: &str, deadline: Deadline) -> Result<StreamId, ConnectionError>;

    /// Queues bytes for the command's standard input. Never blocks; [`Connection::read`] and [`Connection::flush`] carry them.
    fn send(&mut self, stream: StreamId, bytes: &[u8]);

    /// Closes the command's standard input, once all that was queued has left.
    fn end_input(&mut self, stream: StreamId);

    /// How many queued bytes have not left yet.
    fn unsent(&self, stream: StreamId) -> usize;

    /// Waits for what comes next, writing queued bytes meanwhile. Output is *appended* to `into`. Output comes before
    /// [`ReadEvent::Exit`], and before the error when the transport is lost.
    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, deadline: Deadline) -> Result<ReadEvent, ConnectionError>;

    /// Writes until nothing is queued; output that comes meanwhile is kept for [`Connection::read`].
    fn flush(&mut self, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError>;

    /// Lets go of the streams. The command sees the end of its input; nothing waits for it.
    fn close_stream(&mut self, stream: StreamId);

    /// The upkeep of an idle connection: reads what is there, answers keepalives, sends ours. Never blocks, and tells when
    /// the connection is lost.
    fn tend(&mut self) -> Result<(), ConnectionError>;

    /// A descriptor that becomes readable when [`Connection::tend`] has something to do. `None`: nothing ever comes unasked.
    fn poll_fd(&self) -> Option<BorrowedFd<'_>>;

    /// Wakes a sleeping [`Connection::read`] from another thread, which then gives [`ReadEvent::Woken`].
    fn waker(&self) -> Waker;

    /// Ends the connection; what runs on the host only sees that its input ends.
    fn close(self: Box<Self>);

    /// Runs `command` to its end, with all of `stdin` for its input.
    fn exec(&mut self, command: &str, stdin: &[u8], deadline: Deadline) -> Result<ExecOutput, ConnectionError> {
        let stream = self.spawn(command, deadline)?;
        self.send(stream, stdin);
        self.end_input(stream);
        let mut output = ExecOutput { stdout: Vec::new(), stderr: Vec::new(), exit: Exit::Code(0) };
        let mut bytes = Vec::new();
        let result = loop {
            bytes.clear();
            match self.read(stream, &mut bytes, deadline) {
                Ok(ReadEvent::Stdout(_)) => output.stdout.append(&mut bytes),
                Ok(ReadEvent::Stderr(_)) => output.stderr.append(&mut bytes),
                Ok(ReadEvent::Room) => {}
                Ok(ReadEvent::Exit(exit)) => break Ok(exit),
                Ok(ReadEvent::Timeout) => break Err(ConnectionError::timeout("waiting for the command to end", deadline)),
                Ok(ReadEvent::Woken) => break Err(ConnectionError::Cancelled),
                Err(error) => break Err(error),
            }
        };
        self.close_stream(stream);
        output.exit = result?;
        Ok(output)
    }
}

/// The number of a running command's streams within its connection. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub(crate) u64);

/// What a read met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadEvent {
    /// So many bytes of standard output were appended.
    Stdout(usize),
    /// So many bytes of standard error were appended.
    Stderr(usize),
    /// What is queued has fallen to [`ROOM`] bytes: time to queue more. Told once each time.
    Room,
    /// The command has ended and all its output was given. Told again by every later read.
    Exit(Exit),
    /// The deadline came first.
    Timeout,
    /// Another thread used the [`Waker`].
    Woken,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// Killed by a signal, named without `SIG`: `KILL`.
    Signal(String),
}

impl Exit {
    /// Whether it is code 0.
    pub fn is_success(&self) -> bool {
        *self == Exit::Code(0)
    }

    /// As a shell would put it in `$?`: 128 and the signal's number when killed.
    pub fn code(&self) -> i32 {
        match self {
            Exit::Code(code) => *code,
            Exit::Signal(name) => 128 + wake::signal_number(name),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Code(code) => write!(formatter, "exit code {code}"),
            Exit::Signal(name) => write!(formatter, "signal SIG{name}"),
        }
    }
}

/// What a command gave, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
    /// How it ended.
    pub exit: Exit,
}

/// Until when a step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    from: Instant,
    until: Option<Instant>,
}

impl Deadline {
    /// So long from now.
    pub fn after(duration: Duration) -> Self {
        let from = Instant::now();
        Self { from, until: from.checked_add(duration) }
    }

    /// No deadline: a task may run for days, and a lost host is noticed by keepalives.
    pub fn never() -> Self {
        Self { from: Instant::now(), until: None }
    }

    /// The time left; `None`: no end.
    pub fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    /// Whether it has passed.
    pub fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// The earlier of this one and so long from now.
    #[must_use]
    pub fn at_most(&self, duration: Duration) -> Self {
        let until = Instant::now().checked_add(duration);
        Self { from: self.from, until: [self.until, until].into_iter().flatten().min() }
    }

    /// How long it was when it was set.
    pub(crate) fn length(&self) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(self.from))
    }
}

/// A deadline at a point in time.
impl From<Instant> for Deadline {
    fn from(until: Instant) -> Self {
        Self { from: Instant::now(), until: Some(until) }
    }
}

#[cfg(test)]
mod tests;

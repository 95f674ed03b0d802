//! Why a host could not be reached. Worded as `ssh` and Ansible word it, since that is what people search for.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::Deadline;

/// Why there is no connection, or no more. Each makes the host UNREACHABLE.
#[derive(Debug, Error)]
pub enum ConnectionError {
    /// Nobody accepted us.
    #[error("Failed to connect to the host via ssh: {user}@{host}: Permission denied ({methods}).{}", hint(.detail))]
    Auth {
        /// The user we wanted to be.
        user: String,
        /// The host that refused.
        host: String,
        /// The methods that the host offers, with commas.
        methods: String,
        /// What was tried, or why it could not be; empty when there is nothing to say.
        detail: String,
    },
    /// The host's key is not one that we trust.
    #[error("Failed to connect to the host via ssh: {0}")]
    HostKey(Box<HostKeyError>),
    /// Nobody listens there.
    #[error("Failed to connect to the host via ssh: ssh: connect to host {host} port {port}: Connection refused")]
    Refused {
        /// Whom we called.
        host: String,
        /// On which port.
        port: u16,
    },
    /// It took too long.
    #[error("Failed to connect to the host via ssh: timed out after {} s {during}", seconds(.after_seconds))]
    Timeout {
        /// What we were doing: `waiting for …`.
        during: String,
        /// How long we waited.
        after_seconds: f64,
    },
    /// The connection was there and is gone, or was closed before it was ready.
    #[error("Failed to connect to the host via ssh: {0}")]
    Closed(String),
    /// No way leads to the host.
    #[error("Failed to connect to the host via ssh: ssh: connect to host {host} port {port}: {reason}")]
    NoRoute {
        /// Whom we called.
        host: String,
        /// On which port.
        port: u16,
        /// What the system said: `No route to host`.
        reason: String,
    },
    /// The name has no address.
    #[error("Failed to connect to the host via ssh: ssh: Could not resolve hostname {host}: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The other side does not speak SSH, or none that we speak.
    #[error("Failed to connect to the host via ssh: {0}")]
    Handshake(String),
    /// The proxy command or the jump host failed.
    #[error("Failed to connect to the host via ssh: proxy `{proxy}`: {reason}")]
    Proxy {
        /// The jump host or the command.
        proxy: String,
        /// What went wrong.
        reason: String,
    },
    /// A setting of the connection is wrong.
    #[error("Failed to connect to the host via ssh: {0}")]
    Config(String),
    /// A private key could not be used although it was named.
    #[error("Failed to connect to the host via ssh: Load key \"{}\": {reason}", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something that driftless has not got.
    #[error("{0}")]
    Unsupported(String),
    /// The command could not be started on a living connection.
    #[error("the host refused to start the command: {0}")]
    Spawn(String),
    /// The control machine failed us.
    #[error("`{call}` failed on the control machine: {source}")]
    System {
        /// What we called.
        call: String,
        /// Why it failed.
        source: io::Error,
    },
    /// Another thread ended the wait.
    #[error("interrupted")]
    Cancelled,
}

impl ConnectionError {
    /// `during` took until its deadline: `waiting for …`.
    pub fn timeout(during: impl Into<String>, deadline: Deadline) -> Self {
        Self::Timeout { during: during.into(), after_seconds: deadline.length().as_secs_f64() }
    }

    pub(crate) fn system(call: impl Into<String>, error: impl Into<io::Error>) -> Self {
        Self::System { call: call.into(), source: error.into() }
    }

    /// Whether a new attempt may meet another answer: the host was busy or the network failed.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Timeout { .. } | Self::Closed(_) | Self::NoRoute { .. } => true,
            Self::Auth { .. }
            | Self::HostKey(_)
            | Self::Resolve { .. }
            | Self::Handshake(_)
            | Self::Proxy { .. }
            | Self::Config(_)
            | Self::Key { .. }
            | Self::Unsupported(_)
            | Self::Spawn(_)
            | Self::System { .. }
            | Self::Cancelled => false,
        }
    }
}

/// What is wrong with a host's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKeyError {
    /// The host as it stands in `known_hosts`.
    pub host: String,
    /// The key's kind as people call it: `ED25519`.
    pub kind: String,
    /// `SHA256:…`.
    pub fingerprint: String,
    /// What is wrong.
    pub problem: HostKeyProblem,
}

/// The three ways in which a host key is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKeyProblem {
    /// No file knows this host, and nobody said yes.
    Unknown,
    /// Another key is known: where, as `file:line`.
    Changed(String),
    /// The key is marked `@revoked`: where, as `file:line`.
    Revoked(String),
}

impl fmt::Display for HostKeyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, kind, fingerprint, problem } = self;
        match problem {
            HostKeyProblem::Unknown => write!(
                formatter,
                "Host key verification failed. No {kind} host key is known for {host} and you have requested strict checking; the host \
                 shows {fingerprint}. hint: compare it and add it to known_hosts (`ssh-keyscan`), or connect once with `ssh`"
            ),
            HostKeyProblem::Changed(place) => write!(
                formatter,
                "Host key verification failed. REMOTE HOST IDENTIFICATION HAS CHANGED: {host} shows the {kind} key {fingerprint}, \
                 but another one is known at {place}. hint: if the host was reinstalled, `ssh-keygen -R '{host}'` forgets the old key"
            ),
            HostKeyProblem::Revoked(place) => write!(
                formatter,
                "Host key verification failed. REVOKED HOST KEY: the {kind} key {fingerprint} of {host} is marked as revoked at {place}"
            ),
        }
    }
}

fn hint(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" hint: {detail}") }
}

fn seconds(seconds: &f64) -> String {
    if seconds.fract() < 0.05 { format!("{seconds:.0}") } else { format!("{seconds:.1}") }
}

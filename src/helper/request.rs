//! What is asked of a helper, what comes back, and why nothing came back.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use driftless_wire::{BecomeFailure, HelperEnd, Json};
use tempfile::NamedTempFile;
use thiserror::Error;

use crate::transport::ConnectionError;

/// A module to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name, without a collection.
    pub module: String,
    /// Its arguments, checked by its `Spec`.
    pub args: Json,
    /// Texts that must not be seen in logs, on an argv or in what comes back.
    pub secrets: Vec<String>,
    /// Change nothing, foretell.
    pub check: bool,
    /// Answer what differs.
    pub diff: bool,
    /// What the task's `environment` adds.
    pub environment: Vec<(String, String)>,
    /// How long it may take, from when its turn has come.
    pub timeout: Option<Duration>,
    /// Detach it; the reply says how to find it.
    pub async_job: Option<AsyncJob>,
    /// What goes with it; the module finds them by index.
    pub contents: Vec<Content>,
    /// The folder in which large contents that come back will stay: they are written there as they come.
    pub keeps_in: Option<PathBuf>,
}

impl Request {
    /// A plain request.
    pub fn new(module: impl Into<String>, args: Json) -> Self {
        Self {
            module: module.into(),
            args,
            secrets: Vec::new(),
            check: false,
            diff: false,
            environment: Vec::new(),
            timeout: None,
            async_job: None,
            contents: Vec::new(),
            keeps_in: None,
        }
    }
}

/// A content that goes with a request. Small ones travel with it, large ones when the module asks for them.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory: a rendered template.
    Bytes(Arc<[u8]>),
    /// A file of the control machine.
    File(PathBuf),
}

/// How to detach a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsyncJob {
    /// The limit, in seconds.
    pub seconds: u64,
    /// The folder of status files on the host: `~/.ansible_async`.
    pub dir: String,
}

/// What a module answered.
#[derive(Debug)]
pub struct Reply {
    /// Its result, as Ansible's.
    pub outcome: Json,
    /// The contents that it sent back; its result names them by index.
    pub contents: Vec<Returned>,
}

/// A content that came back.
#[derive(Debug)]
pub enum Returned {
    /// In memory.
    Bytes(Vec<u8>),
    /// Large: in a file without a name, read from its beginning.
    File(File),
    /// Large, in the folder that the request named: under a temporary name, removed if it is dropped.
    Named(NamedTempFile),
}

impl Returned {
    /// How many bytes.
    pub fn len(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata()?.len()),
            Self::Named(file) => Ok(file.as_file().metadata()?.len()),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Reads it from the beginning.
    pub fn into_reader(self) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Self::File(mut file) => {
                file.rewind()?;
                Ok(Box::new(file))
            }
            Self::Named(mut file) => {
                file.rewind()?;
                Ok(Box::new(file))
            }
        }
    }
}

/// Why a request has no reply.
#[derive(Clone, Debug, Error)]
pub enum RunError {
    /// There is no connection any more: UNREACHABLE.
    #[error(transparent)]
    Unreachable(Arc<ConnectionError>),
    /// No helper could be put on the host or started there.
    #[error("{0}")]
    Deploy(String),
    /// The other user could not be become. A prompt that never came is UNREACHABLE, all else is FAILED.
    #[error("{}", .0.message)]
    Become(BecomeFailure),
    /// The helper ended while it ran this request.
    #[error("the helper on the host ended by {} while it ran this task{}", .end.describe(), after_colon(.stderr))]
    HelperGone {
        /// How.
        end: HelperEnd,
        /// The last that it wrote to stderr.
        stderr: String,
    },
    /// The host does not speak our protocol.
    #[error("the helper on the host does not follow the protocol: {0}")]
    Protocol(String),
    /// The arguments cannot be sent.
    #[error("the arguments of `{module}` {problem}")]
    Arguments {
        /// The module.
        module: String,
        /// What is wrong with them.
        problem: String,
    },
    /// A file of the control machine that was to go along cannot be read.
    #[error("could not read `{}`: {cause}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Arc<io::Error>,
    },
    /// It took longer than its `timeout`, and was cancelled.
    #[error("timed out after {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// It was cancelled from elsewhere.
    #[error("cancelled")]
    Cancelled,
}

impl From<ConnectionError> for RunError {
    fn from(error: ConnectionError) -> Self {
        Self::Unreachable(Arc::new(error))
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

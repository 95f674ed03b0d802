//! What a module answers: Ansible's result dict, keys in the order they were set.

use std::fmt;

use crate::{Json, JsonMap};

/// A module's result, or why the task failed.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A result dict.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    map: JsonMap,
}

impl Outcome {
    /// A result that says whether something changed.
    pub fn new(changed: bool) -> Self {
        let mut map = JsonMap::new();
        map.insert("changed".to_owned(), Json::Bool(changed));
        Self { map }
    }

    /// Sets a key and gives the outcome back.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.set(key, value);
        self
    }

    /// Sets a key.
    pub fn set(&mut self, key: &str, value: impl Into<Json>) {
        self.map.insert(key.to_owned(), value.into());
    }

    /// Sets all keys of a map.
    pub fn extend(&mut self, map: JsonMap) {
        self.map.extend(map);
    }

    /// A key's value.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.map.get(key)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        self.map.shift_remove(key)
    }

    /// Whether it says that something changed.
    pub fn changed(&self) -> bool {
        self.map.get("changed").and_then(Json::as_bool).unwrap_or(false)
    }

    /// Says whether something changed.
    pub fn set_changed(&mut self, changed: bool) {
        self.set("changed", changed);
    }

    /// Whether the task failed.
    pub fn failed(&self) -> bool {
        self.map.get("failed").and_then(Json::as_bool).unwrap_or(false)
    }

    /// The dict.
    pub fn as_map(&self) -> &JsonMap {
        &self.map
    }

    /// The dict, to change it.
    pub fn as_map_mut(&mut self) -> &mut JsonMap {
        &mut self.map
    }

    /// The dict itself.
    pub fn into_map(self) -> JsonMap {
        self.map
    }
}

/// Why a task failed: a message, and what else its result says.
#[derive(Clone, Debug)]
pub struct Failure {
    message: String,
    /// What the system said, where it was the system that refused.
    cause: Option<String>,
    more: JsonMap,
}

impl Failure {
    /// A failure with Ansible's `msg`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), cause: None, more: JsonMap::new() }
    }

    /// A failure where Ansible's module ends by an exception that it does not expect, with the words that Ansible puts before it.
    pub fn raised(message: impl std::fmt::Display) -> Self {
        Self::new(format!("Task failed: Module failed: {message}"))
    }

    /// Adds a key to the failed task's result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.more.insert(key.to_owned(), value.into());
        self
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the system said (`[Errno 13] Permission denied`), or else the message.
    pub fn cause(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }

    /// The result dict of the failed task.
    pub fn into_outcome(self) -> Outcome {
        let mut outcome = Outcome::new(false);
        outcome.set("failed", true);
        outcome.set("msg", self.message);
        outcome.extend(self.more);
        outcome
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(errno_text(&error))
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(errno: rustix::io::Errno) -> Self {
        std::io::Error::from(errno).into()
    }
}

/// An error of the system as Python shows it: `[Errno 2] No such file or directory`.
pub fn errno_text(error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => {
            let text = error.to_string();
            let text = text.strip_suffix(&format!(" (os error {code})")).unwrap_or(&text);
            format!("[Errno {code}] {text}")
        }
        None => error.to_string(),
    }
}

/// Says what was being done when the system refused.
pub trait Context<T> {
    /// Puts `what` before the cause: `could not read \`/x\`: [Errno 13] Permission denied`.
    fn context(self, what: impl fmt::Display) -> Result<T>;
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| {
            let cause = errno_text(&error);
            Failure { message: format!("{what}: {cause}"), cause: Some(cause), more: JsonMap::new() }
        })
    }
}

impl<T> Context<T> for rustix::io::Result<T> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(std::io::Error::from).context(what)
    }
}

impl<T> Context<T> for Result<T> {
    fn context(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|mut failure| {
            failure.message = format!("{what}: {}", failure.message);
            failure
        })
    }
}

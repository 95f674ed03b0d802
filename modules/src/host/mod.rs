//! The one door between modules and the managed host. Looking is free; every effect goes through [`Host::change`], which records
//! what changes and does it only when not checking: so `changed`, `--check` and `--diff` are right by construction.

pub mod attributes;
mod cancel;
mod change;
pub mod checksum;
mod command;
mod contents;
mod door;
mod environment;
pub mod glob;
pub mod identity;
mod mask;
pub mod mode;
pub mod path;
mod replace;
mod scratch;
pub mod selinux;
pub mod time;
pub mod words;
mod xattr;

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use attributes::{FileCommon, FileDiff};
pub use cancel::Cancel;
pub use change::{Change, Diff};
use command::Surroundings;
pub use command::{Command, Output};
pub use contents::{Contents, NoContents, Sink};
pub use door::Door;
pub use environment::Environment;
pub use mask::Mask;
pub use replace::{Staged, Version, Write};
pub use scratch::{Scratch, ScratchFile, ScratchFolder};

use crate::{Failure, Json, JsonMap, Outcome, Result};

/// What a request brings along for its module.
pub struct Setup {
    /// Whether nothing may be changed.
    pub check: bool,
    /// Whether differences are to be shown.
    pub diff: bool,
    /// The task's environment, and the login's folder.
    pub environment: Environment,
    /// Texts that must not show in the result.
    pub secrets: Vec<String>,
    /// How the request is cancelled from another thread.
    pub cancel: Arc<Cancel>,
    /// The contents that came with the request.
    pub contents: Box<dyn Contents>,
    /// Where contents that go back are put.
    pub sink: Box<dyn Sink>,
}

impl Default for Setup {
    /// A real run in `/` without contents.
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            environment: Environment { added: Vec::new(), cwd: PathBuf::from("/") },
            secrets: Vec::new(),
            cancel: Arc::default(),
            contents: Box::new(NoContents),
            sink: Box::new(NoContents),
        }
    }
}

/// The managed host as a module sees it.
pub struct Host {
    check: bool,
    diff: bool,
    surroundings: Surroundings,
    mask: Mask,
    contents: Box<dyn Contents>,
    sink: Box<dyn Sink>,
    changes: Vec<Change>,
    warnings: Vec<String>,
    deprecations: Vec<Json>,
    tells_path_info: bool,
}

impl Host {
    /// The host of one request.
    pub fn new(setup: Setup) -> Self {
        Self {
            check: setup.check,
            diff: setup.diff,
            surroundings: Surroundings { environment: Arc::new(setup.environment), cancel: setup.cancel },
            mask: Mask::new(setup.secrets),
            contents: setup.contents,
            sink: setup.sink,
            changes: Vec::new(),
            warnings: Vec::new(),
            deprecations: Vec::new(),
            tells_path_info: true,
        }
    }

    /// Whether nothing may be changed. Needed only where a module cannot even find out what it would do; effects ask by themselves.
    pub fn is_checking(&self) -> bool {
        self.check
    }

    /// Whether differences are to be shown: making one may be dear.
    pub fn shows_diff(&self) -> bool {
        self.diff
    }

    /// Records a change and, when not checking, makes it. Nothing comes back where nothing was done.
    pub fn change<T>(&mut self, change: Change, effect: impl FnOnce(&Door) -> Result<T>) -> Result<Option<T>> {
        let done = self.unrecorded(effect)?;
        self.changes.push(change);
        Ok(done)
    }

    /// An effect that is not itself a change, such as a backup copy or a refreshed cache: made only when not checking.
    pub fn unrecorded<T>(&mut self, effect: impl FnOnce(&Door) -> Result<T>) -> Result<Option<T>> {
        if self.check {
            return Ok(None);
        }
        effect(&Door::of(&self.surroundings)).map(Some)
    }

    /// Writes what `open` gives beside its place, when not checking; the content may come over the wire, which needs the host itself.
    pub(crate) fn stage_with(
        &mut self,
        open: &mut dyn for<'h> FnMut(&'h mut Self) -> Result<Box<dyn Read + 'h>>,
        stage: impl FnOnce(&Door, &mut dyn Read) -> Result<Staged>,
    ) -> Result<Staged> {
        if self.check {
            return Err(Failure::new("nothing is written when checking"));
        }
        let surroundings = self.surroundings.clone();
        let mut reader = open(self)?;
        stage(&Door::of(&surroundings), &mut *reader)
    }

    /// A folder or file of the module's own, made and removed again also when checking: `validate` needs one.
    pub fn scratch(&self) -> Scratch<'_> {
        Scratch::of(&self.surroundings)
    }

    /// Runs a program that only looks. An exit code other than 0 is not an error.
    pub fn query(&self, command: &Command) -> Result<Output> {
        command.run()
    }

    /// A program whose output is read by the module: its messages are plain English.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        self.user_command(program).english()
    }

    /// A program that the user chose: in the login's own language.
    pub fn user_command(&self, program: impl AsRef<OsStr>) -> Command {
        Command::new(program.as_ref(), self.surroundings.clone())
    }

    /// Where a program is, in PATH and the folders of system programs.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        self.surroundings.environment.find_program(name)
    }

    /// Where a program is, or Ansible's failure.
    pub fn need_program(&self, name: &str) -> Result<PathBuf> {
        self.find_program(name).ok_or_else(|| {
            let path = self.surroundings.environment.get("PATH").unwrap_or_default();
            let paths = format!("{}:/sbin:/usr/sbin:/usr/local/sbin", path.to_string_lossy());
            Failure::new(format!("Failed to find required executable \"{name}\" in paths: {paths}"))
        })
    }

    /// The environment of the task.
    pub fn environment(&self) -> &Environment {
        &self.surroundings.environment
    }

    /// Whether the request was asked to end: loops ask now and then.
    pub fn is_cancelled(&self) -> bool {
        self.surroundings.cancel.is_cancelled()
    }

    /// Adds a warning to the result.
    pub fn warn(&mut self, warning: impl Into<String>) {
        let warning = warning.into();
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Adds a deprecation to the result.
    pub fn deprecate(&mut self, message: impl Into<String>, version: &str) {
        let mut map = JsonMap::new();
        map.insert("msg".to_owned(), Json::String(message.into()));
        map.insert("version".to_owned(), Json::from(version));
        self.deprecations.push(Json::Object(map));
    }

    /// Leaves out of the result what the file that it names is: for an answer that Ansible gives without asking the module.
    pub fn tell_no_path_info(&mut self) {
        self.tells_path_info = false;
    }

    /// The contents that came with the request.
    pub fn contents(&mut self) -> &mut dyn Contents {
        &mut *self.contents
    }

    /// Where contents that go back are put.
    pub fn sink(&mut self) -> &mut dyn Sink {
        &mut *self.sink
    }

    /// A text that must not show in the result, such as a password that the module made.
    pub fn hide(&mut self, secret: impl Into<String>) {
        self.mask.add(secret.into());
    }

    /// The changes so far.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The result so far: whether something changed, and the differences where they are to be shown.
    pub fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::new(!self.changes.is_empty());
        if self.diff {
            let mut diffs: Vec<Json> = self.changes.iter().filter_map(|change| change.diff.clone()).map(Diff::into_json).collect();
            match diffs.len() {
                0 => {}
                1 => outcome.set("diff", diffs.remove(0)),
                _ => outcome.set("diff", Json::Array(diffs)),
            }
        }
        outcome
    }

    /// Ansible's answer of a module that cannot foretell: the task is skipped.
    pub(crate) fn skipped_in_check_mode(&self, module: &str) -> Outcome {
        Outcome::new(false).with("skipped", true).with("msg", format!("remote module ({module}) does not support check mode"))
    }

    /// What every result gets at its end: warnings, the state of the file it names, and no secrets.
    pub(crate) fn finish(&mut self, mut outcome: Outcome) -> Outcome {
        if self.tells_path_info {
            attributes::add_path_info(&mut outcome, &self.surroundings.environment);
        }
        if !self.warnings.is_empty() {
            outcome.set("warnings", std::mem::take(&mut self.warnings));
        }
        if !self.deprecations.is_empty() {
            outcome.set("deprecations", std::mem::take(&mut self.deprecations));
        }
        self.mask.map(outcome.as_map_mut());
        outcome
    }

    /// A path of the task from the root.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.surroundings.environment.absolute(path)
    }
}

//! The laws that every module keeps, run in its tests: checking changes nothing and foretells what a run changes, a second run changes
//! nothing, unknown options are refused, secrets do not show.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::host::{Change, Environment, Setup};
use crate::registry::{self, ErasedModule};
use crate::spec::Support;
use crate::{Host, Json, Outcome};

/// A module, a folder of its own to work in, and fake tools on its PATH.
pub struct Law {
    module: &'static ErasedModule,
    folder: TempDir,
    contents: Vec<Vec<u8>>,
}

/// What a run of a module came to.
pub struct Ran {
    /// Its result.
    pub outcome: Outcome,
    /// The changes it recorded.
    pub changes: Vec<Change>,
    /// The contents that it sent back.
    pub sent: Vec<Vec<u8>>,
}

impl Law {
    /// The laws of the module `name`.
    #[track_caller]
    pub fn of(name: &str) -> Self {
        let module = registry::find(name).unwrap_or_else(|| panic!("no module `{name}`"));
        Self { module, folder: tempfile::tempdir().unwrap(), contents: Vec::new() }
    }

    /// Gives the module contents, as an action would.
    pub fn with_contents(mut self, contents: &[&[u8]]) -> Self {
        self.contents = contents.iter().map(|content| content.to_vec()).collect();
        self
    }

    /// A path in the folder, as text.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a file, and the folders it is in.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Makes a folder.
    pub fn mkdir(&self, name: &str) {
        fs::create_dir_all(self.folder.path().join(name)).unwrap();
    }

    /// Makes a symlink.
    pub fn symlink(&self, target: &str, name: &str) {
        std::os::unix::fs::symlink(target, self.folder.path().join(name)).unwrap();
    }

    /// Sets permissions.
    pub fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a program of this shell text on the module's PATH, before all others. `$WORLD` is a folder where it may keep its state.
    pub fn tool(&self, name: &str, script: &str) {
        self.write(&format!("tools/{name}"), format!("#!/bin/sh\n{script}\n"));
        self.chmod(&format!("tools/{name}"), 0o755);
    }

    /// The text of a file.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The permissions of a file.
    #[track_caller]
    pub fn mode(&self, name: &str) -> u32 {
        self.folder.path().join(name).symlink_metadata().unwrap().mode() & 0o7777
    }

    /// All laws at once for a task that has work to do: checking changes nothing and foretells, the run makes `expected` (pairs of kind
    /// and object; `…/` at an object's beginning stands for the folder), the second run makes none. Gives back what the run came to.
    #[track_caller]
    pub fn converges(&self, args: Json, expected: &[(&str, &str)]) -> Ran {
        let before = self.snapshot();
        let foretold = self.run(args.clone(), Mode::Check);
        assert!(!foretold.outcome.failed(), "checking failed: {:?}", foretold.outcome);
        assert_eq!(before, self.snapshot(), "checking changed something");
        let ran = self.run(args.clone(), Mode::Real);
        assert!(!ran.outcome.failed(), "the run failed: {:?}", ran.outcome);
        let names = |changes: &[Change]| -> Vec<(String, String)> {
            changes.iter().map(|change| (change.kind.to_owned(), change.object.replace(&self.path(""), "…/"))).collect()
        };
        let expected: Vec<(String, String)> = expected.iter().map(|(kind, object)| ((*kind).to_owned(), (*object).to_owned())).collect();
        assert_eq!(names(&ran.changes), expected, "the run's changes");
        assert_eq!(ran.outcome.changed(), !expected.is_empty(), "`changed` of the run");
        if self.module.spec().check == Support::Full {
            let foretold_names = names(&foretold.changes);
            // Attributes of what is not there yet cannot be compared: they belong to its making.
            for change in &foretold_names {
                assert!(expected.contains(change), "checking foretold {change:?}");
            }
            assert_eq!(foretold.outcome.changed(), ran.outcome.changed(), "checking foretold `changed`");
        }
        let again = self.run(args, Mode::Real);
        assert!(!again.outcome.failed(), "the second run failed: {:?}", again.outcome);
        assert!(!again.outcome.changed(), "the second run changed {:?}", again.changes);
        ran
    }

    /// A task that has nothing to do. Gives back its result.
    #[track_caller]
    pub fn unchanged(&self, args: Json) -> Outcome {
        let before = self.snapshot();
        let ran = self.run(args, Mode::Real);
        assert!(!ran.outcome.failed(), "{:?}", ran.outcome);
        assert!(!ran.outcome.changed(), "changed {:?}", ran.changes);
        assert_eq!(before, self.snapshot(), "something changed");
        ran.outcome
    }

    /// A task that fails; its message holds `message`.
    #[track_caller]
    pub fn fails(&self, args: Json, message: &str) -> Outcome {
        let ran = self.run(args, Mode::Real);
        assert!(ran.outcome.failed(), "did not fail: {:?}", ran.outcome);
        let said = ran.outcome.get("msg").and_then(Json::as_str).unwrap_or_default();
        assert!(said.contains(message), "said {said:?}, not {message:?}");
        ran.outcome
    }

    /// One run; the arguments are checked first, and unknown ones are seen to be refused.
    #[track_caller]
    pub fn run(&self, args: Json, mode: Mode) -> Ran {
        let Json::Object(args) = args else { panic!("arguments are a dict") };
        let spec = self.module.spec();
        let mut wrong = args.clone();
        wrong.insert("no_such_option".to_owned(), Json::Null);
        assert!(spec.check_own(spec.name, &wrong).is_err(), "`{}` takes unknown options", spec.name);
        let checked = spec.check(&args).unwrap_or_else(|errors| panic!("{errors:?}"));
        let secrets = checked.secrets.clone();
        let mut host = Host::new(Setup {
            check: mode != Mode::Real && mode != Mode::RealDiff,
            diff: mode != Mode::Real,
            environment: self.environment(),
            secrets: checked.secrets,
            contents: Box::new(self.contents.clone()),
            sink: Box::new(Sent(self.folder.path().join("sent"))),
            ..Setup::default()
        });
        let outcome = self.module.run(checked.args, &mut host);
        let shown = Json::Object(outcome.as_map().clone()).to_string();
        for secret in secrets {
            assert!(!shown.contains(&secret), "the result shows a secret: {shown}");
        }
        let sent = (0..).map_while(|index| fs::read(self.folder.path().join(format!("sent{index}"))).ok()).collect();
        Ran { outcome, changes: host.changes().to_vec(), sent }
    }

    fn environment(&self) -> Environment {
        let path = format!("{}:{}", self.path("tools"), std::env::var("PATH").unwrap_or_default());
        Environment { added: vec![("PATH".to_owned(), path), ("WORLD".to_owned(), self.path("world"))], cwd: self.folder.path().to_owned() }
    }

    /// Everything in the folder: path, kind, permissions, owner, size, time, content.
    fn snapshot(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        look(self.folder.path(), &mut found);
        found.sort();
        found
    }
}

/// How a module is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// For real.
    Real,
    /// For real, with `--diff`.
    RealDiff,
    /// With `--check --diff`.
    Check,
}

/// Keeps what a module sends back as files.
struct Sent(PathBuf);

impl crate::host::Sink for Sent {
    fn send(&mut self, content: &mut dyn std::io::Read) -> std::io::Result<usize> {
        let name = |index: usize| PathBuf::from(format!("{}{index}", self.0.display()));
        let index = (0..).find(|index| !name(*index).exists()).unwrap();
        std::io::copy(content, &mut fs::File::create(name(index))?)?;
        Ok(index)
    }
}

fn look(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.path().symlink_metadata().unwrap();
        let content = if metadata.is_symlink() {
            format!("-> {:?}", entry.path().read_link().unwrap())
        } else if metadata.is_dir() {
            look(&entry.path(), found);
            String::new()
        } else if metadata.is_file() {
            String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned()
        } else {
            String::new()
        };
        let what =
            format!("{:o} {} {} {}.{} {content}", metadata.mode(), metadata.uid(), metadata.gid(), metadata.mtime(), metadata.mtime_nsec());
        found.push((entry.path(), what));
    }
}

//! Files and folders that a module makes for itself and removes again, also when checking: no change of the host's.

use std::path::{Path, PathBuf};

use super::Door;
use super::command::Surroundings;
use crate::Result;

/// Makes them.
pub struct Scratch<'a> {
    door: Door<'a>,
}

impl<'a> Scratch<'a> {
    pub(super) fn of(surroundings: &'a Surroundings) -> Self {
        Self { door: Door::of(surroundings) }
    }

    /// A private file with this content in `folder`, for a program to look at; it is removed with what comes back.
    pub fn file(&self, folder: Option<&Path>, content: &[u8]) -> Result<ScratchFile> {
        let folder = folder.map_or_else(std::env::temp_dir, Path::to_owned);
        self.door.private_file(&folder, ".ansible_tmp", content).map(|path| ScratchFile { path })
    }

    /// A private folder in `parent`, which is made if it is missing; it is removed with what comes back.
    pub fn folder(&self, parent: &Path, prefix: &str) -> Result<ScratchFolder> {
        self.door.create_dir_all(parent)?;
        self.door.create_temp_dir(parent, prefix, "").map(|path| ScratchFolder { path })
    }
}

/// A file that is removed when it is dropped.
pub struct ScratchFile {
    path: PathBuf,
}

impl ScratchFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFile {
    #[expect(clippy::disallowed_methods, reason = "the door for files")]
    fn drop(&mut self) {
        // It may have been moved away by the program that looked at it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A folder that is removed with all that is in it when it is dropped.
pub struct ScratchFolder {
    path: PathBuf,
}

impl ScratchFolder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // What a program left there against its owner's will stays.
        let _ = Door::of(&Surroundings::default()).remove_tree(&self.path);
    }
}

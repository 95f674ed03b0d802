//! What the login left us with: the folder and the environment that the programs of tasks start with.

use std::path::PathBuf;

use rustix::fs::{Access, access};

/// What was noted at the start.
pub struct Login {
    /// The folder that programs start in.
    pub cwd: PathBuf,
    /// Of the value of `LC_ALL` at the start, where it was set.
    pub lc_all: Option<String>,
}

impl Login {
    /// Notes where we are, and goes to `/`, so that no file system is kept busy.
    pub fn note() -> Self {
        let cwd = folder();
        // `/` is always there; if it may not be entered, staying is as good.
        let _ = rustix::process::chdir("/");
        Self { cwd, lc_all: std::env::var("LC_ALL").ok() }
    }
}

/// The current folder; a user who may not read it (that of the login, after becoming another) gets the own home, or else /tmp, as Ansible does it.
fn folder() -> PathBuf {
    let usable = |path: &PathBuf| access(path, Access::READ_OK | Access::EXEC_OK).is_ok();
    let here = std::env::current_dir().ok();
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    here.filter(usable).or_else(|| home.filter(usable)).unwrap_or_else(|| PathBuf::from("/tmp"))
}

//! The environment of a task: the login's, and what the task adds.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::identity;

/// Variables, and the folder that relative paths start from.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// What the task's `environment` adds, later entries win.
    pub added: Vec<(String, String)>,
    /// The folder that the login started in; relative paths start here.
    pub cwd: PathBuf,
}

impl Environment {
    /// A variable's value.
    pub fn get(&self, name: &str) -> Option<OsString> {
        self.added.iter().rev().find(|(added, _)| added == name).map(|(_, value)| value.into()).or_else(|| std::env::var_os(name))
    }

    /// All variables as a child process gets them.
    pub fn all(&self) -> Vec<(OsString, OsString)> {
        let mut all: Vec<(OsString, OsString)> =
            std::env::vars_os().filter(|(name, _)| !self.added.iter().any(|(added, _)| OsStr::new(added) == name)).collect();
        for (index, (name, value)) in self.added.iter().enumerate() {
            if !self.added[index + 1..].iter().any(|(later, _)| later == name) {
                all.push((name.into(), value.into()));
            }
        }
        all
    }

    /// The home of the user that the helper runs as.
    pub fn home(&self) -> Option<PathBuf> {
        let from_passwd = || identity::user_by_id(rustix::process::geteuid().as_raw()).map(|user| user.home.into());
        self.get("HOME").filter(|home| !home.is_empty()).or_else(from_passwd).map(PathBuf::from)
    }

    /// A path as written in a task: `~`, `~user`, `$NAME` and `${NAME}` expanded, relative paths as they are.
    pub fn expand_path(&self, path: &str) -> PathBuf {
        PathBuf::from(self.expand_variables(&self.expand_user(path)))
    }

    /// `path` from the root, whether written so or relative to where the login started.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        // An empty path is nowhere, not here.
        if path.is_absolute() || path.as_os_str().is_empty() { path.to_owned() } else { self.cwd.join(path) }
    }

    /// Python's `os.path.expanduser`.
    pub fn expand_user(&self, path: &str) -> String {
        let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
        let (name, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let home = if name.is_empty() { self.home() } else { identity::user_by_name(name).map(|user| PathBuf::from(user.home)) };
        match home {
            Some(home) => {
                let home = home.to_string_lossy();
                let home = home.trim_end_matches('/');
                let whole = format!("{home}{rest}");
                if whole.is_empty() { "/".to_owned() } else { whole }
            }
            None => path.to_owned(),
        }
    }

    /// Python's `os.path.expandvars`: unknown variables stay as they are.
    pub fn expand_variables(&self, text: &str) -> OsString {
        let mut expanded: Vec<u8> = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            expanded.extend_from_slice(&rest.as_bytes()[..at]);
            let after = &rest[at + 1..];
            let (name, length) = match after.strip_prefix('{') {
                Some(inner) => match inner.find('}') {
                    Some(end) => (&inner[..end], end + 2),
                    None => ("", 0),
                },
                None => {
                    let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(after.len());
                    (&after[..end], end)
                }
            };
            match self.get(name).filter(|_| !name.is_empty()) {
                Some(value) => expanded.extend_from_slice(value.as_bytes()),
                None => expanded.extend_from_slice(&rest.as_bytes()[at..at + 1 + length]),
            }
            rest = &after[length..];
        }
        expanded.extend_from_slice(rest.as_bytes());
        OsString::from_vec(expanded)
    }

    /// The program `name` in PATH and in the folders of system programs, as Ansible looks for it.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        let is_program = |path: &Path| {
            path.metadata().is_ok_and(|metadata| metadata.is_file()) && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
        };
        if name.contains('/') {
            let path = self.absolute(Path::new(name));
            return is_program(&path).then_some(path);
        }
        let path = self.get("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
        let system = ["/sbin", "/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        std::env::split_paths(&path)
            .filter(|folder| !folder.as_os_str().is_empty())
            .chain(system)
            .map(|folder| self.absolute(&folder).join(name))
            .find(|path| is_program(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_homes_are_expanded() {
        let environment = Environment { added: vec![("A".into(), "x".into()), ("HOME".into(), "/h/".into())], cwd: PathBuf::from("/w") };
        let check = |path: &str, expected: &str| assert_eq!(environment.expand_path(path), PathBuf::from(expected));
        check("$A/${A}y/$NOPE_NOPE/$", "x/xy/$NOPE_NOPE/$");
        check("~/a", "/h/a");
        check("~", "/h");
        check("~nobody-here/a", "~nobody-here/a");
        check("${A", "${A");
        assert_eq!(environment.absolute(Path::new("a")), PathBuf::from("/w/a"));
        assert_eq!(environment.absolute(Path::new("")), PathBuf::new());
    }
}

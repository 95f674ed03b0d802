//! The `Host` lines of configuration files: which hosts are alike to them, and which settings are named at all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::tokens::home;
use super::words::setting;
use crate::transport::known_hosts::matches_list;
use crate::transport::shell;

/// How deep files include others.
const MOST_DEEP: usize = 16;

/// The `Host` lines of the configuration files.
#[derive(Debug, Default)]
pub(super) struct ConfigFiles {
    pub(super) exist: bool,
    pub(super) hosts: Vec<String>,
    /// A `Match` may ask anything, also a program.
    pub(super) has_match: bool,
    /// The settings that some line has, in lower case, and files that were not read.
    pub(super) named: BTreeSet<String>,
}

impl ConfigFiles {
    pub(super) fn read(config_file: Option<&Path>) -> Self {
        let mut files = Self::default();
        let home = home();
        match config_file {
            Some(path) if path == Path::new("none") => {}
            Some(path) => files.read_file(path, &home.join(".ssh"), 0),
            None => {
                files.read_file(&home.join(".ssh/config"), &home.join(".ssh"), 0);
                files.read_file(Path::new("/etc/ssh/ssh_config"), Path::new("/etc/ssh"), 0);
            }
        }
        files
    }

    fn read_file(&mut self, path: &Path, folder: &Path, depth: usize) {
        let Ok(bytes) = std::fs::read(path) else { return };
        self.exist = true;
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim();
            let (key, value) = setting(line);
            match key.as_str() {
                "match" if value.trim() != "all" => self.has_match = true,
                "host" => self.hosts.push(value.split_ascii_whitespace().collect::<Vec<_>>().join(",")),
                // What is included where is not followed here: only which names matter.
                "include" if depth < MOST_DEEP => {
                    for pattern in shell::split(value).unwrap_or_default() {
                        self.include(&pattern, folder, depth);
                    }
                }
                _ => {}
            }
            self.named.insert(if key == "include" && depth >= MOST_DEEP { line.to_owned() } else { key });
        }
    }

    fn include(&mut self, pattern: &str, folder: &Path, depth: usize) {
        let pattern = match pattern.strip_prefix("~/") {
            Some(rest) => home().join(rest),
            None => folder.join(pattern),
        };
        let (Some(parent), Some(name)) = (pattern.parent(), pattern.file_name()) else { return };
        if parent.to_string_lossy().contains(['*', '?', '[']) || name.to_string_lossy().contains('[') {
            // Too clever for us: every host is asked for by itself, and what is named there is not known.
            self.has_match = true;
            self.named.insert(pattern.to_string_lossy().into_owned());
            return;
        }
        let Ok(entries) = std::fs::read_dir(parent) else { return };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|file| matches_list(&name.to_string_lossy(), &file.to_string_lossy())) {
                self.read_file(&path, folder, depth + 1);
            }
        }
    }

    /// Which `Host` lines match; `None` when more than they may decide.
    pub(super) fn matching_lines(&self, host: &str) -> Option<Vec<bool>> {
        let host = host.to_lowercase();
        (!self.has_match).then(|| self.hosts.iter().map(|patterns| matches_list(patterns, &host)).collect())
    }
}

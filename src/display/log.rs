//! The log: what is shown, in a file, each with its time and who ran it.

use std::fs::File;
use std::io::Write;
use std::path::Path;

/// A file that is added to.
#[derive(Debug)]
pub struct Log {
    file: File,
    user: String,
}

/// How grave an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What is shown on stdout.
    Info,
    /// A warning.
    Warning,
    /// A mistake.
    Error,
}

impl Log {
    /// Opens the file, or makes it.
    pub fn open(path: &Path, user: &str) -> std::io::Result<Self> {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, user: user.to_owned() })
    }

    /// Adds an entry; blank ones are left out.
    pub fn add(&mut self, level: Level, text: &str) {
        let text = without_colours(text.trim_start_matches('\n'));
        if text.trim().is_empty() {
            return;
        }
        let level = match level {
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
        };
        let now = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f");
        // A full disk must not end the run.
        let _ = writeln!(self.file, "{now} p={} u={} n=ansible {level}| {text}", std::process::id(), self.user);
    }
}

fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

//! Folders as sources: which of their files are inventories, and in which order.

use std::path::{Path, PathBuf};

use super::SourceOptions;
use crate::template::python::regex::{self, Anchor, Flags};

/// Names that are never inventories: variable files, plugins, what is hidden.
const NEVER: &[&str] = &["host_vars", "group_vars", "vars_plugins"];

/// What is to be read in a folder, by name.
pub(super) fn entries(path: &Path, options: &SourceOptions) -> Result<Vec<PathBuf>, String> {
    let patterns = options.ignore_patterns.iter().map(|pattern| {
        regex::compile(pattern, Flags::default(), Anchor::Anywhere)
            .map_err(|error| format!("the pattern `{pattern}` of `[inventory] ignore_patterns` is wrong: {error}"))
    });
    let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
    let mut names: Vec<_> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    names.retain(|name| {
        let text = name.to_string_lossy();
        let is_ignored = text.starts_with('.')
            || NEVER.contains(&&*text)
            || options.ignore_extensions.iter().any(|ending| text.ends_with(ending))
            || patterns.iter().any(|pattern| pattern.is_match(&text).unwrap_or(false));
        !is_ignored
    });
    Ok(names.iter().map(|name| path.join(name)).collect())
}

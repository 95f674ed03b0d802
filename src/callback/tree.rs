//! `tree`: the last result of each host, in a file of its name.

use std::path::PathBuf;

use super::{Callback, Options};
use crate::display::Display;
use crate::event::{Event, TaskResult};
use crate::value::{Layout, Map, Value, dump};

/// The callback.
pub(super) struct Tree {
    folder: PathBuf,
    verbosity: u8,
}

impl Tree {
    pub(super) fn new(options: &Options) -> Self {
        Self { folder: options.tree.clone(), verbosity: options.verbosity }
    }

    fn write(&self, result: &TaskResult) -> std::io::Result<()> {
        let hidden = |key: &str| {
            matches!(key, "exception" | "diff" | "warnings" | "deprecations" | "failed" | "skipped" | "skip_reason")
                || key.starts_with("_ansible_")
        };
        let kept: Map = result
            .result
            .iter()
            .filter(|(key, _)| !key.as_str().is_some_and(hidden))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        std::fs::create_dir_all(&self.folder)?;
        let layout = if self.verbosity > 2 || super::dump::always_verbose(&result.result) { Layout::Indent(4) } else { Layout::Line };
        // The name of a host is the user's own, and still no path out of the folder.
        std::fs::write(self.folder.join(result.host.replace('/', "_")), dump(&Value::map(kept), layout))
    }
}

impl Callback for Tree {
    fn event(&mut self, event: &Event, display: &mut Display) {
        if let Event::Result(result) = event
            && let Err(error) = self.write(result)
        {
            display.warning(&format!("Unable to write to {}'s file: {error}", result.host));
        }
    }
}

//! A source that plugins look at in turn: its path, and its text and YAML once one of them asked for it.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use super::{Failure, SourceOptions};
use crate::source::{Diagnostic, Diagnostics, Source};
use crate::yaml::{Node, load_one};

/// A path, or a list of hosts.
pub(super) struct Candidate<'c> {
    pub path: &'c Path,
    pub options: &'c SourceOptions,
    is_file: bool,
    source: OnceCell<Result<Arc<Source>, String>>,
    document: OnceCell<(Option<Node>, Diagnostics)>,
}

impl<'c> Candidate<'c> {
    pub fn new(path: &'c Path, options: &'c SourceOptions) -> Self {
        Self { path, options, is_file: path.exists(), source: OnceCell::new(), document: OnceCell::new() }
    }

    /// Whether there is such a file; else it may be a list of hosts.
    pub fn is_file(&self) -> bool {
        self.is_file
    }

    /// The text of a list.
    pub fn list(&self) -> Option<&str> {
        self.path.to_str().filter(|text| !self.is_file && text.contains(','))
    }

    /// `.yml`; empty where there is none.
    pub fn extension(&self) -> String {
        self.path.extension().map_or_else(String::new, |extension| format!(".{}", extension.to_string_lossy()))
    }

    /// Whether the file may be YAML by its name.
    pub fn is_yaml(&self) -> bool {
        let extension = self.extension();
        self.is_file && (extension.is_empty() || self.options.yaml_extensions.contains(&extension))
    }

    /// Whether this may be the file of a plugin that is enabled by name.
    pub fn is_plugin_file(&self) -> bool {
        self.is_yaml() || (self.is_file && self.extension() == ".config")
    }

    /// The file's text.
    pub fn source(&self) -> Result<&Arc<Source>, Failure> {
        let read =
            || self.options.vault.read_source(self.path).map_err(|error| format!("failed to read `{}`: {error}", self.path.display()));
        self.source.get_or_init(read).as_ref().map_err(|error| Failure::from(error.clone()))
    }

    /// The file as one YAML document, and what is doubtful in it; `None` where it is empty.
    pub fn document(&self) -> Result<(Option<&Node>, &Diagnostics), Failure> {
        let source = self.source()?;
        let (node, found) = self.document.get_or_init(|| {
            let mut found = Diagnostics::new();
            let node = load_one(source, &mut found);
            (node.filter(|node| !node.is_null()), found)
        });
        if found.has_errors() {
            return Err(Failure(found.clone()));
        }
        Ok((node.as_ref(), found))
    }

    /// An error about the file as a whole.
    pub fn error(&self, message: impl std::fmt::Display) -> Failure {
        Diagnostic::error(format!("failed to parse `{}`: {message}", self.path.display())).into()
    }
}

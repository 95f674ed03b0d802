//! Reading files and finding them: candidates in order, and the message that names all of them.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::Loader;
use super::argument_spec::absolute;
use crate::playbook::{Context, Entry};
use crate::source::{Diagnostic, Diagnostics, Source, Span, Spanned};
use crate::value::{Map, Value};
use crate::vault;
use crate::yaml::{self, Node};

/// What is said of a file of tasks that holds something else.
pub const NO_LIST_OF_TASKS: &str = "included task files must contain a list of tasks";

impl Loader<'_> {
    /// Reads and parses a YAML file; `None` (with a diagnostic) if it cannot be read.
    pub(super) fn read(&self, path: &Path, named_at: Option<&Span>, diagnostics: &mut Diagnostics) -> Option<(Arc<Source>, Option<Node>)> {
        match self.world.vault.read_source(path) {
            Ok(source) => {
                let mut found = Diagnostics::new();
                let node = yaml::load_one(&source, &mut found);
                diagnostics.extend(self.world.duplicate_keys.judge(found));
                Some((source, node))
            }
            Err(error) => {
                // A file of other characters is wrong YAML.
                if vault::error_of(&error).is_some() || error.kind() != std::io::ErrorKind::InvalidData {
                    self.missing.set(true);
                }
                let diagnostic = vault::error_of(&error).map_or_else(
                    || Diagnostic::error(format!("could not read `{}`: {}", path.display(), io_reason(&error))),
                    |sealed| Diagnostic::error(sealed.to_string()).note(format!("`{}` is in a vault", path.display())),
                );
                diagnostics.push(named_at.map_or(diagnostic.clone(), |span| diagnostic.at(span)));
                None
            }
        }
    }

    /// Loads a file of tasks.
    pub(super) fn tasks_file(&self, path: &Path, context: &Context, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        let Some((source, node)) = self.read(path, None, diagnostics) else { return Vec::new() };
        let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
        let inner = Context { file_dir: parent_dir(path), including_dirs: including(context), ..context.clone() };
        if node.as_sequence().is_none() {
            let place = if node.as_mapping().is_some() { node.span } else { Span::new(&source, 0, 0) };
            diagnostics.push(Diagnostic::error(NO_LIST_OF_TASKS).at(&place).hint("a list of tasks starts each task with `- `"));
            return Vec::new();
        }
        self.entries(&node, &Arc::new(inner), diagnostics)
    }

    /// The first of `candidates` that is a file; else an error at `span` that names all.
    pub(super) fn find(&self, candidates: &[PathBuf], span: &Span, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
        let found = candidates.iter().find(|path| path.is_file());
        if found.is_none() {
            self.missing.set(true);
            diagnostics.push(not_there(candidates, span));
        }
        found.cloned()
    }

    /// The variables of a file that must hold a map.
    pub(super) fn vars_file(&self, path: &Path, diagnostics: &mut Diagnostics) -> Map {
        let Some((_, Some(node))) = self.read(path, None, diagnostics) else { return Map::new() };
        match node.to_value() {
            Value::Null => Map::new(),
            Value::Map(map) => Map::clone(&map),
            other => {
                let message = format!("`{}` must hold a dictionary of variables, found a {}", path.display(), other.type_name());
                diagnostics.push(node.error(message));
                Map::new()
            }
        }
    }
}

/// Where the file of an import or include may be, first to last.
pub fn task_file_candidates(name: &str, context: &Context) -> Vec<PathBuf> {
    // What handlers include may stand beside the tasks, too.
    let folders: &[&str] = if context.handlers { &["handlers", "tasks"] } else { &["tasks"] };
    let mut candidates = vec![normal(&context.file_dir.join(name))];
    for dir in &context.including_dirs {
        candidates.push(normal(&dir.join(name)));
    }
    if let Some(role) = &context.role {
        candidates.extend(folders.iter().map(|folder| normal(&role.path.join(folder).join(name))));
        candidates.push(normal(&role.path.join(name)));
    }
    candidates.extend(folders.iter().map(|folder| normal(&context.playbook_dir.join(folder).join(name))));
    candidates.push(normal(&context.playbook_dir.join(name)));
    let mut seen = Vec::new();
    candidates.retain(|path| {
        !seen.contains(path) && {
            seen.push(path.clone());
            true
        }
    });
    candidates
}

/// None of the candidates for the file of an include is there.
pub fn missing_task_file(candidates: &[PathBuf], written: &Spanned<Value>) -> Diagnostic {
    not_there(candidates, &written.span)
}

fn not_there(candidates: &[PathBuf], span: &Span) -> Diagnostic {
    let path = candidates.first().map_or_else(String::new, |path| absolute(path).display().to_string());
    let message = format!(
        "Unable to retrieve file contents. Could not find or access '{path}' on the Ansible Controller: [Errno 2] No such file or directory: '{path}'"
    );
    let diagnostic = Diagnostic::error(message).at(span);
    candidates.iter().fold(diagnostic, |diagnostic, path| diagnostic.note(format!("looked for `{}`", path.display())))
}

/// The folder of a file; `.` for a bare name.
pub fn parent_dir(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The path without `.` and `x/..`, links not followed.
pub fn normal(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    if clean.as_os_str().is_empty() { PathBuf::from(".") } else { clean }
}

fn including(context: &Context) -> Vec<PathBuf> {
    let mut dirs = vec![context.file_dir.clone()];
    dirs.extend(context.including_dirs.iter().filter(|dir| **dir != context.file_dir).cloned());
    dirs
}

/// An error of the system without Rust's `(os error 2)`.
fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

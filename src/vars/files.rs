//! Files of variables: `group_vars/`, `host_vars/`, and the one reader that `vars_files` and `include_vars` use too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::VarRules;
use crate::source::{Diagnostic, Diagnostics, Source};
use crate::value::{Map, Text, Value};
use crate::vault::{self, Vault};
use crate::yaml::{self, Node};

/// Why a file gives no variables.
pub enum NoVars {
    /// It cannot be read, or is in a vault that no secret opens.
    Unreadable(Diagnostic),
    /// It is no YAML.
    NoYaml(Diagnostics),
    /// It holds something else.
    NoMap(Diagnostics),
}

/// The variables of the file `path`: a map, or nothing.
pub fn load_vars_file(path: &Path, vault: &Vault) -> Result<Map, NoVars> {
    let source = vault.read_source(path).map_err(|error| NoVars::Unreadable(unreadable(path, "", &error)))?;
    let mut diagnostics = Diagnostics::new();
    let node = yaml::load_one(&source, &mut diagnostics).filter(|_| !diagnostics.has_errors());
    let Some(node) = node else { return Err(NoVars::NoYaml(diagnostics)) };
    map_of_node(&node, &source, "variables", &mut diagnostics).ok_or(NoVars::NoMap(diagnostics))
}

/// As [`load_vars_file`], for `vars_files` of a play: there a list of maps is good, too, of which later ones win.
pub fn load_play_vars_file(path: &Path, vault: &Vault, diagnostics: &mut Diagnostics) -> Option<Map> {
    let source = match vault.read_source(path) {
        Ok(source) => source,
        Err(error) => {
            diagnostics.push(unreadable(path, "", &error));
            return None;
        }
    };
    let node = yaml::load_one(&source, diagnostics)?;
    let Some(items) = node.as_sequence() else { return map_of_node(&node, &source, "variables", diagnostics) };
    let mut vars = Map::new();
    for item in items {
        let Value::Map(map) = from_json(source.text(), item.to_value()) else {
            let error = item.error("Invalid variable file contents.");
            diagnostics.push(error.note("variable files must contain either a map of variables, or a list of maps"));
            return None;
        };
        vars.extend(Arc::unwrap_or_clone(map));
    }
    Some(vars)
}

/// Why a file cannot be read; `what` it holds. What is in a vault says so in Ansible's words.
pub(super) fn unreadable(path: &Path, what: &str, error: &std::io::Error) -> Diagnostic {
    match vault::error_of(error) {
        Some(sealed) => Diagnostic::error(sealed.to_string()).note(format!("`{}` is in a vault", path.display())),
        None => Diagnostic::error(format!("failed to read {what}`{}`: {error}", path.display())),
    }
}

/// The variables of a text; `what` names them in messages.
pub(super) fn map_of(source: &Arc<Source>, what: &str, diagnostics: &mut Diagnostics) -> Option<Map> {
    let node = yaml::load_one(source, diagnostics)?;
    map_of_node(&node, source, what, diagnostics)
}

fn map_of_node(node: &Node, source: &Source, what: &str, diagnostics: &mut Diagnostics) -> Option<Map> {
    match from_json(source.text(), node.to_value()) {
        Value::Map(map) => Some(Arc::unwrap_or_clone(map)),
        Value::Null => Some(Map::new()),
        _ => {
            let found = if node.as_sequence().is_some() { "a list" } else { "a scalar" };
            diagnostics.push(node.error(format!("found {found}, expected a map of {what}")));
            None
        }
    }
}

/// In JSON, `{"__ansible_vault": …}` stands for a text in a vault and `{"__ansible_unsafe": …}` for one that is no template: what
/// `ansible-inventory` writes. YAML has tags for that.
fn from_json(text: &str, value: Value) -> Value {
    let is_marked = text.contains("\"__ansible_vault\"") || text.contains("\"__ansible_unsafe\"");
    if is_marked && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() { unmarked(value) } else { value }
}

fn unmarked(value: Value) -> Value {
    let text = |name: &str| match value.get(name) {
        Some(Value::Text(text)) if value.as_map().is_some_and(|map| map.len() == 1) => Some(text.clone()),
        _ => None,
    };
    if let Some(sealed) = text("__ansible_vault") {
        return Value::Text(Text::sealed(Arc::clone(sealed.chars()), sealed.origin().cloned()));
    }
    if let Some(raw) = text("__ansible_unsafe") {
        return Value::Text(raw.into_untrusted());
    }
    match value {
        Value::List(items) => Value::list(items.iter().cloned().map(unmarked).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), unmarked(value.clone()))).collect()),
        other => other,
    }
}

/// One file's variables.
pub(super) struct VarFile {
    pub from: Arc<str>,
    pub vars: Arc<Map>,
}

/// `group_vars` and `host_vars` in one folder.
pub(super) struct VarDir {
    pub path: PathBuf,
    pub groups: VarFolder,
    pub hosts: VarFolder,
}

impl VarDir {
    pub fn new(path: &Path, vault: &Arc<Vault>, rules: &Arc<VarRules>) -> Self {
        let folder = |name| VarFolder::list(&path.join(name), vault, rules);
        Self { path: path.to_path_buf(), groups: folder("group_vars"), hosts: folder("host_vars") }
    }
}

/// A folder that has a file or a folder per group or host; each is read when first asked for.
pub(super) struct VarFolder {
    entries: HashMap<String, Entry>,
}

struct Entry {
    path: PathBuf,
    vault: Arc<Vault>,
    rules: Arc<VarRules>,
    is_folder: bool,
    loaded: OnceLock<Loaded>,
}

#[derive(Default)]
struct Loaded {
    files: Vec<VarFile>,
    diagnostics: Diagnostics,
    /// Files in vaults that no secret opens: an error only for those whose variables they hold.
    unopened: Vec<Diagnostic>,
}

impl VarFolder {
    fn list(path: &Path, vault: &Arc<Vault>, rules: &Arc<VarRules>) -> Self {
        if !rules.reads_files {
            return Self { entries: HashMap::new() };
        }
        let mut names: HashMap<String, bool> = HashMap::new();
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            names.insert(entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir());
        }
        let mut entries = HashMap::new();
        // What may stand behind a name; without any it may be a folder too. The first that exists is taken, alone.
        for extension in std::iter::once("").chain(rules.extensions.iter().map(String::as_str)) {
            for (name, is_folder) in &names {
                let plain = extension.strip_prefix('.').unwrap_or(extension);
                let subject = name.strip_suffix(plain).and_then(|name| if plain.is_empty() { Some(name) } else { name.strip_suffix('.') });
                let Some(subject) = subject.filter(|_| !*is_folder || plain.is_empty()) else { continue };
                let entry = || Entry {
                    path: path.join(name),
                    vault: Arc::clone(vault),
                    rules: Arc::clone(rules),
                    is_folder: *is_folder,
                    loaded: OnceLock::new(),
                };
                entries.entry(subject.to_owned()).or_insert_with(entry);
            }
        }
        Self { entries }
    }

    /// The files of a group or host, weakest first.
    pub fn of(&self, name: &str) -> &[VarFile] {
        self.entries.get(name).map_or(&[], |entry| &entry.loaded().files)
    }

    /// What is wrong in the files of a group or host.
    pub fn diagnostics_of(&self, name: &str) -> Option<&Diagnostics> {
        self.entries.get(name).map(|entry| &entry.loaded().diagnostics).filter(|found| !found.is_empty())
    }

    /// The files of a group or host that are in vaults which no secret opens.
    pub fn unopened_of(&self, name: &str) -> &[Diagnostic] {
        self.entries.get(name).map_or(&[], |entry| &entry.loaded().unopened)
    }
}

impl Entry {
    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let mut paths = Vec::new();
            if self.is_folder {
                collect(&self.path, &self.rules.extensions, &mut paths)
            } else {
                paths.push(self.path.clone())
            }
            let mut loaded = Loaded::default();
            for path in paths {
                let source = match self.vault.read_source(&path) {
                    Ok(source) => source,
                    Err(error) if vault::error_of(&error).is_some() => {
                        loaded.unopened.push(unreadable(&path, "", &error));
                        continue;
                    }
                    Err(error) => {
                        loaded.diagnostics.push(unreadable(&path, "", &error));
                        continue;
                    }
                };
                if let Some(vars) = map_of(&source, "variables", &mut loaded.diagnostics) {
                    loaded.files.push(VarFile { from: path.to_string_lossy().into(), vars: Arc::new(vars) });
                }
            }
            loaded
        })
    }
}

/// The files of a folder and of those below, by name; hidden ones and backups are left out.
fn collect(folder: &Path, extensions: &[String], paths: &mut Vec<PathBuf>) {
    let mut names: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let text = name.to_string_lossy();
        if text.starts_with('.') || text.ends_with('~') {
            continue;
        }
        let path = folder.join(&name);
        if path.is_dir() {
            collect(&path, extensions, paths);
        } else if path
            .extension()
            .is_none_or(|extension| extensions.iter().any(|known| known.strip_prefix('.').is_some_and(|known| extension == known)))
        {
            paths.push(path);
        }
    }
}

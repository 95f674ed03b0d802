//! Files of variables: `group_vars/`, `host_vars/`, and the one reader that `vars_files` and `include_vars` use too.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::source::{Diagnostic, Diagnostics, Source};
use crate::value::{Map, Value};
use crate::yaml;

/// What may stand behind a name; without any it may be a folder too. The first that exists is taken, alone.
const EXTENSIONS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

/// The variables of the file `path`: a map, or nothing. Mistakes go to `diagnostics`.
pub fn load_vars_file(path: &Path, diagnostics: &mut Diagnostics) -> Option<Map> {
    match Source::read(path) {
        Ok(source) => map_of(&source, "variables", diagnostics),
        Err(error) => {
            diagnostics.push(Diagnostic::error(format!("failed to read `{}`: {error}", path.display())));
            None
        }
    }
}

/// The variables of a text; `what` names them in messages.
pub(super) fn map_of(source: &Arc<Source>, what: &str, diagnostics: &mut Diagnostics) -> Option<Map> {
    let node = yaml::load_one(source, diagnostics)?;
    match node.to_value() {
        Value::Map(map) => Some(Arc::unwrap_or_clone(map)),
        Value::Null => Some(Map::new()),
        _ => {
            let found = if node.as_sequence().is_some() { "a list" } else { "a scalar" };
            diagnostics.push(node.error(format!("found {found}, expected a map of {what}")));
            None
        }
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
    pub fn new(path: &Path) -> Self {
        let folder = |name| VarFolder::list(&path.join(name));
        Self { path: path.to_path_buf(), groups: folder("group_vars"), hosts: folder("host_vars") }
    }
}

/// A folder that has a file or a folder per group or host; each is read when first asked for.
pub(super) struct VarFolder {
    entries: HashMap<String, Entry>,
}

struct Entry {
    path: PathBuf,
    is_folder: bool,
    loaded: OnceLock<Loaded>,
}

#[derive(Default)]
struct Loaded {
    files: Vec<VarFile>,
    diagnostics: Diagnostics,
}

impl VarFolder {
    fn list(path: &Path) -> Self {
        let mut names: HashMap<String, bool> = HashMap::new();
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            names.insert(entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir());
        }
        let mut entries = HashMap::new();
        for extension in EXTENSIONS {
            for (name, is_folder) in &names {
                let Some(subject) = name.strip_suffix(extension) else { continue };
                if *is_folder && !extension.is_empty() {
                    continue;
                }
                let entry = || Entry { path: path.join(name), is_folder: *is_folder, loaded: OnceLock::new() };
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
}

impl Entry {
    fn loaded(&self) -> &Loaded {
        self.loaded.get_or_init(|| {
            let mut paths = Vec::new();
            if self.is_folder {
                collect(&self.path, &mut paths)
            } else {
                paths.push(self.path.clone())
            }
            let mut loaded = Loaded::default();
            for path in paths {
                if let Some(vars) = load_vars_file(&path, &mut loaded.diagnostics) {
                    loaded.files.push(VarFile { from: path.to_string_lossy().into(), vars: Arc::new(vars) });
                }
            }
            loaded
        })
    }
}

/// The files of a folder and of those below, by name; hidden ones and backups are left out.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let mut names: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names {
        let text = name.to_string_lossy();
        if text.starts_with('.') || text.ends_with('~') {
            continue;
        }
        let path = folder.join(&name);
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_none_or(|extension| ["yml", "yaml", "json"].iter().any(|known| extension == *known)) {
            paths.push(path);
        }
    }
}

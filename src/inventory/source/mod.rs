//! Reading inventories: `-i` arguments to an [`Inventory`]. Each format is one file; what Ansible takes as a warning is one here.

mod expand;
mod ini;
mod list;
mod literal;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{GroupId, HostId, Inventory};
use crate::source::{Diagnostic, Diagnostics, Severity, Source};
use crate::value::Value;

/// Files of a folder with these endings are no inventories.
const IGNORED_ENDINGS: &[&str] = &[".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// The inventory that `sources` describe together, later ones adding to earlier ones; relative paths are below `folder`. What is wrong
/// with a source is a warning, as in Ansible: the run goes on with what could be read.
pub fn load(sources: &[String], folder: &Path, diagnostics: &mut Diagnostics) -> Inventory {
    let mut inventory = Inventory::new();
    let mut names: Vec<Arc<str>> = Vec::new();
    let mut parsed = false;
    for source in sources {
        if source.contains(',') {
            names.push(source.as_str().into());
            let mut builder = Builder::new(&mut inventory, diagnostics, source.as_str().into());
            list::read(source, &mut builder);
            parsed = true;
            continue;
        }
        let path = clean(&folder.join(expand_home(source)));
        names.push(path.to_string_lossy().into());
        parsed |= read_path(&path, &mut inventory, diagnostics);
    }
    inventory.sources = Arc::new(names);
    if !parsed && !sources.is_empty() {
        diagnostics.push(Diagnostic::warning("no inventory was parsed, only implicit localhost is available"));
    }
    for name in inventory.settle() {
        diagnostics.push(Diagnostic::warning(format!("found both group and host with same name: `{name}`")));
    }
    // Patterns and `delegate_to` may name these whatever the inventory has.
    for name in ["localhost", "127.0.0.1", "::1"] {
        inventory.implicit_localhost(name);
    }
    let odd: Vec<String> =
        inventory.group_ids().map(|id| inventory.group(id).name().to_string()).filter(|name| !is_safe_group_name(name)).collect();
    if !odd.is_empty() {
        let warning = Diagnostic::warning("invalid characters were found in group names but not replaced");
        diagnostics.push(warning.note(format!("these cannot be used as variable names: `{}`", odd.join("`, `"))));
    }
    inventory
}

fn read_path(path: &Path, inventory: &mut Inventory, diagnostics: &mut Diagnostics) -> bool {
    if path.is_dir() {
        return read_folder(path, inventory, diagnostics);
    }
    if let Some(problem) = unreadable(path) {
        diagnostics.push(Diagnostic::warning(format!("failed to parse inventory `{}`: {problem}", path.display())));
        diagnostics.push(unable(path));
        return false;
    }
    let source = match Source::read(path) {
        Ok(source) => source,
        Err(error) => {
            diagnostics.push(unable(path).note(error.to_string()));
            return false;
        }
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    let mut said = Diagnostics::new();
    let mut builder = Builder::new(inventory, diagnostics, path.to_string_lossy().into());
    if matches!(extension, None | Some("yml" | "yaml" | "json")) {
        match yaml::read(&source, &mut builder) {
            Ok(()) => return true,
            Err(found) => said.extend(found),
        }
    }
    match ini::read(&source, &mut builder) {
        Ok(()) => return true,
        // What is meant as YAML is not to be judged as INI.
        Err(_) if matches!(extension, Some("yml" | "yaml" | "json")) => {}
        Err(error) => {
            said = Diagnostics::new();
            said.push(error);
        }
    }
    for diagnostic in said.iter() {
        builder.warn(diagnostic.clone());
    }
    diagnostics.push(unable(path));
    false
}

/// The files of a folder by name, folders in it too.
fn read_folder(path: &Path, inventory: &mut Inventory, diagnostics: &mut Diagnostics) -> bool {
    let mut names: Vec<_> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let mut parsed = false;
    for name in names {
        let text = name.to_string_lossy();
        let is_ignored = text.starts_with('.')
            || matches!(&*text, "host_vars" | "group_vars" | "vars_plugins")
            || IGNORED_ENDINGS.iter().any(|ending| text.ends_with(ending));
        if !is_ignored {
            parsed |= read_path(&path.join(&name), inventory, diagnostics);
        }
    }
    if !parsed {
        diagnostics.push(unable(path));
    }
    parsed
}

fn unable(path: &Path) -> Diagnostic {
    Diagnostic::warning(format!("unable to parse `{}` as an inventory source", path.display()))
}

/// What this release does not read.
fn unreadable(path: &Path) -> Option<&'static str> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_executable = std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 != 0);
    let mut begin = [0_u8; 4];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut begin)).unwrap_or(0);
    if is_executable && (begin[..read].starts_with(b"#!") || begin[..read].starts_with(b"\x7fELF")) {
        return Some("inventory scripts come with a later release");
    }
    (path.extension().is_some_and(|extension| extension == "toml")).then_some("TOML inventories come with a later release")
}

fn is_safe_group_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit()) && name.chars().all(|character| character.is_alphanumeric() || character == '_')
}

fn expand_home(source: &str) -> PathBuf {
    match (source.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(source),
    }
}

/// Without `.` and `..`, as Ansible shows paths; links are kept.
fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => cleaned.push(component),
        }
    }
    cleaned
}

/// An inventory under construction, and the source that is being read.
pub(super) struct Builder<'b> {
    inventory: &'b mut Inventory,
    diagnostics: &'b mut Diagnostics,
    source: Arc<str>,
}

impl<'b> Builder<'b> {
    fn new(inventory: &'b mut Inventory, diagnostics: &'b mut Diagnostics, source: Arc<str>) -> Self {
        Self { inventory, diagnostics, source }
    }

    fn group(&mut self, name: &str) -> GroupId {
        self.inventory.add_group(name)
    }

    /// A host of a group, with its variables. A port counts only where the host is first named.
    fn host(&mut self, name: &str, group: GroupId, port: Option<u16>, vars: &[(String, Value)]) -> HostId {
        let is_new = self.inventory.host_named(name).is_none();
        let id = self.inventory.add_host(name);
        self.inventory.note_source(id, &self.source);
        self.inventory.add_host_to_group(id, group);
        if let Some(port) = port.filter(|_| is_new) {
            self.inventory.set_host_variable(id, "ansible_port", Value::Int(i64::from(port)));
        }
        for (name, value) in vars {
            self.inventory.set_host_variable(id, name, value.clone());
        }
        id
    }

    /// A mistake that Ansible goes on after.
    fn warn(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.severity = Severity::Warning;
        self.diagnostics.push(diagnostic);
    }
}

#[cfg(test)]
mod tests;

//! Reading inventories: `-i` arguments to an [`Inventory`]. Each format is one file and a row of [`PLUGINS`]; what Ansible takes as a
//! warning is one here.

mod advanced_list;
mod auto;
mod candidate;
mod compose;
mod constructed;
mod expand;
mod folder;
mod generator;
mod ini;
mod list;
mod literal;
mod options;
mod plugin_file;
mod script;
mod terraform;
mod toml;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{GroupId, HostId, Inventory};
use crate::source::{Diagnostic, Diagnostics, Severity, short_name};
use crate::value::Value;
use candidate::Candidate;
pub use options::{GroupNames, HostVariables, SourceOptions, VarFiles};

/// One way to read a source.
trait Plugin: Sync {
    /// Its name in `enable_plugins`.
    fn name(&self) -> &'static str;

    /// Whether the source looks like its own.
    fn takes(&self, candidate: &Candidate<'_>) -> bool;

    /// Adds what the source says; what stood before the first mistake stays.
    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure>;
}

/// Why a plugin could not read a source.
struct Failure(Diagnostics);

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(diagnostic);
        Self(diagnostics)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Diagnostic::error(message).into()
    }
}

/// All plugins, by name.
const PLUGINS: &[&dyn Plugin] = &[
    &advanced_list::AdvancedHostList,
    &auto::Auto,
    &terraform::File(terraform::PROVIDER),
    &terraform::File(terraform::STATE),
    &constructed::Constructed,
    &terraform::File(terraform::OWN),
    &generator::Generator,
    &list::HostList,
    &ini::Ini,
    &script::Script,
    &terraform::State,
    &toml::Toml,
    &yaml::Yaml,
];

/// The plugin of this name, short or full.
fn plugin(name: &str) -> Option<&'static dyn Plugin> {
    let short = short_name(name);
    PLUGINS.iter().find(|plugin| plugin.name() == short || plugin.name() == name).copied()
}

/// The inventory that `sources` describe together, later ones adding to earlier ones; relative paths are below `folder`. What is wrong
/// with a source is a warning, as in Ansible: the run goes on with what could be read, unless `options` say otherwise.
pub fn load(sources: &[String], folder: &Path, options: &SourceOptions, diagnostics: &mut Diagnostics) -> Inventory {
    let mut inventory = Inventory { mismatch: options.mismatch, is_complete: false, ..Inventory::new() };
    let mut reader = Reader::new(&mut inventory, options, diagnostics);
    let parsed = sources.iter().filter(|source| reader.source(source, folder)).count();
    reader.finish(parsed > 0, !sources.is_empty());
    inventory
}

/// Reads one source after the other.
struct Reader<'r> {
    inventory: &'r mut Inventory,
    options: &'r SourceOptions,
    diagnostics: &'r mut Diagnostics,
    plugins: Vec<&'static dyn Plugin>,
}

impl<'r> Reader<'r> {
    fn new(inventory: &'r mut Inventory, options: &'r SourceOptions, diagnostics: &'r mut Diagnostics) -> Self {
        let mut plugins = Vec::new();
        for name in &options.plugins {
            match plugin(name) {
                // What `auto` finds out of YAML files it finds out of states.
                Some(plugin) if plugin.name() == "auto" => plugins.extend([plugin, &terraform::State]),
                Some(plugin) => plugins.push(plugin),
                None => diagnostics.push(Diagnostic::warning(format!("Failed to load inventory plugin, skipping {name}"))),
            }
        }
        Self { inventory, options, diagnostics, plugins }
    }

    /// Whether anything could be read.
    fn source(&mut self, source: &str, folder: &Path) -> bool {
        let is_list = source.contains(',') && !folder.join(source).exists();
        let path = if is_list { PathBuf::from(source) } else { clean(&folder.join(expand_home(source))) };
        Arc::make_mut(&mut self.inventory.sources).push(path.to_string_lossy().into());
        self.path(&path)
    }

    fn path(&mut self, path: &Path) -> bool {
        let parsed = if path.is_dir() { self.folder(path) } else { self.file(path) };
        if !parsed {
            let shown = path.display();
            // The default inventory need not be there.
            if path != Path::new("/etc/ansible/hosts") || path.exists() {
                self.diagnostics.push(Diagnostic::warning(format!("Unable to parse {shown} as an inventory source")));
            }
            if self.options.any_unparsed_is_failed {
                self.diagnostics.push(Diagnostic::error(format!("Completely failed to parse inventory source {shown}")));
            }
        }
        parsed
    }

    /// The files of a folder by name, folders in it too.
    fn folder(&mut self, path: &Path) -> bool {
        match folder::entries(path, self.options) {
            Ok(entries) => entries.iter().filter(|entry| self.path(entry)).count() > 0,
            Err(error) => {
                self.diagnostics.push(Diagnostic::error(error));
                false
            }
        }
    }

    /// What the first plugin makes of a file that can read it.
    fn file(&mut self, path: &Path) -> bool {
        let candidate = Candidate::new(path, self.options);
        let mut failures: Vec<(&'static str, Failure)> = Vec::new();
        for plugin in self.plugins.clone().into_iter().filter(|plugin| plugin.takes(&candidate)) {
            let mut builder = Builder::new(self.inventory, self.diagnostics, self.options, path.to_string_lossy().into());
            match plugin.read(&candidate, &mut builder) {
                Ok(()) => return true,
                Err(failure) => failures.push((plugin.name(), failure)),
            }
        }
        let has = |name: &str| failures.iter().any(|(failed, _)| *failed == name);
        let is_program = has("script") && candidate.source().is_ok_and(|source| source.text().starts_with("#!"));
        let is_yaml = has("yaml") && !candidate.extension().is_empty();
        let names_plugin = has("auto")
            && candidate
                .document()
                .is_ok_and(|(document, _)| document.is_some_and(|document| plugin_file::named_plugin(document).is_some()));
        // Of several plugins that failed, the one that the source was meant for tells why.
        let is_beside = |name: &str| match name {
            "auto" | "ini" | "yaml" if has("terraform") => true,
            "auto" => !names_plugin && (has("yaml") || has("ini")),
            "ini" => is_program || is_yaml || names_plugin,
            "yaml" => is_program || names_plugin || (!is_yaml && has("ini")),
            _ => false,
        };
        for diagnostic in failures.iter().filter(|(name, _)| !is_beside(name)).flat_map(|(_, failure)| failure.0.iter()) {
            let mut warning = diagnostic.clone();
            warning.severity = Severity::Warning;
            self.diagnostics.push(warning);
        }
        false
    }

    fn finish(self, parsed: bool, asked: bool) {
        let inventory = self.inventory;
        if parsed {
            for name in inventory.settle() {
                self.diagnostics.push(Diagnostic::warning(format!("found both group and host with same name: `{name}`")));
            }
        } else if asked && self.options.unparsed_is_failed {
            let error = "No inventory was parsed, please check your configuration and options.";
            self.diagnostics.push(Diagnostic::error(error));
        } else if asked && self.options.unparsed_warning {
            self.diagnostics.push(Diagnostic::warning("No inventory was parsed, only implicit localhost is available"));
        }
        inventory.is_complete = true;
        inventory.settle_localhost();
        if self.options.group_names != GroupNames::Never {
            return;
        }
        let names = inventory.group_ids().map(|id| inventory.group(id).name().to_string());
        let odd: Vec<String> = names.filter(|name| !is_safe_group_name(name)).collect();
        if !odd.is_empty() {
            let warning = Diagnostic::warning("invalid characters were found in group names but not replaced");
            self.diagnostics.push(warning.note(format!("these cannot be used as variable names: `{}`", odd.join("`, `"))));
        }
    }
}

fn is_safe_group_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit()) && name.chars().all(|character| character.is_alphanumeric() || character == '_')
}

/// A name that variables may have: other characters, and a digit at the start, become `_`.
fn safe_group_name(name: &str) -> String {
    let mut characters = name.chars();
    let fits = |character: char| character.is_alphanumeric() || character == '_';
    let first = characters.next().map(|first| if fits(first) && !first.is_numeric() { first } else { '_' });
    first.into_iter().chain(characters.map(|character| if fits(character) { character } else { '_' })).collect()
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
struct Builder<'b> {
    inventory: &'b mut Inventory,
    diagnostics: &'b mut Diagnostics,
    options: &'b SourceOptions,
    source: Arc<str>,
}

impl<'b> Builder<'b> {
    fn new(inventory: &'b mut Inventory, diagnostics: &'b mut Diagnostics, options: &'b SourceOptions, source: Arc<str>) -> Self {
        Self { inventory, diagnostics, options, source }
    }

    /// The group of this name, which is made fit for variables where the settings say so.
    fn group(&mut self, name: &str) -> GroupId {
        if !self.options.group_names.replaces() || is_safe_group_name(name) {
            return self.inventory.add_group(name);
        }
        if self.options.group_names == GroupNames::Always {
            let warning = Diagnostic::warning("invalid characters were found in group names and automatically replaced");
            self.diagnostics.push(warning.note(format!("`{name}` became `{}`", safe_group_name(name))));
        }
        self.inventory.add_group(&safe_group_name(name))
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

    /// Puts a group below another.
    fn child(&mut self, parent: GroupId, child: GroupId) -> Result<(), Failure> {
        self.inventory.add_child(parent, child).map_err(|error| Failure::from(error.to_string()))
    }

    /// A mistake that Ansible goes on after.
    fn warn(&mut self, mut diagnostic: Diagnostic) {
        diagnostic.severity = Severity::Warning;
        self.diagnostics.push(diagnostic);
    }
}

/// A text for a host's or a group's name, as Ansible wants it; `what` is which.
fn checked_name<'v>(value: &'v Value, what: &str) -> Result<&'v str, Failure> {
    let Some(name) = value.as_str() else {
        let shown = crate::template::print::value_to_text(value);
        return Err(format!("Invalid {what} name supplied, expected a string but got {} for {}", value.type_name(), shown.as_str()).into());
    };
    if name.is_empty() {
        return Err(format!("Invalid empty {what} name provided: {name}").into());
    }
    Ok(name)
}

#[cfg(test)]
mod tests;

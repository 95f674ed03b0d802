//! Settings: what `ansible.cfg` and `ANSIBLE_*` say, each with where it was said. The command line is laid over this by `cli`.
//!
//! [`SETTINGS`] are those that have an effect, and the fields of [`Config`] are made of it; [`OTHERS`] are those that Ansible knows
//! besides. What would change the meaning of a run and does not is a warning, once; so is what nobody knows.

mod file;
mod others;
mod resolve;
mod settings;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use others::OTHERS;
pub use resolve::Resolved;
pub use settings::{Config, Effect, SETTINGS, SettingInfo};
pub use types::{ConfigOrigin, Kind, PathList, SearchPath, Setting};

use crate::source::{Diagnostic, Diagnostics, Source, did_you_mean};
use file::ConfigFile;

/// What settings are read from: handed in, so that tests need no process environment.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The working folder.
    pub folder: PathBuf,
    /// The environment.
    pub variables: BTreeMap<String, String>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> std::io::Result<Self> {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Ok(Self { folder: std::env::current_dir()?, variables })
    }

    /// A path as written on the command line: `~` and variables replaced, below the working folder.
    pub fn path(&self, text: &str) -> PathBuf {
        types::path(text, &self.folder, self, Path::new(""))
    }

    fn home(&self) -> Option<&Path> {
        self.variables.get("HOME").map(Path::new)
    }
}

impl Config {
    /// The settings; mistakes in values are errors (Ansible ends with 5 then), unknown names are warnings.
    pub fn load(surroundings: &Surroundings, diagnostics: &mut Diagnostics) -> Self {
        let path = find(surroundings, diagnostics);
        Self::load_file(surroundings, path, diagnostics)
    }

    /// The settings of this file.
    pub fn load_file(surroundings: &Surroundings, path: Option<PathBuf>, diagnostics: &mut Diagnostics) -> Self {
        let source = path.as_deref().and_then(|path| match Source::read(path) {
            Ok(source) => Some(source),
            Err(error) => {
                diagnostics.push(Diagnostic::error(format!("failed to read the settings file `{}`: {error}", path.display())));
                None
            }
        });
        let file = source.and_then(|source| ConfigFile::parse(&source, diagnostics));
        let mut config = Self::resolve(surroundings, path, file.as_ref(), diagnostics);
        config.written = written(surroundings, file.as_ref());
        warn_of_rest(surroundings, file.as_ref(), &config.all, diagnostics);
        config
    }
}

/// The first of: `$ANSIBLE_CONFIG`, `./ansible.cfg`, `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`.
fn find(surroundings: &Surroundings, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
    let mut candidates = Vec::new();
    if let Some(named) = surroundings.variables.get("ANSIBLE_CONFIG") {
        let path = types::path(named, &surroundings.folder, surroundings, Path::new(""));
        candidates.push(if path.is_dir() { path.join("ansible.cfg") } else { path });
    }
    let here = surroundings.folder.join("ansible.cfg");
    match is_world_writable(&surroundings.folder) {
        true if here.exists() && !candidates.contains(&here) => {
            let warning = format!("ignoring `{}` as settings: everybody can write in its folder", here.display());
            diagnostics.push(Diagnostic::warning(warning).hint("name it in `ANSIBLE_CONFIG`, or take the permission to write away"));
        }
        true => {}
        false => candidates.push(here),
    }
    candidates.extend(surroundings.home().map(|home| home.join(".ansible.cfg")));
    candidates.push(PathBuf::from("/etc/ansible/ansible.cfg"));
    candidates.into_iter().find(|path| path.is_file())
}

fn is_world_writable(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(folder).is_ok_and(|data| data.permissions().mode() & 0o002 != 0)
}

/// All settings that Ansible knows.
pub fn known() -> impl Iterator<Item = &'static SettingInfo> {
    SETTINGS.iter().chain(OTHERS)
}

/// A setting that somebody wrote, known or not.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// In a settings file.
    File {
        /// The file's name.
        file: String,
        /// `[section]`.
        section: String,
        /// What stands before the `=`.
        key: String,
    },
    /// In the environment.
    Environment(String),
}

fn written(surroundings: &Surroundings, file: Option<&ConfigFile>) -> Vec<Written> {
    let in_file = file.into_iter().flat_map(|file| &file.entries).map(|entry| Written::File {
        file: entry.span.source().name().to_owned(),
        section: entry.section.clone(),
        key: entry.key.clone(),
    });
    let names = surroundings.variables.keys().filter(|name| name.starts_with("ANSIBLE_") && *name != "ANSIBLE_CONFIG");
    in_file.chain(names.cloned().map(Written::Environment)).collect()
}

/// What a name of a file or of the environment does; several settings may be read from one place.
fn effect_of(names: impl Fn(&SettingInfo) -> bool) -> Option<Effect> {
    let mut found = None;
    for info in known().filter(|info| names(info)) {
        match info.effect {
            Effect::Warned(_) => found = found.or(Some(info.effect)),
            Effect::Here(_) | Effect::Quiet(_) | Effect::Elsewhere => return Some(info.effect),
        }
    }
    found
}

/// One warning for each setting that is written somewhere and would change something, but does not.
fn warn_of_rest(surroundings: &Surroundings, file: Option<&ConfigFile>, all: &[Resolved], diagnostics: &mut Diagnostics) {
    let is_harmless = |names: &dyn Fn(&SettingInfo) -> bool| {
        all.iter().any(|setting| names(setting.info) && (has_no_plugins(setting) || is_default(setting)))
    };
    for entry in file.into_iter().flat_map(|file| &file.entries) {
        let name = format!("{}.{}", entry.section, entry.key);
        let shown = format!("`{}` of `[{}]`", entry.key, entry.section);
        match effect_of(|info| info.ini.contains(&name.as_str())) {
            Some(Effect::Warned(_)) if is_harmless(&|info| info.ini.contains(&name.as_str())) => {}
            Some(Effect::Warned(reason)) => {
                diagnostics.push(Diagnostic::warning(format!("the setting {shown} has no effect: {reason}")).at(&entry.span));
            }
            Some(Effect::Here(_) | Effect::Quiet(_) | Effect::Elsewhere) => {}
            // Other sections are for plugins and other programs.
            None if is_section(&entry.section) => {
                let warning = Diagnostic::warning(format!("unknown setting {shown}")).at(&entry.span);
                let places = known().flat_map(|info| info.ini).filter_map(|place| place.split_once('.'));
                let keys = places.filter(|(section, _)| *section == entry.section).map(|(_, key)| key);
                diagnostics.push(match did_you_mean(&entry.key, keys) {
                    Some(near) => warning.hint(format!("did you mean `{near}`?")),
                    None => warning,
                });
            }
            None => {}
        }
    }
    for name in surroundings.variables.keys().filter(|name| name.starts_with("ANSIBLE_") && *name != "ANSIBLE_CONFIG") {
        match effect_of(|info| info.env.contains(&name.as_str())) {
            Some(Effect::Warned(_)) if is_harmless(&|info| info.env.contains(&name.as_str())) => {}
            Some(Effect::Warned(reason)) => {
                diagnostics.push(Diagnostic::warning(format!("the setting `{name}` of the environment has no effect: {reason}")));
            }
            Some(Effect::Here(_) | Effect::Quiet(_) | Effect::Elsewhere) => {}
            // People have variables of their own whose names begin so; a slip of the pen is another matter.
            None => {
                if let Some(near) = did_you_mean(name, known().flat_map(|info| info.env.iter().copied())).filter(|near| is_slip(name, near))
                {
                    diagnostics.push(Diagnostic::warning(format!("unknown setting `{name}` in the environment; did you mean `{near}`?")));
                }
            }
        }
    }
}

/// What is set to the value that it has anyway.
fn is_default(setting: &Resolved) -> bool {
    setting.info.default.is_some_and(|default| setting.value == setting.info.kind.plain(default))
}

/// Folders in which no plugin is: naming them changes nothing.
fn has_no_plugins(setting: &Resolved) -> bool {
    let is_plugin = |entry: std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "py");
    let has_plugin = |folder: &str| std::fs::read_dir(folder).is_ok_and(|entries| entries.flatten().any(is_plugin));
    let folders = setting.value.as_list().unwrap_or_default();
    setting.info.kind == Kind::SearchPath && !folders.iter().filter_map(crate::value::Value::as_str).any(has_plugin)
}

fn is_section(name: &str) -> bool {
    known().flat_map(|info| info.ini).any(|ini| ini.split_once('.').is_some_and(|(section, _)| section == name))
}

/// Whether a name is a known one, mistyped, and not a longer or shorter one of its own.
fn is_slip(name: &str, known: &str) -> bool {
    let mut letters: (Vec<u8>, Vec<u8>) = (name.bytes().collect(), known.bytes().collect());
    letters.0.sort_unstable();
    letters.1.sort_unstable();
    letters.0 == letters.1 || name.len().abs_diff(known.len()) == 1
}

#[cfg(test)]
mod tests;

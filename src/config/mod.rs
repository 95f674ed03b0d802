//! Settings: what `ansible.cfg` and `ANSIBLE_*` say, each with where it was said. The command line is laid over this by `cli`.
//!
//! [`SETTINGS`] is the whole list, and the fields of [`Config`] are made of it. What Ansible knows and this release does not is a
//! warning, once; so is what nobody knows.

mod file;
mod known;
mod settings;
mod types;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use settings::{Config, SETTINGS, SettingInfo};
pub use types::{ConfigOrigin, PathList, SearchPath, Setting};

use crate::source::{Diagnostic, Diagnostics, Source};
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

    fn home(&self) -> Option<&Path> {
        self.variables.get("HOME").map(Path::new)
    }
}

impl Config {
    /// The settings; mistakes in values are errors (Ansible ends with 5 then), unknown names are warnings.
    pub fn load(surroundings: &Surroundings, diagnostics: &mut Diagnostics) -> Self {
        let path = find(surroundings, diagnostics);
        let source = path.as_deref().and_then(|path| match Source::read(path) {
            Ok(source) => Some(source),
            Err(error) => {
                diagnostics.push(Diagnostic::error(format!("failed to read the settings file `{}`: {error}", path.display())));
                None
            }
        });
        let file = source.and_then(|source| ConfigFile::parse(&source, diagnostics));
        let config = Self::resolve(surroundings, path, file.as_ref(), diagnostics);
        warn_of_rest(surroundings, file.as_ref(), diagnostics);
        config
    }
}

/// The first of: `$ANSIBLE_CONFIG`, `./ansible.cfg`, `~/.ansible.cfg`, `/etc/ansible/ansible.cfg`.
fn find(surroundings: &Surroundings, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
    let mut candidates = Vec::new();
    if let Some(named) = surroundings.variables.get("ANSIBLE_CONFIG") {
        let path = types::path(named, &surroundings.folder, surroundings);
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

/// One warning for each setting that is written somewhere and has no effect here.
fn warn_of_rest(surroundings: &Surroundings, file: Option<&ConfigFile>, diagnostics: &mut Diagnostics) {
    for entry in file.into_iter().flat_map(|file| &file.entries) {
        let name = format!("{}.{}", entry.section, entry.key);
        if SETTINGS.iter().any(|setting| setting.ini.contains(&name.as_str())) || known::WITHOUT_EFFECT.contains(&name.as_str()) {
            continue;
        }
        let shown = format!("`{}` of `[{}]`", entry.key, entry.section);
        let warning = if known::INI.binary_search(&name.as_str()).is_ok() {
            Diagnostic::warning(format!("the setting {shown} is not supported yet and has no effect"))
        } else {
            Diagnostic::warning(format!("unknown setting {shown}"))
        };
        diagnostics.push(warning.at(&entry.span));
    }
    for name in surroundings.variables.keys().filter(|name| name.starts_with("ANSIBLE_") && *name != "ANSIBLE_CONFIG") {
        if SETTINGS.iter().any(|setting| setting.env.contains(&name.as_str())) || known::ENV_WITHOUT_EFFECT.contains(&name.as_str()) {
            continue;
        }
        diagnostics.push(if known::ENV.binary_search(&name.as_str()).is_ok() {
            Diagnostic::warning(format!("the setting `{name}` of the environment is not supported yet and has no effect"))
        } else {
            Diagnostic::warning(format!("unknown setting `{name}` in the environment"))
        });
    }
}

#[cfg(test)]
mod tests;

//! Finds what each setting was set to, and where.

use std::path::{Path, PathBuf};

use super::Surroundings;
use super::file::ConfigFile;
use super::others::OTHERS;
use super::settings::SettingInfo;
use super::types::{self, ConfigOrigin, FromText, Kind, PathList, Reading, SearchPath, Setting};
use crate::source::{Diagnostic, Diagnostics};
use crate::value::Value;

/// A setting with its value as plain data.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Which.
    pub info: &'static SettingInfo,
    /// Its value.
    pub value: Value,
    /// Where it was set.
    pub origin: ConfigOrigin,
}

/// Reads settings one after another.
pub(super) struct Resolver<'r> {
    surroundings: &'r Surroundings,
    folder: Option<&'r Path>,
    file: Option<&'r ConfigFile>,
    home: PathBuf,
    diagnostics: &'r mut Diagnostics,
    all: Vec<Resolved>,
}

impl<'r> Resolver<'r> {
    pub fn new(
        surroundings: &'r Surroundings,
        path: Option<&'r Path>,
        file: Option<&'r ConfigFile>,
        diagnostics: &'r mut Diagnostics,
    ) -> Self {
        let folder = path.and_then(Path::parent);
        // Defaults of other paths begin with this one.
        let written = match (surroundings.variables.get("ANSIBLE_HOME"), file.and_then(|file| file.get("defaults.home"))) {
            (Some(text), _) => (text.as_str(), surroundings.folder.as_path()),
            (None, Some(entry)) => (entry.value.as_str(), folder.unwrap_or(&surroundings.folder)),
            (None, None) => ("~/.ansible", surroundings.folder.as_path()),
        };
        let home = types::path(written.0, written.1, surroundings, Path::new(""));
        Self { surroundings, folder, file, home, diagnostics, all: Vec::new() }
    }

    /// The environment, else the file, else the default.
    pub fn typed<T: FromText>(&mut self, info: &'static SettingInfo) -> Setting<T> {
        let in_environment = info.env.iter().rev().find_map(|name| Some((*name, self.surroundings.variables.get(*name)?)));
        let in_file = info.ini.iter().rev().find_map(|name| self.file?.get(name));
        let here = self.surroundings.folder.as_path();
        let (text, folder, origin) = match (in_environment, in_file) {
            (Some((name, text)), _) => (text.as_str(), here, ConfigOrigin::Environment(name)),
            (None, Some(entry)) => (entry.value.as_str(), self.folder.unwrap_or(here), ConfigOrigin::File(entry.span.clone())),
            (None, None) => return self.keep(info, self.default(info), ConfigOrigin::Default),
        };
        // `NO_COLOR` means what it says whatever its value.
        let text = if origin == ConfigOrigin::Environment("NO_COLOR") { "true" } else { text };
        let reading = Reading { text, folder, home: &self.home, surroundings: self.surroundings, choices: info.choices };
        match T::from_text(&reading) {
            Ok(value) => self.keep(info, value, origin),
            Err(wanted) => {
                let name = info.name;
                let error = match &origin {
                    ConfigOrigin::File(span) => Diagnostic::error(format!("the setting `{name}` is `{text}`, expected {wanted}")).at(span),
                    other => Diagnostic::error(format!("the setting `{name}` ({other}) is `{text}`, expected {wanted}")),
                };
                self.diagnostics.push(error);
                self.keep(info, self.default(info), origin)
            }
        }
    }

    /// All settings by name, those without effect read too.
    pub fn finish(mut self) -> Vec<Resolved> {
        for info in OTHERS {
            match info.kind {
                Kind::Bool => drop(self.typed::<Option<bool>>(info)),
                Kind::Integer => drop(self.typed::<Option<i64>>(info)),
                Kind::Float => drop(self.typed::<Option<f64>>(info)),
                Kind::List => drop(self.typed::<Option<Vec<String>>>(info)),
                Kind::Path => drop(self.typed::<Option<PathBuf>>(info)),
                Kind::PathList => drop(self.typed::<Option<PathList>>(info)),
                Kind::SearchPath => drop(self.typed::<Option<SearchPath>>(info)),
                Kind::Text => drop(self.typed::<Option<String>>(info)),
            }
        }
        self.all.sort_by_key(|resolved| (resolved.info.owner, resolved.info.name));
        self.all
    }

    fn default<T: FromText>(&self, info: &SettingInfo) -> T {
        let Some(text) = info.default else { return T::absent() };
        let here = &self.surroundings.folder;
        let reading = Reading { text, folder: here, home: &self.home, surroundings: self.surroundings, choices: &[] };
        T::from_text(&reading).unwrap_or_else(|_| T::absent())
    }

    fn keep<T: FromText>(&mut self, info: &'static SettingInfo, value: T, origin: ConfigOrigin) -> Setting<T> {
        self.all.push(Resolved { info, value: value.to_value(), origin: origin.clone() });
        Setting { value, origin }
    }
}

//! All cases: what of the language each of them uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use driftless::playbook::Place;

use super::{keywords, plugins};

/// Which cases use what.
#[derive(Default)]
pub struct Cases {
    keywords: BTreeMap<(String, &'static str), BTreeSet<String>>,
    plugins: BTreeMap<String, BTreeSet<String>>,
}

impl Cases {
    /// Reads every case that agrees with Ansible, and the recorded expressions.
    pub fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut cases = Self::default();
        let known = fs::read_to_string(root.join("tests/conformance/known-differences")).unwrap();
        let differing: BTreeSet<&str> = known.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
        for area in entries(&root.join("tests/conformance/cases")) {
            for folder in entries(&area) {
                let name = format!("{}/{}", base(&area), base(&folder));
                if !differing.contains(name.as_str()) {
                    cases.add_folder(&name, &folder);
                }
            }
        }
        for records in ["collection", "filter", "lookup", "test"] {
            let text = fs::read_to_string(root.join(format!("src/template/{records}/recorded.jsonl"))).unwrap();
            let expressions = text.lines().map(|line| {
                let record: serde_json::Value = serde_json::from_str(line).unwrap();
                record["expression"].as_str().unwrap().to_owned()
            });
            for expression in expressions {
                cases.add_text(&format!("{records}/recorded.jsonl"), &expression);
            }
        }
        cases
    }

    /// The cases of a filter, test or lookup; those of its own area first.
    pub fn of_plugin(&self, kind: &str, name: &str) -> Vec<String> {
        let users = self.plugins.get(&format!("{kind} {name}"));
        let mut users: Vec<String> = users.into_iter().flatten().cloned().collect();
        users.sort_by_key(|case| (!case.starts_with(&format!("{kind}s/")), case.contains("recorded.jsonl"), case.clone()));
        users
    }

    /// The cases of a keyword in one place.
    pub fn of_keyword(&self, name: &str, place: Place) -> Vec<String> {
        let users = self.keywords.get(&(name.to_owned(), keywords::name_of(place)));
        let mut users: Vec<String> = users.into_iter().flatten().cloned().collect();
        users.sort_by_key(|case| (case.split(['/', '_']).all(|word| !name.contains(word)), !case.starts_with("playbook/"), case.clone()));
        users
    }

    fn add_folder(&mut self, case: &str, folder: &Path) {
        for path in entries(folder) {
            if path.is_dir() && !path.is_symlink() {
                self.add_folder(case, &path);
                continue;
            }
            let is_golden = base(&path).starts_with("expected") && base(&path).ends_with(".json");
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if is_golden {
                continue;
            }
            self.add_text(case, &text);
            if path.extension().is_some_and(|extension| extension == "yml") {
                for (keyword, place) in keywords::used(&path, &text) {
                    self.keywords.entry((keyword, keywords::name_of(place))).or_default().insert(case.to_owned());
                }
            }
        }
    }

    fn add_text(&mut self, case: &str, text: &str) {
        for plugin in plugins::used(text) {
            self.plugins.entry(plugin).or_default().insert(case.to_owned());
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn base(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

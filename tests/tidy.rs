//! Holds what ARCHITECTURE.md says of the whole tree: who uses whom, who writes to the screen, who ends the process, and that
//! every file says what it is for.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the controller and their floors, as in `src/lib.rs`.
const FLOORS: &[(&str, u8)] = &[
    ("source", 0),
    ("display", 1),
    ("value", 1),
    ("vault", 2),
    ("yaml", 2),
    ("config", 3),
    ("template", 3),
    ("inventory", 4),
    ("vars", 5),
    ("playbook", 6),
    ("transport", 6),
    ("event", 7),
    ("helper", 7),
    ("action", 8),
    ("callback", 9),
    ("executor", 9),
    ("preflight", 9),
    ("cli", 10),
];

/// What must never be in the helper: it is small, static, and knows nothing of controllers.
const NOT_IN_THE_HELPER: &[&str] = &["clap", "crossbeam-channel", "minijinja", "openssl-sys", "rayon", "ssh2"];

#[test]
fn a_floor_uses_only_lower_floors() {
    let mut wrong = Vec::new();
    for file in rust_files("src") {
        let Some(own) = module_of(&file.path) else { continue };
        let floor = floor_of(&own).unwrap_or_else(|| panic!("`{own}` has no floor in tests/tidy.rs"));
        for (number, line) in file.code() {
            for used in used_modules(line) {
                if used != own && floor_of(&used).is_some_and(|other| other >= floor) {
                    wrong.push(format!("{}:{number}: `{own}` uses `{used}`, which is not below it", file.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floors_are_those_of_the_crate() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: BTreeSet<&str> = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, FLOORS.iter().map(|(name, _)| *name).collect());
    for (name, floor) in FLOORS {
        assert!(library.contains(&format!("//! | {floor} | [`{name}`] |")), "src/lib.rs does not say that `{name}` is on floor {floor}");
    }
}

#[test]
fn only_the_display_writes_to_the_screen() {
    let doors = ["println!(", "eprintln!(", "print!(", "eprint!(", "io::stdout()", "io::stderr()", "dbg!("];
    let allowed = |file: &File| module_of(&file.path).as_deref() == Some("display") || file.is_test();
    forbid("src", &doors, allowed, "only `display` writes to the screen");
}

#[test]
fn only_the_program_ends_itself() {
    forbid("src", &["process::exit(", "process::abort("], |file| file.name() == "src/main.rs", "only main.rs ends the process");
}

#[test]
fn nothing_changes_the_process_for_others() {
    let doors = ["set_current_dir(", "env::set_var(", "env::remove_var("];
    for folder in ["src", "modules/src"] {
        forbid(folder, &doors, |_| false, "the working folder and the environment are everybody's");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let all = ["src", "modules", "tests"].iter().flat_map(|folder| rust_files(folder));
    let silent: Vec<String> = all.filter(|file| !file.text.starts_with("//! ")).map(|file| file.name()).collect();
    assert!(silent.is_empty(), "these do not begin with `//! `: {}", silent.join(", "));
}

#[test]
fn the_helper_stays_small() {
    let lock = Lock::read();
    let inside = lock.reachable("driftless-modules");
    let unwanted: Vec<_> = NOT_IN_THE_HELPER.iter().filter(|name| inside.contains(**name)).collect();
    assert!(unwanted.is_empty(), "`driftless-modules` depends on {unwanted:?}");
    let wire = lock.reachable("driftless-wire");
    assert!(wire.is_subset(&inside), "the wire needs what the helper has not: {:?}", wire.difference(&inside));
}

/// Fails with each line under `folder` that has one of `doors`, outside of files that are `allowed` to.
fn forbid(folder: &str, doors: &[&str], allowed: impl Fn(&File) -> bool, rule: &str) {
    let mut wrong = Vec::new();
    for file in rust_files(folder).into_iter().filter(|file| !allowed(file)) {
        for (number, line) in file.code() {
            for door in doors.iter().filter(|door| calls(line, door)) {
                wrong.push(format!("{}:{number}: `{door}`: {rule}", file.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether `line` has `door`, not as the end of a longer name (`print!(` in `eprint!(`).
fn calls(line: &str, door: &str) -> bool {
    line.match_indices(door).any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

struct File {
    path: PathBuf,
    text: String,
}

impl File {
    /// From the top of the checkout.
    fn name(&self) -> String {
        self.path.strip_prefix(root()).expect("files are found below the root").display().to_string()
    }

    fn is_test(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == "tests.rs")
    }

    /// Numbered lines without comments, up to the tests at the end.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.take_while(|(_, line)| *line != "mod tests {").filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // What a build inside of `modules` left is not ours.
                if path.file_name().is_none_or(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push(File { path, text });
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// `template` for `src/template/filter/list.rs`; none for `src/lib.rs` and `src/main.rs`.
fn module_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib" && name != "main").then(|| name.to_owned())
}

fn floor_of(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// The modules that a line names by `crate::`, also in `crate::{a::…, b::…}`.
fn used_modules(line: &str) -> Vec<String> {
    let mut used = Vec::new();
    for (at, found) in line.match_indices("crate::") {
        let rest = &line[at + found.len()..];
        let parts = match rest.strip_prefix('{') {
            Some(list) => list.split(", ").collect(),
            None => vec![rest],
        };
        used.extend(parts.iter().map(|part| part.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()));
    }
    used
}

/// Cargo.lock: each package and what it needs.
struct Lock(BTreeMap<String, Vec<String>>);

impl Lock {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("Cargo.lock")).unwrap();
        let mut packages: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut name = String::new();
        for line in text.lines() {
            if let Some(found) = line.strip_prefix("name = ") {
                name = found.trim_matches('"').to_owned();
            } else if let Some(needs) = line.strip_prefix(" \"") {
                // `"rand 0.8.5",` where there are two of them.
                let needs = needs.split(['"', ' ']).next().unwrap_or_default();
                packages.entry(name.clone()).or_default().push(needs.to_owned());
            }
        }
        Self(packages)
    }

    /// Everything below `package`, tests' dependencies too: the lock file does not tell them apart.
    fn reachable(&self, package: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![package];
        while let Some(next) = open.pop() {
            for needs in self.0.get(next).into_iter().flatten() {
                if found.insert(needs.clone()) {
                    open.push(needs);
                }
            }
        }
        assert!(!found.is_empty(), "Cargo.lock does not know `{package}`");
        found
    }
}

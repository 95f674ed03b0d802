//! `include_vars`: variables from files of the control machine, for this host.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_modules::regex::{Anchor, Flags, Pattern, compile};

use super::{Action, Call, Done, Effect, Failure, NO_MESSAGE, OwnOptions, Plan};
use crate::source::Diagnostic;
use crate::template::Variable;
use crate::template::print::shown;
use crate::value::{Key, ListMerge, Map, Recursive, Value, merge};
use crate::vars::{NoVars, load_vars_file};
use crate::vault::is_vault;

/// The action.
pub(super) struct IncludeVars;

static OPTIONS: OwnOptions = OwnOptions {
    names: &[
        "_raw_params",
        "depth",
        "dir",
        "extensions",
        "file",
        "files_matching",
        "hash_behaviour",
        "ignore_files",
        "ignore_unknown_extensions",
        "name",
    ],
    required: &[(&["_raw_params", "dir", "file"], NO_FILE)],
};

/// The options that are about a folder, and those that are about one file.
const OF_FOLDER: &[&str] = &["depth", "dir", "extensions", "files_matching", "ignore_files", "ignore_unknown_extensions"];
const OF_FILE: &[&str] = &["_raw_params", "file"];

const NO_FILE: &str = "Could not find file on the Ansible Controller.";

impl Action for IncludeVars {
    fn names(&self) -> &'static [&'static str] {
        &["include_vars"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let wanted = Wanted::of(call)?;
        let mut read = Read::default();
        let ended = match &wanted {
            Wanted::File(name) => read.named_file(call, name),
            Wanted::Folder(folder) => read.folder(call, folder),
        };
        let named = |vars: Map| match call.args.text(&["name"]).filter(|name| !name.is_empty()) {
            None => vars,
            Some(name) => Map::from_iter([(Key::from(name.as_str()), Value::map(vars))]),
        };
        let files = Value::list(read.files.iter().map(|file| Value::text(file.display().to_string())).collect());
        // What is wrong with a file is told beside what was read, as Ansible does.
        ended.map_err(|failure| {
            if failure.is_raised {
                return failure;
            }
            let told = failure.message().to_owned();
            failure
                .with("msg", NO_MESSAGE)
                .with("message", told)
                .with("ansible_facts", Value::map(named(Map::new())))
                .with("ansible_included_var_files", files.clone())
        })?;
        let mut vars = named(read.vars);
        if call.args.text(&["hash_behaviour"]).as_deref() == Some("merge") {
            vars = merged_with_known(call, &vars);
        }
        let mut result = Map::new();
        result.insert("ansible_included_var_files", files);
        result.insert("ansible_facts", Value::map(vars.clone()));
        result.insert("changed", false);
        if read.files.iter().any(|file| is_sealed(file)) {
            result.insert("_ansible_no_log", true);
        }
        Ok(Plan::Done(Done { result, effect: Some(Effect::IncludeVars(vars)) }))
    }
}

/// Maps with what the host's variables of the same names have; templates are not rendered for it.
fn merged_with_known(call: &Call<'_>, vars: &Map) -> Map {
    let scope = call.templar.evaluator().scope();
    let known = vars.keys().filter_map(|key| match scope.get(key.as_str()?)? {
        Variable::Value(value @ Value::Map(_)) => Some((key.clone(), value)),
        Variable::Value(_) | Variable::Scope(_) | Variable::Closed(_) => None,
    });
    merge(&known.collect(), vars, Recursive::Yes, ListMerge::Replace)
}

/// What is included.
enum Wanted {
    /// One file; no name is nothing that is found.
    File(String),
    /// The files of a folder.
    Folder(Folder),
}

/// Which files of a folder.
struct Folder {
    root: PathBuf,
    depth: i64,
    matching: Option<Arc<Pattern>>,
    ignored: Vec<Arc<Pattern>>,
    extensions: Vec<String>,
    skips_others: bool,
}

impl Wanted {
    fn of(call: &Call<'_>) -> Result<Self, Failure> {
        if let Some((name, _)) = call.args.iter().find(|(name, _)| !OPTIONS.names.contains(name)) {
            let at = call.args.error_at(name, &format!("`include_vars` has no option `{name}`"));
            return Err(raised(format!("{name} is not a valid option in include_vars")).at(at));
        }
        let has = |names: &[&str]| names.iter().any(|name| call.args.get(name).is_some());
        if has(OF_FOLDER) && has(OF_FILE) {
            return Err(raised("You are mixing file only and dir only arguments, these are incompatible"));
        }
        let folder = Folder::of(call)?;
        Ok(match folder {
            Some(folder) => Self::Folder(folder),
            None => Self::File(call.args.text(OF_FILE).unwrap_or_default()),
        })
    }
}

impl Folder {
    fn of(call: &Call<'_>) -> Result<Option<Self>, Failure> {
        let no_list = |name: &str| raised(format!("The '{name}' option must be a list."));
        let ignored: Vec<String> = match call.args.get("ignore_files") {
            None => Vec::new(),
            Some(Value::List(items)) => items.iter().map(shown).collect(),
            Some(Value::Text(text)) => text.as_str().split_whitespace().map(str::to_owned).collect(),
            Some(value) if !value.truthy() => Vec::new(),
            Some(_) => return Err(no_list("ignore_files")),
        };
        let extensions = match call.args.get("extensions") {
            None => ["yaml", "yml", "json"].map(str::to_owned).to_vec(),
            Some(Value::List(items)) => items.iter().map(shown).collect(),
            Some(_) => return Err(no_list("extensions")),
        };
        let Some(dir) = call.args.text(&["dir"]).filter(|dir| !dir.is_empty()) else { return Ok(None) };
        let regex = |pattern: &str| compile(pattern, Flags::default(), Anchor::Anywhere);
        let matching = match call.args.text(&["files_matching"]).filter(|pattern| !pattern.is_empty()) {
            Some(pattern) => Some(regex(&pattern).map_err(|error| raised(error.to_string()))?),
            None => None,
        };
        let depth = match call.args.get("depth") {
            None | Some(Value::Null) => 0,
            Some(Value::Text(_)) => return Err(raised("'>' not supported between instances of 'int' and 'str'")),
            Some(value) => value.as_int().unwrap_or(0),
        };
        let ended = |pattern: &String| {
            regex(&format!("{pattern}$")).map_err(|error| raised(format!("Invalid regular expression: '{pattern}': {error}")))
        };
        Ok(Some(Self {
            root: root(call, &dir)?,
            depth,
            matching,
            ignored: ignored.iter().map(ended).collect::<Result<_, _>>()?,
            extensions,
            skips_others: call.args.get("ignore_unknown_extensions").is_some_and(Value::truthy),
        }))
    }

    /// Whether a file is taken; what has another ending is a mistake, unless that is tolerated.
    fn takes(&self, file: &Path) -> Result<bool, Failure> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let fits = |pattern: &Arc<Pattern>| pattern.is_match(&name).unwrap_or(false);
        if self.ignored.iter().any(fits) || !self.matching.as_ref().is_none_or(fits) {
            return Ok(false);
        }
        let ending = file.extension().unwrap_or_default().to_string_lossy();
        if self.extensions.iter().any(|known| *known == ending) {
            return Ok(true);
        }
        if self.skips_others {
            return Ok(false);
        }
        Err(Failure::new(format!("'{}' does not have a valid extension: {}", file.display(), self.extensions.join(", "))))
    }
}

/// Where a folder is: in `vars` of the role, else beside the task.
fn root(call: &Call<'_>, dir: &str) -> Result<PathBuf, Failure> {
    if let Some(role) = call.templar.get("role_path")? {
        let role = PathBuf::from(shown(&role));
        return Ok(if dir.split('/').next() == Some("vars") { role.join(dir) } else { role.join("vars").join(dir) });
    }
    Ok(call.context.search_path.first().unwrap_or(&call.context.playbook_dir).join(dir))
}

/// What was read by now.
#[derive(Default)]
struct Read {
    files: Vec<PathBuf>,
    vars: Map,
}

impl Read {
    fn named_file(&mut self, call: &Call<'_>, name: &str) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::new(NO_FILE));
        }
        let option = if call.args.get("file").is_some() { "file" } else { "_raw_params" };
        let file = call.context.find_file("vars", name).ok_or_else(|| call.missing_file("vars", name, option))?;
        self.file(call, file).map_err(|failure| Failure { is_raised: false, ..failure })
    }

    fn folder(&mut self, call: &Call<'_>, folder: &Folder) -> Result<(), Failure> {
        let root = folder.root.display();
        if !folder.root.exists() {
            return Err(Failure::new(format!("{root} directory does not exist")));
        }
        if !folder.root.is_dir() {
            return Err(Failure::new(format!("{root} is not a directory")));
        }
        let mut files = Vec::new();
        walk(&folder.root, 1, folder.depth, &mut files);
        for file in files {
            if folder.takes(&file)? {
                // What is no YAML ends it here, and not for a file alone.
                self.file(call, file).map_err(|failure| if failure.is_raised { failure.prefixed("Task failed: ") } else { failure })?;
            }
        }
        Ok(())
    }

    /// Later files win; what they say of one name is not merged.
    fn file(&mut self, call: &Call<'_>, file: PathBuf) -> Result<(), Failure> {
        let vars = load_vars_file(&file, call.context.lookups.vault()).map_err(|why| failure(&file, why))?;
        self.vars.extend(vars);
        self.files.push(file);
        Ok(())
    }
}

/// A failure that ends the task before it has a result.
fn raised(message: impl Into<String>) -> Failure {
    Failure::new(message).prefixed("Task failed: ").raised()
}

fn failure(file: &Path, why: NoVars) -> Failure {
    let shown = file.display();
    let (message, found): (String, Vec<Diagnostic>) = match why {
        NoVars::Unreadable(_) if file.is_dir() => {
            (format!("An error occurred while trying to read the file '{shown}': [Errno 21] Is a directory: '{shown}'"), Vec::new())
        }
        NoVars::Unreadable(found) => (found.message.clone(), vec![found]),
        NoVars::NoMap(found) => (format!("'{shown}' must be stored as a dictionary/hash"), found.into_sorted()),
        NoVars::NoYaml(found) => {
            let found = found.into_sorted();
            let problem = found.first().map_or("", |found| found.message.as_str());
            let message = match problem.split_once(" while ") {
                Some((problem, context)) => format!("YAML parsing failed: While {context} {problem}."),
                None => format!("YAML parsing failed: {problem}."),
            };
            return found.into_iter().fold(Failure::new(message).raised(), Failure::at);
        }
    };
    found.into_iter().fold(Failure::new(message), Failure::at)
}

/// Whether the file is in a vault: then nobody sees what is in it.
fn is_sealed(file: &Path) -> bool {
    let mut begin = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(32).read_to_end(&mut begin));
    read.is_ok() && is_vault(&begin)
}

fn walk(dir: &Path, depth: i64, most: i64, files: &mut Vec<PathBuf>) {
    if most < 0 {
        return;
    }
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (dirs, found): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    files.extend(found);
    if most == 0 || depth < most {
        dirs.iter().for_each(|dir| walk(dir, depth + 1, most, files));
    }
}

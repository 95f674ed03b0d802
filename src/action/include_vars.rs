//! `include_vars`: variables from files of the control machine, for this host.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Action, Call, Done, Effect, Failure, NO_MESSAGE, OwnOptions, Plan};
use crate::source::Diagnostics;
use crate::template::print::shown;
use crate::value::{Key, ListMerge, Map, Recursive, Value, merge};
use crate::vars::load_vars_file;
use crate::vault::is_vault;
use driftless_modules::regex::{Anchor, Flags, compile};

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
    required: &[(&["_raw_params", "dir", "file"], "No file or dir specified")],
};

impl Action for IncludeVars {
    fn names(&self) -> &'static [&'static str] {
        &["include_vars"]
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        let file = call.args.text(&["file", "_raw_params"]);
        let dir = call.args.text(&["dir"]);
        if file.is_some() && dir.is_some() {
            return Err(Failure::new("You are mixing file only and dir only arguments, these are incompatible"));
        }
        let named = |vars: Map| match call.args.text(&["name"]).filter(|name| !name.is_empty()) {
            None => vars,
            Some(name) => Map::from_iter([(Key::from(name.as_str()), Value::map(vars))]),
        };
        // The failure of a file is told beside what was read, as Ansible does.
        let (files, vars) = read(call, file.as_deref(), dir.as_deref()).map_err(|failure| {
            let told = failure.message().to_owned();
            failure
                .with("msg", NO_MESSAGE)
                .with("message", told)
                .with("ansible_facts", Value::map(named(Map::new())))
                .with("ansible_included_var_files", Value::list(Vec::new()))
        })?;
        let vars = named(vars);
        let mut result = Map::new();
        result
            .insert("ansible_included_var_files", Value::list(files.iter().map(|file| Value::text(file.display().to_string())).collect()));
        result.insert("ansible_facts", Value::map(vars.clone()));
        result.insert("changed", false);
        if files.iter().any(|file| is_sealed(file)) {
            result.insert("_ansible_no_log", true);
        }
        Ok(Plan::Done(Done { result, effect: Some(Effect::IncludeVars(vars)) }))
    }
}

fn read(call: &Call<'_>, file: Option<&str>, dir: Option<&str>) -> Result<(Vec<PathBuf>, Map), Failure> {
    let files = match (file, dir) {
        (Some(file), _) => vec![find(call, file)?],
        (None, Some(dir)) => files_of(call, dir)?,
        (None, None) => return Err(Failure::new("No file or dir specified")),
    };
    let recursive = match call.args.text(&["hash_behaviour"]).as_deref() {
        Some("merge") => Recursive::Yes,
        _ => Recursive::No,
    };
    let mut vars = Map::new();
    for file in &files {
        vars = merge(&vars, &load(call, file)?, recursive, ListMerge::Replace);
    }
    Ok((files, vars))
}

/// Whether the file is in a vault: then nobody sees what is in it.
fn is_sealed(file: &Path) -> bool {
    let mut begin = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(32).read_to_end(&mut begin));
    read.is_ok() && is_vault(&begin)
}

fn find(call: &Call<'_>, name: &str) -> Result<PathBuf, Failure> {
    let option = if call.args.get("file").is_some() { "file" } else { "_raw_params" };
    call.context.find_file("vars", name).ok_or_else(|| call.missing_file("vars", name, option))
}

fn load(call: &Call<'_>, file: &Path) -> Result<Map, Failure> {
    let mut diagnostics = Diagnostics::new();
    let vars = load_vars_file(file, call.context.lookups.vault(), &mut diagnostics);
    if !diagnostics.has_errors() {
        return Ok(vars.unwrap_or_default());
    }
    let list = diagnostics.into_sorted();
    let message = list.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
    let nothing = Failure::new(message).with("ansible_facts", Map::new()).with("ansible_included_var_files", Vec::new());
    Err(list.into_iter().fold(nothing, Failure::at))
}

fn files_of(call: &Call<'_>, dir: &str) -> Result<Vec<PathBuf>, Failure> {
    let root = call.context.search_path.iter().flat_map(|base| [base.join("vars").join(dir), base.join(dir)]).find(|path| path.is_dir());
    let root = root.ok_or_else(|| Failure::new(format!("{dir} directory does not exist")))?;
    let texts = |name: &str| match call.args.get(name) {
        Some(Value::List(items)) => items.iter().map(shown).collect(),
        Some(Value::Text(text)) => text.as_str().split(',').map(|word| word.trim().to_owned()).collect(),
        _ => Vec::new(),
    };
    let extensions: Vec<String> =
        Some(texts("extensions")).filter(|list| !list.is_empty()).unwrap_or_else(|| ["yaml", "yml", "json"].map(str::to_owned).to_vec());
    let ignored: Vec<String> = texts("ignore_files");
    let matching = match call.args.text(&["files_matching"]) {
        Some(pattern) => {
            let found = compile(&pattern, Flags::default(), Anchor::Anywhere);
            Some(found.map_err(|error| Failure::new(format!("Invalid regular expression: {error}")))?)
        }
        None => None,
    };
    let depth = call.args.get("depth").and_then(Value::as_int).unwrap_or(0);
    let tolerant = call.args.flag(&["ignore_unknown_extensions"], false)?;
    let mut files = Vec::new();
    walk(&root, 1, depth, &mut files);
    let mut kept = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ignored.contains(&name) {
            continue;
        }
        if let Some(pattern) = &matching
            && !pattern.is_match(&name).unwrap_or(false)
        {
            continue;
        }
        let known = file.extension().is_some_and(|ending| extensions.iter().any(|known| ending.to_string_lossy() == **known));
        if !known && !tolerant {
            let message = format!("{} does not have a valid extension: {}", file.display(), extensions.join(", "));
            return Err(Failure::new(message));
        }
        if known {
            kept.push(file);
        }
    }
    Ok(kept)
}

fn walk(dir: &Path, depth: i64, most: i64, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (dirs, found): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    files.extend(found);
    if most == 0 || depth < most {
        dirs.iter().for_each(|dir| walk(dir, depth + 1, most, files));
    }
}

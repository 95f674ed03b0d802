//! Lookups of `community.general` and `ansible.utils`.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use driftless_modules::host::identity::{group_by_id, user_by_id};

use super::data::paths;
use super::refuse;
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Dict, Evaluator, Lookup, Options, Result, TemplateError, Val};
use crate::value::Key;

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup {
        name: "ansible.utils.to_paths",
        options: &["prepend"],
        run: |evaluator, terms, options| {
            let prefix = options.get("prepend").and_then(Val::as_str).unwrap_or_default().to_owned();
            let found = |term: &Val| {
                let mut found = Dict::new();
                paths(evaluator, &prefix, term, &mut found)?;
                Ok(Val::dict(found))
            };
            terms.iter().map(found).collect()
        },
    },
    Lookup { name: "community.general.cartesian", options: &[], run: cartesian },
    Lookup { name: "community.general.filetree", options: &["exclude"], run: filetree },
    Lookup {
        name: "community.general.flattened",
        options: &[],
        run: |evaluator, terms, _| {
            let mut flat = Vec::new();
            terms.iter().try_for_each(|term| flatten(evaluator, term, &mut flat))?;
            Ok(flat)
        },
    },
];

fn flatten(evaluator: &Evaluator, val: &Val, flat: &mut Vec<Val>) -> Result<()> {
    let _depth = evaluator.enter()?;
    if !val.is_list() {
        flat.push(val.clone());
        return Ok(());
    }
    evaluator.items(val)?.iter().try_for_each(|item| flatten(evaluator, item, flat))
}

fn cartesian(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    if terms.is_empty() {
        return refuse("with_cartesian requires at least one element in each list");
    }
    let mut rows: Vec<Vec<Val>> = vec![Vec::new()];
    for term in terms {
        let items = if term.is_list() { evaluator.items(term)? } else { vec![term.clone()] };
        evaluator.charge(rows.len().saturating_mul(items.len()).saturating_mul(terms.len()).saturating_mul(size_of::<Val>()))?;
        rows = rows.iter().flat_map(|row| items.iter().map(|item| [&row[..], std::slice::from_ref(item)].concat())).collect();
    }
    Ok(rows.into_iter().map(Val::list).collect())
}

fn filetree(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let unusable = |error: crate::template::python::regex::RegexError| TemplateError::plugin(error.to_string());
    let exclude = match options.get("exclude").filter(|val| !val.is_none()) {
        Some(pattern) => Some(compile(evaluator.text(pattern)?.as_str(), Flags::default(), Anchor::Start).map_err(unusable)?),
        None => None,
    };
    let mut found = Vec::new();
    for term in terms {
        let name = evaluator.text(term)?;
        let path = PathBuf::from(name.as_str());
        let root = if path.is_absolute() { Some(path) } else { evaluator.context().find_file("files", name.as_str()) };
        let Some(root) = root.filter(|root| root.is_dir()) else { continue };
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let mut entries: Vec<(bool, PathBuf)> = Vec::new();
            for entry in std::fs::read_dir(root.join(&folder)).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let excluded = exclude.as_ref().map_or(Ok(false), |pattern| pattern.is_match(&name)).map_err(unusable)?;
                if !excluded {
                    entries.push((!entry.path().is_dir(), folder.join(name)));
                }
            }
            entries.sort();
            evaluator.charge(entries.len().saturating_mul(1024))?;
            for (_, path) in &entries {
                found.extend(properties(&root, path));
            }
            let inner = entries.into_iter().filter(|(_, path)| root.join(path).is_dir() && !root.join(path).is_symlink());
            folders.extend(inner.map(|(_, path)| path).rev());
        }
    }
    Ok(found)
}

/// What is known of a file, a link or a folder; `None` of anything else.
fn properties(root: &Path, path: &Path) -> Option<Val> {
    let full = root.join(path);
    let found = full.symlink_metadata().ok()?;
    let shown = |path: &Path| Val::from(path.display().to_string());
    let mut dict = Dict::new();
    let mut put = |name: &str, val: Val| dict.insert(Key::from(name), val);
    put("root", shown(root));
    put("path", shown(path));
    let kind = found.file_type();
    let (state, source) = if kind.is_symlink() {
        ("link", Some(std::fs::read_link(&full).ok()?))
    } else if kind.is_dir() {
        ("directory", None)
    } else if kind.is_file() {
        ("file", Some(full))
    } else {
        return None;
    };
    put("state", Val::from(state));
    if let Some(source) = source {
        put("src", shown(&source));
    }
    put("uid", Val::from(i64::from(found.uid())));
    put("gid", Val::from(i64::from(found.gid())));
    put("owner", user_by_id(found.uid()).map_or(Val::NONE, |user| Val::from(user.name)));
    put("group", group_by_id(found.gid()).map_or(Val::NONE, |group| Val::from(group.name)));
    put("mode", Val::from(format!("0{:o}", found.mode() & 0o7777)));
    put("size", Val::from(i64::try_from(found.size()).unwrap_or(i64::MAX)));
    let time = |seconds: i64, nanoseconds: i64| Val::from(seconds as f64 + nanoseconds as f64 / 1e9);
    put("mtime", time(found.mtime(), found.mtime_nsec()));
    put("ctime", time(found.ctime(), found.ctime_nsec()));
    Some(Val::dict(dict))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::template::{Context, Engine, NoNames, NoWorld, Templar};
    use crate::value::{Text, to_json};

    /// What `community.general.filetree` tells of a tree.
    #[test]
    fn a_tree_is_its_folders_files_and_links() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("files/tree/sub")).unwrap();
        std::fs::write(folder.path().join("files/tree/a.txt"), "hi\n").unwrap();
        std::fs::write(folder.path().join("files/tree/sub/b"), "x").unwrap();
        std::os::unix::fs::symlink("a.txt", folder.path().join("files/tree/l")).unwrap();
        let context = Context::of_playbook(folder.path().to_path_buf(), Arc::new(NoWorld));
        let templar = Templar::new(&Arc::new(Engine::new()), Arc::new(NoNames), Arc::new(context));
        let give = |expression: &str| to_json(&templar.expression(&Text::trusted(expression, None)).unwrap());
        let all = give("query('filetree', 'tree') | map(attribute='path') | zip(query('filetree', 'tree') | map(attribute='state'))");
        assert_eq!(all, serde_json::json!([["sub", "directory"], ["a.txt", "file"], ["l", "link"], ["sub/b", "file"]]));
        assert_eq!(give("query('community.general.filetree', 'tree')[2].src"), "a.txt");
        assert_eq!(
            give("query('community.general.filetree', 'tree', exclude='^a') | map(attribute='path')"),
            serde_json::json!(["sub", "l", "sub/b"])
        );
        assert_eq!(give("query('community.general.filetree', 'nope')"), serde_json::json!([]));
    }
}

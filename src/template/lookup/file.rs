//! Lookups of files on the control machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{flag_or, given, refuse, text_or};
use crate::source::{Source, absolute, escape};
use crate::template::file::TemplateFile;
use crate::template::filter::{dirname, normpath};
use crate::template::python::fnmatch;
use crate::template::syntax::Backslashes;
use crate::template::{About, Evaluator, Lookup, Options, Result, Scope, Syntax, TemplateError, Val, Variable};
use crate::value::{Map, Value};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "file", options: &["lstrip", "rstrip"], run: file },
    Lookup { name: "fileglob", options: &[], run: fileglob },
    Lookup { name: "first_found", options: &["files", "paths", "skip"], run: first_found },
    Lookup { name: "template", options: TEMPLATE, run: template },
    Lookup { name: "unvault", options: &[], run: unvault },
];

const TEMPLATE: &[&str] = &[
    "comment_end_string",
    "comment_start_string",
    "convert_data",
    "jinja2_native",
    "lstrip_blocks",
    "template_vars",
    "trim_blocks",
    "variable_end_string",
    "variable_start_string",
];

/// The content of the file `term`, looked for among `files`.
pub(super) fn read(evaluator: &Evaluator, term: &str) -> Result<String> {
    let (path, bytes) = bytes_of(evaluator, term)?;
    Ok(text_of(evaluator, &path, bytes))
}

/// The file `term` and its bytes.
pub(super) fn bytes_of(evaluator: &Evaluator, term: &str) -> Result<(PathBuf, Vec<u8>)> {
    let context = evaluator.context();
    let Some(path) = context.find_file("files", term) else {
        return refuse(format!("Unable to access the file '{term}': File not found. Use -vvvvv to see paths searched."));
    };
    match context.lookups.read_file(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(error) => refuse(format!("Unable to access the file '{term}': {}", error.message())),
    }
}

/// What a file says; what is no UTF-8 is escaped.
fn text_of(evaluator: &Evaluator, path: &Path, bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        evaluator.deprecate(escaped(path));
        escape::decode(error.as_bytes())
    })
}

/// What is said of such a file.
pub fn escaped(path: &Path) -> String {
    format!("File '{}' could not be decoded as 'utf-8'. Invalid content has been escaped.", absolute(path).display())
}

fn file(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let (lstrip, rstrip) = (flag_or(evaluator, options, "lstrip", false)?, flag_or(evaluator, options, "rstrip", true)?);
    let mut contents = Vec::new();
    for term in terms {
        let content = read(evaluator, evaluator.text(term)?.as_str())?;
        evaluator.charge(content.len())?;
        let mut content = content.as_str();
        if lstrip {
            content = content.trim_start();
        }
        if rstrip {
            content = content.trim_end();
        }
        contents.push(Val::from(content));
    }
    Ok(contents)
}

fn unvault(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let context = evaluator.context();
    let content = |term: &Val| {
        let term = evaluator.text(term)?;
        let Some(path) = context.find_file("files", term.as_str()) else {
            return refuse(format!("Unable to find file matching \"{}\"", term.as_str()));
        };
        let bytes = context.lookups.read_file(&path)?;
        evaluator.charge(bytes.len())?;
        Ok(Val::from(escape::decode(&bytes)))
    };
    terms.iter().map(content).collect()
}

/// Files alone, of the first place that has the pattern's directory; sorted.
fn fileglob(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let context = evaluator.context();
    let mut found = Vec::new();
    for term in terms {
        let Some(pattern) = term.as_str() else {
            return refuse(format!("expected str, bytes or os.PathLike object, not {}", term.type_name()));
        };
        let (folder, name) = (dirname(pattern), pattern.rsplit('/').next().unwrap_or_default());
        let places: Vec<PathBuf> = if folder.starts_with('/') {
            vec![PathBuf::from(&folder)]
        } else {
            let roots = context.search_path.iter().chain(std::iter::once(&context.playbook_dir));
            roots.flat_map(|root| [root.join("files").join(&folder), root.join(&folder)]).collect()
        };
        for place in places {
            let place = normpath(&place.to_string_lossy());
            let escaped = place.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]");
            // The folder may hold a pattern too.
            let prefix = if fnmatch::has_magic(&folder) { place } else { escaped };
            let files: Vec<PathBuf> =
                fnmatch::glob(&format!("{}/{name}", prefix.trim_end_matches('/'))).into_iter().filter(|path| path.is_file()).collect();
            if !files.is_empty() {
                found.extend(files.into_iter().map(|path| Val::from(path.display().to_string())));
                break;
            }
        }
    }
    Ok(found)
}

/// What one term of `first_found` asks for.
#[derive(Default)]
struct Search {
    candidates: Vec<String>,
    skip: bool,
}

fn first_found(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut search = Search { candidates: Vec::new(), skip: flag_or(evaluator, options, "skip", false)? };
    collect_terms(evaluator, terms, options, &mut search)?;
    if terms.is_empty() || given(options, "files").is_some() && search.candidates.is_empty() {
        collect_option_files(evaluator, options, &mut search)?;
    }
    let context = evaluator.context();
    for candidate in &search.candidates {
        if candidate.is_empty() {
            continue;
        }
        let found = ["files", "templates", "vars", "tasks"].into_iter().find_map(|kind| context.find_file(kind, candidate));
        if let Some(path) = found.filter(|path| path.exists()) {
            return Ok(vec![Val::from(normpath(&path.to_string_lossy()))]);
        }
        // A folder is found too.
        if candidate.starts_with('/') && Path::new(candidate).exists() {
            return Ok(vec![Val::from(normpath(candidate))]);
        }
    }
    if search.skip {
        return Ok(Vec::new());
    }
    refuse("No file was found when using first_found.")
}

fn collect_terms(evaluator: &Evaluator, terms: &[Val], options: &Options, search: &mut Search) -> Result<()> {
    let _depth = evaluator.enter()?;
    for term in terms {
        match term {
            Val::Undefined(_) => {}
            dict if dict.is_mapping() => {
                let mut inner = options.clone();
                for (key, val) in evaluator.entries(dict)? {
                    let name = key.as_str().unwrap_or_default();
                    inner.named.retain(|(known, _)| &**known != name);
                    inner.named.push((name.into(), val));
                }
                search.skip |= flag_or(evaluator, &inner, "skip", false)?;
                collect_option_files(evaluator, &inner, search)?;
            }
            list if list.is_list() => collect_terms(evaluator, &evaluator.items(list)?, options, search)?,
            text => {
                let text = evaluator.text(text)?;
                match path_list(evaluator, options, "paths", &[',', ':', ';'])? {
                    paths if paths.is_empty() => search.candidates.push(text.as_str().to_owned()),
                    paths => search.candidates.extend(paths.iter().map(|path| joined(path, text.as_str()))),
                }
            }
        }
    }
    Ok(())
}

fn joined(folder: &str, name: &str) -> String {
    Path::new(folder).join(name).to_string_lossy().into_owned()
}

fn collect_option_files(evaluator: &Evaluator, options: &Options, search: &mut Search) -> Result<()> {
    let files = path_list(evaluator, options, "files", &[',', ';'])?;
    let paths = path_list(evaluator, options, "paths", &[',', ':', ';'])?;
    match (paths.is_empty(), files.is_empty()) {
        (true, _) => search.candidates.extend(files),
        (false, true) => search.candidates.extend(paths),
        (false, false) => {
            for path in &paths {
                search.candidates.extend(files.iter().map(|file| joined(path, file)));
            }
        }
    }
    Ok(())
}

/// A list, or a text that is split at `separators`.
fn path_list(evaluator: &Evaluator, options: &Options, name: &str, separators: &[char]) -> Result<Vec<String>> {
    let Some(val) = given(options, name) else { return Ok(Vec::new()) };
    let items = if val.is_list() { evaluator.items(val)? } else { vec![val.clone()] };
    let mut all = Vec::new();
    for item in items {
        if item.is_undefined() {
            continue;
        }
        let text = evaluator.text(&item)?;
        all.extend(text.as_str().split(separators).map(str::to_owned));
    }
    Ok(all)
}

/// The template's own variables before the task's.
pub(in crate::template) struct Overlay {
    pub(in crate::template) own: Map,
    pub(in crate::template) outer: Arc<dyn Scope>,
}

impl Scope for Overlay {
    fn get(&self, name: &str) -> Option<Variable> {
        self.own.get(name).cloned().map(Variable::Value).or_else(|| self.outer.get(name))
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.outer.names();
        names.extend(self.own.keys().filter_map(|key| key.as_str()).filter(|name| self.outer.get(name).is_none()).map(Arc::from));
        names
    }
}

fn template(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let context = evaluator.context();
    let mut syntax = Syntax {
        trim_blocks: flag_or(evaluator, options, "trim_blocks", true)?,
        lstrip_blocks: flag_or(evaluator, options, "lstrip_blocks", false)?,
        backslashes: Backslashes::Escape,
        extensions: context.extensions,
        ..Syntax::default()
    };
    let delimiter = |name: &str, default: &str| Ok::<_, TemplateError>(text_or(evaluator, options, name, default)?.as_str().to_owned());
    syntax.variable = (delimiter("variable_start_string", "{{")?, delimiter("variable_end_string", "}}")?);
    syntax.comment = (delimiter("comment_start_string", "{#")?, delimiter("comment_end_string", "#}")?);
    let mut results = Vec::new();
    for term in terms {
        let term = evaluator.text(term)?;
        let Some(path) = context.find_file("templates", term.as_str()) else {
            return refuse(format!("the template file {} could not be found for the lookup", term.as_str()));
        };
        let bytes = context.lookups.read_file(&path)?;
        let source = Source::decode(&path, bytes.clone()).unwrap_or_else(|_| Source::file(&path, text_of(evaluator, &path, bytes)));
        let shown = path.display().to_string();
        let mut own = About::of(&path).vars(&path, &shown, None);
        if evaluator.scope().get("ansible_managed").is_none() {
            own.insert("ansible_managed", "Ansible managed");
        }
        if let Some(vars) = given(options, "template_vars") {
            match evaluator.value(vars)? {
                Value::Map(map) => own.extend(map.iter().map(|(key, value)| (key.clone(), value.clone()))),
                other => return refuse(format!("`template_vars` is a `{}`, expected a dict", other.type_name())),
            }
        }
        let file = TemplateFile::read(evaluator.engine(), &source, syntax.clone())?;
        let inner = evaluator.over(Arc::new(Overlay { own, outer: Arc::clone(evaluator.scope()) }));
        results.push(match inner.render_file(&file)? {
            Val::Plain(Value::Text(text)) => Val::from(text.into_untrusted()),
            val => val,
        });
    }
    Ok(results)
}

//! Files of the control machine that tasks name by constants: whether they are there, and what is wrong with templates.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::definable::search;
use super::reach::{Reach, Reached, constant};
use super::texts::{Texts, Undefined};
use crate::action::to_bool;
use crate::playbook::load::normal;
use crate::playbook::{ModuleCall, Task, Work};
use crate::source::{Diagnostic, Source, Span, Spanned};
use crate::template::{Engine, FileOptions, Inspection, Syntax, Templar};
use crate::transport::shell::split;
use crate::value::{Text, Value};

/// A file that is not there now.
pub struct Missing {
    /// What is said of it.
    pub diagnostic: Diagnostic,
    /// As it was written.
    pub name: String,
    /// The place of the task that asks for it.
    task: Span,
}

/// Names that the `template` module gives to its file.
pub const OF_TEMPLATE: &[&str] =
    &["template_destpath", "template_fullpath", "template_host", "template_mtime", "template_path", "template_run_date", "template_uid"];

/// Looks for the files that a task names, and at the templates among them.
pub fn look(engine: &Engine, task: &Task, texts: &mut Texts<'_>, missing: &mut Vec<Missing>) {
    for used in std::mem::take(&mut texts.lookups) {
        match &*used.name {
            "template" if used.options.iter().all(|option| &**option == "template_vars") => {
                let syntax = Syntax { backslashes: crate::template::Backslashes::Escape, ..FileOptions::default().syntax };
                for term in used.terms.iter().flatten() {
                    let at = term.place.span().unwrap_or_else(|| task.span.clone());
                    match search(task, "templates", &term.name) {
                        Some(path) if used.options.is_empty() => template(engine, task, &path, &syntax, texts),
                        Some(_) => {}
                        None => missing.push(not_there(task, "templates", &term.name, &at)),
                    }
                }
            }
            "vars" if !used.options.iter().any(|option| &**option == "default") => {
                texts.names.extend(used.terms.into_iter().flatten());
            }
            _ => {}
        }
    }
    if let Work::Module(call) = &task.work {
        of_call(engine, task, call, texts, missing);
    }
}

fn of_call(engine: &Engine, task: &Task, call: &ModuleCall, texts: &mut Texts<'_>, missing: &mut Vec<Missing>) {
    let args = &call.args;
    let free = args.free_form.as_ref().map(|text| Spanned::new(Value::Text(text.value.clone()), text.span.clone()));
    let is_remote = args.get("remote_src").is_some_and(|value| Templar::is_template(&value.value) || to_bool(&value.value) != Some(false));
    let (folder, written) = match &*call.name.short {
        "assemble" if args.get("remote_src").is_some() && !is_remote => ("files", args.get("src")),
        "copy" | "unarchive" if !is_remote && args.get("copy").is_none() => ("files", args.get("src")),
        "include_vars" => ("vars", args.get("file").or(free.as_ref())),
        "script" => ("files", args.get("cmd").or(free.as_ref())),
        "template" => ("templates", args.get("src")),
        _ => return,
    };
    let Some((name, at)) = written.and_then(|written| Some((constant(written)?, &written.span))) else { return };
    let name = match &*call.name.short {
        "script" => match split(name).ok().and_then(|words| words.into_iter().next()) {
            Some(word) => word,
            None => return,
        },
        _ => name.to_owned(),
    };
    if name.is_empty() || name.starts_with('~') || name.contains('$') || name.contains("://") {
        return;
    }
    match search(task, folder, name.trim_end_matches('/')) {
        None => missing.push(not_there(task, folder, &name, at)),
        Some(path) if &*call.name.short == "template" && path.is_file() => {
            if let Some(syntax) = syntax_of(call) {
                template(engine, task, &path, &syntax, texts);
            }
        }
        Some(_) => {}
    }
}

fn not_there(task: &Task, folder: &str, name: &str, at: &Span) -> Missing {
    let mut diagnostic = Diagnostic::error(format!("Could not find or access '{name}' on the Ansible Controller.")).at(at);
    if !Path::new(name).is_absolute() {
        for dir in task.context.search_path() {
            diagnostic = diagnostic.note(format!("looked in `{}` and `{}`", normal(&dir.join(folder)).display(), normal(&dir).display()));
        }
    }
    Missing { diagnostic, name: name.to_owned(), task: task.span.clone() }
}

/// How a `template` task reads its file; `None` where that is computed.
fn syntax_of(call: &ModuleCall) -> Option<Syntax> {
    let mut syntax = FileOptions::default().syntax;
    let text = |name: &str| match call.args.get(name) {
        None => Some(None),
        Some(written) => constant(written).map(|text| Some(text.to_owned())),
    };
    for (option, name) in syntax.marks() {
        if let Some(own) = text(name)? {
            *option = own;
        }
    }
    for (option, name) in [(&mut syntax.trim_blocks, "trim_blocks"), (&mut syntax.lstrip_blocks, "lstrip_blocks")] {
        if let Some(written) = call.args.get(name) {
            *option = to_bool(&written.value)?;
        }
    }
    if !call.args.variables.is_empty() { None } else { Some(syntax) }
}

/// A template file with all that it includes.
fn template(engine: &Engine, task: &Task, path: &Path, syntax: &Syntax, texts: &mut Texts<'_>) {
    let mut files =
        Files { engine, search_path: task.context.search_path(), seen: HashSet::new(), bound: HashSet::new(), texts, at: &task.span };
    let first = files.texts.names.len();
    files.read(path, syntax);
    let bound = files.bound;
    let mut index = 0;
    texts.names.retain(|used| {
        index += 1;
        index <= first || !(bound.contains(&used.name) || OF_TEMPLATE.contains(&&*used.name))
    });
}

struct Files<'a, 'e> {
    engine: &'a Engine,
    search_path: Vec<PathBuf>,
    seen: HashSet<PathBuf>,
    bound: HashSet<super::Name>,
    texts: &'a mut Texts<'e>,
    at: &'a Span,
}

impl Files<'_, '_> {
    fn read(&mut self, path: &Path, syntax: &Syntax) {
        if !self.seen.insert(path.to_path_buf()) {
            return;
        }
        // A file that cannot be read, or is in a vault, is its task's to tell.
        let Ok(source) = Source::read(path) else { return };
        if source.text().starts_with("$ANSIBLE_VAULT") {
            return;
        }
        match self.engine.inspect_file(&source, &FileOptions { syntax: syntax.clone() }) {
            Err(error) => self.texts.take(Err(error), self.at, Undefined::Fails),
            Ok((mut found, syntax)) => {
                self.bound.extend(found.bound.drain());
                let others = std::mem::take(&mut found.templates);
                self.texts.take(Ok(found), self.at, Undefined::Fails);
                for other in others {
                    let beside = path.parent();
                    let there = other.names.iter().find_map(|name| Inspection::find_template(name, &self.search_path, beside));
                    match there {
                        Some(path) => self.read(&normal(&path), &syntax),
                        None if other.may_be_missing => {}
                        None => {
                            let at = other.place.span().unwrap_or_else(|| self.at.clone());
                            let names = other.names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
                            self.texts.mistakes.push(Diagnostic::error(format!("{names} not found in search path")).at(&at));
                        }
                    }
                }
            }
        }
    }
}

/// What other tasks may make on the control machine before a file is asked for.
pub struct Search<'r> {
    tasks: Vec<&'r Reached>,
}

impl<'r> Search<'r> {
    /// Over all tasks.
    pub fn new(reach: &'r Reach) -> Self {
        Self { tasks: reach.tasks().collect() }
    }

    /// Whether a task names the file, or its folder, as something else than what it reads.
    pub fn may_be_made(&self, missing: &Missing) -> bool {
        let path = Path::new(&missing.name);
        let mut parts = vec![missing.name.trim_end_matches('/')];
        parts.extend(path.file_name().and_then(|name| name.to_str()));
        parts.extend(path.parent().and_then(Path::to_str).filter(|parent| parent.len() > 1));
        let others = self.tasks.iter().filter(|reached| reached.task.span.to_string() != missing.task.to_string());
        others.into_iter().any(|reached| match &reached.task.work {
            Work::Module(call) => names_any(call, &parts),
            Work::IncludeTasks(_) | Work::IncludeRole(_) | Work::Meta(_) => false,
        })
    }
}

fn names_any(call: &ModuleCall, parts: &[&str]) -> bool {
    let reads = matches!(&*call.name.short, "assemble" | "copy" | "include_vars" | "script" | "template" | "unarchive");
    let has = |text: &Text| parts.iter().any(|part| text.as_str().contains(part));
    let options = call.args.options.iter().filter(|(option, _)| !(reads && matches!(&*option.value, "src" | "file" | "cmd")));
    options.into_iter().any(|(_, written)| mentions(&written.value, &has))
        || call.args.free_form.iter().any(|text| !reads && has(&text.value))
}

fn mentions(value: &Value, has: &dyn Fn(&Text) -> bool) -> bool {
    match value {
        Value::Text(text) => has(text),
        Value::List(items) => items.iter().any(|item| mentions(item, has)),
        Value::Map(map) => map.values().any(|item| mentions(item, has)),
        _ => false,
    }
}

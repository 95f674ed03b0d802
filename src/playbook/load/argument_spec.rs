//! What roles and plays say of their arguments: `meta/argument_specs.yml` and `PLAYBOOK.meta.yml`, and the task that checks them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Loader;
use super::files::normal;
use crate::playbook::{ActionName, Context, Keywords, ModuleCall, Role, Task, TaskArgs, Work};
use crate::source::{Diagnostics, Span, Spanned};
use crate::value::{Map, Value};
use crate::yaml::Node;

/// The arguments of an entry point of a role, or of a play.
pub struct ArgumentSpec {
    /// Its name in the file.
    pub name: String,
    /// One line of what it is for.
    pub summary: Option<String>,
    /// Its options.
    pub options: Value,
}

impl ArgumentSpec {
    fn of(name: &str, node: &Node) -> Self {
        let options = node.get("options").map(Node::to_value).filter(|value| !value.is_null());
        Self {
            name: name.to_owned(),
            summary: node.get("short_description").and_then(Node::as_str).map(str::to_owned),
            options: options.unwrap_or_else(|| Value::map(Map::new())),
        }
    }

    /// The task that checks arguments against this.
    pub fn task(self, title: String, provided: Map, of: Map, keywords: Arc<Keywords>, context: Arc<Context>, span: &Span) -> Task {
        let name = ActionName::new("ansible.builtin.validate_argument_spec", span.clone());
        let option = |key: &str, value: Value| (Spanned::new(Arc::from(key), span.clone()), Spanned::new(value, span.clone()));
        let options = vec![
            option("argument_spec", self.options),
            option("provided_arguments", Value::map(provided)),
            option("validate_args_context", Value::map(of)),
        ];
        let work = Work::Module(ModuleCall { name, args: TaskArgs { options, ..TaskArgs::default() }, defaults: Vec::new() });
        let name = Some(Spanned::new(Value::text(title), span.clone()));
        Task { name, keywords, implicit: false, ..Task::implicit(work, context, span.clone()) }
    }
}

impl Loader<'_> {
    /// The task that checks a role's arguments before its first own, where the role says what they are.
    pub(super) fn role_validation(
        &self,
        role: &Role,
        entry: &str,
        meta: Option<&Node>,
        inner: &Context,
        span: &Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<Task> {
        let files = ["yml", "yaml", "json"].map(|ending| role.path.join("meta").join(format!("argument_specs.{ending}")));
        let own = files.iter().find(|path| path.is_file()).and_then(|path| self.read(path, None, diagnostics)).and_then(|(_, node)| node);
        let specs = own.as_ref().or(meta)?.get("argument_specs")?;
        let spec = ArgumentSpec::of(entry, specs.get(entry).filter(|node| node.as_mapping().is_some_and(|map| !map.is_empty()))?);
        let suffix = spec.summary.as_ref().map(|summary| format!(" - {summary}")).unwrap_or_default();
        let title = format!("Validating arguments against arg spec '{entry}'{suffix}");
        let mut of = Map::new();
        of.insert("type", "role");
        of.insert("name", role.name.as_str());
        of.insert("argument_spec_name", entry);
        of.insert("path", absolute(&role.path).display().to_string());
        let mut always = Keywords::default();
        always.tags.push(Spanned::new(Value::text("always"), span.clone()));
        let keywords = inner.keywords.inherited_by(always);
        Some(spec.task(title, Map::clone(&role.params), of, keywords, Arc::new(inner.clone()), span))
    }
}

/// The argument spec `name` of a playbook's plays, and the file that it is in.
///
/// # Errors
/// In Ansible's words, where no file is there or none of that name is in it.
pub fn of_play(playbook: &Path, name: Option<&str>, diagnostics: &mut Diagnostics) -> Result<(ArgumentSpec, PathBuf), String> {
    let unnamed =
        "A play name is required when validate_argspec is True. Alternatively, set validate_argspec to the name of an argument spec.";
    let playbook = absolute(playbook);
    let candidates: Vec<PathBuf> =
        [".meta.yml", ".meta.yaml", ".meta.json", ".meta"].iter().map(|ending| playbook.with_extension(&ending[1..])).collect();
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        let considered: Vec<String> = candidates.iter().map(|path| format!("  - {}", path.display())).collect();
        let prefix = if name.is_none() { format!("{unnamed} ") } else { String::new() };
        return Err(format!("{prefix}A playbook meta file is required. Considered:\n{}", considered.join("\n")));
    };
    let Some(name) = name else { return Err(unnamed.to_owned()) };
    let text = std::fs::read_to_string(path).map_err(|error| format!("could not read `{}`: {error}", path.display()))?;
    let node = crate::yaml::load_one(&crate::source::Source::file(path, text), diagnostics);
    let found = node.as_ref().and_then(|node| node.get("argument_specs")).and_then(|specs| specs.get(name));
    match found {
        Some(node) => Ok((ArgumentSpec::of(name, node), path.clone())),
        None => Err(format!(
            "No argument spec named '{name}' in {}. Minimally expected:\nargument_specs:\n  {name}:\n    options: {{}}\n",
            path.display()
        )),
    }
}

/// The path from the root, without `.` and `x/..`.
pub(super) fn absolute(path: &Path) -> PathBuf {
    normal(&crate::source::absolute(path))
}

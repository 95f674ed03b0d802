//! Roles: finding one, its variables, its dependencies, its tasks and handlers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Loader;
use super::argument_spec::absolute;
use super::files::normal;
use super::include::is_lost;
use super::keywords::{list_of, not_valid};
use crate::playbook::{Block, Context, Entry, Keyword, Keywords, Place, Role, RoleFiles, RoleId, RoleRun, Task, Work};
use crate::playbook::{Meta, did_you_mean};
use crate::source::{Diagnostics, Span, Spanned};
use crate::value::{ListMerge, Map, Recursive, Text, Value, merge, to_json};
use crate::yaml::Node;

/// A role that something names.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which.
    pub name: Spanned<String>,
    /// Keywords of its entry.
    pub keywords: Keywords,
    /// Further keys of its entry.
    pub params: Arc<Map>,
    /// `vars:` of its entry.
    pub entry_vars: Arc<Map>,
    /// Files to take instead of `main`.
    pub from: RoleFiles<String>,
    /// What the entry or include says; else the role's own meta decides.
    pub allow_duplicates: Option<bool>,
    /// Whether another role depends on it.
    pub is_dependency: bool,
    /// The own `vars:` of the `include_role` or `import_role` that wants it.
    pub included_with: Option<Arc<Map>>,
    /// `public` of an import.
    pub public: Option<bool>,
    /// Whether its arguments are checked: `rolespec_validate`.
    pub validates: bool,
}

impl Wanted {
    /// A role by its name alone.
    pub fn new(name: Spanned<String>) -> Self {
        Self {
            name,
            keywords: Keywords::default(),
            params: Arc::default(),
            entry_vars: Arc::default(),
            from: RoleFiles::default(),
            allow_duplicates: None,
            is_dependency: false,
            included_with: None,
            public: None,
            validates: true,
        }
    }
}

/// A role as loaded.
#[derive(Debug)]
pub struct LoadedRole {
    /// It and its dependencies, those first.
    pub roles: Vec<Arc<Role>>,
    /// Blocks of the dependencies and of the role.
    pub tasks: Block,
    /// Handlers of the dependencies and of the role.
    pub handlers: Vec<Entry>,
}

/// Endings that a role's files may have.
const ENDINGS: &[&str] = &[".yml", ".yaml", ".json", ""];
/// Deeper than any real chain of dependencies.
const MOST_PARENTS: usize = 50;

/// How it is said that a role is not there.
pub const MISSING_ROLE: &str = "The role '";

impl Loader<'_> {
    /// Loads a role with its dependencies, in the context of the entry or include that names it.
    pub fn role(&self, wanted: &Wanted, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<LoadedRole> {
        let parents = context.role.iter().flat_map(|role| std::iter::once(role).chain(&role.parents)).cloned().collect();
        let outer = self.lacks_file.replace(false);
        let loaded = self.role_below(wanted, context, parents, diagnostics);
        let lacks_file = self.lacks_file.replace(outer);
        loaded.filter(|_| !lacks_file)
    }

    fn role_below(
        &self,
        wanted: &Wanted,
        context: &Arc<Context>,
        parents: Vec<Arc<Role>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<LoadedRole> {
        let Found { path, name, collection } = self.find_role(&wanted.name, context, parents.first(), diagnostics)?;
        if parents.len() > MOST_PARENTS {
            self.missing.set(true);
            let message =
                "A recursion loop was detected with the roles specified. Make sure child roles do not have dependencies on parent roles";
            diagnostics.push(wanted.name.error(message).note(format!("the role `{}` leads to itself", wanted.name.value)));
        }
        if is_lost(parents.len(), MOST_PARENTS, diagnostics) {
            return None;
        }
        self.note_own_modules(&path);
        let meta = self.role_meta(&path, diagnostics);
        let mut keywords = context.keywords.inherited_by(wanted.keywords.clone());
        set_collections(&mut keywords, wanted, collection.as_deref(), meta.as_ref());
        let outer = Arc::new(Context { keywords: Arc::clone(&keywords), ..Context::clone(context) });
        let mut loaded = LoadedRole { roles: Vec::new(), tasks: Block::default(), handlers: Vec::new() };
        // Dependencies see this role's variables as their parent's, so it stands before they are loaded, without them.
        let mut role = Role { name, collection, ..self.role_itself(wanted, &path, &parents, diagnostics) };
        let dependencies = meta.as_ref().map(|node| self.dependencies(node, diagnostics)).unwrap_or_default();
        if !dependencies.is_empty() {
            let parent = Arc::new(role.clone());
            let parents: Vec<Arc<Role>> = std::iter::once(parent).chain(parents).collect();
            for dependency in &dependencies {
                let Some(below) = self.role_below(dependency, &outer, parents.clone(), diagnostics) else { continue };
                loaded.roles.extend(below.roles);
                loaded.tasks.tasks.push(Entry::Block(Arc::new(below.tasks)));
                loaded.handlers.extend(below.handlers);
            }
        }
        role.dependencies.clone_from(&loaded.roles);
        let role = Arc::new(role);
        let own_duplicates = meta.as_ref().and_then(|node| node.get("allow_duplicates")).and_then(|node| node.to_value().as_bool());
        let allow_duplicates = wanted.allow_duplicates.or(own_duplicates).unwrap_or(false);
        let inner = Context { role: Some(Arc::clone(&role)), including_dirs: Vec::new(), ..Context::clone(&outer) };
        let own = self.role_tasks(wanted, &role, meta.as_ref(), &inner, diagnostics);
        let run = RoleRun { id: role.id.clone(), allow_duplicates };
        loaded.tasks.tasks.push(Entry::Block(Arc::new(Block { tasks: own, role: Some(run), ..Block::default() })));
        loaded.handlers.extend(self.role_handlers(wanted, &role, &inner, diagnostics));
        loaded.roles.push(role);
        Some(loaded)
    }

    fn role_itself(&self, wanted: &Wanted, path: &Path, parents: &[Arc<Role>], diagnostics: &mut Diagnostics) -> Role {
        let defaults = self.role_vars(wanted, path, "defaults", wanted.from.defaults.as_deref(), diagnostics);
        let vars = self.role_vars(wanted, path, "vars", wanted.from.vars.as_deref(), diagnostics);
        Role {
            name: wanted.name.value.clone(),
            collection: None,
            path: path.to_path_buf(),
            id: role_id(wanted, path),
            defaults: Arc::new(defaults),
            vars: Arc::new(vars),
            entry_vars: Arc::clone(&wanted.entry_vars),
            params: Arc::clone(&wanted.params),
            dependencies: Vec::new(),
            parents: parents.to_vec(),
            is_dependency: wanted.is_dependency,
            public: wanted.public,
        }
    }

    /// Tasks of a role, ended by the mark that it is done.
    fn role_tasks(
        &self,
        wanted: &Wanted,
        role: &Arc<Role>,
        meta: Option<&Node>,
        inner: &Context,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Entry> {
        let path = self.role_file(wanted, &role.path, "tasks", wanted.from.tasks.as_deref(), diagnostics);
        let mut tasks = path.as_ref().map(|path| self.tasks_file(path, inner, diagnostics)).unwrap_or_default();
        let entry = wanted.from.tasks.as_deref().unwrap_or("main");
        let entry = [".yml", ".yaml", ".json"].iter().find_map(|ending| entry.strip_suffix(ending)).unwrap_or(entry);
        if wanted.validates
            && let Some(task) = self.role_validation(role, entry, meta, inner, &wanted.name.span, diagnostics)
        {
            tasks.insert(0, Entry::Task(Arc::new(task)));
        }
        tasks.push(Entry::Task(Arc::new(role_complete(role, &wanted.name.span, inner))));
        tasks
    }

    fn role_handlers(&self, wanted: &Wanted, role: &Arc<Role>, inner: &Context, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        let context = Context { handlers: true, ..inner.clone() };
        let path = self.role_file(wanted, &role.path, "handlers", wanted.from.handlers.as_deref(), diagnostics);
        path.map(|path| self.tasks_file(&path, &context, diagnostics)).unwrap_or_default()
    }

    fn role_vars(&self, wanted: &Wanted, path: &Path, folder: &str, from: Option<&str>, diagnostics: &mut Diagnostics) -> Map {
        let whole = path.join(folder).join(from.unwrap_or("main"));
        if whole.is_dir() {
            let mut files = files_below(&whole);
            files.sort();
            return files
                .iter()
                .fold(Map::new(), |merged, file| merge(&merged, &self.vars_file(file, diagnostics), Recursive::No, ListMerge::Replace));
        }
        self.role_file(wanted, path, folder, from, diagnostics).map(|file| self.vars_file(&file, diagnostics)).unwrap_or_default()
    }

    /// `FOLDER/main.yml` if it is there, or the file that was asked for, which must be.
    fn role_file(&self, wanted: &Wanted, path: &Path, folder: &str, from: Option<&str>, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
        let base = path.join(folder);
        let name = from.unwrap_or("main");
        let candidates: Vec<PathBuf> = ENDINGS.iter().map(|ending| normal(&base.join(format!("{name}{ending}")))).collect();
        let found = candidates.iter().find(|path| path.is_file()).cloned();
        // A role without handlers may be asked for tasks of another name.
        if found.is_none() && from.is_some() {
            self.missing.set(true);
            self.lacks_file.set(true);
            let message = format!("Could not find specified file in role: {folder}/{name}");
            diagnostics.push(wanted.name.error(message).note(format!("looked in `{}`", base.display())));
        }
        let base = absolute(&base);
        if let Some(outside) = found.as_ref().filter(|found| !absolute(found).starts_with(&base)) {
            self.missing.set(true);
            self.lacks_file.set(true);
            let (role, file, base) = (&wanted.name.value, outside.display(), base.display());
            diagnostics.push(
                wanted
                    .name
                    .error(format!("Failed loading ''{file}'' for role ({role}) as it is not inside the expected role path: '{base}'")),
            );
            return None;
        }
        found
    }

    fn role_meta(&self, path: &Path, diagnostics: &mut Diagnostics) -> Option<Node> {
        let file = ENDINGS.iter().map(|ending| path.join("meta").join(format!("main{ending}"))).find(|path| path.is_file())?;
        let (_, node) = self.read(&file, None, diagnostics)?;
        let node = node.filter(|node| !node.is_null())?;
        if node.as_mapping().is_none() {
            diagnostics.push(node.error(format!("the metadata of a role must be a dictionary, found a {}", node.type_name())));
            return None;
        }
        Some(node)
    }

    fn dependencies(&self, meta: &Node, diagnostics: &mut Diagnostics) -> Vec<Wanted> {
        let Some(node) = meta.get("dependencies").filter(|node| !node.is_null()) else { return Vec::new() };
        let Some(items) = node.as_sequence() else {
            diagnostics.push(node.error(format!("expected a list of role dependencies, found a {}", node.type_name())));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.role_entry(item, true, diagnostics)).collect()
    }

    /// An entry of `roles:` or `dependencies:`. What is no keyword is a parameter, also `tasks_from` and its kin, which only includes
    /// and imports know.
    pub(super) fn role_entry(&self, node: &Node, is_dependency: bool, diagnostics: &mut Diagnostics) -> Option<Wanted> {
        if let Some(name) = node.as_str() {
            if name.contains(',') {
                diagnostics.push(node.error(format!("Invalid old style role requirement: {name}")));
                return None;
            }
            return Some(Wanted { is_dependency, ..Wanted::new(Spanned::new(name.to_owned(), node.span.clone())) });
        }
        if node.as_mapping().is_none() {
            diagnostics.push(node.error(format!("Invalid role definition: expected a name or a dictionary, found a {}", node.type_name())));
            return None;
        }
        let written = self.written(node, Place::Role, diagnostics);
        // Of a dependency the place where it can be had is a name too.
        let source = || node.get("src").filter(|_| is_dependency);
        let name = written.own(Keyword::Role).or_else(|| written.own(Keyword::Name)).or_else(source);
        let Some(text) = name.and_then(Node::as_str) else {
            self.missing.set(true);
            diagnostics.push(node.error("role definitions must contain a role name").hint("write `- role: NAME`"));
            return None;
        };
        let mut params = Map::new();
        for (key, value) in &written.rest {
            match key.as_str() {
                Some(name) if misplaced(name) => diagnostics.push(not_valid(key, Place::Role)),
                Some(name) => {
                    params.insert(name, value.to_value());
                }
                None => {}
            }
        }
        let mut keywords = written.inherited.clone();
        let entry_vars = keywords.vars.drain(..).next_back().unwrap_or_default();
        let name = Spanned::new(text.to_owned(), name.map_or_else(|| node.span.clone(), |node| node.span.clone()));
        Some(Wanted { keywords, params: Arc::new(params), entry_vars, is_dependency, ..Wanted::new(name) })
    }

    fn find_role(
        &self,
        name: &Spanned<String>,
        context: &Context,
        parent: Option<&Arc<Role>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Found> {
        let rendered = self.render(&name.clone().map(|name| Value::Text(Text::trusted(name, None))), context);
        let text = match rendered {
            Ok(value) => value.as_str().unwrap_or(&name.value).to_owned(),
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                return None;
            }
        };
        let searched = context.keywords.collections();
        let full = searched.iter().map(|collection| format!("{collection}.{text}")).filter(|_| !text.contains('/'));
        let in_collection = std::iter::once(text.clone()).chain(full).find_map(|full| Some((self.world.collections.role(&full)?, full)));
        if let Some(((path, collection), name)) = in_collection {
            return Some(Found { path: normal(&path), name, collection: Some(Arc::from(collection)) });
        }
        let candidates = self.role_candidates(&text, context, parent);
        let found = candidates.iter().find(|path| path.is_dir()).cloned();
        if found.is_none() {
            self.missing.set(true);
            let folders: Vec<String> =
                candidates.iter().filter_map(|path| path.parent()).map(|path| absolute(path).display().to_string()).collect();
            let message = format!("{MISSING_ROLE}{text}' was not found in: {}", folders.join(":"));
            let diagnostic = name.error(message);
            let near = candidates.iter().filter_map(|path| path.parent()).flat_map(folder_names).collect::<Vec<_>>();
            diagnostics.push(match did_you_mean(&text, near.iter().map(String::as_str)) {
                Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
                // The message names all places already.
                None => diagnostic,
            });
        }
        found.map(|path| Found { path, name: name.value.clone(), collection: None })
    }

    fn role_candidates(&self, name: &str, context: &Context, parent: Option<&Arc<Role>>) -> Vec<PathBuf> {
        let mut candidates = vec![context.playbook_dir.join("roles").join(name)];
        candidates.extend(self.world.roles_path.iter().map(|path| path.join(name)));
        // A dependency stands beside the role that names it.
        if let Some(role) = parent.or(context.role.as_ref()) {
            candidates.extend(role.path.parent().map(|path| path.join(name)));
        }
        candidates.push(context.playbook_dir.join(name));
        candidates.into_iter().map(|path| normal(&path)).collect()
    }
}

/// Where a role was found, and under which name.
struct Found {
    path: PathBuf,
    name: String,
    collection: Option<Arc<str>>,
}

/// Names in a role are looked for in its own collection and in those its `meta` names; the play's do not count.
fn set_collections(keywords: &mut Arc<Keywords>, wanted: &Wanted, collection: Option<&str>, meta: Option<&Node>) {
    let mut names: Vec<String> = collection.map(str::to_owned).into_iter().collect();
    names.extend(meta.and_then(|node| node.get("collections")).map(list_of).unwrap_or_default().iter().filter_map(text_of));
    names.extend(wanted.keywords.collections());
    if names.is_empty() {
        if keywords.get(Keyword::Collections).is_some() {
            Arc::make_mut(keywords).unset(Keyword::Collections);
        }
    } else {
        let list = Value::list(names.into_iter().map(Value::text).collect());
        Arc::make_mut(keywords).set(Keyword::Collections, Spanned::new(list, wanted.name.span.clone()));
    }
}

fn text_of(item: &Spanned<Value>) -> Option<String> {
    item.value.as_str().map(str::to_owned)
}

/// Two uses of a role are one if files, variables and their own keywords are the same; what stands around them does not count. A role that
/// is included or imported is never one with a role of the play or a dependency.
fn role_id(wanted: &Wanted, path: &Path) -> RoleId {
    let of = |map: &Map| to_json(&Value::map(map.clone())).to_string();
    let keywords = &wanted.keywords;
    let conditions: Vec<&str> = keywords.when.iter().chain(&keywords.tags).map(|value| value.span.text()).collect();
    let own = format!("{:?}", keywords.get(Keyword::Become).map(|value| &value.value));
    let included = wanted.included_with.as_deref().map(of);
    RoleId(Arc::from(format!(
        "{}|{}|{}|{:?}|{conditions:?}|{own}|{included:?}",
        path.display(),
        of(&wanted.params),
        of(&wanted.entry_vars),
        wanted.from
    )))
}

fn role_complete(role: &Arc<Role>, span: &Span, inner: &Context) -> Task {
    let work = Work::Meta(Spanned::new(Meta::RoleComplete(role.id.clone()), span.clone()));
    Task::implicit(work, Arc::new(inner.clone()), span.clone())
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.') || name.to_string_lossy().ends_with('~'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if matches!(path.extension().and_then(|ending| ending.to_str()), Some("yml" | "yaml" | "json") | None) {
            files.push(path);
        }
    }
    files
}

fn folder_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// A key that is a keyword, but never of a role: a mistake rather than a parameter.
fn misplaced(name: &str) -> bool {
    Keyword::row_named(name).is_some_and(|row| matches!(row.keyword, Keyword::Tasks | Keyword::Block | Keyword::Handlers | Keyword::Roles))
}

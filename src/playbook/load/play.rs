//! Plays, and playbooks that import others.

use std::path::Path;
use std::sync::Arc;

use super::files::{normal, parent_dir};
use super::include::is_lost;
use super::keywords::{Written, conditions, not_valid, spanned, tags_of};
use super::{Loader, role};
use crate::playbook::collection::of_playbook_dir;
use crate::playbook::{Block, Context, Entry, Keyword, Keywords, Place, Play, Role, VarsPrompt, did_you_mean};
use crate::source::{Diagnostic, Diagnostics, Spanned};
use crate::template::print::shown;
use crate::value::{Map, Text, Value};
use crate::yaml::Node;

/// What an `import_playbook` passes on to the plays it imports.
#[derive(Clone, Default)]
pub(super) struct Import {
    keywords: Arc<Keywords>,
    vars: Map,
    depth: usize,
}

const NO_HOSTS: &str = "Hosts list cannot be empty. Please check your playbook";
const IMPORT: &[&str] = &["import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook"];
/// Deeper than any real nesting.
const MOST_IMPORTS: usize = 50;

fn empty(path: &Path) -> Diagnostic {
    Diagnostic::error(format!("Empty playbook, nothing to do: {}", path.display())).hint("a playbook is a list of plays: `- hosts: …`")
}

impl Loader<'_> {
    /// Loads all plays of a file.
    pub(super) fn playbook_file(&self, path: &Path, import: Option<&Import>, plays: &mut Vec<Arc<Play>>, diagnostics: &mut Diagnostics) {
        let Some((source, node)) = self.read(path, None, diagnostics) else { return };
        let dir = parent_dir(path);
        self.note_own_modules(&dir);
        self.world.collections.add_beside(&dir);
        let Some(node) = node else {
            if !diagnostics.has_errors() {
                diagnostics.push(empty(path));
            }
            return;
        };
        if node.as_sequence().is_some_and(|items| items.is_empty()) {
            diagnostics.push(node.error("A playbook must contain at least one play"));
            return;
        }
        let Some(items) = node.as_sequence() else {
            if node.is_null() {
                diagnostics.push(empty(path));
                return;
            }
            let message = format!("a playbook must be a list of plays, got a {} instead", node.type_name());
            let place = crate::source::Span::new(&source, node.span.start(), node.span.end());
            diagnostics.push(Diagnostic::error(message).at(&place).hint("each play of a playbook begins with `- hosts: …`"));
            return;
        };
        for item in items {
            if item.as_mapping().is_none() {
                diagnostics.push(
                    item.error("playbook entries must be either valid plays or 'import_playbook' statements")
                        .hint(format!("a play is a dictionary, found a {}", item.type_name())),
                );
            } else if let Some((key, name)) = IMPORT.iter().find_map(|key| item.entry(key)) {
                self.import_playbook(item, key, name, &dir, import, plays, diagnostics);
            } else if let Some(play) = self.play(item, &dir, import, diagnostics) {
                plays.push(Arc::new(play));
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one caller, and each is a part of the place it stands in")]
    fn import_playbook(
        &self,
        item: &Node,
        key: &Node,
        name: &Node,
        dir: &Path,
        outer: Option<&Import>,
        plays: &mut Vec<Arc<Play>>,
        diagnostics: &mut Diagnostics,
    ) {
        let mut import = outer.cloned().unwrap_or_default();
        let mut own = Keywords::default();
        for (option, value) in item.as_mapping().unwrap_or_default() {
            match option.as_str() {
                Some("when") => own.when.extend(conditions(value)),
                Some("tags") => own.tags.extend(tags_of(value)),
                Some("vars") => import.vars.extend(self.vars_map(value, Place::Play, diagnostics).unwrap_or_default()),
                Some("name") => {}
                Some(name) if IMPORT.contains(&name) => {}
                _ => diagnostics.push(
                    option.error(format!("'{}' is not a valid attribute for a PlaybookInclude", option.as_str().unwrap_or_default())),
                ),
            }
        }
        import.keywords = import.keywords.inherited_by(own);
        import.depth += 1;
        if import.depth > MOST_IMPORTS {
            diagnostics.push(key.error("playbooks import each other without end"));
        }
        if is_lost(import.depth, MOST_IMPORTS, diagnostics) {
            return;
        }
        let context = Context { play_vars: Arc::new(import.vars.clone()), playbook_dir: dir.to_path_buf(), ..Context::default() };
        let file = match self.render(&spanned(name), &context) {
            Ok(value) => value.as_str().map(str::to_owned),
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                return;
            }
        };
        let Some(file) = file else {
            diagnostics.push(name.error("playbook import parameter must be a string indicating a file path"));
            return;
        };
        let path = self.world.collections.playbook(&file).unwrap_or_else(|| normal(&dir.join(&file)));
        if self.find(std::slice::from_ref(&path), &name.span, diagnostics).is_some() {
            self.playbook_file(&path, Some(&import), plays, diagnostics);
        }
    }

    pub(super) fn play(&self, node: &Node, dir: &Path, import: Option<&Import>, diagnostics: &mut Diagnostics) -> Option<Play> {
        let mut written = self.written(node, Place::Play, diagnostics);
        // `user` is what `remote_user` was called once.
        if let Some(at) = written.rest.iter().position(|(key, _)| key.as_str() == Some("user")) {
            let (key, user) = written.rest.remove(at);
            if written.inherited.get(Keyword::RemoteUser).is_some() {
                let message = "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be removed";
                diagnostics.push(key.error(message));
            }
            written.inherited.set(Keyword::RemoteUser, spanned(user));
        }
        for (key, _) in &written.rest {
            diagnostics.push(self.not_of_a_play(key));
        }
        let hosts = hosts(node, &written, diagnostics)?;
        let mut own_keywords = written.inherited.clone();
        let own_vars = own_keywords.vars.drain(..).next_back().unwrap_or_default();
        let mut vars = import.map(|import| import.vars.clone()).unwrap_or_default();
        vars.extend(own_vars.iter().map(|(key, value)| (key.clone(), value.clone())));
        let vars = Arc::new(vars);
        if let Some(collection) = std::path::absolute(dir).ok().and_then(|dir| of_playbook_dir(&dir)) {
            let mut names = own_keywords.collections();
            names.push(collection);
            let list = Value::list(names.into_iter().map(Value::text).collect());
            own_keywords.set(Keyword::Collections, Spanned::new(list, node.span.clone()));
        }
        let keywords = import.map(|import| Arc::clone(&import.keywords)).unwrap_or_default().inherited_by(own_keywords);
        let context = Arc::new(Context {
            keywords: Arc::clone(&keywords),
            file_dir: dir.to_path_buf(),
            playbook_dir: dir.to_path_buf(),
            play_vars: Arc::clone(&vars),
            ..Context::default()
        });
        let mut section = |keyword: Keyword| {
            let node = written.own(keyword)?;
            if node.as_sequence().is_none() && !node.is_null() {
                let (name, found) = (keyword.name(), shown(&node.to_value()));
                let message = format!("A malformed block was encountered while loading {name}: {found} should be a list or None");
                diagnostics.push(node.error(message));
                return None;
            }
            Some(self.entries(node, &context, diagnostics))
        };
        let mut section = |keyword| section(keyword).unwrap_or_default();
        let pre_tasks = section(Keyword::PreTasks);
        let tasks = section(Keyword::Tasks);
        let post_tasks = section(Keyword::PostTasks);
        let handler_context = Arc::new(Context { handlers: true, ..Context::clone(&context) });
        let handlers = written.own(Keyword::Handlers).map(|node| self.entries(node, &handler_context, diagnostics)).unwrap_or_default();
        let imported_handlers = self.imported_handlers.take();
        let imported_roles = self.imported_roles.take();
        let (mut roles, role_tasks, role_handlers) = self.play_roles(&written, &context, diagnostics);
        roles.extend(imported_roles);
        roles.extend(self.imported_roles.take());
        let nested = self.imported_handlers.take();
        let handlers = [role_handlers, handlers, nested, imported_handlers].concat();
        Some(Play {
            span: node.span.clone(),
            name: written.own_value(Keyword::Name).filter(|name| !name.value.is_null()),
            hosts,
            keywords,
            own: own(&written),
            dir: dir.to_path_buf(),
            vars,
            vars_files: written.own_list(Keyword::VarsFiles),
            vars_prompt: written.own(Keyword::VarsPrompt).map(|node| prompts(node, diagnostics)).unwrap_or_default(),
            roles,
            pre_tasks,
            role_tasks,
            tasks,
            post_tasks,
            handlers: Arc::new(Block::of(handlers)),
        })
    }

    fn play_roles(
        &self,
        written: &Written<'_>,
        context: &Arc<Context>,
        diagnostics: &mut Diagnostics,
    ) -> (Vec<Arc<Role>>, Vec<Entry>, Vec<Entry>) {
        let (mut roles, mut tasks, mut handlers) = (Vec::new(), Vec::new(), Vec::new());
        let Some(node) = written.own(Keyword::Roles).filter(|node| !node.is_null()) else { return (roles, tasks, handlers) };
        let Some(items) = node.as_sequence() else {
            let message = "A malformed role declaration was encountered.";
            diagnostics.push(node.error(message).hint(format!("expected a list of roles, found a {}", node.type_name())));
            return (roles, tasks, handlers);
        };
        let wanted: Vec<role::Wanted> = items.iter().filter_map(|item| self.role_entry(item, false, diagnostics)).collect();
        for wanted in &wanted {
            let Some(loaded) = self.role(wanted, context, diagnostics) else { continue };
            roles.extend(loaded.roles);
            tasks.push(Entry::Block(Arc::new(loaded.tasks)));
            handlers.extend(loaded.handlers);
        }
        (roles, tasks, handlers)
    }

    fn not_of_a_play(&self, key: &Node) -> Diagnostic {
        let diagnostic = not_valid(key, Place::Play);
        let name = key.as_str().unwrap_or_default();
        if diagnostic.hint.is_some() {
            return diagnostic;
        }
        match did_you_mean(name, self.world.module_names.iter().copied()).filter(|meant| *meant == name) {
            Some(module) => diagnostic.hint(format!("the module `{module}` is called in a task, below `tasks:`")),
            None => diagnostic,
        }
    }
}

fn own(written: &Written<'_>) -> Keywords {
    let mut keywords = Keywords::default();
    for (keyword, _, value) in &written.own {
        let list = matches!(
            keyword,
            Keyword::Tasks
                | Keyword::PreTasks
                | Keyword::PostTasks
                | Keyword::Handlers
                | Keyword::Roles
                | Keyword::VarsPrompt
                | Keyword::VarsFiles
        );
        if !list {
            keywords.set(*keyword, spanned(value));
        }
    }
    keywords
}

fn hosts(node: &Node, written: &Written<'_>, diagnostics: &mut Diagnostics) -> Option<Spanned<Value>> {
    let Some(hosts) = written.own(Keyword::Hosts) else {
        diagnostics.push(node.error("the field 'hosts' is required but was not set").hint("say which hosts the play is for: `hosts: all`"));
        return None;
    };
    let value = spanned(hosts);
    let wrong = match &value.value {
        Value::Null => NO_HOSTS.to_owned(),
        Value::List(items) if items.is_empty() => NO_HOSTS.to_owned(),
        Value::Text(text) if text.as_str().is_empty() => NO_HOSTS.to_owned(),
        Value::List(items) if items.contains(&Value::Null) => {
            "Hosts list cannot contain values of 'None'. Please check your playbook".to_owned()
        }
        Value::List(items) => match items.iter().find(|item| !matches!(item, Value::Text(_))) {
            Some(item) => {
                let at = hosts.as_sequence().and_then(|nodes| nodes.iter().find(|node| node.as_text().is_none())).unwrap_or(hosts);
                diagnostics.push(at.error(format!("Hosts list contains an invalid host value: '{}'", shown(item))));
                return None;
            }
            None => return Some(value),
        },
        Value::Text(_) => return Some(value),
        other => format!("Hosts list must be a sequence or string, found a {}. Please check your playbook.", other.type_name()),
    };
    diagnostics.push(hosts.error(wrong));
    None
}

fn prompts(node: &Node, diagnostics: &mut Diagnostics) -> Vec<VarsPrompt> {
    let items = match node.as_sequence() {
        Some(items) => items.iter().collect::<Vec<_>>(),
        None if node.is_null() => Vec::new(),
        None => vec![node],
    };
    items.into_iter().filter_map(|item| prompt(item, diagnostics)).collect()
}

fn prompt(item: &Node, diagnostics: &mut Diagnostics) -> Option<VarsPrompt> {
    let Some(name) = item.get("name") else {
        diagnostics.push(item.error("Invalid vars_prompt data structure, missing 'name' key"));
        return None;
    };
    for (key, _) in item.as_mapping().unwrap_or_default() {
        match key.as_str() {
            Some("name" | "prompt" | "default" | "private" | "confirm" | "unsafe" | "encrypt" | "salt_size" | "salt") => {}
            other => diagnostics
                .push(key.error(format!("Invalid vars_prompt data structure, found unsupported key '{}'", other.unwrap_or_default()))),
        }
    }
    let value = |key: &str| item.get(key).filter(|node| !node.is_null()).map(Node::to_value);
    let flag = |key: &str, default: bool| item.get(key).map_or(default, |node| is_yes(&node.to_value()));
    Some(VarsPrompt {
        name: Spanned::new(name.as_text().map(Text::as_str)?.to_owned(), name.span.clone()),
        prompt: item.get("prompt").map(Node::to_value),
        default: item.get("default").map(Node::to_value),
        private: flag("private", true),
        confirm: flag("confirm", false),
        is_unsafe: flag("unsafe", false),
        encrypt: value("encrypt"),
        salt: value("salt"),
        salt_size: value("salt_size"),
    })
}

/// Python's idea of a word that means yes.
pub(super) fn is_yes(value: &Value) -> bool {
    match value {
        Value::Text(text) => matches!(text.as_str().to_lowercase().as_str(), "yes" | "true" | "on" | "1" | "y" | "t"),
        other => other.truthy(),
    }
}

//! Loading: files to plays, blocks and tasks. Reports every mistake with its place and goes on; touches no host.

mod ad_hoc;
mod args;
mod argument_spec;
mod block;
mod files;
mod include;
mod keywords;
mod module_defaults;
mod play;
mod role;
mod task;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use ad_hoc::AdHoc;
pub use args::is_free_form;
pub use argument_spec::of_play;
pub use files::{NO_LIST_OF_TASKS, missing_task_file, normal, task_file_candidates};
pub use role::{LoadedRole, MISSING_ROLE, Wanted};

use super::{Block, Collections, Context, Entry, Play, Playbook, Role, Task};
use crate::source::{Diagnostic, Diagnostics, Severity, Spanned};
use crate::template::{Redirects, Templar};
use crate::value::{Map, Value};
use crate::vault::Vault;
use crate::yaml::DuplicateKeys;

/// What is known of a module's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It can run.
    Yes,
    /// Ansible or a listed collection has it, this version has not: fails the task that meets it.
    NotYet,
    /// Nobody knows it.
    No,
}

/// What loading needs to know of the rest of the house.
pub struct World<'a> {
    /// Folders of `roles_path`, after `roles/` beside the playbook.
    pub roles_path: Vec<PathBuf>,
    /// Collections, beside the playbook and elsewhere.
    pub collections: Arc<Collections>,
    /// Whether a module of this short name is there.
    pub module: &'a dyn Fn(&str) -> Known,
    /// Names of modules that can run, for "did you mean".
    pub module_names: Vec<&'static str>,
    /// Whether `with_…` may name this lookup.
    pub lookup: &'a dyn Fn(&str) -> bool,
    /// The secrets of the run: every file may be in a vault.
    pub vault: &'a Vault,
    /// Renders the name of an imported file with extra variables and these layers, the weakest first.
    pub render: &'a dyn Fn(&Value, &[Arc<Map>]) -> Result<Value, Diagnostic>,
    /// What a key is that a mapping has twice.
    pub duplicate_keys: DuplicateKeys,
    /// What a keyword is that an include cannot have.
    pub invalid_keywords: Severity,
}

/// Loads playbooks, roles and included files.
pub struct Loader<'a> {
    world: World<'a>,
    /// Whether a file or role that was named is not there, or something else is wrong that Ansible ends with: exit code 1 instead of 4.
    missing: Cell<bool>,
    /// Whether a file that was asked for is not among a role's.
    lacks_file: Cell<bool>,
    /// Handlers of roles that tasks import; the play takes them.
    imported_handlers: RefCell<Vec<Entry>>,
    /// Those roles themselves: the whole play sees their variables.
    imported_roles: RefCell<Vec<Arc<Role>>>,
    /// Names of modules in the `library/` folders of roles and playbooks met so far.
    own_modules: RefCell<HashSet<String>>,
    /// Names in `module_defaults` that no module had when they were read.
    unresolved_defaults: RefCell<Vec<Spanned<String>>>,
}

/// What these collections say of filters, lookups and tests.
pub fn redirects(collections: &Arc<Collections>) -> Redirects {
    let collections = Arc::clone(collections);
    Box::new(move |kind, name| collections.plugin(kind, name))
}

impl<'a> Loader<'a> {
    /// A loader for this world.
    pub fn new(world: World<'a>) -> Self {
        Self {
            world,
            missing: Cell::new(false),
            lacks_file: Cell::new(false),
            imported_handlers: RefCell::default(),
            imported_roles: RefCell::default(),
            own_modules: RefCell::default(),
            unresolved_defaults: RefCell::default(),
        }
    }

    /// Loads a playbook with all that it imports. Use the result only if `diagnostics` has no errors.
    pub fn playbook(&self, path: &Path, diagnostics: &mut Diagnostics) -> Playbook {
        let mut plays = Vec::new();
        self.playbook_file(path, None, &mut plays, diagnostics);
        self.check_module_defaults(diagnostics);
        Playbook { path: path.to_path_buf(), plays }
    }

    /// Loads the file of an `include_tasks`, in the context of the include.
    pub fn included_tasks(&self, file: &Path, context: &Context, diagnostics: &mut Diagnostics) -> Block {
        let entries = self.tasks_file(file, context, diagnostics);
        self.check_module_defaults(diagnostics);
        Block::of(entries)
    }

    /// What collections say of filters, lookups and tests.
    pub fn redirects(&self) -> Redirects {
        redirects(&self.world.collections)
    }

    /// Ansible's exit code for the mistakes that were found: 1 where something that was named is not there (a role, an imported file)
    /// and for a few others, else 4.
    pub fn exit_code(&self) -> u8 {
        if self.missing.get() { 1 } else { 4 }
    }

    /// A value of a play, rendered before any host is met: with extra variables and the play's own.
    pub fn play_value(&self, value: &Value, play: &Play) -> Result<Value, Diagnostic> {
        (self.world.render)(value, &[Arc::clone(&play.vars)])
    }

    /// A value of a task, rendered before any host is met: with variables of the play, the role and the task, too.
    pub fn task_value(&self, value: &Value, play: &Play, task: &Task) -> Result<Value, Diagnostic> {
        if !Templar::is_template(value) {
            return Ok(value.clone());
        }
        let mut layers = vec![Arc::clone(&play.vars)];
        layers.extend(task.role().into_iter().flat_map(|role| [role.default_layers(), role.var_layers()].concat()));
        layers.extend(task.keywords.vars.iter().cloned());
        (self.world.render)(value, &layers)
    }

    /// Learns the names of the modules in `FOLDER/library`: Ansible finds them, this version cannot run them.
    fn note_own_modules(&self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder.join("library")) else { return };
        let names = entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()));
        self.own_modules.borrow_mut().extend(names);
    }

    fn known(&self, name: &str) -> Known {
        match (self.world.module)(name) {
            Known::No if self.own_modules.borrow().contains(name) => Known::NotYet,
            known => known,
        }
    }

    fn render(&self, value: &Spanned<Value>, context: &Context) -> Result<Value, Diagnostic> {
        let mut layers: Vec<Arc<Map>> = Vec::new();
        if let Some(role) = &context.role {
            layers.extend(role.default_layers());
        }
        layers.push(Arc::clone(&context.play_vars));
        if let Some(role) = &context.role {
            layers.extend(role.var_layers());
            layers.push(Arc::new(role_magic(role)));
        }
        layers.extend(context.keywords.vars.iter().cloned());
        layers.extend(context.include_params.iter().cloned());
        layers.push(Arc::new([("playbook_dir".into(), Value::text(context.playbook_dir.display().to_string()))].into_iter().collect()));
        (self.world.render)(&value.value, &layers)
            .map_err(|diagnostic| if diagnostic.labels.is_empty() { diagnostic.at(&value.span) } else { diagnostic })
    }
}

fn role_magic(role: &super::Role) -> Map {
    let path = Value::text(role.path.display().to_string());
    [("role_name".into(), Value::text(role.name.as_str())), ("role_path".into(), path)].into_iter().collect()
}

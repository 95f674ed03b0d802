//! Which tasks plays reach: their own, those of roles, and those of dynamic includes whose names are constants.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::Site;
use super::definable::Definable;
use crate::playbook::load::{Wanted, missing_task_file, task_file_candidates};
use crate::playbook::{Block, Context, Entry, IncludeRole, IncludeTasks, Play, Role, RoleFiles, Task, Work};
use crate::source::{Diagnostic, Diagnostics, Severity, Spanned};
use crate::template::Templar;
use crate::value::Value;

/// All that is reached.
pub struct Reach {
    /// By play.
    pub plays: Vec<ReachedPlay>,
    /// What is wrong with files that are included.
    pub diagnostics: Vec<Diagnostic>,
}

/// What one play reaches.
pub struct ReachedPlay {
    /// The play.
    pub play: Arc<Play>,
    /// Its tasks and handlers.
    pub tasks: Vec<Reached>,
    /// Names and topics of its handlers.
    pub handlers: HashSet<String>,
    /// Whether there may be handlers of other names.
    pub handlers_open: bool,
    /// Whether it includes files whose names are computed: their tasks are not known.
    pub tasks_open: bool,
    /// Variables that this play, or one before it, defines.
    pub definable: Definable,
}

/// A task and what is around it.
pub struct Reached {
    /// The task.
    pub task: Arc<Task>,
    /// Conditions of the includes that lead to it.
    pub guards: Arc<[Spanned<Value>]>,
    /// Whether an include around it loops with `item`.
    pub has_item: bool,
}

impl Reach {
    /// Walks all plays; loads what they include.
    pub fn of(site: &Site<'_>) -> Self {
        let mut reach = Self { plays: Vec::new(), diagnostics: Vec::new() };
        let mut definable = Definable::default();
        definable.vault = Arc::clone(site.vars.vault());
        definable.is_open = site.has_fact_cache;
        for play in site.playbooks.iter().flat_map(|playbook| &playbook.plays) {
            definable.take_play(site.loader, play, &mut reach.diagnostics);
            let mut walk = Walk {
                site,
                diagnostics: Diagnostics::new(),
                seen: HashSet::new(),
                reached: ReachedPlay {
                    play: Arc::clone(play),
                    tasks: Vec::new(),
                    handlers: HashSet::new(),
                    handlers_open: false,
                    tasks_open: false,
                    definable: Definable::default(),
                },
                definable: &mut definable,
            };
            let top = Around { guards: Arc::from([]), has_item: false };
            for section in [&play.pre_tasks, &play.role_tasks, &play.tasks, &play.post_tasks] {
                walk.entries(section, &top);
            }
            walk.handlers(&play.handlers.tasks, &top);
            let Walk { mut reached, diagnostics, .. } = walk;
            reached.definable = definable.clone();
            reach.plays.push(reached);
            // Warnings are told when the file is included.
            let errors = diagnostics.into_sorted().into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
            reach.diagnostics.extend(errors);
        }
        reach
    }

    /// All tasks.
    pub fn tasks(&self) -> impl Iterator<Item = &Reached> {
        self.plays.iter().flat_map(|play| &play.tasks)
    }
}

/// What is around the tasks that are walked.
struct Around {
    guards: Arc<[Spanned<Value>]>,
    has_item: bool,
}

struct Walk<'a, 's> {
    site: &'a Site<'s>,
    diagnostics: Diagnostics,
    /// Files and roles of includes: a file that includes itself is walked once.
    seen: HashSet<(PathBuf, String, bool)>,
    reached: ReachedPlay,
    definable: &'a mut Definable,
}

impl Walk<'_, '_> {
    fn entries(&mut self, entries: &[Entry], around: &Around) {
        for entry in entries {
            match entry {
                Entry::Task(task) => self.task(task, around),
                Entry::Block(block) => self.block(block, around),
            }
        }
    }

    fn block(&mut self, block: &Block, around: &Around) {
        for section in [&block.tasks, &block.rescue, &block.always] {
            self.entries(section, around);
        }
    }

    fn handlers(&mut self, entries: &[Entry], around: &Around) {
        for task in Block::of(entries.to_vec()).all_tasks() {
            self.reached.handlers.extend(task.listen.iter().cloned());
            let Some(name) = &task.name else { continue };
            match self.site.loader.play_value(&name.value, &self.reached.play) {
                Ok(name) => {
                    let name = crate::template::print::value_to_text(&name).as_str().to_owned();
                    self.reached.handlers.extend(task.role().map(|role| format!("{} : {name}", role.name)));
                    self.reached.handlers.insert(name);
                }
                Err(_) => self.reached.handlers_open = true,
            }
        }
        self.entries(entries, around);
    }

    fn task(&mut self, task: &Arc<Task>, around: &Around) {
        self.definable.take_task(task);
        if !task.implicit {
            self.reached.tasks.push(Reached { task: Arc::clone(task), guards: Arc::clone(&around.guards), has_item: around.has_item });
        }
        match &task.work {
            Work::IncludeTasks(include) => self.include_tasks(task, include, around),
            Work::IncludeRole(include) => self.include_role(task, include, around),
            Work::Module(_) | Work::Meta(_) => {}
        }
    }

    fn include_tasks(&mut self, task: &Arc<Task>, include: &IncludeTasks, around: &Around) {
        let Some(name) = constant(&include.file) else {
            self.unknown_tasks();
            return;
        };
        let context = task.context.including(&include.apply, &include.vars);
        let candidates = task_file_candidates(name, &context);
        let Some(path) = candidates.iter().find(|path| path.is_file()) else {
            self.diagnostics.push(missing_task_file(&candidates, &include.file));
            return;
        };
        if !self.seen.insert((path.clone(), role_of(&context), context.handlers)) {
            return;
        }
        let mut found = Diagnostics::new();
        let block = self.site.loader.included_tasks(path, &context, &mut found);
        self.take(found, task, around);
        let inner = inside(task, around);
        if context.handlers { self.handlers(&block.tasks, &inner) } else { self.block(&block, &inner) }
    }

    fn include_role(&mut self, task: &Arc<Task>, include: &IncludeRole, around: &Around) {
        let from = &include.from;
        let optional = |written: &Option<Spanned<Value>>| match written {
            None => Some(None),
            Some(written) => constant(written).map(|name| Some(name.to_owned())),
        };
        let names =
            (constant(&include.name), optional(&from.tasks), optional(&from.vars), optional(&from.defaults), optional(&from.handlers));
        let (Some(name), Some(tasks), Some(vars), Some(defaults), Some(handlers)) = names else {
            self.unknown_tasks();
            self.reached.handlers_open = true;
            return;
        };
        let context = task.context.including(&include.apply, &include.vars);
        let from = RoleFiles { tasks, vars, defaults, handlers };
        if !self.seen.insert((PathBuf::from(name), format!("{}{from:?}", role_of(&context)), context.handlers)) {
            return;
        }
        let wanted = Wanted { from, ..Wanted::new(Spanned::new(name.to_owned(), include.name.span.clone())) };
        let mut found = Diagnostics::new();
        let loaded = self.site.loader.role(&wanted, &Arc::new(context), &mut found);
        self.take(found, task, around);
        let Some(loaded) = loaded else { return };
        loaded.roles.iter().for_each(|role| self.definable.take_role(role));
        let inner = inside(task, around);
        self.block(&loaded.tasks, &inner);
        self.handlers(&loaded.handlers, &inner);
    }

    /// What is wrong with a file; one for other systems than this may name modules that only they have.
    fn take(&mut self, found: Diagnostics, task: &Task, around: &Around) {
        let is_conditional = !around.guards.is_empty() || !task.keywords.when.is_empty();
        let matters = |diagnostic: &&Diagnostic| !(is_conditional && diagnostic.message.starts_with("couldn't resolve module/action"));
        found.iter().filter(matters).for_each(|diagnostic| self.diagnostics.push(diagnostic.clone()));
    }

    fn unknown_tasks(&mut self) {
        self.reached.tasks_open = true;
        self.definable.is_open = true;
    }
}

fn inside(task: &Task, around: &Around) -> Around {
    let guards = around.guards.iter().chain(&task.keywords.when).cloned().collect();
    Around { guards, has_item: around.has_item || has_item(task) }
}

/// Whether the task loops with the variable `item`.
pub fn has_item(task: &Task) -> bool {
    let own_name = task.loop_control.loop_var.as_ref();
    task.looping.is_some() && own_name.is_none_or(|name| name.value.as_str() == Some("item") || Templar::is_template(&name.value))
}

fn role_of(context: &Context) -> String {
    context.role.as_ref().map(|role: &Arc<Role>| role.path.display().to_string()).unwrap_or_default()
}

/// A text that is no template.
pub fn constant(written: &Spanned<Value>) -> Option<&str> {
    if Templar::is_template(&written.value) { None } else { written.value.as_str() }
}

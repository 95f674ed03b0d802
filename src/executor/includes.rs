//! Dynamic includes: what hosts asked for is grouped, loaded once, and put before what comes next on each host.

use std::sync::Arc;

use super::Stop;
use super::batch::Batch;
use super::job::{Include, IncludeWhat};
use super::play_iterator::FrameKind;
use super::tags::wrong_tag;
use crate::event::{Event, Status, TaskResult};
use crate::inventory::HostId;
use crate::playbook::load::{NO_LIST_OF_TASKS, Wanted, missing_task_file, task_file_candidates};
use crate::playbook::{Block, Context, Entry, Keywords, Task, Work};
use crate::source::{Diagnostic, Diagnostics, Spanned, absolute};
use crate::value::Map;
use crate::vault;

/// One file or role, and who asked for it.
struct Group {
    include: Include,
    hosts: Vec<HostId>,
}

/// Why something cannot be included.
enum Refused {
    /// It is not there, no list of tasks, or has a tag that cannot be rendered: the hosts that asked for it fail.
    Missing(Vec<Diagnostic>),
    /// It is wrong: nothing goes on.
    Wrong(Vec<Diagnostic>),
}

impl Batch<'_, '_> {
    /// Includes what the hosts asked for.
    pub(super) fn include(&mut self, task: &Arc<Task>, asked: Vec<(HostId, Vec<Include>)>) -> Result<(), Stop> {
        let mut groups: Vec<Group> = Vec::new();
        let mut asked = asked;
        // Hosts answer in any order; what they include comes in that of the batch.
        asked.sort_by_key(|(host, _)| self.hosts.iter().position(|state| state.id == *host));
        for (host, includes) in asked {
            for include in includes {
                match groups.iter_mut().find(|group| group.include == include && !group.hosts.contains(&host)) {
                    Some(group) => group.hosts.push(host),
                    None => groups.push(Group { include, hosts: vec![host] }),
                }
            }
        }
        let empty = Arc::new(Block::default());
        let mut blocks: Vec<(Arc<Block>, Vec<HostId>)> = Vec::new();
        for group in groups {
            match self.load(task, &group.include) {
                Ok((shown, block)) => {
                    self.tell_included(&shown, &group);
                    blocks.push((Arc::new(block), group.hosts));
                }
                Err(Refused::Missing(mut list)) if matches!(group.include.what, IncludeWhat::Role { rescuable: false, .. }) => {
                    if let Some(first) = list.first_mut().filter(|first| first.message.starts_with("The role '")) {
                        first.message.insert_str(0, "Could not include role: ");
                    }
                    return Err(Stop::Load(list));
                }
                Err(Refused::Missing(list)) => self.fail_include(task, &group, list),
                Err(Refused::Wrong(list)) => return Err(Stop::Load(list)),
            }
        }
        for index in 0..self.hosts.len() {
            let host = self.hosts[index].id;
            let state = &self.hosts[index];
            // With `force_handlers` handlers run on failed hosts too.
            let is_out = state.unreachable || state.failed && !state.cursor.in_handlers();
            if is_out || !blocks.iter().any(|(_, hosts)| hosts.contains(&host)) {
                continue;
            }
            let own = blocks.iter().map(|(block, hosts)| Entry::Block(Arc::clone(if hosts.contains(&host) { block } else { &empty })));
            let entries = own.collect();
            self.hosts[index].moves().push(Arc::new(Block::of(entries)), 0, FrameKind::Block);
        }
        Ok(())
    }

    fn tell_included(&mut self, shown: &str, group: &Group) {
        let names: Vec<Arc<str>> = group.hosts.iter().map(|host| Arc::clone(self.executor.vars.inventory().host(*host).name())).collect();
        for name in &names {
            self.executor.stats.of(name).ok += 1;
        }
        self.executor.tell(Event::Included { file: shown.to_owned(), hosts: names, item: group.include.label.clone() });
    }

    /// The tasks of an include, and what is shown of it.
    fn load(&mut self, task: &Arc<Task>, include: &Include) -> Result<(String, Block), Refused> {
        let mut diagnostics = Diagnostics::new();
        let loaded = match (&task.work, &include.what) {
            (Work::IncludeTasks(written), IncludeWhat::Tasks(file)) => {
                let context = inner(task, &written.apply, &written.vars, &include.loop_vars);
                let candidates = task_file_candidates(file, &context);
                let Some(path) = candidates.iter().find(|path| path.is_file()) else {
                    return Err(Refused::Missing(vec![missing_task_file(&candidates, &written.file)]));
                };
                if let Some(error) = self.sealed(path) {
                    return Err(Refused::Missing(vec![written.file.error(error)]));
                }
                let block = self.executor.world.loader.included_tasks(path, &context, &mut diagnostics);
                // A file that holds no list of tasks is the failure of those who asked for it; other mistakes in it end the run.
                if diagnostics.iter().any(|diagnostic| diagnostic.message == NO_LIST_OF_TASKS) {
                    return Err(Refused::Missing(diagnostics.into_sorted()));
                }
                (absolute(path).display().to_string(), block)
            }
            (Work::IncludeRole(written), IncludeWhat::Role { name, from, public, allow_duplicates, validates, .. }) => {
                let context = inner(task, &written.apply, &written.vars, &include.loop_vars);
                let wanted = Wanted {
                    from: from.clone(),
                    allow_duplicates: Some(*allow_duplicates),
                    included_with: Some(Arc::clone(&written.vars)),
                    validates: *validates,
                    ..Wanted::new(Spanned::new(name.clone(), written.name.span.clone()))
                };
                let Some(loaded) = self.executor.world.loader.role(&wanted, &Arc::new(context), &mut diagnostics) else {
                    return Err(Refused::Missing(diagnostics.into_sorted()));
                };
                if !diagnostics.has_errors() {
                    self.add_handlers(&loaded.handlers);
                    self.add_role_names(&loaded.roles);
                    if *public {
                        self.publish_roles(&loaded.roles);
                    }
                }
                (name.clone(), loaded.tasks)
            }
            _ => return Ok((String::new(), Block::default())),
        };
        if diagnostics.has_errors() {
            return Err(Refused::Wrong(diagnostics.into_sorted()));
        }
        if let Some(diagnostic) = wrong_tag(self.executor, self.play, &loaded.1.all_tasks()) {
            return Err(Refused::Missing(vec![diagnostic]));
        }
        for warning in diagnostics.into_sorted() {
            self.executor.tell(Event::Diagnostic(Box::new(warning)));
        }
        Ok(loaded)
    }

    /// Why a file that is in a vault cannot be opened.
    fn sealed(&self, path: &std::path::Path) -> Option<String> {
        let error = self.executor.world.lookups.vault().read(path).err()?;
        vault::error_of(&error).map(ToString::to_string)
    }

    fn fail_include(&mut self, task: &Arc<Task>, group: &Group, list: Vec<Diagnostic>) {
        let message = list.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
        for diagnostic in list {
            self.executor.tell(Event::Diagnostic(Box::new(diagnostic)));
        }
        for host in &group.hosts {
            let Some(index) = self.hosts.iter().position(|state| state.id == *host) else { continue };
            let stack = self.stack(index, task);
            let templar = self.templar(&stack, task);
            let info = self.info(task, &templar);
            let mut result = Map::new();
            result.insert("msg", message.as_str());
            result.insert("changed", false);
            result.insert("failed", true);
            let event = TaskResult {
                host: Arc::clone(&self.hosts[index].name),
                delegated_to: None,
                task: info,
                status: Status::Failed,
                ignored: false,
                result: Arc::new(result),
                is_loop: false,
            };
            self.executor.tell(Event::Result(Box::new(event)));
            let name = Arc::clone(&self.hosts[index].name);
            self.executor.stats.of(&name).failed += 1;
            self.fail(index);
        }
    }
}

/// The context of what is included: that of the include's surroundings, `apply`, and the include's variables as parameters.
fn inner(task: &Task, apply: &Arc<Keywords>, vars: &Arc<Map>, loop_vars: &Map) -> Context {
    let mut context = task.context.including(apply, vars);
    if !loop_vars.is_empty() {
        context.include_params.push(Arc::new(loop_vars.clone()));
    }
    context
}

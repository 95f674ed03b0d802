//! Handlers: which are there, who is notified, what a flush runs.

use std::sync::Arc;

use super::host_state::handler_key;
use crate::playbook::{Block, Entry, Task};

/// The handlers of a play; roles that are included add theirs at the end.
#[derive(Default)]
pub struct Handlers {
    list: Vec<Known>,
    block: Arc<Block>,
    entries: Vec<Entry>,
}

struct Known {
    task: Arc<Task>,
    names: Vec<String>,
    /// Which list it came with: a file of a role, a play's own, a block. Of one list the first of a name wins, of several lists the last.
    list: usize,
}

impl Handlers {
    /// Adds handlers, with the names that each answers to.
    pub fn add(&mut self, entries: &[Entry], name_of: &dyn Fn(&Task) -> Option<String>) {
        let mut list = self.list.last().map_or(0, |known| known.list + 1);
        let mut before: Option<&Arc<Task>> = None;
        for entry in entries {
            let (tasks, is_task) = match entry {
                Entry::Task(task) => (vec![task], true),
                Entry::Block(block) => (block.all_tasks(), false),
            };
            let role_of = |task: &Arc<Task>| task.role().map(Arc::as_ptr);
            let goes_on = before.zip(tasks.first()).is_some_and(|(before, task)| is_task && role_of(before) == role_of(task));
            list += usize::from(!goes_on);
            before = tasks.last().copied().filter(|_| is_task);
            for task in tasks {
                let mut names: Vec<String> = name_of(task).into_iter().collect();
                if let (Some(name), Some(role)) = (names.first().cloned(), task.role()) {
                    names.push(format!("{} : {name}", role.name));
                }
                self.list.push(Known { task: Arc::clone(task), names, list });
            }
        }
        self.entries.extend(entries.iter().cloned());
        self.block = Arc::new(Block::of(self.entries.clone()));
    }

    /// What a flush goes through.
    pub fn block(&self) -> Arc<Block> {
        Arc::clone(&self.block)
    }

    /// The handlers that a notification means: the last of that name, and all that listen to it; by identity.
    pub fn meant_by(&self, notification: &str) -> Vec<(usize, String)> {
        let of_name = || self.list.iter().filter(|known| known.names.iter().any(|name| name == notification));
        let last_list = of_name().map(|known| known.list).max();
        let named = of_name().find(|known| Some(known.list) == last_list);
        let listening = self.list.iter().filter(|known| known.task.listen.iter().any(|topic| topic == notification));
        let mut found: Vec<(usize, String)> = Vec::new();
        for known in named.into_iter().chain(listening) {
            let key = handler_key(&known.task);
            if !found.iter().any(|(other, _)| *other == key) {
                found.push((key, known.names.first().cloned().unwrap_or_else(|| notification.to_owned())));
            }
        }
        found
    }

    /// All names and topics, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().flat_map(|known| known.names.iter().chain(&known.task.listen)).map(String::as_str)
    }
}

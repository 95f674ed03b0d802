//! Handlers: which are there, who is notified, what a flush runs.

use std::collections::HashSet;
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
    shown: String,
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
                Entry::Block(block) => (block.main_tasks(), false),
            };
            let role_of = |task: &Arc<Task>| task.role().map(Arc::as_ptr);
            let goes_on = before.zip(tasks.first()).is_some_and(|(before, task)| is_task && role_of(before) == role_of(task));
            list += usize::from(!goes_on);
            before = tasks.last().copied().filter(|_| is_task);
            for task in tasks {
                let mut names: Vec<String> = name_of(task).into_iter().collect();
                let mut shown = names.first().map_or_else(|| task.action_name().to_owned(), String::clone);
                if let Some(role) = task.role() {
                    let bare = role.collection.as_deref().and_then(|collection| role.name.strip_prefix(collection)?.strip_prefix('.'));
                    let of_role = |own: &str| [Some(role.name.as_str()), bare].map(|role| role.map(|role| format!("{role} : {own}")));
                    names.extend(names.first().map(|own| of_role(own)).into_iter().flatten().flatten().collect::<Vec<_>>());
                    shown = format!("{} : {shown}", role.name);
                }
                self.list.push(Known { task: Arc::clone(task), names, shown, list });
            }
        }
        self.entries.extend(entries.iter().cloned());
        self.block = Arc::new(Block::of(self.entries.clone()));
    }

    /// What a flush goes through.
    pub fn block(&self) -> Arc<Block> {
        Arc::clone(&self.block)
    }

    /// The handlers that a notification means, by identity and as they are shown: the one of that name, and of those that listen to it one of each name. A
    /// role that was loaded twice has its handlers twice; those that came last count.
    pub fn meant_by(&self, notification: &str) -> Vec<(usize, String)> {
        let mut lists: Vec<&[Known]> = self.list.chunk_by(|known, next| known.list == next.list).collect();
        lists.reverse();
        let latest = || lists.iter().flat_map(|list| list.iter());
        let named = latest().find(|known| known.names.iter().any(|name| name == notification));
        let mut seen = HashSet::new();
        let listening = latest()
            .filter(|known| known.task.listen.iter().any(|topic| topic == notification))
            .filter(|known| known.names.first().is_none_or(|name| seen.insert(name)));
        let mut found: Vec<(usize, String)> = Vec::new();
        for known in named.into_iter().chain(listening) {
            let key = handler_key(&known.task);
            if !found.iter().any(|(other, _)| *other == key) {
                found.push((key, known.shown.clone()));
            }
        }
        found
    }

    /// Whether anything answers to a notification.
    pub fn knows(&self, notification: &str) -> bool {
        let listens = |known: &Known| known.task.listen.iter().any(|topic| topic == notification);
        self.list.iter().any(|known| listens(known) || known.names.iter().any(|name| name == notification))
    }

    /// All names and topics, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().flat_map(|known| known.names.iter().chain(&known.task.listen)).map(String::as_str)
    }
}

//! `Block` and `Entry`: tasks in their order, with what is to be done when one fails.

use std::sync::Arc;

use super::{RoleId, Task};

/// Tasks in their order, with what is to be done when one fails. A play's and a role's lists are blocks without rescue.
#[derive(Debug, Default)]
pub struct Block {
    /// What is to be done.
    pub tasks: Vec<Entry>,
    /// What is to be done when one of `tasks` fails.
    pub rescue: Vec<Entry>,
    /// What is to be done in any case.
    pub always: Vec<Entry>,
    /// Set on the block that holds all tasks of a use of a role: skipped where that use has run.
    pub role: Option<RoleRun>,
}

/// The tasks of a use of a role.
#[derive(Clone, Debug)]
pub struct RoleRun {
    /// Which use.
    pub id: RoleId,
    /// Whether it runs again if it has run.
    pub allow_duplicates: bool,
}

/// A task or a block.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A task.
    Task(Arc<Task>),
    /// A block.
    Block(Arc<Block>),
}

impl Block {
    /// Only tasks, no rescue.
    pub fn of(tasks: Vec<Entry>) -> Self {
        Self { tasks, ..Self::default() }
    }

    /// All tasks inside, in the order written.
    pub fn all_tasks(&self) -> Vec<&Arc<Task>> {
        let mut tasks = Vec::new();
        self.collect(&mut tasks);
        tasks
    }

    /// The tasks that run when none fails; what `always` holds is not among them, as in Ansible's lists.
    pub fn main_tasks(&self) -> Vec<&Arc<Task>> {
        let mut tasks = Vec::new();
        for entry in &self.tasks {
            match entry {
                Entry::Task(task) => tasks.push(task),
                Entry::Block(block) => tasks.extend(block.main_tasks()),
            }
        }
        tasks
    }

    fn collect<'a>(&'a self, tasks: &mut Vec<&'a Arc<Task>>) {
        for entry in self.tasks.iter().chain(&self.rescue).chain(&self.always) {
            match entry {
                Entry::Task(task) => tasks.push(task),
                Entry::Block(block) => block.collect(tasks),
            }
        }
    }
}

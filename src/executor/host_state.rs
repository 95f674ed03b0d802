//! `HostState`: where a host is in its play, what it was notified of, which roles it has run.

use std::collections::HashSet;
use std::sync::Arc;

use super::play_iterator::{Cursor, Gate, Position};
use crate::inventory::HostId;
use crate::playbook::{Block, RoleId, RoleRun, Task};
use crate::vars::Layer;

/// A host of a batch.
pub struct HostState {
    /// Which.
    pub id: HostId,
    /// Its name.
    pub name: Arc<str>,
    /// Where it is.
    pub cursor: Cursor,
    /// What was notified since handlers were flushed last: what it means is looked up when they are flushed the next time.
    pub notifications: Vec<String>,
    /// Handlers that a flush is to run, by address: a handler lives as long as its play.
    pub notified: HashSet<usize>,
    /// Uses of roles of which a task ran: not all were left out.
    pub begun: HashSet<RoleId>,
    /// Uses of roles that it has run.
    pub completed: HashSet<RoleId>,
    /// Whether it could not be reached.
    pub unreachable: bool,
    /// Whether it has failed for good.
    pub failed: bool,
    /// `vars_files` whose names depend on the host, once they could be rendered.
    pub vars_files: Option<Vec<Arc<Layer>>>,
    next: Option<Option<(Arc<Task>, Position)>>,
}

/// The handler's identity.
pub fn handler_key(handler: &Task) -> usize {
    std::ptr::from_ref(handler) as usize
}

struct HostGate<'a> {
    notified: &'a HashSet<usize>,
    completed: &'a HashSet<RoleId>,
    is_tagged: &'a dyn Fn(&Task) -> bool,
}

impl Gate for HostGate<'_> {
    fn enters_role(&self, run: &RoleRun) -> bool {
        run.allow_duplicates || !self.completed.contains(&run.id)
    }

    fn wants_handler(&self, handler: &Task) -> bool {
        self.notified.contains(&handler_key(handler))
    }

    fn runs(&self, task: &Task) -> bool {
        (self.is_tagged)(task)
    }
}

impl HostState {
    /// A host at the start of a play.
    pub fn new(id: HostId, name: Arc<str>, play: Arc<Block>) -> Self {
        Self {
            id,
            name,
            cursor: Cursor::new(play),
            notifications: Vec::new(),
            notified: HashSet::new(),
            begun: HashSet::new(),
            completed: HashSet::new(),
            unreachable: false,
            failed: false,
            vars_files: None,
            next: None,
        }
    }

    /// The task that comes next, kept until the cursor moves.
    pub fn next(&mut self, is_tagged: &dyn Fn(&Task) -> bool) -> Option<&(Arc<Task>, Position)> {
        if self.next.is_none() {
            let gate = HostGate { notified: &self.notified, completed: &self.completed, is_tagged };
            self.next = Some(self.cursor.peek(&gate));
        }
        self.next.as_ref().and_then(Option::as_ref)
    }

    /// Changes where the host is.
    pub fn moves(&mut self) -> &mut Cursor {
        self.next = None;
        &mut self.cursor
    }
}

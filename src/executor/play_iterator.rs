//! Which task a host meets next: a cursor over a play's blocks. Pure: knows results, not how they came about.
//!
//! A host's place is a stack of frames. Hosts that stand at the same place meet the same task; of two places the one with the
//! smaller [`Position`] comes first in the play, so the linear strategy is "the hosts at the least position go next".

use std::sync::Arc;

use crate::playbook::{Block, Entry, Meta, RoleRun, Task, Work};

/// The part of a block a host is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Tasks,
    Rescue,
    Always,
}

/// A block that a host is in.
#[derive(Clone, Debug)]
struct Frame {
    block: Arc<Block>,
    section: Section,
    index: usize,
    /// Which of several blocks that were pushed at one place: files that an include met for different hosts.
    group: usize,
    /// Whether a failure waits for the end of `always`.
    failed: bool,
    /// What the block stands for.
    kind: FrameKind,
}

/// What a frame stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A block of the play or an included file.
    Block,
    /// Handlers that are being flushed.
    Handlers,
}

/// What a cursor asks about its host.
pub trait Gate {
    /// Whether the tasks of a use of a role are to be run: not if it has run and may not run twice.
    fn enters_role(&self, run: &RoleRun) -> bool;

    /// Whether a handler was notified.
    fn wants_handler(&self, handler: &Task) -> bool;

    /// Whether a task's tags are asked for.
    fn runs(&self, task: &Task) -> bool;
}

/// Where a host is in its play; ordered as the play is.
pub type Position = Vec<(u8, usize, usize)>;

/// What a failure led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// A `rescue` section goes on with it.
    Rescued,
    /// Only `always` sections are left, then the host has failed; or it has failed already.
    Failing,
}

/// A host's place in a play.
#[derive(Clone, Debug)]
pub struct Cursor {
    frames: Vec<Frame>,
    failed: bool,
    /// Whether a failed host still meets the places where handlers are flushed: `force_handlers`.
    runs_handlers_at_end: bool,
}

impl Cursor {
    /// At the start of a play.
    pub fn new(play: Arc<Block>) -> Self {
        Self { frames: vec![Frame::new(play, 0, FrameKind::Block)], failed: false, runs_handlers_at_end: false }
    }

    /// Lets a host that has failed meet the places where handlers are flushed.
    pub fn force_handlers(&mut self) {
        self.runs_handlers_at_end = true;
    }

    /// The task that comes next and where it stands. Does not go past the task: [`Cursor::advance`] does.
    pub fn peek(&mut self, gate: &dyn Gate) -> Option<(Arc<Task>, Position)> {
        loop {
            let only_flushes = self.failed && self.frames.len() == 1;
            let top = self.frames.last_mut()?;
            match top.current() {
                Some(Entry::Task(task)) if only_flushes && !is_flush(task) => top.index += 1,
                Some(Entry::Block(_)) if only_flushes => top.index += 1,
                Some(Entry::Task(task)) if top.kind == FrameKind::Handlers && !gate.wants_handler(task) => top.index += 1,
                Some(Entry::Task(task)) if !task.is_handler && !gate.runs(task) => top.index += 1,
                Some(Entry::Task(task)) => return Some((Arc::clone(task), self.position())),
                Some(Entry::Block(block)) => {
                    let (block, kind) = (Arc::clone(block), top.kind);
                    top.index += 1;
                    if block.role.as_ref().is_none_or(|run| gate.enters_role(run)) {
                        self.frames.push(Frame::new(block, 0, kind));
                    }
                }
                None => self.leave_section(),
            }
        }
    }

    /// Goes past the task that comes next.
    pub fn advance(&mut self) {
        if let Some(top) = self.frames.last_mut() {
            top.index += 1;
        }
    }

    /// Puts a block (an included file, handlers to flush) before what comes next; to be called after [`Cursor::advance`].
    pub fn push(&mut self, block: Arc<Block>, group: usize, kind: FrameKind) {
        self.frames.push(Frame::new(block, group, kind));
    }

    /// The task before has failed: goes to the rescue of the innermost block that has one, else to its `always`.
    pub fn fail(&mut self) -> AfterFailure {
        let rescued = self.frames.iter().any(|frame| frame.section == Section::Tasks && !frame.block.rescue.is_empty());
        let after = if rescued { AfterFailure::Rescued } else { AfterFailure::Failing };
        // A host that fails in a handler meets no more of them.
        let flushes_later = self.runs_handlers_at_end && !self.in_handlers();
        while let Some(top) = self.frames.last_mut() {
            match top.section {
                Section::Tasks if !top.block.rescue.is_empty() => {
                    top.enter(Section::Rescue);
                    return after;
                }
                Section::Tasks | Section::Rescue => {
                    top.failed = true;
                    if !top.block.always.is_empty() {
                        top.enter(Section::Always);
                        return after;
                    }
                }
                Section::Always => {}
            }
            if self.frames.len() == 1 && flushes_later {
                self.failed = true;
                return after;
            }
            self.frames.pop();
        }
        self.failed = true;
        after
    }

    /// Leaves the innermost role or, without one, nothing: `meta: end_role`.
    pub fn end_role(&mut self) {
        while let Some(top) = self.frames.last() {
            let is_role = top.block.role.is_some();
            if is_role {
                // The last task of a role's block marks it as complete.
                let last = top.block.tasks.len().saturating_sub(1);
                if let Some(top) = self.frames.last_mut() {
                    top.section = Section::Tasks;
                    top.index = last;
                }
                return;
            }
            self.frames.pop();
        }
    }

    /// Nothing is left to do: `meta: end_host`, `end_play`, or the host is gone.
    pub fn end(&mut self) {
        self.frames.clear();
    }

    /// Whether the host has failed and no rescue took care of it.
    pub fn has_failed(&self) -> bool {
        self.failed
    }

    /// Whether a failure is on its way out through `always` sections.
    pub fn is_failing(&self) -> bool {
        self.failed || self.frames.iter().any(|frame| frame.failed)
    }

    /// Whether the task that comes next stands in a `rescue` section, at any depth.
    pub fn in_rescue(&self) -> bool {
        self.frames.iter().any(|frame| frame.section == Section::Rescue)
    }

    /// Whether handlers are being flushed.
    pub fn in_handlers(&self) -> bool {
        self.frames.iter().any(|frame| frame.kind == FrameKind::Handlers)
    }

    /// Forgets that the host has failed: `meta: clear_host_errors`.
    pub fn clear_failure(&mut self) {
        self.failed = false;
        self.frames.iter_mut().for_each(|frame| frame.failed = false);
    }

    fn position(&self) -> Position {
        // Below the top, the index is one past the entry that was entered.
        let top = self.frames.len().saturating_sub(1);
        let at =
            |(depth, frame): (usize, &Frame)| (frame.section as u8, frame.index - usize::from(depth < top && frame.index > 0), frame.group);
        self.frames.iter().enumerate().map(at).collect()
    }

    fn leave_section(&mut self) {
        let Some(top) = self.frames.last_mut() else { return };
        match top.section {
            Section::Tasks | Section::Rescue => top.enter(Section::Always),
            Section::Always => {
                let failed = top.failed;
                self.frames.pop();
                if failed {
                    self.fail();
                }
            }
        }
    }
}

/// A place where the play itself flushes handlers.
fn is_flush(task: &Task) -> bool {
    task.implicit && matches!(&task.work, Work::Meta(meta) if meta.value == Meta::FlushHandlers)
}

impl Frame {
    fn new(block: Arc<Block>, group: usize, kind: FrameKind) -> Self {
        Self { block, section: Section::Tasks, index: 0, group, failed: false, kind }
    }

    fn entries(&self) -> &[Entry] {
        match self.section {
            Section::Tasks => &self.block.tasks,
            Section::Rescue => &self.block.rescue,
            Section::Always => &self.block.always,
        }
    }

    fn current(&self) -> Option<&Entry> {
        self.entries().get(self.index)
    }

    fn enter(&mut self, section: Section) {
        self.section = section;
        self.index = 0;
    }
}

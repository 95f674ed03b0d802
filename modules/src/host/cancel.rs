//! How another thread ends the request that is running: a flag, and the process group of the command in flight.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};

/// Shared by the request that runs and the thread that may cancel it.
#[derive(Debug, Default)]
pub struct Cancel {
    cancelled: AtomicBool,
    group: AtomicI32,
    protected: AtomicBool,
}

impl Cancel {
    /// Asks the request to end: no further command starts, and the one in flight gets TERM, unless it must be let finish.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.signal(Signal::TERM);
    }

    /// Ends the command in flight at once, unless it must be let finish.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Whether the request was asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// The process group of the command in flight.
    pub fn group(&self) -> Option<Pid> {
        Pid::from_raw(self.group.load(Ordering::SeqCst))
    }

    /// Whether the command in flight is one that must be let finish, such as a package transaction.
    pub fn is_protected(&self) -> bool {
        self.protected.load(Ordering::SeqCst)
    }

    pub(super) fn enter(&self, group: Pid, protected: bool) {
        self.protected.store(protected, Ordering::SeqCst);
        self.group.store(group.as_raw_nonzero().get(), Ordering::SeqCst);
        if self.is_cancelled() {
            self.signal(Signal::TERM);
        }
    }

    pub(super) fn leave(&self) {
        self.group.store(0, Ordering::SeqCst);
        self.protected.store(false, Ordering::SeqCst);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group()
            && !self.is_protected()
        {
            // The group may just have ended: that is what was wanted.
            let _ = kill_process_group(group, signal);
        }
    }
}

//! Cuts sockets whose time is over, for the one case where libssh2 does not come back by itself: a host that never stops talking during
//! the handshake. One thread watches all sockets of a run, and ends when there is nothing left to watch.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::net::{Shutdown, shutdown};

use super::super::Deadline;

/// How much later than its own deadline a step is cut.
const GRACE: Duration = Duration::from_millis(500);

/// Watches sockets.
#[derive(Debug, Default)]
pub(super) struct Watchdog(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    watched: Mutex<Watched>,
    earlier: Condvar,
}

#[derive(Debug, Default)]
struct Watched {
    /// By the time when each is cut, and a number.
    sockets: BTreeMap<Ticket, Weak<OwnedFd>>,
    next: u64,
    is_running: bool,
}

type Ticket = (Instant, u64);

/// Keeps a socket under watch until it is dropped.
pub(super) struct Guard<'w> {
    watchdog: &'w Watchdog,
    ticket: Option<Ticket>,
}

impl Watchdog {
    /// Watches `socket` until `deadline`.
    pub(super) fn guard(&self, socket: &Arc<OwnedFd>, deadline: Deadline) -> Guard<'_> {
        let Some(left) = deadline.left() else { return Guard { watchdog: self, ticket: None } };
        let mut watched = self.0.lock();
        let ticket = (Instant::now() + left + GRACE, watched.next);
        watched.next += 1;
        let is_first = watched.sockets.keys().next().is_none_or(|first| ticket < *first);
        watched.sockets.insert(ticket, Arc::downgrade(socket));
        if watched.is_running {
            drop(watched);
            if is_first {
                self.0.earlier.notify_one();
            }
        } else {
            let inner = Arc::clone(&self.0);
            // Without the thread there is still the deadline of every step.
            watched.is_running =
                std::thread::Builder::new().name("watchdog".to_owned()).stack_size(64 * 1024).spawn(move || inner.watch()).is_ok();
        }
        Guard { watchdog: self, ticket: Some(ticket) }
    }
}

impl Inner {
    fn watch(&self) {
        let mut watched = self.lock();
        while let Some(first) = watched.sockets.first_entry() {
            let left = first.key().0.saturating_duration_since(Instant::now());
            if left.is_zero() {
                if let Some(socket) = first.remove().upgrade() {
                    let _ = shutdown(&*socket, Shutdown::Both);
                }
            } else {
                watched = self.earlier.wait_timeout(watched, left).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        watched.is_running = false;
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = &self.ticket {
            self.watchdog.0.lock().sockets.remove(ticket);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_socket_whose_time_is_over_is_cut_and_no_other() {
        let watchdog = Watchdog::default();
        let pair = || UnixStream::pair().map(|(own, other)| (Arc::new(OwnedFd::from(own)), other)).unwrap();
        let ((late, mut late_end), (soon, mut soon_end), (done, mut done_end)) = (pair(), pair(), pair());
        let _late = watchdog.guard(&late, Deadline::after(Duration::from_secs(60)));
        let _soon = watchdog.guard(&soon, Deadline::after(Duration::ZERO));
        drop(watchdog.guard(&done, Deadline::after(Duration::ZERO)));
        soon_end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        assert_eq!(soon_end.read(&mut [0]).unwrap(), 0);
        for end in [&mut late_end, &mut done_end] {
            end.set_nonblocking(true).unwrap();
            assert_eq!(end.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        }
        assert_eq!(watchdog.0.lock().sockets.len(), 1);
    }
}

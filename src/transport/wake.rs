//! Sleeping until a descriptor is ready, a deadline passes or another thread calls; and the names of signals.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::{ConnectionError, Deadline};

/// Wakes a thread that waits in [`super::Connection::read`]. Kept until it is noticed, so no call is lost.
#[derive(Clone, Debug)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    /// A waker that nobody has called.
    ///
    /// # Errors
    /// If the system has no descriptor left.
    pub fn new() -> Result<Self, ConnectionError> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|error| ConnectionError::system("eventfd", error))?;
        Ok(Self(Arc::new(fd)))
    }

    /// Wakes the reader. Harmless when nobody reads.
    pub fn wake(&self) {
        // It can only fail when the counter is full: then the reader has been called 2^64 times already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Whether somebody called since the last time.
    pub(super) fn take(&self) -> bool {
        rustix::io::read(&self.0, &mut [0u8; 8]).is_ok()
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Ready,
    Timeout,
    Woken,
}

/// Sleeps until one of `fds` is ready, somebody calls, or the deadline passes. The clock decides on the last, since a poll with no
/// time left may still find something ready for ever.
pub(super) fn wait(fds: &[(BorrowedFd<'_>, PollFlags)], waker: &Waker, deadline: Deadline) -> Result<Wait, ConnectionError> {
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
    polled.push(PollFd::new(waker, PollFlags::IN));
    loop {
        if deadline.is_over() {
            return Ok(Wait::Timeout);
        }
        let left = deadline.left().map(timespec);
        match poll(&mut polled, left.as_ref()) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => break,
            Err(error) => return Err(ConnectionError::system("poll", error)),
        }
    }
    let is_called = polled.last().is_some_and(|own| !own.revents().is_empty());
    if is_called && waker.take() { Ok(Wait::Woken) } else { Ok(Wait::Ready) }
}

/// Rounded up to a millisecond, so that a wait does not end just before its time.
pub(super) fn timespec(duration: Duration) -> Timespec {
    let duration = duration.min(Duration::from_secs(24 * 3600)) + Duration::from_micros(500);
    Timespec { tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(duration.subsec_nanos()) }
}

/// The signals that POSIX and the SSH protocol name.
const SIGNALS: &[(i32, &str)] = &[
    (1, "HUP"),
    (2, "INT"),
    (3, "QUIT"),
    (4, "ILL"),
    (5, "TRAP"),
    (6, "ABRT"),
    (7, "BUS"),
    (8, "FPE"),
    (9, "KILL"),
    (10, "USR1"),
    (11, "SEGV"),
    (12, "USR2"),
    (13, "PIPE"),
    (14, "ALRM"),
    (15, "TERM"),
    (24, "XCPU"),
    (25, "XFSZ"),
    (31, "SYS"),
];

/// The name of a signal without `SIG`; its number as text when it has none.
pub(super) fn signal_name(number: i32) -> String {
    SIGNALS.iter().find(|(known, _)| *known == number).map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

/// The number of a signal, 0 when unknown.
pub(super) fn signal_number(name: &str) -> i32 {
    SIGNALS.iter().find(|(_, known)| *known == name).map_or_else(|| name.parse().unwrap_or(0), |(number, _)| *number)
}

//! Cuts a socket whose time is over, for the one case where libssh2 does not come back by itself: a host that never stops talking
//! during the handshake.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustix::net::{Shutdown, shutdown};

use super::super::Deadline;

/// How much later than its own deadline a step is cut.
const GRACE: Duration = Duration::from_millis(500);

/// Keeps a socket under watch until it is dropped.
pub(super) struct Guard {
    /// Its end is what the thread waits for.
    _watching: Option<Sender<()>>,
}

/// Watches `socket` until `deadline`. A thread costs a thirtieth of a handshake.
pub(super) fn guard(socket: &Arc<OwnedFd>, deadline: Deadline) -> Guard {
    let Some(left) = deadline.left() else { return Guard { _watching: None } };
    let (watching, done) = channel::<()>();
    let socket = Arc::downgrade(socket);
    let watch = move || {
        if done.recv_timeout(left + GRACE) == Err(RecvTimeoutError::Timeout)
            && let Some(socket) = socket.upgrade()
        {
            let _ = shutdown(&*socket, Shutdown::Both);
        }
    };
    // Without the thread there is still the deadline of every step.
    let _ = std::thread::Builder::new().name("watchdog".to_owned()).stack_size(64 * 1024).spawn(watch);
    Guard { _watching: Some(watching) }
}

//! The helpers of other users, as children of this one: carries their bytes between the controller and their pipes. Two threads per
//! child, so that none waits for another; at most [`WINDOW`] bytes each way are unacknowledged, so that none floods the rest.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use driftless_wire::{BecomeFailure, BecomeFailureKind, CHUNK, Frame, FromHelper, HelperEnd, StartHelper, WINDOW};
use rustix::io::Errno;

use super::login::Login;
use super::outbox::{Gone, Outbox, write_all};
use super::starting::{self, Started};

/// The children, by the number that the controller gave them.
pub struct Relay {
    links: Mutex<BTreeMap<u32, Arc<Link>>>,
    outbox: Arc<Outbox>,
    login: Arc<Login>,
}

/// What the reader's thread and a child's two threads share.
struct Link {
    number: u32,
    state: Mutex<LinkState>,
    changed: Condvar,
}

struct LinkState {
    /// For the child, not yet written.
    input: VecDeque<Vec<u8>>,
    /// Its input is to be closed, once all is written.
    closed: bool,
    /// How many bytes of its output may be sent to the controller.
    credit: usize,
    /// The child has ended.
    gone: bool,
}

impl Relay {
    /// No children yet.
    pub fn new(outbox: Arc<Outbox>, login: Arc<Login>) -> Self {
        Self { links: Mutex::default(), outbox, login }
    }

    /// Starts a child, on threads of its own; what becomes of it is told to the controller.
    pub fn start(self: &Arc<Self>, start: StartHelper) {
        let state = LinkState { input: VecDeque::new(), closed: false, credit: WINDOW, gone: false };
        let link = Arc::new(Link { number: start.helper, state: Mutex::new(state), changed: Condvar::new() });
        self.links().insert(start.helper, Arc::clone(&link));
        let relay = Arc::clone(self);
        let number = start.helper;
        let spawned = std::thread::Builder::new().name(format!("helper {number}")).spawn(move || relay.attend(&link, &start));
        if let Err(error) = spawned {
            self.links().remove(&number);
            let failure = BecomeFailure { kind: BecomeFailureKind::Other, message: format!("could not start a thread: {error}") };
            self.outbox.urgent(&FromHelper::BecomeFailed { helper: number, failure });
        }
    }

    /// Bytes for a child.
    pub fn input(&self, helper: u32, bytes: Vec<u8>) {
        self.with(helper, |state| state.input.push_back(bytes));
    }

    /// The controller has consumed bytes of a child.
    pub fn credit(&self, helper: u32, bytes: u64) {
        self.with(helper, |state| state.credit = state.credit.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)));
    }

    /// Closes a child's input: it ends by itself, as when its connection is lost.
    pub fn close(&self, helper: u32) {
        self.with(helper, |state| state.closed = true);
    }

    /// Closes the input of all.
    pub fn close_all(&self) {
        let numbers: Vec<u32> = self.links().keys().copied().collect();
        numbers.into_iter().for_each(|number| self.close(number));
    }

    /// Waits until no child is left, or the time is over.
    pub fn wait_all(&self, longest: Duration) {
        let until = Instant::now() + longest;
        while !self.links().is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// A child's life: start, carry its output, tell its end.
    fn attend(&self, link: &Arc<Link>, start: &StartHelper) {
        let number = link.number;
        let started = match starting::start(start, &self.login) {
            Ok(started) => started,
            Err(failure) => {
                self.links().remove(&number);
                // Nothing is lost when the controller cannot be told: it is gone.
                let _ = self.outbox.message(&FromHelper::BecomeFailed { helper: number, failure });
                return;
            }
        };
        let Started { child, input, output, rest, mut stderr, terminal } = started;
        let _ = self.outbox.message(&FromHelper::HelperStarted { helper: number });
        let writer = {
            let (link, outbox) = (Arc::clone(link), Arc::clone(&self.outbox));
            std::thread::Builder::new().name(format!("to helper {number}")).spawn(move || feed(&link, input, &outbox))
        };
        // Without the controller there is no one to carry for; the child is waited for all the same.
        let _ = self.carry(link, &output, rest);
        link.with(|state| {
            state.gone = true;
            state.closed = true;
        });
        drop(output);
        if let Ok(writer) = writer {
            // A panic there has closed the child's input, which is all that it was for.
            let _ = writer.join();
        }
        let end = wait(child);
        drop(terminal);
        self.links().remove(&number);
        let _ = self.outbox.message(&FromHelper::HelperGone { helper: number, end, stderr: stderr.text() });
    }

    fn carry(&self, link: &Link, output: &OwnedFd, rest: Vec<u8>) -> Result<(), Gone> {
        for piece in rest.chunks(CHUNK) {
            self.forward(link, piece)?;
        }
        let mut piece = vec![0; CHUNK];
        loop {
            let room = link.room();
            match rustix::io::read(output, &mut piece[..room.min(CHUNK)]) {
                // A terminal whose other side is closed gives EIO.
                Ok(0) | Err(Errno::IO) => return Ok(()),
                Ok(count) => self.forward(link, &piece[..count])?,
                Err(Errno::INTR) => {}
                Err(_) => return Ok(()),
            }
        }
    }

    fn forward(&self, link: &Link, bytes: &[u8]) -> Result<(), Gone> {
        link.room();
        link.with(|state| state.credit = state.credit.saturating_sub(bytes.len()));
        let mut frame = Vec::with_capacity(bytes.len() + 16);
        Frame::encode_relay(link.number, bytes, &mut frame);
        self.outbox.send(frame)
    }

    fn links(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes for a child that has ended meanwhile are dropped.
    fn with(&self, helper: u32, change: impl FnOnce(&mut LinkState)) {
        let link = self.links().get(&helper).cloned();
        if let Some(link) = link {
            link.with(change);
        }
    }
}

impl Link {
    fn with(&self, change: impl FnOnce(&mut LinkState)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// How many bytes may be sent; waits until there are some. A closed child's output is of no use but must be read.
    fn room(&self) -> usize {
        let mut state = self.lock();
        while state.credit == 0 && !state.closed {
            state = self.wait(state);
        }
        state.credit.max(1)
    }

    /// The next bytes for the child: all that waits, since each write is a wake-up. `None`: close its input.
    fn next_input(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if state.gone {
                return None;
            }
            if let Some(mut bytes) = state.input.pop_front() {
                while bytes.len() < CHUNK
                    && let Some(more) = state.input.pop_front()
                {
                    bytes.extend_from_slice(&more);
                }
                return Some(bytes);
            }
            if state.closed {
                return None;
            }
            state = self.wait(state);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LinkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, LinkState>) -> MutexGuard<'a, LinkState> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes to the child what the controller sends, and acknowledges it. Small amounts are acknowledged together.
fn feed(link: &Link, input: OwnedFd, outbox: &Outbox) {
    let mut unacknowledged = 0;
    while let Some(bytes) = link.next_input() {
        if write_all(&input, &bytes).is_err() {
            return;
        }
        unacknowledged += bytes.len();
        if unacknowledged >= WINDOW / 4 {
            outbox.urgent(&FromHelper::Credit { helper: link.number, bytes: unacknowledged as u64 });
            unacknowledged = 0;
        }
    }
}

/// How the child ended. Programs that stay between us and the helper give its signal as 128 and its number.
fn wait(mut child: Child) -> HelperEnd {
    use std::os::unix::process::ExitStatusExt;
    match child.wait() {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) if driftless_wire::signal_name(code - 128).is_some() => HelperEnd::Signal(code - 128),
            (Some(code), _) => HelperEnd::Exit(code),
            (None, Some(signal)) => HelperEnd::Signal(signal),
            (None, None) => HelperEnd::Exit(255),
        },
        Err(_) => HelperEnd::Exit(255),
    }
}

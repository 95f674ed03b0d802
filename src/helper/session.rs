//! One connection with its helpers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use driftless_wire::ToHelper;

use super::link::{Link, Received, Target};
use super::request::{Reply, Request, RunError};
use super::store::Store;
use super::{start, window};
use crate::transport::{Become, Connection, ConnectionError, Deadline, ExecOutput, Waker};

/// How often an idle helper is told that we are there. It ends after 15 minutes without.
const PING: Duration = Duration::from_secs(60);

/// How long helpers get to end when they are told to.
const CLOSE: Duration = Duration::from_secs(2);

/// What a session needs to know.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// How long a helper may take from its first byte to its last before it runs; pushing it is part of that.
    pub start_timeout: Duration,
    /// The login shell stays the helper's parent, so that its signal is seen as an exit code: for the system's `ssh`.
    pub shell_stays: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self { start_timeout: Duration::from_secs(60), shell_stays: false }
    }
}

/// Which helpers of other users to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseHelpers {
    /// All but root's.
    NotRoot,
    /// All.
    All,
}

/// Ends what a session does, from another thread.
#[derive(Clone, Debug)]
pub struct Canceller {
    flag: Arc<AtomicBool>,
    waker: Waker,
}

impl Canceller {
    /// Cancels the requests on their way and all that follow.
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::SeqCst);
        self.waker.wake();
    }
}

/// A connection with its helpers. One owner at a time.
pub struct Session {
    pub(super) link: Link,
    store: Arc<Store>,
    options: SessionOptions,
    users: BTreeMap<u32, User>,
    /// Ids are never used twice, whichever helper they are for.
    pub(super) next_id: u64,
    pub(super) next_stream: u32,
    next_helper: u32,
    pub(super) cancelled: Arc<AtomicBool>,
    waker: Waker,
    lost: bool,
    last_ping: Instant,
}

/// Another user's helper.
struct User {
    become_: Become,
}

impl Session {
    /// A session over a connection that stands. Nothing is started yet.
    pub fn new(connection: Box<dyn Connection>, store: Arc<Store>, options: SessionOptions) -> Self {
        let waker = connection.waker();
        Self {
            link: Link::new(connection),
            store,
            options,
            users: BTreeMap::new(),
            next_id: 1,
            next_stream: 1,
            next_helper: 1,
            cancelled: Arc::default(),
            waker,
            lost: false,
            last_ping: Instant::now(),
        }
    }

    /// Runs requests, several on their way at once, and calls `each` with every reply in order. `Break` ends it: no further request is
    /// taken, and those on their way are cancelled. A helper that ends fails the request that it ran; the rest go to a new one.
    pub fn run(
        &mut self,
        become_: Option<&Become>,
        requests: &mut dyn Iterator<Item = Request>,
        each: &mut dyn FnMut(usize, Result<Reply, RunError>) -> ControlFlow<()>,
    ) {
        window::run(self, become_, requests, each);
    }

    /// Runs one request.
    pub fn run_one(&mut self, become_: Option<&Become>, request: Request) -> Result<Reply, RunError> {
        let mut reply = None;
        self.run(become_, &mut std::iter::once(request), &mut |_, result| {
            reply = Some(result);
            ControlFlow::Continue(())
        });
        reply.expect("every request has its reply")
    }

    /// Runs a command line of the login's shell, without any helper.
    pub fn exec(&mut self, command: &str, stdin: &[u8], deadline: Deadline) -> Result<ExecOutput, ConnectionError> {
        let result = self.link.connection.exec(command, stdin, deadline);
        // A command that takes too long or cannot start says nothing about the connection.
        self.lost |= matches!(result, Err(ConnectionError::Closed(_)));
        result
    }

    /// Ends helpers of other users, so that the users can be removed, and new groups and limits count. Waits for their ends.
    pub fn close_become_helpers(&mut self, which: CloseHelpers) {
        let numbers: Vec<u32> = self
            .users
            .iter()
            .filter(|(_, user)| which == CloseHelpers::All || user.become_.user != "root")
            .map(|(number, _)| *number)
            .collect();
        for number in &numbers {
            self.users.remove(number);
            self.link.message(Target::Relayed(*number), &ToHelper::Close);
        }
        self.await_ends(&numbers, CLOSE);
        for number in &numbers {
            self.link.let_go(Target::Relayed(*number));
        }
    }

    /// Whether any helper of another user runs.
    pub fn has_become_helpers(&self) -> bool {
        self.users.keys().any(|number| self.link.is_alive(Target::Relayed(*number)))
    }

    /// Whether the connection is lost: of no use any more.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// The upkeep of an idle session: reads what is there, and tells the helpers now and then that we are. Never blocks.
    pub fn tend(&mut self) -> Result<(), ConnectionError> {
        let result = self.try_tend();
        self.lost |= result.is_err();
        result
    }

    /// Readable when there is something to tend.
    pub fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        self.link.connection.poll_fd()
    }

    /// For ending what this session does, from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller { flag: Arc::clone(&self.cancelled), waker: self.waker.clone() }
    }

    /// The connection itself.
    pub fn connection(&mut self) -> &mut dyn Connection {
        &mut *self.link.connection
    }

    /// Ends the helpers, and nothing else: what finished tasks left running lives on. Then closes the connection.
    pub fn close(mut self) {
        if !self.lost && self.link.is_alive(Target::Login) {
            for number in self.link.relayed() {
                self.link.message(Target::Relayed(number), &ToHelper::Close);
            }
            self.await_ends(&self.link.relayed(), CLOSE);
            self.link.message(Target::Login, &ToHelper::Close);
            let deadline = Deadline::after(CLOSE);
            while self.link.is_alive(Target::Login) && matches!(self.link.receive(deadline), Ok(Received::Something | Received::Woken)) {}
        }
        self.link.connection.close();
    }

    /// The helper for these requests, started if it does not run.
    pub(super) fn target(&mut self, become_: Option<&Become>) -> Result<Target, RunError> {
        let result = self.try_target(become_);
        self.note(&result);
        result
    }

    /// Waits for what comes next; sends pings meanwhile.
    pub(super) fn receive(&mut self, deadline: Deadline) -> Result<Received, RunError> {
        let until_ping = (self.last_ping + PING).saturating_duration_since(Instant::now());
        let received = self.link.receive(deadline.at_most(until_ping)).map_err(RunError::from);
        self.note(&received);
        if matches!(received, Ok(Received::Timeout)) {
            self.ping();
            if !deadline.is_over() {
                return Ok(Received::Something);
            }
        }
        received
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn try_target(&mut self, become_: Option<&Become>) -> Result<Target, RunError> {
        if self.is_cancelled() {
            return Err(RunError::Cancelled);
        }
        if !self.link.is_alive(Target::Login) {
            self.users.clear();
            start::login(&mut self.link, &self.store, &self.options)?;
            self.last_ping = Instant::now();
        }
        let Some(become_) = become_ else { return Ok(Target::Login) };
        let (link, users) = (&self.link, &mut self.users);
        users.retain(|number, _| link.is_alive(Target::Relayed(*number)));
        if let Some((number, _)) = users.iter().find(|(_, user)| user.become_ == *become_) {
            return Ok(Target::Relayed(*number));
        }
        let number = self.next_helper;
        self.next_helper += 1;
        start::relayed(&mut self.link, number, become_, &self.options)?;
        self.users.insert(number, User { become_: become_.clone() });
        Ok(Target::Relayed(number))
    }

    fn try_tend(&mut self) -> Result<(), ConnectionError> {
        self.link.connection.tend()?;
        self.ping();
        while self.link.is_alive(Target::Login) && self.link.receive(Deadline::after(Duration::ZERO))? == Received::Something {}
        self.link.take_ends();
        Ok(())
    }

    fn ping(&mut self) {
        if self.last_ping.elapsed() >= PING && self.link.is_alive(Target::Login) {
            self.last_ping = Instant::now();
            self.link.message(Target::Login, &ToHelper::Ping { nonce: 0 });
        }
    }

    fn await_ends(&mut self, numbers: &[u32], longest: Duration) {
        let deadline = Deadline::after(longest);
        while numbers.iter().any(|number| self.link.is_alive(Target::Relayed(*number))) {
            match self.receive(deadline) {
                Ok(Received::Something | Received::Woken) => {}
                Ok(Received::Timeout) | Err(_) => return,
            }
        }
    }

    fn note<T>(&mut self, result: &Result<T, RunError>) {
        self.lost |= matches!(result, Err(RunError::Unreachable(_)));
    }
}

//! Who may use a connection: sessions by their resolved connection, taken out while used and given back.
//!
//! A worker holds at most one lease at a time, so waiting for a busy key cannot lock anybody out; the mutex guards the table, never
//! a connection.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::helper::{Canceller, CloseHelpers, Session, SessionOptions, Store};
use crate::transport::{Answer, Connected, ConnectionError, HostKeyQuestion, Plugin, SessionKey, Transport, Waker};

/// Of one address so many connections are open at most.
const MOST_PER_KEY: usize = 8;
/// A helper of another user is closed when its session was not used for so long.
const BECOME_IDLE: Duration = Duration::from_secs(2);

/// All sessions of a run.
pub struct Leases {
    transport: Transport,
    store: Arc<Store>,
    most_local: usize,
    pools: Mutex<Pools>,
    closed: AtomicBool,
}

#[derive(Default)]
struct Pools {
    by_key: HashMap<SessionKey, Pool>,
    busy: HashMap<u64, Busy>,
    next: u64,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Idle>,
    open: usize,
    /// How many wait for one to be given back, and where.
    waiting: usize,
    freed: Arc<Condvar>,
}

struct Idle {
    session: Session,
    since: Instant,
}

/// What ends the work of a session that somebody uses.
enum Busy {
    Connecting(Waker),
    Running(Canceller),
}

/// The right to use a session. Dropping it gives the session back.
pub struct Lease<'l> {
    leases: &'l Leases,
    key: SessionKey,
    session: Option<Session>,
    ticket: u64,
    /// What the user should know about how the connection is made.
    pub notice: Option<String>,
}

impl Leases {
    /// No session is open yet; of the control machine itself as many may be as there are `forks`.
    pub fn new(store: Arc<Store>, forks: usize) -> Self {
        Self { transport: Transport::default(), store, most_local: forks.max(1), pools: Mutex::default(), closed: AtomicBool::new(false) }
    }

    /// A session for `key`: an idle one, a new one, or the next that is given back.
    pub fn take(&self, key: &SessionKey, ask: &dyn Fn(&HostKeyQuestion) -> Answer) -> Result<Lease<'_>, ConnectionError> {
        let most = if key.address().plugin == Plugin::Local { self.most_local } else { MOST_PER_KEY };
        let mut pools = self.lock();
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return Err(ConnectionError::Cancelled);
            }
            let pool = pools.by_key.entry(key.clone()).or_default();
            if let Some(idle) = pool.idle.pop() {
                let ticket = pools.register(Busy::Running(idle.session.canceller()));
                return Ok(Lease { leases: self, key: key.clone(), session: Some(idle.session), ticket, notice: None });
            }
            if pool.open < most {
                pool.open += 1;
                break;
            }
            pool.waiting += 1;
            let freed = Arc::clone(&pool.freed);
            pools = freed.wait(pools).unwrap_or_else(PoisonError::into_inner);
            pools.by_key.entry(key.clone()).or_default().waiting -= 1;
        }
        drop(pools);
        self.open(key, ask).inspect_err(|_| self.count_out(key))
    }

    fn open(&self, key: &SessionKey, ask: &dyn Fn(&HostKeyQuestion) -> Answer) -> Result<Lease<'_>, ConnectionError> {
        let waker = Waker::new()?;
        let ticket = self.lock().register(Busy::Connecting(waker.clone()));
        let connected = self.transport.connect(key, &waker, ask);
        let Connected { connection, notice } = match connected {
            Ok(connected) => connected,
            Err(error) => {
                self.lock().busy.remove(&ticket);
                return Err(error);
            }
        };
        let shell_stays = key.address().plugin == Plugin::OpenSsh || notice.is_some();
        let options = SessionOptions { shell_stays, ..SessionOptions::default() };
        let session = Session::new(connection, Arc::clone(&self.store), options);
        self.lock().busy.insert(ticket, Busy::Running(session.canceller()));
        Ok(Lease { leases: self, key: key.clone(), session: Some(session), ticket, notice: notice.map(|notice| notice.text) })
    }

    /// Ends what runs: nothing new is opened.
    pub fn cancel_all(&self) {
        self.closed.store(true, Ordering::Relaxed);
        let pools = self.lock();
        for busy in pools.busy.values() {
            match busy {
                Busy::Connecting(waker) => waker.wake(),
                Busy::Running(canceller) => canceller.cancel(),
            }
        }
        pools.by_key.values().for_each(|pool| pool.freed.notify_all());
    }

    /// What idle sessions need: their peers are answered, helpers of other users that are not used are closed.
    pub fn tend(&self) {
        let idle: Vec<(SessionKey, Idle)> = {
            let mut pools = self.lock();
            pools
                .by_key
                .iter_mut()
                .flat_map(|(key, pool)| pool.idle.drain(..).map(|idle| (key.clone(), idle)).collect::<Vec<_>>())
                .collect()
        };
        for (key, mut idle) in idle {
            let is_old = idle.since.elapsed() >= BECOME_IDLE;
            if is_old && idle.session.has_become_helpers() {
                idle.session.close_become_helpers(CloseHelpers::NotRoot);
            }
            if idle.session.tend().is_err() || idle.session.is_lost() {
                self.count_out(&key);
            } else {
                let mut pools = self.lock();
                let pool = pools.by_key.entry(key).or_default();
                pool.idle.push(idle);
                pool.tell_waiting();
            }
        }
    }

    /// Closes the idle sessions of a key: `meta: reset_connection`.
    pub fn reset(&self, key: &SessionKey) {
        let idle = match self.lock().by_key.get_mut(key) {
            Some(pool) => {
                pool.open = pool.open.saturating_sub(pool.idle.len());
                std::mem::take(&mut pool.idle)
            }
            None => Vec::new(),
        };
        idle.into_iter().for_each(|idle| idle.session.close());
    }

    /// Closes all idle sessions, side by side.
    pub fn close_all(&self) {
        let sessions: Vec<Session> = {
            let mut pools = self.lock();
            pools.by_key.values_mut().flat_map(|pool| pool.idle.drain(..)).map(|idle| idle.session).collect()
        };
        std::thread::scope(|scope| {
            let chunk = sessions.len().div_ceil(16).max(1);
            let mut sessions = sessions.into_iter();
            loop {
                let some: Vec<Session> = sessions.by_ref().take(chunk).collect();
                if some.is_empty() {
                    break;
                }
                scope.spawn(move || some.into_iter().for_each(Session::close));
            }
        });
    }

    fn count_out(&self, key: &SessionKey) {
        if let Some(pool) = self.lock().by_key.get_mut(key) {
            pool.open = pool.open.saturating_sub(1);
            pool.tell_waiting();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pools> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// Wakes one of those who wait for this key, if there are any.
    fn tell_waiting(&self) {
        if self.waiting > 0 {
            self.freed.notify_one();
        }
    }
}

impl Pools {
    fn register(&mut self, busy: Busy) -> u64 {
        self.next += 1;
        self.busy.insert(self.next, busy);
        self.next
    }
}

impl Lease<'_> {
    /// The session.
    pub fn session(&mut self) -> &mut Session {
        self.session.as_mut().expect("a lease has its session until it is dropped")
    }

    /// Ends the session instead of giving it back.
    pub fn discard(mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let session = self.session.take().filter(|session| !session.is_lost() && !std::thread::panicking());
        let mut pools = self.leases.lock();
        pools.busy.remove(&self.ticket);
        let pool = pools.by_key.entry(self.key.clone()).or_default();
        match session {
            Some(session) => pool.idle.push(Idle { session, since: Instant::now() }),
            None => pool.open = pool.open.saturating_sub(1),
        }
        pool.tell_waiting();
    }
}

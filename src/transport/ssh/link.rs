//! One SSH session on one socket, driven without blocking: every step has our own deadline. The only file that knows how libssh2
//! is waited for.
//!
//! Three traps, all measured: sshd runs with Nagle's algorithm until the first command, so our delayed acknowledgement would stall
//! it for 40 ms (hence `TCP_QUICKACK` before each wait until then); any read drains the socket for *all* channels, so what is queued has to be
//! asked for before sleeping; and a handshake never ends when the banner never comes (hence the look ahead).

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::net::{RecvFlags, recv, sockopt};
use ssh2::{BlockDirections, ErrorCode, Session};

use super::super::child::set_nonblocking;
use super::super::wake::{self, Wait};
use super::super::{ConnectionError, Deadline, Waker};
use super::proxy::ProxyChild;

/// "Would block", in libssh2's words.
const EAGAIN: ErrorCode = ErrorCode::Session(-37);

/// How much may come before the banner.
const BANNER_LIMIT: usize = 8 * 1024;

/// How long to sleep when a look ahead finds nothing new, since poll would say "ready" for what is already there.
const NOTHING_NEW: Duration = Duration::from_millis(5);

/// libssh2 counts whole seconds and sends no keepalive within two of the last.
const SHORTEST: Duration = Duration::from_secs(3);

/// A session and how to wait for it.
pub(super) struct Link {
    pub(super) session: Session,
    /// The same socket as the session's.
    pub(super) socket: Arc<OwnedFd>,
    pub(super) waker: Waker,
    is_tcp: bool,
    /// Whether a command has been started: from there on sshd sends at once.
    pub(super) has_begun: bool,
    /// When something last came.
    heard: Instant,
    /// When we last asked whether the host is there.
    asked: Instant,
    alive: Option<Alive>,
    /// Ends when the link ends.
    proxy: Option<ProxyChild>,
}

/// When a silent host counts as lost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alive {
    pub(super) interval: Duration,
    pub(super) count: u32,
}

impl Link {
    /// A session that has not begun yet. `is_tcp`: not a socket pair.
    pub(super) fn new(socket: OwnedFd, is_tcp: bool, proxy: Option<ProxyChild>, waker: Waker) -> Result<Self, ConnectionError> {
        set_nonblocking(socket.as_fd())?;
        let own = socket.try_clone().map_err(|error| ConnectionError::system("dup", error))?;
        let mut session = Session::new().map_err(|error| broken(&error))?;
        session.set_blocking(false);
        session.set_tcp_stream(socket);
        let now = Instant::now();
        Ok(Self { session, socket: Arc::new(own), waker, is_tcp, has_begun: false, heard: now, asked: now, alive: None, proxy })
    }

    /// Why the proxy command failed, if it did; it has `patience` to end.
    pub(super) fn proxy_failure(&mut self, patience: Duration) -> Option<ConnectionError> {
        self.proxy.as_mut().and_then(|proxy| proxy.failure(patience))
    }

    /// Repeats `step` with the same arguments until it is done.
    pub(super) fn drive<T>(
        &mut self,
        deadline: Deadline,
        during: &str,
        mut step: impl FnMut(&mut Session) -> Result<T, ssh2::Error>,
    ) -> Result<Result<T, ssh2::Error>, ConnectionError> {
        loop {
            match step(&mut self.session) {
                Err(error) if error.code() == EAGAIN => {}
                Err(error) if is_lost(&error) => return Err(broken(&error)),
                other => return Ok(other),
            }
            match self.wait(deadline)? {
                Wait::Ready => {}
                Wait::Timeout => return Err(ConnectionError::timeout(during, deadline)),
                Wait::Woken => return Err(ConnectionError::Cancelled),
            }
        }
    }

    /// Sleeps until the socket is ready in the direction that libssh2 waits for.
    pub(super) fn wait(&mut self, deadline: Deadline) -> Result<Wait, ConnectionError> {
        loop {
            if !self.has_begun {
                self.acknowledge();
            }
            let until = match self.alive {
                Some(alive) => deadline.at_most(alive.interval.saturating_sub(self.asked.elapsed().min(self.heard.elapsed()))),
                None => deadline,
            };
            let direction = self.direction();
            let ready = wake::wait(&[(self.socket.as_fd(), direction)], &self.waker, until)?;
            match ready {
                Wait::Ready if direction == PollFlags::IN => self.heard = Instant::now(),
                Wait::Ready => self.note_answer(),
                Wait::Timeout | Wait::Woken => {}
            }
            if ready == Wait::Timeout && !deadline.is_over() {
                self.ask_if_alive()?;
                continue;
            }
            return Ok(ready);
        }
    }

    /// What to poll the socket for.
    pub(super) fn direction(&self) -> PollFlags {
        match self.session.block_directions() {
            BlockDirections::None | BlockDirections::Inbound => PollFlags::IN,
            BlockDirections::Outbound => PollFlags::OUT,
            BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
        }
    }

    /// Acknowledges at once from here to the next packet.
    pub(super) fn acknowledge(&self) {
        if self.is_tcp {
            let _ = sockopt::set_tcp_quickack(&*self.socket, true);
        }
    }

    /// From now on a silent host is asked whether it is there.
    pub(super) fn keep_alive(&mut self, alive: Alive) {
        let alive = Alive { interval: alive.interval.max(SHORTEST), ..alive };
        self.heard = Instant::now();
        self.asked = self.heard;
        self.session.set_keepalive(true, 1);
        self.alive = Some(alive);
        if self.is_tcp {
            let _ = sockopt::set_tcp_nodelay(&*self.socket, true);
            let limit = alive.interval.saturating_mul(alive.count + 1).as_millis();
            let _ = sockopt::set_tcp_user_timeout(&*self.socket, u32::try_from(limit).unwrap_or(u32::MAX));
        }
    }

    /// Asks a host that has been silent for long, and gives it up after too many questions. Never blocks.
    pub(super) fn ask_if_alive(&mut self) -> Result<(), ConnectionError> {
        let Some(alive) = self.alive else { return Ok(()) };
        let silent = self.heard.elapsed();
        if silent > alive.interval.saturating_mul(alive.count + 1) {
            return Err(ConnectionError::Closed(format!("Timeout, server not responding for {} s", silent.as_secs())));
        }
        if silent >= alive.interval && self.asked.elapsed() >= alive.interval {
            self.asked = Instant::now();
            match self.session.keepalive_send() {
                Err(error) if is_lost(&error) => return Err(broken(&error)),
                Err(_) | Ok(_) => {}
            }
        }
        Ok(())
    }

    /// Notes that the host answers, if something has come.
    pub(super) fn note_answer(&mut self) {
        let mut fds = [PollFd::new(&*self.socket, PollFlags::IN)];
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        if rustix::event::poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0) {
            self.heard = Instant::now();
        }
    }

    /// Waits until the other side shows that it speaks SSH, without taking a byte from libssh2. `Ok(false)`: it closed the
    /// connection without a word, as a busy sshd does.
    pub(super) fn await_banner(&mut self, deadline: Deadline) -> Result<Banner, ConnectionError> {
        let mut bytes = vec![0u8; BANNER_LIMIT];
        let mut before = 0;
        loop {
            let ready = wake::wait(&[(self.socket.as_fd(), PollFlags::IN | PollFlags::RDHUP)], &self.waker, deadline)?;
            match ready {
                Wait::Ready => {}
                Wait::Timeout if before == 0 => {
                    return Err(ConnectionError::timeout("during banner exchange: the host says nothing", deadline));
                }
                Wait::Timeout => return Err(ConnectionError::timeout("during banner exchange: the host says no `SSH-`", deadline)),
                Wait::Woken => return Err(ConnectionError::Cancelled),
            }
            let count = match recv(&*self.socket, &mut *bytes, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
                Ok((count, _)) => count,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
                Err(error) => return Ok(Banner::Closed(std::io::Error::from(error).to_string())),
            };
            let text = &bytes[..count];
            if text.starts_with(b"SSH-") || text.windows(5).any(|window| window == b"\nSSH-") {
                return Ok(Banner::Ssh);
            }
            if count == bytes.len() {
                return Err(ConnectionError::Handshake(format!("no SSH banner in the first {BANNER_LIMIT} bytes: `{}`", shown(text))));
            }
            if count == before {
                let mut hung_up = [PollFd::new(&*self.socket, PollFlags::RDHUP)];
                let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
                let ended = rustix::event::poll(&mut hung_up, Some(&now)).is_ok_and(|ready| ready > 0);
                if ended || count == 0 {
                    return Ok(Banner::Closed(shown(text)));
                }
                std::thread::sleep(NOTHING_NEW);
            }
            before = count;
        }
    }
}

/// What came before the handshake.
pub(super) enum Banner {
    /// The banner is there.
    Ssh,
    /// The connection was closed first; what was said.
    Closed(String),
}

/// The first line of what a host said, fit for a message.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().lines().next().unwrap_or_default().chars().take(200).filter(|character| !character.is_control()).collect()
}

/// Whether the connection itself is gone.
pub(super) fn is_lost(error: &ssh2::Error) -> bool {
    matches!(error.code(), ErrorCode::Session(-4 | -7 | -12 | -13 | -14 | -30 | -43 | -44 | -45))
}

/// Whether the channel takes no more, for the host has closed it or its end was told.
pub(super) fn is_closed(error: &ssh2::Error) -> bool {
    matches!(error.code(), ErrorCode::Session(-26 | -27))
}

/// The error of a connection that is gone.
pub(super) fn broken(error: &ssh2::Error) -> ConnectionError {
    match error.code() {
        ErrorCode::Session(-7 | -13 | -43 | -45) => ConnectionError::Closed("Connection closed by remote host".to_owned()),
        ErrorCode::Session(-30) => ConnectionError::Closed("Connection timed out".to_owned()),
        ErrorCode::Session(code) | ErrorCode::SFTP(code) => {
            ConnectionError::Closed(format!("the connection broke: {} ({code})", error.message()))
        }
    }
}

/// Whether a step just has to be tried again later.
pub(super) fn would_block(error: &ssh2::Error) -> bool {
    error.code() == EAGAIN
}

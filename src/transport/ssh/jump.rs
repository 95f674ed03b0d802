//! `ProxyJump`: one session to the jump host for all hosts behind it, a `direct-tcpip` channel for each, and one thread that moves
//! the bytes between the channels and socket pairs. The thread ends when no host uses it any more.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use ssh2::Channel;

use super::super::ssh_config::{Hop, Proxy, Settings};
use super::super::{Address, ConnectionError, Deadline, Plugin, Waker, wake};
use super::connect::Opener;
use super::host_key::{self, Answer, HostKeyQuestion};
use super::link::{Link, is_lost, would_block};

/// How many bytes of one direction wait in the pump.
const HELD: usize = 256 * 1024;

/// libssh2 opens one channel at a time: when that takes longer than this, the next host gets a session of its own.
const STUCK: Duration = Duration::from_secs(1);

/// How many sessions to one jump host there may be.
const MOST_SESSIONS: usize = 8;

/// How long a pump without tunnels waits for the next host.
const IDLE: Duration = Duration::from_secs(30);

/// The jump hosts of a run.
#[derive(Default)]
pub(super) struct Jumps {
    hosts: Mutex<HashMap<Route, Arc<Mutex<Vec<Pump>>>>>,
}

/// The hosts to go through, and the file that says how.
type Route = (Vec<Hop>, Option<String>);

/// A session to a jump host, seen from those who use it.
struct Pump {
    requests: Sender<Request>,
    waker: Waker,
    opening: Arc<Mutex<Option<Instant>>>,
}

/// Somebody wants to reach a host.
struct Request {
    host: String,
    port: u16,
    answer: Sender<Result<OwnedFd, String>>,
}

impl Jumps {
    /// A connection to the host of `settings` through `hops`.
    pub(super) fn dial(
        &self,
        opener: &Opener,
        hops: &[Hop],
        settings: &Settings,
        waker: &Waker,
        deadline: Deadline,
        ask: &dyn Fn(&HostKeyQuestion) -> Answer,
    ) -> Result<OwnedFd, ConnectionError> {
        let key = (hops.to_vec(), settings.config_file.clone());
        let pumps = Arc::clone(self.hosts.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let name = hops.last().map_or("", |hop| hop.host.as_str()).to_owned();
        loop {
            let (answer, answered) = channel();
            let request = Request { host: settings.hostname.clone(), port: settings.port, answer };
            {
                // Held while the first host connects: all others want the same session.
                let mut pumps = pumps.lock().unwrap_or_else(PoisonError::into_inner);
                hand_in(&mut pumps, request, || connect(opener, hops, settings, waker, ask))?;
            }
            loop {
                match answered.recv_timeout(Duration::from_millis(50)) {
                    Ok(Ok(socket)) => return Ok(socket),
                    Ok(Err(reason)) => return Err(ConnectionError::Proxy { proxy: name, reason }),
                    Err(RecvTimeoutError::Timeout) if deadline.is_over() => {
                        return Err(ConnectionError::timeout(format!("waiting for the jump host `{name}` to connect"), deadline));
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    // The pump ended with our request in its queue: a new one gets it.
                    Err(RecvTimeoutError::Disconnected) if deadline.is_over() => {
                        return Err(ConnectionError::Proxy { proxy: name, reason: "the session to it was lost".to_owned() });
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        }
    }
}

/// Gives `request` to a pump that is not stuck, or to a new one.
fn hand_in(
    pumps: &mut Vec<Pump>,
    mut request: Request,
    connect: impl FnOnce() -> Result<Link, ConnectionError>,
) -> Result<(), ConnectionError> {
    let may_grow = pumps.len() < MOST_SESSIONS;
    let mut at = 0;
    while let Some(pump) = pumps.get(at) {
        let opening = *pump.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if may_grow && opening.is_some_and(|since| since.elapsed() > STUCK) {
            at += 1;
            continue;
        }
        match pump.requests.send(request) {
            Ok(()) => {
                pump.waker.wake();
                return Ok(());
            }
            Err(refused) => {
                request = refused.0;
                pumps.remove(at);
            }
        }
    }
    let pump = Pump::start(connect()?)?;
    let _ = pump.requests.send(request);
    pump.waker.wake();
    pumps.push(pump);
    Ok(())
}

/// A session to the last of `hops`, through those before it.
fn connect(
    opener: &Opener,
    hops: &[Hop],
    settings: &Settings,
    waker: &Waker,
    ask: &dyn Fn(&HostKeyQuestion) -> Answer,
) -> Result<Link, ConnectionError> {
    let Some((last, before)) = hops.split_last() else { return Err(ConnectionError::Config("`ProxyJump` names no host".to_owned())) };
    let mut address = Address::new(Plugin::Ssh, last.host.clone());
    address.user = last.user.clone();
    address.port = last.port;
    // As with `ssh -J`: a jump host takes its settings from the file, not from the arguments for the target.
    address.ssh_args = settings.config_file.as_ref().map(|file| format!("-F {}", super::super::shell::quote(file)));
    address.host_key_policy = settings.host_key_policy;
    address.connect_timeout = settings.connect_timeout;
    address.use_agent = settings.agent.is_some();
    let mut own = opener.config.settings(&address)?;
    if !before.is_empty() {
        own.proxy = Proxy::Jump(before.to_vec());
    }
    if own.proxy == settings.proxy {
        return Err(ConnectionError::Config(format!("the jump host `{}` is to be reached through itself", last.host)));
    }
    let wrap = |error: ConnectionError| match error {
        ConnectionError::Unsupported(_) | ConnectionError::Cancelled | ConnectionError::HostKey(_) => error,
        error => {
            let text = error.to_string();
            let reason = text.strip_prefix("Failed to connect to the host via ssh: ").unwrap_or(&text).to_owned();
            ConnectionError::Proxy { proxy: last.host.clone(), reason }
        }
    };
    if let Some(reason) = own.needs_system {
        return Err(ConnectionError::Unsupported(format!("{reason} for the jump host `{}`", last.host)));
    }
    let keys = host_key::known_keys(&opener.known_hosts, &own)?;
    opener.link(&address, &own, &keys, waker, ask).map_err(wrap)
}

impl Pump {
    fn start(mut link: Link) -> Result<Self, ConnectionError> {
        // The session outlives the connection that it was made for, so its sleep is its own.
        link.waker = Waker::new()?;
        let waker = link.waker.clone();
        let (requests, inbox) = channel();
        let opening = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&opening);
        let run = move || Tunnels { link, inbox, waiting: Vec::new(), tunnels: Vec::new(), opening: shared, closed: false }.run();
        std::thread::Builder::new().name("jump".to_owned()).spawn(run).map_err(|error| ConnectionError::system("thread", error))?;
        Ok(Self { requests, waker, opening })
    }
}

/// The pump's own side.
struct Tunnels {
    link: Link,
    inbox: Receiver<Request>,
    /// In the order in which they came; the first is being opened.
    waiting: Vec<Request>,
    tunnels: Vec<Tunnel>,
    opening: Arc<Mutex<Option<Instant>>>,
    /// Whether nobody can send requests any more.
    closed: bool,
}

/// One host behind the jump host.
struct Tunnel {
    channel: Channel,
    near: UnixStream,
    to_far: Vec<u8>,
    to_near: Vec<u8>,
    near_ended: bool,
    far_ended: bool,
    dead: bool,
}

impl Tunnels {
    fn run(mut self) {
        let mut used = Instant::now();
        let mut scratch = vec![0u8; HELD];
        loop {
            self.take_requests();
            let mut moved = false;
            for tunnel in &mut self.tunnels {
                moved |= tunnel.pump(&self.link, &mut scratch);
            }
            // Last, since each read of a tunnel may take the answer from the socket; what this one takes is asked for below.
            match self.open_next() {
                Ok(opened) => moved |= opened,
                Err(()) => return,
            }
            self.tunnels.retain(|tunnel| !tunnel.dead);
            if !self.tunnels.is_empty() || !self.waiting.is_empty() {
                used = Instant::now();
            } else if self.closed || used.elapsed() > IDLE {
                let _ = self.link.session.disconnect(None, "bye", None);
                return;
            }
            if moved || self.tunnels.iter().any(Tunnel::has_news) {
                continue;
            }
            if self.sleep().is_err() {
                return;
            }
        }
    }

    fn take_requests(&mut self) {
        loop {
            match self.inbox.try_recv() {
                Ok(request) => self.waiting.push(request),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    /// A step of opening the first channel that somebody waits for. `Err`: the session is lost.
    fn open_next(&mut self) -> Result<bool, ()> {
        let Some(request) = self.waiting.first() else { return Ok(false) };
        self.opening.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
        let result = self.link.session.channel_direct_tcpip(&request.host, request.port, None);
        let result = match result {
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) if is_lost(&error) => return Err(()),
            other => other,
        };
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let request = self.waiting.remove(0);
        let answer = match result {
            Ok(channel) => self.tunnel(channel),
            Err(error) => Err(format!("it cannot reach {} port {}: {}", request.host, request.port, error.message())),
        };
        let _ = request.answer.send(answer);
        Ok(true)
    }

    fn tunnel(&mut self, channel: Channel) -> Result<OwnedFd, String> {
        let (near, far) = UnixStream::pair().map_err(|error| error.to_string())?;
        near.set_nonblocking(true).map_err(|error| error.to_string())?;
        let (to_far, to_near) = (Vec::new(), Vec::new());
        self.tunnels.push(Tunnel { channel, near, to_far, to_near, near_ended: false, far_ended: false, dead: false });
        Ok(OwnedFd::from(far))
    }

    fn sleep(&mut self) -> Result<(), ConnectionError> {
        self.link.acknowledge();
        let mut fds = vec![(self.link.socket.as_fd(), self.link.direction())];
        for tunnel in &self.tunnels {
            let mut flags = PollFlags::empty();
            if !tunnel.near_ended && tunnel.to_far.len() < HELD {
                flags |= PollFlags::IN;
            }
            if !tunnel.to_near.is_empty() {
                flags |= PollFlags::OUT;
            }
            if !flags.is_empty() {
                fds.push((tunnel.near.as_fd(), flags));
            }
        }
        wake::wait(&fds, &self.link.waker, Deadline::after(Duration::from_secs(10)))?;
        self.link.note_answer();
        self.link.ask_if_alive()
    }
}

impl Tunnel {
    /// Whether libssh2 holds something that there is room for.
    fn has_news(&self) -> bool {
        !self.far_ended && self.to_near.len() < HELD && (self.channel.read_window().available > 0 || self.channel.eof())
    }

    /// Moves what can be moved; `true` if anything did.
    fn pump(&mut self, link: &Link, scratch: &mut [u8]) -> bool {
        let mut moved = self.read_near(scratch);
        moved |= self.write_far();
        moved |= self.read_far(link, scratch);
        // Reading may have met the jump host's leave to send more, which will not make the socket ready again.
        moved |= self.write_far();
        moved |= self.write_near();
        // Nothing comes from the host any more, and all that came was handed on.
        if self.far_ended && self.to_near.is_empty() {
            self.dead = true;
        }
        moved
    }

    fn read_near(&mut self, scratch: &mut [u8]) -> bool {
        if self.near_ended || self.to_far.len() >= HELD {
            return false;
        }
        match self.near.read(scratch) {
            Ok(0) => self.near_ended = true,
            Ok(count) => self.to_far.extend_from_slice(&scratch[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return false,
            Err(_) => self.dead = true,
        }
        true
    }

    fn write_far(&mut self) -> bool {
        let mut moved = false;
        while !self.to_far.is_empty() {
            match self.channel.write(&self.to_far) {
                Ok(0) => break,
                Ok(count) => {
                    self.to_far.drain(..count);
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.dead = true;
                    break;
                }
            }
        }
        if self.near_ended && self.to_far.is_empty() {
            // The host's connection was dropped here: nobody will read an answer.
            let _ = self.channel.close();
            self.dead = true;
            moved = true;
        }
        moved
    }

    fn read_far(&mut self, link: &Link, scratch: &mut [u8]) -> bool {
        if self.far_ended || self.to_near.len() >= HELD {
            return false;
        }
        match super::read_all(&mut self.channel.stream(0), &mut self.to_near, &link.session, scratch) {
            Ok(moved) => {
                self.far_ended = self.channel.eof();
                moved | self.far_ended
            }
            Err(_) => {
                self.far_ended = true;
                true
            }
        }
    }

    fn write_near(&mut self) -> bool {
        let mut moved = false;
        while !self.to_near.is_empty() {
            match self.near.write(&self.to_near) {
                Ok(count) => {
                    self.to_near.drain(..count);
                    moved = true;
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => break,
                Err(_) => {
                    self.dead = true;
                    break;
                }
            }
        }
        moved
    }
}

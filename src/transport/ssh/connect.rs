//! From an address to an authenticated session: the socket (direct, through a proxy command or a jump host), the handshake, the
//! host's key, who we are. A busy sshd is tried again until the time is over.

use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use ssh2::{ErrorCode, MethodType};

use super::super::known_hosts::{HostKeys, KnownHosts};
use super::super::ssh_config::{ConfigReader, Family, Proxy, Settings};
use super::super::wake::{self, Wait};
use super::super::{Address, ConnectionError, Deadline, HostKeyPolicy, Waker};
use super::auth;
use super::host_key::{self, Answer, HostKeyQuestion};
use super::jump::Jumps;
use super::keys::KeyFiles;
use super::link::{Alive, Banner, Link, broken, is_lost};
use super::watchdog::Watchdog;
use super::{Ssh, proxy};

/// How long a host may take to check who we are: directories and tokens are slow.
const AUTH_TIME: Duration = Duration::from_secs(60);

/// The first pause before a busy host is tried again; each further one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(100);

/// How often a busy host is tried again.
const BUSY_RETRIES: u32 = 7;

/// How long a proxy command that has closed its streams may take to end.
const PROXY_END: Duration = Duration::from_secs(1);

/// What all connections of a run share.
#[derive(Default)]
pub(in super::super) struct Opener {
    pub(in super::super) config: ConfigReader,
    pub(in super::super) known_hosts: KnownHosts,
    keys: KeyFiles,
    jumps: Jumps,
    watchdog: Watchdog,
}

/// What an attempt led to.
pub(in super::super) enum Opened {
    /// An authenticated session.
    Ssh(Box<Ssh>),
    /// Only the system's `ssh` can do it: why.
    NeedsSystem(String),
}

/// Why one attempt failed.
enum Failure {
    /// The host closed the connection before it was ready: it may be busy.
    Busy(ConnectionError),
    Final(ConnectionError),
}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Self {
        Self::Final(error)
    }
}

impl Opener {
    /// Connects to the host of `address` with `settings`.
    pub(in super::super) fn open(
        &self,
        address: &Address,
        settings: &Settings,
        waker: &Waker,
        ask: &dyn Fn(&HostKeyQuestion) -> Answer,
    ) -> Result<Opened, ConnectionError> {
        if let Some(reason) = &settings.needs_system {
            return Ok(Opened::NeedsSystem(reason.clone()));
        }
        let keys = host_key::known_keys(&self.known_hosts, settings)?;
        if keys.has_authority() && settings.host_key_policy != HostKeyPolicy::Ignore {
            return Ok(Opened::NeedsSystem("`@cert-authority` in known_hosts".to_owned()));
        }
        if let Some(path) = self.hardware_key(address, settings) {
            return Ok(Opened::NeedsSystem(format!("the security key `{path}`")));
        }
        match self.link(address, settings, &keys, waker, ask) {
            Ok(link) => Ok(Opened::Ssh(Box::new(Ssh::new(link, settings.environment.clone())))),
            Err(ConnectionError::Unsupported(reason)) => Ok(Opened::NeedsSystem(reason)),
            Err(error) => Err(error),
        }
    }

    /// An authenticated session, for a host or for a jump host.
    pub(super) fn link(
        &self,
        address: &Address,
        settings: &Settings,
        keys: &HostKeys,
        waker: &Waker,
        ask: &dyn Fn(&HostKeyQuestion) -> Answer,
    ) -> Result<Link, ConnectionError> {
        let deadline = Deadline::after(settings.connect_timeout);
        let mut pause = BACK_OFF;
        let mut link = None;
        for attempt in 0..=BUSY_RETRIES {
            match self.shake_hands(settings, keys, waker, deadline, ask) {
                Ok(ready) => {
                    link = Some(ready);
                    break;
                }
                Err(Failure::Busy(error)) if attempt == BUSY_RETRIES || deadline.left().is_some_and(|left| left < pause) => {
                    return Err(error);
                }
                Err(Failure::Busy(_)) => {}
                Err(Failure::Final(error)) => return Err(error),
            }
            if wake::wait(&[], waker, Deadline::after(jittered(pause)))? == Wait::Woken {
                return Err(ConnectionError::Cancelled);
            }
            pause *= 2;
        }
        let mut link = link.expect("the last attempt returns either way");
        host_key::check(&link.session, keys, &self.known_hosts, settings, ask)?;
        auth::authenticate(&mut link, address, settings, &self.keys, Deadline::after(AUTH_TIME.max(settings.connect_timeout)))?;
        link.keep_alive(Alive { interval: settings.alive_interval, count: settings.alive_count });
        Ok(link)
    }

    /// A session whose keys are exchanged.
    fn shake_hands(
        &self,
        settings: &Settings,
        keys: &HostKeys,
        waker: &Waker,
        deadline: Deadline,
        ask: &dyn Fn(&HostKeyQuestion) -> Answer,
    ) -> Result<Link, Failure> {
        let (socket, is_tcp, proxy) = match &settings.proxy {
            Proxy::None => (dial(settings, waker, deadline)?, true, None),
            Proxy::Command(command) => {
                let (socket, child) = proxy::start(command)?;
                (socket, false, Some(child))
            }
            Proxy::Jump(hops) => (self.jumps.dial(self, hops, settings, waker, deadline, ask)?, false, None),
        };
        let mut link = Link::new(socket, is_tcp, proxy, waker.clone())?;
        match link.await_banner(deadline) {
            Ok(Banner::Ssh) => {}
            Ok(Banner::Closed(said)) => {
                let said = if said.is_empty() { String::new() } else { format!(", it said `{said}`") };
                let closed = format!("kex_exchange_identification: Connection closed by remote host{said}");
                return Err(link.blame_proxy(Failure::Busy(ConnectionError::Closed(closed)), PROXY_END));
            }
            Err(error) => return Err(link.blame_proxy(Failure::Final(error), Duration::ZERO)),
        }
        link.session.set_compress(settings.compression);
        host_key::prefer_known(&link.session, keys, settings)?;
        choose_algorithms(&link, settings)?;
        // libssh2 may read on for ever from a host that never stops talking: then the socket is cut under it.
        let guard = self.watchdog.guard(&link.socket, deadline);
        let result = link.drive(deadline, "during the SSH handshake", |session| session.handshake());
        drop(guard);
        match result {
            Ok(Ok(())) => Ok(link),
            Err(ConnectionError::Closed(_)) if deadline.is_over() => {
                Err(ConnectionError::timeout("during the SSH handshake", deadline).into())
            }
            Err(error @ ConnectionError::Closed(_)) => Err(Failure::Busy(error)),
            Err(error) => Err(error.into()),
            Ok(Err(error)) => Err(handshake_failed(&error).into()),
        }
    }

    /// A chosen key that only OpenSSH can use.
    fn hardware_key(&self, address: &Address, settings: &Settings) -> Option<String> {
        let mut files = address.private_key_file.iter().chain(settings.identity_files.iter().filter(|_| settings.identity_files_chosen));
        files.find(|path| self.keys.read(path).is_ok_and(|key| key.is_hardware())).map(|path| path.display().to_string())
    }
}

fn choose_algorithms(link: &Link, settings: &Settings) -> Result<(), ConnectionError> {
    let algorithms = &settings.algorithms;
    let lists = [
        (&[MethodType::Kex][..], &algorithms.kex),
        (&[MethodType::CryptCs, MethodType::CryptSc][..], &algorithms.ciphers),
        (&[MethodType::MacCs, MethodType::MacSc][..], &algorithms.macs),
    ];
    for (kinds, list) in lists {
        let Some(list) = list else { continue };
        for kind in kinds {
            let unsupported = |_| ConnectionError::Unsupported(format!("the algorithms `{list}`"));
            link.session.method_pref(*kind, list).map_err(unsupported)?;
        }
    }
    Ok(())
}

fn handshake_failed(error: &ssh2::Error) -> ConnectionError {
    match error.code() {
        // The system's ssh knows more algorithms than libssh2; if it fails too, its message is the better one.
        ErrorCode::Session(-5 | -8) => {
            ConnectionError::Unsupported(format!("a host with which libssh2 finds no common algorithm ({})", error.message()))
        }
        ErrorCode::Session(code) | ErrorCode::SFTP(code) if !is_lost(error) => {
            ConnectionError::Handshake(format!("the SSH handshake failed: {} ({code})", error.message()))
        }
        ErrorCode::Session(_) | ErrorCode::SFTP(_) => broken(error),
    }
}

/// So that fifty connections which were refused together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0u8; 1];
    let _ = rustix::rand::getrandom(&mut byte, rustix::rand::GetRandomFlags::empty());
    pause.mul_f64(0.5 + f64::from(byte[0]) / 256.0)
}

/// A TCP connection to the first address that answers.
fn dial(settings: &Settings, waker: &Waker, deadline: Deadline) -> Result<OwnedFd, ConnectionError> {
    let (host, port) = (settings.hostname.as_str(), settings.port);
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| ConnectionError::Resolve { host: host.to_owned(), reason: resolver_words(&error) })?
        .filter(|address| match settings.family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        })
        .collect();
    let mut failure = ConnectionError::Resolve { host: host.to_owned(), reason: "no address of the wanted family".to_owned() };
    for (index, address) in addresses.iter().enumerate() {
        // An address that drops everything must leave time for the next.
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.left().map_or(deadline, |left| deadline.at_most(left / others));
        match dial_one(*address, settings, waker, share) {
            Ok(socket) => return Ok(socket),
            Err(ConnectionError::Cancelled) => return Err(ConnectionError::Cancelled),
            Err(error) => failure = error,
        }
    }
    if matches!(failure, ConnectionError::Timeout { .. }) {
        failure = ConnectionError::timeout(format!("connecting to host {host} port {port}: Connection timed out"), deadline);
    }
    Err(failure)
}

fn dial_one(address: SocketAddr, settings: &Settings, waker: &Waker, deadline: Deadline) -> Result<OwnedFd, ConnectionError> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        rustix::net::socket_with(family, SocketType::STREAM, flags, None).map_err(|error| ConnectionError::system("socket", error))?;
    if let Some(bind) = &settings.bind_address {
        let wrong = |error: std::io::Error| ConnectionError::Config(format!("`BindAddress {bind}`: {error}"));
        let own = (bind.as_str(), 0).to_socket_addrs().map_err(wrong)?.find(|own| own.is_ipv4() == address.is_ipv4());
        let own = own.ok_or_else(|| ConnectionError::Config(format!("`BindAddress {bind}` has no address of the host's family")))?;
        rustix::net::bind(&socket, &own).map_err(|error| wrong(error.into()))?;
    }
    let failed = |error: rustix::io::Errno| unreachable_host(settings, error);
    match rustix::net::connect(&socket, &address) {
        Ok(()) => return Ok(socket),
        Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => {}
        Err(error) => return Err(failed(error)),
    }
    use std::os::fd::AsFd;
    match wake::wait(&[(socket.as_fd(), PollFlags::OUT)], waker, deadline)? {
        Wait::Ready => {}
        Wait::Timeout => return Err(ConnectionError::timeout("connecting", deadline)),
        Wait::Woken => return Err(ConnectionError::Cancelled),
    }
    match sockopt::socket_error(&socket).map_err(|error| ConnectionError::system("getsockopt", error))? {
        Ok(()) => Ok(OwnedFd::from(TcpStream::from(socket))),
        Err(error) => Err(failed(error)),
    }
}

fn unreachable_host(settings: &Settings, error: rustix::io::Errno) -> ConnectionError {
    let (host, port) = (settings.hostname.clone(), settings.port);
    match error {
        rustix::io::Errno::CONNREFUSED => ConnectionError::Refused { host, port },
        error => {
            let text = std::io::Error::from(error).to_string();
            let reason = text.split(" (os error").next().unwrap_or_default().to_owned();
            ConnectionError::NoRoute { host, port, reason }
        }
    }
}

/// What the resolver said, without what Rust puts around it.
fn resolver_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
}

impl Link {
    /// If the proxy command failed, that is the reason; it has `patience` to end.
    fn blame_proxy(&mut self, failure: Failure, patience: Duration) -> Failure {
        match self.proxy_failure(patience) {
            Some(error) => Failure::Final(error),
            None => failure,
        }
    }
}

//! SSH in this process. The session and all its channels have one owner, the [`Ssh`]; nothing blocks but the waits in `link`.

mod auth;
mod connect;
mod host_key;
mod jump;
mod keys;
mod link;
mod proxy;
mod sign;
mod watchdog;

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use ssh2::{Channel, Session};

use super::stream::{self, Buffers, Engine};
use super::wake::{self, Wait};
use super::{Connection, ConnectionError, Deadline, Exit, ReadEvent, StreamId, Waker};
pub(super) use connect::{Opened, Opener};
pub use host_key::{Answer, HostKeyQuestion};
use link::{Link, broken, is_closed, is_lost, would_block};

/// How much is read at a time.
const SLICE: usize = 64 * 1024;

/// The most that one write hands to libssh2: each becomes packets of 32 KiB.
const WRITE: usize = 1024 * 1024;

/// How often in a row there may be news that nothing takes.
const STALLS: u32 = 8;

/// The pause after that.
const STALL: Duration = Duration::from_millis(5);

/// A connection that is authenticated.
pub(super) struct Ssh {
    link: Link,
    environment: Vec<(String, String)>,
    streams: BTreeMap<StreamId, Stream>,
    next: u64,
    /// A channel that has no command yet.
    spare: Option<Channel>,
    /// How often in a row something was there and nothing moved.
    stalls: u32,
    /// Whether something may have come that libssh2 was not asked for: asking costs a system call for each of its streams.
    is_fresh: bool,
    /// Where output is read to first.
    scratch: Vec<u8>,
    /// Once the connection is lost, every call says so.
    lost: Option<String>,
}

struct Stream {
    channel: Channel,
    buffers: Buffers,
    eof_sent: bool,
    /// Whether all output has come, so that only the exit code is missing.
    ended: bool,
}

impl Ssh {
    fn new(link: Link, environment: Vec<(String, String)>) -> Self {
        Self {
            link,
            environment,
            streams: BTreeMap::new(),
            next: 0,
            spare: None,
            stalls: 0,
            is_fresh: true,
            scratch: vec![0; SLICE],
            lost: None,
        }
    }

    fn stream(&mut self, stream: StreamId) -> Result<&mut Stream, ConnectionError> {
        self.streams.get_mut(&stream).ok_or_else(|| ConnectionError::Closed("the stream was closed".to_owned()))
    }

    fn check_lost(&self) -> Result<(), ConnectionError> {
        self.lost.as_ref().map_or(Ok(()), |reason| Err(ConnectionError::Closed(reason.clone())))
    }

    /// Remembers a loss.
    fn note<T>(&mut self, result: Result<T, ConnectionError>) -> Result<T, ConnectionError> {
        if let Err(ConnectionError::Closed(reason)) = &result {
            self.lost.get_or_insert_with(|| reason.clone());
        }
        result
    }

    fn start(&mut self, command: &str, deadline: Deadline) -> Result<Channel, ConnectionError> {
        let refused = |error: ssh2::Error| ConnectionError::Spawn(error.message().to_owned());
        let mut channel = match self.spare.take() {
            Some(channel) => channel,
            None => self.link.drive(deadline, "opening a channel", |session| session.channel_session())?.map_err(refused)?,
        };
        for (name, value) in &self.environment {
            // sshd takes only what its `AcceptEnv` lists; the rest is refused and that is no failure, as with OpenSSH.
            let _ = self.link.drive(deadline, "setting the environment", |_| channel.setenv(name, value))?;
        }
        self.link.drive(deadline, "starting the command", |_| channel.exec(command))?.map_err(refused)?;
        self.link.has_begun = true;
        Ok(channel)
    }
}

impl Connection for Ssh {
    fn spawn(&mut self, command: &str, deadline: Deadline) -> Result<StreamId, ConnectionError> {
        self.check_lost()?;
        let started = self.start(command, deadline);
        let channel = self.note(started)?;
        let id = StreamId(self.next);
        self.next += 1;
        self.streams.insert(id, Stream { channel, buffers: Buffers::default(), eof_sent: false, ended: false });
        Ok(id)
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8]) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.buffers.queue(bytes);
        }
    }

    fn end_input(&mut self, stream: StreamId) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.buffers.input_ended = true;
        }
    }

    fn unsent(&self, stream: StreamId) -> usize {
        self.streams.get(&stream).map_or(0, |stream| stream.buffers.unsent())
    }

    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, deadline: Deadline) -> Result<ReadEvent, ConnectionError> {
        let result = stream::read(self, stream, into, deadline);
        self.note(result)
    }

    fn flush(&mut self, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError> {
        let result = stream::flush(self, stream, deadline);
        self.note(result)
    }

    fn close_stream(&mut self, stream: StreamId) {
        if let Some(mut stream) = self.streams.remove(&stream) {
            // Only the first step of a farewell: the answer is never waited for.
            let _ = stream.channel.send_eof();
        }
    }

    fn tend(&mut self) -> Result<(), ConnectionError> {
        self.check_lost()?;
        self.link.note_answer();
        self.is_fresh = true;
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        for id in &ids {
            let pumped = self.pump(*id);
            self.note(pumped)?;
        }
        if ids.is_empty() {
            let read = self.read_idle();
            self.note(read)?;
        }
        let asked = self.link.ask_if_alive();
        self.note(asked)
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.link.socket.as_fd())
    }

    fn waker(&self) -> Waker {
        self.link.waker.clone()
    }

    fn close(mut self: Box<Self>) {
        for stream in self.streams.values_mut() {
            let _ = stream.channel.send_eof();
        }
        self.streams.clear();
        let _ = self.link.session.disconnect(None, "bye", None);
    }
}

impl Engine for Ssh {
    fn buffers(&mut self, stream: StreamId) -> Result<&mut Buffers, ConnectionError> {
        Ok(&mut self.stream(stream)?.buffers)
    }

    fn pump(&mut self, id: StreamId) -> Result<bool, ConnectionError> {
        self.check_lost()?;
        let mut moved = false;
        let is_fresh = std::mem::take(&mut self.is_fresh);
        for (other, stream) in &mut self.streams {
            // Others are only written: nobody waits for what they say.
            if *other == id {
                moved |= stream.pump(&self.link.session, &mut self.scratch, is_fresh)?;
            } else if stream.buffers.exit.is_none() {
                stream.write(&self.link.session)?;
            }
        }
        if moved {
            self.stalls = 0;
        }
        Ok(moved)
    }

    fn wait(&mut self, id: StreamId, deadline: Deadline) -> Result<Wait, ConnectionError> {
        // What libssh2 has queued while it served another stream will not make the socket ready again.
        if self.stream(id)?.has_news() {
            self.stalls += 1;
            if self.stalls > STALLS {
                // A host may send what no stream of ours takes: that must not keep us busy.
                return wake::wait(&[], &self.link.waker, deadline.at_most(STALL)).map(|woken| match woken {
                    Wait::Timeout if !deadline.is_over() => Wait::Ready,
                    other => other,
                });
            }
            return Ok(if deadline.is_over() { Wait::Timeout } else { Wait::Ready });
        }
        self.stalls = 0;
        self.is_fresh = true;
        self.link.wait(deadline)
    }
}

impl Ssh {
    /// Reads what came although no command runs. Only a channel makes libssh2 read, so one is opened for the next command.
    fn read_idle(&mut self) -> Result<(), ConnectionError> {
        if let Some(spare) = &mut self.spare {
            let mut nothing = Vec::new();
            return read_all(&mut spare.stream(0), &mut nothing, &self.link.session, &mut self.scratch).map(drop);
        }
        match self.link.session.channel_session() {
            Ok(channel) => self.spare = Some(channel),
            // The host's answer is met by the next call, whichever it is.
            Err(error) if would_block(&error) => {}
            Err(error) if is_lost(&error) => return Err(broken(&error)),
            Err(_) => {}
        }
        Ok(())
    }
}

impl Stream {
    /// Whether libssh2 holds something for this stream.
    fn has_news(&self) -> bool {
        !self.ended && self.buffers.has_space() && (self.has_queued() || self.channel.eof())
    }

    /// Whether something waits within libssh2: of any of the command's streams.
    fn has_queued(&self) -> bool {
        self.channel.read_window().available > 0
    }

    fn pump(&mut self, session: &Session, scratch: &mut [u8], is_fresh: bool) -> Result<bool, ConnectionError> {
        if self.buffers.exit.is_some() {
            return Ok(false);
        }
        let mut moved = self.write(session)?;
        if (is_fresh || self.has_news()) && self.buffers.has_space() && !self.ended {
            moved |= read_all(&mut self.channel.stream(0), &mut self.buffers.stdout, session, scratch)?;
            if self.has_queued() {
                moved |= read_all(&mut self.channel.stderr(), &mut self.buffers.stderr, session, scratch)?;
            }
            self.ended = self.channel.eof();
            // Reading may have met the host's leave to send more, which will not make the socket ready again.
            moved |= self.write(session)?;
        }
        if self.ended {
            moved |= self.finish()?;
        }
        Ok(moved)
    }

    fn write(&mut self, session: &Session) -> Result<bool, ConnectionError> {
        let mut moved = false;
        while self.buffers.unsent() > 0 {
            let front = self.buffers.front();
            match self.channel.write(&front[..front.len().min(WRITE)]) {
                Ok(0) => break,
                Ok(count) => {
                    self.buffers.advance(count);
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(moved),
                Err(error) => match ssh2::Error::last_session_error(session) {
                    // The command reads no more, as `head` does not: how it ends will tell.
                    Some(error) if is_closed(&error) => self.buffers.discard(),
                    Some(error) => return Err(broken(&error)),
                    None => return Err(ConnectionError::Closed(format!("the connection broke: {error}"))),
                },
            }
        }
        if self.buffers.input_ended && !self.eof_sent && self.buffers.unsent() == 0 {
            match self.channel.send_eof() {
                Err(error) if would_block(&error) => {}
                Err(error) if is_lost(&error) => return Err(broken(&error)),
                Err(_) | Ok(()) => self.eof_sent = true,
            }
        }
        Ok(moved)
    }

    /// Takes the exit code, once the host has closed the channel.
    fn finish(&mut self) -> Result<bool, ConnectionError> {
        match self.channel.wait_close() {
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) if is_lost(&error) => return Err(broken(&error)),
            Err(_) | Ok(()) => {}
        }
        // After a signal the status says 0: the signal is asked for first.
        let signal = self.channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        self.buffers.exit = Some(match signal {
            Some(name) => Exit::Signal(name),
            None => Exit::Code(self.channel.exit_status().unwrap_or(0)),
        });
        self.buffers.discard();
        Ok(true)
    }
}

/// Reads until nothing is left or the caller has enough for now; `true` if something came.
fn read_all(stream: &mut ssh2::Stream, into: &mut Vec<u8>, session: &Session, scratch: &mut [u8]) -> Result<bool, ConnectionError> {
    let mut moved = false;
    for _ in 0..16 {
        match stream.read(scratch) {
            // Not the end: that is what `eof` tells.
            Ok(0) => break,
            Ok(count) => {
                into.extend_from_slice(&scratch[..count]);
                moved = true;
                // libssh2 takes in all that has come before it copies, so less than was asked for is all that there is.
                if count < scratch.len() {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            // The code is in the session, not in the error of `Read`.
            Err(error) => match ssh2::Error::last_session_error(session) {
                Some(error) if is_lost(&error) => return Err(broken(&error)),
                Some(_) | None => return Err(ConnectionError::Closed(format!("the connection broke: {error}"))),
            },
        }
    }
    Ok(moved)
}

//! What goes out: frames from several threads, one after the other, urgent ones first. A sender of data waits while much is
//! queued; the reader's thread sends urgent frames only and never waits, so a full pipe cannot stop it from reading.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use driftless_wire::{CHUNK, Frame, FromHelper};
use rustix::io::Errno;

/// A sender of data waits while so many bytes are queued.
const LIMIT: usize = 1 << 20;

/// The stream to the controller is broken.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

/// The queues and the descriptor behind them.
pub struct Outbox {
    state: Mutex<State>,
    changed: Condvar,
    fd: OwnedFd,
}

#[derive(Default)]
struct State {
    urgent: VecDeque<Vec<u8>>,
    data: VecDeque<Vec<u8>>,
    queued: usize,
    /// Whether somebody is writing; the lock is not held meanwhile.
    busy: bool,
    gone: bool,
    next_stream: u32,
}

impl Outbox {
    /// Writes to `fd`.
    pub fn new(fd: OwnedFd) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), fd }
    }

    /// Sends bytes of whole frames; waits while much is queued.
    pub fn send(&self, bytes: Vec<u8>) -> Result<(), Gone> {
        let mut state = self.lock();
        while state.queued > LIMIT && !state.gone {
            state = self.wait(state);
        }
        if state.gone {
            return Err(Gone);
        }
        if state.busy || state.queued > 0 || !state.urgent.is_empty() {
            state.queued += bytes.len();
            state.data.push_back(bytes);
            self.changed.notify_all();
            return Ok(());
        }
        // Nobody writes and nothing waits: no need to wake the writer.
        state.busy = true;
        drop(state);
        let result = write_all(&self.fd, &bytes);
        self.written(result)
    }

    /// Sends a message.
    pub fn message(&self, message: &FromHelper) -> Result<(), Gone> {
        let mut bytes = Vec::new();
        Frame::encode_message(&message.to_text(), &mut bytes);
        self.send(bytes)
    }

    /// Sends a message ahead of all data, without waiting.
    pub fn urgent(&self, message: &FromHelper) {
        let mut bytes = Vec::new();
        Frame::encode_message(&message.to_text(), &mut bytes);
        self.lock().urgent.push_back(bytes);
        self.changed.notify_all();
    }

    /// Sends all of `content` as a stream and answers its number.
    pub fn stream(&self, content: &mut dyn std::io::Read) -> Result<Result<u32, std::io::Error>, Gone> {
        let stream = {
            let mut state = self.lock();
            state.next_stream += 1;
            state.next_stream
        };
        let mut piece = vec![0; CHUNK];
        let result = loop {
            match content.read(&mut piece) {
                Ok(0) => break Ok(stream),
                Ok(count) => {
                    let mut bytes = Vec::with_capacity(count + 16);
                    Frame::encode_chunk(stream, &piece[..count], &mut bytes);
                    self.send(bytes)?;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        let mut bytes = Vec::new();
        Frame::End(stream).encode(&mut bytes);
        self.send(bytes)?;
        Ok(result)
    }

    /// Writes what is queued until the stream breaks: the writer's thread.
    pub fn run(&self) {
        let mut state = self.lock();
        loop {
            if state.gone {
                return;
            }
            if state.busy || (state.urgent.is_empty() && state.data.is_empty()) {
                state = self.wait(state);
                continue;
            }
            let bytes = next(&mut state);
            state.busy = true;
            drop(state);
            let result = write_all(&self.fd, &bytes);
            if self.written(result).is_err() {
                return;
            }
            state = self.lock();
        }
    }

    /// Waits until all that was sent has left, or the stream is broken.
    pub fn flush(&self) {
        let mut state = self.lock();
        while !state.gone && (state.busy || !state.urgent.is_empty() || !state.data.is_empty()) {
            state = self.wait(state);
        }
    }

    fn written(&self, result: Result<(), Gone>) -> Result<(), Gone> {
        let mut state = self.lock();
        state.busy = false;
        state.gone |= result.is_err();
        self.changed.notify_all();
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

/// All urgent frames, or else some data: small frames are joined, since each write is a packet.
fn next(state: &mut State) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(frame) = state.urgent.pop_front() {
        bytes.extend_from_slice(&frame);
    }
    while bytes.len() < CHUNK
        && let Some(frame) = state.data.pop_front()
    {
        state.queued -= frame.len();
        if bytes.is_empty() {
            bytes = frame;
        } else {
            bytes.extend_from_slice(&frame);
        }
    }
    bytes
}

/// Writes all of `bytes`.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> Result<(), Gone> {
    while !bytes.is_empty() {
        match rustix::io::write(&fd, bytes) {
            Ok(0) => return Err(Gone),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_for_room(&fd),
            Err(_) => return Err(Gone),
        }
    }
    Ok(())
}

/// The descriptor is somebody else's too, who made it nonblocking.
fn wait_for_room(fd: impl AsFd) {
    use rustix::event::{PollFd, PollFlags, poll};
    let _ = poll(&mut [PollFd::new(&fd, PollFlags::OUT)], None);
}

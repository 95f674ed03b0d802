//! The buffers of one command's streams, and the reading loop that every connection shares.

use super::wake::Wait;
use super::{ConnectionError, Deadline, Exit, HELD, ROOM, ReadEvent, StreamId};

/// What waits on our side of one command's streams.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    outgoing: Vec<u8>,
    /// How many bytes of `outgoing` have left.
    gone: usize,
    /// Whether more than [`ROOM`] was queued since the last [`ReadEvent::Room`].
    crowded: bool,
    /// Whether nothing more will be queued.
    pub(super) input_ended: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) exit: Option<Exit>,
}

impl Buffers {
    pub(super) fn queue(&mut self, bytes: &[u8]) {
        self.outgoing.extend_from_slice(bytes);
        self.crowded |= self.unsent() > ROOM;
    }

    pub(super) fn unsent(&self) -> usize {
        self.outgoing.len() - self.gone
    }

    /// The bytes to write next.
    pub(super) fn front(&self) -> &[u8] {
        &self.outgoing[self.gone..]
    }

    /// Notes that `count` bytes have left.
    pub(super) fn advance(&mut self, count: usize) {
        self.gone += count;
        if self.gone == self.outgoing.len() {
            self.outgoing.clear();
            self.gone = 0;
        } else if self.gone > 2 * ROOM {
            self.outgoing.drain(..self.gone);
            self.gone = 0;
        }
    }

    /// Nobody reads our bytes any more.
    pub(super) fn discard(&mut self) {
        self.outgoing.clear();
        self.gone = 0;
    }

    /// Whether more output may be taken in.
    pub(super) fn has_space(&self) -> bool {
        self.stdout.len() + self.stderr.len() < HELD
    }

    /// What can be told without waiting.
    fn take(&mut self, into: &mut Vec<u8>) -> Option<ReadEvent> {
        if !self.stdout.is_empty() {
            return Some(ReadEvent::Stdout(hand_over(&mut self.stdout, into)));
        }
        if !self.stderr.is_empty() {
            return Some(ReadEvent::Stderr(hand_over(&mut self.stderr, into)));
        }
        if let Some(exit) = &self.exit {
            return Some(ReadEvent::Exit(exit.clone()));
        }
        if self.crowded && self.unsent() <= ROOM {
            self.crowded = false;
            return Some(ReadEvent::Room);
        }
        None
    }
}

fn hand_over(from: &mut Vec<u8>, into: &mut Vec<u8>) -> usize {
    let count = from.len();
    into.append(from);
    count
}

/// What a connection does for the shared loop.
pub(super) trait Engine {
    /// The buffers of a stream.
    fn buffers(&mut self, stream: StreamId) -> Result<&mut Buffers, ConnectionError>;

    /// Moves what can be moved without blocking, both ways. `true` if anything moved.
    fn pump(&mut self, stream: StreamId) -> Result<bool, ConnectionError>;

    /// Sleeps until [`Engine::pump`] may get on.
    fn wait(&mut self, stream: StreamId, deadline: Deadline) -> Result<Wait, ConnectionError>;
}

/// [`super::Connection::read`] for every engine.
pub(super) fn read(
    engine: &mut impl Engine,
    stream: StreamId,
    into: &mut Vec<u8>,
    deadline: Deadline,
) -> Result<ReadEvent, ConnectionError> {
    loop {
        let moved = match engine.pump(stream) {
            Ok(moved) => moved,
            // What came before the loss is given first.
            Err(error) => return engine.buffers(stream).ok().and_then(|buffers| buffers.take(into)).ok_or(error),
        };
        if let Some(event) = engine.buffers(stream)?.take(into) {
            return Ok(event);
        }
        if moved && !deadline.is_over() {
            continue;
        }
        match engine.wait(stream, deadline)? {
            Wait::Ready => {}
            Wait::Timeout => return Ok(ReadEvent::Timeout),
            Wait::Woken => return Ok(ReadEvent::Woken),
        }
    }
}

/// [`super::Connection::flush`] for every engine.
pub(super) fn flush(engine: &mut impl Engine, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError> {
    loop {
        let moved = engine.pump(stream)?;
        let buffers = engine.buffers(stream)?;
        if buffers.unsent() == 0 || buffers.exit.is_some() {
            return Ok(());
        }
        if moved && !deadline.is_over() {
            continue;
        }
        match engine.wait(stream, deadline)? {
            Wait::Ready => {}
            Wait::Timeout => return Err(ConnectionError::timeout("sending data", deadline)),
            Wait::Woken => return Err(ConnectionError::Cancelled),
        }
    }
}

//! A connection whose host is a script of the test: it answers what it is told to, and remembers what it was sent.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::BorrowedFd;

use super::{Connection, ConnectionError, Deadline, Exit, ReadEvent, StreamId, Waker};

/// What the host of a [`Mock`] does next on a stream.
#[derive(Debug)]
pub enum Step {
    /// It writes this to standard output.
    Stdout(Vec<u8>),
    /// It writes this to standard error.
    Stderr(Vec<u8>),
    /// It reads at least so many bytes in total before it goes on; until then, a read times out.
    Expect(usize),
    /// The command ends.
    Exit(Exit),
    /// The transport is lost.
    Lose,
}

/// One command that the host knows.
#[derive(Debug)]
struct Script {
    steps: VecDeque<Step>,
    sent: Vec<u8>,
    ended: bool,
    exit: Option<Exit>,
}

/// A scripted host.
#[derive(Debug)]
pub struct Mock {
    scripts: VecDeque<Vec<Step>>,
    streams: BTreeMap<StreamId, Script>,
    /// The command lines that were started, in order.
    pub commands: Vec<String>,
    waker: Waker,
}

impl Mock {
    /// A host that answers its first command by the first script, the second by the second; further ones are refused.
    pub fn new(scripts: impl IntoIterator<Item = Vec<Step>>) -> Result<Self, ConnectionError> {
        Ok(Self { scripts: scripts.into_iter().collect(), streams: BTreeMap::new(), commands: Vec::new(), waker: Waker::new()? })
    }

    /// All that the stream was sent.
    pub fn sent(&self, stream: StreamId) -> &[u8] {
        self.streams.get(&stream).map_or(&[], |script| &script.sent)
    }
}

impl Connection for Mock {
    fn spawn(&mut self, command: &str, _deadline: Deadline) -> Result<StreamId, ConnectionError> {
        let steps = self.scripts.pop_front().ok_or_else(|| ConnectionError::Spawn(format!("no script for `{command}`")))?;
        let id = StreamId(self.commands.len() as u64);
        self.commands.push(command.to_owned());
        self.streams.insert(id, Script { steps: steps.into(), sent: Vec::new(), ended: false, exit: None });
        Ok(id)
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8]) {
        if let Some(script) = self.streams.get_mut(&stream) {
            script.sent.extend_from_slice(bytes);
        }
    }

    fn end_input(&mut self, stream: StreamId) {
        if let Some(script) = self.streams.get_mut(&stream) {
            script.ended = true;
        }
    }

    fn unsent(&self, _stream: StreamId) -> usize {
        0
    }

    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, _deadline: Deadline) -> Result<ReadEvent, ConnectionError> {
        if self.waker.take() {
            return Ok(ReadEvent::Woken);
        }
        let closed = || ConnectionError::Closed("the connection was lost".to_owned());
        let script = self.streams.get_mut(&stream).ok_or_else(closed)?;
        if let Some(exit) = &script.exit {
            return Ok(ReadEvent::Exit(exit.clone()));
        }
        while matches!(script.steps.front(), Some(Step::Expect(count)) if *count <= script.sent.len() || script.ended) {
            script.steps.pop_front();
        }
        if matches!(script.steps.front(), None | Some(Step::Expect(_))) {
            return Ok(ReadEvent::Timeout);
        }
        match script.steps.pop_front() {
            Some(Step::Stdout(bytes)) => {
                into.extend_from_slice(&bytes);
                Ok(ReadEvent::Stdout(bytes.len()))
            }
            Some(Step::Stderr(bytes)) => {
                into.extend_from_slice(&bytes);
                Ok(ReadEvent::Stderr(bytes.len()))
            }
            Some(Step::Exit(exit)) => {
                script.exit = Some(exit.clone());
                Ok(ReadEvent::Exit(exit))
            }
            Some(Step::Lose) => {
                script.steps.push_front(Step::Lose);
                Err(closed())
            }
            Some(Step::Expect(_)) | None => Ok(ReadEvent::Timeout),
        }
    }

    fn flush(&mut self, _stream: StreamId, _deadline: Deadline) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn close_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    fn tend(&mut self) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn close(self: Box<Self>) {}
}

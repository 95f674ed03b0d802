//! The contents that go with a request, read as they come over the wire, and those that the module sends back.

use std::io::{self, Read};
use std::sync::Arc;

use driftless_wire::{Content, FromHelper, WINDOW};

use super::Shared;
use crate::host::{Cancel, Contents, Sink};

/// The contents of one request.
pub struct Incoming {
    shared: Arc<Shared>,
    contents: Vec<Content>,
    opened: Vec<bool>,
    cancel: Arc<Cancel>,
}

impl Incoming {
    /// Those that the request announced.
    pub fn new(shared: &Arc<Shared>, contents: &[Content], cancel: &Arc<Cancel>) -> Self {
        Self { shared: Arc::clone(shared), contents: contents.to_vec(), opened: vec![false; contents.len()], cancel: Arc::clone(cancel) }
    }
}

impl Contents for Incoming {
    fn open(&mut self, index: usize) -> io::Result<Box<dyn Read + '_>> {
        let Some(content) = self.contents.get(index).cloned() else {
            return Err(io::Error::other(format!("the request has {} contents, number {index} was wanted", self.contents.len())));
        };
        if std::mem::replace(&mut self.opened[index], true) {
            return Err(io::Error::other(format!("content {index} was read before")));
        }
        if !content.inline {
            let pull = FromHelper::Pull { stream: content.stream };
            self.shared.outbox.message(&pull).map_err(|_| gone())?;
        }
        Ok(Box::new(Reading {
            shared: &self.shared,
            cancel: &self.cancel,
            content,
            piece: Vec::new(),
            start: 0,
            consumed: 0,
            ended: false,
        }))
    }
}

/// A content that is being read.
struct Reading<'a> {
    shared: &'a Shared,
    cancel: &'a Cancel,
    content: Content,
    piece: Vec<u8>,
    start: usize,
    /// What the controller was not told of yet.
    consumed: usize,
    ended: bool,
}

impl Read for Reading<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.start == self.piece.len() && !self.ended {
            self.acknowledge()?;
            match self.shared.inbox.take(self.content.stream, &|| self.cancel.is_cancelled()) {
                Ok(Some(piece)) => {
                    self.consumed += piece.len();
                    self.piece = piece;
                    self.start = 0;
                }
                Ok(None) => self.ended = true,
                Err(message) => return Err(io::Error::other(message)),
            }
        }
        let rest = &self.piece[self.start..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.start += count;
        Ok(count)
    }
}

impl Reading<'_> {
    fn acknowledge(&mut self) -> io::Result<()> {
        if self.content.inline || self.consumed < WINDOW / 4 {
            return Ok(());
        }
        let consumed = FromHelper::Consumed { stream: self.content.stream, bytes: self.consumed as u64 };
        self.consumed = 0;
        self.shared.outbox.message(&consumed).map_err(|_| gone())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.ended && !self.content.inline {
            // A controller that is gone sends no more anyway.
            let _ = self.shared.outbox.message(&FromHelper::Enough { stream: self.content.stream });
        }
    }
}

/// The contents of one result, by the numbers of their streams.
pub struct Outgoing {
    shared: Arc<Shared>,
    streams: Arc<std::sync::Mutex<Vec<u32>>>,
}

impl Outgoing {
    /// Puts the numbers into `streams`.
    pub fn new(shared: &Arc<Shared>, streams: &Arc<std::sync::Mutex<Vec<u32>>>) -> Self {
        Self { shared: Arc::clone(shared), streams: Arc::clone(streams) }
    }
}

impl Sink for Outgoing {
    fn send(&mut self, content: &mut dyn Read) -> io::Result<usize> {
        let stream = self.shared.outbox.stream(content).map_err(|_| gone())??;
        let mut streams = self.streams.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        streams.push(stream);
        Ok(streams.len() - 1)
    }
}

fn gone() -> io::Error {
    io::Error::other("the controller is gone")
}

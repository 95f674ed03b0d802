//! Contents that go to a helper: with their request when small, in pieces as the module reads them when large.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use driftless_wire::{CHUNK, Frame, INLINE_LIMIT, ToHelper, WINDOW};

use super::request::{Content, RunError};

/// A content, opened or read.
pub(super) enum Prepared {
    /// Goes along.
    Inline(Arc<[u8]>),
    /// Waits to be asked for.
    Waiting(Content, u64),
}

impl Prepared {
    /// Looks at a content. Small files are read here.
    pub(super) fn of(content: &Content) -> Result<Self, RunError> {
        let path = match content {
            Content::Bytes(bytes) if bytes.len() <= INLINE_LIMIT => return Ok(Self::Inline(Arc::clone(bytes))),
            Content::Bytes(bytes) => return Ok(Self::Waiting(content.clone(), bytes.len() as u64)),
            Content::File(path) => path,
        };
        let read = || -> io::Result<Self> {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            if size > INLINE_LIMIT as u64 {
                return Ok(Self::Waiting(content.clone(), size));
            }
            let mut bytes = Vec::new();
            // It may have grown since.
            file.take(INLINE_LIMIT as u64 + 1).read_to_end(&mut bytes)?;
            if bytes.len() > INLINE_LIMIT { Ok(Self::Waiting(content.clone(), bytes.len() as u64)) } else { Ok(Self::Inline(bytes.into())) }
        };
        read().map_err(|error| RunError::Content { path: path.clone(), cause: Arc::new(error) })
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Waiting(_, size) => *size,
        }
    }
}

/// A large content that a helper may ask for.
pub(super) struct Sending {
    pub(super) stream: u32,
    content: Content,
    source: Option<Box<dyn Read + Send>>,
    /// How many bytes may be sent.
    window: usize,
    done: bool,
}

impl Sending {
    pub(super) fn new(stream: u32, content: Content) -> Self {
        Self { stream, content, source: None, window: WINDOW, done: false }
    }

    /// It was asked for.
    pub(super) fn open(&mut self, out: &mut Vec<u8>) {
        let source: io::Result<Box<dyn Read + Send>> = match &self.content {
            Content::Bytes(bytes) => Ok(Box::new(io::Cursor::new(Arc::clone(bytes)))),
            Content::File(path) => File::open(path).map(|file| Box::new(file) as Box<dyn Read + Send>),
        };
        match source {
            Ok(source) => {
                self.source = Some(source);
                self.advance(out);
            }
            Err(error) => self.fail(&error, out),
        }
    }

    /// So much of it was consumed.
    pub(super) fn consumed(&mut self, bytes: u64, out: &mut Vec<u8>) {
        let room = WINDOW.saturating_sub(self.window);
        self.window += usize::try_from(bytes).unwrap_or(usize::MAX).min(room);
        self.advance(out);
    }

    /// No more is wanted.
    pub(super) fn stop(&mut self) {
        self.source = None;
        self.done = true;
    }

    /// The frames that may be sent now.
    fn advance(&mut self, out: &mut Vec<u8>) {
        let mut piece = vec![0; CHUNK];
        while self.window > 0 && !self.done {
            let Some(source) = &mut self.source else { return };
            let room = self.window.min(CHUNK);
            match source.read(&mut piece[..room]) {
                Ok(0) => {
                    Frame::End(self.stream).encode(out);
                    self.stop();
                }
                Ok(count) => {
                    Frame::encode_chunk(self.stream, &piece[..count], out);
                    self.window -= count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.fail(&error, out),
            }
        }
    }

    fn fail(&mut self, error: &io::Error, out: &mut Vec<u8>) {
        let path = match &self.content {
            Content::File(path) => path.clone(),
            Content::Bytes(_) => PathBuf::new(),
        };
        let message = format!("could not read `{}` on the control machine: {error}", path.display());
        Frame::encode_message(&ToHelper::PullFailed { stream: self.stream, message }.to_text(), out);
        self.stop();
    }
}

//! What came in: the requests that wait, and the streams that go with them. The reader's thread fills it and never waits; the
//! worker takes from it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use driftless_wire::{Body, Run};

/// How the stream from the controller ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The controller said so: what waits is still run.
    Closed,
    /// It is gone: nothing more is run.
    Lost,
}

/// A request as the worker gets it.
pub struct Taken {
    /// The request.
    pub run: Run,
    /// It was cancelled before it began.
    pub cancelled: bool,
}

/// Requests and streams.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Run>,
    cancelled: HashSet<u64>,
    streams: HashMap<u32, Stream>,
    end: Option<End>,
}

#[derive(Default)]
struct Stream {
    chunks: VecDeque<Vec<u8>>,
    ended: bool,
    failed: Option<String>,
}

impl Inbox {
    /// A request that waits for its turn.
    pub fn add(&self, run: Run) {
        let mut state = self.lock();
        let streams = run.contents.iter().map(|content| content.stream).chain(body_stream(&run.args));
        for stream in streams {
            state.streams.insert(stream, Stream::default());
        }
        state.waiting.push_back(run);
        self.changed.notify_all();
    }

    /// Notes that a request is not wanted any more. `true`: it still waits for its turn.
    pub fn cancel(&self, id: u64) -> bool {
        let mut state = self.lock();
        let waits = state.waiting.iter().any(|run| run.id == id);
        if waits {
            state.cancelled.insert(id);
        }
        waits
    }

    /// The next request; `None` at the end. Waits.
    pub fn next(&self) -> Option<Taken> {
        let mut state = self.lock();
        loop {
            if state.end == Some(End::Lost) {
                return None;
            }
            if let Some(run) = state.waiting.pop_front() {
                let cancelled = state.cancelled.remove(&run.id);
                return Some(Taken { run, cancelled });
            }
            if state.end.is_some() {
                return None;
            }
            state = self.wait(state);
        }
    }

    /// A request is done with: what comes of its streams from now on is dropped.
    pub fn forget(&self, run: &Run) {
        let mut state = self.lock();
        for stream in run.contents.iter().map(|content| content.stream).chain(body_stream(&run.args)) {
            state.streams.remove(&stream);
        }
    }

    /// Bytes of a stream. Those that nobody waits for are dropped.
    pub fn chunk(&self, stream: u32, bytes: Vec<u8>) {
        self.with(stream, |stream| stream.chunks.push_back(bytes));
    }

    /// A stream is complete.
    pub fn stream_end(&self, stream: u32) {
        self.with(stream, |stream| stream.ended = true);
    }

    /// A stream will not come.
    pub fn stream_failed(&self, stream: u32, message: String) {
        self.with(stream, |stream| stream.failed = Some(message));
    }

    /// The next bytes of a stream; `None` at its end. Waits.
    pub fn take(&self, number: u32, stop: &dyn Fn() -> bool) -> Result<Option<Vec<u8>>, String> {
        let mut state = self.lock();
        loop {
            let Some(stream) = state.streams.get_mut(&number) else { return Err(format!("there is no stream {number}")) };
            if let Some(bytes) = stream.chunks.pop_front() {
                return Ok(Some(bytes));
            }
            if let Some(message) = &stream.failed {
                return Err(message.clone());
            }
            if stream.ended {
                return Ok(None);
            }
            if state.end.is_some() || stop() {
                return Err("the content did not come".to_owned());
            }
            state = self.wait(state);
        }
    }

    /// The stream from the controller has ended.
    pub fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end != Some(End::Lost) {
            state.end = Some(end);
        }
        self.changed.notify_all();
    }

    /// Whether the controller said that it is over.
    pub fn is_closed(&self) -> bool {
        self.lock().end == Some(End::Closed)
    }

    /// Wakes who waits in [`Inbox::take`], to ask `stop` again.
    pub fn nudge(&self) {
        let _state = self.lock();
        self.changed.notify_all();
    }

    fn with(&self, number: u32, change: impl FnOnce(&mut Stream)) {
        let mut state = self.lock();
        if let Some(stream) = state.streams.get_mut(&number) {
            change(stream);
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

fn body_stream(body: &Body) -> Option<u32> {
    match body {
        Body::Inline(_) => None,
        Body::Stream(stream) => Some(*stream),
    }
}

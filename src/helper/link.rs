//! Frames over a connection: the login helper's own stream, and within it those of the helpers that it relays to.

use std::collections::{BTreeMap, VecDeque};

use driftless_wire::{BecomeFailure, CHUNK, Decoder, Frame, FromHelper, HelperEnd, ToHelper, WINDOW};

use crate::transport::{Connection, ConnectionError, Deadline, Exit, ReadEvent, StreamId};

/// Whom a frame is for or from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// The helper that the connection reaches.
    Login,
    /// One that it relays to.
    Relayed(u32),
}

/// What a helper said, or what became of it.
#[derive(Debug)]
pub(super) enum Event {
    Message(FromHelper),
    Chunk(u32, Vec<u8>),
    End(u32),
    /// The program that changes the user let us in.
    Started,
    /// It did not.
    BecomeFailed(BecomeFailure),
    /// The helper has ended.
    Gone {
        end: HelperEnd,
        stderr: String,
    },
    /// It wrote what is no frame or no message; it was let go.
    Garbage(String),
}

/// What a read came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Something,
    Timeout,
    Woken,
}

/// The most that is kept of what a helper writes to stderr.
const STDERR: usize = 4096;

/// Events that nobody asked for pile up no further than this.
const EVENTS: usize = 10_000;

pub(super) struct Link {
    pub(super) connection: Box<dyn Connection>,
    pub(super) stream: Option<StreamId>,
    decoder: Decoder,
    stderr: Vec<u8>,
    relayed: BTreeMap<u32, Relayed>,
    events: VecDeque<(Target, Event)>,
    bytes: Vec<u8>,
}

/// The stream of a relayed helper.
#[derive(Default)]
struct Relayed {
    decoder: Decoder,
    /// Waits for credit.
    backlog: VecDeque<u8>,
    /// How many bytes may be sent.
    credit: usize,
    /// How many bytes came that were not acknowledged.
    unacknowledged: usize,
}

impl Link {
    pub(super) fn new(connection: Box<dyn Connection>) -> Self {
        Self {
            connection,
            stream: None,
            decoder: Decoder::new(),
            stderr: Vec::new(),
            relayed: BTreeMap::new(),
            events: VecDeque::new(),
            bytes: Vec::new(),
        }
    }

    /// The login helper runs on `stream`; `rest` came after its marker.
    pub(super) fn begin(&mut self, stream: StreamId, rest: &[u8]) {
        self.stream = Some(stream);
        self.decoder = Decoder::new();
        self.relayed.clear();
        self.events.clear();
        self.stderr.clear();
        self.decoder.feed(rest);
        self.decode_login();
    }

    /// A relayed helper is being started.
    pub(super) fn expect(&mut self, helper: u32) {
        self.relayed.insert(helper, Relayed { credit: WINDOW, ..Relayed::default() });
    }

    /// Whether the helper may still answer.
    pub(super) fn is_alive(&self, target: Target) -> bool {
        match target {
            Target::Login => self.stream.is_some(),
            Target::Relayed(helper) => self.relayed.contains_key(&helper),
        }
    }

    /// The relayed helpers.
    pub(super) fn relayed(&self) -> Vec<u32> {
        self.relayed.keys().copied().collect()
    }

    /// Queues bytes of whole frames.
    pub(super) fn send(&mut self, target: Target, bytes: &[u8]) {
        match target {
            Target::Login => {
                if let Some(stream) = self.stream {
                    self.connection.send(stream, bytes);
                }
            }
            Target::Relayed(helper) => {
                if let Some(relayed) = self.relayed.get_mut(&helper) {
                    relayed.backlog.extend(bytes);
                }
                self.forward(helper);
            }
        }
    }

    /// Queues a message.
    pub(super) fn message(&mut self, target: Target, message: &ToHelper) {
        let mut bytes = Vec::new();
        Frame::encode_message(&message.to_text(), &mut bytes);
        self.send(target, &bytes);
    }

    /// How many bytes wait to leave.
    pub(super) fn unsent(&self, target: Target) -> usize {
        let own = self.stream.map_or(0, |stream| self.connection.unsent(stream));
        match target {
            Target::Login => own,
            Target::Relayed(helper) => own + self.relayed.get(&helper).map_or(0, |relayed| relayed.backlog.len()),
        }
    }

    /// Whether `target` said something that was not yet dealt with.
    pub(super) fn has_event(&self, target: Target) -> bool {
        self.events.iter().any(|(from, _)| *from == target)
    }

    /// What was said and not yet dealt with: the first by `target`. What others said meanwhile of themselves stays.
    pub(super) fn take(&mut self, target: Target) -> Option<Event> {
        let index = self.events.iter().position(|(from, _)| *from == target)?;
        self.events.remove(index).map(|(_, event)| event)
    }

    /// Drops what was said by helpers that nobody listens to, save that they ended.
    pub(super) fn drop_chatter(&mut self, target: Target) {
        self.events.retain(|(from, event)| *from == target || matches!(event, Event::Gone { .. } | Event::Garbage(_)));
    }

    /// The ends of helpers that were noticed since the last time.
    pub(super) fn take_ends(&mut self) -> Vec<Target> {
        let mut ends = Vec::new();
        self.events.retain(|(from, event)| {
            let is_end = matches!(event, Event::Gone { .. } | Event::Garbage(_));
            if is_end {
                ends.push(*from);
            }
            !is_end
        });
        ends
    }

    /// Waits for what comes next, sending meanwhile.
    pub(super) fn receive(&mut self, deadline: Deadline) -> Result<Received, ConnectionError> {
        let Some(stream) = self.stream else { return Ok(Received::Something) };
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let event = self.connection.read(stream, &mut bytes, deadline);
        let received = match event {
            Ok(ReadEvent::Stdout(_)) => {
                self.decoder.feed(&bytes);
                self.decode_login();
                Ok(Received::Something)
            }
            Ok(ReadEvent::Stderr(_)) => {
                self.stderr.extend_from_slice(&bytes);
                let excess = self.stderr.len().saturating_sub(STDERR);
                self.stderr.drain(..excess);
                Ok(Received::Something)
            }
            Ok(ReadEvent::Room) => Ok(Received::Something),
            Ok(ReadEvent::Exit(exit)) => {
                let stderr = String::from_utf8_lossy(&self.stderr).trim().to_owned();
                self.all_end(|| Event::Gone { end: end_of(&exit), stderr: stderr.clone() });
                Ok(Received::Something)
            }
            Ok(ReadEvent::Timeout) => Ok(Received::Timeout),
            Ok(ReadEvent::Woken) => Ok(Received::Woken),
            Err(error) => {
                self.stream = None;
                self.relayed.clear();
                Err(error)
            }
        };
        self.bytes = bytes;
        received
    }

    /// Lets go of a helper that does not follow the protocol or does not end: its input closes.
    pub(super) fn let_go(&mut self, target: Target) {
        match target {
            Target::Login => {
                if let Some(stream) = self.stream.take() {
                    self.connection.close_stream(stream);
                }
                self.relayed.clear();
            }
            Target::Relayed(helper) => {
                if self.relayed.remove(&helper).is_some() {
                    self.message(Target::Login, &ToHelper::KillHelper { helper });
                }
            }
        }
    }

    fn decode_login(&mut self) {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => {
                    if let Err(why) = self.hear_login(frame) {
                        return self.login_garbage(why);
                    }
                }
                Ok(None) => return,
                Err(error) => return self.login_garbage(error.to_string()),
            }
        }
    }

    fn hear_login(&mut self, frame: Frame) -> Result<(), String> {
        match frame {
            Frame::Message(text) => self.hear_login_message(FromHelper::from_text(&text)?),
            Frame::Chunk(stream, bytes) => self.push(Target::Login, Event::Chunk(stream, bytes)),
            Frame::End(stream) => self.push(Target::Login, Event::End(stream)),
            Frame::Relay(helper, bytes) => self.hear_relayed(helper, &bytes),
        }
        Ok(())
    }

    fn hear_login_message(&mut self, message: FromHelper) {
        match message {
            FromHelper::HelperStarted { helper } => self.push_relayed(helper, Event::Started),
            FromHelper::BecomeFailed { helper, failure } => {
                self.push_relayed(helper, Event::BecomeFailed(failure));
                self.relayed.remove(&helper);
            }
            FromHelper::HelperGone { helper, end, stderr } => {
                self.push_relayed(helper, Event::Gone { end, stderr });
                self.relayed.remove(&helper);
            }
            FromHelper::Credit { helper, bytes } => {
                if let Some(relayed) = self.relayed.get_mut(&helper) {
                    relayed.credit = relayed.credit.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)).min(WINDOW);
                }
                self.forward(helper);
            }
            FromHelper::Pong { .. } => {}
            other => self.push(Target::Login, Event::Message(other)),
        }
    }

    fn hear_relayed(&mut self, helper: u32, bytes: &[u8]) {
        // Of a helper that was let go, something may still be on its way.
        let Some(relayed) = self.relayed.get_mut(&helper) else { return };
        relayed.decoder.feed(bytes);
        relayed.unacknowledged += bytes.len();
        let acknowledge = if relayed.unacknowledged >= WINDOW / 4 { std::mem::take(&mut relayed.unacknowledged) } else { 0 };
        let mut events = Vec::new();
        let garbage = loop {
            match relayed.decoder.next_frame() {
                Ok(Some(frame)) => match read_relayed(frame) {
                    Ok(event) => events.extend(event),
                    Err(why) => break Some(why),
                },
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        events.into_iter().for_each(|event| self.push(Target::Relayed(helper), event));
        if let Some(why) = garbage {
            self.push(Target::Relayed(helper), Event::Garbage(why));
            self.let_go(Target::Relayed(helper));
        } else if acknowledge > 0 {
            self.message(Target::Login, &ToHelper::Credit { helper, bytes: acknowledge as u64 });
        }
    }

    /// Sends on what waits for a relayed helper, as far as its credit goes.
    fn forward(&mut self, helper: u32) {
        let (Some(relayed), Some(stream)) = (self.relayed.get_mut(&helper), self.stream) else { return };
        let mut frames = Vec::new();
        while relayed.credit > 0 && !relayed.backlog.is_empty() {
            let count = relayed.backlog.len().min(relayed.credit).min(CHUNK);
            let piece: Vec<u8> = relayed.backlog.drain(..count).collect();
            relayed.credit -= count;
            Frame::encode_relay(helper, &piece, &mut frames);
        }
        if !frames.is_empty() {
            self.connection.send(stream, &frames);
        }
    }

    fn login_garbage(&mut self, why: String) {
        if let Some(stream) = self.stream {
            self.connection.close_stream(stream);
        }
        self.all_end(|| Event::Garbage(why.clone()));
    }

    fn all_end(&mut self, event: impl Fn() -> Event) {
        self.stream = None;
        for helper in self.relayed() {
            self.events.push_back((Target::Relayed(helper), event()));
        }
        self.relayed.clear();
        self.events.push_back((Target::Login, event()));
    }

    fn push(&mut self, target: Target, event: Event) {
        if self.events.len() < EVENTS {
            self.events.push_back((target, event));
        }
    }

    /// Of helpers that we know.
    fn push_relayed(&mut self, helper: u32, event: Event) {
        if self.relayed.contains_key(&helper) {
            self.push(Target::Relayed(helper), event);
        }
    }
}

/// What a relayed helper may say. It relays to none itself.
fn read_relayed(frame: Frame) -> Result<Option<Event>, String> {
    Ok(match frame {
        Frame::Message(text) => match FromHelper::from_text(&text)? {
            FromHelper::Pong { .. } | FromHelper::Credit { .. } => None,
            FromHelper::HelperStarted { .. } | FromHelper::HelperGone { .. } | FromHelper::BecomeFailed { .. } => {
                return Err("a relayed helper spoke of helpers of its own".to_owned());
            }
            message => Some(Event::Message(message)),
        },
        Frame::Chunk(stream, bytes) => Some(Event::Chunk(stream, bytes)),
        Frame::End(stream) => Some(Event::End(stream)),
        Frame::Relay(..) => return Err("a relayed helper wanted to relay".to_owned()),
    })
}

/// Shells that stay between us and the helper give its signal as 128 and its number.
fn end_of(exit: &Exit) -> HelperEnd {
    match exit {
        Exit::Code(code) if driftless_wire::signal_name(*code - 128).is_some() => HelperEnd::Signal(*code - 128),
        Exit::Code(code) => HelperEnd::Exit(*code),
        Exit::Signal(_) => HelperEnd::Signal(exit.code() - 128),
    }
}

//! Many requests on their way at once, replies in order. The helper runs them one at a time, so the window only hides the way.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use driftless_wire::{
    AsyncJob, BODY_LIMIT, Body, CHUNK, DEPTH_LIMIT, Frame, FromHelper, HelperEnd, Json, Outcome, Run, RunEnd, TOTAL_LIMIT, ToHelper,
};

use super::link::{Event, Received, Target};
use super::request::{Reply, Request, RunError};
use super::sending::{Prepared, Sending};
use super::session::Session;
use super::spool::Spool;
use crate::transport::{Become, Deadline};

/// How many requests are on their way at most.
const REQUESTS: usize = 32;

/// No further request is sent while so many bytes wait to leave.
const UNSENT: usize = 256 << 10;

/// How long a helper gets to answer a cancelled request: TERM, 3 s, KILL, and the way back.
const CANCEL: Duration = Duration::from_secs(8);

/// How many streams a helper may have open at once.
const STREAMS: usize = 64;

/// See [`Session::run`].
pub(super) fn run(
    session: &mut Session,
    become_: Option<&Become>,
    requests: &mut dyn Iterator<Item = Request>,
    each: &mut dyn FnMut(usize, Result<Reply, RunError>) -> ControlFlow<()>,
) {
    let mut window = Window { session, become_, pending: VecDeque::new(), spools: BTreeMap::new(), target: None, hopeless: None, next: 0 };
    let mut requests = requests.fuse();
    let mut more = true;
    loop {
        while more && window.has_room() {
            match requests.next() {
                Some(request) => window.add(request),
                None => more = false,
            }
        }
        while let Some((index, result)) = window.take_first() {
            if each(index, result).is_break() {
                window.abandon();
                return;
            }
        }
        if window.pending.is_empty() {
            if more {
                continue;
            }
            return;
        }
        window.wait();
    }
}

struct Window<'a> {
    session: &'a mut Session,
    become_: Option<&'a Become>,
    /// In the order they were asked.
    pending: VecDeque<Pending>,
    /// Streams that come.
    spools: BTreeMap<u32, Spool>,
    target: Option<Target>,
    /// Why no helper can be had: then all that follow fail at once.
    hopeless: Option<RunError>,
    next: usize,
}

struct Pending {
    index: usize,
    request: Request,
    id: u64,
    sending: Vec<Sending>,
    /// Since when its turn has come.
    since: Option<Instant>,
    cancelled: Option<(Instant, Cause)>,
    result: Option<Result<Reply, RunError>>,
}

/// Why a request was cancelled.
#[derive(Clone, Copy)]
enum Cause {
    Timeout(Duration),
    Elsewhere,
}

impl Cause {
    fn error(self) -> RunError {
        match self {
            Self::Timeout(limit) => RunError::Timeout(limit),
            Self::Elsewhere => RunError::Cancelled,
        }
    }
}

impl Window<'_> {
    fn has_room(&self) -> bool {
        let unsent = self.target.map_or(0, |target| self.session.link.unsent(target));
        self.pending.len() < REQUESTS && unsent < UNSENT
    }

    fn add(&mut self, request: Request) {
        let index = self.next;
        self.next += 1;
        let pending = Pending { index, request, id: 0, sending: Vec::new(), since: None, cancelled: None, result: None };
        self.pending.push_back(pending);
        self.send(self.pending.len() - 1);
    }

    /// Sends the pending request at this place, or settles it where that cannot be.
    fn send(&mut self, place: usize) {
        if let Err(error) = self.try_send(place) {
            self.pending[place].result = Some(Err(error));
        }
    }

    fn try_send(&mut self, place: usize) -> Result<(), RunError> {
        if let Some(error) = &self.hopeless {
            return Err(error.clone());
        }
        let request = self.pending[place].request.clone();
        let prepared = request.contents.iter().map(Prepared::of).collect::<Result<Vec<_>, _>>()?;
        let target = self.target()?;
        let mut frames = Vec::new();
        let (run, sending) = self.compose(request, prepared, &mut frames)?;
        let pending = &mut self.pending[place];
        pending.id = run;
        pending.sending = sending;
        self.session.link.send(target, &frames);
        Ok(())
    }

    /// The helper, started if need be.
    fn target(&mut self) -> Result<Target, RunError> {
        if let Some(target) = self.target.filter(|target| self.session.link.is_alive(*target)) {
            return Ok(target);
        }
        let target = self.session.target(self.become_).inspect_err(|error| self.hopeless = Some(error.clone()))?;
        self.session.link.drop_chatter(target);
        self.spools.clear();
        self.target = Some(target);
        Ok(target)
    }

    /// The frames of a request: itself, long arguments, small contents.
    fn compose(&mut self, request: Request, prepared: Vec<Prepared>, frames: &mut Vec<u8>) -> Result<(u64, Vec<Sending>), RunError> {
        let id = self.session.next_id;
        self.session.next_id += 1;
        let first = self.session.next_stream;
        let numbers: Vec<u32> = (first..).take(prepared.len() + 1).collect();
        self.session.next_stream = first + u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        let contents = prepared.iter().zip(&numbers).map(|(content, stream)| driftless_wire::Content {
            stream: *stream,
            size: content.size(),
            inline: matches!(content, Prepared::Inline(_)),
        });
        if driftless_wire::is_deeper(&request.args, DEPTH_LIMIT) {
            let problem = format!("are nested deeper than {DEPTH_LIMIT} levels");
            return Err(RunError::Arguments { module: request.module, problem });
        }
        let mut message = ToHelper::Run(Box::new(Run {
            id,
            module: request.module,
            args: Body::Inline(request.args),
            secrets: request.secrets,
            check: request.check,
            diff: request.diff,
            environment: request.environment,
            async_job: request.async_job.map(|job| AsyncJob { seconds: job.seconds, id: format!("j{}", job_number(id)), dir: job.dir }),
            contents: contents.collect(),
            group: None,
        }));
        let mut text = message.to_text();
        let mut long_args = None;
        if text.len() > BODY_LIMIT
            && let ToHelper::Run(run) = &mut message
            && let Body::Inline(args) = &run.args
        {
            let args = serde_json::to_vec(args).expect("arguments have text keys only");
            if args.len() > TOTAL_LIMIT {
                let problem = format!("have {} bytes, at most {TOTAL_LIMIT} can be sent", args.len());
                return Err(RunError::Arguments { module: run.module.clone(), problem });
            }
            let stream = numbers[numbers.len() - 1];
            run.args = Body::Stream(stream);
            text = message.to_text();
            long_args = Some((stream, args));
        }
        Frame::encode_message(&text, frames);
        if let Some((stream, args)) = long_args {
            encode_stream(stream, &args, frames);
        }
        let mut sending = Vec::new();
        for (prepared, stream) in prepared.into_iter().zip(numbers) {
            match prepared {
                Prepared::Inline(bytes) => encode_stream(stream, &bytes, frames),
                Prepared::Waiting(content, _) => sending.push(Sending::new(stream, content)),
            }
        }
        Ok((id, sending))
    }

    /// The first request, if its reply is there.
    fn take_first(&mut self) -> Option<(usize, Result<Reply, RunError>)> {
        self.pending.front()?.result.as_ref()?;
        let pending = self.pending.pop_front()?;
        pending.result.map(|result| (pending.index, result))
    }

    /// Waits for one thing and deals with it.
    fn wait(&mut self) {
        if self.session.is_cancelled() {
            self.cancel_all();
        }
        let deadline = self.deadline();
        // What a helper said before it was asked came with its beginning and waits already.
        let is_there = self.target.is_some_and(|target| self.session.link.has_event(target));
        match if is_there { Ok(Received::Something) } else { self.session.receive(deadline) } {
            Ok(Received::Something | Received::Woken) => {}
            Ok(Received::Timeout) => self.overdue(),
            Err(error) => return self.lose(&error),
        }
        let Some(target) = self.target else { return };
        while let Some(event) = self.session.link.take(target) {
            if let Err(error) = self.hear(target, event) {
                return self.restart(&error);
            }
        }
        if !self.session.link.is_alive(target) {
            self.restart(&RunError::HelperGone { end: HelperEnd::Exit(255), stderr: String::new() });
        }
    }

    /// The first request without a reply is the one that runs.
    fn running(&mut self) -> Option<&mut Pending> {
        self.pending.iter_mut().find(|pending| pending.result.is_none())
    }

    fn deadline(&mut self) -> Deadline {
        let Some(running) = self.running() else { return Deadline::never() };
        let since = *running.since.get_or_insert_with(Instant::now);
        match (running.cancelled, running.request.timeout) {
            (Some((at, _)), _) => Deadline::from(at + CANCEL),
            (None, Some(timeout)) => since.checked_add(timeout).map_or_else(Deadline::never, Deadline::from),
            (None, None) => Deadline::never(),
        }
    }

    /// The request that runs takes too long: it is cancelled, and if that does not help, its helper is let go.
    fn overdue(&mut self) {
        let Some(target) = self.target else { return };
        let Some(running) = self.running() else { return };
        match (running.cancelled, running.request.timeout) {
            (Some((_, cause)), _) => {
                self.session.link.let_go(target);
                self.restart(&cause.error());
            }
            (None, Some(timeout)) => {
                running.cancelled = Some((Instant::now(), Cause::Timeout(timeout)));
                let id = running.id;
                self.session.link.message(target, &ToHelper::Cancel { id });
            }
            (None, None) => {}
        }
    }

    /// Cancels all that are on their way.
    fn cancel_all(&mut self) {
        let Some(target) = self.target else { return };
        let now = Instant::now();
        self.hopeless.get_or_insert(RunError::Cancelled);
        for pending in self.pending.iter_mut().filter(|pending| pending.result.is_none() && pending.cancelled.is_none()) {
            pending.cancelled = Some((now, Cause::Elsewhere));
            self.session.link.message(target, &ToHelper::Cancel { id: pending.id });
        }
    }

    /// Nobody wants the replies: cancels, and waits so that the next requests find the helper idle.
    fn abandon(&mut self) {
        self.cancel_all();
        while self.running().is_some() {
            self.wait();
        }
    }

    fn hear(&mut self, target: Target, event: Event) -> Result<(), RunError> {
        match event {
            Event::Message(FromHelper::Outcome(outcome)) => self.settle(outcome),
            Event::Message(FromHelper::Pull { stream }) => {
                self.with_sending(target, stream, Sending::open);
                Ok(())
            }
            Event::Message(FromHelper::Consumed { stream, bytes }) => {
                self.with_sending(target, stream, |sending, out| sending.consumed(bytes, out));
                Ok(())
            }
            Event::Message(FromHelper::Enough { stream }) => {
                self.with_sending(target, stream, |sending, _| sending.stop());
                Ok(())
            }
            Event::Chunk(stream, bytes) => self.spool(stream)?.add(&bytes).map_err(|error| garbled(stream, &error)),
            Event::End(stream) => {
                self.spool(stream)?.ended = true;
                Ok(())
            }
            Event::Gone { end, stderr } => Err(RunError::HelperGone { end, stderr }),
            Event::Garbage(why) => Err(RunError::Protocol(why)),
            Event::Message(_) | Event::Started | Event::BecomeFailed(_) => {
                self.session.link.let_go(target);
                Err(RunError::Protocol("found a message that belongs elsewhere, wanted the outcome of a request".to_owned()))
            }
        }
    }

    fn with_sending(&mut self, target: Target, stream: u32, act: impl FnOnce(&mut Sending, &mut Vec<u8>)) {
        let sending = self.pending.iter_mut().flat_map(|pending| &mut pending.sending).find(|sending| sending.stream == stream);
        // A request that was cancelled meanwhile has none any more.
        let Some(sending) = sending else { return };
        let mut frames = Vec::new();
        act(sending, &mut frames);
        self.session.link.send(target, &frames);
    }

    fn spool(&mut self, stream: u32) -> Result<&mut Spool, RunError> {
        if self.spools.len() >= STREAMS && !self.spools.contains_key(&stream) {
            return Err(self.refuse(format!("found more than {STREAMS} streams at once")));
        }
        let folder = self.running().and_then(|running| running.request.keeps_in.clone());
        Ok(self.spools.entry(stream).or_insert_with(|| Spool::within(folder)))
    }

    fn settle(&mut self, outcome: Outcome) -> Result<(), RunError> {
        let Outcome { id, end, body, contents } = outcome;
        let expected = self.running().map(|running| running.id);
        if expected != Some(id) {
            return Err(self.refuse(format!("found the outcome of request {id}, wanted that of {expected:?}")));
        }
        let result = match end {
            RunEnd::Ended => self.reply(body, contents)?,
            RunEnd::Cancelled | RunEnd::GroupFailed => Err(RunError::Cancelled),
        };
        self.spools.clear();
        let Some(running) = self.running() else { return Ok(()) };
        running.sending.clear();
        running.result = Some(match (result, running.cancelled) {
            (Err(_), Some((_, cause))) => Err(cause.error()),
            (result, _) => result,
        });
        Ok(())
    }

    /// What came back, put together. The outer error is for what breaks the protocol.
    fn reply(&mut self, body: Body, contents: Vec<u32>) -> Result<Result<Reply, RunError>, RunError> {
        let outcome = match body {
            Body::Inline(map) => map,
            Body::Stream(stream) => {
                let bytes = self.complete(stream)?.into_bytes().map_err(|error| garbled(stream, &error))?;
                match serde_json::from_slice::<Json>(&bytes) {
                    Ok(map) => map,
                    Err(error) => return Err(self.refuse(format!("found a result that is no JSON object: {error}"))),
                }
            }
        };
        let mut returned = Vec::new();
        for stream in contents {
            returned.push(self.complete(stream)?.into_returned().map_err(|error| garbled(stream, &error))?);
        }
        Ok(Ok(Reply { outcome, contents: returned }))
    }

    fn complete(&mut self, stream: u32) -> Result<Spool, RunError> {
        match self.spools.remove(&stream) {
            Some(spool) if spool.ended => Ok(spool),
            _ => Err(self.refuse(format!("stream {stream} is not complete"))),
        }
    }

    /// The helper does not follow the protocol: it is let go.
    fn refuse(&mut self, why: String) -> RunError {
        if let Some(target) = self.target {
            self.session.link.let_go(target);
        }
        RunError::Protocol(why)
    }

    /// The helper is gone: the request that ran fails by `error`, the others go to a new one.
    fn restart(&mut self, error: &RunError) {
        if let Some(target) = self.target.take() {
            self.session.link.let_go(target);
        }
        let Some(running) = self.running() else { return };
        running.result = Some(Err(match running.cancelled {
            Some((_, cause)) => cause.error(),
            None => error.clone(),
        }));
        for place in 0..self.pending.len() {
            let pending = &mut self.pending[place];
            if pending.result.is_some() {
                continue;
            }
            match pending.cancelled {
                Some((_, cause)) => pending.result = Some(Err(cause.error())),
                None => {
                    pending.since = None;
                    self.send(place);
                }
            }
        }
    }

    /// The connection is lost: all fail.
    fn lose(&mut self, error: &RunError) {
        self.target = None;
        self.hopeless = Some(error.clone());
        for pending in self.pending.iter_mut().filter(|pending| pending.result.is_none()) {
            pending.result = Some(Err(error.clone()));
        }
    }
}

fn encode_stream(stream: u32, bytes: &[u8], frames: &mut Vec<u8>) {
    bytes.chunks(CHUNK).for_each(|piece| Frame::encode_chunk(stream, piece, frames));
    Frame::End(stream).encode(frames);
}

fn garbled(stream: u32, error: &io::Error) -> RunError {
    RunError::Protocol(format!("stream {stream} could not be kept: {error}"))
}

/// A number of up to twelve digits that no other job of this user is likely to have.
fn job_number(id: u64) -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mixed =
        (u64::from(now.subsec_nanos()) ^ id.rotate_left(20)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(std::process::id()) << 24;
    mixed % 1_000_000_000_000
}

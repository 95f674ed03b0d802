//! Runs the requests, one at a time: a result is written before the next request starts, so the first request without an answer is
//! the one that ran when a helper dies.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use driftless_wire::{BODY_LIMIT, Body, DEPTH_LIMIT, Frame, FromHelper, Group, Outcome, Run, RunEnd, TOTAL_LIMIT, is_deeper};

use super::contents::{Incoming, Outgoing};
use super::outbox::Gone;
use super::{Shared, job};
use crate::host::{Cancel, Environment, Setup};
use crate::{Host, Json, JsonMap, registry};

/// Runs requests until there are no more.
pub fn run(shared: &Arc<Shared>) {
    let mut failed_group: Option<Group> = None;
    while let Some(taken) = shared.inbox.next() {
        let run = taken.run;
        let not_run = if taken.cancelled {
            Some(RunEnd::Cancelled)
        } else if run.group.is_some() && run.group == failed_group {
            Some(RunEnd::GroupFailed)
        } else {
            None
        };
        let answer = match not_run {
            Some(end) => Answer { end, map: JsonMap::new(), contents: Vec::new() },
            None => perform(shared, &run),
        };
        if answer.failed() {
            failed_group = run.group;
        }
        shared.inbox.forget(&run);
        if send(shared, run.id, answer).is_err() {
            return;
        }
        shared.outbox.flush();
    }
}

/// What becomes of a request.
struct Answer {
    end: RunEnd,
    map: JsonMap,
    contents: Vec<u32>,
}

impl Answer {
    fn failed(&self) -> bool {
        self.end != RunEnd::Ended || self.map.get("failed").and_then(Json::as_bool).unwrap_or(false)
    }
}

fn perform(shared: &Arc<Shared>, run: &Run) -> Answer {
    let args = match arguments(shared, run) {
        Ok(args) => args,
        Err(message) => return Answer { end: RunEnd::Ended, map: failure(message), contents: Vec::new() },
    };
    if let Some(asynchronous) = &run.async_job {
        let map = job::start(run, &args, asynchronous, &shared.login);
        return Answer { end: RunEnd::Ended, map, contents: Vec::new() };
    }
    let cancel = shared.flight.begin(run.id);
    let streams = Arc::new(Mutex::new(Vec::new()));
    let setup = Setup {
        contents: Box::new(Incoming::new(shared, &run.contents, &cancel)),
        sink: Box::new(Outgoing::new(shared, &streams)),
        ..setup(run, &shared.login.cwd, &cancel)
    };
    let map = run_module(&run.module, args, setup);
    shared.flight.end();
    let end = if cancel.is_cancelled() { RunEnd::Cancelled } else { RunEnd::Ended };
    let contents = std::mem::take(&mut *streams.lock().unwrap_or_else(PoisonError::into_inner));
    Answer { end, map, contents }
}

/// What the module's host is made from, without contents.
pub fn setup(run: &Run, cwd: &std::path::Path, cancel: &Arc<Cancel>) -> Setup {
    Setup {
        check: run.check,
        diff: run.diff,
        environment: Environment { added: run.environment.clone(), cwd: cwd.to_owned() },
        secrets: run.secrets.clone(),
        cancel: Arc::clone(cancel),
        ..Setup::default()
    }
}

/// Runs a module. A panic is a failure that names it.
pub fn run_module(name: &str, args: JsonMap, setup: Setup) -> JsonMap {
    let Some(module) = registry::find(name) else {
        return failure(format!("the helper has no module `{name}`"));
    };
    let mut host = Host::new(setup);
    match catch_unwind(AssertUnwindSafe(|| module.run(args, &mut host))) {
        Ok(outcome) => outcome.into_map(),
        Err(_) => {
            let place = PANIC.with_borrow_mut(std::mem::take);
            failure(format!("module `{name}` panicked: {place}; this is a bug in driftless"))
        }
    }
}

/// A failed task's result.
pub fn failure(message: String) -> JsonMap {
    let mut map = JsonMap::new();
    map.insert("changed".to_owned(), Json::Bool(false));
    map.insert("failed".to_owned(), Json::Bool(true));
    map.insert("msg".to_owned(), Json::String(message));
    map
}

fn arguments(shared: &Shared, run: &Run) -> Result<JsonMap, String> {
    let stream = match &run.args {
        Body::Inline(args) => return Ok(args.clone()),
        Body::Stream(stream) => *stream,
    };
    let mut text = Vec::new();
    while let Some(piece) = shared.inbox.take(stream, &|| false)? {
        text.extend_from_slice(&piece);
        if text.len() > TOTAL_LIMIT {
            return Err(format!("the arguments have more than {TOTAL_LIMIT} bytes"));
        }
    }
    serde_json::from_slice(&text).map_err(|error| format!("could not read the arguments: {error}"))
}

fn send(shared: &Shared, id: u64, answer: Answer) -> Result<(), Gone> {
    let Answer { end, map, contents } = answer;
    let map = if is_deeper(&map, DEPTH_LIMIT) { failure(format!("the result is nested deeper than {DEPTH_LIMIT} levels")) } else { map };
    let outcome = Outcome { id, end, body: Body::Inline(map), contents };
    let text = FromHelper::Outcome(outcome.clone()).to_text();
    if text.len() <= BODY_LIMIT {
        let mut frame = Vec::with_capacity(text.len() + 8);
        Frame::encode_message(&text, &mut frame);
        return shared.outbox.send(frame);
    }
    let Body::Inline(map) = &outcome.body else { return Ok(()) };
    let body = serde_json::to_vec(map).expect("results have text keys only");
    let body = if body.len() > TOTAL_LIMIT {
        Body::Inline(failure(format!("the result has {} bytes, at most {TOTAL_LIMIT} can be sent", body.len())))
    } else {
        match shared.outbox.stream(&mut body.as_slice())? {
            Ok(stream) => Body::Stream(stream),
            Err(error) => Body::Inline(failure(format!("could not send the result: {error}"))),
        }
    };
    shared.outbox.message(&FromHelper::Outcome(Outcome { body, ..outcome }))
}

thread_local! {
    /// What the last panic of this thread said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps what panics say, instead of printing it.
pub fn catch_panics() {
    std::panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let place = info.location().map(|location| format!(" ({}:{})", location.file(), location.line())).unwrap_or_default();
        PANIC.set(format!("{}{place}", text.unwrap_or("without a message")));
    }));
}

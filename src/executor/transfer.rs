//! Sending what is ready to the host, and making results of what comes back: retries, asynchronous jobs, conversations, and the
//! three ways to fail.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::effects::{adds_host, is_in_group};
use super::lease::Lease;
use super::outcome::{ItemEnd, complete, is};
use super::talker::{Talker, lease};
use super::target::Route;
use super::task_executor::{Asynchronous, Ready, Runner, Stage, failure_end};
use crate::action::{Action, Call, Done, Effect, Failure, Plan, TalkError};
use crate::event::Event;
use crate::helper::{AsyncJob, BecomeFailureKind, CloseHelpers, Reply, Request, RunError};
use crate::transport::{ConnectionError, Plugin};
use crate::value::{Map, Value};

/// Runs what is prepared, in order; `each` is told every end and says whether the loop is to stop. True if it did.
pub(super) fn run_batch(runner: &Runner<'_>, batch: Vec<Stage>, each: &mut dyn FnMut(usize, ItemEnd) -> bool) -> bool {
    if batch.len() == 1 {
        return batch.into_iter().enumerate().any(|(index, stage)| {
            let end = match stage {
                Stage::Ended(end) => *end,
                Stage::Ready(ready) => runner.execute(*ready),
            };
            each(index, end)
        });
    }
    let mut slots: Vec<Slot> = batch.into_iter().map(Slot::of).collect();
    let Some(route) = slots.iter().find_map(Slot::route).cloned() else {
        return slots.into_iter().enumerate().any(|(index, slot)| each(index, slot.local_end(runner)));
    };
    let keeps_invocation = runner.shared.tasks.inject_invocation;
    let (order, requests): (Vec<usize>, Vec<Request>) =
        slots.iter_mut().enumerate().filter_map(|(index, slot)| Some((index, slot.take_request(keeps_invocation)?))).unzip();
    let mut waiting = slots.into_iter().enumerate();
    let mut stopped = false;
    // Ends in the order of the items: those without a request wait for the ones before them.
    let mut tell = |until: usize, reply: Result<Reply, RunError>| {
        for (index, slot) in waiting.by_ref() {
            if index == until {
                stopped |= each(index, slot.remote_end(runner, reply));
                return;
            }
            stopped |= each(index, slot.local_end(runner));
        }
    };
    let mut answered = 0;
    match lease(runner, &route) {
        Ok(mut lease) => {
            lease.session().run(route.becomes.as_ref(), &mut requests.into_iter(), &mut |index, reply| {
                answered = index + 1;
                tell(order[index], reply);
                ControlFlow::Continue(())
            });
        }
        Err(error) => {
            let error = std::sync::Arc::new(error);
            for index in &order {
                tell(*index, Err(RunError::Unreachable(std::sync::Arc::clone(&error))));
            }
            answered = order.len();
        }
    }
    for index in order.iter().skip(answered) {
        tell(*index, Err(RunError::Cancelled));
    }
    for (index, slot) in waiting {
        stopped |= each(index, slot.local_end(runner));
    }
    stopped
}

/// An item of a batch.
enum Slot {
    Ended(Box<ItemEnd>),
    Ready(Box<Ready>),
}

impl Slot {
    fn of(stage: Stage) -> Self {
        match stage {
            Stage::Ended(end) => Self::Ended(end),
            Stage::Ready(ready) => Self::Ready(ready),
        }
    }

    fn route(&self) -> Option<&Route> {
        match self {
            Self::Ready(ready) => ready.route.as_ref(),
            Self::Ended(_) => None,
        }
    }

    fn take_request(&mut self, keeps_invocation: bool) -> Option<Request> {
        match self {
            Self::Ready(ready) => match std::mem::replace(&mut ready.plan, Plan::Talk) {
                Plan::Send(request) => {
                    if keeps_invocation {
                        ready.invocation = Some(invocation(&request));
                    }
                    Some(*request)
                }
                other => {
                    ready.plan = other;
                    None
                }
            },
            Self::Ended(_) => None,
        }
    }

    fn local_end(self, runner: &Runner<'_>) -> ItemEnd {
        match self {
            Self::Ended(end) => *end,
            Self::Ready(ready) => runner.execute(*ready),
        }
    }

    fn remote_end(self, runner: &Runner<'_>, reply: Result<Reply, RunError>) -> ItemEnd {
        match self {
            Self::Ended(end) => *end,
            Self::Ready(mut ready) => {
                let done = reply
                    .map_err(TalkError::Run)
                    .and_then(|reply| with_call(runner, &ready, |call, action| Ok(action.finish(call, reply)?)));
                let mut end = std::mem::take(&mut ready.end);
                settle(runner, &ready, &mut end, done);
                runner.conclude(&ready.templar, &ready.args, &mut end);
                end
            }
        }
    }
}

/// Runs one item, trying again as its task says.
pub(super) fn run_one(runner: &Runner<'_>, mut ready: Ready) -> ItemEnd {
    let mut end = std::mem::take(&mut ready.end);
    let mut attempt = 0;
    loop {
        attempt += 1;
        end.diagnostics.clear();
        let done = attempt_once(runner, &mut ready);
        settle(runner, &ready, &mut end, done);
        let retries = ready.retry.retries;
        if retries == 0 || is(&end.result, "unreachable") {
            break;
        }
        end.result.insert("attempts", attempt);
        let mut diagnostics = Vec::new();
        let satisfied = runner.is_satisfied(&ready, &mut end.result, &mut diagnostics);
        end.diagnostics.extend(diagnostics);
        if satisfied || runner.shared.interrupted.load(Ordering::Relaxed) {
            break;
        }
        if attempt > retries {
            end.result.insert("attempts", retries);
            // Whether the task has failed is for `failed_when` to say, where there is one.
            if runner.job.task.failed_when.is_empty() && !is(&end.result, "failed") {
                end.result.insert("failed", true);
                end.result.insert(crate::event::GIVEN_UP, true);
            }
            break;
        }
        runner.tell_retry(&end, &end.result, retries - attempt, retries);
        sleep(&runner.shared.interrupted, Duration::from_secs_f64(ready.retry.delay));
        if runner.shared.interrupted.load(Ordering::Relaxed) {
            break;
        }
    }
    runner.conclude(&ready.templar, &ready.args, &mut end);
    end
}

fn attempt_once(runner: &Runner<'_>, ready: &mut Ready) -> Result<Done, TalkError> {
    let more = ready.retry.retries > 0;
    let plan = std::mem::replace(&mut ready.plan, Plan::Talk);
    match plan {
        Plan::Failed(failure) => {
            if more {
                ready.plan = with_call(runner, ready, |call, action| {
                    Ok(action.plan(call).unwrap_or_else(|failure| Plan::Failed(Box::new(failure))))
                })?;
            }
            Err(TalkError::Failed(*failure))
        }
        Plan::Done(done) => {
            if more {
                ready.plan = with_call(runner, ready, |call, action| Ok(action.plan(call)?))?;
            }
            Ok(done)
        }
        Plan::Talk => {
            let route = ready.route.clone();
            let limit = ready.timeout.map(|limit| (limit, Instant::now() + limit));
            with_call(runner, ready, |call, action| {
                let mut talker = Talker::new(runner, route.as_ref(), limit);
                action.talk(call, &mut talker)
            })
        }
        Plan::Send(request) => {
            if more {
                ready.plan = Plan::Send(request.clone());
            }
            send(runner, ready, *request)
        }
    }
}

fn send(runner: &Runner<'_>, ready: &mut Ready, mut request: Request) -> Result<Done, TalkError> {
    let route = ready.route.as_ref().ok_or_else(|| Failure::new("the task has no connection"))?;
    request.timeout = ready.timeout;
    if runner.shared.tasks.inject_invocation {
        ready.invocation = Some(invocation(&request));
    }
    if let Some(asynchronous) = ready.asynchronous {
        request.async_job = Some(AsyncJob { seconds: asynchronous.limit, dir: async_dir(runner, ready) });
    }
    if request.module == "async_status" {
        request.args.insert("_async_dir".to_owned(), async_dir(runner, ready).into());
    }
    let mut lease = lease(runner, route).map_err(unreachable)?;
    let module = request.module.clone();
    close_other_users(&mut lease, route, &module);
    let reply = lease.session().run_one(route.becomes.as_ref(), request)?;
    if changes_users(&module) && reply.outcome.get("changed").and_then(serde_json::Value::as_bool) == Some(true) {
        lease.session().close_become_helpers(CloseHelpers::All);
    }
    let reply = match ready.asynchronous {
        Some(asynchronous) if asynchronous.poll > 0 => poll(runner, ready, route, lease, asynchronous, reply)?,
        _ => {
            drop(lease);
            reply
        }
    };
    with_call(runner, ready, |call, action| Ok(action.finish(call, reply)?))
}

/// The arguments as a result may hold them: without secrets.
fn invocation(request: &Request) -> driftless_modules::JsonMap {
    fn open(value: &serde_json::Value, secrets: &[String]) -> serde_json::Value {
        use serde_json::Value as Json;
        match value {
            Json::String(text) if secrets.iter().any(|secret| secret == text) => "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".into(),
            Json::String(text) => {
                let hidden = secrets.iter().filter(|secret| !secret.is_empty());
                hidden.fold(text.clone(), |text, secret| text.replace(secret.as_str(), "********")).into()
            }
            Json::Array(items) => items.iter().map(|item| open(item, secrets)).collect(),
            Json::Object(map) => {
                map.iter().map(|(key, value)| (key.clone(), open(value, secrets))).collect::<serde_json::Map<_, _>>().into()
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => value.clone(),
        }
    }
    request.args.iter().map(|(key, value)| (key.clone(), open(value, &request.secrets))).collect()
}

/// Where the host keeps the status of asynchronous jobs.
fn async_dir(runner: &Runner<'_>, ready: &Ready) -> String {
    let dir = ready.templar.get("ansible_async_dir").ok().flatten().and_then(|dir| dir.as_str().map(str::to_owned));
    dir.unwrap_or_else(|| runner.shared.tasks.async_dir.clone())
}

/// Asks for an asynchronous job until it has ended; the connection is free in between.
fn poll(
    runner: &Runner<'_>,
    ready: &Ready,
    route: &Route,
    held: Lease<'_>,
    asynchronous: Asynchronous,
    started: Reply,
) -> Result<Reply, TalkError> {
    drop(held);
    let Some(job) = started.outcome.get("ansible_job_id").and_then(serde_json::Value::as_str).map(str::to_owned) else {
        return Ok(started);
    };
    let mut left = asynchronous.limit;
    loop {
        sleep(&runner.shared.interrupted, Duration::from_secs(asynchronous.poll));
        if runner.shared.interrupted.load(Ordering::Relaxed) {
            return Err(TalkError::Interrupted);
        }
        let mut args = driftless_modules::JsonMap::new();
        args.insert("jid".to_owned(), job.as_str().into());
        args.insert("mode".to_owned(), "status".into());
        args.insert("_async_dir".to_owned(), async_dir(runner, ready).into());
        let mut reply =
            lease(runner, route).map_err(unreachable)?.session().run_one(route.becomes.as_ref(), Request::new("async_status", args))?;
        let truth =
            |key: &str| reply.outcome.get(key).is_some_and(|value| value.as_bool().unwrap_or_else(|| value.as_i64().unwrap_or(0) != 0));
        let (finished, failed) = (truth("finished") || truth("failed"), truth("failed"));
        let tell = |finished, failed| {
            runner.tell(Event::AsyncPoll { host: std::sync::Arc::clone(&runner.job.host_name), job: job.clone(), finished, failed });
        };
        tell(finished, failed);
        if finished {
            for key in ["started", "finished"] {
                reply.outcome.insert(key.to_owned(), true.into());
            }
            reply.outcome.insert("ansible_job_id".to_owned(), job.into());
            return Ok(reply);
        }
        left = left.saturating_sub(asynchronous.poll);
        if left == 0 {
            tell(true, true);
            for output in ["stdout", "stderr"] {
                reply.outcome.insert(format!("{output}_lines"), Vec::<String>::new().into());
            }
            reply.outcome.insert("failed".to_owned(), false.into());
            return Err(Failure::new("async task produced unparsable results")
                .with("async_result", crate::value::from_json(serde_json::Value::Object(reply.outcome)))
                .into());
        }
    }
}

/// Turns what came into the item's end.
fn settle(runner: &Runner<'_>, ready: &Ready, end: &mut ItemEnd, done: Result<Done, TalkError>) {
    // What stopped the action itself is no result that the task's conditions are asked about.
    let is_judged = match &done {
        Ok(_) | Err(TalkError::Interrupted) => true,
        Err(TalkError::Failed(failure)) => !failure.is_raised,
        Err(TalkError::Run(_)) => false,
    };
    match done {
        Ok(done) => {
            end.result = done.result;
            if let Some(args) = &ready.invocation {
                let mut invocation = Map::new();
                invocation.insert("module_args", crate::value::from_json(serde_json::Value::Object(args.clone())));
                end.result.insert("invocation", Value::map(invocation));
            }
            if let Some(changed) = done.effect.as_ref().and_then(|effect| changes_inventory(ready, effect)) {
                end.result.insert("changed", changed);
            }
            // An action knows better than the task that a result is not to be seen.
            end.no_log |= end.result.remove("_ansible_no_log").is_some_and(|hidden| hidden.truthy());
            end.effect = done.effect;
        }
        Err(TalkError::Failed(failure)) => {
            let failed = *failure_end(failure);
            end.result = failed.result;
            end.diagnostics.extend(failed.diagnostics);
        }
        Err(TalkError::Interrupted) => end.result = ItemEnd::failed("interrupted", Vec::new()).result,
        Err(TalkError::Run(error)) => end.result = run_error(&error, ready.route.as_ref()),
    }
    if is_judged {
        runner.judge(ready, &mut end.result, &mut end.diagnostics);
    } else {
        complete(&mut end.result);
    }
}

/// Whether `add_host` or `group_by` adds something that is not there yet.
fn changes_inventory(ready: &Ready, effect: &Effect) -> Option<bool> {
    let inventory = ready.stack.world().inventory();
    match effect {
        Effect::AddHost { name, groups, vars } => Some(adds_host(inventory, name, groups, vars)),
        Effect::GroupBy { group, .. } => Some(!is_in_group(inventory, ready.stack.host(), group)),
        Effect::SetFacts { .. } | Effect::IncludeVars(_) | Effect::Stats { .. } => None,
    }
}

/// Unreachable, or failed.
fn run_error(error: &RunError, route: Option<&Route>) -> Map {
    let is_local = route.is_some_and(|route| route.key.address().plugin == Plugin::Local);
    match error {
        RunError::Unreachable(cause) => ItemEnd::unreachable(&cause.to_string()).result,
        RunError::Become(failure) if failure.kind == BecomeFailureKind::Timeout => {
            let local = "Timed out waiting for become success or become password prompt.";
            ItemEnd::unreachable(&if is_local { format!("{local} {error}") } else { error.to_string() }).result
        }
        RunError::Timeout(limit) => {
            let mut result = ItemEnd::failed(format!("Task failed: Timed out after {} second(s).", limit.as_secs()), Vec::new()).result;
            let mut period = Map::new();
            period.insert("frame", "Configure `DISPLAY_TRACEBACK` to see a traceback on timeout errors.");
            period.insert("period", i64::try_from(limit.as_secs()).unwrap_or(i64::MAX));
            result.insert("timedout", Value::map(period));
            result
        }
        RunError::Deploy(_)
        | RunError::Become(_)
        | RunError::HelperGone { .. }
        | RunError::Protocol(_)
        | RunError::Arguments { .. }
        | RunError::Content { .. }
        | RunError::Cancelled => ItemEnd::failed(format!("Task failed: {error}"), Vec::new()).result,
    }
}

pub(super) fn unreachable(error: ConnectionError) -> TalkError {
    TalkError::Run(RunError::Unreachable(std::sync::Arc::new(error)))
}

fn with_call<T>(
    runner: &Runner<'_>,
    ready: &Ready,
    body: impl FnOnce(&Call<'_>, &'static dyn Action) -> Result<T, TalkError>,
) -> Result<T, TalkError> {
    let call = Call {
        name: &ready.name,
        shown: &ready.name,
        args: &ready.args,
        templar: &ready.templar,
        context: &runner.job.context,
        check: ready.check,
        diff: ready.diff,
        host: &runner.job.host_name,
        verbosity: runner.shared.verbosity,
        environment: &ready.environment,
    };
    body(&call, ready.action)
}

/// Modules that run programs of the playbook's or a packager's choice: another user's idle helper would be in their way.
const PROGRAMS: &[&str] = &["apt", "command", "dnf", "group", "package", "raw", "script", "shell", "user"];

fn close_other_users(lease: &mut Lease<'_>, route: &Route, module: &str) {
    let as_other = route.becomes.as_ref().is_some_and(|becomes| becomes.user != "root");
    if PROGRAMS.contains(&module) && !as_other && lease.session().has_become_helpers() {
        lease.session().close_become_helpers(CloseHelpers::NotRoot);
    }
}

fn changes_users(module: &str) -> bool {
    matches!(module, "group" | "user")
}

/// Sleeps in short steps, so that an interrupted run ends.
pub(super) fn sleep(interrupted: &AtomicBool, duration: Duration) {
    let end = Instant::now() + duration;
    while !interrupted.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

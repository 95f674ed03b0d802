//! `Talker`: the host of an action that talks, such as `reboot`, and the session that it talks over.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use super::job::Message;
use super::lease::Lease;
use super::target::Route;
use super::task_executor::Runner;
use super::transfer::{sleep, unreachable};
use crate::action::{Failure, TalkError, Target};
use crate::event::Event;
use crate::helper::{Reply, Request, RunError};
use crate::transport::{Answer, ConnectionError, Deadline, ExecOutput, HostKeyQuestion};
use crate::value::Value;

/// The host of an action that talks.
pub(super) struct Talker<'t, 'r> {
    runner: &'t Runner<'r>,
    route: Option<&'t Route>,
    lease: Option<Lease<'r>>,
    /// How long the task may take, and until when that is.
    limit: Option<(Duration, Instant)>,
}

impl<'t, 'r> Talker<'t, 'r> {
    /// For the host of `route`, until the task's time is over: how long it may take, and until when that is.
    pub(super) fn new(runner: &'t Runner<'r>, route: Option<&'t Route>, limit: Option<(Duration, Instant)>) -> Self {
        Self { runner, route, lease: None, limit }
    }

    /// What is left of the task's time.
    fn left(&self) -> Option<Duration> {
        self.limit.map(|(_, until)| until.saturating_duration_since(Instant::now()))
    }

    fn check_time(&self) -> Result<(), TalkError> {
        match self.limit {
            Some((limit, until)) if Instant::now() >= until => Err(RunError::Timeout(limit).into()),
            Some(_) | None => Ok(()),
        }
    }

    fn lease(&mut self) -> Result<&mut Lease<'r>, ConnectionError> {
        if self.lease.is_none() {
            let route = self.route.ok_or_else(|| ConnectionError::Unsupported("the task has no connection".to_owned()))?;
            self.lease = Some(lease(self.runner, route)?);
        }
        Ok(self.lease.as_mut().expect("the lease was just taken"))
    }
}

impl Target for Talker<'_, '_> {
    fn send(&mut self, requests: Vec<Request>) -> Vec<Result<Reply, RunError>> {
        let becomes = self.route.and_then(|route| route.becomes.clone());
        let (count, left, limit) = (requests.len(), self.left(), self.limit);
        let mut requests = requests.into_iter().map(|request| Request { timeout: request.timeout.or(left), ..request });
        let mut replies = Vec::with_capacity(count);
        match self.lease() {
            Ok(lease) => lease.session().run(becomes.as_ref(), &mut requests, &mut |_, reply| {
                // The time that was left is no limit that the user knows.
                replies.push(reply.map_err(|error| match (error, limit) {
                    (RunError::Timeout(_), Some((limit, _))) => RunError::Timeout(limit),
                    (error, _) => error,
                }));
                ControlFlow::Continue(())
            }),
            Err(error) => replies.push(Err(RunError::Unreachable(std::sync::Arc::new(error)))),
        }
        let last = replies.last().and_then(|reply| reply.as_ref().err().cloned()).unwrap_or(RunError::Cancelled);
        replies.resize_with(count, || Err(last.clone()));
        replies
    }

    fn exec(&mut self, command: &str, stdin: &[u8]) -> Result<ExecOutput, TalkError> {
        if let Some(becomes) = self.route.and_then(|route| route.becomes.clone()) {
            return exec_as(self, &becomes, command, stdin);
        }
        let deadline = self.left().map_or_else(Deadline::never, Deadline::after);
        let lease = self.lease().map_err(unreachable)?;
        let output = lease.session().exec(command, stdin, deadline);
        if output.is_err() {
            self.check_time()?;
        }
        output.map_err(unreachable)
    }

    fn disconnect(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.discard();
        }
    }

    fn connect(&mut self, _limit: Duration) -> Result<(), ConnectionError> {
        self.lease().map(|_| ())
    }

    fn ask(&mut self, prompt: &str, echo: bool) -> Option<String> {
        ask(self.runner, prompt.to_owned(), echo)
    }

    fn sleep(&mut self, duration: Duration) -> Result<(), TalkError> {
        let interrupted = &self.runner.shared.interrupted;
        sleep(interrupted, self.left().map_or(duration, |left| duration.min(left)));
        if interrupted.load(Ordering::Relaxed) {
            return Err(TalkError::Interrupted);
        }
        self.check_time()
    }

    fn say(&mut self, text: &str) {
        // Without a coordinator there is nobody to tell.
        self.runner.out.send(Message::Say(text.to_owned()));
    }
}

/// As another user a raw command goes through that user's helper.
fn exec_as(talker: &mut Talker<'_, '_>, becomes: &crate::transport::Become, command: &str, stdin: &[u8]) -> Result<ExecOutput, TalkError> {
    let mut args = driftless_modules::JsonMap::new();
    args.insert("_raw_params".to_owned(), command.into());
    args.insert("_uses_shell".to_owned(), true.into());
    args.insert("strip_empty_ends".to_owned(), false.into());
    if !stdin.is_empty() {
        args.insert("stdin".to_owned(), String::from_utf8_lossy(stdin).into_owned().into());
    }
    let spec = crate::action::spec("shell").expect("there is a module `shell`");
    let args = spec.check(&args).expect("`shell` has these options").args;
    let lease = talker.lease().map_err(unreachable)?;
    let reply = lease.session().run_one(Some(becomes), Request::new("shell", args))?;
    let result = crate::action::outcome(reply);
    let bytes = |key: &str| result.get(key).and_then(Value::as_str).unwrap_or_default().as_bytes().to_vec();
    let Some(code) = result.get("rc").and_then(Value::as_int).and_then(|code| i32::try_from(code).ok()) else {
        let message = result.get("msg").and_then(Value::as_str).unwrap_or("the command did not run").to_owned();
        return Err(Failure::new(message).into());
    };
    Ok(ExecOutput { stdout: bytes("stdout"), stderr: bytes("stderr"), exit: crate::transport::Exit::Code(code) })
}

/// The session of a route; the user is told what is new about it.
pub(super) fn lease<'r>(runner: &Runner<'r>, route: &Route) -> Result<Lease<'r>, ConnectionError> {
    let ask = |question: &HostKeyQuestion| host_key(runner, question);
    let mut lease = runner.shared.leases.take(&route.key, &ask)?;
    if let Some(becomes) = route.becomes.as_ref().filter(|_| runner.shared.verbosity >= 3)
        && let Ok(line) = becomes.command_line("driftless-helper serve child")
    {
        runner.tell(Event::Becomes { address: route.key.address().host.clone(), line });
    }
    if let Some(notice) = lease.notice.take() {
        runner.tell(Event::Warning(notice));
    }
    Ok(lease)
}

/// Asks whether an unknown host is the right one.
fn host_key(runner: &Runner<'_>, question: &HostKeyQuestion) -> Answer {
    let prompt = format!(
        "The authenticity of host '{}' can't be established.\n{} key fingerprint is {}.\nAre you sure you want to continue connecting (yes/no)? ",
        question.host, question.kind, question.fingerprint
    );
    match ask(runner, prompt, true).as_deref().map(str::trim) {
        Some("yes" | "y") => Answer::Yes,
        _ => Answer::No,
    }
}

fn ask(runner: &Runner<'_>, prompt: String, echo: bool) -> Option<String> {
    let (answer, answered) = sync_channel(1);
    runner.out.send(Message::Ask { prompt, echo, answer });
    answered.recv().ok().flatten()
}

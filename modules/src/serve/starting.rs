//! Starts the helper of another user: runs sudo, su or doas with the bootstrap script, answers its prompt, pushes this binary over the
//! pipe when the user has none yet, and ends where the helper's first frame begins.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use driftless_wire::{BecomeFailure, BecomeFailureKind, CHUNK, MARKER, StartHelper};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::bootstrap::{self, FAILED, PLATFORM, Packing, Shell, WANT};
use super::login::Login;
use super::{own, terminal};
use crate::privilege::{self, PromptWatcher, Start, Terminal, Verdict};

/// A child whose helper has written its marker.
pub struct Started {
    /// The program that changed the user.
    pub child: Child,
    /// The helper's input.
    pub input: OwnedFd,
    /// The helper's output.
    pub output: OwnedFd,
    /// What came after the marker.
    pub rest: Vec<u8>,
    /// The last of what it writes to stderr.
    pub stderr: Tail,
    /// Our side of its controlling terminal, kept open as long as it lives.
    pub terminal: Option<OwnedFd>,
}

/// Starts it. Takes at most the given time.
pub fn start(start: &StartHelper, login: &Login) -> Result<Started, BecomeFailure> {
    let nonce = own::nonce().map_err(|error| other(format!("could not read random bytes: {error}")))?;
    let binary = own::binary().map_err(|error| other(format!("could not read the helper's own binary: {error}")))?;
    let mut skip = 0;
    loop {
        let script = bootstrap::script(std::slice::from_ref(&binary), skip, Packing::None, Shell::Replaced, "serve child");
        let script = format!("{} {script}", restore_locale(login));
        let plan = privilege::start(&start.become_, &script, &nonce)?;
        match Talk::begin(start, login, &plan, &nonce)?.until_marker(&binary.sha256) {
            Ok(started) => return Ok(started),
            // A full file system: the next folder may be on another.
            Err(Stop::Folder(_)) if skip + 1 < bootstrap::FOLDERS.len() => skip += 1,
            Err(Stop::Folder(why)) => {
                let message = format!("could not put the helper where `{}` can run it: {why}", start.become_.user);
                return Err(BecomeFailure { kind: BecomeFailureKind::Deploy, message });
            }
            Err(Stop::Failed(failure)) => return Err(failure),
        }
    }
}

/// Why a talk ended without a helper.
enum Stop {
    /// The folder that was chosen did not take the binary.
    Folder(String),
    /// It will not work.
    Failed(BecomeFailure),
}

impl From<BecomeFailure> for Stop {
    fn from(failure: BecomeFailure) -> Self {
        Self::Failed(failure)
    }
}

/// The prompts of `su` are known by their words, hence `LC_ALL=C` for it; what the helper starts gets the login's own locale again.
fn restore_locale(login: &Login) -> String {
    match &login.lc_all {
        Some(value) if value.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-@".contains(letter)) => {
            format!("LC_ALL={value}; export LC_ALL;")
        }
        _ => "unset LC_ALL;".to_owned(),
    }
}

/// A program that is on its way to another user, and its pipes.
struct Talk {
    child: Child,
    input: OwnedFd,
    output: OwnedFd,
    stderr: OwnedFd,
    /// Our side of its terminal, where it has one.
    terminal: Option<OwnedFd>,
    /// The terminal is its standard input, and so `input` another name for our side.
    typed: bool,
    watcher: PromptWatcher,
    password: Option<String>,
    /// What it wrote to standard output and was not read yet.
    said: Vec<u8>,
    /// What is to be written to it.
    pending: VecDeque<u8>,
    tail: Vec<u8>,
    until: Instant,
    seconds: u64,
}

impl Talk {
    #[expect(clippy::disallowed_methods, reason = "the programs that change the user are no task's")]
    fn begin(start: &StartHelper, login: &Login, plan: &Start, nonce: &str) -> Result<Self, BecomeFailure> {
        let watcher = PromptWatcher::new(&start.become_, nonce);
        let pty = match plan.terminal {
            Terminal::None => None,
            Terminal::Controlling | Terminal::Input => {
                Some(terminal::open().map_err(|error| other(format!("could not open a terminal: {error}")))?)
            }
        };
        let mut command = match &pty {
            None => Command::new(&plan.argv[0]),
            Some(pty) => {
                let mut command = Command::new(own::PATH);
                let kind = if plan.terminal == Terminal::Input { "input" } else { "controlling" };
                command.args(["terminal", &pty.path, kind, &plan.argv[0]]);
                command
            }
        };
        command.args(&plan.argv[1..]).env("LC_ALL", "C").current_dir(if login.cwd.is_dir() { login.cwd.as_path() } else { Path::new("/") });
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => watcher.ended(127),
            _ => other(format!("could not start `{}`: {error}", plan.argv[0])),
        })?;
        let piped = "the command was given pipes";
        let pipe: OwnedFd = child.stdin.take().expect(piped).into();
        let output = child.stdout.take().expect(piped).into();
        let stderr = child.stderr.take().expect(piped).into();
        let typed = plan.terminal == Terminal::Input;
        let terminal = pty.map(|pty| pty.master);
        let input = match &terminal {
            Some(master) if typed => master.try_clone().map_err(|error| other(format!("could not share the terminal: {error}")))?,
            _ => pipe,
        };
        let until = Instant::now() + Duration::from_secs(start.seconds);
        let password = start.become_.password.clone();
        let (said, pending, tail, seconds) = (Vec::new(), VecDeque::new(), Vec::new(), start.seconds);
        Ok(Self { child, input, output, stderr, terminal, typed, watcher, password, said, pending, tail, until, seconds })
    }

    fn until_marker(mut self, sha256: &str) -> Result<Started, Stop> {
        loop {
            match self.step(sha256) {
                Ok(None) => {}
                Ok(Some(rest)) => return Ok(self.into_started(rest)),
                Err(stop) => {
                    self.give_up();
                    return Err(stop);
                }
            }
        }
    }

    /// Waits for one thing and deals with it. The bytes after the marker, once it has come.
    fn step(&mut self, sha256: &str) -> Result<Option<Vec<u8>>, Stop> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.watcher.timed_out(self.seconds).into());
        }
        let ready = self.wait(left).map_err(|error| other(format!("could not wait for the child: {error}")))?;
        if ready.input {
            self.write_some();
        }
        if ready.stderr {
            let bytes = read_some(&self.stderr);
            self.tail.extend_from_slice(&bytes);
            self.hear(&bytes)?;
        }
        if ready.terminal
            && let Some(terminal) = &self.terminal
        {
            let bytes = read_some(terminal);
            self.hear(&bytes)?;
        }
        if !ready.output {
            return Ok(None);
        }
        let bytes = read_some(&self.output);
        if bytes.is_empty() {
            return Err(self.ended().into());
        }
        self.said.extend_from_slice(&bytes);
        self.hear_lines(sha256)
    }

    /// Lines of the script. What is no line of it is noise of a login shell, or a prompt.
    fn hear_lines(&mut self, sha256: &str) -> Result<Option<Vec<u8>>, Stop> {
        while let Some(end) = self.said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.said.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line == MARKER {
                return Ok(Some(std::mem::take(&mut self.said)));
            } else if line.starts_with(WANT) {
                self.push(sha256)?;
            } else if let Some(why) = line.strip_prefix(FAILED) {
                return Err(Stop::Folder(format!("{why}{}", self.tail_text())));
            } else if let Some(platform) = line.strip_prefix(PLATFORM) {
                return Err(other(format!("the helper does not run on `{platform}`")).into());
            } else {
                self.hear(line.as_bytes())?;
                self.hear(b"\n")?;
            }
        }
        if self.said.len() > CHUNK {
            return Err(other("the child wrote a line without an end".to_owned()).into());
        }
        // A prompt has no line break.
        let rest = std::mem::take(&mut self.said);
        if rest.ends_with(b": ") || rest.ends_with(b":") {
            self.hear(&rest)?;
            return Ok(None);
        }
        self.said = rest;
        Ok(None)
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        match self.watcher.feed(bytes) {
            Verdict::Wait => Ok(()),
            Verdict::SendPassword => {
                self.pending.extend(self.password.iter().flat_map(|password| password.bytes()).chain([b'\n']));
                Ok(())
            }
            Verdict::Failed(failure) => Err(failure.into()),
        }
    }

    /// The binary is wanted.
    fn push(&mut self, sha256: &str) -> Result<(), Stop> {
        let bytes = own::bytes().map_err(|error| other(format!("could not read the helper's own binary: {error}")))?;
        self.pending.extend(format!("{} {sha256}\n", bytes.len()).bytes());
        self.pending.extend(bytes);
        // The clock was for the prompt; slow disks get their own time.
        self.until = Instant::now() + Duration::from_secs(self.seconds.max(60));
        Ok(())
    }

    fn write_some(&mut self) {
        // A pipe that is ready takes as many without blocking.
        let (first, _) = self.pending.as_slices();
        let piece = first.len().min(4096);
        match rustix::io::write(&self.input, &first[..piece]) {
            Ok(count) => drop(self.pending.drain(..count)),
            Err(Errno::INTR | Errno::AGAIN) => {}
            // It has ended: its output says so next.
            Err(_) => self.pending.clear(),
        }
    }

    fn wait(&self, left: Duration) -> Result<Ready, Errno> {
        let mut fds = vec![
            PollFd::new(&self.output, PollFlags::IN),
            PollFd::new(&self.stderr, PollFlags::IN),
            PollFd::new(&self.input, if self.pending.is_empty() { PollFlags::empty() } else { PollFlags::OUT }),
        ];
        if let Some(terminal) = &self.terminal {
            fds.push(PollFd::new(terminal, PollFlags::IN));
        }
        // A stream that has ended is always ready: then a short sleep keeps the clock running.
        let left = left.min(Duration::from_millis(500));
        let left = Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut fds, Some(&left)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let is = |index: usize, flags: PollFlags| fds.get(index).is_some_and(|fd| fd.revents().intersects(flags));
        let ready = Ready {
            output: is(0, PollFlags::IN | PollFlags::HUP | PollFlags::ERR),
            stderr: is(1, PollFlags::IN),
            input: is(2, PollFlags::OUT | PollFlags::ERR),
            terminal: is(3, PollFlags::IN),
        };
        if !(ready.output || ready.stderr || ready.input || ready.terminal) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(ready)
    }

    /// It has closed its output before a helper came.
    fn ended(&mut self) -> BecomeFailure {
        let rest = read_some_if_ready(&self.stderr);
        self.tail.extend_from_slice(&rest);
        let said = std::mem::take(&mut self.said);
        for text in [rest, said] {
            if let Verdict::Failed(failure) = self.watcher.feed(&text) {
                return failure;
            }
        }
        while Instant::now() < self.until {
            match self.child.try_wait() {
                Ok(Some(status)) => return self.watcher.ended(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
        self.watcher.timed_out(self.seconds)
    }

    fn tail_text(&mut self) -> String {
        let rest = read_some_if_ready(&self.stderr);
        self.tail.extend_from_slice(&rest);
        match String::from_utf8_lossy(&self.tail).trim() {
            "" => String::new(),
            said => format!(": {said}"),
        }
    }

    fn into_started(self, rest: Vec<u8>) -> Started {
        // Closing our only name for a terminal that is its input tells it that we are gone.
        let terminal = if self.typed { None } else { self.terminal };
        let stderr = Tail::collect(self.stderr, self.tail);
        Started { child: self.child, input: self.input, output: self.output, rest, stderr, terminal }
    }

    /// Lets go of it: its input and terminal close. Who runs as root cannot be killed by us; it is waited for elsewhere.
    fn give_up(self) {
        let Self { mut child, .. } = self;
        // It may have ended, or be another user's.
        let _ = child.kill();
        let _ = std::thread::Builder::new().name("reaper".to_owned()).spawn(move || child.wait());
    }
}

struct Ready {
    output: bool,
    stderr: bool,
    input: bool,
    terminal: bool,
}

/// What can be read at once; empty at the end.
fn read_some(fd: impl AsFd) -> Vec<u8> {
    let mut bytes = vec![0; CHUNK];
    let count = rustix::io::read(&fd, &mut bytes).unwrap_or(0);
    bytes.truncate(count);
    bytes
}

fn read_some_if_ready(fd: impl AsFd) -> Vec<u8> {
    let now = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    let ready = poll(&mut fds, Some(&now)).is_ok_and(|count| count > 0) && fds[0].revents().contains(PollFlags::IN);
    if ready { read_some(&fd) } else { Vec::new() }
}

/// The last that a child writes to stderr.
pub struct Tail {
    text: Arc<Mutex<TailText>>,
}

#[derive(Default)]
struct TailText {
    bytes: Vec<u8>,
    ended: bool,
}

impl Tail {
    fn collect(fd: OwnedFd, first: Vec<u8>) -> Self {
        let text = Arc::new(Mutex::new(TailText { bytes: first, ended: false }));
        let shared = Arc::clone(&text);
        // Without the thread the child's stderr would be a pipe that fills; its reading end closes then instead.
        let _ = std::thread::Builder::new().name("stderr".to_owned()).spawn(move || {
            loop {
                let bytes = read_some(&fd);
                let mut text = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if bytes.is_empty() {
                    text.ended = true;
                    return;
                }
                text.bytes.extend_from_slice(&bytes);
                let excess = text.bytes.len().saturating_sub(4096);
                text.bytes.drain(..excess);
            }
        });
        Self { text }
    }

    /// What there is; waits a moment for the end, which a daemon that inherited the pipe may keep from coming.
    pub fn text(&mut self) -> String {
        for _ in 0..20 {
            if self.text.lock().unwrap_or_else(PoisonError::into_inner).ended {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner).bytes).trim().to_owned()
    }
}

fn other(message: String) -> BecomeFailure {
    BecomeFailure { kind: BecomeFailureKind::Other, message }
}

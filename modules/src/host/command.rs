//! Programs: each runs in a process group of its own, with bounded output, an optional deadline, and nothing on its stdin unless said.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::Environment;
use super::cancel::Cancel;
use crate::{Failure, Result};

/// More output than this is a failure.
const OUTPUT_LIMIT: usize = 64 << 20;
/// A program that has ended may have left a child that holds its stdout: it is not waited for longer than this much silence.
const SILENCE: Duration = Duration::from_secs(1);
/// From TERM to KILL.
const GRACE: Duration = Duration::from_secs(3);

/// A program to run. [`Host::query`](super::Host::query) runs one that only looks, [`Door::run`](super::Door::run) one that acts.
#[derive(Clone, Debug)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    changes: Vec<(OsString, Option<OsString>)>,
    cwd: Option<PathBuf>,
    stdin: Option<Vec<u8>>,
    timeout: Option<Duration>,
    protected: bool,
    surroundings: Surroundings,
}

/// What a command takes from its host.
#[derive(Clone, Debug, Default)]
pub(super) struct Surroundings {
    pub environment: Arc<Environment>,
    pub cancel: Arc<Cancel>,
}

impl Command {
    pub(super) fn new(program: &OsStr, surroundings: Surroundings) -> Self {
        Self {
            program: program.to_owned(),
            args: Vec::new(),
            changes: Vec::new(),
            cwd: None,
            stdin: None,
            timeout: None,
            protected: false,
            surroundings,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.changes.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.changes.push((name.as_ref().to_owned(), None));
        self
    }

    /// Makes the program's messages plain English, for those who read them.
    #[must_use]
    pub fn english(self) -> Self {
        self.env("LC_ALL", "C").env("LANG", "C").env("LC_MESSAGES", "C").env_remove("LANGUAGE")
    }

    /// Runs in this folder instead of the login's.
    #[must_use]
    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.cwd = Some(folder.as_ref().to_owned());
        self
    }

    /// Writes this to the program's stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Ends the program after this long; that is a failure.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets the program finish even where the request is cancelled: for package transactions.
    #[must_use]
    pub fn let_finish(mut self) -> Self {
        self.protected = true;
        self
    }

    /// The program and its arguments, as text.
    pub fn argv(&self) -> Vec<String> {
        std::iter::once(&self.program).chain(&self.args).map(|arg| arg.to_string_lossy().into_owned()).collect()
    }

    /// Runs it. An exit code other than 0 is not an error; not being able to start, a deadline and a cancelled request are.
    pub(super) fn run(&self) -> Result<Output> {
        let Surroundings { environment, cancel } = &self.surroundings;
        if cancel.is_cancelled() {
            return Err(Failure::new("the task was cancelled"));
        }
        let mut child = self.spawn(environment).map_err(|error| {
            let why = format!("{}: b'{}'", crate::outcome::errno_text(&error), self.program.to_string_lossy());
            Failure::new("Error executing command.")
                .with("rc", error.raw_os_error().unwrap_or(257))
                .with("cmd", super::words::join(&self.argv()))
                .with("stdout", "")
                .with("stderr", "")
                .with("exception", why)
        })?;
        let group = Pid::from_child(&child);
        cancel.enter(group, self.protected);
        let stdin = self.stdin.as_deref().unwrap_or_default();
        let gathered = Gather::of(&mut child, stdin).and_then(|gather| gather.until_end(&mut child, self.timeout));
        cancel.leave();
        let Gathered { stdout, stderr, end } = gathered.map_err(|error| {
            end_group(&mut child, group);
            Failure::new(format!(
                "could not read the output of `{}`: {}",
                self.program.to_string_lossy(),
                crate::outcome::errno_text(&error)
            ))
        })?;
        match end {
            End::Exited(_) if cancel.is_cancelled() && !self.protected => Err(Failure::new("the task was cancelled")),
            End::Exited(status) => Ok(Output { status, stdout, stderr }),
            End::TimedOut => {
                end_group(&mut child, group);
                let seconds = self.timeout.unwrap_or_default().as_secs();
                Err(Failure::new(format!("`{}` did not end within {seconds} s", self.program.to_string_lossy())))
            }
            End::TooMuch => {
                end_group(&mut child, group);
                Err(Failure::new(format!("`{}` wrote more than {} MiB", self.program.to_string_lossy(), OUTPUT_LIMIT >> 20)))
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the door for programs")]
    fn spawn(&self, environment: &Environment) -> std::io::Result<Child> {
        let missing = || std::io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
        let cwd = self.cwd.as_ref().map_or_else(|| environment.cwd.clone(), |folder| environment.absolute(folder));
        let name = self.program.to_string_lossy();
        let program = if name.contains('/') {
            if Path::new(&self.program).is_absolute() { PathBuf::from(&self.program) } else { cwd.join(&self.program) }
        } else {
            environment.find_program(&name).ok_or_else(missing)?
        };
        let mut command = std::process::Command::new(program);
        command.arg0(&self.program).args(&self.args).env_clear().envs(environment.all()).process_group(0);
        for (name, value) in &self.changes {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if !cwd.as_os_str().is_empty() {
            command.current_dir(cwd);
        }
        command.stdin(if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

/// How a program ended, and what it wrote.
#[derive(Clone, Debug)]
pub struct Output {
    status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Output {
    /// The exit code; a signal is its negative number, as in Python.
    pub fn rc(&self) -> i32 {
        self.status.code().unwrap_or_else(|| -self.status.signal().unwrap_or(1))
    }

    /// Whether the exit code is 0.
    pub fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// Stdout as text; bytes that are not UTF-8 show as replacement characters.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stderr as text.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Stdout and stderr as a module gives them back: Ansible refuses bytes that are not UTF-8 in the result of a success, and escapes
    /// them in that of a failure.
    pub fn texts(&self) -> Result<(String, String)> {
        if !self.succeeded() {
            return Ok((escaped(&self.stdout), escaped(&self.stderr)));
        }
        Ok((utf8(&self.stdout)?, utf8(&self.stderr)?))
    }

    /// This output, or the failure `message` with `rc`, `stdout` and `stderr` if the exit code is not 0.
    pub fn or_fail(self, message: impl FnOnce(&Self) -> String) -> Result<Self> {
        if self.succeeded() {
            return Ok(self);
        }
        let failure = Failure::new(message(&self));
        Err(failure.with("rc", self.rc()).with("stdout", self.stdout()).with("stderr", self.stderr()))
    }
}

/// A small question to a tool of the system, where there is no host at hand: its stdout if it succeeded.
#[expect(clippy::disallowed_methods, reason = "the door for programs")]
pub(super) fn plain_query(program: &str, args: &[&str]) -> Option<Vec<u8>> {
    let program = Environment::default().find_program(program)?;
    let output = std::process::Command::new(program).args(args).env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(output.stdout)
}

enum End {
    Exited(ExitStatus),
    TimedOut,
    TooMuch,
}

struct Gathered {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    end: End,
}

/// The pipes of a running child.
struct Gather<'a> {
    stdin: Option<std::process::ChildStdin>,
    to_write: &'a [u8],
    pipes: [Option<OwnedFd>; 2],
    texts: [Vec<u8>; 2],
    /// Readable when the child has ended; kernels before 5.3 have none.
    ended: Option<OwnedFd>,
}

impl<'a> Gather<'a> {
    fn of(child: &mut Child, to_write: &'a [u8]) -> std::io::Result<Self> {
        let stdin = child.stdin.take();
        let pipes = [child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from)];
        for fd in pipes.iter().flatten().map(AsFd::as_fd).chain(stdin.as_ref().map(AsFd::as_fd)) {
            rustix::io::ioctl_fionbio(fd, true)?;
        }
        let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok();
        Ok(Self { stdin, to_write, pipes, texts: [Vec::new(), Vec::new()], ended })
    }

    fn until_end(mut self, child: &mut Child, timeout: Option<Duration>) -> std::io::Result<Gathered> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut status = None;
        let mut quiet_since = Instant::now();
        let end = loop {
            if self.write()? | self.read()? {
                quiet_since = Instant::now();
            }
            if self.texts.iter().any(|text| text.len() > OUTPUT_LIMIT) {
                break End::TooMuch;
            }
            if status.is_none() {
                status = child.try_wait()?;
                if status.is_some() {
                    quiet_since = Instant::now();
                    continue;
                }
            }
            if let Some(status) = status
                && (self.pipes.iter().all(Option::is_none) || quiet_since.elapsed() >= SILENCE)
            {
                break End::Exited(status);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| now >= deadline) && status.is_none() {
                break End::TimedOut;
            }
            let until_deadline = deadline.filter(|_| status.is_none()).map(|deadline| deadline - now);
            let until_silence = status.map(|_| SILENCE.saturating_sub(quiet_since.elapsed()));
            // Without a pidfd, and with no pipe that would tell, the child is looked at now and then.
            let until_look = (status.is_none() && self.ended.is_none()).then_some(Duration::from_millis(10));
            self.wait(status.is_none(), [until_deadline, until_silence, until_look].into_iter().flatten().min())?;
        };
        let [stdout, stderr] = self.texts;
        Ok(Gathered { stdout, stderr, end })
    }

    fn wait(&self, running: bool, timeout: Option<Duration>) -> std::io::Result<()> {
        let mut fds: Vec<PollFd<'_>> = self.pipes.iter().flatten().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
        if let Some(stdin) = &self.stdin {
            fds.push(PollFd::new(stdin, PollFlags::OUT));
        }
        if let Some(ended) = self.ended.as_ref().filter(|_| running) {
            fds.push(PollFd::new(ended, PollFlags::IN));
        }
        let timeout = timeout.map(|timeout| Timespec::try_from(timeout.max(Duration::from_millis(1))).expect("deadlines are short"));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes what the pipe takes; the end of the text, or of its reader, closes it.
    fn write(&mut self) -> std::io::Result<bool> {
        let mut progress = false;
        while let Some(stdin) = &mut self.stdin {
            if self.to_write.is_empty() {
                self.stdin = None;
                break;
            }
            match stdin.write(self.to_write) {
                Ok(count) => {
                    self.to_write = &self.to_write[count..];
                    progress = true;
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // It does not want to read it all: that is its business.
                Err(_) => self.stdin = None,
            }
        }
        Ok(progress)
    }

    fn read(&mut self) -> std::io::Result<bool> {
        let mut progress = false;
        for (pipe, text) in self.pipes.iter_mut().zip(&mut self.texts) {
            let Some(fd) = pipe else { continue };
            match read_available(fd.as_fd(), text)? {
                Available::End => *pipe = None,
                Available::Some => progress = true,
                Available::Nothing => {}
            }
        }
        Ok(progress)
    }
}

enum Available {
    Nothing,
    Some,
    End,
}

fn read_available(fd: BorrowedFd<'_>, text: &mut Vec<u8>) -> std::io::Result<Available> {
    let mut buffer = [0; 64 << 10];
    let before = text.len();
    loop {
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) => return Ok(Available::End),
            Ok(count) => text.extend_from_slice(&buffer[..count]),
            Err(rustix::io::Errno::AGAIN) => return Ok(if text.len() > before { Available::Some } else { Available::Nothing }),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if text.len() > OUTPUT_LIMIT {
            return Ok(Available::Some);
        }
    }
}

/// TERM to the whole group, KILL to what is left of it after a while.
fn end_group(child: &mut Child, group: Pid) {
    // Each of these fails only where there is nobody left.
    let _ = kill_process_group(group, Signal::TERM);
    let until = Instant::now() + GRACE;
    while Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

fn utf8(bytes: &[u8]) -> Result<String> {
    let refused = |error: std::str::Utf8Error| {
        let good = error.valid_up_to();
        let position = String::from_utf8_lossy(&bytes[..good]).chars().count();
        let byte = bytes[good];
        Failure::new(format!(
            "Task failed: Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode character '\\udc{byte:02x}' in \
             position {position}: surrogates not allowed"
        ))
    };
    std::str::from_utf8(bytes).map(str::to_owned).map_err(refused)
}

/// The text with `\xff` for a byte that is not UTF-8.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn shell(line: &str) -> (Command, Arc<Cancel>) {
        let surroundings = Surroundings::default();
        let cancel = Arc::clone(&surroundings.cancel);
        (Command::new(OsStr::new("/bin/sh"), surroundings).args(["-c", line]), cancel)
    }

    #[test]
    fn output_exit_code_and_signal_come_back() {
        let output = shell("cat; echo err >&2; exit 4").0.stdin("in").run().unwrap();
        assert_eq!((output.stdout().as_str(), output.stderr().as_str(), output.rc()), ("in", "err\n", 4));
        assert_eq!(shell("kill -TERM $$").0.run().unwrap().rc(), -15);
    }

    #[test]
    fn much_goes_both_ways_at_once() {
        let input = vec![b'x'; 3 << 20];
        let output = shell("tee /dev/stderr").0.stdin(input.clone()).run().unwrap();
        assert!(output.stdout == input && output.stderr == input);
    }

    #[test]
    fn a_deadline_ends_the_whole_group() {
        let start = Instant::now();
        let error = shell("sleep 60 & sleep 60").0.timeout(Duration::from_millis(200)).run().unwrap_err();
        assert!(error.message().contains("did not end within"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_cancelled_request_ends_its_program_unless_it_must_finish() {
        let (command, cancel) = shell("sleep 60");
        let waiting = thread::spawn(move || command.run());
        while cancel.group().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().message(), "the task was cancelled");
        let (command, cancel) = shell("sleep 0.3; echo done");
        let finishing = thread::spawn(move || command.let_finish().run());
        while cancel.group().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        cancel.cancel();
        assert_eq!(finishing.join().unwrap().unwrap().stdout(), "done\n");
    }
}

//! A child process on the control machine and its three pipes, driven without blocking: what `local` and the system's `ssh` share.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::stream::Buffers;
use super::wake::{signal_name, timespec};
use super::{ConnectionError, Deadline, Exit};

/// How much is read at a time.
const SLICE: usize = 64 * 1024;

/// How long a pipe that a daemon holds open is read after the command itself has ended.
const AFTER_EXIT: Duration = Duration::from_millis(50);

/// How long a child that is let go has for its end.
const GRACE: Duration = Duration::from_secs(5);

/// What becomes of a child that is let go while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// It goes on; it sees that its input ends.
    Leave,
    /// It may end by itself now that its input ends, and is killed with its process group if it does not.
    Grace,
}

/// A running child.
#[derive(Debug)]
pub(super) struct ChildStream {
    /// `None` once it was handed to the reaper.
    child: Option<Child>,
    ended: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    farewell: Farewell,
    /// Where output is read to first.
    scratch: Vec<u8>,
    pub(super) buffers: Buffers,
}

impl ChildStream {
    /// Starts `command` in a process group of its own, so that Ctrl-C is ours alone to handle.
    pub(super) fn start(mut command: Command, farewell: Farewell) -> Result<Self, ConnectionError> {
        let name = command.get_program().to_string_lossy().into_owned();
        let failed = |error: std::io::Error| ConnectionError::system(name.clone(), error);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let pid = Pid::from_child(&child);
        let ended = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| ConnectionError::system("pidfd_open", error))?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let pipes = [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
        for pipe in pipes.into_iter().flatten() {
            set_nonblocking(pipe)?;
        }
        Ok(Self { child: Some(child), ended, stdin, stdout, stderr, farewell, scratch: vec![0; SLICE], buffers: Buffers::default() })
    }

    /// Moves what can be moved; `true` if anything did.
    pub(super) fn pump(&mut self) -> Result<bool, ConnectionError> {
        if self.buffers.exit.is_some() {
            return Ok(false);
        }
        // The child's end is looked at first: what it wrote before is then surely in the pipes.
        let exit = self.try_exit()?;
        let mut moved = self.write()?;
        moved |= self.read_both()?;
        if let Some(exit) = exit {
            self.read_the_rest()?;
            self.buffers.exit = Some(exit);
            self.buffers.discard();
            self.stdin = None;
            moved = true;
        }
        Ok(moved)
    }

    /// The descriptors to wait for, and for what.
    pub(super) fn interest(&self) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let mut fds = vec![(self.ended.as_fd(), PollFlags::IN)];
        if self.buffers.unsent() > 0 {
            fds.extend(self.stdin.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::OUT)));
        }
        if self.buffers.has_space() {
            fds.extend(self.stdout.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
            fds.extend(self.stderr.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::IN)));
        }
        fds
    }

    fn try_exit(&mut self) -> Result<Option<Exit>, ConnectionError> {
        let child = self.child.as_mut().expect("a child is handed to the reaper only when dropped");
        let status = child.try_wait().map_err(|error| ConnectionError::system("wait", error))?;
        Ok(status.map(|status| match status.code() {
            Some(code) => Exit::Code(code),
            None => Exit::Signal(signal_name(status.signal().unwrap_or(0))),
        }))
    }

    fn write(&mut self) -> Result<bool, ConnectionError> {
        let mut moved = false;
        while let Some(stdin) = &mut self.stdin {
            if self.buffers.unsent() == 0 {
                if self.buffers.input_ended {
                    self.stdin = None;
                }
                break;
            }
            match stdin.write(self.buffers.front()) {
                Ok(count) => {
                    self.buffers.advance(count);
                    moved = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // The child does not read any more, as `head` does not: how it ends will tell.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    self.buffers.discard();
                    self.stdin = None;
                }
                Err(error) => return Err(ConnectionError::system("write", error)),
            }
        }
        Ok(moved)
    }

    fn read_both(&mut self) -> Result<bool, ConnectionError> {
        if !self.buffers.has_space() {
            return Ok(false);
        }
        let out = read_pipe(&mut self.stdout, &mut self.buffers.stdout, &mut self.scratch)?;
        let err = read_pipe(&mut self.stderr, &mut self.buffers.stderr, &mut self.scratch)?;
        Ok(out | err)
    }

    /// After the end: the output is whole when both pipes end, but a daemon that was left behind may hold them open.
    fn read_the_rest(&mut self) -> Result<(), ConnectionError> {
        let enough = Deadline::after(20 * AFTER_EXIT);
        while (self.stdout.is_some() || self.stderr.is_some()) && self.buffers.has_space() && !enough.is_over() {
            if !self.read_both()? && !self.wait_for_output()? {
                break;
            }
        }
        Ok(())
    }

    /// Whether output comes, or ends, within a moment.
    fn wait_for_output(&self) -> Result<bool, ConnectionError> {
        let pipes = [self.stdout.as_ref().map(AsFd::as_fd), self.stderr.as_ref().map(AsFd::as_fd)];
        let mut fds: Vec<_> = pipes.iter().flatten().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)).collect();
        let ready = poll(&mut fds, Some(&timespec(AFTER_EXIT)));
        Ok(ready.map_err(|error| ConnectionError::system("poll", error))? > 0)
    }
}

impl Drop for ChildStream {
    fn drop(&mut self) {
        self.stdin = None;
        self.stdout = None;
        self.stderr = None;
        let Some(mut child) = self.child.take() else { return };
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        let pid = Pid::from_child(&child);
        let ended = self.ended.try_clone().ok().filter(|_| self.farewell == Farewell::Grace);
        let reap = move || {
            if let Some(ended) = ended {
                let mut fds = [PollFd::new(&ended, PollFlags::IN)];
                if !poll(&mut fds, Some(&timespec(GRACE))).is_ok_and(|ready| ready > 0) {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
            }
            child.wait()
        };
        // Somebody must wait for it, or it stays in the process table until we end.
        let _ = std::thread::Builder::new().name("reaper".to_owned()).stack_size(64 * 1024).spawn(reap);
    }
}

/// Reads one slice; `true` if something came or the pipe ended.
fn read_pipe(pipe: &mut Option<impl Read>, into: &mut Vec<u8>, scratch: &mut [u8]) -> Result<bool, ConnectionError> {
    let Some(reader) = pipe else { return Ok(false) };
    match reader.read(scratch) {
        Ok(0) => *pipe = None,
        Ok(count) => into.extend_from_slice(&scratch[..count]),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(false),
        Err(error) => return Err(ConnectionError::system("read", error)),
    }
    Ok(true)
}

/// Our end of the pipe alone: the child's is another open file.
pub(super) fn set_nonblocking(fd: BorrowedFd<'_>) -> Result<(), ConnectionError> {
    let flags = rustix::fs::fcntl_getfl(fd).map_err(|error| ConnectionError::system("fcntl", error))?;
    rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK).map_err(|error| ConnectionError::system("fcntl", error))
}

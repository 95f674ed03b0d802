//! The control machine as a managed host: every command is a child process.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::{ChildStream, Farewell};
use super::stream::{self, Buffers, Engine};
use super::wake::{self, Wait};
use super::{Connection, ConnectionError, Deadline, ReadEvent, StreamId, Waker};

/// Runs commands with `/bin/sh -c`.
#[derive(Debug)]
pub struct Local {
    dir: Option<PathBuf>,
    streams: BTreeMap<StreamId, ChildStream>,
    next: u64,
    waker: Waker,
}

impl Local {
    /// Commands run in `dir`; `None`: where we were started.
    pub fn new(dir: Option<&Path>) -> Result<Self, ConnectionError> {
        Ok(Self::with_waker(dir, &Waker::new()?))
    }

    /// The same, woken by a waker that is there already.
    pub(super) fn with_waker(dir: Option<&Path>, waker: &Waker) -> Self {
        Self { dir: dir.map(Path::to_owned), streams: BTreeMap::new(), next: 0, waker: waker.clone() }
    }
}

impl Connection for Local {
    fn spawn(&mut self, command: &str, _deadline: Deadline) -> Result<StreamId, ConnectionError> {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(command);
        if let Some(dir) = &self.dir {
            shell.current_dir(dir);
        }
        let id = StreamId(self.next);
        self.next += 1;
        self.streams.insert(id, ChildStream::start(shell, Farewell::Leave)?);
        Ok(id)
    }

    fn send(&mut self, stream: StreamId, bytes: &[u8]) {
        if let Some(child) = self.streams.get_mut(&stream) {
            child.buffers.queue(bytes);
        }
    }

    fn end_input(&mut self, stream: StreamId) {
        if let Some(child) = self.streams.get_mut(&stream) {
            child.buffers.input_ended = true;
        }
    }

    fn unsent(&self, stream: StreamId) -> usize {
        self.streams.get(&stream).map_or(0, |child| child.buffers.unsent())
    }

    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, deadline: Deadline) -> Result<ReadEvent, ConnectionError> {
        stream::read(self, stream, into, deadline)
    }

    fn flush(&mut self, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError> {
        stream::flush(self, stream, deadline)
    }

    fn close_stream(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    fn tend(&mut self) -> Result<(), ConnectionError> {
        Ok(())
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn close(self: Box<Self>) {}
}

impl Engine for Local {
    fn buffers(&mut self, stream: StreamId) -> Result<&mut Buffers, ConnectionError> {
        Ok(&mut self.child(stream)?.buffers)
    }

    fn pump(&mut self, stream: StreamId) -> Result<bool, ConnectionError> {
        self.child(stream)?.pump()
    }

    fn wait(&mut self, stream: StreamId, deadline: Deadline) -> Result<Wait, ConnectionError> {
        let waker = self.waker.clone();
        wake::wait(&self.child(stream)?.interest(), &waker, deadline)
    }
}

impl Local {
    fn child(&mut self, stream: StreamId) -> Result<&mut ChildStream, ConnectionError> {
        self.streams.get_mut(&stream).ok_or_else(|| ConnectionError::Closed("the stream was closed".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::{Exit, ROOM};
    use super::*;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(20))
    }

    #[test]
    fn exec_gives_output_and_code() {
        let mut local = Local::new(Some(Path::new("/"))).unwrap();
        let output = local.exec("cat; pwd; echo err >&2; exit 3", b"in\n", soon()).unwrap();
        assert_eq!((&*output.stdout, &*output.stderr, output.exit), (&b"in\n/\n"[..], &b"err\n"[..], Exit::Code(3)));
        assert_eq!(local.exec("kill -9 $$", b"", soon()).unwrap().exit, Exit::Signal("KILL".to_owned()));
        assert_eq!(local.exec("head -c 1", &vec![b'x'; 1 << 20], soon()).unwrap().stdout, b"x");
    }

    #[test]
    fn much_goes_both_ways_at_once() {
        let mut local = Local::new(None).unwrap();
        let bytes = vec![b'y'; 8 << 20];
        let output = local.exec("tee /dev/stderr", &bytes, soon()).unwrap();
        assert!(output.stdout == bytes && output.stderr == bytes);
    }

    #[test]
    fn a_command_that_takes_too_long_is_let_go() {
        let mut local = Local::new(None).unwrap();
        let start = Instant::now();
        let error = local.exec("sleep 5", b"", Deadline::after(Duration::from_millis(100))).unwrap_err();
        assert_eq!(error.to_string(), "Failed to connect to the host via ssh: timed out after 0.1 s waiting for the command to end");
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_daemon_that_holds_the_pipe_does_not_hold_us() {
        let mut local = Local::new(None).unwrap();
        let start = Instant::now();
        assert_eq!(local.exec("sleep 5 & echo started", b"", soon()).unwrap().stdout, b"started\n");
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn room_is_told_and_another_thread_can_wake() {
        let mut local = Local::new(None).unwrap();
        let stream = local.spawn("sleep 0.2; cat >/dev/null; sleep 5", soon()).unwrap();
        local.send(stream, &vec![0; 4 * ROOM]);
        let mut bytes = Vec::new();
        assert_eq!(local.read(stream, &mut bytes, soon()).unwrap(), ReadEvent::Room);
        assert!(local.unsent(stream) <= ROOM);
        let waker = local.waker();
        std::thread::spawn(move || waker.wake());
        assert_eq!(local.read(stream, &mut bytes, soon()).unwrap(), ReadEvent::Woken);
        assert_eq!(local.read(stream, &mut bytes, Deadline::after(Duration::from_millis(1))).unwrap(), ReadEvent::Timeout);
        assert!(local.flush(stream, soon()).is_ok() && local.unsent(stream) == 0);
    }
}

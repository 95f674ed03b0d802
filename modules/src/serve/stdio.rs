//! The protocol's descriptors, moved away from 0 and 1: what a module or a careless program writes to its standard output goes to
//! stderr and cannot corrupt the stream, and what it reads from its standard input is /dev/null.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::stdio::{dup2_stdin, dup2_stdout, stderr, stdin, stdout};

/// The two ends of the stream to the controller.
pub struct Channel {
    /// Where its frames come from.
    pub input: OwnedFd,
    /// Where ours go to.
    pub output: OwnedFd,
}

/// Takes standard input and output for the protocol.
pub fn take() -> io::Result<Channel> {
    let input = fcntl_dupfd_cloexec(stdin(), 3)?;
    let output = fcntl_dupfd_cloexec(stdout(), 3)?;
    let null = File::open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(stderr())?;
    Ok(Channel { input, output })
}

//! The thread that reads what the controller sends. It hands everything on and waits for nothing but its input, so a request that
//! runs for hours can be cancelled, and a lost channel is noticed at once.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use driftless_wire::{CHUNK, Decoder, Frame, FromHelper, ToHelper};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Shared;
use super::flight::GRACE;
use super::inbox::End;

/// Reads until the channel ends, then ends what has to end.
pub fn run(shared: &Shared, input: &OwnedFd, idle_limit: Option<Duration>) {
    let mut decoder = Decoder::new();
    let mut piece = vec![0; CHUNK];
    loop {
        if let Some(limit) = idle_limit
            && !is_heard(input, limit)
        {
            return lost(shared);
        }
        match rustix::io::read(input, &mut piece) {
            // The terminal of a child whose other side is closed gives EIO.
            Ok(0) => return lost(shared),
            Ok(count) => decoder.feed(&piece[..count]),
            Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => {
                is_heard(input, Duration::from_secs(60));
                continue;
            }
            Err(_) => return lost(shared),
        }
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => {
                    if hand_on(shared, frame).is_err() {
                        return lost(shared);
                    }
                }
                Ok(None) => break,
                Err(_) => return lost(shared),
            }
        }
    }
}

/// Waits until there is something to read; `false` when nothing came for so long.
fn is_heard(input: &OwnedFd, limit: Duration) -> bool {
    let until = Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(input, PollFlags::IN)], Some(&left)) {
            Ok(0) => return false,
            Err(Errno::INTR) => {}
            Ok(_) | Err(_) => return true,
        }
    }
}

/// What cannot be understood: the stream is of no use any more.
struct Garbled;

fn hand_on(shared: &Shared, frame: Frame) -> Result<(), Garbled> {
    match frame {
        Frame::Message(text) => {
            let message = ToHelper::from_text(&text).map_err(|error| {
                super::complain(&format!("could not read a message of the controller: {error}"));
                Garbled
            })?;
            obey(shared, message);
        }
        Frame::Chunk(stream, bytes) => shared.inbox.chunk(stream, bytes),
        Frame::End(stream) => shared.inbox.stream_end(stream),
        Frame::Relay(helper, bytes) => shared.relay.input(helper, bytes),
    }
    Ok(())
}

fn obey(shared: &Shared, message: ToHelper) {
    match message {
        ToHelper::Run(run) => shared.inbox.add(*run),
        ToHelper::Cancel { id } => {
            if !shared.inbox.cancel(id) {
                shared.flight.cancel(id);
                shared.inbox.nudge();
            }
        }
        ToHelper::PullFailed { stream, message } => shared.inbox.stream_failed(stream, message),
        ToHelper::Credit { helper, bytes } => shared.relay.credit(helper, bytes),
        ToHelper::StartHelper(start) => shared.relay.start(*start),
        ToHelper::KillHelper { helper } => shared.relay.close(helper),
        ToHelper::Close => shared.inbox.end(End::Closed),
        ToHelper::Ping { nonce } => shared.outbox.urgent(&FromHelper::Pong { nonce }),
    }
}

/// The channel is lost: cancels the request that runs and ends the process, at the latest when the grace is over; only a package
/// transaction is waited for. The children see the end of their input and do the same.
fn lost(shared: &Shared) {
    shared.inbox.end(End::Lost);
    shared.relay.close_all();
    if let Some((_, cancel)) = shared.flight.current() {
        cancel.cancel();
        std::thread::sleep(GRACE);
        cancel.kill();
    }
    std::thread::sleep(Duration::from_millis(1200));
    while shared.flight.current().is_some_and(|(_, cancel)| cancel.is_protected()) {
        std::thread::sleep(Duration::from_millis(100));
    }
    // The worker ends the process as soon as it can; here it could not.
    std::process::exit(1);
}

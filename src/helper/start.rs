//! Starts helpers: the login's, putting it on the host first when it is not there, and those of other users, which the login's starts.

use std::borrow::Cow;
use std::time::Duration;

use driftless_modules::serve::bootstrap::{self, FAILED, FOLDERS, PLATFORM, Packing, Shell, WANT};
use driftless_wire::{FromHelper, Hello, MARKER, StartHelper, ToHelper, VERSION};

use super::link::{Event, Link, Received, Target};
use super::request::RunError;
use super::session::SessionOptions;
use super::store::Store;
use crate::transport::{Become, ConnectionError, Deadline, ROOM, ReadEvent, StreamId};

/// Banners and rc files may say so much before the marker.
const NOISE: usize = 1 << 20;

/// Starts the login's helper.
pub(super) fn login(link: &mut Link, store: &Store, options: &SessionOptions) -> Result<(), RunError> {
    let deadline = Deadline::after(options.start_timeout);
    let mut skip = 0;
    loop {
        let shell = if options.shell_stays { Shell::Stays } else { Shell::Replaced };
        let script = bootstrap::script(&store.binaries(), skip, Packing::Gzip, shell, "serve");
        // The login's own shell may be any: all know `exec` and single quotes.
        let stream = link.connection.spawn(&format!("exec /bin/sh -c '{script}'"), deadline)?;
        match until_marker(link, stream, store, deadline) {
            Ok(Begun::Helper(rest)) => {
                link.begin(stream, &rest);
                break;
            }
            Ok(Begun::NoRoom(_)) if skip + 1 < FOLDERS.len() => {
                link.connection.close_stream(stream);
                // The next folder may be on a file system with room.
                skip += 1;
            }
            Ok(Begun::NoRoom(why)) => {
                link.connection.close_stream(stream);
                return Err(RunError::Deploy(format!("could not put the helper on the host: {why}")));
            }
            Err(error) => {
                link.connection.close_stream(stream);
                return Err(error);
            }
        }
    }
    hello(link, Target::Login, deadline)
}

/// What a bootstrap came to.
enum Begun {
    /// A helper runs; this came after its marker.
    Helper(Vec<u8>),
    /// The folder did not take it.
    NoRoom(String),
}

fn until_marker(link: &mut Link, stream: StreamId, store: &Store, deadline: Deadline) -> Result<Begun, RunError> {
    let (mut said, mut complained, mut heard) = (Vec::new(), Vec::new(), 0);
    let mut bytes = Vec::new();
    let mut upload: Option<Upload<'_>> = None;
    loop {
        if let Some(upload) = &mut upload {
            upload.feed(link, stream);
        }
        bytes.clear();
        match link.connection.read(stream, &mut bytes, deadline)? {
            ReadEvent::Stdout(count) => {
                heard += count;
                said.append(&mut bytes);
            }
            ReadEvent::Stderr(count) => {
                heard += count;
                complained.append(&mut bytes);
                continue;
            }
            ReadEvent::Room => continue,
            ReadEvent::Exit(exit) => {
                let text = [said, complained].concat();
                let text = String::from_utf8_lossy(&text).trim().to_owned();
                let text = if text.is_empty() { String::new() } else { format!(": {text}") };
                return Err(RunError::Deploy(format!("the host's shell ended by {exit} before the helper started{text}")));
            }
            ReadEvent::Timeout => return Err(ConnectionError::timeout("waiting for the helper to start", deadline).into()),
            ReadEvent::Woken => return Err(RunError::Cancelled),
        }
        while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = said.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line == MARKER {
                return Ok(Begun::Helper(said));
            } else if let Some(wish) = line.strip_prefix(WANT) {
                upload = Some(Upload::begin(link, stream, store, wish)?);
            } else if let Some(why) = line.strip_prefix(FAILED) {
                let text = String::from_utf8_lossy(&complained).trim().to_owned();
                let text = if text.is_empty() { String::new() } else { format!(": {text}") };
                return Ok(Begun::NoRoom(format!("{why}{text}")));
            } else if let Some(platform) = line.strip_prefix(PLATFORM) {
                return Err(no_helper_for(platform, store));
            }
        }
        if heard > NOISE {
            return Err(RunError::Protocol(format!("found {heard} bytes before the helper's marker, wanted at most {NOISE}")));
        }
    }
}

/// A helper on its way to a host that has none yet. It leaves in slices, since a thousand hosts may want one at once.
struct Upload<'s> {
    bytes: Cow<'s, [u8]>,
    sent: usize,
}

impl<'s> Upload<'s> {
    /// Tells the host, which said what it wants, what will come.
    fn begin(link: &mut Link, stream: StreamId, store: &'s Store, wish: &str) -> Result<Self, RunError> {
        let (packing, name) = (wish.split(' ').next().unwrap_or_default(), wish.rsplit(' ').next().unwrap_or_default());
        let helper = store
            .by_file_name(name)
            .ok_or_else(|| RunError::Protocol(format!("the host wants a helper `{name}`, which it was not offered")))?;
        let bytes = if packing == "gzip" { Cow::Borrowed(helper.packed()) } else { Cow::Owned(helper.unpacked()) };
        link.connection.send(stream, format!("{} {}\n", bytes.len(), helper.sha256()).as_bytes());
        Ok(Self { bytes, sent: 0 })
    }

    /// Queues as much as fits: more than [`ROOM`], so that the connection tells when it has left.
    fn feed(&mut self, link: &mut Link, stream: StreamId) {
        while self.sent < self.bytes.len() && link.connection.unsent(stream) <= ROOM {
            let slice = &self.bytes[self.sent..self.bytes.len().min(self.sent + ROOM + ROOM / 4)];
            link.connection.send(stream, slice);
            self.sent += slice.len();
        }
    }
}

fn no_helper_for(platform: &str, store: &Store) -> RunError {
    let name = platform.to_lowercase().replace(' ', "-");
    RunError::Deploy(format!(
        "there is no helper for the host's platform `{platform}`, only for {}; hint: build driftless with `DRIFTLESS_HELPER_DIR=<dir>`, \
         where <dir> holds `driftless-helper-{name}`",
        store.platforms()
    ))
}

/// Starts the helper of another user.
pub(super) fn relayed(link: &mut Link, helper: u32, become_: &Become, options: &SessionOptions) -> Result<(), RunError> {
    let seconds = become_.patience.as_secs().max(1);
    let start = StartHelper { helper, become_: become_.wired().map_err(RunError::Become)?, seconds };
    link.expect(helper);
    link.message(Target::Login, &ToHelper::StartHelper(Box::new(start)));
    // The login helper keeps the time for the prompt; ours is for a login helper that does not answer, and for pushing the binary.
    let deadline = Deadline::after(Duration::from_secs(seconds) + options.start_timeout);
    let target = Target::Relayed(helper);
    match next(link, target, deadline)? {
        Event::Started => hello(link, target, deadline),
        event => Err(ended(event)),
    }
}

/// The helper's first message.
fn hello(link: &mut Link, target: Target, deadline: Deadline) -> Result<(), RunError> {
    match next(link, target, deadline)? {
        Event::Message(FromHelper::Hello(Hello { version: VERSION, .. })) => Ok(()),
        Event::Message(FromHelper::Hello(Hello { version, .. })) => {
            link.let_go(target);
            Err(RunError::Protocol(format!("the helper speaks version {version}, wanted {VERSION}")))
        }
        event => {
            link.let_go(target);
            Err(ended(event))
        }
    }
}

fn next(link: &mut Link, target: Target, deadline: Deadline) -> Result<Event, RunError> {
    loop {
        if let Some(event) = link.take(target) {
            return Ok(event);
        }
        if !link.is_alive(target) {
            return Err(RunError::Deploy("the helper ended before it said anything".to_owned()));
        }
        match link.receive(deadline)? {
            Received::Something => {}
            Received::Timeout => {
                link.let_go(target);
                return Err(ConnectionError::timeout("waiting for the helper to start", deadline).into());
            }
            Received::Woken => {
                link.let_go(target);
                return Err(RunError::Cancelled);
            }
        }
    }
}

/// What came instead of the beginning.
fn ended(event: Event) -> RunError {
    match event {
        Event::Gone { end, stderr } => {
            let text = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
            RunError::Deploy(format!("the helper ended by {} as it started{text}", end.describe()))
        }
        Event::Garbage(why) => RunError::Protocol(why),
        Event::BecomeFailed(failure) => RunError::Become(failure),
        Event::Message(_) | Event::Chunk(..) | Event::End(_) | Event::Started => {
            RunError::Protocol("the helper's first message was no `hello`".to_owned())
        }
    }
}

//! The helper: the process that runs modules on the managed host, as the controller asks it to. [`run`] is the whole program.
//!
//! | file | is |
//! |---|---|
//! | `bootstrap` | the shell text that starts a helper, and puts it there first |
//! | `stdio`, `login` | what is noted and moved at the start |
//! | `reader` | the thread that reads frames; never waits for anything else |
//! | `inbox`, `outbox` | what came in and waits; what goes out |
//! | `worker` | runs the requests, one at a time |
//! | `contents` | the files that go with a request, and those that come back |
//! | `flight` | the request that runs, and how it is ended |
//! | `relay`, `starting`, `terminal`, `own` | helpers of other users, as children of this one |
//! | `job` | jobs that outlive the helper: `async` |
//!
//! **The end.** Told to close, or with nothing running when its channel is lost, a helper ends itself and nothing else: what finished
//! tasks left running lives on. A lost channel cancels the request that runs: TERM to its process group, KILL after 3 s; a package
//! transaction is let finish. A lost network sends no end: a login helper that hears nothing for 15 minutes ends the same way.

pub mod bootstrap;
mod contents;
mod flight;
mod inbox;
mod job;
mod login;
mod outbox;
mod own;
mod reader;
mod relay;
mod starting;
mod stdio;
mod terminal;
mod worker;

use std::fs::File;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use driftless_wire::{Frame, FromHelper, Hello, MARKER, VERSION};

use flight::Flight;
use inbox::Inbox;
use login::Login;
use outbox::Outbox;
use relay::Relay;

/// A login helper that hears nothing for so long has lost its network.
const IDLE_LIMIT: Duration = Duration::from_secs(15 * 60);

/// What the threads share.
struct Shared {
    inbox: Inbox,
    outbox: Arc<Outbox>,
    relay: Arc<Relay>,
    flight: Flight,
    login: Arc<Login>,
}

/// The program: `serve`, `serve child`, `verify SHA256`, and what it starts itself anew for.
pub fn run(arguments: &[String]) -> ExitCode {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve"] => finish(serve(Some(IDLE_LIMIT))),
        ["serve", "child"] => {
            // Out of the session of the terminal that asked for the password; it fails for who leads one, and then there is none.
            let _ = rustix::process::setsid();
            finish(serve(None))
        }
        ["verify", sha256] => verify(sha256),
        ["terminal", ..] => terminal::run(&arguments[1..]),
        ["job"] => finish(job::supervise()),
        _ => {
            complain("this program is started by driftless on the hosts that it manages; run `driftless --help` on your own");
            ExitCode::from(2)
        }
    }
}

fn finish(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Says something on stderr, which the controller reads. Who cannot be told cannot be helped.
fn complain(message: &str) {
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("driftless-helper: {message}\n").as_bytes());
}

/// Whether this binary is the one that was meant: a cut or changed one is not put into place.
fn verify(wanted: &str) -> ExitCode {
    match File::open(own::PATH).and_then(|mut file| own::sha256_of(&mut file)) {
        Ok(found) if found == wanted => ExitCode::SUCCESS,
        Ok(found) => {
            complain(&format!("found a binary with SHA-256 {found}, wanted {wanted}"));
            ExitCode::FAILURE
        }
        Err(error) => finish(Err(error)),
    }
}

fn serve(idle_limit: Option<Duration>) -> io::Result<()> {
    let channel = stdio::take()?;
    let login = Arc::new(Login::note());
    worker::catch_panics();
    let outbox = Arc::new(Outbox::new(channel.output));
    greet(&outbox)?;
    let relay = Arc::new(Relay::new(Arc::clone(&outbox), Arc::clone(&login)));
    let shared = Arc::new(Shared { inbox: Inbox::default(), outbox, relay, flight: Flight::default(), login });
    {
        let outbox = Arc::clone(&shared.outbox);
        std::thread::Builder::new().name("writer".to_owned()).spawn(move || outbox.run())?;
    }
    {
        let shared = Arc::clone(&shared);
        std::thread::Builder::new().name("reader".to_owned()).spawn(move || reader::run(&shared, &channel.input, idle_limit))?;
    }
    worker::run(&shared);
    shared.relay.close_all();
    shared.relay.wait_all(Duration::from_secs(1));
    if shared.inbox.is_closed() && shared.outbox.message(&FromHelper::Closed).is_ok() {
        shared.outbox.flush();
    }
    Ok(())
}

fn greet(outbox: &Outbox) -> io::Result<()> {
    let hello = Hello {
        version: VERSION,
        pid: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        path: std::fs::read_link(own::PATH).map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let mut bytes = format!("{MARKER}\n").into_bytes();
    Frame::encode_message(&FromHelper::Hello(hello).to_text(), &mut bytes);
    outbox.send(bytes).map_err(|_| io::Error::other("the controller is gone"))
}

//! The whole way: a session, a shell, the real helper, and back. The helper is built by cargo and put into a home of the test's own.

use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use driftless_wire::{Frame, FromHelper, HelperEnd, Json, MARKER};
use serde_json::json;
use tempfile::TempDir;

use super::{AsyncJob, BecomeFailureKind, Request, RunError, Session, SessionOptions, Store};
use crate::transport::privilege::Method;
use crate::transport::{
    Address, Answer, Become, Connection, ConnectionError, Deadline, Local, Plugin, ReadEvent, StreamId, Transport, Waker,
};

/// The helper of this build.
fn binary() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let exe = std::env::current_exe().unwrap();
        let target = exe.ancestors().nth(3).unwrap();
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "-p", "driftless-modules", "--bin", "driftless-helper", "--target-dir"]).arg(target);
        assert!(command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
        target.join("debug/driftless-helper")
    })
}

/// The control machine, where another command line than the one that was asked for is run.
struct Host {
    local: Local,
    rewrite: Box<dyn Fn(&str) -> String + Send>,
}

impl Connection for Host {
    fn spawn(&mut self, command: &str, deadline: Deadline) -> Result<StreamId, ConnectionError> {
        self.local.spawn(&(self.rewrite)(command), deadline)
    }
    fn send(&mut self, stream: StreamId, bytes: &[u8]) {
        self.local.send(stream, bytes);
    }
    fn end_input(&mut self, stream: StreamId) {
        self.local.end_input(stream);
    }
    fn unsent(&self, stream: StreamId) -> usize {
        self.local.unsent(stream)
    }
    fn read(&mut self, stream: StreamId, into: &mut Vec<u8>, deadline: Deadline) -> Result<ReadEvent, ConnectionError> {
        self.local.read(stream, into, deadline)
    }
    fn flush(&mut self, stream: StreamId, deadline: Deadline) -> Result<(), ConnectionError> {
        self.local.flush(stream, deadline)
    }
    fn close_stream(&mut self, stream: StreamId) {
        self.local.close_stream(stream);
    }
    fn tend(&mut self) -> Result<(), ConnectionError> {
        self.local.tend()
    }
    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        self.local.poll_fd()
    }
    fn waker(&self) -> Waker {
        self.local.waker()
    }
    fn close(self: Box<Self>) {
        Box::new(self.local).close();
    }
}

struct World {
    home: TempDir,
    store: Arc<Store>,
}

impl World {
    fn new() -> Self {
        static STORE: OnceLock<Arc<Store>> = OnceLock::new();
        let store = STORE.get_or_init(|| Arc::new(Store::named(binary()).unwrap()));
        Self { home: tempfile::tempdir().unwrap(), store: Arc::clone(store) }
    }

    /// One whose helper lies nowhere yet, also not where an earlier test had to put it.
    fn unspoilt() -> Self {
        let mut world = Self::new();
        world.store = fresh(&world.store, world.home.path());
        world
    }

    fn session(&self) -> Session {
        self.start(None, SessionOptions::default())
    }

    /// A session whose host runs `script` where the helper should be started.
    fn hostile(&self, script: impl Into<String>) -> Session {
        self.start(Some(script.into()), SessionOptions { start_timeout: Duration::from_secs(20), ..SessionOptions::default() })
    }

    /// A session in a home of the test's own.
    fn start(&self, instead: Option<String>, options: SessionOptions) -> Session {
        let home = self.home.path().to_owned();
        let rewrite = move |command: &str| format!("HOME={}; export HOME; {}", home.display(), instead.as_deref().unwrap_or(command));
        session(rewrite, &self.store, options)
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }
}

fn session(rewrite: impl Fn(&str) -> String + Send + 'static, store: &Arc<Store>, options: SessionOptions) -> Session {
    let host = Host { local: Local::new(None).unwrap(), rewrite: Box::new(rewrite) };
    Session::new(Box::new(host), Arc::clone(store), options)
}

fn request(module: &str, args: serde_json::Value) -> Request {
    let spec = driftless_modules::registry::find(module).unwrap().spec();
    Request::new(module, spec.check(args.as_object().unwrap()).unwrap().args)
}

fn shell(line: &str) -> Request {
    request("shell", json!({"_raw_params": line}))
}

fn outcome(session: &mut Session, request: Request) -> Json {
    session.run_one(None, request).unwrap().outcome
}

fn stdout(session: &mut Session, line: &str) -> String {
    outcome(session, shell(line))["stdout"].as_str().unwrap().to_owned()
}

fn run_all(session: &mut Session, requests: Vec<Request>) -> Vec<Result<Json, RunError>> {
    let mut replies = Vec::new();
    session.run(None, &mut requests.into_iter(), &mut |index, reply| {
        assert_eq!(index, replies.len());
        replies.push(reply.map(|reply| reply.outcome));
        ControlFlow::Continue(())
    });
    replies
}

/// Waits until it holds.
#[track_caller]
fn soon(what: &str, limit: Duration, holds: impl Fn() -> bool) {
    let until = Instant::now() + limit;
    while !holds() {
        assert!(Instant::now() < until, "{what}: not after {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lives(pid: &str) -> bool {
    // A zombie in a container without an init is not alive.
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_cold_host_gets_the_helper_and_a_warm_one_starts_it() {
    let world = World::unspoilt();
    let mut session = world.session();
    assert_eq!(outcome(&mut session, request("ping", json!({})))["ping"], "pong");
    session.close();
    let folder = world.home.path().join(".cache/driftless");
    let files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let before = files[0].metadata().unwrap().modified().unwrap();
    let mut session = world.session();
    assert_eq!(outcome(&mut session, request("ping", json!({"data": "again"})))["ping"], "again");
    session.close();
    assert_eq!(files[0].metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn files_that_others_could_change_are_not_started() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::unspoilt();
    world.session().run_one(None, request("ping", json!({}))).unwrap();
    let folder = world.home.path().join(".cache/driftless");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut session = world.session();
    let path = stdout(&mut session, "readlink /proc/$PPID/exe");
    assert!(!path.starts_with(folder.to_str().unwrap()), "{path}");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_thousand_requests_are_answered_in_order() {
    let world = World::new();
    let mut session = world.session();
    let requests = (0..1000).map(|number| request("ping", json!({"data": number.to_string()}))).collect();
    let replies = run_all(&mut session, requests);
    assert_eq!(replies.len(), 1000);
    for (number, reply) in replies.into_iter().enumerate() {
        assert_eq!(reply.unwrap()["ping"], number.to_string());
    }
    session.close();
}

#[test]
fn big_results_and_big_arguments_travel() {
    let world = World::new();
    let mut session = world.session();
    assert_eq!(stdout(&mut session, "head -c 9000000 /dev/zero | tr '\\0' x").len(), 9_000_000);
    let text = "y".repeat(3_000_000);
    let counted = outcome(&mut session, request("command", json!({"_raw_params": "wc -c", "stdin": text, "stdin_add_newline": false})));
    assert_eq!(counted["stdout"], "3000000");
    session.close();
}

#[test]
fn deep_arguments_fail_their_task_only() {
    let world = World::new();
    let mut session = world.session();
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let Err(error) = session.run_one(None, Request::new("ping", json!({"data": deep}).as_object().unwrap().clone())) else {
        panic!("it was understood")
    };
    assert!(matches!(error, RunError::Arguments { .. }), "{error:?}");
    assert_eq!(stdout(&mut session, "echo on"), "on");
}

#[test]
fn a_killed_helper_fails_the_task_it_ran_and_the_others_run() {
    let world = World::new();
    let mut session = world.session();
    let replies = run_all(&mut session, vec![shell("echo 1"), shell("kill -9 $PPID; sleep 5"), shell("echo 3"), shell("echo 4")]);
    assert_eq!(replies[0].as_ref().unwrap()["stdout"], "1");
    let Err(RunError::HelperGone { end, .. }) = &replies[1] else { panic!("{:?}", replies[1]) };
    assert_eq!(*end, HelperEnd::Signal(9));
    assert!(replies[1].as_ref().unwrap_err().to_string().contains("SIGKILL"));
    assert_eq!(replies[2].as_ref().unwrap()["stdout"], "3");
    assert_eq!(replies[3].as_ref().unwrap()["stdout"], "4");
    session.close();
}

#[test]
fn a_request_beyond_its_timeout_is_ended_with_its_processes() {
    let world = World::new();
    let mut session = world.session();
    let file = world.path("pid");
    assert_eq!(stdout(&mut session, "echo on"), "on");
    let slow = Request { timeout: Some(Duration::from_millis(500)), ..shell(&format!("echo $$ >{file}; sleep 60")) };
    let begun = Instant::now();
    let replies = run_all(&mut session, vec![slow, shell("echo next")]);
    assert!(matches!(replies[0], Err(RunError::Timeout(_))), "{:?}", replies[0]);
    assert_eq!(replies[1].as_ref().unwrap()["stdout"], "next");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let pid = std::fs::read_to_string(&file).unwrap();
    soon("the shell is gone", Duration::from_secs(5), || !lives(&pid));
}

#[test]
fn who_ignores_term_is_killed() {
    let world = World::new();
    let mut session = world.session();
    assert_eq!(stdout(&mut session, "echo on"), "on");
    let stubborn = Request { timeout: Some(Duration::from_millis(200)), ..shell("trap '' TERM; sleep 60 & wait; sleep 60") };
    let begun = Instant::now();
    let reply = session.run_one(None, stubborn);
    assert!(matches!(reply, Err(RunError::Timeout(_))), "{reply:?}");
    assert!(begun.elapsed() < Duration::from_secs(7));
}

#[test]
fn cancelling_ends_all_that_is_on_its_way() {
    let world = World::new();
    let mut session = world.session();
    let canceller = session.canceller();
    assert_eq!(stdout(&mut session, "echo on"), "on");
    let begun = Instant::now();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1000));
        canceller.cancel();
    });
    let replies = run_all(&mut session, vec![shell("echo 1"), shell("sleep 60"), shell("sleep 60")]);
    thread.join().unwrap();
    assert!(replies[0].is_ok());
    assert!(replies[1..].iter().all(|reply| matches!(reply, Err(RunError::Cancelled))), "{replies:?}");
    assert!(begun.elapsed() < Duration::from_secs(6));
    assert!(matches!(session.run_one(None, shell("echo")), Err(RunError::Cancelled)));
    session.close();
}

#[test]
fn break_leaves_the_helper_idle() {
    let world = World::new();
    let mut session = world.session();
    let mut seen = 0;
    let mut endless = std::iter::repeat_with(|| shell("echo"));
    session.run(None, &mut endless, &mut |_, _| {
        seen += 1;
        if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(seen, 3);
}

#[test]
fn noise_before_the_marker_is_skipped() {
    let world = World::new();
    let path = binary().display();
    let mut session = world.hostile(format!("echo Welcome; echo; printf 'no newline\\r\\n'; exec {path} serve"));
    assert_eq!(outcome(&mut session, request("ping", json!({})))["ping"], "pong");
}

#[test]
fn hostile_hosts_are_contained() {
    let world = World::new();
    let hello = {
        let hello = driftless_wire::Hello { version: driftless_wire::VERSION, pid: 1, uid: 0, path: String::new() };
        let mut bytes = Vec::new();
        Frame::encode_message(&FromHelper::Hello(hello).to_text(), &mut bytes);
        bytes
    };
    let file = world.path("hello");
    let marker_and_hello = [format!("{MARKER}\n").as_bytes(), &hello].concat();
    std::fs::write(&file, &marker_and_hello).unwrap();
    let early = world.path("early");
    std::fs::write(&early, [&marker_and_hello[..], b"\0\0\0\0\x08\"closed\""].concat()).unwrap();
    let cases = [
        ("endless noise", "yes".to_owned()),
        ("noise without lines", "cat /dev/zero".to_owned()),
        ("garbage for frames", format!("echo {MARKER}; cat /dev/urandom")),
        ("garbage after hello", format!("cat {file}; cat /dev/urandom")),
        ("a huge frame", format!("cat {file}; printf '\\000\\377\\377\\377\\377'; sleep 60")),
        (
            "another outcome",
            format!(
                "cat {file}; printf '\\000\\000\\000\\000\\077{{\"outcome\":{{\"id\":77,\"end\":\"ended\",\"body\":{{\"inline\":{{}}}}}}}}         '; sleep 60"
            ),
        ),
        ("a message for nobody", format!("cat {file}; printf '\\000\\000\\000\\000\\010\"closed\"'; sleep 60")),
        ("the same together with hello", format!("cat {early}; sleep 60")),
        ("it ends at once", "exit 3".to_owned()),
        ("it ends after the marker", format!("echo {MARKER}")),
        ("no folder", "echo DRIFTLESS-FAILED no folder".to_owned()),
        ("another platform", "echo DRIFTLESS-PLATFORM Plan9 mips".to_owned()),
        ("an unknown wish", "echo DRIFTLESS-WANT gzip /tmp ../../etc/passwd; sleep 60".to_owned()),
    ];
    for (name, script) in cases {
        let begun = Instant::now();
        let reply = world.hostile(script).run_one(None, request("ping", json!({})));
        let error = reply.expect_err(name);
        assert!(matches!(error, RunError::Deploy(_) | RunError::Protocol(_) | RunError::HelperGone { .. }), "{name}: {error:?}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{name} took {:?}", begun.elapsed());
    }
}

#[test]
fn end_of_input_in_mid_task_ends_the_task_and_the_helper() {
    use std::io::Write;
    use std::process::Stdio;
    let world = World::new();
    let [task, daemon] = ["task", "daemon"].map(|name| world.path(name));
    let mut child = Command::new(binary()).arg("serve").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let run = |id: u64, request: Request| {
        let run = driftless_wire::Run {
            id,
            module: request.module,
            args: driftless_wire::Body::Inline(request.args),
            secrets: Vec::new(),
            check: false,
            diff: false,
            environment: Vec::new(),
            async_job: None,
            contents: Vec::new(),
            group: None,
        };
        let mut frame = Vec::new();
        Frame::encode_message(&driftless_wire::ToHelper::Run(Box::new(run)).to_text(), &mut frame);
        frame
    };
    let mut input = child.stdin.take().unwrap();
    input.write_all(&run(1, shell(&format!("sleep 60 </dev/null >/dev/null 2>&1 & echo $! >{daemon}")))).unwrap();
    input.write_all(&run(2, shell(&format!("echo $$ >{task}; sleep 60")))).unwrap();
    soon("the task runs", Duration::from_secs(10), || std::fs::read_to_string(&task).is_ok_and(|text| text.ends_with('\n')));
    drop(input);
    let begun = Instant::now();
    child.wait().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    let [task, daemon] = [task, daemon].map(|path| std::fs::read_to_string(path).unwrap());
    soon("the task is gone", Duration::from_secs(1), || !lives(&task));
    assert!(lives(&daemon));
    let _ = Command::new("kill").arg(daemon.trim()).status();
}

#[test]
fn async_jobs_outlive_the_session() {
    let world = World::new();
    let mut session = world.session();
    let job = AsyncJob { seconds: 30, dir: world.path("jobs") };
    let started = outcome(&mut session, Request { async_job: Some(job), ..shell("sleep 0.5; echo done") });
    assert_eq!((&started["started"], &started["finished"]), (&json!(true), &json!(false)));
    let jid = started["ansible_job_id"].as_str().unwrap().to_owned();
    let status = |session: &mut Session| outcome(session, request("async_status", json!({"jid": jid, "_async_dir": world.path("jobs")})));
    assert_eq!(status(&mut session)["finished"], json!(false));
    session.close();
    let mut session = world.session();
    let until = Instant::now() + Duration::from_secs(10);
    let finished = loop {
        let status = status(&mut session);
        if status["finished"] == json!(true) {
            break status;
        }
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(finished["stdout"], "done");
}

#[test]
fn async_jobs_end_at_their_limit() {
    let world = World::new();
    let mut session = world.session();
    let job = AsyncJob { seconds: 1, dir: world.path("jobs") };
    let started = outcome(&mut session, Request { async_job: Some(job), ..shell("sleep 60") });
    let file = started["results_file"].as_str().unwrap().to_owned();
    soon("the job's time is over", Duration::from_secs(8), || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("Timeout exceeded"))
    });
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `nobody` by su, as root.
fn nobody() -> Become {
    Become { method: Method::Su, flags: Some("-s /bin/sh".into()), ..Become::sudo("nobody") }
}

#[test]
fn root_becomes_another_user_by_su() {
    if !is_root() {
        println!("left out: it needs root");
        return;
    }
    let world = World::new();
    let mut session = world.session();
    let become_ = nobody();
    let run = |session: &mut Session, line: &str| session.run_one(Some(&become_), shell(line));
    let reply = run(&mut session, "id -un").unwrap();
    assert_eq!(reply.outcome["stdout"], "nobody");
    // A relayed stream with more than its window.
    let reply = run(&mut session, "head -c 5000000 /dev/zero | tr '\\0' x").unwrap();
    assert_eq!(reply.outcome["stdout"].as_str().unwrap().len(), 5_000_000);
    assert_eq!(stdout(&mut session, "id -un"), "root");
    let error = run(&mut session, "kill -9 $PPID").unwrap_err();
    assert!(matches!(error, RunError::HelperGone { end: HelperEnd::Signal(9), .. }), "{error:?}");
    let first = run(&mut session, "echo $PPID").unwrap().outcome["stdout"].as_str().unwrap().to_owned();
    assert!(session.has_become_helpers());
    session.close_become_helpers(super::CloseHelpers::NotRoot);
    assert!(!session.has_become_helpers() && !lives(&first));
    assert_eq!(run(&mut session, "id -un").unwrap().outcome["stdout"], "nobody");
    session.close();
}

#[test]
fn become_failures_are_told_apart() {
    let world = World::new();
    let mut session = world.session();
    let mut kind = |become_: Become| match session.run_one(Some(&become_), shell("id")) {
        Err(RunError::Become(failure)) => failure.kind,
        other => panic!("{other:?}"),
    };
    let sudo = Become { exe: Some("no-such-sudo".into()), ..Become::sudo("root") };
    assert_eq!(kind(sudo), BecomeFailureKind::NoProgram);
    if is_root() {
        let unknown = Become { user: "no-such-user".into(), ..nobody() };
        assert_eq!(kind(unknown), BecomeFailureKind::UnknownUser);
    }
    // A fake sudo that asks for ever.
    let script = world.path("sudo");
    std::fs::write(
        &script,
        "#!/bin/sh\nwhile [ \"$1\" != -p ]; do shift; done; while :; do printf %s \"$2\" >&2; read -r x || exit 1; done\n",
    )
    .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let wrong = Become { exe: Some(script), password: Some(crate::transport::Secret::new("guess")), ..Become::sudo("root") };
    assert_eq!(kind(wrong), BecomeFailureKind::WrongPassword);
    let silent = world.path("silent");
    std::fs::write(&silent, "#!/bin/sh\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(&silent, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut session = world.start(None, SessionOptions::default());
    let never = Become { exe: Some(silent), patience: Duration::from_secs(1), ..Become::sudo("root") };
    let Err(RunError::Become(failure)) = session.run_one(Some(&never), shell("id")) else { panic!("it went on") };
    assert_eq!(failure.kind, BecomeFailureKind::Timeout);
    assert_eq!(stdout(&mut session, "echo on"), "on");
}

fn sha1(bytes: &[u8]) -> String {
    use sha1::{Digest, Sha1};
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn copy(content: &super::Content, bytes: &[u8], dest: &str) -> Request {
    let args = json!({"dest": dest, "_content": 0, "_checksum": sha1(bytes), "_original_basename": "x"});
    Request { contents: vec![content.clone()], ..request("copy", args) }
}

#[test]
fn contents_travel_both_ways() {
    use super::Content;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let mut session = world.session();
    let large: Vec<u8> = (0..4_400_000_u32).flat_map(|number| [(number % 251).to_le_bytes()[0]]).collect();
    let file = world.path("large");
    std::fs::write(&file, &large).unwrap();
    let users = if is_root() { vec![None, Some(nobody())] } else { vec![None] };
    std::fs::set_permissions(world.home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for (round, user) in users.iter().enumerate() {
        let folder = world.path(&format!("round{round}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let dest = |name: &str| format!("{folder}/{name}");
        let small = Content::Bytes(b"small".as_slice().into());
        let in_memory = Content::Bytes(large.as_slice().into());
        let on_disk = Content::File(file.clone().into());
        let missing = Content::File(world.path("missing").into());
        let requests = || {
            vec![
                copy(&small, b"small", &dest("small")),
                copy(&on_disk, &large, &dest("disk")),
                copy(&missing, b"", &dest("missing")),
                copy(&in_memory, &large, &dest("memory")),
                copy(&Content::Bytes(Arc::from([])), b"", &dest("empty")),
            ]
        };
        for changed in [true, false] {
            let mut replies = Vec::new();
            session.run(user.as_ref(), &mut requests().into_iter(), &mut |_, reply| {
                replies.push(reply.map(|reply| reply.outcome["changed"].as_bool().unwrap() && !reply.outcome.contains_key("failed")));
                ControlFlow::Continue(())
            });
            assert!(matches!(replies.remove(2), Err(RunError::Content { .. })));
            assert!(replies.iter().all(|reply| matches!(reply, Ok(found) if *found == changed)), "{replies:?}, wanted {changed}");
        }
        assert!(std::fs::read(dest("disk")).unwrap() == large && std::fs::read(dest("memory")).unwrap() == large);
        assert_eq!(std::fs::read(dest("small")).unwrap(), b"small");
        for (name, wanted) in [("disk", large.as_slice()), ("small", b"small"), ("empty", b"")] {
            let fetch = request("fetch", json!({"src": dest(name), "dest": "x"}));
            let mut reply = session.run_one(user.as_ref(), fetch).unwrap();
            assert_eq!(reply.contents.len(), 1, "{:?}", reply.outcome);
            let mut found = Vec::new();
            reply.contents.remove(0).into_reader().unwrap().read_to_end(&mut found).unwrap();
            assert!(found == wanted, "{name}: {} bytes came back", found.len());
        }
    }
    session.close();
}

/// The fleet's hosts over SSH: `fleet run cargo test …` sets the variables.
struct Fleet {
    config: String,
    store: Arc<Store>,
    transport: Transport,
}

impl Fleet {
    fn find() -> Option<Self> {
        let config = std::env::var("DRIFTLESS_FLEET_SSH_CONFIG").ok()?;
        let store = Store::open().expect("the fleet needs a static helper: embedded, or named in DRIFTLESS_HELPER");
        Some(Self { config, store: Arc::new(store), transport: Transport::default() })
    }

    fn session(&self, host: &str, user: &str) -> Session {
        self.session_by(Plugin::Ssh, host, user, &self.store)
    }

    fn session_by(&self, plugin: Plugin, host: &str, user: &str, store: &Arc<Store>) -> Session {
        let args = format!("-F {}", self.config);
        let address = Address { user: Some(user.to_owned()), ssh_common_args: Some(args), ..Address::new(plugin, host) };
        let connected = self.transport.connect(&address.into(), &Local::new(None).unwrap().waker(), &|_| Answer::No).unwrap();
        assert_eq!(connected.notice, None);
        let options = SessionOptions { shell_stays: plugin == Plugin::OpenSsh, ..SessionOptions::default() };
        Session::new(connected.connection, Arc::clone(store), options)
    }
}

fn become_(method: Method, user: &str, password: Option<&str>) -> Become {
    Become { method, password: password.map(crate::transport::Secret::new), ..Become::sudo(user) }
}

#[test]
fn users_are_become_on_the_fleet() {
    let Some(fleet) = Fleet::find() else {
        println!("left out: it needs the fleet, `tests/fleet/fleet run`");
        return;
    };
    use BecomeFailureKind::{NoProgram, NotAllowed, PasswordMissing, UnknownUser, WrongPassword};
    use Method::{Doas, Su, Sudo};
    let mut wrong = Vec::new();
    let hosts = std::env::var("DRIFTLESS_FLEET_ONLY").unwrap_or_else(|_| "debian-1 trixie-1 dnf-1 openrc-1 busybox-1".to_owned());
    for host in hosts.split(' ') {
        let is_busybox = host == "busybox-1";
        // The busybox host's `su` is not setuid.
        let su = |result| if is_busybox { Err(NotAllowed) } else { result };
        let mut cases = vec![
            ("root", Su, "admin", None, Ok("admin")),
            ("admin", Su, "root", Some("root-pass"), su(Ok("root"))),
            ("admin", Su, "root", Some("wrong"), su(Err(WrongPassword))),
            ("admin", Su, "root", None, su(Err(PasswordMissing))),
            ("root", Su, "nosuch", None, Err(UnknownUser)),
            ("root", Doas, "admin", None, Err(NoProgram)),
        ];
        if !is_busybox {
            cases.extend([
                ("admin", Sudo, "root", None, Ok("root")),
                ("admin", Sudo, "plain", None, Ok("plain")),
                ("ops", Sudo, "root", Some("ops-pass"), Ok("root")),
                ("ops", Sudo, "plain", Some("ops-pass"), Ok("plain")),
                ("ops", Sudo, "root", Some("wrong"), Err(WrongPassword)),
                ("ops", Sudo, "root", None, Err(PasswordMissing)),
                ("plain", Sudo, "root", Some("plain-pass"), Err(NotAllowed)),
                ("admin", Sudo, "nosuch", None, Err(UnknownUser)),
                ("plain", Su, "root", Some("root-pass"), Ok("root")),
            ]);
        }
        for (login, method, user, password, expected) in cases {
            let mut session = fleet.session(host, login);
            let begun = Instant::now();
            let reply = session.run_one(Some(&become_(method, user, password)), shell("id -un; test ! -t 0"));
            let found = match &reply {
                Ok(reply) => Ok(reply.outcome["stdout"].as_str().unwrap_or_default()),
                Err(RunError::Become(failure)) => Err(failure.kind),
                Err(error) => {
                    wrong.push(format!("{host}: {login} to {user} by {method}: {error:?}"));
                    continue;
                }
            };
            if found != expected {
                wrong.push(format!("{host}: {login} to {user} by {method} with {password:?}: {reply:?}, wanted {expected:?}"));
            }
            println!("{host} {login} {user} {method}: {:?}", begun.elapsed());
            if expected.is_ok() {
                let killed = session.run_one(Some(&become_(method, user, password)), shell("kill -9 $PPID; sleep 9"));
                if !matches!(killed, Err(RunError::HelperGone { end: HelperEnd::Signal(9), .. })) {
                    wrong.push(format!("{host}: {login} to {user} by {method}, killed: {killed:?}"));
                }
            }
            session.close();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A helper that no host has yet: trailing bytes are of no matter to a program.
fn fresh(store: &Store, folder: &Path) -> Arc<Store> {
    let name = store.binaries()[0].file_name();
    let mut bytes = store.by_file_name(&name).unwrap().unpacked();
    bytes.extend_from_slice(folder.to_str().unwrap().as_bytes());
    let path = folder.join("helper");
    std::fs::write(&path, bytes).unwrap();
    Arc::new(Store::named(&path).unwrap())
}

#[test]
fn bad_disks_on_the_fleet_mean_another_folder_or_a_clear_failure() {
    let Some(fleet) = Fleet::find() else {
        println!("left out: it needs the fleet, `tests/fleet/fleet run`");
        return;
    };
    let command = std::env::var("DRIFTLESS_FLEET").unwrap();
    let set = |what: &[&str]| assert!(Command::new(&command).arg("set").arg("openrc-1").args(what).status().unwrap().success());
    let attempt = || {
        let folder = tempfile::tempdir().unwrap();
        let store = fresh(&fleet.store, folder.path());
        let mut session = fleet.session_by(Plugin::Ssh, "openrc-1", "root", &store);
        let reply = session.run_one(None, shell("readlink /proc/$PPID/exe"));
        session.close();
        reply.map(|reply| reply.outcome["stdout"].as_str().unwrap().to_owned())
    };
    assert!(attempt().unwrap().starts_with("/root/.cache/driftless/helper-"));
    set(&["ro"]);
    let read_only = attempt();
    set(&["noexec-tmp"]);
    let nowhere = attempt();
    set(&["exec-tmp"]);
    set(&["rw"]);
    set(&["fill=/"]);
    let full = attempt();
    set(&["unfill=/"]);
    assert!(read_only.unwrap().starts_with("/tmp/driftless-0/"));
    assert!(full.unwrap().starts_with("/tmp/driftless-0/"));
    let Err(RunError::Deploy(why)) = nowhere else { panic!("{nowhere:?}") };
    assert!(why.contains("no folder"), "{why}");
}

#[test]
fn a_relayed_helper_whose_login_helper_is_killed_ends_its_task_and_itself() {
    if !is_root() {
        println!("left out: it needs root");
        return;
    }
    let world = World::new();
    let mut session = world.session();
    let login = stdout(&mut session, "echo $PPID");
    let folder = world.path("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(world.home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    let pids = [format!("{folder}/helper"), format!("{folder}/task")];
    let line = format!("echo $PPID >{}; echo $$ >{}; sleep 60", pids[0], pids[1]);
    let killer = {
        let task = pids[1].clone();
        std::thread::spawn(move || {
            soon("the task runs", Duration::from_secs(20), || std::fs::read_to_string(&task).is_ok_and(|text| text.ends_with('\n')));
            assert!(Command::new("kill").args(["-9", login.trim()]).status().unwrap().success());
        })
    };
    let error = session.run_one(Some(&nobody()), shell(&line)).unwrap_err();
    killer.join().unwrap();
    assert!(matches!(error, RunError::HelperGone { end: HelperEnd::Signal(9), .. }), "{error:?}");
    let [helper, task] = pids.map(|path| std::fs::read_to_string(path).unwrap());
    soon("the task is gone", Duration::from_secs(5), || !lives(&task));
    soon("the helper is gone", Duration::from_secs(5), || !lives(&helper));
    assert_eq!(session.run_one(Some(&nobody()), shell("id -un")).unwrap().outcome["stdout"], "nobody");
}

#[test]
fn a_round_trip_is_short() {
    let world = World::new();
    let mut session = world.session();
    session.run_one(None, request("ping", json!({}))).unwrap();
    let begun = Instant::now();
    for _ in 0..500 {
        session.run_one(None, request("ping", json!({}))).unwrap();
    }
    println!("a round trip took {:?}", begun.elapsed() / 500);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn killed_helpers_and_large_contents_over_ssh() {
    let Some(fleet) = Fleet::find() else {
        println!("left out: it needs the fleet, `tests/fleet/fleet run`");
        return;
    };
    let large: Vec<u8> = (0..6_000_000_u32).flat_map(|number| [(number % 251).to_le_bytes()[0]]).collect();
    let content = super::Content::Bytes(large.as_slice().into());
    for (plugin, host) in [(Plugin::Ssh, "debian-1"), (Plugin::OpenSsh, "debian-1"), (Plugin::Ssh, "busybox-1")] {
        let mut session = fleet.session_by(plugin, host, "root", &fleet.store);
        let replies = run_all(&mut session, vec![shell("echo 1"), shell("kill -9 $PPID; sleep 5"), shell("echo 3")]);
        assert!(matches!(&replies[1], Err(RunError::HelperGone { end: HelperEnd::Signal(9), .. })), "{plugin:?} {host}: {replies:?}");
        assert_eq!(replies[2].as_ref().unwrap()["stdout"], "3");
        let _ = session.run_one(None, request("file", json!({"path": "/tmp/large", "state": "absent"})));
        let begun = Instant::now();
        assert_eq!(outcome(&mut session, copy(&content, &large, "/tmp/large"))["changed"], true);
        println!("{plugin:?} {host}: 6 MB in {:?}", begun.elapsed());
        let reply = session.run_one(None, request("fetch", json!({"src": "/tmp/large", "dest": "x"}))).unwrap();
        assert_eq!(reply.contents[0].len().unwrap(), 6_000_000);
        let begun = Instant::now();
        (0..200).for_each(|_| assert_eq!(outcome(&mut session, request("ping", json!({})))["ping"], "pong"));
        println!("{plugin:?} {host}: a round trip in {:?}", begun.elapsed() / 200);
        // The transport goes in mid-task.
        let up = "p=$PPID; until grep -qE \"sshd|dropbear\" /proc/$p/comm; do p=$(sed -n 's/^PPid:.//p' /proc/$p/status); done; kill -9 $p; sleep 9";
        let replies = run_all(&mut session, vec![shell(up), shell("echo 3")]);
        assert!(replies.iter().all(|reply| matches!(reply, Err(RunError::Unreachable(_)))), "{plugin:?} {host}: {replies:?}");
        assert!(session.is_lost());
    }
}

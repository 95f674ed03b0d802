//! Jobs that outlive the helper (`async`): a process of its own session runs the module and leaves its result in a status file, in
//! Ansible's format and place, which the module `async_status` reads.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use driftless_wire::{AsyncJob, Body, Run};

use super::flight::GRACE;
use super::login::Login;
use super::{own, worker};
use crate::host::{Cancel, Environment};
use crate::{Json, JsonMap};

/// Supervisors that this helper started and that may have ended.
static STARTED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Starts a job and answers as Ansible does: started, not finished, its id and its status file.
pub fn start(run: &Run, args: &JsonMap, job: &AsyncJob, login: &Login) -> JsonMap {
    try_start(run, args, job, login).unwrap_or_else(|error| worker::failure(format!("could not start the job: {error}")))
}

fn try_start(run: &Run, args: &JsonMap, job: &AsyncJob, login: &Login) -> io::Result<JsonMap> {
    if !run.contents.is_empty() {
        return Err(io::Error::other(format!("`{}` sends contents along, which `async` does not support", run.module)));
    }
    let environment = Environment { added: run.environment.clone(), cwd: login.cwd.clone() };
    let folder = environment.absolute(&environment.expand_path(&job.dir));
    let order = Order { run: Run { args: Body::Inline(args.clone()), ..run.clone() }, folder: folder.clone(), cwd: login.cwd.clone() };
    let mut child = spawn()?;
    let mut input = child.stdin.take().expect("the supervisor was given pipes");
    input.write_all(&order.to_text())?;
    drop(input);
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("the supervisor was given pipes")).read_line(&mut line)?;
    let id = format!("{}.{}", job.id, child.id());
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    // Those that have ended are let go of.
    started.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    started.push(child);
    match line.trim_end() {
        "ok" => {
            let mut map = running(&id);
            map.insert("results_file".to_owned(), Json::String(folder.join(&id).to_string_lossy().into_owned()));
            map.insert("changed".to_owned(), Json::Bool(true));
            Ok(map)
        }
        "" => Err(io::Error::other("its supervisor ended at once")),
        why => Err(io::Error::other(why.to_owned())),
    }
}

#[expect(clippy::disallowed_methods, reason = "the helper starts itself")]
fn spawn() -> io::Result<Child> {
    Command::new(own::PATH).arg("job").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// What a supervisor is told.
struct Order {
    run: Run,
    folder: PathBuf,
    cwd: PathBuf,
}

impl Order {
    fn to_text(&self) -> Vec<u8> {
        let order = serde_json::json!({ "run": self.run, "folder": self.folder.to_string_lossy(), "cwd": self.cwd.to_string_lossy() });
        order.to_string().into_bytes()
    }

    fn from_text(text: &[u8]) -> Option<Self> {
        let mut order: JsonMap = serde_json::from_slice(text).ok()?;
        let path = |order: &JsonMap, key: &str| order.get(key).and_then(Json::as_str).map(PathBuf::from);
        let (folder, cwd) = (path(&order, "folder")?, path(&order, "cwd")?);
        Some(Self { run: serde_json::from_value(order.remove("run")?).ok()?, folder, cwd })
    }
}

/// How long past its limit a job lives: who asks for it until the limit finds it running, as with Ansible.
const MARGIN: Duration = Duration::from_secs(1);

/// The supervisor: `job`. Says `ok` once the status file is there, then runs the module and writes its result.
pub fn supervise() -> io::Result<()> {
    let mut text = Vec::new();
    io::stdin().read_to_end(&mut text)?;
    let wrong = || io::Error::other("the order could not be read");
    let Order { run, folder, cwd } = Order::from_text(&text).ok_or_else(wrong)?;
    let (Body::Inline(args), Some(job)) = (run.args.clone(), run.async_job.clone()) else { return Err(wrong()) };
    rustix::process::setsid()?;
    worker::catch_panics();
    let id = format!("{}.{}", job.id, std::process::id());
    let status = folder.join(&id);
    let first = make_folder(&folder).and_then(|()| write_status(&status, &running(&id)));
    let mut answer = io::stdout();
    match &first {
        Ok(()) => answer.write_all(b"ok\n")?,
        Err(error) => answer.write_all(format!("could not write `{}`: {error}\n", status.display()).as_bytes())?,
    }
    answer.flush()?;
    first?;
    let null = fs::File::open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(OpenOptions::new().write(true).open("/dev/null")?)?;
    let result = run_within(&run, args, &cwd, Duration::from_secs(job.seconds) + MARGIN);
    write_status(&status, &result)
}

/// The module's result, or Ansible's when the time is over.
fn run_within(run: &Run, args: JsonMap, cwd: &Path, limit: Duration) -> JsonMap {
    let cancel: Arc<Cancel> = Arc::default();
    let (sender, receiver) = mpsc::channel();
    let setup = worker::setup(run, cwd, &cancel);
    let module = run.module.clone();
    let running = std::thread::Builder::new().name("module".to_owned()).spawn(move || {
        // Nobody waits any more when the time is over.
        let _ = sender.send(worker::run_module(&module, args, setup));
    });
    if let Err(error) = running {
        return worker::failure(format!("could not start a thread: {error}"));
    }
    if let Ok(result) = receiver.recv_timeout(limit) {
        return result;
    }
    let pid = cancel.group().map_or_else(|| i64::from(std::process::id()), |group| group.as_raw_nonzero().get().into());
    cancel.cancel();
    if receiver.recv_timeout(GRACE).is_err() {
        cancel.kill();
        while cancel.is_protected() && receiver.recv_timeout(Duration::from_millis(200)).is_err() {}
    }
    let mut result = JsonMap::new();
    result.insert("msg".to_owned(), Json::String("Timeout exceeded".to_owned()));
    result.insert("failed".to_owned(), Json::Bool(true));
    result.insert("child_pid".to_owned(), Json::from(pid));
    result
}

fn running(id: &str) -> JsonMap {
    let mut map = JsonMap::new();
    map.insert("started".to_owned(), Json::Bool(true));
    map.insert("finished".to_owned(), Json::Bool(false));
    map.insert("ansible_job_id".to_owned(), Json::String(id.to_owned()));
    map
}

fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Whole or not at all: who reads it meanwhile sees the one before.
#[expect(clippy::disallowed_methods, reason = "the status file is the helper's own, no module's change")]
fn write_status(status: &Path, map: &JsonMap) -> io::Result<()> {
    let mut temporary = status.as_os_str().to_owned();
    temporary.push(".tmp");
    let text = serde_json::to_vec(map).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(&text)?;
    drop(file);
    fs::rename(&temporary, status)
}

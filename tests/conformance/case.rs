//! A case: its folder, its golden, and a run of driftless on a fresh copy of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::fleet::Host;
use crate::normal::Normal;
use crate::serve::FileServer;

const DRIFTLESS: &str = env!("CARGO_BIN_EXE_driftless");

/// No case needs a tenth of it.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// What is compared, and how it is run.
pub struct Case {
    /// `area/name`, and the host's kind where it runs on one of the fleet.
    pub name: String,
    pub kind: Kind,
    pub expected: Value,
    pub needs_root: bool,
    /// The kind of the fleet's host that it wants, and the image of one that it gets.
    pub on_fleet: Option<String>,
    /// The words of the file `compare`.
    compare: Vec<String>,
    folder: PathBuf,
    default_inventory: PathBuf,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Playbook,
    Inventory,
    Adhoc,
    Config,
    /// A shell's script that calls the programs by Ansible's names.
    Script,
}

/// What one run did, normalised.
pub struct Run {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    pub events: Vec<Value>,
    pub files: Map<String, Value>,
    pub normal: Normal,
}

/// Every case, sorted by name.
pub fn all(folder: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    for area in entries(&folder.join("cases")) {
        for case in entries(&area) {
            let name = format!("{}/{}", base(&area), base(&case));
            for golden in entries(&case) {
                let file = base(&golden);
                let Some(kind) = file.strip_prefix("expected").and_then(|rest| rest.strip_suffix(".json")) else { continue };
                if let Some(kind) = kind.strip_prefix('.') {
                    for image in crate::fleet::images_of(kind) {
                        cases.push(load(folder, &case, &golden, format!("{name}@{image}"), Some((*image).to_owned())));
                    }
                } else {
                    cases.push(load(folder, &case, &golden, name.clone(), None));
                }
            }
        }
    }
    cases
}

fn load(folder: &Path, case: &Path, golden: &Path, name: String, on_fleet: Option<String>) -> Case {
    let text = read(golden);
    Case {
        name,
        kind: match read(&case.join("kind")).trim() {
            "inventory" => Kind::Inventory,
            "adhoc" => Kind::Adhoc,
            "config" => Kind::Config,
            "script" => Kind::Script,
            _ => Kind::Playbook,
        },
        expected: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", golden.display())),
        needs_root: read(&case.join("needs")).contains("root"),
        on_fleet,
        compare: read(&case.join("compare")).split_whitespace().map(str::to_owned).collect(),
        folder: case.to_owned(),
        default_inventory: folder.join("hosts"),
    }
}

fn base(path: &Path) -> String {
    path.file_name().expect("an entry has a name").to_string_lossy().into_owned()
}

impl Case {
    /// Whether hosts run on their own, so that only what each of them saw can be compared.
    pub fn per_host(&self) -> bool {
        self.compare.iter().any(|word| word == "per-host")
    }

    /// Whether Ansible refuses too, but later or with another exit code: mistakes of files are told before the first play.
    pub fn compares_refusal(&self) -> bool {
        self.compare.iter().any(|word| word == "refused")
    }

    pub fn compares_stdout(&self) -> bool {
        self.kind == Kind::Script || self.compare.iter().any(|word| word == "stdout")
    }

    /// Whether the differences that the modules show are a part of the case.
    pub fn compares_diff(&self) -> bool {
        read(&self.folder.join("args")).contains("--diff")
    }

    /// Runs driftless on a fresh copy, and on a fresh host where it wants one.
    pub fn run(&self) -> Result<Run, String> {
        match &self.on_fleet {
            None => self.run_with(None),
            Some(image) => crate::fleet::with_fresh_host(image, |host| self.run_with(Some(host)))?,
        }
    }

    /// What is typed: the file `stdin` of the case, or nothing.
    fn input(&self) -> Result<Stdio, String> {
        let typed = self.folder.join("stdin");
        if !typed.exists() {
            return Ok(Stdio::null());
        }
        fs::File::open(&typed).map(Stdio::from).map_err(|error| format!("{}: {error}", typed.display()))
    }

    fn run_with(&self, host: Option<&Host>) -> Result<Run, String> {
        let folder = tempfile::Builder::new()
            .prefix("driftless-case-")
            .rand_bytes(8)
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?;
        let tmp = folder.path().canonicalize().map_err(|error| error.to_string())?;
        let work = tmp.join("case");
        copy_tree(&self.folder, &work).map_err(|error| format!("copying the case: {error}"))?;
        fs::create_dir(tmp.join("home")).map_err(|error| error.to_string())?;
        let server = FileServer::start(&work.join("serve"));
        let dropped = self.compare.iter().filter_map(|word| word.strip_prefix("ignore:"));
        let normal = Normal::new(&tmp, server.url(), host.map(|host| host.address.as_str()), dropped);
        let environment = self.environment(&tmp, server.url());

        if work.join("setup.sh").exists() {
            let mut setup = in_case("sh", &work, &environment);
            setup.args(["-eu", "setup.sh"]).stdout(Stdio::null());
            let status = setup.status().map_err(|error| format!("setup.sh: {error}"))?;
            if !status.success() {
                return Err(format!("setup.sh: {status}"));
            }
        }
        let events_file = tmp.join("events");
        let (out, err) = (tmp.join("stdout"), tmp.join("stderr"));
        let mut program = match self.kind {
            Kind::Script => script(&tmp, &work, &environment).map_err(|error| error.to_string())?,
            Kind::Playbook | Kind::Inventory | Kind::Adhoc | Kind::Config => {
                let mut program = in_case(DRIFTLESS, &work, &environment);
                program.args(self.arguments(&tmp, server.url(), &work, host)?);
                program
            }
        };
        program
            .env("DRIFTLESS_EVENTS", &events_file)
            .stdin(self.input()?)
            .stdout(fs::File::create(&out).map_err(|error| error.to_string())?)
            .stderr(fs::File::create(&err).map_err(|error| error.to_string())?);
        let exit = run_to_end(program)?;

        let mut events = Vec::new();
        for line in read(&events_file).lines() {
            let event = serde_json::from_str(line).map_err(|error| format!("event `{line}`: {error}"))?;
            events.push(normal.event(event));
        }
        let files = read(&self.folder.join("outputs"));
        let files = files.split_whitespace().map(|name| (name.to_owned(), contents(&work.join(name)))).collect();
        let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        Ok(Run { exit, stdout: normal.text(&text(&out)), stderr: normal.text(&text(&err)), events, files, normal })
    }

    fn environment(&self, tmp: &Path, url: &str) -> Vec<(String, String)> {
        let mut variables = vec![
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("HOME".to_owned(), tmp.join("home").display().to_string()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("TZ".to_owned(), "UTC".to_owned()),
            ("CASE_URL".to_owned(), url.to_owned()),
            ("ANSIBLE_NOCOLOR".to_owned(), "1".to_owned()),
        ];
        let own = fill(&read(&self.folder.join("env")), tmp, url);
        variables.extend(own.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())));
        variables
    }

    /// The recorder builds the same words: an inventory and a playbook are added where none is named.
    fn arguments(&self, tmp: &Path, url: &str, work: &Path, host: Option<&Host>) -> Result<Vec<String>, String> {
        let words = shell_words(&fill(&read(&self.folder.join("args")), tmp, url));
        let verb = match self.kind {
            Kind::Playbook => "playbook",
            Kind::Inventory => "inventory",
            Kind::Adhoc => "adhoc",
            Kind::Config => "config",
            Kind::Script => return Err("a script has its own words".to_owned()),
        };
        let mut result = vec![verb.to_owned()];
        if let Some(host) = host {
            let target = serde_json::json!({"all": {"hosts": {"target": {"ansible_host": host.address}}}});
            fs::write(work.join("target.yml"), target.to_string()).map_err(|error| error.to_string())?;
            result.extend(["-i", &host.inventory, "-i", "target.yml"].map(str::to_owned));
        } else if self.kind != Kind::Config && !words.iter().any(|word| word == "-i" || word.starts_with("--inventory")) {
            let own = ["hosts", "hosts.ini", "hosts.yml", "inventory"].into_iter().find(|name| work.join(name).exists());
            if own.is_none() {
                fs::copy(&self.default_inventory, work.join("hosts")).map_err(|error| error.to_string())?;
            }
            result.extend(["-i".to_owned(), own.unwrap_or("hosts").to_owned()]);
        }
        if self.kind == Kind::Playbook && !names_a_playbook(&words) {
            result.push("playbook.yml".to_owned());
        }
        result.extend(words);
        Ok(result)
    }
}

/// `script.sh`, with links to driftless that are called as Ansible's programs are.
fn script(tmp: &Path, work: &Path, environment: &[(String, String)]) -> std::io::Result<Command> {
    let folder = tmp.join("bin");
    fs::create_dir(&folder)?;
    for name in ["ansible", "ansible-config", "ansible-doc", "ansible-inventory", "ansible-playbook", "ansible-vault"] {
        std::os::unix::fs::symlink(DRIFTLESS, folder.join(name))?;
    }
    let mut command = in_case("sh", work, environment);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    command.args(["-u", "script.sh"]).env("PATH", path);
    Ok(command)
}

fn names_a_playbook(words: &[String]) -> bool {
    const TAKING: [&str; 10] = ["-i", "-e", "-l", "-t", "--limit", "--tags", "--skip-tags", "--extra-vars", "--start-at-task", "-f"];
    words.iter().enumerate().any(|(index, word)| {
        let is_a_value = index > 0 && TAKING.contains(&words[index - 1].as_str());
        !word.starts_with('-') && !is_a_value && (word.ends_with(".yml") || word.ends_with(".yaml"))
    })
}

/// A command in the case's folder, with its environment and the umask that goldens were made under.
fn in_case(program: &str, work: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 022; exec \"$0\" \"$@\"", program]).current_dir(work).env_clear();
    command.envs(environment.iter().map(|(key, value)| (key, value)));
    command
}

fn run_to_end(mut command: Command) -> Result<i32, String> {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    let mut child = command.process_group(0).spawn().map_err(|error| format!("starting driftless: {error}"))?;
    let deadline = Instant::now() + TIME_LIMIT;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
        if Instant::now() > deadline {
            let group = rustix::process::Pid::from_child(&child);
            // The group is the child's own; that it is gone already is as good.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = child.wait();
            return Err(format!("driftless did not end within {} s", TIME_LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A file as the recorder writes it down: lines with their ends, or base64; a folder's names; a link's text.
fn contents(path: &Path) -> Value {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Value::Null };
    let mode = format!("{:04o}", metadata.permissions().mode() & 0o7777);
    if metadata.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        return serde_json::json!({ "link": target.to_string_lossy() });
    }
    if metadata.is_dir() {
        let names: Vec<_> = entries(path).iter().map(|path| base(path)).collect();
        return serde_json::json!({ "directory": names, "mode": mode });
    }
    let bytes = fs::read(path).unwrap_or_default();
    match std::str::from_utf8(&bytes) {
        Ok(text) => {
            let lines: Vec<_> = python_lines(text);
            serde_json::json!({ "text": lines, "mode": mode })
        }
        Err(_) => {
            use base64::Engine;
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            serde_json::json!({ "base64": text, "mode": mode })
        }
    }
}

/// `str.splitlines(keepends=True)`, for the breaks that occur.
fn python_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line.push(c);
        let ends = match c {
            '\r' => chars.peek() != Some(&'\n'),
            '\n' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}' => true,
            _ => false,
        };
        if ends {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Words as a shell splits them: blanks, single and double quotes, backslashes.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn fill(text: &str, tmp: &Path, url: &str) -> String {
    text.replace("<TMP>", &tmp.display().to_string()).replace("<URL>", url)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for path in entries(from) {
        let target = to.join(path.file_name().expect("an entry has a name"));
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            copy_tree(&path, &target)?;
        } else if metadata.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&path)?, target)?;
        } else if !base(&path).starts_with("expected") {
            fs::copy(&path, target)?;
        }
    }
    Ok(())
}

//! One run of a playbook on the fleet, and what its recap says.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::NamedTempFile;

use crate::hosts::{Fleet, stand_in};

/// No run of a test may last longer.
const DEADLINE_SECONDS: &str = "600";

/// A run that has ended.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// Standard output and standard error.
    pub text: String,
    recap: BTreeMap<String, BTreeMap<String, u32>>,
}

/// A playbook with a file of its own, for as long as a test needs it.
pub struct Play(NamedTempFile);

impl Play {
    /// One play on `hosts` without facts; `tasks` is YAML that begins in the first column.
    pub fn on(hosts: &str, tasks: &str) -> Self {
        let tasks: String = tasks.trim().lines().map(|line| format!("    {line}\n")).collect();
        Self(file(".yml", &format!("- hosts: {hosts}\n  gather_facts: false\n  tasks:\n{tasks}")))
    }

    /// Runs it on the fleet to its end.
    pub fn run(&self, fleet: &Fleet) -> Run {
        self.run_with(fleet, &[])
    }

    /// Runs it with more arguments.
    pub fn run_with(&self, fleet: &Fleet, arguments: &[&str]) -> Run {
        playbook(self.0.path(), &[&["-i", &fleet.inventory], arguments].concat())
    }

    /// Starts it, for a test that has something to do meanwhile.
    pub fn start(self, fleet: &Fleet) -> Running {
        let mut command = program();
        command.args(["-i", &fleet.inventory]).arg(self.0.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: command.spawn().expect("driftless starts"), _play: self }
    }
}

/// A run that goes on, and the playbook that it reads.
pub struct Running {
    child: Child,
    _play: Play,
}

impl Running {
    /// Kills the controller.
    pub fn kill(mut self) {
        self.child.kill().expect("it still runs");
        self.child.wait().expect("it is ours");
    }

    /// Waits for its end.
    pub fn end(self) -> Run {
        Run::of(self.child.wait_with_output().expect("it is ours"))
    }
}

/// A file for as long as it is held.
pub fn file(suffix: &str, text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().expect("a temporary file can be made");
    file.write_all(stand_in(text).as_bytes()).expect("it can be written");
    file
}

/// The path of such a file.
pub fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().expect("temporary files have plain names")
}

/// Runs a playbook to its end.
pub fn playbook(path: &Path, arguments: &[&str]) -> Run {
    let program = program();
    let mut command = Command::new("timeout");
    command.args(["-k", "5", DEADLINE_SECONDS]).arg(program.get_program()).args(program.get_args());
    let output = command.args(arguments).arg(path).stdin(Stdio::null()).output();
    Run::of(output.expect("`timeout` runs"))
}

/// What is tested: driftless, or a program with the command line of `ansible-playbook` to hold the tests themselves against.
fn program() -> Command {
    match std::env::var_os("DRIFTLESS_FLEET_PLAYBOOK") {
        Some(program) => Command::new(program),
        None => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_driftless"));
            command.arg("playbook");
            command
        }
    }
}

impl Run {
    /// From what a finished process left.
    fn of(output: Output) -> Self {
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let recap = String::from_utf8_lossy(&output.stdout).lines().filter_map(recap_line).collect();
        Self { code: output.status.code().unwrap_or(-1), text, recap }
    }

    /// A number of the recap, such as `count("web1", "changed")`.
    pub fn count(&self, host: &str, what: &str) -> u32 {
        let counts = self.recap.get(&stand_in(host)).unwrap_or_else(|| panic!("no `{host}` in the recap of:\n{}", self.text));
        *counts.get(what).unwrap_or_else(|| panic!("no `{what}` in the recap of:\n{}", self.text))
    }

    /// The run ended well, on every host.
    pub fn expect_ok(&self) -> &Self {
        assert_eq!(self.code, 0, "{}", self.text);
        self
    }

    /// The run ended with `code`.
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }

    /// The recap has this number for this host.
    pub fn expect(&self, host: &str, what: &str, count: u32) -> &Self {
        assert_eq!(self.count(host, what), count, "`{what}` of `{host}` in:\n{}", self.text);
        self
    }

    /// Nothing was changed, anywhere.
    pub fn expect_nothing_changed(&self) -> &Self {
        for host in self.recap.keys() {
            self.expect(host, "changed", 0);
        }
        self
    }

    /// The tasks that changed something, as `host: task`, handlers too; in the order of the run.
    pub fn changes(&self) -> Vec<String> {
        let mut task = "";
        let mut changes = Vec::new();
        for line in self.text.lines() {
            if let Some((_, name)) = line.split_once("TASK [").or_else(|| line.split_once("RUNNING HANDLER [")) {
                task = name.split(']').next().expect("a split has a first part");
            } else if let Some(rest) = line.strip_prefix("changed: [") {
                let host = rest.split([']', ' ']).next().expect("a split has a first part");
                let change = format!("{host}: {task}");
                if !changes.contains(&change) {
                    changes.push(change);
                }
            }
        }
        changes
    }
}

/// `web1 : ok=3 changed=0 …`
fn recap_line(line: &str) -> Option<(String, BTreeMap<String, u32>)> {
    let (host, counts) = line.split_once(" : ok=")?;
    let counts = format!("ok={counts}");
    let pairs = counts.split_whitespace().filter_map(|pair| pair.split_once('='));
    Some((host.trim().to_owned(), pairs.filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?))).collect()))
}

//! `wait_for`: waits until a port answers or does not, a file is there or gone, or a text shows in one of them. It changes nothing.

use std::io::Read;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use driftless_macros::{Args, Choice};

use super::http::addresses;
use super::tcp_table::{STATES, TcpTable};
use crate::host::path as paths;
use crate::regex::{Anchor, Flags, Pattern, compile};
use crate::spec::Support;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct WaitFor;

/// Its options.
#[derive(Args)]
pub struct WaitForArgs {
    /// The name or address whose port is meant.
    #[arg(default = "127.0.0.1")]
    host: String,
    /// For how many seconds to wait at most.
    #[arg(default = 300)]
    timeout: i64,
    /// For how many seconds one connection may take.
    #[arg(default = 5)]
    connect_timeout: i64,
    /// For how many seconds to wait first.
    #[arg(default = 0)]
    delay: i64,
    /// The port.
    port: Option<i64>,
    /// Which states of a connection count as in use.
    #[arg(default = ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"])]
    active_connection_states: Vec<String>,
    /// What is waited for: a port that answers, a file or a text (`started`, `present`), a port that does not answer or a file that is
    /// gone (`stopped`, `absent`), or a port without connections (`drained`).
    #[arg(default = "started")]
    state: State,
    /// The file.
    path: Option<PathBuf>,
    /// A pattern that is waited for, in the file or in what the port says.
    search_regex: Option<String>,
    /// Hosts whose connections do not count for `drained`.
    exclude_hosts: Option<Vec<String>>,
    /// How many seconds lie between two looks.
    #[arg(default = 1)]
    sleep: i64,
    /// What the failure says.
    msg: Option<String>,
}

#[derive(Choice, Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Drained,
    Present,
    Started,
    Stopped,
}

impl State {
    fn shown(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Drained => "drained",
            Self::Present => "present",
            Self::Started => "started",
            Self::Stopped => "stopped",
        }
    }
}

impl Module for WaitFor {
    type Args = WaitForArgs;
    const NAME: &'static str = "wait_for";
    const SUMMARY: &'static str = "Wait until a port, a file or a text in it is as wished";
    const CHECK: Support = Support::None;
    const EXAMPLES: &'static [&'static str] =
        &["- wait_for:\n    port: 5432\n    timeout: 60\n", "- wait_for:\n    path: /var/log/app.log\n    search_regex: ready\n"];

    fn run(args: WaitForArgs, host: &mut Host) -> Result<Outcome> {
        let start = Instant::now();
        let elapsed = |failure: Failure| failure.with("elapsed", start.elapsed().as_secs());
        refuse(&args).map_err(elapsed)?;
        let pattern = args.search_regex.as_deref().map(|text| {
            let flags = Flags { multi_line: true, ..Flags::default() };
            compile(text, flags, Anchor::Anywhere).map_err(|error| Failure::new(format!("Invalid regular expression: {error}")))
        });
        let pattern = pattern.transpose()?;
        let mut wait =
            Wait { args: &args, pattern: pattern.as_deref(), deadline: start + seconds(args.timeout), groups: Groups::default() };
        rest(host, Instant::now() + seconds(args.delay))?;
        wait.run(host).map_err(elapsed)?;
        let mut outcome = Outcome::new(false)
            .with("state", args.state.shown())
            .with("port", args.port)
            .with("search_regex", args.search_regex.clone())
            .with("match_groups", wait.groups.numbered)
            .with("match_groupdict", wait.groups.named)
            .with("elapsed", start.elapsed().as_secs());
        outcome.set("path", args.path.as_deref().map(paths::shown));
        Ok(outcome)
    }
}

/// Combinations that make no sense.
fn refuse(args: &WaitForArgs) -> Result<()> {
    let why = match (args.port, &args.path, args.state) {
        (Some(_), Some(_), _) => "port and path parameter can not both be passed to wait_for",
        (_, Some(_), State::Stopped) => "state=stopped should only be used for checking a port in the wait_for module",
        (_, Some(_), State::Drained) => "state=drained should only be used for checking a port in the wait_for module",
        (_, _, state) if args.exclude_hosts.is_some() && state != State::Drained => "exclude_hosts should only be with state=drained",
        _ => "",
    };
    if !why.is_empty() {
        return Err(Failure::new(why));
    }
    match args.active_connection_states.iter().find(|state| !STATES.iter().any(|(name, _)| name == state)) {
        Some(unknown) => Err(Failure::new(format!("unknown active_connection_state ({unknown}) defined"))),
        None => Ok(()),
    }
}

/// The groups of the match that was waited for.
#[derive(Default)]
struct Groups {
    numbered: Vec<Json>,
    named: JsonMap,
}

struct Wait<'a> {
    args: &'a WaitForArgs,
    pattern: Option<&'a Pattern>,
    deadline: Instant,
    groups: Groups,
}

impl Wait<'_> {
    fn run(&mut self, host: &Host) -> Result<()> {
        if self.args.port.is_none() && self.args.path.is_none() && self.args.state != State::Drained {
            // As in Ansible, this waits anew: the time of `delay` does not count.
            return rest(host, Instant::now() + seconds(self.args.timeout));
        }
        // As in Ansible, at least one look where there is any time at all.
        loop {
            if Instant::now() >= self.deadline {
                return Err(Failure::new(self.args.msg.clone().unwrap_or_else(|| self.complaint())));
            }
            if self.is_reached(host)? {
                return Ok(());
            }
            rest(host, (Instant::now() + seconds(self.args.sleep)).min(self.deadline))?;
        }
    }

    fn is_reached(&mut self, host: &Host) -> Result<bool> {
        match (self.args.state, &self.args.path, self.args.port) {
            (State::Absent | State::Stopped, Some(path), _) => Ok(!host.absolute(path).exists()),
            (State::Absent | State::Stopped, None, Some(port)) => Ok(self.connect(host, port)?.is_none()),
            (State::Started | State::Present, Some(path), _) => {
                let path = host.absolute(path);
                let Some(pattern) = self.pattern else { return Ok(path.exists()) };
                let Ok(bytes) = std::fs::read(path) else { return Ok(false) };
                self.shows(pattern, &bytes)
            }
            (State::Started | State::Present, None, Some(port)) => match (self.connect(host, port)?, self.pattern) {
                (None, _) => Ok(false),
                (Some(_), None) => Ok(true),
                (Some(stream), Some(pattern)) => self.listen(host, stream, pattern),
            },
            (State::Drained, _, Some(port)) => {
                let port = u16::try_from(port).unwrap_or(0);
                let table = TcpTable::read(&self.args.active_connection_states)?;
                let local = addresses(host, &self.args.host);
                let excluded: Vec<IpAddr> = self.args.exclude_hosts.iter().flatten().flat_map(|name| addresses(host, name)).collect();
                Ok(!table.is_used(port, &local, &excluded))
            }
            (State::Drained, _, None) | (State::Absent | State::Stopped | State::Started | State::Present, None, None) => Ok(true),
        }
    }

    fn connect(&self, host: &Host, port: i64) -> Result<Option<TcpStream>> {
        let port = u16::try_from(port).map_err(|_| Failure::new(format!("`port` is {port}, a number from 0 to 65535 was wanted")))?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let limit = seconds(self.args.connect_timeout).min(left).max(Duration::from_millis(1));
        let streams = addresses(host, &self.args.host).into_iter();
        Ok(streams.filter_map(|address| TcpStream::connect_timeout(&SocketAddr::new(address, port), limit).ok()).next())
    }

    /// Reads what the port says until the pattern shows, it falls silent or the time is over.
    fn listen(&mut self, host: &Host, mut stream: TcpStream, pattern: &Pattern) -> Result<bool> {
        let mut said = Vec::new();
        let mut buffer = [0; 1024];
        let silence = Instant::now() + seconds(self.args.connect_timeout);
        while Instant::now() < self.deadline.min(silence) && !host.is_cancelled() {
            stream.set_read_timeout(Some(Duration::from_millis(200)))?;
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => said.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => continue,
                Err(_) => break,
            }
            if self.shows(pattern, &said)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn shows(&mut self, pattern: &Pattern, bytes: &[u8]) -> Result<bool> {
        let text = String::from_utf8_lossy(bytes);
        let Some(found) = pattern.search(&text).map_err(|error| Failure::new(error.to_string()))? else { return Ok(false) };
        let group = |number: usize| found.group(&text, number).map_or(Json::Null, Json::from);
        self.groups.numbered = (1..=pattern.group_count()).map(group).collect();
        self.groups.named = pattern.named_groups().map(|(name, number)| (name.to_owned(), group(number))).collect();
        Ok(true)
    }

    fn complaint(&self) -> String {
        let args = self.args;
        let place = format!("{}:{}", args.host, args.port.unwrap_or_default());
        let path = args.path.as_deref().map(paths::shown);
        match (args.state, &path, &args.search_regex) {
            (State::Absent | State::Stopped, Some(path), _) => format!("Timeout when waiting for {path} to be absent."),
            (State::Absent | State::Stopped, None, _) => format!("Timeout when waiting for {place} to stop."),
            (State::Started | State::Present, Some(path), Some(regex)) => {
                format!("Timeout when waiting for search string {regex} in {path}")
            }
            (State::Started | State::Present, None, Some(regex)) => format!("Timeout when waiting for search string {regex} in {place}"),
            (State::Started | State::Present, Some(path), None) => format!("Timeout when waiting for file {path}"),
            (State::Started | State::Present, None, None) => format!("Timeout when waiting for {place}"),
            (State::Drained, _, _) => format!("Timeout when waiting for {place} to drain"),
        }
    }
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

/// Waits until then, unless the request is cancelled.
fn rest(host: &Host, until: Instant) -> Result<()> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        if host.is_cancelled() {
            return Err(Failure::new("the task was cancelled"));
        }
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn files_and_texts_are_waited_for() {
        let law = Law::of("wait_for");
        law.write("f", "one\nroot:x:0\n");
        let found = law.unchanged(json!({"path": law.path("f"), "search_regex": "^root:(?P<x>.):(\\d)", "timeout": 1}));
        assert_eq!(found.get("match_groups"), Some(&json!(["x", "0"])));
        assert_eq!(found.get("match_groupdict"), Some(&json!({"x": "x"})));
        law.unchanged(json!({"path": law.path("none"), "state": "absent", "timeout": 1}));
        law.fails(json!({"path": law.path("none"), "timeout": 1}), "Timeout when waiting for file ");
        law.fails(json!({"path": law.path("none"), "timeout": 1, "msg": "mine"}), "mine");
        law.fails(json!({"path": law.path("f"), "state": "absent", "timeout": 1}), "to be absent.");
        law.fails(json!({"path": law.path("f"), "search_regex": "zz", "timeout": 1}), "Timeout when waiting for search string zz in ");
        assert_eq!(law.run(json!({"path": law.path("none")}), Mode::Check).outcome.get("skipped"), Some(&json!(true)));
    }

    #[test]
    fn ports_are_waited_for() {
        let law = Law::of("wait_for");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let _first = listener.accept().unwrap();
            listener.accept().unwrap().0.write_all(b"SSH-2.0-x\r\n").unwrap();
        });
        law.unchanged(json!({"port": port, "timeout": 2}));
        let said = law.unchanged(json!({"port": port, "timeout": 2, "search_regex": "SSH-(.*)-"}));
        assert_eq!(said.get("match_groups"), Some(&json!(["2.0"])));
        server.join().unwrap();
        law.unchanged(json!({"port": port, "timeout": 2, "state": "stopped"}));
        law.fails(json!({"port": port, "timeout": 1}), &format!("Timeout when waiting for 127.0.0.1:{port}"));
    }

    #[test]
    fn connections_keep_a_port_from_being_drained() {
        let law = Law::of("wait_for");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        law.unchanged(json!({"port": port, "timeout": 2, "state": "drained"}));
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let served = listener.accept().unwrap();
        law.fails(json!({"port": port, "timeout": 1, "state": "drained"}), "to drain");
        law.unchanged(json!({"port": port, "timeout": 2, "state": "drained", "exclude_hosts": ["127.0.0.1"]}));
        drop((client, served));
    }

    #[test]
    fn refusals_are_ansible_s() {
        let law = Law::of("wait_for");
        law.fails(json!({"port": 1, "path": "/x"}), "port and path parameter can not both be passed to wait_for");
        law.fails(json!({"path": "/x", "state": "drained"}), "state=drained should only be used for checking a port");
        law.fails(json!({"port": 1, "exclude_hosts": ["a"]}), "exclude_hosts should only be with state=drained");
        law.fails(json!({"port": 1, "state": "drained", "active_connection_states": ["foo"]}), "unknown active_connection_state (foo)");
        law.fails(json!({"path": "/x", "search_regex": "("}), "Invalid regular expression: missing )");
    }
}

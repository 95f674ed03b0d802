//! The fleet as a test sees it: what `fleet run` told us of it, and the `fleet` command.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::Once;

use serde_json::Value;

/// The hosts that are up.
pub struct Fleet {
    /// The YAML inventory of all of them.
    pub inventory: String,
    command: String,
    hosts: Vec<Host>,
}

/// One host of the fleet.
pub struct Host {
    /// Such as `debian-1`.
    pub name: String,
    /// The image it was made from, such as `debian`.
    pub image: String,
    /// Its IPv4 address.
    pub address: String,
}

impl Fleet {
    /// The fleet around us, or `None` when this is a plain `cargo test`. With a fleet, whatever is missing is a failure.
    pub fn around_us() -> Option<Self> {
        let Ok(command) = std::env::var("DRIFTLESS_FLEET") else {
            say_what_is_left_out();
            return None;
        };
        let text = std::fs::read_to_string(told("DRIFTLESS_FLEET_HOSTS")).expect("the list of hosts can be read");
        let list: Vec<Value> = serde_json::from_str(&text).expect("the list of hosts is JSON");
        let host = |entry| Host { name: text_of(entry, "name"), image: text_of(entry, "image"), address: text_of(entry, "addr") };
        let hosts = list.iter().map(host).collect();
        Some(Fleet { inventory: told("DRIFTLESS_FLEET_INVENTORY"), command, hosts })
    }

    /// The first host made from `image`.
    pub fn host_of(&self, image: &str) -> &Host {
        let found = self.hosts.iter().find(|host| host.image == image);
        found.unwrap_or_else(|| panic!("the fleet has no host of the kind `{image}`"))
    }

    /// The host of that name.
    pub fn host(&self, name: &str) -> &Host {
        let name = stand_in(name);
        let found = self.hosts.iter().find(|host| host.name == name);
        found.unwrap_or_else(|| panic!("the fleet has no host `{name}`"))
    }

    /// Runs a command of `fleet`, such as a fault, and gives what it printed.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.try_command(arguments);
        assert!(output.status.success(), "`fleet {arguments:?}`: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a shell command on `host` as root over the system's `ssh`: what the host itself says, without driftless.
    pub fn ssh(&self, host: &str, script: &str) -> Output {
        self.try_command(&["ssh", host, script])
    }

    /// What a shell command on `host` prints; it must succeed.
    pub fn ask(&self, host: &str, script: &str) -> String {
        self.command(&["ssh", host, script]).trim().to_owned()
    }

    fn try_command(&self, arguments: &[&str]) -> Output {
        Command::new(&self.command).args(arguments.iter().map(|argument| stand_in(argument))).output().expect("the `fleet` command runs")
    }
}

/// Replaces the names of hosts in `text` where `DRIFTLESS_FLEET_PLAYBOOK` has the tests held against a program that wants
/// Python on its hosts: their twins stand in for them.
pub fn stand_in(text: &str) -> String {
    if std::env::var_os("DRIFTLESS_FLEET_PLAYBOOK").is_none() {
        return text.to_owned();
    }
    let twins = [("debian-", "python-"), ("trixie-", "trixiepy-"), ("openrc-", "openrcpy-"), ("busybox-1", "dnf-2")];
    twins.iter().fold(text.to_owned(), |text, (host, twin)| text.replace(host, twin))
}

fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("`fleet run` sets `{variable}`"))
}

fn text_of(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or_else(|| panic!("the list of hosts has a `{key}` for each")).to_owned()
}

fn say_what_is_left_out() {
    static SAID: Once = Once::new();
    // Not `eprintln!`, which the test harness keeps to itself.
    SAID.call_once(|| {
        let line = b"left out: the tests on real hosts (they need root: `tests/run` makes the hosts and runs them)\n";
        let _ = std::io::stderr().write_all(line);
    });
}

//! The fleet as a test sees it: what `fleet run` told us of it, and the `fleet` command.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::Once;

use serde_json::Value;

/// The hosts that are up.
pub struct Fleet {
    command: String,
    hosts: Vec<Host>,
}

/// One host of the fleet.
pub struct Host {
    /// Such as `debian-1`.
    pub name: String,
    /// The image it was made from, such as `debian`.
    pub image: String,
}

impl Fleet {
    /// The fleet around us, or `None` when this is a plain `cargo test`. With a fleet, whatever is missing is a failure.
    pub fn around_us() -> Option<Self> {
        let Ok(command) = std::env::var("DRIFTLESS_FLEET") else {
            say_what_is_left_out();
            return None;
        };
        let path = std::env::var("DRIFTLESS_FLEET_HOSTS").expect("`fleet run` tells where its list of hosts is");
        let text = std::fs::read_to_string(&path).expect("the list of hosts can be read");
        let list: Vec<Value> = serde_json::from_str(&text).expect("the list of hosts is JSON");
        let hosts = list.iter().map(|entry| Host { name: text_of(entry, "name"), image: text_of(entry, "image") }).collect();
        Some(Fleet { command, hosts })
    }

    /// The first host made from `image`.
    pub fn host_of(&self, image: &str) -> &Host {
        let found = self.hosts.iter().find(|host| host.image == image);
        found.unwrap_or_else(|| panic!("the fleet has no host of the kind `{image}`"))
    }

    /// Runs a shell command on `host` as root over the system's `ssh`: what the host itself says, without driftless.
    pub fn ssh(&self, host: &Host, script: &str) -> Output {
        let run = Command::new(&self.command).args(["ssh", &host.name, script]).output();
        run.expect("the `fleet` command runs")
    }
}

fn text_of(entry: &Value, key: &str) -> String {
    entry[key].as_str().unwrap_or_else(|| panic!("the list of hosts has a `{key}` for each")).to_owned()
}

fn say_what_is_left_out() {
    static SAID: Once = Once::new();
    // Not `eprintln!`, which the test harness keeps to itself.
    SAID.call_once(|| {
        let _ =
            std::io::stderr().write_all(b"left out: the tests on real hosts (they need root: `tests/run` makes the hosts and runs them)\n");
    });
}

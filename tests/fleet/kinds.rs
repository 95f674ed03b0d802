//! The five kinds of hosts that driftless promises to work on are all there, and are what they say.

use crate::hosts::Fleet;

/// Image, the program that is process 1, and a shell test that holds on this kind alone.
const KINDS: &[(&str, &str, &str)] = &[
    ("debian", "systemd", "grep -q '^12' /etc/debian_version && command -v apt-get && ! command -v python3"),
    ("trixie", "systemd", "grep -q '^13' /etc/debian_version && command -v apt-get && ! command -v python3"),
    ("dnf", "systemd", "command -v dnf && ! command -v apt-get"),
    ("openrc", "init", "command -v rc-service && ! command -v systemctl && ! command -v python3"),
    ("busybox", "init", "ls -l /bin/ls | grep -q busybox && ! command -v bash && ! command -v python3"),
];

#[test]
fn fleet_kinds_all_run() {
    let Some(fleet) = Fleet::around_us() else { return };
    for (image, init, holds) in KINDS {
        let script = format!("test \"$(cat /proc/1/comm)\" = {init} && {{ {holds}; }} >/dev/null");
        let output = fleet.ssh(&fleet.host_of(image).name, &script);
        assert!(output.status.success(), "`{image}`: {} {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
}

//! Bad days: what happens to one host is a clear result of that host, the others go on, and nothing is left half-written.
//!
//! Each test that spoils a host has a Debian of its own.

use std::time::{Duration, Instant};

use crate::hosts::Fleet;
use crate::run::{Play, file, path};

/// The processes of driftless on a host: those that run a program of ours, whatever they call themselves.
pub const HELPERS: &str = "for p in /proc/[0-9]*; do case $(readlink $p/exe) in *driftless*) echo ${p#/proc/};; esac; done";

/// A task that tells when it runs, and runs for long.
const LONG: &str = "
- name: long
  shell: echo $$ > /tmp/long; sleep 30; echo late > /tmp/late
";

#[test]
fn a_killed_controller_leaves_its_host_clean() {
    let Some(fleet) = Fleet::around_us() else { return };
    let host = "debian-5";
    let controller = Play::on(host, LONG).start(&fleet);
    let shell = wait_for_long(&fleet, host);
    controller.kill();

    let left = format!("{{ {HELPERS}; }}; [ ! -e /proc/{shell} ] || echo {shell}; pgrep -x sleep || :");
    within(Duration::from_secs(5), || fleet.ask(host, &left).is_empty(), || fleet.ask(host, "ps -ef"));
    assert_eq!(fleet.ask(host, "cat /tmp/late 2>/dev/null || :"), "");
}

#[test]
fn a_killed_helper_fails_its_task_and_the_next_one_runs() {
    let Some(fleet) = Fleet::around_us() else { return };
    let tasks = "
- block:
    - name: killed
      shell: echo $$ > /tmp/long; sleep 30
  rescue:
    - copy: {content: '{{ ansible_failed_result.msg }}', dest: /tmp/why}
- command: /bin/true";
    let host = "debian-6";
    let run = Play::on(host, tasks).start(&fleet);
    wait_for_long(&fleet, host);
    fleet.ask(host, &format!("kill -9 $({HELPERS})"));

    run.end().expect_ok().expect(host, "rescued", 1).expect(host, "unreachable", 0);
    let why = fleet.ask(host, "cat /tmp/why");
    assert!(why.contains("SIGKILL") || why.contains("signal 9"), "{why}");
}

#[test]
fn a_session_that_dies_is_unreachable_and_the_others_go_on() {
    let Some(fleet) = Fleet::around_us() else { return };
    let host = "debian-7";
    let run = Play::on(&format!("{host},trixie-1"), "- shell: 'echo $$ > /tmp/long; sleep 5'\n- command: /bin/true").start(&fleet);
    wait_for_long(&fleet, host);
    fleet.command(&["set", host, "drop"]);

    run.end().expect_code(4).expect(host, "unreachable", 1).expect("trixie-1", "ok", 2);
}

#[test]
fn hosts_that_cannot_be_reached_say_why() {
    let Some(fleet) = Fleet::around_us() else { return };
    let nobody = file(".ini", "nobody ansible_host=10.77.250.250 ansible_ssh_timeout=3\nclosed ansible_host=127.0.0.1 ansible_port=9\n");
    let ping = Play::on("nobody,closed,openrc-1", "- command: /bin/true");

    let run = ping.run_with(&fleet, &["-i", path(&nobody), "--timeout", "3"]);
    run.expect_code(4).expect("nobody", "unreachable", 1).expect("closed", "unreachable", 1).expect("openrc-1", "ok", 1);
    assert!(run.text.contains("refused"), "{}", run.text);
}

#[test]
fn a_changed_or_unknown_host_key_is_refused() {
    let Some(fleet) = Fleet::around_us() else { return };
    let other_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJz6cJy1VvGZ5m6nT0bV2q5m6k9b7Q0sS5J6oX8w3aB";
    let address = &fleet.host("openrc-1").address;
    let changed = file("", &format!("{address} {other_key}\n"));
    let empty = file("", "");
    for known_hosts in [&changed, &empty] {
        let arguments = format!("ansible_ssh_common_args='-o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null'", path(known_hosts));
        let run = Play::on("openrc-1", "- command: /bin/true").run_with(&fleet, &["-e", &arguments]);
        run.expect_code(4).expect("openrc-1", "unreachable", 1);
        assert!(run.text.to_lowercase().contains("host key"), "{}", run.text);
    }
}

#[test]
fn wrong_passwords_and_missing_rights_are_failures_that_can_be_rescued() {
    let Some(fleet) = Fleet::around_us() else { return };
    let tasks = "
- block:
    - command: /bin/true
      become: true
  rescue:
    - command: /bin/true";
    for (user, password) in [("ops", "wrong"), ("ops", ""), ("plain", "plain-pass")] {
        let play = Play::on("trixie-1,openrc-1", tasks);
        let password = format!("{{\"ansible_become_password\": \"{password}\"}}");
        let run = play.run_with(&fleet, &["-u", user, "-e", &password]);
        run.expect_ok();
        for host in ["trixie-1", "openrc-1"] {
            run.expect(host, "rescued", 1);
        }
    }
}

#[test]
fn a_full_disk_and_a_read_only_one_leave_no_file_half_written() {
    let Some(fleet) = Fleet::around_us() else { return };
    let host = "debian-8";
    let tasks = "
- copy: {content: '{{ \"new\\n\" * 200000 }}', dest: /srv/precious}
  register: copied
  ignore_errors: true
- assert: {that: copied is failed}
";
    fleet.ask(host, "echo old > /srv/precious");
    for (break_it, mend_it) in [("fill=/", "unfill=/"), ("ro", "rw")] {
        // The helper is there already: it is the task that meets the trouble.
        Play::on(host, "- ping:").run(&fleet).expect_ok();
        fleet.command(&["set", host, break_it]);
        let run = Play::on(host, tasks).run(&fleet);
        fleet.command(&["set", host, mend_it]);
        run.expect_ok().expect(host, "ignored", 1);
        assert_eq!(fleet.ask(host, "cat /srv/precious; ls -A /srv"), "old\nfleet\nprecious");
    }
}

/// Waits until the task `LONG` runs, and gives the process id of its shell.
fn wait_for_long(fleet: &Fleet, host: &str) -> String {
    let running = "cat /tmp/long 2>/dev/null || :";
    within(Duration::from_secs(30), || !fleet.ask(host, running).is_empty(), || fleet.ask(host, "ps -ef"));
    fleet.ask(host, running)
}

/// Waits until something holds; where it does not, fails with what `explain` says.
fn within(limit: Duration, holds: impl Fn() -> bool, explain: impl Fn() -> String) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < limit, "not within {limit:?}:\n{}", explain());
        std::thread::sleep(Duration::from_millis(100));
    }
}

//! Many hosts that give their work to one: in parallel, over few connections, and without a deadlock.

use std::time::{Duration, Instant};

use crate::hosts::Fleet;
use crate::run::{Play, file, path};

#[test]
fn fifty_hosts_delegate_to_one_over_few_connections() {
    let Some(fleet) = Fleet::around_us() else { return };
    let before = connections_taken(&fleet, "debian-4");
    let started = Instant::now();
    let names: Vec<String> = (1..=50).map(|n| format!("delegator{n}\n")).collect();
    let delegators = file(".ini", &names.concat());
    let play = Play::on("delegator*", "- {command: sleep 1, delegate_to: debian-4}");
    let run = play.run_with(&fleet, &["-i", path(&delegators), "-f", "50"]);
    let took = started.elapsed();

    run.expect_ok().expect("delegator50", "changed", 1);
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    // The question itself takes one.
    let taken = connections_taken(&fleet, "debian-4") - before - 1;
    assert!((1..=8).contains(&taken), "{taken} connections were opened");
}

#[test]
fn delegation_may_read_what_the_loop_registered_and_meet_a_host_under_two_names() {
    let Some(fleet) = Fleet::around_us() else { return };
    let alias = file(".ini", &fleet.command(&["inventory", "alias", "again=debian-1"]));
    let tasks = "
- name: each where the one before says
  shell: uname -n; echo {{ chain[item + 1] | default('nowhere') }}
  delegate_to: '{{ hop.stdout_lines[1] if hop is defined else chain[0] }}'
  loop: [0, 1, 2]
  register: hop
  vars: {chain: [debian-1, openrc-1, busybox-1]}
- assert:
    that: hop.results | map(attribute='stdout_lines') | map('first') == ['debian-1', 'openrc-1', 'busybox-1']
- name: every host in turn, one of them under two names
  command: uname -n
  delegate_to: '{{ item }}'
  loop: [debian-1, again, openrc-1, busybox-1, again]
  register: where
- assert:
    that: where.results | map(attribute='stdout') == ['debian-1', 'debian-1', 'openrc-1', 'busybox-1', 'debian-1']
- name: as another user, beside the others
  command: id -un
  remote_user: plain
  delegate_to: debian-1
  register: who
- assert:
    that: who.stdout == 'plain'
";
    Play::on("trixie-1,openrc-1", tasks).run_with(&fleet, &["-i", path(&alias)]).expect_ok();
}

/// How many TCP connections a host has taken since it was made, as its kernel counts.
fn connections_taken(fleet: &Fleet, host: &str) -> u32 {
    let counter = "awk '/^Tcp:/ && $7 ~ /^[0-9]/ { print $7 }' /proc/net/snmp";
    fleet.ask(host, counter).parse().expect("the kernel counts connections")
}

//! The main job (main_job.yml) on all five kinds of hosts at once, and what it must leave there.

use std::path::Path;

use crate::hosts::{Fleet, stand_in};
use crate::run::{Play, playbook};

#[test]
fn main_job_runs_on_all_kinds_and_a_second_time_changes_nothing() {
    let Some(fleet) = Fleet::around_us() else { return };
    let kinds = ["debian-1", "trixie-1", "dnf-1", "openrc-1", "busybox-1"];
    let with_sudo = &kinds[..4];
    let extra = stand_in(&format!(
        r#"{{"kinds": "{}", "with_sudo": "{}", "with_su": "debian-1,trixie-1", "without_sudo": "busybox-1"}}"#,
        kinds.join(","),
        with_sudo.join(",")
    ));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fleet/main_job.yml");
    let run = || playbook(&path, &["-i", &fleet.inventory, "-e", &extra]);

    let first = run();
    first.expect_ok();
    for host in kinds {
        assert!(first.count(host, "changed") >= 8, "{host} in {}", first.text);
        assert_eq!(fleet.ask(host, "cat /srv/main-job/handled; sed -n 3p /srv/main-job/greeting"), "greeted\nhello moon");
    }
    for host in with_sudo {
        assert_eq!(fleet.ask(host, "fleet-hello; id -Gn popeye"), "hello 2.0\npopeye sailors");
    }
    run().expect_ok().expect_nothing_changed();
}

#[test]
fn daemons_that_a_task_started_live_on_and_no_helper_does() {
    let Some(fleet) = Fleet::around_us() else { return };
    let hosts = ["openrc-2", "busybox-2"];
    let start = "
- shell: sleep 600 </dev/null >/dev/null 2>&1 & echo $! > /tmp/daemon
- command: /bin/true";
    Play::on(&hosts.join(","), start).run(&fleet).expect_ok();
    for host in hosts {
        fleet.ask(host, "kill -0 $(cat /tmp/daemon) && kill $(cat /tmp/daemon)");
        assert_eq!(fleet.ask(host, crate::bad_days::HELPERS), "", "a helper is left on {host}");
    }
}

//! Ctrl-C: what was begun ends, nothing new begins, and the exit code is Ansible's.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Starts the tasks on this machine.
fn start(folder: &Path, tasks: &str) -> Child {
    std::fs::write(folder.join("play.yml"), format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{tasks}")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_driftless"))
        .args(["playbook", "-i", "localhost,", "-c", "local", "play.yml"])
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn wait_for(path: &Path) {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What was shown after the signal, and the exit code.
fn interrupted(child: Child) -> (String, Option<i32>) {
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let shown = [output.stdout, output.stderr].concat();
    (String::from_utf8(shown).unwrap(), output.status.code())
}

#[test]
fn a_task_that_waits_to_try_again_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = "    - shell: echo once >> tries; false\n      args: {chdir: \"{{ playbook_dir }}\"}\n      register: r\n      until: r.rc == 0\n      retries: 50\n      delay: 600\n";
    let child = start(folder.path(), tasks);
    wait_for(&folder.path().join("tries"));
    let (shown, code) = interrupted(child);
    assert_eq!(code, Some(99), "{shown}");
    assert_eq!(std::fs::read_to_string(folder.path().join("tries")).unwrap(), "once\n");
}

#[test]
fn nothing_is_rescued_by_a_run_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = "    - block:\n        - shell: touch begun; sleep 600\n          args: {chdir: \"{{ playbook_dir }}\"}\n      rescue:\n        - debug: {msg: rescue}\n";
    let child = start(folder.path(), tasks);
    wait_for(&folder.path().join("begun"));
    let (shown, code) = interrupted(child);
    assert_eq!(code, Some(99), "{shown}");
    assert!(shown.contains("[ERROR]: User interrupted execution"), "{shown}");
    assert!(shown.contains("failed=1    skipped=0    rescued=0"), "{shown}");
}

#[test]
fn a_program_of_a_lookup_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = "    - debug: {msg: \"{{ lookup('pipe', 'touch begun; sleep 600; touch on', errors='ignore') }}\"}\n    - shell: touch on\n      args: {chdir: \"{{ playbook_dir }}\"}\n";
    let child = start(folder.path(), tasks);
    wait_for(&folder.path().join("begun"));
    // Were the `sleep` alive, it would hold the output open.
    let (shown, code) = interrupted(child);
    assert_eq!(code, Some(99), "{shown}");
    assert!(!folder.path().join("on").exists());
}

//! The settings of SSH, as the connection `openssh` hands them on: a program stands in for `ssh` and writes down how it was called.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// The words that `ssh` was called with, by the settings of a file and of the environment.
fn called(settings: &str, variables: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ssh", "other-ssh"] {
        let program = folder.path().join(name);
        fs::write(&program, "#!/bin/sh\necho \"${0##*/} $*\" >> \"$HOME/called\"\nexit 255\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(folder.path().join("ansible.cfg"), settings).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut program = Command::new(env!("CARGO_BIN_EXE_driftless"));
    program.args(["adhoc", "-i", "h1,", "-c", "openssh", "-m", "raw", "-a", "true", "h1"]);
    program.current_dir(folder.path()).env_clear().envs([("PATH", path.as_str())]).env("HOME", folder.path());
    program.envs(variables.iter().copied()).output().unwrap();
    let called = fs::read_to_string(folder.path().join("called")).unwrap_or_default();
    called.replace(&folder.path().display().to_string(), "HERE")
}

fn check(settings: &str, variables: &[(&str, &str)], expected: &str) {
    let called = called(settings, variables);
    assert!(called.contains(expected), "{settings}{variables:?}: wanted `{expected}` in: {called}");
}

#[test]
fn each_setting_comes_to_the_program() {
    check("", &[], "ssh -T -o ControlPath=none -o BatchMode=yes");
    check("", &[], "-o ConnectTimeout=10 -- h1");
    check("", &[("ANSIBLE_SSH_EXECUTABLE", "other-ssh")], "other-ssh -T");
    check("[ssh_connection]\nssh_executable = other-ssh\n", &[], "other-ssh -T");
    check("", &[("ANSIBLE_REMOTE_PORT", "2222")], "-o Port=2222");
    check("[defaults]\nremote_port = 2222\n", &[], "-o Port=2222");
    check("[defaults]\nprivate_key_file = key\n", &[], "-i HERE/key");
    check("", &[("ANSIBLE_PRIVATE_KEY_FILE", "/k/key")], "-i /k/key");
    check("", &[("ANSIBLE_HOST_KEY_CHECKING", "no")], "-o StrictHostKeyChecking=no");
    check("", &[("ANSIBLE_SSH_HOST_KEY_CHECKING", "no")], "-o StrictHostKeyChecking=no");
    check("[ssh_connection]\nhost_key_checking = no\n", &[], "-o StrictHostKeyChecking=no");
    check("[ssh_connection]\ntimeout = 7\n", &[], "-o ConnectTimeout=7");
    check("", &[("ANSIBLE_TIMEOUT", "8")], "-o ConnectTimeout=8");
    check("", &[("ANSIBLE_SSH_ARGS", "-o LogLevel=ERROR")], "-o LogLevel=ERROR");
    check("[ssh_connection]\nssh_args = -o LogLevel=ERROR\n", &[], "-o LogLevel=ERROR");
    check("", &[("ANSIBLE_SSH_COMMON_ARGS", "-J jump")], "-J jump");
    check("", &[("ANSIBLE_SSH_EXTRA_ARGS", "-o Compression=yes")], "-o Compression=yes");
}

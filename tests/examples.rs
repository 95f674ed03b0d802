//! Runs the examples that need nothing but this machine, as the README tells: twice, and foretold before.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

#[test]
fn hello_is_foretold_then_made_then_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("hello");

    let foretold = Run::of_hello(&site, &["--check", "--diff"]);
    assert!(foretold.changed > 0, "{}", foretold.output);
    assert!(foretold.output.contains("+  <title>How it works</title>"), "{}", foretold.output);
    assert!(!site.exists(), "`--check` has made {}", site.display());

    let first = Run::of_hello(&site, &[]);
    assert_eq!(first.changed, foretold.changed, "{}", first.output);
    assert!(first.output.contains("RUNNING HANDLER [Show the site]"), "{}", first.output);
    assert!(site.join("index.html").is_file());

    let second = Run::of_hello(&site, &["--diff"]);
    assert_eq!(second.changed, 0, "{}", second.output);

    std::fs::write(site.join("parts/style.css"), "body { color: red; }\n").unwrap();
    let drifted = Run::of_hello(&site, &["--check", "--diff"]);
    assert_eq!(drifted.changed, 1, "{}", drifted.output);
    assert!(drifted.output.contains("-body { color: red; }"), "{}", drifted.output);
}

#[test]
fn every_example_loads() {
    for (playbook, inventory) in
        [("hello.yml", "inventory-examples/local.yml"), ("site/site.yml", "playbooks-examples/site/inventory/hosts.ini")]
    {
        let playbook = format!("playbooks-examples/{playbook}");
        let output = driftless(&["playbook", "-i", inventory, &playbook, "--list-tasks"]);
        assert!(output.contains("TAGS: ["), "{output}");
    }
}

/// What came of a run.
struct Run {
    changed: usize,
    output: String,
}

impl Run {
    fn of_hello(site: &Path, flags: &[&str]) -> Self {
        let site = format!("site={}", site.display());
        let command = ["playbook", "-i", "inventory-examples/local.yml", "playbooks-examples/hello.yml", "-e", &site];
        let output = driftless(&[&command, flags].concat());
        let changed = output.split("changed=").nth(1).and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Self { changed: changed.unwrap_or_else(|| panic!("no recap in:\n{output}")), output }
    }
}

/// Runs the program at the top of the checkout; it must end well.
fn driftless(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_driftless")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`driftless {}` ended with {}:\n{text}", arguments.join(" "), output.status);
    text
}

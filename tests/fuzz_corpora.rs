//! Replays the corpora of `fuzz/`: what was once a finding, or is near one, never is again.

#![allow(clippy::unwrap_used)]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

/// Runs `target` on each file of its corpus; a panic is the test's.
fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus `{name}` is empty");
    for file in files {
        println!("{}", file.display());
        target(&std::fs::read(file).unwrap());
    }
}

#[test]
fn args() {
    replay("args", targets::args);
}

#[test]
fn frame() {
    replay("frame", targets::frame);
}

#[test]
fn inventory() {
    replay("inventory", targets::inventory);
}

#[test]
fn pattern() {
    replay("pattern", targets::pattern);
}

#[test]
fn source() {
    replay("source", targets::source);
}

#[test]
fn template() {
    replay("template", targets::template);
}

#[test]
fn vault() {
    replay("vault", targets::vault);
}

#[test]
fn yaml() {
    replay("yaml", targets::yaml);
}

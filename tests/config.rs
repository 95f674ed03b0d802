//! `driftless config` as a program: what it writes, it reads.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

fn config(folder: &Path, words: &[&str]) -> (i32, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_driftless"));
    program.arg("config").args(words).current_dir(folder).env_clear().env("HOME", folder).env("NO_COLOR", "1");
    let done = program.output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap();
    (done.status.code().unwrap(), said)
}

#[test]
fn a_file_to_begin_with_is_valid_and_says_what_is_so_already() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["init"][..], &["init", "--disabled"], &["init", "-t", "all"]] {
        let (code, text) = config(folder.path(), words);
        assert_eq!(code, 0, "{text}");
        std::fs::write(folder.path().join("new.cfg"), &text).unwrap();
        let kind = words.last().filter(|word| **word == "all").unwrap_or(&"base");
        let checked = config(folder.path(), &["validate", "-c", "new.cfg", "-t", kind]);
        assert_eq!(checked, (0, "All configurations seem valid!\n".to_owned()));
    }
}

#[test]
fn a_list_is_data_and_names_the_places_of_a_setting() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = config(folder.path(), &["list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let forks = &list["DEFAULT_FORKS"];
    assert_eq!((code, forks["type"].as_str(), forks["env"][0]["name"].as_str()), (0, Some("integer"), Some("ANSIBLE_FORKS")));
    assert_eq!((forks["ini"][0]["section"].as_str(), forks["ini"][0]["key"].as_str()), (Some("defaults"), Some("forks")));
    let (_, text) = config(folder.path(), &["list", "-t", "connection", "ssh", "-f", "json"]);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(list["PLUGINS"]["connection"]["ssh"]["timeout"].is_object());
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (words, wanted) in [
        (&["view", "-c", "none.cfg"][..], (5, "missing or not accessible")),
        (&["dump", "--format", "ini"], (2, "format")),
        (&["view"], (1, "Invalid or no config file was supplied")),
    ] {
        let (code, said) = config(folder.path(), words);
        assert!(code == wanted.0 && said.contains(wanted.1), "{code} {said}");
    }
}

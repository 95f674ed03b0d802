//! The pager: a program that shows a long text page by page.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Shows `text` by the command `pager`; false where it is not there.
pub(super) fn show(text: &str, pager: &str) -> bool {
    let program = pager.split_whitespace().next().unwrap_or_default();
    if !is_there(program) {
        return false;
    }
    // As Ansible: short texts are not paged, colours are kept.
    let command = Command::new("sh").args(["-c", pager]).env("LESS", "FRSX").stdin(Stdio::piped()).spawn();
    let Ok(mut pager) = command else { return false };
    if let Some(mut input) = pager.stdin.take() {
        // Who has seen enough leaves early.
        let _ = input.write_all(text.as_bytes());
    }
    pager.wait().is_ok()
}

fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    !program.is_empty() && std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

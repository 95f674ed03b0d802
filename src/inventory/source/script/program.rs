//! Running an inventory script: bounded in time and in what it prints.

use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A script that has not ended after this long never will.
const DEADLINE: Duration = Duration::from_secs(900);
/// More is no inventory.
const MAX_OUTPUT: u64 = 1 << 30;

/// An inventory script.
pub(super) struct Program<'p> {
    path: &'p Path,
    deadline: Duration,
}

/// What it printed.
#[derive(Debug)]
pub(super) struct Output {
    pub stdout: String,
    pub stderr: String,
}

/// Whether anybody may run the file.
pub(super) fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

impl<'p> Program<'p> {
    pub fn new(path: &'p Path) -> Self {
        Self { path, deadline: DEADLINE }
    }

    pub fn path(&self) -> &'p Path {
        self.path
    }

    /// Runs it; the error is Ansible's.
    pub fn run(&self, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new(self.path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| {
            let shown = format!("{} {}", self.path.display(), arguments.join(" "));
            format!("Failed to execute inventory script command '{shown}': {error}")
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr, status) = std::thread::scope(|scope| {
            let stdout = scope.spawn(|| read(stdout));
            let stderr = scope.spawn(|| read(stderr));
            let status = self.wait(&mut child);
            (stdout.join(), stderr.join(), status)
        });
        let text = |bytes: std::thread::Result<Result<Vec<u8>, String>>| bytes.unwrap_or_else(|_| Err("reading it failed".to_owned()));
        let stderr = String::from_utf8_lossy(&text(stderr)?).into_owned();
        let with_stderr = |message: String| match stderr.trim() {
            "" => message,
            said => format!("{message}\nStandard error from inventory script:\n{said}"),
        };
        match status? {
            status if status.success() => {}
            status => {
                let code = status.code().unwrap_or_else(|| -std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(1));
                return Err(with_stderr(format!("Inventory script returned non-zero exit code {code}.")));
            }
        }
        let stdout = String::from_utf8(text(stdout)?).map_err(|error| {
            with_stderr(format!("Inventory script result contained characters that cannot be interpreted as UTF-8: {error}"))
        })?;
        Ok(Output { stdout, stderr })
    }

    fn wait(&self, child: &mut Child) -> Result<std::process::ExitStatus, String> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if started.elapsed() > self.deadline => {
                    // It may have ended just now; either way nothing is left to wait for.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(format!("Inventory script did not end within {} seconds", self.deadline.as_secs()));
                }
                Ok(None) => std::thread::sleep(pause),
                Err(error) => return Err(format!("Failed to wait for inventory script: {error}")),
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }
}

fn read(stream: Option<impl Read>) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    stream.take(MAX_OUTPUT + 1).read_to_end(&mut bytes).map_err(|error| format!("Failed to read from inventory script: {error}"))?;
    if bytes.len() as u64 > MAX_OUTPUT {
        return Err("Inventory script printed more than 1 GiB".to_owned());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, deadline: Duration) -> Result<Output, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Program { path: &path, deadline }.run(&["--list"])
    }

    #[test]
    fn a_script_that_never_ends_is_ended() {
        let error = run("#!/bin/sh\nexec sleep 60\n", Duration::from_millis(50)).unwrap_err();
        assert!(error.contains("did not end"), "{error}");
    }

    #[test]
    fn much_output_on_both_streams_does_not_block() {
        let output =
            run("#!/bin/sh\nhead -c 300000 /dev/zero | tr '\\0' x >&2; head -c 300000 /dev/zero | tr '\\0' y\n", DEADLINE).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
    }

    #[test]
    fn failures_name_the_code_and_what_was_said() {
        let error = run("#!/bin/sh\necho sorry >&2\nexit 3\n", DEADLINE).unwrap_err();
        assert_eq!(error, "Inventory script returned non-zero exit code 3.\nStandard error from inventory script:\nsorry");
        let error = run("no interpreter\n", DEADLINE).unwrap_err();
        assert!(error.starts_with("Failed to execute inventory script command"), "{error}");
    }
}

//! Wrong inputs and all that is shown of them: message, place, caret, hint, exit code.
//!
//! Each folder `tests/errors/<area>/<name>/` holds the inputs, `cmd` (one line for a shell) and `expected` (what both outputs show, and the exit
//! code). `DRIFTLESS_ERRORS=write cargo test --test errors` records `expected` anew; read what changed: is the caret on the very character, does
//! the hint help, are Ansible's words in the message?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

/// Built for quick checks, with a helper that does nothing: tasks tell nothing then.
const WITHOUT_HELPER: bool = option_env!("DRIFTLESS_HELPER_SKIP").is_some();

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors");
    let trials = folders(&root).into_iter().flat_map(|area| folders(&area)).map(|case| {
        let name = case.strip_prefix(&root).unwrap_or(&case).display().to_string();
        Trial::test(name, move || check(&case).map_err(Into::into)).with_ignored_flag(WITHOUT_HELPER)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn check(case: &Path) -> Result<(), String> {
    let found = run(case).map_err(|error| error.to_string())?;
    let path = case.join("expected");
    if std::env::var_os("DRIFTLESS_ERRORS").is_some_and(|value| value == "write") {
        return fs::write(&path, found).map_err(|error| error.to_string());
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(format!("expected:\n{expected}\nfound:\n{found}")) }
}

/// Runs the case in a copy; both outputs in the order written, then the exit code.
fn run(case: &Path) -> std::io::Result<String> {
    let room = tempfile::tempdir()?;
    let (work, bin) = (room.path().join("work"), room.path().join("bin"));
    copy(case, &work)?;
    fs::create_dir(&bin)?;
    for name in ["ansible", "ansible-playbook", "driftless"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_driftless"), bin.join(name))?;
    }
    let command = fs::read_to_string(case.join("cmd"))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("timeout")
        .args(["60", "sh", "-c", &format!("exec 2>&1; {}", command.trim())])
        .current_dir(&work)
        .env_clear()
        .envs([("PATH", path.as_str()), ("LANG", "C.UTF-8"), ("TZ", "UTC")])
        .env("HOME", room.path().join("home"))
        .stdin(Stdio::null())
        .output()?;
    let room = room.path().canonicalize()?.display().to_string();
    let shown = String::from_utf8_lossy(&output.stdout).replace(&room, "<TMP>");
    let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
    Ok(format!("{shown}exit code: {code}\n"))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &target)?;
        } else if !["cmd", "expected"].iter().any(|own| path.ends_with(own)) {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

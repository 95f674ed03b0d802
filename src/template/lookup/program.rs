//! Lookups of the control machine's environment and of what its programs print.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use super::{nothing, refuse};
use crate::source::escape;
use crate::template::python::codec::Codec;
use crate::template::{Evaluator, Lookup, Options, Result, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "env", options: &["default"], run: env },
    Lookup { name: "lines", options: &[], run: lines },
    Lookup { name: "pipe", options: &[], run: pipe },
];

fn env(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut values = Vec::new();
    for term in terms {
        let name = evaluator.text(term)?;
        let name = name.as_str().split_whitespace().next().unwrap_or_default();
        values.push(match (std::env::var_os(name), options.get("default")) {
            (Some(value), _) => Val::from(value.to_string_lossy().into_owned()),
            (None, Some(default)) if default.is_undefined() => nothing(format!("The environment variable '{name}' is not set.")),
            (None, Some(default)) if !default.is_none() => default.clone(),
            (None, _) => Val::from(""),
        });
    }
    Ok(values)
}

/// What the shell command prints, run beside the playbook.
fn output(evaluator: &Evaluator, lookup: &str, command: &str) -> Result<Vec<u8>> {
    let folder = &evaluator.context().playbook_dir;
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    if folder.is_dir() {
        shell.current_dir(folder);
    }
    let could_not_start = |error: std::io::Error| format!("lookup_plugin.{lookup}({command}) could not start: {error}");
    let mut child = match shell.spawn() {
        Ok(child) => child,
        Err(error) => return refuse(could_not_start(error)),
    };
    let is_interrupted = || evaluator.context().lookups.is_interrupted();
    let printed = match read_to_end(&mut child, &is_interrupted) {
        Ok(Some(printed)) => printed,
        Ok(None) => {
            end_with_children(Pid::from_child(&child));
            // It was killed: its end is all that is waited for.
            let _ = child.wait();
            return refuse(format!("lookup_plugin.{lookup}({command}) was interrupted"));
        }
        Err(error) => return refuse(could_not_start(error)),
    };
    let status = child.wait().map_err(could_not_start).or_else(refuse)?;
    if !status.success() {
        let code =
            status.code().or_else(|| status.signal().map(|signal| -signal)).map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        return refuse(format!("lookup_plugin.{lookup}({command}) returned {code}"));
    }
    Ok(printed)
}

/// What a child prints until its end; nothing where the run is interrupted before.
fn read_to_end(child: &mut Child, is_interrupted: &dyn Fn() -> bool) -> std::io::Result<Option<Vec<u8>>> {
    const STEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
    let mut printed = Vec::new();
    let mut slice = [0; 8192];
    while let Some(stdout) = &mut child.stdout {
        match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&STEP)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => match stdout.read(&mut slice)? {
                0 => child.stdout = None,
                count => printed.extend_from_slice(&slice[..count]),
            },
            Err(error) => return Err(error.into()),
        }
        if is_interrupted() {
            return Ok(None);
        }
    }
    // It may have closed its output and go on.
    let mut pause = Duration::from_micros(200);
    while child.try_wait()?.is_none() {
        if is_interrupted() {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
    Ok(Some(printed))
}

/// Ends a process and those it has started. It has no process group of its own: it may ask at the terminal.
fn end_with_children(process: Pid) {
    let id = process.as_raw_nonzero();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    // It may be gone already.
    let _ = kill_process(process, Signal::KILL);
    children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)).for_each(end_with_children);
}

fn pipe(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    terms
        .iter()
        .map(|term| {
            let command = evaluator.text(term)?;
            let printed = output(evaluator, "pipe", command.as_str())?;
            let text = Codec::Utf8 { marked: false }.decode(&printed, "strict").or_else(refuse)?;
            Ok(Val::from(text.trim_end()))
        })
        .collect()
}

fn lines(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let mut all = Vec::new();
    for term in terms {
        let command = evaluator.text(term)?;
        let printed = escape::decode(&output(evaluator, "lines", command.as_str())?);
        all.extend(crate::template::python::lines::split_lines(&printed).into_iter().map(|line| Val::from(line.trim_end())));
    }
    Ok(all)
}

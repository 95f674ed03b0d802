//! Brings a service to the wanted state on hosts without systemd: first whether it starts at boot, then whether it runs.

use std::time::Duration;

use super::{Action, Engine, State};
use crate::host::{Change, Output};
use crate::{Failure, Host, Outcome, Result};

/// What is wanted of one service.
pub struct Wanted<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether it runs.
    pub state: Option<State>,
    /// Whether it starts at boot.
    pub enabled: Option<bool>,
    /// A text to look for among the processes instead of asking for the status.
    pub pattern: Option<&'a str>,
    /// How long a restart rests between stop and start.
    pub sleep: Option<Duration>,
}

/// Makes it so.
pub fn converge(engine: &dyn Engine, wanted: &Wanted<'_>, host: &mut Host) -> Result<Outcome> {
    let Wanted { name, state, enabled, pattern, sleep } = *wanted;
    if let Some(enabled) = enabled
        && engine.is_enabled(host)? != enabled
    {
        let words = if enabled { ("disabled", "enabled") } else { ("enabled", "disabled") };
        let command = engine.enable(host, enabled)?;
        host.change(Change::of("service", name).from_to(words.0, words.1), |door| {
            let output = door.run(&command)?;
            if output.succeeded() { Ok(()) } else { Err(engine.enable_failed(enabled, &output)) }
        })?;
    }
    let enabling = !host.changes().is_empty();
    if let Some(state) = state {
        let running = match pattern {
            Some(pattern) => processes().any(|line| line.contains(pattern)),
            None => engine.is_running(host)?,
        };
        if let Some(action) = state.action(running) {
            act(engine, name, action, running, sleep, host)?;
        }
    }
    let outcome = host.outcome();
    if host.is_checking() && outcome.changed() {
        return Ok(if enabling { outcome } else { outcome.with("msg", "service state changed") });
    }
    let mut outcome = outcome.with("name", name);
    if let Some(enabled) = enabled {
        outcome.set("enabled", enabled);
    }
    if let Some(state) = state {
        outcome.set("state", state.reached());
    }
    Ok(outcome)
}

fn act(engine: &dyn Engine, name: &str, action: Action, running: bool, sleep: Option<Duration>, host: &mut Host) -> Result<()> {
    let before = if running { "started" } else { "stopped" };
    let after = if action == Action::Stop { "stopped" } else { "started" };
    let steps = match (action, sleep) {
        (Action::Restart, Some(_)) => vec![Action::Stop, Action::Start],
        _ => vec![action],
    };
    let commands = steps.iter().map(|step| Ok((*step, engine.control(host, *step)?))).collect::<Result<Vec<_>>>()?;
    host.change(Change::of("service", name).from_to(before, after), |door| {
        for (index, (step, command)) in commands.iter().enumerate() {
            if index > 0 {
                std::thread::sleep(sleep.unwrap_or_default());
            }
            let output = door.run(command)?;
            // What did not want to be stopped before a restart may still start.
            if !output.succeeded() && index + 1 == commands.len() {
                return Err(engine.control_failed(*step, &output));
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// What a tool said of its failure.
pub(super) fn said(output: &Output) -> Failure {
    let stderr = output.stderr();
    Failure::new(if stderr.trim().is_empty() { output.stdout() } else { stderr })
}

/// The command lines of all processes.
fn processes() -> impl Iterator<Item = String> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_string_lossy() != own.as_str()).filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&line).replace('\0', " "))
    })
}

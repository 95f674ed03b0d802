//! `reboot`: restarts the host and waits until it is back, which is when its boot id has changed.

use std::time::{Duration, Instant};

use super::wait_for_connection::span;
use super::{Action, Call, Done, Failure, OwnOptions, Plan, TalkError, Target};
use crate::transport::Exit;
use crate::transport::shell::quote;
use crate::value::{Map, Value};

/// The action.
pub(super) struct Reboot;

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

static OPTIONS: OwnOptions = OwnOptions {
    names: &[
        "boot_time_command",
        "connect_timeout",
        "msg",
        "post_reboot_delay",
        "pre_reboot_delay",
        "reboot_command",
        "reboot_timeout",
        "search_paths",
        "test_command",
    ],
    required: &[],
};

impl Action for Reboot {
    fn names(&self) -> &'static [&'static str] {
        &["reboot"]
    }

    fn supports_async(&self, _name: &str) -> bool {
        true
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        if call.check {
            let mut result = Map::new();
            result.insert("changed", true);
            result.insert("elapsed", 0_i64);
            result.insert("rebooted", true);
            return Ok(Plan::Done(Done::of(result)));
        }
        Ok(Plan::Talk)
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let limit = span(call, "reboot_timeout", 600)?;
        let connect = span(call, "connect_timeout", 5)?;
        let (before_delay, after_delay) = (span(call, "pre_reboot_delay", 0)?, span(call, "post_reboot_delay", 0)?);
        let id_command = call.args.text(&["boot_time_command"]).unwrap_or_else(|| BOOT_ID.to_owned());
        let test_command = call.args.text(&["test_command"]).unwrap_or_else(|| "whoami".to_owned());
        let started = Instant::now();
        let before = as_root(target, &id_command)?.ok_or_else(|| Failure::new("could not read the time of the last boot"))?;
        let outcome = target.exec(&reboot_line(call, before_delay), b"");
        if let Ok(output) = &outcome
            && let Exit::Code(code) = output.exit
            && code != 0
        {
            let shown = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let message = format!("Reboot command failed. Error was: '{shown}'");
            return Err(Failure::new(message).with("rc", i64::from(code)).with("rebooted", false).into());
        }
        target.disconnect();
        target.sleep(after_delay)?;
        let end = Instant::now() + limit;
        wait_for(target, connect, end, &|target| Ok(as_root(target, &id_command)?.is_some_and(|now| now != before)), "reboot")?;
        wait_for(target, connect, end, &|target| Ok(as_root(target, &test_command)?.is_some()), "test command")?;
        let mut result = Map::new();
        result.insert("changed", true);
        result.insert("elapsed", i64::try_from(started.elapsed().as_secs()).unwrap_or(i64::MAX));
        result.insert("rebooted", true);
        Ok(Done::of(result))
    }
}

/// What a command prints; `None` if it fails or the host is not there.
fn as_root(target: &mut dyn Target, command: &str) -> Result<Option<String>, TalkError> {
    match target.exec(command, b"") {
        Ok(output) if output.exit == Exit::Code(0) => Ok(Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())),
        Ok(_) => Ok(None),
        Err(TalkError::Interrupted) => Err(TalkError::Interrupted),
        Err(TalkError::Failed(_) | TalkError::Run(_)) => Ok(None),
    }
}

fn wait_for(
    target: &mut dyn Target,
    connect: Duration,
    end: Instant,
    is_there: &dyn Fn(&mut dyn Target) -> Result<bool, TalkError>,
    what: &str,
) -> Result<(), TalkError> {
    let mut pause = Duration::from_millis(250);
    loop {
        if target.connect(connect).is_ok() && is_there(target)? {
            return Ok(());
        }
        target.disconnect();
        if Instant::now() >= end {
            let message = format!("Timed out waiting for last boot time check ({what})");
            return Err(Failure::new(message).with("rebooted", true).into());
        }
        target.sleep(pause)?;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

/// Leaves at once, so that the connection can answer before the host goes down.
fn reboot_line(call: &Call<'_>, delay: Duration) -> String {
    let message = call.args.text(&["msg"]).unwrap_or_else(|| "Reboot initiated by driftless".to_owned());
    if let Some(own) = call.args.text(&["reboot_command"]) {
        return own;
    }
    let paths = match call.args.get("search_paths") {
        Some(Value::List(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(":"),
        _ => "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin".to_owned(),
    };
    let wait = delay.as_secs().max(1);
    format!(
        "PATH={paths}:$PATH; export PATH; if [ -d /run/systemd/system ]; then go='systemctl reboot'; elif command -v shutdown >/dev/null 2>&1 && ! shutdown --help 2>&1 | grep -qi busybox; then go='shutdown -r now'; else go=reboot; fi; \
         logger -t driftless {} 2>/dev/null; (sleep {wait}; $go) </dev/null >/dev/null 2>&1 & exit 0",
        quote(&message)
    )
}

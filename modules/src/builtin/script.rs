//! `script`, the managed host's half: runs a program that came with the request. The action parts the task's line into the script and
//! the rest (`_args`), and sends the script as a content. `raw` is here too: a line for a shell, as it is.

use std::path::Path;

use driftless_macros::Args;

use crate::host::{Change, Output, ScratchFolder, Write, glob, path as paths, words};
use crate::outcome::Context;
use crate::spec::Support;
use crate::{Failure, Host, Module, Outcome, Result};

/// The module.
pub struct Script;

/// Its options.
#[derive(Args)]
pub struct ScriptArgs {
    /// The script on the control machine and its arguments, as free text.
    #[arg(name = "_raw_params", controller)]
    raw_params: Option<String>,
    /// The folder to run in.
    chdir: Option<String>,
    /// The script on the control machine and its arguments.
    #[arg(controller)]
    cmd: Option<String>,
    /// A file or pattern; where it exists, the script does not run.
    creates: Option<String>,
    /// The program that reads the script.
    executable: Option<String>,
    /// A file or pattern; where it does not exist, the script does not run.
    removes: Option<String>,
    /// Which content of the request is the script.
    #[arg(name = "_content")]
    content: Option<u32>,
    /// The script's name.
    #[arg(name = "_name", default = "script")]
    name: String,
    /// What follows it on the line, for the shell.
    #[arg(name = "_args", default = "")]
    args: String,
}

impl Module for Script {
    type Args = ScriptArgs;
    const NAME: &'static str = "script";
    const SUMMARY: &'static str = "Run a script of the control machine on the host";
    const CHECK: Support = Support::Partial;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    const EXAMPLES: &'static [&'static str] = &["- script: scripts/migrate.sh --to 42\n  args:\n    creates: /srv/app/.migrated-42\n"];

    fn run(args: ScriptArgs, host: &mut Host) -> Result<Outcome> {
        let expand = |text: &String| host.environment().expand_path(text);
        let chdir = args.chdir.as_ref().map(expand);
        let base = chdir.as_ref().map_or_else(|| host.environment().cwd.clone(), |folder| host.absolute(folder));
        let exists = |path: &String| !glob::glob(&base.join(expand(path))).is_empty();
        let skipped = |message: String| Ok(Outcome::new(false).with("skipped", true).with("msg", message));
        if let Some(path) = args.creates.as_ref().filter(|path| exists(path)) {
            return skipped(format!("{path} exists, matching creates option"));
        }
        if let Some(path) = args.removes.as_ref().filter(|path| !exists(path)) {
            return skipped(format!("{path} does not exist, matching removes option"));
        }
        if host.is_checking() && args.creates.is_none() && args.removes.is_none() {
            return skipped("Check mode is not supported for this task.".to_owned());
        }
        let index = args.content.ok_or_else(|| Failure::new("the request has no script"))? as usize;
        let change = Change::of("command", format!("{} {}", args.name, args.args).trim_end().to_owned());
        if host.is_checking() {
            host.change(change, |_| Ok(()))?;
            return Ok(host.outcome());
        }
        let folder = folder(host)?;
        let path = folder.path().join(Path::new(&args.name).file_name().unwrap_or("script".as_ref()));
        let write = Write { mode: Some(0o700), ..Write::default() };
        host.stage_with(&mut |host| host.contents().open(index).context("could not get the script"), |door, reader| {
            door.stage(&path, reader, false)
        })?
        .commit(write)?;
        let program = words::quote(&paths::shown(&path));
        let line = [args.executable.clone().unwrap_or_default(), program, args.args.clone()].join(" ");
        let line = match &chdir {
            Some(folder) => format!("cd {} && {}", words::quote(&paths::shown(folder)), line.trim()),
            None => line.trim().to_owned(),
        };
        let command = host.user_command("/bin/sh").args(["-c", &line]);
        let output = host.change(change, |door| door.run(&command))?;
        Ok(answer(host, output))
    }
}

/// A private folder for the script: below the home, where programs may run, or where temporary files are.
fn folder(host: &mut Host) -> Result<ScratchFolder> {
    let scratch = host.scratch();
    let home = host.environment().home().map(|home| home.join(".ansible/tmp"));
    home.and_then(|home| scratch.folder(&home, "script-").ok()).map_or_else(|| scratch.folder(&std::env::temp_dir(), "script-"), Ok)
}

/// A line for a shell.
pub struct Raw;

/// Its options.
#[derive(Args)]
#[args(required_one_of("_raw_params"))]
pub struct RawArgs {
    /// The line.
    #[arg(name = "_raw_params")]
    line: Option<String>,
    /// The shell that reads it.
    executable: Option<String>,
}

impl Module for Raw {
    type Args = RawArgs;
    const NAME: &'static str = "raw";
    const SUMMARY: &'static str = "Run a command line over the connection alone, without the helper";
    const CHECK: Support = Support::None;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    const EXAMPLES: &'static [&'static str] = &["- raw: opkg update\n"];

    fn run(args: RawArgs, host: &mut Host) -> Result<Outcome> {
        let line = args.line.unwrap_or_default();
        let shell = args.executable.unwrap_or_else(|| "/bin/sh".to_owned());
        let command = host.user_command(shell).arg("-c").arg(&line);
        let output = host.change(Change::of("command", line), |door| door.run(&command))?;
        Ok(answer(host, output))
    }
}

/// Ansible's keys of a command that no module ran.
fn answer(host: &Host, output: Option<Output>) -> Outcome {
    let Some(output) = output else { return host.outcome() };
    let outcome = host.outcome().with("rc", output.rc()).with("stdout", output.stdout()).with("stderr", output.stderr());
    if output.succeeded() { outcome } else { outcome.with("msg", "non-zero return code").with("failed", true) }
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    fn law() -> Law {
        Law::of("script").with_contents(&[b"#!/bin/sh\necho \"${0##*/} $1\"; pwd; exit $2\n"])
    }

    #[test]
    fn a_script_runs_with_its_arguments_and_leaves_nothing() {
        let law = law();
        let ran = law.run(json!({"_content": 0, "_name": "a.sh", "_args": "'x y' 0", "chdir": "/"}), Mode::Real);
        assert_eq!(ran.outcome.get("stdout"), Some(&json!("a.sh x y\n/\n")), "{:?}", ran.outcome);
        let ran = law.run(json!({"_content": 0, "_name": "a.sh", "_args": "x 3"}), Mode::Real);
        assert!(ran.outcome.failed());
        assert_eq!((ran.outcome.get("rc"), ran.outcome.get("msg")), (Some(&json!(3)), Some(&json!("non-zero return code"))));
        let ran = law.run(json!({"_content": 0, "_name": "a.sh", "executable": "cat"}), Mode::Real);
        assert!(ran.outcome.get("stdout").unwrap().as_str().unwrap().starts_with("#!/bin/sh"));
    }

    #[test]
    fn creates_and_removes_decide() {
        let law = law();
        let skipped = law.unchanged(json!({"_content": 0, "creates": "/etc/passwd"}));
        assert_eq!(skipped.get("msg"), Some(&json!("/etc/passwd exists, matching creates option")));
        law.unchanged(json!({"_content": 0, "removes": "/none"}));
        let skipped = law.run(json!({"_content": 0}), Mode::Check).outcome;
        assert_eq!(skipped.get("skipped"), Some(&json!(true)));
        assert!(law.run(json!({"_content": 0, "creates": "/none"}), Mode::Check).outcome.changed());
    }

    #[test]
    fn a_raw_line_keeps_its_line_breaks() {
        let law = Law::of("raw");
        let ran = law.run(json!({"_raw_params": "printf 'x\\n\\n'"}), Mode::Real);
        assert_eq!(ran.outcome.get("stdout"), Some(&json!("x\n\n")));
        assert!(law.run(json!({"_raw_params": "exit 3"}), Mode::Real).outcome.failed());
    }
}

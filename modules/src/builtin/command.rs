//! `command` and `shell`: runs a program, or a line of shell. The actions send both here: `_raw_params` is the free text of the task,
//! `_uses_shell` says which of the two it is.

use std::path::{Path, PathBuf};

use driftless_macros::Args;
use jiff::Zoned;

use crate::host::{Change, glob, path as paths, time, words};
use crate::spec::Support;
use crate::{Failure, Host, Json, Module, Outcome, Result};

/// The module.
pub struct Command;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("_raw_params", "cmd", "argv"), required_one_of("_raw_params", "cmd", "argv"))]
pub struct CommandArgs {
    /// The command as free text.
    #[arg(name = "_raw_params")]
    raw_params: Option<String>,
    /// Whether a shell reads the command.
    #[arg(name = "_uses_shell", default = false)]
    uses_shell: bool,
    /// The command as a list of words.
    argv: Option<Vec<String>>,
    /// The folder to run in.
    chdir: Option<PathBuf>,
    /// The command as one text.
    cmd: Option<String>,
    /// A file or pattern; where it exists, the command does not run.
    creates: Option<PathBuf>,
    /// The shell to use.
    executable: Option<PathBuf>,
    /// Whether `$NAME` and `~` in the words are expanded.
    #[arg(default = true)]
    expand_argument_vars: bool,
    /// A file or pattern; where it does not exist, the command does not run.
    removes: Option<PathBuf>,
    /// What the command reads.
    stdin: Option<String>,
    /// Whether a line break is put after `stdin`.
    #[arg(default = true)]
    stdin_add_newline: bool,
    /// Whether line breaks are taken from the ends of stdout and stderr.
    #[arg(default = true)]
    strip_empty_ends: bool,
}

impl Module for Command {
    type Args = CommandArgs;
    const NAME: &'static str = "command";
    const SUMMARY: &'static str = "Run a program, without a shell";
    const CHECK: Support = Support::Partial;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    const EXAMPLES: &'static [&'static str] = &["- command: uptime\n", "- command:\n    cmd: ./install.sh\n    creates: /opt/app\n"];

    fn run(args: CommandArgs, host: &mut Host) -> Result<Outcome> {
        let Line { words, shown } = args.line(host)?;
        let mut result = Report { cmd: shown, times: None, rc: 0, stdout: String::new(), stderr: String::new() };
        let cwd = args.chdir.as_ref().map(|folder| host.absolute(folder));
        if let Some(folder) = &cwd
            && let Err(error) = enterable(folder)
        {
            let outcome = result.into_outcome(false, "Unable to change directory before execution.");
            return Ok(without_rc(outcome).with("failed", true).with("exception", crate::outcome::errno_text(&error)));
        }
        let base = cwd.clone().unwrap_or_else(|| host.environment().cwd.clone());
        if let Some(reason) = args.stops(&base) {
            let would = if host.is_checking() { "Would" } else { "Did" };
            result.stdout = format!("skipped, since {}", reason.replace('\'', ""));
            return Ok(result.into_outcome(false, &format!("{would} not run command since {reason}")));
        }
        let mut command = host.user_command(&words[0]).args(&words[1..]);
        if let Some(folder) = &cwd {
            command = command.cwd(folder);
        }
        if let Some(stdin) = &args.stdin {
            command = command.stdin(if args.stdin_add_newline { format!("{stdin}\n") } else { stdin.clone() });
        }
        let zone = time::zone(host.environment());
        let start = jiff::Timestamp::now().to_zoned(zone.clone());
        let object = result.cmd.as_str().map_or_else(|| words::join(&words), str::to_owned);
        let Some(output) = host.change(Change::of("command", object), |door| door.run(&command))? else {
            let guarded = args.creates.is_some() || args.removes.is_some();
            let outcome = result.into_outcome(guarded, "Command would have run if not in check mode");
            return Ok(if guarded { outcome } else { outcome.with("skipped", true) });
        };
        result.times = Some((start, jiff::Timestamp::now().to_zoned(zone)));
        result.rc = output.rc();
        (result.stdout, result.stderr) = output.texts()?;
        if args.strip_empty_ends {
            for text in [&mut result.stdout, &mut result.stderr] {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
        }
        if output.succeeded() {
            return Ok(result.into_outcome(true, ""));
        }
        Ok(result.into_outcome(true, "The command exited with a non-zero return code.").with("failed", true))
    }
}

/// The same with a shell that reads the line.
pub struct Shell;

impl Module for Shell {
    type Args = CommandArgs;
    const NAME: &'static str = "shell";
    const SUMMARY: &'static str = "Run a command line with the shell";
    const CHECK: Support = Support::Partial;
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    const EXAMPLES: &'static [&'static str] =
        &["- shell: make report > report.txt\n  args:\n    chdir: /srv/reports\n    creates: /srv/reports/report.txt\n"];

    fn run(args: CommandArgs, host: &mut Host) -> Result<Outcome> {
        Command::run(CommandArgs { uses_shell: true, ..args }, host)
    }
}

/// What is run, and how the result shows it.
struct Line {
    words: Vec<String>,
    shown: Json,
}

impl CommandArgs {
    fn line(&self, host: &mut Host) -> Result<Line> {
        if let Some(executable) = self.executable.as_ref().filter(|_| !self.uses_shell) {
            host.warn(format!(
                "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '{}'.",
                executable.display()
            ));
        }
        let text = self.raw_params.as_ref().or(self.cmd.as_ref());
        if self.uses_shell {
            let (line, shown) = match (text, &self.argv) {
                (Some(text), _) => (text.clone(), Json::from(text.as_str())),
                (None, argv) => {
                    let argv = argv.clone().unwrap_or_default();
                    (words::join(&argv), argv.into())
                }
            };
            if line.is_empty() {
                return Err(no_command());
            }
            let shell = self.executable.as_ref().map_or_else(|| "/bin/sh".to_owned(), |shell| paths::shown(shell));
            return Ok(Line { words: vec![shell, "-c".to_owned(), line], shown });
        }
        let argv = match (&self.argv, text) {
            (Some(argv), _) => argv.clone(),
            (None, text) => words::split(text.map_or("", String::as_str))?,
        };
        if argv.is_empty() && self.argv.is_some() {
            let failure = Failure::new("Error executing command.").with("rc", 257).with("cmd", "");
            return Err(failure.with("stdout", "").with("stderr", ""));
        }
        if argv.is_empty() {
            return Err(no_command());
        }
        let environment = host.environment();
        let expand = |word: &String| {
            if self.expand_argument_vars {
                environment.expand_variables(&environment.expand_user(word)).to_string_lossy().into_owned()
            } else {
                word.clone()
            }
        };
        Ok(Line { words: argv.iter().map(expand).collect(), shown: argv.into() })
    }

    /// Why the command need not run.
    fn stops(&self, cwd: &Path) -> Option<String> {
        let exists = |path: &PathBuf| !glob::glob(&cwd.join(path)).is_empty();
        if let Some(creates) = self.creates.as_ref().filter(|path| exists(path)) {
            return Some(format!("'{}' exists", creates.display()));
        }
        let removes = self.removes.as_ref().filter(|path| !exists(path))?;
        Some(format!("'{}' does not exist", removes.display()))
    }
}

fn no_command() -> Failure {
    Failure::new("Argument 'args' to run_command must be list or string").with("rc", 257).with("cmd", Json::Null)
}

/// Ansible's keys.
struct Report {
    cmd: Json,
    times: Option<(Zoned, Zoned)>,
    rc: i32,
    stdout: String,
    stderr: String,
}

impl Report {
    fn into_outcome(self, changed: bool, message: &str) -> Outcome {
        let (start, end, delta) = match &self.times {
            Some((start, end)) => {
                (moment(start), moment(end), Json::from(time::shown_span(end.timestamp().duration_since(start.timestamp()))))
            }
            None => (Json::Null, Json::Null, Json::Null),
        };
        Outcome::new(changed)
            .with("stdout", self.stdout)
            .with("stderr", self.stderr)
            .with("rc", self.rc)
            .with("cmd", self.cmd)
            .with("start", start)
            .with("end", end)
            .with("delta", delta)
            .with("msg", message)
    }
}

/// Whether a program may run in a folder.
fn enterable(folder: &Path) -> std::io::Result<()> {
    let metadata = folder.metadata()?;
    if !metadata.is_dir() {
        return Err(rustix::io::Errno::NOTDIR.into());
    }
    Ok(rustix::fs::access(folder, rustix::fs::Access::EXEC_OK)?)
}

fn without_rc(mut outcome: Outcome) -> Outcome {
    outcome.remove("rc");
    outcome
}

fn moment(time: &Zoned) -> Json {
    Json::from(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
}

#[cfg(test)]
mod tests {
    use crate::Json;
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn runs_programs_and_lines_of_shell() {
        let law = Law::of("command");
        let run = |args: Json| law.run(args, Mode::Real).outcome;
        let outcome = run(json!({"_raw_params": "echo 'a b' $WORLD"}));
        assert_eq!(outcome.get("stdout").unwrap(), &json!(format!("a b {}", law.path("world"))));
        assert_eq!(outcome.get("cmd").unwrap(), &json!(["echo", "a b", "$WORLD"]));
        assert!(outcome.changed());
        let outcome = run(json!({"argv": ["echo", "$WORLD"], "expand_argument_vars": false}));
        assert_eq!(outcome.get("stdout").unwrap(), "$WORLD");
        let outcome = run(json!({"cmd": "echo out; echo err >&2; exit 3", "_uses_shell": true}));
        assert_eq!((outcome.get("rc").unwrap(), outcome.get("stderr").unwrap()), (&json!(3), &json!("err")));
        assert_eq!(outcome.get("msg").unwrap(), "The command exited with a non-zero return code.");
        assert!(outcome.failed() && outcome.changed());
        let outcome = run(json!({"cmd": "kill -9 $$", "_uses_shell": true}));
        assert_eq!(outcome.get("rc").unwrap(), -9);
        let outcome = run(json!({"cmd": "cat", "stdin": "x"}));
        assert_eq!(outcome.get("stdout").unwrap(), "x");
        let outcome = run(json!({"cmd": "printf 'a\\n\\n'", "strip_empty_ends": false}));
        assert_eq!(outcome.get("stdout").unwrap(), "a\n\n");
        let outcome = run(json!({"cmd": "pwd", "chdir": "/"}));
        assert_eq!(outcome.get("stdout").unwrap(), "/");
    }

    #[test]
    fn says_why_it_cannot() {
        let law = Law::of("command");
        let outcome = law.fails(json!({"cmd": "no-such-program a"}), "Error executing command.");
        assert_eq!((outcome.get("rc").unwrap(), outcome.get("cmd").unwrap()), (&json!(2), &json!("no-such-program a")));
        law.fails(json!({"cmd": "ls", "chdir": "/no/such"}), "Unable to change directory before execution.");
        law.fails(json!({"cmd": "ls 'a"}), "No closing quotation");
    }

    #[test]
    fn creates_and_removes_decide_also_when_checking() {
        let law = Law::of("command");
        law.write("there", "");
        let outcome = law.unchanged(json!({"cmd": "touch x", "creates": law.path("th*e")}));
        assert_eq!(outcome.get("msg").unwrap(), &json!(format!("Did not run command since '{}' exists", law.path("th*e"))));
        law.unchanged(json!({"cmd": "touch x", "removes": "none"}));
        let outcome = law.run(json!({"cmd": "touch x", "removes": "there"}), Mode::Check).outcome;
        assert!(outcome.changed() && outcome.get("skipped").is_none());
        let outcome = law.run(json!({"cmd": "touch x"}), Mode::Check).outcome;
        assert_eq!(outcome.get("skipped"), Some(&json!(true)));
        law.converges(json!({"cmd": "touch made", "creates": "made"}), &[("command", "touch made")]);
    }

    #[test]
    fn a_daemon_left_behind_is_not_waited_for() {
        let law = Law::of("command");
        let start = std::time::Instant::now();
        let outcome = law.run(json!({"cmd": "sleep 30 & echo $!", "_uses_shell": true}), Mode::Real).outcome;
        assert!(start.elapsed().as_secs() < 10);
        let pid = outcome.get("stdout").and_then(Json::as_str).unwrap().to_owned();
        law.run(json!({"argv": ["kill", pid]}), Mode::Real);
    }
}

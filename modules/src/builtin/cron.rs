//! `cron`: jobs and variables in a user's crontab, or in a file of /etc/cron.d.

use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};

use crate::host::{Change, Diff, Write, identity};
use crate::spec::Support;
use crate::{Failure, Host, Json, Module, Outcome, Result};

/// What stands before a job's name, in a line of its own above the job.
const MARK: &str = "#Ansible: ";

/// The module.
pub struct Cron;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("insertafter", "insertbefore"))]
pub struct CronArgs {
    /// What the job is called; with `env`, the variable's name.
    #[arg(required)]
    name: String,
    /// The command, or the variable's value.
    #[arg(alias = "value")]
    job: Option<String>,
    /// Whether it is to be there.
    #[arg(default = "present")]
    state: State,
    /// Whether a variable is meant, not a job.
    #[arg(default = false)]
    env: bool,
    /// The variable that a new one comes after.
    insertafter: Option<String>,
    /// The variable that a new one comes before.
    insertbefore: Option<String>,
    /// Whose crontab; in a `cron_file`, who runs the job.
    user: Option<String>,
    /// A file instead of a user's crontab; relative paths start in /etc/cron.d.
    cron_file: Option<PathBuf>,
    /// Whether the crontab is copied before it is changed.
    #[arg(default = false)]
    backup: bool,
    /// Minutes.
    #[arg(default = "*")]
    minute: String,
    /// Hours.
    #[arg(default = "*")]
    hour: String,
    /// Days of the month.
    #[arg(default = "*", alias = "dom")]
    day: String,
    /// Months.
    #[arg(default = "*")]
    month: String,
    /// Days of the week.
    #[arg(default = "*", alias = "dow")]
    weekday: String,
    /// A time with a name, instead of the others.
    special_time: Option<SpecialTime>,
    /// Whether the job is there as a comment only.
    #[arg(default = false)]
    disabled: bool,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum State {
    Absent,
    Present,
}

#[derive(Choice, Clone, Copy, PartialEq)]
enum SpecialTime {
    Annually,
    Daily,
    Hourly,
    Monthly,
    Reboot,
    Weekly,
    Yearly,
}

impl SpecialTime {
    fn word(self) -> &'static str {
        match self {
            Self::Annually => "annually",
            Self::Daily => "daily",
            Self::Hourly => "hourly",
            Self::Monthly => "monthly",
            Self::Reboot => "reboot",
            Self::Weekly => "weekly",
            Self::Yearly => "yearly",
        }
    }
}

impl Module for Cron {
    type Args = CronArgs;
    const NAME: &'static str = "cron";
    const SUMMARY: &'static str = "Manage jobs and variables of cron";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] = &["cron:\n  name: nightly\n  minute: 0\n  hour: 3\n  job: /usr/local/bin/nightly"];

    fn run(args: CronArgs, host: &mut Host) -> Result<Outcome> {
        check(&args, host)?;
        let table = Table::read(&args, host)?;
        let before = table.lines.clone();
        let mut lines = before.clone();
        match (args.env, args.state) {
            (true, State::Present) => put_variable(&mut lines, &args)?,
            (true, State::Absent) => lines.retain(|line| variable_name(line) != Some(&args.name)),
            (false, State::Present) => put_job(&mut lines, &args),
            (false, State::Absent) => {
                while let Some(at) = position(&lines, &args.name) {
                    lines.drain(at..(at + 2).min(lines.len()));
                }
            }
        }
        let mut backup = None;
        // The last job takes a file of its own with it.
        let goes = lines.is_empty() && lines != before && !args.env && args.state == State::Absent && table.file.is_some();
        if lines != before {
            let (old, new) = (text_of(&before), text_of(&lines));
            if args.backup {
                backup = host.unrecorded(|door| {
                    let path = door.create_temp_file(&std::env::temp_dir(), "crontab", "")?;
                    door.write(&path, old.as_bytes(), Write::default())?;
                    Ok(path)
                })?;
            }
            let after_header = if goes { "/dev/null".to_owned() } else { table.header() };
            let shown = Diff::headed(&table.header(), old, &after_header, new.clone());
            let change = Change::of("cron", args.name.as_str()).shown(shown);
            match &table.file {
                Some(file) if goes => drop(host.change(change, |door| door.remove_file(file))?),
                _ => table.install(&args, host, &new, change)?,
            }
        }
        let mut outcome = host.outcome();
        if let Some(path) = backup {
            outcome.set("backup_file", path.display().to_string());
        }
        if let Some(file) = &args.cron_file {
            outcome.set("cron_file", file.display().to_string());
        }
        if goes {
            return Ok(outcome.with("state", "absent"));
        }
        let jobs: Vec<Json> = lines.iter().filter_map(|line| line.strip_prefix(MARK)).map(Json::from).collect();
        outcome.set("jobs", jobs);
        outcome.set("envs", lines.iter().filter_map(|line| variable_name(line)).map(Json::from).collect::<Vec<_>>());
        Ok(outcome)
    }
}

fn check(args: &CronArgs, host: &mut Host) -> Result<()> {
    let is_timed = [&args.minute, &args.hour, &args.day, &args.month, &args.weekday].iter().any(|field| *field != "*");
    if args.special_time.is_some() && is_timed {
        return Err(Failure::new("You cannot combine special_time with any of the time or day/date parameters."));
    }
    if args.cron_file.is_some() && args.user.is_none() && args.state == State::Present && !args.env {
        return Err(Failure::new("To use cron_file=... parameter you must specify user=... as well"));
    }
    if args.job.is_none() && args.state == State::Present {
        return Err(Failure::new("You must specify 'job' to install a new cron job or variable"));
    }
    if args.env && args.name.contains(' ') {
        return Err(Failure::new("Invalid name for environment variable"));
    }
    if (args.insertafter.is_some() || args.insertbefore.is_some()) && !args.env {
        return Err(Failure::new("Insertafter and insertbefore parameters are valid only with env=yes"));
    }
    if args.job.as_deref().is_some_and(|job| job.trim_matches(['\r', '\n']).contains(['\r', '\n'])) {
        host.warn("Job should not contain line breaks");
    }
    Ok(())
}

fn put_variable(lines: &mut Vec<String>, args: &CronArgs) -> Result<()> {
    let line = format!("{}=\"{}\"", args.name, args.job.as_deref().unwrap_or_default());
    if let Some(old) = lines.iter_mut().find(|old| variable_name(old) == Some(&args.name)) {
        *old = line;
        return Ok(());
    }
    let place = |name: &str| {
        let at = lines.iter().position(|line| variable_name(line) == Some(name));
        at.ok_or_else(|| Failure::new(format!("Variable named '{name}' not found.")))
    };
    let at = match (&args.insertafter, &args.insertbefore) {
        (Some(name), _) => place(name)? + 1,
        (None, Some(name)) => place(name)?,
        (None, None) => 0,
    };
    lines.insert(at, line);
    Ok(())
}

fn put_job(lines: &mut Vec<String>, args: &CronArgs) {
    let job = job_line(args);
    let named: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].strip_prefix(MARK) == Some(&args.name)).collect();
    if named.is_empty() {
        // The same job without a name gets one.
        return match lines.iter().position(|line| *line == job) {
            Some(at) if at == 0 || !lines[at - 1].starts_with(MARK) => lines.insert(at, format!("{MARK}{}", args.name)),
            Some(_) | None => lines.extend([format!("{MARK}{}", args.name), job]),
        };
    }
    // Each of that name becomes the job.
    for at in named {
        if at + 1 < lines.len() {
            lines[at + 1].clone_from(&job);
        } else {
            lines.push(job.clone());
        }
    }
}

fn job_line(args: &CronArgs) -> String {
    let time = match args.special_time {
        Some(special) => format!("@{}", special.word()),
        None => [&args.minute, &args.hour, &args.day, &args.month, &args.weekday].map(String::as_str).join(" "),
    };
    let job = args.job.as_deref().unwrap_or_default().trim_matches(['\r', '\n']);
    let user = args.user.as_deref().filter(|_| args.cron_file.is_some()).map(|user| format!("{user} ")).unwrap_or_default();
    format!("{}{time} {user}{job}", if args.disabled { "#" } else { "" })
}

/// Where a job's name stands.
fn position(lines: &[String], name: &str) -> Option<usize> {
    lines.iter().position(|line| line.strip_prefix(MARK) == Some(name))
}

/// The name of the variable that a line sets.
fn variable_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once('=')?;
    (!name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter == '#' || letter == '*')).then_some(name)
}

fn text_of(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The crontab: whose it is or where, and its lines.
struct Table {
    file: Option<PathBuf>,
    lines: Vec<String>,
}

impl Table {
    fn read(args: &CronArgs, host: &Host) -> Result<Self> {
        if let Some(file) = &args.cron_file {
            let file = Path::new("/etc/cron.d").join(file);
            let lines = match std::fs::read(&file) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            return Ok(Self { file: Some(file), lines });
        }
        let output = host.query(&crontab(args, host)?.arg("-l"))?;
        if output.rc() > 1 {
            return Err(Failure::new("Unable to read crontab"));
        }
        let text = if output.succeeded() { output.stdout() } else { String::new() };
        let is_header = |line: &str| {
            line.starts_with("# DO NOT EDIT THIS FILE")
                || line.starts_with("# (") && (line.contains(" installed on ") || line.contains("version"))
        };
        let lines =
            text.lines().enumerate().filter(|(index, line)| *index > 2 || !is_header(line)).map(|(_, line)| line.to_owned()).collect();
        Ok(Self { file: None, lines })
    }

    fn header(&self) -> String {
        self.file.as_ref().map_or_else(|| "crontab".to_owned(), |file| file.display().to_string())
    }

    fn install(&self, args: &CronArgs, host: &mut Host, text: &str, change: Change) -> Result<()> {
        if let Some(file) = &self.file {
            let mode = (!file.exists()).then_some(0o644);
            host.change(change, |door| door.write(file, text.as_bytes(), Write { mode, ..Write::default() }))?;
            return Ok(());
        }
        let command = crontab(args, host)?.arg("-").stdin(text);
        host.change(change, |door| door.run(&command)?.or_fail(|_| "Failed to install new cronfile: -".to_owned()).map(|_| ()))?;
        Ok(())
    }
}

/// `crontab`, for another user where one is named.
fn crontab(args: &CronArgs, host: &Host) -> Result<crate::host::Command> {
    let command = host.command(host.need_program("crontab")?);
    let own = identity::user_by_id(rustix::process::getuid().as_raw()).map(|user| user.name);
    Ok(match &args.user {
        Some(user) if own.as_ref() != Some(user) => command.arg("-u").arg(user),
        Some(_) | None => command,
    })
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    fn law() -> Law {
        let law = Law::of("cron");
        law.tool("crontab", r#"case "$1" in -l) cat $WORLD.tab 2>/dev/null || exit 1;; -) cat > $WORLD.tab;; esac"#);
        law
    }

    #[test]
    fn jobs_and_variables_converge() {
        let law = law();
        law.converges(json!({"name": "a", "minute": "0", "hour": "5,2", "job": "ls > /dev/null"}), &[("cron", "a")]);
        law.converges(json!({"name": "PATH", "env": true, "job": "/opt/bin"}), &[("cron", "PATH")]);
        law.converges(json!({"name": "APP", "env": true, "value": "/srv", "insertafter": "PATH"}), &[("cron", "APP")]);
        law.converges(json!({"name": "b", "special_time": "reboot", "job": "/x", "disabled": true}), &[("cron", "b")]);
        law.converges(json!({"name": "a", "minute": "1", "job": "ls > /dev/null"}), &[("cron", "a")]);
        let expected = "PATH=\"/opt/bin\"\nAPP=\"/srv\"\n#Ansible: a\n1 * * * * ls > /dev/null\n#Ansible: b\n#@reboot /x\n";
        assert_eq!(law.read("world.tab"), expected);
        let outcome = law.converges(json!({"name": "a", "state": "absent"}), &[("cron", "a")]).outcome;
        assert_eq!(outcome.get("jobs"), Some(&json!(["b"])));
        assert_eq!(outcome.get("envs"), Some(&json!(["PATH", "APP"])));
    }

    #[test]
    fn files_have_users() {
        let law = law();
        let file = law.path("tab");
        law.converges(
            json!({"name": "y", "weekday": "2", "minute": "0", "user": "root", "job": "X=1 y", "cron_file": file}),
            &[("cron", "y")],
        );
        assert_eq!(law.read("tab"), "#Ansible: y\n0 * * * 2 root X=1 y\n");
        let outcome = law.run(json!({"name": "y", "state": "absent", "cron_file": file}), Mode::Check).outcome;
        assert_eq!(outcome.get("diff").unwrap()["before_header"], json!(file));
        let gone = law.converges(json!({"name": "y", "state": "absent", "cron_file": file}), &[("cron", "y")]).outcome;
        assert_eq!((gone.get("state"), gone.get("jobs")), (Some(&json!("absent")), None));
        assert!(!law.folder().join("tab").exists());
        law.unchanged(json!({"name": "z", "state": "absent", "cron_file": file}));
    }

    #[test]
    fn jobs_of_one_name_are_all_meant() {
        let law = law();
        law.write("world.tab", "#Ansible: dup\n1 * * * * a\n#Ansible: other\n3 * * * * o\n#Ansible: dup\n2 * * * * b\n");
        law.converges(json!({"name": "dup", "job": "c"}), &[("cron", "dup")]);
        let expected = "#Ansible: dup\n* * * * * c\n#Ansible: other\n3 * * * * o\n#Ansible: dup\n* * * * * c\n";
        assert_eq!(law.read("world.tab"), expected);
        law.converges(json!({"name": "dup", "state": "absent"}), &[("cron", "dup")]);
        assert_eq!(law.read("world.tab"), "#Ansible: other\n3 * * * * o\n");
    }

    #[test]
    fn mistakes_are_told() {
        law().fails(json!({"name": "a b", "env": true, "job": "x"}), "Invalid name for environment variable");
        let law = law();
        law.fails(json!({"name": "n"}), "You must specify 'job' to install a new cron job or variable");
        law.fails(json!({"name": "n", "job": "x", "cron_file": "f"}), "To use cron_file=... parameter you must specify user=... as well");
        law.fails(json!({"name": "n", "job": "x", "special_time": "daily", "hour": "1"}), "You cannot combine special_time");
        law.fails(json!({"name": "n", "job": "x", "env": true, "insertafter": "NO"}), "Variable named 'NO' not found.");
    }
}

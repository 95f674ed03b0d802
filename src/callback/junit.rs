//! `junit`: a report that build servers read, a test for each task of each host.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Callback, Options, failure};
use crate::config::Config;
use crate::display::Display;
use crate::event::{Event, Status, TaskInfo, TaskResult};
use crate::value::{Layout, Map, Value, dump};

/// The `JUNIT_*` settings.
#[derive(Clone, Debug)]
pub struct JunitOptions {
    /// The folder of the report.
    pub folder: PathBuf,
    /// A class for each file of tasks.
    pub task_class: bool,
    /// Files are named from this folder.
    pub relative_to: Option<String>,
    /// What stands for the folders of files outside of it.
    pub out_of_tree: Option<String>,
    /// A change is a failure.
    pub fail_on_change: bool,
    /// A failure that is ignored is one.
    pub fail_on_ignore: bool,
    /// Gathering facts is a test.
    pub include_setup: bool,
    /// Arguments are no part of names.
    pub hide_arguments: bool,
    /// Only tasks whose names begin so are tests, and those that fail.
    pub prefix: String,
}

impl JunitOptions {
    /// Those of the settings.
    pub fn of(config: &Config) -> Self {
        Self {
            folder: config.junit_output_dir.value.clone(),
            task_class: config.junit_task_class.value,
            relative_to: config.junit_task_relative_path.value.clone().filter(|path| !path.is_empty()),
            out_of_tree: config.junit_replace_out_of_tree_path.value.clone().filter(|path| !path.is_empty()),
            fail_on_change: config.junit_fail_on_change.value,
            fail_on_ignore: config.junit_fail_on_ignore.value,
            include_setup: config.junit_include_setup_tasks_in_report.value,
            hide_arguments: config.junit_hide_task_arguments.value,
            prefix: config.junit_test_case_prefix.value.clone(),
        }
    }

    /// The file as the report names it.
    fn file(&self, path: &str) -> String {
        let Some(root) = &self.relative_to else { return path.to_owned() };
        if let Ok(inside) = std::path::Path::new(path).strip_prefix(root) {
            return inside.display().to_string();
        }
        match &self.out_of_tree {
            Some(stand_in) => format!("{stand_in}{}", path.rsplit('/').next().unwrap_or(path)),
            None => path.to_owned(),
        }
    }
}

/// The callback.
pub(super) struct Junit {
    options: JunitOptions,
    suite: String,
    play: String,
    started: HashMap<(Arc<str>, usize), Instant>,
    task_start: Instant,
    task: Option<Arc<TaskInfo>>,
    /// The task whose files were last included, with nothing between.
    including: Option<Arc<TaskInfo>>,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    took: Duration,
    outcome: Outcome,
}

enum Outcome {
    Passed(String),
    Failed { message: String, text: String },
    Error { message: String },
    Skipped(String),
}

impl Junit {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            options: options.junit.clone(),
            suite: String::new(),
            play: String::new(),
            started: HashMap::new(),
            task_start: Instant::now(),
            task: None,
            including: None,
            cases: Vec::new(),
        }
    }

    fn add(&mut self, host: &str, task: &TaskInfo, took: Duration, outcome: Outcome, failed: bool) {
        if !failed && !task.name.starts_with(&self.options.prefix) {
            return;
        }
        let args = task.args.as_ref().filter(|args| !self.options.hide_arguments && !args.is_empty());
        let args = args.map(|args| format!(" {args}")).unwrap_or_default();
        let file = self.options.file(&task.span.file());
        let class = if self.options.task_class {
            file.strip_suffix(".yml").unwrap_or(&file).to_owned()
        } else {
            format!("{file}:{}", task.span.line_column().0)
        };
        self.cases.push(Case { class, name: format!("[{host}] {}: {}{args}", self.play, task.name), took, outcome });
    }

    /// All that one task includes is one test.
    fn include(&mut self, task: &Arc<TaskInfo>, text: String) {
        let is_known = self.including.as_ref().is_some_and(|known| Arc::ptr_eq(known, task));
        match self.cases.last_mut().map(|case| &mut case.outcome) {
            Some(Outcome::Passed(before)) if is_known => {
                before.push('\n');
                before.push_str(&text);
            }
            _ => {
                let before = self.cases.len();
                self.add("include", task, self.task_start.elapsed(), Outcome::Passed(text), false);
                self.including = (self.cases.len() > before).then(|| Arc::clone(task));
            }
        }
    }

    fn result(&mut self, result: &TaskResult) {
        self.including = None;
        let task = &result.task;
        if !self.options.include_setup && matches!(&*task.action, "setup" | "gather_facts") {
            return;
        }
        let key = (Arc::clone(&result.host), Arc::as_ptr(task) as usize);
        let took = self.started.remove(&key).unwrap_or(self.task_start).elapsed();
        let text = text_of(result);
        let message = result.result.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned();
        let failed = match result.status {
            Status::Failed | Status::Unreachable => self.options.fail_on_ignore || !result.ignored || task.name.contains("TOGGLE RESULT"),
            Status::Changed => self.options.fail_on_change,
            Status::Ok | Status::Skipped => false,
        };
        let expected = task.name.contains("EXPECTED FAILURE");
        let toggled = task.name.contains("TOGGLE RESULT");
        let outcome = match (result.status, failed) {
            (Status::Skipped, _) => {
                let reason = result.result.get("skip_reason").and_then(Value::as_str).unwrap_or("skipped");
                Outcome::Skipped(reason.to_owned())
            }
            (Status::Failed | Status::Unreachable, true) if expected => Outcome::Passed(text),
            // Of a loop the items have failed.
            (Status::Failed, true) if result.is_loop => Outcome::Failed { message, text },
            (Status::Failed | Status::Unreachable, true) => Outcome::Error { message: failure::headline(result).unwrap_or(message) },
            (_, true) => Outcome::Failed { message, text },
            (Status::Ok | Status::Changed, false) if toggled => Outcome::Failed { message, text },
            (_, false) => Outcome::Passed(text),
        };
        let has_failed = matches!(outcome, Outcome::Error { .. } | Outcome::Failed { .. });
        self.add(&result.host, task, took, outcome, has_failed);
    }

    fn report(&self) -> String {
        let count = |which: fn(&Outcome) -> bool| self.cases.iter().filter(|case| which(&case.outcome)).count();
        let errors = count(|outcome| matches!(outcome, Outcome::Error { .. }));
        let failures = count(|outcome| matches!(outcome, Outcome::Failed { .. }));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let took: Duration = self.cases.iter().map(|case| case.took).sum();
        let sums = format!("tests=\"{}\" time=\"{:.6}\"", self.cases.len(), took.as_secs_f64());
        let mut out = format!(
            "<?xml version=\"1.0\" ?>\n<testsuites disabled=\"0\" errors=\"{errors}\" failures=\"{failures}\" {sums}>\n\t<testsuite disabled=\"0\" \
             errors=\"{errors}\" failures=\"{failures}\" name=\"{}\" skipped=\"{skipped}\" {sums}>\n",
            escaped(&self.suite)
        );
        for case in &self.cases {
            let (class, name) = (escaped(&case.class), escaped(&case.name));
            // Writing to a text cannot fail.
            let _ = writeln!(out, "\t\t<testcase classname=\"{class}\" name=\"{name}\" time=\"{:.6}\">", case.took.as_secs_f64());
            let _ = match &case.outcome {
                Outcome::Passed(text) => writeln!(out, "\t\t\t<system-out>{}</system-out>", escaped(text)),
                Outcome::Skipped(reason) => writeln!(out, "\t\t\t<skipped>{}</skipped>", escaped(reason)),
                Outcome::Failed { message, text } => {
                    writeln!(out, "\t\t\t<failure message=\"{}\" type=\"failure\">{}</failure>", escaped(message), escaped(text))
                }
                Outcome::Error { message } => {
                    let message = escaped(message);
                    writeln!(out, "\t\t\t<error message=\"{message}\" type=\"error\">{message}</error>")
                }
            };
            out += "\t\t</testcase>\n";
        }
        out + "\t</testsuite>\n</testsuites>\n"
    }

    fn write(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.options.folder)?;
        let seconds = jiff::Timestamp::now().as_duration().as_secs_f64();
        std::fs::write(self.options.folder.join(format!("{}-{seconds:.6}.xml", self.suite)), self.report())
    }
}

impl Callback for Junit {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlaybookStart { path, .. } => self.suite = path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Event::PlayStart { name, .. } => self.play.clone_from(name),
            Event::TaskStart(task) => {
                self.task_start = Instant::now();
                self.task = Some(Arc::clone(task));
            }
            Event::Included { file, hosts, .. } => {
                if let Some(task) = self.task.clone() {
                    let text = format!("{file} (args={{}} vars={{}}): [{}]", hosts.join(", "));
                    self.include(&task, text);
                }
            }
            Event::HostStart { host, task } => {
                self.started.insert((Arc::clone(host), Arc::as_ptr(task) as usize), Instant::now());
            }
            Event::Result(result) => self.result(result),
            Event::Stats(_) => {
                if let Err(error) = self.write() {
                    display.warning(&format!("could not write a report to `{}`: {error}", self.options.folder.display()));
                }
            }
            _ => {}
        }
    }
}

fn text_of(result: &TaskResult) -> String {
    let hidden = |key: &str| {
        matches!(key, "exception" | "diff" | "warnings" | "deprecations" | "failed" | "skipped") || key.starts_with("_ansible_")
    };
    let kept = |map: &Map| -> Map {
        map.iter().filter(|(key, _)| !key.as_str().is_some_and(hidden)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut shown = kept(&result.result);
    if let Some(items) = result.result.get("results").and_then(Value::as_list) {
        let items = items.iter().map(|item| item.as_map().map_or_else(|| item.clone(), |item| Value::map(kept(item)))).collect();
        shown.insert("results", Value::list(items));
    }
    dump(&Value::map(shown), Layout::Indent(if super::dump::always_verbose(&result.result) { 4 } else { 0 }))
}

/// As XML wants it; characters that it cannot have are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\n' | '\t' | '\r' => out.push(character),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => out.push(other),
        }
    }
    out
}

//! `default`: what people and scripts know from Ansible.

use super::{Callback, Options, ResultFormat, always_verbose, diff, dump_result, host_label};
use crate::display::{Display, Role};
use crate::event::{Event, HostStats, ItemResult, RunStats, Status, TaskInfo, TaskResult};
use crate::source::Severity;
use crate::template::print::shown;
use crate::value::{Layout, Value, dump};

/// The callback.
pub struct Default {
    options: Options,
    task: Option<std::sync::Arc<TaskInfo>>,
    banner_due: bool,
}

impl Default {
    /// A callback with these options.
    pub fn new(options: Options) -> Self {
        Self { options, task: None, banner_due: false }
    }

    /// The banner of the task that runs; once, and late if only hosts that are not shown have answered.
    fn banner(&mut self, display: &mut Display) {
        let Some(task) = self.task.as_ref().filter(|_| self.banner_due) else { return };
        self.banner_due = false;
        let head = if task.is_handler { "RUNNING HANDLER" } else { "TASK" };
        let marker = if task.check && self.options.check_markers { " [CHECK MODE]" } else { "" };
        display.banner(&format!("{head} [{}]{marker}", task.name));
        if self.options.verbosity >= 2 {
            let (line, _) = task.span.line_column();
            display.coloured(Role::Verbose, &format!("task path: {}:{line}", task.span.source().name()));
        }
    }

    fn result(&mut self, result: &TaskResult, display: &mut Display) {
        if self.is_hidden(result.status) || (is_include(&result.task) && matches!(result.status, Status::Ok | Status::Changed)) {
            return;
        }
        self.banner(display);
        if result.is_loop {
            self.loop_end(result, display);
            return;
        }
        self.show_diff(result, display);
        let label = host_label(result);
        let dumped = dump_result(result, self.options, always_verbose(&result.result));
        let shown = if self.is_verbose(result) { format!(" => {dumped}") } else { String::new() };
        match result.status {
            Status::Ok => display.coloured(Role::Ok, &format!("ok: [{label}]{shown}")),
            Status::Changed => display.coloured(Role::Changed, &format!("changed: [{label}]{shown}")),
            Status::Skipped => display.coloured(Role::Skip, &format!("skipping: [{label}]{shown}")),
            Status::Failed => {
                display.coloured(Role::Error, &format!("fatal: [{label}]: FAILED! => {dumped}"));
                self.ignoring(result, display);
            }
            Status::Unreachable => {
                display.coloured(Role::Unreachable, &format!("fatal: [{label}]: UNREACHABLE! => {dumped}"));
                self.ignoring(result, display);
            }
        }
    }

    /// Items were shown as they came: only what they sum up to is left to say.
    fn loop_end(&self, result: &TaskResult, display: &mut Display) {
        let has_items = result.result.get("results").and_then(Value::as_list).is_some_and(|items| !items.is_empty());
        match result.status {
            Status::Skipped if !has_items => display.coloured(Role::Skip, &format!("skipping: [{}]", host_label(result))),
            Status::Failed | Status::Unreachable => {
                if !has_items || result.status == Status::Unreachable {
                    let dumped = dump_result(result, self.options, false);
                    let word = if result.status == Status::Failed { "FAILED" } else { "UNREACHABLE" };
                    display.coloured(Role::Error, &format!("fatal: [{}]: {word}! => {dumped}", host_label(result)));
                }
                self.ignoring(result, display);
            }
            Status::Skipped if self.options.verbosity == 0 => display.coloured(Role::Skip, &format!("skipping: [{}]", host_label(result))),
            Status::Ok | Status::Changed | Status::Skipped => {}
        }
    }

    fn item(&mut self, item: &ItemResult, display: &mut Display) {
        let result = &item.result;
        if self.is_hidden(result.status) || (is_include(&result.task) && matches!(result.status, Status::Ok | Status::Changed)) {
            return;
        }
        self.banner(display);
        self.show_diff(result, display);
        let label = host_label(result);
        let shown_item = match &item.label {
            Value::Text(text) => text.as_str().to_owned(),
            other => shown(other),
        };
        let dumped = dump_result(result, self.options, always_verbose(&result.result));
        let verbose = if self.is_verbose(result) { format!(" => {dumped}") } else { String::new() };
        match result.status {
            Status::Ok => display.coloured(Role::Ok, &format!("ok: [{label}] => (item={shown_item}){verbose}")),
            Status::Changed => display.coloured(Role::Changed, &format!("changed: [{label}] => (item={shown_item}){verbose}")),
            Status::Skipped => {
                display.coloured(Role::Skip, &format!("skipping: [{label}] => (item={shown_item}) {}", verbose.trim_start()))
            }
            Status::Failed => display.coloured(Role::Error, &format!("failed: [{label}] (item={shown_item}) => {dumped}")),
            Status::Unreachable => {
                display.coloured(Role::Unreachable, &format!("failed: [{label}] (item={shown_item}) => UNREACHABLE! => {dumped}"));
            }
        }
    }

    fn ignoring(&self, result: &TaskResult, display: &mut Display) {
        if result.ignored {
            display.coloured(Role::Skip, "...ignoring");
        }
    }

    fn show_diff(&self, result: &TaskResult, display: &mut Display) {
        if !self.options.diff {
            return;
        }
        if let Some(found) = result.result.get("diff").filter(|diff| diff.truthy()) {
            for (role, line) in diff::lines(found) {
                display.coloured(role, &line);
            }
        }
    }

    fn is_verbose(&self, result: &TaskResult) -> bool {
        let quiet = result.result.get("_ansible_verbose_override").is_some_and(Value::truthy);
        (self.options.verbosity > 0 || always_verbose(&result.result)) && !quiet
    }

    fn is_hidden(&self, status: Status) -> bool {
        match status {
            Status::Skipped => !self.options.show_skipped,
            Status::Ok => !self.options.show_ok,
            Status::Changed | Status::Failed | Status::Unreachable => false,
        }
    }

    fn recap(stats: &RunStats, display: &mut Display) {
        display.banner("PLAY RECAP");
        for (host, row) in stats.hosts() {
            let line = recap_line(host, row, display);
            display.line(&line);
        }
        display.line("");
        if !stats.custom.is_empty() || !stats.custom_by_host.is_empty() {
            display.banner("CUSTOM STATS:");
            for (host, map) in &stats.custom_by_host {
                display.line(&format!("\t{host}: {}", dump(&Value::map(map.clone()), Layout::Line)));
            }
            if !stats.custom.is_empty() {
                display.line(&format!("\tRUN: {}", dump(&Value::map(stats.custom.clone()), Layout::Line)));
            }
            display.line("");
        }
    }
}

impl Callback for Default {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlaybookStart { path, plays } if self.options.verbosity > 1 => {
                display.banner(&format!("PLAYBOOK: {}", path.file_name().unwrap_or_default().to_string_lossy()));
                display.coloured(Role::Verbose, &format!("{plays} plays in {}", path.display()));
            }
            Event::PlayStart { name, check, .. } => {
                self.task = None;
                let marker = if *check && self.options.check_markers { " [CHECK MODE]" } else { "" };
                display.banner(&if name.is_empty() { "PLAY".to_owned() } else { format!("PLAY [{name}]{marker}") });
            }
            Event::NoHostsMatched => display.coloured(Role::Skip, "skipping: no hosts matched"),
            Event::NoHostsRemaining => display.banner("NO MORE HOSTS LEFT"),
            Event::TaskStart(task) => {
                self.task = Some(std::sync::Arc::clone(task));
                self.banner_due = true;
                if self.options.show_ok && self.options.show_skipped {
                    self.banner(display);
                }
            }
            Event::Item(item) => self.item(item, display),
            Event::Result(result) => self.result(result, display),
            Event::Retry { result, left, retries: _ } => {
                self.banner(display);
                let dumped = dump_result(result, self.options, false);
                let shown = if self.options.verbosity > 1 { format!("Result was: {dumped}") } else { String::new() };
                let text = format!("FAILED - RETRYING: [{}]: {} ({left} retries left).{shown}", host_label(result), result.task.name);
                display.coloured(Role::Verbose, &text);
            }
            Event::AsyncPoll { host, job, finished } => {
                let text = if *finished {
                    format!("ASYNC OK on {host}: jid={job}")
                } else {
                    format!("ASYNC POLL on {host}: jid={job} started=1 finished=0")
                };
                display.coloured(Role::Verbose, &text);
            }
            Event::Included { file, hosts, item } => {
                self.banner(display);
                let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
                let item = item.as_ref().map(|item| format!(" => (item={})", shown(item))).unwrap_or_default();
                display.coloured(Role::Skip, &format!("included: {file} for {}{item}", hosts.join(", ")));
            }
            Event::Notified { handler, host } if self.options.verbosity > 1 => {
                display.coloured(Role::Verbose, &format!("NOTIFIED HANDLER {handler} for {host}"));
            }
            Event::Meta(text) if self.options.verbosity > 1 => {
                self.banner(display);
                display.coloured(Role::Verbose, &format!("META: {text}"));
            }
            Event::Diagnostic(diagnostic) if diagnostic.severity == Severity::Warning => display.diagnostic(diagnostic),
            Event::Diagnostic(diagnostic) => {
                self.banner(display);
                display.diagnostic_beside_result(diagnostic);
            }
            Event::Stats(stats) => Self::recap(stats, display),
            Event::PlaybookStart { .. }
            | Event::Notified { .. }
            | Event::Meta(_)
            | Event::Warning(_)
            | Event::Deprecated(_)
            | Event::Progress { .. } => {}
        }
    }
}

fn recap_line(host: &str, row: &HostStats, display: &Display) -> String {
    let role = if row.failed + row.unreachable > 0 {
        Role::Error
    } else if row.changed > 0 {
        Role::Changed
    } else {
        Role::Ok
    };
    let name = if display.has_colour() { format!("{:<37}", display.painted(role, host)) } else { format!("{host:<26}") };
    let part = |label: &str, count: u64, role: Role| {
        let text = format!("{label}={count:<4}");
        if count > 0 { display.painted(role, &text) } else { text }
    };
    let parts = [
        part("ok", row.ok, Role::Ok),
        part("changed", row.changed, Role::Changed),
        part("unreachable", row.unreachable, Role::Unreachable),
        part("failed", row.failed, Role::Error),
        part("skipped", row.skipped, Role::Skip),
        part("rescued", row.rescued, Role::Ok),
        part("ignored", row.ignored, Role::Warning),
    ];
    format!("{name} : {}", parts.join(" "))
}

fn is_include(task: &TaskInfo) -> bool {
    matches!(&*task.qualified, "ansible.builtin.include_tasks" | "ansible.builtin.include_role")
}

/// For callers that choose a format by its name.
impl std::str::FromStr for ResultFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            other => Err(format!("`{other}` is no result format, expected `json` or `yaml`")),
        }
    }
}

//! `default`: what people and scripts know from Ansible.

use std::sync::Arc;

use super::{Callback, Options, diff, dump, failure, place};
use crate::display::{Display, Role, Stream};
use crate::event::{Event, HostStats, ItemResult, RunStats, Status, TaskInfo, TaskResult};
use crate::source::{Diagnostic, Severity};
use crate::value::{Layout, Value, dump as json};

/// The callback.
pub struct Default {
    options: Options,
    task: Option<Arc<TaskInfo>>,
    banner_due: bool,
    /// Whether all hosts meet a task together.
    lockstep: bool,
    /// A mistake that belongs to the result that comes next.
    mistake: Option<Box<Diagnostic>>,
}

impl Default {
    /// A callback with these options.
    pub fn new(options: Options) -> Self {
        Self { options, task: None, banner_due: false, lockstep: true, mistake: None }
    }

    fn task_start(&mut self, task: &Arc<TaskInfo>, display: &mut Display) {
        // Where each host goes by itself, a task is named again only after another one was.
        if !self.lockstep && self.task.as_ref().is_some_and(|known| Arc::ptr_eq(known, task)) {
            return;
        }
        self.task = Some(Arc::clone(task));
        self.banner_due = true;
        if self.options.show_ok && self.options.show_skipped {
            self.banner(display);
        }
    }

    /// The banner of the task that runs; once, and late if only hosts that are not shown have answered.
    fn banner(&mut self, display: &mut Display) {
        let Some(task) = self.task.as_ref().filter(|_| self.banner_due) else { return };
        self.banner_due = false;
        let head = if task.is_handler { "RUNNING HANDLER" } else { "TASK" };
        let marker = if task.check && self.options.check_markers { " [CHECK MODE]" } else { "" };
        let args = task.args.as_ref().filter(|_| self.options.args).map(|args| format!(" {args}")).unwrap_or_default();
        display.banner(&format!("{head} [{}{args}]{marker}", task.name));
        if self.options.verbosity >= 2 {
            display.coloured(Role::Verbose, &task_path(task));
        }
    }

    fn result(&mut self, result: &TaskResult, display: &mut Display) {
        let is_good_include = is_include(&result.task) && matches!(result.status, Status::Ok | Status::Changed);
        if is_good_include {
            // Its name is shown even where what came of it is hidden.
            self.banner(display);
            return;
        }
        if self.is_hidden(result.status) {
            return;
        }
        self.banner(display);
        if result.is_loop {
            self.loop_end(result, display);
            return;
        }
        self.show_diff(result, display);
        let label = dump::host_label(result);
        let shown = self.beside(result);
        match result.status {
            Status::Ok => display.coloured(Role::Ok, &format!("ok: [{label}]{shown}")),
            Status::Changed => display.coloured(Role::Changed, &format!("changed: [{label}]{shown}")),
            Status::Skipped => display.coloured(Role::Skip, &format!("skipping: [{label}]{shown}")),
            Status::Failed | Status::Unreachable => {
                self.failure(result, display);
                self.fatal(result, display);
            }
        }
    }

    /// Items were shown as they came: only what they sum up to is left to say. `debug` says that in full.
    fn loop_end(&mut self, result: &TaskResult, display: &mut Display) {
        let has_items = result.result.get("results").and_then(Value::as_list).is_some_and(|items| !items.is_empty());
        match result.status {
            Status::Skipped => {
                let mut kept = result.clone();
                let whole = result.result.iter().filter(|(key, _)| key.as_str() != Some("results"));
                kept.result = Arc::new(whole.map(|(key, value)| (key.clone(), value.clone())).collect());
                display.coloured(Role::Skip, &format!("skipping: [{}]{}", dump::host_label(result), self.beside(&kept)));
            }
            Status::Failed | Status::Unreachable => {
                let is_told = has_items || result.result.contains("censored");
                if !is_told || dump::is_debug(result) {
                    self.fatal(result, display);
                } else {
                    self.ignoring(result, display);
                }
            }
            Status::Ok | Status::Changed => {}
        }
    }

    fn fatal(&self, result: &TaskResult, display: &mut Display) {
        let dumped = dump::result(result, &self.options);
        let (word, role) = if result.status == Status::Unreachable { ("UNREACHABLE", Role::Unreachable) } else { ("FAILED", Role::Error) };
        if self.options.task_path_on_failure && result.status == Status::Failed {
            display.coloured(Role::Verbose, &task_path(&result.task));
        }
        display.show(role, &format!("fatal: [{}]: {word}! => {dumped}", dump::host_label(result)), self.failures_to());
        self.ignoring(result, display);
    }

    fn item(&mut self, item: &ItemResult, display: &mut Display) {
        let result = &item.result;
        let is_good_include = is_include(&result.task) && matches!(result.status, Status::Ok | Status::Changed);
        if self.is_hidden(result.status) || is_good_include {
            return;
        }
        self.banner(display);
        self.show_diff(result, display);
        let label = dump::host_label(result);
        let shown_item = dump::item(&item.label);
        let shown = self.beside(result);
        let role = match result.status {
            Status::Ok => return display.coloured(Role::Ok, &format!("ok: [{label}] => (item={shown_item}){shown}")),
            Status::Changed => return display.coloured(Role::Changed, &format!("changed: [{label}] => (item={shown_item}){shown}")),
            Status::Skipped => return display.coloured(Role::Skip, &format!("skipping: [{label}] => (item={shown_item}) {shown}")),
            Status::Failed => Role::Error,
            Status::Unreachable => Role::Unreachable,
        };
        self.failure(result, display);
        let word = if result.status == Status::Unreachable { "UNREACHABLE! => " } else { "" };
        let dumped = dump::result(result, &self.options);
        display.show(role, &format!("failed: [{label}] (item={shown_item}) => {word}{dumped}"), self.failures_to());
    }

    /// What the task failed of: the mistake in the user's text where one was met, else the place of the task.
    fn failure(&mut self, result: &TaskResult, display: &mut Display) {
        failure::show(self.mistake.take(), result, display, self.failures_to());
    }

    /// The result beside its line, where it is to be seen.
    fn beside(&self, result: &TaskResult) -> String {
        let quiet = result.result.get("_ansible_verbose_override").is_some_and(Value::truthy) || gathers_facts(&result.task);
        let verbose = (self.options.verbosity > 0 || dump::always_verbose(&result.result)) && !quiet;
        if verbose { format!(" => {}", dump::result(result, &self.options)) } else { String::new() }
    }

    fn ignoring(&self, result: &TaskResult, display: &mut Display) {
        if result.ignored {
            display.coloured(Role::Skip, "...ignoring");
        }
    }

    fn show_diff(&self, result: &TaskResult, display: &mut Display) {
        // Without a change there is nothing to see, whatever the module compared.
        if !result.result.get("changed").is_some_and(Value::truthy) {
            return;
        }
        if let Some(found) = result.result.get("diff").filter(|diff| diff.truthy()) {
            for (role, line) in diff::lines(found, self.options.diff_context) {
                display.coloured(role, &line);
            }
        }
    }

    fn failures_to(&self) -> Stream {
        if self.options.failures_to_stderr { Stream::Err } else { Stream::Out }
    }

    fn is_hidden(&self, status: Status) -> bool {
        match status {
            Status::Skipped => !self.options.show_skipped,
            Status::Ok => !self.options.show_ok,
            Status::Changed | Status::Failed | Status::Unreachable => false,
        }
    }

    fn recap(&self, stats: &RunStats, display: &mut Display) {
        display.banner("PLAY RECAP");
        for (host, row) in stats.hosts() {
            let line = recap_line(host, row, display);
            display.line(&line);
        }
        display.line("");
        let has_custom = !stats.custom.is_empty() || !stats.custom_by_host.is_empty();
        if has_custom && self.options.custom_stats {
            display.banner("CUSTOM STATS: ");
            display.line("");
            let shown = |map: &crate::value::Map| json(&Value::map(map.clone()), Layout::Indent(1)).replace('\n', "");
            for (host, map) in &stats.custom_by_host {
                display.line(&format!("\t{host}: {}", shown(map)));
            }
            if !stats.custom.is_empty() {
                display.line(&format!("\tRUN: {}", shown(&stats.custom)));
            }
            display.line("");
        }
        if self.options.check && self.options.check_markers {
            display.banner("DRY RUN");
        }
    }

    fn start(&self, path: &std::path::Path, plays: usize, display: &mut Display) {
        let text = format!("{plays} plays in {}", path.display());
        if display.shows(2, &text) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            display.banner(&format!("PLAYBOOK: {name}"));
            display.coloured(Role::Verbose, &text);
        }
        if self.options.check && self.options.check_markers {
            display.banner("DRY RUN");
        }
    }
}

impl Callback for Default {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlaybookStart { path, plays } => self.start(path, *plays, display),
            Event::PlayStart { name, check, lockstep, .. } => {
                self.task = None;
                self.lockstep = *lockstep;
                let marker = if *check && self.options.check_markers { " [CHECK MODE]" } else { "" };
                display.banner(&if name.is_empty() { format!("PLAY{marker}") } else { format!("PLAY [{name}]{marker}") });
            }
            Event::NoHostsMatched => display.coloured(Role::Skip, "skipping: no hosts matched"),
            Event::NoHostsRemaining => display.banner("NO MORE HOSTS LEFT"),
            Event::TaskStart(task) => self.task_start(task, display),
            Event::HostStart { host, task } => {
                if self.options.host_start {
                    let kind = if task.is_handler { "HANDLER" } else { "TASK" };
                    display.coloured(Role::Highlight, &format!(" [started {kind}: {} on {host}]", task.name));
                }
            }
            Event::Item(item) => self.item(item, display),
            Event::Result(result) => self.result(result, display),
            Event::Retry { result, left, retries } => {
                self.banner(display);
                let shown = if self.options.verbosity > 2 || dump::always_verbose(&result.result) {
                    let mut whole = (**result).clone();
                    let mut map = (*whole.result).clone();
                    map.insert("attempts", retries + 1 - left);
                    map.insert("retries", retries + 1);
                    whole.result = Arc::new(map);
                    format!("Result was: {}", dump::attempt(&whole, &self.options))
                } else {
                    String::new()
                };
                let text = format!("FAILED - RETRYING: [{}]: {} ({left} retries left).{shown}", dump::host_label(result), result.task.name);
                display.coloured(Role::Verbose, &text);
            }
            Event::AsyncPoll { host, job, finished, failed } => {
                let text = match (finished, failed) {
                    (_, true) => format!("ASYNC FAILED on {host}: jid={job}"),
                    (true, false) => format!("ASYNC OK on {host}: jid={job}"),
                    (false, false) => format!("ASYNC POLL on {host}: jid={job} started=True finished=False"),
                };
                display.coloured(Role::Verbose, &text);
            }
            Event::Included { file, hosts, item } => {
                if self.options.show_included {
                    self.banner(display);
                    let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
                    // Ansible shows no item that is false, empty or zero.
                    let item = item.as_ref().filter(|item| item.truthy());
                    let item = item.map(|item| format!(" => (item={})", dump::item(item))).unwrap_or_default();
                    display.coloured(Role::Included, &format!("included: {file} for {}{item}", hosts.join(", ")));
                }
            }
            Event::Notified { handler, host } => {
                if self.options.verbosity > 1 {
                    display.coloured(Role::Verbose, &format!("NOTIFIED HANDLER {handler} for {host}"));
                }
            }
            Event::Diagnostic(diagnostic) if diagnostic.severity == Severity::Error && self.mistake.is_none() => {
                self.mistake = Some(diagnostic.clone());
                return;
            }
            Event::Becomes { address, line } => {
                if self.options.verbosity > 2 {
                    self.banner(display);
                    display.coloured(Role::Verbose, &format!("<{address}> EXEC {line}"));
                }
                return;
            }
            Event::Meta(text) => {
                let text = format!("META: {text}");
                if display.shows(2, &text) {
                    self.banner(display);
                    display.coloured(Role::Verbose, &text);
                }
            }
            Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            Event::Diagnostic(diagnostic) if diagnostic.severity == Severity::Warning => display.diagnostic(diagnostic),
            Event::Diagnostic(diagnostic) => {
                self.banner(display);
                display.diagnostic_beside_result(diagnostic, Stream::Out);
            }
            Event::Stats(stats) => self.recap(stats, display),
            Event::Warning(_) | Event::Deprecated(_) | Event::Progress { .. } => return,
        }
        // A mistake that no result took is one of the run.
        if let Some(diagnostic) = self.mistake.take() {
            display.diagnostic_beside_result(&diagnostic, Stream::Out);
        }
    }

    fn end(&mut self, display: &mut Display) {
        if let Some(diagnostic) = self.mistake.take() {
            display.diagnostic(&diagnostic);
        }
    }
}

fn task_path(task: &TaskInfo) -> String {
    format!("task path: {}", place::file_line(&task.span))
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

/// Facts are too many to be read beside a result.
fn gathers_facts(task: &TaskInfo) -> bool {
    matches!(&*task.qualified, "ansible.builtin.gather_facts" | "ansible.builtin.setup")
}

//! `json` and `jsonl` as of the collection `ansible.posix`: plays, their tasks and each host's result as one document at the end, or a
//! line for each thing that happens. Nothing else is written to stdout.

use jiff::Timestamp;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Callback, Options, place};
use crate::display::Display;
use crate::event::{Event, RunStats, Status, TaskInfo, TaskResult};
use crate::value::{Layout, Map, Value, dump, from_json, to_json_shown};

/// `json`.
pub(super) struct Document {
    record: Record,
    plays: Vec<Json>,
}

/// `jsonl`.
pub(super) struct Lines {
    record: Record,
    task: Json,
}

/// What both know.
struct Record {
    custom_stats: bool,
    count: u64,
}

impl Record {
    fn new(options: &Options) -> Self {
        Self { custom_stats: options.custom_stats, count: 0 }
    }

    fn play(&mut self, name: &str, span: &crate::source::Span) -> Json {
        json!({"name": name, "id": self.id(), "path": place::file_line(span), "duration": {"start": now()}})
    }

    fn task(&mut self, task: &TaskInfo) -> Json {
        json!({"name": &*task.name, "id": self.id(), "path": place::file_line(&task.span), "duration": {"start": now()}})
    }

    /// Plays and tasks are told apart by it within one run.
    fn id(&mut self) -> String {
        self.count += 1;
        format!("00000000-0000-0000-0000-{:012x}", self.count)
    }

    fn stats(&self, stats: &RunStats) -> JsonMap<String, Json> {
        let hosts: JsonMap<String, Json> = stats
            .hosts()
            .map(|(host, row)| {
                let row = json!({
                    "changed": row.changed, "failures": row.failed, "ignored": row.ignored, "ok": row.ok,
                    "rescued": row.rescued, "skipped": row.skipped, "unreachable": row.unreachable,
                });
                (host.to_string(), row)
            })
            .collect();
        let (mut custom, mut global) = (json!({}), json!({}));
        if self.custom_stats {
            let by_host = stats.custom_by_host.iter().map(|(host, map)| (host.to_string(), to_json_shown(&Value::map(map.clone()))));
            custom = Json::Object(by_host.collect());
            global = to_json_shown(&Value::map(stats.custom.clone()));
        }
        let mut all = JsonMap::new();
        all.insert("stats".to_owned(), Json::Object(hosts));
        all.insert("custom_stats".to_owned(), custom);
        all.insert("global_custom_stats".to_owned(), global);
        all
    }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn result_json(result: &TaskResult) -> Json {
    let keeps = |key: &str| !matches!(key, "warnings" | "deprecations");
    let kept = |map: &Map| -> JsonMap<String, Json> {
        let kept = map.iter().filter(|(key, _)| key.as_str().is_none_or(keeps));
        kept.map(|(key, value)| (key.to_json_key(), to_json_shown(value))).collect()
    };
    let mut object = kept(&result.result);
    object.insert("action".to_owned(), Json::from(&*result.task.action));
    match result.status {
        Status::Failed => object.insert("failed".to_owned(), Json::Bool(true)),
        Status::Skipped => object.insert("skipped".to_owned(), Json::Bool(true)),
        Status::Unreachable => object.insert("unreachable".to_owned(), Json::Bool(true)),
        Status::Ok | Status::Changed => None,
    };
    if let Some(delegate) = &result.delegated_to {
        object.insert("_ansible_delegated_vars".to_owned(), json!({"ansible_delegated_vars": {&**delegate: {}}}));
    }
    Json::Object(object)
}

impl Document {
    pub(super) fn new(options: &Options) -> Self {
        Self { record: Record::new(options), plays: Vec::new() }
    }

    fn result(&mut self, result: &TaskResult) {
        let Some(play) = self.plays.last_mut() else { return };
        play["play"]["duration"]["end"] = Json::from(now());
        if let Some(task) = play["tasks"].as_array_mut().and_then(|tasks| tasks.last_mut()) {
            task["task"]["duration"]["end"] = Json::from(now());
            task["hosts"][&*result.host] = result_json(result);
        }
    }
}

impl Callback for Document {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlayStart { name, span, .. } => {
                let play = self.record.play(name, span);
                self.plays.push(json!({"play": play, "tasks": []}));
            }
            Event::TaskStart(task) => {
                let task = self.record.task(task);
                if let Some(tasks) = self.plays.last_mut().and_then(|play| play["tasks"].as_array_mut()) {
                    tasks.push(json!({"task": task, "hosts": {}}));
                }
            }
            Event::Result(result) => self.result(result),
            Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            Event::Stats(stats) => {
                let mut document = self.record.stats(stats);
                document.insert("plays".to_owned(), Json::Array(std::mem::take(&mut self.plays)));
                display.line(&dump(&from_json(Json::Object(document)), Layout::Indent(4)));
            }
            _ => {}
        }
    }
}

impl Lines {
    pub(super) fn new(options: &Options) -> Self {
        Self { record: Record::new(options), task: Json::Null }
    }

    fn line(event: &str, mut object: Json, display: &mut Display) {
        object["_event"] = Json::from(event);
        object["_timestamp"] = Json::from(now());
        display.line(&sorted(object).to_string());
    }
}

/// Keys in their order.
fn sorted(value: Json) -> Json {
    match value {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

impl Callback for Lines {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::PlayStart { name, span, .. } => {
                let play = self.record.play(name, span);
                Self::line("v2_playbook_on_play_start", json!({"play": play, "tasks": []}), display);
            }
            Event::TaskStart(task) => {
                self.task = self.record.task(task);
                let name = if task.is_handler { "v2_playbook_on_handler_task_start" } else { "v2_playbook_on_task_start" };
                Self::line(name, json!({"task": self.task, "hosts": {}}), display);
            }
            Event::Result(result) => {
                let name = match result.status {
                    Status::Ok | Status::Changed => "v2_runner_on_ok",
                    Status::Failed => "v2_runner_on_failed",
                    Status::Skipped => "v2_runner_on_skipped",
                    Status::Unreachable => "v2_runner_on_unreachable",
                };
                let mut task = self.task.clone();
                task["duration"]["end"] = Json::from(now());
                Self::line(name, json!({"task": task, "hosts": {&*result.host: result_json(result)}}), display);
            }
            Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            Event::Stats(stats) => Self::line("v2_playbook_on_stats", Json::Object(self.record.stats(stats)), display),
            _ => {}
        }
    }
}

//! Events for programs: one JSON object a line (the callback `events`, and the file named by `DRIFTLESS_EVENTS`). Nothing else is
//! written to stdout.

use std::io::Write;

use serde_json::{Map as JsonMap, Value as Json, json};

use super::Callback;
use crate::display::Display;
use crate::event::{Event, EventSink, ItemResult, RunStats, TaskResult, VERSION};
use crate::value::{Map, Value, to_json_shown};

/// A file that events are written to.
pub struct Events<W: Write> {
    out: W,
}

impl<W: Write> Events<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> EventSink for Events<W> {
    fn event(&mut self, event: &Event) {
        if let Some(object) = as_json(event) {
            // A reader that is gone must not end the run.
            let _ = writeln!(self.out, "{object}");
        }
    }
}

/// The callback `events`.
#[derive(Default)]
pub(super) struct Lines;

impl Callback for Lines {
    fn event(&mut self, event: &Event, display: &mut Display) {
        match event {
            Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => display.diagnostic(diagnostic),
            other => {
                if let Some(object) = as_json(other) {
                    display.line(&object.to_string());
                }
            }
        }
    }
}

/// An event as JSON; `None` for those that only a terminal wants.
fn as_json(event: &Event) -> Option<Json> {
    Some(match event {
        Event::PlaybookStart { path, plays } => {
            json!({"event": "playbook_start", "version": VERSION, "path": path.display().to_string(), "plays": plays})
        }
        Event::PlayStart { name, .. } => json!({"event": "play_start", "play": name}),
        Event::NoHostsMatched => json!({"event": "no_hosts"}),
        Event::NoHostsRemaining => json!({"event": "no_hosts_remaining"}),
        Event::TaskStart(task) => {
            json!({"event": "task_start", "task": &*task.name, "action": &*task.qualified, "handler": task.is_handler})
        }
        Event::Item(item) => item_json(item),
        Event::Result(result) => result_json("result", result),
        Event::Retry { result, left, .. } => json!({"event": "retry", "host": &*result.host, "task": &*result.task.name, "left": left}),
        Event::AsyncPoll { host, job, finished, .. } => json!({"event": "async_poll", "host": &**host, "job": job, "finished": finished}),
        Event::Included { file, hosts, item } => {
            let hosts: Vec<&str> = hosts.iter().map(|host| &**host).collect();
            json!({"event": "include", "file": file, "hosts": hosts, "item": item.as_ref().map(to_json_shown)})
        }
        Event::Meta(text) => json!({"event": "meta", "message": text}),
        Event::Notified { handler, host } => json!({"event": "notified", "handler": handler, "host": &**host}),
        Event::Warning(text) => json!({"event": "warning", "message": text}),
        Event::Deprecated(text) => json!({"event": "deprecated", "message": text}),
        Event::Diagnostic(diagnostic) | Event::Refused(diagnostic) => {
            json!({"event": "diagnostic", "message": diagnostic.message, "place": diagnostic.span().map(ToString::to_string), "hint": diagnostic.hint})
        }
        Event::Progress { .. } | Event::HostStart { .. } | Event::Becomes { .. } => return None,
        Event::Stats(stats) => stats_json(stats),
    })
}

fn result_json(event: &str, result: &TaskResult) -> Json {
    json!({
        "event": event,
        "host": &*result.host,
        "task": &*result.task.name,
        "status": result.status,
        "ignored": result.ignored,
        "delegated_to": result.delegated_to.as_deref(),
        "result": shown(&result.result),
    })
}

fn item_json(item: &ItemResult) -> Json {
    let mut object = result_json("item", &item.result);
    object["item"] = to_json_shown(&item.label);
    object
}

fn shown(result: &Map) -> Json {
    let inner = |key: &str| key.starts_with("_ansible_") || matches!(key, "failed" | "skipped" | "results");
    let kept = result.iter().filter(|(key, _)| !key.as_str().is_some_and(inner));
    Json::Object(kept.map(|(key, value)| (key.to_json_key(), to_json_shown(value))).collect())
}

fn stats_json(stats: &RunStats) -> Json {
    let hosts: JsonMap<String, Json> = stats.hosts().map(|(host, row)| (host.to_string(), json!(row))).collect();
    let mut custom: JsonMap<String, Json> =
        stats.custom_by_host.iter().map(|(host, map)| (host.to_string(), to_json_shown(&Value::map(map.clone())))).collect();
    if !stats.custom.is_empty() {
        custom.insert("_run".to_owned(), to_json_shown(&Value::map(stats.custom.clone())));
    }
    json!({"event": "stats", "hosts": hosts, "custom": custom})
}

//! Consumers of events: what a person or a program gets to see of a run. Each is a file and a line of [`CALLBACKS`].

mod default;
mod diff;
mod difflib;
mod events;
mod minimal;
mod oneline;

pub use default::Default;
pub use events::Events;

use crate::display::Display;
use crate::event::{Event, EventSink, Status, TaskResult};
use crate::value::{Layout, Map, Value, dump};
use crate::yaml::{EmitOptions, FlowStyle, emit};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// What all callbacks are told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How results are written.
    pub format: ResultFormat,
    /// Whether differences are shown.
    pub diff: bool,
    /// How many `-v`.
    pub verbosity: u8,
    /// Whether skipped hosts are shown.
    pub show_skipped: bool,
    /// Whether hosts without change are shown.
    pub show_ok: bool,
    /// Whether plays and tasks in check mode are marked.
    pub check_markers: bool,
}

/// Writes events to the terminal.
pub trait Callback {
    /// Takes note of what happened.
    fn event(&mut self, event: &Event, display: &mut Display);
}

/// A callback by its name.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub summary: &'static str,
    /// Makes one.
    pub make: fn(Options) -> Box<dyn Callback>,
}

/// All callbacks that write to the terminal, sorted.
pub const CALLBACKS: &[Entry] = &[
    Entry { name: "default", summary: "what people know from Ansible", make: |options| Box::new(Default::new(options)) },
    Entry { name: "json", summary: "one JSON document at the end", make: |options| Box::new(events::Document::new(options)) },
    Entry { name: "jsonl", summary: "one JSON object a line, as it happens", make: |_| Box::new(events::Lines) },
    Entry { name: "minimal", summary: "results of ad-hoc commands", make: |options| Box::new(minimal::Minimal::new(options)) },
    Entry { name: "oneline", summary: "one line a result", make: |options| Box::new(oneline::Oneline::new(options)) },
];

/// A callback that was chosen, with its display: the sink of a run.
pub struct Screen<'d> {
    callback: Box<dyn Callback>,
    display: &'d mut Display,
}

impl<'d> Screen<'d> {
    /// The callback of this name.
    pub fn new(name: &str, options: Options, display: &'d mut Display) -> Option<Self> {
        let short = name.rsplit('.').next().unwrap_or(name);
        let entry = CALLBACKS.iter().find(|entry| entry.name == short)?;
        Some(Self { callback: (entry.make)(options), display })
    }

    /// The display below.
    pub fn display(&mut self) -> &mut Display {
        self.display
    }
}

impl EventSink for Screen<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Warning(text) => self.display.warning(text),
            Event::Deprecated(text) => self.display.deprecated(text),
            Event::Progress { done, of } => self.display.progress(*done, *of),
            other => self.callback.event(other, self.display),
        }
    }
}

/// A result without what only `-vvv` shows.
fn abridged(result: &Map, verbosity: u8) -> Map {
    let hidden = |key: &str| match key {
        "invocation" | "diff" => verbosity < 3,
        "exception" | "warnings" | "deprecations" | "failed" | "skipped" | "skip_reason" => true,
        other => other.starts_with("_ansible_"),
    };
    result.iter().filter(|(key, _)| !key.as_str().is_some_and(hidden)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// What `debug` shows: its message alone, or its variable alone.
fn debug_alone(result: &Map) -> Map {
    let keeps = |key: &str| match result.contains("msg") {
        true => key == "msg" || key.starts_with('_'),
        false => !matches!(key, "changed" | "ansible_loop_var" | "item"),
    };
    result.iter().filter(|(key, _)| key.as_str().is_none_or(keeps)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A result as text.
fn dump_result(result: &TaskResult, options: Options, indented: bool) -> String {
    let is_debug = &*result.task.qualified == "ansible.builtin.debug" && matches!(result.status, Status::Ok);
    let kept = if is_debug { debug_alone(&result.result) } else { Map::clone(&result.result) };
    let shown = Value::map(abridged(&kept, options.verbosity));
    match options.format {
        ResultFormat::Json => dump(&shown, if indented || options.verbosity > 2 { Layout::Indent(4) } else { Layout::Line }),
        ResultFormat::Yaml => {
            let options = EmitOptions { flow: FlowStyle::Block, width: Some(1000), ..EmitOptions::default() };
            let text = emit(&shown, &options).unwrap_or_default();
            format!("\n    {}", text.trim_end().replace('\n', "\n    "))
        }
    }
}

/// `host`, `host -> delegate`.
fn host_label(result: &TaskResult) -> String {
    match &result.delegated_to {
        Some(delegate) => format!("{} -> {delegate}", result.host),
        None => result.host.to_string(),
    }
}

/// Whether the action asks to be shown in full.
fn always_verbose(result: &Map) -> bool {
    result.get("_ansible_verbose_always").is_some_and(Value::truthy)
}

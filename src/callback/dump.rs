//! Results as people read them: abridged, and written as JSON or YAML.

use super::{Options, ResultFormat};
use crate::event::{Status, TaskResult};
use crate::template::print::shown;
use crate::value::{Layout, Map, Value, dump};
use crate::yaml::{EmitOptions, FlowStyle, emit};

/// Where lines of YAML are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineWidth {
    /// After 80 characters.
    Default,
    /// Nowhere.
    Unbroken,
    /// At the edge of the terminal.
    Terminal,
}

impl LineWidth {
    fn columns(self, terminal: usize) -> Option<i32> {
        match self {
            Self::Default => None,
            Self::Unbroken => Some(i32::MAX),
            Self::Terminal => i32::try_from(terminal).ok(),
        }
    }
}

/// A result as text, in one line if the options allow it.
pub(super) fn result(result: &TaskResult, options: &Options) -> String {
    let indented = always_verbose(&result.result);
    let shown = Value::map(abridged(&result.result, is_debug(result), options.verbosity));
    write(&shown, options, indented)
}

/// As [`result`], with all that `debug` would leave out.
pub(super) fn attempt(result: &TaskResult, options: &Options) -> String {
    write(&Value::map(abridged(&result.result, false, options.verbosity)), options, always_verbose(&result.result))
}

/// A result as text; over several lines whatever the options say.
pub(super) fn whole(result: &TaskResult, options: &Options) -> String {
    let of_debug = is_debug(result) && result.status != Status::Failed;
    let shown = Value::map(abridged(&result.result, of_debug, options.verbosity));
    write(&shown, options, true)
}

/// A result in one line: what would be a line's end is left out.
pub(super) fn flat(result: &TaskResult, options: &Options) -> String {
    let shown = Value::map(abridged(&result.result, false, options.verbosity));
    let indent = if always_verbose(&result.result) { options.indent } else { 0 };
    dump(&shown, Layout::Indent(indent)).replace('\n', "")
}

fn write(shown: &Value, options: &Options, indented: bool) -> String {
    match options.format {
        ResultFormat::Json => {
            let pretty = options.pretty.unwrap_or(false) || indented || options.verbosity > 2;
            dump(shown, if pretty { Layout::Indent(options.indent) } else { Layout::Line })
        }
        ResultFormat::Yaml => {
            let lossy = options.pretty.unwrap_or(true);
            let kept = if lossy { readable(shown) } else { shown.clone() };
            // What is to be YAML for others is indented as YAML is, whatever the settings say.
            let (indent, pad) = if lossy { (i32::try_from(options.indent).ok(), options.indent) } else { (None, 4) };
            let emitted = EmitOptions {
                flow: FlowStyle::Block,
                width: options.line_width.columns(options.columns),
                indent,
                literal_lines: true,
                ..EmitOptions::default()
            };
            let pad = " ".repeat(pad);
            let text = emit(&kept, &emitted).unwrap_or_default();
            let lines = text.trim_end().split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") });
            format!("\n{}", lines.collect::<Vec<_>>().join("\n"))
        }
    }
}

/// For reading alone: lines that the text above has already are left out, and blanks that YAML could not write in a block are taken off.
fn readable(value: &Value) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut kept = Map::new();
    for (key, value) in map.iter() {
        let is_double = |name: &str, of: &str| key.as_str() == Some(name) && map.contains(of);
        let value =
            if is_double("stdout_lines", "stdout") || is_double("stderr_lines", "stderr") { Value::text("<omitted>") } else { tidy(value) };
        kept.insert(key.clone(), value);
    }
    Value::map(kept)
}

fn tidy(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.as_str().contains('\n') && !text.is_secret() => {
            let lines: Vec<String> = text.as_str().trim_end().split('\n').map(|line| expand_tabs(line).trim_end().to_owned()).collect();
            Value::text(lines.join("\n"))
        }
        Value::List(items) => Value::list(items.iter().map(tidy).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), tidy(value))).collect()),
        other => other.clone(),
    }
}

/// As terminals show them: up to the next of every eighth column.
fn expand_tabs(line: &str) -> String {
    let mut out = String::new();
    for (index, piece) in line.split('\t').enumerate() {
        if index > 0 {
            let column = out.chars().count();
            out.push_str(&" ".repeat(8 - column % 8));
        }
        out.push_str(piece);
    }
    out
}

/// A result without what only programs need; `debug` shows its message alone, or its variable alone.
fn abridged(result: &Map, of_debug: bool, verbosity: u8) -> Map {
    let message_alone = of_debug && result.contains("msg");
    let hidden = |key: &str| match key {
        "msg" => false,
        _ if message_alone => true,
        "invocation" => verbosity < 3,
        "changed" | "ansible_loop_var" | "skip_reason" | "results" if of_debug => true,
        "diff" | "exception" | "warnings" | "deprecations" | "failed" | "skipped" => true,
        other => other.starts_with("_ansible_"),
    };
    let kept = result.iter().filter(|(key, _)| !key.as_str().is_some_and(hidden));
    kept.map(|(key, value)| (key.clone(), if key.as_str() == Some("results") { items(value) } else { value.clone() })).collect()
}

/// A loop's items, of which is not said whether they have failed.
fn items(results: &Value) -> Value {
    let item = |item: &Value| match item {
        Value::Map(map) if map.contains("ansible_loop_var") => Value::map(
            map.iter().filter(|(key, _)| key.as_str() != Some("failed")).map(|(key, value)| (key.clone(), value.clone())).collect(),
        ),
        other => other.clone(),
    };
    results.as_list().map_or_else(|| results.clone(), |list| Value::list(list.iter().map(item).collect()))
}

/// Whether a result is one of `debug`.
pub(super) fn is_debug(result: &TaskResult) -> bool {
    &*result.task.qualified == "ansible.builtin.debug"
}

/// `host`, `host -> delegate`.
pub(super) fn host_label(result: &TaskResult) -> String {
    match result.delegated_to.as_ref().filter(|delegate| **delegate != result.host) {
        Some(delegate) => format!("{} -> {delegate}", result.host),
        None => result.host.to_string(),
    }
}

/// An item as people see it.
pub(super) fn item(label: &Value) -> String {
    shown(label)
}

/// Whether the action asks to be shown in full.
pub(super) fn always_verbose(result: &Map) -> bool {
    result.get("_ansible_verbose_always").is_some_and(Value::truthy)
}

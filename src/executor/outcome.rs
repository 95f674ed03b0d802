//! Results as Ansible shapes them: lines of output, `changed` and `failed`, what a loop's items come to.

use crate::source::Diagnostic;
use crate::template::Notice;
use crate::template::python::lines::split_lines;
use crate::value::{Key, Map, Value};

/// What Ansible puts where Python would have a traceback.
pub const NO_TRACEBACK: &str = "(traceback unavailable)";

/// How one item (or the whole task, without a loop) ended.
#[derive(Debug, Default)]
pub struct ItemEnd {
    /// The result.
    pub result: Map,
    /// Mistakes in the user's text that it met.
    pub diagnostics: Vec<Diagnostic>,
    /// What its templates had to say, until it is part of the result.
    pub notices: Vec<Notice>,
    /// What it does to the run.
    pub effect: Option<crate::action::Effect>,
    /// The host that did it instead.
    pub delegated_to: Option<std::sync::Arc<str>>,
    /// What it includes.
    pub include: Option<super::job::Include>,
    /// Whether nothing but hosts and groups comes of it: no facts, no variables, no notified handlers. So it is where the task failed.
    pub sets_nothing: bool,
    /// Whether its failure does not matter.
    pub ignored: bool,
    /// Whether it is hidden from events.
    pub no_log: bool,
    /// Handlers to notify.
    pub notify: Vec<String>,
    /// The host that facts are for, where it is not the task's.
    pub facts_host: Option<crate::inventory::HostId>,
    /// The arguments as the module had them, where it failed.
    pub failed_args: Option<Map>,
}

impl ItemEnd {
    /// An end with this result.
    pub fn of(result: Map) -> Self {
        Self { result, ..Self::default() }
    }

    /// A failure with this message.
    pub fn failed(message: impl Into<String>, diagnostics: Vec<Diagnostic>) -> Self {
        let mut result = Map::new();
        result.insert("failed", true);
        result.insert("msg", message.into());
        result.insert("changed", false);
        Self { result, diagnostics, ..Self::default() }
    }

    /// The host could not be reached.
    pub fn unreachable(message: &str) -> Self {
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("msg", format!("Task failed: {message}"));
        result.insert("unreachable", true);
        Self::of(result)
    }

    /// A condition said no.
    pub fn skipped(condition: Value) -> Self {
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("skipped", true);
        result.insert("skip_reason", "Conditional result was False");
        result.insert("false_condition", condition);
        Self::of(result)
    }

    /// Puts what templates had to say into the result.
    pub fn tell_notices(&mut self) {
        for notice in std::mem::take(&mut self.notices) {
            let (key, shown) = match notice.removed_in {
                None => ("warnings", Value::text(notice.message)),
                Some(version) => ("deprecations", deprecation(&notice.message, version)),
            };
            let mut all = self.result.get(key).and_then(Value::as_list).unwrap_or_default().to_vec();
            all.push(shown);
            self.result.insert(key, Value::list(all));
        }
    }

    /// How it ended.
    pub fn status(&self) -> crate::event::Status {
        status(&self.result)
    }
}

/// A deprecation as results have it.
fn deprecation(message: &str, version: &str) -> Value {
    let (mut deprecator, mut map) = (Map::new(), Map::new());
    deprecator.insert("resolved_name", "ansible.builtin");
    deprecator.insert("type", Value::Null);
    map.insert("collection_name", "ansible.builtin");
    map.insert("deprecator", Value::map(deprecator));
    map.insert("msg", message);
    map.insert("version", version);
    Value::map(map)
}

/// How a result says that it ended.
pub fn status(result: &Map) -> crate::event::Status {
    use crate::event::Status;
    if is(result, "unreachable") {
        Status::Unreachable
    } else if is(result, "failed") {
        Status::Failed
    } else if is(result, "skipped") {
        Status::Skipped
    } else if is(result, "changed") {
        Status::Changed
    } else {
        Status::Ok
    }
}

/// Whether a key of a result is true.
pub fn is(result: &Map, key: &str) -> bool {
    result.get(key).is_some_and(Value::truthy)
}

/// What Ansible knows of any result: null there is as not there.
const NEVER_NULL: &[&str] = &[
    "ansible_facts",
    "ansible_job_id",
    "changed",
    "deprecations",
    "diff",
    "exception",
    "failed",
    "finished",
    "msg",
    "rc",
    "skipped",
    "unreachable",
    "warnings",
];

/// What every result has: `changed`, `failed`, lines beside text.
pub fn complete(result: &mut Map) {
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if result.contains(lines) {
            continue;
        }
        if let Some(Value::Text(found)) = result.get(text) {
            let split: Vec<Value> = split_lines(found.as_str()).into_iter().map(Value::text).collect();
            result.insert(lines, Value::list(split));
        }
    }
    for known in NEVER_NULL {
        if result.get(known).is_some_and(Value::is_null) {
            result.remove(known);
        }
    }
    if !result.contains("changed") {
        result.insert("changed", false);
    }
    if !result.contains("failed") {
        let failed = match result.get("rc") {
            None | Some(Value::Null) => false,
            Some(Value::Text(text)) => text.as_str() != "0",
            Some(code) => code.as_int() != Some(0),
        };
        if failed {
            result.insert("failed", true);
        }
    }
}

/// What the items of a loop come to.
pub fn of_loop(ends: &[ItemEnd]) -> Map {
    let mut result = Map::new();
    if ends.is_empty() {
        result.insert("changed", false);
        result.insert("skipped", true);
        result.insert("skip_reason", "No items in the list");
        result.insert("skipped_reason", "No items in the list");
        result.insert("results", Value::list(Vec::new()));
        return result;
    }
    let any = |key: &str| ends.iter().any(|end| is(&end.result, key));
    result.insert("changed", any("changed"));
    if ends.iter().all(|end| is(&end.result, "skipped")) {
        result.insert("skipped", true);
        result.insert("msg", "All items skipped");
    } else {
        result.insert("msg", "All items completed");
    }
    if any("unreachable") {
        result.insert("unreachable", true);
    }
    if any("failed") {
        result.insert("failed", true);
        result.insert("msg", "One or more items failed");
    }
    for key in ["warnings", "deprecations"] {
        let notes: Vec<Value> =
            ends.iter().filter_map(|end| end.result.get(key)?.as_list()).flat_map(|notes| notes.iter().cloned()).collect();
        if !notes.is_empty() {
            result.insert(key, Value::list(notes));
        }
    }
    result.insert("results", Value::list(ends.iter().map(|end| Value::map(registered(&end.result))).collect()));
    result
}

/// What Ansible knows of any result, in the order in which variables show it: before all that only a module knows.
const ORDER: &[&str] = &[
    "changed",
    "failed",
    "unreachable",
    "skipped",
    "skip_reason",
    "skipped_reason",
    "false_condition",
    "warnings",
    "deprecations",
    "ansible_facts",
    "exception",
    "finished",
    "msg",
    "rc",
    "attempts",
    "diff",
    "ansible_job_id",
    "changed_when_result",
    "failed_when_result",
    "failed_when_suppressed_exception",
    LOOP_VAR,
    INDEX_VAR,
];

/// The keys that name the variables of a loop; those stand after them.
const LOOP_VAR: &str = "ansible_loop_var";
const INDEX_VAR: &str = "ansible_index_var";

/// A result as variables see it: `changed` and `failed` are always there, inner marks are not, and what any result may have goes first.
pub fn registered(result: &Map) -> Map {
    let variables = [result.get(LOOP_VAR), result.get(INDEX_VAR)].map(|name| name.and_then(Value::as_str));
    let rank = |key: &str| {
        let of_loop = || match variables {
            [Some(name), _] if name == key => 0,
            [_, Some(name)] if name == key => 1,
            _ if key == "ansible_loop" => 2,
            _ => 3,
        };
        ORDER.iter().position(|known| *known == key).unwrap_or_else(|| ORDER.len() + of_loop())
    };
    let entry = |key: &str, value: Value| (rank(key), Key::from(key), value);
    let mut shown: Vec<(usize, Key, Value)> = Vec::with_capacity(result.len() + 2);
    for (key, value) in result.iter() {
        let name = key.as_str().unwrap_or_default();
        if !name.starts_with("_ansible_") {
            shown.push((rank(name), key.clone(), value.clone()));
        }
    }
    for always in ["changed", "failed"] {
        if !result.contains(always) {
            shown.push(entry(always, Value::Bool(false)));
        }
    }
    let has_reason = !result.contains("results") && !result.contains(crate::event::GIVEN_UP);
    if is(result, "failed") && has_reason && !result.contains("exception") {
        shown.push(entry("exception", Value::text(NO_TRACEBACK)));
    }
    shown.sort_by_key(|(rank, ..)| *rank);
    shown.into_iter().map(|(_, key, value)| (key, value)).collect()
}

/// What is shown of a result under `no_log`.
pub fn censored(result: &Map) -> Map {
    let mut hidden = Map::new();
    hidden.insert("censored", "the output has been hidden due to the fact that 'no_log: true' was specified for this result");
    for key in ["attempts", "changed", "retries", "_ansible_no_log", "failed", "unreachable", "skipped"] {
        if let Some(value) = result.get(key) {
            hidden.insert(key, value.clone());
        }
    }
    hidden
}

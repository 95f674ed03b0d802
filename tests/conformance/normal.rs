//! Takes out of results what no two runs can share: paths of the run, times, owners. `record` does the same.

use std::collections::BTreeSet;
use std::path::Path;

use fancy_regex::Regex;
use serde_json::{Map, Value};

/// Stands in a golden where any value will do.
pub const ANY: &str = "<ANY>";

const DROPPED: [&str; 6] =
    ["invocation", "exception", "failed_when_suppressed_exception", "warnings", "deprecations", "discovered_interpreter_python"];
/// What a file system answers, where the mapping tells about a file.
const OF_A_FILE: [&str; 20] = [
    "atime",
    "attr_flags",
    "attributes",
    "block_size",
    "blocks",
    "charset",
    "ctime",
    "dev",
    "device_type",
    "disk_usage_bytes",
    "gid",
    "gr_name",
    "group",
    "inode",
    "mimetype",
    "mtime",
    "owner",
    "pw_name",
    "uid",
    "version",
];

pub struct Normal {
    /// What is this run's own, and what stands for it.
    own: Vec<(String, &'static str)>,
    dropped: BTreeSet<String>,
    passing: Regex,
    temporary: Regex,
}

impl Normal {
    pub fn new<'a>(tmp: &Path, url: &str, address: Option<&str>, also_dropped: impl Iterator<Item = &'a str>) -> Self {
        let passing = r"(?s)^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+|\d+:\d\d:\d\d\.\d+|j?\d{6,}\.\d+|.*/ansible-(module)?tmp-.*|.*/ansible-local-.*|.*/\.ansible_async/.*|.*\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~)$";
        Self {
            own: [(tmp.display().to_string(), "<TMP>"), (url.to_owned(), "<URL>")]
                .into_iter()
                .chain(address.map(|address| (address.to_owned(), "<ADDR>")))
                .collect(),
            dropped: DROPPED.into_iter().chain(also_dropped).map(str::to_owned).collect(),
            passing: Regex::new(passing).expect("a constant pattern"),
            temporary: Regex::new(r"(?<=^Archive:  )/\S+|ansible-(module)?tmp-\S+").expect("a constant pattern"),
        }
    }

    pub fn text(&self, text: &str) -> String {
        let text = self.own.iter().fold(text.to_owned(), |text, (own, name)| text.replace(own, name));
        self.temporary.replace_all(&text, ANY).into_owned()
    }

    /// An event: what is left out of its result stays in its own head, such as `status`.
    pub fn event(&self, event: Value) -> Value {
        match event {
            Value::Object(entries) => entries.into_iter().map(|(key, value)| (key, self.value(value))).collect(),
            other => other,
        }
    }

    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.passing.is_match(&text).unwrap_or(false) => ANY.into(),
            Value::String(text) => self.text(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(entries) => Value::Object(self.mapping(entries)),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn mapping(&self, entries: Map<String, Value>) -> Map<String, Value> {
        let file = entries.contains_key("mode") || entries.contains_key("inode");
        let says = |key: &str, value: Value| entries.get(key) == Some(&value);
        let folder = file && (says("state", "directory".into()) || says("isdir", true.into()));
        let is_any = |key: &str| {
            (file && OF_A_FILE.contains(&key)) || (folder && ["size", "nlink"].contains(&key)) || ["elapsed", "pid"].contains(&key)
        };
        let kept = entries.clone().into_iter().filter(|(key, _)| !self.dropped.contains(key) && !key.starts_with("_ansible_"));
        kept.map(|(key, value)| {
            let value = if is_any(&key) { ANY.into() } else { self.value(value) };
            (self.text(&key), value)
        })
        .collect()
    }
}

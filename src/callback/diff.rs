//! Differences as people read them: unified, with the file's name, `\ No newline at end of file`.

use crate::display::Role;
use crate::value::{Layout, Value, dump};

/// The lines of what a module calls `diff`: one difference or a list of them.
pub(super) fn lines(diff: &Value, context: usize) -> Vec<(Role, String)> {
    let mut lines = Vec::new();
    let all = match diff {
        Value::List(items) => items.to_vec(),
        one => vec![one.clone()],
    };
    for one in &all {
        one_diff(one, context, &mut lines);
    }
    lines
}

fn one_diff(diff: &Value, context: usize, lines: &mut Vec<(Role, String)>) {
    for (key, what) in [
        ("dst_binary", "diff skipped: destination file appears to be binary"),
        ("src_binary", "diff skipped: source file appears to be binary"),
    ] {
        if diff.get(key).is_some() {
            lines.push((Role::Plain, what.to_owned()));
        }
    }
    for (key, which) in [("dst_larger", "destination"), ("src_larger", "source")] {
        if let Some(size) = diff.get(key) {
            lines.push((Role::Plain, format!("diff skipped: {which} file size is greater than {}", dump(size, Layout::Line))));
        }
    }
    if let (Some(before), Some(after)) = (diff.get("before"), diff.get("after")) {
        let header = |which: &str, key: &str| match diff.get(key).and_then(Value::as_str) {
            Some(name) => format!("{which}: {name}"),
            None => which.to_owned(),
        };
        let (old, new) = (text(before), text(after));
        if old != new {
            unified(&old, &new, &header("before", "before_header"), &header("after", "after_header"), context, lines);
            lines.push((Role::Plain, String::new()));
        }
    }
    if let Some(prepared) = diff.get("prepared").and_then(Value::as_str) {
        lines.extend(prepared.lines().map(|line| (role_of(line), line.to_owned())));
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_secret() => "***".to_owned(),
        Value::Text(text) => text.as_str().to_owned(),
        Value::Null => String::new(),
        other => format!("{}\n", dump(other, Layout::Indent(4))),
    }
}

fn unified(old: &str, new: &str, before: &str, after: &str, context: usize, lines: &mut Vec<(Role, String)>) {
    lines.push((Role::DiffRemove, format!("--- {before}")));
    lines.push((Role::DiffAdd, format!("+++ {after}")));
    // Python breaks lines at more than newlines, and what ends otherwise is shown with the next.
    let hunks = super::difflib::unified_hunks(old, new, context).concat().replace("\r\n", "\n");
    lines.extend(hunks.trim_end_matches('\n').split('\n').map(|line| (role_of(line), line.to_owned())));
}

fn role_of(line: &str) -> Role {
    match line.chars().next() {
        Some('+') => Role::DiffAdd,
        Some('-') => Role::DiffRemove,
        Some('@') => Role::DiffLines,
        _ => Role::Plain,
    }
}

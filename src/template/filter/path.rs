//! Filters of paths, as Python's `posixpath` and `ntpath`.

use std::path::{Path, PathBuf};

use super::{derived, filter, refuse};
use crate::template::python::fnmatch;
use crate::template::{Bound, Evaluator, Filter, Param, Result, Val};
use crate::value::{Text, Value};

use Param::Optional;

pub(super) const FILTERS: &[Filter] = &[
    filter("basename", &[], |evaluator, value, _| map(evaluator, value, |path| path.rsplit('/').next().unwrap_or_default().to_owned())),
    filter("commonpath", &[], commonpath),
    filter("dirname", &[], |evaluator, value, _| map(evaluator, value, dirname)),
    filter("expanduser", &[], |evaluator, value, _| map(evaluator, value, expand_user)),
    filter("expandvars", &[], |evaluator, value, _| map(evaluator, value, expand_vars)),
    filter("fileglob", &[], fileglob),
    filter("normpath", &[], |evaluator, value, _| map(evaluator, value, normpath)),
    filter("path_join", &[], path_join),
    filter("realpath", &[], |evaluator, value, _| map(evaluator, value, real_path)),
    filter("relpath", &[Optional("start")], relpath),
    filter("splitext", &[], splitext),
    filter("win_basename", &[], |evaluator, value, _| map(evaluator, value, |path| win_split(path).1)),
    filter("win_dirname", &[], |evaluator, value, _| map(evaluator, value, |path| win_split(path).0)),
    filter("win_splitdrive", &[], |evaluator, value, _| {
        let text = &path_text(value)?;
        let (drive, tail) = win_drive(text.as_str());
        Ok(Val::tuple(vec![derived(evaluator, text, drive), derived(evaluator, text, tail)]))
    }),
];

fn path_text(value: &Val) -> Result<Text> {
    match value {
        Val::Plain(Value::Text(text)) => Ok(text.clone()),
        Val::Plain(Value::Bytes(bytes)) => Ok(bytes.decoded()),
        _ => refuse(format!("expected str, bytes or os.PathLike object, not {}", value.type_name())),
    }
}

fn map(evaluator: &Evaluator, value: &Val, change: impl Fn(&str) -> String) -> Result<Val> {
    let text = &path_text(value)?;
    Ok(derived(evaluator, text, change(text.as_str())))
}

/// `posixpath.dirname`
pub(in crate::template) fn dirname(path: &str) -> String {
    let head = path.rfind('/').map_or("", |at| &path[..=at]);
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head.to_owned() } else { trimmed.to_owned() }
}

/// `posixpath.normpath`
pub(in crate::template) fn normpath(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_owned() } else { joined }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normpath(path);
    }
    let here = std::env::current_dir().unwrap_or_default();
    normpath(&format!("{}/{path}", here.display()))
}

/// `os.path.expanduser`
pub(in crate::template) fn expand_user(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (user, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() {
        std::env::var("HOME").ok().or_else(|| home_of(&rustix::process::getuid().as_raw().to_string(), 2))
    } else {
        home_of(user, 0)
    };
    match home {
        Some(home) => {
            let joined = format!("{}{tail}", home.trim_end_matches('/'));
            if joined.is_empty() { "/".to_owned() } else { joined }
        }
        None => path.to_owned(),
    }
}

/// The home in the line of /etc/passwd whose column is `wanted`.
fn home_of(wanted: &str, column: usize) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|line| line.split(':').nth(column) == Some(wanted))?;
    line.split(':').nth(5).map(str::to_owned)
}

/// `os.path.expandvars`
pub(in crate::template) fn expand_vars(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, length) = match after.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[at..=at + length]),
        }
        rest = &after[length..];
    }
    out + rest
}

/// `os.path.realpath`: what does not exist is taken as it is.
fn real_path(path: &str) -> String {
    let absolute = PathBuf::from(absolute(path));
    let mut missing = Vec::new();
    let mut existing: &Path = &absolute;
    loop {
        if let Ok(real) = existing.canonicalize() {
            let full = missing.iter().rev().fold(real, |path: PathBuf, part| path.join(part));
            return full.display().to_string();
        }
        let (Some(name), Some(parent)) = (existing.file_name(), existing.parent()) else { return absolute.display().to_string() };
        missing.push(name.to_owned());
        existing = parent;
    }
}

fn commonpath(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let items = evaluator.items(value)?;
    let texts: Vec<Text> = items.iter().map(path_text).collect::<Result<_>>()?;
    let paths: Vec<&str> = texts.iter().map(Text::as_str).collect();
    let Some(first) = paths.first() else { return refuse("commonpath() arg is an empty sequence") };
    if paths.iter().any(|path| path.starts_with('/') != first.starts_with('/')) {
        return refuse("Can't mix absolute and relative paths");
    }
    let parts =
        |path: &str| -> Vec<String> { path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect() };
    let mut common = parts(first);
    for path in &paths {
        let same = common.iter().zip(parts(path)).take_while(|(left, right)| **left == *right).count();
        common.truncate(same);
    }
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(Val::from(format!("{root}{}", common.join("/"))))
}

fn fileglob(_: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let pattern = path_text(value)?;
    let found = fnmatch::glob(pattern.as_str()).into_iter().filter(|path| path.is_file());
    Ok(Val::list(found.map(|path| Val::from(path.display().to_string())).collect()))
}

fn path_join(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    if let Some(text) = value.as_text() {
        return Ok(derived(evaluator, text, text.as_str()));
    }
    if !value.is_list() {
        return refuse(format!("|path_join expects string or sequence, got <class '{}'> instead.", value.type_name()));
    }
    let items = evaluator.items(value)?;
    let mut parts = items.iter();
    let Some(first) = parts.next() else { return refuse("join() missing 1 required positional argument: 'a'") };
    let mut secret = false;
    let mut joined = path_text(first)?.as_str().to_owned();
    for part in parts {
        let part = path_text(part)?;
        secret |= part.is_secret();
        if part.as_str().starts_with('/') {
            joined.clear();
        } else if !joined.is_empty() && !joined.ends_with('/') {
            joined.push('/');
        }
        joined.push_str(part.as_str());
    }
    let joined = evaluator.derived(&path_text(first)?, joined);
    Ok(Val::from(if secret { joined.into_secret() } else { joined }))
}

fn relpath(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let path = &path_text(value)?;
    if path.as_str().is_empty() {
        return refuse("no path specified");
    }
    let start = match arguments.text(0)? {
        Some(start) => absolute(start.as_str()),
        None => absolute("."),
    };
    let target = absolute(path.as_str());
    let parts = |path: &str| -> Vec<String> { path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect() };
    let (from, to) = (parts(&start), parts(&target));
    let same = from.iter().zip(&to).take_while(|(left, right)| left == right).count();
    let mut steps = vec!["..".to_owned(); from.len() - same];
    steps.extend_from_slice(&to[same..]);
    let relative = if steps.is_empty() { ".".to_owned() } else { steps.join("/") };
    Ok(derived(evaluator, path, relative))
}

fn splitext(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<Val> {
    let text = &path_text(value)?;
    let path = text.as_str();
    let name_start = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_start..];
    let leading = name.len() - name.trim_start_matches('.').len();
    let dot = name[leading..].rfind('.').map_or(path.len(), |at| name_start + leading + at);
    Ok(Val::tuple(vec![derived(evaluator, text, &path[..dot]), derived(evaluator, text, &path[dot..])]))
}

fn is_separator(char: char) -> bool {
    matches!(char, '\\' | '/')
}

/// `ntpath.splitdrive`
fn win_drive(path: &str) -> (String, String) {
    let chars: Vec<char> = path.chars().collect();
    let text = |chars: &[char]| chars.iter().collect::<String>();
    if chars.len() >= 2 && is_separator(chars[0]) && is_separator(chars[1]) {
        let next = |from: usize| chars.get(from..).and_then(|rest| rest.iter().position(|c| is_separator(*c))).map(|at| at + from);
        return match next(2).and_then(|host_end| next(host_end + 1)) {
            Some(end) => (text(&chars[..end]), text(&chars[end..])),
            None => (path.to_owned(), String::new()),
        };
    }
    if chars.get(1) == Some(&':') {
        return (text(&chars[..2]), text(&chars[2..]));
    }
    (String::new(), path.to_owned())
}

/// `ntpath.split`
fn win_split(path: &str) -> (String, String) {
    let (drive, tail) = win_drive(path);
    let at = tail.rfind(is_separator).map_or(0, |at| at + 1);
    let (head, name) = tail.split_at(at);
    let trimmed = head.trim_end_matches(is_separator);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (format!("{drive}{head}"), name.to_owned())
}

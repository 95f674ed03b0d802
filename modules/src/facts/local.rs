//! The host's own facts: files `NAME.fact` that are JSON, INI, or programs that print either.

use std::path::Path;

use super::{Facts, Look, names_in, set};
use crate::{Json, JsonMap};

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let mut local = JsonMap::new();
    let folder = look.host.absolute(&look.fact_path);
    for name in names_in(&folder) {
        let Some(base) = name.strip_suffix(".fact").filter(|base| !base.is_empty() && !base.starts_with('.')) else { continue };
        let fact = fact(look, &folder.join(&name));
        local.insert(base.to_owned(), fact);
    }
    set(facts, "local", local);
}

fn fact(look: &mut Look, path: &Path) -> Json {
    use std::os::unix::fs::PermissionsExt;
    if let Err(error) = path.metadata() {
        let why = crate::outcome::errno_text(&error);
        let message = format!("Could not stat fact ({}): {why}: '{}'", path.display(), path.display());
        look.host.warn(message.clone());
        return message.into();
    }
    let is_program = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o100 != 0);
    let text = if is_program { output(look, path) } else { contents(path) };
    let fact = text.and_then(|text| parse(&text).map_err(|problem| problem.told_of(path)));
    fact.unwrap_or_else(|message| {
        look.host.warn(message.clone());
        message.into()
    })
}

fn output(look: &Look, path: &Path) -> Result<String, String> {
    let command = look.host.user_command(path).timeout(look.timeout);
    match look.host.query(&command) {
        Ok(output) if output.succeeded() => Ok(output.stdout()),
        Ok(output) => {
            let stderr = output.stderr();
            Err(format!("Failure executing fact script ({}), rc: {}, err: {stderr}", path.display(), output.rc()))
        }
        Err(failure) => Err(format!("Could not execute fact script ({}): {failure}", path.display())),
    }
}

fn contents(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("Could not read fact file ({}): {}", path.display(), crate::outcome::errno_text(&error)))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Why a fact's text cannot be read.
#[derive(Debug, PartialEq)]
enum Problem {
    /// It is neither JSON nor INI.
    Neither,
    /// A value of INI refers to another in a wrong way.
    Reference(String),
}

impl Problem {
    fn told_of(&self, path: &Path) -> String {
        let path = path.display();
        match self {
            Self::Neither => format!("error loading facts as JSON or ini - please check content: {path}"),
            Self::Reference(why) => format!("error loading facts as ini - please check content: {path} ({why})"),
        }
    }
}

fn parse(text: &str) -> Result<Json, Problem> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let mut sections = ini(text).ok_or(Problem::Neither)?;
    for values in sections.values_mut().filter_map(Json::as_object_mut) {
        let written = values.clone();
        for value in values.values_mut() {
            *value = resolved(value.as_str().unwrap_or_default(), &written)?.into();
        }
    }
    Ok(sections.into())
}

/// A value with `%%` as `%` and `%(name)s` as that entry of its section.
fn resolved(text: &str, section: &JsonMap) -> Result<String, Problem> {
    let mut done = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        done.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(next) = after.strip_prefix('%') {
            done.push('%');
            rest = next;
        } else if let Some((name, next)) = after.strip_prefix('(').and_then(|inner| inner.split_once(")s")) {
            let value = section.get(&name.to_lowercase()).and_then(Json::as_str);
            let value = value.ok_or_else(|| Problem::Reference(format!("Bad value substitution: there is no `{name}`")))?;
            done.push_str(&value.replace("%%", "%"));
            rest = next;
        } else {
            return Err(Problem::Reference(format!("'%' must be followed by '%' or '(', found: '{}'", &rest[at..])));
        }
    }
    done.push_str(rest);
    Ok(done)
}

/// Sections of `name = value` or `name: value`; names in lower case, lines that begin with a blank go on with the value before.
fn ini(text: &str) -> Option<JsonMap> {
    let mut sections = JsonMap::new();
    let mut section: Option<String> = None;
    let mut last: Option<String> = None;
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name)
            && !line.starts_with(char::is_whitespace)
        {
            sections.entry(name).or_insert_with(|| JsonMap::new().into());
            section = Some(name.to_owned());
            last = None;
            continue;
        }
        let values = sections.get_mut(section.as_deref()?)?.as_object_mut()?;
        if line.starts_with(char::is_whitespace)
            && let Some(value) = last.as_ref().and_then(|name| values.get_mut(name))
        {
            *value = Json::from(format!("{}\n{bare}", value.as_str().unwrap_or_default()));
            continue;
        }
        let (name, value) = bare.split_once(['=', ':'])?;
        let name = name.trim().to_lowercase();
        values.insert(name.clone(), value.trim().into());
        last = Some(name);
    }
    section.map(|_| sections)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn facts_are_json_or_ini() {
        assert_eq!(parse("{\"a\": [1]}"), Ok(json!({"a": [1]})));
        assert_eq!(parse("# c\n[One]\nKey = v\nb: 1\n  2\n[two]\n"), Ok(json!({"One": {"key": "v", "b": "1\n2"}, "two": {}})));
        assert_eq!(parse("[s]\na = 1%%\nb = %(a)s\n"), Ok(json!({"s": {"a": "1%", "b": "1%"}})));
        assert_eq!(parse("nonsense"), Err(Problem::Neither));
        assert!(matches!(parse("[s]\na = %d\n"), Err(Problem::Reference(_))));
    }
}

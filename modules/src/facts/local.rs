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
    let is_program = path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o100 != 0);
    let text = if is_program { output(look, path) } else { contents(path) };
    match text {
        Ok(text) => parse(&text).unwrap_or_else(|| {
            let message = format!("error loading facts as JSON or ini - please check content: {}", path.display());
            look.host.warn(message.clone());
            message.into()
        }),
        Err(message) => {
            look.host.warn(message.clone());
            message.into()
        }
    }
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

fn parse(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok().or_else(|| ini(text).map(Json::Object))
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
        assert_eq!(parse("{\"a\": [1]}"), Some(json!({"a": [1]})));
        assert_eq!(parse("# c\n[One]\nKey = v\nb: 1\n  2\n[two]\n"), Some(json!({"One": {"key": "v", "b": "1\n2"}, "two": {}})));
        assert_eq!(parse("nonsense"), None);
    }
}

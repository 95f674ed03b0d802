//! The fact cache `jsonfile`: a file for each host, in ansible-core's own format, read and written by both.
//!
//! What comes out of it is never a template: whoever could write there could else make a fact one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::value::{Map, Value, from_json, to_json, to_json_shown};

/// A folder of facts.
#[derive(Debug)]
pub struct FactCache {
    folder: PathBuf,
    prefix: String,
    /// How long facts are good; for ever where it is none.
    lifetime: Option<Duration>,
}

impl FactCache {
    /// The cache in this folder, which is made where it is not there.
    pub fn open(folder: &Path, prefix: &str, seconds: i64) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let lifetime = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        Ok(Self { folder: folder.to_path_buf(), prefix: prefix.to_owned(), lifetime })
    }

    /// What is known of a host; nothing where nothing was written, or where it is too old. A file with something else is an error.
    pub fn read(&self, host: &str) -> Result<Option<Map>, String> {
        let Some(path) = self.path(host) else { return Ok(None) };
        let Some(age) = std::fs::metadata(&path).ok().and_then(|data| data.modified().ok()?.elapsed().ok()) else { return Ok(None) };
        if self.lifetime.is_some_and(|lifetime| age > lifetime) {
            return Ok(None);
        }
        let corrupt = |reason: String| format!("could not read the cached facts `{}`: {reason}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| corrupt(error.to_string()))?;
        let document: Json = serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))?;
        let facts = match document.get("__payload__").and_then(Json::as_str) {
            Some(payload) => serde_json::from_str(payload).map_err(|error| corrupt(error.to_string()))?,
            None => document,
        };
        match from_json(bare(facts)) {
            Value::Map(map) => Ok(Some(Map::clone(&map))),
            _ => Err(corrupt("found no object".to_owned())),
        }
    }

    /// Keeps what is known of a host; facts that hold secrets are left out.
    pub fn write(&self, host: &str, facts: &Map) -> std::io::Result<()> {
        let Some(path) = self.path(host) else { return Ok(()) };
        let open = facts.iter().map(|(key, value)| (key.to_json_key(), to_json(value), to_json_shown(value)));
        let kept: JsonMap<String, Json> = open.filter(|(_, value, shown)| value == shown).map(|(key, value, _)| (key, value)).collect();
        let document = json!({"__payload__": Json::Object(kept).to_string()});
        let new = self.folder.join(format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
        std::fs::write(&new, document.to_string())?;
        std::fs::rename(&new, &path)
    }

    /// Forgets a host.
    pub fn forget(&self, host: &str) {
        if let Some(path) = self.path(host) {
            // Where nothing was kept, nothing is to be forgotten.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The file of a host; none for names that would lead out of the folder.
    fn path(&self, host: &str) -> Option<PathBuf> {
        (!host.contains('/')).then(|| self.folder.join(format!("{}s1_{host}", self.prefix)))
    }
}

/// Without the marks that ansible-core puts on values: `{"value": …, "tags": […], "__ansible_type": "_AnsibleTagged…"}`.
fn bare(json: Json) -> Json {
    match json {
        Json::Object(mut entries) if entries.contains_key("__ansible_type") => match entries.remove("value") {
            Some(value) => bare(value),
            None => Json::Null,
        },
        Json::Object(entries) => Json::Object(entries.into_iter().map(|(key, value)| (key, bare(value))).collect()),
        Json::Array(items) => Json::Array(items.into_iter().map(bare).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_and_files_of_ansible_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FactCache::open(folder.path(), "", 60).unwrap();
        let mut facts = Map::new();
        facts.insert("a", Value::list(vec![Value::from(1_i64), Value::text("{{ x }}")]));
        facts.insert("s", Value::Text(crate::value::Text::new("p").into_secret()));
        cache.write("web1", &facts).unwrap();
        let read = cache.read("web1").unwrap().unwrap();
        assert_eq!((read.get("a"), read.get("s")), (facts.get("a"), None));
        cache.forget("web1");
        assert_eq!((cache.read("web1"), cache.read("../web1")), (Ok(None), Ok(None)));
        let payload = r#"{"m": {"value": {"a": {"value": "x", "tags": [], "__ansible_type": "_AnsibleTaggedStr"}}, "__ansible_type": "_AnsibleTaggedDict"}}"#;
        std::fs::write(folder.path().join("s1_web2"), json!({"__payload__": payload}).to_string()).unwrap();
        assert_eq!(to_json(cache.read("web2").unwrap().unwrap().get("m").unwrap()), json!({"a": "x"}));
        std::fs::write(folder.path().join("s1_web3"), "garbage").unwrap();
        assert!(cache.read("web3").is_err());
        let named = FactCache::open(folder.path(), "p", 0).unwrap();
        named.write("web1", &facts).unwrap();
        assert!(folder.path().join("ps1_web1").is_file());
    }
}

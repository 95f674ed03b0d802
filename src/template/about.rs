//! What a template may say of its own file: `template_host`, `template_mtime`, `template_uid` and so on.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::source::absolute;
use crate::value::{Map, Value};

/// A template's file, and where it is rendered.
pub struct About {
    /// When the file was changed.
    pub changed: Option<jiff::Timestamp>,
    /// The name of this machine.
    pub host: String,
    /// Whose file it is.
    pub owner: String,
}

impl About {
    /// The file at `path`.
    pub fn of(path: &Path) -> Self {
        let found = std::fs::metadata(path).ok();
        let uid = found.as_ref().map(MetadataExt::uid);
        let user = uid.and_then(driftless_modules::host::identity::user_by_id).map(|user| user.name);
        Self {
            changed: found.as_ref().map(MetadataExt::mtime).and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            owner: user.or_else(|| uid.map(|uid| uid.to_string())).unwrap_or_default(),
        }
    }

    /// The variables, for the file at `path` that was `written` so and goes to `dest`.
    pub fn vars(&self, path: &Path, written: &str, dest: Option<&str>) -> Map {
        let local = |stamp: jiff::Timestamp| Value::DateTime(stamp.to_zoned(jiff::tz::TimeZone::system()).datetime(), None);
        let mut vars = Map::new();
        vars.insert("template_destpath", dest.map_or(Value::Null, Value::text));
        vars.insert("template_fullpath", absolute(path).display().to_string());
        vars.insert("template_host", self.host.as_str());
        vars.insert("template_mtime", self.changed.map_or(Value::Null, local));
        vars.insert("template_path", written);
        vars.insert("template_run_date", local(jiff::Timestamp::now()));
        vars.insert("template_uid", self.owner.as_str());
        vars
    }
}

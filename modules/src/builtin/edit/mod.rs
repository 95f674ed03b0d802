//! What `lineinfile`, `blockinfile` and `replace` have in common: a text file that is read whole, changed in memory, looked at by the
//! user's `validate` command and put back in one step.

pub mod lines;

use std::path::{Path, PathBuf};

use crate::host::{Change, Door, FileCommon, FileDiff, Output, Version, Write, checksum, path as paths};
use crate::outcome::Context;
use crate::regex::{Anchor, Flags, Pattern, compile};
use crate::{Failure, Host, Json, JsonMap, Result};

pub use crate::encoding::Encoding;

/// The file to edit, as it was found.
pub struct TextFile {
    /// As the task writes it.
    shown: PathBuf,
    /// Where it is; symlinks are followed.
    path: PathBuf,
    encoding: Encoding,
    version: Version,
    /// Its text; nothing where there is no file.
    pub text: Option<String>,
}

/// How a text is put back.
pub struct Put<'a> {
    /// The new text.
    pub text: &'a str,
    /// Whether a copy of the old file is kept.
    pub backup: bool,
    /// The command that looks at the new file first.
    pub validate: Option<&'a str>,
    /// Whether the file may be written in place.
    pub unsafe_writes: bool,
}

impl TextFile {
    /// Reads the file, and gives every line the end `\n`. A folder is refused; a missing file is told by an empty `text`.
    pub fn read(host: &Host, shown: &Path, encoding: &str) -> Result<Self> {
        let mut file = Self::read_as_it_is(host, shown, encoding)?;
        file.text = file.text.map(|text| lines::unified(&text));
        Ok(file)
    }

    /// As [`TextFile::read`], with the lines' ends that the file has.
    pub fn read_as_it_is(host: &Host, shown: &Path, encoding: &str) -> Result<Self> {
        let absolute = host.absolute(shown);
        if absolute.is_dir() {
            return Err(Failure::new(format!("Path {} is a directory !", shown.display())).with("rc", 256));
        }
        let path = paths::real_path(&absolute);
        let version = Version::of(&path)?;
        let encoding = Encoding::from_name(encoding)?;
        let text = match std::fs::read(&path) {
            Ok(bytes) => Some(encoding.decode(bytes).map_err(|failure| Failure::raised(failure.message()))?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(format_args!("could not read `{}`", shown.display())),
        };
        Ok(Self { shown: shown.to_owned(), path, encoding, version, text })
    }

    /// Writes the new text and makes the folders above a new file. Gives back where the backup copy is.
    pub fn put(&self, host: &mut Host, put: &Put<'_>) -> Result<Option<PathBuf>> {
        if let Some(line) = put.validate.filter(|line| !line.contains("%s")) {
            return Err(Failure::new(format!("validate must contain %s: {line}")));
        }
        let bytes = self.encoding.encode(put.text).map_err(|failure| Failure::raised(failure.message()))?;
        let sum = |bytes: &[u8]| format!("sha1:{}", checksum::of_bytes(checksum::Algorithm::Sha1, bytes));
        let before = match &self.text {
            Some(text) => sum(text.as_bytes()),
            None => "absent".to_owned(),
        };
        let change = Change::of("file", paths::shown(&self.path)).from_to(before, sum(put.text.as_bytes()));
        let write = Write { unsafe_writes: put.unsafe_writes, expected: Some(self.version), ..Write::default() };
        let backup = host.change(change, |door| {
            if let (None, Some(folder)) = (&self.text, self.path.parent()) {
                door.create_dir_all(folder)?;
            }
            let staged = door.stage(&self.path, &mut bytes.as_slice(), put.unsafe_writes)?;
            if let Some(line) = put.validate {
                validate(door, line, staged.temp_path())?;
            }
            let backup = if put.backup && self.text.is_some() { door.backup(&self.path)? } else { None };
            staged.commit(write)?;
            Ok(backup)
        })?;
        Ok(backup.flatten())
    }

    /// Owner, permissions and the like. Whether any had to change; the message says so.
    pub fn attributes(&self, host: &mut Host, common: &FileCommon, message: &mut String, diff: &mut FileDiff) -> Result<()> {
        if !common.apply(host, &self.shown, diff)? {
            return Ok(());
        }
        if !message.is_empty() {
            message.push_str(" and ");
        }
        message.push_str("ownership, perms or SE linux context changed");
        Ok(())
    }

    /// The two differences that Ansible's line editors give: of the content (empty texts unless asked for) and of the attributes.
    pub fn diff(&self, host: &Host, after: &str, attributes: FileDiff) -> Json {
        let shows = host.shows_diff();
        let before = self.text.as_deref().unwrap_or_default();
        let headed = |what: &str| {
            let header = Json::from(format!("{} ({what})", self.shown.display()));
            JsonMap::from_iter([("before_header".to_owned(), header.clone()), ("after_header".to_owned(), header)])
        };
        let mut content = headed("content");
        content.insert("before".to_owned(), if shows { before } else { "" }.into());
        content.insert("after".to_owned(), if shows { after } else { "" }.into());
        if self.text.is_none() && host.is_checking() {
            return content.into();
        }
        let mut kept = headed("file attributes");
        if !attributes.after.is_empty() {
            kept.insert("before".to_owned(), attributes.before.into());
            kept.insert("after".to_owned(), attributes.after.into());
        }
        Json::Array(vec![content.into(), kept.into()])
    }
}

/// A pattern of the task, searched anywhere.
pub fn pattern(text: &str, flags: Flags) -> Result<std::sync::Arc<Pattern>> {
    compile(text, flags, Anchor::Anywhere).map_err(Failure::raised)
}

/// Lets the user's command look at a file before it takes its place.
pub fn validate(door: &Door, line: &str, path: &Path) -> Result<Output> {
    let output = door.validate(line, path)?;
    if output.succeeded() {
        return Ok(output);
    }
    Err(Failure::new(format!("failed to validate: rc:{} error:{}", output.rc(), output.stderr())))
}

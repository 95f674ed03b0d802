//! Contents of the control machine on their way to a host: checksums and requests for the module `copy`.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_modules::host::checksum::{self, Algorithm};
use driftless_modules::registry;
use sha1::{Digest, Sha1};

use super::args::Checked;
use super::{Args, Call, Failure};
use crate::helper::{Content, Request};
use crate::vault;

/// What is to be a file on the host.
pub(super) enum Source {
    /// Rendered or written in the playbook.
    Text(Arc<[u8]>),
    /// A file of the control machine.
    File(PathBuf),
}

/// What goes with a request for `copy` beside the user's options.
pub(super) struct Shipment<'a> {
    /// The content.
    pub source: Source,
    /// The name that a folder as destination gets; none for content of the playbook.
    pub basename: Option<&'a str>,
    /// What the difference is headed with.
    pub header: Option<String>,
    /// What the result calls `src`.
    pub origin: Option<String>,
}

/// The options of `copy`, checked.
pub(super) fn checked(call: &Call<'_>, args: &Args) -> Result<Checked, Failure> {
    let module = registry::find("copy").ok_or_else(|| Failure::new("the module `copy` is not there"))?;
    args.check(module.spec(), if call.name == "copy" { call.shown } else { call.name })
}

/// A request that makes one file.
pub(super) fn copy_request(call: &Call<'_>, mut checked: Checked, shipment: Shipment<'_>) -> Result<Request, Failure> {
    checked.args.shift_remove("content");
    checked.args.insert("_content".to_owned(), 0.into());
    checked.args.insert("_checksum".to_owned(), shipment.source.checksum()?.into());
    if let Some(basename) = shipment.basename {
        checked.args.insert("_original_basename".to_owned(), basename.into());
    }
    if let Some(header) = shipment.header {
        checked.args.insert("_after_header".to_owned(), header.into());
    }
    if let Some(origin) = shipment.origin {
        checked.args.insert("_source".to_owned(), origin.into());
    }
    if let Some(limit) = diff_limit(call) {
        checked.args.insert("_diff_limit".to_owned(), limit.into());
    }
    let mut request = call.request("copy", checked);
    request.contents.push(shipment.source.into_content());
    Ok(request)
}

/// The setting `max_diff_size`; 0 is no limit.
fn diff_limit(call: &Call<'_>) -> Option<u64> {
    let limit = call.context.lookups.config("MAX_FILE_SIZE_FOR_DIFF").ok()?.as_int()?;
    Some(u64::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(i64::MAX.unsigned_abs()))
}

impl Source {
    /// A file of the control machine; what is in it, where it is in a vault.
    pub fn of_file(call: &Call<'_>, path: PathBuf) -> Result<Self, Failure> {
        Ok(match decrypted(call, &path)? {
            Some(bytes) => Self::Text(bytes.into()),
            None => Self::File(path),
        })
    }

    /// SHA-1, which Ansible's results show.
    pub fn checksum(&self) -> Result<String, Failure> {
        match self {
            Self::Text(bytes) => Ok(hex(&Sha1::digest(bytes))),
            Self::File(path) => file_checksum(path),
        }
    }

    /// The content of a request.
    pub fn into_content(self) -> Content {
        match self {
            Self::Text(bytes) => Content::Bytes(bytes),
            Self::File(path) => Content::File(path),
        }
    }
}

/// The content of a file of the control machine that is in a vault, unless `decrypt` says not to open it; `None` for others.
pub(super) fn decrypted(call: &Call<'_>, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    if !call.args.flag(&["decrypt"], true)? || !vault::is_vault(&begin(path)?) {
        return Ok(None);
    }
    let vault = call.context.lookups.vault();
    if !vault.has_secrets() {
        return Err(Failure::new(format!("A vault password or secret must be specified to decrypt {}", path.display())));
    }
    let content = vault.read(path).map_err(|error| match vault::error_of(&error) {
        Some(sealed) => Failure::new(sealed.to_string()),
        None => unreadable(path, &error),
    })?;
    Ok(Some(content.bytes))
}

/// The bytes by which a vault is known.
fn begin(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(32).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("could not read src={}, {error}", path.display()))
}

/// SHA-1 of a file of the control machine.
pub(super) fn file_checksum(path: &Path) -> Result<String, Failure> {
    checksum::of_file(Algorithm::Sha1, path).map_err(|error| unreadable(path, &error))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The mode of a file of the control machine, for `mode: preserve`.
pub(super) fn preserve_mode(checked: &mut Checked, path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    if checked.args.get("mode").and_then(serde_json::Value::as_str) != Some("preserve") {
        return Ok(());
    }
    let found = std::fs::metadata(path).map_err(|error| Failure::new(format!("could not read {}: {error}", path.display())))?;
    checked.args.insert("mode".to_owned(), format!("0{:o}", found.permissions().mode() & 0o7777).into());
    Ok(())
}

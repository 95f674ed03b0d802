//! `assemble`: pieces of the control machine joined here and put on the host by `copy`; those of the host are joined there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_modules::builtin::assemble::{Choice, Joined, unescaped};
use driftless_modules::host::checksum::{self, Algorithm};
use driftless_modules::registry;

use super::content::{Shipment, Source, checked, copy_request, decrypted};
use super::{Action, Call, Done, Failure, Plan, outcome};
use crate::helper::Reply;
use crate::value::Value;

/// The action.
pub(super) struct Assemble;

/// Options of `assemble` that `copy` does not have, or means otherwise.
const OWN: &[&str] = &["decrypt", "delimiter", "ignore_hidden", "regexp", "remote_src", "src"];

/// The name that the file has in a folder.
const NAME: &str = "src";

impl Action for Assemble {
    fn names(&self) -> &'static [&'static str] {
        &["assemble"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let (Some(src), Some(_)) = (call.args.text(&["src"]), call.args.text(&["dest"])) else {
            return Err(Failure::new("src and dest are required").raised());
        };
        let module = registry::find("assemble").ok_or_else(|| Failure::new("the module `assemble` is not there"))?;
        let wanted = call.args.check(module.spec(), "assemble")?;
        if call.args.flag(&["remote_src"], true)? {
            return Ok(Plan::Send(Box::new(call.request("assemble", wanted))));
        }
        let bare = if src.trim_end_matches('/').is_empty() { "/" } else { src.trim_end_matches('/') };
        let absolute = Path::new(bare);
        let folder = if absolute.is_absolute() && absolute.exists() {
            absolute.to_path_buf()
        } else {
            call.find_file("files", bare, "src").map_err(|failure| failure.prefixed("Task failed: "))?
        };
        if !folder.is_dir() {
            return Err(Failure::new(format!("Source ({}) is not a directory", folder.display())).raised());
        }
        let content = joined(call, &folder)?;
        let md5 = checksum::of_bytes(Algorithm::Md5, &content);
        let mut args = call.args.clone();
        for name in OWN {
            args.take(name);
        }
        let mut checked = checked(call, &args)?;
        checked.args.insert("_md5".to_owned(), md5.into());
        let shipment = Shipment {
            source: Source::Text(Arc::from(content)),
            basename: Some(NAME),
            header: Some(folder.display().to_string()),
            origin: Some(format!("~/.ansible/tmp/{NAME}")),
        };
        Ok(Plan::Send(Box::new(copy_request(call, checked, shipment)?)))
    }

    fn finish(&self, call: &Call<'_>, reply: Reply) -> Result<Done, Failure> {
        let mut result = outcome(reply);
        // Of one file there is one difference.
        if !call.args.flag(&["remote_src"], true)?
            && let Some(Value::List(diffs)) = result.remove("diff")
            && let Some(diff) = diffs.first()
        {
            result.insert("diff", diff.clone());
        }
        Ok(Done::of(result))
    }
}

/// The pieces of a folder of the control machine in one.
fn joined(call: &Call<'_>, folder: &Path) -> Result<Vec<u8>, Failure> {
    let raised = |error: &dyn std::fmt::Display| Failure::new(format!("Task failed: {error}")).raised();
    let unreadable = |path: &Path, error: std::io::Error| Failure::new(format!("could not read {}: {error}", path.display()));
    let regexp = call.args.text(&["regexp"]);
    let choice = Choice::of(regexp.as_deref(), call.args.flag(&["ignore_hidden"], false)?).map_err(|error| raised(&error))?;
    let delimiter = call.args.text(&["delimiter"]).map(|text| unescaped(&text)).transpose().map_err(|error| raised(&error))?;
    // Here ansible-core ends a delimiter with a line break also where it has one.
    let mut content = Joined::new(delimiter.map(|mut bytes| {
        bytes.push(b'\n');
        bytes
    }));
    let pieces: Vec<PathBuf> = choice.pieces(folder).map_err(|error| unreadable(folder, error))?;
    for piece in pieces {
        let bytes = match decrypted(call, &piece)? {
            Some(bytes) => bytes,
            None => std::fs::read(&piece).map_err(|error| unreadable(&piece, error))?,
        };
        content.push(&bytes);
    }
    Ok(content.bytes)
}

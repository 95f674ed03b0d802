//! `fetch`: a file of the host to the control machine.

use std::io::copy;
use std::path::{Path, PathBuf};

use driftless_modules::host::checksum::{self, Algorithm};
use driftless_modules::registry;

use super::content::file_checksum;
use super::{Action, Call, Done, Failure, Plan, outcome};
use crate::helper::{Reply, Returned};
use crate::source::absolute;
use crate::value::{Map, Value};

/// The action.
pub(super) struct Fetch;

impl Action for Fetch {
    fn names(&self) -> &'static [&'static str] {
        &["fetch"]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        if call.check {
            let mut result = Map::new();
            result.insert("skipped", true);
            result.insert("changed", false);
            result.insert("msg", "check mode not (yet) supported for this module");
            return Ok(Plan::Done(Done::of(result)));
        }
        let module = registry::find("fetch").ok_or_else(|| Failure::new("the module `fetch` is not there"))?;
        let mut checked = call.args.check(module.spec(), "fetch")?;
        let dest = destination(call)?;
        if let Ok(checksum) = file_checksum(&dest) {
            checked.args.insert("_local_checksum".to_owned(), checksum.into());
        }
        let mut request = call.request("fetch", checked);
        request.keeps_in = Some(folder_of(&dest).to_owned());
        Ok(Plan::Send(Box::new(request)))
    }

    fn finish(&self, call: &Call<'_>, mut reply: Reply) -> Result<Done, Failure> {
        let contents = std::mem::take(&mut reply.contents);
        let found = outcome(reply);
        if found.get("failed").is_some_and(Value::truthy) || found.get("remote_checksum").is_none() {
            return Ok(Done::of(found));
        }
        let dest = destination(call)?;
        let remote = found.get("remote_checksum").cloned().unwrap_or_default();
        let changed = found.get("_content").is_some();
        if let Some(content) = contents.into_iter().next().filter(|_| changed) {
            let failed = |error: std::io::Error| Failure::new(format!("Failed to fetch the file: {error}"));
            write(&dest, content).map_err(failed)?;
            let written = file_checksum(&dest)?;
            if call.args.flag(&["validate_checksum"], true)? && remote.as_str() != Some(&written) {
                return Err(Failure::new("checksum mismatch").with("checksum", written).with("remote_checksum", remote));
            }
        }
        let mut result = Map::new();
        result.insert("changed", changed);
        result.insert("checksum", file_checksum(&dest)?);
        let md5 = checksum::of_file(Algorithm::Md5, &dest);
        result.insert("md5sum", md5.map_err(|error| Failure::new(format!("could not read {}: {error}", dest.display())))?);
        result.insert("dest", dest.display().to_string());
        result.insert("file", call.args.text(&["src"]).unwrap_or_default());
        if changed {
            result.insert("remote_checksum", remote);
            result.insert("remote_md5sum", Value::Null);
        }
        Ok(Done::of(result))
    }
}

/// `dest/host/path/of/file`, or `dest` alone with `flat`.
fn destination(call: &Call<'_>) -> Result<PathBuf, Failure> {
    let (Some(src), Some(dest)) = (call.args.text(&["src"]), call.args.text(&["dest"])) else {
        return Err(Failure::new("src and dest are required"));
    };
    let dest = match dest.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest).display().to_string() + if dest.ends_with('/') { "/" } else { "" },
        None => dest,
    };
    let base = absolute(&call.context.playbook_dir.join(&dest));
    let name = Path::new(&src).file_name().unwrap_or_default();
    if call.args.flag(&["flat"], false)? {
        if base.is_dir() && !dest.ends_with('/') {
            return Err(Failure::new("dest is an existing directory, use a trailing slash if you want to fetch src into that directory"));
        }
        return Ok(if dest.ends_with('/') { base.join(name) } else { base });
    }
    // A host that names its file `/../../x` writes below its own folder all the same.
    let safe: PathBuf = Path::new(&src).components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
    Ok(base.join(call.host).join(safe))
}

fn folder_of(dest: &Path) -> &Path {
    dest.parent().unwrap_or(Path::new("."))
}

/// Puts the content at `dest`, at once: it is there already under another name, or small.
fn write(dest: &Path, content: Returned) -> std::io::Result<()> {
    let file = match content {
        Returned::Named(file) => file,
        content => {
            let folder = folder_of(dest);
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            copy(&mut content.into_reader()?, &mut file)?;
            file
        }
    };
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.persist(dest).map_err(|error| error.error)?;
    Ok(())
}

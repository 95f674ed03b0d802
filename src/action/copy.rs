//! `copy`: contents of the control machine to files of the host; a folder goes file by file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driftless_modules::registry;

use super::content::{Shipment, Source, checked, copy_request, preserve_mode};
use super::{Action, Args, Call, Done, Failure, Plan, TalkError, Target, escape, outcome};
use crate::helper::Request;
use crate::template::print::shown;
use crate::template::python::codec::Codec;
use crate::template::python::json::{JsonOptions, dumps};
use crate::value::{Map, Value};

/// The action.
pub(super) struct Copy;

impl Action for Copy {
    fn names(&self) -> &'static [&'static str] {
        &["copy"]
    }

    fn exclusive(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &[("src", "content", "src and content are mutually exclusive")]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        let args = call.args;
        let content = args.get("content").filter(|content| !content.is_null());
        let src = args.text(&["src"]);
        if content.is_some() && src.is_some() {
            return Err(args.excluded(self.exclusive()[0]));
        }
        let dest = args.text(&["dest"]).ok_or_else(|| Failure::new("dest is required"))?;
        if args.flag(&["remote_src"], false)? {
            return remote(call, args);
        }
        if let Some(content) = content {
            if dest.ends_with('/') {
                return Err(Failure::new("can not use content with a dir as dest"));
            }
            let text = match content {
                Value::List(_) | Value::Map(_) => dumps(content, &JsonOptions::default()),
                Value::Bytes(bytes) => bytes.to_text(),
                other => shown(other),
            };
            let origin = shipped_name(&dest);
            let bytes = escape::encode(Codec::Utf8 { marked: false }, &text).map_err(Failure::new)?;
            let source = Source::Text(Arc::from(bytes));
            let shipment = Shipment { source, basename: None, header: None, origin: Some(origin) };
            return Ok(Plan::Send(Box::new(copy_request(call, checked(call, args)?, shipment)?)));
        }
        let src = src.ok_or_else(|| Failure::new("src (or content) is required"))?;
        let path = find(call, &src)?;
        if path.is_dir() {
            return Ok(Plan::Talk);
        }
        Ok(Plan::Send(Box::new(file_request(call, args, &path)?)))
    }

    fn talk(&self, call: &Call<'_>, target: &mut dyn Target) -> Result<Done, TalkError> {
        let src = call.args.text(&["src"]).unwrap_or_default();
        let root = find(call, &src)?;
        let dest = call.args.text(&["dest"]).unwrap_or_default();
        // `dir/` means what is in it, `dir` the folder itself.
        let (base, into) = if src.ends_with('/') {
            (root.clone(), dest.trim_end_matches('/').to_owned())
        } else {
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            (root.clone(), format!("{}/{name}", dest.trim_end_matches('/')))
        };
        let mut requests = Vec::new();
        walk(call, &base, &into, &mut requests)?;
        let keeps_links = !call.args.flag(&["local_follow"], true)?;
        let kinds: Vec<Sent> = requests.iter().map(Sent::of).collect();
        let is_single = kinds.iter().filter(|kind| **kind == Sent::File).count() == 1;
        let tells = match keeps_links && kinds.contains(&Sent::Link) {
            true => Some(Sent::Link),
            false => is_single.then_some(Sent::File),
        };
        let mut changed = false;
        let mut told = Map::new();
        for (reply, kind) in target.send(requests).into_iter().zip(kinds) {
            let result = outcome(reply?);
            if result.get("failed").is_some_and(Value::truthy) {
                return Err(TalkError::Failed(Failure { result, diagnostics: Vec::new(), is_raised: false }));
            }
            changed |= result.get("changed").is_some_and(Value::truthy);
            if Some(kind) == tells {
                told = result;
            }
        }
        // What the only file or the last link came to is all that Ansible tells, and of several files no more than where they went.
        let mut result = Map::new();
        if tells != Some(Sent::File) {
            result.insert("dest", format!("{}/", dest.trim_end_matches('/')));
            result.insert("src", format!("{}{}", root.display(), if src.ends_with('/') { "/" } else { "" }));
        }
        result.extend(told);
        result.insert("changed", changed);
        Ok(Done::of(result))
    }
}

/// What Ansible calls a content that it ships: the results of playbooks name it, although no such file is needed here.
fn shipped_name(dest: &str) -> String {
    let extension = Path::new(dest).extension().map(|extension| format!(".{}", extension.to_string_lossy())).unwrap_or_default();
    format!("~/.ansible/tmp/.source{extension}")
}

fn remote(call: &Call<'_>, args: &Args) -> Result<Plan, Failure> {
    Ok(Plan::Send(Box::new(call.request("copy", checked(call, args)?))))
}

fn find(call: &Call<'_>, src: &str) -> Result<PathBuf, Failure> {
    let bare = src.trim_end_matches('/');
    let name = if bare.is_empty() { "/" } else { bare };
    let path = Path::new(name);
    if path.is_absolute() {
        return path.exists().then(|| path.to_path_buf()).ok_or_else(|| missing(call, src));
    }
    call.context.find_file("files", name).ok_or_else(|| missing(call, src))
}

fn missing(call: &Call<'_>, src: &str) -> Failure {
    call.missing_file("files", src, "src").prefixed("Unexpected AnsibleActionFail error: ").raised()
}

fn file_request(call: &Call<'_>, args: &Args, path: &Path) -> Result<Request, Failure> {
    let mut checked = checked(call, args)?;
    preserve_mode(&mut checked, path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let shown = path.display().to_string();
    let shipment = Shipment {
        source: Source::of_file(call, path.to_path_buf())?,
        basename: Some(&name),
        header: Some(shown.clone()),
        origin: Some(shown),
    };
    copy_request(call, checked, shipment)
}

/// Requests for a folder and all below it, parents first.
fn walk(call: &Call<'_>, from: &Path, into: &str, requests: &mut Vec<Request>) -> Result<(), Failure> {
    requests.push(folder_request(call, into)?);
    let failed = |error: std::io::Error| Failure::new(format!("could not read {}: {error}", from.display()));
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(from).map_err(failed)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    entries.sort();
    let follows = call.args.flag(&["local_follow"], true)?;
    for path in entries {
        let dest = format!("{into}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        if is_link && (!follows || !path.exists()) {
            requests.push(link_request(call, &path, &dest)?);
        } else if path.is_dir() {
            walk(call, &path, &dest, requests)?;
        } else {
            let mut args = call.args.clone();
            args.set_own("dest", dest.as_str());
            requests.push(file_request(call, &args, &path)?);
        }
    }
    Ok(())
}

fn folder_request(call: &Call<'_>, path: &str) -> Result<Request, Failure> {
    let mut args = ownership(call);
    args.set_own("path", path);
    args.set_own("state", "directory");
    if let Some(mode) = call.args.get("directory_mode").filter(|mode| !mode.is_null()) {
        args.set_own("mode", mode.clone());
    }
    own_request(call, &args)
}

/// What a request of a folder's copy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Folder,
    Link,
    File,
}

impl Sent {
    fn of(request: &Request) -> Self {
        match request.args.get("state").and_then(serde_json::Value::as_str) {
            Some("directory") => Self::Folder,
            Some("link") => Self::Link,
            _ => Self::File,
        }
    }
}

fn link_request(call: &Call<'_>, link: &Path, dest: &str) -> Result<Request, Failure> {
    let target = std::fs::read_link(link).map_err(|error| Failure::new(format!("could not read {}: {error}", link.display())))?;
    let mut args = ownership(call);
    args.set_own("path", dest);
    args.set_own("src", target.display().to_string());
    args.set_own("state", "link");
    args.set_own("force", true);
    args.set_own("follow", false);
    own_request(call, &args)
}

/// Owner and group as the user wants them for the files.
fn ownership(call: &Call<'_>) -> Args {
    let mut args = call.args.clone();
    let keep = ["owner", "group", "seuser", "serole", "setype", "selevel", "unsafe_writes"];
    let names: Vec<String> = args.iter().map(|(name, _)| name.to_owned()).filter(|name| !keep.contains(&name.as_str())).collect();
    for name in names {
        args.take(&name);
    }
    args
}

fn own_request(call: &Call<'_>, args: &Args) -> Result<Request, Failure> {
    let module = registry::find("file").ok_or_else(|| Failure::new("the module `file` is not there"))?;
    Ok(call.request("file", args.check(module.spec(), "file")?))
}

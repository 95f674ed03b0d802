//! `unarchive`: unpacks an archive into a folder. The archive is on the host (`remote_src`), or came with the request (`_content` is its
//! index). The host's `tar` and `unzip` read it; which of them, the archive's first bytes say.

use std::io::Read;
use std::path::{Path, PathBuf};

use driftless_macros::Args;

use super::archive::{Archive, Format};
use crate::host::{Change, FileCommon, FileDiff, path as paths};
use crate::outcome::Context;
use crate::spec::Support;
use crate::{Failure, Host, Json, Module, Outcome, Result};

/// The module.
pub struct Unarchive;

/// Its options.
#[derive(Args)]
#[args(mutually_exclusive("include", "exclude"), mutually_exclusive("copy", "remote_src"))]
pub struct UnarchiveArgs {
    /// The archive: on the control machine, or with `remote_src` on the managed host.
    #[arg(required)]
    src: PathBuf,
    /// The folder to unpack into; it must be there.
    #[arg(required)]
    dest: PathBuf,
    /// The older word for the contrary of `remote_src`.
    #[arg(default = true)]
    copy: bool,
    /// If this is there, nothing is done.
    creates: Option<PathBuf>,
    /// How many bytes are read at a time: without a meaning here, where tools of the system read.
    #[arg(default = 65536, controller)]
    io_buffer_size: i64,
    /// Whether the names in the archive are told.
    #[arg(default = false)]
    list_files: bool,
    /// What is left out.
    #[arg(default = [])]
    exclude: Vec<String>,
    /// What alone is unpacked.
    #[arg(default = [])]
    include: Vec<String>,
    /// Whether files that are newer than the archive's stay.
    #[arg(default = false)]
    keep_newer: bool,
    /// More options for `tar` or `unzip`.
    #[arg(default = [])]
    extra_opts: Vec<String>,
    /// Whether `src` is on the managed host.
    #[arg(default = false)]
    remote_src: bool,
    /// Whether certificates are looked at where `src` is an address.
    #[arg(default = true, controller)]
    validate_certs: bool,
    /// Whether a vaulted archive is decrypted on its way.
    #[arg(default = true, controller)]
    decrypt: bool,
    /// Owner, permissions and the like, of all that the archive holds.
    #[arg(flatten)]
    common: FileCommon,
    /// Which content of the request.
    #[arg(name = "_content")]
    content_index: Option<u32>,
}

impl Module for Unarchive {
    type Args = UnarchiveArgs;
    const NAME: &'static str = "unarchive";
    const SUMMARY: &'static str = "Unpack an archive of the control machine or of the host itself";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] = &[
        "- unarchive:\n    src: site.tar.gz\n    dest: /srv/site\n",
        "- unarchive:\n    src: /srv/archives/tools.zip\n    dest: /opt/tools\n    remote_src: true\n",
    ];

    fn run(args: UnarchiveArgs, host: &mut Host) -> Result<Outcome> {
        if let Some(creates) = args.creates.as_ref().filter(|creates| host.absolute(creates).exists()) {
            return Ok(Outcome::new(false).with("skipped", true).with("msg", format!("skipped, since {} exists", creates.display())));
        }
        let dest = host.absolute(&args.dest);
        let Some(index) = args.content_index else {
            if args.copy && !args.remote_src {
                return Err(Failure::new(format!("the request has no archive `{}` and no `remote_src`", args.src.display())));
            }
            let src = on_host(&args, host)?;
            need_folder(&args, &dest)?;
            return unpack(&args, host, &src, &dest);
        };
        need_folder(&args, &dest)?;
        let mut content = Vec::new();
        host.contents().open(index as usize).context("could not get the archive")?.read_to_end(&mut content)?;
        let kept = host.scratch().file(None, &content)?;
        unpack(&args, host, kept.path(), &dest)
    }
}

fn need_folder(args: &UnarchiveArgs, dest: &Path) -> Result<()> {
    if dest.is_dir() {
        return Ok(());
    }
    Err(Failure::new(format!("dest '{}' must be an existing dir", args.dest.display())))
}

fn on_host(args: &UnarchiveArgs, host: &Host) -> Result<PathBuf> {
    let shown = paths::shown(&args.src);
    if shown.contains("://") {
        return Err(Failure::new(format!(
            "`src` is the address `{shown}`: unpacking an address is not supported here, use `get_url` first"
        )));
    }
    let src = host.absolute(&args.src);
    if !src.exists() {
        return Err(Failure::new(format!("Source '{shown}' does not exist")));
    }
    if rustix::fs::access(&src, rustix::fs::Access::READ_OK).is_err() {
        return Err(Failure::new(format!("Source '{shown}' not readable")));
    }
    match src.metadata()?.len() {
        0 => Err(Failure::new(format!("Invalid archive '{shown}', the file is 0 bytes"))),
        _ => Ok(src),
    }
}

fn unpack(args: &UnarchiveArgs, host: &mut Host, src: &Path, dest: &Path) -> Result<Outcome> {
    let format = Format::of(src).context(format_args!("could not read `{}`", src.display()))?;
    let has_reader = !format.is_some_and(Format::is_zip) || host.find_program("unzip").is_some();
    if host.is_checking() && (format.is_none() || !has_reader) {
        return Ok(unforetold());
    }
    let Some(format) = format else {
        let shown = paths::shown(src);
        return Err(Failure::new(format!(
            "Failed to find handler for \"{shown}\". Make sure the required command to extract the file is installed."
        )));
    };
    let archive = Archive {
        format,
        path: src,
        dest,
        include: &args.include,
        exclude: &args.exclude,
        extra: &args.extra_opts,
        keep_newer: args.keep_newer,
        sets_owner: args.common.owner.is_some(),
        sets_group: args.common.group.is_some(),
        sets_mode: args.common.mode.is_some(),
    };
    let names = archive.names(host)?;
    if host.is_checking() && !format.is_zip() {
        return Ok(unforetold());
    }
    let differs = archive.differs(host)?;
    let mut outcome = Json::Null;
    if differs {
        let command = archive.extraction(host)?;
        let change = Change::of("archive", paths::shown(&args.dest)).from_to("other", "unpacked");
        let done = host.change(change, |door| door.run(&command))?;
        if let Some(output) = done {
            let results = serde_json::json!({
                "cmd": command.argv(), "rc": output.rc(), "out": output.stdout(), "err": output.stderr(),
            });
            if !output.succeeded() {
                let failure = Failure::new(format!("failed to unpack {} to {}", src.display(), args.dest.display()));
                return Err(failure
                    .with("extract_results", results)
                    .with("handler", format.handler())
                    .with("dest", paths::shown(&args.dest)));
            }
            outcome = results;
        }
    }
    if !host.is_checking() {
        for name in &names {
            let path = dest.join(name.trim_start_matches('/'));
            if path.symlink_metadata().is_ok() {
                args.common.apply(host, &path, &mut FileDiff::default())?;
            }
        }
    }
    let mut result = host.outcome().with("dest", paths::shown(&args.dest)).with("src", paths::shown(src)).with("handler", format.handler());
    if !outcome.is_null() {
        result.set("extract_results", outcome);
    }
    if args.list_files {
        result.set("files", names);
    }
    Ok(result)
}

/// As in Ansible, whose `tar` cannot tell what it would do, and which tries it where nothing else reads the archive.
fn unforetold() -> Outcome {
    let message = "remote module (ansible.legacy.unarchive) does not support check mode when using gtar";
    Outcome::new(false).with("skipped", true).with("msg", message)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crate::laws::{Law, Mode};
    use serde_json::json;

    fn pack(law: &Law, line: &str) {
        law.write("s/a", "a\n");
        law.write("s/d/b", "b\n");
        law.mkdir("o");
        assert!(Command::new("sh").arg("-c").arg(line).current_dir(law.folder().join("s")).status().unwrap().success());
    }

    #[test]
    fn archives_are_unpacked_once() {
        for (line, name, handler) in [("tar cf ../p a d", "p", "TarArchive"), ("tar czf ../p a d", "p", "TgzArchive")] {
            let law = Law::of("unarchive");
            pack(&law, line);
            let task = json!({"src": law.path(name), "dest": law.path("o"), "remote_src": true, "list_files": true});
            let ran = law.run(task.clone(), Mode::Real).outcome;
            assert!(ran.changed(), "{ran:?}");
            assert_eq!((ran.get("handler"), ran.get("files")), (Some(&json!(handler)), Some(&json!(["a", "d/", "d/b"]))));
            assert_eq!(law.read("o/d/b"), "b\n");
            law.unchanged(task.clone());
            law.write("o/a", "other");
            assert!(law.run(task.clone(), Mode::Real).outcome.changed());
            assert_eq!(law.run(task, Mode::Check).outcome.get("skipped"), Some(&json!(true)));
        }
    }

    #[test]
    fn parts_are_left_out_and_permissions_set() {
        let law = Law::of("unarchive");
        pack(&law, "tar czf ../p a d");
        let task = json!({"src": law.path("p"), "dest": law.path("o"), "remote_src": true, "exclude": ["d"], "mode": "0600"});
        law.run(task.clone(), Mode::Real);
        assert!(!law.folder().join("o/d").exists());
        assert_eq!(law.mode("o/a"), 0o600);
        law.unchanged(task);
    }

    #[test]
    fn a_content_of_the_request_is_unpacked() {
        let packer = Law::of("unarchive");
        pack(&packer, "tar czf ../p a d");
        let bytes = std::fs::read(packer.folder().join("p")).unwrap();
        let law = Law::of("unarchive").with_contents(&[&bytes]);
        law.mkdir("o");
        law.run(json!({"src": "p.tgz", "dest": law.path("o"), "_content": 0}), Mode::Real);
        assert_eq!(law.read("o/a"), "a\n");
    }

    #[test]
    fn refusals_are_ansible_s() {
        let law = Law::of("unarchive");
        law.mkdir("o");
        law.write("text", "no archive");
        let task = |src: String, dest: &str| json!({"src": src, "dest": law.path(dest), "remote_src": true});
        law.fails(task(law.path("none"), "o"), "does not exist");
        law.fails(task(law.path("text"), "text"), "must be an existing dir");
        law.fails(task(law.path("text"), "o"), "Failed to find handler for");
        assert_eq!(law.run(task(law.path("text"), "o"), Mode::Check).outcome.get("skipped"), Some(&json!(true)));
        law.unchanged(json!({"src": law.path("none"), "dest": law.path("o"), "remote_src": true, "creates": law.path("text")}));
    }
}

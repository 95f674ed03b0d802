//! `stat`: what a file is, in full. Follows a symlink only where told.

use std::fs::{File, Metadata};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};
use rustix::fs::{Access, access};

use crate::host::{attributes, checksum, identity, path as paths, selinux};
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct Stat;

/// Its options.
#[derive(Args)]
pub struct StatArgs {
    /// The file to look at.
    #[arg(required, alias = "dest", alias = "name")]
    path: PathBuf,
    /// Whether to look at what a symlink leads to.
    #[arg(default = false)]
    follow: bool,
    /// Whether to read the file for its checksum.
    #[arg(default = true)]
    get_checksum: bool,
    /// How the checksum is made.
    #[arg(default = "sha1", alias = "checksum", alias = "checksum_algo")]
    checksum_algorithm: Algorithm,
    /// Whether to ask `file` for the kind of content.
    #[arg(default = true, alias = "mime", alias = "mime_type", alias = "mime-type")]
    get_mime: bool,
    /// Whether to read the flags that `lsattr` shows.
    #[arg(default = true, alias = "attr", alias = "attributes")]
    get_attributes: bool,
    /// Whether to read the SELinux label.
    #[arg(default = false)]
    get_selinux_context: bool,
}

/// A checksum that `stat` can make.
#[derive(Choice, Clone, Copy)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl From<Algorithm> for checksum::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5,
            Algorithm::Sha1 => Self::Sha1,
            Algorithm::Sha224 => Self::Sha224,
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Sha384 => Self::Sha384,
            Algorithm::Sha512 => Self::Sha512,
        }
    }
}

impl Module for Stat {
    type Args = StatArgs;
    const NAME: &'static str = "stat";
    const SUMMARY: &'static str = "Tell what a file is: kind, owner, mode, size, times, checksum";
    const EXAMPLES: &'static [&'static str] = &["- stat:\n    path: /srv/app/current\n  register: current\n"];

    fn run(args: StatArgs, host: &mut Host) -> Result<Outcome> {
        let path = host.absolute(&args.path);
        let found = if args.follow { path.metadata() } else { path.symlink_metadata() };
        let metadata = match found {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(host.outcome().with("stat", JsonMap::from_iter([("exists".to_owned(), Json::Bool(false))])));
            }
            Err(error) => return Err(Failure::new(plain(&error))),
        };
        let mut stat = basics(&args.path, &metadata);
        let allowed = |wanted| access(&path, wanted).is_ok();
        stat.insert("readable".to_owned(), allowed(Access::READ_OK).into());
        stat.insert("writeable".to_owned(), allowed(Access::WRITE_OK).into());
        stat.insert("executable".to_owned(), allowed(Access::EXEC_OK).into());
        if let Some(user) = identity::user_by_id(metadata.uid()) {
            stat.insert("pw_name".to_owned(), user.name.into());
        }
        if let Some(group) = identity::group_by_id(metadata.gid()) {
            stat.insert("gr_name".to_owned(), group.name.into());
        }
        if metadata.is_symlink() {
            let target = path.read_link()?;
            stat.insert("lnk_source".to_owned(), paths::shown(&paths::real_path(&path)).into());
            stat.insert("lnk_target".to_owned(), paths::shown(&target).into());
        }
        if args.get_checksum && metadata.is_file() && allowed(Access::READ_OK) {
            let text = checksum::of_file(args.checksum_algorithm.into(), &path)?;
            stat.insert("checksum".to_owned(), text.into());
        }
        if args.get_mime {
            let (mimetype, charset) = mime(host, &path);
            stat.insert("mimetype".to_owned(), mimetype.into());
            stat.insert("charset".to_owned(), charset.into());
        }
        if args.get_attributes {
            flags(&path, &mut stat);
        }
        if args.get_selinux_context {
            let label = if selinux::is_enabled() { selinux::label(&path) } else { None };
            stat.insert("selinux_context".to_owned(), label.map_or_else(|| vec![Json::Null; 3].into(), Json::from));
        }
        Ok(host.outcome().with("stat", stat))
    }
}

/// What one system call tells.
pub(crate) fn basics(path: &Path, metadata: &Metadata) -> JsonMap {
    let mut stat = JsonMap::new();
    let mut set = |key: &str, value: Json| {
        stat.insert(key.to_owned(), value);
    };
    let kind = metadata.file_type();
    let bit = |bit: u32| Json::Bool(metadata.mode() & bit != 0);
    set("exists", true.into());
    set("path", paths::shown(path).into());
    set("mode", format!("{:04o}", metadata.mode() & 0o7777).into());
    set("isdir", kind.is_dir().into());
    set("ischr", kind.is_char_device().into());
    set("isblk", kind.is_block_device().into());
    set("isreg", kind.is_file().into());
    set("isfifo", kind.is_fifo().into());
    set("islnk", kind.is_symlink().into());
    set("issock", kind.is_socket().into());
    set("uid", metadata.uid().into());
    set("gid", metadata.gid().into());
    set("size", metadata.size().into());
    set("inode", metadata.ino().into());
    set("dev", metadata.dev().into());
    set("nlink", metadata.nlink().into());
    set("atime", seconds(metadata.atime(), metadata.atime_nsec()));
    set("mtime", seconds(metadata.mtime(), metadata.mtime_nsec()));
    set("ctime", seconds(metadata.ctime(), metadata.ctime_nsec()));
    for (key, mask) in [
        ("wusr", 0o200),
        ("rusr", 0o400),
        ("xusr", 0o100),
        ("wgrp", 0o020),
        ("rgrp", 0o040),
        ("xgrp", 0o010),
        ("woth", 0o002),
        ("roth", 0o004),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        set(key, bit(mask));
    }
    set("blocks", metadata.blocks().into());
    set("disk_usage_bytes", (metadata.blocks() * 512).into());
    set("block_size", metadata.blksize().into());
    set("device_type", metadata.rdev().into());
    stat
}

/// Seconds since 1970 as Python's floats have them.
pub(crate) fn seconds(whole: i64, nanoseconds: i64) -> Json {
    Json::from(whole as f64 + nanoseconds as f64 * 1e-9)
}

/// The kind of content and its encoding, as `file` knows them.
fn mime(host: &Host, path: &Path) -> (String, String) {
    let unknown = || ("unknown".to_owned(), "unknown".to_owned());
    if host.find_program("file").is_none() {
        return unknown();
    }
    let command = host.command("file").args(["--mime-type", "--mime-encoding"]).arg(path);
    let Ok(output) = host.query(&command) else { return unknown() };
    let text = output.stdout();
    // `/a:b: text/plain; charset=us-ascii`: the path may have colons.
    let Some((mimetype, charset)) = text.trim_end().rsplit_once(": ").and_then(|(_, kind)| kind.split_once("; charset=")) else {
        return unknown();
    };
    if !output.succeeded() || !mimetype.contains('/') {
        return unknown();
    }
    (mimetype.to_owned(), charset.to_owned())
}

/// The flags and the generation, where the file system has them.
fn flags(path: &Path, stat: &mut JsonMap) {
    let flags = attributes::file_flags(path);
    let generation = flags.and_then(|_| File::open(path).ok()).and_then(|file| attributes::generation(file.as_fd()));
    let flags = flags.unwrap_or(rustix::fs::IFlags::empty());
    let words: Vec<Json> =
        attributes::FLAGS.iter().filter(|(_, flag, _)| flags.contains(*flag)).map(|(_, _, word)| Json::from(*word)).collect();
    stat.insert("version".to_owned(), generation.map_or(Json::Null, |generation| generation.to_string().into()));
    stat.insert("attributes".to_owned(), words.into());
    stat.insert("attr_flags".to_owned(), attributes::flags_text(flags).into());
}

/// An error without its number, as `os.strerror` has it.
fn plain(error: &std::io::Error) -> String {
    let text = crate::outcome::errno_text(error);
    text.split_once("] ").map_or_else(|| text.clone(), |(_, plain)| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::laws::Law;
    use serde_json::json;

    #[test]
    fn tells_of_files_folders_and_links() {
        let law = Law::of("stat");
        law.write("f", "hello\n");
        law.symlink("f", "link");
        let stat = |args| law.unchanged(args).get("stat").cloned().unwrap();
        let file = stat(json!({"path": law.path("f")}));
        assert_eq!(file["checksum"], "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert_eq!((&file["isreg"], &file["size"], &file["islnk"]), (&json!(true), &json!(6), &json!(false)));
        let link = stat(json!({"path": law.path("link")}));
        assert_eq!((&link["islnk"], &link["lnk_target"]), (&json!(true), &json!("f")));
        assert_eq!(link.get("checksum"), None);
        let followed = stat(json!({"path": law.path("link"), "follow": true, "checksum_algorithm": "md5"}));
        assert_eq!(followed["checksum"], "b1946ac92492d2347c6235b4d2611184");
        assert_eq!(stat(json!({"path": law.path("none")})), json!({"exists": false}));
        law.tool("file", r#"echo "$3: text/plain; charset=us-ascii""#);
        let file = stat(json!({"path": law.path("f")}));
        assert_eq!((&file["mimetype"], &file["charset"]), (&json!("text/plain"), &json!("us-ascii")));
        law.fails(json!({"path": law.path("f/x")}), "Not a directory");
    }
}

//! `copy`: a file with this content. The action sends the content beside the request (`_content` is its index) and its checksum
//! (`_checksum`), so that it comes over the wire only where the host's copy differs; `template` and `assemble` end here too. With
//! `remote_src` the content is already on the host, and may be a folder.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use driftless_macros::Args;

use crate::host::checksum::{self, Algorithm};
use crate::host::{Change, Door, FileCommon, FileDiff, Version, Write, mode, path as paths};
use crate::outcome::Context;
use crate::spec::Support;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// Ansible shows no difference of larger files.
const DIFF_LIMIT: u64 = 104_448;

/// The module.
pub struct Copy;

/// Its options.
#[derive(Args)]
pub struct CopyArgs {
    /// What to copy: a path on the control machine, or with `remote_src` on the managed host. A folder is copied with all that is in it;
    /// with a `/` at its end, only what is in it.
    src: Option<PathBuf>,
    /// The content itself, instead of `src`.
    #[arg(controller)]
    content: Option<String>,
    /// Where it goes. In a folder, or with a `/` at its end, the file keeps its name.
    #[arg(required)]
    dest: PathBuf,
    /// Whether a copy of the old file is kept beside it.
    #[arg(default = false)]
    backup: bool,
    /// Whether a file that differs is replaced; otherwise only a missing one is made.
    #[arg(default = true)]
    force: bool,
    /// A command that looks at the new file before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// The permissions of new folders.
    directory_mode: Option<Json>,
    /// Whether `src` is on the managed host.
    #[arg(default = false)]
    remote_src: bool,
    /// Whether a symlink at `dest` is followed.
    #[arg(default = false)]
    follow: bool,
    /// Whether symlinks in a folder that is copied are followed.
    local_follow: Option<bool>,
    /// The SHA-1 that the copied file must have.
    checksum: Option<String>,
    /// Whether a vaulted file is decrypted on its way.
    #[arg(default = true, controller)]
    decrypt: bool,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
    /// Which content of the request.
    #[arg(name = "_content")]
    content_index: Option<u32>,
    /// Its SHA-1.
    #[arg(name = "_checksum")]
    content_checksum: Option<String>,
    /// Its MD5, where the result is to tell all of it, whatever was to be done.
    #[arg(name = "_md5")]
    content_md5: Option<String>,
    /// The name of the file that it was made from.
    #[arg(name = "_original_basename")]
    original_basename: Option<String>,
    /// Bytes of the largest file whose difference is shown.
    #[arg(name = "_diff_limit")]
    diff_limit: Option<u64>,
    /// What the difference calls the new side.
    #[arg(name = "_after_header")]
    after_header: Option<String>,
    /// What the result calls the source.
    #[arg(name = "_source")]
    source: Option<String>,
}

impl Module for Copy {
    type Args = CopyArgs;
    const NAME: &'static str = "copy";
    const SUMMARY: &'static str = "Put files, folders or a given text on the host";
    const DIFF: Support = Support::Full;
    const EXAMPLES: &'static [&'static str] = &[
        "- copy:\n    src: nginx.conf\n    dest: /etc/nginx/nginx.conf\n    owner: root\n    mode: '0644'\n    validate: nginx -t -c %s\n",
        "- copy:\n    content: \"{{ release }}\\n\"\n    dest: /srv/app/RELEASE\n",
    ];

    fn run(mut args: CopyArgs, host: &mut Host) -> Result<Outcome> {
        if !args.remote_src {
            return from_controller(&args, host);
        }
        args.dest = in_folder(&args.dest);
        let src = args.src.clone().ok_or_else(|| Failure::new("src (or content) is required"))?;
        let source = host.absolute(&src);
        let metadata = source.metadata().map_err(|_| Failure::new(format!("Source {} not found", src.display())))?;
        if rustix::fs::access(&source, rustix::fs::Access::READ_OK).is_err() {
            return Err(Failure::new(format!("Source {} not readable", src.display())));
        }
        if metadata.is_dir() { tree(&args, host, &source) } else { from_host(&args, host, &source) }
    }
}

/// A content that came with the request.
fn from_controller(args: &CopyArgs, host: &mut Host) -> Result<Outcome> {
    let index = args.content_index.ok_or_else(|| Failure::new("src (or content) is required"))? as usize;
    let sum = args.content_checksum.clone().ok_or_else(|| Failure::new("the request has a content without a checksum"))?;
    let is_content = args.original_basename.is_none();
    let named_folder = ends_with_slash(&args.dest);
    let mut dest = args.dest.clone();
    let is_folder = host.absolute(&dest).is_dir();
    if is_content && (is_folder || named_folder) {
        return Err(Failure::new("can not use content with a dir as dest"));
    }
    if named_folder || is_folder {
        make_parents(args, host, &dest, named_folder)?;
        dest.push(args.original_basename.as_deref().unwrap_or_default());
    }
    let target = Target::of(args, host, &dest)?;
    let header = args.after_header.clone().unwrap_or_else(|| paths::shown(&args.dest));
    let mut plan = Plan { args, dest: &dest, target, sum: sum.clone(), header, mode: args.common.mode.clone() };
    let named = |outcome: Outcome| match &args.source {
        Some(source) => outcome.with("src", source.as_str()),
        None => outcome,
    };
    if plan.target.exists && !args.force {
        host.tell_no_path_info();
        return Ok(named(host.outcome().with("dest", paths::shown(&dest))));
    }
    let told = |failure: Failure| match args.content_md5 {
        Some(_) => failure,
        None => failure.with("checksum", sum.as_str()).with("diff", Json::Array(Vec::new())),
    };
    if plan.target.checksum.as_deref() == Some(sum.as_str()) {
        return plan.attributes_only(host).map(|outcome| named_in_full(args, &dest, outcome)).map_err(told);
    }
    let replaced = plan.replace(host, &mut |host| {
        let reader = host.contents().open(index).context("could not get the content")?;
        Ok(reader)
    });
    let outcome = replaced.map_err(told)?;
    let outcome = named_in_full(args, &dest, outcome);
    Ok(if host.is_checking() { outcome } else { named(outcome).with("dest", paths::shown(&in_folder(&dest))) })
}

/// A path as results name it: what is in the working folder begins with `./`, unless it ends with a slash.
fn in_folder(path: &Path) -> PathBuf {
    let is_bare = path.parent().is_some_and(|parent| parent.as_os_str().is_empty());
    if is_bare && !ends_with_slash(path) { Path::new(".").join(path) } else { path.to_owned() }
}

/// All that is known of the content, where the action asks for it.
fn named_in_full(args: &CopyArgs, dest: &Path, mut outcome: Outcome) -> Outcome {
    let Some(md5) = &args.content_md5 else { return outcome };
    outcome.remove("path");
    outcome = without_empty_diff(outcome).with("dest", paths::shown(dest)).with("md5sum", md5.as_str());
    for (key, value) in [("checksum", &args.content_checksum), ("src", &args.source)] {
        outcome.set(key, value.as_deref());
    }
    outcome
}

/// A file that is on the host.
fn from_host(args: &CopyArgs, host: &mut Host, source: &Path) -> Result<Outcome> {
    let sum = checksum::of_file(Algorithm::Sha1, source).context(format_args!("could not read `{}`", source.display()))?;
    let md5 = checksum::of_file(Algorithm::Md5, source).context(format_args!("could not read `{}`", source.display()))?;
    if let Some(expected) = args.checksum.as_ref().filter(|expected| **expected != sum) {
        return Err(wrong_checksum(&sum, expected));
    }
    if let Some(foretold) = folder_to_come(args, host)? {
        return Ok(foretold);
    }
    let mut dest = args.dest.clone();
    let named_folder = ends_with_slash(&dest);
    if named_folder || host.absolute(&dest).is_dir() {
        make_parents(args, host, &dest, named_folder)?;
        dest.push(source.file_name().unwrap_or_default());
    }
    let target = Target::of(args, host, &dest)?;
    let preserved = args.common.mode.as_ref().and_then(Json::as_str) == Some("preserve");
    let kept = if preserved { Some(Json::from(mode::shown(source.metadata()?.mode()))) } else { args.common.mode.clone() };
    let header = paths::shown(&dest);
    let mut plan = Plan { args, dest: &dest, target, sum: sum.clone(), header, mode: kept };
    let finish = |outcome: Outcome| {
        outcome.with("dest", paths::shown(&dest)).with("src", shown_src(args)).with("checksum", sum.as_str()).with("md5sum", md5.as_str())
    };
    if plan.target.exists && !args.force {
        return Ok(host.outcome().with("dest", paths::shown(&dest)).with("src", shown_src(args)).with("msg", "file already exists"));
    }
    if plan.target.checksum.as_deref() == Some(sum.as_str()) {
        let mut outcome = plan.attributes_only(host)?;
        outcome.remove("path");
        return Ok(finish(without_empty_diff(outcome)));
    }
    let outcome = plan.replace(host, &mut |_| {
        let file = File::open(source).context(format_args!("could not read `{}`", source.display()))?;
        Ok(Box::new(file))
    })?;
    Ok(finish(without_empty_diff(outcome)))
}

fn without_empty_diff(mut outcome: Outcome) -> Outcome {
    if outcome.get("diff").and_then(Json::as_array).is_some_and(Vec::is_empty) {
        outcome.remove("diff");
    }
    outcome
}

fn wrong_checksum(found: &str, expected: &str) -> Failure {
    let failure = Failure::new("Copied file does not match the expected checksum. Transfer failed.");
    failure.with("checksum", found).with("expected_checksum", expected)
}

/// What stands where the copy goes.
struct Target {
    /// The path itself: a symlink is resolved only with `follow`.
    path: PathBuf,
    exists: bool,
    /// Of a regular file that can be read.
    checksum: Option<String>,
    version: Version,
}

impl Target {
    fn of(args: &CopyArgs, host: &Host, dest: &Path) -> Result<Self> {
        let mut path = host.absolute(dest);
        if args.follow && path.is_symlink() {
            path = paths::real_path(&path);
        }
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                let why = crate::outcome::errno_text(&error);
                let why = why.split_once("] ").map_or(why.as_str(), |(_, why)| why);
                return Err(Failure::new(format!("Failed to get information on remote file ({}): {why}", dest.display())));
            }
        };
        let version = Version::of(&path)?;
        let checksum = match &metadata {
            Some(metadata) if metadata.is_file() => {
                Some(checksum::of_file(Algorithm::Sha1, &path).context(format_args!("could not read `{}`", path.display()))?)
            }
            _ => None,
        };
        Ok(Self { path, exists: metadata.is_some(), checksum, version })
    }
}

/// One file that gets a content.
struct Plan<'a> {
    args: &'a CopyArgs,
    dest: &'a Path,
    target: Target,
    sum: String,
    header: String,
    mode: Option<Json>,
}

type Open<'a> = dyn for<'h> FnMut(&'h mut Host) -> Result<Box<dyn Read + 'h>> + 'a;

impl Plan<'_> {
    fn common(&self) -> FileCommon {
        FileCommon { mode: self.mode.clone(), ..self.args.common.clone() }
    }

    /// The content is right: owner and permissions may not be.
    fn attributes_only(&mut self, host: &mut Host) -> Result<Outcome> {
        let mut diff = FileDiff::of(&self.target.path);
        let followed = paths::real_path(&self.target.path);
        self.common().apply(host, if self.args.follow { &followed } else { &self.target.path }, &mut diff)?;
        let shown = paths::shown(self.dest);
        let mut outcome = host.outcome().with("path", shown.as_str()).with("dest", shown).with("checksum", self.sum.as_str());
        let shown = if host.shows_diff() { diff.into_json() } else { Json::Array(Vec::new()) };
        outcome.set("diff", shown);
        Ok(outcome)
    }

    /// Puts the content in its place.
    fn replace(&mut self, host: &mut Host, open: &mut Open<'_>) -> Result<Outcome> {
        let path = self.target.path.clone();
        if path.is_dir() && !path.is_symlink() {
            return Err(Failure::new(format!("the destination `{}` is a directory", path.display())));
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        if (self.args.remote_src || !host.is_checking()) && !parent.is_dir() {
            let parent = self.dest.parent().unwrap_or(parent);
            return Err(Failure::new(format!("Destination directory {} does not exist", parent.display())));
        }
        let writable = rustix::fs::access(parent, rustix::fs::Access::WRITE_OK).is_ok() || self.args.common.unsafe_writes;
        if parent.is_dir() && !writable {
            return Err(Failure::new(format!("Destination {} not writable", parent.display())));
        }
        if let Some(line) = self.args.validate.as_ref().filter(|line| !line.contains("%s")) {
            return Err(Failure::new(format!("validate must contain %s: {line}")));
        }
        let common = self.common();
        // An owner or mode that is none fails as in Ansible, when the content is in its place: see the end.
        let (uid, gid) = (common.uid().ok().flatten(), common.gid().ok().flatten());
        let old = path.symlink_metadata().ok().filter(fs::Metadata::is_file);
        let now = old.as_ref().map_or_else(|| mode::masked(0o666), |old| old.mode() & 0o7777);
        let mode = common.mode.as_ref().and_then(|written| mode::resolve(written, now, false).ok());
        let limit = self.diff_limit();
        let before = if host.shows_diff() { Some(Side::read(&path, limit)) } else { None };
        let change = Change::of("file", paths::shown(&path)).from_to(
            self.target.checksum.as_deref().map_or_else(|| "absent".to_owned(), |sum| format!("sha1:{sum}")),
            format!("sha1:{}", self.sum),
        );
        if host.is_checking() {
            let after = if before.is_some() { Some(Side::from_reader(&mut open(host)?, limit)?) } else { None };
            host.change(change, |_| Ok(()))?;
            return Ok(host.outcome().with("diff", self.diff(before, after)));
        }
        if let Some(expected) = self.args.checksum.as_ref().filter(|expected| **expected != self.sum) {
            return Err(wrong_checksum(&self.sum, expected));
        }
        let staged = {
            let stage = |door: &Door, reader: &mut dyn Read| door.stage(&path, reader, self.args.common.unsafe_writes);
            host.stage_with(open, stage)?
        };
        let sum = checksum::of_file(Algorithm::Sha1, staged.temp_path())?;
        if sum != self.sum {
            return Err(wrong_checksum(&sum, &self.sum));
        }
        let md5 = checksum::of_file(Algorithm::Md5, staged.temp_path())?;
        let after = before.is_some().then(|| Side::read(staged.temp_path(), limit));
        let write = Write { mode, uid, gid, unsafe_writes: common.unsafe_writes, expected: Some(self.target.version) };
        let mut backup = None;
        host.change(change, |door| {
            if let Some(line) = &self.args.validate {
                validate(door, line, staged.temp_path())?;
            }
            if self.args.backup && old.is_some() {
                backup = door.backup(&path)?;
            }
            staged.commit(write)
        })?;
        common.apply(host, &path, &mut FileDiff::default())?;
        let mut outcome = host
            .outcome()
            .with("diff", self.diff(before, after))
            .with("dest", paths::shown(self.dest))
            .with("md5sum", md5)
            .with("checksum", self.sum.as_str());
        if let Some(backup) = backup {
            let written = self.dest.with_file_name(backup.file_name().unwrap_or_default());
            let is_same = host.absolute(&written) == backup;
            outcome.set("backup_file", paths::shown(&if is_same { in_folder(&written) } else { backup }));
        }
        Ok(outcome)
    }

    fn diff_limit(&self) -> u64 {
        self.args.diff_limit.unwrap_or(DIFF_LIMIT)
    }

    /// Ansible's list of one difference; empty where none is asked for.
    fn diff(&self, before: Option<Side>, after: Option<Side>) -> Json {
        let (Some(before), Some(after)) = (before, after) else { return Json::Array(Vec::new()) };
        let limit = self.diff_limit();
        let mut diff = JsonMap::new();
        match before {
            Side::Absent => {
                diff.insert("before".to_owned(), "".into());
            }
            Side::Binary => {
                diff.insert("dst_binary".to_owned(), 1.into());
            }
            Side::Large => {
                diff.insert("dst_larger".to_owned(), limit.into());
            }
            Side::Text(text) => {
                diff.insert("before_header".to_owned(), paths::shown(self.dest).into());
                diff.insert("before".to_owned(), text.into());
            }
        }
        match after {
            Side::Absent => {}
            Side::Binary => {
                diff.insert("src_binary".to_owned(), 1.into());
            }
            Side::Large => {
                diff.insert("src_larger".to_owned(), limit.into());
            }
            Side::Text(text) => {
                diff.insert("after_header".to_owned(), self.header.as_str().into());
                diff.insert("after".to_owned(), text.into());
            }
        }
        Json::Array(vec![Json::Object(diff)])
    }
}

/// One side of a difference.
enum Side {
    Absent,
    Binary,
    Large,
    Text(String),
}

impl Side {
    fn read(path: &Path, limit: u64) -> Self {
        match File::open(path) {
            Ok(mut file) if path.is_file() => Self::from_reader(&mut file, limit).unwrap_or(Self::Absent),
            _ => Self::Absent,
        }
    }

    fn from_reader(reader: &mut dyn Read, limit: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Ok(Self::Large);
        }
        if bytes.contains(&0) {
            return Ok(Self::Binary);
        }
        Ok(Self::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn validate(door: &Door, line: &str, path: &Path) -> Result<()> {
    let output = door.validate(line, path)?;
    if output.succeeded() {
        return Ok(());
    }
    let failure = Failure::new("failed to validate");
    Err(failure.with("exit_status", output.rc()).with("stdout", output.stdout()).with("stderr", output.stderr()))
}

/// What Ansible foretells of a copy on the host into a named folder that is not there yet.
fn folder_to_come(args: &CopyArgs, host: &mut Host) -> Result<Option<Outcome>> {
    let folder = host.absolute(&args.dest);
    if !host.is_checking() || !ends_with_slash(&args.dest) || folder.is_dir() {
        return Ok(None);
    }
    let shown = paths::shown(&args.dest);
    let shown = shown.trim_end_matches('/');
    host.change(Change::of("file", shown).from_to("absent", "directory"), |_| Ok(()))?;
    let outcome = host.outcome().with("src", shown_src(args));
    Ok(Some(outcome.with("msg", format!("dest directory {shown} would be created"))))
}

/// The folders that a `dest` with a `/` at its end names.
fn make_parents(args: &CopyArgs, host: &mut Host, dest: &Path, named_folder: bool) -> Result<()> {
    let folder = host.absolute(dest);
    if !named_folder || folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| folder.symlink_metadata().is_err()).collect();
    for folder in missing.into_iter().rev() {
        let change = Change::of("file", paths::shown(folder)).from_to("absent", "directory");
        host.change(change, |door| door.create_dir(folder))?;
        let common = FileCommon { mode: args.directory_mode.clone(), ..args.common.clone() };
        common.apply(host, folder, &mut FileDiff::default())?;
    }
    Ok(())
}

/// A folder that is on the host, with all that is in it.
fn tree(args: &CopyArgs, host: &mut Host, source: &Path) -> Result<Outcome> {
    let contents_only = args.src.as_deref().is_some_and(ends_with_slash);
    let dest = host.absolute(&args.dest);
    let there = dest.is_dir();
    if !there && dest.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("cannot copy the folder {} over the file {}", source.display(), dest.display())));
    }
    let parent = dest.parent().unwrap_or(Path::new("/"));
    if !there && !ends_with_slash(&args.dest) && !parent.is_dir() {
        return Err(Failure::new(format!("Destination directory {} does not exist", parent.display())));
    }
    let top = if contents_only { dest.clone() } else { dest.join(source.file_name().unwrap_or_default()) };
    if top.starts_with(source) {
        return Err(Failure::new(format!("cannot copy {} into itself, {}", source.display(), top.display())));
    }
    if let Some(foretold) = folder_to_come(args, host)? {
        return Ok(foretold);
    }
    let mut walk = Walk { args, follow: args.local_follow == Some(true), missed: Vec::new() };
    for folder in [&dest, &top] {
        walk.folder(host, source, folder)?;
    }
    walk.copy(host, source, &top)?;
    if !walk.missed.is_empty() {
        return Err(Failure::raised(format!("[{}]", walk.missed.join(", "))));
    }
    let mode = args.directory_mode.clone().or_else(|| args.common.mode.clone().filter(|mode| mode.as_str() != Some("preserve")));
    let common = FileCommon { mode, ..args.common.clone() };
    common.apply(host, &top, &mut FileDiff::default())?;
    // A folder that is there is joined with the source's name, which is empty after a slash.
    let shown = match (there || ends_with_slash(&args.dest), contents_only) {
        (true, false) => args.dest.join(source.file_name().unwrap_or_default()),
        (true, true) => args.dest.join(""),
        (false, _) => args.dest.clone(),
    };
    let outcome = host.outcome().with("dest", paths::shown(&shown)).with("src", shown_src(args));
    Ok(outcome.with("checksum", Json::Null).with("md5sum", Json::Null))
}

/// A walk over a folder that is copied.
struct Walk<'a> {
    args: &'a CopyArgs,
    /// Whether symlinks are copied as what they lead to.
    follow: bool,
    /// Dead symlinks that were to be followed, as Python shows them: the rest is copied all the same.
    missed: Vec<String>,
}

impl Walk<'_> {
    fn copy(&mut self, host: &mut Host, from: &Path, to: &Path) -> Result<()> {
        let mut names: Vec<_> = fs::read_dir(from)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
        names.sort();
        for name in names {
            if host.is_cancelled() {
                return Err(Failure::new("the task was cancelled"));
            }
            let (from, to) = (from.join(&name), to.join(&name));
            let metadata = match if self.follow { from.metadata() } else { from.symlink_metadata() } {
                Ok(metadata) => metadata,
                Err(error) if self.follow => {
                    let (shown, why) = (from.display(), crate::outcome::errno_text(&error));
                    self.missed.push(format!("(b'{shown}', b'{}', \"{why}: b'{shown}'\")", to.display()));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if metadata.is_dir() {
                self.folder(host, &from, &to)?;
                self.copy(host, &from, &to)?;
            } else if metadata.is_symlink() {
                self.link(host, &from, &to)?;
            } else if metadata.is_file() {
                self.file(host, &from, &to)?;
            }
            self.own(host, &to)?;
        }
        Ok(())
    }

    fn folder(&self, host: &mut Host, from: &Path, to: &Path) -> Result<()> {
        if to.is_dir() {
            return Ok(());
        }
        let mode = from.metadata()?.mode() & 0o7777;
        let change = Change::of("file", paths::shown(to)).from_to("absent", "directory");
        host.change(change, |door| {
            door.create_dir(to)?;
            door.set_mode(to, mode)
        })?;
        self.own(host, to)
    }

    fn link(&self, host: &mut Host, from: &Path, to: &Path) -> Result<()> {
        let target = from.read_link()?;
        if to.read_link().is_ok_and(|now| now == target) {
            return Ok(());
        }
        let change = Change::of("file", paths::shown(to)).from_to("other", format!("link to {}", target.display()));
        host.change(change, |door| door.replace_with_symlink(&target, to))?;
        Ok(())
    }

    fn file(&self, host: &mut Host, from: &Path, to: &Path) -> Result<()> {
        let sum = |path: &Path| checksum::of_file(Algorithm::Sha1, path);
        let wanted = sum(from).context(format_args!("could not read `{}`", from.display()))?;
        let now = if to.is_file() { Some(sum(to)?) } else { None };
        if now.as_ref() == Some(&wanted) || (now.is_some() && !self.args.force) {
            return Ok(());
        }
        let before = now.map_or_else(|| "absent".to_owned(), |sum| format!("sha1:{sum}"));
        let change = Change::of("file", paths::shown(to)).from_to(before, format!("sha1:{wanted}"));
        let mode = from.metadata()?.mode() & 0o7777;
        host.change(change, |door| {
            let mut source = File::open(from).context(format_args!("could not read `{}`", from.display()))?;
            door.write_from(to, &mut source, Write { mode: Some(mode), ..Write::default() })
        })?;
        Ok(())
    }

    /// Owner and group go to everything, permissions only to the top: as in Ansible.
    fn own(&self, host: &mut Host, path: &Path) -> Result<()> {
        let common = FileCommon { mode: None, ..self.args.common.clone() };
        common.apply(host, path, &mut FileDiff::default())?;
        Ok(())
    }
}

fn shown_src(args: &CopyArgs) -> Json {
    args.src.as_deref().map_or(Json::Null, |src| paths::shown(src).into())
}

fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

#[cfg(test)]
mod tests {
    use crate::host::checksum::{Algorithm, of_bytes};
    use crate::laws::{Law, Mode};
    use crate::{Json, Outcome};
    use serde_json::json;

    fn law(content: &str) -> Law {
        Law::of("copy").with_contents(&[content.as_bytes()])
    }

    fn args(content: &str, mut more: Json) -> Json {
        more["_content"] = json!(0);
        more["_checksum"] = json!(of_bytes(Algorithm::Sha1, content.as_bytes()));
        more
    }

    fn value<'a>(outcome: &'a Outcome, key: &str) -> &'a Json {
        outcome.get(key).unwrap_or(&Json::Null)
    }

    #[test]
    fn a_content_goes_where_it_is_missing_or_differs() {
        let law = law("hello\n");
        let ran = law.converges(args("hello\n", json!({"dest": law.path("f"), "mode": "0600"})), &[("file", "…/f")]);
        assert_eq!(value(&ran.outcome, "checksum"), "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert_eq!(value(&ran.outcome, "md5sum"), "b1946ac92492d2347c6235b4d2611184");
        assert_eq!((value(&ran.outcome, "mode"), value(&ran.outcome, "state")), (&json!("0600"), &json!("file")));
        assert_eq!((law.read("f").as_str(), law.mode("f")), ("hello\n", 0o600));
        law.write("f", "other");
        law.converges(args("hello\n", json!({"dest": law.path("f")})), &[("file", "…/f")]);
        assert_eq!(law.mode("f"), 0o600);
        let unchanged = law.unchanged(args("hello\n", json!({"dest": law.path("f")})));
        assert_eq!(value(&unchanged, "path"), &json!(law.path("f")));
        law.converges(args("hello\n", json!({"dest": law.path("f"), "mode": "0644"})), &[("file", "…/f")]);
    }

    #[test]
    fn a_file_keeps_its_name_in_a_folder() {
        let law = law("x");
        law.mkdir("d");
        let named = |dest: String| args("x", json!({"dest": dest, "_original_basename": "a.txt", "directory_mode": "0711"}));
        law.converges(named(law.path("d")), &[("file", "…/d/a.txt")]);
        law.run(named(law.path("new/x/")), Mode::Real);
        assert_eq!((law.read("new/x/a.txt").as_str(), law.mode("new/x")), ("x", 0o711));
        law.fails(named(law.path("none/x")), "Destination directory");
        law.fails(args("x", json!({"dest": law.path("d")})), "can not use content with a dir as dest");
    }

    #[test]
    fn the_old_file_is_kept_and_the_new_one_looked_at() {
        let law = law("new");
        law.write("f", "old");
        let refused = law.fails(args("new", json!({"dest": law.path("f"), "validate": "grep -q old %s"})), "failed to validate");
        assert_eq!(value(&refused, "exit_status"), 1);
        assert_eq!(law.read("f"), "old");
        law.fails(args("new", json!({"dest": law.path("f"), "validate": "true"})), "validate must contain %s: true");
        let ran = law.run(args("new", json!({"dest": law.path("f"), "validate": "grep -q new %s", "backup": true})), Mode::Real);
        let backup = value(&ran.outcome, "backup_file").as_str().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(backup).unwrap(), "old");
    }

    #[test]
    fn a_symlink_is_replaced_or_followed() {
        let law = law("new");
        law.write("f", "old");
        law.symlink("f", "l");
        law.run(args("new", json!({"dest": law.path("l"), "follow": true})), Mode::Real);
        assert_eq!(law.read("f"), "new");
        law.write("f", "old");
        law.run(args("new", json!({"dest": law.path("l")})), Mode::Real);
        assert_eq!((law.read("f").as_str(), law.read("l").as_str()), ("old", "new"));
    }

    #[test]
    fn without_force_only_what_is_missing_is_made() {
        let law = law("new");
        law.write("f", "old");
        law.unchanged(args("new", json!({"dest": law.path("f"), "force": false})));
        law.converges(args("new", json!({"dest": law.path("g"), "force": false})), &[("file", "…/g")]);
    }

    #[test]
    fn the_diff_shows_texts_and_only_names_the_rest() {
        let law = law("new\n");
        law.write("f", "old\n");
        let task = args("new\n", json!({"dest": law.path("f"), "_after_header": "/src/a"}));
        let expected = json!([{"before_header": law.path("f"), "before": "old\n", "after_header": "/src/a", "after": "new\n"}]);
        assert_eq!(value(&law.run(task.clone(), Mode::Check).outcome, "diff"), &expected);
        assert_eq!(value(&law.run(task.clone(), Mode::RealDiff).outcome, "diff"), &expected);
        law.write("f", "a\0b");
        assert_eq!(value(&law.run(task, Mode::Check).outcome, "diff")[0]["dst_binary"], 1);
    }

    #[test]
    fn a_transfer_that_went_wrong_changes_nothing() {
        let law = law("tampered");
        law.fails(args("wanted", json!({"dest": law.path("f")})), "does not match the expected checksum");
        assert!(!law.folder().join("f").exists());
    }

    #[test]
    fn a_file_on_the_host_is_copied() {
        let law = Law::of("copy");
        law.write("f", "x");
        law.chmod("f", 0o604);
        let remote = |dest: String, mut more: Json| {
            more["src"] = json!(law.path("f"));
            more["dest"] = json!(dest);
            more["remote_src"] = json!(true);
            more
        };
        let ran = law.converges(remote(law.path("g"), json!({})), &[("file", "…/g")]);
        assert_eq!(value(&ran.outcome, "src"), &json!(law.path("f")));
        law.converges(remote(law.path("h"), json!({"mode": "preserve"})), &[("file", "…/h")]);
        assert_eq!(law.mode("h"), 0o604);
        law.fails(json!({"src": "/none", "dest": "/x", "remote_src": true}), "Source /none not found");
        law.fails(remote(law.path("i"), json!({"checksum": "0000"})), "does not match the expected checksum");
    }

    #[test]
    fn a_folder_on_the_host_is_copied() {
        let law = Law::of("copy");
        law.write("s/a", "a");
        law.write("s/sub/b", "b");
        law.symlink("a", "s/l");
        law.chmod("s/a", 0o600);
        let task = json!({"src": law.path("s/"), "dest": law.path("d"), "remote_src": true});
        let changes = [("file", "…/d"), ("file", "…/d/a"), ("file", "…/d/l"), ("file", "…/d/sub"), ("file", "…/d/sub/b")];
        law.converges(task, &changes);
        assert_eq!((law.mode("d/a"), law.read("d/l").as_str()), (0o600, "a"));
        law.run(json!({"src": law.path("s"), "dest": law.path("e"), "remote_src": true}), Mode::Real);
        assert_eq!(law.read("e/s/sub/b"), "b");
    }
}

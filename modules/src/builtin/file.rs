//! `file`: files, folders and links, what they are and whose they are. Contents are not its business (`copy`, `template`).

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use driftless_macros::{Args, Choice};
use jiff::civil::DateTime;
use rustix::fs::{Timespec, UTIME_NOW};

use super::stat::seconds;
use crate::host::{Change, FileCommon, FileDiff, attributes, identity, path as paths, time};
use crate::spec::Support;
use crate::{Failure, Host, Json, JsonMap, Module, Outcome, Result};

/// The module.
pub struct File;

/// Its options.
#[derive(Args)]
pub struct FileArgs {
    /// The file, folder or link.
    #[arg(required, alias = "dest", alias = "name")]
    path: PathBuf,
    /// What is to be there: a file that exists (`file`), a folder with those above it, a symlink, a second name (`hard`), an empty file
    /// or a new time (`touch`), or nothing, whatever was in it (`absent`). Without it, what is there keeps its kind.
    state: Option<State>,
    /// What a link leads to.
    src: Option<PathBuf>,
    /// Whether the options hold for all that is in a folder.
    #[arg(default = false)]
    recurse: bool,
    /// Whether it is only said how the file is, and whether it holds text.
    #[arg(name = "_diff_peek", default = false)]
    diff_peek: bool,
    /// Whether a link may lead nowhere, or take the place of a file or an empty folder.
    #[arg(default = false)]
    force: bool,
    /// Whether owner, permissions and times are those of what a symlink leads to.
    #[arg(default = true)]
    follow: bool,
    /// The time of the last change: `preserve`, `now`, or a time in `modification_time_format`.
    modification_time: Option<String>,
    /// How `modification_time` is written, as for `strftime`.
    #[arg(default = "%Y%m%d%H%M.%S")]
    modification_time_format: String,
    /// The time of the last reading: `preserve`, `now`, or a time in `access_time_format`.
    access_time: Option<String>,
    /// How `access_time` is written, as for `strftime`.
    #[arg(default = "%Y%m%d%H%M.%S")]
    access_time_format: String,
    /// Owner, permissions and the like.
    #[arg(flatten)]
    common: FileCommon,
}

/// What is to be there.
#[derive(Choice, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Directory,
    File,
    Hard,
    Link,
    Touch,
}

impl Module for File {
    type Args = FileArgs;
    const NAME: &'static str = "file";
    const SUMMARY: &'static str = "Make, remove or link files and folders, and set who may do what with them";
    const DIFF: Support = Support::Partial;
    const EXAMPLES: &'static [&'static str] = &[
        "- file:\n    path: /srv/app/secrets.ini\n    owner: app\n    mode: u=rw,go=\n",
        "- file:\n    src: releases/42\n    dest: /srv/app/current\n    state: link\n",
        "- file:\n    path: /srv/app/uploads\n    state: directory\n    owner: app\n",
    ];

    fn run(args: FileArgs, host: &mut Host) -> Result<Outcome> {
        if args.diff_peek {
            let path = host.absolute(&args.path);
            let start = std::fs::read(&path).unwrap_or_default();
            let is_binary = start.iter().take(8192).any(|byte| *byte == 0);
            return Ok(host.outcome().with("path", paths::shown(&path)).with("appears_binary", is_binary));
        }
        Task::new(args, host)?.run()
    }
}

/// What is there now: Ansible's words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Absent,
    Directory,
    File,
    Hard,
    Link,
}

impl Found {
    fn at(path: &Path) -> Result<Self> {
        match path.symlink_metadata() {
            Ok(metadata) => Ok(match attributes::state(&metadata) {
                "link" => Self::Link,
                "directory" => Self::Directory,
                "hard" => Self::Hard,
                _ => Self::File,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::Absent),
            Err(error) => Err(Failure::raised(format!("{}: b'{}'", crate::outcome::errno_text(&error), path.display()))),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Directory => "directory",
            Self::File => "file",
            Self::Hard => "hard",
            Self::Link => "link",
        }
    }
}

/// A time to set.
#[derive(Clone, Copy)]
enum Moment {
    Preserve,
    Now,
    At(Timespec),
}

/// One run.
struct Task<'a> {
    args: FileArgs,
    state: State,
    /// As the result names it.
    path: PathBuf,
    found: Found,
    modification: Moment,
    access: Moment,
    host: &'a mut Host,
}

impl<'a> Task<'a> {
    fn new(args: FileArgs, host: &'a mut Host) -> Result<Self> {
        let mut path = args.path.clone();
        let mut found = look(host, &path)?;
        let state = args.state.unwrap_or(match found {
            Found::Absent if args.recurse => State::Directory,
            Found::Absent | Found::File => State::File,
            Found::Directory => State::Directory,
            Found::Hard => State::Hard,
            Found::Link => State::Link,
        });
        if !matches!(state, State::Link | State::Absent)
            && let Some(name) = args.src.as_deref().and_then(Path::file_name)
            && host.absolute(&path).is_dir()
        {
            path.push(name);
            found = look(host, &path)?;
        }
        let refused = |message: &str, path: &Path| Err(Failure::new(message).with("path", paths::shown(path)));
        if args.recurse && state != State::Directory {
            return refused("recurse option requires state to be 'directory'", &path);
        }
        if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return refused("src option requires state to be 'link' or 'hard'", &path);
        }
        let default = if state == State::Touch { "now" } else { "preserve" };
        let zone = time::zone(host.environment());
        let moment = |text: &Option<String>, format: &str| Moment::parse(text.as_deref().unwrap_or(default), format, &zone);
        let modification = moment(&args.modification_time, &args.modification_time_format)?;
        let access = moment(&args.access_time, &args.access_time_format)?;
        Ok(Self { args, state, path, found, modification, access, host })
    }

    /// Names that nobody has yet are no mistake before the run that makes them.
    fn warn_of_owners(&mut self) {
        let named = |what: &str, name: &str| format!("failed to look up {what} {name}. Create {what} up to this point in real play");
        let numbered = |what: &str, kind: &str, id: u32| {
            format!("failed to look up {what} with {kind} {id}. Create {what} up to this point in real play")
        };
        if let Some(owner) = &self.args.common.owner {
            match owner.parse() {
                Ok(uid) if identity::user_by_id(uid).is_none() => self.host.warn(numbered("user", "uid", uid)),
                Err(_) if identity::user_by_name(owner).is_none() => self.host.warn(named("user", owner)),
                _ => {}
            }
        }
        if let Some(group) = &self.args.common.group {
            match group.parse() {
                Ok(gid) if identity::group_by_id(gid).is_none() => self.host.warn(numbered("group", "gid", gid)),
                Err(_) if identity::group_by_name(group).is_none() => self.host.warn(named("group", group)),
                _ => {}
            }
        }
    }

    fn run(mut self) -> Result<Outcome> {
        if self.host.is_checking() && self.state != State::Absent {
            self.warn_of_owners();
        }
        match self.state {
            State::File => self.file(),
            State::Directory => self.directory(),
            State::Link => self.link(),
            State::Hard => self.hard(),
            State::Touch => self.touch(),
            State::Absent => self.absent(),
        }
    }

    fn file(&mut self) -> Result<Outcome> {
        self.follow_link()?;
        match self.found {
            Found::File | Found::Hard => {}
            found => {
                let message = match found {
                    Found::Absent => format!("file ({}) is absent, cannot continue", self.path.display()),
                    other => format!("file ({}) is {}, cannot continue", self.path.display(), other.word()),
                };
                return Err(Failure::new(message).with("path", self.shown()).with("state", found.word()));
            }
        }
        let mut diff = FileDiff::of(&self.path);
        self.dress(&mut diff)?;
        Ok(self.outcome("path", diff))
    }

    fn directory(&mut self) -> Result<Outcome> {
        self.follow_link()?;
        let mut diff = FileDiff::of(&self.path);
        match self.found {
            Found::Absent => {
                note_state(&mut diff, Found::Absent, "directory");
                self.make_folders(&mut diff)?;
            }
            Found::Directory => {
                self.dress(&mut diff)?;
                if self.args.recurse {
                    let top = self.host.absolute(&self.path);
                    self.dress_tree(&top)?;
                }
            }
            other => {
                let message = format!("{} already exists as a {}", self.path.display(), other.word());
                return Err(Failure::new(message).with("path", self.shown()));
            }
        }
        Ok(self.outcome("path", diff))
    }

    /// Makes a folder and those above it; each new one gets the task's owner and permissions.
    fn make_folders(&mut self, diff: &mut FileDiff) -> Result<()> {
        let path = self.host.absolute(&self.path);
        let missing: Vec<PathBuf> = path.ancestors().take_while(|folder| folder.symlink_metadata().is_err()).map(Path::to_owned).collect();
        if let Some(blocked) = missing.last().and_then(|folder| folder.parent()).filter(|parent| !parent.is_dir()) {
            return Err(Failure::new(format!(
                "There was an issue creating {} as requested: [Errno 20] Not a directory",
                blocked.display()
            ))
            .with("path", self.shown()));
        }
        for folder in missing.iter().rev() {
            // `a/..` names a folder that is there by now.
            if folder.file_name().is_none() || folder.is_dir() {
                continue;
            }
            let change = Change::of("file", paths::shown(folder)).from_to("absent", "directory");
            self.host.change(change, |door| door.create_dir(folder)).map_err(|error| {
                let why = error.cause();
                Failure::new(format!("There was an issue creating {} as requested: {why}: b'{}'", folder.display(), self.path.display()))
                    .with("path", self.args.path.display().to_string())
            })?;
            let mut other = FileDiff::default();
            let last = *folder == path;
            let common = self.args.common.clone();
            common.apply(self.host, folder, if last { &mut *diff } else { &mut other })?;
            self.set_times(folder, if last { diff } else { &mut other })?;
        }
        Ok(())
    }

    /// The same attributes for all that is in a folder, symlinks among it; with `follow` also for what they lead to.
    fn dress_tree(&mut self, folder: &Path) -> Result<()> {
        let mut names: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        names.sort();
        for path in names {
            if self.host.is_cancelled() {
                return Err(Failure::new("the task was cancelled"));
            }
            let metadata = path.symlink_metadata()?;
            let mut diff = FileDiff::default();
            if metadata.is_symlink() {
                self.args.common.clone().apply(self.host, &path, &mut diff)?;
                self.set_times(&path, &mut diff)?;
                if self.args.follow
                    && let Ok(target) = path.canonicalize()
                {
                    self.args.common.clone().apply(self.host, &target, &mut diff)?;
                    if target.is_dir() && !folder.starts_with(&target) {
                        self.dress_tree(&target)?;
                    }
                }
                continue;
            }
            self.args.common.clone().apply(self.host, &path, &mut diff)?;
            self.set_times(&path, &mut diff)?;
            if metadata.is_dir() {
                self.dress_tree(&path)?;
            }
        }
        Ok(())
    }

    fn link(&mut self) -> Result<Outcome> {
        let path = self.host.absolute(&self.path);
        let src = match &self.args.src {
            Some(src) => Some(src.clone()),
            None if self.found == Found::Absent => return Err(Failure::new("src is required for creating new symlinks")),
            None if self.args.follow && path.exists() => {
                let wrong = |error| Failure::new(format!("{}: b'{}'", crate::outcome::errno_text(&error), path.display()));
                Some(path.read_link().map_err(wrong)?)
            }
            None => None,
        };
        let base = if self.found != Found::Link && path.is_dir() { path.as_path() } else { path.parent().unwrap_or(Path::new("/")) };
        let target = src.as_ref().map(|src| base.join(src));
        let refused = |message: String| Err(Failure::new(message).with("path", self.shown()));
        if let (Some(src), Some(target), false) = (&src, &target, self.args.force)
            && self.args.src.is_some()
            && !target.exists()
        {
            let message = format!("src file does not exist, use 'force=yes' if you really want to create the link: {}", target.display());
            return Err(Failure::new(message).with("path", self.shown()).with("src", paths::shown(src)));
        }
        match self.found {
            Found::Directory | Found::File | Found::Hard if !self.args.force => {
                return refused(format!("refusing to convert from {} to symlink for {}", self.found.word(), self.path.display()));
            }
            Found::Directory if !is_empty(&path)? => {
                return refused(format!("the directory {} is not empty, refusing to convert it", self.path.display()));
            }
            _ => {}
        }
        let mut diff = FileDiff::of(&self.path);
        if let Some(src) = &src {
            let before = if self.found == Found::Link { path.read_link().ok() } else { None };
            if before.as_ref() != Some(src) {
                match &before {
                    Some(before) => diff.note("src", paths::shown(before), paths::shown(src)),
                    None => note_state(&mut diff, self.found, "link"),
                }
                let was = before.as_deref().map_or_else(|| self.found.word().to_owned(), |before| format!("link to {}", before.display()));
                let change = Change::of("file", paths::shown(&path)).from_to(was, format!("link to {}", src.display()));
                let found = self.found;
                self.host
                    .change(change, |door| {
                        if found == Found::Directory {
                            door.replace_folder_with_symlink(src, &path)
                        } else {
                            door.replace_with_symlink(src, &path)
                        }
                    })
                    .map_err(|error| {
                        let why = format!("Error while linking: {}: b'{}' -> b'{}'", error.cause(), src.display(), self.path.display());
                        Failure::new(why).with("path", paths::shown(&self.path))
                    })?;
            }
        }
        let leads = path.parent().unwrap_or(Path::new("/"));
        if !self.args.follow || src.as_ref().is_some_and(|src| leads.join(src).exists()) {
            self.dress(&mut diff)?;
        } else {
            self.host.warn("Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.");
        }
        let src = src.map_or(Json::Null, |src| paths::shown(&src).into());
        Ok(self.outcome("dest", diff).with("src", src))
    }

    fn hard(&mut self) -> Result<Outcome> {
        let path = self.host.absolute(&self.path);
        let mut diff = FileDiff::of(&self.path);
        let Some(src) = self.args.src.clone() else {
            if self.found != Found::Hard {
                return Err(Failure::new("src is required for creating new hardlinks"));
            }
            self.dress(&mut diff)?;
            return Ok(self.outcome("dest", diff).with("src", Json::Null));
        };
        let refused = |message: &str| Err(Failure::new(message).with("dest", self.shown()).with("src", paths::shown(&src)));
        let source = self.host.absolute(&src);
        let Ok(from) = source.metadata() else { return refused("src does not exist") };
        let same = path.symlink_metadata().is_ok_and(|to| same_file(&from, &to));
        match self.found {
            _ if same => {}
            Found::File if !self.args.force => return refused("Cannot link, file exists at destination"),
            Found::Hard if !self.args.force => return refused("Cannot link, different hard link exists at destination"),
            Found::Directory => return refused("Cannot link: different hard link exists at destination"),
            Found::Absent | Found::File | Found::Hard | Found::Link => {
                note_state(&mut diff, self.found, "hard");
                let change =
                    Change::of("file", paths::shown(&path)).from_to(self.found.word(), format!("hard link to {}", source.display()));
                self.host.change(change, |door| door.replace_with_hard_link(&source, &path)).map_err(|error| {
                    let why = format!("Error while linking: {}: b'{}' -> b'{}'", error.cause(), src.display(), self.path.display());
                    Failure::new(why).with("path", paths::shown(&self.path))
                })?;
            }
        }
        self.dress(&mut diff)?;
        Ok(self.outcome("dest", diff).with("src", paths::shown(&src)))
    }

    fn touch(&mut self) -> Result<Outcome> {
        let path = self.host.absolute(&self.path);
        let mut diff = FileDiff::of(&self.path);
        if self.found == Found::Absent {
            let change = Change::of("file", paths::shown(&path)).from_to("absent", "file");
            let refused = |_| Failure::new("Error, could not touch target.").with("path", self.args.path.display().to_string());
            if self.host.change(change, |door| door.touch(&path)).map_err(refused)?.is_none() {
                return Ok(self.host.outcome().with("dest", self.shown()));
            }
        }
        note_state(&mut diff, self.found, "touch");
        if let Err(failure) = self.dress(&mut diff) {
            // What could not be made as wanted is not left behind.
            if self.found == Found::Absent {
                let change = Change::of("file", paths::shown(&path)).from_to("file", "absent");
                self.host.change(change, |door| door.remove_file(&path))?;
            }
            return Err(failure);
        }
        Ok(self.outcome("dest", diff))
    }

    fn absent(&mut self) -> Result<Outcome> {
        let path = self.host.absolute(&self.path);
        let mut diff = FileDiff::of(&self.path);
        if self.found != Found::Absent {
            note_state(&mut diff, self.found, "absent");
            if self.found == Found::Directory && self.host.shows_diff() {
                diff.before.insert("path_content".to_owned(), content_of(&path));
            }
            let change = Change::of("file", paths::shown(&path)).from_to(self.found.word(), "absent");
            let found = self.found;
            self.host
                .change(change, |door| if found == Found::Directory { door.remove_tree(&path) } else { door.remove_file(&path) })
                .map_err(|error| {
                    if found == Found::Directory {
                        return Failure::new(format!("rmtree failed: {}", error.cause()));
                    }
                    Failure::new("Unlinking failed.").with("path", paths::shown(&self.path))
                })?;
        }
        let changed = self.found != Found::Absent;
        let mut outcome = self.host.outcome().with("path", self.shown()).with("state", "absent");
        if self.host.shows_diff() && changed {
            outcome.set("diff", diff.into_json());
        }
        Ok(outcome)
    }

    /// With `follow`, a symlink stands for what it leads to.
    fn follow_link(&mut self) -> Result<()> {
        if self.args.follow && self.found == Found::Link {
            self.path = paths::real_path(&self.host.absolute(&self.path));
            self.found = Found::at(&self.path)?;
        }
        Ok(())
    }

    /// Owner, permissions and times of the path, or with `follow` of what it leads to.
    fn dress(&mut self, diff: &mut FileDiff) -> Result<()> {
        let mut path = self.host.absolute(&self.path);
        if self.args.follow && path.is_symlink() {
            path = paths::real_path(&path);
        }
        self.times_to_set(&path)?;
        self.args.common.clone().apply(self.host, &path, diff)?;
        self.set_times(&path, diff)
    }

    /// The times that are now, where others are to be: those of what a symlink leads to, whatever `follow` says, as in Ansible.
    fn times_to_set(&self, path: &Path) -> Result<Option<Metadata>> {
        let kept = matches!((self.modification, self.access), (Moment::Preserve, Moment::Preserve));
        let is_to_come = self.host.is_checking() && path.symlink_metadata().is_err() && self.found != Found::Link;
        if kept || is_to_come {
            return Ok(None);
        }
        path.metadata().map(Some).map_err(|error| {
            let why = crate::outcome::errno_text(&error);
            let shown = paths::shown(path);
            Failure::new(format!("Error while updating modification or access time: {why}: b'{shown}'")).with("path", shown)
        })
    }

    fn set_times(&mut self, path: &Path, diff: &mut FileDiff) -> Result<()> {
        let Some(now) = self.times_to_set(path)? else { return Ok(()) };
        let path = &if path.is_symlink() { paths::real_path(path) } else { path.to_owned() };
        let clock = now_timespec();
        let wanted = |moment: Moment, now: Timespec| match moment {
            Moment::Preserve => None,
            Moment::Now => Some(clock),
            Moment::At(time) => Some(time).filter(|time| *time != now),
        };
        let modified = Timespec { tv_sec: now.mtime(), tv_nsec: now.mtime_nsec() };
        let accessed = Timespec { tv_sec: now.atime(), tv_nsec: now.atime_nsec() };
        let (modification, access) = (wanted(self.modification, modified), wanted(self.access, accessed));
        if modification.is_none() && access.is_none() {
            return Ok(());
        }
        let float = |time: Timespec| seconds(time.tv_sec, time.tv_nsec);
        if let Some(time) = modification {
            diff.note("mtime", float(modified), float(time));
        }
        if let Some(time) = access {
            diff.note("atime", float(accessed), float(time));
        }
        let change = Change::of("file", paths::shown(path)).from_to("its times", "new times");
        // The clock's own time may be set by whoever may write a file, any other by its owner alone.
        let to_now = matches!((self.modification, self.access), (Moment::Now, Moment::Now));
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let (access, modification) = if to_now { (Some(now), Some(now)) } else { (access, modification) };
        self.host.change(change, |door| door.set_times(path, access, modification))?;
        Ok(())
    }

    fn shown(&self) -> String {
        paths::shown(&self.path)
    }

    fn outcome(&self, key: &str, diff: FileDiff) -> Outcome {
        let mut outcome = self.host.outcome().with(key, self.shown());
        if self.host.shows_diff() {
            outcome.set("diff", diff.into_json());
        }
        outcome
    }
}

impl Moment {
    fn parse(text: &str, format: &str, zone: &jiff::tz::TimeZone) -> Result<Self> {
        match text {
            "preserve" => return Ok(Self::Preserve),
            "now" => return Ok(Self::Now),
            _ => {}
        }
        let wrong = |why: String| Failure::new(format!("Error while obtaining timestamp for time {text} using format {format}: {why}"));
        let time = DateTime::strptime(format, text).map_err(|_| wrong(format!("time data '{text}' does not match format '{format}'")))?;
        let zoned = time.to_zoned(zone.clone()).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::At(Timespec { tv_sec: zoned.timestamp().as_second(), tv_nsec: 0 }))
    }
}

/// What is at a path; what may not be looked at counts as absent, with a warning.
fn look(host: &mut Host, path: &Path) -> Result<Found> {
    let absolute = host.absolute(path);
    if absolute.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
        host.warn(format!("Insufficient permissions to access {}. Treating as absent", path.display()));
        return Ok(Found::Absent);
    }
    Found::at(&absolute)
}

fn note_state(diff: &mut FileDiff, before: Found, after: &str) {
    if before.word() != after {
        diff.note("state", before.word(), after);
    }
}

fn now_timespec() -> Timespec {
    time::timespec(std::time::SystemTime::now()).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 })
}

fn same_file(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

fn is_empty(folder: &Path) -> Result<bool> {
    Ok(std::fs::read_dir(folder)?.next().is_none())
}

/// What a folder holds, for `--diff`.
fn content_of(folder: &Path) -> Json {
    fn look(folder: &Path, folders: &mut Vec<Json>, files: &mut Vec<Json>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut found: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        found.sort_by(|a, b| a.file_name().map(OsStr::to_owned).cmp(&b.file_name().map(OsStr::to_owned)));
        for path in found {
            if path.is_dir() && !path.is_symlink() {
                folders.push(paths::shown(&path).into());
                look(&path, folders, files);
            } else {
                files.push(paths::shown(&path).into());
            }
        }
    }
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    look(folder, &mut folders, &mut files);
    Json::Object(JsonMap::from_iter([("directories".to_owned(), folders.into()), ("files".to_owned(), files.into())]))
}

#[cfg(test)]
mod tests {
    use crate::laws::{Law, Mode};
    use serde_json::json;

    #[test]
    fn folders_are_made_with_those_above() {
        let law = Law::of("file");
        let ran = law.converges(
            json!({"path": law.path("a/b"), "state": "directory", "mode": "0711"}),
            &[("file", "…/a"), ("file", "…/a"), ("file", "…/a/b"), ("file", "…/a/b")],
        );
        assert_eq!(ran.outcome.get("mode"), Some(&json!("0711")));
        assert_eq!(law.mode("a"), 0o711);
    }

    #[test]
    fn permissions_are_set_also_through_a_link() {
        let law = Law::of("file");
        law.write("f", "x");
        law.symlink("f", "l");
        law.chmod("f", 0o644);
        let ran = law.converges(json!({"path": law.path("l"), "mode": "u=rw,go="}), &[("file", "…/f")]);
        assert_eq!(ran.outcome.get("dest"), Some(&json!(law.path("l"))));
        assert_eq!(ran.outcome.get("src"), Some(&json!("f")));
        assert_eq!(law.mode("f"), 0o600);
        law.unchanged(json!({"path": law.path("l"), "mode": "0644", "follow": false}));
    }

    #[test]
    fn links_are_made_and_turned() {
        let law = Law::of("file");
        law.write("f", "x");
        law.write("g", "x");
        let ran = law.converges(json!({"path": law.path("l"), "state": "link", "src": "f"}), &[("file", "…/l")]);
        assert_eq!(ran.outcome.get("state"), Some(&json!("link")));
        law.converges(json!({"path": law.path("l"), "state": "link", "src": "g"}), &[("file", "…/l")]);
        law.fails(json!({"path": law.path("l"), "state": "link", "src": "none"}), "src file does not exist");
        law.converges(json!({"path": law.path("l"), "state": "link", "src": "none", "force": true}), &[("file", "…/l")]);
        law.fails(json!({"path": law.path("f"), "state": "link", "src": "g"}), "refusing to convert from file to symlink");
        law.fails(json!({"path": law.path("new"), "state": "link"}), "src is required for creating new symlinks");
        law.mkdir("d");
        law.write("d/in", "");
        law.fails(json!({"path": law.path("d"), "state": "link", "src": law.path("g"), "force": true}), "is not empty");
    }

    #[test]
    fn second_names_are_made() {
        let law = Law::of("file");
        law.write("f", "x");
        law.write("g", "y");
        law.converges(json!({"path": law.path("h"), "state": "hard", "src": law.path("f")}), &[("file", "…/h")]);
        law.fails(json!({"path": law.path("g"), "state": "hard", "src": law.path("f")}), "Cannot link, file exists");
        law.converges(json!({"path": law.path("g"), "state": "hard", "src": law.path("f"), "force": true}), &[("file", "…/g")]);
        assert_eq!(law.read("g"), "x");
        law.fails(json!({"path": law.path("h2"), "state": "hard", "src": law.path("none")}), "src does not exist");
    }

    #[test]
    fn touching_sets_times() {
        let law = Law::of("file");
        let ran = law.run(json!({"path": law.path("t"), "state": "touch", "mode": "0604"}), Mode::Real);
        assert!(ran.outcome.changed());
        assert_eq!(law.mode("t"), 0o604);
        assert!(law.run(json!({"path": law.path("t"), "state": "touch"}), Mode::Real).outcome.changed());
        law.unchanged(json!({"path": law.path("t"), "state": "touch", "modification_time": "preserve", "access_time": "preserve"}));
        law.converges(json!({"path": law.path("t"), "modification_time": "202001020304.05"}), &[("file", "…/t")]);
        law.fails(json!({"path": law.path("t"), "modification_time": "xx"}), "time data 'xx' does not match format '%Y%m%d%H%M.%S'");
    }

    #[test]
    fn everything_in_a_folder_gets_the_permissions() {
        let law = Law::of("file");
        law.write("d/s/f", "x");
        law.chmod("d/s/f", 0o644);
        law.chmod("d/s", 0o755);
        law.chmod("d", 0o755);
        law.converges(
            json!({"path": law.path("d"), "state": "directory", "recurse": true, "mode": "u=rwX,g=rX,o="}),
            &[("file", "…/d"), ("file", "…/d/s"), ("file", "…/d/s/f")],
        );
        assert_eq!((law.mode("d/s"), law.mode("d/s/f")), (0o750, 0o640));
    }

    #[test]
    fn a_name_with_a_slash_at_its_end_is_a_folders() {
        let law = Law::of("file");
        law.write("f", "x");
        law.mkdir("empty");
        law.fails(json!({"path": law.path("l/"), "state": "link", "src": law.path("f")}), "Error while linking: [Errno 2]");
        law.fails(json!({"path": law.path("l/"), "state": "hard", "src": law.path("f")}), "Error while linking: [Errno 2]");
        law.fails(json!({"path": law.path("empty/"), "state": "link", "src": law.path("f"), "force": true}), "[Errno 2]");
        law.fails(json!({"path": law.path("l/"), "state": "touch"}), "could not touch target");
        assert!(law.folder().join("empty").is_dir() && !law.folder().join("l").exists());
    }

    #[test]
    fn times_are_those_of_what_a_link_leads_to() {
        let law = Law::of("file");
        law.symlink("loop", "loop");
        law.symlink("none", "dead");
        for mode in [Mode::Check, Mode::Real] {
            let said = |name: &str| law.run(json!({"path": law.path(name), "state": "touch"}), mode).outcome.get("msg").cloned();
            assert!(said("loop").unwrap().as_str().unwrap().contains("[Errno 40] Too many levels of symbolic links"));
            assert!(said("dead").unwrap().as_str().unwrap().contains("[Errno 2] No such file or directory"));
        }
        law.write("f", "x");
        law.symlink("f", "l");
        law.converges(json!({"path": law.path("l"), "follow": false, "modification_time": "202001020304.05"}), &[("file", "…/f")]);
    }

    #[test]
    fn flags_are_added_and_taken_once() {
        let law = Law::of("file");
        law.write("f", "x");
        if crate::host::attributes::file_flags(&law.folder().join("f")).is_none() {
            return;
        }
        for attributes in ["+d", "-d"] {
            let args = json!({"path": law.path("f"), "attributes": attributes});
            assert!(law.run(args.clone(), Mode::Real).outcome.changed());
            law.unchanged(args);
        }
        law.unchanged(json!({"path": law.path("f"), "attributes": ""}));
    }

    #[test]
    fn what_is_to_be_absent_is_removed_whole() {
        let law = Law::of("file");
        law.write("d/s/f", "x");
        let ran = law.converges(json!({"path": law.path("d"), "state": "absent"}), &[("file", "…/d")]);
        assert_eq!(ran.outcome.get("state"), Some(&json!("absent")));
        law.unchanged(json!({"path": law.path("d"), "state": "absent"}));
    }

    #[test]
    fn what_does_not_fit_is_said_in_ansibles_words() {
        let law = Law::of("file");
        law.write("f", "x");
        law.mkdir("d");
        law.fails(json!({"path": law.path("none")}), "is absent, cannot continue");
        law.fails(json!({"path": law.path("d"), "state": "file"}), "is directory, cannot continue");
        law.fails(json!({"path": law.path("f"), "state": "directory"}), "already exists as a file");
        law.fails(json!({"path": law.path("f"), "recurse": true}), "recurse option requires state to be 'directory'");
        law.fails(json!({"path": law.path("f"), "src": "x"}), "src option requires state to be 'link' or 'hard'");
        law.fails(json!({"path": law.path("f"), "mode": "zz"}), "mode must be in octal or symbolic form");
        law.fails(json!({"path": law.path("f"), "owner": "nosuchuser"}), "chown failed: failed to look up user nosuchuser");
        law.fails(json!({"path": law.path("f/x"), "state": "touch"}), "Not a directory");
    }

    #[test]
    fn the_diff_shows_both_sides() {
        let law = Law::of("file");
        law.write("f", "x");
        law.chmod("f", 0o644);
        let ran = law.run(json!({"path": law.path("f"), "mode": "0600"}), Mode::RealDiff);
        let path = law.path("f");
        let expected = json!({"before": {"path": path, "mode": "0644"}, "after": {"path": path, "mode": "0600"}});
        assert_eq!(ran.outcome.get("diff"), Some(&expected));
    }
}

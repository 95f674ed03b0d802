//! The effects themselves. A module gets a [`Door`] only inside [`Host::change`](super::Host::change), so none is made when checking.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, Uid, chmodat, chownat, linkat, mkdirat, openat,
    renameat, symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;

use super::command::Surroundings;
use super::path::{Place, place};
use super::{Command, Environment, Output, time, words};
use crate::outcome::Context;
use crate::{Failure, Result};

/// What may change the host.
pub struct Door<'a> {
    surroundings: &'a Surroundings,
    pub(super) environment: &'a Environment,
}

impl<'a> Door<'a> {
    pub(super) fn of(surroundings: &'a Surroundings) -> Self {
        Self { surroundings, environment: &surroundings.environment }
    }
}

impl Door<'_> {
    /// Runs a program that acts. An exit code other than 0 is not an error.
    pub fn run(&self, command: &Command) -> Result<Output> {
        command.run()
    }

    /// Runs the user's `validate` command line on a file; `%s` stands for its path.
    pub fn validate(&self, line: &str, path: &Path) -> Result<Output> {
        if !line.contains("%s") {
            return Err(Failure::new(format!("validate must contain %s: {line}")));
        }
        let words = words::split(&line.replace("%s", &path.to_string_lossy()))
            .map_err(|failure| Failure::new(format!("Invalid command syntax in run_command: {}", failure.message())))?;
        let (program, args) = words.split_first().ok_or_else(|| Failure::new(format!("validate must contain %s: {line}")))?;
        let expand = |word: &String| self.environment.expand_variables(&self.environment.expand_user(word));
        Command::new(expand(program).as_os_str(), self.surroundings.clone()).args(args.iter().map(expand)).run()
    }

    /// Makes one folder.
    pub fn create_dir(&self, path: &Path) -> Result<()> {
        self.at(path, "could not create", |place| Ok(mkdirat(&place.folder, &place.name, Mode::from_raw_mode(0o777))?))
    }

    /// Makes a folder and those above it that are missing.
    pub fn create_dir_all(&self, path: &Path) -> Result<()> {
        let path = self.environment.absolute(path);
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.create_dir_all(parent)?;
        }
        self.create_dir(&path)
    }

    /// Makes a new private folder with a random name: `prefix`, letters, `suffix`.
    pub fn create_temp_dir(&self, folder: &Path, prefix: &str, suffix: &str) -> Result<PathBuf> {
        self.create_temp(folder, prefix, suffix, |place| Ok(mkdirat(&place.folder, &place.name, Mode::from_raw_mode(0o700))?))
    }

    /// Makes a new empty private file with a random name.
    pub fn create_temp_file(&self, folder: &Path, prefix: &str, suffix: &str) -> Result<PathBuf> {
        self.create_temp(folder, prefix, suffix, |place| {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(&place.folder, &place.name, flags, Mode::from_raw_mode(0o600))?;
            Ok(())
        })
    }

    fn create_temp(&self, folder: &Path, prefix: &str, suffix: &str, make: impl Fn(&Place) -> io::Result<()>) -> Result<PathBuf> {
        let folder = self.environment.absolute(folder);
        for _ in 0..100 {
            let path = folder.join(format!("{prefix}{}{suffix}", super::replace::random_name(8)));
            match place(&path).and_then(|place| make(&place)) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::new(format!("no free name in `{}`", folder.display())))
    }

    /// Makes an empty file if there is none.
    pub fn touch(&self, path: &Path) -> Result<()> {
        self.at(path, "could not create", |place| {
            if names_folder(path) {
                return Err(Errno::ISDIR.into());
            }
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            openat(&place.folder, &place.name, flags, Mode::from_raw_mode(0o666))?;
            Ok(())
        })
    }

    /// Removes a file or a symlink.
    pub fn remove_file(&self, path: &Path) -> Result<()> {
        self.at(path, "could not remove", |place| Ok(unlinkat(&place.folder, &place.name, AtFlags::empty())?))
    }

    /// Removes an empty folder.
    pub fn remove_dir(&self, path: &Path) -> Result<()> {
        self.at(path, "could not remove", |place| Ok(unlinkat(&place.folder, &place.name, AtFlags::REMOVEDIR)?))
    }

    /// Removes a file, or a folder with all that is in it; symlinks are removed, not followed.
    pub fn remove_tree(&self, path: &Path) -> Result<()> {
        self.at(path, "could not remove", |place| remove_tree(&place))
    }

    /// Makes a symlink.
    pub fn symlink(&self, target: &Path, path: &Path) -> Result<()> {
        self.at(path, "could not link", |place| Ok(symlinkat(target, &place.folder, &place.name)?))
    }

    /// Makes a symlink in the place of what is there.
    pub fn replace_with_symlink(&self, target: &Path, path: &Path) -> Result<()> {
        self.replace_by(path, |place, temp| Ok(symlinkat(target, &place.folder, temp)?))
    }

    /// Makes a symlink in the place of an empty folder.
    pub fn replace_folder_with_symlink(&self, target: &Path, path: &Path) -> Result<()> {
        if !names_folder(path) {
            self.remove_dir(path)?;
        }
        self.replace_with_symlink(target, path)
    }

    /// Makes a second name for a file.
    pub fn hard_link(&self, from: &Path, path: &Path) -> Result<()> {
        let from = self.environment.absolute(from);
        self.at(path, "could not link", |to| {
            let from = place(&from)?;
            Ok(linkat(&from.folder, &from.name, &to.folder, &to.name, AtFlags::empty())?)
        })
    }

    /// Makes a second name for a file in the place of what is there.
    pub fn replace_with_hard_link(&self, from: &Path, path: &Path) -> Result<()> {
        let from = self.environment.absolute(from);
        self.replace_by(path, |to, temp| {
            let from = place(&from)?;
            Ok(linkat(&from.folder, &from.name, &to.folder, temp, AtFlags::empty())?)
        })
    }

    fn replace_by(&self, path: &Path, make: impl Fn(&Place, &str) -> io::Result<()>) -> Result<()> {
        self.at(path, "could not link", |place| {
            if names_folder(path) {
                return Err(Errno::NOENT.into());
            }
            let temp = format!(".ansible_tmp{}", super::replace::random_name(8));
            make(&place, &temp)?;
            renameat(&place.folder, &temp, &place.folder, &place.name).map_err(|errno| {
                // The temporary name is ours; what stood in the way is said below.
                let _ = unlinkat(&place.folder, &temp, AtFlags::empty());
                io::Error::from(errno)
            })
        })
    }

    /// Gives a file or folder another name.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let from = self.environment.absolute(from);
        self.at(to, "could not move to", |to| {
            let from = place(&from)?;
            Ok(renameat(&from.folder, &from.name, &to.folder, &to.name)?)
        })
    }

    /// Sets permissions. A symlink has none: it is left alone.
    pub fn set_mode(&self, path: &Path, mode: u32) -> Result<()> {
        self.at(path, "chmod failed on", |place| {
            let mode = Mode::from_raw_mode(mode & 0o7777);
            let fd = openat(&place.folder, &place.name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
            if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) == FileType::Symlink {
                return Ok(());
            }
            match chmodat(CWD, format!("/proc/self/fd/{}", fd.as_raw_fd()), mode, AtFlags::empty()) {
                Err(Errno::NOENT) => Ok(chmodat(&place.folder, &place.name, mode, AtFlags::empty())?),
                done => Ok(done?),
            }
        })
    }

    /// Sets owner and group of the path itself; nothing where neither is given.
    pub fn set_owner(&self, path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
        self.at(path, "chown failed on", |place| {
            Ok(chownat(&place.folder, &place.name, uid.map(Uid::from_raw), gid.map(Gid::from_raw), AtFlags::SYMLINK_NOFOLLOW)?)
        })
    }

    /// Sets access and modification time, those that are given, of the path itself.
    pub fn set_times(&self, path: &Path, access: Option<Timespec>, modification: Option<Timespec>) -> Result<()> {
        let omit = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
        let times = Timestamps { last_access: access.unwrap_or(omit), last_modification: modification.unwrap_or(omit) };
        self.at(path, "could not set the times of", |place| Ok(utimensat(&place.folder, &place.name, &times, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Copies a file with its permissions, owner, times and extended attributes, in the place of what is there.
    pub fn copy_file(&self, from: &Path, to: &Path) -> Result<()> {
        self.copy(from, to, super::Write::default())
    }

    /// As [`Door::copy_file`], where nothing stands yet.
    fn copy_new(&self, from: &Path, to: &Path) -> Result<()> {
        self.copy(from, to, super::Write { expected: Some(super::Version::NONE), ..Default::default() })
    }

    fn copy(&self, from: &Path, to: &Path, write: super::Write) -> Result<()> {
        let from = self.environment.absolute(from);
        let mut source = File::open(&from).context(format_args!("could not read `{}`", from.display()))?;
        let metadata = source.metadata()?;
        let (mode, uid, gid) = {
            use std::os::unix::fs::MetadataExt;
            (metadata.mode() & 0o7777, metadata.uid(), metadata.gid())
        };
        let staged = self.stage(to, &mut source, false)?;
        super::xattr::copy(&source, File::open(staged.temp_path())?);
        staged.commit(super::Write { mode: Some(mode), ..write })?;
        // Only root can give files away, and a copy of one's own is one's own.
        let _ = self.set_owner(to, Some(uid), Some(gid));
        // Changing the owner takes set-user-id bits away.
        self.set_mode(to, mode)?;
        let times = |time: io::Result<SystemTime>| time.ok().and_then(time::timespec);
        self.set_times(to, times(metadata.accessed()), times(metadata.modified()))
    }

    /// Ansible's backup copy beside a file: where it is, or nothing where there is no file. An earlier backup is never overwritten: the
    /// number in the name, Ansible's process id, is the next one that is free.
    pub fn backup(&self, path: &Path) -> Result<Option<PathBuf>> {
        let path = self.environment.absolute(path);
        if !path.exists() {
            return Ok(None);
        }
        let date = time::local_now(self.environment).strftime("%Y-%m-%d@%H:%M:%S").to_string();
        for number in std::process::id().. {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{number}.{date}~"));
            let backup = PathBuf::from(name);
            if backup.symlink_metadata().is_ok() {
                continue;
            }
            match self.copy_new(&path, &backup) {
                Ok(()) => return Ok(Some(backup)),
                // Another process took the name in the meantime.
                Err(_) if backup.symlink_metadata().is_ok() => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::new(format!("no free name for a backup of `{}`", path.display())))
    }

    /// Copies what a reader gives into a new file.
    pub fn write_from(&self, path: &Path, content: &mut dyn Read, write: super::Write) -> Result<()> {
        self.stage(path, content, write.unsafe_writes)?.commit(write)
    }

    /// Sets the SELinux label of the path itself.
    pub(super) fn set_label(&self, path: &Path, label: &[String]) -> Result<()> {
        super::selinux::set_label(path, label).context("set selinux context failed")
    }

    /// Sets the flags that `lsattr` shows.
    pub(super) fn set_flags(&self, path: &Path, flags: rustix::fs::IFlags) -> Result<()> {
        self.at(path, "chattr failed on", |place| {
            let flags_of = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let fd = openat(&place.folder, &place.name, flags_of, Mode::empty())?;
            Ok(rustix::fs::ioctl_setflags(&fd, flags)?)
        })
    }

    fn at<T>(&self, path: &Path, what: &str, effect: impl FnOnce(Place) -> io::Result<T>) -> Result<T> {
        let path = self.environment.absolute(path);
        place(&path).and_then(effect).context(format_args!("{what} `{}`", path.display()))
    }
}

/// Whether a path ends with a slash: the system makes no file and no link of such a name.
fn names_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn remove_tree(place: &Place) -> io::Result<()> {
    match unlinkat(&place.folder, &place.name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        // A folder: EISDIR on Linux, EPERM by POSIX.
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder: OwnedFd = openat(&place.folder, &place.name, flags, Mode::empty())?;
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        use std::os::unix::ffi::OsStrExt;
        let inner = Place { folder: folder.try_clone()?, name: std::ffi::OsStr::from_bytes(name).to_owned() };
        remove_tree(&inner)?;
    }
    match unlinkat(&place.folder, &place.name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_tree_is_removed_and_its_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        fs::create_dir_all(at.join("tree/a/b")).unwrap();
        fs::write(at.join("kept"), "x").unwrap();
        std::os::unix::fs::symlink(at, at.join("tree/a/up")).unwrap();
        fs::write(at.join("tree/a/f"), "x").unwrap();
        Door::of(&Surroundings::default()).remove_tree(&at.join("tree")).unwrap();
        assert!(!at.join("tree").exists());
        assert!(at.join("kept").exists());
    }

    #[test]
    fn a_backup_has_ansibles_name_and_the_files_permissions() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        let surroundings = Surroundings::default();
        let door = Door::of(&surroundings);
        let backup = door.backup(&path).unwrap().unwrap();
        assert!(backup.to_string_lossy().ends_with('~') && backup.to_string_lossy().contains('@'));
        assert_eq!(backup.metadata().unwrap().mode() & 0o7777, 0o604);
        assert_eq!(door.backup(&folder.path().join("none")).unwrap(), None);
    }

    #[test]
    fn a_backup_never_overwrites_an_earlier_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let surroundings = Surroundings::default();
        let door = Door::of(&surroundings);
        let backups: Vec<PathBuf> = (1..=5)
            .map(|content| {
                fs::write(&path, content.to_string()).unwrap();
                door.backup(&path).unwrap().unwrap()
            })
            .collect();
        let contents: Vec<String> = backups.iter().map(|backup| fs::read_to_string(backup).unwrap()).collect();
        assert_eq!(contents, ["1", "2", "3", "4", "5"]);
    }
}

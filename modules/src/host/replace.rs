//! A file gets a new content at once or not at all: written beside it under a random name, with the old file's owner, permissions and
//! extended attributes, brought to the disk, then put in its place.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Stat, Uid, fchmod, fchown, fsync, open, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use super::path::{Place, place};
use super::{Door, mode, xattr};
use crate::outcome::Context;
use crate::{Failure, Result};

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Write {
    /// Its permissions; without: the old file's, or what the umask leaves of 0666.
    pub mode: Option<u32>,
    /// Its owner; without: the old file's.
    pub uid: Option<u32>,
    /// Its group; without: the old file's.
    pub gid: Option<u32>,
    /// Whether to write into the old file where it cannot be replaced (a bind mount in a container).
    pub unsafe_writes: bool,
    /// What must stand there still; see [`Version`].
    pub expected: Option<Version>,
}

/// A file's identity and age when it was read: writing it later fails if it is another by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version(Option<[i64; 7]>);

impl Version {
    /// Nothing stands there.
    pub const NONE: Self = Self(None);

    /// What stands at `path` now; a symlink stands for itself.
    pub fn of(path: &Path) -> io::Result<Self> {
        match path.symlink_metadata() {
            Ok(stat) => Ok(Self(Some([
                stat.dev() as i64,
                stat.ino() as i64,
                stat.size() as i64,
                stat.mtime(),
                stat.mtime_nsec(),
                stat.ctime(),
                stat.ctime_nsec(),
            ]))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    #[allow(clippy::unnecessary_cast, reason = "the fields' types differ between architectures")]
    fn of_stat(stat: Option<&Stat>) -> Self {
        Self(stat.map(|stat| {
            [
                stat.st_dev as i64,
                stat.st_ino as i64,
                stat.st_size as i64,
                stat.st_mtime as i64,
                stat.st_mtime_nsec as i64,
                stat.st_ctime as i64,
                stat.st_ctime_nsec as i64,
            ]
        }))
    }
}

/// A new content that is on the disk but not yet in its place. Dropped, it is gone.
pub struct Staged {
    place: Place,
    path: PathBuf,
    temp_folder: Option<Place>,
    temp_name: OsString,
    temp_path: PathBuf,
    file: File,
    unsafe_writes: bool,
}

impl Door<'_> {
    /// Puts `content` at `path`, at once or not at all. A symlink at `path` is replaced, not followed.
    pub fn write(&self, path: &Path, content: &[u8], write: Write) -> Result<()> {
        self.stage(path, &mut &*content, write.unsafe_writes)?.commit(write)
    }

    /// Writes `content` beside `path`, for a look at it before [`Staged::commit`].
    pub fn stage(&self, path: &Path, content: &mut dyn Read, unsafe_writes: bool) -> Result<Staged> {
        let path = self.environment.absolute(path);
        let shown = path.display();
        let place = place(&path).context(format_args!("could not write `{shown}`"))?;
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        let staged = match temporary(&place, &place.name) {
            Ok((file, temp_name)) => {
                let temp_path = folder.join(&temp_name);
                Staged { place, path: path.clone(), temp_folder: None, temp_name, temp_path, file, unsafe_writes }
            }
            Err(error) if unsafe_writes && cannot_replace(&error) => {
                let elsewhere = std::env::temp_dir();
                let temp_folder = super::path::place(&elsewhere.join("x")).context(format_args!("could not write `{shown}`"))?;
                let (file, temp_name) = temporary(&temp_folder, &place.name).context(format_args!("could not write `{shown}`"))?;
                let temp_path = elsewhere.join(&temp_name);
                Staged { place, path: path.clone(), temp_folder: Some(temp_folder), temp_name, temp_path, file, unsafe_writes }
            }
            Err(error) => {
                return Err(error)
                    .context(format_args!("The destination directory '{}' is not writable by the current user", folder.display()));
            }
        };
        io::copy(content, &mut &staged.file).context(format_args!("could not write `{shown}`"))?;
        Ok(staged)
    }

    /// A private file with this content in `folder`.
    pub(super) fn private_file(&self, folder: &Path, name: &str, content: &[u8]) -> Result<PathBuf> {
        let folder = self.environment.absolute(folder);
        let place = place(&folder.join(name)).context(format_args!("could not write into `{}`", folder.display()))?;
        let (mut file, temp_name) = temporary(&place, &place.name).context(format_args!("could not write into `{}`", folder.display()))?;
        file.write_all(content).context(format_args!("could not write into `{}`", folder.display()))?;
        Ok(folder.join(temp_name))
    }
}

impl Staged {
    /// Where the content is for now.
    pub fn temp_path(&self) -> &Path {
        &self.temp_path
    }

    /// Puts the content in its place.
    pub fn commit(mut self, write: Write) -> Result<()> {
        let old = self.place.stat()?;
        if let Some(expected) = write.expected
            && expected != Version::of_stat(old.as_ref())
        {
            return Err(Failure::new(format!(
                "could not replace `{}`: it was changed by somebody else in the meantime",
                self.path.display()
            )));
        }
        set_owner(&self.file, write).map_err(|error| Failure::new("chown failed").with("details", crate::outcome::errno_text(&error)))?;
        let path = self.path.clone();
        self.put(old.as_ref(), write).context(format_args!("could not replace `{}`", path.display()))
    }

    fn put(&mut self, old: Option<&Stat>, write: Write) -> io::Result<()> {
        if self.temp_folder.is_some() {
            return self.write_in_place(write);
        }
        self.dress(old, write)?;
        fsync(&self.file)?;
        match self.rename(write.expected == Some(Version::NONE)) {
            Ok(()) => {
                // The name is used up: dropping must not remove what a stranger may put there now.
                self.temp_name.clear();
                Ok(())
            }
            Err(errno) if self.unsafe_writes && cannot_replace(&errno.into()) => self.write_in_place(write),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Gives the file its name; `only_new` refuses to take it from what may have come there since.
    fn rename(&self, only_new: bool) -> rustix::io::Result<()> {
        let Place { folder, name } = &self.place;
        if only_new {
            match renameat_with(folder, &self.temp_name, folder, name, RenameFlags::NOREPLACE) {
                // The file system or the kernel cannot.
                Err(Errno::INVAL | Errno::NOSYS) => {}
                done => return done,
            }
        }
        renameat(folder, &self.temp_name, folder, name)
    }

    /// Gives the new file the old one's owner, permissions and extended attributes, then what the task says.
    fn dress(&self, old: Option<&Stat>, write: Write) -> io::Result<()> {
        let old = old.filter(|old| FileType::from_raw_mode(old.st_mode) == FileType::RegularFile);
        let kept = old.map_or_else(|| mode::masked(0o666), |old| old.st_mode & 0o7777);
        if let Some(old) = old {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            if let Ok(old) = openat(&self.place.folder, &self.place.name, flags, Mode::empty()) {
                xattr::copy(&old, &self.file);
            }
            // Who is not root cannot give files away: as in Ansible, that alone is no failure.
            if fchown(&self.file, Some(Uid::from_raw(old.st_uid)), Some(Gid::from_raw(old.st_gid))).is_err() {
                let _ = fchown(&self.file, None, Some(Gid::from_raw(old.st_gid)));
            }
        }
        set_owner(&self.file, write)?;
        // After the owner: changing that takes set-user-id bits away.
        fchmod(&self.file, Mode::from_raw_mode(write.mode.unwrap_or(kept)))?;
        Ok(())
    }

    fn write_in_place(&mut self, write: Write) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let target = File::from(openat(&self.place.folder, &self.place.name, flags, Mode::from_raw_mode(0o666))?);
        self.file.rewind()?;
        io::copy(&mut self.file, &mut &target)?;
        set_owner(&target, write)?;
        if let Some(mode) = write.mode {
            fchmod(&target, Mode::from_raw_mode(mode))?;
        }
        Ok(fsync(&target)?)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.temp_name.is_empty() {
            let folder = self.temp_folder.as_ref().map_or(&self.place.folder, |place| &place.folder);
            // Nothing more can be done for it here.
            let _ = unlinkat(folder, &self.temp_name, AtFlags::empty());
        }
    }
}

fn set_owner(file: impl AsFd, write: Write) -> io::Result<()> {
    if write.uid.is_some() || write.gid.is_some() {
        fchown(file, write.uid.map(Uid::from_raw), write.gid.map(Gid::from_raw))?;
    }
    Ok(())
}

/// A new private file with a random name beside `name`.
fn temporary(place: &Place, name: &OsString) -> io::Result<(File, OsString)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for _ in 0..100 {
        let mut temp_name = OsString::from(format!(".ansible_tmp{}", random_name(8)));
        // A name has 255 bytes at most.
        if name.len() < 200 {
            temp_name.push(name);
        }
        match openat(&place.folder, &temp_name, flags, Mode::from_raw_mode(0o600)) {
            Ok(fd) => return Ok((File::from(fd), temp_name)),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Err(io::Error::other("no free name for a temporary file"))
}

/// Random letters and digits, as Python's `tempfile` uses them.
pub(super) fn random_name(length: usize) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
    let mut bytes = vec![0u8; length];
    let read = open("/dev/urandom", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(io::Error::from);
    if read.map(File::from).and_then(|mut file| file.read_exact(&mut bytes)).is_err() {
        // Where /dev is bare: the hasher's keys come from the kernel as well.
        use std::hash::{BuildHasher, RandomState};
        bytes.fill_with(|| RandomState::new().hash_one(0) as u8);
    }
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

fn cannot_replace(error: &io::Error) -> bool {
    let codes = [Errno::PERM, Errno::XDEV, Errno::ACCESS, Errno::TXTBSY, Errno::BUSY, Errno::ROFS];
    codes.iter().any(|code| error.raw_os_error() == Some(code.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Environment;
    use crate::host::command::Surroundings;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn in_folder(test: impl FnOnce(&Door, &Path)) {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment { added: Vec::new(), cwd: folder.path().to_owned() };
        test(&Door::of(&Surroundings { environment: environment.into(), ..Surroundings::default() }), folder.path());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("ansible_tmp")), "{left:?}");
    }

    #[test]
    fn a_new_version_keeps_permissions() {
        in_folder(|door, folder| {
            let path = folder.join("f");
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            door.write(Path::new("f"), b"new", Write::default()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"new");
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o640);
            door.write(&path, b"newer", Write { mode: Some(0o4711), ..Write::default() }).unwrap();
            assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o4711);
        });
    }

    #[test]
    fn what_another_changed_is_not_overwritten() {
        in_folder(|door, folder| {
            let path = folder.join("f");
            let expected = Some(Version::of(&path).unwrap());
            fs::write(&path, "theirs").unwrap();
            let error = door.write(&path, b"ours", Write { expected, ..Write::default() }).unwrap_err();
            assert!(error.message().contains("changed by somebody else"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), b"theirs");
            assert_eq!(door.stage(&path, &mut &b"ours"[..], false).unwrap().rename(true), Err(Errno::EXIST));
            let expected = Some(Version::of(&path).unwrap());
            door.write(&path, b"ours", Write { expected, ..Write::default() }).unwrap();
        });
    }

    #[test]
    fn a_symlink_is_replaced_and_a_folder_is_not() {
        in_folder(|door, folder| {
            fs::write(folder.join("target"), "t").unwrap();
            std::os::unix::fs::symlink("target", folder.join("link")).unwrap();
            door.write(&folder.join("link"), b"x", Write::default()).unwrap();
            assert_eq!(fs::read(folder.join("target")).unwrap(), b"t");
            fs::create_dir(folder.join("dir")).unwrap();
            assert!(door.write(&folder.join("dir"), b"x", Write::default()).is_err());
        });
    }
}

//! Ways to a file that nobody can bend: each folder on the way is opened by itself, and a symlink in a folder where everybody may
//! write is followed only if it is ours, root's or the folder owner's (as `fs.protected_symlinks` has it, whatever the kernel says).

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;

/// So many symlinks on one way are a loop.
const LINKS: usize = 40;

/// A folder, and a name in it.
pub(super) struct Place {
    pub folder: OwnedFd,
    pub name: OsString,
}

impl Place {
    /// What stands there, without following a symlink.
    pub fn stat(&self) -> io::Result<Option<Stat>> {
        match statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// The folder that `path` is in, opened, and its last name. `path` starts at the root.
pub(super) fn place(path: &Path) -> io::Result<Place> {
    if !path.is_absolute() {
        return Err(Errno::NOENT.into());
    }
    let mut steps: VecDeque<OsString> = self::steps(path).collect();
    let name = steps.pop_back().unwrap_or_else(|| ".".into());
    let mut folder = open_folder(CWD, OsStr::new("/"))?;
    let mut links = 0;
    while let Some(step) = steps.pop_front() {
        match open_folder(&folder, &step) {
            Ok(next) => folder = next,
            Err(error) => {
                let link = Place { folder, name: step };
                let target = followed(&link, error, &mut links)?;
                folder = if target.is_absolute() { open_folder(CWD, OsStr::new("/"))? } else { link.folder };
                for step in self::steps(&target).rev() {
                    steps.push_front(step);
                }
            }
        }
    }
    Ok(Place { folder, name })
}

/// Where the symlink that stopped the walk leads; the first error, if it is none or must not be followed.
fn followed(link: &Place, error: io::Error, links: &mut usize) -> io::Result<PathBuf> {
    let Some(stat) = link.stat()?.filter(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink) else { return Err(error) };
    *links += 1;
    if *links > LINKS {
        return Err(Errno::LOOP.into());
    }
    let folder = rustix::fs::fstat(&link.folder)?;
    let ours = [0, rustix::process::geteuid().as_raw(), folder.st_uid].contains(&stat.st_uid);
    if folder.st_mode & 0o002 != 0 && !ours {
        return Err(io::Error::other(format!(
            "`{}` is a symlink of another user in a folder where everybody may write",
            link.name.to_string_lossy()
        )));
    }
    let target = readlinkat(&link.folder, &link.name, Vec::new())?;
    Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
}

fn open_folder(at: impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    Ok(openat(at, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
}

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

/// Python's `os.path.realpath`: symlinks resolved as far as the way exists.
pub fn real_path(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let parent = real_path(parent);
            let here = parent.join(name);
            match here.read_link() {
                // A dead link leads somewhere all the same.
                Ok(target) if here.symlink_metadata().is_ok() => normal(&parent.join(target)),
                _ => here,
            }
        }
        _ => path.to_owned(),
    }
}

/// Python's `os.path.normpath`: no `.`, `..` taken back, without looking at the file system.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                if !normal.pop() && !path.has_root() {
                    normal.push("..");
                }
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    if normal.as_os_str().is_empty() { PathBuf::from(".") } else { normal }
}

/// A path as text; bytes that are not UTF-8 show as replacement characters.
pub fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal() {
        let check = |path: &str, expected: &str| assert_eq!(normal(Path::new(path)), PathBuf::from(expected));
        check("/a/../b/./c//d", "/b/c/d");
        check("/../a", "/a");
        check("a/..", ".");
    }

    #[test]
    fn a_way_through_symlinks_ends_in_the_right_folder() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::create_dir_all(at.join("real/deep")).unwrap();
        std::os::unix::fs::symlink("real", at.join("link")).unwrap();
        std::os::unix::fs::symlink("loop", at.join("loop")).unwrap();
        std::fs::write(at.join("real/deep/file"), "x").unwrap();
        let found = place(&at.join("link/deep/file")).unwrap();
        assert_eq!(found.stat().unwrap().unwrap().st_size, 1);
        assert_eq!(place(&at.join("loop/x")).err().unwrap().raw_os_error(), Some(40));
        assert_eq!(place(&at.join("nope/x")).err().unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!(real_path(&at.join("link/new")), at.canonicalize().unwrap().join("real/new"));
    }
}

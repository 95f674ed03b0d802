//! What all modules that make files have in common: owner, group, permissions, flags and SELinux labels.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use driftless_macros::Args;
use rustix::fs::{IFlags, Mode, OFlags, ioctl_getflags, open};

use super::{Change, Diff, Environment, Host, identity, mode, selinux};
use crate::outcome::Context;
use crate::{Failure, Json, JsonMap, Outcome, Result};

/// Options of all modules that make files; `#[arg(flatten)]` puts them into a module's.
#[derive(Args, Clone, Debug, Default)]
pub struct FileCommon {
    /// The user who is to own the file, by name or number.
    pub owner: Option<String>,
    /// The group that is to own the file, by name or number.
    pub group: Option<String>,
    /// The permissions, octal (`'0644'`) or symbolic (`u=rw,g=r,o=`).
    pub mode: Option<Json>,
    /// The flags as `lsattr` shows them; `+`, `-` or `=` before them adds, takes or sets.
    #[arg(alias = "attr")]
    pub attributes: Option<String>,
    /// The user part of the SELinux label; `_default` takes the policy's.
    pub seuser: Option<String>,
    /// The role part of the SELinux label.
    pub serole: Option<String>,
    /// The type part of the SELinux label.
    pub setype: Option<String>,
    /// The level part of the SELinux label.
    pub selevel: Option<String>,
    /// Whether to write into the old file where it cannot be replaced at once.
    #[arg(default = false)]
    pub unsafe_writes: bool,
}

/// What `--diff` shows of a file's attributes: two dicts.
#[derive(Clone, Debug, Default)]
pub struct FileDiff {
    /// What was.
    pub before: JsonMap,
    /// What will be.
    pub after: JsonMap,
}

impl FileDiff {
    /// A difference of `path` in which nothing differs yet.
    pub fn of(path: &Path) -> Self {
        let mut diff = Self::default();
        diff.note("path", super::path::shown(path), super::path::shown(path));
        diff
    }

    /// Notes one key of both sides.
    pub fn note(&mut self, key: &str, before: impl Into<Json>, after: impl Into<Json>) {
        self.before.insert(key.to_owned(), before.into());
        self.after.insert(key.to_owned(), after.into());
    }

    /// Ansible's dict.
    pub fn into_json(self) -> Json {
        Diff::values(self.before, self.after).into_json()
    }
}

impl FileCommon {
    /// Gives `path` the attributes that are wanted and differ; whether any did. When checking, what is not there yet is left out.
    /// A symlink is not followed.
    pub fn apply(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let path = host.absolute(path);
        if host.is_checking() && path.symlink_metadata().is_err() {
            return Ok(false);
        }
        let changed = self.apply_label(host, &path, diff)?
            | self.apply_owner(host, &path, diff)?
            | self.apply_group(host, &path, diff)?
            | self.apply_mode(host, &path, diff)?
            | self.apply_flags(host, &path, diff)?;
        Ok(changed)
    }

    /// The number of the wanted owner.
    pub fn uid(&self) -> Result<Option<u32>> {
        let Some(owner) = &self.owner else { return Ok(None) };
        let uid = owner.parse().ok().or_else(|| identity::user_by_name(owner).map(|user| user.uid));
        uid.map(Some).ok_or_else(|| Failure::new(format!("chown failed: failed to look up user {owner}")))
    }

    /// The number of the wanted group.
    pub fn gid(&self) -> Result<Option<u32>> {
        let Some(group) = &self.group else { return Ok(None) };
        let gid = group.parse().ok().or_else(|| identity::group_by_name(group).map(|group| group.gid));
        gid.map(Some).ok_or_else(|| Failure::new(format!("chgrp failed: failed to look up group {group}")))
    }

    fn apply_owner(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let now = metadata(path)?.uid();
        let Some(wanted) = self.uid().map_err(|error| error.with("path", super::path::shown(path)))?.filter(|uid| *uid != now) else {
            return Ok(false);
        };
        diff.note("owner", now, wanted);
        let change = attribute(path, "owner", now, wanted);
        host.change(change, |door| door.set_owner(path, Some(wanted), None)).map_err(|error| failed("chown failed", path, error))?;
        Ok(true)
    }

    fn apply_group(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let now = metadata(path)?.gid();
        let Some(wanted) = self.gid().map_err(|error| error.with("path", super::path::shown(path)))?.filter(|gid| *gid != now) else {
            return Ok(false);
        };
        diff.note("group", now, wanted);
        let change = attribute(path, "group", now, wanted);
        host.change(change, |door| door.set_owner(path, None, Some(wanted))).map_err(|error| failed("chgrp failed", path, error))?;
        Ok(true)
    }

    fn apply_mode(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let Some(written) = &self.mode else { return Ok(false) };
        let metadata = metadata(path)?;
        let now = metadata.mode() & 0o7777;
        let wanted = mode::resolve(written, now, metadata.is_dir()).map_err(|error| error.with("path", super::path::shown(path)))?;
        if metadata.is_symlink() || wanted == now {
            return Ok(false);
        }
        diff.note("mode", mode::shown(now), mode::shown(wanted));
        let change = attribute(path, "mode", mode::shown(now), mode::shown(wanted));
        let refused = |error: Failure| Failure::raised(format!("{}: b'{}'", error.cause(), path.display()));
        host.change(change, |door| door.set_mode(path, wanted)).map_err(refused)?;
        Ok(true)
    }

    fn apply_flags(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let Some(written) = &self.attributes else { return Ok(false) };
        let (operator, letters) = match written.chars().next() {
            Some(sign @ ('+' | '-' | '=')) => (sign, &written[1..]),
            _ => ('=', written.as_str()),
        };
        let now = file_flags(path).unwrap_or(IFlags::empty());
        if letters.is_empty() {
            return Ok(false);
        }
        let mut named = IFlags::empty();
        for letter in letters.chars() {
            let flag = FLAGS.iter().find(|(shown, _, _)| *shown == letter);
            named |= flag
                .ok_or_else(|| {
                    let why = format!("there is no attribute `{letter}`");
                    Failure::new("chattr failed").with("path", super::path::shown(path)).with("details", why)
                })?
                .1;
        }
        let wanted = match operator {
            '+' => now | named,
            '-' => now - named,
            // What the file system alone decides stays as it is.
            _ => named | (now & fixed_flags()),
        };
        // Ansible compares texts, and so adds and takes flags that are there or gone already.
        if wanted == now {
            return Ok(false);
        }
        diff.note("attributes", flags_text(now), format!("{operator}{letters}"));
        let change = attribute(path, "attributes", flags_text(now), flags_text(wanted));
        host.change(change, |door| door.set_flags(path, wanted)).map_err(|error| failed("chattr failed", path, error))?;
        Ok(true)
    }

    fn apply_label(&self, host: &mut Host, path: &Path, diff: &mut FileDiff) -> Result<bool> {
        let wanted = [&self.seuser, &self.serole, &self.setype, &self.selevel];
        if wanted.iter().all(|part| part.is_none()) || !selinux::is_enabled() {
            return Ok(false);
        }
        let Some(now) = selinux::label(path) else { return Ok(false) };
        let policy = wanted.iter().any(|part| part.as_deref() == Some("_default")).then(|| selinux::default_label(path)).flatten();
        let mut label = now.clone();
        for (index, part) in wanted.into_iter().enumerate() {
            let part = match part.as_deref() {
                Some("_default") => policy.as_ref().and_then(|policy| policy.get(index)),
                _ => part.as_ref(),
            };
            if let (Some(part), Some(place)) = (part, label.get_mut(index)) {
                place.clone_from(part);
            }
        }
        if label == now {
            return Ok(false);
        }
        diff.note("secontext", now.clone(), label.clone());
        host.change(attribute(path, "secontext", now.join(":"), label.join(":")), |door| door.set_label(path, &label))?;
        Ok(true)
    }
}

/// Adds to a result that names a file (`path`, or else `dest`) what that file is: owner, group, permissions, size, state. Ansible does
/// so for every module.
pub(super) fn add_path_info(outcome: &mut Outcome, environment: &Environment) {
    let named = outcome.get("path").or_else(|| outcome.get("dest")).and_then(Json::as_str).map(PathBuf::from);
    let Some(path) = named.map(|path| environment.absolute(&path)) else { return };
    // A dead symlink is nothing to tell of, as in Ansible.
    let Some(metadata) = path.exists().then(|| path.symlink_metadata().ok()).flatten() else { return };
    outcome.set("uid", metadata.uid());
    outcome.set("gid", metadata.gid());
    outcome.set("owner", identity::user_by_id(metadata.uid()).map_or_else(|| metadata.uid().to_string(), |user| user.name));
    outcome.set("group", identity::group_by_id(metadata.gid()).map_or_else(|| metadata.gid().to_string(), |group| group.name));
    outcome.set("mode", mode::shown(metadata.mode()));
    outcome.set("state", state(&metadata));
    if let Some(label) = selinux::is_enabled().then(|| selinux::label(&path)).flatten() {
        outcome.set("secontext", label.join(":"));
    }
    outcome.set("size", metadata.len());
}

/// Ansible's word for what a file is.
pub fn state(metadata: &Metadata) -> &'static str {
    if metadata.is_symlink() {
        "link"
    } else if metadata.is_dir() {
        "directory"
    } else if metadata.nlink() > 1 && !metadata.file_type().is_block_device() {
        "hard"
    } else {
        "file"
    }
}

/// The flags of a file, in `lsattr`'s order: letter, bit, Ansible's word.
pub const FLAGS: &[(char, IFlags, &str)] = &[
    ('s', IFlags::from_bits_retain(0x0000_0001), "zero"),
    ('u', IFlags::from_bits_retain(0x0000_0002), "undelete"),
    ('S', IFlags::SYNC, "synchronous"),
    ('D', IFlags::DIRSYNC, "dirsync"),
    ('i', IFlags::IMMUTABLE, "immutable"),
    ('a', IFlags::APPEND, "append"),
    ('d', IFlags::NODUMP, "nodump"),
    ('A', IFlags::NOATIME, "noatime"),
    ('c', IFlags::COMPRESSED, "compressed"),
    ('E', IFlags::from_bits_retain(0x0000_0800), "encrypted"),
    ('h', IFlags::from_bits_retain(0x0004_0000), "blocksize"),
    ('j', IFlags::JOURNALING, "journalled"),
    ('I', IFlags::from_bits_retain(0x0000_1000), "indexed"),
    ('t', IFlags::from_bits_retain(0x0000_8000), "notail"),
    ('T', IFlags::TOPDIR, "blockroot"),
    ('e', IFlags::from_bits_retain(0x0008_0000), "extents"),
    ('C', IFlags::NOCOW, "nocow"),
    ('N', IFlags::from_bits_retain(0x1000_0000), "inline"),
];

/// The flags of a regular file or folder, where its file system has them.
pub fn file_flags(path: &Path) -> Option<IFlags> {
    let metadata = path.symlink_metadata().ok()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return None;
    }
    let fd = open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()).ok()?;
    ioctl_getflags(&fd).ok()
}

/// The letters of some flags.
pub fn flags_text(flags: IFlags) -> String {
    FLAGS.iter().filter(|(_, flag, _)| flags.contains(*flag)).map(|(letter, _, _)| *letter).collect()
}

/// Encryption, index and inline data are not for users to set.
fn fixed_flags() -> IFlags {
    FLAGS.iter().filter(|(letter, _, _)| "EIhN".contains(*letter)).fold(IFlags::empty(), |all, (_, flag, _)| all | *flag)
}

fn metadata(path: &Path) -> Result<Metadata> {
    path.symlink_metadata().context(format_args!("could not look at `{}`", path.display()))
}

fn attribute(path: &Path, what: &str, before: impl Into<Json>, after: impl Into<Json>) -> Change {
    let pair = |value: Json| Json::Object([(what.to_owned(), value)].into_iter().collect());
    Change::of("file", super::path::shown(path)).from_to(pair(before.into()), pair(after.into()))
}

fn failed(what: &str, path: &Path, error: Failure) -> Failure {
    Failure::new(what).with("path", super::path::shown(path)).with("details", error.message())
}

/// The generation of a file's inode, where its file system has one.
#[expect(unsafe_code, reason = "an ioctl that rustix has no safe name for")]
pub fn generation(file: std::os::fd::BorrowedFd<'_>) -> Option<u32> {
    use rustix::ioctl::{Getter, ioctl, opcode};
    const GET_VERSION: rustix::ioctl::Opcode = opcode::read::<std::ffi::c_long>(b'v', 1);
    // SAFETY: FS_IOC_GETVERSION writes at most a long, whose low half is the generation on every kernel; a file system without it refuses.
    let value = unsafe { ioctl(file, Getter::<GET_VERSION, std::ffi::c_long>::new()) }.ok()?;
    Some(value as u32)
}

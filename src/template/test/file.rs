//! Tests of paths on the control machine.

use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{refuse, test};
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};
use crate::vault::is_vault;

pub(super) const TESTS: &[Test] = &[
    test("abs", &[], |_, value, _| of_name(value, Path::is_absolute)),
    test("directory", &[], |_, value, _| of_file(value, Path::is_dir)),
    test("exists", &[], |_, value, _| of_file(value, Path::exists)),
    test("file", &[], |_, value, _| of_file(value, Path::is_file)),
    test("is_abs", &[], |_, value, _| of_name(value, Path::is_absolute)),
    test("is_dir", &[], |_, value, _| of_file(value, Path::is_dir)),
    test("is_file", &[], |_, value, _| of_file(value, Path::is_file)),
    test("is_link", &[], |_, value, _| of_link(value, Path::is_symlink)),
    test("is_mount", &[], |_, value, _| of_link(value, is_mount)),
    test("is_same_file", OTHER, same_file),
    test("link", &[], |_, value, _| of_link(value, Path::is_symlink)),
    test("link_exists", &[], |_, value, _| of_link(value, |path| path.symlink_metadata().is_ok())),
    test("mount", &[], |_, value, _| of_link(value, is_mount)),
    test("same_file", OTHER, same_file),
    test("vaulted_file", &[], vaulted_file),
];

const OTHER: &[Param] = &[Param::Required("other")];

/// Asks of a path, or of an open file by its number.
fn of_file(value: &Val, holds: impl Fn(&Path) -> bool) -> Result<bool> {
    match value.as_int() {
        Some(number) => Ok(holds(Path::new(&format!("/proc/self/fd/{number}")))),
        None => of_path(value, "stat: path should be string, bytes, os.PathLike or integer", holds),
    }
}

/// The same of what is there itself, not of what it points to.
fn of_link(value: &Val, holds: impl Fn(&Path) -> bool) -> Result<bool> {
    of_path(value, "lstat: path should be string, bytes or os.PathLike", holds)
}

/// The same of the name alone.
fn of_name(value: &Val, holds: impl Fn(&Path) -> bool) -> Result<bool> {
    of_path(value, "expected str, bytes or os.PathLike object", holds)
}

fn of_path(value: &Val, wanted: &str, holds: impl Fn(&Path) -> bool) -> Result<bool> {
    match (value.as_str(), value.as_bytes()) {
        (Some(path), _) => Ok(holds(Path::new(path))),
        (None, Some(bytes)) => Ok(holds(Path::new(OsStr::from_bytes(bytes.as_slice())))),
        (None, None) => refuse(format!("{wanted}, not {}", value.type_name())),
    }
}

/// Another device than its parent's, or the root.
fn is_mount(path: &Path) -> bool {
    let Ok(own) = path.symlink_metadata() else { return false };
    let Ok(parent) = path.join("..").canonicalize().and_then(|parent| parent.symlink_metadata()) else { return false };
    !own.is_symlink() && (own.dev() != parent.dev() || own.ino() == parent.ino())
}

fn same_file(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<bool> {
    let identity = |val: &Val| {
        let path = evaluator.text(val)?;
        match std::fs::metadata(path.as_str()) {
            Ok(metadata) => Ok((metadata.dev(), metadata.ino())),
            Err(_) => refuse(format!("[Errno 2] No such file or directory: '{}'", path.as_str())),
        }
    };
    Ok(identity(value)? == identity(arguments.required(0))?)
}

fn vaulted_file(evaluator: &Evaluator, value: &Val, _: &Bound) -> Result<bool> {
    let (path, shown) = (evaluator.text(value)?, evaluator.repr(value)?);
    let mut head = Vec::new();
    let read = std::fs::File::open(path.as_str()).and_then(|file| file.take(64).read_to_end(&mut head));
    match read {
        Ok(_) => Ok(is_vault(&head)),
        Err(error) => {
            let text = error.to_string();
            let (reason, code) = (text.split(" (os error").next().unwrap_or(&text), error.raw_os_error().unwrap_or_default());
            refuse(format!("Cannot test if the file {} is a vault: [Errno {code}] {reason}: b'{}'", shown.as_str(), path.as_str()))
        }
    }
}

//! SELinux labels, on hosts that have it switched on.

use std::path::Path;

use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};

/// The attribute that holds a label.
const LABEL: &str = "security.selinux";

/// Whether SELinux is switched on.
pub fn is_enabled() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// The label of a path itself, as its parts: user, role, type and, where there is one, level.
pub fn label(path: &Path) -> Option<Vec<String>> {
    let mut value = vec![0u8; 4096];
    let size = lgetxattr(path, LABEL, value.as_mut_slice()).ok()?;
    let text = String::from_utf8_lossy(&value[..size]).trim_end_matches('\0').to_owned();
    Some(text.splitn(4, ':').map(str::to_owned).collect())
}

/// The label that the policy has for a path, asked of `matchpathcon`.
pub(super) fn default_label(path: &Path) -> Option<Vec<String>> {
    let output = super::command::plain_query("matchpathcon", &["-n", &path.to_string_lossy()])?;
    let text = String::from_utf8_lossy(&output).trim().to_owned();
    text.contains(':').then(|| text.splitn(4, ':').map(str::to_owned).collect())
}

/// Sets the label of a path itself.
pub(super) fn set_label(path: &Path, label: &[String]) -> std::io::Result<()> {
    let text = format!("{}\0", label.join(":"));
    Ok(lsetxattr(path, LABEL, text.as_bytes(), XattrFlags::empty())?)
}

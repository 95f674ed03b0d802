//! Extended attributes: ACLs, capabilities, SELinux labels and the user's own go over to a file's new version.

use std::os::fd::AsFd;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fsetxattr};

/// Copies what can be copied. Not every file system has them, and not every user may set them all: that is no failure, as in Ansible.
pub(super) fn copy(from: impl AsFd, to: impl AsFd) {
    let Ok(size) = flistxattr(&from, &mut [0u8; 0][..]) else { return };
    let mut names = vec![0u8; size];
    let Ok(size) = flistxattr(&from, names.as_mut_slice()) else { return };
    for name in names[..size].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let Ok(size) = fgetxattr(&from, name, &mut [0u8; 0][..]) else { continue };
        let mut value = vec![0u8; size];
        if let Ok(size) = fgetxattr(&from, name, value.as_mut_slice()) {
            let _ = fsetxattr(&to, name, &value[..size], XattrFlags::empty());
        }
    }
}

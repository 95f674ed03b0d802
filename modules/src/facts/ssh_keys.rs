//! The host's public SSH keys.

use std::path::Path;

use super::{Facts, Look, set, text_of};

pub(super) fn collect(_: &mut Look, facts: &mut Facts) {
    const FOLDERS: &[&str] = &["/etc/ssh", "/etc/openssh", "/etc"];
    const KINDS: &[&str] = &["dsa", "rsa", "ecdsa", "ed25519"];
    let file = |folder: &str, kind: &str| Path::new(folder).join(format!("ssh_host_{kind}_key.pub"));
    // All keys are of the first folder that has any.
    let Some(folder) = FOLDERS.iter().find(|folder| KINDS.iter().any(|kind| file(folder, kind).is_file())) else { return };
    for kind in KINDS {
        let Some(text) = text_of(file(folder, kind)) else { continue };
        let mut words = text.split_whitespace();
        let (Some(keytype), Some(key)) = (words.next(), words.next()) else { continue };
        set(facts, &format!("ssh_host_key_{kind}_public"), key);
        set(facts, &format!("ssh_host_key_{kind}_public_keytype"), keytype);
    }
}

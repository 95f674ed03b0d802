//! Which modules there are, and which are known by name alone.

use crate::action;
use crate::playbook::load::Known;

/// Modules of ansible-core that come with a later release: known, but not to be run.
const LATER: &[&str] = &[
    "apt_key",
    "apt_repository",
    "deb822_repository",
    "debconf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "iptables",
    "known_hosts",
    "mount_facts",
    "package_facts",
    "pip",
    "rpm_key",
    "service_facts",
    "subversion",
    "sysvinit",
    "uri",
    "yum_repository",
];

/// Collections whose modules are known by their prefix alone.
const COLLECTIONS: &[&str] = &[
    "ansible.posix.",
    "ansible.utils.",
    "ansible.netcommon.",
    "ansible.windows.",
    "community.crypto.",
    "community.docker.",
    "community.general.",
    "community.mysql.",
    "community.postgresql.",
    "community.rabbitmq.",
    "community.windows.",
    "containers.podman.",
    "kubernetes.core.",
];

/// What is known of a module, by its short name or with its collection.
pub fn known_module(name: &str) -> Known {
    if action::find(name).is_some() {
        Known::Yes
    } else if LATER.contains(&name) || COLLECTIONS.iter().any(|prefix| name.starts_with(prefix)) {
        Known::NotYet
    } else {
        Known::No
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_that_wait_are_not_there() {
        assert_eq!(LATER.iter().find(|name| action::find(name).is_some()), None);
    }
}

//! Facts: what `setup` finds out about a host. Each file of this folder has collectors of one group; [`COLLECTORS`] is the table.

mod date_time;
mod devices;
mod distribution;
mod dmi;
mod interfaces;
mod local;
mod memory;
mod mounts;
mod network;
mod platform;
mod processor;
mod programs;
mod python;
mod security;
mod ssh_keys;
mod subset;
mod system;
mod user;
mod virtualization;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use distribution::identify;
pub(crate) use platform::full_name;
pub use programs::{package_manager, service_manager};
pub use subset::resolve;

use crate::{Host, Json, JsonMap};

/// What collectors look with.
pub struct Look<'a> {
    /// The host.
    pub host: &'a mut Host,
    /// Where the host's own facts are.
    pub fact_path: PathBuf,
    /// How long one collector's program may take.
    pub timeout: Duration,
    python: OnceCell<Option<Json>>,
}

/// Facts by name, without Ansible's `ansible_`.
pub type Facts = JsonMap;

/// Finds out some facts.
pub struct Collector {
    /// Its name in `gather_subset`.
    pub name: &'static str,
    /// Other names in `gather_subset` that mean it.
    pub names: &'static [&'static str],
    /// Whether it is part of `min`.
    pub minimal: bool,
    /// Collectors that are asked for with it.
    pub needs: &'static [&'static str],
    collect: fn(&mut Look, &mut Facts),
}

/// All collectors, sorted by name.
#[rustfmt::skip]
pub const COLLECTORS: &[Collector] = &[
    Collector { name: "apparmor", names: &[], minimal: true, needs: &[], collect: security::apparmor },
    Collector { name: "caps", names: &["system_capabilities", "system_capabilities_enforced"], minimal: true, needs: &[], collect: security::capabilities },
    Collector { name: "chroot", names: &["is_chroot"], minimal: false, needs: &[], collect: system::chroot },
    Collector { name: "cmdline", names: &[], minimal: true, needs: &[], collect: system::cmdline },
    Collector { name: "date_time", names: &[], minimal: true, needs: &[], collect: date_time::collect },
    Collector { name: "distribution", names: &["distribution_major_version", "distribution_release", "distribution_version", "os_family"], minimal: true, needs: &[], collect: distribution::collect },
    Collector { name: "dns", names: &[], minimal: true, needs: &[], collect: network::dns },
    Collector { name: "env", names: &[], minimal: true, needs: &[], collect: user::environment },
    Collector { name: "fibre_channel_wwn", names: &[], minimal: false, needs: &[], collect: network::fibre_channel },
    Collector { name: "fips", names: &[], minimal: true, needs: &[], collect: security::fips },
    Collector { name: "hardware", names: &["devices", "mounts", "processor", "processor_cores", "processor_count"], minimal: false, needs: &["platform"], collect: hardware },
    Collector { name: "iscsi", names: &[], minimal: false, needs: &[], collect: network::iscsi },
    Collector { name: "loadavg", names: &[], minimal: false, needs: &[], collect: system::load },
    Collector { name: "local", names: &[], minimal: true, needs: &[], collect: local::collect },
    Collector { name: "lsb", names: &[], minimal: true, needs: &[], collect: distribution::lsb },
    Collector { name: "network", names: &["all_ipv4_addresses", "all_ipv6_addresses", "default_ipv4", "default_ipv6", "interfaces"], minimal: false, needs: &["distribution", "platform"], collect: interfaces::collect },
    Collector { name: "nvme", names: &[], minimal: false, needs: &[], collect: network::nvme },
    Collector { name: "pkg_mgr", names: &[], minimal: true, needs: &["distribution"], collect: programs::pkg_mgr },
    Collector { name: "platform", names: &["architecture", "kernel", "kernel_version", "machine", "machine_id", "python_version", "system"], minimal: true, needs: &[], collect: platform::collect },
    Collector { name: "python", names: &[], minimal: true, needs: &[], collect: python::collect },
    Collector { name: "selinux", names: &[], minimal: true, needs: &[], collect: security::selinux },
    Collector { name: "service_mgr", names: &[], minimal: true, needs: &["distribution", "platform"], collect: programs::service_mgr },
    Collector { name: "ssh_pub_keys", names: &["ssh_host_key_dsa_public", "ssh_host_key_ecdsa_public", "ssh_host_key_ed25519_public", "ssh_host_key_rsa_public", "ssh_host_pub_keys"], minimal: true, needs: &[], collect: ssh_keys::collect },
    Collector { name: "systemd", names: &[], minimal: false, needs: &[], collect: programs::systemd },
    Collector { name: "user", names: &["effective_group_ids", "effective_user_id", "real_user_id", "user_dir", "user_gecos", "user_gid", "user_id", "user_shell", "user_uid"], minimal: true, needs: &[], collect: user::collect },
    Collector { name: "virtual", names: &["virtualization_role", "virtualization_tech_guest", "virtualization_tech_host", "virtualization_type"], minimal: false, needs: &[], collect: virtualization::collect },
];

/// Runs collectors, in the table's order.
pub fn gather(host: &mut Host, fact_path: PathBuf, timeout: Duration, collectors: &[&Collector]) -> Facts {
    let mut facts = Facts::new();
    let mut look = Look { host, fact_path, timeout, python: OnceCell::new() };
    for collector in collectors {
        (collector.collect)(&mut look, &mut facts);
    }
    facts
}

fn hardware(look: &mut Look, facts: &mut Facts) {
    processor::collect(facts);
    memory::collect(facts);
    dmi::collect(facts);
    devices::collect(facts);
    mounts::collect(facts);
    system::uptime(facts);
    devices::lvm(look, facts);
}

impl Look<'_> {
    /// The stdout of a program that looks, if it is there and succeeds in time.
    fn ask(&self, program: &str, args: &[&str]) -> Option<String> {
        self.host.find_program(program)?;
        let command = self.host.command(program).args(args).timeout(self.timeout);
        self.host.query(&command).ok().filter(crate::host::Output::succeeded).map(|output| output.stdout())
    }
}

/// A file's text without the white space around it; nothing where there is no file or no text.
fn text_of(path: impl AsRef<Path>) -> Option<String> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The names in a folder, sorted.
fn names_in(folder: impl AsRef<Path>) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Sets a fact.
fn set(facts: &mut Facts, name: &str, value: impl Into<Json>) {
    facts.insert(name.to_owned(), value.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collectors_are_sorted_and_their_needs_exist() {
        assert!(COLLECTORS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for collector in COLLECTORS {
            for need in collector.needs {
                assert!(COLLECTORS.iter().any(|other| other.name == *need), "{need}");
            }
        }
    }
}

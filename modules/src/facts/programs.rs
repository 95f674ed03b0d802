//! The package manager and the service manager of the host.

use std::path::Path;

use super::{Facts, Look, distribution, set, text_of};
use crate::Host;

/// Package managers and their programs; of several that are there the last one counts.
const PACKAGE_MANAGERS: &[(&str, &str)] = &[
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/opt/local/bin/pkgin", "pkgin"),
    ("/usr/bin/emerge", "portage"),
    ("/sbin/apk", "apk"),
    ("/usr/bin/apk", "apk"),
    ("/usr/sbin/swupd", "swupd"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/installp", "installp"),
    ("/usr/bin/dnf-3", "dnf"),
    ("/usr/bin/dnf", "dnf"),
    ("/usr/bin/dnf5", "dnf5"),
];

pub(super) fn pkg_mgr(_: &mut Look, facts: &mut Facts) {
    set(facts, "pkg_mgr", package_manager());
}

pub(super) fn service_mgr(look: &mut Look, facts: &mut Facts) {
    set(facts, "service_mgr", service_manager(look.host));
}

pub(super) fn systemd(look: &mut Look, facts: &mut Facts) {
    if service_manager(look.host) != "systemd" {
        return;
    }
    let Some(text) = look.ask("systemctl", &["--version"]) else { return };
    let mut lines = text.lines();
    let version = lines.next().and_then(|line| line.split_whitespace().nth(1)?.parse::<i64>().ok());
    let features = lines.collect::<Vec<_>>().join(" ");
    if let Some(version) = version {
        set(facts, "systemd", serde_json::json!({"version": version, "features": features.trim()}));
    }
}

/// The host's package manager, as Ansible's `ansible_pkg_mgr` names it; `unknown` where there is none.
pub fn package_manager() -> String {
    let is_there = |path: &str| Path::new(path).exists();
    let family = distribution::identify().family;
    match family.as_str() {
        "Debian" if is_there("/usr/bin/apt-get") => return "apt".to_owned(),
        "RedHat" => {
            if is_there("/run/ostree-booted") {
                return "atomic_container".to_owned();
            }
            if let Ok(target) = std::fs::canonicalize("/usr/bin/dnf") {
                return if target.ends_with("dnf5") { "dnf5" } else { "dnf" }.to_owned();
            }
        }
        "Altlinux" => return "apt_rpm".to_owned(),
        _ => {}
    }
    let found = PACKAGE_MANAGERS.iter().rev().find(|(path, _)| is_there(path));
    found.map_or("unknown", |(_, name)| name).to_owned()
}

/// The host's service manager, as Ansible's `ansible_service_mgr` names it.
pub fn service_manager(host: &Host) -> String {
    let first = text_of("/proc/1/comm").map(|name| name.rsplit('/').next().unwrap_or_default().to_owned());
    match first.as_deref() {
        Some("procd") => return "openwrt_init".to_owned(),
        // A name that many programs bear, or a shell: it says nothing.
        None | Some("init" | "sh" | "bash" | "COMMAND") => {}
        Some(name) if name.starts_with("runit") => return "runit".to_owned(),
        Some(name) => return name.to_owned(),
    }
    let exists = |path: &str| Path::new(path).exists();
    let systemd_installed = host.find_program("systemctl").is_some();
    let systemd_runs = ["/run/systemd/system/", "/dev/.run/systemd/", "/dev/.systemd/"].iter().any(|path| exists(path));
    let init_is_systemd = || std::fs::read_link("/sbin/init").is_ok_and(|target| target.file_name() == Some("systemd".as_ref()));
    if systemd_installed && systemd_runs {
        "systemd"
    } else if host.find_program("initctl").is_some() && exists("/etc/init/") {
        "upstart"
    } else if exists("/sbin/openrc") {
        "openrc"
    } else if systemd_installed && init_is_systemd() {
        "systemd"
    } else if exists("/etc/init.d/") {
        "sysvinit"
    } else if exists("/etc/dinit.d/") {
        "dinit"
    } else {
        "service"
    }
    .to_owned()
}

//! SELinux, AppArmor, capabilities, FIPS.

use std::path::Path;

use serde_json::json;

use super::{Facts, Look, python, set, text_of};
use crate::JsonMap;
use crate::host::selinux as labels;

pub(super) fn apparmor(_: &mut Look, facts: &mut Facts) {
    let status = if Path::new("/sys/kernel/security/apparmor").exists() { "enabled" } else { "disabled" };
    set(facts, "apparmor", json!({"status": status}));
}

pub(super) fn capabilities(look: &mut Look, facts: &mut Facts) {
    if look.host.find_program("capsh").is_none() {
        set(facts, "system_capabilities_enforced", "N/A");
        set(facts, "system_capabilities", "N/A");
        return;
    }
    let Some(text) = look.ask("capsh", &["--print"]) else { return };
    let Some(current) = text.lines().find_map(|line| line.strip_prefix("Current:")) else { return };
    let current = current.trim();
    let (enforced, caps) = if current == "=ep" {
        ("False", Vec::new())
    } else {
        let list = current.split_once('=').map_or("", |(_, list)| list).trim();
        ("True", list.split(',').map(|cap| cap.trim().to_owned()).collect())
    };
    set(facts, "system_capabilities_enforced", enforced);
    set(facts, "system_capabilities", caps);
}

pub(super) fn fips(_: &mut Look, facts: &mut Facts) {
    set(facts, "fips", text_of("/proc/sys/crypto/fips_enabled").as_deref() == Some("1"));
}

pub(super) fn selinux(look: &mut Look, facts: &mut Facts) {
    let mut map = JsonMap::new();
    let mut put = |name: &str, value: &str| map.insert(name.to_owned(), value.into());
    if labels::is_enabled() {
        let config = text_of("/etc/selinux/config").unwrap_or_default();
        let setting = |name: &str| config.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('=').map(str::trim));
        let mode = if text_of("/sys/fs/selinux/enforce").as_deref() == Some("1") { "enforcing" } else { "permissive" };
        put("status", "enabled");
        put("policyvers", &text_of("/sys/fs/selinux/policyvers").unwrap_or_else(|| "unknown".to_owned()));
        put("config_mode", setting("SELINUX").unwrap_or("unknown"));
        put("mode", mode);
        put("type", setting("SELINUXTYPE").unwrap_or("unknown"));
    } else {
        put("status", "disabled");
    }
    set(facts, "selinux", map);
    if python::probe(look).is_some() {
        // Ansible brings its own binding: it is there wherever Python is.
        set(facts, "selinux_python_present", true);
    }
}

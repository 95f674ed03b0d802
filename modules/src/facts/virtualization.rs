//! Whether the host is a guest, or has guests, and of what kind.

use std::path::Path;

use super::{Facts, Look, set, text_of};
use crate::Json;

pub(super) fn collect(look: &mut Look, facts: &mut Facts) {
    let found = Found::of_host(look);
    set(facts, "virtualization_type", found.kind());
    set(facts, "virtualization_role", found.role());
    set(facts, "virtualization_tech_guest", found.guest.iter().map(|name| Json::from(name.as_str())).collect::<Vec<_>>());
    set(facts, "virtualization_tech_host", found.host.iter().map(|name| Json::from(*name)).collect::<Vec<_>>());
}

/// Techniques, the most telling first.
#[derive(Default)]
struct Found {
    guest: Vec<String>,
    host: Vec<&'static str>,
    first: Option<String>,
}

impl Found {
    fn of_host(look: &Look) -> Self {
        let mut found = Self::default();
        let groups = text_of("/proc/1/cgroup").unwrap_or_default();
        if Path::new("/.dockerenv").exists() || Path::new("/.dockerinit").exists() || groups.contains("/docker") {
            found.guest("docker");
            found.guest("container");
        }
        if groups.contains("/lxc/") || groups.contains("/machine.slice/machine-lxc") {
            found.guest("lxc");
        }
        if let Some(name) = container_name() {
            match name.as_str() {
                "lxc" | "podman" | "containerd" | "systemd-nspawn" => found.guest(&name),
                _ => found.guest("container"),
            }
        }
        if Path::new("/run/.containerenv").exists() {
            found.guest("podman");
        }
        if let Some(name) = text_of("/run/systemd/container") {
            found.guest("container");
            found.guest(&name);
        }
        found.look_at_firmware();
        if Path::new("/proc/xen").exists() {
            if text_of("/proc/xen/capabilities").is_some_and(|text| text.contains("control_d")) {
                found.host("xen")
            } else {
                found.guest("xen")
            }
        }
        if look.host.find_program("lscpu").is_none()
            && found.guest.is_empty()
            && text_of("/proc/cpuinfo").is_some_and(|text| text.contains("QEMU Virtual CPU"))
        {
            found.guest("kvm");
        }
        if Path::new("/dev/kvm").exists() {
            found.host("kvm");
        }
        let modules = text_of("/proc/modules").unwrap_or_default();
        let has = |name: &str| modules.lines().any(|line| line.split(' ').next() == Some(name));
        if has("vboxdrv") {
            found.host("virtualbox");
        }
        if has("kvm") {
            found.host("kvm");
        }
        found
    }

    fn look_at_firmware(&mut self) {
        let read = |file: &str| text_of(Path::new("/sys/devices/virtual/dmi/id").join(file)).unwrap_or_default();
        let (product, vendor, bios, family) = (read("product_name"), read("sys_vendor"), read("bios_vendor"), read("product_family"));
        let kvm = ["KVM", "KVM Server", "Bochs", "AHV", "CloudStack KVM Hypervisor"];
        if kvm.contains(&product.as_str()) || vendor == "QEMU" || vendor == "Amazon EC2" || bios == "Amazon EC2" {
            self.guest("kvm");
        } else if vendor == "oVirt" {
            self.guest("oVirt");
        } else if vendor == "Red Hat" || family == "RHV" {
            self.guest(if family == "RHV" { "RHV" } else { "kvm" });
        } else if product.contains("VMware") {
            self.guest("VMware");
        } else if ["OpenStack Compute", "OpenStack Nova"].contains(&product.as_str()) {
            self.guest("openstack");
        } else if bios == "Xen" {
            self.guest("xen");
        } else if bios == "innotek GmbH" {
            self.guest("virtualbox");
        } else if ["HVM domU"].contains(&product.as_str()) {
            self.guest("xen");
        } else if vendor == "Parallels Software International Inc." {
            self.guest("parallels");
        } else if vendor == "Microsoft Corporation" && product == "Virtual Machine" {
            self.guest("VirtualPC");
        } else if ["Google", "DigitalOcean", "linode", "Hetzner", "Nutanix"].iter().any(|name| vendor.contains(name)) {
            self.guest("kvm");
        }
    }

    fn guest(&mut self, name: &str) {
        if self.first.is_none() {
            self.first = Some(name.to_owned());
        }
        if !self.guest.iter().any(|known| known == name) {
            self.guest.push(name.to_owned());
        }
    }

    fn host(&mut self, name: &'static str) {
        if !self.host.contains(&name) {
            self.host.push(name);
        }
    }

    fn kind(&self) -> String {
        self.first.clone().or_else(|| self.host.first().map(|name| (*name).to_owned())).unwrap_or_else(|| "NA".to_owned())
    }

    fn role(&self) -> &'static str {
        match (self.first.is_some(), self.host.is_empty()) {
            (true, _) => "guest",
            (false, false) => "host",
            (false, true) => "NA",
        }
    }
}

/// What the first process was told that it runs in.
fn container_name() -> Option<String> {
    let environment = std::fs::read("/proc/1/environ").ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(b"container="))?;
    (!value.is_empty()).then(|| String::from_utf8_lossy(value).into_owned())
}

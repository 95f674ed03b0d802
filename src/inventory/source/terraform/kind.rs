//! Types of resources that are hosts: where each keeps its name, its addresses, its labels.

use crate::value::Value;

use super::document::Resource;

/// How to read a type. Paths go through maps by name and through lists by number.
pub(super) struct Kind {
    pub name: &'static str,
    /// Where the host's name may stand, best first.
    names: &'static [&'static str],
    /// Addresses that are reached from everywhere, best first.
    public: &'static [&'static str],
    /// Addresses in a network of the provider's.
    private: &'static [&'static str],
    /// Maps of labels and lists of tags.
    labels: &'static [&'static str],
    /// The user to log in as.
    user: Option<&'static str>,
}

const fn kind(
    name: &'static str,
    names: &'static [&'static str],
    public: &'static [&'static str],
    private: &'static [&'static str],
    labels: &'static [&'static str],
) -> Kind {
    Kind { name, names, public, private, labels, user: None }
}

/// All types, by name.
#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    kind("alicloud_instance", &["instance_name", "host_name"], &["public_ip"], &["private_ip", "primary_ip_address"], &["tags"]),
    kind("aws_instance", &["tags.Name"], &["public_ip", "public_dns"], &["private_ip", "ipv6_addresses.0"], &["tags"]),
    kind("aws_lightsail_instance", &["name"], &["public_ip_address", "ipv6_addresses.0"], &["private_ip_address"], &["tags"]),
    kind("aws_spot_instance_request", &["tags.Name"], &["public_ip", "public_dns"], &["private_ip"], &["tags"]),
    Kind { user: Some("admin_username"), ..kind("azurerm_linux_virtual_machine", &["name", "computer_name"], &["public_ip_address", "public_ip_addresses.0"], &["private_ip_address", "private_ip_addresses.0"], &["tags"]) },
    kind("digitalocean_droplet", &["name"], &["ipv4_address", "ipv6_address"], &["ipv4_address_private"], &["tags"]),
    kind("equinix_metal_device", &["hostname"], &["access_public_ipv4", "access_public_ipv6"], &["access_private_ipv4"], &["tags"]),
    kind("exoscale_compute_instance", &["name"], &["public_ip_address", "ipv6_address"], &[], &["labels"]),
    kind("google_compute_instance", &["name"], &["network_interface.0.access_config.0.nat_ip", "network_interface.0.ipv6_access_config.0.external_ipv6"], &["network_interface.0.network_ip"], &["labels", "tags"]),
    kind("hcloud_server", &["name"], &["ipv4_address", "ipv6_address"], &["network.0.ip"], &["labels"]),
    kind("ibm_is_instance", &["name"], &[], &["primary_network_interface.0.primary_ip.0.address", "primary_network_interface.0.primary_ipv4_address"], &["tags"]),
    kind("incus_instance", &["name"], &[], &["ipv4_address", "ipv6_address"], &[]),
    kind("libvirt_domain", &["name"], &[], &["network_interface.0.addresses.0"], &[]),
    kind("linode_instance", &["label"], &["ip_address", "ipv4.0"], &["private_ip_address"], &["tags"]),
    kind("lxd_instance", &["name"], &[], &["ipv4_address", "ipv6_address"], &[]),
    kind("oci_core_instance", &["display_name", "hostname_label"], &["public_ip"], &["private_ip"], &["freeform_tags"]),
    kind("openstack_compute_instance_v2", &["name"], &["floating_ip", "network.0.floating_ip", "access_ip_v4"], &["network.0.fixed_ip_v4", "access_ip_v6"], &["metadata", "tags"]),
    kind("proxmox_virtual_environment_vm", &["name"], &[], &["ipv4_addresses.1.0", "ipv4_addresses.0.0"], &["tags"]),
    kind("proxmox_vm_qemu", &["name"], &[], &["ssh_host", "default_ipv4_address"], &[]),
    kind("scaleway_instance_server", &["name"], &["public_ips.0.address", "public_ip"], &["private_ips.0.address", "private_ip"], &["tags"]),
    kind("upcloud_server", &["hostname", "title"], &["network_interface.0.ip_address"], &[], &["labels", "tags"]),
    kind("vsphere_virtual_machine", &["name"], &[], &["default_ip_address", "guest_ip_addresses.0"], &["custom_attributes"]),
    kind("vultr_instance", &["label", "hostname"], &["main_ip", "v6_main_ip"], &["internal_ip"], &["tags"]),
];

/// The type of this name.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl Kind {
    pub fn host_name(&self, resource: &Resource) -> Option<String> {
        first(resource, self.names)
    }

    pub fn public(&self, resource: &Resource) -> Option<String> {
        first(resource, self.public)
    }

    pub fn private(&self, resource: &Resource) -> Option<String> {
        first(resource, self.private)
    }

    pub fn user(&self, resource: &Resource) -> Option<String> {
        self.user.and_then(|path| text(&resource.values, path))
    }

    /// `env_prod` of a label, `web` of a tag.
    pub fn labels(&self, resource: &Resource) -> Vec<String> {
        let mut found = Vec::new();
        for path in self.labels {
            match resource.values.get(path) {
                Some(Value::Map(labels)) => {
                    for (key, value) in labels.iter() {
                        let value = value.as_str().map_or_else(|| crate::value::to_json(value).to_string(), str::to_owned);
                        found.push(if value.is_empty() { key.to_json_key() } else { format!("{}_{value}", key.to_json_key()) });
                    }
                }
                Some(Value::List(tags)) => found.extend(tags.iter().filter_map(Value::as_str).map(str::to_owned)),
                _ => {}
            }
        }
        found
    }
}

fn first(resource: &Resource, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| text(&resource.values, path))
}

/// The text at a path; an empty one is none. An address comes without its prefix length.
pub(super) fn text(values: &crate::value::Map, path: &str) -> Option<String> {
    let mut steps = path.split('.');
    let mut value = values.get(steps.next()?)?;
    for step in steps {
        value = match value {
            Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
            other => other.get(step)?,
        };
    }
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(match text.split_once('/') {
        Some((address, _)) if address.parse::<std::net::IpAddr>().is_ok() => address.to_owned(),
        _ => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted() {
        assert!(KINDS.is_sorted_by_key(|kind| kind.name));
    }
}

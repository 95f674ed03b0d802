//! From resources to hosts: which are hosts, what they are called, where they are reached.

use std::collections::HashMap;

use super::document::Resource;
use super::kind::{self, Kind};
use crate::value::{Map, Value};

/// A resource that is a host.
pub(super) struct Machine<'d> {
    pub resource: &'d Resource,
    pub kind: Option<&'static Kind>,
    pub name: String,
    pub address: Option<String>,
}

/// Which resources are hosts.
pub(super) enum Choice {
    /// Those of known types; where Terraform's `ansible` provider named hosts, these alone.
    Automatic,
    /// These types.
    Types(Vec<String>),
}

/// A name that `hostnames` asks for.
pub(super) struct HostName {
    /// `tag:Name`, or the path of an attribute.
    pub path: String,
    pub prefix: Option<(String, String)>,
}

/// The hosts among resources. Names are those that `names` ask for, else the first that is one host's alone: of the machine itself, of
/// the resource with its index, the address.
pub(super) fn machines<'d>(resources: &'d [Resource], choice: &Choice, names: &[HostName]) -> Vec<Machine<'d>> {
    let is_named = resources.iter().any(|resource| resource.kind == "ansible_host");
    let is_host = |resource: &&Resource| match choice {
        Choice::Types(types) => types.contains(&resource.kind),
        Choice::Automatic if is_named => resource.kind == "ansible_host",
        Choice::Automatic => kind::named(&resource.kind).is_some(),
    };
    let hosts: Vec<&Resource> = resources.iter().filter(is_host).collect();
    let candidates: Vec<[Option<String>; 3]> = hosts.iter().map(|resource| own_names(resource)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    candidates.iter().flat_map(|names| names.iter().flatten().collect::<std::collections::HashSet<_>>()).for_each(|name| {
        *counts.entry(name).or_default() += 1;
    });
    let associated = associated_addresses(resources);
    let machine = |(resource, own): (&&'d Resource, &[Option<String>; 3])| {
        let alone = own.iter().flatten().find(|name| counts.get(name.as_str()) == Some(&1));
        let asked = names.iter().find_map(|name| name.of(resource));
        let kind = kind::named(&resource.kind);
        let id = resource.values.get("id").and_then(Value::as_str);
        let associated = id.and_then(|id| associated.get(id)).cloned();
        let address = associated.or_else(|| kind.and_then(|kind| kind.public(resource).or_else(|| kind.private(resource))));
        // The `ansible` provider says by name which hosts are the same.
        let name = if resource.kind == "ansible_host" { own[0].clone() } else { None };
        let name = asked.or(name).or_else(|| alone.cloned()).unwrap_or_else(|| resource.address.clone());
        Machine { resource, kind, name, address }
    };
    hosts.iter().zip(&candidates).map(machine).collect()
}

fn own_names(resource: &Resource) -> [Option<String>; 3] {
    let own = match kind::named(&resource.kind) {
        Some(kind) => kind.host_name(resource),
        None => kind::text(&resource.values, "name"),
    };
    let of_resource = match &resource.index {
        Some(index) => format!("{}-{index}", resource.name),
        None => resource.name.clone(),
    };
    // Brackets in a pattern are a choice of hosts, colons and commas part it.
    let clean = |name: &str| name.replace(['[', ':'], "-").replace([']', '"', ',', ' '], "");
    [own, Some(clean(&of_resource)), Some(clean(&resource.address))]
}

impl HostName {
    fn of(&self, resource: &Resource) -> Option<String> {
        let found = match self.path.strip_prefix("tag:") {
            Some(tag) => ["tags", "labels"].iter().find_map(|map| resource.values.get(map)?.get(tag)?.as_str().map(str::to_owned)),
            None => kind::text(&resource.values, &self.path),
        };
        let found = found.filter(|name| !name.is_empty())?;
        Some(match &self.prefix {
            Some((prefix, separator)) => {
                format!("{}{separator}{found}", kind::text(&resource.values, prefix).unwrap_or_else(|| prefix.clone()))
            }
            None => found,
        })
    }
}

/// Addresses that resources of their own give to machines, by the machine's id.
fn associated_addresses(resources: &[Resource]) -> HashMap<String, String> {
    const ASSOCIATIONS: &[(&str, &str, &str)] = &[
        ("aws_eip", "instance", "public_ip"),
        ("aws_eip_association", "instance_id", "public_ip"),
        ("hcloud_floating_ip", "server_id", "ip_address"),
        ("openstack_compute_floatingip_associate_v2", "instance_id", "floating_ip"),
    ];
    let mut found = HashMap::new();
    for resource in resources {
        let association = ASSOCIATIONS.iter().find(|(kind, ..)| *kind == resource.kind);
        if let Some((_, machine, address)) = association
            && let (Some(machine), Some(address)) = (kind::text(&resource.values, machine), kind::text(&resource.values, address))
        {
            found.insert(machine, address);
        }
    }
    found
}

/// What is known of a host from Terraform: the variable `terraform`.
pub(super) fn description(resource: &Resource) -> Map {
    let mut about = Map::new();
    about.insert("address", resource.address.as_str());
    about.insert("index", resource.index.as_deref().map_or(Value::Null, Value::text));
    about.insert("module", Value::list(resource.modules.iter().map(|name| Value::text(name.as_str())).collect()));
    about.insert("name", resource.name.as_str());
    about.insert("type", resource.kind.as_str());
    about.insert("values", resource.values.clone());
    about
}

//! `module_defaults`: which of the defaults in force are a module's. Names and groups are written out, only values may be templates,
//! so all is known when a task is loaded. A module named inside wins over one named outside, whole; groups stand below modules.

use super::keywords::spanned;
use super::task::INCLUDES;
use super::{Known, Loader};
use crate::playbook::{ActionName, Keywords, Routed};
use crate::source::{Diagnostics, Spanned, short_name};
use crate::value::Value;
use crate::yaml::Node;

/// The groups of Ansible itself, sorted, and the collections whose groups of the same name they stand for, there or not.
const OWN_GROUPS: &[(&str, &[&str])] = &[
    ("acme", &["community.crypto"]),
    ("aws", &["amazon.aws", "community.aws"]),
    ("azure", &["azure.azcollection"]),
    ("cpm", &["wti.remote"]),
    ("docker", &["community.docker", "community.general"]),
    ("gcp", &["google.cloud"]),
    ("k8s", &["kubernetes.core", "community.kubernetes", "community.okd"]),
    ("os", &["openstack.cloud"]),
    ("ovirt", &["ovirt.ovirt"]),
    ("vmware", &["community.vmware"]),
];

fn own_group(group: &str) -> Option<(&'static str, &'static [&'static str])> {
    let short = group.strip_prefix("ansible.builtin.").unwrap_or(group);
    OWN_GROUPS.iter().find(|(name, _)| *name == short).copied()
}

impl Loader<'_> {
    /// Takes what a keyword says, and reports what it cannot mean.
    pub(super) fn take_module_defaults(&self, node: &Node, keywords: &mut Keywords, diagnostics: &mut Diagnostics) {
        let items: Vec<&Node> = node.as_sequence().map_or_else(|| vec![node], |items| items.iter().collect());
        for item in items.into_iter().filter(|item| !item.is_null()) {
            let Some(entries) = item.as_mapping() else {
                let message = "The field 'module_defaults' is supposed to be a dictionary or list of dictionaries, the keys of which must be \
                               static action, module, or group names. Only the values may contain templates. For example: {'ping': \"{{ \
                               ping_defaults }}\"}";
                diagnostics.push(item.error(message));
                continue;
            };
            for (key, value) in entries {
                let Some(name) = key.as_str() else { continue };
                match name.strip_prefix("group/") {
                    Some(group) if self.is_group(group) => {}
                    Some(group) => {
                        let full = if group.contains('.') { group.to_owned() } else { format!("ansible.builtin.{group}") };
                        let message = format!("Error loading module_defaults: could not resolve the module_defaults group {full}");
                        diagnostics.push(key.error(message));
                    }
                    None if self.has_action(name) => {}
                    None => match self.route(name, &[]) {
                        Routed::Refused(message) => {
                            self.missing.set(true);
                            diagnostics.push(key.error(message));
                        }
                        // A role that is loaded later may bring it.
                        Routed::To { .. } | Routed::Missing => {
                            self.unresolved_defaults.borrow_mut().push(Spanned::new(name.to_owned(), key.span.clone()));
                        }
                    },
                }
                keywords.module_defaults.push((Spanned::new(name.to_owned(), key.span.clone()), spanned(value)));
            }
        }
    }

    /// The defaults of a module, those that win last.
    pub fn module_defaults(&self, keywords: &Keywords, module: &ActionName) -> Vec<Spanned<Value>> {
        let mut merged: Vec<&(Spanned<String>, Spanned<Value>)> = Vec::new();
        for entry in &keywords.module_defaults {
            merged.retain(|(name, _)| name.value != entry.0.value);
            merged.push(entry);
        }
        let is_meant = |name: &str| {
            let name = short_name(name);
            let gathers = name == "setup" && &*module.short == "gather_facts";
            gathers || *name == *module.short || *name == *module.written || self.leads_to(name, &module.short)
        };
        let (groups, modules): (Vec<_>, Vec<_>) = merged.into_iter().partition(|(name, _)| name.value.starts_with("group/"));
        let of_groups = groups.into_iter().filter(|(name, _)| {
            let group = name.value.trim_start_matches("group/");
            self.group_members(group).iter().any(|member| is_meant(member))
        });
        let of_modules = modules.into_iter().filter(|(name, _)| is_meant(&name.value));
        of_groups.chain(of_modules).map(|(_, options)| options.clone()).collect()
    }

    /// Reports the modules of `module_defaults` that nobody knows, now that all modules are known.
    pub(super) fn check_module_defaults(&self, diagnostics: &mut Diagnostics) {
        for name in self.unresolved_defaults.take() {
            if self.known(&name.value) == Known::No {
                let full = if name.value.matches('.').count() < 2 { "ansible.legacy." } else { "" };
                diagnostics.push(name.error(format!("Could not resolve action {full}{} in module_defaults", name.value)));
            }
        }
    }

    /// Whether a module, or what stands for one, is known by this name.
    pub(super) fn has_action(&self, name: &str) -> bool {
        match self.route(name, &[]) {
            Routed::To { name: full, file, .. } => {
                let is_short = name.matches('.').count() != 1;
                file || is_short && (self.known(short_name(&full)) != Known::No || INCLUDES.contains(&short_name(&full)))
            }
            Routed::Refused(_) => false,
            Routed::Missing => self.known(name) != Known::No,
        }
    }

    fn is_group(&self, group: &str) -> bool {
        own_group(group).is_some() || !self.group_members(group).is_empty()
    }

    fn group_members(&self, group: &str) -> Vec<String> {
        match own_group(group) {
            Some((group, collections)) => {
                collections.iter().flat_map(|collection| self.world.collections.action_group(&format!("{collection}.{group}"))).collect()
            }
            None => self.world.collections.action_group(group),
        }
    }

    fn leads_to(&self, name: &str, short: &str) -> bool {
        name.matches('.').count() >= 2
            && matches!(self.world.collections.module(name), Routed::To { name, .. } if short_name(&name) == short)
    }
}

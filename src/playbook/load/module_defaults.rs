//! `module_defaults`: which of the defaults in force are a module's. Names and groups are written out, only values may be templates,
//! so all is known when a task is loaded. A module named inside wins over one named outside, whole; groups stand below modules.

use super::Loader;
use super::keywords::spanned;
use super::task::short_name;
use crate::playbook::{ActionName, Keywords, Routed};
use crate::source::{Diagnostics, Spanned};
use crate::value::Value;
use crate::yaml::Node;

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
                if let Some(group) = name.strip_prefix("group/")
                    && self.group_members(group).is_empty()
                {
                    let message = format!("Error loading module_defaults: could not resolve the module_defaults group {group}");
                    diagnostics.push(key.error(message));
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

    fn group_members(&self, group: &str) -> Vec<String> {
        self.world.collections.action_group(group)
    }

    fn leads_to(&self, name: &str, short: &str) -> bool {
        name.matches('.').count() >= 2
            && matches!(self.world.collections.module(name), Routed::To { name, .. } if short_name(&name) == short)
    }
}

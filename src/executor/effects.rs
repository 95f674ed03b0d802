//! What tasks do to the run itself: facts, registered variables, hosts and groups, stats. Only our own actions add hosts, groups
//! or stats; what a host returned becomes facts at most.

use std::sync::Arc;

use super::batch::Batch;
use super::job::HostResult;
use crate::action::Effect;
use crate::event::Event;
use crate::inventory::{HostId, Inventory};
use crate::source::Diagnostics;
use crate::value::{ListMerge, Map, Recursive, Value, merge};
use crate::vars::{HostUpdate, dropped_facts};

/// What a task added to the inventory; kept, since a refresh keeps it.
pub(super) enum InventoryChange {
    /// `add_host`.
    Host { name: String, groups: Vec<String>, vars: Map },
    /// `group_by`.
    Group { group: String, parents: Vec<String>, hosts: Vec<Arc<str>> },
}

impl InventoryChange {
    pub(super) fn apply(&self, inventory: &mut Inventory) {
        match self {
            Self::Host { name, groups, vars } => {
                let is_new = inventory.host_named(name).is_none();
                let host = inventory.add_host(name);
                if is_new {
                    // New hosts are in `all` itself, and so before those that are in groups below it.
                    inventory.add_host_to_group(host, Inventory::ALL);
                }
                for group in groups {
                    let group = inventory.add_group(group);
                    inventory.add_host_to_group(host, group);
                }
                for (key, value) in vars.iter() {
                    inventory.set_host_variable(host, &key.to_json_key(), value.clone());
                }
            }
            Self::Group { group, parents, hosts } => {
                let child = inventory.add_group(group);
                for parent in parents.iter().filter(|parent| *parent != "all") {
                    let parent = inventory.add_group(parent);
                    // A loop of groups leaves them as they were, as in Ansible.
                    let _ = inventory.add_child(parent, child);
                }
                for host in hosts.iter().filter_map(|host| inventory.host_named(host)).collect::<Vec<_>>() {
                    inventory.add_host_to_group(host, child);
                }
            }
        }
    }
}

impl Batch<'_, '_> {
    /// Makes known what a task found out or set.
    pub(super) fn publish(&mut self, result: &mut HostResult, run_once: bool) {
        let all: Vec<HostId> =
            if run_once { self.hosts.iter().filter(|host| !host.unreachable).map(|host| host.id).collect() } else { vec![result.host] };
        let hosts = |host: Option<HostId>| host.map_or_else(|| all.clone(), |host| vec![host]);
        for facts in std::mem::take(&mut result.facts).into_iter().filter(|facts| !facts.what.is_empty()) {
            for name in dropped_facts(facts.what.keys().filter_map(|key| key.as_str())) {
                self.executor.tell(Event::Warning(format!("Removed restricted key from module data: {name}")));
            }
            for host in hosts(facts.host) {
                self.change_world().publish(host, HostUpdate { facts: facts.what.clone(), ..HostUpdate::default() });
                self.executor.write_fact_cache(host);
            }
        }
        for effect in std::mem::take(&mut result.effects) {
            self.apply(effect.what, &all, &hosts(effect.host), result.host);
        }
        if !result.registered.is_empty() {
            for host in &all {
                let set_facts = result.registered.clone();
                self.change_world().publish(*host, HostUpdate { set_facts, ..HostUpdate::default() });
            }
        }
    }

    fn apply(&mut self, effect: Effect, all: &[HostId], fact_hosts: &[HostId], own: HostId) {
        match effect {
            Effect::SetFacts { facts, cacheable } => {
                for host in fact_hosts {
                    let cached = if cacheable { facts.clone() } else { Map::new() };
                    let update = HostUpdate { facts: cached, set_facts: facts.clone(), ..HostUpdate::default() };
                    self.change_world().publish(*host, update);
                    if cacheable {
                        self.executor.write_fact_cache(*host);
                    }
                }
            }
            Effect::IncludeVars(vars) => {
                for host in fact_hosts {
                    self.change_world().publish(*host, HostUpdate { include_vars: vars.clone(), ..HostUpdate::default() });
                }
            }
            Effect::AddHost { name, groups, vars } => {
                let adds = adds_host(self.executor.vars.inventory(), &name, &groups, &vars);
                let host = name.clone();
                self.change_inventory(InventoryChange::Host { name, groups, vars });
                if adds {
                    self.join_play(&host);
                }
            }
            Effect::GroupBy { group, parents } => {
                let inventory = self.executor.vars.inventory();
                let hosts = all.iter().map(|host| Arc::clone(inventory.host(*host).name())).collect();
                self.change_inventory(InventoryChange::Group { group, parents, hosts });
            }
            Effect::Stats { data, per_host, aggregate } => self.add_stats(data, per_host, aggregate, own),
        }
    }

    fn change_inventory(&mut self, change: InventoryChange) {
        let mut inventory = Inventory::clone(self.executor.vars.inventory());
        change.apply(&mut inventory);
        self.executor.inventory_changes.push(change);
        inventory.settle();
        self.executor.vars = self.executor.vars.with_inventory(Arc::new(inventory), &mut Diagnostics::new());
        self.change_world();
        self.layers = self.vars.prepare(self.executor.vars.inventory());
    }

    /// A host that was added is one of the play's at once, though no task of it runs there.
    fn join_play(&mut self, name: &str) {
        let Some(host) = self.executor.vars.inventory().host_named(name) else { return };
        if !self.vars.hosts_all.contains(&host) {
            self.vars.hosts_all.push(host);
            self.vars.hosts.push(host);
            self.layers = self.vars.prepare(self.executor.vars.inventory());
        }
    }

    fn add_stats(&mut self, data: Map, per_host: bool, aggregate: bool, host: HostId) {
        let name = Arc::clone(self.executor.vars.inventory().host(host).name());
        let stats = &mut self.executor.stats;
        let into = if per_host { stats.custom_by_host.entry(name).or_default() } else { &mut stats.custom };
        for (key, value) in data {
            let sum = match (into.get_key(key.value()), aggregate) {
                (Some(old), true) => aggregated(old, &value),
                (Some(_) | None, _) => value,
            };
            into.insert(key, sum);
        }
    }
}

/// Whether `add_host` adds something that is not there yet.
pub(super) fn adds_host(inventory: &Inventory, name: &str, groups: &[String], vars: &Map) -> bool {
    inventory.host_named(name).is_none_or(|host| {
        let known = inventory.host(host).vars();
        let is_known = vars.iter().all(|(key, value)| known.get(&key.to_json_key()) == Some(value));
        !is_known || !groups.iter().all(|group| is_in_group(inventory, host, group))
    })
}

/// Whether the host is in the group, or in one below it.
pub(super) fn is_in_group(inventory: &Inventory, host: HostId, group: &str) -> bool {
    inventory.group_names(host).iter().any(|name| **name == *group)
}

/// Numbers are added, texts and lists joined, maps merged.
fn aggregated(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Int(old), Value::Int(new)) => Value::Int(old.saturating_add(*new)),
        (Value::Float(old), Value::Float(new)) => Value::Float(old + new),
        (Value::Text(old), Value::Text(new)) => Value::text(format!("{}{}", old.as_str(), new.as_str())),
        (Value::List(old), Value::List(new)) => Value::list([&old[..], &new[..]].concat()),
        (Value::Map(old), Value::Map(new)) => Value::map(merge(old, new, Recursive::Yes, ListMerge::Replace)),
        _ => new.clone(),
    }
}

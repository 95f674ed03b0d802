//! Which hosts there are, and in which groups: `Inventory` holds `Host` and `Group` in an arena, named by ids. A snapshot is cheap
//! to clone; `add_host` and `group_by` change a copy. Knows no precedence: variables are only kept where they were written.

mod group;
mod host;
mod pattern;
mod source;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use group::{Group, GroupId};
pub use host::{Host, HostId};
pub use pattern::{HostPattern, Mismatch, PatternError};
pub use source::{GroupNames, HostVariables, SourceOptions, VarFiles, load};

use crate::value::{Map, Text, Value};

/// Hosts and groups. Groups form a directed graph without cycles below `all`; hosts keep the order in which they were met.
#[derive(Clone)]
pub struct Inventory {
    hosts: Vec<Arc<Host>>,
    groups: Vec<Arc<Group>>,
    host_ids: Arc<HashMap<Arc<str>, HostId>>,
    group_ids: Arc<HashMap<Arc<str>, GroupId>>,
    /// The sources as the user gave them, files with their absolute path.
    sources: Arc<Vec<Arc<str>>>,
    /// What a host pattern is that names nobody.
    mismatch: Mismatch,
    /// The name by which a play met the implicit `localhost` is its name for the rest of the run.
    localhost_is_met: bool,
    /// Whether all sources are read; before that a group that no source puts below another is not yet below `all`.
    is_complete: bool,
    derived: Derived,
}

/// What follows from the rest, computed when asked for. A clone starts anew, since it is made to be changed.
#[derive(Default)]
struct Derived {
    groups_variable: OnceLock<Value>,
    all_hosts: OnceLock<Vec<HostId>>,
}

impl Clone for Derived {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Names of this machine that patterns and `delegate_to` may use whatever the inventory has.
pub const LOCALHOST: &[&str] = &["localhost", "127.0.0.1", "::1"];

/// A group cannot be put below itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("adding group `{child}` as child of `{parent}` makes a loop")]
pub struct GroupLoop {
    /// What was to be the upper group.
    pub parent: String,
    /// What was to be the lower group.
    pub child: String,
}

impl Default for Inventory {
    fn default() -> Self {
        Self::new()
    }
}

impl Inventory {
    /// No hosts; the groups `all` and `ungrouped`, which always are.
    pub fn new() -> Self {
        let mut inventory = Self {
            hosts: Vec::new(),
            groups: Vec::new(),
            host_ids: Arc::default(),
            group_ids: Arc::default(),
            sources: Arc::default(),
            mismatch: Mismatch::default(),
            localhost_is_met: false,
            is_complete: true,
            derived: Derived::default(),
        };
        let all = inventory.add_group("all");
        let ungrouped = inventory.add_group("ungrouped");
        inventory.link(all, ungrouped);
        inventory.settle();
        inventory
    }

    /// The group `all`.
    pub const ALL: GroupId = GroupId(0);
    /// The group of hosts that are in no other.
    pub const UNGROUPED: GroupId = GroupId(1);

    /// The host with this id.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.index()]
    }

    /// The group with this id.
    pub fn group(&self, id: GroupId) -> &Group {
        &self.groups[id.index()]
    }

    /// The host of this name; an implicit `localhost` only once it was asked for with [`Inventory::implicit_localhost`].
    pub fn host_named(&self, name: &str) -> Option<HostId> {
        self.host_ids.get(name).copied()
    }

    /// The group of this name.
    pub fn group_named(&self, name: &str) -> Option<GroupId> {
        self.group_ids.get(name).copied()
    }

    /// All hosts in the order met, an implicit `localhost` included.
    pub fn host_ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..u32::try_from(self.hosts.len()).unwrap_or(u32::MAX)).map(HostId)
    }

    /// All groups in the order met.
    pub fn group_ids(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..u32::try_from(self.groups.len()).unwrap_or(u32::MAX)).map(GroupId)
    }

    /// How many hosts, an implicit `localhost` included: ids are below this.
    pub fn host_count(&self) -> usize {
        self.hosts.len()
    }

    /// Where this was read from: the value of `ansible_inventory_sources`.
    pub fn sources(&self) -> &[Arc<str>] {
        &self.sources
    }

    /// The folders that may have `group_vars` and `host_vars`, weakest first: a source that is a folder, or that of a file.
    pub fn var_dirs(&self) -> Vec<PathBuf> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        for source in self.sources.iter().map(|source| Path::new(&**source)) {
            let dir = if source.is_dir() { Some(source) } else { source.parent().filter(|_| source.exists()) };
            if let Some(dir) = dir {
                dirs.retain(|other| other != dir);
                dirs.push(dir.to_path_buf());
            }
        }
        dirs
    }

    /// The hosts of a group and of all groups below it, in Ansible's order.
    pub fn hosts_of(&self, group: GroupId) -> Vec<HostId> {
        if group == Self::ALL {
            // An implicit `localhost` is no part of `all`, even where `group_by` put it into a group.
            let all = || self.walk_hosts(group).into_iter().filter(|host| !self.host(*host).is_implicit).collect();
            return self.derived.all_hosts.get_or_init(all).clone();
        }
        self.walk_hosts(group)
    }

    fn walk_hosts(&self, group: GroupId) -> Vec<HostId> {
        let mut seen = vec![false; self.hosts.len()];
        let mut hosts = Vec::new();
        for id in self.descendants(group) {
            for host in &self.group(id).hosts {
                if !std::mem::replace(&mut seen[host.index()], true) {
                    hosts.push(*host);
                }
            }
        }
        hosts
    }

    /// A group and all below it, level by level.
    pub fn descendants(&self, group: GroupId) -> Vec<GroupId> {
        self.walk_groups(group, |group| group.children.iter())
    }

    /// A group and all above it, level by level.
    pub fn ancestors(&self, group: GroupId) -> Vec<GroupId> {
        self.walk_groups(group, |group| group.parents.iter())
    }

    fn walk_groups<'i, I: Iterator<Item = &'i GroupId>>(&'i self, group: GroupId, next: impl Fn(&'i Group) -> I) -> Vec<GroupId> {
        let mut seen = vec![false; self.groups.len()];
        seen[group.index()] = true;
        let mut found = vec![group];
        let mut at = 0;
        while let Some(id) = found.get(at).copied() {
            for other in next(self.group(id)) {
                if !std::mem::replace(&mut seen[other.index()], true) {
                    found.push(*other);
                }
            }
            at += 1;
        }
        found
    }

    /// All groups that a host is in, `all` included, in the order in which their variables are merged: by depth, priority, name.
    pub fn groups_of(&self, host: HostId) -> Vec<GroupId> {
        let mut seen = vec![false; self.groups.len()];
        let mut found: Vec<GroupId> = Vec::new();
        let mut open = self.host(host).groups.clone();
        if self.is_complete && !self.host(host).is_implicit {
            open.push(Self::ALL);
        }
        while let Some(id) = open.pop() {
            if !std::mem::replace(&mut seen[id.index()], true) {
                found.push(id);
                open.extend(self.group(id).parents.iter().copied());
            }
        }
        found.sort_by(|left, right| self.merge_rank(*left).cmp(&self.merge_rank(*right)));
        found
    }

    fn merge_rank(&self, group: GroupId) -> (u32, i64, &str) {
        let group = self.group(group);
        (group.depth, group.priority, &group.name)
    }

    /// The value of `group_names`: sorted, without `all`.
    pub fn group_names(&self, host: HostId) -> Vec<Arc<str>> {
        let groups = self.groups_of(host);
        let mut names: Vec<Arc<str>> = groups.iter().filter(|id| **id != Self::ALL).map(|id| Arc::clone(&self.group(*id).name)).collect();
        names.sort();
        names
    }

    /// The value of `groups`: each group with the names of its hosts.
    pub fn groups_variable(&self) -> &Value {
        self.derived.groups_variable.get_or_init(|| {
            let names = |id: GroupId| {
                Value::list(self.hosts_of(id).into_iter().map(|host| Value::text(Arc::clone(&self.host(host).name))).collect())
            };
            Value::map(self.group_ids().map(|id| (self.group(id).name.as_ref().into(), names(id))).collect::<Map>())
        })
    }

    /// `localhost` as Ansible knows it without any inventory: local, in no group. One host that answers to all of [`LOCALHOST`], by the
    /// name that a play met it by first; where the inventory names one of them, that host answers to the others.
    pub fn implicit_localhost(&mut self, name: &str) -> HostId {
        if let Some(id) = self.host_named(name) {
            if self.host(id).is_implicit && !self.localhost_is_met {
                self.localhost_is_met = true;
                self.rename(id, name);
            }
            return id;
        }
        let id = self.add_host(name);
        let host = self.host_mut(id);
        host.is_implicit = true;
        host.set("ansible_connection", Value::text("local"));
        host.set("ansible_python_interpreter", Value::Text(Text::trusted("{{ ansible_playbook_python }}", None)));
        self.name_localhost(id);
        id
    }

    /// Makes sure that all of [`LOCALHOST`] are known, after sources were read.
    fn settle_localhost(&mut self) {
        let named = self.host_ids().find(|id| LOCALHOST.contains(&&**self.host(*id).name()));
        let id = named.unwrap_or_else(|| self.implicit_localhost(LOCALHOST[0]));
        self.name_localhost(id);
    }

    fn name_localhost(&mut self, id: HostId) {
        let names = Arc::make_mut(&mut self.host_ids);
        for name in LOCALHOST {
            names.entry((*name).into()).or_insert(id);
        }
    }

    fn rename(&mut self, id: HostId, name: &str) {
        if &**self.host(id).name() != name {
            self.derived = Derived::default();
            self.host_mut(id).name = name.into();
        }
    }

    /// The host `name`, made where it is not there; in no group yet ([`Inventory::settle`] puts it into `ungrouped`).
    pub fn add_host(&mut self, name: &str) -> HostId {
        if let Some(id) = self.host_named(name) {
            if self.host(id).is_implicit {
                self.derived = Derived::default();
                self.rename(id, name);
                let host = self.host_mut(id);
                (host.is_implicit, host.vars) = (false, Arc::default());
                return id;
            }
            if &**self.host(id).name() == name {
                return id;
            }
        }
        self.derived = Derived::default();
        let id = HostId(u32::try_from(self.hosts.len()).expect("fewer hosts than 2^32"));
        let name: Arc<str> = name.into();
        self.hosts.push(Arc::new(Host::new(Arc::clone(&name))));
        Arc::make_mut(&mut self.host_ids).insert(name, id);
        id
    }

    /// The group `name`, made where it is not there.
    pub fn add_group(&mut self, name: &str) -> GroupId {
        if let Some(id) = self.group_named(name) {
            return id;
        }
        self.derived = Derived::default();
        let id = GroupId(u32::try_from(self.groups.len()).expect("fewer groups than 2^32"));
        let name: Arc<str> = name.into();
        self.groups.push(Arc::new(Group::new(Arc::clone(&name))));
        Arc::make_mut(&mut self.group_ids).insert(name, id);
        id
    }

    /// Puts a host into a group.
    pub fn add_host_to_group(&mut self, host: HostId, group: GroupId) {
        self.derived = Derived::default();
        if Arc::make_mut(&mut self.groups[group.index()]).hosts.insert(host) {
            self.host_mut(host).groups.push(group);
        }
    }

    /// Takes a host out: no name and no group leads to it any more. Its id stays, so that those of the others do.
    pub fn forget_host(&mut self, host: HostId) {
        self.leave_groups(host);
        let name = Arc::clone(self.host(host).name());
        Arc::make_mut(&mut self.host_ids).remove(&name);
        let found = self.host_mut(host);
        (found.is_implicit, found.vars) = (true, Arc::default());
    }

    /// Takes a host out of all its groups and its variables away, before its inventory is read anew.
    pub fn reset_host(&mut self, host: HostId) {
        self.leave_groups(host);
        self.host_mut(host).vars = Arc::default();
    }

    fn leave_groups(&mut self, host: HostId) {
        self.derived = Derived::default();
        for group in self.host(host).groups.clone() {
            self.remove_host_from_group(host, group);
        }
    }

    /// Takes a host out of a group.
    fn remove_host_from_group(&mut self, host: HostId, group: GroupId) {
        if Arc::make_mut(&mut self.groups[group.index()]).hosts.shift_remove(&host) {
            self.host_mut(host).groups.retain(|id| *id != group);
        }
    }

    /// Puts the group `child` below the group `parent`.
    pub fn add_child(&mut self, parent: GroupId, child: GroupId) -> Result<(), GroupLoop> {
        if self.ancestors(parent).contains(&child) {
            return Err(GroupLoop { parent: self.group(parent).name.to_string(), child: self.group(child).name.to_string() });
        }
        self.link(parent, child);
        Ok(())
    }

    fn link(&mut self, parent: GroupId, child: GroupId) {
        self.derived = Derived::default();
        Arc::make_mut(&mut self.groups[parent.index()]).children.insert(child);
        Arc::make_mut(&mut self.groups[child.index()]).parents.insert(parent);
    }

    /// Sets a variable of a host, as an inventory file does.
    pub fn set_host_variable(&mut self, host: HostId, name: &str, value: Value) {
        self.host_mut(host).set(name, value);
    }

    /// Sets a variable of a group, as an inventory file does; `ansible_group_priority` is no variable but the group's priority.
    pub fn set_group_variable(&mut self, group: GroupId, name: &str, value: Value) {
        Arc::make_mut(&mut self.groups[group.index()]).set(name, value);
    }

    /// Notes the first source that names a host.
    fn note_source(&mut self, host: HostId, source: &Arc<str>) {
        if self.host(host).file.is_none() {
            self.host_mut(host).file = Some(Arc::clone(source));
        }
    }

    fn host_mut(&mut self, host: HostId) -> &mut Host {
        Arc::make_mut(&mut self.hosts[host.index()])
    }

    /// Restores what holds between groups after changes: what has no parent is below `all`, `ungrouped` has the hosts that are in no other
    /// group, depths are right. Gives the names that are both a host's and a group's, for Ansible's warning.
    pub fn settle(&mut self) -> Vec<Arc<str>> {
        self.is_complete = true;
        for id in self.group_ids().skip(1) {
            if self.group(id).parents.is_empty() {
                self.link(Self::ALL, id);
            }
        }
        for id in self.host_ids() {
            self.settle_host(id);
        }
        self.set_depths();
        self.host_ids().map(|id| Arc::clone(&self.host(id).name)).filter(|name| self.group_ids.contains_key(name)).collect()
    }

    fn settle_host(&mut self, host: HostId) {
        let found = self.host(host);
        let in_others = found.groups.iter().any(|id| *id != Self::ALL && *id != Self::UNGROUPED);
        let in_ungrouped = found.groups.contains(&Self::UNGROUPED);
        if in_others && in_ungrouped {
            self.remove_host_from_group(host, Self::UNGROUPED);
        } else if !in_others && !in_ungrouped && !found.is_implicit {
            self.add_host_to_group(host, Self::UNGROUPED);
        }
    }

    /// The longest way from `all`, in one pass from above: a group is ready when all its parents are.
    fn set_depths(&mut self) {
        let mut waiting: Vec<usize> = self.groups.iter().map(|group| group.parents.len()).collect();
        let mut depths = vec![0_u32; self.groups.len()];
        let mut ready: Vec<GroupId> = self.group_ids().filter(|id| waiting[id.index()] == 0).collect();
        while let Some(id) = ready.pop() {
            for child in &self.groups[id.index()].children {
                depths[child.index()] = depths[child.index()].max(depths[id.index()] + 1);
                waiting[child.index()] -= 1;
                if waiting[child.index()] == 0 {
                    ready.push(*child);
                }
            }
        }
        for (group, depth) in self.groups.iter_mut().zip(depths) {
            if group.depth != depth {
                Arc::make_mut(group).depth = depth;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_group_are_ungrouped() {
        let mut inventory = Inventory::new();
        let (a, b) = (inventory.add_host("a"), inventory.add_host("b"));
        let web = inventory.add_group("web");
        inventory.add_host_to_group(b, web);
        inventory.add_host_to_group(b, Inventory::UNGROUPED);
        assert!(inventory.settle().is_empty());
        assert_eq!(inventory.hosts_of(Inventory::ALL), [a, b]);
        assert_eq!(inventory.group_names(a), ["ungrouped".into()]);
        assert_eq!(inventory.group_names(b), ["web".into()]);
        assert_eq!(format!("{:?}", inventory.groups_variable()), r#"{"all":["a","b"],"ungrouped":["a"],"web":["b"]}"#);
    }

    #[test]
    fn groups_merge_by_depth_priority_and_name() {
        let mut inventory = Inventory::new();
        let host = inventory.add_host("h");
        for name in ["z", "a", "low"] {
            let group = inventory.add_group(name);
            inventory.add_host_to_group(host, group);
        }
        let id = |inventory: &Inventory, name: &str| inventory.group_named(name).unwrap();
        let (z, a, low) = (id(&inventory, "z"), id(&inventory, "a"), id(&inventory, "low"));
        inventory.add_child(z, low).unwrap();
        inventory.set_group_variable(a, "ansible_group_priority", Value::Int(10));
        inventory.settle();
        assert_eq!(inventory.groups_of(host), [Inventory::ALL, z, a, low]);
        assert_eq!(inventory.add_child(low, z).unwrap_err().to_string(), "adding group `z` as child of `low` makes a loop");
    }
}

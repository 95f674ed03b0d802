//! `VarWorld`: the inventory, its variable files, and what is known of every host: one immutable snapshot for all jobs of a step.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::files::{VarDir, VarFile, VarFolder};
use super::host_vars::LOCAL_FACTS;
use super::shelf::Shelf;
use super::{FactCache, GroupLevel, HostUpdate, HostVars, Layer, PlayLayers, Precedence, RunVars, VarRules, VarStack};
use crate::inventory::{GroupId, HostId, Inventory};
use crate::source::{Diagnostic, Diagnostics};
use crate::template::{Scope, Variable};
use crate::value::{Key, Map};
use crate::vault::Vault;

/// What becomes of a map that two levels define: the setting `hash_behaviour`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashBehaviour {
    /// The stronger one replaces the weaker one.
    #[default]
    Replace,
    /// They are merged, at any depth.
    Merge,
}

/// A snapshot; a clone is a few counters. The coordinator changes its own copy and hands out `Arc`s of it.
#[derive(Clone)]
pub struct VarWorld {
    inventory: Arc<Inventory>,
    vault: Arc<Vault>,
    inventory_dirs: Arc<[Arc<VarDir>]>,
    playbook_dir: Option<Arc<VarDir>>,
    /// Whether a file of variables is in a vault that no secret opens.
    has_unopened: bool,
    known: Shelf<HostVars>,
    extra: Arc<Layer>,
    run_vars: Arc<RunVars>,
    run: Arc<Layer>,
    rules: Arc<VarRules>,
    derived: Arc<Derived>,
}

/// The layers of groups and hosts, made when first asked for and shared by all snapshots with the same inventory and files.
struct Derived {
    groups: Vec<OnceLock<GroupLayers>>,
    hosts: Vec<OnceLock<Arc<[Arc<Layer>]>>>,
}

/// A group's layers by level, strongest first.
#[derive(Default)]
struct GroupLayers {
    playbook: Vec<Arc<Layer>>,
    /// One list per inventory folder, in the order of the folders.
    inventory_dirs: Vec<Vec<Arc<Layer>>>,
    inventory: Option<Arc<Layer>>,
}

impl VarWorld {
    /// A world with the variable files beside the inventory's sources, opened with the secrets of `vault`. Mistakes in files of known groups and hosts go to `diagnostics`.
    pub fn new(
        inventory: Arc<Inventory>,
        extra: Arc<Layer>,
        run: RunVars,
        rules: VarRules,
        vault: &Arc<Vault>,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let rules = Arc::new(rules);
        let dirs: Arc<[Arc<VarDir>]> = inventory.var_dirs().iter().map(|path| Arc::new(VarDir::new(path, vault, &rules))).collect();
        let mut world = Self {
            derived: Arc::new(Derived::new(&inventory)),
            run: run.layer(&inventory, None),
            run_vars: Arc::new(run),
            inventory,
            vault: Arc::clone(vault),
            inventory_dirs: dirs,
            playbook_dir: None,
            has_unopened: false,
            known: Shelf::default(),
            extra,
            rules,
        };
        world.check_inventory_dirs(diagnostics);
        world
    }

    /// This with the variable files beside a playbook, whose folder is `playbook_dir`.
    #[must_use]
    pub fn with_playbook(&self, playbook_dir: &Path, diagnostics: &mut Diagnostics) -> Self {
        let is_new = !self.inventory_dirs.iter().any(|dir| dir.path == playbook_dir);
        // What a world before this one has read is not read again.
        let shared = self.var_dirs().find(|dir| dir.path == playbook_dir).cloned();
        let dir = shared.unwrap_or_else(|| Arc::new(VarDir::new(playbook_dir, &self.vault, &self.rules)));
        let mut world = self.clone();
        world.run = self.run_vars.layer(&self.inventory, Some(playbook_dir));
        world.derived = Arc::new(Derived::new(&self.inventory));
        if is_new {
            world.has_unopened |= world.check(&dir, diagnostics);
        }
        world.playbook_dir = Some(dir);
        world
    }

    /// This with another inventory: after `add_host`, `group_by`, `meta: refresh_inventory`. Hosts keep what is known of them.
    #[must_use]
    pub fn with_inventory(&self, inventory: Arc<Inventory>, diagnostics: &mut Diagnostics) -> Self {
        let mut world = self.clone();
        world.derived = Arc::new(Derived::new(&inventory));
        world.inventory = inventory;
        world.check_inventory_dirs(diagnostics);
        world.has_unopened |= world.playbook_dir.as_ref().is_some_and(|dir| world.check(dir, diagnostics));
        world
    }

    /// Whether any file of variables is in a vault that no secret opens.
    pub fn has_unopened(&self) -> bool {
        self.has_unopened
    }

    /// The files with variables of this host that are in vaults which no secret opens. Nobody needs them who does not meet the host.
    pub fn unopened(&self, host: HostId) -> Option<&Diagnostic> {
        if !self.has_unopened {
            return None;
        }
        let name = self.inventory.host(host).name();
        let of_host = self.var_dirs().flat_map(|dir| dir.hosts.unopened_of(name));
        let groups = std::iter::once(Inventory::ALL).chain(self.inventory.groups_of(host));
        let mut of_groups =
            groups.flat_map(|id| self.var_dirs().flat_map(move |dir| dir.groups.unopened_of(self.inventory.group(id).name())));
        of_groups.next().or_else(|| of_host.into_iter().next())
    }

    /// The secrets that variable files are opened with.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The hosts and groups.
    pub fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// Folders with variable files: beside the inventory's sources, and beside the playbook.
    pub(super) fn var_dirs(&self) -> impl Iterator<Item = &Arc<VarDir>> {
        self.inventory_dirs.iter().chain(&self.playbook_dir)
    }

    /// What became known of a host.
    pub fn known(&self, host: HostId) -> Option<&Arc<HostVars>> {
        self.known.get(host.index())
    }

    /// Whether facts are seen in `ansible_facts` alone.
    pub(super) fn hides_facts(&self) -> bool {
        self.run_vars.hides_facts
    }

    /// Adds what a task found out about a host; snapshots handed out before do not see it.
    pub fn publish(&mut self, host: HostId, update: HostUpdate) {
        let new = self.known(host).map_or_else(|| HostVars::default().updated(update.clone()), |known| known.updated(update.clone()));
        self.known.set(host.index(), Arc::new(new));
    }

    /// Adds what earlier runs found out about hosts; gives what is wrong with the files.
    pub fn recall(&mut self, cache: &FactCache) -> Vec<String> {
        let inventory = Arc::clone(&self.inventory);
        let mut wrong = Vec::new();
        for host in inventory.host_ids() {
            match cache.read(inventory.host(host).name()) {
                Ok(None) => {}
                Ok(Some(facts)) => self.publish(host, HostUpdate { facts, ..HostUpdate::default() }),
                Err(message) => wrong.push(message),
            }
        }
        wrong
    }

    /// Forgets the facts of a host: `meta: clear_facts`.
    pub fn clear_facts(&mut self, host: HostId) {
        if let Some(known) = self.known(host) {
            let known = known.without_facts();
            self.known.set(host.index(), Arc::new(known));
        }
    }

    /// What tasks of a play see on a host, before the layers of roles, blocks and the task are put on.
    pub fn stack(self: &Arc<Self>, host: HostId, play: &PlayLayers) -> VarStack {
        VarStack::new(Arc::clone(self), host, Some(play))
    }

    /// What is known of a host without any play: what `hostvars` shows.
    pub fn host_stack(self: &Arc<Self>, host: HostId) -> VarStack {
        VarStack::new(Arc::clone(self), host, None)
    }

    /// `hostvars`: every host by name, each looked up entry by entry.
    pub fn hostvars(self: &Arc<Self>) -> Arc<dyn Scope> {
        Arc::new(AllHosts { world: Arc::clone(self) })
    }

    /// All inventory and file variables of a host merged to one map, without magic variables: what `inventory --host` shows.
    pub fn merged_host_vars(&self, host: HostId) -> Map {
        let layers = self.host_layers(host);
        self.merged(layers.iter().rev())
    }

    /// The facts of a host that are variables of their own; where facts are hidden, only those that people put on the host.
    pub(super) fn shown_facts(&self, host: HostId) -> Map {
        let Some(known) = self.known(host) else { return Map::new() };
        match self.hides_facts() {
            false => known.injected_facts().clone(),
            true => [(Key::from(LOCAL_FACTS), known.local_facts())].into_iter().collect(),
        }
    }

    /// The variables of a group from inventory sources and files beside them, merged: what `inventory --graph --vars` shows.
    pub fn merged_group_vars(&self, group: GroupId) -> Map {
        let layers = self.group_layers(group);
        let files = layers.inventory_dirs.iter().flat_map(|files| files.iter().rev());
        self.merged(layers.inventory.iter().chain(files).chain(layers.playbook.iter().rev()))
    }

    pub(super) fn merged<'l>(&self, layers: impl Iterator<Item = &'l Arc<Layer>>) -> Map {
        use crate::value::{ListMerge, Recursive, merge_into};
        let recursive = if self.merges_maps() { Recursive::Yes } else { Recursive::No };
        let mut layers = layers.filter(|layer| !layer.vars.is_empty());
        let mut merged = layers.next().map_or_else(Map::new, |weakest| Map::clone(&weakest.vars));
        layers.for_each(|layer| merge_into(&mut merged, &layer.vars, recursive, ListMerge::Replace));
        merged
    }

    /// `-e`, not rendered.
    pub fn extra_vars(&self) -> Arc<Map> {
        Arc::clone(&self.extra.vars)
    }

    pub(super) fn extra(&self) -> &Arc<Layer> {
        &self.extra
    }

    pub(super) fn run(&self) -> &Arc<Layer> {
        &self.run
    }

    pub(super) fn merges_maps(&self) -> bool {
        self.rules.hash_behaviour == HashBehaviour::Merge
    }

    /// The inventory's layers of a host, strongest first; `InventoryHost` is always among them.
    pub(super) fn host_layers(&self, host: HostId) -> &Arc<[Arc<Layer>]> {
        self.derived.hosts[host.index()].get_or_init(|| self.make_host_layers(host).into())
    }

    fn make_host_layers(&self, host: HostId) -> Vec<Arc<Layer>> {
        let found = self.inventory.host(host);
        let mut groups: Vec<GroupId> = self.inventory.groups_of(host).into_iter().rev().collect();
        let mut layers = Vec::new();
        let in_dir = |dir: &VarDir, level| of_folder(&dir.hosts, found.name(), level);
        layers.extend(self.playbook_dir.iter().flat_map(|dir| in_dir(dir, Precedence::PlaybookHostVars)));
        layers.extend(self.inventory_dirs.iter().rev().flat_map(|dir| in_dir(dir, Precedence::InventoryHostVars)));
        layers.push(Layer::new(Precedence::InventoryHost, "the inventory", Arc::clone(found.vars())));
        // An implicit `localhost` is in no group, but what is said of `all` holds for it too.
        let is_in_all = found.is_implicit() || groups.contains(&Inventory::ALL);
        let nothing = GroupLayers::default();
        let all = if is_in_all { self.group_layers(Inventory::ALL) } else { &nothing };
        groups.retain(|id| *id != Inventory::ALL);
        for level in self.rules.groups.iter().rev() {
            match level {
                GroupLevel::GroupsPluginsPlay => {
                    layers.extend(groups.iter().flat_map(|id| self.group_layers(*id).playbook.iter().cloned()));
                }
                GroupLevel::GroupsPluginsInventory => {
                    for index in (0..self.inventory_dirs.len()).rev() {
                        layers.extend(groups.iter().flat_map(|id| self.group_layers(*id).inventory_dirs[index].iter().cloned()));
                    }
                }
                GroupLevel::AllPluginsPlay => layers.extend(all.playbook.iter().cloned()),
                GroupLevel::AllPluginsInventory => layers.extend(all.inventory_dirs.iter().rev().flatten().cloned()),
                GroupLevel::GroupsInventory => layers.extend(groups.iter().filter_map(|id| self.group_layers(*id).inventory.clone())),
                GroupLevel::AllInventory => layers.extend(all.inventory.clone()),
            }
        }
        layers
    }

    fn group_layers(&self, group: GroupId) -> &GroupLayers {
        self.derived.groups[group.index()].get_or_init(|| {
            let found = self.inventory.group(group);
            let (of_playbook, of_inventory) = match group {
                Inventory::ALL => (Precedence::PlaybookGroupVarsAll, Precedence::InventoryGroupVarsAll),
                _ => (Precedence::PlaybookGroupVars, Precedence::InventoryGroupVars),
            };
            let from = || format!("group `{}` of the inventory", found.name());
            GroupLayers {
                playbook: self.playbook_dir.iter().flat_map(|dir| of_folder(&dir.groups, found.name(), of_playbook)).collect(),
                inventory_dirs: self.inventory_dirs.iter().map(|dir| of_folder(&dir.groups, found.name(), of_inventory)).collect(),
                inventory: (!found.vars().is_empty()).then(|| Layer::new(Precedence::InventoryGroup, from(), Arc::clone(found.vars()))),
            }
        })
    }

    fn check_inventory_dirs(&mut self, diagnostics: &mut Diagnostics) {
        for dir in &*Arc::clone(&self.inventory_dirs) {
            self.has_unopened |= self.check(dir, diagnostics);
        }
    }

    /// Reads what a folder has on the groups and hosts of the inventory, and tells what is wrong there; whether a vault stays closed.
    fn check(&self, dir: &VarDir, diagnostics: &mut Diagnostics) -> bool {
        let inventory = &self.inventory;
        let groups: Vec<GroupId> = inventory.group_ids().collect();
        let hosts: Vec<HostId> = inventory.host_ids().collect();
        let of_groups = groups.par_iter().filter_map(|id| dir.groups.diagnostics_of(inventory.group(*id).name()));
        let of_hosts = hosts.par_iter().filter_map(|id| dir.hosts.diagnostics_of(inventory.host(*id).name()));
        let found: Vec<&Diagnostics> = of_groups.chain(of_hosts).collect();
        found.into_iter().for_each(|found| diagnostics.extend(found.clone()));
        let is_closed = |folder: &VarFolder, name: &str| !folder.unopened_of(name).is_empty();
        groups.iter().any(|id| is_closed(&dir.groups, inventory.group(*id).name()))
            || hosts.iter().any(|id| is_closed(&dir.hosts, inventory.host(*id).name()))
    }
}

/// The layers of one group or host in a folder, strongest first.
fn of_folder(folder: &VarFolder, name: &str, level: Precedence) -> Vec<Arc<Layer>> {
    let layer = |file: &VarFile| Layer::new(level, Arc::clone(&file.from), Arc::clone(&file.vars));
    folder.of(name).iter().rev().map(layer).collect()
}

impl Derived {
    fn new(inventory: &Inventory) -> Self {
        let groups = inventory.group_ids().map(|_| OnceLock::new()).collect();
        let hosts = inventory.host_ids().map(|_| OnceLock::new()).collect();
        Self { groups, hosts }
    }
}

/// The value of `hostvars`.
struct AllHosts {
    world: Arc<VarWorld>,
}

impl Scope for AllHosts {
    fn type_name(&self) -> &'static str {
        "HostVars"
    }

    fn get(&self, name: &str) -> Option<Variable> {
        let host = self.world.inventory.host_named(name)?;
        Some(match self.world.unopened(host) {
            Some(closed) => Variable::Closed(closed.message.as_str().into()),
            None => Variable::Scope(Arc::new(self.world.host_stack(host))),
        })
    }

    fn names(&self) -> Vec<Arc<str>> {
        let inventory = &self.world.inventory;
        inventory.hosts_of(Inventory::ALL).into_iter().map(|id| Arc::clone(inventory.host(id).name())).collect()
    }

    fn is_of_hosts(&self) -> bool {
        true
    }
}

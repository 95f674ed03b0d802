//! What `ansible-inventory` prints: the inventory as JSON for scripts, as YAML, as a tree, and one host's variables.

use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::sync::Arc;

use super::{Precedence, VarWorld};
use crate::inventory::{GroupId, HostId, Inventory};
use crate::template::print::value_to_text;
use crate::template::python::json::{JsonOptions, dumps};
use crate::value::{Key, Map, Value};
use crate::vault::VaultError;
use crate::yaml::{EmitOptions, FlowStyle, emit};

/// Whether variables are shown where they take effect, or where they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Merged, by host.
    Merged,
    /// `--export`: those of groups with the groups.
    Export,
}

/// Prints a world's inventory; texts end without a line break.
pub struct InventoryReport<'w> {
    world: &'w Arc<VarWorld>,
    kind: Kind,
    only: Option<HashSet<HostId>>,
}

impl<'w> InventoryReport<'w> {
    /// A report of all hosts.
    pub fn new(world: &'w Arc<VarWorld>, kind: Kind) -> Self {
        Self { world, kind, only: None }
    }

    /// A report of these hosts: `--limit`.
    #[must_use]
    pub fn limited_to(self, hosts: impl IntoIterator<Item = HostId>) -> Self {
        Self { only: Some(hosts.into_iter().collect()), ..self }
    }

    /// `--list`.
    pub fn list_json(&self) -> String {
        let inventory = self.world.inventory();
        let mut groups = Map::new();
        self.group_json(Inventory::ALL, &mut groups, &mut HashSet::new());
        let mut hostvars = Map::new();
        for id in inventory.hosts_of(Inventory::ALL).into_iter().filter(|id| self.shows(*id)) {
            let vars = self.host_vars(id);
            if !vars.is_empty() {
                hostvars.insert(name(inventory.host(id).name()), marked(Value::map(vars)));
            }
        }
        let mut meta = Map::new();
        meta.insert("hostvars", hostvars);
        meta.insert("profile", Value::text("inventory_legacy"));
        groups.insert("_meta", meta);
        // The program prints this and ends: what it takes to give back all the values of all hosts, one by one, is saved.
        json(&ManuallyDrop::new(Value::map(groups)))
    }

    fn group_json(&self, id: GroupId, groups: &mut Map, seen: &mut HashSet<GroupId>) {
        if !seen.insert(id) {
            return;
        }
        let inventory = self.world.inventory();
        let group = inventory.group(id);
        let mut entry = Map::new();
        let hosts: Vec<Value> =
            group.hosts().iter().filter(|id| self.shows(**id)).map(|id| Value::text(Arc::clone(inventory.host(*id).name()))).collect();
        if id != Inventory::ALL && !hosts.is_empty() {
            entry.insert("hosts", hosts);
        }
        let children: Vec<Value> = group.children().iter().map(|id| Value::text(Arc::clone(inventory.group(*id).name()))).collect();
        if !children.is_empty() {
            entry.insert("children", children);
        }
        if self.kind == Kind::Export {
            let vars = self.group_vars(id);
            if !vars.is_empty() {
                entry.insert("vars", marked(Value::map(vars)));
            }
        }
        if !entry.is_empty() {
            groups.insert(name(group.name()), entry);
        }
        group.children().iter().for_each(|child| self.group_json(*child, groups, seen));
    }

    /// `--list --yaml`.
    pub fn list_yaml(&self) -> Result<String, String> {
        let mut seen = (HashSet::new(), HashSet::new());
        yaml(&Value::map(self.group_yaml(Inventory::ALL, &mut seen)))
    }

    /// A group below its name; empty where there is nothing in it. What was shown before is not shown again.
    fn group_yaml(&self, id: GroupId, seen: &mut (HashSet<GroupId>, HashSet<HostId>)) -> Map {
        let inventory = self.world.inventory();
        let group = inventory.group(id);
        let mut entry = Map::new();
        let mut children = Map::new();
        for child in group.children() {
            if seen.0.insert(*child) {
                children.extend(self.group_yaml(*child, seen));
            } else {
                children.insert(name(inventory.group(*child).name()), Map::new());
            }
        }
        if !children.is_empty() {
            entry.insert("children", children);
        }
        let mut hosts = Map::new();
        for host in group.hosts().iter().filter(|host| id != Inventory::ALL && self.shows(**host)) {
            let vars = if seen.1.insert(*host) { self.host_vars(*host) } else { Map::new() };
            hosts.insert(name(inventory.host(*host).name()), vars);
        }
        if !hosts.is_empty() {
            entry.insert("hosts", hosts);
        }
        if self.kind == Kind::Export {
            let vars = self.group_vars(id);
            if !vars.is_empty() {
                entry.insert("vars", vars);
            }
        }
        let mut named = Map::new();
        if !entry.is_empty() {
            named.insert(name(group.name()), entry);
        }
        named
    }

    /// `--host`.
    pub fn host_json(&self, host: HostId) -> String {
        json(&sealed(&Value::map(self.host_vars(host))))
    }

    /// `--host --yaml`.
    pub fn host_yaml(&self, host: HostId) -> Result<String, String> {
        yaml(&Value::map(self.host_vars(host)))
    }

    /// `--graph` of a group, with variables for `--vars`, of which those in a vault are opened; `None` where there is no such group.
    pub fn graph(&self, group: &str, vars: GraphVars) -> Result<Option<String>, VaultError> {
        let Some(id) = self.world.inventory().group_named(group) else { return Ok(None) };
        let mut lines = Vec::new();
        self.graph_group(id, 0, vars, &mut lines)?;
        Ok(Some(lines.join("\n")))
    }

    fn graph_group(&self, id: GroupId, depth: usize, vars: GraphVars, lines: &mut Vec<String>) -> Result<(), VaultError> {
        let inventory = self.world.inventory();
        let group = inventory.group(id);
        lines.push(branch(depth, &format!("@{}:", group.name())));
        group.children().iter().try_for_each(|child| self.graph_group(*child, depth + 1, vars, lines))?;
        for host in group.hosts().iter().filter(|_| id != Inventory::ALL) {
            lines.push(branch(depth + 1, inventory.host(*host).name()));
            if vars == GraphVars::Show {
                graph_vars(&self.opened(self.host_vars(*host))?, depth + 2, lines);
            }
        }
        if vars == GraphVars::Show {
            graph_vars(&self.opened(self.group_vars(id))?, depth + 1, lines);
        }
        Ok(())
    }

    fn opened(&self, vars: Map) -> Result<Map, VaultError> {
        let open = |value: Value| match value {
            Value::Text(text) if text.is_sealed() => self.world.vault().open_text(&text).map(Value::Text),
            other => Ok(other),
        };
        vars.into_iter().map(|(key, value)| Ok((key, open(value)?))).collect()
    }

    fn shows(&self, host: HostId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&host))
    }

    fn host_vars(&self, host: HostId) -> Map {
        match self.kind {
            Kind::Merged => {
                let mut vars = self.world.merged_host_vars(host);
                vars.extend(self.world.shown_facts(host));
                vars.extend(self.world.extra().vars.iter().map(|(key, value)| (key.clone(), value.clone())));
                vars
            }
            Kind::Export => {
                let own = |level| matches!(level, Precedence::InventoryHost | Precedence::InventoryHostVars | Precedence::PlaybookHostVars);
                self.world.merged(self.world.host_layers(host).iter().rev().filter(|layer| own(layer.level)))
            }
        }
    }

    fn group_vars(&self, group: GroupId) -> Map {
        let mut vars = self.world.merged_group_vars(group);
        let priority = self.world.inventory().group(group).priority();
        if priority != 1 {
            vars.insert("ansible_group_priority", priority);
        }
        vars
    }
}

/// Whether a tree shows variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraphVars {
    /// `--vars`
    Show,
    /// Names alone.
    Hide,
}

fn branch(depth: usize, text: &str) -> String {
    if depth == 0 { text.to_owned() } else { format!("{}--{text}", "  |".repeat(depth)) }
}

fn graph_vars(vars: &Map, depth: usize, lines: &mut Vec<String>) {
    let mut entries: Vec<(String, &Value)> = vars.iter().map(|(key, value)| (key.to_json_key(), value)).collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    lines.extend(entries.into_iter().map(|(key, value)| branch(depth, &format!("{{{key} = {}}}", value_to_text(value).as_str()))));
}

fn name(name: &Arc<str>) -> Key {
    Key::from(&**name)
}

/// Texts that are in a vault stay there, as JSON shows them.
fn sealed(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.is_sealed() => {
            Value::map([(Key::from("__ansible_vault"), Value::text(text.as_str()))].into_iter().collect::<Map>())
        }
        Value::List(items) => Value::list(items.iter().map(sealed).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), sealed(value))).collect::<Map>()),
        other => other.clone(),
    }
}

/// Texts that are in a vault stay there, and texts that are no templates are marked, so that whoever reads the list can tell.
fn marked(value: Value) -> Value {
    match &value {
        Value::Text(text) if text.is_sealed() => sealed(&value),
        Value::Text(text) if !text.is_trusted() => Value::map([(Key::from("__ansible_unsafe"), value)].into_iter().collect::<Map>()),
        Value::List(items) if items.iter().any(is_marked) => Value::list(items.iter().cloned().map(marked).collect()),
        Value::Map(map) if map.values().any(is_marked) => {
            Value::map(map.iter().map(|(key, value)| (key.clone(), marked(value.clone()))).collect::<Map>())
        }
        _ => value,
    }
}

/// Whether something of it is marked.
fn is_marked(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_sealed() || !text.is_trusted(),
        Value::List(items) => items.iter().any(is_marked),
        Value::Map(map) => map.values().any(is_marked),
        _ => false,
    }
}

fn json(value: &Value) -> String {
    dumps(value, &JsonOptions { indent: Some("    ".to_owned()), sort_keys: true, ensure_ascii: false, ..JsonOptions::default() })
}

fn yaml(value: &Value) -> Result<String, String> {
    let text = emit(value, &EmitOptions { flow: FlowStyle::Block, aliases: true, ..EmitOptions::default() })?;
    Ok(text.trim_end_matches('\n').to_owned())
}

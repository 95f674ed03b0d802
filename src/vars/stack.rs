//! `VarStack`: what one task on one host sees. Layers are shared; a lookup walks from the strongest to the weakest.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::facts::spread;
use super::host_vars::LOCAL_FACTS;
use super::layer::mark_of;
use super::{Layer, PlayLayers, Precedence, Reach, VarWorld, magic};
use crate::inventory::HostId;
use crate::source::Span;
use crate::template::{Scope, Variable};
use crate::value::{ListMerge, Map, Recursive, Value, merge};

/// A task's variables: a snapshot of the world, a host, a play, and the layers of roles, blocks, task and loop item. Cheap to clone.
#[derive(Clone)]
pub struct VarStack {
    world: Arc<VarWorld>,
    host: HostId,
    /// Magic variables of the play; without a play (`hostvars`), there are none.
    play: Option<Arc<Layer>>,
    /// Sorted by level, weakest first; of one level, the later is the stronger.
    layers: Vec<Arc<Layer>>,
    /// How often this was reached by `vars`: in the second there is no further one.
    vars_depth: u8,
    /// How the host is reached, where the task reads it.
    reach: Option<Arc<Reach>>,
}

/// Where a variable comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Its level.
    pub level: Precedence,
    /// The file, or what else set it.
    pub from: Arc<str>,
}

/// One of those that define a variable.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its level and file.
    pub origin: Origin,
    /// The value, not rendered; `None` for what is no data (`hostvars`).
    pub value: Option<Value>,
    /// Where it was written, where that is known.
    pub place: Option<Span>,
}

const MAGIC: &str = "magic variables";

/// What a walk meets: a variable and its origin.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Precedence, &str, Variable) -> ControlFlow<()>;

impl VarStack {
    pub(super) fn new(world: Arc<VarWorld>, host: HostId, play: Option<&PlayLayers>) -> Self {
        let magic = play.map(|play| Arc::clone(&play.magic));
        let layers = play.map(|play| play.layers.clone()).unwrap_or_default();
        Self { world, host, play: magic, layers, vars_depth: 0, reach: None }
    }

    /// The host that is looked at.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// The snapshot that this stands on.
    pub fn world(&self) -> &Arc<VarWorld> {
        &self.world
    }

    /// Puts a layer to its level, above those of the same level.
    pub fn push(&mut self, layer: Arc<Layer>) {
        let place = self.layers.partition_point(|other| other.level <= layer.level);
        self.layers.insert(place, layer);
    }

    /// This with one more layer.
    #[must_use]
    pub fn with(&self, layer: Arc<Layer>) -> Self {
        let mut stack = self.clone();
        stack.push(layer);
        stack
    }

    /// This with one more variable: a loop's `item`.
    #[must_use]
    pub fn with_value(&self, level: Precedence, name: &str, value: Value) -> Self {
        self.with(Layer::single(level, name, value))
    }

    /// The same layers on another snapshot: after a loop item registered something.
    #[must_use]
    pub fn on(&self, world: Arc<VarWorld>) -> Self {
        Self { world, ..self.clone() }
    }

    /// The same layers for another host: the connection variables of a `delegate_to`.
    #[must_use]
    pub fn for_host(&self, host: HostId) -> Self {
        Self { host, ..self.clone() }
    }

    /// This for a task that reads how its host is reached.
    #[must_use]
    pub fn reached(self, reach: Arc<Reach>) -> Self {
        Self { reach: Some(reach), ..self }
    }

    /// The variables that a result's `ansible_facts` are to the task that found them: those of `set_fact` and `include_vars` (`are_set`) as
    /// they are called, those of modules as facts.
    pub fn found(&self, facts: &Map, are_set: bool) -> Map {
        if are_set {
            return facts.clone();
        }
        let mut all = match self.value("ansible_facts") {
            Some(Value::Map(known)) => Map::clone(&known),
            _ => Map::new(),
        };
        let mut vars = Map::new();
        spread(facts.clone(), &mut all, &mut vars);
        if self.world.hides_facts() {
            vars = Map::new();
        }
        vars.insert("ansible_facts", Value::map(all));
        vars
    }

    /// This without what only the running task sees: loop variables, and how its host is reached.
    pub(super) fn of_play(&self) -> Self {
        let layers = self.layers.iter().filter(|layer| layer.level < Precedence::Loop).cloned().collect();
        Self { layers, reach: None, ..self.clone() }
    }

    pub(super) fn host_name(&self) -> Value {
        Value::text(Arc::clone(self.world.inventory().host(self.host).name()))
    }

    /// Where the variable `name` comes from.
    pub fn origin(&self, name: &str) -> Option<Origin> {
        let mut origin = None;
        let _ = self.walk(name, &mut |level, from, _| {
            origin = Some(Origin { level, from: Arc::from(from) });
            ControlFlow::Break(())
        });
        origin
    }

    /// All that define the variable `name`, the strongest first.
    pub fn definitions(&self, name: &str) -> Vec<Definition> {
        let mut found = Vec::new();
        let _ = self.walk(name, &mut |level, from, variable| {
            let value = match variable {
                Variable::Value(value) => Some(value),
                Variable::Scope(_) | Variable::Closed(_) => None,
            };
            found.push((Origin { level, from: Arc::from(from) }, value));
            ControlFlow::Continue(())
        });
        let own = self.world.extra();
        let layers = || self.layers.iter().chain(self.world.host_layers(self.host).iter()).chain([own]);
        let place = |origin: &Origin, value: &Option<Value>| {
            let layer = layers().find(|layer| layer.level == origin.level && layer.from == origin.from && layer.vars.contains(name));
            let key = layer.and_then(|layer| layer.vars.keys().find(|key| key.as_str() == Some(name)));
            let of_text = |value: &Value| if let Value::Text(text) = value { text.origin().cloned() } else { None };
            key.and_then(|key| of_text(key.value())).or_else(|| value.as_ref().and_then(of_text))
        };
        found.into_iter().map(|(origin, value)| Definition { place: place(&origin, &value), origin, value }).collect()
    }

    /// The variable without its origin, where it is data.
    pub fn value(&self, name: &str) -> Option<Value> {
        match self.get(name)? {
            Variable::Value(value) => Some(value),
            Variable::Scope(_) | Variable::Closed(_) => None,
        }
    }

    /// Visits all that have a variable `name`, strongest first.
    fn walk(&self, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
        self.walk_said(name, visit)?;
        self.reach.as_ref().map_or(ControlFlow::Continue(()), |reach| reach.visit(self, name, visit))
    }

    /// The same for variables that something sets.
    pub(super) fn walk_said(&self, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
        let (known, mark) = (self.world.known(self.host), mark_of(name));
        let mut layers = self.layers.iter().rev().peekable();
        let mut above = |known: Precedence, visit: Visit<'_>| {
            while let Some(layer) = layers.next_if(|layer| layer.level > known) {
                in_layer(layer, name, mark, visit)?;
            }
            ControlFlow::Continue(())
        };
        above(Precedence::Extra, visit)?;
        self.magic(name, mark, visit)?;
        in_layer(self.world.extra(), name, mark, visit)?;
        above(Precedence::SetFacts, visit)?;
        if let Some(known) = known {
            in_map(known.set_facts(), Precedence::SetFacts, name, visit)?;
        }
        above(Precedence::IncludeVars, visit)?;
        if let Some(known) = known {
            in_map(known.include_vars(), Precedence::IncludeVars, name, visit)?;
        }
        above(Precedence::Facts, visit)?;
        self.facts(name, visit)?;
        for layer in self.world.host_layers(self.host).iter() {
            if layer.level == Precedence::InventoryHost {
                self.place_in_inventory(name, visit)?;
            }
            in_layer(layer, name, mark, visit)?;
        }
        layers.try_for_each(|layer| in_layer(layer, name, mark, visit))
    }

    fn magic(&self, name: &str, mark: u64, visit: Visit<'_>) -> ControlFlow<()> {
        if let Some(play) = &self.play {
            in_layer(play, name, mark, visit)?;
            match name {
                "hostvars" => visit(Precedence::Magic, MAGIC, Variable::Scope(self.world.hostvars()))?,
                "vars" if self.vars_depth < 2 => {
                    let inner = Self { vars_depth: self.vars_depth + 1, ..self.of_play() };
                    visit(Precedence::Magic, MAGIC, Variable::Scope(Arc::new(inner)))?;
                }
                _ => {}
            }
        }
        in_layer(self.world.run(), name, mark, visit)?;
        if name == "groups" {
            let groups = Variable::Value(self.world.inventory().groups_variable().clone());
            visit(Precedence::Magic, MAGIC, groups)?;
        }
        ControlFlow::Continue(())
    }

    fn facts(&self, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
        let known = self.world.known(self.host);
        if name == "ansible_facts" {
            let facts = known.map_or_else(|| Value::map(Map::new()), |known| known.facts_variable().clone());
            return visit(Precedence::Facts, Precedence::Facts.describe(), Variable::Value(facts));
        }
        if self.world.hides_facts() {
            // Facts that people put on hosts are variables even then.
            let local = || known.map_or_else(|| Value::map(Map::new()), |known| known.local_facts());
            return match name {
                LOCAL_FACTS => visit(Precedence::Facts, Precedence::Facts.describe(), Variable::Value(local())),
                _ => ControlFlow::Continue(()),
            };
        }
        known.map_or(ControlFlow::Continue(()), |known| in_map(known.injected_facts(), Precedence::Facts, name, visit))
    }

    fn place_in_inventory(&self, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
        match magic::of_host(self.world.inventory(), self.host, name) {
            Some(value) => visit(Precedence::InventoryHost, "the inventory", Variable::Value(value)),
            None => ControlFlow::Continue(()),
        }
    }
}

impl Scope for VarStack {
    fn get(&self, name: &str) -> Option<Variable> {
        if !self.world.merges_maps() {
            let mut found = None;
            let _ = self.walk(name, &mut |_, _, variable| {
                found = Some(variable);
                ControlFlow::Break(())
            });
            return found;
        }
        let mut all = Vec::new();
        let _ = self.walk(name, &mut |_, _, variable| {
            let goes_on = matches!(variable, Variable::Value(Value::Map(_)));
            all.push(variable);
            if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        all.into_iter().reduce(|strong, weak| match (strong, weak) {
            (Variable::Value(Value::Map(strong)), Variable::Value(Value::Map(weak))) => {
                Variable::Value(Value::map(merge(&weak, &strong, Recursive::Yes, ListMerge::Replace)))
            }
            (strong, _) => strong,
        })
    }

    /// `vars` is a dict; without a play this is one of `hostvars`.
    fn type_name(&self) -> &'static str {
        if self.play.is_some() { "dict" } else { "HostVarsVars" }
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut add = |map: &Map| names.extend(map.keys().filter_map(|key| key.as_str().map(Arc::from)));
        self.world.host_layers(self.host).iter().rev().for_each(|layer| add(&layer.vars));
        self.layers.iter().for_each(|layer| add(&layer.vars));
        if let Some(known) = self.world.known(self.host) {
            if !self.world.hides_facts() {
                add(known.injected_facts());
            }
            add(known.include_vars());
            add(known.set_facts());
        }
        add(&self.world.extra().vars);
        add(&self.world.run().vars);
        let mut magic: Vec<&str> = magic::OF_HOST.to_vec();
        magic.extend(["ansible_facts", "groups"]);
        if let Some(play) = &self.play {
            add(&play.vars);
            magic.extend(["hostvars", "vars"].iter().take(if self.vars_depth < 2 { 2 } else { 1 }));
        }
        magic.extend(self.reach.iter().flat_map(|reach| reach.names()));
        names.extend(magic.into_iter().map(Arc::from));
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(Arc::clone(name)));
        names
    }
}

fn in_layer(layer: &Layer, name: &str, mark: u64, visit: Visit<'_>) -> ControlFlow<()> {
    match layer.get(name, mark) {
        Some(value) => visit(layer.level, &layer.from, Variable::Value(value.clone())),
        None => ControlFlow::Continue(()),
    }
}

fn in_map(map: &Map, level: Precedence, name: &str, visit: Visit<'_>) -> ControlFlow<()> {
    match map.get(name) {
        Some(value) => visit(level, level.describe(), Variable::Value(value.clone())),
        None => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HashBehaviour, HostUpdate, PlayVars, RunVars, VarRules};
    use super::*;
    use crate::inventory::Inventory;
    use crate::source::Diagnostics;
    use crate::value::Key;

    fn world(hash_behaviour: HashBehaviour) -> (VarWorld, HostId) {
        let rules = VarRules { hash_behaviour, ..VarRules::default() };
        let mut inventory = Inventory::new();
        let (host, web) = (inventory.add_host("a.example.org"), inventory.add_group("web"));
        inventory.add_host_to_group(host, web);
        inventory.set_group_variable(Inventory::ALL, "x", Value::text("all"));
        inventory.set_group_variable(web, "x", Value::text("web"));
        inventory.set_group_variable(web, "m", Value::map([(Key::from("a"), Value::Int(1))].into_iter().collect::<Map>()));
        inventory.set_host_variable(host, "y", Value::text("host"));
        inventory.settle();
        let extra = Layer::single(Precedence::Extra, "e", Value::text("extra"));
        let world = VarWorld::new(Arc::new(inventory), extra, RunVars::default(), rules, &Arc::default(), &mut Diagnostics::new());
        (world, host)
    }

    fn check(stack: &VarStack, name: &str, shown: &str) {
        assert_eq!(format!("{:?}", stack.value(name)), shown, "{name}");
    }

    #[test]
    fn the_stronger_level_wins() {
        let (mut world, host) = world(HashBehaviour::Replace);
        let facts =
            [("ansible_x", "fact"), ("y", "fact"), ("ansible_host", "evil")].map(|(key, value)| (Key::from(key), Value::from(value)));
        world.publish(host, HostUpdate { facts: facts.into_iter().collect(), ..HostUpdate::default() });
        let world = Arc::new(world);
        let play =
            PlayVars { hosts: vec![host], layers: vec![Layer::single(Precedence::PlayVars, "x", Value::Int(2))], ..PlayVars::default() };
        let stack = world.stack(host, &play.prepare(world.inventory()));
        check(&stack, "x", "Some(2)");
        check(&stack, "y", "Some(\"fact\")");
        check(&stack, "e", "Some(\"extra\")");
        check(&stack, "ansible_x", "Some(\"fact\")");
        check(&stack, "ansible_host", "None");
        check(&stack, "ansible_facts", r#"Some({"x":"fact","y":"fact","host":"evil"})"#);
        check(&stack, "inventory_hostname_short", "Some(\"a\")");
        check(&stack, "group_names", "Some([\"web\"])");
        check(&stack, "ansible_play_hosts", "Some([\"a.example.org\"])");
        check(&stack.with_value(Precedence::TaskVars, "e", Value::Int(1)), "e", "Some(\"extra\")");
        check(&stack.with_value(Precedence::Loop, "e", Value::Int(1)), "e", "Some(1)");
        check(&stack.with_value(Precedence::RoleDefaults, "x", Value::Int(1)), "x", "Some(2)");
        assert_eq!(stack.origin("x").unwrap().level, Precedence::PlayVars);
        assert_eq!(stack.origin("y").unwrap().level, Precedence::Facts);
        assert!(stack.names().iter().any(|name| &**name == "hostvars"));
    }

    #[test]
    fn hostvars_knows_no_play() {
        let (world, host) = world(HashBehaviour::Replace);
        let world = Arc::new(world);
        let play = PlayVars { layers: vec![Layer::single(Precedence::PlayVars, "p", Value::Int(2))], ..PlayVars::default() };
        let stack = world.stack(host, &play.prepare(world.inventory()));
        let Some(Variable::Scope(hosts)) = stack.get("hostvars") else { panic!("hostvars is a scope") };
        let Some(Variable::Scope(one)) = hosts.get("a.example.org") else { panic!("a host is a scope") };
        assert!(one.get("p").is_none() && one.get("hostvars").is_none() && one.get("x").is_some());
        assert!(hosts.get("b").is_none());
    }

    #[test]
    fn snapshots_do_not_change() {
        let (mut world, host) = world(HashBehaviour::Merge);
        let play = PlayVars::default().prepare(world.inventory());
        let before = Arc::new(world.clone()).stack(host, &play);
        let map = Value::map([(Key::from("b"), Value::Int(2))].into_iter().collect::<Map>());
        world.publish(host, HostUpdate { set_facts: [(Key::from("m"), map)].into_iter().collect(), ..HostUpdate::default() });
        check(&before, "m", r#"Some({"a":1})"#);
        check(&Arc::new(world).stack(host, &play), "m", r#"Some({"a":1,"b":2})"#);
    }
}

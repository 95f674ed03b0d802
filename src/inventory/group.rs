//! `Group`: hosts, groups below and above, and the variables that inventory files gave it.

use std::sync::Arc;

use indexmap::IndexSet;

use super::HostId;
use crate::value::{Key, Map, Value};

/// A group in its inventory's arena. The same in every later snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub(super) u32);

impl GroupId {
    /// The place in the arena: dense, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A group.
#[derive(Clone)]
pub struct Group {
    pub(super) name: Arc<str>,
    pub(super) hosts: IndexSet<HostId>,
    pub(super) children: IndexSet<GroupId>,
    pub(super) parents: IndexSet<GroupId>,
    pub(super) vars: Arc<Map>,
    pub(super) depth: u32,
    pub(super) priority: i64,
}

impl Group {
    pub(super) fn new(name: Arc<str>) -> Self {
        let (hosts, children, parents) = Default::default();
        Self { name, hosts, children, parents, vars: Arc::default(), depth: 0, priority: 1 }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The hosts put into it, without those of groups below.
    pub fn hosts(&self) -> &IndexSet<HostId> {
        &self.hosts
    }

    /// The groups right below it.
    pub fn children(&self) -> &IndexSet<GroupId> {
        &self.children
    }

    /// The groups right above it.
    pub fn parents(&self) -> &IndexSet<GroupId> {
        &self.parents
    }

    /// What inventory sources say of it.
    pub fn vars(&self) -> &Arc<Map> {
        &self.vars
    }

    /// The longest way from `all`.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// `ansible_group_priority`: of groups at the same depth, the higher one wins.
    pub fn priority(&self) -> i64 {
        self.priority
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        if name != "ansible_group_priority" {
            Arc::make_mut(&mut self.vars).insert(Key::from(name), value);
            return;
        }
        let written = value.as_str().and_then(|text| text.trim().parse().ok());
        if let Some(priority) = value.as_int().or(written) {
            self.priority = priority;
        }
    }
}

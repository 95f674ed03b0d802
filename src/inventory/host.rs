//! `Host`: a name, the groups that it was put into, and the variables that its inventory gave it.

use std::path::Path;
use std::sync::Arc;

use crate::value::{Key, Map, Value};

/// A host in its inventory's arena. The same in every later snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(super) u32);

impl HostId {
    /// The place in the arena: dense, from 0.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A host.
#[derive(Clone)]
pub struct Host {
    pub(super) name: Arc<str>,
    /// The groups it was put into itself, not those above them.
    pub(super) groups: Vec<super::GroupId>,
    pub(super) vars: Arc<Map>,
    pub(super) is_implicit: bool,
    pub(super) file: Option<Arc<str>>,
}

impl Host {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, groups: Vec::new(), vars: Arc::default(), is_implicit: false, file: None }
    }

    /// `inventory_hostname`.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What inventory sources say of this host alone.
    pub fn vars(&self) -> &Arc<Map> {
        &self.vars
    }

    /// The groups that it was put into itself.
    pub fn direct_groups(&self) -> &[super::GroupId] {
        &self.groups
    }

    /// Whether this is `localhost` without any inventory naming it.
    pub fn is_implicit(&self) -> bool {
        self.is_implicit
    }

    /// The first inventory source that named it: `inventory_file`.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.file.as_ref()
    }

    /// The folder of that source: `inventory_dir`; a list of hosts has none.
    pub fn dir(&self) -> Option<&Path> {
        self.file.as_deref().filter(|file| !file.contains(',')).and_then(|file| Path::new(file).parent())
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.vars).insert(Key::from(name), value);
    }
}

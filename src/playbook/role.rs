//! `Role`: a use of a role by a play, a dependency or an include, with its variables; its tasks are in the play's blocks.

use std::path::PathBuf;
use std::sync::Arc;

use super::RoleId;
use crate::value::Map;

/// A use of a role.
#[derive(Clone, Debug)]
pub struct Role {
    /// As the user names it; `namespace.collection.role` for one of a collection.
    pub name: String,
    /// The collection that it is of.
    pub collection: Option<Arc<str>>,
    /// Its folder.
    pub path: PathBuf,
    /// Which use.
    pub id: RoleId,
    /// `defaults/`.
    pub defaults: Arc<Map>,
    /// `vars/`.
    pub vars: Arc<Map>,
    /// `vars:` of its entry.
    pub entry_vars: Arc<Map>,
    /// Further keys of its entry: role parameters.
    pub params: Arc<Map>,
    /// Roles that it depends on, all the way down, in the order they run.
    pub dependencies: Vec<Arc<Role>>,
    /// The roles that named it, the innermost first.
    pub parents: Vec<Arc<Role>>,
    /// Whether another role depends on it: it was not imported or included.
    pub is_dependency: bool,
    /// Whether the play's other tasks see its variables; `None`: as the settings say.
    pub public: Option<bool>,
}

impl Role {
    /// Layers of defaults that its tasks see, the weakest first.
    pub fn default_layers(&self) -> Vec<Arc<Map>> {
        let dependencies = self.dependencies.iter().map(|role| &role.defaults);
        let parents = self.parents.iter().rev().map(|role| &role.defaults);
        dependencies.chain(parents).chain([&self.defaults]).filter(|map| !map.is_empty()).cloned().collect()
    }

    /// Layers of role variables that its tasks see, the weakest first.
    pub fn var_layers(&self) -> Vec<Arc<Map>> {
        let mut layers: Vec<&Arc<Map>> = Vec::new();
        for role in self.parents.iter().rev() {
            layers.extend([&role.vars, &role.params, &role.entry_vars]);
        }
        layers.extend(self.dependencies.iter().map(|role| &role.vars));
        layers.extend([&self.vars, &self.params, &self.entry_vars]);
        layers.into_iter().filter(|map| !map.is_empty()).cloned().collect()
    }

    /// Layers of role parameters, the weakest first: they win over facts that were set.
    pub fn param_layers(&self) -> Vec<Arc<Map>> {
        let parents = self.parents.iter().rev().map(|role| &role.params);
        parents.chain([&self.params]).filter(|map| !map.is_empty()).cloned().collect()
    }
}

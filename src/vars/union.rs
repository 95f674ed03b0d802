//! Which variables any host of the inventory has, and where one of them was written: what can be said before a host is met.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::VarWorld;
use super::files::VarFile;
use crate::value::Map;

impl VarWorld {
    /// Whether a host or group of the inventory, a variable file beside it or the playbook, or `-e` defines this variable.
    pub fn defines(&self, name: &str) -> bool {
        let inventory = self.inventory();
        self.extra().vars.contains(name)
            || self.run().vars.contains(name)
            || inventory.group_ids().any(|id| inventory.group(id).vars().contains(name))
            || inventory.host_ids().any(|id| inventory.host(id).vars().contains(name))
            || self.files().any(|file| file.vars.contains(name))
    }

    /// All names that [`VarWorld::defines`] knows.
    pub fn defined_names(&self) -> HashSet<Arc<str>> {
        let inventory = self.inventory();
        let hosts: Vec<&Arc<Map>> = inventory.host_ids().map(|id| inventory.host(id).vars()).collect();
        let groups = inventory.group_ids().map(|id| &**inventory.group(id).vars());
        let mut names: HashSet<Arc<str>> = hosts
            .par_chunks(1000)
            .map(|part| {
                let mut names: HashSet<&str> = HashSet::new();
                part.iter().for_each(|vars| names.extend(names_of(vars)));
                names
            })
            .reduce(HashSet::new, |left, right| left.union(&right).copied().collect())
            .into_iter()
            .map(Arc::from)
            .collect();
        let maps = groups.chain(self.files().map(|file| &*file.vars)).chain([&*self.extra().vars, &*self.run().vars]);
        names.extend(maps.flat_map(names_of).map(Arc::from));
        names
    }

    /// The files of variables of all groups and hosts.
    fn files(&self) -> impl Iterator<Item = &VarFile> {
        let inventory = self.inventory();
        self.var_dirs().flat_map(move |dir| {
            let groups = inventory.group_ids().flat_map(|id| dir.groups.of(inventory.group(id).name()));
            groups.chain(inventory.host_ids().flat_map(|id| dir.hosts.of(inventory.host(id).name())))
        })
    }
}

fn names_of(map: &Map) -> impl Iterator<Item = &str> {
    map.keys().filter_map(|key| key.as_str())
}

//! Lists of hosts with ranges: `-i 'web[1:3],db:22,'`, where `advanced_host_list` is enabled.

use super::{Builder, Candidate, Failure, Plugin, expand, list};
use crate::inventory::Inventory;

/// `advanced_host_list`
pub(super) struct AdvancedHostList;

impl Plugin for AdvancedHostList {
    fn name(&self) -> &'static str {
        "advanced_host_list"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.list().is_some()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        for text in list::names(candidate) {
            // What is no range is a name, as in Ansible.
            let (names, port) = expand::expand(text).unwrap_or_else(|_| (vec![text.to_owned()], None));
            for name in &names {
                builder.host(name, Inventory::UNGROUPED, port, &[]);
            }
        }
        Ok(())
    }
}

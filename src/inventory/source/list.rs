//! Lists of hosts: `-i web1,web2:22,`. Ranges are for files: here `web[1:3]` is a name, as in Ansible.

use super::{Builder, Candidate, Failure, Plugin, expand};
use crate::inventory::Inventory;

/// `host_list`
pub(super) struct HostList;

impl Plugin for HostList {
    fn name(&self) -> &'static str {
        "host_list"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.list().is_some()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        for text in names(candidate) {
            let (name, port) = expand::address(text);
            builder.host(name, Inventory::UNGROUPED, port, &[]);
        }
        Ok(())
    }
}

/// The names of a list.
pub(super) fn names<'c>(candidate: &'c Candidate<'_>) -> impl Iterator<Item = &'c str> {
    candidate.list().unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty())
}

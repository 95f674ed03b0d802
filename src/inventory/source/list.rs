//! Lists of hosts: `-i web1,web2:22,`. Ranges are for files: here `web[1:3]` is a name, as in Ansible.

use super::{Builder, expand};
use crate::inventory::Inventory;

/// Adds the hosts of a list.
pub(super) fn read(list: &str, builder: &mut Builder<'_>) {
    for text in list.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let (name, port) = expand::address(text);
        builder.host(name, Inventory::UNGROUPED, port, &[]);
    }
}

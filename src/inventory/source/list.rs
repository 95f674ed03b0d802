//! Lists of hosts: `-i web1,web2,`.

use super::{Builder, expand};
use crate::inventory::Inventory;
use crate::source::Diagnostic;

/// Adds the hosts of a list.
pub(super) fn read(list: &str, builder: &mut Builder<'_>) {
    for pattern in list.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()) {
        match expand::expand(pattern) {
            Ok((names, port)) => {
                for name in &names {
                    builder.host(name, Inventory::UNGROUPED, port, &[]);
                }
            }
            Err(problem) => builder.warn(Diagnostic::error(problem)),
        }
    }
}

//! `RunStats`: the recap.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Status, TaskResult};
use crate::value::{Map, Value};

/// What a host's tasks came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HostStats {
    /// Tasks that ended well, changed ones included.
    pub ok: u64,
    /// Tasks that changed something.
    pub changed: u64,
    /// How often the host could not be reached.
    pub unreachable: u64,
    /// Tasks that failed, but for those that were rescued or ignored.
    pub failed: u64,
    /// Tasks whose condition said no.
    pub skipped: u64,
    /// Failures that a `rescue` took care of.
    pub rescued: u64,
    /// Failures that do not matter.
    pub ignored: u64,
}

/// The recap of a run, by host and sorted; and what `set_stats` said.
#[derive(Clone, Debug, Default)]
pub struct RunStats {
    hosts: BTreeMap<Arc<str>, HostStats>,
    /// `set_stats` for the whole run.
    pub custom: Map,
    /// `set_stats` with `per_host`.
    pub custom_by_host: BTreeMap<Arc<str>, Map>,
}

impl RunStats {
    /// Hosts in order of their names, with what they came to.
    pub fn hosts(&self) -> impl Iterator<Item = (&Arc<str>, &HostStats)> {
        self.hosts.iter()
    }

    /// The row of a host; zeros for one that did nothing.
    pub fn of(&mut self, host: &Arc<str>) -> &mut HostStats {
        self.hosts.entry(Arc::clone(host)).or_default()
    }

    /// Counts a result; failures that are rescued are counted by whoever rescues.
    pub fn count(&mut self, result: &TaskResult) {
        let row = self.of(&result.host);
        match result.status {
            Status::Ok => row.ok += 1,
            Status::Changed => {
                row.ok += 1;
                row.changed += 1;
            }
            Status::Skipped => row.skipped += 1,
            Status::Failed if result.ignored => {
                row.ok += 1;
                row.ignored += 1;
                if result.result.get("changed").is_some_and(Value::truthy) {
                    row.changed += 1;
                }
            }
            Status::Failed => row.failed += 1,
            Status::Unreachable => row.unreachable += 1,
        }
    }
}

//! apt: what its cache knows, what a transaction's output says, and the age of its lists.

mod cache;
mod output;
pub mod policy_rc_d;
mod wanted;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::UNIX_EPOCH;

pub use cache::{Cache, Package};
pub use output::{shown_diff, steps, transacted_nothing};
pub use wanted::{Wanted, is_at_least};

/// When the lists were last fetched, in seconds since 1970; 0 if never.
pub fn cache_time() -> u64 {
    ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"]
        .into_iter()
        .find_map(|path| Path::new(path).metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |age| age.as_secs())
}

/// The packages that are installed only because others need them.
pub fn automatic() -> BTreeSet<String> {
    automatic_in(&std::fs::read_to_string("/var/lib/apt/extended_states").unwrap_or_default())
}

fn automatic_in(states: &str) -> BTreeSet<String> {
    let blocks = states.split("\n\n").filter(|block| block.lines().any(|line| line == "Auto-Installed: 1"));
    blocks.filter_map(|block| block.lines().find_map(|line| line.strip_prefix("Package: "))).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_packages_are_read() {
        let states = "Package: a\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: b\nArchitecture: amd64\nAuto-Installed: 0\n";
        assert_eq!(automatic_in(states), BTreeSet::from(["a".to_owned()]));
    }
}

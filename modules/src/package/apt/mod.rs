//! apt: what its cache knows, what a transaction's output says, and the age of its lists.

mod cache;
mod output;
pub mod policy_rc_d;
mod wanted;

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

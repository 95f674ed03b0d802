//! What a task sees: variables by precedence. `VarWorld` is a snapshot of the inventory, its variable files and what is known of every host;
//! `VarStack` is one task's view of it, a [`crate::template::Scope`]. Nothing here renders.

mod extra;
mod fact_cache;
mod facts;
mod files;
mod host_vars;
mod key_values;
mod layer;
mod magic;
mod precedence;
mod report;
mod shelf;
mod stack;
mod union;
mod world;

pub use extra::extra_vars;
pub use fact_cache::FactCache;
pub use facts::{dropped_facts, is_reserved_name};
pub use files::{load_play_vars_file, load_vars_file};
pub use host_vars::{HostUpdate, HostVars};
pub use key_values::{KeyValues, SplitError, key_values, split_words};
pub use layer::Layer;
pub use magic::{PlayLayers, PlayVars, RunVars, role_magic};
pub use precedence::{LEVELS, Precedence};
pub use report::{GraphVars, InventoryReport, Kind};
pub use stack::{Definition, Origin, VarStack};
pub use world::{HashBehaviour, VarWorld};

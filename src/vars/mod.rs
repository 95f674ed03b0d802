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
mod reach;
mod report;
mod rules;
mod shelf;
mod stack;
mod union;
mod world;

pub use extra::{INVALID_EXTRA_VARS, extra_vars};
pub use fact_cache::FactCache;
pub use facts::{FACTS_GATHERED, MAGIC_NAMES, dropped_facts, is_reserved_name};
pub use files::{NoVars, load_play_vars_file, load_vars_file};
pub use host_vars::{HostUpdate, HostVars};
pub use key_values::{KeyValue, KeyValues, SplitError, key_values, split_words};
pub use layer::Layer;
pub use magic::{ANSIBLE_VERSION, PlayLayers, PlayVars, RunVars, role_magic};
pub use precedence::{LEVELS, Precedence};
pub use reach::Reach;
pub use report::{GraphVars, InventoryReport, Kind};
pub use rules::{GroupLevel, VarRules};
pub use stack::{Definition, Origin, VarStack};
pub use world::{HashBehaviour, VarWorld};

/// Whether a play may name a variable so; inventories and `-e` take any name.
pub fn is_variable_name(name: &str) -> bool {
    let mut chars = name.chars();
    let starts = chars.next().is_some_and(|char| char.is_ascii_alphabetic() || char == '_');
    let is_constant = matches!(name, "none" | "None" | "true" | "True" | "false" | "False");
    starts && !is_constant && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

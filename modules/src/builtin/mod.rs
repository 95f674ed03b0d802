//! The modules, one file each.

pub mod command;
pub mod ping;
pub mod stat;

//! The modules, one file each.

pub mod async_status;
pub mod command;
pub mod ping;
pub mod stat;

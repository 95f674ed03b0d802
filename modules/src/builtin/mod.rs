//! The modules, one file each.

pub mod async_status;
pub mod command;
pub mod copy;
pub mod file;
pub mod ping;
pub mod stat;

//! The modules, one file each.

pub mod apt;
pub mod async_status;
pub mod command;
pub mod copy;
pub mod fetch;
pub mod file;
pub mod find;
pub mod ping;
pub mod script;
pub mod service;
pub mod setup;
pub mod slurp;
pub mod stat;
pub mod systemd;
pub mod tempfile;

//! The modules, one file each.

pub mod apt;
pub mod async_status;
pub mod blockinfile;
pub mod command;
pub mod copy;
pub mod cron;
pub mod dnf;
mod edit;
pub mod fetch;
pub mod file;
pub mod find;
pub mod group;
pub mod hostname;
pub mod lineinfile;
pub mod package;
pub mod ping;
pub mod replace;
pub mod script;
pub mod service;
pub mod setup;
pub mod slurp;
pub mod stat;
pub mod systemd;
mod tcp_table;
pub mod tempfile;
pub mod user;
pub mod wait_for;

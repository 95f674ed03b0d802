//! driftless runs Ansible inventories, playbooks and roles unchanged, over SSH, without Python on the managed hosts.
//!
//! The code in floors, lowest first; a floor uses only the floors below it (held by `tests/tidy.rs`):
//!
//! | floor | module | is |
//! |---|---|---|
//! | 0 | [`source`] | a file's text, places in it, what is wrong with it |
//! | 1 | [`value`] | plain data |
//! | 2 | [`yaml`] | YAML, with a place on every node |
//! | 3 | [`template`] | Jinja over values |
//! | 4 | [`inventory`] | hosts and groups |
//! | 5 | [`vars`] | what a task sees, by precedence |
//! | 6 | [`transport`] | bytes and exit codes: SSH, local |

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod inventory;
pub mod source;
pub mod template;
pub mod transport;
pub mod value;
pub mod vars;
pub mod yaml;

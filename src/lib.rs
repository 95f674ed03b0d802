//! driftless runs Ansible inventories, playbooks and roles unchanged, over SSH, without Python on the managed hosts.
//!
//! The code in floors, lowest first; a floor uses only the floors below it (held by `tests/tidy.rs`):
//!
//! | floor | module | is |
//! |---|---|---|
//! | 0 | [`source`] | a file's text, places in it, what is wrong with it |
//! | 1 | [`display`] | the terminal |
//! | 1 | [`value`] | plain data |
//! | 2 | [`vault`] | encrypted texts and files, and where their secrets come from |
//! | 2 | [`yaml`] | YAML, with a place on every node |
//! | 3 | [`config`] | settings |
//! | 3 | [`template`] | Jinja over values |
//! | 4 | [`inventory`] | hosts, groups, patterns |
//! | 5 | [`vars`] | what a task sees, by precedence |
//! | 6 | [`playbook`] | plays, blocks, tasks and roles as loaded |
//! | 6 | [`transport`] | bytes and exit codes: SSH, local |
//! | 7 | [`event`] | what happened, as data |
//! | 7 | [`helper`] | the running helper on a host |
//! | 8 | [`action`] | the controller's half of a module |
//! | 9 | [`callback`] | consumers of events |
//! | 9 | [`executor`] | running plays |
//! | 9 | [`preflight`] | what is certainly wrong before the first connection |
//! | 10 | [`cli`] | one file per command |

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod action;
pub mod callback;
pub mod cli;
pub mod config;
pub mod display;
pub mod event;
pub mod executor;
pub mod helper;
pub mod inventory;
pub mod playbook;
pub mod preflight;
pub mod source;
pub mod template;
pub mod transport;
pub mod value;
pub mod vars;
pub mod vault;
pub mod yaml;

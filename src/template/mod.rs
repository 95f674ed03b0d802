//! Jinja over values, as Ansible runs it: minijinja parses, our evaluator runs. Knows no hosts: variables come through
//! [`Scope`], and what lookups need of the world is handed in.

mod scope;

pub use scope::{Scope, Variable};

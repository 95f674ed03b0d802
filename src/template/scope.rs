//! Where a template's variables come from.

use std::sync::Arc;

use crate::value::Value;

/// What a name stands for.
#[derive(Clone)]
pub enum Variable {
    /// Data; trusted texts in it are templates, rendered on access against the scope that it was taken from.
    Value(Value),
    /// A map that is looked up entry by entry (`hostvars`, and each host in it): what is taken from it is rendered against *it*.
    Scope(Arc<dyn Scope>),
    /// Something that is there and cannot be had, with the reason: variables in a vault that no secret opens.
    Closed(Arc<str>),
}

/// Names and what they stand for, not yet rendered. Immutable: what is rendered is cached by the render, not here.
pub trait Scope: Send + Sync {
    /// What `name` stands for; `None` where it is undefined.
    fn get(&self, name: &str) -> Option<Variable>;

    /// Python's name of the type, where it is a value itself.
    fn type_name(&self) -> &'static str {
        "HostVarsVars"
    }

    /// All names, for `varnames`, iteration and "did you mean".
    fn names(&self) -> Vec<Arc<str>>;

    /// Whether this is `hostvars`: what is not in it is a host, and is undefined even where a default is given.
    fn is_of_hosts(&self) -> bool {
        false
    }
}

/// No variable is defined: what a template sees that was imported without context.
pub struct NoNames;

impl Scope for NoNames {
    fn get(&self, _: &str) -> Option<Variable> {
        None
    }

    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

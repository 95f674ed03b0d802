//! Jinja over values, as Ansible runs it: minijinja parses, our evaluator runs. Knows no hosts: variables come through
//! [`Scope`], and what lookups need of the world is handed in through [`Context`].

mod context;
mod engine;
mod error;
mod evaluator;
pub mod filter;
mod function;
pub mod lookup;
pub mod print;
pub mod python;
mod scope;
pub mod test;
mod undefined;
mod val;

pub use context::{Context, Extensions, NoWorld, WorldLookups};
pub use engine::Engine;
pub use error::{ErrorKind, Result, TemplateError};
pub use evaluator::{Depth, Evaluator, ScopeRef, ScopeVal};
pub use function::{Arguments, Bound, Filter, Lookup, Markers, Options, Param, Test};
pub use scope::{Scope, Variable};
pub use undefined::Undefined;
pub use val::{Dict, DictRef, ListRef, Object, Pending, Range, Val};

//! Jinja over values, as Ansible runs it: minijinja parses, our evaluator runs. Knows no hosts: variables come through
//! [`Scope`], and what lookups need of the world is handed in through [`Context`].

mod about;
pub mod collection;
mod context;
mod engine;
mod error;
mod evaluator;
mod file;
pub mod filter;
mod function;
mod inspect;
mod ir;
mod line;
pub mod lookup;
mod lower;
mod notice;
mod place;
pub mod print;
pub mod python;
mod rewrite;
mod scope;
mod syntax;
mod templar;
pub mod test;
#[cfg(test)]
mod tests;
mod undefined;
mod val;

pub use about::About;
pub use collection::PluginKind;
pub use context::{Context, Extensions, NoWorld, Untrusted, WorldLookups};
pub use engine::{Engine, Redirects};
pub use error::{ErrorKind, OMITTED, Result, TemplateError};
pub use evaluator::{Depth, Evaluator, ScopeRef, ScopeVal};
pub use function::{Arguments, Bound, Filter, Lookup, Markers, Options, Param, Test};
pub use inspect::{Inspection, LookupUse, NameUse, Reading, TemplateUse, is_global};
pub use notice::{Notice, Notices};
pub use place::Place;
pub use scope::{NoNames, Scope, Variable};
pub use syntax::{Backslashes, Syntax};
pub use templar::{EMPTY, FileOptions, NOT_A_TEXT, Rendered, Templar};
pub use undefined::Undefined;
pub use val::{Dict, DictRef, ListRef, Object, Pending, Range, TupleKind, Val};

/// Whether the characters hold a delimiter of Jinja's.
fn is_template(chars: &str) -> bool {
    chars.as_bytes().windows(2).any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

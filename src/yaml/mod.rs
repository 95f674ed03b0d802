//! YAML as PyYAML reads it, with a span on every node.

mod node;

pub use node::{Node, NodeKind};

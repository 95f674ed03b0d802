//! `Node`: a piece of a YAML document, resolved to YAML 1.1's meaning, that knows where it was written.

use crate::source::{Diagnostic, Span};
use crate::value::{Key, Map, Text, Value};

/// A node of a document. Aliases and merge keys are resolved, duplicate keys are gone (the last won).
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it was written: for collections from the first to the last child.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// A scalar; texts are trusted and have their origin, unless tagged `!unsafe`.
    Scalar(Value),
    /// A list.
    Sequence(Vec<Node>),
    /// A map: keys are scalars.
    Mapping(Vec<(Node, Node)>),
}

impl Node {
    /// The node as plain data; texts keep trust and origin.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            NodeKind::Scalar(value) => value.clone(),
            NodeKind::Sequence(items) => Value::list(items.iter().map(Self::to_value).collect()),
            NodeKind::Mapping(entries) => {
                Value::map(entries.iter().filter_map(|(key, value)| Some((Key::new(key.to_value())?, value.to_value()))).collect::<Map>())
            }
        }
    }

    /// The text, if this is a text scalar.
    pub fn as_text(&self) -> Option<&Text> {
        match &self.kind {
            NodeKind::Scalar(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The characters, if this is a text scalar.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(Text::as_str)
    }

    /// The items, if this is a list.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a map.
    pub fn as_mapping(&self) -> Option<&[(Self, Self)]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Key and value of a text key of a map.
    pub fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        self.as_mapping()?.iter().find(|(name, _)| name.as_str() == Some(key))
    }

    /// The value of a text key of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Whether this is `null` or an absent value.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar(Value::Null))
    }

    /// What it is in Python's words, for messages.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(value) => value.type_name(),
            NodeKind::Sequence(_) => "list",
            NodeKind::Mapping(_) => "dict",
        }
    }

    /// An error that points here.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.span)
    }

    /// A warning at this node.
    pub fn warning(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(&self.span)
    }
}

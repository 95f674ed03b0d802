//! Builds nodes from events, without recursion: anchors, aliases, merge keys, duplicate keys, tags. Mistakes are collected;
//! what is wrong becomes `null`, so that all of a file's mistakes show at once.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use indexmap::IndexMap;
use indexmap::map::Entry;

use super::event::{Event, EventKind, Events, Layout, MAX_DEPTH, Properties, Style, SyntaxError};
use super::scalar::{self, Plain};
use super::{Node, NodeKind, duplicates};
use crate::source::{Diagnostic, Diagnostics, Source, Span};
use crate::value::{Bytes, Key, Text, Value};

/// More nodes than this made by aliases are refused: a file of a few lines can ask for billions.
const MAX_ALIASED_NODES: usize = 1_000_000;

pub(super) const YAML: &str = "tag:yaml.org,2002:";

/// Reads one document after another.
pub(super) struct Composer<'s, 'd> {
    source: &'s Arc<Source>,
    diagnostics: &'d mut Diagnostics,
    tags: Tags,
    anchors: HashMap<String, Anchored>,
    open: Vec<Frame>,
    aliased: usize,
}

/// Which tags mean something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    /// YAML's alone.
    OfYaml,
    /// Also `!unsafe` and `!vault`.
    OfAnsible,
}

/// What an anchor names.
enum Anchored {
    /// A node, with its depth and the number of nodes in it.
    Node(Built),
    /// A collection that has not ended yet.
    Open,
}

#[derive(Clone)]
struct Built {
    node: Node,
    depth: usize,
    count: usize,
    role: Role,
}

/// What a scalar may be as key of a map.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Data,
    /// `<<`
    Merge,
    /// `=`, which is a text as key and an error elsewhere.
    ValueKey,
}

/// A collection under construction.
struct Frame {
    anchor: Option<String>,
    tag: Option<String>,
    start: usize,
    layout: Layout,
    is_unsafe: bool,
    depth: usize,
    count: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<(Node, Node, Role)>, key: Option<(Node, Role)> },
}

impl<'s, 'd> Composer<'s, 'd> {
    pub fn new(source: &'s Arc<Source>, diagnostics: &'d mut Diagnostics, tags: Tags) -> Self {
        Self { source, diagnostics, tags, anchors: HashMap::new(), open: Vec::new(), aliased: 0 }
    }

    /// The next document of `events`.
    pub fn document(&mut self, events: &mut Events<'_>) -> Result<Option<Node>, SyntaxError> {
        self.anchors.clear();
        self.open.clear();
        let mut root = None;
        while let Some(event) = events.next()? {
            match event.kind {
                EventKind::DocumentStart => {}
                EventKind::DocumentEnd => return Ok(root),
                _ => {
                    if let Some(built) = self.event(event)? {
                        root = Some(self.finish_data(built).node);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Takes an event; the node, when it completes the document's.
    fn event(&mut self, mut event: Event) -> Result<Option<Built>, SyntaxError> {
        self.refuse_own_tags(&mut event);
        let built = match event.kind {
            EventKind::DocumentStart | EventKind::DocumentEnd => return Ok(None),
            EventKind::SequenceStart { properties, layout } => {
                self.begin(properties, event.start, layout, Content::Sequence(Vec::new()));
                return Ok(None);
            }
            EventKind::MappingStart { properties, layout } => {
                self.begin(properties, event.start, layout, Content::Mapping { entries: Vec::new(), key: None });
                return Ok(None);
            }
            EventKind::Alias(name) => self.alias(&name, event.start, event.end)?,
            EventKind::Scalar { properties, value, style } => self.scalar(properties, value, style, event.start, event.end),
            EventKind::CollectionEnd => {
                let frame = self.open.pop().expect("libyaml ends only what it began");
                self.end(frame, event.end)
            }
        };
        Ok(self.place(built))
    }

    /// Where Ansible's tags mean nothing, they are unknown.
    fn refuse_own_tags(&mut self, event: &mut Event) {
        let (EventKind::SequenceStart { properties, .. }
        | EventKind::MappingStart { properties, .. }
        | EventKind::Scalar { properties, .. }) = &mut event.kind
        else {
            return;
        };
        let is_own = |tag: &String| matches!(tag.as_str(), "!unsafe" | "!vault" | "!vault-encrypted");
        if self.tags == Tags::OfYaml
            && let Some(tag) = properties.tag.take_if(|tag| is_own(tag))
        {
            self.diagnostics.push(unknown_tag(&tag).at(&Span::new(self.source, event.start, event.end)));
        }
    }

    fn begin(&mut self, properties: Properties, start: usize, layout: Layout, content: Content) {
        let is_unsafe = self.is_unsafe() || properties.tag.as_deref() == Some("!unsafe");
        if let Some(anchor) = &properties.anchor {
            self.anchors.insert(anchor.clone(), Anchored::Open);
        }
        let start = self.after_properties(start, &properties);
        self.open.push(Frame { anchor: properties.anchor, tag: properties.tag, start, layout, is_unsafe, depth: 0, count: 1, content });
    }

    /// Puts a node into the innermost open collection; gives it back where there is none.
    fn place(&mut self, built: Built) -> Option<Built> {
        let is_key = match self.open.last() {
            None => return Some(built),
            Some(Frame { content: Content::Mapping { key: None, .. }, .. }) => true,
            Some(_) => false,
        };
        let built = if is_key { self.check_key(built) } else { self.finish_data(built) };
        let frame = self.open.last_mut().expect("looked at above");
        frame.depth = frame.depth.max(built.depth);
        frame.count += built.count;
        match &mut frame.content {
            Content::Sequence(items) => items.push(built.node),
            Content::Mapping { entries, key } => match key.take() {
                None => *key = Some((built.node, built.role)),
                Some((name, role)) => entries.push((name, built.node, role)),
            },
        }
        None
    }

    fn check_key(&mut self, built: Built) -> Built {
        let what = match &built.node.kind {
            NodeKind::Scalar(_) => return built,
            NodeKind::Sequence(_) => "list",
            NodeKind::Mapping(_) => "map",
        };
        let mut error = built.node.error(format!("found a {what} as key, expected a text or a number"));
        let text = self.source.text();
        if what == "map" && text[..built.node.span.start()].ends_with('{') {
            let whole = Span::new(self.source, built.node.span.start() - 1, built.node.span.end());
            error = Diagnostic::error(error.message)
                .at(&whole)
                .hint("a value that begins with `{{` must be quoted, else YAML reads a map: `key: \"{{ variable }}\"`");
        }
        self.diagnostics.push(error);
        Built { node: Node { kind: NodeKind::Scalar(Value::Null), ..built.node }, depth: 0, count: 1, role: Role::Data }
    }

    /// `<<` and `=` mean something only as keys.
    fn finish_data(&mut self, built: Built) -> Built {
        let sign = match built.role {
            Role::Data => return built,
            Role::Merge => "<<",
            Role::ValueKey => "=",
        };
        self.diagnostics.push(built.node.error(format!("found a lone `{sign}`, which YAML reserves")).hint("quote it"));
        Built { role: Role::Data, ..built }
    }

    fn alias(&mut self, name: &str, start: usize, end: usize) -> Result<Built, SyntaxError> {
        let stop = |problem: String| SyntaxError { problem, context: None, at: start, context_at: None };
        let span = Span::new(self.source, start, end);
        let null = Built { node: Node { span: span.clone(), kind: NodeKind::Scalar(Value::Null) }, depth: 0, count: 1, role: Role::Data };
        match self.anchors.get(name) {
            Some(Anchored::Node(built)) => {
                self.aliased += built.count;
                if self.aliased > MAX_ALIASED_NODES {
                    return Err(stop(format!("found aliases that stand for more than {MAX_ALIASED_NODES} nodes")));
                }
                if self.open.len() + built.depth > MAX_DEPTH {
                    return Err(stop(format!("found collections nested deeper than {MAX_DEPTH}")));
                }
                Ok(built.clone())
            }
            Some(Anchored::Open) => {
                self.diagnostics.push(Diagnostic::error(format!("alias `{name}` stands for a collection that it is in")).at(&span));
                Ok(null)
            }
            None => {
                let error = Diagnostic::error(format!("found undefined alias `{name}`")).at(&span);
                self.diagnostics.push(error.hint("a value that begins with `*` must be quoted"));
                Ok(null)
            }
        }
    }

    fn scalar(&mut self, properties: Properties, text: String, style: Style, start: usize, end: usize) -> Built {
        let whole = Span::new(self.source, start, end);
        let start = self.after_properties(start, &properties).min(end);
        let span = Span::new(self.source, start, end);
        let is_unsafe = self.is_unsafe() || properties.tag.as_deref() == Some("!unsafe");
        let mut role = Role::Data;
        let value = match self.scalar_value(properties.tag.as_deref(), &text, style) {
            Ok(Meaning::Value(value)) => value,
            Ok(Meaning::Text) => text_value(text, &span, is_unsafe),
            Ok(Meaning::Vault) => Value::Text(Text::sealed(text, Some(span.clone()))),
            Ok(Meaning::Role(found)) => {
                role = found;
                text_value(text, &span, is_unsafe)
            }
            Err(error) => {
                self.diagnostics.push(error.at(&whole));
                Value::Null
            }
        };
        let built = Built { node: Node { span, kind: NodeKind::Scalar(value) }, depth: 0, count: 1, role };
        self.name(properties.anchor, &built);
        built
    }

    fn scalar_value(&self, tag: Option<&str>, text: &str, style: Style) -> Result<Meaning, Diagnostic> {
        let wrong = Diagnostic::error;
        // A lone `!` has even quoted texts resolved, as PyYAML does.
        let is_resolved = style == Style::Plain || tag == Some("!");
        let Some(tag) = tag.filter(|tag| !matches!(*tag, "!" | "!unsafe")) else {
            if !is_resolved {
                return Ok(Meaning::Text);
            }
            return match scalar::resolve(text).map_err(wrong)? {
                Plain::Value(value) => Ok(Meaning::Value(value)),
                Plain::Text => Ok(Meaning::Text),
                Plain::Merge => Ok(Meaning::Role(Role::Merge)),
                Plain::ValueKey => Ok(Meaning::Role(Role::ValueKey)),
            };
        };
        if matches!(tag, "!vault" | "!vault-encrypted") {
            return Ok(Meaning::Vault);
        }
        Ok(Meaning::Value(match tag.strip_prefix(YAML) {
            Some("str") => return Ok(Meaning::Text),
            Some("null") => Value::Null,
            Some("bool") => Value::Bool(scalar::boolean(&canonical_bool(text)).ok_or_else(|| wrong(format!("`{text}` is not a boolean")))?),
            Some("int") => scalar::int(text).map_err(wrong)?,
            Some("float") => scalar::float(text).map_err(wrong)?,
            Some("timestamp") => scalar::timestamp(text).map_err(wrong)?,
            Some("binary") => binary(text).map_err(wrong)?,
            Some("merge") => return Ok(Meaning::Role(Role::Merge)),
            Some("value") => return Ok(Meaning::Role(Role::ValueKey)),
            Some(name @ ("seq" | "map" | "set" | "omap" | "pairs")) => {
                return Err(wrong(format!("found a scalar, expected a collection for `!!{name}`")));
            }
            _ => return Err(unknown_tag(tag)),
        }))
    }

    fn end(&mut self, frame: Frame, end: usize) -> Built {
        let (depth, count) = (frame.depth + 1, frame.count);
        let kind = match frame.content {
            Content::Sequence(items) => NodeKind::Sequence(items),
            Content::Mapping { entries, .. } => NodeKind::Mapping(self.mapping(entries)),
        };
        let end = match (&kind, frame.layout) {
            (_, Layout::Flow) => end,
            (NodeKind::Sequence(items), Layout::Block) => items.iter().map(|item| item.span.end()).max().unwrap_or(frame.start),
            (NodeKind::Mapping(entries), Layout::Block) => {
                entries.iter().map(|(key, value)| key.span.end().max(value.span.end())).max().unwrap_or(frame.start)
            }
            (NodeKind::Scalar(_), Layout::Block) => frame.start,
        };
        let span = Span::new(self.source, frame.start, end);
        let kind = self.tagged(kind, frame.tag.as_deref(), &span);
        let built = Built { node: Node { span, kind }, depth, count, role: Role::Data };
        self.name(frame.anchor, &built);
        built
    }

    /// What the tag of a collection makes of it.
    fn tagged(&mut self, kind: NodeKind, tag: Option<&str>, span: &Span) -> NodeKind {
        let Some(tag) = tag else { return kind };
        let name = tag.strip_prefix(YAML);
        let error = match (&kind, name) {
            _ if matches!(tag, "!" | "!unsafe") => return kind,
            (NodeKind::Sequence(_), Some("seq")) | (NodeKind::Mapping(_), Some("map")) => return kind,
            (NodeKind::Mapping(entries), Some("set")) => return NodeKind::Sequence(entries.iter().map(|(key, _)| key.clone()).collect()),
            (NodeKind::Sequence(items), Some("omap" | "pairs")) => match items.iter().map(pair).collect::<Option<Vec<_>>>() {
                Some(pairs) => return NodeKind::Sequence(pairs),
                None => Diagnostic::error(format!("found something else than maps of one entry in `{}`", shown_tag(tag))),
            },
            (_, Some("str" | "null" | "bool" | "int" | "float" | "timestamp" | "binary")) => {
                Diagnostic::error(format!("found a collection, expected a scalar for `{}`", shown_tag(tag)))
            }
            (_, Some("seq" | "omap" | "pairs")) => Diagnostic::error(format!("found a map, expected a list for `{}`", shown_tag(tag))),
            (_, Some("map" | "set")) => Diagnostic::error(format!("found a list, expected a map for `{}`", shown_tag(tag))),
            (_, _) if matches!(tag, "!vault" | "!vault-encrypted") => {
                Diagnostic::error(format!("found a collection, expected a text for `{tag}`"))
            }
            (_, _) => unknown_tag(tag),
        };
        self.diagnostics.push(error.at(span));
        NodeKind::Scalar(Value::Null)
    }

    /// The entries of a map: merged ones first, then its own; of duplicates the last wins, in the place of the first.
    fn mapping(&mut self, entries: Vec<(Node, Node, Role)>) -> Vec<(Node, Node)> {
        let mut all: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
        for (key, value, _) in entries.iter().filter(|(_, _, role)| *role == Role::Merge) {
            self.merge(key, value, &mut all);
        }
        all.extend(entries.into_iter().filter(|(_, _, role)| *role != Role::Merge).map(|(key, value, _)| (key, value)));
        let mut unique: IndexMap<Key, (Node, Node)> = IndexMap::with_capacity(all.len());
        for (key, value) in all {
            let Some(name) = Key::new(key.to_value()) else { continue };
            match unique.entry(name) {
                Entry::Vacant(place) => {
                    place.insert((key, value));
                }
                Entry::Occupied(mut place) => {
                    let first = place.get().0.clone();
                    let warning = format!("{} `{}`, using the last defined value only", duplicates::FOUND, key.span.text());
                    self.diagnostics.push(Diagnostic::warning(warning).at(&key.span).label(&first.span, "first defined here"));
                    // Python keeps the first of two equal keys; two equal texts differ only in their place.
                    let key = if key.as_text().is_some() { key } else { first };
                    place.insert((key, value));
                }
            }
        }
        unique.into_values().collect()
    }

    /// Adds what `<<: value` brings; of several maps in a list, the first wins.
    fn merge(&mut self, key: &Node, value: &Node, all: &mut Vec<(Node, Node)>) {
        match &value.kind {
            NodeKind::Mapping(entries) => all.extend(entries.iter().cloned()),
            NodeKind::Sequence(items) => {
                for item in items.iter().rev() {
                    match &item.kind {
                        NodeKind::Mapping(entries) => all.extend(entries.iter().cloned()),
                        NodeKind::Scalar(_) | NodeKind::Sequence(_) => self.diagnostics.push(not_mergeable(key, item)),
                    }
                }
            }
            NodeKind::Scalar(_) => self.diagnostics.push(not_mergeable(key, value)),
        }
    }

    fn name(&mut self, anchor: Option<String>, built: &Built) {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, Anchored::Node(built.clone()));
        }
    }

    fn is_unsafe(&self) -> bool {
        self.open.last().is_some_and(|frame| frame.is_unsafe)
    }

    /// A node with a tag or an anchor starts at its sign; what the user thinks of begins behind it.
    fn after_properties(&self, start: usize, properties: &Properties) -> usize {
        let signs = usize::from(properties.anchor.is_some()) + usize::from(properties.tag.is_some());
        let text = self.source.text();
        let mut at = start;
        for _ in 0..signs {
            if !text[at..].starts_with(['!', '&']) {
                break;
            }
            at += text[at..]
                .find(|character: char| character.is_whitespace() || matches!(character, ',' | ']' | '}'))
                .unwrap_or(text.len() - at);
            at += text[at..].len() - text[at..].trim_start().len();
        }
        at
    }
}

enum Meaning {
    Value(Value),
    Text,
    Vault,
    Role(Role),
}

fn text_value(text: String, span: &Span, is_unsafe: bool) -> Value {
    Value::Text(if is_unsafe { Text::untrusted_at(text, span.clone()) } else { Text::trusted(text, Some(span.clone())) })
}

fn canonical_bool(text: &str) -> String {
    text.to_lowercase()
}

fn binary(text: &str) -> Result<Value, String> {
    let compact: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let bytes =
        base64::engine::general_purpose::STANDARD.decode(compact).map_err(|error| format!("failed to decode base64 data: {error}"))?;
    Ok(Value::Bytes(Bytes::new(bytes)))
}

/// `{a: b}` as `[a, b]`.
fn pair(node: &Node) -> Option<Node> {
    let [(key, value)] = node.as_mapping()? else { return None };
    Some(Node { span: node.span.clone(), kind: NodeKind::Sequence(vec![key.clone(), value.clone()]) })
}

fn not_mergeable(key: &Node, value: &Node) -> Diagnostic {
    value.error("found something else than a map, expected a map or a list of maps for merging").label(&key.span, "merged here")
}

fn unknown_tag(tag: &str) -> Diagnostic {
    Diagnostic::error(format!("found unknown tag `{}`", shown_tag(tag)))
        .hint("Ansible knows `!unsafe` and `!vault`; a value that begins with `!` must be quoted")
}

fn shown_tag(tag: &str) -> String {
    tag.strip_prefix(YAML).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"))
}

//! Lists of tasks and blocks.

use std::sync::Arc;

use super::Loader;
use super::keywords::not_valid;
use crate::playbook::{Block, Context, Entry, Keyword, Place};
use crate::source::Diagnostics;
use crate::yaml::Node;

impl Loader<'_> {
    /// A list of tasks and blocks; an empty item is none.
    pub(super) fn entries(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        self.listed(node, |item| !item.is_null(), context, diagnostics)
    }

    fn listed(&self, node: &Node, counts: fn(&Node) -> bool, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        if node.is_null() {
            return Vec::new();
        }
        let Some(items) = node.as_sequence() else {
            diagnostics.push(node.error(format!("expected a list of tasks, found a {}", node.type_name())));
            return Vec::new();
        };
        items.iter().filter(|item| counts(item)).flat_map(|item| self.entry(item, context, diagnostics)).collect()
    }

    fn entry(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<Entry> {
        let Some(_) = node.as_mapping() else {
            diagnostics.push(node.error(format!("expected a task (a dictionary), found a {}", node.type_name())));
            return None;
        };
        if ["block", "rescue", "always"].iter().any(|key| node.get(key).is_some()) {
            return self.block(node, context, diagnostics).map(|block| Entry::Block(Arc::new(block)));
        }
        self.task(node, context, diagnostics)
    }

    fn block(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<Block> {
        let is_empty = |node: &Node| node.as_sequence().is_some_and(<[Node]>::is_empty);
        let is_given = |name| node.entry(name).filter(|(_, section)| !is_empty(section));
        if let Some((key, _)) = is_given("rescue").or_else(|| is_given("always")).filter(|_| node.get("block").is_none_or(is_empty)) {
            let name = key.as_str().unwrap_or_default();
            diagnostics.push(key.error(format!("'{name}' keyword cannot be used without 'block'")));
            return None;
        }
        let written = self.written(node, Place::Block, diagnostics);
        for (key, _) in &written.rest {
            diagnostics.push(not_valid(key, Place::Block));
        }
        let mut inner = Context::clone(context);
        inner.keywords = context.keywords.inherited_by(written.inherited.clone());
        let inner = Arc::new(inner);
        let mut section = |keyword| written.own(keyword).map(|node| self.listed(node, |_| true, &inner, diagnostics)).unwrap_or_default();
        let tasks = section(Keyword::Block);
        let rescue = section(Keyword::Rescue);
        let always = section(Keyword::Always);
        Some(Block { tasks, rescue, always, role: None })
    }
}

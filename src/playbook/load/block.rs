//! Lists of tasks and blocks.

use std::sync::Arc;

use super::Loader;
use super::keywords::not_valid;
use crate::playbook::{Block, Context, Entry, Keyword, Place};
use crate::source::Diagnostics;
use crate::template::print::shown;
use crate::yaml::Node;

const SECTIONS: [Keyword; 3] = [Keyword::Block, Keyword::Rescue, Keyword::Always];

impl Loader<'_> {
    /// A list of tasks and blocks; an empty item is none.
    pub(super) fn entries(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Vec<Entry> {
        if node.is_null() {
            return Vec::new();
        }
        let Some(items) = node.as_sequence() else {
            diagnostics.push(node.error(format!("expected a list of tasks, found a {}", node.type_name())));
            return Vec::new();
        };
        items.iter().filter(|item| !item.is_null()).flat_map(|item| self.entry(item, context, diagnostics)).collect()
    }

    fn entry(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<Entry> {
        let Some(_) = node.as_mapping() else {
            diagnostics.push(node.error(format!("expected a task (a dictionary), found a {}", node.type_name())));
            return None;
        };
        if SECTIONS.iter().any(|keyword| node.get(keyword.name()).is_some()) {
            return self.block(node, context, diagnostics).map(|block| Entry::Block(Arc::new(block)));
        }
        self.task(node, context, diagnostics)
    }

    fn block(&self, node: &Node, context: &Arc<Context>, diagnostics: &mut Diagnostics) -> Option<Block> {
        for (keyword, (key, section)) in SECTIONS.iter().filter_map(|keyword| Some((keyword, node.entry(keyword.name())?))) {
            if section.as_sequence().is_none() {
                let (name, found) = (keyword.name(), shown(&section.to_value()));
                let message = format!(
                    "A malformed block was encountered while loading {name}: The ds ({found}) should be a list but was a {}",
                    section.type_name()
                );
                diagnostics.push(if section.is_null() { key.error(message) } else { section.error(message) });
                return None;
            }
        }
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
        // Here an empty item is a mistake.
        let mut section = |keyword| -> Vec<Entry> {
            let items = written.own(keyword).and_then(Node::as_sequence).unwrap_or_default();
            items.iter().flat_map(|item| self.entry(item, &inner, diagnostics)).collect()
        };
        let [tasks, rescue, always] = SECTIONS.map(&mut section);
        Some(Block { tasks, rescue, always, role: None })
    }
}

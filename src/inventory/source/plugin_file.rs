//! Files of inventory plugins: YAML with `plugin:` and the plugin's options.

use super::{Candidate, Failure};
use crate::template::print::value_to_text;
use crate::value::Value;
use crate::yaml::Node;

/// A plugin's options as written.
pub(super) struct PluginFile<'f> {
    plugin: &'static str,
    node: &'f Node,
}

/// What `plugin:` names, if anything.
pub(super) fn named_plugin(document: &Node) -> Option<&Node> {
    document.get("plugin").filter(|named| named.to_value().truthy())
}

impl<'f> PluginFile<'f> {
    /// The options in a file that is one of `plugin`'s, which may be written as any of `names`.
    pub fn read(plugin: &'static str, names: &[&str], candidate: &'f Candidate<'_>) -> Result<Self, Failure> {
        let (document, _) = candidate.document()?;
        let Some(node) = document else { return Err(candidate.error("it is empty")) };
        if node.as_mapping().is_none() {
            return Err(node
                .error(format!("inventory source has invalid structure, it should be a dictionary, got: {}", node.type_name()))
                .into());
        }
        let found = named_plugin(node);
        match found.and_then(Node::as_str) {
            Some(name) if names.contains(&name) => Ok(Self { plugin, node }),
            Some(name) => Err(node.error(format!("Incorrect plugin name in file: {name}")).into()),
            None => Err(node.error("Incorrect plugin name in file: none found").into()),
        }
    }

    /// The plugin whose file it is.
    pub fn plugin(&self) -> &'static str {
        self.plugin
    }

    /// An option, where it is not null.
    pub fn get(&self, name: &str) -> Option<&'f Node> {
        self.node.get(name).filter(|node| !node.is_null())
    }

    /// The whole file.
    pub fn node(&self) -> &'f Node {
        self.node
    }

    /// A boolean; what is none is false, as in Ansible.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |node| is_true(&node.to_value()))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'f str>, Failure> {
        let Some(node) = self.get(name) else { return Ok(None) };
        node.as_str().map(Some).ok_or_else(|| self.wrong(name, "str", node))
    }

    /// The entries of a mapping.
    pub fn mapping(&self, name: &str) -> Result<&'f [(Node, Node)], Failure> {
        let Some(node) = self.get(name) else { return Ok(&[]) };
        node.as_mapping().ok_or_else(|| self.wrong(name, "dict", node))
    }

    /// The items of a list.
    pub fn list(&self, name: &str) -> Result<&'f [Node], Failure> {
        let Some(node) = self.get(name) else { return Ok(&[]) };
        node.as_sequence().ok_or_else(|| self.wrong(name, "list", node))
    }

    fn wrong(&self, name: &str, wanted: &str, node: &Node) -> Failure {
        let plugin = self.plugin;
        let shown = value_to_text(&Value::list(vec![node.to_value()]));
        let shown = shown.as_str().trim_start_matches('[').strip_suffix(']').unwrap_or_default().to_owned();
        let message =
            format!("Config '{name}' for '{plugin}' inventory plugin has an invalid value: Invalid value provided for '{wanted}': {shown}");
        node.error(message).into()
    }
}

/// What settings take as true.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Text(text) => matches!(text.as_str().trim().to_lowercase().as_str(), "y" | "yes" | "on" | "1" | "true" | "t" | "1.0"),
        Value::Bool(value) => *value,
        Value::Int(number) => *number == 1,
        _ => false,
    }
}

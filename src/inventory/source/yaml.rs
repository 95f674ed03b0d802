//! YAML inventories: groups by name, each with `hosts`, `vars` and `children`.

use std::sync::Arc;

use super::{Builder, expand};
use crate::inventory::GroupId;
use crate::source::{Diagnostic, Diagnostics, Source};
use crate::value::Value;
use crate::yaml::{Node, load_one};

/// Whether the text is a YAML inventory at all: `None` hands it to the next reader, with what was wrong.
pub(super) fn read(source: &Arc<Source>, builder: &mut Builder<'_>) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::new();
    let node = load_one(source, &mut found);
    if found.has_errors() {
        return Err(found);
    }
    builder.diagnostics.extend(found);
    let fail = |diagnostic: Diagnostic| {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(diagnostic);
        Err(diagnostics)
    };
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return fail(Diagnostic::error("parsed empty YAML file"));
    };
    let Some(groups) = node.as_mapping() else {
        return fail(node.error(format!("YAML inventory has invalid structure, it should be a dictionary, got `{}`", node.type_name())));
    };
    if let Some((key, _)) = node.entry("plugin") {
        return fail(key.error("plugin configuration YAML file, not YAML inventory").hint("inventory plugins come with a later release"));
    }
    for (name, group) in groups {
        if let Err(diagnostic) = self::group(name, group, builder) {
            return fail(diagnostic);
        }
    }
    Ok(())
}

fn group(name: &Node, data: &Node, builder: &mut Builder<'_>) -> Result<Option<GroupId>, Diagnostic> {
    if data.as_mapping().is_none() && !data.is_null() {
        builder.warn(name.error(format!("skipping `{}` as this is not a valid group definition", name.span.text())));
        return Ok(None);
    }
    let Some(text) = name.as_str() else {
        return Err(name.error(format!("invalid group name `{}`: expected a text", name.span.text())));
    };
    let id = builder.group(text);
    let sections = data.as_mapping().unwrap_or_default();
    for (key, section) in sections {
        let key_text = key.as_str().unwrap_or_default();
        if !matches!(key_text, "vars" | "hosts" | "children") {
            let warning =
                format!("skipping unexpected key `{}` in group `{text}`, only `vars`, `children` and `hosts` are valid", key.span.text());
            builder.warn(key.error(warning));
        } else if section.as_mapping().is_none() && !section.is_null() && section.as_text().is_none() {
            let found = section.type_name();
            return Err(
                section.error(format!("invalid `{key_text}` entry for `{text}` group, requires a dictionary, found `{found}` instead"))
            );
        }
    }
    for (key, value) in entries(data, "vars") {
        builder.inventory.set_group_variable(id, &key_name(&key), value.map_or(Value::Null, |value| value.to_value()));
    }
    for (key, value) in entries(data, "children") {
        let empty = Node { span: key.span.clone(), kind: crate::yaml::NodeKind::Scalar(Value::Null) };
        if let Some(child) = group(&key, value.as_ref().unwrap_or(&empty), builder)? {
            builder.inventory.add_child(id, child).map_err(|error| key.error(error.to_string()))?;
        }
    }
    for (key, value) in entries(data, "hosts") {
        let (names, port) = expand::expand(&key_name(&key)).map_err(|problem| key.error(problem))?;
        let vars: Vec<(String, Value)> = match &value {
            None => Vec::new(),
            Some(node) if node.is_null() => Vec::new(),
            Some(node) => match node.as_mapping() {
                Some(vars) => vars.iter().map(|(name, value)| (key_name(name), value.to_value())).collect(),
                None => {
                    return Err(node.error(format!(
                        "found `{}` for host `{}`, expected a dictionary of variables",
                        node.type_name(),
                        key.span.text()
                    )));
                }
            },
        };
        for name in &names {
            builder.host(name, id, port, &vars);
        }
    }
    Ok(Some(id))
}

/// The entries of a section; a text alone is one name.
fn entries(data: &Node, section: &str) -> Vec<(Node, Option<Node>)> {
    match data.get(section) {
        Some(node) if node.as_text().is_some() => vec![(node.clone(), None)],
        Some(node) => node.as_mapping().unwrap_or_default().iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect(),
        None => Vec::new(),
    }
}

fn key_name(key: &Node) -> String {
    key.as_str().map_or_else(|| key.span.text().to_owned(), str::to_owned)
}

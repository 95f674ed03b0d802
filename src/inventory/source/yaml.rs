//! YAML inventories: groups by name, each with `hosts`, `vars` and `children`.

use super::{Builder, Candidate, Failure, Plugin, expand, plugin_file};
use crate::inventory::GroupId;
use crate::source::Diagnostic;
use crate::template::print::repr;
use crate::value::{Key, Value};
use crate::yaml::Node;

/// `yaml`
pub(super) struct Yaml;

impl Plugin for Yaml {
    fn name(&self) -> &'static str {
        "yaml"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_yaml()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let (document, found) = candidate.document()?;
        found.iter().for_each(|diagnostic| builder.warn(diagnostic.clone()));
        match document {
            Some(node) if !node.as_mapping().is_some_and(<[_]>::is_empty) => read(node, builder),
            Some(_) | None => Err("parsed empty YAML file".to_owned().into()),
        }
    }
}

fn read(node: &Node, builder: &mut Builder<'_>) -> Result<(), Failure> {
    let Some(groups) = node.as_mapping() else {
        let error = format!("YAML inventory has invalid structure, it should be a dictionary, got `{}`", node.type_name());
        return Err(node.error(error).into());
    };
    if let Some(named) = plugin_file::named_plugin(node) {
        let error = named.error("plugin configuration YAML file, not YAML inventory");
        return Err(error.hint("files of plugins end with `.yml` or `.yaml`").into());
    }
    for (name, group) in groups {
        self::group(name, group, builder)?;
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
    // In the order of the file: of two places that set a host's variable the later one counts.
    for (key, section) in sections {
        match key.as_str().unwrap_or_default() {
            "vars" => {
                for (key, value) in entries(section) {
                    builder.inventory.set_group_variable(id, &variable_name(&key), value.map_or(Value::Null, |value| value.to_value()));
                }
            }
            "children" => {
                for (key, value) in entries(section) {
                    let empty = Node { span: key.span.clone(), kind: crate::yaml::NodeKind::Scalar(Value::Null) };
                    if let Some(child) = group(&key, value.as_ref().unwrap_or(&empty), builder)? {
                        builder.inventory.add_child(id, child).map_err(|error| key.error(error.to_string()))?;
                    }
                }
            }
            "hosts" => hosts(section, id, builder)?,
            _ => {}
        }
    }
    Ok(Some(id))
}

fn hosts(section: &Node, group: GroupId, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    for (key, value) in entries(section) {
        let Some(text) = key.as_str() else {
            let found = repr(&key.to_value());
            let message = format!("Host pattern {found} must be a string. Enclose integers/floats in quotation marks.");
            return Err(key.error(message));
        };
        let (names, port) = expand::expand(text).map_err(|problem| key.error(problem))?;
        let vars: Vec<(String, Value)> = match &value {
            None => Vec::new(),
            Some(node) if node.is_null() => Vec::new(),
            Some(node) => match node.as_mapping() {
                Some(vars) => vars.iter().map(|(name, value)| (variable_name(name), value.to_value())).collect(),
                None => {
                    return Err(node.error(format!("found `{}` for host `{text}`, expected a dictionary of variables", node.type_name())));
                }
            },
        };
        for name in &names {
            builder.host(name, group, port, &vars);
        }
    }
    Ok(())
}

/// The entries of a section; a text alone is one name.
fn entries(section: &Node) -> Vec<(Node, Option<Node>)> {
    if section.as_text().is_some() {
        return vec![(section.clone(), None)];
    }
    section.as_mapping().unwrap_or_default().iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect()
}

/// The name of a variable, which YAML may have read as something else than a text.
fn variable_name(key: &Node) -> String {
    Key::new(key.to_value()).map_or_else(|| key.span.text().to_owned(), |key| key.to_json_key())
}

//! `generator`: a host for every combination of values, with groups named by templates.

use std::sync::Arc;

use super::compose::Layers;
use super::plugin_file::PluginFile;
use super::{Builder, Candidate, Failure, Plugin, checked_name};
use crate::inventory::{GroupId, HostId};
use crate::template::{Rendered, Templar};
use crate::value::{Key, Map, Value};
use crate::yaml::Node;

/// More hosts than this are a mistake of writing.
const MAX_HOSTS: usize = 1_000_000;

/// `generator`
pub(super) struct Generator;

impl Plugin for Generator {
    fn name(&self) -> &'static str {
        "generator"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_plugin_file()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let file = PluginFile::read("generator", &["generator", "ansible.builtin.generator"], candidate)?;
        let required =
            |name: &str| file.node().get(name).ok_or_else(|| Failure::from(file.node().error(format!("the option '{name}' is missing"))));
        let (hosts, layers) = (required("hosts")?, required("layers")?);
        let (Some(_), Some(layers)) = (hosts.as_mapping(), layers.as_mapping()) else {
            return Err(file.node().error("`hosts` and `layers` have to be dictionaries").into());
        };
        let layers = layers.iter().map(|(name, values)| Ok((name.to_value(), values_of(values)?))).collect::<Result<Vec<_>, Failure>>()?;
        let count =
            layers.iter().try_fold(1_usize, |count, (_, values)| count.checked_mul(values.len()).filter(|count| *count <= MAX_HOSTS));
        let Some(count) = count else { return Err(file.node().error("the layers make more than a million hosts").into()) };
        let uses_extra = file.flag("use_extra_vars", builder.options.use_extra_vars || builder.options.generator_uses_extra_vars);
        for index in 0..count {
            let extra = Some(Arc::clone(&builder.options.extra)).filter(|_| uses_extra);
            let scope = extra.into_iter().chain([Arc::new(combination(&layers, index))]).collect();
            generate(hosts, scope, builder)?;
        }
        Ok(())
    }
}

/// The values of a layer: a list's, a dictionary's keys, a text's letters.
fn values_of(node: &Node) -> Result<Vec<Value>, Failure> {
    match node.to_value() {
        Value::List(values) => Ok(values.to_vec()),
        Value::Map(map) => Ok(map.keys().map(|key| key.value().clone()).collect()),
        Value::Text(text) => Ok(text.as_str().chars().map(|letter| Value::text(letter.to_string())).collect()),
        other => Err(node.error(format!("'{}' object is not iterable: expected a list of values", other.type_name())).into()),
    }
}

/// The `index`th combination; the last layer changes fastest.
fn combination(layers: &[(Value, Vec<Value>)], mut index: usize) -> Map {
    let mut chosen = Vec::with_capacity(layers.len());
    for (name, values) in layers.iter().rev() {
        chosen.push((name.clone(), values[index % values.len()].clone()));
        index /= values.len();
    }
    chosen.into_iter().rev().filter_map(|(name, value)| Some((Key::new(name)?, value))).collect()
}

/// What a group is put above.
#[derive(Clone, Copy)]
enum Member {
    Host(HostId),
    Group(GroupId),
}

fn generate(hosts: &Node, scope: Vec<Arc<Map>>, builder: &mut Builder<'_>) -> Result<(), Failure> {
    let Some((engine, context)) = builder.options.templates.clone() else {
        return Err("templates are not rendered here".to_owned().into());
    };
    let templar = Templar::new(&engine, Arc::new(Layers(scope)), context);
    let Some(template) = hosts.get("name") else { return Err(hosts.error("`hosts` has no 'name'").into()) };
    let name = render(&templar, template)?;
    let name = checked_name(&name, "host")?;
    let is_new = builder.inventory.host_named(name).is_none();
    let host = builder.inventory.add_host(name);
    if is_new {
        builder.inventory.note_source(host, &builder.source);
    }
    if let Some(parents) = hosts.get("parents") {
        add_parents(Member::Host(host), name, parents, &templar, builder)?;
    }
    Ok(())
}

fn add_parents(member: Member, name: &str, parents: &Node, templar: &Templar, builder: &mut Builder<'_>) -> Result<(), Failure> {
    let Some(parents) = parents.as_sequence() else {
        return Err(parents.error(format!("expected a list of parents for {name}, got {}", parents.type_name())).into());
    };
    for parent in parents {
        if parent.as_mapping().is_none() {
            return Err(parent.error(format!("expected a dictionary with 'name', got {}", parent.type_name())).into());
        }
        let Some(template) = parent.get("name").filter(|template| !template.is_null()) else {
            return Err(parent.error(format!("Element {name} has a parent with no name.")).into());
        };
        let group_name = render(templar, template)?;
        let group_name = checked_name(&group_name, "group")?;
        let group = builder.group(group_name);
        if let Some(vars) = parent.get("vars") {
            let Some(entries) = vars.as_mapping() else {
                return Err(vars.error(format!("expected a dictionary of variables, got {}", vars.type_name())).into());
            };
            for (key, value) in entries {
                let key = key.as_str().map_or_else(|| key.span.text().to_owned(), str::to_owned);
                let value = render(templar, value)?;
                builder.inventory.set_group_variable(group, &key, value);
            }
        }
        match member {
            Member::Host(host) => builder.inventory.add_host_to_group(host, group),
            Member::Group(child) => {
                builder.inventory.add_child(group, child).map_err(|error| Failure::from(template.error(error.to_string())))?
            }
        }
        if let Some(above) = parent.get("parents") {
            add_parents(Member::Group(group), group_name, above, templar, builder)?;
        }
    }
    Ok(())
}

/// A text rendered; anything else as it is.
fn render(templar: &Templar, template: &Node) -> Result<Value, Failure> {
    if template.as_text().is_none() {
        return Ok(template.to_value());
    }
    match templar.render(&template.to_value()) {
        Ok(Rendered::Value(value)) => Ok(value),
        Ok(Rendered::Omit) => Ok(Value::Null),
        Err(error) => Err(error.to_diagnostic().into()),
    }
}

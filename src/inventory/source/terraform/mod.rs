//! What Terraform and OpenTofu made: a state file or the output of `terraform show -json` is an inventory by itself, and a plugin's file
//! (`plugin: driftless.terraform`) chooses hosts, names and groups. Nothing is run and no remote backend is asked.

mod document;
mod hosts;
mod kind;
mod settings;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::compose::Composition;
use super::plugin_file::PluginFile;
use super::{Builder, Candidate, Failure, Plugin, checked_name, safe_group_name};
use crate::inventory::HostId;
use crate::source::{Diagnostic, Source};
use crate::value::{Map, Value};
use document::{Document, Resource};
use hosts::Machine;
use settings::{Groups, Settings};
pub(super) use settings::{OWN, PROVIDER, STATE};

/// A state file or a shown one, known by its content.
pub(super) struct State;

impl Plugin for State {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        let may_be = candidate.is_file() && matches!(candidate.extension().as_str(), "" | ".json" | ".tfstate" | ".backup" | ".tfplan");
        may_be && candidate.source().is_ok_and(|source| document::is_likely(source.text()))
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        read(candidate.source()?, candidate.path, &Settings::automatic(), builder).map(drop)
    }
}

/// A file that says where states are and what is to be made of them.
pub(super) struct File(pub &'static str);

impl Plugin for File {
    fn name(&self) -> &'static str {
        self.0
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_plugin_file()
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let file = PluginFile::read(self.0, &[self.0], candidate)?;
        let settings = Settings::read(&file, candidate.path)?;
        let composition = Composition::read(&file, builder)?;
        let mut attributes = HashMap::new();
        for path in &settings.states {
            let source = Source::read(path).map_err(|error| {
                let wrong = file.node().error(format!("failed to read the Terraform state `{}`: {error}", path.display()));
                Failure::from(wrong.hint("a state in a remote backend: `terraform show -json > FILE`, and name that FILE"))
            })?;
            attributes.extend(read(&source, path, &settings, builder)?);
        }
        let hosts: Vec<HostId> = builder.inventory.host_ids().filter(|id| attributes.contains_key(id)).collect();
        composition.apply(&hosts, &|host| attributes.get(&host).cloned(), builder)
    }
}

/// Adds what a state says, and gives the attributes of each host.
fn read(source: &Arc<Source>, path: &Path, settings: &Settings, builder: &mut Builder<'_>) -> Result<HashMap<HostId, Arc<Map>>, Failure> {
    let document = Document::read(source.text())
        .map_err(|error| Failure::from(format!("`{}` is no Terraform state that can be read: {error}", path.display())))?;
    if document.is_plan {
        let warning = format!("`{}` is a plan: addresses that are known only after the apply are missing", path.display());
        builder.warn(Diagnostic::warning(warning));
    }
    let mut resources = document.resources;
    if !settings.searches_modules {
        resources.retain(|resource| resource.modules.is_empty());
    }
    let mut attributes = HashMap::new();
    for machine in hosts::machines(&resources, &settings.choice, &settings.names) {
        let host = add_host(&machine, settings, builder)?;
        attributes.insert(host, Arc::new(machine.resource.values.clone()));
    }
    for group in resources.iter().filter(|resource| resource.kind == "ansible_group") {
        add_group(group, builder)?;
    }
    Ok(attributes)
}

fn add_host(machine: &Machine<'_>, settings: &Settings, builder: &mut Builder<'_>) -> Result<HostId, Failure> {
    let name = Value::from(machine.name.as_str());
    let host = builder.inventory.add_host(checked_name(&name, "host")?);
    let source = Arc::clone(&builder.source);
    builder.inventory.note_source(host, &source);
    let mut set = |name: &str, value: Value| builder.inventory.set_host_variable(host, name, value);
    if let Some(address) = &machine.address {
        set("ansible_host", Value::text(address.as_str()));
    }
    if let Some(user) = machine.kind.and_then(|kind| kind.user(machine.resource)) {
        set("ansible_user", Value::text(user));
    }
    if settings.attributes_are_variables {
        machine.resource.values.iter().for_each(|(key, value)| set(&key.to_json_key(), value.clone()));
    } else if machine.resource.kind != "ansible_host" {
        set("terraform", Value::map(hosts::description(machine.resource)));
    }
    if machine.resource.kind == "ansible_host" {
        variables(machine.resource).for_each(|(name, value)| set(&name, value));
        for group in names(machine.resource, "groups") {
            let group = builder.group(&group);
            builder.inventory.add_host_to_group(host, group);
        }
    }
    if settings.groups == Groups::Automatic {
        add_groups(host, machine, builder)?;
    }
    Ok(host)
}

/// Groups by type, by module, and by label.
fn add_groups(host: HostId, machine: &Machine<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
    let resource = machine.resource;
    if resource.kind != "ansible_host" {
        let group = builder.inventory.add_group(&safe_group_name(&resource.kind));
        builder.inventory.add_host_to_group(host, group);
    }
    let mut above = None;
    for depth in 1..=resource.modules.len() {
        let group = builder.inventory.add_group(&safe_group_name(&format!("module_{}", resource.modules[..depth].join("_"))));
        if let Some(above) = above.filter(|above| *above != group) {
            builder.child(above, group)?;
        }
        above = Some(group);
    }
    if let Some(group) = above {
        builder.inventory.add_host_to_group(host, group);
    }
    for label in machine.kind.map(|kind| kind.labels(resource)).unwrap_or_default() {
        let group = builder.inventory.add_group(&safe_group_name(&format!("tag_{label}")));
        builder.inventory.add_host_to_group(host, group);
    }
    Ok(())
}

/// An `ansible_group` of Terraform's `ansible` provider.
fn add_group(resource: &Resource, builder: &mut Builder<'_>) -> Result<(), Failure> {
    let name = resource.values.get("name").cloned().unwrap_or_default();
    let group = builder.group(checked_name(&name, "group")?);
    for child in names(resource, "children") {
        let child = builder.group(&child);
        builder.child(group, child)?;
    }
    for (name, value) in variables(resource) {
        builder.inventory.set_group_variable(group, &name, value);
    }
    Ok(())
}

fn names(resource: &Resource, attribute: &str) -> Vec<String> {
    let listed = resource.values.get(attribute).and_then(Value::as_list).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn variables(resource: &Resource) -> impl Iterator<Item = (String, Value)> {
    let found = resource.values.get("variables").and_then(Value::as_map).cloned().unwrap_or_default();
    found.into_iter().map(|(key, value)| (key.to_json_key(), value))
}

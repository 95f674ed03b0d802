//! Executable sources: `--list` prints the inventory as JSON, with the variables of hosts below `_meta`, or `--host NAME` prints them.

mod program;

use std::collections::HashMap;

use indexmap::IndexSet;

use super::{Builder, Candidate, Failure, Plugin, checked_name};
use crate::inventory::HostId;
use crate::source::Diagnostic;
use crate::template::print::value_to_text;
use crate::template::python::json::loads;
use crate::value::{Map, Text, Value};
use program::{Output, Program};

/// `script`
pub(super) struct Script;

impl Plugin for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn takes(&self, candidate: &Candidate<'_>) -> bool {
        candidate.is_file() && program::is_executable(candidate.path)
    }

    fn read(&self, candidate: &Candidate<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let program = Program::new(candidate.path);
        let output = program.run(&["--list"]).map_err(failure)?;
        show_stderr(&program, &output, builder);
        let wrong = |error: String| failure(format!("Unable to get JSON decoder for inventory script result: {error}"));
        let value = loads(&output.stdout).map_err(|error| wrong(format!("Value could not be parsed as JSON: {error}")))?;
        let Value::Map(groups) = value else {
            return Err(wrong(format!("Value is '{}' instead of 'dict'.", value.type_name())));
        };
        Listing::read(&groups, builder)?.set_variables(&program, builder)
    }
}

/// A failure of a script: what it wrote to stderr is part of the message.
fn failure(message: String) -> Failure {
    Diagnostic::error(message).into()
}

fn show_stderr(program: &Program<'_>, output: &Output, builder: &mut Builder<'_>) {
    let said = output.stderr.trim_end();
    if builder.options.script_stderr && !said.is_empty() {
        builder.warn(Diagnostic::warning(format!("the inventory script `{}` says: {said}", program.path().display())));
    }
}

/// What `--list` printed.
struct Listing {
    /// Hosts in the order met.
    hosts: IndexSet<HostId>,
    /// `_meta`, where it is there.
    host_vars: Option<HashMap<String, Value>>,
}

impl Listing {
    fn read(groups: &Map, builder: &mut Builder<'_>) -> Result<Self, Failure> {
        let host_vars = groups.get("_meta").map(meta).transpose()?;
        let mut listing = Self { hosts: IndexSet::new(), host_vars };
        for (name, data) in groups.iter() {
            let name = name.as_str().unwrap_or_default();
            if name != "_meta" {
                listing.group(name, data, builder)?;
            }
        }
        Ok(listing)
    }

    fn group(&mut self, name: &str, data: &Value, builder: &mut Builder<'_>) -> Result<(), Failure> {
        checked_name(&Value::text(name), "group")?;
        let group = builder.group(name);
        let shaped = Shape::of(name, data);
        for host in list_of(&format!("{name}.hosts"), shaped.hosts)? {
            let id = builder.host(checked_name(&host, "host")?, group, None, &[]);
            self.hosts.insert(id);
        }
        for (key, value) in map_of(&format!("{name}.vars"), &shaped.vars)?.iter() {
            let value = if shaped.is_malformed { value.clone() } else { user_text(value) };
            builder.inventory.set_group_variable(group, &key.to_json_key(), value);
        }
        let children = match shaped.children {
            Value::Null => Vec::new(),
            Value::List(names) => names.to_vec(),
            Value::Map(names) => names.keys().map(|key| key.value().clone()).collect(),
            Value::Text(letters) => letters.as_str().chars().map(|letter| Value::text(letter.to_string())).collect(),
            other => return Err(failure(format!("Value contains '{name}.children' which is '{}' instead of 'list'.", other.type_name()))),
        };
        for child in children {
            let child = builder.group(checked_name(&child, "group")?);
            builder.child(group, child)?;
        }
        Ok(())
    }

    /// Variables of hosts: of `_meta`, or the script is asked for each host.
    fn set_variables(&self, program: &Program<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        for host in &self.hosts {
            let name = builder.inventory.host(*host).name().to_string();
            let vars = match &self.host_vars {
                Some(all) => all.get(&name).cloned().unwrap_or_default(),
                None => ask(program, &name, builder)?,
            };
            let vars = match vars {
                Value::Null => continue,
                Value::Map(vars) => vars,
                other => {
                    let shown = value_to_text(&other);
                    return Err(failure(format!("Invalid data from file, expected dictionary and got:\n\n{}", shown.as_str())));
                }
            };
            for (key, value) in vars.iter() {
                builder.inventory.set_host_variable(*host, &key.to_json_key(), user_text(value));
            }
        }
        Ok(())
    }
}

/// The variables of one host from the script itself.
fn ask(program: &Program<'_>, name: &str, builder: &mut Builder<'_>) -> Result<Value, Failure> {
    let output = program.run(&["--host", name]).map_err(failure)?;
    show_stderr(program, &output, builder);
    if output.stdout.trim().is_empty() {
        return Ok(Value::Null);
    }
    let wrong =
        |error| failure(format!("Inventory script result for host '{name}' could not be parsed as JSON: JSON parsing failed: {error}"));
    loads(&output.stdout).map_err(wrong)
}

fn meta(meta: &Value) -> Result<HashMap<String, Value>, Failure> {
    let wrong = |path: &str, value: &Value| failure(format!("Value contains '{path}' which is '{}' instead of 'dict'.", value.type_name()));
    let entries = meta.as_map().ok_or_else(|| wrong("_meta", meta))?;
    let host_vars = entries.get("hostvars").unwrap_or(&Value::Null);
    let host_vars = host_vars.as_map().ok_or_else(|| wrong("_meta.hostvars", host_vars))?;
    Ok(host_vars.iter().map(|(name, vars)| (name.to_json_key(), vars.clone())).collect())
}

/// A group as it should be written.
struct Shape {
    hosts: Value,
    vars: Value,
    children: Value,
    /// A dictionary without `hosts`, `vars` and `children` stands for a host with the group's name, as in Ansible.
    is_malformed: bool,
}

impl Shape {
    fn of(name: &str, data: &Value) -> Self {
        let Value::Map(entries) = data else {
            return Self { hosts: data.clone(), vars: Value::Null, children: Value::Null, is_malformed: false };
        };
        let get = |key: &str| entries.get(key).cloned().unwrap_or_default();
        if ["hosts", "vars", "children"].iter().any(|key| entries.contains(key)) {
            return Self { hosts: get("hosts"), vars: get("vars"), children: get("children"), is_malformed: false };
        }
        Self { hosts: Value::list(vec![Value::text(name)]), vars: data.clone(), children: Value::Null, is_malformed: true }
    }
}

fn list_of(path: &str, value: Value) -> Result<Vec<Value>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::List(items) => Ok(items.to_vec()),
        other => Err(failure(format!("Value contains '{path}' which is '{}' instead of 'list'.", other.type_name()))),
    }
}

fn map_of(path: &str, value: &Value) -> Result<Map, Failure> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Map(map) => Ok(Map::clone(map)),
        other => Err(failure(format!("Value contains '{path}' which is '{}' instead of 'dict'.", other.type_name()))),
    }
}

/// What a script prints is the user's text and may hold templates, unless it is marked as unsafe.
fn user_text(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(Text::trusted(text.as_str(), None)),
        Value::List(items) => Value::list(items.iter().map(user_text).collect()),
        Value::Map(map) => match map.get("__ansible_unsafe").filter(|_| map.len() == 1) {
            Some(raw) => raw.clone(),
            None => Value::map(map.iter().map(|(key, value)| (key.clone(), user_text(value))).collect()),
        },
        other => other.clone(),
    }
}

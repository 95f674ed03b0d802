//! What plugins make of hosts that are there: variables by `compose`, groups by `groups` and `keyed_groups`. Rendering is `template`'s.

use std::sync::Arc;

use super::options::HostVariables;
use super::plugin_file::PluginFile;
use super::{Builder, Failure, checked_name, safe_group_name};
use crate::inventory::{HostId, Inventory};
use crate::source::Diagnostic;
use crate::template::print::value_to_text;
use crate::template::{Context, Engine, Rendered, Scope, Templar, Variable};
use crate::value::{Key, ListMerge, Map, Recursive, Value, merge};
use crate::yaml::Node;

/// The part of a plugin's file that makes variables and groups.
pub(super) struct Composition<'f> {
    strict: bool,
    compose: Vec<(Value, Value)>,
    groups: Vec<(Value, Value)>,
    keyed_groups: Vec<&'f Node>,
    leading_separator: bool,
    use_vars_plugins: bool,
    use_extra_vars: bool,
}

impl<'f> Composition<'f> {
    /// What the file asks for.
    pub fn read(file: &PluginFile<'f>, builder: &Builder<'_>) -> Result<Self, Failure> {
        let entries = |name| -> Result<Vec<(Value, Value)>, Failure> {
            Ok(file.mapping(name)?.iter().map(|(key, value)| (key.to_value(), value.to_value())).collect())
        };
        Ok(Self {
            strict: file.flag("strict", false),
            compose: entries("compose")?,
            groups: entries("groups")?,
            keyed_groups: file.list("keyed_groups")?.iter().collect(),
            leading_separator: file.flag("leading_separator", true),
            use_vars_plugins: file.flag("use_vars_plugins", false),
            use_extra_vars: file.flag("use_extra_vars", builder.options.use_extra_vars),
        })
    }

    /// Does it for these hosts, one after the other; `more` are variables that expressions see and hosts do not get.
    pub fn apply(&self, hosts: &[HostId], more: &dyn Fn(HostId) -> Option<Arc<Map>>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let Some((engine, context)) = builder.options.templates.clone() else {
            return Err("templates are not rendered here".to_owned().into());
        };
        let asked = builder.options.with_var_files.as_ref().filter(|_| self.use_vars_plugins);
        let from_files = asked.map(|with_files| with_files(builder.inventory));
        for host in hosts {
            let renderer =
                HostRenderer { host: *host, engine: &engine, context: &context, from_files: from_files.as_ref(), more: more(*host) };
            self.compose_variables(&renderer, builder)?;
            let templar = renderer.templar(self, builder);
            self.add_groups(*host, &templar, builder)?;
            for entry in &self.keyed_groups {
                self.add_keyed_groups(*host, entry, &templar, builder)?;
            }
        }
        Ok(())
    }

    fn compose_variables(&self, renderer: &HostRenderer<'_>, builder: &mut Builder<'_>) -> Result<(), Failure> {
        if self.compose.is_empty() {
            return Ok(());
        }
        let templar = renderer.templar(self, builder);
        for (name, expression) in &self.compose {
            match evaluate(&templar, expression) {
                Ok(value) => builder.inventory.set_host_variable(renderer.host, &python_text(name), value),
                Err(error) if self.strict => {
                    let host = builder.inventory.host(renderer.host).name();
                    return Err(placed(expression, format!("Could not set {} for host {host}: {error}", python_text(name))).into());
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn add_groups(&self, host: HostId, templar: &Templar, builder: &mut Builder<'_>) -> Result<(), Failure> {
        for (name, condition) in &self.groups {
            let Some(name) = name.as_str() else {
                return Err(format!("expected a text as name of a group, got `{}`", python_text(name)).into());
            };
            let name = safe_group_name(name);
            let holds = match condition {
                Value::Text(_) | Value::Bool(_) => templar.condition(condition).map_err(|error| error.full_message()),
                _ => Err("Conditional expressions must be strings.".to_owned()),
            };
            match holds {
                Ok(true) => {
                    let group = builder.inventory.add_group(&name);
                    builder.inventory.add_host_to_group(host, group);
                }
                Ok(false) => {}
                Err(error) if self.strict => {
                    let host = builder.inventory.host(host).name();
                    return Err(placed(condition, format!("Could not add host {host} to group {name}: {error}")).into());
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn add_keyed_groups(&self, host: HostId, node: &Node, templar: &Templar, builder: &mut Builder<'_>) -> Result<(), Failure> {
        let entry = KeyedGroup::read(node)?;
        let host_name = Arc::clone(builder.inventory.host(host).name());
        let key = match evaluate(templar, &entry.key) {
            Ok(key) => key,
            Err(error) if self.strict => {
                let shown = python_text(&entry.key);
                return Err(node.error(format!("Could not generate group for host {host_name} from {shown} entry: {error}")).into());
            }
            Err(_) => return Ok(()),
        };
        let is_absent = key.is_null() || key.as_str() == Some("");
        if !(key.truthy() || is_absent && entry.default_value.is_some()) {
            if self.strict && !matches!(key, Value::List(_) | Value::Map(_)) {
                let shown = python_text(&entry.key);
                return Err(node.error(format!("No key or key resulted empty for {shown} in host {host_name}, invalid entry")).into());
            }
            return Ok(());
        }
        let separator = if self.leading_separator || !entry.prefix.is_empty() { entry.separator.as_str() } else { "" };
        for bare in entry.names(&key).map_err(|error| Failure::from(node.error(error)))? {
            let parent = match entry.parent(templar) {
                Ok(parent) => parent,
                Err(error) if self.strict => {
                    let shown = python_text(&entry.parent_group);
                    return Err(node.error(format!("Could not generate parent group '{shown}' for group '{bare}': {error}")).into());
                }
                Err(_) => continue,
            };
            let name = Value::from(safe_group_name(&format!("{}{separator}{bare}", entry.prefix)));
            let group = builder.inventory.add_group(checked_name(&name, "group")?);
            builder.inventory.add_host_to_group(host, group);
            if let Some(parent) = parent {
                let parent = builder.inventory.add_group(&safe_group_name(&parent));
                builder.child(parent, group)?;
            }
        }
        Ok(())
    }
}

/// An entry of `keyed_groups`.
struct KeyedGroup {
    key: Value,
    prefix: String,
    separator: String,
    default_value: Option<Value>,
    keeps_separator: bool,
    parent_group: Value,
}

impl KeyedGroup {
    fn read(node: &Node) -> Result<Self, Failure> {
        if node.as_mapping().is_none() {
            return Err(node
                .error(format!("Invalid keyed group entry, it must be a dictionary: {}", python_text(&node.to_value())))
                .into());
        }
        let get = |name: &str| node.get(name).map(Node::to_value);
        let text = |name: &str, default: &str| get(name).map_or_else(|| default.to_owned(), |value| python_text(&value));
        let default_value = get("default_value").filter(|value| !value.is_null());
        let trailing = get("trailing_separator").filter(|value| !value.is_null());
        if default_value.is_some() && trailing.is_some() {
            let error = "parameters are mutually exclusive for keyed groups: default_value|trailing_separator";
            return Err(node.error(error).into());
        }
        Ok(Self {
            key: get("key").unwrap_or_default(),
            prefix: text("prefix", ""),
            separator: text("separator", "_"),
            default_value,
            keeps_separator: trailing.is_none_or(|value| value.truthy()),
            parent_group: get("parent_group").unwrap_or_default(),
        })
    }

    /// The names that a key's value makes, without prefix.
    fn names(&self, key: &Value) -> Result<Vec<String>, String> {
        let is_absent = |value: &Value| value.is_null() || value.as_str() == Some("");
        let or_default = |value: &Value| match &self.default_value {
            Some(default) if is_absent(value) => python_text(default),
            _ => python_text(value),
        };
        match key {
            Value::Text(_) | Value::Null => Ok(vec![or_default(key)]),
            Value::List(items) => Ok(items.iter().map(or_default).collect()),
            Value::Map(map) => {
                let name = |(key, value): (&Key, &Value)| {
                    let key = python_text(key.value());
                    let is_bare = !self.keeps_separator && is_absent(value);
                    if is_bare { key } else { format!("{key}{}{}", self.separator, or_default(value)) }
                };
                Ok(map.iter().map(name).collect())
            }
            other => {
                Err(format!("Invalid group name format, expected a string or a list of them or dictionary, got: {}", other.type_name()))
            }
        }
    }

    fn parent(&self, templar: &Templar) -> Result<Option<String>, String> {
        if !self.parent_group.truthy() {
            return Ok(None);
        }
        match templar.render(&self.parent_group) {
            Ok(Rendered::Value(value)) => Ok(Some(python_text(&value))),
            Ok(Rendered::Omit) => Ok(None),
            Err(error) => Err(error.full_message()),
        }
    }
}

/// Renders for one host.
struct HostRenderer<'r> {
    host: HostId,
    engine: &'r Arc<Engine>,
    context: &'r Arc<Context>,
    from_files: Option<&'r HostVariables>,
    more: Option<Arc<Map>>,
}

impl HostRenderer<'_> {
    /// A templar with what is known of the host by now.
    fn templar(&self, composition: &Composition<'_>, builder: &Builder<'_>) -> Templar {
        let mut layers = host_layers(builder.inventory, self.host);
        if let Some(of_files) = self.from_files {
            // What this file composed is newer than the files' snapshot.
            layers.insert(layers.len() - 1, Arc::new(of_files(self.host)));
        }
        if composition.use_extra_vars {
            layers.push(Arc::clone(&builder.options.extra));
        }
        if builder.options.merges_maps {
            let merged = layers.iter().fold(Map::new(), |merged, layer| merge(&merged, layer, Recursive::Yes, ListMerge::Replace));
            layers = vec![Arc::new(merged)];
        }
        layers.splice(0..0, self.more.clone());
        layers.insert(0, Arc::new(magic(builder.inventory, self.host)));
        Templar::new(self.engine, Arc::new(Layers(layers)), Arc::clone(self.context))
    }
}

/// The variables of a host's groups and its own, weakest first; the last are its own.
fn host_layers(inventory: &Inventory, host: HostId) -> Vec<Arc<Map>> {
    let mut layers: Vec<Arc<Map>> = inventory.groups_of(host).into_iter().map(|id| Arc::clone(inventory.group(id).vars())).collect();
    layers.push(Arc::clone(inventory.host(host).vars()));
    layers
}

/// What a host's place in the inventory says, as far as it is known while sources are read.
fn magic(inventory: &Inventory, host: HostId) -> Map {
    let found = inventory.host(host);
    let mut vars = Map::new();
    vars.insert("inventory_hostname", Value::text(Arc::clone(found.name())));
    vars.insert("inventory_hostname_short", found.name().split('.').next().unwrap_or_default());
    vars.insert("group_names", Value::list(inventory.group_names(host).into_iter().map(Value::text).collect()));
    if let Some(file) = found.file() {
        vars.insert("inventory_file", Value::text(Arc::clone(file)));
        vars.insert("inventory_dir", found.dir().map_or(Value::Null, |dir| Value::text(&*dir.to_string_lossy())));
    }
    vars
}

/// Variables of several levels, weakest first.
pub(super) struct Layers(pub Vec<Arc<Map>>);

impl Scope for Layers {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0.iter().rev().find_map(|layer| layer.get(name)).cloned().map(Variable::Value)
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.iter().flat_map(|layer| layer.keys()).filter_map(|key| key.as_str().map(Arc::from)).collect()
    }
}

/// What an expression is worth.
fn evaluate(templar: &Templar, expression: &Value) -> Result<Value, String> {
    let Value::Text(text) = expression else {
        return Err(format!("Expressions must be <class 'str'>, got <class '{}'>.", expression.type_name()));
    };
    templar.expression(text).map_err(|error| error.full_message())
}

/// An error at the place where a text was written.
fn placed(written: &Value, message: String) -> Diagnostic {
    let error = Diagnostic::error(message);
    match written {
        Value::Text(text) => text.origin().map_or_else(|| error.clone(), |span| error.clone().at(span)),
        _ => error,
    }
}

/// `str(value)`.
fn python_text(value: &Value) -> String {
    if value.is_null() {
        return "None".to_owned();
    }
    value_to_text(value).as_str().to_owned()
}

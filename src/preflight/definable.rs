//! Variables that plays can define: by `vars`, roles, prompts, files, `register`, `set_fact`, loops. Where a name is computed,
//! any variable may be defined.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::reach::constant;
use crate::action;
use crate::playbook::load::{Loader, normal};
use crate::playbook::{ModuleCall, Play, Register, Role, Task, Work};
use crate::source::{Diagnostic, Diagnostics, Spanned};
use crate::template::Templar;
use crate::value::{Map, Value};
use crate::vars::load_play_vars_file;
use crate::vault::Vault;

/// Variables that can be defined.
#[derive(Clone, Default)]
pub struct Definable {
    /// Names without a value that could be looked at.
    pub names: HashSet<String>,
    /// Variables with their values, each map once.
    pub maps: Vec<Arc<Map>>,
    /// Whether there may be others.
    pub is_open: bool,
    /// Files of variables may be in a vault.
    pub vault: Arc<Vault>,
    known_maps: HashSet<usize>,
}

/// Facts of modules that do not begin with `ansible_`.
const FACTS: &[(&str, &[&str])] =
    &[("mount_facts", &["aggregate_mounts", "mount_points"]), ("package_facts", &["packages"]), ("service_facts", &["services"])];

impl Definable {
    /// Whether the name can be defined.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.maps.iter().any(|map| map.contains(name))
    }

    /// All names.
    pub fn all_names(&self) -> impl Iterator<Item = &str> {
        let of_maps = self.maps.iter().flat_map(|map| map.keys().filter_map(|key| key.as_str()));
        self.names.iter().map(String::as_str).chain(of_maps)
    }

    /// What a play defines for its tasks; tells which of its files are not there.
    pub fn take_play(&mut self, loader: &Loader<'_>, play: &Play, missing: &mut Vec<Diagnostic>) {
        self.map(&play.vars);
        self.names.extend(play.vars_prompt.iter().map(|prompt| prompt.name.value.clone()));
        play.roles.iter().for_each(|role| self.take_role(role));
        for written in &play.vars_files {
            let Ok(value) = loader.play_value(&written.value, play) else {
                self.is_open = true;
                continue;
            };
            let names: Vec<&str> = match &value {
                Value::List(items) => items.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect(),
            };
            // The first that is there is taken; which one that is can be seen only when the play begins.
            let found: Vec<bool> = names.iter().map(|name| self.vars_file(play, name)).collect();
            if !names.is_empty() && !found.contains(&true) {
                missing.push(written.error(format!("vars file {} was not found", names.join(", "))));
            }
        }
    }

    fn vars_file(&mut self, play: &Play, name: &str) -> bool {
        let found = [play.dir.join("vars").join(name), play.dir.join(name)].into_iter().find(|path| path.is_file());
        found.iter().for_each(|path| self.file(path));
        found.is_some()
    }

    /// The variables of a file; what is wrong with it is told by whoever reads it for its tasks.
    fn file(&mut self, path: &std::path::Path) {
        match load_play_vars_file(path, &self.vault, &mut Diagnostics::new()) {
            Some(vars) => self.map(&Arc::new(vars)),
            None => self.is_open = true,
        }
    }

    /// What a role defines.
    pub fn take_role(&mut self, role: &Role) {
        for map in [&role.defaults, &role.vars, &role.params, &role.entry_vars] {
            self.map(map);
        }
        role.dependencies.iter().chain(&role.parents).for_each(|role| {
            [&role.defaults, &role.vars, &role.params, &role.entry_vars].into_iter().for_each(|map| self.map(map));
        });
    }

    /// What a task defines, and what is around it.
    pub fn take_task(&mut self, task: &Task) {
        task.context.role.iter().for_each(|role| self.take_role(role));
        task.keywords.vars.iter().chain(&task.context.include_params).for_each(|map| self.map(map));
        match &task.register {
            None => {}
            Some(Register::Name(name)) => {
                self.names.insert(name.value.clone());
            }
            Some(Register::Projection(names)) => self.names.extend(names.iter().map(|(name, _)| name.value.clone())),
        }
        let control = &task.loop_control;
        for written in [&control.loop_var, &control.index_var].into_iter().flatten() {
            self.name(written);
        }
        match &task.work {
            Work::Module(call) => self.take_call(task, call),
            Work::IncludeTasks(include) => self.map(&include.vars),
            Work::IncludeRole(include) => self.map(&include.vars),
            Work::Meta(_) => {}
        }
    }

    fn take_call(&mut self, task: &Task, call: &ModuleCall) {
        match &*call.name.short {
            "set_fact" | "add_host" => {
                self.is_open |= !call.args.variables.is_empty();
                for (option, _) in &call.args.options {
                    if option.value.contains("{{") {
                        self.is_open = true;
                    }
                    self.names.insert(option.value.to_string());
                }
                self.is_open |= call.args.free_form.is_some();
            }
            // A new group may have a file of variables that nobody has looked at.
            "group_by" => self.is_open = true,
            "include_vars" => self.include_vars(task, call),
            name => {
                self.names.extend(
                    FACTS.iter().filter(|(module, _)| *module == name).flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned())),
                );
                let is_known = action::find(name).is_some() || FACTS.iter().any(|(module, _)| *module == name);
                // What a module that cannot be looked into returns may be facts of any name.
                self.is_open |= !is_known && (!name.contains('.') || name.ends_with("_facts"));
            }
        }
    }

    fn include_vars(&mut self, task: &Task, call: &ModuleCall) {
        let args = &call.args;
        let free = args.free_form.as_ref().map(|text| Spanned::new(Value::Text(text.value.clone()), text.span.clone()));
        let file = args.get("file").or(free.as_ref());
        let plain = args.variables.is_empty() && args.get("dir").is_none();
        let name = args.get("name");
        if let Some(name) = name {
            self.name(name);
            return;
        }
        match file.and_then(constant) {
            Some(file) if plain => {
                let path = search(task, "vars", file);
                path.into_iter().for_each(|path| self.file(&path));
            }
            _ => self.is_open = true,
        }
    }

    fn name(&mut self, written: &Spanned<Value>) {
        match constant(written) {
            Some(name) => {
                self.names.insert(name.to_owned());
            }
            None => self.is_open |= Templar::is_template(&written.value),
        }
    }

    fn map(&mut self, map: &Arc<Map>) {
        if !map.is_empty() && self.known_maps.insert(Arc::as_ptr(map) as usize) {
            self.maps.push(Arc::clone(map));
        }
    }
}

/// A file of the control machine, looked for as the task's action would.
pub fn search(task: &Task, folder: &str, name: &str) -> Option<PathBuf> {
    let name = std::path::Path::new(name);
    if name.is_absolute() {
        return Some(name.to_path_buf()).filter(|path| path.exists());
    }
    let places = task.context.search_path();
    places.iter().flat_map(|place| [place.join(folder).join(name), place.join(name)]).map(|path| normal(&path)).find(|path| path.exists())
}

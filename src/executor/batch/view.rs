//! What a task sees on a host, and how events name it.

use std::sync::Arc;

use super::Batch;
use crate::action::to_bool;
use crate::event::TaskInfo;
use crate::executor::Stop;
use crate::executor::host_state::handler_key;
use crate::executor::keywords::{Reader, render};
use crate::playbook::{Keyword, Task, Work};
use crate::source::{Diagnostic, Diagnostics, Spanned, absolute};
use crate::template;
use crate::template::print::shown;
use crate::template::{Rendered, Templar};
use crate::value::{Key, Map, Value};
use crate::vars::{Layer, Precedence, Reach, VarStack, VarWorld, role_magic};

impl Batch<'_, '_> {
    /// What the task sees on a host.
    pub(in crate::executor) fn stack(&mut self, index: usize, task: &Arc<Task>) -> VarStack {
        let world = self.world();
        let mut stack = world.stack(self.hosts[index].id, &self.layers);
        for layer in self.layers_of(task).iter() {
            stack.push(Arc::clone(layer));
        }
        if !self.templated_files.is_empty() {
            for layer in self.host_files(index, &stack) {
                stack.push(layer);
            }
        }
        stack
    }

    /// How the task reaches its hosts, as it reads it where no variable says it. A keyword that is a template may itself ask for
    /// that variable, so it says nothing here.
    pub(in crate::executor) fn reach(&mut self, task: &Arc<Task>) -> Arc<Reach> {
        let key = handler_key(task);
        if let Some(reach) = self.reaches.get(&key) {
            return Arc::clone(reach);
        }
        let defaults = &self.executor.shared.defaults;
        let said = |keyword: Keyword, default: Option<&str>| match task.keywords.get(keyword) {
            Some(written) => written.value.as_str().filter(|text| !text.contains("{{")).map(str::to_owned),
            None => default.map(str::to_owned),
        };
        let connection = said(Keyword::Connection, Some(&defaults.plugin));
        let texts = [
            ("ansible_connection", connection.map(|plugin| if plugin == "smart" { "ssh".to_owned() } else { plugin })),
            ("ansible_module_compression", Some("ZIP_DEFLATED".to_owned())),
            ("ansible_private_key_file", defaults.private_key_file.as_ref().map(|path| path.display().to_string())),
            ("ansible_shell_executable", Some("/bin/sh".to_owned())),
            ("ansible_user", said(Keyword::RemoteUser, defaults.user.as_deref())),
        ];
        let mut vars: Map = texts.into_iter().filter_map(|(name, text)| Some((Key::from(name), Value::text(text?)))).collect();
        vars.insert("ansible_pipelining", false);
        vars.insert("ansible_timeout", defaults.timeout);
        if let Some(port) = defaults.port {
            vars.insert("ansible_port", port);
        }
        let reach = Arc::new(Reach::new(vars));
        self.reaches.insert(key, Arc::clone(&reach));
        reach
    }

    pub(super) fn world(&mut self) -> Arc<VarWorld> {
        Arc::clone(self.snapshot.get_or_insert_with(|| Arc::new(self.executor.vars.clone())))
    }

    /// Changes what is known; the next job sees it.
    pub(in crate::executor) fn change_world(&mut self) -> &mut VarWorld {
        self.snapshot = None;
        &mut self.executor.vars
    }

    /// `vars_files` whose names depend on the host; those that cannot be rendered yet are tried again.
    pub(super) fn host_files(&mut self, index: usize, stack: &VarStack) -> Vec<Arc<Layer>> {
        if let Some(layers) = &self.hosts[index].vars_files {
            return layers.clone();
        }
        let context = Arc::new(self.executor.template_context(&self.play.dir, vec![absolute(&self.play.dir)]));
        let templar = Templar::new(&self.executor.shared.engine, Arc::new(stack.clone()), context);
        let (mut layers, mut complete) = (Vec::new(), true);
        for written in &self.templated_files {
            let names: Vec<String> = match &written.value {
                Value::List(items) => items.iter().filter_map(|item| rendered(&templar, item)).collect(),
                one => rendered(&templar, one).into_iter().collect(),
            };
            let mut diagnostics = Diagnostics::new();
            let vault = self.executor.world.lookups.vault();
            match crate::executor::play::vars_file_layer(&self.play.dir, &names, vault, &mut diagnostics) {
                Some(layer) => layers.push(layer),
                None => complete = false,
            }
            if diagnostics.has_errors() && self.unread.is_none() {
                self.unread = diagnostics.into_sorted().into_iter().next();
            }
        }
        if complete {
            self.hosts[index].vars_files = Some(layers.clone());
        }
        layers
    }

    pub(super) fn layers_of(&mut self, task: &Arc<Task>) -> Arc<Vec<Arc<Layer>>> {
        Arc::clone(self.task_layers.entry(handler_key(task)).or_insert_with(|| Arc::new(task_layers(task))))
    }

    pub(in crate::executor) fn context(&mut self, task: &Arc<Task>) -> Arc<template::Context> {
        let key = handler_key(task);
        if let Some(context) = self.contexts.get(&key) {
            return Arc::clone(context);
        }
        let path = task.context.search_path().iter().map(|dir| absolute(dir)).collect();
        let context = Arc::new(self.executor.template_context(&self.play.dir, path));
        self.contexts.insert(key, Arc::clone(&context));
        context
    }

    pub(in crate::executor) fn templar(&mut self, stack: &VarStack, task: &Arc<Task>) -> Templar {
        let context = self.context(task);
        Templar::new(&self.executor.shared.engine, Arc::new(stack.clone()), context)
    }

    /// The task as events name it: with variables of the first host that meets it.
    pub(in crate::executor) fn info(&mut self, task: &Arc<Task>, templar: &Templar) -> Arc<TaskInfo> {
        let key = handler_key(task);
        let is_template = task.name.as_ref().is_some_and(|name| Templar::is_template(&name.value));
        if let Some(info) = self.infos.get(&key).filter(|_| !is_template) {
            return Arc::clone(info);
        }
        let own = task.name.as_ref().map(|name| templar.name(&name.value)).filter(|name| !name.is_empty());
        let own_name = Arc::from(own.as_deref().unwrap_or_default());
        let own = own.unwrap_or_else(|| default_name(task));
        let name = match task.role() {
            Some(role) if !task.implicit && !matches!(task.work, Work::IncludeRole(_)) => format!("{} : {own}", role.name),
            Some(_) | None => own,
        };
        let check = self.flag_or(task, templar, Keyword::CheckMode, self.executor.options.check);
        // Of a template nobody knows yet for which hosts it will hold.
        let hides = |written: &Spanned<Value>| Templar::is_template(&written.value) || to_bool(&written.value) != Some(false);
        let is_hidden = task.keywords.get(Keyword::NoLog).map_or(self.executor.shared.tasks.no_log, hides);
        let info = Arc::new(TaskInfo {
            name: Arc::from(name),
            own_name,
            action: Arc::from(task.action_name()),
            qualified: Arc::from(task.qualified_action()),
            span: task.span.clone(),
            is_handler: task.is_handler,
            check,
            tags: Arc::from(Vec::new()),
            args: (!is_hidden).then(|| Arc::from(shown_args(task))),
            role: task.role().map(|role| Arc::from(role.name.as_str())),
        });
        self.infos.insert(key, Arc::clone(&info));
        info
    }

    /// A keyword that is asked for all hosts at once: one that cannot be rendered ends the run. What is no boolean fails the task on
    /// each host.
    pub(super) fn flag(&self, task: &Task, templar: &Templar, keyword: Keyword) -> Result<bool, Stop> {
        let Some(written) = task.keywords.get(keyword) else { return Ok(false) };
        let value = render(keyword.name(), written, templar).map_err(|error| Stop::Error(Box::new(error.diagnostic)))?;
        Ok(value.and_then(|value| to_bool(&value)).unwrap_or(false))
    }

    pub(super) fn flag_or(&self, task: &Task, templar: &Templar, keyword: Keyword, default: bool) -> bool {
        Reader { keywords: &task.keywords, templar }.flag(keyword).ok().flatten().unwrap_or(default)
    }

    /// On how many hosts at once the task may run.
    pub(super) fn throttle(&self, task: &Task, templar: &Templar) -> Result<usize, Stop> {
        let most = self.executor.options.forks.max(1);
        let Some(written) = task.keywords.get(Keyword::Throttle) else { return Ok(most) };
        let wrong = |diagnostic: Diagnostic, message: String| {
            let message = format!("Failed to convert the throttle value to an integer: {message}");
            Stop::Error(Box::new(Diagnostic { message, ..diagnostic }))
        };
        let value = match templar.render(&written.value) {
            Ok(Rendered::Value(value)) => value,
            Ok(Rendered::Omit) => return Ok(most),
            Err(error) => return Err(wrong(written.error(""), error.full_message())),
        };
        let number = match &value {
            Value::Null => Some(0),
            Value::Bool(value) => Some(i64::from(*value)),
            Value::Float(number) => Some(*number as i64),
            Value::Text(text) => text.as_str().trim().parse().ok(),
            other => other.as_int(),
        };
        match number.map(usize::try_from) {
            Some(Ok(0) | Err(_)) => Ok(most),
            Some(Ok(some)) => Ok(some.min(most)),
            None => Err(wrong(written.error(""), format!("invalid literal for int() with base 10: '{}'", shown(&value)))),
        }
    }
}

/// The arguments as they were written.
fn shown_args(task: &Task) -> String {
    let shown = crate::template::print::shown;
    let raw = |value: &Value| format!("_raw_params={}", shown(value));
    let parts: Vec<String> = match &task.work {
        Work::Module(call) => {
            let options = call.args.options.iter().map(|(name, value)| format!("{}={}", name.value, shown(&value.value)));
            options
                .chain(call.args.free_form.iter().chain(&call.args.variables).map(|text| raw(&Value::Text(text.value.clone()))))
                .collect()
        }
        Work::IncludeTasks(include) => vec![raw(&include.file.value)],
        Work::IncludeRole(include) => vec![format!("name={}", shown(&include.name.value))],
        Work::Meta(meta) => vec![raw(&Value::text(meta.value.name()))],
    };
    parts.join(", ")
}

/// Variables of the role, blocks, includes and the task itself.
pub(super) fn task_layers(task: &Task) -> Vec<Arc<Layer>> {
    let mut layers = Vec::new();
    if let Some(role) = task.role() {
        let from = |what: &str| format!("{what} of role `{}`", role.name);
        layers.extend(role.default_layers().into_iter().map(|map| Layer::new(Precedence::RoleDefaults, from("defaults"), map)));
        layers.extend(role.var_layers().into_iter().map(|map| Layer::new(Precedence::RoleVars, from("vars"), map)));
        layers.extend(role.param_layers().into_iter().map(|map| Layer::new(Precedence::RoleParams, from("parameters"), map)));
        let parents: Vec<(String, std::path::PathBuf)> = if role.is_dependency {
            Vec::new()
        } else {
            role.parents.iter().map(|parent| (parent.name.clone(), absolute(&parent.path))).collect()
        };
        layers.push(role_magic(&role.name, role.collection.as_deref(), &absolute(&role.path), &parents));
    }
    let environment = task.keywords.environment.iter().map(|written| written.value.clone()).collect();
    layers.push(Layer::single(Precedence::CommandLine, "environment", Value::list(environment)));
    let search_path = task.context.search_path().iter().map(|dir| Value::text(absolute(dir).display().to_string())).collect();
    layers.push(Layer::single(Precedence::CommandLine, "ansible_search_path", Value::list(search_path)));
    layers.extend(task.keywords.vars.iter().map(|map| Layer::new(Precedence::TaskVars, "vars of the task", Arc::clone(map))));
    layers.extend(
        task.context.include_params.iter().map(|map| Layer::new(Precedence::IncludeParams, "vars of the include", Arc::clone(map))),
    );
    layers
}

pub(super) fn rendered(templar: &Templar, value: &Value) -> Option<String> {
    match templar.render(value) {
        Ok(Rendered::Value(value)) => Some(crate::template::print::shown(&value)),
        Ok(Rendered::Omit) | Err(_) => None,
    }
}

/// The name of a task that has none.
pub(super) fn default_name(task: &Task) -> String {
    match &task.work {
        Work::IncludeRole(include) => format!("{} : {}", include.written, shown(&include.name.value)),
        Work::Module(_) | Work::IncludeTasks(_) | Work::Meta(_) => task.action_name().to_owned(),
    }
}

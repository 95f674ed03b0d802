//! Where the tasks that plays reach define a variable: in `vars` for themselves, or while running by `set_fact`, `register`,
//! `include_vars`, loops.

use std::sync::Arc;

use super::Site;
use super::reach::{Reach, constant};
use crate::playbook::{Play, Register, Task, Work};
use crate::source::Span;
use crate::value::{Map, Value};
use crate::vars::Precedence;

/// A task that defines a variable.
pub struct Setter {
    /// How strong that is.
    pub level: Precedence,
    /// Where.
    pub place: Span,
    /// By what: `set_fact`, `register`, …
    pub what: String,
    /// The value as written, where it is known before the task runs.
    pub value: Option<Value>,
}

/// All tasks that define `name`, by play, each place once.
pub fn setters(site: &Site<'_>, name: &str) -> Vec<(Arc<Play>, Vec<Setter>)> {
    let reach = Reach::of(site);
    let of_play = |play: &super::ReachedPlay| {
        let mut found: Vec<Setter> = Vec::new();
        for reached in &play.tasks {
            for setter in of_task(&reached.task, name) {
                let is_known = |other: &Setter| other.level == setter.level && other.place.to_string() == setter.place.to_string();
                if !found.iter().any(is_known) {
                    found.push(setter);
                }
            }
        }
        (Arc::clone(&play.play), found)
    };
    reach.plays.iter().map(of_play).collect()
}

fn of_task(task: &Task, name: &str) -> Vec<Setter> {
    let mut found = Vec::new();
    let mut add = |level, place: &Span, what: &str, value| found.push(Setter { level, place: place.clone(), what: what.to_owned(), value });
    for vars in &task.keywords.vars {
        if let Some((place, value)) = entry(vars, name, &task.span) {
            add(Precedence::TaskVars, &place, "vars", Some(value));
        }
    }
    for role in task.context.role.iter().flat_map(|role| std::iter::once(role).chain(&role.parents)) {
        let what = format!("role `{}`", role.name);
        for (level, vars) in [
            (Precedence::RoleDefaults, &role.defaults),
            (Precedence::RoleVars, &role.vars),
            (Precedence::RoleParams, &role.params),
            (Precedence::RoleParams, &role.entry_vars),
        ] {
            if let Some((place, value)) = entry(vars, name, &task.span) {
                add(level, &place, &what, Some(value));
            }
        }
    }
    for vars in &task.context.include_params {
        if let Some((place, value)) = entry(vars, name, &task.span) {
            add(Precedence::IncludeParams, &place, "vars of an include", Some(value));
        }
    }
    match &task.register {
        Some(Register::Name(written)) if written.value == name => add(Precedence::SetFacts, &written.span, "register", None),
        Some(Register::Projection(names)) => {
            names
                .iter()
                .filter(|(written, _)| written.value == name)
                .for_each(|(written, _)| add(Precedence::SetFacts, &written.span, "register", None));
        }
        _ => {}
    }
    let control = &task.loop_control;
    for written in [&control.loop_var, &control.index_var].into_iter().flatten() {
        if constant(written) == Some(name) {
            add(Precedence::Loop, &written.span, "loop_control", None);
        }
    }
    if let (Some(looping), "item") = (&task.looping, name) {
        add(Precedence::Loop, &looping.items.span, "loop", None);
    }
    if let Work::Module(call) = &task.work {
        match &*call.name.short {
            "set_fact" => {
                if let Some((option, written)) = call.args.options.iter().find(|(option, _)| &*option.value == name) {
                    add(Precedence::SetFacts, &option.span, "set_fact", Some(written.value.clone()));
                }
            }
            "include_vars" => add(Precedence::IncludeVars, &call.name.span, "include_vars may define it", None),
            _ => {}
        }
    }
    found
}

fn entry(map: &Map, name: &str, around: &Span) -> Option<(Span, Value)> {
    let (key, value) = map.iter().find(|(key, _)| key.as_str() == Some(name))?;
    let place = match key.value() {
        Value::Text(text) => text.origin().unwrap_or(around).clone(),
        _ => around.clone(),
    };
    Some((place, value.clone()))
}

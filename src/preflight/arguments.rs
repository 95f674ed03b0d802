//! A module's arguments: options that it does not have, constants that it does not take, options that are missing or exclude
//! each other. What a template may turn out to be is no mistake.

use std::sync::Arc;

use driftless_modules::spec::{Certainty, Spec};

use crate::action::{self, Args};
use crate::playbook::ModuleCall;
use crate::playbook::load::is_free_form;
use crate::source::{Diagnostic, Spanned};
use crate::template::Templar;
use crate::value::Value;

/// Mistakes in the arguments of a task.
pub fn mistakes(call: &ModuleCall) -> Vec<Diagnostic> {
    let short = &*call.name.short;
    let Some(action) = action::find(short) else { return Vec::new() };
    let mut args = Args::new(call.name.span.clone());
    for (option, written) in &call.args.options {
        args.set(option.clone(), written.value.clone(), written.span.clone());
    }
    if let Some(free) = call.args.free_form.as_ref().filter(|_| !is_free_form(short)) {
        if short.contains('.') {
            return Vec::new();
        }
        let message = format!("Action '{}' does not support raw params.", call.name.qualified());
        return vec![free.error(message).hint("options are written `name=value`, or as a map below the module's name")];
    }
    if let Some(free) = &call.args.free_form {
        args.set(Spanned::new(Arc::from("_raw_params"), free.span.clone()), Value::Text(free.value.clone()), free.span.clone());
    }
    let may_have_more = !call.args.variables.is_empty() || !call.defaults.is_empty();
    let is_given = |name: &str| args.get(name).is_some_and(|value| !value.is_null());
    let both = action.exclusive().iter().filter(|(first, second, _)| is_given(first) && is_given(second));
    let mut mistakes: Vec<Diagnostic> = both.flat_map(|excluded| args.excluded(*excluded).diagnostics).collect();
    mistakes.extend(match (action.own_options(), action::spec(short)) {
        (Some(own), _) => {
            let mut mistakes = args.own_mistakes(own, short);
            if may_have_more {
                mistakes.retain(|mistake| !own.required.iter().any(|(_, message)| mistake.message == *message));
            }
            mistakes
        }
        (None, Some(spec)) => of_spec(spec, short, &mut args, may_have_more),
        // Any name is an option: `set_fact`, `add_host`.
        (None, None) => Vec::new(),
    });
    mistakes
}

fn of_spec(spec: &Spec, short: &str, args: &mut Args, may_have_more: bool) -> Vec<Diagnostic> {
    let mut known: Vec<(String, Certainty)> = args.iter().map(|(name, value)| (name.to_owned(), certainty(value))).collect();
    if may_have_more {
        let given: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
        for option in spec.table.options.iter().filter(|option| !option.is_internal()) {
            if !given.iter().any(|name| name == option.name || option.aliases.contains(&name.as_str())) {
                args.set_own(option.name, Value::Null);
                known.push((option.name.to_owned(), Certainty::Open));
            }
        }
    }
    args.mistakes(spec, short, &|name| known.iter().find(|(known, _)| known == name).map_or(Certainty::Known, |(_, certainty)| *certainty))
}

fn certainty(value: &Value) -> Certainty {
    match value {
        Value::Text(text) if text.is_secret() => Certainty::Given,
        Value::Text(text) if Templar::is_template(value) => {
            let chars = text.as_str().trim();
            if chars.starts_with('{') && chars.ends_with('}') { Certainty::Open } else { Certainty::Given }
        }
        Value::List(items) if items.iter().any(|item| certainty(item) != Certainty::Known) => Certainty::Given,
        Value::Map(map) if map.values().any(|item| certainty(item) != Certainty::Known) => Certainty::Given,
        _ => Certainty::Known,
    }
}

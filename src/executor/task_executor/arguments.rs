//! The arguments of a module's call, rendered to values: defaults of the module, `args`, options, the free form.

use std::sync::Arc;

use super::{Runner, keyword_end};
use crate::action::Action;
use crate::action::Args;
use crate::executor::keywords::render;
use crate::executor::outcome::ItemEnd;
use crate::playbook::ModuleCall;
use crate::playbook::load::is_free_form;
use crate::source::Spanned;
use crate::template::print::shown;
use crate::template::{Rendered, Templar, TemplateError};
use crate::value::{Map, Text, Value};

impl Runner<'_> {
    pub(super) fn render_args(&self, action: &dyn Action, call: &ModuleCall, templar: &Templar) -> Result<Args, Box<ItemEnd>> {
        let mut args = Args::new(call.name.span.clone());
        let name = call.name.qualified();
        let failed = |option: &str, error: &TemplateError, at: &crate::source::Span| {
            let what = if option.is_empty() { String::new() } else { format!("Error while resolving value for '{option}': ") };
            let message = format!("Task failed: Finalization of task args for '{name}' failed: {what}{}", error.full_message());
            let diagnostic = error.to_diagnostic_at(at);
            Box::new(ItemEnd::failed(message, vec![diagnostic]))
        };
        for defaults in &call.defaults {
            let value = render("module_defaults", defaults, templar).map_err(keyword_end)?;
            for (option, value) in value.as_ref().and_then(Value::as_map).into_iter().flat_map(Map::iter) {
                args.set(Spanned::new(Arc::from(option.to_json_key()), defaults.span.clone()), value.clone(), defaults.span.clone());
            }
        }
        for variable in &call.args.variables {
            match templar.render(&Value::Text(variable.value.clone())) {
                Ok(Rendered::Value(Value::Map(map))) => {
                    for (option, value) in map.iter() {
                        args.set(
                            Spanned::new(Arc::from(option.to_json_key()), variable.span.clone()),
                            value.clone(),
                            variable.span.clone(),
                        );
                    }
                }
                Ok(Rendered::Value(Value::Null) | Rendered::Omit) => {}
                Ok(Rendered::Value(other)) => {
                    let message = format!(
                        "Task failed: Finalization of task args for '{name}' failed: Task args must resolve to a 'dict' not '{}'.",
                        other.type_name()
                    );
                    return Err(Box::new(ItemEnd::failed(&message, vec![variable.error(message.clone())])));
                }
                Err(error) => return Err(failed("", &error, &variable.span)),
            }
        }
        for (option, written) in &call.args.options {
            let option = &option_name(action, option, templar).map_err(|error| failed(&option.value, &error, &option.span))?;
            if action.is_expression(&option.value, &written.value) {
                args.set(option.clone(), written.value.clone(), written.span.clone());
                continue;
            }
            match templar.render(&written.value) {
                Ok(Rendered::Value(value)) => args.set(option.clone(), value, written.span.clone()),
                Ok(Rendered::Omit) => {
                    args.take(&option.value);
                }
                Err(error) => return Err(failed(&option.value, &error, &written.span)),
            }
        }
        if let Some(free) = &call.args.free_form {
            if !is_free_form(&call.name.short) && !call.name.short.contains('.') {
                let message = format!("Action '{name}' does not support raw params.");
                let diagnostic = free.error(&message).hint("options are written `name=value`, or as a map below the module's name");
                return Err(Box::new(ItemEnd::failed(format!("Task failed: {message}"), vec![diagnostic])));
            }
            match templar.render(&Value::Text(free.value.clone())) {
                Ok(Rendered::Value(value)) => {
                    let value = if matches!(value, Value::Map(_)) && action.takes_a_map() { value } else { Value::text(shown(&value)) };
                    args.set(Spanned::new(Arc::from("_raw_params"), free.span.clone()), value, free.span.clone());
                }
                Ok(Rendered::Omit) => {}
                Err(error) => return Err(failed("_raw_params", &error, &free.span)),
            }
        }
        Ok(args)
    }
}

/// An option's name, rendered where it may be a template.
fn option_name(action: &dyn Action, option: &Spanned<Arc<str>>, templar: &Templar) -> Result<Spanned<Arc<str>>, TemplateError> {
    if !action.has_templated_names() || !option.value.contains("{{") {
        return Ok(option.clone());
    }
    let text = Text::trusted(Arc::clone(&option.value), Some(option.span.clone()));
    let name = match templar.render(&Value::Text(text))? {
        Rendered::Value(value) => shown(&value),
        Rendered::Omit => String::new(),
    };
    Ok(Spanned::new(Arc::from(name), option.span.clone()))
}

//! `debug`: shows a message or a variable.

use super::{Action, Call, Done, Failure, OwnOptions, Plan};
use crate::template::{ErrorKind, Templar};
use crate::value::{Map, Text, Value};

/// The action.
pub(super) struct Debug;

static OPTIONS: OwnOptions = OwnOptions { names: &["msg", "var", "verbosity"], required: &[] };

impl Action for Debug {
    fn names(&self) -> &'static [&'static str] {
        &["debug"]
    }

    fn is_expression(&self, option: &str, value: &Value) -> bool {
        option == "var" && !Templar::is_template(value)
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn exclusive(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &[("msg", "var", "parameters are mutually exclusive: msg|var")]
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        let mut result = Map::new();
        if call.args.get("msg").is_some() && call.args.get("var").is_some() {
            return Err(call.args.excluded(self.exclusive()[0]));
        }
        let wanted = call.args.get("verbosity").map_or(Ok(0), int)?;
        if i64::from(call.verbosity) < wanted {
            result.insert("skipped_reason", "Verbosity threshold not met.");
            result.insert("skipped", true);
            return Ok(Plan::Done(Done::of(result)));
        }
        if let Some(var) = call.args.get("var") {
            let (name, value) = variable(call, var)?;
            result.insert(name, value);
        } else {
            result.insert("msg", call.args.get("msg").cloned().unwrap_or_else(|| Value::text("Hello world!")));
        }
        result.insert("changed", false);
        result.insert("_ansible_verbose_always", true);
        Ok(Plan::Done(Done::of(result)))
    }
}

fn variable(call: &Call<'_>, var: &Value) -> Result<(String, Value), Failure> {
    match var {
        Value::Text(text) => {
            let trusted = if text.is_trusted() { text.clone() } else { Text::new(text.as_str()) };
            match call.templar.expression(&trusted) {
                Ok(value) => Ok((text.as_str().to_owned(), value)),
                Err(error) if matches!(error.kind(), ErrorKind::Undefined { .. }) => {
                    Ok((text.as_str().to_owned(), Value::text(format!("<< error 1 - {} >>", error.message()))))
                }
                Err(error) => {
                    let message = format!("Task failed: Error while resolving `var` expression: {}", error.full_message());
                    Err(Failure::new(message).at(error.to_diagnostic()))
                }
            }
        }
        other => Ok((crate::template::print::shown(other), other.clone())),
    }
}

fn int(value: &Value) -> Result<i64, Failure> {
    let number = value.as_int().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    number
        .ok_or_else(|| Failure::new(format!("argument 'verbosity' is of type {} and we were unable to convert to int", value.type_name())))
}

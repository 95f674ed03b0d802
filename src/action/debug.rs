//! `debug`: shows a message or a variable.

use driftless_modules::spec::Kind;

use super::{Action, Call, Done, Failure, OwnOptions, Plan};
use crate::template::Templar;
use crate::value::{Map, Value};

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
        let wanted = call.args.converted("verbosity", Kind::Int)?.and_then(|wanted| wanted.as_i64()).unwrap_or(0);
        if i64::from(call.verbosity) < wanted {
            result.insert("skipped_reason", "Verbosity threshold not met.");
            result.insert("skipped", true);
            return Ok(Plan::Done(Done::of(result)));
        }
        match variable(call)? {
            Some((name, value)) => result.insert(name, value),
            None => result.insert("msg", call.args.get("msg").cloned().unwrap_or_else(|| Value::text("Hello world!"))),
        };
        result.insert("changed", false);
        result.insert("_ansible_verbose_always", true);
        Ok(Plan::Done(Done::of(result)))
    }
}

/// The text and the value of `var`, where there is one.
fn variable(call: &Call<'_>) -> Result<Option<(String, Value)>, Failure> {
    let text = match call.args.get("var") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Text(text)) if text.as_str().is_empty() => return Ok(None),
        Some(Value::Text(text)) => text,
        Some(other) => {
            let why = format!("'{}' is not a string and conversion is not allowed", crate::template::print::shown(other));
            return Err(call.args.inconvertible(&["var"], "_check_type_str_no_conversion", &why));
        }
    };
    let value = call.templar.expression_marked(text).map_err(|error| {
        let message = format!("Task failed: Error while resolving `var` expression: {}", error.full_message());
        Failure::new(message).at(error.to_diagnostic())
    })?;
    Ok(Some((text.as_str().to_owned(), value)))
}

//! `assert`: fails unless all conditions hold.

use driftless_modules::spec::Kind;

use super::{Action, Call, Done, Failure, OwnOptions, Plan};
use crate::template::print::shown;
use crate::template::{Rendered, Templar};
use crate::value::{Map, Value};

/// The action. Its `that` is not rendered before: the texts are expressions.
pub(super) struct Assert;

static OPTIONS: OwnOptions = OwnOptions {
    names: &["fail_msg", "msg", "quiet", "success_msg", "that"],
    required: &[(&["that"], "missing required arguments: that")],
};

impl Action for Assert {
    fn names(&self) -> &'static [&'static str] {
        &["assert"]
    }

    fn is_expression(&self, option: &str, _: &Value) -> bool {
        option == "that"
    }

    fn own_options(&self) -> Option<&'static OwnOptions> {
        Some(&OPTIONS)
    }

    fn plan(&self, call: &Call<'_>) -> Result<Plan, Failure> {
        super::args::only(call, &OPTIONS)?;
        let Some(that) = call.args.get("that") else {
            return Err(Failure::new("missing required arguments: that")
                .at(call.args.error_at("that", "`assert` needs `that`: a condition or a list of them")));
        };
        let message = |names: &[&str], fallback: &str| -> Result<Value, Failure> {
            match call.args.first(names) {
                None => Ok(Value::text(fallback)),
                Some(value @ Value::Text(_)) => Ok(value.clone()),
                Some(Value::List(items)) if items.iter().all(|item| item.as_str().is_some()) => Ok(Value::List(items.clone())),
                Some(_) => Err(call.args.inconvertible(names, "str_or_list_of_str", "a string or list of strings is required")),
            }
        };
        let fail_message = message(&["msg", "fail_msg"], "Assertion failed")?;
        let success_message = message(&["success_msg"], "All assertions passed")?;
        let quiet = call.args.converted("quiet", Kind::Bool)?.is_some_and(|quiet| quiet == true);
        let conditions = conditions(call, that)?;
        for condition in &conditions {
            match call.templar.condition(condition) {
                Ok(true) => {}
                Ok(false) => return Err(failed(condition, fail_message, quiet)),
                Err(error) => return Err(Failure::from(error)),
            }
        }
        let mut result = Map::new();
        result.insert("changed", false);
        result.insert("msg", success_message);
        if !quiet {
            result.insert("_ansible_verbose_always", true);
        }
        Ok(Plan::Done(Done::of(result)))
    }
}

/// The conditions as written; a template that gives a list gives its items.
fn conditions(call: &Call<'_>, that: &Value) -> Result<Vec<Value>, Failure> {
    if let Value::List(items) = that {
        return Ok(items.to_vec());
    }
    if Templar::is_template(that)
        // What cannot be rendered is said as of any condition.
        && let Ok(Rendered::Value(Value::List(items))) = call.templar.render(that)
    {
        return Ok(items.to_vec());
    }
    Ok(vec![that.clone()])
}

fn failed(condition: &Value, message: Value, quiet: bool) -> Failure {
    let mut failure = Failure::new("").with("evaluated_to", false).with("assertion", condition.clone()).with("msg", message);
    if let Value::Text(text) = condition
        && let Some(origin) = text.origin()
    {
        failure = failure.at(crate::source::Diagnostic::error(format!("assertion `{}` does not hold", shown(condition))).at(origin));
    }
    if quiet { failure } else { failure.with("_ansible_verbose_always", true) }
}

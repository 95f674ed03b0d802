//! The test of versions.

use super::{refuse, test};
use crate::template::python::version::{Scheme, compare};
use crate::template::{Bound, Evaluator, Param, Result, Test, Val};

use Param::{Optional, Required};

pub(super) const TESTS: &[Test] = &[test("version", PARAMS, version), test("version_compare", PARAMS, version)];

const PARAMS: &[Param] = &[Required("version"), Optional("operator"), Optional("strict"), Optional("version_type")];

fn version(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<bool> {
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let (left, right) = (evaluator.text(value)?, evaluator.text(arguments.required(0))?);
    if !evaluator.truthy(value)? {
        return refuse("Input version value cannot be empty");
    }
    if !evaluator.truthy(arguments.required(0))? {
        return refuse("Version parameter to compare against cannot be empty");
    }
    if given(2).is_some() && given(3).is_some() {
        return refuse("Cannot specify both 'strict' and 'version_type'");
    }
    let scheme = match given(3) {
        None if arguments.flag_or(evaluator, 2, false)? => Scheme::Strict,
        None => Scheme::Loose,
        Some(kind) => match kind.as_str() {
            Some("loose") => Scheme::Loose,
            Some("strict") => Scheme::Strict,
            Some("semver" | "semantic") => Scheme::Semantic,
            Some("pep440") => Scheme::Pep440,
            _ => {
                let kind = evaluator.text(kind)?;
                return refuse(format!(
                    "Invalid version type ({}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'",
                    kind.as_str()
                ));
            }
        },
    };
    let operator = match arguments.get(1) {
        None => "eq".to_owned(),
        Some(operator) => evaluator.text(operator)?.as_str().to_owned(),
    };
    let holds = match operator.as_str() {
        "==" | "=" | "eq" => std::cmp::Ordering::is_eq,
        "<" | "lt" => std::cmp::Ordering::is_lt,
        "<=" | "le" => std::cmp::Ordering::is_le,
        ">" | "gt" => std::cmp::Ordering::is_gt,
        ">=" | "ge" => std::cmp::Ordering::is_ge,
        "!=" | "<>" | "ne" => std::cmp::Ordering::is_ne,
        other => {
            return refuse(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', '>=', 'ge', '!=', '<>', 'ne'"
            ));
        }
    };
    match compare(left.as_str(), right.as_str(), scheme) {
        Ok(order) => Ok(holds(order)),
        Err(message) => refuse(format!("Version comparison failed: {message}")),
    }
}

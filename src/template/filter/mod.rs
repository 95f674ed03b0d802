//! Filters: families of functions, each with its table.

use super::{Filter, Markers, Param, Val};

/// All families.
pub const FILTERS: &[&[Filter]] = &[CORE];

const CORE: &[Filter] = &[
    Filter { name: "d", params: DEFAULT, markers: Markers::Accept, run: default },
    Filter { name: "default", params: DEFAULT, markers: Markers::Accept, run: default },
];

const DEFAULT: &[Param] = &[Param::Optional("default_value"), Param::Optional("boolean")];

fn default(evaluator: &super::Evaluator, value: &Val, arguments: &super::Bound) -> super::Result<Val> {
    let replace = value.is_undefined() || arguments.flag_or(evaluator, 1, false)? && !evaluator.truthy(value)?;
    Ok(if replace { arguments.get(0).cloned().unwrap_or_else(|| Val::from("")) } else { value.clone() })
}

//! Lookups of variables, settings and hosts.

use super::{given, nothing, refuse, refuse_option};
use crate::template::python::regex::{Anchor, Flags, compile};
use crate::template::{Evaluator, Lookup, Options, Result, Val};

pub(super) const LOOKUPS: &[Lookup] = &[
    Lookup { name: "config", options: &["on_missing", "plugin_name", "plugin_type", "show_origin"], run: config },
    Lookup { name: "inventory_hostnames", options: &[], run: inventory_hostnames },
    Lookup { name: "varnames", options: &[], run: varnames },
    Lookup { name: "vars", options: &["default"], run: vars },
];

fn config(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    if let Some(option) = ["plugin_name", "plugin_type", "show_origin"].into_iter().find(|option| given(options, option).is_some()) {
        return refuse_option("config", option);
    }
    let on_missing = given(options, "on_missing").and_then(|val| val.as_str()).unwrap_or("error");
    let mut values = Vec::new();
    for term in terms {
        let Some(setting) = term.as_str() else {
            return refuse(format!("Invalid setting identifier, '{}' is not a string.", evaluator.text(term)?.as_str()));
        };
        match evaluator.context().lookups.config(setting) {
            Ok(value) => values.push(Val::Plain(value)),
            Err(_) if on_missing == "skip" => {}
            Err(error) if on_missing == "warn" => {
                evaluator.notice(format!("Skipping, did not find setting `{setting}`: {}", error.message()))
            }
            Err(error) => return Err(error),
        }
    }
    Ok(values)
}

fn inventory_hostnames(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let patterns: Vec<String> = super::collection::flatten(evaluator, terms)?
        .iter()
        .map(|term| Ok(evaluator.text(term)?.as_str().to_owned()))
        .collect::<Result<_>>()?;
    let hosts = evaluator.context().lookups.inventory_hostnames(&patterns.join(","))?;
    Ok(hosts.into_iter().map(Val::text).collect())
}

fn varnames(evaluator: &Evaluator, terms: &[Val], _: &Options) -> Result<Vec<Val>> {
    let mut found = Vec::new();
    for term in terms {
        let Some(source) = term.as_str() else {
            return refuse(format!(
                "Invalid setting identifier, \"{}\" is not a string, it is a <class '{}'>",
                evaluator.text(term)?.as_str(),
                term.type_name()
            ));
        };
        let unusable = |error: crate::template::python::regex::RegexError| {
            crate::template::TemplateError::plugin(format!("Unable to use \"{source}\" as a search parameter: {error}"))
        };
        let pattern = compile(source, Flags::default(), Anchor::Anywhere).map_err(unusable)?;
        for name in evaluator.scope().names() {
            if pattern.is_match(&name).map_err(unusable)? {
                found.push(Val::text(name));
            }
        }
    }
    Ok(found)
}

fn vars(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut values = Vec::new();
    for term in terms {
        let Some(name) = term.as_str() else {
            return refuse(format!("Variable name must be 'str' not '{}'.", term.type_name()));
        };
        values.push(match (evaluator.variable(name)?, options.get("default")) {
            (Some(Val::Undefined(_)), Some(default)) => default.clone(),
            (Some(val), _) => val,
            (None, Some(default)) => default.clone(),
            (None, None) => nothing(format!("No variable named '{name}' was found.")),
        });
    }
    Ok(values)
}

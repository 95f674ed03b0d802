//! Filters that call filters and tests by name: `map`, `select`, `reject` and their kin.

use super::{attribute, filter, refuse};
use crate::template::{Arguments, Bound, ErrorKind, Evaluator, Filter, Param, Result, TemplateError, Val};

use Param::{Rest, RestNamed};

pub(super) const FILTERS: &[Filter] = &[
    filter("map", ANY, map),
    filter("reject", ANY, |evaluator, value, arguments| select(evaluator, value, arguments, Keep::Failing, By::Item)),
    filter("rejectattr", ANY, |evaluator, value, arguments| select(evaluator, value, arguments, Keep::Failing, By::Attribute)),
    filter("select", ANY, |evaluator, value, arguments| select(evaluator, value, arguments, Keep::Passing, By::Item)),
    filter("selectattr", ANY, |evaluator, value, arguments| select(evaluator, value, arguments, Keep::Passing, By::Attribute)),
];

const ANY: &[Param] = &[Rest, RestNamed];

/// Within a filter there is no template whose syntax would be wrong.
fn unknown(error: TemplateError) -> TemplateError {
    if *error.kind() != ErrorKind::UnknownPlugin {
        return error;
    }
    error.map_message(|message| message.rsplit(": ").next().unwrap_or(message).to_owned())
}

fn map(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let mut mapped = Vec::new();
    let named = |name: &str| arguments.named.iter().find(|(known, _)| &**known == name).map(|(_, val)| val);
    if let (true, Some(path)) = (arguments.rest.is_empty(), named("attribute")) {
        if let Some((other, _)) = arguments.named.iter().find(|(name, _)| !matches!(&**name, "attribute" | "default")) {
            return refuse(format!("Unexpected keyword argument '{other}'"));
        }
        let default = named("default").filter(|default| !default.is_none());
        for item in evaluator.items(value)? {
            mapped.push(attribute(evaluator, &item, path, default)?);
        }
        return Ok(Val::list(mapped));
    }
    let Some((name, rest)) = arguments.rest.split_first() else {
        return refuse("map requires a filter argument");
    };
    let name = evaluator.text(name)?;
    evaluator.find_filter(name.as_str()).map_err(unknown)?;
    for item in evaluator.items(value)? {
        let arguments = Arguments { positional: rest.to_vec(), named: arguments.named.clone() };
        mapped.push(evaluator.call_filter(name.as_str(), &item, arguments)?);
    }
    Ok(Val::list(mapped))
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    Passing,
    Failing,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Item,
    Attribute,
}

fn select(evaluator: &Evaluator, value: &Val, arguments: &Bound, keep: Keep, by: By) -> Result<Val> {
    let mut rest = arguments.rest.as_slice();
    let path = match by {
        By::Item => None,
        By::Attribute => {
            let Some((path, tail)) = rest.split_first() else { return refuse("Missing parameter for attribute name") };
            rest = tail;
            Some(path)
        }
    };
    let test = match rest.split_first() {
        Some((name, tail)) => {
            let name = evaluator.text(name)?;
            evaluator.find_test(name.as_str()).map_err(unknown)?;
            Some((name, tail))
        }
        None => None,
    };
    let mut kept = Vec::new();
    for item in evaluator.items(value)? {
        let subject = match path {
            Some(path) => attribute(evaluator, &item, path, None)?,
            None => item.clone(),
        };
        let passes = match &test {
            None => evaluator.truthy(&subject)?,
            Some((name, tail)) => {
                let arguments = Arguments { positional: tail.to_vec(), named: arguments.named.clone() };
                evaluator.call_test(name.as_str(), &subject, arguments)?
            }
        };
        if passes == (keep == Keep::Passing) {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

//! Lookups: families of functions, each with its table.

use super::{Arguments, Evaluator, Lookup, Options, Result, TemplateError, Val};

/// All families.
pub const LOOKUPS: &[&[Lookup]] = &[CORE];

const CORE: &[Lookup] = &[Lookup { name: "items", options: &[], run: |evaluator, terms, _| flatten(evaluator, terms) }];

/// One level of lists is opened.
fn flatten(evaluator: &super::Evaluator, terms: &[Val]) -> super::Result<Vec<Val>> {
    let mut all = Vec::new();
    for term in terms {
        match term.is_list() {
            true => all.extend(evaluator.items(term)?),
            false => all.push(term.clone()),
        }
    }
    Ok(all)
}

/// The global `query`: all results as a list.
pub fn query(evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
    run(evaluator, arguments).map(Val::list)
}

/// The global `lookup`: one result as it is, texts joined by commas.
pub fn lookup(evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
    let results = run(evaluator, arguments)?;
    match &results[..] {
        [one] => Ok(one.clone()),
        _ => Ok(Val::list(results)),
    }
}

fn run(evaluator: &Evaluator, arguments: Arguments) -> Result<Vec<Val>> {
    let mut terms = arguments.positional.into_iter();
    let name = terms.next().ok_or_else(|| TemplateError::conversion("lookup() needs the name of a plugin"))?;
    let name = evaluator.text(&name)?;
    let terms: Vec<Val> = terms.collect();
    (evaluator.find_lookup(name.as_str())?.run)(evaluator, &terms, &Options { named: arguments.named })
}

//! Lookups: families of functions, each with its table.

use super::{Lookup, Val};

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

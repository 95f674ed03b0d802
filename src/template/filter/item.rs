//! `a.b.0` as filters take it: what `attribute=` names.

use crate::template::{Evaluator, Result, Val};

/// The value of a dotted path; digits are positions. `default` stands for what is missing at any step.
pub(in crate::template) fn attribute(evaluator: &Evaluator, val: &Val, path: &Val, default: Option<&Val>) -> Result<Val> {
    let parts = match path.as_str() {
        Some(text) => text.split('.').map(part).collect(),
        None => vec![path.clone()],
    };
    let mut found = val.clone();
    for part in parts {
        found = evaluator.item(&found, &part)?;
        if let (true, Some(default)) = (found.is_undefined(), default) {
            found = default.clone();
        }
    }
    Ok(found)
}

fn part(text: &str) -> Val {
    match text.parse::<i64>() {
        Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Val::from(number),
        _ => Val::from(text),
    }
}

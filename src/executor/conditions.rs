//! `when`, `changed_when`, `failed_when`, `until`: lists of conditions that must all hold.

use crate::source::{Diagnostic, Spanned};
use crate::template::Templar;
use crate::value::Value;

/// What a list of conditions came to.
pub enum Verdict {
    /// All hold.
    Holds,
    /// This one does not.
    Not(Value),
}

/// A condition that could not be evaluated.
#[derive(Debug)]
pub struct ConditionError {
    /// In Ansible's words.
    pub message: String,
    /// The same without the keyword.
    pub text: String,
    /// Where.
    pub diagnostic: Diagnostic,
}

/// Evaluates conditions in order, up to the first that does not hold.
pub fn evaluate(keyword: &str, conditions: &[Spanned<Value>], templar: &Templar) -> Result<Verdict, ConditionError> {
    for condition in conditions {
        match templar.condition(&condition.value) {
            Ok(true) => {}
            Ok(false) => return Ok(Verdict::Not(condition.value.clone())),
            Err(error) => {
                let diagnostic = error.to_diagnostic_at(&condition.span);
                let article = if keyword == "until" { "An" } else { "A" };
                let message = format!("{article} '{keyword}' expression failed: {}", error.full_message());
                return Err(ConditionError { message, text: error.full_message(), diagnostic });
            }
        }
    }
    Ok(Verdict::Holds)
}

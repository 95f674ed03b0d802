//! Keywords in force, rendered: what a task's `become`, `delegate_to`, `environment` … come to on one host.

use num_traits::ToPrimitive as _;

use crate::action::to_bool;
use crate::playbook::{Keyword, Keywords};
use crate::source::Spanned;
use crate::template::print::shown;
use crate::template::python::number;
use crate::template::{Rendered, Templar, TemplateError};
use crate::value::Value;

/// Why a keyword has no value.
#[derive(Clone, Debug)]
pub struct KeywordError {
    /// In Ansible's words.
    pub message: String,
    /// Where.
    pub diagnostic: crate::source::Diagnostic,
}

/// Which results start the debugger: `debugger`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DebuggerStart {
    /// Every one.
    Always,
    /// None.
    Never,
    /// A failure.
    OnFailed,
    /// A skipped task.
    OnSkipped,
    /// A host that cannot be reached.
    OnUnreachable,
}

/// Renders the keywords of one task on one host.
pub struct Reader<'a> {
    /// The keywords in force.
    pub keywords: &'a Keywords,
    /// Against which variables.
    pub templar: &'a Templar,
}

impl Reader<'_> {
    /// The value of a keyword; `None` if it is not set, or omitted.
    pub fn value(&self, keyword: Keyword) -> Result<Option<Value>, KeywordError> {
        match self.keywords.get(keyword) {
            Some(written) => render(keyword.name(), written, self.templar),
            None => Ok(None),
        }
    }

    /// A keyword that is true or false.
    pub fn flag(&self, keyword: Keyword) -> Result<Option<bool>, KeywordError> {
        let Some(written) = self.keywords.get(keyword) else { return Ok(None) };
        if let Value::Bool(value) = written.value {
            return Ok(Some(value));
        }
        match render(keyword.name(), written, self.templar)? {
            None | Some(Value::Null) => Ok(None),
            Some(value) => to_bool(&value).map(Some).ok_or_else(|| wrong_type(keyword.name(), written, &value, "bool")),
        }
    }

    /// A keyword that is a text; numbers are taken as written.
    pub fn text(&self, keyword: Keyword) -> Result<Option<String>, KeywordError> {
        Ok(self.value(keyword)?.filter(|value| !value.is_null()).map(|value| shown(&value)))
    }

    /// A keyword that is a whole number.
    pub fn int(&self, keyword: Keyword) -> Result<Option<i64>, KeywordError> {
        match self.keywords.get(keyword) {
            Some(written) => int(keyword.name(), written, self.templar),
            None => Ok(None),
        }
    }

    /// Whether keywords can be read that are asked for by others than the one who runs the task.
    pub fn check(&self) -> Result<(), KeywordError> {
        const FLAGS: &[Keyword] =
            &[Keyword::AnyErrorsFatal, Keyword::DelegateFacts, Keyword::IgnoreErrors, Keyword::IgnoreUnreachable, Keyword::RunOnce];
        FLAGS.iter().try_for_each(|keyword| self.flag(*keyword).map(|_| ()))?;
        self.int(Keyword::Throttle).map(|_| ())
    }

    /// What starts the debugger.
    pub fn debugger(&self) -> Result<Option<DebuggerStart>, KeywordError> {
        let Some(written) = self.keywords.get(Keyword::Debugger) else { return Ok(None) };
        match self.text(Keyword::Debugger)?.as_deref() {
            None => Ok(None),
            Some("always") => Ok(Some(DebuggerStart::Always)),
            Some("never") => Ok(Some(DebuggerStart::Never)),
            Some("on_failed") => Ok(Some(DebuggerStart::OnFailed)),
            Some("on_skipped") => Ok(Some(DebuggerStart::OnSkipped)),
            Some("on_unreachable") => Ok(Some(DebuggerStart::OnUnreachable)),
            Some(other) => {
                let wanted = "Must be one of always, on_unreachable, on_skipped, on_failed, never";
                let message = format!("'{other}' is not a valid value for debugger. {wanted}");
                let diagnostic = written.error(&message);
                Err(KeywordError { message: format!("Task failed: Error processing keyword 'debugger': {message}"), diagnostic })
            }
        }
    }

    /// Variables for the module's programs, the inner ones winning.
    pub fn environment(&self) -> Result<Vec<(String, String)>, KeywordError> {
        let mut environment: Vec<(String, String)> = Vec::new();
        for written in &self.keywords.environment {
            let Some(value) = render("environment", written, self.templar)? else { continue };
            let maps = match &value {
                Value::Map(_) => vec![value.clone()],
                Value::List(items) => items.to_vec(),
                // As in Ansible, what is no map is passed over.
                _ => Vec::new(),
            };
            for map in maps.iter().filter_map(Value::as_map) {
                for (key, value) in map.iter() {
                    let name = key.to_json_key();
                    environment.retain(|(known, _)| *known != name);
                    environment.push((name, shown(value)));
                }
            }
        }
        Ok(environment)
    }
}

/// A keyword's value, rendered.
pub fn render(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<Option<Value>, KeywordError> {
    match templar.render(&written.value) {
        Ok(Rendered::Value(value)) => Ok(Some(value)),
        Ok(Rendered::Omit) => Ok(None),
        Err(error) => Err(failed(name, written, &error)),
    }
}

/// A whole number.
pub fn int(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<Option<i64>, KeywordError> {
    match render(name, written, templar)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => to_int(&value).map(Some).ok_or_else(|| wrong_type(name, written, &value, "int")),
    }
}

/// A value as whole number, as keywords take it: also a text, but nothing with a fraction.
pub fn to_int(value: &Value) -> Option<i64> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < MOST_EXACT).then_some(number as i64);
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Float(number) => whole(*number),
        Value::Text(text) => match number::parse_int(text.as_str(), 10) {
            Some(number) => number.to_i64(),
            None => number::parse_float(text.as_str()).and_then(whole),
        },
        other => other.as_int(),
    }
}

/// Below this every whole number is a float of its own.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Seconds, with a fraction.
pub fn seconds(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<Option<f64>, KeywordError> {
    match render(name, written, templar)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = match &value {
                Value::Int(number) => Some(*number as f64),
                Value::Float(number) => Some(*number),
                Value::Bool(value) => Some(f64::from(u8::from(*value))),
                Value::Text(text) => number::parse_float(text.as_str()),
                _ => None,
            };
            number.map(Some).ok_or_else(|| wrong_type(name, written, &value, "float"))
        }
    }
}

/// True or false.
pub fn flag(name: &str, written: &Spanned<Value>, templar: &Templar) -> Result<Option<bool>, KeywordError> {
    match render(name, written, templar)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => to_bool(&value).map(Some).ok_or_else(|| wrong_type(name, written, &value, "bool")),
    }
}

fn failed(name: &str, written: &Spanned<Value>, error: &TemplateError) -> KeywordError {
    let diagnostic = error.to_diagnostic_at(&written.span);
    KeywordError { message: format!("Task failed: Error processing keyword '{name}': {}", error.full_message()), diagnostic }
}

/// A value that is not of the keyword's kind.
pub fn wrong_type(name: &str, written: &Spanned<Value>, value: &Value, kind: &str) -> KeywordError {
    let found = quoted(value);
    let diagnostic = written.error(format!("`{name}` is {found}, expected a value that can be converted to `{kind}`"));
    KeywordError { message: format!("Task failed: {}", not_converted(name, value, kind)), diagnostic }
}

/// What is said of a value that is not of the keyword's kind.
pub fn not_converted(name: &str, value: &Value, kind: &str) -> String {
    format!("Error processing keyword '{name}': The value {} could not be converted to '{kind}'.", quoted(value))
}

/// A value as Python shows it within a message.
pub fn quoted(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{}'", text.as_str()),
        other => shown(other),
    }
}

//! `Templar`: what the upper floors render with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evaluator::GLOBALS;
use super::file::TemplateFile;
use super::lookup::file::Overlay;
use super::lower::Embedded;
use super::print::shown;
use super::syntax::Backslashes;
use super::{
    Context, Engine, ErrorKind, Evaluator, Notices, OMITTED, Result, Scope, Syntax, TemplateError, Undefined, Val, engine, is_template,
};
use crate::source::{Source, absolute};
use crate::value::{Map, Text, Value};

/// Renders one task's values against one scope. Cheap to make; keeps what it rendered of the scope. For one thread.
pub struct Templar {
    evaluator: Evaluator,
}

/// What became of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Rendered {
    /// This.
    Value(Value),
    /// It is to be left out.
    Omit,
}

/// How a template file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// How the text is read, and what its line breaks become.
    pub syntax: Syntax,
}

impl Default for FileOptions {
    /// As the `template` module: the line break after a block is dropped.
    fn default() -> Self {
        Self { syntax: Syntax { trim_blocks: true, backslashes: Backslashes::Escape, ..Syntax::default() } }
    }
}

/// What is said of a condition that is empty.
pub const EMPTY: &str = "Empty conditional expressions are not allowed.";
/// What is said of a condition that was written as a number, a list or a map.
pub const NOT_A_TEXT: &str = "Conditional expressions must be strings.";

impl Templar {
    /// A templar for `scope`.
    pub fn new(engine: &Arc<Engine>, scope: Arc<dyn Scope>, context: Arc<Context>) -> Self {
        Self::telling(engine, scope, context, Notices::default())
    }

    /// A templar whose warnings and deprecations go to `notices`.
    pub fn telling(engine: &Arc<Engine>, scope: Arc<dyn Scope>, context: Arc<Context>, notices: Notices) -> Self {
        Self { evaluator: Evaluator::new(engine, scope, context, notices) }
    }

    /// Tells the user that something will not be there any more.
    pub fn deprecate(&self, message: impl Into<String>) {
        self.evaluator.deprecate(message);
    }

    /// Warns the user.
    pub fn warn(&self, message: impl Into<String>) {
        self.evaluator.notice(message);
    }

    /// Whether the text is to be rendered: it is trusted and has delimiters, or it is in a vault.
    pub fn is_template(value: &Value) -> bool {
        matches!(value, Value::Text(text) if text.is_trusted() && is_template(text.as_str()) || text.is_sealed())
    }

    /// The value with every template in it rendered, at any depth; keys and untrusted texts stay as they are.
    pub fn render(&self, value: &Value) -> Result<Rendered> {
        self.finish(self.evaluator.render(value))
    }

    /// What a bare expression is worth (`until`, `debug: var`, …).
    pub fn expression(&self, text: &Text) -> Result<Value> {
        if !text.is_trusted() {
            return Err(TemplateError::untrusted(text));
        }
        match self.finish(self.evaluator.expression(text, Embedded::Keep)).map_err(TemplateError::in_expression)? {
            Rendered::Value(value) => Ok(value),
            Rendered::Omit => Err(omitted()),
        }
    }

    /// A text for people, such as a task's name: what is wrong with it is said in it.
    pub fn name(&self, value: &Value) -> String {
        match self.finish(self.evaluator.marked_text(value)) {
            Ok(Rendered::Value(value)) => shown(&value),
            Ok(Rendered::Omit) => String::new(),
            Err(error) => format!("<< error 1 - {} >>", error.message()),
        }
    }

    /// As [`Templar::expression`], with a text that says so where something is undefined, at any depth: `debug: var`.
    pub fn expression_marked(&self, text: &Text) -> Result<Value> {
        if !text.is_trusted() {
            return Err(TemplateError::untrusted(text));
        }
        let marked = self.evaluator.marked(self.evaluator.expression(text, Embedded::Keep));
        self.evaluator.settle();
        marked.map_err(|error| self.with_suggestion(error).in_expression())
    }

    /// One condition of `when`, `changed_when`, `assert: that`, …: an expression whose result must be a boolean.
    pub fn condition(&self, condition: &Value) -> Result<bool> {
        let result = self.condition_value(condition, 0);
        self.evaluator.settle();
        let value = result.map_err(|error| self.with_suggestion(error).in_expression())?;
        if let Value::Bool(holds) = value {
            return Ok(holds);
        }
        let origin = match condition {
            Value::Text(text) => text.origin().cloned(),
            _ => None,
        };
        let place = origin.as_ref().map_or_else(|| "<unknown>".to_owned(), ToString::to_string);
        let truth = if value.truthy() { "True" } else { "False" };
        let message = format!(
            "Conditional result ({truth}) was derived from value of type '{}' at '{place}'. Conditionals must have a boolean result.",
            value.type_name()
        );
        if self.allows_broken() {
            self.evaluator.deprecate(message);
            return Ok(value.truthy());
        }
        Err(TemplateError::new(ErrorKind::BrokenConditional, message).at(origin))
    }

    /// `allow_broken_conditionals`.
    fn allows_broken(&self) -> bool {
        self.evaluator.context().lookups.config("ALLOW_BROKEN_CONDITIONALS").is_ok_and(|setting| setting.truthy())
    }

    /// A template file: always text, never trusted. Its first line may set options: `#jinja2: trim_blocks: False`.
    pub fn render_file(&self, source: &Arc<Source>, options: &FileOptions) -> Result<Text> {
        self.render_source(source, options, Map::new())
    }

    /// As [`Templar::render_file`] for the file at `path`, with names that only it has: data, never templates. What it asks for is
    /// looked for in its own folder too.
    pub fn render_file_at(&self, path: &Path, source: &Arc<Source>, options: &FileOptions, mut names: Map) -> Result<Text> {
        let context = self.evaluator.context();
        let own = absolute(path).parent().map(Path::to_path_buf);
        let places: Vec<PathBuf> = context.search_path.iter().chain([&context.playbook_dir]).cloned().chain(own).collect();
        names.insert("ansible_search_path", Value::list(places.iter().map(|place| Value::text(place.display().to_string())).collect()));
        let templar = Self { evaluator: self.evaluator.searching(places) };
        templar.render_source(source, options, names)
    }

    fn render_source(&self, source: &Arc<Source>, options: &FileOptions, names: Map) -> Result<Text> {
        let syntax = Syntax { extensions: self.evaluator.context().extensions, ..options.syntax.clone() };
        let file = TemplateFile::read(self.evaluator.engine(), source, syntax)?;
        let inner = self.evaluator.over(Arc::new(Overlay { own: names, outer: Arc::clone(self.evaluator.scope()) }));
        let result = inner.render_with(&file).and_then(|text| text.ok_or_else(omitted));
        self.evaluator.settle();
        result.map(Text::into_untrusted).map_err(|error| self.with_suggestion(error))
    }

    /// A variable, rendered; `None` where it is not defined.
    pub fn get(&self, name: &str) -> Result<Option<Value>> {
        match self.evaluator.variable(name) {
            Ok(None) => Ok(None),
            Ok(Some(val)) => match self.finish(Ok(val))? {
                Rendered::Value(value) => Ok(Some(value)),
                Rendered::Omit => Err(omitted()),
            },
            Err(error) => Err(self.with_suggestion(error)),
        }
    }

    /// The evaluator, for loops over lookups.
    pub fn evaluator(&self) -> &Evaluator {
        &self.evaluator
    }

    fn finish(&self, val: Result<Val>) -> Result<Rendered> {
        let finished = val.and_then(|val| self.evaluator.finish(&val));
        self.evaluator.settle();
        match finished {
            Ok(Some(value)) => Ok(Rendered::Value(value)),
            Ok(None) => Ok(Rendered::Omit),
            Err(error) => Err(self.with_suggestion(error)),
        }
    }

    fn condition_value(&self, condition: &Value, depth: usize) -> Result<Value> {
        let empty = || TemplateError::new(ErrorKind::BrokenConditional, EMPTY);
        let text = match condition {
            Value::Text(text) => text,
            Value::Bool(_) => return Ok(condition.clone()),
            Value::Null if self.allows_broken() => return Ok(Value::Bool(true)),
            _ if self.allows_broken() => return Ok(condition.clone()),
            Value::Null => return Err(empty()),
            _ => return Err(TemplateError::new(ErrorKind::BrokenConditional, NOT_A_TEXT)),
        };
        if text.is_sealed() {
            // What was in a vault is no expression.
            return Err(self.evaluator.value(&self.evaluator.render(condition)?).err().unwrap_or_else(|| TemplateError::untrusted(text)));
        }
        if !text.is_trusted() {
            return Err(TemplateError::untrusted(text));
        }
        let chars = text.as_str().trim();
        if chars.is_empty() && self.allows_broken() {
            return Ok(Value::Bool(true));
        }
        if chars.is_empty() {
            return Err(empty().at(text.origin().cloned()));
        }
        let is_wrapped = |open: &str, close: &str| chars.starts_with(open) && chars.ends_with(close);
        if is_wrapped("{{", "}}") || is_wrapped("{%", "%}") {
            if depth > 10 {
                return Err(TemplateError::new(
                    ErrorKind::Recursion,
                    "Recursive loop detected in template: maximum recursion depth exceeded",
                ));
            }
            let val = evaluating(self.evaluator.render(condition).and_then(|val| self.evaluator.value(&val)))?;
            self.evaluator.deprecate("Conditionals should not be surrounded by templating delimiters such as {{ }} or {% %}.");
            return match val {
                Value::Null => Err(empty().at(text.origin().cloned())),
                Value::Text(_) => self.condition_value(&val, depth + 1),
                other => Ok(other),
            };
        }
        let val = self.evaluator.expression(text, Embedded::Render);
        evaluating(val.and_then(|val| self.evaluator.value(&val)))
    }

    /// Names that are near to what was not found.
    fn with_suggestion(&self, error: TemplateError) -> TemplateError {
        let ErrorKind::Undefined { name: Some(name) } = error.kind() else { return error };
        if error.hint().is_some() {
            return error;
        }
        let names = self.evaluator.scope().names();
        let known = names.iter().map(|name| &**name).chain(GLOBALS.iter().copied());
        match engine::closest(name, known) {
            Some(known) => {
                let hint = format!("did you mean `{known}`?");
                error.with_hint(hint)
            }
            None => error,
        }
    }
}

impl Drop for Templar {
    fn drop(&mut self) {
        self.evaluator.dispose();
    }
}

/// What was being done, where Ansible says so.
fn evaluating(result: Result<Value>) -> Result<Value> {
    result.map_err(|error| match error.kind() {
        ErrorKind::Undefined { .. } => error.map_message(|message| format!("Error while evaluating conditional: {message}")),
        _ => error,
    })
}

fn omitted() -> TemplateError {
    Undefined::captured(TemplateError::new(ErrorKind::Omitted, OMITTED)).error()
}

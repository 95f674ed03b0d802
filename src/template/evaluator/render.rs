//! From values to what they mean: texts are rendered, containers are opened as far as they are looked at.

use std::rc::Rc;
use std::sync::Arc;

use super::super::error::UNTRUSTED;
use super::super::file::TemplateFile;
use super::super::ir::{Stmt, Template};
use super::super::lower::Embedded;
use super::super::{ErrorKind, Pending, Result, Syntax, TemplateError, Undefined, Untrusted, Val, is_template};
use super::frame::{Frame, FrameRef};
use super::output::Output;
use super::{Evaluator, Loaded, ScopeRef, Unit, with_stack};
use crate::value::{Text, Value};

impl Evaluator {
    /// Renders a value as if it were a variable of this scope; for lookups and for what is built of templates.
    pub fn render(&self, value: &Value) -> Result<Val> {
        self.load(value.clone(), &self.scope)
    }

    /// A value as the scope holds it: templates in it are rendered, or will be on access.
    pub(super) fn load(&self, value: Value, scope: &ScopeRef) -> Result<Val> {
        match &value {
            Value::Text(text) if text.is_sealed() => Ok(self.unseal(text)),
            Value::Text(text) if text.is_trusted() && is_template(text.as_str()) => match self.render_text(text, scope) {
                Err(error) if error.is_undefined() => Ok(Undefined::captured(error).into()),
                Err(error) if matches!(error.kind(), ErrorKind::Vault { .. }) => Ok(Undefined::sealed(None, error).into()),
                result => result,
            },
            Value::Text(text) if self.is_suspect(text) => self.judge(text).map(|()| Val::Plain(value)),
            Value::List(items) if items.iter().any(|item| self.is_unfinished(item)) => {
                Ok(Val::list(items.iter().map(|item| self.pending(item, scope)).collect()))
            }
            Value::Map(map) if map.values().any(|value| self.is_unfinished(value)) => {
                Ok(Val::dict(map.iter().map(|(key, value)| (key.clone(), self.pending(value, scope))).collect()))
            }
            _ => Ok(Val::Plain(value)),
        }
    }

    /// What is in a vault; a marker that says why where it cannot be opened.
    fn unseal(&self, sealed: &Text) -> Val {
        match self.session.context.lookups.vault().open_text(sealed) {
            Ok(text) => Val::from(text),
            Err(error) => {
                let message = format!("Attempt to use undecryptable variable: {error}");
                let error = TemplateError::new(ErrorKind::Vault { expression: false }, message)
                    .at(sealed.origin().cloned())
                    .label("sealed in a vault");
                Undefined::sealed(Some(sealed.clone()), error).into()
            }
        }
    }

    /// The template in `text`, run against `scope`.
    fn render_text(&self, text: &Text, scope: &ScopeRef) -> Result<Val> {
        let _depth = self.enter()?;
        let render = || {
            let syntax = &self.session.yaml_syntax;
            let template = self.session.engine.template(text, syntax)?;
            let mut out = Output::native();
            self.run_loaded(text, template, syntax, scope, &mut out)?;
            Ok(self.with_line_breaks(text, "\n", out.finish()))
        };
        render().map_err(|error: TemplateError| error.within("template"))
    }

    /// Jinja drops the last line break of a template; Ansible gives text as many as it was written with.
    fn with_line_breaks(&self, written: &Text, line_break: &str, val: Val) -> Val {
        let count = |text: &Text| text.as_str().len() - text.as_str().trim_end_matches('\n').len();
        let wanted = count(written);
        match val.as_text() {
            Some(text) if wanted > count(text) => {
                let missing = line_break.repeat(wanted - count(text));
                Val::from(self.derived(text, format!("{}{missing}", text.as_str())))
            }
            _ => val,
        }
    }

    /// The bare expression in `text`.
    pub(in super::super) fn expression(&self, text: &Text, embedded: Embedded) -> Result<Val> {
        let _depth = self.enter()?;
        let evaluate = || {
            let template = self.session.engine.expression(text, embedded)?;
            let [Stmt::Emit(expr)] = &template.body[..] else { return Ok(Val::NONE) };
            let (evaluator, frame) = self.unit_of(text, Arc::clone(&template), &self.session.yaml_syntax, &self.scope);
            with_stack(|| evaluator.eval(&frame, expr))
        };
        evaluate().map_err(|error: TemplateError| error.within("expression"))
    }

    /// A lone piece keeps its type, and what emits nothing is `None`. Each file that is included or extended loses the line
    /// break at its end; a text ends with at least as many as it was written with.
    pub fn render_file(&self, file: &TemplateFile) -> Result<Val> {
        let TemplateFile { text, syntax, line_break, is_plain } = file;
        if *is_plain || text.as_str().is_empty() {
            return Ok(Val::from(text.clone()));
        }
        let _depth = self.enter()?;
        let template = self.session.engine.template(text, syntax)?;
        let mut out = Output::native();
        self.run_loaded(text, template, syntax, &self.scope, &mut out)?;
        Ok(self.with_line_breaks(text, line_break, out.finish()))
    }

    /// As [`Evaluator::render_file`], as text; `None` where all of it is `omit`. What is no data is an error, if it stands alone.
    pub fn render_with(&self, file: &TemplateFile) -> Result<Option<Text>> {
        let val = self.render_file(file)?;
        let Some(value) = self.finish(&val)? else { return Ok(None) };
        let mut out = Output::text();
        out.push(self, Val::Plain(value))?;
        self.text(&out.finish()).map(Some)
    }

    fn run_loaded(&self, text: &Text, template: Arc<Template>, syntax: &Arc<Syntax>, scope: &ScopeRef, out: &mut Output) -> Result<()> {
        let (evaluator, frame) = self.unit_of(text, template, syntax, scope);
        with_stack(|| evaluator.run_template(&frame, out))
    }

    fn unit_of(&self, text: &Text, template: Arc<Template>, syntax: &Arc<Syntax>, scope: &ScopeRef) -> (Self, FrameRef) {
        let frame = Frame::top();
        let loaded = Loaded { text: text.clone(), template, syntax: Arc::clone(syntax), name: String::new() };
        let unit = Rc::new(Unit::new(loaded, Rc::clone(&frame), false));
        (Self { session: Rc::clone(&self.session), scope: Rc::clone(scope), unit }, frame)
    }

    /// Runs the evaluator's own template, and what it extends.
    pub(super) fn run_template(&self, frame: &FrameRef, out: &mut Output) -> Result<()> {
        let template = Arc::clone(&self.unit.template);
        for block in &template.blocks {
            let mut blocks = self.unit.blocks.borrow_mut();
            blocks.entry(Arc::clone(&block.name)).or_default().push((Arc::clone(block), self.clone()));
        }
        let result = self.run_top_level(frame, &template, out);
        // A block refers to the evaluator, and that to the blocks.
        self.unit.blocks.borrow_mut().clear();
        result
    }

    fn run_top_level(&self, frame: &FrameRef, template: &Template, out: &mut Output) -> Result<()> {
        for statement in &template.body {
            if self.unit.parent.borrow().is_none() {
                self.run(frame, std::slice::from_ref(statement), out)?;
            } else if !matches!(statement, Stmt::Raw(_) | Stmt::Emit(_) | Stmt::Block(_)) {
                // What stands outside of blocks is not shown any more, but still sets and defines.
                self.run(frame, std::slice::from_ref(statement), &mut Output::text())?;
            }
        }
        let Some(parent) = self.unit.parent.take() else { return Ok(()) };
        let _depth = self.enter()?;
        let mut unit = Unit::new(parent, Rc::clone(frame), self.unit.mutates);
        unit.blocks = Rc::clone(&self.unit.blocks);
        let evaluator = Self { session: Rc::clone(&self.session), scope: Rc::clone(&self.scope), unit: Rc::new(unit) };
        with_stack(|| evaluator.run_template(frame, out))
    }

    /// Whether a text that may be a template, is in a vault or has to be looked at for its trust is anywhere in the value.
    fn is_unfinished(&self, value: &Value) -> bool {
        match value {
            Value::Text(text) => text.is_trusted() && is_template(text.as_str()) || text.is_sealed() || self.is_suspect(text),
            Value::List(items) => items.iter().any(|item| self.is_unfinished(item)),
            Value::Map(map) => map.values().any(|value| self.is_unfinished(value)),
            _ => false,
        }
    }

    fn pending(&self, value: &Value, scope: &ScopeRef) -> Val {
        if self.is_unfinished(value) {
            Val::Pending(Rc::new(Pending { value: value.clone(), scope: Rc::clone(scope) }))
        } else {
            Val::Plain(value.clone())
        }
    }

    /// Whether the text looks like a template that nobody vouches for, and somebody wants to know.
    fn is_suspect(&self, text: &Text) -> bool {
        self.session.context.untrusted != Untrusted::Ignore && !text.is_trusted() && is_template(text.as_str())
    }

    /// Says that a text is no template, or refuses it.
    fn judge(&self, text: &Text) -> Result<()> {
        match self.session.context.untrusted {
            Untrusted::Ignore => {}
            Untrusted::Warn => {
                let place = text.origin().map(|origin| format!("{origin}: ")).unwrap_or_default();
                self.notice(format!("{UNTRUSTED} {place}{}\n{WHO_IS_TRUSTED}", text.as_str()));
            }
            Untrusted::Refuse => return Err(TemplateError::untrusted(text)),
        }
        Ok(())
    }
}

/// Who may write templates.
const WHO_IS_TRUSTED: &str = "Templates and expressions must be defined by trusted sources such as playbooks or roles, not untrusted sources such as module results.";

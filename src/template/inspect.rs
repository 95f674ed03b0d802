//! What a template's text asks for, found without evaluating it: names, filters, tests, lookups, other templates. For checks
//! before a run; a text is read as the evaluator would read it, and what is wrong is said in the same words.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::evaluator::GLOBALS;
use super::file::TemplateFile;
use super::ir::{Arg, Expr, ExprKind, Extent, Macro, Step, StepKind, Stmt, Target};
use super::lower::Embedded;
use super::{Arguments, Engine, ErrorKind, FileOptions, Markers, Param, Place, Result, Syntax, TemplateError, Val, is_template};
use crate::source::Source;
use crate::value::{Text, Value};

/// What a text asks for.
#[derive(Default)]
pub struct Inspection {
    /// Variables that have to be there for the text to be worth anything, where they are asked for.
    pub names: Vec<NameUse>,
    /// Variables that are asked for in a way that lets them be undefined: `is defined`, `default(…)`.
    pub guarded: HashSet<Arc<str>>,
    /// Names that the text sets itself: `set`, `for`, macros and their parameters, imports.
    pub bound: HashSet<Arc<str>>,
    /// Certain mistakes: plugins that nobody knows, arguments that no call of theirs takes.
    pub mistakes: Vec<TemplateError>,
    /// Other templates whose names are constants.
    pub templates: Vec<TemplateUse>,
    /// Calls of `lookup` and `query` whose plugin is a constant.
    pub lookups: Vec<LookupUse>,
}

/// A variable that is asked for.
pub struct NameUse {
    /// Its name.
    pub name: Arc<str>,
    /// Where.
    pub place: Place,
}

/// A template that another one includes, imports or extends.
pub struct TemplateUse {
    /// Names of which the first that is there is taken.
    pub names: Vec<Arc<str>>,
    /// Whether it may be missing.
    pub may_be_missing: bool,
    /// Where.
    pub place: Place,
}

/// A lookup with a constant name.
pub struct LookupUse {
    /// The plugin, without the collection of what is built in.
    pub name: Arc<str>,
    /// Its terms; `None` for those that are computed.
    pub terms: Vec<Option<NameUse>>,
    /// Names of its options.
    pub options: Vec<Arc<str>>,
}

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// As a template.
    Template,
    /// As a bare expression: `until`, `debug: var`, …
    Expression,
    /// As a condition, in whose constants templates are rendered.
    Condition,
}

impl Engine {
    /// What a text of a playbook asks for; an error where it cannot be read.
    pub fn inspect(&self, text: &Text, reading: Reading) -> Result<Inspection> {
        let template = match reading {
            Reading::Template => self.template(text, &Syntax { extensions: self.inspected, trim_blocks: true, ..Syntax::default() })?,
            Reading::Expression => self.expression(text, Embedded::Keep)?,
            Reading::Condition => self.expression(text, Embedded::Render)?,
        };
        Ok(Inspector::over(self, text, &template.body))
    }

    /// What a template file asks for, and how it is to be read; an error where it cannot be.
    pub fn inspect_file(&self, source: &Arc<Source>, options: &FileOptions) -> Result<(Inspection, Syntax)> {
        let syntax = Syntax { extensions: self.inspected, ..options.syntax.clone() };
        let file = TemplateFile::read(self, source, syntax)?;
        let template = self.template(&file.text, &file.syntax)?;
        Ok((Inspector::over(self, &file.text, &template.body), Syntax::clone(&file.syntax)))
    }
}

impl Inspection {
    /// Where a template that this one names is looked for: in these folders, then beside it.
    pub fn find_template(name: &str, search_path: &[PathBuf], beside: Option<&Path>) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name)).filter(|path| path.is_file());
        }
        let places = search_path.iter().flat_map(|root| [root.join("templates"), root.clone()]).chain(beside.map(Path::to_path_buf));
        places.map(|place| place.join(name)).find(|path| path.is_file())
    }
}

/// Whether every template knows this name: `range`, `lookup`, `now`, …
pub fn is_global(name: &str) -> bool {
    GLOBALS.contains(&name)
}

/// Names that mean something within a template only.
const LOCAL: &[&str] = &["caller", "kwargs", "loop", "self", "super", "varargs"];

/// Filters whose argument of this index names a filter (`true`) or a test.
const BY_NAME: &[(&str, usize, bool)] =
    &[("map", 0, true), ("reject", 0, false), ("rejectattr", 1, false), ("select", 0, false), ("selectattr", 1, false)];

struct Inspector<'a> {
    engine: &'a Engine,
    text: &'a Text,
    found: Inspection,
}

impl<'a> Inspector<'a> {
    fn over(engine: &'a Engine, text: &'a Text, body: &[Stmt]) -> Inspection {
        let mut inspector = Self { engine, text, found: Inspection::default() };
        inspector.body(body);
        let mut found = inspector.found;
        let bound = &found.bound;
        found.names.retain(|used| !bound.contains(&used.name) && !LOCAL.contains(&&*used.name) && !is_global(&used.name));
        found
    }

    fn body(&mut self, statements: &[Stmt]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Raw(_) | Stmt::Continue | Stmt::Break => {}
            Stmt::Emit(expr) | Stmt::Do(expr) => self.expr(expr, false),
            Stmt::For(block) => {
                self.bind(&block.target);
                self.expr(&block.iter, false);
                block.condition.iter().for_each(|condition| self.expr(condition, false));
                self.body(&block.body);
                self.body(&block.otherwise);
            }
            Stmt::If(branches, otherwise) => {
                for (condition, body) in branches {
                    self.expr(condition, false);
                    self.body(body);
                }
                self.body(otherwise);
            }
            Stmt::With(assignments, body) => {
                for (target, expr) in assignments {
                    self.bind(target);
                    self.expr(expr, false);
                }
                self.body(body);
            }
            // What is set may be undefined as long as nobody asks for it.
            Stmt::Set(target, expr) => {
                self.bind(target);
                self.expr(expr, false);
            }
            Stmt::SetBlock(target, filters, body) => {
                self.bind(target);
                self.steps(filters, false);
                self.body(body);
            }
            Stmt::AutoEscape(expr, body) => {
                self.expr(expr, false);
                self.body(body);
            }
            Stmt::FilterBlock(filters, body) => {
                self.steps(filters, false);
                self.body(body);
            }
            Stmt::Block(block) => self.body(&block.body),
            Stmt::Import { file, name, .. } => {
                self.bind(name);
                self.other_template(file, false);
            }
            Stmt::FromImport { file, names, .. } => {
                self.found.bound.extend(names.iter().map(|(_, alias)| Arc::clone(alias)));
                self.other_template(file, false);
            }
            Stmt::Extends(file) => self.other_template(file, false),
            Stmt::Include { file, ignore_missing, .. } => self.other_template(file, *ignore_missing),
            Stmt::Macro(definition) => {
                self.found.bound.extend(definition.name.clone());
                self.definition(definition);
            }
            Stmt::CallBlock { callee, arguments, caller } => {
                self.expr(callee, false);
                self.arguments(arguments, false);
                self.definition(caller);
            }
        }
    }

    fn definition(&mut self, definition: &Macro) {
        for (name, default) in &definition.params {
            self.found.bound.insert(Arc::clone(name));
            default.iter().for_each(|default| self.expr(default, false));
        }
        self.body(&definition.body);
    }

    fn bind(&mut self, target: &Target) {
        match target {
            Target::Name(name) => {
                self.found.bound.insert(Arc::clone(name));
            }
            Target::Tuple(parts) => parts.iter().for_each(|part| self.bind(part)),
            // A namespace was made by `set`, which has bound its name.
            Target::Attribute(..) => {}
        }
    }

    fn other_template(&mut self, file: &Expr, may_be_missing: bool) {
        let constants = match &file.kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().map(constant).collect::<Option<Vec<_>>>(),
            _ => constant(file).map(|name| vec![name]),
        };
        match constants {
            Some(names) => self.found.templates.push(TemplateUse { names, may_be_missing, place: self.place(file.extent) }),
            None => self.expr(file, false),
        }
    }

    /// An expression; `guarded` where what is undefined in it is asked for by `default` or `is defined`.
    fn expr(&mut self, expr: &Expr, guarded: bool) {
        match &expr.kind {
            ExprKind::Name(name) => self.name(name, expr.extent, guarded),
            ExprKind::Constant(_) => {}
            ExprKind::Embedded(value) => self.embedded(value, expr.extent),
            ExprKind::Chain(base, steps) => self.chain(base, steps, guarded),
            ExprKind::Not(inner) => self.expr(inner, guarded),
            ExprKind::Negate(inner) | ExprKind::Positive(inner) => self.expr(inner, false),
            ExprKind::Binary(first, rest) => {
                self.expr(first, false);
                rest.iter().for_each(|(_, operand)| self.expr(operand, false));
            }
            ExprKind::And(operands) | ExprKind::Or(operands) => operands.iter().for_each(|operand| self.expr(operand, false)),
            ExprKind::Compare(first, rest) => {
                self.expr(first, false);
                rest.iter().for_each(|(_, operand)| self.expr(operand, false));
            }
            ExprKind::If(parts) => {
                let (condition, then, otherwise) = &**parts;
                self.expr(condition, false);
                self.expr(then, guarded);
                otherwise.iter().for_each(|otherwise| self.expr(otherwise, guarded));
            }
            ExprKind::List(items) | ExprKind::Tuple(items) => items.iter().for_each(|item| self.expr(item, guarded)),
            ExprKind::Dict(entries) => {
                for (key, value) in entries {
                    self.expr(key, false);
                    self.expr(value, guarded);
                }
            }
        }
    }

    fn name(&mut self, name: &Arc<str>, extent: Extent, guarded: bool) {
        if guarded {
            self.found.guarded.insert(Arc::clone(name));
        } else {
            self.found.names.push(NameUse { name: Arc::clone(name), place: self.place(extent) });
        }
    }

    /// A template in a constant: its own mistakes are at the constant.
    fn embedded(&mut self, value: &Value, extent: Extent) {
        let Value::Text(text) = value else { return };
        match self.engine.inspect(text, Reading::Template) {
            Ok(inner) => {
                let place = self.place(extent);
                self.found.names.extend(inner.names.into_iter().map(|used| NameUse { name: used.name, place: place.clone() }));
                self.found.guarded.extend(inner.guarded);
                self.found.mistakes.extend(inner.mistakes.into_iter().map(|mistake| mistake.at(place.span())));
            }
            Err(error) => self.found.mistakes.push(error.at(self.place(extent).span())),
        }
    }

    fn chain(&mut self, base: &Expr, steps: &[Step], guarded: bool) {
        let guards = |step: &Step| match &step.kind {
            StepKind::Filter(filter, _) => {
                filter.found.is_some_and(|found| found.markers == Markers::Accept && !matches!(found.name, "mandatory" | "ternary"))
            }
            StepKind::Test(test, _) => test.found.is_some_and(|found| found.markers == Markers::Accept),
            StepKind::Attribute(_) | StepKind::Item(_) | StepKind::Slice(..) | StepKind::Call(_) => false,
        };
        if let (ExprKind::Name(name), Some(Step { kind: StepKind::Call(arguments), .. })) = (&base.kind, steps.first())
            && matches!(&**name, "lookup" | "q" | "query")
        {
            self.lookup(arguments);
        }
        let last_guard = steps.iter().rposition(guards);
        self.expr(base, guarded || last_guard.is_some());
        for (index, step) in steps.iter().enumerate() {
            // What `default` falls back to matters only where there is nothing.
            self.step(step, guarded || last_guard.is_some_and(|last| index <= last));
        }
    }

    fn steps(&mut self, steps: &[Step], guarded: bool) {
        steps.iter().for_each(|step| self.step(step, guarded));
    }

    fn step(&mut self, step: &Step, guarded: bool) {
        match &step.kind {
            StepKind::Attribute(_) => {}
            StepKind::Item(index) => self.expr(index, guarded),
            StepKind::Slice(start, stop, by) => [start, stop, by].into_iter().flatten().for_each(|part| self.expr(part, guarded)),
            StepKind::Call(arguments) => self.arguments(arguments, guarded),
            StepKind::Filter(filter, arguments) => {
                match self.engine.filter(&filter.name) {
                    Ok(found) => {
                        self.signature("filter", found.name, found.params, arguments, step.extent);
                        self.named_plugin(found.name, arguments);
                    }
                    Err(error) => self.unknown(error, &filter.name, step.extent),
                }
                self.arguments(arguments, guarded);
            }
            StepKind::Test(test, arguments) => {
                match self.engine.test(&test.name) {
                    Ok(found) => self.signature("test", found.name, found.params, arguments, step.extent),
                    Err(error) => self.unknown(error, &test.name, step.extent),
                }
                self.arguments(arguments, guarded);
            }
        }
    }

    fn arguments(&mut self, arguments: &[Arg], guarded: bool) {
        for argument in arguments {
            match argument {
                Arg::Positional(expr) | Arg::Named(_, expr) | Arg::Spread(expr) | Arg::SpreadNamed(expr) => self.expr(expr, guarded),
            }
        }
    }

    /// Arguments that no call of this plugin takes.
    fn signature(&mut self, what: &str, name: &str, params: &[Param], arguments: &[Arg], extent: Extent) {
        let mut given = Arguments::default();
        for argument in arguments {
            match argument {
                Arg::Positional(_) => given.positional.push(Val::NONE),
                Arg::Named(name, _) => given.named.push((Arc::clone(name), Val::NONE)),
                Arg::Spread(_) | Arg::SpreadNamed(_) => return,
            }
        }
        if let Err(error) = given.bind(name, params) {
            self.found.mistakes.push(error.of_plugin(what, name).at(self.place(extent).span()));
        }
    }

    /// `map('upper')`, `selectattr('x', 'defined')`: plugins named by constants.
    fn named_plugin(&mut self, filter: &str, arguments: &[Arg]) {
        let Some((_, index, is_filter)) = BY_NAME.iter().find(|(name, ..)| *name == filter) else { return };
        let positional: Option<Vec<&Expr>> = arguments
            .iter()
            .filter(|argument| !matches!(argument, Arg::Named(..)))
            .map(|argument| match argument {
                Arg::Positional(expr) => Some(expr),
                _ => None,
            })
            .collect();
        let Some(expr) = positional.and_then(|positional| positional.get(*index).copied()) else { return };
        let Some(name) = constant(expr) else { return };
        let unknown = if *is_filter { self.engine.filter(&name).err() } else { self.engine.test(&name).err() };
        if let Some(error) = unknown {
            let error = error.at(self.place(expr.extent).span());
            self.found.mistakes.push(error);
        }
    }

    fn lookup(&mut self, arguments: &[Arg]) {
        let mut positional = Vec::new();
        let mut options = Vec::new();
        for argument in arguments {
            match argument {
                Arg::Positional(expr) => positional.push(expr),
                Arg::Named(name, _) => options.push(Arc::clone(name)),
                Arg::Spread(_) | Arg::SpreadNamed(_) => return,
            }
        }
        let Some((first, terms)) = positional.split_first() else { return };
        let Some(name) = constant(first) else { return };
        match self.engine.lookup(&name) {
            Ok(found) => {
                let used = |term: &&Expr| constant(term).map(|name| NameUse { name, place: self.place(term.extent) });
                let terms = terms.iter().map(used).collect();
                self.found.lookups.push(LookupUse { name: Arc::from(found.name), terms, options });
            }
            Err(error) => {
                let error = error.at(self.place(first.extent).span());
                self.found.mistakes.push(error);
            }
        }
    }

    /// Points at the name alone where it can be found.
    fn unknown(&mut self, error: TemplateError, name: &str, extent: Extent) {
        let (start, end) = (extent.start as usize, extent.end as usize);
        let written = self.text.as_str().get(start..end).unwrap_or("");
        let extent = match written.find(name) {
            Some(at) => narrowed(extent, at, name.len()),
            None => extent,
        };
        self.found.mistakes.push(error.at(self.place(extent).span()));
    }

    fn place(&self, extent: Extent) -> Place {
        Place::new(self.text, extent)
    }
}

fn narrowed(extent: Extent, at: usize, length: usize) -> Extent {
    let add = |offset: usize| extent.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
    Extent { start: add(at), end: add(at + length) }
}

/// A constant text without a template in it.
fn constant(expr: &Expr) -> Option<Arc<str>> {
    match &expr.kind {
        ExprKind::Constant(Value::Text(text)) if !is_template(text.as_str()) => Some(Arc::clone(text.chars())),
        _ => None,
    }
}

impl TemplateError {
    /// Whether the text could not be read at all.
    pub fn is_syntax(&self) -> bool {
        matches!(self.kind(), ErrorKind::Syntax)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, names: &[&str], guarded: &[&str], mistakes: &[&str]) {
        let found = Engine::new().inspect(&Text::trusted(text, None), Reading::Template).unwrap();
        let used: Vec<&str> = found.names.iter().map(|used| &*used.name).collect();
        let mut optional: Vec<&str> = found.guarded.iter().map(|name| &**name).collect();
        optional.sort_unstable();
        let wrong: Vec<&str> = found.mistakes.iter().map(TemplateError::message).collect();
        assert_eq!((used.as_slice(), optional.as_slice(), wrong.as_slice()), (names, guarded, mistakes), "{text}");
    }

    #[test]
    fn names_are_those_that_must_be_there() {
        check("{{ a.b[c] | upper }}", &["a", "c"], &[], &[]);
        check("{{ a.b | default(c) }} {{ d is defined and d }}", &["d"], &["a", "c", "d"], &[]);
        check("{{ (a | default('x')) ~ b }}", &["b"], &["a"], &[]);
        check("{% for x in xs %}{{ x }}{{ loop.index }}{% endfor %}{% set y = 1 %}{{ y }}", &["xs"], &[], &[]);
        check("{% macro m(p) %}{{ p }}{{ varargs }}{% endmacro %}{{ m(v) }}{{ range(3) }}", &["v"], &[], &[]);
        check("{{ x | mandatory }}{{ y | ternary(1, 2) }}", &["x", "y"], &[], &[]);
    }

    #[test]
    fn plugins_that_nobody_knows_are_mistakes() {
        check("{{ 1 | defaut }}", &[], &[], &["Syntax error in template: No filter named 'defaut'."]);
        check("{{ [] | map('uper') }}", &[], &[], &["Syntax error in template: No filter named 'uper'."]);
        check("{{ [] | selectattr('a', 'defind') }}", &[], &[], &["Syntax error in template: No test named 'defind'."]);
        check("{{ lookup('fil', 'x') }}", &[], &[], &["The lookup plugin 'fil' was not found."]);
        check(
            "{{ 'a' | upper(1) }}",
            &[],
            &[],
            &["The filter plugin 'upper' failed: upper() takes 1 positional argument but 2 were given"],
        );
    }

    #[test]
    fn other_templates_are_named() {
        let found =
            Engine::new().inspect(&Text::trusted("{% include ['a', 'b'] ignore missing %}{% include c %}", None), Reading::Template);
        let found = found.unwrap();
        assert_eq!((found.templates.len(), found.templates[0].names.len(), found.templates[0].may_be_missing), (1, 2, true));
    }
}

//! Lowers minijinja's tree, which borrows its text, to ours. Constants are read again from the text, as Python reads them.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::machinery::{Span, ast};
use num_bigint::BigInt;

use super::ir::{
    Arg, Block, Comparison, Expr, ExprKind, Extent, FilterRef, For, Macro, Operator, Step, StepKind, Stmt, Target, Template, TestRef,
};
use super::rewrite::StandIns;
use super::syntax::{Backslashes, Syntax, SyntaxError};
use super::{Engine, is_template};
use crate::value::{Text, Value};

type Result<T> = std::result::Result<T, SyntaxError>;

/// Methods that change what they are called on.
const MUTATING: [&str; 11] = ["append", "clear", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault", "sort", "update"];

const CALLER_WITHOUT_DEFAULT: &str =
    "When defining macros or call blocks the special \"caller\" argument must be omitted or be given a default.";

/// What becomes of templates in the constants of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Embedded {
    /// They are text.
    Keep,
    /// They are rendered, with a deprecation: conditionals.
    Render,
}

/// Lowers one template.
pub struct Lower<'a> {
    engine: &'a Engine,
    text: &'a str,
    syntax: &'a Syntax,
    names: HashSet<Arc<str>>,
    blocks: Vec<Arc<Block>>,
    mutates: bool,
    stand_ins: Option<&'a StandIns>,
    /// Whether constants are within `{{ }}` just now.
    printing: bool,
    /// Whether all of the text is one expression.
    bare: bool,
    /// Whether templates in constants are rendered just now: in conditionals, and in what lookups are given.
    embedded: bool,
}

impl<'a> Lower<'a> {
    pub fn new(engine: &'a Engine, text: &'a str, syntax: &'a Syntax) -> Self {
        let names = HashSet::new();
        Self {
            engine,
            text,
            syntax,
            names,
            blocks: Vec::new(),
            mutates: false,
            stand_ins: None,
            printing: false,
            bare: false,
            embedded: false,
        }
    }

    /// The same for a text that was rewritten.
    pub fn with_stand_ins(self, stand_ins: &'a StandIns) -> Self {
        Self { stand_ins: Some(stand_ins), ..self }
    }

    /// A whole template.
    pub fn template(mut self, children: &[ast::Stmt<'_>]) -> Result<Template> {
        let body = self.body(children)?;
        Ok(Template { body, blocks: self.blocks, mutates: self.mutates })
    }

    /// A template whose only output is `expr`.
    pub fn expression_template(mut self, expr: &ast::Expr<'_>, embedded: Embedded) -> Result<Template> {
        self.embedded = embedded == Embedded::Render;
        self.bare = true;
        let body = vec![Stmt::Emit(self.expr(expr)?)];
        Ok(Template { body, blocks: self.blocks, mutates: self.mutates })
    }

    fn body(&mut self, statements: &[ast::Stmt<'_>]) -> Result<Vec<Stmt>> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &ast::Stmt<'_>) -> Result<Stmt> {
        Ok(match statement {
            ast::Stmt::Template(template) => Stmt::With(Vec::new(), self.body(&template.children)?),
            ast::Stmt::EmitRaw(raw) => {
                let chars = self.raw(raw.raw, raw.span())?;
                Stmt::Raw(match &*self.syntax.newline_sequence {
                    "\n" => Value::text(chars),
                    sequence => Value::text(chars.replace('\n', sequence)),
                })
            }
            ast::Stmt::EmitExpr(emit) => {
                self.printing = true;
                let expr = self.expr(&emit.expr);
                self.printing = false;
                Stmt::Emit(expr?)
            }
            ast::Stmt::ForLoop(for_loop) => {
                let (body, uses_loop) = self.using(|lower| lower.body(&for_loop.body), |used| used("loop"));
                Stmt::For(Arc::new(For {
                    target: self.target(&for_loop.target)?,
                    iter: self.expr(&for_loop.iter)?,
                    condition: for_loop.filter_expr.as_ref().map(|expr| self.expr(expr)).transpose()?,
                    recursive: for_loop.recursive,
                    has_loop: for_loop.recursive || uses_loop,
                    body: body?,
                    otherwise: self.body(&for_loop.else_body)?,
                }))
            }
            ast::Stmt::IfCond(condition) => self.conditions(condition)?,
            ast::Stmt::WithBlock(with) => {
                let assignments = with.assignments.iter().map(|(target, expr)| Ok((self.target(target)?, self.expr(expr)?)));
                Stmt::With(assignments.collect::<Result<_>>()?, self.body(&with.body)?)
            }
            ast::Stmt::Set(set) => Stmt::Set(self.target(&set.target)?, self.expr(&set.expr)?),
            ast::Stmt::SetBlock(set) => {
                let filters = set.filter.as_ref().map_or(Ok(Vec::new()), |filter| self.filters(filter))?;
                Stmt::SetBlock(self.target(&set.target)?, filters, self.body(&set.body)?)
            }
            ast::Stmt::AutoEscape(escape) => Stmt::AutoEscape(self.expr(&escape.enabled)?, self.body(&escape.body)?),
            ast::Stmt::FilterBlock(block) => Stmt::FilterBlock(self.filters(&block.filter)?, self.body(&block.body)?),
            ast::Stmt::Block(block) => {
                let lowered = Arc::new(Block {
                    name: Arc::from(block.name),
                    scoped: self.slice(block.span()).split_whitespace().nth(2) == Some("scoped"),
                    required: block.required,
                    body: self.body(&block.body)?,
                });
                self.blocks.push(Arc::clone(&lowered));
                Stmt::Block(lowered)
            }
            ast::Stmt::Import(import) => {
                self.mutates = true;
                Stmt::Import {
                    file: self.expr(&import.expr)?,
                    name: self.target(&import.name)?,
                    with_context: self.with_context(import.span()).unwrap_or(false),
                }
            }
            ast::Stmt::FromImport(import) => {
                self.mutates = true;
                let mut names = Vec::new();
                for (name, alias) in &import.names {
                    let name = self.simple_name(name)?;
                    let alias = alias.as_ref().map_or_else(|| Ok(Arc::clone(&name)), |alias| self.simple_name(alias))?;
                    names.push((name, alias));
                }
                let with_context = self.with_context(import.span()).unwrap_or(false);
                Stmt::FromImport { file: self.expr(&import.expr)?, names, with_context }
            }
            ast::Stmt::Extends(extends) => {
                self.mutates = true;
                Stmt::Extends(self.expr(&extends.name)?)
            }
            ast::Stmt::Include(include) => {
                self.mutates = true;
                Stmt::Include {
                    file: self.expr(&include.name)?,
                    ignore_missing: include.ignore_missing,
                    with_context: self.with_context(include.span()).unwrap_or(true),
                }
            }
            ast::Stmt::Macro(definition) => Stmt::Macro(self.macro_definition(definition, Some(Arc::from(definition.name)))?),
            ast::Stmt::CallBlock(block) => Stmt::CallBlock {
                callee: self.expr(&block.call.expr)?,
                arguments: self.arguments(&block.call.args)?,
                caller: self.macro_definition(&block.macro_decl, None)?,
            },
            ast::Stmt::Continue(tag) => self.extension(self.syntax.extensions.loop_controls, "continue", tag.span(), Stmt::Continue)?,
            ast::Stmt::Break(tag) => self.extension(self.syntax.extensions.loop_controls, "break", tag.span(), Stmt::Break)?,
            ast::Stmt::Do(call) if self.is_print(call) => {
                let shown = call.call.args.iter().map(|argument| match argument {
                    ast::CallArg::Pos(expr) => Ok(Stmt::Emit(self.expr(expr)?)),
                    _ => Err(SyntaxError { message: "unexpected '='".to_owned(), extent: self.extent(call.span()) }),
                });
                Stmt::With(Vec::new(), shown.collect::<Result<_>>()?)
            }
            ast::Stmt::Do(call) => {
                let callee = self.expr(&call.call.expr)?;
                let extent = self.extent(call.call.span());
                let arguments = self.arguments(&call.call.args)?;
                let call_step = Step { kind: StepKind::Call(arguments), extent };
                let expr = Expr { extent, kind: ExprKind::Chain(Box::new(callee), vec![call_step]) };
                self.extension(self.syntax.extensions.do_tag, "do", call.span(), Stmt::Do(join_chain(expr)))?
            }
        })
    }

    /// Whether `print` was written for this `do`.
    fn is_print(&self, call: &ast::Do<'_>) -> bool {
        let start = self.extent(call.call.expr.span()).start;
        self.stand_ins.is_some_and(|made| made.prints.contains(&start))
    }

    /// A text outside of delimiters. Jinja keeps the line break behind `{% raw %}` and knows no `{% raw +%}`; minijinja does not.
    fn raw<'t>(&'t self, shown: &'t str, span: Span) -> Result<&'t str> {
        let extent = self.extent(span);
        let (open, close) = &self.syntax.block;
        let tag = self.text.get(..extent.start as usize).and_then(|before| before.strip_suffix(&**close));
        let Some(before) = tag else { return Ok(shown) };
        if let Some(before) = before.strip_suffix('+')
            && let Some(at) = before.rfind(&**open)
            && before[at + open.len()..].trim_start_matches(['-', '+']).trim() == "raw"
        {
            return Err(SyntaxError { message: "Encountered unknown tag 'raw'.".to_owned(), extent });
        }
        let whole = self.slice(span);
        let is_trimmed = before.ends_with('-') || !self.syntax.trim_blocks || !whole.starts_with('\n');
        // Only what is raw has less than its place.
        let Some(dropped) = whole.len().checked_sub(shown.len() + 1).filter(|_| !is_trimmed) else { return Ok(shown) };
        let kept = &whole[..whole.len() - dropped];
        let behind = self.text.get(extent.end as usize..).and_then(|rest| rest.strip_prefix(&**open));
        Ok(if behind.is_some_and(|tag| tag.starts_with('-')) { kept.trim_end() } else { kept })
    }

    fn extension(&self, known: bool, tag: &str, span: Span, statement: Stmt) -> Result<Stmt> {
        if known {
            return Ok(statement);
        }
        Err(SyntaxError { message: format!("Encountered unknown tag '{tag}'."), extent: self.extent(span) })
    }

    /// `elif`s are nested in the tree; here they are a list.
    fn conditions(&mut self, first: &ast::IfCond<'_>) -> Result<Stmt> {
        let mut branches = Vec::new();
        let mut condition = first;
        loop {
            branches.push((self.expr(&condition.expr)?, self.body(&condition.true_body)?));
            match &condition.false_body[..] {
                // An `if` alone within an `else` means the same.
                [ast::Stmt::IfCond(next)] => condition = next,
                otherwise => return Ok(Stmt::If(branches, self.body(otherwise)?)),
            }
        }
    }

    fn macro_definition(&mut self, definition: &ast::Macro<'_>, name: Option<Arc<str>>) -> Result<Arc<Macro>> {
        // Which of the special names the body uses decides which arguments are accepted.
        let (body, (uses_varargs, uses_kwargs, uses_caller)) =
            self.using(|lower| lower.body(&definition.body), |used| (used("varargs"), used("kwargs"), used("caller")));
        let body = body?;
        let required = definition.args.len().saturating_sub(definition.defaults.len());
        let mut params = Vec::new();
        for (index, param) in definition.args.iter().enumerate() {
            let default = index.checked_sub(required).and_then(|index| definition.defaults.get(index));
            params.push((self.simple_name(param)?, default.map(|expr| self.expr(expr)).transpose()?));
        }
        let named = |name: &str| params.iter().any(|(param, _)| &**param == name);
        let bare_caller = params.iter().position(|(param, default)| &**param == "caller" && default.is_none());
        if let Some(param) = bare_caller.and_then(|index| definition.args.get(index))
            && uses_caller
        {
            return Err(self.error(param, CALLER_WITHOUT_DEFAULT));
        }
        Ok(Arc::new(Macro {
            name,
            uses_varargs: uses_varargs && !named("varargs"),
            uses_kwargs: uses_kwargs && !named("kwargs"),
            uses_caller: uses_caller && !named("caller"),
            params,
            body,
        }))
    }

    /// What `lower` makes, and what is asked of the names in that.
    fn using<T, U>(&mut self, lower: impl FnOnce(&mut Self) -> T, ask: impl FnOnce(&dyn Fn(&str) -> bool) -> U) -> (T, U) {
        let outer = std::mem::take(&mut self.names);
        let made = lower(self);
        let asked = ask(&|name| self.names.contains(name));
        self.names.extend(outer);
        (made, asked)
    }

    /// What the statement's end says about context; the tree does not have it.
    fn with_context(&self, span: Span) -> Option<bool> {
        let mut words = self.slice(span).split_whitespace().rev();
        (words.next() == Some("context")).then(|| words.next() == Some("with"))
    }

    fn simple_name(&mut self, expr: &ast::Expr<'_>) -> Result<Arc<str>> {
        match self.target(expr)? {
            Target::Name(name) => Ok(name),
            Target::Tuple(_) | Target::Attribute(..) => Err(self.error(expr, "expected a name")),
        }
    }

    fn target(&mut self, expr: &ast::Expr<'_>) -> Result<Target> {
        match expr {
            ast::Expr::Var(name) => Ok(Target::Name(self.intern(name.id))),
            ast::Expr::List(list) => Ok(Target::Tuple(list.items.iter().map(|item| self.target(item)).collect::<Result<_>>()?)),
            ast::Expr::Tuple(list) => Ok(Target::Tuple(list.items.iter().map(|item| self.target(item)).collect::<Result<_>>()?)),
            ast::Expr::GetAttr(attribute) => match &attribute.expr {
                ast::Expr::Var(name) => Ok(Target::Attribute(self.intern(name.id), self.intern(attribute.name))),
                _ => Err(self.error(expr, "only an attribute of a namespace can be assigned to")),
            },
            _ => Err(self.error(expr, "cannot assign to this expression")),
        }
    }

    /// The filters of `{% filter a | b %}`, first applied first.
    fn filters(&mut self, expr: &ast::Expr<'_>) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        let mut next = Some(expr);
        while let Some(ast::Expr::Filter(filter)) = next {
            steps.push(self.filter_step(filter)?);
            next = filter.expr.as_ref();
        }
        steps.reverse();
        Ok(steps)
    }

    fn filter_step(&mut self, filter: &ast::Spanned<ast::Filter<'_>>) -> Result<Step> {
        let name = self.plugin_name(filter.name);
        let reference = FilterRef { found: self.engine.filter(&name).ok(), name };
        Ok(Step { kind: StepKind::Filter(reference, self.arguments(&filter.args)?), extent: self.extent(filter.span()) })
    }

    fn plugin_name(&self, name: &str) -> Arc<str> {
        // `a . b` is allowed, as in Jinja.
        Arc::from(name.split_whitespace().collect::<String>())
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Result<Expr> {
        let extent = self.extent(expr.span());
        let kind = match expr {
            ast::Expr::Var(name) => ExprKind::Name(self.intern(name.id)),
            ast::Expr::Const(_) => match self.constant(extent)? {
                Value::Text(text) if self.embedded && is_template(text.as_str()) => {
                    ExprKind::Embedded(Value::Text(Text::trusted(Arc::clone(text.chars()), None)))
                }
                value => ExprKind::Constant(value),
            },
            ast::Expr::UnaryOp(unary) => match unary.op {
                ast::UnaryOpKind::Not => self.negation(&unary.expr)?,
                ast::UnaryOpKind::Neg if self.stand_ins.is_some_and(|made| made.pluses.contains(&extent.start)) => {
                    ExprKind::Positive(Box::new(self.expr(&unary.expr)?))
                }
                ast::UnaryOpKind::Neg => ExprKind::Negate(Box::new(self.expr(&unary.expr)?)),
            },
            ast::Expr::BinOp(_) => return self.binary(expr),
            ast::Expr::Compare(compare) => {
                let rest = compare.ops.iter().map(|op| Ok((comparison(op.op), self.expr(&op.expr)?)));
                let rest = rest.collect::<Result<_>>()?;
                ExprKind::Compare(Box::new(self.expr(&compare.expr)?), rest)
            }
            ast::Expr::IfExpr(inline) => {
                let otherwise = inline.false_expr.as_ref().map(|expr| self.expr(expr)).transpose()?;
                ExprKind::If(Box::new((self.expr(&inline.test_expr)?, self.expr(&inline.true_expr)?, otherwise)))
            }
            ast::Expr::Filter(_)
            | ast::Expr::Test(_)
            | ast::Expr::GetAttr(_)
            | ast::Expr::GetItem(_)
            | ast::Expr::Call(_)
            | ast::Expr::Slice(_) => return self.chain(expr),
            ast::Expr::List(list) => ExprKind::List(list.items.iter().map(|item| self.expr(item)).collect::<Result<_>>()?),
            ast::Expr::Tuple(list) => ExprKind::Tuple(list.items.iter().map(|item| self.expr(item)).collect::<Result<_>>()?),
            ast::Expr::Map(map) => {
                let entries = map.keys.iter().zip(&map.values).map(|(key, value)| Ok((self.expr(key)?, self.expr(value)?)));
                ExprKind::Dict(entries.collect::<Result<_>>()?)
            }
        };
        Ok(Expr { kind, extent })
    }

    /// `a not in b` is `not (a in b)` in the tree.
    fn negation(&mut self, inner: &ast::Expr<'_>) -> Result<ExprKind> {
        let lowered = self.expr(inner)?;
        if let (ast::Expr::BinOp(_), ExprKind::Compare(first, rest)) = (inner, &lowered.kind)
            && let [(Comparison::In, right)] = &rest[..]
        {
            let between = self.text.get(first.extent.end as usize..right.extent.start as usize).unwrap_or("");
            if between.split_whitespace().next() == Some("not")
                && let ExprKind::Compare(first, mut rest) = lowered.kind
            {
                rest[0].0 = Comparison::NotIn;
                return Ok(ExprKind::Compare(first, rest));
            }
        }
        Ok(ExprKind::Not(Box::new(lowered)))
    }

    /// The spine of left operands is walked in a loop: sums and concatenations can be long.
    fn binary(&mut self, expr: &ast::Expr<'_>) -> Result<Expr> {
        let extent = self.extent(expr.span());
        let ast::Expr::BinOp(top) = expr else { return self.expr(expr) };
        if let Some(sign) = comparison_of(top.op) {
            let rest = vec![(sign, self.expr(&top.right)?)];
            let first = self.expr(&top.left)?;
            let extent = Extent { start: first.extent.start, end: extent.end };
            return Ok(Expr { kind: ExprKind::Compare(Box::new(first), rest), extent });
        }
        if let ast::BinOpKind::ScAnd | ast::BinOpKind::ScOr = top.op {
            let is_and = matches!(top.op, ast::BinOpKind::ScAnd);
            let mut operands = Vec::new();
            let mut left = expr;
            while let ast::Expr::BinOp(binary) = left
                && matches!((binary.op, is_and), (ast::BinOpKind::ScAnd, true) | (ast::BinOpKind::ScOr, false))
            {
                operands.push(self.expr(&binary.right)?);
                left = &binary.left;
            }
            operands.push(self.expr(left)?);
            operands.reverse();
            return Ok(Expr { kind: if is_and { ExprKind::And(operands) } else { ExprKind::Or(operands) }, extent });
        }
        let mut rest = Vec::new();
        let mut left = expr;
        while let ast::Expr::BinOp(binary) = left
            && let Some(operator) = operator(binary.op)
        {
            rest.push((operator, self.expr(&binary.right)?));
            left = &binary.left;
        }
        rest.reverse();
        Ok(Expr { kind: ExprKind::Binary(Box::new(self.expr(left)?), rest), extent })
    }

    /// The spine of what is before `.`, `[`, `(`, `|` and `is` is walked in a loop.
    fn chain(&mut self, expr: &ast::Expr<'_>) -> Result<Expr> {
        let mut steps = Vec::new();
        let mut base = expr;
        loop {
            let extent = self.extent(base.span());
            let (kind, inner) = match base {
                ast::Expr::GetAttr(attribute) => (StepKind::Attribute(Arc::from(attribute.name)), &attribute.expr),
                ast::Expr::GetItem(item) => (StepKind::Item(self.expr(&item.subscript_expr)?), &item.expr),
                ast::Expr::Slice(slice) => {
                    let mut part = |expr: &Option<ast::Expr<'_>>| expr.as_ref().map(|expr| self.expr(expr)).transpose();
                    (StepKind::Slice(part(&slice.start)?, part(&slice.stop)?, part(&slice.step)?), &slice.expr)
                }
                ast::Expr::Call(call) => {
                    if let ast::Expr::GetAttr(method) = &call.expr {
                        self.mutates |= MUTATING.contains(&method.name);
                    }
                    let is_lookup = matches!(&call.expr, ast::Expr::Var(name) if matches!(name.id, "lookup" | "q" | "query"));
                    let outer = self.embedded;
                    self.embedded |= is_lookup;
                    let arguments = self.arguments(&call.args);
                    self.embedded = outer;
                    (StepKind::Call(arguments?), &call.expr)
                }
                ast::Expr::Test(test) => {
                    let name = self.plugin_name(test.name);
                    let reference = TestRef { found: self.engine.test(&name).ok(), name };
                    (StepKind::Test(reference, self.arguments(&test.args)?), &test.expr)
                }
                ast::Expr::Filter(filter) => {
                    let Some(inner) = &filter.expr else {
                        return Err(self.error(base, "a filter without a value"));
                    };
                    steps.push(self.filter_step(filter)?);
                    base = inner;
                    continue;
                }
                _ => break,
            };
            steps.push(Step { kind, extent });
            base = inner;
        }
        steps.reverse();
        let first = self.expr(base)?;
        let end = steps.last().map_or(first.extent.end, |step| step.extent.end);
        let extent = Extent { start: first.extent.start, end };
        Ok(Expr { kind: ExprKind::Chain(Box::new(first), steps), extent })
    }

    fn arguments(&mut self, arguments: &[ast::CallArg<'_>]) -> Result<Vec<Arg>> {
        let lower = |argument: &ast::CallArg<'_>| {
            Ok(match argument {
                ast::CallArg::Pos(expr) => Arg::Positional(self.expr(expr)?),
                ast::CallArg::Kwarg(name, expr) => Arg::Named(Arc::from(*name), self.expr(expr)?),
                ast::CallArg::PosSplat(expr) => Arg::Spread(self.expr(expr)?),
                ast::CallArg::KwargSplat(expr) => Arg::SpreadNamed(self.expr(expr)?),
            })
        };
        arguments.iter().map(lower).collect()
    }

    fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = Arc::from(name);
        self.names.insert(Arc::clone(&name));
        name
    }

    fn constant(&self, extent: Extent) -> Result<Value> {
        let slice = self.text.get(extent.start as usize..extent.end as usize).unwrap_or("");
        match slice.as_bytes().first() {
            Some(b'\'' | b'"') => {
                let escapes = !(self.printing && self.syntax.backslashes == Backslashes::Literal);
                Ok(Value::text(string_literals(slice, escapes)))
            }
            Some(b'0'..=b'9') if let Some(rest) = behind_integer(slice) => {
                let wanted = if self.printing { "end of print statement" } else { "end of statement block" };
                let found = if rest.starts_with('_') { rest } else { "integer" };
                let message = match self.bare {
                    true => "chunk after expression".to_owned(),
                    false => format!("expected token '{wanted}', got '{found}'"),
                };
                Err(SyntaxError { message, extent })
            }
            Some(b'0'..=b'9') => match number(slice) {
                // As Jinja writes it into the program that it makes.
                Some(Value::Float(number)) if number.is_infinite() => {
                    Err(SyntaxError { message: "name 'inf' is not defined".to_owned(), extent })
                }
                Some(value) => Ok(value),
                None => Err(SyntaxError { message: format!("`{slice}` is no number"), extent }),
            },
            _ => Ok(match slice {
                "true" | "True" => Value::Bool(true),
                "false" | "False" => Value::Bool(false),
                _ => Value::Null,
            }),
        }
    }

    fn extent(&self, span: Span) -> Extent {
        let length = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let end = span.end_offset.min(length);
        Extent { start: span.start_offset.min(end), end }
    }

    fn slice(&self, span: Span) -> &'a str {
        let extent = self.extent(span);
        self.text.get(extent.start as usize..extent.end as usize).unwrap_or("")
    }

    fn error(&self, expr: &ast::Expr<'_>, message: &str) -> SyntaxError {
        SyntaxError { message: message.to_owned(), extent: self.extent(expr.span()) }
    }
}

/// A chain whose base is a chain is one chain.
fn join_chain(expr: Expr) -> Expr {
    let extent = expr.extent;
    match expr.kind {
        ExprKind::Chain(base, steps) => match base.kind {
            ExprKind::Chain(inner, mut first) => {
                first.extend(steps);
                Expr { kind: ExprKind::Chain(inner, first), extent }
            }
            kind => Expr { kind: ExprKind::Chain(Box::new(Expr { kind, extent: base.extent }), steps), extent },
        },
        kind => Expr { kind, extent },
    }
}

fn operator(op: ast::BinOpKind) -> Option<Operator> {
    Some(match op {
        ast::BinOpKind::Add => Operator::Add,
        ast::BinOpKind::Sub => Operator::Subtract,
        ast::BinOpKind::Mul => Operator::Multiply,
        ast::BinOpKind::Div => Operator::Divide,
        ast::BinOpKind::FloorDiv => Operator::FloorDivide,
        ast::BinOpKind::Rem => Operator::Remainder,
        ast::BinOpKind::Pow => Operator::Power,
        ast::BinOpKind::Concat => Operator::Concatenate,
        _ => return None,
    })
}

fn comparison_of(op: ast::BinOpKind) -> Option<Comparison> {
    Some(match op {
        ast::BinOpKind::Eq => Comparison::Equal,
        ast::BinOpKind::Ne => Comparison::NotEqual,
        ast::BinOpKind::Lt => Comparison::Less,
        ast::BinOpKind::Lte => Comparison::LessOrEqual,
        ast::BinOpKind::Gt => Comparison::Greater,
        ast::BinOpKind::Gte => Comparison::GreaterOrEqual,
        ast::BinOpKind::In => Comparison::In,
        _ => return None,
    })
}

fn comparison(op: ast::CompareOpKind) -> Comparison {
    match op {
        ast::CompareOpKind::Eq => Comparison::Equal,
        ast::CompareOpKind::Ne => Comparison::NotEqual,
        ast::CompareOpKind::Lt => Comparison::Less,
        ast::CompareOpKind::Lte => Comparison::LessOrEqual,
        ast::CompareOpKind::Gt => Comparison::Greater,
        ast::CompareOpKind::Gte => Comparison::GreaterOrEqual,
        ast::CompareOpKind::In => Comparison::In,
        ast::CompareOpKind::NotIn => Comparison::NotIn,
    }
}

/// `123`, `1_000`, `0x1f`, `0b1`, `0o7`, `1.5e3`.
fn number(slice: &str) -> Option<Value> {
    let digits = slice.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(digits) = digits.strip_prefix(prefix) {
            return BigInt::parse_bytes(digits.as_bytes(), radix).map(Value::int);
        }
    }
    match digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => BigInt::parse_bytes(digits.as_bytes(), 10).map(Value::int),
        false => digits.parse().ok().map(Value::Float),
    }
}

/// What is left of digits where Jinja's integer ends: no other digit follows a zero, and no two underscores follow one another.
fn behind_integer(slice: &str) -> Option<&str> {
    if !slice.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
        return None;
    }
    let is_zero = slice.starts_with('0');
    let bytes = slice.as_bytes();
    let mut end = 1;
    loop {
        let next = end + usize::from(bytes.get(end) == Some(&b'_'));
        match bytes.get(next) {
            Some(digit) if if is_zero { *digit == b'0' } else { digit.is_ascii_digit() } => end = next + 1,
            _ => break,
        }
    }
    Some(&slice[end..]).filter(|rest| !rest.is_empty())
}

/// One or more quoted texts in a row, joined.
fn string_literals(slice: &str, escapes: bool) -> String {
    let mut out = String::new();
    let mut chars = slice.chars();
    while let Some(mark) = chars.next() {
        if mark != '\'' && mark != '"' {
            continue;
        }
        while let Some(char) = chars.next() {
            match char {
                '\\' if escapes => escape(&mut chars, &mut out),
                '\\' => {
                    out.push('\\');
                    out.extend(chars.next());
                }
                char if char == mark => break,
                char => out.push(char),
            }
        }
    }
    out
}

/// What follows a backslash, as in Python's texts; an unknown escape stays as it is.
fn escape(chars: &mut std::str::Chars<'_>, out: &mut String) {
    let Some(char) = chars.next() else { return out.push('\\') };
    let simple = match char {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'v' => Some('\u{b}'),
        '\\' | '\'' | '"' => Some(char),
        '\n' => return,
        _ => None,
    };
    if let Some(simple) = simple {
        return out.push(simple);
    }
    let rest = chars.as_str();
    let (radix, digits) = match char {
        'x' => (16, &rest[..prefix(rest, 2, |char| char.is_ascii_hexdigit())]),
        'u' => (16, &rest[..prefix(rest, 4, |char| char.is_ascii_hexdigit())]),
        'U' => (16, &rest[..prefix(rest, 8, |char| char.is_ascii_hexdigit())]),
        '0'..='7' => {
            let more = prefix(rest, 2, |char| ('0'..='7').contains(&char));
            let code = u32::from_str_radix(&format!("{char}{}", &rest[..more]), 8).ok();
            out.extend(code.and_then(char::from_u32));
            *chars = rest[more..].chars();
            return;
        }
        _ => (0, ""),
    };
    let wanted = match char {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => usize::MAX,
    };
    let code = if digits.len() == wanted { u32::from_str_radix(digits, radix).ok().and_then(char::from_u32) } else { None };
    match code {
        Some(code) => {
            out.push(code);
            *chars = rest[digits.len()..].chars();
        }
        None => {
            out.push('\\');
            out.push(char);
        }
    }
}

/// How many bytes of `text` are such characters, at most `most`.
fn prefix(text: &str, most: usize, is: impl Fn(char) -> bool) -> usize {
    text.char_indices().take(most).take_while(|(_, char)| is(*char)).map(|(index, char)| index + char.len_utf8()).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_read_as_python_does() {
        let check = |slice: &str, expected: &str| assert_eq!(string_literals(slice, true), expected);
        check(r"'a\nb'", "a\nb");
        check(r"'\/'", "\\/");
        check(r"'\x41\u00e9\101\d'", "Aé\u{41}\\d");
        check(r#"'a' "b""#, "ab");
        check(r"'\x4'", "\\x4");
        assert_eq!(string_literals(r"'a\'b\n'", false), r"a\'b\n");
    }

    #[test]
    fn integers_end_where_they_do_in_jinja() {
        for (slice, rest) in [("012", "12"), ("0_1", "_1"), ("1__0", "__0"), ("007", "7"), ("0_01", "1")] {
            assert_eq!(behind_integer(slice), Some(rest), "{slice}");
        }
        for slice in ["0", "00", "0_0", "1_000", "10", "0x1f", "01.5"] {
            assert_eq!(behind_integer(slice), None, "{slice}");
        }
    }

    #[test]
    fn numbers_are_read_as_python_does() {
        let check = |slice: &str, expected: Value| assert_eq!(number(slice), Some(expected));
        check("1_000", Value::Int(1000));
        check("0x1F", Value::Int(31));
        check("1.5e3", Value::Float(1500.0));
        check("1e3", Value::Float(1000.0));
    }
}

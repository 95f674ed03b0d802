//! Statements.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::super::ir::{Block, Expr, For, Macro, Stmt, Target};
use super::super::{ErrorKind, Result, TemplateError, Undefined, Val};
use super::frame::{Frame, FrameRef};
use super::object::{BlockReference, Blocks, LoopObject, MacroObject, Module};
use super::output::Output;
use super::{BlockChain, Evaluator, Flow, with_stack};

/// The most turns that one loop may take.
const MAX_TURNS: usize = 50_000_000;

impl Evaluator {
    /// Runs statements one after the other.
    pub(super) fn run(&self, frame: &FrameRef, body: &[Stmt], out: &mut Output) -> Result<Flow> {
        for statement in body {
            match self.statement(frame, statement, out)? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&self, frame: &FrameRef, statement: &Stmt, out: &mut Output) -> Result<Flow> {
        match statement {
            Stmt::Raw(value) => out.push(self, Val::Plain(value.clone()))?,
            Stmt::Emit(expr) => {
                let val = self.marked_piece(self.eval(frame, expr))?;
                self.placed(expr.extent, out.push(self, val))?;
            }
            Stmt::For(definition) => {
                let items = self.eval(frame, &definition.iter)?;
                return self.run_loop(frame, definition, &items, 0, out);
            }
            Stmt::If(branches, otherwise) => {
                for (condition, body) in branches {
                    let val = self.eval(frame, condition)?;
                    if self.placed(condition.extent, self.truthy(&val))? {
                        return self.run(frame, body, out);
                    }
                }
                return self.run(frame, otherwise, out);
            }
            Stmt::With(assignments, body) => {
                let inner = Frame::inside(frame);
                for (target, expr) in assignments {
                    let val = self.eval(frame, expr)?;
                    self.placed(expr.extent, self.assign(&inner, target, val))?;
                }
                return self.run(&inner, body, out);
            }
            Stmt::Set(target, expr) => {
                let val = self.eval(frame, expr)?;
                self.placed(expr.extent, self.assign(frame, target, val))?;
            }
            Stmt::SetBlock(target, filters, body) => {
                let mut captured = Output::native();
                self.run(&Frame::inside(frame), body, &mut captured)?;
                let val = self.filtered(frame, captured.finish(), filters)?;
                self.assign(frame, target, val)?;
            }
            // Ansible renders no HTML: nothing is ever escaped.
            Stmt::AutoEscape(enabled, body) => {
                self.eval(frame, enabled)?;
                return self.run(&Frame::inside(frame), body, out);
            }
            Stmt::FilterBlock(filters, body) => {
                let mut captured = Output::native();
                self.run(&Frame::inside(frame), body, &mut captured)?;
                let val = self.filtered(frame, captured.finish(), filters)?;
                out.push(self, val)?;
            }
            Stmt::Block(block) => self.block(frame, block, out)?,
            Stmt::Import { file, name, with_context } => {
                let module = self.import(frame, file, *with_context)?;
                self.assign(frame, name, Val::Object(Rc::new(module)))?;
            }
            Stmt::FromImport { file, names, with_context } => {
                let module = self.import(frame, file, *with_context)?;
                for (name, alias) in names {
                    let found = module.exports.iter().find(|(known, _)| known == name).map(|(_, val)| val.clone());
                    let missing = || {
                        let message = format!("the template '{}' does not export the requested name '{name}'", module.name);
                        Undefined::said(message).at(self.place(file.extent)).into()
                    };
                    frame.set(alias, found.unwrap_or_else(missing));
                }
            }
            Stmt::Extends(file) => {
                let parent = self.load_template(frame, file, None)?;
                let Some(parent) = parent else { return Ok(Flow::Next) };
                if self.unit.parent.borrow().is_some() {
                    return self.placed(file.extent, Err(TemplateError::new(ErrorKind::Render, "extended multiple times")));
                }
                *self.unit.parent.borrow_mut() = Some(parent);
            }
            Stmt::Include { file, ignore_missing, with_context } => {
                self.include(frame, file, *ignore_missing, *with_context, out)?;
            }
            Stmt::Macro(definition) => {
                if let Some(name) = &definition.name {
                    frame.set(name, self.macro_val(frame, definition));
                }
                self.session.cyclic.borrow_mut().push(Rc::clone(frame));
            }
            Stmt::CallBlock { callee, arguments, caller } => {
                let callee_val = self.eval(frame, callee)?;
                let mut arguments = self.arguments(frame, arguments)?;
                arguments.named.push((Arc::from("caller"), self.macro_val(frame, caller)));
                let val = self.placed(callee.extent, self.call(&callee_val, arguments))?;
                out.push(self, val)?;
            }
            Stmt::Continue => return Ok(Flow::Continue),
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Do(expr) => {
                self.eval(frame, expr)?;
            }
        }
        Ok(Flow::Next)
    }

    fn macro_val(&self, frame: &FrameRef, definition: &Arc<Macro>) -> Val {
        let made = MacroObject { definition: Arc::clone(definition), frame: Rc::clone(frame), evaluator: self.clone() };
        Val::Object(Rc::new(made))
    }

    pub(super) fn assign(&self, frame: &FrameRef, target: &Target, val: Val) -> Result<()> {
        match target {
            Target::Name(name) => frame.set(name, val),
            Target::Attribute(name, attribute) => {
                let namespace = frame.get(name);
                match namespace.as_ref() {
                    Some(Val::Object(object)) if object.as_namespace().is_some() => {
                        let names = object.as_namespace().expect("it was asked one line above");
                        names.borrow_mut().insert(Arc::clone(attribute), val);
                    }
                    _ => return Err(TemplateError::conversion("cannot assign attribute on non-namespace object")),
                }
            }
            Target::Tuple(targets) => {
                let parts = match &val {
                    Val::Undefined(undefined) => return Err(undefined.error()),
                    val => self
                        .items(val)
                        .map_err(|_| TemplateError::conversion(format!("cannot unpack non-iterable {} object", val.type_name())))?,
                };
                let (wanted, got) = (targets.len(), parts.len());
                if got < wanted {
                    let message = format!("not enough values to unpack (expected {wanted}, got {got})");
                    return Err(TemplateError::conversion(message));
                }
                if got > wanted {
                    return Err(TemplateError::conversion(format!("too many values to unpack (expected {wanted})")));
                }
                for (target, part) in targets.iter().zip(parts) {
                    self.assign(frame, target, part)?;
                }
            }
        }
        Ok(())
    }

    /// Runs a loop over `items`.
    pub(super) fn run_loop(&self, frame: &FrameRef, definition: &Arc<For>, items: &Val, depth: usize, out: &mut Output) -> Result<Flow> {
        let extent = definition.iter.extent;
        let mut items = self.placed(extent, self.items(items))?;
        if let Some(condition) = &definition.condition {
            let mut kept = Vec::new();
            for item in items {
                let inner = Frame::inside(frame);
                self.placed(extent, self.assign(&inner, &definition.target, item.clone()))?;
                let holds = self.eval(&inner, condition)?;
                if self.placed(condition.extent, self.truthy(&holds))? {
                    kept.push(item);
                }
            }
            items = kept;
        }
        if items.is_empty() {
            return self.run(&Frame::inside(frame), &definition.otherwise, out);
        }
        let turns = self.session.turns.get() + items.len();
        if turns > MAX_TURNS {
            return self.placed(extent, Err(TemplateError::new(ErrorKind::Limit, "the template loops too often")));
        }
        self.session.turns.set(turns);
        let items = Rc::new(items);
        let state = Rc::new(LoopObject {
            items: Rc::clone(&items),
            index: Cell::new(0),
            depth,
            changed: Rc::new(RefCell::new(None)),
            again: definition.recursive.then(|| (Arc::clone(definition), Rc::clone(frame), self.clone())),
        });
        let name: Arc<str> = Arc::from("loop");
        for (index, item) in items.iter().enumerate() {
            state.index.set(index);
            let inner = Frame::inside(frame);
            if definition.has_loop {
                inner.set(&name, Val::Object(Rc::clone(&state) as Rc<dyn super::super::Object>));
            }
            self.placed(extent, self.assign(&inner, &definition.target, item.clone()))?;
            if let Flow::Break = self.run(&inner, &definition.body, out)? {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn include(&self, frame: &FrameRef, file: &Expr, ignore_missing: bool, with_context: bool, out: &mut Output) -> Result<()> {
        let loaded = self.load_template(frame, file, Some(ignore_missing))?;
        let Some(unit) = loaded else { return Ok(()) };
        let _depth = self.placed(file.extent, self.enter())?;
        let (evaluator, inner) = self.entering(frame, unit, with_context);
        with_stack(|| evaluator.run_template(&inner, out))
    }

    fn import(&self, frame: &FrameRef, file: &Expr, with_context: bool) -> Result<Module> {
        let Some(unit) = self.load_template(frame, file, None)? else {
            return Err(TemplateError::new(ErrorKind::File, "no template to import"));
        };
        let _depth = self.placed(file.extent, self.enter())?;
        let name = unit.name();
        let (evaluator, inner) = self.entering(frame, unit, with_context);
        let mut out = Output::text();
        with_stack(|| evaluator.run_template(&inner, &mut out))?;
        Ok(Module { name, exports: inner.own(), body: out.finish() })
    }

    /// Runs a block: the innermost child's, where the template was extended.
    fn block(&self, frame: &FrameRef, block: &Arc<Block>, out: &mut Output) -> Result<()> {
        let chain = Rc::new(self.unit.blocks.borrow().get(&block.name).cloned().unwrap_or_default());
        let outer = if block.scoped { frame } else { &self.unit.top };
        self.run_block(outer, &block.name, &chain, 0, out)
    }

    /// `self`: the template, with its blocks.
    pub(super) fn own_blocks(&self, name: &str) -> Option<Val> {
        (name == "self").then(|| Val::Object(Rc::new(Blocks(self.clone()))))
    }

    /// The block, if there is such.
    pub(super) fn own_block(&self, name: &str) -> Option<Val> {
        let blocks = self.unit.blocks.borrow();
        let (name, chain) = blocks.get_key_value(name)?;
        Some(self.block_reference(&self.unit.top, name, &Rc::new(chain.clone()), 0))
    }

    /// The definition of a block that is `level` above that of the innermost child.
    pub(super) fn block_reference(&self, outer: &FrameRef, name: &Arc<str>, chain: &Rc<BlockChain>, level: usize) -> Val {
        if level >= chain.len() {
            return Undefined::said(format!("there is no parent block called '{name}'.")).into();
        }
        let (outer, name, chain) = (Rc::clone(outer), Arc::clone(name), Rc::clone(chain));
        Val::Object(Rc::new(BlockReference { evaluator: self.clone(), outer, name, chain, level }))
    }

    /// Runs one definition of a block.
    pub(super) fn run_block(
        &self,
        outer: &FrameRef,
        name: &Arc<str>,
        chain: &Rc<BlockChain>,
        level: usize,
        out: &mut Output,
    ) -> Result<()> {
        let Some((block, evaluator)) = chain.get(level) else { return Ok(()) };
        if block.required {
            return Err(TemplateError::new(ErrorKind::Render, format!("Required block '{name}' not found")));
        }
        let _depth = self.enter()?;
        let frame = Frame::inside(outer);
        frame.set(&Arc::from("super"), self.block_reference(outer, name, chain, level + 1));
        with_stack(|| evaluator.run(&frame, &block.body, out))?;
        Ok(())
    }
}

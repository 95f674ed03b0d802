//! Expressions.

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use super::super::ir::{Arg, Comparison, Expr, ExprKind, Extent, FilterRef, Step, StepKind, TestRef};
use super::super::{Arguments, Dict, Filter, Markers, Place, Result, TemplateError, Test, Undefined, Val, function::own_name};
use super::frame::FrameRef;
use super::{Evaluator, global, methods};
use crate::value::Value;

impl Evaluator {
    /// What the expression is worth; what does not exist is a marker.
    pub(super) fn eval(&self, frame: &FrameRef, expr: &Expr) -> Result<Val> {
        match &expr.kind {
            ExprKind::Name(name) => self.name(frame, name, expr.extent),
            ExprKind::Constant(value) => Ok(Val::Plain(value.clone())),
            ExprKind::Embedded(value) => {
                self.notice("Jinja constant strings should not contain embedded templates. This feature will be disabled by default in ansible-core 2.23.");
                self.placed(expr.extent, self.load(value.clone(), &self.scope))
            }
            ExprKind::Chain(base, steps) => self.chain(frame, base, steps),
            ExprKind::Not(inner) => {
                let val = self.eval(frame, inner)?;
                Ok(Val::from(!self.placed(expr.extent, self.truthy(&val))?))
            }
            ExprKind::Negate(inner) => {
                let val = self.eval(frame, inner)?;
                self.placed(expr.extent, self.negate(&val))
            }
            ExprKind::Positive(inner) => {
                let val = self.eval(frame, inner)?;
                self.placed(expr.extent, self.positive(&val))
            }
            ExprKind::Binary(first, rest) => {
                let mut val = self.eval(frame, first)?;
                let mut extent = first.extent;
                for (operator, right) in rest {
                    let right_val = self.eval(frame, right)?;
                    extent.end = right.extent.end;
                    val = self.placed(extent, self.binary(*operator, &val, &right_val))?;
                }
                Ok(val)
            }
            ExprKind::And(operands) => self.first_that(frame, operands, false),
            ExprKind::Or(operands) => self.first_that(frame, operands, true),
            ExprKind::Compare(first, rest) => {
                let mut left = self.eval(frame, first)?;
                for (comparison, right) in rest {
                    let right_val = self.eval(frame, right)?;
                    if !self.placed(expr.extent, self.compared(*comparison, &left, &right_val))? {
                        return Ok(Val::from(false));
                    }
                    left = right_val;
                }
                Ok(Val::from(true))
            }
            ExprKind::If(inline) => {
                let (condition, then, otherwise) = &**inline;
                let val = self.eval(frame, condition)?;
                match (self.placed(condition.extent, self.truthy(&val))?, otherwise) {
                    (true, _) => self.eval(frame, then),
                    (false, Some(otherwise)) => self.eval(frame, otherwise),
                    (false, None) => Ok(Undefined::inline_if().at(self.place(expr.extent)).into()),
                }
            }
            ExprKind::List(items) => {
                let items: Vec<Val> = items.iter().map(|item| self.eval(frame, item)).collect::<Result<_>>()?;
                self.charge(items.len() * size_of::<Val>())?;
                Ok(Val::list(items))
            }
            ExprKind::Tuple(items) => Ok(Val::tuple(items.iter().map(|item| self.eval(frame, item)).collect::<Result<_>>()?)),
            ExprKind::Dict(entries) => {
                let mut dict = Dict::with_capacity(entries.len());
                for (key, val) in entries {
                    let key_val = self.eval(frame, key)?;
                    dict.insert(self.placed(key.extent, self.key(&key_val))?, self.eval(frame, val)?);
                }
                Ok(Val::dict(dict))
            }
        }
    }

    /// Where a piece of the running template stands.
    pub(super) fn place(&self, extent: Extent) -> Place {
        Place::new(&self.unit.text, extent)
    }

    /// An error of this piece, unless it has a place already.
    pub(super) fn placed<T>(&self, extent: Extent, result: Result<T>) -> Result<T> {
        result.map_err(|error| if error.span().is_some() { error } else { error.at(self.place(extent).span()) })
    }

    fn name(&self, frame: &FrameRef, name: &Arc<str>, extent: Extent) -> Result<Val> {
        // No variable hides the template itself.
        if let Some(val) = frame.get(name).or_else(|| self.own_blocks(name)) {
            return Ok(val);
        }
        match self.placed(extent, self.local_variable(name))? {
            Some(Val::Undefined(undefined)) => Ok((*undefined).clone().at(self.place(extent)).into()),
            Some(val) => Ok(val),
            None => match global::find(name) {
                Some(val) => Ok(val),
                None => Ok(Undefined::name(Arc::clone(name)).at(self.place(extent)).into()),
            },
        }
    }

    /// A variable; a copy that can be changed, where the template changes any.
    fn local_variable(&self, name: &Arc<str>) -> Result<Option<Val>> {
        if !self.unit.mutates {
            return self.scope_variable(&self.scope, name);
        }
        if let Some(val) = self.unit.own_copies.borrow().get(name) {
            return Ok(Some(val.clone()));
        }
        let Some(val) = self.scope_variable(&self.scope, name)? else { return Ok(None) };
        let val = self.own_copy(val)?;
        self.unit.own_copies.borrow_mut().insert(Arc::clone(name), val.clone());
        Ok(Some(val))
    }

    /// The first operand whose truth is `wanted`, or the last.
    fn first_that(&self, frame: &FrameRef, operands: &[Expr], wanted: bool) -> Result<Val> {
        let mut val = Val::NONE;
        for (index, operand) in operands.iter().enumerate() {
            val = self.eval(frame, operand)?;
            if index + 1 < operands.len() && self.placed(operand.extent, self.truthy(&val))? == wanted {
                break;
            }
        }
        Ok(val)
    }

    fn compared(&self, comparison: Comparison, left: &Val, right: &Val) -> Result<bool> {
        Ok(match comparison {
            Comparison::Equal => self.equal(left, right)?,
            Comparison::NotEqual => !self.equal(left, right)?,
            Comparison::In => self.contains(right, left)?,
            Comparison::NotIn => !self.contains(right, left)?,
            Comparison::Less => self.ordered(left, right, "<", Ordering::is_lt)?,
            Comparison::LessOrEqual => self.ordered(left, right, "<=", Ordering::is_le)?,
            Comparison::Greater => self.ordered(left, right, ">", Ordering::is_gt)?,
            Comparison::GreaterOrEqual => self.ordered(left, right, ">=", Ordering::is_ge)?,
        })
    }

    /// Comparisons with NaN are false, those of unlike types an error.
    fn ordered(&self, left: &Val, right: &Val, sign: &str, holds: fn(Ordering) -> bool) -> Result<bool> {
        let is_nan = |val: &Val| matches!(val, Val::Plain(Value::Float(number)) if number.is_nan());
        let is_number = |val: &Val| matches!(val, Val::Plain(Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_)));
        if is_number(left) && is_number(right) && (is_nan(left) || is_nan(right)) {
            return Ok(false);
        }
        self.compare(left, right, sign).map(holds)
    }

    fn chain(&self, frame: &FrameRef, base: &Expr, steps: &[Step]) -> Result<Val> {
        let mut val = self.eval(frame, base)?;
        let mut extent = base.extent;
        let mut rest = steps.iter().peekable();
        while let Some(step) = rest.next() {
            let so_far = Extent { start: extent.start, end: step.extent.end.max(extent.end) };
            // A method that is called at once needs no object of its own.
            if let StepKind::Attribute(name) = &step.kind
                && let Some(Step { kind: StepKind::Call(arguments), extent: call_extent }) = rest.peek()
                && let Some(method) = methods::find(&val, name)
            {
                rest.next();
                let arguments = self.arguments(frame, arguments)?;
                extent = Extent { start: extent.start, end: call_extent.end };
                let call = methods::Call::new(&val, method, arguments);
                val = self.placed(extent, methods::call(self, &val, call)).map(|made| self.owned(made))?;
                continue;
            }
            val = self.step(frame, val, step, so_far)?;
            extent = so_far;
        }
        Ok(val)
    }

    fn step(&self, frame: &FrameRef, val: Val, step: &Step, so_far: Extent) -> Result<Val> {
        let val = match &step.kind {
            StepKind::Attribute(name) => self.placed(so_far, self.attribute(&val, name))?,
            StepKind::Item(key) => {
                let key = self.eval(frame, key)?;
                self.placed(so_far, self.item(&val, &key))?
            }
            StepKind::Slice(start, stop, step) => {
                let bound = |expr: &Option<Expr>| expr.as_ref().map(|expr| self.eval(frame, expr)).transpose();
                let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?);
                self.placed(so_far, self.slice(&val, start.as_ref(), stop.as_ref(), step.as_ref()))?
            }
            StepKind::Call(arguments) => {
                let arguments = self.arguments(frame, arguments)?;
                self.owned(self.placed(so_far, self.call(&val, arguments))?)
            }
            StepKind::Filter(filter, arguments) => {
                let arguments = self.arguments(frame, arguments)?;
                self.owned(self.placed(step.extent, self.apply_filter(filter, &val, arguments))?)
            }
            StepKind::Test(test, arguments) => {
                let arguments = self.arguments(frame, arguments)?;
                self.placed(step.extent, self.apply_test(test, &val, arguments))?
            }
        };
        Ok(match val {
            Val::Undefined(undefined) => (*undefined).clone().at(self.place(so_far)).into(),
            val => val,
        })
    }

    /// Filters after one another, as `{% filter a | b %}` has them.
    pub(super) fn filtered(&self, frame: &FrameRef, val: Val, filters: &[Step]) -> Result<Val> {
        filters.iter().try_fold(val, |val, step| self.step(frame, val, step, step.extent))
    }

    pub(super) fn arguments(&self, frame: &FrameRef, arguments: &[Arg]) -> Result<Arguments> {
        let mut evaluated = Arguments { positional: Vec::with_capacity(arguments.len()), named: Vec::new() };
        for argument in arguments {
            match argument {
                Arg::Positional(expr) => evaluated.positional.push(self.eval(frame, expr)?),
                Arg::Named(name, expr) => evaluated.named.push((Arc::clone(name), self.eval(frame, expr)?)),
                Arg::Spread(expr) => {
                    let items = self.eval(frame, expr)?;
                    evaluated.positional.extend(self.placed(expr.extent, self.items(&items))?);
                }
                Arg::SpreadNamed(expr) => {
                    let mapping = self.eval(frame, expr)?;
                    for (key, val) in self.placed(expr.extent, self.entries(&mapping))? {
                        let Some(name) = key.as_str() else {
                            return self.placed(expr.extent, Err(TemplateError::conversion("keywords must be strings")));
                        };
                        evaluated.named.push((Arc::from(name), val));
                    }
                }
            }
        }
        Ok(evaluated)
    }

    /// Calls what can be called; what is undefined stays so.
    pub fn call(&self, callee: &Val, arguments: Arguments) -> Result<Val> {
        match callee {
            Val::Object(object) => object.call(self, arguments),
            Val::Undefined(_) => Ok(callee.clone()),
            other => Err(TemplateError::conversion(format!("'{}' object is not callable", other.type_name()))),
        }
    }

    fn apply_filter(&self, filter: &FilterRef, val: &Val, arguments: Arguments) -> Result<Val> {
        let found = match filter.found {
            Some(found) => found,
            None => self.session.engine.filter(&filter.name)?,
        };
        self.run_filter(found, val, arguments)
    }

    fn apply_test(&self, test: &TestRef, val: &Val, arguments: Arguments) -> Result<Val> {
        let found = match test.found {
            Some(found) => found,
            None => self.session.engine.test(&test.name)?,
        };
        self.run_test(found, val, arguments)
    }

    /// Undefined input is the result, and so is what turns out to be undefined within.
    pub(super) fn run_filter(&self, filter: &Filter, val: &Val, arguments: Arguments) -> Result<Val> {
        if filter.markers == Markers::Propagate {
            if val.is_undefined() {
                return Ok(val.clone());
            }
            if let Some(undefined) = arguments.first_undefined() {
                return Ok(undefined.clone());
            }
        }
        let result = arguments.bind(filter.function_name(), filter.params).and_then(|bound| (filter.run)(self, val, &bound));
        // What a filter hands on may be stored, also what could not be by itself.
        let result = result.and_then(|val| if let Val::Range(_) = val { Ok(Val::list(self.items(&val)?)) } else { Ok(val) });
        settle(result, "filter", filter.name)
    }

    /// As [`Evaluator::run_filter`].
    pub(super) fn run_test(&self, test: &Test, val: &Val, arguments: Arguments) -> Result<Val> {
        if test.markers == Markers::Propagate {
            if val.is_undefined() {
                return Ok(val.clone());
            }
            if let Some(undefined) = arguments.first_undefined() {
                return Ok(undefined.clone());
            }
        }
        let result = arguments.bind(own_name(test.name), test.params).and_then(|bound| (test.run)(self, val, &bound));
        settle(result.map(Val::from), "test", test.name)
    }
}

/// What a plugin's result means: undefined values found within are markers, other errors name the plugin.
fn settle(result: Result<Val>, what: &str, name: &str) -> Result<Val> {
    match result {
        Err(error) if error.is_undefined() => Ok(Val::Undefined(Rc::new(Undefined::captured(error)))),
        // What is of a collection has its full name already.
        Err(error) if name.contains('.') => Err(error.of_plugin(what, name)),
        Err(error) => Err(error.of_plugin(what, &format!("ansible.builtin.{name}"))),
        Ok(val) => Ok(val),
    }
}

//! What templates make that is no data: macros, loops, namespaces, imported templates, blocks.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::super::ir::{For, Macro};
use super::super::{Arguments, Object, Result, TemplateError, Undefined, Val};
use super::frame::{Frame, FrameRef};
use super::output::Output;
use super::{BlockChain, Evaluator, Flow, with_stack};
use crate::value::{Key, Value};

/// A macro with the names it sees.
pub struct MacroObject {
    pub definition: Arc<Macro>,
    pub frame: FrameRef,
    pub evaluator: Evaluator,
}

impl Object for MacroObject {
    fn type_name(&self) -> &str {
        "Macro"
    }

    fn print(&self) -> String {
        match &self.definition.name {
            Some(name) => format!("<Macro '{name}'>"),
            None => "<Macro anonymous>".to_owned(),
        }
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        Ok(match name {
            "name" => Some(self.definition.name.as_ref().map_or(Val::NONE, |name| Val::text(Arc::clone(name)))),
            "arguments" => Some(Val::tuple(self.definition.params.iter().map(|(name, _)| Val::text(Arc::clone(name))).collect())),
            "catch_varargs" => Some(Val::from(self.definition.uses_varargs)),
            "catch_kwargs" => Some(Val::from(self.definition.uses_kwargs)),
            "caller" => Some(Val::from(self.definition.uses_caller)),
            _ => None,
        })
    }

    fn call(&self, _: &Evaluator, arguments: Arguments) -> Result<Val> {
        let evaluator = &self.evaluator;
        let _depth = evaluator.enter()?;
        let frame = Frame::inside(&self.frame);
        self.bind(&frame, arguments)?;
        let mut out = Output::native();
        with_stack(|| evaluator.run(&frame, &self.definition.body, &mut out))?;
        Ok(out.finish())
    }
}

impl MacroObject {
    fn bind(&self, frame: &FrameRef, mut arguments: Arguments) -> Result<()> {
        let definition = &self.definition;
        let refused = |what: String| {
            let name = definition.name.as_ref().map_or_else(|| "None".to_owned(), |name| format!("'{name}'"));
            Err(TemplateError::conversion(format!("macro {name} {what}")))
        };
        // A parameter of this name is one like others.
        let caller = if definition.uses_caller { arguments.take("caller") } else { None };
        let mut positional = arguments.positional.into_iter();
        for (param, default) in &definition.params {
            let given = match positional.next() {
                Some(val) => Some(val),
                None => arguments.named.iter().position(|(known, _)| known == param).map(|index| arguments.named.remove(index).1),
            };
            let val = match (given, default) {
                (Some(val), _) => val,
                (None, Some(default)) => self.evaluator.eval(frame, default)?,
                (None, None) => Undefined::said(format!("parameter '{param}' was not provided")).into(),
            };
            frame.set(param, val);
        }
        let rest: Vec<Val> = positional.collect();
        if definition.uses_varargs {
            frame.set(&Arc::from("varargs"), Val::tuple(rest));
        } else if !rest.is_empty() {
            return refused(format!("takes not more than {} argument(s)", definition.params.len()));
        }
        if definition.uses_caller {
            let caller = caller.unwrap_or_else(|| Undefined::said("No caller defined").into());
            frame.set(&Arc::from("caller"), caller);
        }
        if definition.uses_kwargs {
            let named = arguments.named.into_iter().map(|(name, val)| (Key::from(&*name), val)).collect();
            frame.set(&Arc::from("kwargs"), Val::dict(named));
        } else if arguments.named.iter().any(|(name, _)| &**name == "caller") {
            return refused("was invoked with two values for the special caller argument. This is most likely a bug.".to_owned());
        } else if let Some((unknown, _)) = arguments.named.first() {
            return refused(format!("takes no keyword argument '{unknown}'"));
        }
        Ok(())
    }
}

/// The `loop` of a running `for`.
pub struct LoopObject {
    pub items: Rc<Vec<Val>>,
    pub index: Cell<usize>,
    pub depth: usize,
    pub changed: Rc<RefCell<Option<Vec<Val>>>>,
    /// What `loop(…)` runs again, where the loop is recursive.
    pub again: Option<(Arc<For>, FrameRef, Evaluator)>,
}

impl Object for LoopObject {
    fn type_name(&self) -> &str {
        "LoopContext"
    }

    fn print(&self) -> String {
        format!("<LoopContext {}/{}>", self.index.get() + 1, self.items.len())
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        let (index, length) = (self.index.get(), self.items.len());
        Ok(Some(match name {
            "index" => Val::from(index + 1),
            "index0" => Val::from(index),
            "revindex" => Val::from(length - index),
            "revindex0" => Val::from(length - index - 1),
            "first" => Val::from(index == 0),
            "last" => Val::from(index + 1 == length),
            "length" => Val::from(length),
            "depth" => Val::from(self.depth + 1),
            "depth0" => Val::from(self.depth),
            "previtem" => match index.checked_sub(1).and_then(|index| self.items.get(index)) {
                Some(item) => item.clone(),
                None => Undefined::said("there is no previous item").into(),
            },
            "nextitem" => match self.items.get(index + 1) {
                Some(item) => item.clone(),
                None => Undefined::said("there is no next item").into(),
            },
            "cycle" => {
                let position = index;
                native("cycle", move |_, arguments| match arguments.positional.len() {
                    0 => Err(TemplateError::conversion("no items for cycling given")),
                    count => Ok(arguments.positional[position % count].clone()),
                })
            }
            "changed" => {
                let last = Rc::clone(&self.changed);
                native("changed", move |evaluator, arguments| {
                    let mut last = last.borrow_mut();
                    let now = arguments.positional;
                    let same = match &*last {
                        Some(last) => evaluator.equal(&Val::tuple(last.clone()), &Val::tuple(now.clone()))?,
                        None => false,
                    };
                    *last = Some(now);
                    Ok(Val::from(!same))
                })
            }
            _ => return Ok(None),
        }))
    }

    fn call(&self, _: &Evaluator, arguments: Arguments) -> Result<Val> {
        let Some((definition, frame, evaluator)) = &self.again else {
            return Err(TemplateError::conversion("The loop must have the 'recursive' marker to be called recursively."));
        };
        let [items] = &arguments.positional[..] else {
            return Err(TemplateError::conversion("loop() takes exactly one argument"));
        };
        let _depth = evaluator.enter()?;
        let mut out = Output::native();
        let flow = with_stack(|| evaluator.run_loop(frame, definition, items, self.depth + 1, &mut out))?;
        debug_assert!(matches!(flow, Flow::Next), "a loop ends its own breaks");
        Ok(out.finish())
    }
}

/// `namespace(a=1)`: attributes that inner scopes can assign.
pub struct Namespace(pub RefCell<IndexMap<Arc<str>, Val>>);

impl Object for Namespace {
    fn type_name(&self) -> &str {
        "Namespace"
    }

    fn print(&self) -> String {
        "<Namespace>".to_owned()
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        Ok(self.0.borrow().get(name).cloned())
    }

    fn as_namespace(&self) -> Option<&RefCell<IndexMap<Arc<str>, Val>>> {
        Some(&self.0)
    }
}

/// An imported template: what it sets and defines.
pub struct Module {
    pub name: String,
    pub exports: Vec<(Arc<str>, Val)>,
    pub body: Val,
}

impl Object for Module {
    fn type_name(&self) -> &str {
        "TemplateModule"
    }

    fn print(&self) -> String {
        match &self.body {
            Val::Plain(Value::Text(text)) => text.as_str().to_owned(),
            _ => String::new(),
        }
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        Ok(self.exports.iter().find(|(known, _)| &**known == name && !name.starts_with('_')).map(|(_, val)| val.clone()))
    }
}

/// A function of ours.
pub struct Native<F> {
    name: &'static str,
    run: F,
}

/// A function of ours as a value.
pub fn native(name: &'static str, run: impl Fn(&Evaluator, Arguments) -> Result<Val> + 'static) -> Val {
    Val::Object(Rc::new(Native { name, run }))
}

impl<F: Fn(&Evaluator, Arguments) -> Result<Val>> Object for Native<F> {
    fn type_name(&self) -> &str {
        "function"
    }

    fn print(&self) -> String {
        format!("<function {}>", self.name)
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
        (self.run)(evaluator, arguments)
    }
}

/// `cycler(a, b)`: gives its items in turn.
pub struct Cycler {
    pub items: Vec<Val>,
    pub index: Cell<usize>,
}

impl Object for Cycler {
    fn type_name(&self) -> &str {
        "Cycler"
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        let current = self.items.get(self.index.get()).cloned();
        match name {
            "current" => Ok(current),
            "next" | "__next__" => {
                // Taken as an attribute only to be called at once.
                self.index.set((self.index.get() + 1) % self.items.len().max(1));
                let current = current.unwrap_or(Val::NONE);
                Ok(Some(native("next", move |_, _| Ok(current.clone()))))
            }
            "reset" => {
                self.index.set(0);
                Ok(Some(native("reset", |_, _| Ok(Val::NONE))))
            }
            _ => Ok(None),
        }
    }
}

/// `self`: the blocks of the running template, to be called.
pub struct Blocks(pub Evaluator);

impl Object for Blocks {
    fn type_name(&self) -> &str {
        "TemplateReference"
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        Ok(self.0.own_block(name))
    }
}

/// A block of the running template: `self.name`, or `super` within one that overrides it.
pub struct BlockReference {
    pub evaluator: Evaluator,
    /// What the block sees.
    pub outer: FrameRef,
    pub name: Arc<str>,
    /// Who defines it, the innermost child first.
    pub chain: Rc<BlockChain>,
    /// Whose definition of these this is.
    pub level: usize,
}

impl Object for BlockReference {
    fn type_name(&self) -> &str {
        "BlockReference"
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn attribute(&self, _: &Evaluator, name: &str) -> Result<Option<Val>> {
        Ok(match name {
            "name" => Some(Val::text(Arc::clone(&self.name))),
            "super" => Some(self.evaluator.block_reference(&self.outer, &self.name, &self.chain, self.level + 1)),
            _ => None,
        })
    }

    fn call(&self, _: &Evaluator, arguments: Arguments) -> Result<Val> {
        let given = arguments.positional.len() + arguments.named.len();
        if given > 0 {
            let message = format!("BlockReference.__call__() takes 1 positional argument but {} were given", given + 1);
            return Err(TemplateError::conversion(message));
        }
        let mut out = Output::native();
        self.evaluator.run_block(&self.outer, &self.name, &self.chain, self.level, &mut out)?;
        Ok(out.finish())
    }
}

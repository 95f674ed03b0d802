//! `Evaluator`: runs a lowered template. What filters, tests and lookups see of the render is its public part.

mod values;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::{Arguments, Context, DictRef, Engine, ErrorKind, ListRef, Result, Scope, TemplateError, Val};
use crate::value::{Key, Value};

/// Runs templates of one task against one scope. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator {
    session: Rc<Session>,
    scope: ScopeRef,
}

/// What all renders of one [`Templar`](super::Templar) share.
pub(super) struct Session {
    engine: Arc<Engine>,
    context: Arc<Context>,
    depth: Cell<usize>,
    memory: Cell<usize>,
    notices: RefCell<Vec<String>>,
}

/// A scope and what was rendered of it so far.
pub struct ScopeVal {
    scope: Arc<dyn Scope>,
    rendered: RefCell<HashMap<Arc<str>, Slot>>,
}

/// A shared [`ScopeVal`].
pub type ScopeRef = Rc<ScopeVal>;

#[derive(Clone)]
enum Slot {
    /// Being rendered: who asks for it again is part of a cycle.
    Busy,
    Done(Val),
}

/// Templates in templates, containers in containers, macros in macros: no deeper than this.
const MAX_DEPTH: usize = 200;
/// Bytes that one call of the templar may allocate for what it makes.
const MAX_MEMORY: usize = 512 << 20;

/// One level of nesting, left when dropped.
pub struct Depth<'a>(&'a Cell<usize>);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl ScopeVal {
    /// A scope of which nothing was rendered yet.
    pub fn new(scope: Arc<dyn Scope>) -> ScopeRef {
        Rc::new(Self { scope, rendered: RefCell::default() })
    }

    /// All names in it.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.scope.names()
    }

    /// Whether the name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.scope.get(name).is_some()
    }
}

impl Evaluator {
    pub(super) fn new(engine: &Arc<Engine>, scope: Arc<dyn Scope>, context: Arc<Context>) -> Self {
        let session =
            Session { engine: Arc::clone(engine), context, depth: Cell::new(0), memory: Cell::new(0), notices: RefCell::default() };
        Self { session: Rc::new(session), scope: ScopeVal::new(scope) }
    }

    /// Where files are looked for, and what the upper floors answer.
    pub fn context(&self) -> &Arc<Context> {
        &self.session.context
    }

    /// The names that the template being evaluated sees.
    pub fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope.scope
    }

    /// A variable of the template's scope, rendered; `None` where it is not defined.
    pub fn variable(&self, name: &str) -> Result<Option<Val>> {
        self.scope_variable(&self.scope, name)
    }

    /// `value | name(arguments)`; unknown names are Ansible's error.
    pub fn call_filter(&self, name: &str, value: &Val, arguments: Arguments) -> Result<Val> {
        let filter = self.session.engine.filter(name)?;
        if filter.markers == super::Markers::Propagate {
            if value.is_undefined() {
                return Ok(value.clone());
            }
            if let Some(undefined) = arguments.first_undefined() {
                return Ok(undefined.clone());
            }
        }
        (filter.run)(self, value, &arguments.bind(filter.name, filter.params)?)
    }

    /// `value is name(arguments)`; unknown names are Ansible's error.
    pub fn call_test(&self, name: &str, value: &Val, arguments: Arguments) -> Result<bool> {
        let test = self.session.engine.test(name)?;
        if test.markers == super::Markers::Propagate {
            for val in std::iter::once(value).chain(arguments.first_undefined()) {
                if let Val::Undefined(undefined) = val {
                    return Err(undefined.error());
                }
            }
        }
        (test.run)(self, value, &arguments.bind(test.name, test.params)?)
    }

    /// Tells the user something once per run: deprecations and the like.
    pub fn notice(&self, message: impl Into<String>) {
        self.session.notices.borrow_mut().push(message.into());
    }

    /// Accounts for memory that is about to be used; an error where a template takes too much.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        let total = self.session.memory.get().saturating_add(bytes);
        if total > MAX_MEMORY {
            return Err(TemplateError::new(ErrorKind::Limit, "the template makes more than 512 MiB of data"));
        }
        self.session.memory.set(total);
        Ok(())
    }

    /// Goes one level deeper; an error where that is too deep.
    pub fn enter(&self) -> Result<Depth<'_>> {
        let depth = &self.session.depth;
        if depth.get() >= MAX_DEPTH {
            return Err(TemplateError::new(ErrorKind::Recursion, "Recursive loop detected in template: maximum recursion depth exceeded"));
        }
        depth.set(depth.get() + 1);
        Ok(Depth(depth))
    }

    /// An element of a container, rendered where that is still to be done.
    pub fn forced(&self, val: &Val) -> Result<Val> {
        match val {
            Val::Pending(pending) => self.load(pending.value.clone(), &pending.scope),
            other => Ok(other.clone()),
        }
    }

    pub(super) fn list_item(&self, list: &ListRef, index: usize) -> Result<Option<Val>> {
        let Some(item) = list.borrow().get(index).cloned() else { return Ok(None) };
        if !matches!(item, Val::Pending(_)) {
            return Ok(Some(item));
        }
        let forced = self.forced(&item)?;
        if let Some(slot) = list.borrow_mut().get_mut(index) {
            *slot = forced.clone();
        }
        Ok(Some(forced))
    }

    pub(super) fn dict_entry(&self, dict: &DictRef, key: &Key) -> Result<Option<Val>> {
        let Some(val) = dict.borrow().get(key).cloned() else { return Ok(None) };
        if !matches!(val, Val::Pending(_)) {
            return Ok(Some(val));
        }
        let forced = self.forced(&val)?;
        if let Some(slot) = dict.borrow_mut().get_mut(key) {
            *slot = forced.clone();
        }
        Ok(Some(forced))
    }

    pub(super) fn scope_variable(&self, scope: &ScopeRef, name: &str) -> Result<Option<Val>> {
        match scope.rendered.borrow().get(name) {
            Some(Slot::Done(val)) => return Ok(Some(val.clone())),
            Some(Slot::Busy) => return Err(recursion(name)),
            None => {}
        }
        let Some(variable) = scope.scope.get(name) else { return Ok(None) };
        let name: Arc<str> = Arc::from(name);
        scope.rendered.borrow_mut().insert(Arc::clone(&name), Slot::Busy);
        let val = self.variable_to_val(variable, scope);
        match &val {
            Ok(val) => scope.rendered.borrow_mut().insert(name, Slot::Done(val.clone())),
            Err(_) => scope.rendered.borrow_mut().remove(&name),
        };
        val.map(Some)
    }

    /// A value as the scope holds it: templates in it are rendered, or will be on access.
    pub(super) fn load(&self, value: Value, scope: &ScopeRef) -> Result<Val> {
        let _ = scope;
        Ok(Val::Plain(value))
    }
}

fn recursion(name: &str) -> TemplateError {
    TemplateError::new(ErrorKind::Recursion, "Recursive loop detected in template: maximum recursion depth exceeded")
        .note(format!("`{name}` is made of itself"))
}

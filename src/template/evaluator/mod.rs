//! `Evaluator`: runs a lowered template. What filters, tests and lookups see of the render is its public part.

mod access;
mod duration;
mod expression;
mod file;
mod format;
mod frame;
mod global;
mod lipsum;
mod marked;
pub(super) mod methods;
mod object;
mod operators;
mod output;
mod render;
mod statement;
mod values;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use super::ir::{Block, Template};
use super::{
    Arguments, Context, DictRef, Engine, ErrorKind, ListRef, Notice, Notices, Result, Scope, Syntax, TemplateError, Val, Variable,
};
use crate::value::{Key, Text, Value};

use frame::{Frame, FrameRef};
pub use global::NAMES as GLOBALS;

/// Runs templates of one task against one scope. Cheap to clone.
#[derive(Clone)]
pub struct Evaluator {
    session: Rc<Session>,
    scope: ScopeRef,
    unit: Rc<Unit>,
}

/// What all renders of one [`Templar`](super::Templar) share.
struct Session {
    engine: Arc<Engine>,
    context: Arc<Context>,
    depth: Cell<usize>,
    memory: Cell<usize>,
    turns: Cell<usize>,
    /// How many undefined things were marked in the text so far; `None` where they are errors.
    marks: Cell<Option<usize>>,
    notices: Notices,
    /// How YAML strings are read.
    yaml_syntax: Arc<Syntax>,
    /// Included and imported files, read once.
    files: RefCell<HashMap<PathBuf, Text>>,
    /// Scopes that were opened: what was rendered of them refers back to them.
    scopes: RefCell<Vec<ScopeRef>>,
    /// Frames with macros: a macro refers back to its frame.
    cyclic: RefCell<Vec<FrameRef>>,
}

/// A template that is being run.
struct Unit {
    text: Text,
    template: Arc<Template>,
    syntax: Arc<Syntax>,
    /// The frame of its top level.
    top: FrameRef,
    /// Whether variables are copied so that they can be changed.
    mutates: bool,
    own_copies: RefCell<HashMap<Arc<str>, Val>>,
    /// By name: who defines the block, the innermost child first.
    blocks: Rc<RefCell<HashMap<Arc<str>, BlockChain>>>,
    /// What it extends, once that is known.
    parent: RefCell<Option<Loaded>>,
}

type BlockChain = Vec<(Arc<Block>, Evaluator)>;

/// A template that is ready to be run.
struct Loaded {
    text: Text,
    template: Arc<Template>,
    syntax: Arc<Syntax>,
    name: String,
}

/// How a statement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Next,
    Continue,
    Break,
}

/// A scope and what was rendered of it so far.
pub struct ScopeVal {
    scope: Arc<dyn Scope>,
    rendered: RefCell<HashMap<Arc<str>, Slot, foldhash::quality::RandomState>>,
}

impl ScopeVal {
    /// Python's name of the type.
    pub fn type_name(&self) -> &'static str {
        self.scope.type_name()
    }
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
const MAX_DEPTH: usize = 250;
/// Bytes that one text or list may take; tests reach it sooner.
const MAX_PIECE: usize = if cfg!(test) { 48 << 20 } else { 512 << 20 };
/// Bytes that one call of the templar may allocate in all for what it makes; most of it is let go on the way.
const MAX_MEMORY: usize = 8 << 30;

/// Less stack than this, and a new piece is taken: one level of nesting needs far less.
const RED_ZONE: usize = 256 << 10;
/// How large such a piece is.
const STACK_PIECE: usize = 2 << 20;

/// Runs `deeper` with enough stack for one more level of nesting, whatever the thread has left.
fn with_stack<T>(deeper: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, STACK_PIECE, deeper)
}

/// One level of nesting, left when dropped.
pub struct Depth<'a>(&'a Cell<usize>);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl ScopeVal {
    fn new(scope: Arc<dyn Scope>) -> ScopeRef {
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

    /// Whether this is `hostvars`.
    pub fn is_of_hosts(&self) -> bool {
        self.scope.is_of_hosts()
    }
}

impl Evaluator {
    pub(super) fn new(engine: &Arc<Engine>, scope: Arc<dyn Scope>, context: Arc<Context>, notices: Notices) -> Self {
        let scope = ScopeVal::new(scope);
        let extensions = context.extensions;
        let syntax = Arc::new(Syntax { extensions, trim_blocks: true, ..Syntax::default() });
        let session = Session {
            engine: Arc::clone(engine),
            context,
            depth: Cell::new(0),
            memory: Cell::new(0),
            turns: Cell::new(0),
            marks: Cell::new(None),
            notices,
            yaml_syntax: Arc::clone(&syntax),
            files: RefCell::default(),
            scopes: RefCell::new(vec![Rc::clone(&scope)]),
            cyclic: RefCell::default(),
        };
        let template = Arc::new(Template { body: Vec::new(), blocks: Vec::new(), mutates: false });
        let nothing = Loaded { text: Text::from(""), template, syntax, name: String::new() };
        Self { session: Rc::new(session), scope, unit: Rc::new(Unit::new(nothing, Frame::top(), false)) }
    }

    /// The tables of filters, tests and lookups.
    pub(in crate::template) fn engine(&self) -> &Engine {
        &self.session.engine
    }

    /// Where files are looked for, and what the upper floors answer.
    pub fn context(&self) -> &Arc<Context> {
        &self.session.context
    }

    /// The names that the template being evaluated sees.
    pub fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope.scope
    }

    /// An evaluator for another scope, which counts for the same render.
    pub fn over(&self, scope: Arc<dyn Scope>) -> Self {
        let scope = ScopeVal::new(scope);
        self.session.scopes.borrow_mut().push(Rc::clone(&scope));
        Self { session: Rc::clone(&self.session), scope, unit: Rc::clone(&self.unit) }
    }

    /// An evaluator that looks for files in these places, for a render of its own; what it has to say is heard with the rest.
    pub(super) fn searching(&self, search_path: Vec<PathBuf>) -> Self {
        let context = Context { search_path, ..Context::clone(&self.session.context) };
        Self::new(&self.session.engine, Arc::clone(&self.scope.scope), Arc::new(context), self.session.notices.clone())
    }

    /// A variable of the template's scope, rendered; `None` where it is not defined.
    pub fn variable(&self, name: &str) -> Result<Option<Val>> {
        self.scope_variable(&self.scope, name)
    }

    /// `value | name(arguments)`; unknown names are Ansible's error.
    pub fn call_filter(&self, name: &str, value: &Val, arguments: Arguments) -> Result<Val> {
        self.run_filter(self.session.engine.filter(name)?, value, arguments)
    }

    /// `value is name(arguments)`; unknown names are Ansible's error, and so is undefined input to a test that does not want it.
    pub fn call_test(&self, name: &str, value: &Val, arguments: Arguments) -> Result<bool> {
        let result = self.run_test(self.session.engine.test(name)?, value, arguments)?;
        self.truthy(&result)
    }

    /// The filter of this name.
    pub fn find_filter(&self, name: &str) -> Result<&'static super::Filter> {
        self.session.engine.filter(name)
    }

    /// The test of this name.
    pub fn find_test(&self, name: &str) -> Result<&'static super::Test> {
        self.session.engine.test(name)
    }

    /// The lookup of this name.
    pub fn find_lookup(&self, name: &str) -> Result<&'static super::Lookup> {
        self.session.engine.lookup(name)
    }

    /// Tells the user something.
    pub fn notice(&self, message: impl Into<String>) {
        self.session.notices.add(Notice { message: message.into(), removed_in: None });
    }

    /// Tells the user that something will not be there any more.
    pub fn deprecate(&self, message: impl Into<String>) {
        self.deprecate_until(message, "2.23");
    }

    /// As [`Evaluator::deprecate`], with the version of ansible-core that has it no more.
    pub fn deprecate_until(&self, message: impl Into<String>, version: &'static str) {
        self.session.notices.add(Notice { message: message.into(), removed_in: Some(version) });
    }

    /// Accounts for memory that is about to be used; an error where a template takes too much.
    pub fn charge(&self, bytes: usize) -> Result<()> {
        let total = self.session.memory.get().saturating_add(bytes);
        if bytes > MAX_PIECE || total > MAX_MEMORY {
            return Err(TemplateError::new(ErrorKind::Limit, "the template makes more data than it may"));
        }
        self.session.memory.set(total);
        Ok(())
    }

    /// As [`Evaluator::charge`], for a text of `length` bytes to which `more` are added.
    pub fn charge_growth(&self, length: usize, more: usize) -> Result<()> {
        if length.saturating_add(more) > MAX_PIECE { self.charge(usize::MAX) } else { self.charge(more) }
    }

    /// Goes one level deeper; an error where that is too deep.
    pub fn enter(&self) -> Result<Depth<'_>> {
        let depth = &self.session.depth;
        if depth.get() >= MAX_DEPTH {
            return Err(recursion());
        }
        depth.set(depth.get() + 1);
        Ok(Depth(depth))
    }

    /// An element of a container, rendered where that is still to be done.
    pub fn forced(&self, val: &Val) -> Result<Val> {
        match val {
            Val::Pending(pending) => {
                let _depth = self.enter()?;
                self.load(pending.value.clone(), &pending.scope)
            }
            other => Ok(other.clone()),
        }
    }

    fn list_item(&self, list: &ListRef, index: usize) -> Result<Option<Val>> {
        let Some(item) = list.borrow().get(index).cloned() else { return Ok(None) };
        let Some(changed) = self.settled(&item)? else { return Ok(Some(item)) };
        if let Some(slot) = list.borrow_mut().get_mut(index) {
            *slot = changed.clone();
        }
        Ok(Some(changed))
    }

    fn dict_entry(&self, dict: &DictRef, key: &Key) -> Result<Option<Val>> {
        let Some(val) = dict.borrow().get(key).cloned() else { return Ok(None) };
        let Some(changed) = self.settled(&val)? else { return Ok(Some(val)) };
        if let Some(slot) = dict.borrow_mut().get_mut(key) {
            *slot = changed.clone();
        }
        Ok(Some(changed))
    }

    /// What an element becomes when it is looked at; `None` where it stays as it is.
    fn settled(&self, val: &Val) -> Result<Option<Val>> {
        match val {
            Val::Pending(_) => Ok(Some(self.owned(self.forced(val)?))),
            Val::Plain(Value::List(_) | Value::Map(_)) if self.unit.mutates => Ok(Some(self.owned(val.clone()))),
            _ => Ok(None),
        }
    }

    /// Plain containers as ones that can be changed, where the template changes any.
    fn owned(&self, val: Val) -> Val {
        match val {
            Val::Plain(Value::List(items)) if self.unit.mutates => Val::list(items.iter().cloned().map(Val::Plain).collect()),
            Val::Plain(Value::Map(map)) if self.unit.mutates => {
                Val::dict(map.iter().map(|(key, value)| (key.clone(), Val::Plain(value.clone()))).collect())
            }
            val => val,
        }
    }

    /// A container as it is now, where the template may still change it.
    fn snapshot(&self, val: Val) -> Result<Val> {
        if self.unit.mutates && matches!(val, Val::List(_) | Val::Dict(_)) { self.own_copy(val) } else { Ok(val) }
    }

    /// A variable's value as a copy of its own: changes to it end with the template.
    fn own_copy(&self, val: Val) -> Result<Val> {
        let _depth = self.enter()?;
        Ok(match val {
            Val::List(list) => {
                let items = list.borrow().clone();
                Val::list(items.into_iter().map(|item| self.own_copy(item)).collect::<Result<_>>()?)
            }
            Val::Dict(dict) => {
                let entries = dict.borrow().clone();
                Val::dict(entries.into_iter().map(|(key, val)| Ok((key, self.own_copy(val)?))).collect::<Result<_>>()?)
            }
            val => self.owned(val),
        })
    }

    fn scope_variable(&self, scope: &ScopeRef, name: &str) -> Result<Option<Val>> {
        match scope.rendered.borrow().get(name) {
            Some(Slot::Done(val)) => return Ok(Some(val.clone())),
            Some(Slot::Busy) => return Err(recursion().note(format!("`{name}` is made of itself"))),
            None => {}
        }
        let Some(variable) = scope.scope.get(name) else { return Ok(None) };
        let name: Arc<str> = Arc::from(name);
        scope.rendered.borrow_mut().insert(Arc::clone(&name), Slot::Busy);
        // What is kept of a variable has no marks.
        let marks = self.session.marks.take();
        let val = match variable {
            Variable::Value(value) => self.load(value, scope),
            Variable::Scope(inner) => {
                if &*name == "vars" && Rc::ptr_eq(scope, &self.scope) {
                    self.deprecate_until("The internal \"vars\" dictionary is deprecated.", "2.24");
                }
                let inner = ScopeVal::new(inner);
                self.session.scopes.borrow_mut().push(Rc::clone(&inner));
                Ok(Val::Scope(inner))
            }
            Variable::Closed(why) => Err(TemplateError::new(ErrorKind::Vault { expression: false }, &*why)),
        };
        self.session.marks.set(marks);
        match &val {
            Ok(val) => scope.rendered.borrow_mut().insert(Arc::clone(&name), Slot::Done(val.clone())),
            Err(_) => scope.rendered.borrow_mut().remove(&name),
        };
        val.map(Some).map_err(|error| match error.kind() {
            ErrorKind::Recursion => error.note(format!("while rendering `{name}`")),
            _ => error,
        })
    }

    /// Ends a call of the templar: what it counted starts anew, what refers to itself is let go.
    pub(super) fn settle(&self) {
        self.session.memory.set(0);
        self.session.turns.set(0);
        for frame in self.session.cyclic.take() {
            frame.clear();
        }
    }

    /// Lets go of all that was rendered.
    pub(super) fn dispose(&self) {
        self.settle();
        for scope in self.session.scopes.take() {
            scope.rendered.take();
        }
    }
}

impl Unit {
    fn new(loaded: Loaded, top: FrameRef, mutates: bool) -> Self {
        let Loaded { text, template, syntax, name: _ } = loaded;
        let mutates = mutates || template.mutates;
        Self { text, template, syntax, top, mutates, own_copies: RefCell::default(), blocks: Rc::default(), parent: RefCell::new(None) }
    }
}

fn recursion() -> TemplateError {
    TemplateError::new(ErrorKind::Recursion, "Recursive loop detected in template: maximum recursion depth exceeded")
}

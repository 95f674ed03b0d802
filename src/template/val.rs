//! `Val`: what lives during one render. Plain data, lists and dicts that can be changed in place, what can be called, and
//! markers (*undefined*, *omit*). Not `Send`; [`Evaluator::value`](super::Evaluator::value) makes plain data of it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::evaluator::{Evaluator, ScopeRef};
use super::function::Arguments;
use super::{Result, TemplateError, Undefined};
use crate::value::{Bytes, Key, Map, Text, Value};

/// A list that can be changed in place; its items may be [`Val::Pending`].
pub type ListRef = Rc<RefCell<Vec<Val>>>;
/// A dict that can be changed in place; its values may be [`Val::Pending`].
pub type DictRef = Rc<RefCell<Dict>>;
/// What a dict holds.
pub type Dict = IndexMap<Key, Val>;

/// A value during a render.
///
/// Filters rarely match on this: [`Evaluator`] iterates, compares, prints and converts any of them.
#[derive(Clone)]
pub enum Val {
    /// Plain data; holds no template that is still to be rendered.
    Plain(Value),
    /// A list.
    List(ListRef),
    /// A dict.
    Dict(DictRef),
    /// A tuple; becomes a list when it leaves the render.
    Tuple(Rc<Tuple>),
    /// Python's `range`; lazy.
    Range(Range),
    /// A difference of two datetimes, in microseconds.
    Duration(i64),
    /// Names that are looked up one by one: `hostvars`, and each host in it.
    Scope(ScopeRef),
    /// An element of a list or dict that is rendered on access. Never seen outside of containers.
    Pending(Rc<Pending>),
    /// A method, macro, namespace, loop, imported template, …
    Object(Rc<dyn Object>),
    /// Something that does not exist: any use of it but `default` and `is defined` is its error.
    Undefined(Rc<Undefined>),
    /// An argument that is to be left out.
    Omit,
}

/// Python's `range(start, stop, step)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First number.
    pub start: i64,
    /// Number that is not reached.
    pub stop: i64,
    /// Difference of two; never 0.
    pub step: i64,
}

impl Range {
    /// How many numbers.
    pub fn len(self) -> usize {
        let [start, stop, step] = [self.start, self.stop, self.step].map(i128::from);
        let (from, to) = if step > 0 { (start, stop) } else { (stop, start) };
        if from >= to {
            return 0;
        }
        usize::try_from((to - from - 1) / step.abs() + 1).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The number at `index`.
    pub fn get(self, index: usize) -> Option<i64> {
        if index >= self.len() {
            return None;
        }
        let number = i128::from(self.start) + i128::from(self.step) * i128::try_from(index).ok()?;
        i64::try_from(number).ok()
    }
}

/// A tuple.
pub struct Tuple {
    items: Vec<Val>,
    /// Whether its items have names.
    pub kind: TupleKind,
}

/// Which of Python's named tuples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TupleKind {
    /// None of them.
    Plain,
    /// One of `groupby`.
    Group,
    /// What `isocalendar` gives.
    Calendar,
    /// What `timetuple` gives.
    Time,
}

impl TupleKind {
    /// Python's name of the type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Plain => "tuple",
            Self::Group => "GroupTuple",
            Self::Calendar => "IsoCalendarDate",
            Self::Time => "struct_time",
        }
    }

    /// The name with which Python prints it; the others look like tuples.
    pub fn printed_name(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Group => None,
            Self::Calendar => Some("datetime.IsoCalendarDate"),
            Self::Time => Some("time.struct_time"),
        }
    }

    /// The names of its items.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Group => &["grouper", "list"],
            Self::Calendar => &["year", "week", "weekday"],
            Self::Time => &["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"],
        }
    }
}

impl std::ops::Deref for Tuple {
    type Target = Vec<Val>;

    fn deref(&self) -> &Vec<Val> {
        &self.items
    }
}

/// A value that is still to be rendered, and where its names come from.
pub struct Pending {
    pub(super) value: Value,
    pub(super) scope: ScopeRef,
}

/// What is neither data nor a marker: it can have attributes, be called, be iterated.
pub trait Object {
    /// Python's name of the type.
    fn type_name(&self) -> &str;

    /// How Python prints it.
    fn print(&self) -> String {
        format!("<{}>", self.type_name())
    }

    /// How Python prints it within a list.
    fn repr(&self) -> String {
        self.print()
    }

    /// An attribute; `None` where there is none.
    fn attribute(&self, evaluator: &Evaluator, name: &str) -> Result<Option<Val>> {
        let _ = (evaluator, name);
        Ok(None)
    }

    /// Calls it.
    fn call(&self, evaluator: &Evaluator, arguments: Arguments) -> Result<Val> {
        let _ = (evaluator, arguments);
        Err(TemplateError::conversion(format!("'{}' object is not callable", self.type_name())))
    }

    /// Whether it can be called.
    fn is_callable(&self) -> bool {
        false
    }

    /// What iterating yields; `None` where it cannot be iterated. What can becomes a list when it leaves the render.
    fn items(&self) -> Option<Vec<Val>> {
        None
    }

    /// The data that it is when it leaves the render, if it is some.
    fn data(&self) -> Option<Value> {
        None
    }

    /// The attributes that can be assigned, if it is a namespace.
    fn as_namespace(&self) -> Option<&RefCell<IndexMap<Arc<str>, Val>>> {
        None
    }
}

impl Val {
    /// Python's `None`.
    pub const NONE: Self = Self::Plain(Value::Null);

    /// A text that is neither trusted nor secret.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Plain(Value::text(text))
    }

    /// A list.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    /// A dict.
    pub fn dict(entries: Dict) -> Self {
        Self::Dict(Rc::new(RefCell::new(entries)))
    }

    /// A tuple.
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::Tuple(Rc::new(Tuple { items, kind: TupleKind::Plain }))
    }

    /// A tuple whose items have names.
    pub fn named_tuple(kind: TupleKind, items: Vec<Self>) -> Self {
        Self::Tuple(Rc::new(Tuple { items, kind }))
    }

    /// One of `groupby`: what its items have in common, and they themselves.
    pub fn group(grouper: Self, list: Vec<Self>) -> Self {
        Self::named_tuple(TupleKind::Group, vec![grouper, Self::list(list)])
    }

    /// Whether text shows it as Python does, and not as the data it will be: what `groupby` gives.
    pub fn is_shown_by_python(&self) -> bool {
        match self {
            Self::Tuple(tuple) => tuple.kind != TupleKind::Plain,
            Self::List(items) => matches!(items.borrow().first(), Some(Self::Tuple(tuple)) if tuple.kind != TupleKind::Plain),
            _ => false,
        }
    }

    /// Whether this is an undefined marker.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// Whether this is Python's `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Plain(Value::Null))
    }

    /// The plain data, if it is some as it stands.
    pub fn as_plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Plain(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The characters, if this is a text.
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(Text::as_str)
    }

    /// The number, if this is an integer of 64 bits or a boolean (which Python counts as one).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Plain(Value::Int(number)) => Some(*number),
            Self::Plain(Value::Bool(value)) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// Whether this is a dict, or plain data that is a map, or a scope.
    pub fn is_mapping(&self) -> bool {
        matches!(self, Self::Dict(_) | Self::Scope(_) | Self::Plain(Value::Map(_)))
    }

    /// The bytes, if this is some.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Self::Plain(Value::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// Whether this is a list or a tuple.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Tuple(_) | Self::Plain(Value::List(_)))
    }

    /// Python's name of the type.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Plain(value) => value.type_name(),
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
            Self::Tuple(tuple) => tuple.kind.type_name(),
            Self::Range(_) => "range",
            Self::Duration(_) => "timedelta",
            Self::Scope(scope) => scope.type_name(),
            Self::Pending(pending) => pending.value.type_name(),
            Self::Object(object) => object.type_name(),
            Self::Undefined(_) => "Undefined",
            Self::Omit => "_OmitType",
        }
    }
}

impl From<Value> for Val {
    fn from(value: Value) -> Self {
        Self::Plain(value)
    }
}

impl From<bool> for Val {
    fn from(value: bool) -> Self {
        Self::Plain(Value::Bool(value))
    }
}

impl From<i64> for Val {
    fn from(number: i64) -> Self {
        Self::Plain(Value::Int(number))
    }
}

impl From<usize> for Val {
    fn from(number: usize) -> Self {
        Self::Plain(Value::from(number))
    }
}

impl From<f64> for Val {
    fn from(number: f64) -> Self {
        Self::Plain(Value::Float(number))
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<Text> for Val {
    fn from(text: Text) -> Self {
        Self::Plain(Value::Text(text))
    }
}

impl From<Map> for Val {
    fn from(map: Map) -> Self {
        Self::Plain(Value::map(map))
    }
}

impl From<Vec<Self>> for Val {
    fn from(items: Vec<Self>) -> Self {
        Self::list(items)
    }
}

impl From<Undefined> for Val {
    fn from(undefined: Undefined) -> Self {
        Self::Undefined(Rc::new(undefined))
    }
}

//! The lowered tree of a template: owned, `Send + Sync`, shared by every render. Chains (`a.b | c`, `x ~ y ~ z`, `elif`) are
//! flat here, so that long ones need no stack.

use std::sync::Arc;

use super::{Filter, Test};
use crate::value::Value;

/// A whole template, or a bare expression as its only output.
pub struct Template {
    /// The statements of the top level.
    pub body: Vec<Stmt>,
    /// The blocks defined anywhere in it, by name.
    pub blocks: Vec<Arc<Block>>,
    /// Whether lists or dicts may be changed in place, here or in what it includes.
    pub mutates: bool,
}

/// Bytes of the template's text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    /// First byte.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

/// A statement.
pub enum Stmt {
    /// Text outside of delimiters.
    Raw(Value),
    /// `{{ expression }}`
    Emit(Expr),
    /// `{% for %}`; shared, because `loop(…)` runs it again.
    For(Arc<For>),
    /// `{% if %}`, `{% elif %}` …, `{% else %}`
    If(Vec<(Expr, Vec<Self>)>, Vec<Self>),
    /// `{% with a = b %}`
    With(Vec<(Target, Expr)>, Vec<Self>),
    /// `{% set a = b %}`
    Set(Target, Expr),
    /// `{% set a %}…{% endset %}`, with filters.
    SetBlock(Target, Vec<Step>, Vec<Self>),
    /// `{% autoescape %}`: only `false` is supported.
    AutoEscape(Expr, Vec<Self>),
    /// `{% filter upper %}…{% endfilter %}`
    FilterBlock(Vec<Step>, Vec<Self>),
    /// `{% block name %}`
    Block(Arc<Block>),
    /// `{% import file as name %}`
    Import { file: Expr, name: Target, with_context: bool },
    /// `{% from file import name as alias %}`
    FromImport { file: Expr, names: Vec<(Arc<str>, Arc<str>)>, with_context: bool },
    /// `{% extends file %}`
    Extends(Expr),
    /// `{% include file %}`
    Include { file: Expr, ignore_missing: bool, with_context: bool },
    /// `{% macro name(…) %}`
    Macro(Arc<Macro>),
    /// `{% call(…) name(…) %}`: the callee, its arguments, the body.
    CallBlock { callee: Expr, arguments: Vec<Arg>, caller: Arc<Macro> },
    /// `{% continue %}`
    Continue,
    /// `{% break %}`
    Break,
    /// `{% do call %}`
    Do(Expr),
}

/// `{% for target in iter if condition recursive %}`
pub struct For {
    pub target: Target,
    pub iter: Expr,
    pub condition: Option<Expr>,
    pub recursive: bool,
    /// Whether there is a `loop`: only where the body names it, so that an included template may see that of an outer one.
    pub has_loop: bool,
    pub body: Vec<Stmt>,
    pub otherwise: Vec<Stmt>,
}

/// `{% block name scoped required %}`
pub struct Block {
    pub name: Arc<str>,
    pub scoped: bool,
    pub required: bool,
    pub body: Vec<Stmt>,
}

/// `{% macro name(parameters) %}`, or the body of a call block.
pub struct Macro {
    /// The body of a call block has none.
    pub name: Option<Arc<str>>,
    pub params: Vec<(Arc<str>, Option<Expr>)>,
    pub body: Vec<Stmt>,
    pub uses_varargs: bool,
    pub uses_kwargs: bool,
    pub uses_caller: bool,
}

/// What is assigned to.
pub enum Target {
    Name(Arc<str>),
    Tuple(Vec<Self>),
    /// `namespace.name`
    Attribute(Arc<str>, Arc<str>),
}

/// An expression and where it was written.
pub struct Expr {
    pub kind: ExprKind,
    pub extent: Extent,
}

/// What an expression is.
pub enum ExprKind {
    Name(Arc<str>),
    Constant(Value),
    /// A constant with a template in it, where Ansible renders such.
    Embedded(Value),
    /// A base and what follows it: `.b`, `[c]`, `(d)`, `| e`, `is f`.
    Chain(Box<Expr>, Vec<Step>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    /// `+a`
    Positive(Box<Expr>),
    /// Operators from left to right.
    Binary(Box<Expr>, Vec<(Operator, Expr)>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    /// `a < b < c`
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    /// `then if condition else otherwise`
    If(Box<(Expr, Expr, Option<Expr>)>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
}

/// One link of a chain and where it was written.
pub struct Step {
    pub kind: StepKind,
    pub extent: Extent,
}

/// What a link does.
pub enum StepKind {
    Attribute(Arc<str>),
    Item(Expr),
    Slice(Option<Expr>, Option<Expr>, Option<Expr>),
    Call(Vec<Arg>),
    Filter(FilterRef, Vec<Arg>),
    Test(TestRef, Vec<Arg>),
}

/// A filter by name; unknown ones fail only where they are met.
pub struct FilterRef {
    pub name: Arc<str>,
    pub found: Option<&'static Filter>,
}

/// A test by name; unknown ones fail only where they are met.
pub struct TestRef {
    pub name: Arc<str>,
    pub found: Option<&'static Test>,
}

/// An argument of a call.
pub enum Arg {
    Positional(Expr),
    Named(Arc<str>, Expr),
    /// `*expression`
    Spread(Expr),
    /// `**expression`
    SpreadNamed(Expr),
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    Concatenate,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

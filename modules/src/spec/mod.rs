//! What a module says of itself: its options, what they exclude and need, what it does in check mode. The controller checks a task's
//! arguments against it ([`Spec::check`]); documentation and completion are made from it. Reads no file and no environment.

mod check;
mod convert;
mod python;
mod suggest;
mod value;

pub use check::{ArgError, Certainty, CheckedArgs, OPTIONS, Segment, Target};
pub use convert::convert;
pub use python::{literal, repr, text};
pub use suggest::did_you_mean;
pub use value::{ArgValue, Bits, Bytes, Choice, JsonText, read_optional, read_required};

use crate::host::Environment;
use crate::{Json, JsonMap};

/// A module's self-description.
#[derive(Debug)]
pub struct Spec {
    /// The module's name, without a collection.
    pub name: &'static str,
    /// One line that says what it is for.
    pub summary: &'static str,
    /// Its options and their rules.
    pub table: Table,
    /// What it does under `--check`.
    pub check: Support,
    /// Whether it shows differences under `--diff`.
    pub diff: Support,
    /// Whether its result may hold `ansible_facts`: then a loop over it is not sent ahead.
    pub returns_facts: bool,
    /// The option that a text without `=` is for, as in `command: uptime`.
    pub free_form: Option<&'static str>,
    /// Whether it hands its options on to another module, which checks them on the host.
    pub hands_on: bool,
    /// Options that Ansible has and we do not have yet, and why: using one is an error that names it.
    pub missing: &'static [(&'static str, &'static str)],
    /// Tasks in YAML.
    pub examples: &'static [&'static str],
}

/// How far a module keeps what `--check` or `--diff` promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It foretells exactly what a real run changes, or shows every difference.
    Full,
    /// In the cases that its documentation names.
    Partial,
    /// Not at all; under `--check` the task is skipped.
    None,
}

/// Options and the rules between them, as a module declares them.
pub type Table = TableOf<'static>;

/// The same, of texts that need not live for ever: what a role or a play says of its arguments.
#[derive(Clone, Debug)]
pub struct TableOf<'t> {
    /// In the order of the struct's fields.
    pub options: Vec<OptOf<'t>>,
    /// Which go together and which do not.
    pub constraints: Vec<Constraint>,
}

impl Table {
    /// The table that a struct declares.
    pub fn of<A: Args>() -> Self {
        Self { options: A::options(), constraints: A::constraints() }
    }
}

impl<'t> TableOf<'t> {
    /// The option that `name` or one of its aliases stands for.
    pub fn find(&self, name: &str) -> Option<&OptOf<'t>> {
        self.options.iter().find(|opt| opt.name == name || opt.aliases.contains(&name))
    }
}

/// One option of a module.
pub type Opt = OptOf<'static>;

/// One option.
#[derive(Clone, Debug)]
pub struct OptOf<'t> {
    /// Its canonical name. A name that begins with `_` is for the controller's half and is not documented.
    pub name: &'t str,
    /// Its other names.
    pub aliases: &'t [&'t str],
    /// What its value is.
    pub kind: Kind,
    /// What the elements of a list are.
    pub elements: Option<Kind>,
    /// Whether it must be given.
    pub required: bool,
    /// Its value where it is not given.
    pub default: Option<Json>,
    /// The only values it may have; empty: any.
    pub choices: &'t [&'t str],
    /// Ansible's `no_log`: its value is never shown.
    pub secret: bool,
    /// The options inside a dict, or inside the dicts of a list.
    pub suboptions: Option<TableOf<'t>>,
    /// What it does; a line break parts paragraphs.
    pub doc: &'t str,
}

impl OptOf<'_> {
    /// Whether only the controller's half sets it.
    pub fn is_internal(&self) -> bool {
        self.name.starts_with('_')
    }
}

/// Ansible's types of options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; anything else becomes its Python text.
    Str,
    /// `yes`, `on`, `1`, `true`, `y`, `t` and their opposites.
    Bool,
    /// A whole number, also as text.
    Int,
    /// A number, also as text.
    Float,
    /// A path; `~` and variables are expanded on the managed host.
    Path,
    /// A list; a text is split at its commas.
    List,
    /// A dict; a text is JSON or `k=v` pairs.
    Dict,
    /// Anything, as it is.
    Raw,
    /// Anything, as JSON text.
    Json,
    /// A size such as `10M`, in bytes.
    Bytes,
    /// A size such as `10Mb`, in bits.
    Bits,
}

impl Kind {
    /// Ansible's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Path => "path",
            Self::List => "list",
            Self::Dict => "dict",
            Self::Raw => "raw",
            Self::Json => "json",
            Self::Bytes => "bytes",
            Self::Bits => "bits",
        }
    }
}

/// A rule between options.
#[derive(Clone, Debug)]
pub enum Constraint {
    /// At most one of these.
    MutuallyExclusive(&'static [&'static str]),
    /// At least one of these.
    RequiredOneOf(&'static [&'static str]),
    /// All of these or none.
    RequiredTogether(&'static [&'static str]),
    /// Where `option` is `value`, all (or, with `any`, at least one) of `needs`.
    RequiredIf {
        /// The option that decides.
        option: &'static str,
        /// Its value.
        value: Json,
        /// What it needs.
        needs: &'static [&'static str],
        /// Whether one of them is enough.
        any: bool,
    },
    /// Where `option` is given, all of `needs`.
    RequiredBy {
        /// The option that decides.
        option: &'static str,
        /// What it needs.
        needs: &'static [&'static str],
    },
}

/// A struct of options: see `#[derive(Args)]`.
pub trait Args: Sized {
    /// Its option table.
    fn options() -> Vec<Opt>;

    /// The rules between its options.
    fn constraints() -> Vec<Constraint>;

    /// Reads checked arguments, on the managed host: paths are expanded here.
    fn read(args: &mut JsonMap, environment: &Environment) -> Result<Self, String>;
}

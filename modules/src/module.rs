//! What a module is.

use crate::spec::{Args, Spec, Support, Table};
use crate::{Host, JsonMap, Outcome, Result};

/// One kind of work on a managed host. The struct that bears it is a unit struct; its line in `modules! { … }` makes it known.
pub trait Module {
    /// Its options.
    type Args: Args;

    /// Its name, without a collection.
    const NAME: &'static str;
    /// One line that says what it is for.
    const SUMMARY: &'static str;
    /// What it does under `--check`.
    const CHECK: Support = Support::Full;
    /// Whether it shows differences under `--diff`.
    const DIFF: Support = Support::None;
    /// Whether its result may hold `ansible_facts`.
    const RETURNS_FACTS: bool = false;
    /// The option that a text without `=` is for.
    const FREE_FORM: Option<&'static str> = None;
    /// For a module that hands its options on unread: who gets them.
    const HANDS_ON: Option<HandOn> = None;
    /// Options that Ansible has and this module lacks, and why.
    const MISSING: &'static [(&'static str, &'static str)] = &[];
    /// Tasks in YAML; each parses, and its arguments pass the check.
    const EXAMPLES: &'static [&'static str] = &[];

    /// Does the work. Changes go through `host.change`; an `Err` is a failed task.
    fn run(args: Self::Args, host: &mut Host) -> Result<Outcome>;
}

/// Chooses on the host which module gets the options.
pub type HandOn = fn(JsonMap, &mut Host) -> Result<HandedOn>;

/// Options on their way to another module.
pub struct HandedOn {
    /// That module.
    pub module: &'static str,
    /// What messages call it.
    pub called: String,
    /// The options that it gets, as the user wrote them.
    pub options: JsonMap,
}

/// What a module says of itself.
pub(crate) fn spec_of<M: Module>() -> Spec {
    Spec {
        name: M::NAME,
        summary: M::SUMMARY,
        table: Table::of::<M::Args>(),
        check: M::CHECK,
        diff: M::DIFF,
        returns_facts: M::RETURNS_FACTS,
        free_form: M::FREE_FORM,
        hands_on: M::HANDS_ON.is_some(),
        missing: M::MISSING,
        examples: M::EXAMPLES,
    }
}

//! Filters of Ansible that are known by name and wait for a later release: an error that says so, never a guess.

use super::refuse;
use crate::template::{Bound, Evaluator, Filter, Markers, Param, Result, Val};

pub(super) const FILTERS: &[Filter] = &[waiting("unvault", |_, _, _| later("unvault")), waiting("vault", |_, _, _| later("vault"))];

const fn waiting(name: &'static str, run: fn(&Evaluator, &Val, &Bound) -> Result<Val>) -> Filter {
    Filter { name, params: &[Param::Rest, Param::RestNamed], markers: Markers::Propagate, run }
}

fn later(name: &str) -> Result<Val> {
    refuse(format!("the filter `{name}` is not supported yet"))
}

//! What is certainly wrong before the first connection: unknown options, filters and handlers, templates that cannot be read,
//! files that are not there, variables that nothing can define, tags that nothing has. Looks at everything that plays reach,
//! renders nothing with one host's variables and runs no lookup: its cost does not grow with the hosts.
//!
//! What is found changes no outcome: Ansible would run it, so we do. What cannot be known is never a mistake.

mod arguments;
mod definable;
mod files;
mod labels;
mod names;
mod reach;
mod setters;
mod task;
mod texts;

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use crate::playbook::Playbook;
use crate::playbook::load::{Loader, MISSING_ROLE};
use crate::source::{Diagnostic, Diagnostics, Severity};
use crate::template::Engine;
use crate::vars::VarWorld;

pub use setters::{Setter, setters};

use reach::{Reach, ReachedPlay};
use task::Findings;

/// What is looked at.
pub struct Site<'a> {
    /// The playbooks.
    pub playbooks: &'a [Playbook],
    /// Follows includes whose names are constants.
    pub loader: &'a Loader<'a>,
    /// Reads templates; what it has read it need not read again when they are rendered.
    pub engine: &'a Engine,
    /// The inventory with its variables.
    pub vars: &'a VarWorld,
    /// `--tags`.
    pub tags: &'a [String],
    /// `--skip-tags`.
    pub skip_tags: &'a [String],
    /// Whether earlier runs left variables that this one sees: a fact cache.
    pub has_fact_cache: bool,
}

/// All mistakes, as errors, by file and place.
pub fn check(site: &Site<'_>) -> Vec<Diagnostic> {
    let reach = Reach::of(site);
    let mut found: Vec<Diagnostic> = reach.diagnostics.clone();
    let search = files::Search::new(&reach);
    let mut all: Vec<Vec<Findings>> = reach
        .plays
        .par_iter()
        .map(|play| play.tasks.par_iter().map(|reached| task::inspect(site.engine, reached)).collect::<Vec<Findings>>())
        .collect();
    for (play, findings) in reach.plays.iter().zip(&mut all) {
        found.extend(texts::mistakes_of_play(site.engine, play));
        found.extend(labels::unknown_handlers(play));
        for task in findings.iter_mut() {
            found.append(&mut task.mistakes);
            found.extend(task.missing.drain(..).filter(|missing| !search.may_be_made(missing)).map(|missing| missing.diagnostic));
        }
    }
    let plays: Vec<(&ReachedPlay, &[Findings])> = reach.plays.iter().zip(all.iter().map(Vec::as_slice)).collect();
    found.extend(names::undefined(site, &plays));
    found.extend(labels::unknown_tags(site, &reach));
    sorted(found)
}

/// The same as warnings. That a role is not there is left to the task that includes it: it fails with the same words at the same place.
pub fn as_warnings(list: Vec<Diagnostic>) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    for diagnostic in list.into_iter().filter(|diagnostic| !diagnostic.message.starts_with(MISSING_ROLE)) {
        warnings.push(Diagnostic { severity: Severity::Warning, ..diagnostic });
    }
    warnings
}

/// A role that is used ten times has its mistakes once.
fn sorted(list: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen: HashSet<(Option<(String, usize, usize)>, String)> = HashSet::new();
    let mut unique = Diagnostics::new();
    for diagnostic in list {
        let place = diagnostic.span().map(|span| (span.source().name().to_owned(), span.start(), span.end()));
        if seen.insert((place, diagnostic.message.clone())) {
            unique.push(diagnostic);
        }
    }
    unique.into_sorted()
}

/// A name that is shared by many places.
type Name = Arc<str>;

//! Names that must be somebody's: notified handlers, tags of the command line.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Site;
use super::reach::{Reach, ReachedPlay, constant};
use crate::playbook::{Keyword, did_you_mean, missing_handler};
use crate::source::{Diagnostic, Source, Span, Spanned};
use crate::template::Templar;
use crate::value::Value;

/// Handlers that are notified by constant names and not there.
pub fn unknown_handlers(play: &ReachedPlay) -> Vec<Diagnostic> {
    if play.handlers_open || play.tasks_open {
        return Vec::new();
    }
    let mut found = Vec::new();
    for reached in &play.tasks {
        let Some(written) = reached.task.keywords.get(Keyword::Notify) else { continue };
        for (name, at) in names(written) {
            if !play.handlers.contains(&name) {
                found.push(missing_handler(&name, play.handlers.iter().map(String::as_str)).at(&at));
            }
        }
    }
    found
}

fn names(written: &Spanned<Value>) -> Vec<(String, Span)> {
    let one = |value: &Value| {
        let spanned = Spanned::new(value.clone(), written.span.clone());
        let at = match value {
            Value::Text(text) => text.origin().unwrap_or(&written.span).clone(),
            _ => written.span.clone(),
        };
        constant(&spanned).map(|name| (name.to_owned(), at))
    };
    match &written.value {
        Value::List(items) => items.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    }
}

/// Tags that mean more than themselves.
const SPECIAL: &[&str] = &["all", "always", "never", "tagged", "untagged"];

/// Tags of `--tags` and `--skip-tags` that nothing has.
pub fn unknown_tags(site: &Site<'_>, reach: &Reach) -> Vec<Diagnostic> {
    if site.tags.is_empty() && site.skip_tags.is_empty() || reach.plays.iter().any(|play| play.tasks_open) {
        return Vec::new();
    }
    let mut known: BTreeSet<String> = BTreeSet::new();
    for task in reach.tasks() {
        for tag in &task.task.keywords.tags {
            if Templar::is_template(&tag.value) {
                return Vec::new();
            }
            known.insert(crate::template::print::shown(&tag.value));
        }
    }
    let mut found = Vec::new();
    for (flag, tags) in [("--tags", site.tags), ("--skip-tags", site.skip_tags)] {
        let line = format!("{flag} {}", tags.join(","));
        let source = Source::named("<command line>", line.as_str());
        let mut at = flag.len() + 1;
        for tag in tags {
            if !SPECIAL.contains(&tag.as_str()) && !known.contains(tag) {
                found.push(unknown_tag(tag, &source, at, &known));
            }
            at += tag.len() + 1;
        }
    }
    found
}

fn unknown_tag(tag: &str, source: &Arc<Source>, at: usize, known: &BTreeSet<String>) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("no task has the tag `{tag}`")).at(&Span::new(source, at, at + tag.len()));
    match did_you_mean(tag, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint("`--list-tags` shows all"),
    }
}

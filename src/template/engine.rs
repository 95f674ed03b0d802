//! `Engine`: what all renders of the process share: the tables of filters, tests and lookups by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::collection::{self, PluginKind};
use super::ir::Template;
use super::lower::Embedded;
use super::syntax::{self, Syntax};
use super::{ErrorKind, Extensions, Filter, Lookup, Result, TemplateError, Test, filter, lookup, test};
use crate::source::{did_you_mean, short_name};
use crate::value::Text;

/// One per process; `Send + Sync`.
pub struct Engine {
    filters: HashMap<&'static str, &'static Filter>,
    tests: HashMap<&'static str, &'static Test>,
    lookups: HashMap<&'static str, &'static Lookup>,
    templates: Cache<Syntax>,
    expressions: Cache<Embedded>,
    /// What texts may use that are inspected; those that are rendered follow their context.
    pub(super) inspected: Extensions,
    redirects: Option<Redirects>,
}

/// What collections on disk say of a full name: where it leads, or why it cannot.
pub type Redirects = Box<dyn Fn(PluginKind, &str) -> Option<std::result::Result<String, String>> + Send + Sync>;

/// Lowered templates by how they are read and by their text.
type Cache<K> = RwLock<HashMap<K, HashMap<Arc<str>, Arc<Template>>>>;

/// So many texts are kept for one way of reading; then it starts anew.
const MAX_CACHED: usize = 50_000;

impl Engine {
    /// An engine with all filters, tests and lookups there are.
    pub fn new() -> Self {
        Self {
            filters: filter::FILTERS
                .iter()
                .chain(collection::FILTERS)
                .flat_map(|family| family.iter())
                .map(|filter| (filter.name, filter))
                .collect(),
            tests: test::TESTS.iter().chain(collection::TESTS).flat_map(|family| family.iter()).map(|test| (test.name, test)).collect(),
            lookups: lookup::LOOKUPS
                .iter()
                .chain(collection::LOOKUPS)
                .flat_map(|family| family.iter())
                .map(|lookup| (lookup.name, lookup))
                .collect(),
            templates: Cache::default(),
            expressions: Cache::default(),
            inspected: Extensions::default(),
            redirects: None,
        }
    }

    /// The same, with these extensions for texts that are inspected.
    #[must_use]
    pub fn inspecting(self, inspected: Extensions) -> Self {
        Self { inspected, ..self }
    }

    /// The same, where names that are not there are looked for in collections.
    #[must_use]
    pub fn redirected_by(self, redirects: Redirects) -> Self {
        Self { redirects: Some(redirects), ..self }
    }

    /// The template in `text`, lowered once.
    pub(super) fn template(&self, text: &Text, syntax: &Syntax) -> Result<Arc<Template>> {
        cached(&self.templates, syntax, text, || {
            // Jinja knows one kind of line break.
            let unified = text.as_str().contains('\r').then(|| text.as_str().replace("\r\n", "\n").replace('\r', "\n"));
            let chars = unified.as_deref().unwrap_or(text.as_str());
            let parsed = with_parser_stack(|| syntax::parse(self, chars, syntax));
            parsed.map_err(|error| error.into_template_error("template", text))
        })
    }

    /// The bare expression in `text`, lowered once.
    pub(super) fn expression(&self, text: &Text, embedded: Embedded) -> Result<Arc<Template>> {
        cached(&self.expressions, &embedded, text, || {
            let parsed = with_parser_stack(|| syntax::parse_expression(self, text.as_str(), embedded));
            parsed.map_err(|error| {
                let delimiters =
                    if super::is_template(text.as_str()) { ". Template delimiters are not supported in expressions" } else { "" };
                error.into_template_error(&format!("expression{delimiters}"), text)
            })
        })
    }

    /// The filter of this name.
    pub fn filter(&self, name: &str) -> Result<&'static Filter> {
        self.find(PluginKind::Filter, name, &self.filters)
    }

    /// The test of this name.
    pub fn test(&self, name: &str) -> Result<&'static Test> {
        self.find(PluginKind::Test, name, &self.tests)
    }

    /// The lookup of this name.
    pub fn lookup(&self, name: &str) -> Result<&'static Lookup> {
        self.find(PluginKind::Lookup, name, &self.lookups)
    }

    fn find<T>(&self, kind: PluginKind, name: &str, table: &HashMap<&'static str, &'static T>) -> Result<&'static T> {
        let own = |name: &str| table.get(short_name(name)).or_else(|| table.get(collection::redirected(kind, name)?.as_str())).copied();
        if let Some(found) = own(name) {
            return Ok(found);
        }
        let target = match self.redirects.as_ref().and_then(|redirects| redirects(kind, name)) {
            Some(Err(reason)) => {
                let message = format!("The {} plugin '{name}' failed to load: {reason}", kind.name());
                return Err(TemplateError::new(ErrorKind::UnknownPlugin, message));
            }
            Some(Ok(full)) => own(&full),
            None => None,
        };
        target.ok_or_else(|| {
            let message = match kind {
                PluginKind::Filter | PluginKind::Test => format!("Syntax error in template: No {} named '{name}'.", kind.name()),
                PluginKind::Lookup => format!("The lookup plugin '{name}' was not found."),
            };
            unknown(ErrorKind::UnknownPlugin, message, name, table.keys())
        })
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

fn cached<K: Clone + Eq + std::hash::Hash>(
    cache: &Cache<K>,
    key: &K,
    text: &Text,
    make: impl FnOnce() -> Result<Template>,
) -> Result<Arc<Template>> {
    let found = |templates: &HashMap<K, HashMap<Arc<str>, Arc<Template>>>| templates.get(key)?.get(text.as_str()).cloned();
    if let Some(template) = found(&cache.read().unwrap_or_else(PoisonError::into_inner)) {
        return Ok(template);
    }
    let template = Arc::new(make()?);
    let mut cache = cache.write().unwrap_or_else(PoisonError::into_inner);
    let texts = cache.entry(key.clone()).or_default();
    if texts.len() >= MAX_CACHED {
        texts.clear();
    }
    texts.insert(Arc::clone(text.chars()), Arc::clone(&template));
    Ok(template)
}

/// The parser recurses as deep as `syntax` lets it.
fn with_parser_stack<T>(parse: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(1 << 20, 4 << 20, parse)
}

fn unknown<'a>(kind: ErrorKind, message: String, name: &str, known: impl Iterator<Item = &'a &'static str>) -> TemplateError {
    let error = TemplateError::new(kind, message);
    match closest(name, known.copied()) {
        Some(known) => error.with_hint(format!("did you mean `{known}`?")),
        None => error,
    }
}

/// The known name that is nearest to `name`, if one is near.
pub(super) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    did_you_mean(name, known.filter(|known| *known != name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["default", "dict2items", "users"];
        let check = |name: &str, expected: Option<&str>| assert_eq!(closest(name, known.into_iter()), expected);
        check("user", Some("users"));
        check("defualt", Some("default"));
        check("zzz", None);
    }

    #[test]
    fn names_are_found_with_and_without_collection() {
        let engine = Engine::new();
        assert!(engine.filter("ansible.builtin.default").is_ok() && engine.filter("default").is_ok());
        let error = engine.filter("defaut").err().unwrap();
        assert_eq!(
            (error.message(), error.hint()),
            ("Syntax error in template: No filter named 'defaut'.", Some("did you mean `default`?"))
        );
    }
}

//! Keywords of one map: which are there, are they valid here, and what is in force with them.

use std::sync::Arc;

use super::Loader;
use crate::playbook::keyword::{Inherit, Row};
use crate::playbook::{KEYWORDS, Keyword, Keywords, Place, did_you_mean};
use crate::source::{Diagnostic, Diagnostics, Spanned};
use crate::value::{Map, Text, Value};
use crate::vars::is_variable_name;
use crate::yaml::Node;

/// What a map says: keywords that are passed on, and those that are its own.
pub(super) struct Written<'n> {
    /// Keywords with inheritance.
    pub inherited: Keywords,
    /// The others, with key and value.
    pub own: Vec<(Keyword, &'n Node, &'n Node)>,
    /// Keys that are no keywords.
    pub rest: Vec<(&'n Node, &'n Node)>,
}

impl<'n> Written<'n> {
    /// The value of a keyword of its own.
    pub fn own(&self, keyword: Keyword) -> Option<&'n Node> {
        self.own.iter().find(|(name, ..)| *name == keyword).map(|(_, _, value)| *value)
    }

    /// The same, as a value with its place.
    pub fn own_value(&self, keyword: Keyword) -> Option<Spanned<Value>> {
        self.own(keyword).map(spanned)
    }

    /// Takes a keyword away.
    pub fn drop_keyword(&mut self, keyword: Keyword) {
        self.own.retain(|(name, ..)| *name != keyword);
        self.inherited.unset(keyword);
    }

    /// A text or a list as list; empty if not there.
    pub fn own_list(&self, keyword: Keyword) -> Vec<Spanned<Value>> {
        self.own(keyword).map(list_of).unwrap_or_default()
    }
}

impl Loader<'_> {
    /// Sorts the entries of a map that stands at `place`.
    pub(super) fn written<'n>(&self, node: &'n Node, place: Place, diagnostics: &mut Diagnostics) -> Written<'n> {
        let mut written = Written { inherited: Keywords::default(), own: Vec::new(), rest: Vec::new() };
        for (key, value) in node.as_mapping().unwrap_or_default() {
            let Some(name) = key.as_str() else {
                diagnostics.push(key.error(format!("a keyword must be a text, found a {}", key.type_name())));
                continue;
            };
            match Keyword::row_named(name) {
                Some(row) if row.places.contains(&place) => {
                    self.check_kind(row, value, diagnostics);
                    match row.inherit {
                        Inherit::No => written.own.push((row.keyword, key, value)),
                        _ if row.keyword == Keyword::ModuleDefaults => {
                            self.take_module_defaults(value, &mut written.inherited, diagnostics);
                        }
                        Inherit::Override | Inherit::OuterFirst | Inherit::InnerFirst => {
                            self.take_inherited(row, value, place, &mut written.inherited, diagnostics);
                        }
                    }
                }
                _ => written.rest.push((key, value)),
            }
        }
        written
    }

    /// Refuses what a keyword can never be, whatever templates give.
    fn check_kind(&self, row: &Row, value: &Node, diagnostics: &mut Diagnostics) {
        let (name, found) = (row.name, value.type_name());
        let is_collection = value.as_sequence().is_some() || value.as_mapping().is_some();
        if TEXTS.contains(&row.keyword) && is_collection {
            let message = format!("The field '{name}' is supposed to be a string type, however the incoming data structure is a {found}");
            diagnostics.push(value.error(message));
        }
        if matches!(row.keyword, Keyword::Collections | Keyword::GatherSubset | Keyword::Listen) {
            for item in list_of(value).iter().filter(|item| !matches!(item.value, Value::Text(_))) {
                let message = format!("Keyword '{name}' items must be of type 'str', not '{}'.", item.value.type_name());
                diagnostics.push(item.error(message));
            }
        }
        if row.keyword == Keyword::VarsFiles && value.as_sequence().is_none() && value.as_str().is_none() && !value.is_null() {
            diagnostics.push(value.error(format!("Invalid `vars_files` value of type '{found}'.")));
        }
        let is_list = value.as_sequence().is_some() || value.as_str().is_some();
        if row.keyword == Keyword::Tags && !is_list {
            self.missing.set(true);
            diagnostics.push(value.error("tags must be specified as a list"));
        }
    }

    fn take_inherited(&self, row: &Row, value: &Node, place: Place, keywords: &mut Keywords, diagnostics: &mut Diagnostics) {
        match row.keyword {
            Keyword::When => keywords.when.extend(conditions(value)),
            Keyword::Tags => take_tags(value, keywords, diagnostics),
            Keyword::Environment => keywords.environment.extend(list_of(value)),
            Keyword::Vars => {
                if let Some(map) = self.vars_map(value, place, diagnostics) {
                    keywords.vars.push(Arc::new(map));
                }
            }
            Keyword::DelegateTo if value.as_sequence().is_some() || value.as_mapping().is_some() => {
                diagnostics.push(value.error(format!("`delegate_to` must be a text, found a {}", value.type_name())));
            }
            keyword => keywords.set(keyword, spanned(value)),
        }
    }

    /// `vars:` must be a map, and not a template of one.
    pub(super) fn vars_map(&self, value: &Node, place: Place, diagnostics: &mut Diagnostics) -> Option<Map> {
        match value.to_value() {
            Value::Null => Some(Map::new()),
            Value::Map(map) => {
                for (key, _) in value.as_mapping().unwrap_or_default() {
                    let message = match key.as_str() {
                        Some(name) if is_variable_name(name) => continue,
                        Some(name) => format!("Invalid variable name '{name}'."),
                        None => format!("Invalid variable name '{}' of type '{}'.", key.span.text(), key.type_name()),
                    };
                    self.missing.set(true);
                    diagnostics.push(key.error(message).hint(VARIABLE_NAME));
                }
                Some(Map::clone(&map))
            }
            _ => {
                diagnostics.push(value.error(format!("Vars in a {place} must be specified as a dictionary.")));
                None
            }
        }
    }
}

/// Keywords that are texts.
const TEXTS: &[Keyword] = &[
    Keyword::BecomeExe,
    Keyword::BecomeFlags,
    Keyword::BecomeMethod,
    Keyword::BecomeUser,
    Keyword::Connection,
    Keyword::Debugger,
    Keyword::FactPath,
    Keyword::Name,
    Keyword::RemoteUser,
    Keyword::Strategy,
];

/// The loops that people write.
const LOOPS: &[&str] = &[
    "with_dict",
    "with_fileglob",
    "with_first_found",
    "with_flattened",
    "with_indexed_items",
    "with_items",
    "with_lines",
    "with_list",
    "with_nested",
    "with_sequence",
    "with_subelements",
    "with_together",
];

/// "Not valid here", with what may be meant.
pub(super) fn not_valid(key: &Node, place: Place) -> Diagnostic {
    let name = key.as_str().unwrap_or_default();
    let diagnostic = key.error(format!("'{name}' is not a valid attribute for a {place}"));
    if let Some(row) = Keyword::row_named(name) {
        let places: Vec<String> = row.places.iter().map(|place| format!("`{place}`")).collect();
        return diagnostic.hint(format!("`{name}` belongs to {}", places.join(", ")));
    }
    let here = KEYWORDS.iter().filter(|row| row.places.contains(&place)).map(|row| row.name);
    let loops = LOOPS.iter().copied().filter(|_| place == Place::Task || place == Place::Handler);
    match did_you_mean(name, here.chain(loops)) {
        Some(meant) => diagnostic.hint(format!("did you mean `{meant}`?")),
        None => diagnostic,
    }
}

fn take_tags(value: &Node, keywords: &mut Keywords, diagnostics: &mut Diagnostics) {
    if value.as_mapping().is_some() {
        return;
    }
    for tag in tags_of(value) {
        match &tag.value {
            Value::List(_) | Value::Map(_) => {
                diagnostics.push(tag.error(format!("a tag must be a text, found a {}", tag.value.type_name())))
            }
            _ => keywords.tags.push(tag),
        }
    }
    const RESERVED: &[&str] = &["all", "tagged", "untagged"];
    let reserved: Vec<String> = list_of(value)
        .iter()
        .filter_map(|tag| tag.value.as_str())
        .filter(|tag| RESERVED.contains(tag))
        .map(|tag| format!("'{tag}'"))
        .collect();
    if !reserved.is_empty() {
        let message = format!(
            "Found reserved tagnames in tags: [{}], we do not recommend doing this as it might give unexpected results",
            reserved.join(", ")
        );
        diagnostics.push(value.warning(message));
    }
}

/// The tags of a list, each as it stands, or those of a text that has them between commas: even one that is a template.
pub(super) fn tags_of(node: &Node) -> Vec<Spanned<Value>> {
    match (node.as_str().filter(|text| text.contains(',')), node.to_value()) {
        (Some(_), Value::Text(text)) => {
            let part = |tag: &str| if text.is_trusted() { Text::trusted(tag, None) } else { Text::from(tag) };
            let parts = text.as_str().split(',').map(|tag| Value::Text(part(tag.trim())));
            parts.map(|tag| Spanned::new(tag, node.span.clone())).collect()
        }
        _ => list_of(node),
    }
}

/// What a name of a variable is made of.
pub(super) const VARIABLE_NAME: &str = "a variable's name is made of letters, digits and `_`, and begins with no digit";

/// A node as value with its place.
pub(super) fn spanned(node: &Node) -> Spanned<Value> {
    Spanned::new(node.to_value(), node.span.clone())
}

/// The conditions of a `when`: one that is null is none.
pub(super) fn conditions(node: &Node) -> impl Iterator<Item = Spanned<Value>> {
    list_of(node).into_iter().filter(|condition| !condition.value.is_null())
}

/// The items of a list, or the one value as the only item; nothing for null.
pub(super) fn list_of(node: &Node) -> Vec<Spanned<Value>> {
    match node.as_sequence() {
        Some(items) => items.iter().map(spanned).collect(),
        None if node.is_null() => Vec::new(),
        None => vec![spanned(node)],
    }
}

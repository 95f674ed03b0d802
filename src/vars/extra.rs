//! Extra variables, in all forms that `-e` takes: `key=value`, YAML or JSON text, `@file`.

use std::path::Path;
use std::sync::Arc;

use super::{HashBehaviour, Layer, Precedence, files, key_values};
use crate::source::{Diagnostic, Diagnostics, Source, Span};
use crate::value::{Key, ListMerge, Map, Recursive, Text, Value, merge_into};
use crate::vault::Vault;

/// The layer of all `-e` arguments, later ones over earlier ones; relative files are below `folder`.
pub fn extra_vars(
    arguments: &[String],
    folder: &Path,
    vault: &Vault,
    behaviour: HashBehaviour,
    diagnostics: &mut Diagnostics,
) -> Arc<Layer> {
    let recursive = if behaviour == HashBehaviour::Merge { Recursive::Yes } else { Recursive::No };
    let mut vars = Map::new();
    for argument in arguments {
        if let Some(found) = one(argument, folder, vault, diagnostics) {
            merge_into(&mut vars, &found, recursive, ListMerge::Replace);
        }
    }
    Layer::new(Precedence::Extra, Precedence::Extra.describe(), vars)
}

fn one(argument: &str, folder: &Path, vault: &Vault, diagnostics: &mut Diagnostics) -> Option<Map> {
    let source = Source::named("<CLI option '-e'>", argument);
    let whole = Span::new(&source, 0, argument.len());
    if let Some(name) = argument.strip_prefix('@') {
        return file(&folder.join(name), &whole, vault, diagnostics);
    }
    match argument.chars().next() {
        Some('/' | '.') => {
            let error = Diagnostic::error(format!("Please prepend extra_vars filename '{argument}' with '@'"));
            diagnostics.push(error.at(&whole).hint(format!("write `-e @{argument}`")));
            None
        }
        Some('[' | '{') => map_of(&source, diagnostics),
        _ => pairs(&source, &whole, diagnostics),
    }
}

fn file(path: &Path, argument: &Span, vault: &Vault, diagnostics: &mut Diagnostics) -> Option<Map> {
    match vault.read_source(path) {
        Ok(source) => map_of(&source, diagnostics),
        Err(error) => {
            diagnostics.push(files::unreadable(path, "extra variables from ", &error).at(argument));
            None
        }
    }
}

/// What is said of extra variables that are no map.
pub const INVALID_EXTRA_VARS: &str = "Invalid extra vars data supplied";

fn map_of(source: &Arc<Source>, diagnostics: &mut Diagnostics) -> Option<Map> {
    let mut found = Diagnostics::new();
    let map = files::map_of(source, KIND, &mut found);
    for mut diagnostic in found.into_sorted() {
        if diagnostic.message.ends_with(KIND) {
            diagnostic.message = format!("{INVALID_EXTRA_VARS}: {}", diagnostic.message);
        }
        diagnostics.push(diagnostic);
    }
    map
}

const KIND: &str = "extra variables";

fn pairs(source: &Arc<Source>, whole: &Span, diagnostics: &mut Diagnostics) -> Option<Map> {
    match key_values(source.text(), None) {
        Ok(found) => {
            let text = |value: String, place| Value::Text(Text::trusted(value, Some(place)));
            let entries = found.options.into_iter().map(|option| {
                let place = Span::new(source, option.value_at.start, option.value_at.end);
                (Key::from(option.key), text(option.value, place))
            });
            Some(entries.collect())
        }
        Err(error) => {
            diagnostics.push(Diagnostic::error(error.to_string()).at(whole));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], shown: &str) {
        check_merging(arguments, HashBehaviour::Replace, shown);
    }

    fn check_merging(arguments: &[&str], behaviour: HashBehaviour, shown: &str) {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut diagnostics = Diagnostics::new();
        let layer = extra_vars(&arguments, Path::new("/nowhere"), &Vault::default(), behaviour, &mut diagnostics);
        let errors: String = diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        assert_eq!(format!("{:?}{errors}", Value::Map(Arc::clone(&layer.vars))), shown);
    }

    #[test]
    fn maps_are_merged_where_the_settings_say_so() {
        let arguments = ["{d: {a: 1, n: {x: 1}, l: [1]}}", "{d: {b: 2, n: {y: 2}, l: [2]}}"];
        check_merging(&arguments, HashBehaviour::Replace, r#"{"d":{"b":2,"n":{"y":2},"l":[2]}}"#);
        check_merging(&arguments, HashBehaviour::Merge, r#"{"d":{"a":1,"n":{"x":1,"y":2},"l":[2],"b":2}}"#);
    }

    #[test]
    fn all_forms_of_extra_vars_are_read() {
        check(&["a=1 b='x y'", "a=2"], r#"{"a":"2","b":"x y"}"#);
        check(&["{a: yes, b: [1]}", r#"{"c": null}"#], r#"{"a":true,"b":[1],"c":null}"#);
        check(&["a={{ 5 }}", "", "foo"], r#"{"a":"{{ 5 }}"}"#);
        check(&["[1]"], "{}Invalid extra vars data supplied: found a list, expected a map of extra variables");
        check(&["/x"], "{}Please prepend extra_vars filename '/x' with '@'");
        check(&["@x.yml"], "{}failed to read extra variables from `/nowhere/x.yml`: No such file or directory (os error 2)");
    }
}

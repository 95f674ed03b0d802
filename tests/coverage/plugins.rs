//! Which filters, tests and lookups a text uses, as far as its letters tell.

use std::collections::BTreeSet;

/// Each as `filter join`; names of `ansible.builtin` without it.
pub fn used(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (start, word) in words(text) {
        let name = word.strip_prefix("ansible.builtin.").unwrap_or(word);
        for kind in kinds(&text[..start], &text[start + word.len()..], name) {
            found.insert(format!("{kind} {}", name.strip_prefix("with_").filter(|_| kind == "lookup").unwrap_or(name)));
        }
    }
    found
}

/// Names, dots and all, and where they start.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    text.split(move |c| !is_part(c))
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

fn kinds(before: &str, after: &str, name: &str) -> Vec<&'static str> {
    let blank = [' ', '\t'];
    let line = before.trim_end_matches(blank);
    let mut kinds = Vec::new();
    if line.ends_with('|') || line.ends_with("{% filter") || line.ends_with("{%- filter") {
        kinds.push("filter");
    }
    let spaced = line.len() < before.len();
    if spaced && [" is", " is not"].iter().any(|word| line.ends_with(word)) {
        kinds.push("test");
    }
    if name.starts_with("with_") && after.starts_with(':') {
        kinds.push("lookup");
    }
    let Some(quote) = before.chars().next_back().filter(|c| matches!(c, '\'' | '"')) else { return kinds };
    if !after.starts_with(quote) {
        return kinds;
    }
    let call = before[..before.len() - 1].trim_end_matches(blank);
    let in_call = |names: &[&str]| names.iter().any(|name| call.ends_with(&format!("{name}(")));
    if in_call(&["map"]) {
        kinds.push("filter");
    }
    // The second argument of `selectattr`.
    let second = call.strip_suffix(',').and_then(|first| first.rsplit_once('('));
    let of_attribute = second.is_some_and(|(name, first)| {
        (name.ends_with("selectattr") || name.ends_with("rejectattr")) && !first.contains([',', ')']) && first.len() > 2
    });
    if in_call(&["select", "reject"]) || of_attribute {
        kinds.push("test");
    }
    if in_call(&["lookup", "query", " q", "{q"]) {
        kinds.push("lookup");
    }
    kinds
}

//! Every module's options are Ansible's: names, aliases, types, defaults, choices; `record-options` writes the table of facts.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use driftless_modules::{Json, registry, spec::Opt};

/// Options that Ansible's modules take though its documentation does not list them.
const UNDOCUMENTED: &[(&str, &str)] =
    &[("command", "executable"), ("shell", "argv"), ("shell", "expand_argument_vars"), ("shell", "strip_empty_ends")];

/// Options documented as text that are handed on unread, so that lists stay lists.
const UNREAD: &[(&str, &str)] = &[("package", "name")];

#[derive(Debug, PartialEq, Eq)]
struct Fact {
    kind: String,
    elements: Option<String>,
    aliases: Vec<String>,
    choices: Vec<String>,
    default: Option<String>,
    required: bool,
}

#[test]
fn options_are_ansibles() {
    let table: BTreeMap<String, BTreeMap<String, Json>> = serde_json::from_str(include_str!("options.json")).unwrap();
    let mut wrong = Vec::new();
    for module in registry::all() {
        let spec = module.spec();
        let Some(facts) = table.get(spec.name) else { continue };
        for (name, fact) in facts.iter().filter(|(name, _)| *name != "free_form") {
            let missing = spec.missing.iter().any(|(missing, _)| missing == name);
            match spec.table.options.iter().find(|opt| opt.name == name) {
                Some(opt) => {
                    let (ours, mut theirs) = (of_opt(opt), of_doc(fact));
                    if UNREAD.contains(&(spec.name, opt.name)) {
                        "raw".clone_into(&mut theirs.kind);
                    }
                    if ours != theirs {
                        wrong.push(format!("{}.{name}:\n  ours   {ours:?}\n  theirs {theirs:?}", spec.name));
                    }
                }
                None if missing => {}
                None => wrong.push(format!("{}.{name} is neither an option nor in `MISSING`", spec.name)),
            }
        }
        for opt in spec.table.options.iter().filter(|opt| !opt.is_internal()) {
            if !facts.contains_key(opt.name) && !UNDOCUMENTED.contains(&(spec.name, opt.name)) {
                wrong.push(format!("{}.{} is not an option of Ansible's", spec.name, opt.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn of_opt(opt: &Opt) -> Fact {
    Fact {
        kind: opt.kind.name().to_owned(),
        elements: opt.elements.map(|kind| kind.name().to_owned()),
        aliases: sorted(opt.aliases.iter().map(|alias| (*alias).to_owned())),
        choices: sorted(opt.choices.iter().map(|choice| (*choice).to_owned())),
        default: opt.default.as_ref().map(plain),
        required: opt.required,
    }
}

fn of_doc(fact: &Json) -> Fact {
    let texts = |key: &str| sorted(fact[key].as_array().into_iter().flatten().map(plain));
    let kind = match fact["type"].as_str().unwrap() {
        "jsonarg" => "json",
        kind => kind,
    };
    let default = fact.get("default").map(plain).map(|text| if kind == "bool" { truth(&text) } else { text });
    Fact {
        kind: kind.to_owned(),
        // A list whose documentation does not say holds anything.
        elements: (kind == "list").then(|| fact["elements"].as_str().unwrap_or("raw").to_owned()),
        aliases: texts("aliases"),
        choices: texts("choices"),
        default,
        required: fact["required"].as_bool().unwrap_or(false),
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts
}

/// Documentation writes `no` and `false` alike.
fn truth(text: &str) -> String {
    match text {
        "no" => "false",
        "yes" => "true",
        other => other,
    }
    .to_owned()
}

/// A value as text.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

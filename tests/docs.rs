//! The reference in `docs/` is made of the tables that the program itself reads; this holds that it is fresh.
//!
//! `DRIFTLESS_DOCS=write cargo test --test docs` writes it anew.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use driftless::action;
use driftless::config::{Effect, OTHERS, SETTINGS};
use driftless::playbook::{Inherit, KEYWORDS, Place};
use driftless_modules::Json;
use driftless_modules::spec::{Constraint, Opt, Spec, Support, Table};

#[test]
fn modules_are_fresh() {
    let mut pages: BTreeMap<String, String> = specs().map(|(name, spec)| (format!("{name}.md"), module_page(spec))).collect();
    pages.insert("README.md".to_owned(), module_index());
    for file in fs::read_dir(folder().join("modules")).into_iter().flatten() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if !pages.contains_key(name) {
            assert!(writes(), "docs/modules/{name} is of no module: {HINT}");
            fs::remove_file(&path).unwrap();
        }
    }
    check(pages.iter().map(|(name, page)| (format!("modules/{name}"), page.clone())));
}

#[test]
fn keywords_are_fresh() {
    check([("keywords.md".to_owned(), keywords())]);
}

#[test]
fn settings_are_fresh() {
    check([("settings.md".to_owned(), settings())]);
}

const HINT: &str = "`DRIFTLESS_DOCS=write cargo test --test docs` makes docs/ fresh";

fn writes() -> bool {
    std::env::var_os("DRIFTLESS_DOCS").is_some_and(|value| value == "write")
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))
}

fn check(pages: impl IntoIterator<Item = (String, String)>) {
    let mut stale = Vec::new();
    for (name, page) in pages {
        let path = folder().join(&name);
        if fs::read_to_string(&path).is_ok_and(|there| there == page) {
            continue;
        }
        if writes() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, page).unwrap();
        } else {
            stale.push(format!("docs/{name}"));
        }
    }
    assert!(stale.is_empty(), "{} not as the tables say: {HINT}", stale.join(", "));
}

fn specs() -> impl Iterator<Item = (&'static str, &'static Spec)> {
    action::names().into_iter().filter_map(|name| Some((name, action::spec(name)?)))
}

fn module_index() -> String {
    let mut out = String::from(
        "# Modules\n\nEach is also known as `ansible.builtin.<name>`.\n\n| module | is for | `--check` | `--diff` |\n|---|---|---|---|\n",
    );
    for (name, spec) in specs() {
        writeln!(out, "| [`{name}`]({name}.md) | {} | {} | {} |", cell(spec.summary), support(spec.check), support(spec.diff)).unwrap();
    }
    // The half of `unarchive` that asks the host is a module.
    let own: Vec<String> = action::names()
        .into_iter()
        .filter(|name| action::spec(name).is_none() && *name != "unarchive")
        .map(|name| format!("`{name}`"))
        .collect();
    if !own.is_empty() {
        writeln!(out, "\nDone by the controller, with the options that Ansible documents: {}.", own.join(", ")).unwrap();
    }
    out + "\nPart of the language itself: `meta`, `include_tasks`, `include_role`, `import_tasks`, `import_role`, `import_playbook`.\n"
}

fn module_page(spec: &Spec) -> String {
    let mut out = format!("# {}\n\n{}\n\n", spec.name, spec.summary);
    writeln!(out, "Check mode: {}. Diff: {}.\n", support(spec.check), support(spec.diff)).unwrap();
    if let Some(option) = spec.free_form {
        writeln!(out, "A text without `key=` is `{option}`.\n").unwrap();
    }
    if spec.returns_facts {
        out += "It may return facts.\n\n";
    }
    if spec.table.options.iter().any(|option| !option.is_internal()) {
        out += "## Options\n\n| option | type | default | is |\n|---|---|---|---|\n";
        option_rows(&mut out, &spec.table, "");
    }
    let rules: Vec<String> = spec.table.constraints.iter().filter_map(rule).collect();
    if !rules.is_empty() {
        write!(out, "\n## Rules\n\n{}", rules.concat()).unwrap();
    }
    if !spec.missing.is_empty() {
        out += "\n## Not yet\n\nUsing one of these is an error that names it.\n\n";
        for (option, why) in spec.missing {
            writeln!(out, "- `{option}`: {why}").unwrap();
        }
    }
    for (index, example) in spec.examples.iter().enumerate() {
        let title = if index == 0 { "\n## Examples\n" } else { "" };
        write!(out, "{title}\n```yaml\n{}\n```\n", example.trim_end()).unwrap();
    }
    out
}

fn option_rows(out: &mut String, table: &Table, prefix: &str) {
    let mut options: Vec<&Opt> = table.options.iter().filter(|option| !option.is_internal()).collect();
    options.sort_by_key(|option| option.name);
    for option in options {
        let name = format!("{prefix}{}", option.name);
        let kind = match option.elements {
            Some(elements) => format!("{} of {}", option.kind.name(), elements.name()),
            None => option.kind.name().to_owned(),
        };
        let default = match &option.default {
            _ if option.required => "required".to_owned(),
            Some(default) => format!("`{}`", cell(&default.to_string())),
            None => String::new(),
        };
        let mut text = option.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        if !option.choices.is_empty() {
            write!(text, " One of {}.", names(option.choices)).unwrap();
        }
        if !option.aliases.is_empty() {
            write!(text, " Also: {}.", names(option.aliases)).unwrap();
        }
        if option.secret {
            text += " Never shown.";
        }
        writeln!(out, "| `{name}` | {kind} | {default} | {} |", cell(&text)).unwrap();
        if let Some(inner) = &option.suboptions {
            option_rows(out, inner, &format!("{name}."));
        }
    }
}

/// A rule as a line; none for rules about what only the controller sets.
fn rule(constraint: &Constraint) -> Option<String> {
    let public = |options: &[&str]| options.iter().all(|option| !option.starts_with('_'));
    let (options, text) = match constraint {
        Constraint::MutuallyExclusive(options) => (options, format!("At most one of {}.", names(options))),
        Constraint::RequiredOneOf(options) => (options, format!("At least one of {}.", names(options))),
        Constraint::RequiredTogether(options) => (options, format!("All or none of {}.", names(options))),
        Constraint::RequiredIf { option, value, needs, any } => {
            let how = if *any { "at least one of " } else { "" };
            (needs, format!("`{option}: {}` needs {how}{}.", plain(value), names(needs)))
        }
        Constraint::RequiredBy { option, needs } => (needs, format!("`{option}` needs {}.", names(needs))),
    };
    public(options).then(|| format!("- {text}\n"))
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn keywords() -> String {
    let mut out = String::from("# Keywords\n\n| keyword | may stand in | what is inside gets |\n|---|---|---|\n");
    for row in KEYWORDS {
        let places: Vec<&str> = row.places.iter().map(|place| place_name(*place)).collect();
        let inherit = match row.inherit {
            Inherit::No => "",
            Inherit::Override => "this, unless it says its own",
            Inherit::OuterFirst => "all: the outer first, then its own",
            Inherit::InnerFirst => "all: its own first, then the outer",
        };
        writeln!(out, "| `{}` | {} | {inherit} |", row.name, places.join(", ")).unwrap();
    }
    out + "\n`with_<lookup>` stands for a loop over that lookup, and a module's name for `action`.\n"
}

fn place_name(place: Place) -> &'static str {
    match place {
        Place::Play => "play",
        Place::Role => "role",
        Place::Block => "block",
        Place::Task => "task",
        Place::Handler => "handler",
        Place::LoopControl => "loop_control",
    }
}

fn settings() -> String {
    let mut out = String::from(
        "# Settings\n\nThe file is the first of `$ANSIBLE_CONFIG`, `./ansible.cfg`, `~/.ansible.cfg` and `/etc/ansible/ansible.cfg`. The environment wins over \
         the file, the command line over both. `driftless config dump` shows what is set, and where.\n\n## With effect\n\n\
         | in the file | in the environment | by default | is |\n|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let Effect::Here(doc) = setting.effect else { continue };
        let choices = if setting.choices.is_empty() { String::new() } else { format!(" One of {}.", names(setting.choices)) };
        let default = setting.default.filter(|text| !text.is_empty()).map(|text| format!("`{}`", cell(text))).unwrap_or_default();
        writeln!(out, "| {} | {} | {default} | {}{choices} |", names(setting.ini), names(setting.env), cell(doc)).unwrap();
    }
    out += "\n## Known, and without effect\n\nNothing is said where one of these is set: a run means the same without it.\n\n";
    out += "| in the file | in the environment | why |\n|---|---|---|\n";
    without_effect(&mut out, |effect| if let Effect::Quiet(why) = effect { Some(why) } else { None });
    out += "\n## Known, without effect, and a warning\n\nSetting one of these would change what a run does with ansible-core, and does not here.\n\n";
    out += "| in the file | in the environment | why |\n|---|---|---|\n";
    without_effect(&mut out, |effect| if let Effect::Warned(why) = effect { Some(why) } else { None });
    out + "\nA setting that nobody knows is a warning, too, in the sections named above.\n"
}

fn without_effect(out: &mut String, why: impl Fn(Effect) -> Option<&'static str>) {
    let shown = OTHERS.iter().filter(|setting| !setting.ini.is_empty() || !setting.env.is_empty());
    for (setting, why) in shown.filter_map(|setting| Some((setting, why(setting.effect)?))) {
        writeln!(out, "| {} | {} | {} |", names(setting.ini), names(setting.env), cell(why)).unwrap();
    }
}

fn names(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{}`", cell(name))).collect::<Vec<_>>().join(", ")
}

/// Text that a table's cell can hold.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn support(support: Support) -> &'static str {
    match support {
        Support::Full => "full",
        Support::Partial => "partial",
        Support::None => "none",
    }
}

//! Every keyword, filter, test and lookup has a case beside real Ansible: `docs/coverage.md` names one for each, and this holds
//! that the case is there and uses it.
//!
//! `DRIFTLESS_DOCS=write cargo test --test coverage` looks for cases of what has none yet; what is named already stays.

#![allow(clippy::unwrap_used)]

#[path = "coverage/cases.rs"]
mod cases;
#[path = "coverage/keywords.rs"]
mod keywords;
#[path = "coverage/names.rs"]
mod names;
#[path = "coverage/plugins.rs"]
mod plugins;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use driftless::playbook::{KEYWORDS, Place};
use driftless::template::{collection, filter, lookup, test};

use cases::Cases;

const HINT: &str = "`DRIFTLESS_DOCS=write cargo test --test coverage` looks for cases";
const PLACES: [(Place, &str); 6] = [
    (Place::Play, "play"),
    (Place::Role, "role"),
    (Place::Block, "block"),
    (Place::Task, "task"),
    (Place::Handler, "handler"),
    (Place::LoopControl, "loop_control"),
];

/// What waits for its floor, and so has no case yet.
const WAITING: [&str; 6] =
    ["filter unvault", "filter vault", "lookup config", "lookup unvault", "test vault_encrypted", "test vaulted_file"];

/// One thing that wants a case: `filter join`, `keyword when on block`.
type Row = (String, Vec<String>);

#[test]
fn everything_of_the_language_has_a_case() {
    let cases = Cases::read();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let named = named_cases(&committed);
    let mut chosen = BTreeMap::new();
    let mut wrong = Vec::new();
    for (row, users) in rows(&cases) {
        let kept = named.get(&row).filter(|case| users.contains(case));
        match kept.or(users.first()) {
            Some(case) => {
                chosen.insert(row, case.clone());
            }
            None if WAITING.contains(&row.as_str()) => {}
            None => wrong.push(format!("{row}: no case uses it")),
        }
    }
    let page = page(&chosen);
    if std::env::var_os("DRIFTLESS_DOCS").is_some_and(|value| value == "write") {
        fs::write(&path, &page).unwrap();
    } else if page != committed {
        wrong.push(format!("docs/coverage.md is not fresh: {HINT}"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_of_ansible_core_is_in_the_tables() {
    let known = |tables: [&[&'static str]; 3]| tables.map(|names| names.iter().copied().collect::<BTreeSet<_>>());
    let expected = known([names::FILTERS, names::TESTS, names::LOOKUPS]);
    let [filters, tests, lookups] = plugin_names();
    for (kind, (wanted, there)) in ["filter", "test", "lookup"].into_iter().zip(expected.iter().zip([filters, tests, lookups])) {
        let own: BTreeSet<&str> = there.into_iter().filter(|name| !name.contains('.')).collect();
        assert_eq!(&own, wanted, "the table of the {kind}s");
    }
}

fn plugin_names() -> [Vec<&'static str>; 3] {
    let mut names = [
        filter::FILTERS.iter().chain(collection::FILTERS).flat_map(|family| family.iter()).map(|row| row.name).collect::<Vec<_>>(),
        test::TESTS.iter().chain(collection::TESTS).flat_map(|family| family.iter()).map(|row| row.name).collect(),
        lookup::LOOKUPS.iter().chain(collection::LOOKUPS).flat_map(|family| family.iter()).map(|row| row.name).collect(),
    ];
    // The signs (`==`, `<`) are tests too, and operators more than that.
    names.iter_mut().for_each(|names| {
        names.retain(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()));
        names.sort_unstable();
    });
    names
}

/// Everything that wants a case, each with the cases that use it, best first.
fn rows(cases: &Cases) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for keyword in KEYWORDS {
        for (place, shown) in PLACES.iter().filter(|(place, _)| keyword.places.contains(place)) {
            rows.push((format!("keyword {} on {shown}", keyword.name), cases.of_keyword(keyword.name, *place)));
        }
    }
    for (kind, names) in ["filter", "test", "lookup"].into_iter().zip(plugin_names()) {
        for name in names {
            rows.push((format!("{kind} {name}"), cases.of_plugin(kind, name)));
        }
    }
    rows
}

fn page(chosen: &BTreeMap<String, String>) -> String {
    let mut out = String::from(
        "# Coverage\n\nFor everything of the language one case that fails without it: a folder of `tests/conformance/cases`, recorded from \
         ansible-core, or a file of recorded expressions.\n\n## Keywords\n\nWhere a keyword may not stand, its cell is empty.\n\n\
         | keyword | play | role | block | task | handler | loop_control |\n|---|---|---|---|---|---|---|\n",
    );
    for row in KEYWORDS {
        let cells = PLACES.iter().map(|(place, shown)| {
            let case = chosen.get(&format!("keyword {} on {shown}", row.name)).map_or(String::new(), String::clone);
            if case.is_empty() && row.places.contains(place) { "not yet".to_owned() } else { case }
        });
        writeln!(out, "| `{}` | {} |", row.name, cells.collect::<Vec<_>>().join(" | ")).unwrap();
    }
    for (kind, names) in ["filter", "test", "lookup"].into_iter().zip(plugin_names()) {
        let title = format!("{}{}s", kind[..1].to_uppercase(), &kind[1..]);
        write!(out, "\n## {title}\n\n| {kind} | case |\n|---|---|\n").unwrap();
        for name in names {
            let case = chosen.get(&format!("{kind} {name}")).map_or("not yet", String::as_str);
            writeln!(out, "| `{name}` | {case} |").unwrap();
        }
    }
    out
}

/// The rows of a page as it was written.
fn named_cases(page: &str) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim_end_matches('s').to_lowercase();
        }
        let Some((name, cells)) = line.strip_prefix("| `").and_then(|row| row.split_once("` | ")) else { continue };
        let cells: Vec<&str> = cells.trim_end_matches('|').split(" | ").map(str::trim).collect();
        if section == "keyword" {
            for ((_, place), case) in PLACES.iter().zip(cells) {
                named.insert(format!("keyword {name} on {place}"), case.to_owned());
            }
        } else {
            named.insert(format!("{section} {name}"), cells[0].to_owned());
        }
    }
    named
}

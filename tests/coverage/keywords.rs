//! Which keywords a playbook or a file of tasks uses, and where they stand.

use std::path::Path;

use driftless::playbook::Place;
use driftless::source::{Diagnostics, Source};
use driftless::yaml::{self, Node};

/// The name of a place in tables.
pub fn name_of(place: Place) -> &'static str {
    match place {
        Place::Play => "play",
        Place::Role => "role",
        Place::Block => "block",
        Place::Task => "task",
        Place::Handler => "handler",
        Place::LoopControl => "loop_control",
    }
}

/// Every keyword of a file.
pub fn used(path: &Path, text: &str) -> Vec<(String, Place)> {
    let mut found = Vec::new();
    let documents = yaml::load(&Source::named("a case", text), &mut Diagnostics::new());
    let entries = documents.iter().filter_map(Node::as_sequence).flatten();
    let of_handlers = path.components().any(|part| part.as_os_str() == "handlers");
    for entry in entries {
        if entry.get("hosts").is_some() {
            play(entry, &mut found);
        } else if entry.get("import_playbook").is_none() {
            task(entry, if of_handlers { Place::Handler } else { Place::Task }, &mut found);
        }
    }
    found
}

fn keys(node: &Node, place: Place, found: &mut Vec<(String, Place)>) {
    let entries = node.as_mapping().into_iter().flatten();
    found.extend(entries.filter_map(|(key, _)| Some((key.as_str()?.to_owned(), place))));
}

fn list<'n>(node: &'n Node, key: &str) -> impl Iterator<Item = &'n Node> {
    node.get(key).and_then(Node::as_sequence).into_iter().flatten()
}

fn play(node: &Node, found: &mut Vec<(String, Place)>) {
    keys(node, Place::Play, found);
    for role in list(node, "roles") {
        keys(role, Place::Role, found);
    }
    for section in ["pre_tasks", "tasks", "post_tasks"] {
        list(node, section).for_each(|entry| task(entry, Place::Task, found));
    }
    list(node, "handlers").for_each(|entry| task(entry, Place::Handler, found));
}

fn task(node: &Node, place: Place, found: &mut Vec<(String, Place)>) {
    if node.get("block").is_none() {
        keys(node, place, found);
        if let Some(control) = node.get("loop_control") {
            keys(control, Place::LoopControl, found);
        }
        return;
    }
    keys(node, Place::Block, found);
    for section in ["block", "rescue", "always"] {
        list(node, section).for_each(|entry| task(entry, place, found));
    }
}

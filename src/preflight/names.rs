//! Variables that nothing can define: no host, group, file, role, task, fact or option of the command line.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use super::files::OF_TEMPLATE;
use super::reach::{ReachedPlay, has_item};
use super::task::Findings;
use super::texts::{Texts, Undefined};
use super::{Name, Site};
use crate::playbook::did_you_mean;
use crate::source::{Diagnostic, Diagnostics, Severity, Span, absolute};
use crate::template::{NameUse, Templar, is_global};
use crate::value::Value;
use crate::vars::{MAGIC_NAMES, VarWorld};

/// What Ansible itself defines beside [`MAGIC_NAMES`]; all that begins like a fact is taken for one.
const OF_TASK: &str = "_task";
const FACTS: &[&str] = &["ansible_", "facter_", "getent_", "ohai_"];

/// Uses of variables that are undefined whatever happens.
pub fn undefined(site: &Site<'_>, plays: &[(&ReachedPlay, &[Findings])]) -> Vec<Diagnostic> {
    let mut worlds = Worlds { site, by_folder: HashMap::new(), mistakes: Vec::new() };
    for (play, _) in plays {
        worlds.of(play);
    }
    // What a file defines that cannot be read is not known.
    if !worlds.mistakes.is_empty() {
        return worlds.mistakes;
    }
    plays.iter().flat_map(|(play, findings)| of_play(site, play, findings, &mut worlds)).collect()
}

fn of_play(site: &Site<'_>, play: &ReachedPlay, findings: &[Findings], worlds: &mut Worlds<'_>) -> Vec<Diagnostic> {
    if play.definable.is_open {
        return Vec::new();
    }
    let gates: HashSet<&Name> = findings.iter().filter(|found| found.is_gate).flat_map(|found| &found.guarded).collect();
    let mut judge = Judge { play, worlds, known: HashMap::new() };
    let mut mistakes = Vec::new();
    let mut used: Vec<Name> = Vec::new();
    for (reached, found) in play.tasks.iter().zip(findings) {
        let own_item = reached.has_item || has_item(&reached.task);
        for name_use in &found.names {
            let name = &name_use.name;
            let is_optional = found.guarded.contains(name) || gates.contains(name) || (&**name == "item" && own_item);
            if is_optional {
                continue;
            }
            if judge.is_known(name) {
                used.push(std::sync::Arc::clone(name));
            } else {
                mistakes.push(judge.mistake(name_use, &reached.task.span));
            }
        }
    }
    let optional: HashSet<&Name> = findings.iter().flat_map(|found| &found.guarded).collect();
    mistakes.extend(in_values(site, &mut judge, used, &optional));
    mistakes
}

/// Follows the values of variables that are used, where each has one value only.
fn in_values(site: &Site<'_>, judge: &mut Judge<'_, '_>, used: Vec<Name>, optional: &HashSet<&Name>) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    let mut seen: HashSet<Name> = HashSet::new();
    let mut queue = used;
    while let Some(name) = queue.pop() {
        if !seen.insert(std::sync::Arc::clone(&name)) {
            continue;
        }
        let mut values = judge.play.definable.maps.iter().filter_map(|map| map.get(&name));
        let (Some(value), None) = (values.next(), values.next()) else { continue };
        let Value::Text(text) = value else { continue };
        if !Templar::is_template(value) || judge.play.definable.names.contains(&*name) || judge.worlds.of(judge.play).defines(&name) {
            continue;
        }
        let Some(origin) = text.origin() else { continue };
        let mut texts = Texts::new(site.engine);
        texts.templates(value, origin, Undefined::Fails);
        for name_use in &texts.names {
            let inner = &name_use.name;
            if texts.guarded.contains(inner) || optional.contains(inner) || &**inner == "item" || OF_TEMPLATE.contains(&&**inner) {
                continue;
            }
            if judge.is_known(inner) {
                queue.push(std::sync::Arc::clone(inner));
            } else {
                mistakes.push(judge.mistake(name_use, origin));
            }
        }
    }
    mistakes
}

/// Says which names are known in a play.
struct Judge<'a, 's> {
    play: &'a ReachedPlay,
    worlds: &'a mut Worlds<'s>,
    known: HashMap<Name, bool>,
}

impl Judge<'_, '_> {
    fn is_known(&mut self, name: &Name) -> bool {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let known = is_global(name)
            || MAGIC_NAMES.contains(&&**name)
            || &**name == OF_TASK
            || FACTS.iter().any(|prefix| name.starts_with(prefix))
            || self.play.definable.has(name)
            || self.worlds.of(self.play).defines(name)
            || self.worlds.of(self.play).has_unopened();
        self.known.insert(std::sync::Arc::clone(name), known);
        known
    }

    fn mistake(&mut self, used: &NameUse, around: &Span) -> Diagnostic {
        let name = &*used.name;
        let place = used.place.span().unwrap_or_else(|| around.clone());
        let diagnostic = Diagnostic::error(format!("'{name}' is undefined")).label(&place, "nothing defines it");
        if name == "item" {
            return diagnostic.hint("only a task with a loop has `item`");
        }
        let of_world = self.worlds.names(self.play);
        let names =
            self.play.definable.all_names().chain(of_world.iter().map(|name| &**name)).chain(MAGIC_NAMES.iter().copied()).chain([OF_TASK]);
        match did_you_mean(name, names) {
            Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
            None => diagnostic.hint("define it in the inventory, `vars`, a role or with `-e`; or say `default(…)` where it may be missing"),
        }
    }
}

/// The inventory's variables with the files beside each playbook, and their names where somebody asks for them.
struct Worlds<'s> {
    site: &'s Site<'s>,
    by_folder: HashMap<PathBuf, (VarWorld, Option<HashSet<Name>>)>,
    /// What is wrong with those files.
    mistakes: Vec<Diagnostic>,
}

impl Worlds<'_> {
    fn of(&mut self, play: &ReachedPlay) -> &VarWorld {
        &self.entry(play).0
    }

    fn names(&mut self, play: &ReachedPlay) -> &HashSet<Name> {
        let (world, names) = self.entry(play);
        names.get_or_insert_with(|| world.defined_names())
    }

    fn entry(&mut self, play: &ReachedPlay) -> &mut (VarWorld, Option<HashSet<Name>>) {
        let folder = absolute(&play.play.dir);
        let (site, mistakes) = (self.site, &mut self.mistakes);
        self.by_folder.entry(folder.clone()).or_insert_with(|| {
            let mut diagnostics = Diagnostics::new();
            let world = site.vars.with_playbook(&folder, &mut diagnostics);
            // Warnings are told when the play begins.
            mistakes.extend(diagnostics.into_sorted().into_iter().filter(|diagnostic| diagnostic.severity == Severity::Error));
            (world, None)
        })
    }
}

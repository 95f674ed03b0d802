//! Collections on disk (`ansible_collections/NAMESPACE/NAME`): where one is, its roles and playbooks, and what its `meta/runtime.yml`
//! says of the names in it. Source: "Using collections" and "Collection structure" of Ansible's documentation.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::source::{Diagnostics, Source};
use crate::value::{Map, Value};
use crate::yaml;

/// The collections that a run can find.
#[derive(Debug, Default)]
pub struct Collections {
    /// Folders that hold `ansible_collections/`, the first that has a collection wins.
    roots: RefCell<Vec<PathBuf>>,
    runtimes: RefCell<HashMap<String, Rc<Map>>>,
}

/// What a module's full name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// The module of this name, maybe after redirects; with what is to be said of the names on the way.
    To {
        /// Its name.
        name: String,
        /// Deprecations.
        warnings: Vec<String>,
        /// Whether a collection has a file of that name.
        file: bool,
    },
    /// It was removed; this says why.
    Removed(String),
    /// No collection has it, or redirects go round.
    Missing,
}

/// More redirects than any real collection chains.
const MOST_REDIRECTS: usize = 16;

impl Collections {
    /// Collections below these folders.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots: RefCell::new(roots), runtimes: RefCell::default() }
    }

    /// Looks in this folder's `collections/` too, before all others.
    pub fn add_beside(&self, folder: &Path) {
        let beside = folder.join("collections");
        let mut roots = self.roots.borrow_mut();
        if !roots.contains(&beside) && beside.join("ansible_collections").is_dir() {
            roots.insert(0, beside);
        }
    }

    /// The folder of `namespace.collection`.
    pub fn folder(&self, collection: &str) -> Option<PathBuf> {
        let (namespace, name) = collection.split_once('.')?;
        let inside = Path::new("ansible_collections").join(namespace).join(name);
        self.roots.borrow().iter().map(|root| root.join(&inside)).find(|path| path.is_dir())
    }

    /// The folder of a role by its full name, `namespace.collection.role`, and the collection it is of.
    pub fn role(&self, full: &str) -> Option<(PathBuf, String)> {
        let (collection, role) = split(full)?;
        let path = self.folder(&collection)?.join("roles").join(role.replace('.', "/"));
        path.is_dir().then_some((path, collection))
    }

    /// The file of a playbook by its full name.
    pub fn playbook(&self, full: &str) -> Option<PathBuf> {
        let (collection, playbook) = split(full)?;
        let base = self.folder(&collection)?.join("playbooks").join(playbook.trim_end_matches(".yml").replace('.', "/"));
        ["yml", "yaml"].iter().map(|ending| base.with_extension(ending)).find(|path| path.is_file())
    }

    /// Where the module of this full name leads.
    pub fn module(&self, full: &str) -> Routed {
        let (mut name, mut warnings) = (full.to_owned(), Vec::new());
        for _ in 0..MOST_REDIRECTS {
            let Some((collection, short)) = split(&name).filter(|(collection, _)| !is_own(collection)) else {
                return Routed::To { name, warnings, file: false };
            };
            let runtime = self.runtime(&collection);
            let entry = ["action", "modules"].iter().find_map(|kind| runtime.get("plugin_routing")?.get(kind)?.get(&short).cloned());
            if let Some(tombstone) = entry.as_ref().and_then(|entry| entry.get("tombstone")) {
                let when = removal(tombstone, &collection, "was removed");
                return Routed::Removed(format!("The '{name}' module has been removed. {}{when}", said(tombstone)));
            }
            if let Some(deprecation) = entry.as_ref().and_then(|entry| entry.get("deprecation")) {
                let when = removal(deprecation, &collection, "will be removed");
                warnings.push(format!("{name} has been deprecated. {}{when}", said(deprecation)));
            }
            match entry.as_ref().and_then(|entry| entry.get("redirect")).and_then(Value::as_str) {
                Some(next) => next.clone_into(&mut name),
                None if self.has_module(&collection, &short) => return Routed::To { name, warnings, file: true },
                None => return Routed::Missing,
            }
        }
        Routed::Missing
    }

    /// Full names of the modules in an action group, `namespace.collection.group`.
    pub fn action_group(&self, full: &str) -> Vec<String> {
        let (mut modules, mut groups, mut at) = (Vec::new(), vec![full.to_owned()], 0);
        while let Some(group) = groups.get(at).cloned() {
            at += 1;
            let Some((collection, short)) = split(&group) else { continue };
            let full_name = |name: &str| if name.matches('.').count() < 2 { format!("{collection}.{name}") } else { name.to_owned() };
            let runtime = self.runtime(&collection);
            let members = runtime.get("action_groups").and_then(|groups| groups.get(&short));
            for member in members.and_then(Value::as_list).into_iter().flatten() {
                let extended = member.get("metadata").and_then(|metadata| metadata.get("extend_group"));
                match (member, extended) {
                    (Value::Text(name), _) => modules.push(full_name(name.as_str())),
                    (_, Some(Value::List(more))) => {
                        let more = more.iter().filter_map(Value::as_str).map(full_name);
                        let new: Vec<String> = more.filter(|name| !groups.contains(name)).collect();
                        groups.extend(new);
                    }
                    _ => {}
                }
            }
        }
        modules
    }

    fn has_module(&self, collection: &str, short: &str) -> bool {
        let Some(folder) = self.folder(collection) else { return false };
        let inside = short.replace('.', "/");
        ["modules", "action"].iter().any(|kind| {
            let base = folder.join("plugins").join(kind).join(&inside);
            ["py", "ps1", "yml", "yaml"].iter().any(|ending| base.with_extension(ending).is_file()) || base.is_file()
        })
    }

    /// `meta/runtime.yml`; what cannot be read says nothing, as with Ansible.
    fn runtime(&self, collection: &str) -> Rc<Map> {
        if let Some(known) = self.runtimes.borrow().get(collection) {
            return Rc::clone(known);
        }
        let path = self.folder(collection).map(|folder| folder.join("meta/runtime.yml"));
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok().map(|text| Source::file(path, text)));
        let node = text.and_then(|source| yaml::load_one(&source, &mut Diagnostics::new()));
        let map = match node.map(|node| node.to_value()) {
            Some(Value::Map(map)) => Map::clone(&map),
            _ => Map::new(),
        };
        let map = Rc::new(map);
        self.runtimes.borrow_mut().insert(collection.to_owned(), Rc::clone(&map));
        map
    }
}

/// The collection that a playbook's folder is part of: `…/ansible_collections/NAMESPACE/NAME/playbooks/…`.
pub fn of_playbook_dir(folder: &Path) -> Option<String> {
    let parts: Vec<&str> = folder.iter().filter_map(|part| part.to_str()).collect();
    let at = parts.iter().rposition(|part| *part == "ansible_collections")?;
    match parts.get(at + 1..)? {
        [namespace, name, "playbooks", ..] => Some(format!("{namespace}.{name}")),
        _ => None,
    }
}

/// `namespace.collection` and the rest of a full name.
fn split(full: &str) -> Option<(String, String)> {
    let mut parts = full.splitn(3, '.');
    let (namespace, name, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let fine = [namespace, name].iter().all(|part| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !part.is_empty());
    (fine && !rest.is_empty() && !rest.contains(['/', '\\'])).then(|| (format!("{namespace}.{name}"), rest.to_owned()))
}

fn is_own(collection: &str) -> bool {
    matches!(collection, "ansible.builtin" | "ansible.legacy")
}

fn said(entry: &Value) -> String {
    match entry.get("warning_text").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) if text.ends_with(['.', '!', '?']) => format!("{text} "),
        Some(text) => format!("{text}. "),
        None => String::new(),
    }
}

fn removal(entry: &Value, collection: &str, verb: &str) -> String {
    let text = |key: &str| entry.get(key).map(crate::template::print::shown);
    match (text("removal_date"), text("removal_version")) {
        (Some(date), _) => format!("This feature {verb} from collection '{collection}' in a release after {date}."),
        (None, Some(version)) => format!("This feature {verb} from collection '{collection}' version {version}."),
        (None, None) => format!("This feature {verb} from collection '{collection}' in the future."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collections(runtime: &str) -> (tempfile::TempDir, Collections) {
        let folder = tempfile::tempdir().unwrap();
        let web = folder.path().join("ansible_collections/acme/web");
        for inside in ["meta", "roles/site", "plugins/modules", "playbooks"] {
            std::fs::create_dir_all(web.join(inside)).unwrap();
        }
        std::fs::write(web.join("meta/runtime.yml"), runtime).unwrap();
        std::fs::write(web.join("plugins/modules/own.py"), "").unwrap();
        std::fs::write(web.join("playbooks/go.yml"), "").unwrap();
        let collections = Collections::new(vec![folder.path().to_path_buf()]);
        (folder, collections)
    }

    fn to(name: &str, file: bool) -> Routed {
        Routed::To { name: name.to_owned(), warnings: Vec::new(), file }
    }

    #[test]
    fn names_are_routed() {
        let (_folder, collections) = collections(
            "plugin_routing: {modules: {say: {redirect: acme.web.say2}, say2: {redirect: ansible.builtin.debug}, round: {redirect: acme.web.round}, \
             gone: {tombstone: {removal_version: 2.0.0, warning_text: It is gone.}}}}",
        );
        assert_eq!(collections.module("acme.web.say"), to("ansible.builtin.debug", false));
        assert_eq!(collections.module("acme.web.own"), to("acme.web.own", true));
        assert_eq!(collections.module("acme.web.other"), Routed::Missing);
        assert_eq!(collections.module("acme.web.round"), Routed::Missing);
        let text =
            "The 'acme.web.gone' module has been removed. It is gone. This feature was removed from collection 'acme.web' version 2.0.0.";
        assert_eq!(collections.module("acme.web.gone"), Routed::Removed(text.to_owned()));
    }

    #[test]
    fn roles_and_playbooks_are_found() {
        let (folder, collections) = collections("");
        let web = folder.path().join("ansible_collections/acme/web");
        assert_eq!(collections.role("acme.web.site"), Some((web.join("roles/site"), "acme.web".to_owned())));
        assert_eq!(collections.role("acme.web.none"), None);
        assert_eq!(collections.role("acme.web.../../x"), None);
        assert_eq!(collections.playbook("acme.web.go"), Some(web.join("playbooks/go.yml")));
        assert_eq!(of_playbook_dir(&web.join("playbooks/sub")).as_deref(), Some("acme.web"));
        assert_eq!(of_playbook_dir(&web.join("roles")), None);
    }

    #[test]
    fn groups_hold_what_they_extend() {
        let (_folder, collections) = collections(
            "action_groups: {things: [say, {metadata: {extend_group: [acme.web.more]}}], more: [ansible.builtin.debug, {metadata: {extend_group: [things]}}]}",
        );
        assert_eq!(collections.action_group("acme.web.things"), ["acme.web.say", "ansible.builtin.debug"]);
    }
}

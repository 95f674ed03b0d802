//! Collections on disk (`ansible_collections/NAMESPACE/NAME`): where one is, its roles and playbooks, and what its `meta/runtime.yml`
//! says of the names in it. Source: "Using collections" and "Collection structure" of Ansible's documentation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use crate::source::{Diagnostics, Source};
use crate::template::PluginKind;
use crate::value::{Map, Value};
use crate::yaml;

/// The collections that a run can find.
#[derive(Debug, Default)]
pub struct Collections {
    /// Folders that hold `ansible_collections/`, the first that has a collection wins.
    roots: RwLock<Vec<PathBuf>>,
    runtimes: RwLock<HashMap<String, Arc<Map>>>,
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
    /// It was removed, or redirects go round; this says so.
    Refused(String),
    /// No collection has it.
    Missing,
}

impl Collections {
    /// Collections below these folders.
    pub fn new(roots: Vec<PathBuf>) -> Self {
        Self { roots: RwLock::new(roots), runtimes: RwLock::default() }
    }

    /// Looks in this folder's `collections/` too, before all others.
    pub fn add_beside(&self, folder: &Path) {
        let beside = folder.join("collections");
        let mut roots = self.roots.write().unwrap_or_else(PoisonError::into_inner);
        if !roots.contains(&beside) && beside.join("ansible_collections").is_dir() {
            roots.insert(0, beside);
        }
    }

    /// The folder of `namespace.collection`.
    pub fn folder(&self, collection: &str) -> Option<PathBuf> {
        let (namespace, name) = collection.split_once('.')?;
        let inside = Path::new("ansible_collections").join(namespace).join(name);
        self.roots.read().unwrap_or_else(PoisonError::into_inner).iter().map(|root| root.join(&inside)).find(|path| path.is_dir())
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
        let (mut name, mut warnings, mut path) = (full.to_owned(), Vec::new(), vec![full.to_owned()]);
        loop {
            let Some((collection, short)) = split(&name).filter(|(collection, _)| !is_own(collection)) else {
                return Routed::To { name, warnings, file: false };
            };
            let runtime = self.runtime(&collection);
            let entry = ["action", "modules"].iter().find_map(|kind| runtime.get("plugin_routing")?.get(kind)?.get(&short).cloned());
            if let Some(tombstone) = entry.as_ref().and_then(|entry| entry.get("tombstone")) {
                let when = removal(tombstone, &collection, "was removed");
                return Routed::Refused(format!("The '{name}' module has been removed. {}{when}", said(tombstone)));
            }
            if let Some(deprecation) = entry.as_ref().and_then(|entry| entry.get("deprecation")) {
                let when = removal(deprecation, &collection, "will be removed");
                warnings.push(format!("{name} has been deprecated. {}{when}", said(deprecation)));
            }
            match entry.as_ref().and_then(|entry| entry.get("redirect")).and_then(Value::as_str) {
                Some(next) if path.iter().any(|seen| seen == next) => return Routed::Refused(redirect_loop(&path)),
                Some(next) => {
                    next.clone_into(&mut name);
                    path.push(name.clone());
                }
                None if self.has_module(&collection, &short) => return Routed::To { name, warnings, file: true },
                None => return Routed::Missing,
            }
        }
    }

    /// Where the full name of a filter, a lookup or a test leads; or why it cannot. Nothing where no collection says anything of it.
    pub fn plugin(&self, kind: PluginKind, full: &str) -> Option<Result<String, String>> {
        let (mut name, mut path) = (full.to_owned(), vec![full.to_owned()]);
        loop {
            let entry = split(&name).filter(|(collection, _)| !is_own(collection)).and_then(|(collection, short)| {
                let entry = self.runtime(&collection).get("plugin_routing")?.get(kind.name())?.get(&short).cloned();
                Some((collection, entry?))
            });
            let Some((collection, entry)) = entry else {
                return (path.len() > 1).then_some(Ok(name));
            };
            if let Some(tombstone) = entry.get("tombstone") {
                let when = removal(tombstone, &collection, "was removed");
                return Some(Err(format!("The '{name}' {} plugin has been removed. {}{when}", kind.name(), said(tombstone))));
            }
            let Some(next) = entry.get("redirect").and_then(Value::as_str) else {
                return (path.len() > 1).then_some(Ok(name));
            };
            if split(next).is_none() {
                let rule = "Redirects must use fully qualified collection names.";
                return Some(Err(format!("Collection {collection} contains invalid redirect for {name}: {next}. {rule}")));
            }
            if path.iter().any(|seen| seen == next) {
                return Some(Err(match kind {
                    PluginKind::Lookup => redirect_loop(&path),
                    PluginKind::Filter | PluginKind::Test => format!("recursive collection redirect found for '{full}'"),
                }));
            }
            next.clone_into(&mut name);
            path.push(name.clone());
        }
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
    fn runtime(&self, collection: &str) -> Arc<Map> {
        if let Some(known) = self.runtimes.read().unwrap_or_else(PoisonError::into_inner).get(collection) {
            return Arc::clone(known);
        }
        let path = self.folder(collection).map(|folder| folder.join("meta/runtime.yml"));
        let text = path.as_ref().and_then(|path| std::fs::read_to_string(path).ok().map(|text| Source::file(path, text)));
        let node = text.and_then(|source| yaml::load_one(&source, &mut Diagnostics::new()));
        let map = match node.map(|node| node.to_value()) {
            Some(Value::Map(map)) => Map::clone(&map),
            _ => Map::new(),
        };
        let map = Arc::new(map);
        self.runtimes.write().unwrap_or_else(PoisonError::into_inner).insert(collection.to_owned(), Arc::clone(&map));
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

/// What is said of redirects that go round, beginning at the first name.
fn redirect_loop(path: &[String]) -> String {
    format!("plugin redirect loop resolving {} (path: ['{}'])", path[0], path.join("', '"))
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
        let looped = "plugin redirect loop resolving acme.web.round (path: ['acme.web.round'])";
        assert_eq!(collections.module("acme.web.round"), Routed::Refused(looped.to_owned()));
        let text =
            "The 'acme.web.gone' module has been removed. It is gone. This feature was removed from collection 'acme.web' version 2.0.0.";
        assert_eq!(collections.module("acme.web.gone"), Routed::Refused(text.to_owned()));
    }

    #[test]
    fn plugins_are_routed() {
        let (_folder, collections) = collections(
            "plugin_routing: {filter: {say: {redirect: acme.web.say2}, say2: {redirect: ansible.builtin.to_json}, round: {redirect: acme.web.round}, \
             short: {redirect: to_json}, old: {deprecation: {removal_version: 2.0.0}}, gone: {tombstone: {removal_version: 2.0.0}}}, \
             lookup: {a: {redirect: acme.web.b}, b: {redirect: acme.web.a}}}",
        );
        let filter = |name: &str| collections.plugin(PluginKind::Filter, name);
        let wrong = |text: &str| Some(Err(text.to_owned()));
        assert_eq!(filter("acme.web.say"), Some(Ok("ansible.builtin.to_json".to_owned())));
        assert_eq!((filter("acme.web.other"), filter("acme.none.other"), filter("acme.web.old")), (None, None, None));
        assert_eq!(filter("acme.web.round"), wrong("recursive collection redirect found for 'acme.web.round'"));
        assert_eq!(
            filter("acme.web.short"),
            wrong(
                "Collection acme.web contains invalid redirect for acme.web.short: to_json. Redirects must use fully qualified collection names."
            )
        );
        assert_eq!(
            filter("acme.web.gone"),
            wrong("The 'acme.web.gone' filter plugin has been removed. This feature was removed from collection 'acme.web' version 2.0.0.")
        );
        let looped = collections.plugin(PluginKind::Lookup, "acme.web.a");
        assert_eq!(looped, wrong("plugin redirect loop resolving acme.web.a (path: ['acme.web.a', 'acme.web.b'])"));
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

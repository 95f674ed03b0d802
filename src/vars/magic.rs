//! Magic variables: what Ansible itself says of the run, the play, the role and the host.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Layer, Precedence};
use crate::inventory::{HostId, Inventory};
use crate::value::{Key, Map, Value};

/// The version of Ansible whose language this is.
/// The ansible-core whose language this is.
pub const ANSIBLE_VERSION: (&str, i64, i64, i64) = ("2.21.5", 2, 21, 5);

/// What is the same for the whole run.
#[derive(Clone, Debug, Default)]
pub struct RunVars {
    /// `--check`.
    pub check_mode: bool,
    /// `--diff`.
    pub diff_mode: bool,
    /// `--forks`.
    pub forks: i64,
    /// How many `-v`.
    pub verbosity: i64,
    /// `--tags`; empty means `all`.
    pub run_tags: Vec<String>,
    /// `--skip-tags`.
    pub skip_tags: Vec<String>,
    /// `--limit`, where given.
    pub limit: Option<String>,
    /// The Python of the control machine, for playbooks that run one.
    pub python: Option<PathBuf>,
    /// The `ansible.cfg` in use.
    pub config_file: Option<PathBuf>,
    /// Whether facts are seen in `ansible_facts` alone: `inject_facts_as_vars` is off.
    pub hides_facts: bool,
}

impl RunVars {
    pub(super) fn layer(&self, inventory: &Inventory, playbook_dir: Option<&Path>) -> Arc<Layer> {
        let texts = |texts: &[String]| Value::list(texts.iter().map(|text| plain(text)).collect());
        let run_tags = if self.run_tags.is_empty() { Value::list(vec![plain("all")]) } else { texts(&self.run_tags) };
        let (full, major, minor, revision) = ANSIBLE_VERSION;
        let version: Map = [
            (Key::from("string"), plain(full)),
            (Key::from("full"), plain(full)),
            (Key::from("major"), Value::Int(major)),
            (Key::from("minor"), Value::Int(minor)),
            (Key::from("revision"), Value::Int(revision)),
        ]
        .into_iter()
        .collect();
        let mut vars = Map::new();
        vars.insert("ansible_version", version);
        vars.insert("ansible_check_mode", self.check_mode);
        vars.insert("ansible_diff_mode", self.diff_mode);
        vars.insert("ansible_forks", self.forks);
        vars.insert("ansible_verbosity", self.verbosity);
        vars.insert("ansible_run_tags", run_tags);
        vars.insert("ansible_skip_tags", texts(&self.skip_tags));
        vars.insert("ansible_config_file", self.config_file.as_deref().map_or(Value::Null, path_value));
        vars.insert("ansible_playbook_python", self.python.as_deref().map_or_else(|| plain("/usr/bin/python3"), path_value));
        vars.insert("ansible_inventory_sources", Value::list(inventory.sources().iter().map(|source| plain(source)).collect()));
        if let Some(folder) = playbook_dir {
            vars.insert("playbook_dir", path_value(folder));
        }
        if let Some(limit) = &self.limit {
            vars.insert("ansible_limit", plain(limit));
        }
        Layer::new(Precedence::Magic, Precedence::Magic.describe(), vars)
    }
}

/// What a play adds for all of its tasks. [`PlayVars::prepare`] makes of it what stacks are built on: once per play, batch, or failed host.
#[derive(Clone, Debug, Default)]
pub struct PlayVars {
    /// `ansible_play_name`.
    pub name: String,
    /// All hosts of the play, failed ones too: `ansible_play_hosts_all`.
    pub hosts_all: Vec<HostId>,
    /// The hosts of the play that did not fail: `ansible_play_hosts`.
    pub hosts: Vec<HostId>,
    /// Those of them that are in the running batch: `ansible_play_batch`, `play_hosts`.
    pub batch: Vec<HostId>,
    /// Names of the roles of `roles:`: `ansible_play_role_names`.
    pub role_names: Vec<String>,
    /// Names of the roles that these depend on: `ansible_dependent_role_names`.
    pub dependent_role_names: Vec<String>,
    /// `vars`, `vars_prompt`, `vars_files` (levels `PlayVars` to `PlayVarsFiles`).
    pub layers: Vec<Arc<Layer>>,
}

impl PlayVars {
    /// What the stacks of this play stand on.
    pub fn prepare(&self, inventory: &Inventory) -> Arc<PlayLayers> {
        let mut layers = self.layers.clone();
        layers.sort_by_key(|layer| layer.level);
        Arc::new(PlayLayers { magic: self.magic(inventory), layers })
    }

    fn magic(&self, inventory: &Inventory) -> Arc<Layer> {
        let hosts = |ids: &[HostId]| Value::list(ids.iter().map(|id| Value::text(Arc::clone(inventory.host(*id).name()))).collect());
        let texts = |texts: &mut dyn Iterator<Item = &String>| Value::list(texts.map(|text| plain(text)).collect());
        let roles = &self.role_names;
        let unique = |names: &mut dyn Iterator<Item = &String>| {
            let mut seen = HashSet::new();
            Value::list(names.filter(|name| seen.insert(name.as_str())).map(|name| plain(name)).collect())
        };
        let dependent = &self.dependent_role_names;
        let mut vars = Map::new();
        vars.insert("ansible_play_name", plain(&self.name));
        vars.insert("ansible_play_hosts_all", hosts(&self.hosts_all));
        vars.insert("ansible_play_hosts", hosts(&self.hosts));
        vars.insert("ansible_play_batch", hosts(&self.batch));
        vars.insert("play_hosts", hosts(&self.batch));
        vars.insert("ansible_play_role_names", texts(&mut roles.iter()));
        vars.insert("ansible_dependent_role_names", unique(&mut dependent.iter()));
        vars.insert("role_names", texts(&mut roles.iter()));
        vars.insert("ansible_role_names", unique(&mut dependent.iter().chain(roles)));
        Layer::new(Precedence::Magic, Precedence::Magic.describe(), vars)
    }
}

/// A play's variables, ready for any number of stacks.
#[derive(Clone, Debug)]
pub struct PlayLayers {
    pub(super) magic: Arc<Layer>,
    pub(super) layers: Vec<Arc<Layer>>,
}

/// The magic variables of tasks of a role; `parents` are the roles that brought it in, innermost first, with their paths.
pub fn role_magic(name: &str, collection: Option<&str>, path: &Path, parents: &[(String, PathBuf)]) -> Arc<Layer> {
    let mut vars = Map::new();
    let bare = collection.and_then(|collection| name.strip_prefix(collection)?.strip_prefix('.')).unwrap_or(name);
    vars.insert("role_name", plain(bare));
    vars.insert("ansible_collection_name", collection.map_or(Value::Null, plain));
    vars.insert("ansible_role_name", plain(name));
    vars.insert("role_path", path_value(path));
    if !parents.is_empty() {
        vars.insert("ansible_parent_role_names", Value::list(parents.iter().map(|(name, _)| plain(name)).collect()));
        vars.insert("ansible_parent_role_paths", Value::list(parents.iter().map(|(_, path)| path_value(path)).collect()));
    }
    Layer::new(Precedence::Magic, Precedence::Magic.describe(), vars)
}

/// `inventory_hostname` and what else a host's place in the inventory says; as strong as its inventory variables, as in Ansible.
pub(super) fn of_host(inventory: &Inventory, host: HostId, name: &str) -> Option<Value> {
    let found = inventory.host(host);
    Some(match name {
        "inventory_hostname" => Value::text(Arc::clone(found.name())),
        "inventory_hostname_short" => Value::text(found.name().split('.').next().unwrap_or_default()),
        "group_names" => Value::list(inventory.group_names(host).into_iter().map(Value::text).collect()),
        "inventory_file" => plain(found.file()?),
        "inventory_dir" => found.file().map(|_| found.dir().map_or(Value::Null, path_value))?,
        _ => return None,
    })
}

/// The names that [`of_host`] knows.
pub(super) const OF_HOST: &[&str] = &["inventory_hostname", "inventory_hostname_short", "group_names", "inventory_file", "inventory_dir"];

fn plain(text: &str) -> Value {
    Value::text(text)
}

fn path_value(path: &Path) -> Value {
    plain(&path.to_string_lossy())
}

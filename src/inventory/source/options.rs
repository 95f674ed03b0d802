//! What reading sources depends on beside their text: settings, extra variables, and what templates of `compose` need. The floors
//! above fill it in; the defaults are Ansible's.

use std::sync::Arc;

use crate::inventory::{HostId, Inventory, Mismatch};
use crate::template::{Context, Engine};
use crate::value::Map;
use crate::vault::Vault;

/// Settings and help from the floors above.
#[derive(Clone)]
pub struct SourceOptions {
    /// The plugins that are tried, in this order: `[inventory] enable_plugins`.
    pub plugins: Vec<String>,
    /// Endings of files that are not read in folders.
    pub ignore_extensions: Vec<String>,
    /// Regular expressions of names that are not read in folders.
    pub ignore_patterns: Vec<String>,
    /// Endings of YAML files; a file without one may be YAML too.
    pub yaml_extensions: Vec<String>,
    /// A source that nothing can read is an error.
    pub any_unparsed_is_failed: bool,
    /// That nothing at all could be read is an error.
    pub unparsed_is_failed: bool,
    /// Whether that is worth a warning.
    pub unparsed_warning: bool,
    /// What becomes of names of groups that cannot be names of variables.
    pub group_names: GroupNames,
    /// What a host pattern is that names nobody.
    pub mismatch: Mismatch,
    /// `use_extra_vars` of plugins whose file does not say so.
    pub use_extra_vars: bool,
    /// The same for `generator` alone.
    pub generator_uses_extra_vars: bool,
    /// Whether what a script writes to stderr is shown though it ended well.
    pub script_stderr: bool,
    /// Whether maps of several levels are merged.
    pub merges_maps: bool,
    /// `-e`.
    pub extra: Arc<Map>,
    /// What renders the templates of plugins; none are rendered without.
    pub templates: Option<(Arc<Engine>, Arc<Context>)>,
    /// Variables of a host with those of the files beside the sources: `use_vars_plugins`.
    pub with_var_files: Option<Arc<VarFiles>>,
    /// The secrets that sources are opened with.
    pub vault: Arc<Vault>,
}

/// Makes of an inventory what answers for its hosts.
pub type VarFiles = dyn Fn(&Inventory) -> HostVariables + Send + Sync;

/// All variables of a host.
pub type HostVariables = Box<dyn Fn(HostId) -> Map>;

/// What becomes of names of groups with characters that variables cannot have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// They are replaced by `_`, with a warning.
    Always,
    /// They are kept.
    Ignore,
    /// They are kept, with a warning.
    #[default]
    Never,
    /// They are replaced by `_`.
    Silently,
}

impl GroupNames {
    /// The choice of this name.
    pub fn named(name: &str) -> Self {
        match name {
            "always" => Self::Always,
            "ignore" => Self::Ignore,
            "silently" => Self::Silently,
            _ => Self::Never,
        }
    }

    pub(super) fn replaces(self) -> bool {
        matches!(self, Self::Always | Self::Silently)
    }
}

/// The plugins of `enable_plugins` where nothing is said. A Terraform state is no inventory of Ansible's: `auto` knows it by its content.
pub const DEFAULT_PLUGINS: &[&str] = &["host_list", "script", "auto", "yaml", "ini", "toml"];

/// Files of a folder with these endings are no inventories.
pub const DEFAULT_IGNORED: &[&str] = &[".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"];

/// Endings of YAML files.
pub const DEFAULT_YAML: &[&str] = &[".yaml", ".yml", ".json"];

impl Default for SourceOptions {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            plugins: texts(DEFAULT_PLUGINS),
            ignore_extensions: texts(DEFAULT_IGNORED),
            ignore_patterns: Vec::new(),
            yaml_extensions: texts(DEFAULT_YAML),
            any_unparsed_is_failed: false,
            unparsed_is_failed: false,
            unparsed_warning: true,
            group_names: GroupNames::default(),
            mismatch: Mismatch::default(),
            use_extra_vars: false,
            generator_uses_extra_vars: false,
            script_stderr: true,
            merges_maps: false,
            extra: Arc::default(),
            templates: None,
            with_var_files: None,
            vault: Arc::default(),
        }
    }
}

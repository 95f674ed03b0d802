//! What lookups of a template may ask of this program: hosts by pattern, settings, vaults.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::Config;
use crate::inventory::{HostPattern, Inventory};
use crate::source::Diagnostics;
use crate::template::{Result as TemplateResult, TemplateError, WorldLookups};
use crate::value::Value;
use crate::vault::Vault;

/// What templates may ask of an inventory, of settings, of vaults and of files.
pub fn world_lookups(inventory: &Arc<Inventory>, config: &Config, vault: &Arc<Vault>) -> Arc<dyn WorldLookups> {
    lookups_of_run(inventory, config, vault, &Arc::default())
}

/// The same in a run, which can be interrupted.
pub fn lookups_of_run(
    inventory: &Arc<Inventory>,
    config: &Config,
    vault: &Arc<Vault>,
    interrupted: &Arc<AtomicBool>,
) -> Arc<dyn WorldLookups> {
    let settings = config.all.iter().filter(|setting| setting.info.owner.is_empty());
    let settings = settings.map(|setting| (setting.info.name, setting.value.clone())).collect();
    Arc::new(Lookups { inventory: Arc::clone(inventory), settings, vault: Arc::clone(vault), interrupted: Arc::clone(interrupted) })
}

/// What lookups ask of the inventory and of files.
struct Lookups {
    inventory: Arc<Inventory>,
    settings: HashMap<&'static str, Value>,
    vault: Arc<Vault>,
    interrupted: Arc<AtomicBool>,
}

impl WorldLookups for Lookups {
    fn inventory_hostnames(&self, pattern: &str) -> TemplateResult<Vec<Arc<str>>> {
        // A pattern that names nobody, or that is none, is no mistake here.
        let hosts = HostPattern::parse(pattern).resolve(&self.inventory, &mut Diagnostics::new()).unwrap_or_default();
        Ok(hosts.into_iter().map(|host| Arc::clone(self.inventory.host(host).name())).collect())
    }

    fn config(&self, setting: &str) -> TemplateResult<Value> {
        self.settings.get(setting).cloned().ok_or_else(|| TemplateError::plugin(format!("No config definition exists for '{setting}'.")))
    }

    fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

//! What inventories are read with: settings, extra variables, and templates with the lookups of this program.

use std::path::Path;
use std::sync::Arc;

use super::lookups::world_lookups;
use crate::config::Config;
use crate::inventory::{GroupNames, HostId, HostVariables, Inventory, Mismatch, SourceOptions};
use crate::source::Diagnostics;
use crate::template::{Context, Engine};
use crate::vars::{GroupLevel, HashBehaviour, Layer, RunVars, VarRules, VarWorld};
use crate::vault::Vault;

/// How variables become one by these settings.
pub fn var_rules(config: &Config) -> VarRules {
    let hash_behaviour = if config.hash_behaviour.value == "merge" { HashBehaviour::Merge } else { HashBehaviour::Replace };
    let is_reader = |name: &String| matches!(name.as_str(), "host_group_vars" | "ansible.builtin.host_group_vars");
    VarRules {
        hash_behaviour,
        groups: config.precedence.value.iter().filter_map(|name| GroupLevel::named(name)).collect(),
        reads_files: config.vars_plugins_enabled.value.iter().any(is_reader),
        extensions: config.yaml_valid_extensions.value.clone(),
    }
}

/// The options of a run with these settings, below `folder`.
pub fn source_options(config: &Config, folder: &Path, extra: &Arc<Layer>, vault: &Arc<Vault>) -> SourceOptions {
    let rules = var_rules(config);
    let merges_maps = rules.hash_behaviour == HashBehaviour::Merge;
    let context = Context::of_playbook(folder.to_path_buf(), world_lookups(&Arc::new(Inventory::new()), config, vault));
    let with_var_files = {
        let (extra, vault) = (Arc::clone(extra), Arc::clone(vault));
        move |inventory: &Inventory| -> HostVariables {
            let inventory = Arc::new(inventory.clone());
            // What is wrong in these files is told when the run reads them.
            let world = VarWorld::new(inventory, Arc::clone(&extra), RunVars::default(), rules.clone(), &vault, &mut Diagnostics::new());
            Box::new(move |host: HostId| world.merged_host_vars(host))
        }
    };
    SourceOptions {
        plugins: config.inventory_enabled.value.clone(),
        ignore_extensions: config.inventory_ignore_extensions.value.clone(),
        ignore_patterns: config.inventory_ignore_patterns.value.clone(),
        yaml_extensions: config.inventory_yaml_extensions.value.clone(),
        any_unparsed_is_failed: config.inventory_any_unparsed_is_failed.value,
        unparsed_is_failed: config.inventory_unparsed_is_failed.value,
        unparsed_warning: config.inventory_unparsed_warning.value,
        group_names: GroupNames::named(&config.force_valid_group_names.value),
        mismatch: Mismatch::named(&config.host_pattern_mismatch.value),
        use_extra_vars: config.inventory_use_extra_vars.value,
        generator_uses_extra_vars: config.inventory_generator_use_extra_vars.value,
        script_stderr: config.inventory_script_stderr.value,
        merges_maps,
        extra: Arc::clone(&extra.vars),
        templates: Some((Arc::new(Engine::new()), Arc::new(context))),
        with_var_files: Some(Arc::new(with_var_files)),
        vault: Arc::clone(vault),
    }
}

//! How variables of several levels become one: settings that change Ansible's order.

use super::HashBehaviour;

/// Where variables of groups come from. `host_group_vars` is the plugin that reads `group_vars`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupLevel {
    /// `all` in inventory files.
    AllInventory,
    /// Other groups in inventory files.
    GroupsInventory,
    /// `group_vars/all` beside the inventory.
    AllPluginsInventory,
    /// `group_vars/all` beside the playbook.
    AllPluginsPlay,
    /// `group_vars/*` beside the inventory.
    GroupsPluginsInventory,
    /// `group_vars/*` beside the playbook.
    GroupsPluginsPlay,
}

impl GroupLevel {
    /// As the setting `precedence` orders them by default, weakest first.
    pub const ALL: [(&str, Self); 6] = [
        ("all_inventory", Self::AllInventory),
        ("groups_inventory", Self::GroupsInventory),
        ("all_plugins_inventory", Self::AllPluginsInventory),
        ("all_plugins_play", Self::AllPluginsPlay),
        ("groups_plugins_inventory", Self::GroupsPluginsInventory),
        ("groups_plugins_play", Self::GroupsPluginsPlay),
    ];

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }
}

/// What settings say.
#[derive(Clone, Debug)]
pub struct VarRules {
    /// What becomes of a map that two levels define.
    pub hash_behaviour: HashBehaviour,
    /// Which variables of groups count, weakest first; what is not listed is not there.
    pub groups: Vec<GroupLevel>,
    /// Whether `group_vars` and `host_vars` are read: `host_group_vars` among `vars_plugins_enabled`.
    pub reads_files: bool,
    /// What the names of those files end with beside none: `yaml_valid_extensions`.
    pub extensions: Vec<String>,
}

impl Default for VarRules {
    fn default() -> Self {
        Self {
            hash_behaviour: HashBehaviour::default(),
            groups: GroupLevel::ALL.map(|(_, level)| level).to_vec(),
            reads_files: true,
            extensions: [".yml", ".yaml", ".json"].map(str::to_owned).to_vec(),
        }
    }
}

//! Where a variable comes from, from the weakest to the strongest: Ansible's order as one enum.

/// Levels, weakest first; the derived order is the precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precedence {
    /// Options of the command line that are variables too (`-u` is `ansible_user`), as defaults.
    CommandLine = 1,
    /// `defaults/main.yml` of a role.
    RoleDefaults,
    /// Variables of groups in inventory files.
    InventoryGroup,
    /// `group_vars/all` beside the inventory.
    InventoryGroupVarsAll,
    /// `group_vars/all` beside the playbook.
    PlaybookGroupVarsAll,
    /// `group_vars/*` beside the inventory.
    InventoryGroupVars,
    /// `group_vars/*` beside the playbook.
    PlaybookGroupVars,
    /// Variables of hosts in inventory files.
    InventoryHost,
    /// `host_vars/*` beside the inventory.
    InventoryHostVars,
    /// `host_vars/*` beside the playbook.
    PlaybookHostVars,
    /// What modules found out about a host, and cached `set_fact`.
    Facts,
    /// `vars:` of a play.
    PlayVars,
    /// `vars_prompt:` of a play.
    PlayPrompt,
    /// `vars_files:` of a play.
    PlayVarsFiles,
    /// `vars/main.yml` of a role.
    RoleVars,
    /// `vars:` of a block.
    BlockVars,
    /// `vars:` of a task.
    TaskVars,
    /// `include_vars`.
    IncludeVars,
    /// `register` and `set_fact`.
    SetFacts,
    /// Parameters of a role.
    RoleParams,
    /// Parameters of an include.
    IncludeParams,
    /// `-e`.
    Extra,
    /// What Ansible itself says: `playbook_dir`, `ansible_play_hosts`, `role_name`, …; cannot be overridden.
    Magic,
    /// `item` and the other variables of a loop.
    Loop,
}

/// The levels of Ansible's documentation, weakest first; what is above them is Ansible's own.
pub const LEVELS: [Precedence; 22] = [
    Precedence::CommandLine,
    Precedence::RoleDefaults,
    Precedence::InventoryGroup,
    Precedence::InventoryGroupVarsAll,
    Precedence::PlaybookGroupVarsAll,
    Precedence::InventoryGroupVars,
    Precedence::PlaybookGroupVars,
    Precedence::InventoryHost,
    Precedence::InventoryHostVars,
    Precedence::PlaybookHostVars,
    Precedence::Facts,
    Precedence::PlayVars,
    Precedence::PlayPrompt,
    Precedence::PlayVarsFiles,
    Precedence::RoleVars,
    Precedence::BlockVars,
    Precedence::TaskVars,
    Precedence::IncludeVars,
    Precedence::SetFacts,
    Precedence::RoleParams,
    Precedence::IncludeParams,
    Precedence::Extra,
];

impl Precedence {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::RoleDefaults => "role defaults",
            Self::InventoryGroup => "inventory group variables",
            Self::InventoryGroupVarsAll => "group_vars/all of the inventory",
            Self::PlaybookGroupVarsAll => "group_vars/all of the playbook",
            Self::InventoryGroupVars => "group_vars of the inventory",
            Self::PlaybookGroupVars => "group_vars of the playbook",
            Self::InventoryHost => "inventory host variables",
            Self::InventoryHostVars => "host_vars of the inventory",
            Self::PlaybookHostVars => "host_vars of the playbook",
            Self::Facts => "facts",
            Self::PlayVars => "play vars",
            Self::PlayPrompt => "play vars_prompt",
            Self::PlayVarsFiles => "play vars_files",
            Self::RoleVars => "role vars",
            Self::BlockVars => "block vars",
            Self::TaskVars => "task vars",
            Self::IncludeVars => "include_vars",
            Self::SetFacts => "set_fact or register",
            Self::RoleParams => "role parameters",
            Self::IncludeParams => "include parameters",
            Self::Extra => "extra vars",
            Self::Magic => "magic variables",
            Self::Loop => "loop variables",
        }
    }
}

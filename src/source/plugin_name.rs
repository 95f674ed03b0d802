//! Names of modules and other plugins, as people write them.

/// `name` without the collection of what comes with Ansible; names of other collections in full.
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy.")).unwrap_or(name)
}

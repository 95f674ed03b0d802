//! Names that variables may not have: what a host may not say of itself, and what Ansible reserves.

use crate::value::{Key, Map};

/// Facts that would change how a host is reached, which user works there, or what Ansible itself says: a host cannot set these.
const FORBIDDEN: &[&str] = &[
    "ansible_async_dir",
    "ansible_become",
    "ansible_check_mode",
    "ansible_config_file",
    "ansible_connection",
    "ansible_control_path",
    "ansible_control_path_dir",
    "ansible_delegated_vars",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_executable",
    "ansible_facts",
    "ansible_forks",
    "ansible_host",
    "ansible_host_key_checking",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_loop",
    "ansible_loop_var",
    "ansible_module_compression",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_password",
    "ansible_pipelining",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_port",
    "ansible_private_key",
    "ansible_private_key_file",
    "ansible_remote_tmp",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_rsync_path",
    "ansible_run_tags",
    "ansible_scp_if_ssh",
    "ansible_search_path",
    "ansible_sftp_batch_mode",
    "ansible_shell_executable",
    "ansible_shell_type",
    "ansible_skip_tags",
    "ansible_timeout",
    "ansible_user",
    "ansible_verbosity",
    "ansible_version",
    "omit",
];

/// What Ansible itself says of a play, a host and the inventory, under names that do not begin with `ansible_`: a host cannot set these either.
pub const MAGIC_NAMES: &[&str] = &[
    "environment",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "vars",
];

/// The same for whole families: connection plugins and become methods.
const FORBIDDEN_PREFIXES: &[&str] = &[
    "ansible_become_",
    "ansible_doas_",
    "ansible_local_",
    "ansible_openssh_",
    "ansible_paramiko_",
    "ansible_psrp_",
    "ansible_runas_",
    "ansible_ssh_",
    "ansible_su_",
    "ansible_sudo_",
    "ansible_winrm_",
];

/// The fact that says of a host that a play has gathered its facts: that is what smart gathering asks.
pub const FACTS_GATHERED: &str = "_ansible_facts_gathered";

/// Keywords and globals of Ansible: a variable of such a name is shadowed or shadows.
const RESERVED: &[&str] = &[
    "action",
    "always",
    "any_errors_fatal",
    "args",
    "async",
    "async_val",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "block",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "cycler",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "dict",
    "diff",
    "environment",
    "fact_path",
    "failed_when",
    "force_handlers",
    "gather_facts",
    "gather_timeout",
    "handlers",
    "hosts",
    "ignore_errors",
    "ignore_unreachable",
    "joiner",
    "lipsum",
    "local_action",
    "lookup",
    "loop",
    "loop_control",
    "loop_with",
    "max_fail_percentage",
    "module_defaults",
    "name",
    "namespace",
    "no_log",
    "notify",
    "now",
    "omit",
    "order",
    "poll",
    "port",
    "post_tasks",
    "pre_tasks",
    "q",
    "query",
    "range",
    "register",
    "remote_user",
    "rescue",
    "retries",
    "roles",
    "run_once",
    "serial",
    "strategy",
    "tags",
    "tasks",
    "throttle",
    "timeout",
    "undef",
    "until",
    "validate_argspec",
    "vars",
    "vars_files",
    "vars_prompt",
    "when",
    "with_",
];

/// Whether a host may not set this variable; it stays readable below `ansible_facts`.
pub(super) fn is_forbidden(name: &str) -> bool {
    if name.starts_with("ansible_ssh_host_key_") {
        return false;
    }
    FORBIDDEN.binary_search(&name).is_ok()
        || MAGIC_NAMES.binary_search(&name).is_ok()
        || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || (name.starts_with("ansible_") && name.ends_with("_interpreter"))
}

/// Of the names of a module's facts those that will not become variables, for Ansible's warning `Removed restricted key from module data: …`.
pub fn dropped_facts<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    names.into_iter().filter(|name| is_forbidden(name)).collect()
}

/// The name of a fact below `ansible_facts`.
pub(super) fn without_prefix(name: &str) -> &str {
    if name == "ansible_local" { name } else { name.strip_prefix("ansible_").unwrap_or(name) }
}

/// Puts facts where templates see them: into `ansible_facts`, all and without their prefix, and, as the modules named them, those
/// that a host may set into its variables.
pub(super) fn spread(facts: Map, ansible_facts: &mut Map, vars: &mut Map) {
    for (name, value) in facts {
        let Some(text) = name.as_str() else { continue };
        ansible_facts.insert(Key::from(without_prefix(text)), value.clone());
        if !is_forbidden(text) {
            vars.insert(name, value);
        }
    }
}

/// Whether Ansible warns `Found variable using reserved name`.
pub fn is_reserved_name(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(FORBIDDEN.is_sorted() && MAGIC_NAMES.is_sorted() && RESERVED.is_sorted());
    }

    #[test]
    fn a_host_cannot_redirect_its_own_connection() {
        let names = [
            "ansible_host",
            "ansible_distribution",
            "ansible_ssh_pipelining",
            "ansible_ssh_host_key_rsa_public",
            "ansible_python_interpreter",
            "foo",
            "ansible_local",
        ];
        assert_eq!(dropped_facts(names), ["ansible_host", "ansible_ssh_pipelining", "ansible_python_interpreter"]);
        assert_eq!((without_prefix("ansible_local"), without_prefix("ansible_x"), without_prefix("y")), ("ansible_local", "x", "y"));
    }
}

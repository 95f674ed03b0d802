//! The table of settings that have an effect, and the struct made of it.

use std::path::PathBuf;

use super::Surroundings;
use super::Written;
use super::file::ConfigFile;
use super::resolve::{Resolved, Resolver};
use super::types::{FromText as _, Kind, PathList, SearchPath, Setting};
use crate::source::Diagnostics;

/// What is known of a setting without its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SettingInfo {
    /// The field of [`Config`]; empty for settings without effect.
    pub field: &'static str,
    /// The plugin whose option it is, as `callback/default`; empty for Ansible itself.
    pub owner: &'static str,
    /// Ansible's name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The value where nobody sets it, as text.
    pub default: Option<&'static str>,
    /// `section.key` in `ansible.cfg`; of several, the last that is there wins.
    pub ini: &'static [&'static str],
    /// Names in the environment; they win over the file.
    pub env: &'static [&'static str],
    /// The values that are allowed, where not all are.
    pub choices: &'static [&'static str],
    /// What it does here.
    pub effect: Effect,
}

/// What a setting does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This.
    Here(&'static str),
    /// What another row says that is read from the same places.
    Elsewhere,
    /// Nothing, and nobody has to know: the reason.
    Quiet(&'static str),
    /// Nothing, and whoever sets it is warned: the reason.
    Warned(&'static str),
}

macro_rules! settings {
    ($( $field:ident: $type:ty = $owner:literal, $name:literal, $default:expr, $ini:expr, $env:expr, $choices:expr, $doc:literal; )*) => {
        /// The settings that have an effect, by their field.
        pub const SETTINGS: &[SettingInfo] = &[$( SettingInfo {
            field: stringify!($field),
            owner: $owner,
            name: $name,
            kind: <$type>::KIND,
            default: $default,
            ini: &$ini,
            env: &$env,
            choices: &$choices,
            effect: Effect::Here($doc),
        } ),*];

        /// The settings of a run.
        #[derive(Clone, Debug)]
        pub struct Config {
            /// The settings file in use.
            pub file: Option<PathBuf>,
            /// All that was written anywhere.
            pub written: Vec<Written>,
            /// All settings as plain values, those without effect included, by name.
            pub all: Vec<Resolved>,
            $( #[doc = $doc] pub $field: Setting<$type>, )*
        }

        impl Config {
            pub(super) fn resolve(surroundings: &Surroundings, path: Option<PathBuf>, file: Option<&ConfigFile>, diagnostics: &mut Diagnostics) -> Self {
                let mut table = SETTINGS.iter();
                let mut resolver = Resolver::new(surroundings, path.as_deref(), file, diagnostics);
                $( let $field = resolver.typed::<$type>(table.next().expect("one row per field")); )*
                let all = resolver.finish();
                Self { file: path, written: Vec::new(), all, $( $field, )* }
            }
        }
    };
}

settings! {
    action_warnings: bool = "", "ACTION_WARNINGS", Some("True"), ["defaults.action_warnings"], ["ANSIBLE_ACTION_WARNINGS"], [],
        "Show the warnings that come with results.";
    ansible_managed: String = "", "DEFAULT_MANAGED_STR", Some("Ansible managed"), ["defaults.ansible_managed"], [], [],
        "What `ansible_managed` is in templates.";
    any_errors_fatal: bool = "", "ANY_ERRORS_FATAL", Some("False"), ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"], [],
        "A failure on one host ends the play for all.";
    ask_pass: bool = "", "DEFAULT_ASK_PASS", Some("False"), ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"], [],
        "Ask for the connection password.";
    ask_vault_pass: bool = "", "DEFAULT_ASK_VAULT_PASS", Some("False"), ["defaults.ask_vault_pass"], ["ANSIBLE_ASK_VAULT_PASS"], [],
        "Ask for a vault password.";
    async_dir: String = "shell/sh", "async_dir", Some("~/.ansible_async"), ["defaults.async_dir"], ["ANSIBLE_ASYNC_DIR"], [],
        "The folder of asynchronous jobs on a host.";
    r#become: bool = "", "DEFAULT_BECOME", Some("False"), ["privilege_escalation.become"], ["ANSIBLE_BECOME"], [],
        "Become another user for all tasks.";
    become_allow_same_user: bool = "", "BECOME_ALLOW_SAME_USER", Some("False"), ["privilege_escalation.become_allow_same_user"], ["ANSIBLE_BECOME_ALLOW_SAME_USER"], [],
        "Become another user by a program also where that user is logged in already.";
    become_ask_pass: bool = "", "DEFAULT_BECOME_ASK_PASS", Some("False"), ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"], [],
        "Ask for the become password.";
    become_exe: Option<String> = "", "DEFAULT_BECOME_EXE", None, ["privilege_escalation.become_exe"], ["ANSIBLE_BECOME_EXE"], [],
        "The program to become another user with, where it is not the method's own.";
    become_flags: Option<String> = "", "DEFAULT_BECOME_FLAGS", None, ["privilege_escalation.become_flags"], ["ANSIBLE_BECOME_FLAGS"], [],
        "Flags of that program.";
    become_method: String = "", "DEFAULT_BECOME_METHOD", Some("sudo"), ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"], [],
        "How to become another user.";
    become_pass: Option<String> = "become/sudo", "become_pass", None, ["sudo_become_plugin.password", "su_become_plugin.password"], ["ANSIBLE_BECOME_PASS", "ANSIBLE_SUDO_PASS", "ANSIBLE_SU_PASS"], [],
        "The become password.";
    become_password_file: Option<PathBuf> = "", "BECOME_PASSWORD_FILE", None, ["defaults.become_password_file"], ["ANSIBLE_BECOME_PASSWORD_FILE"], [],
        "A file with the become password, or a program that prints it.";
    become_user: String = "", "DEFAULT_BECOME_USER", Some("root"), ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"], [],
        "The user to become.";
    bin_ansible_callbacks: bool = "", "DEFAULT_LOAD_CALLBACK_PLUGINS", Some("False"), ["defaults.bin_ansible_callbacks"], ["ANSIBLE_LOAD_CALLBACK_PLUGINS"], [],
        "`ansible` has the callbacks of `callbacks_enabled` too, and shows results as `stdout_callback` says.";
    callback_format_pretty: Option<bool> = "callback/default", "pretty_results", None, ["defaults.callback_format_pretty"], ["ANSIBLE_CALLBACK_FORMAT_PRETTY"], [],
        "Whether results go over several lines: by default YAML does.";
    callback_result_format: String = "callback/default", "result_format", Some("json"), ["defaults.callback_result_format"], ["ANSIBLE_CALLBACK_RESULT_FORMAT"], ["json", "yaml"],
        "How results are written.";
    callback_result_indentation: i64 = "callback/default", "result_indentation", Some("4"), ["defaults.callback_result_indentation"], ["ANSIBLE_CALLBACK_RESULT_INDENTATION"], [],
        "Blanks that results are indented with.";
    callback_result_yaml_line_width: String = "callback/default", "result_yaml_line_width", Some("default"), ["defaults.callback_result_yaml_line_width"], ["ANSIBLE_CALLBACK_YAML_LINE_WIDTH"], ["default", "no-break", "terminal-width"],
        "Where lines of YAML results are broken.";
    callback_tree_directory: PathBuf = "callback/tree", "directory", Some("~/.ansible/tree"), ["callback_tree.directory"], ["ANSIBLE_CALLBACK_TREE_DIR"], [],
        "The folder of the `tree` callback.";
    callbacks_enabled: Vec<String> = "", "CALLBACKS_ENABLED", Some(""), ["defaults.callbacks_enabled"], ["ANSIBLE_CALLBACKS_ENABLED"], [],
        "Callbacks beside the one that shows the run.";
    check_mode_markers: bool = "callback/default", "check_mode_markers", Some("False"), ["defaults.check_mode_markers"], ["ANSIBLE_CHECK_MODE_MARKERS"], [],
        "Mark what runs in check mode.";
    collections_path: SearchPath = "", "COLLECTIONS_PATHS", Some("{{ANSIBLE_HOME}}/collections:/usr/share/ansible/collections"), ["defaults.collections_path"], ["ANSIBLE_COLLECTIONS_PATH"], [],
        "Where collections are looked for.";
    color_changed: String = "", "COLOR_CHANGED", Some("yellow"), ["colors.changed"], ["ANSIBLE_COLOR_CHANGED"], [],
        "The colour of results with a change.";
    color_deprecate: String = "", "COLOR_DEPRECATE", Some("purple"), ["colors.deprecate"], ["ANSIBLE_COLOR_DEPRECATE"], [],
        "The colour of deprecations.";
    color_diff_add: String = "", "COLOR_DIFF_ADD", Some("green"), ["colors.diff_add"], ["ANSIBLE_COLOR_DIFF_ADD"], [],
        "The colour of lines that a change adds.";
    color_diff_lines: String = "", "COLOR_DIFF_LINES", Some("cyan"), ["colors.diff_lines"], ["ANSIBLE_COLOR_DIFF_LINES"], [],
        "The colour of places of changes.";
    color_diff_remove: String = "", "COLOR_DIFF_REMOVE", Some("red"), ["colors.diff_remove"], ["ANSIBLE_COLOR_DIFF_REMOVE"], [],
        "The colour of lines that a change takes away.";
    color_error: String = "", "COLOR_ERROR", Some("red"), ["colors.error"], ["ANSIBLE_COLOR_ERROR"], [],
        "The colour of failures.";
    color_highlight: String = "", "COLOR_HIGHLIGHT", Some("white"), ["colors.highlight"], ["ANSIBLE_COLOR_HIGHLIGHT"], [],
        "The colour of what is to be noticed.";
    color_included: String = "", "COLOR_INCLUDED", Some("cyan"), ["colors.included"], ["ANSIBLE_COLOR_INCLUDED"], [],
        "The colour of inclusions.";
    color_ok: String = "", "COLOR_OK", Some("green"), ["colors.ok"], ["ANSIBLE_COLOR_OK"], [],
        "The colour of results without change.";
    color_skip: String = "", "COLOR_SKIP", Some("cyan"), ["colors.skip"], ["ANSIBLE_COLOR_SKIP"], [],
        "The colour of skipped results.";
    color_unreachable: String = "", "COLOR_UNREACHABLE", Some("bright red"), ["colors.unreachable"], ["ANSIBLE_COLOR_UNREACHABLE"], [],
        "The colour of hosts that cannot be reached.";
    color_verbose: String = "", "COLOR_VERBOSE", Some("blue"), ["colors.verbose"], ["ANSIBLE_COLOR_VERBOSE"], [],
        "The colour of what `-v` shows.";
    color_warn: String = "", "COLOR_WARN", Some("bright purple"), ["colors.warn"], ["ANSIBLE_COLOR_WARN"], [],
        "The colour of warnings.";
    connection_password_file: Option<PathBuf> = "", "CONNECTION_PASSWORD_FILE", None, ["defaults.connection_password_file"], ["ANSIBLE_CONNECTION_PASSWORD_FILE"], [],
        "A file with the connection password, or a program that prints it.";
    deprecation_warnings: bool = "", "DEPRECATION_WARNINGS", Some("True"), ["defaults.deprecation_warnings"], ["ANSIBLE_DEPRECATION_WARNINGS"], [],
        "Show deprecations.";
    diff_always: bool = "", "DIFF_ALWAYS", Some("False"), ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"], [],
        "Show differences without being asked.";
    diff_context: i64 = "", "DIFF_CONTEXT", Some("3"), ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"], [],
        "Lines around a difference.";
    display_args_to_stdout: bool = "", "DISPLAY_ARGS_TO_STDOUT", Some("False"), ["defaults.display_args_to_stdout"], ["ANSIBLE_DISPLAY_ARGS_TO_STDOUT"], [],
        "Show the arguments of a task beside its name.";
    display_failed_stderr: bool = "callback/default", "display_failed_stderr", Some("False"), ["defaults.display_failed_stderr"], ["ANSIBLE_DISPLAY_FAILED_STDERR"], [],
        "Failed results go to stderr.";
    display_included_hosts: bool = "callback/default", "display_included_hosts", Some("True"), ["defaults.display_included_hosts"], ["ANSIBLE_DISPLAY_INCLUDED_HOSTS"], [],
        "Show inclusions.";
    display_ok_hosts: bool = "callback/default", "display_ok_hosts", Some("True"), ["defaults.display_ok_hosts"], ["ANSIBLE_DISPLAY_OK_HOSTS"], [],
        "Show results without change.";
    display_skipped_hosts: bool = "callback/default", "display_skipped_hosts", Some("True"), ["defaults.display_skipped_hosts"], ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"], [],
        "Show skipped results.";
    duplicate_dict_key: String = "", "DUPLICATE_YAML_DICT_KEY", Some("warn"), ["defaults.duplicate_dict_key"], ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"], ["error", "ignore", "warn"],
        "What a key that a mapping has twice is.";
    editor: String = "", "EDITOR", Some("vi"), ["defaults.editor"], ["ANSIBLE_EDITOR", "EDITOR"], [],
        "The editor of `vault edit`.";
    enable_task_debugger: bool = "", "ENABLE_TASK_DEBUGGER", Some("False"), ["defaults.enable_task_debugger"], ["ANSIBLE_ENABLE_TASK_DEBUGGER"], [],
        "Failed tasks start the debugger.";
    error_on_missing_handler: bool = "", "ERROR_ON_MISSING_HANDLER", Some("True"), ["defaults.error_on_missing_handler"], ["ANSIBLE_ERROR_ON_MISSING_HANDLER"], [],
        "Notifying a handler that is not there is an error, else a warning.";
    fact_caching: String = "", "CACHE_PLUGIN", Some("memory"), ["defaults.fact_caching"], ["ANSIBLE_CACHE_PLUGIN"], [],
        "Where facts are kept between runs: `memory` (not at all) or `jsonfile`.";
    fact_caching_connection: Option<PathBuf> = "", "CACHE_PLUGIN_CONNECTION", None, ["defaults.fact_caching_connection"], ["ANSIBLE_CACHE_PLUGIN_CONNECTION"], [],
        "The folder of the `jsonfile` cache.";
    fact_caching_prefix: String = "", "CACHE_PLUGIN_PREFIX", Some("ansible_facts"), ["defaults.fact_caching_prefix"], ["ANSIBLE_CACHE_PLUGIN_PREFIX"], [],
        "What the names of the cache's files begin with.";
    fact_caching_timeout: i64 = "", "CACHE_PLUGIN_TIMEOUT", Some("86400"), ["defaults.fact_caching_timeout"], ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"], [],
        "Seconds after which cached facts are forgotten; 0 is never.";
    facts_modules: Vec<String> = "", "FACTS_MODULES", Some("smart"), ["defaults.facts_modules"], ["ANSIBLE_FACTS_MODULES"], [],
        "The modules that `gather_facts` runs; `smart` is `setup`.";
    force_color: bool = "", "ANSIBLE_FORCE_COLOR", Some("False"), ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"], [],
        "Colours also where the output is no terminal.";
    force_handlers: bool = "", "DEFAULT_FORCE_HANDLERS", Some("False"), ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"], [],
        "Run notified handlers of failed hosts too.";
    force_valid_group_names: String = "", "TRANSFORM_INVALID_GROUP_CHARS", Some("never"), ["defaults.force_valid_group_names"], ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"], ["always", "ignore", "never", "silently"],
        "What becomes of characters in names of groups that variables cannot have.";
    forks: i64 = "", "DEFAULT_FORKS", Some("5"), ["defaults.forks"], ["ANSIBLE_FORKS"], [],
        "How many hosts at once. Where it is not set: as many as there are, at most 500.";
    gathering: String = "", "DEFAULT_GATHERING", Some("implicit"), ["defaults.gathering"], ["ANSIBLE_GATHERING"], ["explicit", "implicit", "smart"],
        "Whether plays that do not say so gather facts.";
    hash_behaviour: String = "", "DEFAULT_HASH_BEHAVIOUR", Some("replace"), ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"], ["merge", "replace"],
        "What becomes of a map that two levels define.";
    home: PathBuf = "", "ANSIBLE_HOME", Some("~/.ansible"), ["defaults.home"], ["ANSIBLE_HOME"], [],
        "The folder below which roles, collections and other files of the user are.";
    host_key_checking: bool = "connection/ssh", "host_key_checking", Some("True"), ["defaults.host_key_checking", "ssh_connection.host_key_checking"], ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"], [],
        "Refuse hosts whose key is not known.";
    host_pattern_mismatch: String = "", "HOST_PATTERN_MISMATCH", Some("warning"), ["inventory.host_pattern_mismatch"], ["ANSIBLE_HOST_PATTERN_MISMATCH"], ["error", "ignore", "warning"],
        "What a host pattern that matches nothing is.";
    inject_facts_as_vars: bool = "", "INJECT_FACTS_AS_VARS", Some("True"), ["defaults.inject_facts_as_vars"], ["ANSIBLE_INJECT_FACT_VARS"], [],
        "Facts are variables of their own too (`ansible_distribution`).";
    inject_invocation: bool = "", "INJECT_INVOCATION", Some("False"), ["defaults.inject_invocation"], ["ANSIBLE_INJECT_INVOCATION"], [],
        "Results hold the module's arguments (`invocation`), shown at `-vvv`.";
    invalid_task_attribute_failed: bool = "", "INVALID_TASK_ATTRIBUTE_FAILED", Some("True"), ["defaults.invalid_task_attribute_failed"], ["ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED"], [],
        "A keyword that an include cannot have is an error, else it is left out with a warning.";
    inventory: PathList = "", "DEFAULT_HOST_LIST", Some("/etc/ansible/hosts"), ["defaults.inventory"], ["ANSIBLE_INVENTORY"], [],
        "The inventory sources where `-i` names none.";
    inventory_any_unparsed_is_failed: bool = "", "INVENTORY_ANY_UNPARSED_IS_FAILED", Some("False"), ["inventory.any_unparsed_is_failed"], ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"], [],
        "An inventory source that cannot be read is an error.";
    inventory_enabled: Vec<String> = "", "INVENTORY_ENABLED", Some("host_list,script,auto,yaml,ini,toml"), ["inventory.enable_plugins"], ["ANSIBLE_INVENTORY_ENABLED"], [],
        "Which kinds of inventory sources are tried, in this order.";
    inventory_export: bool = "", "INVENTORY_EXPORT", Some("False"), ["inventory.export"], ["ANSIBLE_INVENTORY_EXPORT"], [],
        "As `--export`.";
    inventory_generator_use_extra_vars: bool = "inventory/generator", "use_extra_vars", Some("False"), ["inventory_plugins.use_extra_vars", "inventory_plugin_generator.use_extra_vars"], ["ANSIBLE_INVENTORY_USE_EXTRA_VARS", "ANSIBLE_GENERATOR_USE_EXTRA_VARS"], [],
        "The inventory plugin `generator` sees extra variables.";
    inventory_ignore_extensions: Vec<String> = "", "INVENTORY_IGNORE_EXTS", Some(".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry"), ["defaults.inventory_ignore_extensions", "inventory.ignore_extensions"], ["ANSIBLE_INVENTORY_IGNORE"], [],
        "Endings of files that are left out in an inventory folder.";
    inventory_ignore_patterns: Vec<String> = "", "INVENTORY_IGNORE_PATTERNS", Some(""), ["defaults.inventory_ignore_patterns", "inventory.ignore_patterns"], ["ANSIBLE_INVENTORY_IGNORE_REGEX"], [],
        "Regular expressions of files that are left out in an inventory folder.";
    inventory_script_stderr: bool = "inventory/script", "always_show_stderr", Some("True"), ["inventory_plugin_script.always_show_stderr"], ["ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR"], [],
        "Show what inventory scripts write to stderr.";
    inventory_unparsed_is_failed: bool = "", "INVENTORY_UNPARSED_IS_FAILED", Some("False"), ["inventory.unparsed_is_failed"], ["ANSIBLE_INVENTORY_UNPARSED_FAILED"], [],
        "An inventory of which no source can be read is an error.";
    inventory_unparsed_warning: bool = "", "INVENTORY_UNPARSED_WARNING", Some("True"), ["inventory.inventory_unparsed_warning"], ["ANSIBLE_INVENTORY_UNPARSED_WARNING"], [],
        "Warn of an inventory of which no source can be read.";
    inventory_use_extra_vars: bool = "inventory/constructed", "use_extra_vars", Some("False"), ["inventory_plugins.use_extra_vars"], ["ANSIBLE_INVENTORY_USE_EXTRA_VARS"], [],
        "Inventory plugins see extra variables.";
    inventory_yaml_extensions: Vec<String> = "inventory/yaml", "yaml_extensions", Some(".yaml,.yml,.json"), ["defaults.yaml_valid_extensions", "inventory_plugin_yaml.yaml_valid_extensions"], ["ANSIBLE_YAML_FILENAME_EXT", "ANSIBLE_INVENTORY_PLUGIN_EXTS"], [],
        "Endings of inventories in YAML.";
    jinja2_extensions: Vec<String> = "", "DEFAULT_JINJA2_EXTENSIONS", Some(""), ["defaults.jinja2_extensions"], ["ANSIBLE_JINJA2_EXTENSIONS"], [],
        "`jinja2.ext.do` and `jinja2.ext.loopcontrols` add their statements to templates; others have no effect.";
    junit_fail_on_change: bool = "callback/junit", "fail_on_change", Some("False"), [], ["JUNIT_FAIL_ON_CHANGE"], [],
        "A change is a failed test.";
    junit_fail_on_ignore: bool = "callback/junit", "fail_on_ignore", Some("False"), [], ["JUNIT_FAIL_ON_IGNORE"], [],
        "A failure that is ignored is a failed test.";
    junit_hide_task_arguments: bool = "callback/junit", "hide_task_arguments", Some("False"), [], ["JUNIT_HIDE_TASK_ARGUMENTS"], [],
        "Leave the arguments of tasks out of names.";
    junit_include_setup_tasks_in_report: bool = "callback/junit", "include_setup_tasks_in_report", Some("True"), [], ["JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT"], [],
        "Gathering facts is a test too.";
    junit_output_dir: PathBuf = "callback/junit", "output_dir", Some("~/.ansible.log"), [], ["JUNIT_OUTPUT_DIR"], [],
        "The folder of the report.";
    junit_replace_out_of_tree_path: Option<String> = "callback/junit", "replace_out_of_tree_path", None, [], ["JUNIT_REPLACE_OUT_OF_TREE_PATH"], [],
        "What stands for folders of tasks outside of `JUNIT_TASK_RELATIVE_PATH`.";
    junit_task_class: bool = "callback/junit", "task_class", Some("False"), [], ["JUNIT_TASK_CLASS"], [],
        "A class for each file of tasks.";
    junit_task_relative_path: Option<String> = "callback/junit", "task_relative_path", None, [], ["JUNIT_TASK_RELATIVE_PATH"], [],
        "Files are named from this folder.";
    junit_test_case_prefix: String = "callback/junit", "test_case_prefix", Some(""), [], ["JUNIT_TEST_CASE_PREFIX"], [],
        "Only tasks whose names begin so are tests.";
    localhost_warning: bool = "", "LOCALHOST_WARNING", Some("True"), ["defaults.localhost_warning"], ["ANSIBLE_LOCALHOST_WARNING"], [],
        "Warn where only the implicit localhost is there.";
    log_filter: Vec<String> = "", "DEFAULT_LOG_FILTER", Some(""), ["defaults.log_filter"], ["ANSIBLE_LOG_FILTER"], [],
        "Who is left out of the log.";
    log_path: Option<PathBuf> = "", "DEFAULT_LOG_PATH", None, ["defaults.log_path"], ["ANSIBLE_LOG_PATH"], [],
        "A file that what is shown is written to as well.";
    log_verbosity: Option<i64> = "", "LOG_VERBOSITY", None, ["defaults.log_verbosity"], ["ANSIBLE_LOG_VERBOSITY"], [],
        "As many `-v` for what goes to the log.";
    max_diff_size: i64 = "", "MAX_FILE_SIZE_FOR_DIFF", Some("104448"), ["defaults.max_diff_size"], ["ANSIBLE_MAX_DIFF_SIZE"], [],
        "Bytes of a file of which differences are shown.";
    module_args: Option<String> = "", "DEFAULT_MODULE_ARGS", None, ["defaults.module_args"], ["ANSIBLE_MODULE_ARGS"], [],
        "The arguments of `ansible` where `-a` gives none.";
    module_name: String = "", "DEFAULT_MODULE_NAME", Some("command"), ["defaults.module_name"], [], [],
        "The module of `ansible` where `-m` names none.";
    no_log: bool = "", "DEFAULT_NO_LOG", Some("False"), ["defaults.no_log"], ["ANSIBLE_NO_LOG"], [],
        "Hide the results of all tasks that do not say otherwise.";
    nocolor: bool = "", "ANSIBLE_NOCOLOR", Some("False"), ["defaults.nocolor"], ["ANSIBLE_NOCOLOR", "NO_COLOR"], [],
        "No colours.";
    pager: String = "", "PAGER", Some("less"), ["defaults.pager"], ["ANSIBLE_PAGER", "PAGER"], [],
        "What `vault view` shows texts with on a terminal.";
    playbook_dir: Option<PathBuf> = "", "PLAYBOOK_DIR", None, ["defaults.playbook_dir"], ["ANSIBLE_PLAYBOOK_DIR"], [],
        "As `--playbook-dir`.";
    poll_interval: i64 = "", "DEFAULT_POLL_INTERVAL", Some("15"), ["defaults.poll_interval"], ["ANSIBLE_POLL_INTERVAL"], [],
        "Seconds between looks at an asynchronous task.";
    precedence: Vec<String> = "", "VARIABLE_PRECEDENCE",
        Some("all_inventory,groups_inventory,all_plugins_inventory,all_plugins_play,groups_plugins_inventory,groups_plugins_play"),
        ["defaults.precedence"], ["ANSIBLE_PRECEDENCE"], [],
        "Which variables of groups count, weakest first; `plugins` are the files in `group_vars`.";
    private_key_file: Option<PathBuf> = "", "DEFAULT_PRIVATE_KEY_FILE", None, ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"], [],
        "The private key to log in with.";
    private_role_vars: bool = "", "DEFAULT_PRIVATE_ROLE_VARS", Some("False"), ["defaults.private_role_vars"], ["ANSIBLE_PRIVATE_ROLE_VARS"], [],
        "Variables of roles are seen by their own tasks only; said to be off, also those of included roles are seen by what follows.";
    remote_port: Option<i64> = "", "DEFAULT_REMOTE_PORT", None, ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"], [],
        "The port to connect to.";
    remote_user: Option<String> = "", "DEFAULT_REMOTE_USER", None, ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"], [],
        "The user to log in as.";
    retry_files_enabled: bool = "", "RETRY_FILES_ENABLED", Some("False"), ["defaults.retry_files_enabled"], ["ANSIBLE_RETRY_FILES_ENABLED"], [],
        "Write the failed hosts to a file.";
    retry_files_save_path: Option<PathBuf> = "", "RETRY_FILES_SAVE_PATH", None, ["defaults.retry_files_save_path"], ["ANSIBLE_RETRY_FILES_SAVE_PATH"], [],
        "The folder of that file.";
    roles_path: SearchPath = "", "DEFAULT_ROLES_PATH", Some("{{ANSIBLE_HOME}}/roles:/usr/share/ansible/roles:/etc/ansible/roles"), ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"], [],
        "Where roles are looked for, after the playbook's own folder.";
    run_tags: Vec<String> = "", "TAGS_RUN", Some(""), ["tags.run"], ["ANSIBLE_RUN_TAGS"], [],
        "As `--tags`.";
    show_custom_stats: bool = "callback/default", "show_custom_stats", Some("False"), ["defaults.show_custom_stats"], ["ANSIBLE_SHOW_CUSTOM_STATS"], [],
        "Show what `set_stats` said in the recap.";
    show_per_host_start: bool = "callback/default", "show_per_host_start", Some("False"), ["defaults.show_per_host_start"], ["ANSIBLE_SHOW_PER_HOST_START"], [],
        "Show when a host begins a task.";
    show_task_path_on_failure: bool = "callback/default", "show_task_path_on_failure", Some("False"), ["defaults.show_task_path_on_failure"], ["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"], [],
        "Show where a failed task is written.";
    skip_tags: Vec<String> = "", "TAGS_SKIP", Some(""), ["tags.skip"], ["ANSIBLE_SKIP_TAGS"], [],
        "As `--skip-tags`.";
    ssh_args: Option<String> = "connection/ssh", "ssh_args", None, ["ssh_connection.ssh_args"], ["ANSIBLE_SSH_ARGS"], [],
        "Arguments for SSH in place of the usual ones.";
    ssh_common_args: Option<String> = "connection/ssh", "ssh_common_args", None, ["ssh_connection.ssh_common_args"], ["ANSIBLE_SSH_COMMON_ARGS"], [],
        "Further arguments for SSH.";
    ssh_executable: String = "connection/ssh", "ssh_executable", Some("ssh"), ["ssh_connection.ssh_executable"], ["ANSIBLE_SSH_EXECUTABLE"], [],
        "The program of the connection `openssh`.";
    ssh_extra_args: Option<String> = "connection/ssh", "ssh_extra_args", None, ["ssh_connection.ssh_extra_args"], ["ANSIBLE_SSH_EXTRA_ARGS"], [],
        "Further arguments for SSH.";
    ssh_retries: i64 = "connection/ssh", "reconnection_retries", Some("0"), ["connection.retries", "ssh_connection.retries"], ["ANSIBLE_SSH_RETRIES"], [],
        "How many more times to try a connection that failed.";
    stdout_callback: String = "", "DEFAULT_STDOUT_CALLBACK", Some("default"), ["defaults.stdout_callback"], ["ANSIBLE_STDOUT_CALLBACK"], [],
        "How the run is shown.";
    strategy: String = "", "DEFAULT_STRATEGY", Some("linear"), ["defaults.strategy"], ["ANSIBLE_STRATEGY"], [],
        "In which order hosts meet tasks.";
    su_exe: Option<String> = "become/su", "become_exe", None, ["su_become_plugin.executable"], ["ANSIBLE_SU_EXE"], [],
        "The program `su`.";
    su_flags: Option<String> = "become/su", "become_flags", None, ["su_become_plugin.flags"], ["ANSIBLE_SU_FLAGS"], [],
        "Flags of `su`.";
    su_prompt_l10n: Vec<String> = "become/su", "prompt_l10n", Some(""), ["su_become_plugin.localized_prompts"], ["ANSIBLE_SU_PROMPT_L10N"], [],
        "What a line of `su` that asks for the password contains, in place of what is known; without the colon.";
    su_user: String = "become/su", "become_user", Some("root"), ["privilege_escalation.become_user", "su_become_plugin.user"], ["ANSIBLE_BECOME_USER", "ANSIBLE_SU_USER"], [],
        "The user to become by `su`.";
    sudo_chdir: Option<String> = "become/sudo", "sudo_chdir", None, ["sudo_become_plugin.chdir"], ["ANSIBLE_SUDO_CHDIR"], [],
        "The folder that `sudo` is started in.";
    sudo_exe: Option<String> = "become/sudo", "become_exe", None, ["sudo_become_plugin.executable"], ["ANSIBLE_SUDO_EXE"], [],
        "The program `sudo`.";
    sudo_flags: Option<String> = "become/sudo", "become_flags", None, ["sudo_become_plugin.flags"], ["ANSIBLE_SUDO_FLAGS"], [],
        "Flags of `sudo`.";
    sudo_user: String = "become/sudo", "become_user", Some("root"), ["privilege_escalation.become_user", "sudo_become_plugin.user"], ["ANSIBLE_BECOME_USER", "ANSIBLE_SUDO_USER"], [],
        "The user to become by `sudo`.";
    task_debugger_ignore_errors: bool = "", "TASK_DEBUGGER_IGNORE_ERRORS", Some("True"), ["defaults.task_debugger_ignore_errors"], ["ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"], [],
        "The debugger lets failures be that are ignored.";
    task_timeout: i64 = "", "TASK_TIMEOUT", Some("0"), ["defaults.task_timeout"], ["ANSIBLE_TASK_TIMEOUT"], [],
        "Seconds that a task may take that does not say so; 0 is no limit.";
    timeout: i64 = "connection/ssh", "timeout", Some("10"), ["defaults.timeout", "ssh_connection.timeout"], ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"], [],
        "Seconds for a connection to come about.";
    transport: String = "", "DEFAULT_TRANSPORT", Some("ssh"), ["defaults.transport"], ["ANSIBLE_TRANSPORT"], [],
        "The connection plugin.";
    untrusted_template_behavior: String = "", "_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR", Some("ignore"), [], ["_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR"], ["error", "ignore", "warning"],
        "What becomes of values that look like templates and come from hosts or files of data. They are never rendered.";
    vars_plugins_enabled: Vec<String> = "", "VARIABLE_PLUGINS_ENABLED", Some("host_group_vars"), ["defaults.vars_plugins_enabled"], ["ANSIBLE_VARS_ENABLED"], [],
        "Without `host_group_vars` among them, `group_vars` and `host_vars` are not read. Others are written in Python and not loaded.";
    vault_encrypt_identity: Option<String> = "", "DEFAULT_VAULT_ENCRYPT_IDENTITY", None, ["defaults.vault_encrypt_identity"], ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"], [],
        "The vault id to encrypt with where several are known.";
    vault_encrypt_salt: Option<String> = "", "VAULT_ENCRYPT_SALT", None, ["defaults.vault_encrypt_salt"], ["ANSIBLE_VAULT_ENCRYPT_SALT"], [],
        "The salt to encrypt with, for texts that have to be the same each time.";
    vault_id_match: bool = "", "DEFAULT_VAULT_ID_MATCH", Some("False"), ["defaults.vault_id_match"], ["ANSIBLE_VAULT_ID_MATCH"], [],
        "Decrypt only with the password whose id the text names.";
    vault_identity: String = "", "DEFAULT_VAULT_IDENTITY", Some("default"), ["defaults.vault_identity"], ["ANSIBLE_VAULT_IDENTITY"], [],
        "The label of a vault password that has none.";
    vault_identity_list: Vec<String> = "", "DEFAULT_VAULT_IDENTITY_LIST", Some(""), ["defaults.vault_identity_list"], ["ANSIBLE_VAULT_IDENTITY_LIST"], [],
        "Vault ids that are always known, as `--vault-id`.";
    vault_password_file: Option<PathBuf> = "", "DEFAULT_VAULT_PASSWORD_FILE", None, ["defaults.vault_password_file"], ["ANSIBLE_VAULT_PASSWORD_FILE"], [],
        "A file with the vault password, or a program that prints it.";
    verbose_to_stderr: bool = "", "VERBOSE_TO_STDERR", Some("False"), ["defaults.verbose_to_stderr"], ["ANSIBLE_VERBOSE_TO_STDERR"], [],
        "Write what only `-v` shows to stderr.";
    verbosity: i64 = "", "DEFAULT_VERBOSITY", Some("0"), ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"], [],
        "As many `-v`.";
    yaml_valid_extensions: Vec<String> = "", "YAML_FILENAME_EXTENSIONS", Some(".yml,.yaml,.json"), ["defaults.yaml_valid_extensions"], ["ANSIBLE_YAML_FILENAME_EXT"], [],
        "What the names of files in `group_vars` and `host_vars` end with, beside those without an ending.";
}

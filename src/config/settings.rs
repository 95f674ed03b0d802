//! The table of settings, and the struct made of it.

use std::path::{Path, PathBuf};

use super::Surroundings;
use super::file::ConfigFile;
use super::types::{ConfigOrigin, FromText, PathList, Reading, SearchPath, Setting};
use crate::source::{Diagnostic, Diagnostics};

/// What is known of a setting without its value.
#[derive(Clone, Copy, Debug)]
pub struct SettingInfo {
    /// The field of [`Config`].
    pub name: &'static str,
    /// `section.key` in `ansible.cfg`; of several, the last that is there wins.
    pub ini: &'static [&'static str],
    /// Names in the environment; they win over the file.
    pub env: &'static [&'static str],
    /// The values that are allowed, where not all are.
    pub choices: &'static [&'static str],
    /// What it is for.
    pub doc: &'static str,
}

macro_rules! settings {
    ($( $name:ident: $type:ty = $default:expr, $ini:expr, $env:expr, $choices:expr, $doc:literal; )*) => {
        /// All settings, by name.
        pub const SETTINGS: &[SettingInfo] = &[$( SettingInfo { name: stringify!($name), ini: &$ini, env: &$env, choices: &$choices, doc: $doc } ),*];

        /// The settings of a run.
        #[derive(Clone, Debug)]
        pub struct Config {
            /// The settings file in use.
            pub file: Option<PathBuf>,
            $( #[doc = $doc] pub $name: Setting<$type>, )*
        }

        impl Config {
            pub(super) fn resolve(surroundings: &Surroundings, path: Option<PathBuf>, file: Option<&ConfigFile>, diagnostics: &mut Diagnostics) -> Self {
                let mut table = SETTINGS.iter();
                let mut resolver = Resolver { surroundings, folder: path.as_deref().and_then(Path::parent), file, diagnostics };
                $( let $name = resolver.resolve::<$type>(table.next().expect("one row per field"), $default); )*
                Self { file: path, $( $name, )* }
            }
        }
    };
}

fn text(text: &str) -> String {
    text.to_owned()
}

settings! {
    any_errors_fatal: bool = false, ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"], [],
        "A failure on one host ends the play for all.";
    ask_pass: bool = false, ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"], [],
        "Ask for the connection password.";
    r#become: bool = false, ["privilege_escalation.become"], ["ANSIBLE_BECOME"], [],
        "Become another user for all tasks.";
    become_ask_pass: bool = false, ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"], [],
        "Ask for the become password.";
    become_exe: Option<String> = None, ["privilege_escalation.become_exe"], ["ANSIBLE_BECOME_EXE"], [],
        "The program to become another user with, where it is not the method's own.";
    become_flags: Option<String> = None, ["privilege_escalation.become_flags"], ["ANSIBLE_BECOME_FLAGS"], [],
        "Flags of that program.";
    become_method: String = text("sudo"), ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"], [],
        "How to become another user.";
    become_user: String = text("root"), ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"], [],
        "The user to become.";
    callback_result_format: String = text("json"), ["defaults.callback_result_format"], ["ANSIBLE_CALLBACK_RESULT_FORMAT"], ["json", "yaml"],
        "How results are shown.";
    diff_always: bool = false, ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"], [],
        "Show differences without being asked.";
    diff_context: i64 = 3, ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"], [],
        "Lines around a difference.";
    display_skipped_hosts: bool = true, ["defaults.display_skipped_hosts"], ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"], [],
        "Show skipped tasks.";
    force_color: bool = false, ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"], [],
        "Colours also where the output is no terminal.";
    force_handlers: bool = false, ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"], [],
        "Run notified handlers of failed hosts too.";
    forks: Option<i64> = None, ["defaults.forks"], ["ANSIBLE_FORKS"], [],
        "How many hosts at once; without it as many as there are, at most 500.";
    gathering: String = text("implicit"), ["defaults.gathering"], ["ANSIBLE_GATHERING"], ["explicit", "implicit", "smart"],
        "Whether plays that do not say so gather facts.";
    hash_behaviour: String = text("replace"), ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"], ["merge", "replace"],
        "What becomes of a map that two levels define.";
    host_key_checking: bool = true, ["defaults.host_key_checking", "ssh_connection.host_key_checking"], ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"], [],
        "Refuse hosts whose key is not known.";
    inventory: PathList = PathList(vec![PathBuf::from("/etc/ansible/hosts")]), ["defaults.inventory"], ["ANSIBLE_INVENTORY"], [],
        "The inventory sources where `-i` names none.";
    nocolor: bool = false, ["defaults.nocolor"], ["ANSIBLE_NOCOLOR", "NO_COLOR"], [],
        "No colours.";
    poll_interval: i64 = 15, ["defaults.poll_interval"], ["ANSIBLE_POLL_INTERVAL"], [],
        "Seconds between looks at an asynchronous task.";
    private_key_file: Option<PathBuf> = None, ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"], [],
        "The private key to log in with.";
    remote_port: Option<i64> = None, ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"], [],
        "The port to connect to.";
    remote_user: Option<String> = None, ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"], [],
        "The user to log in as.";
    retry_files_enabled: bool = false, ["defaults.retry_files_enabled"], ["ANSIBLE_RETRY_FILES_ENABLED"], [],
        "Write the failed hosts to a file.";
    retry_files_save_path: Option<PathBuf> = None, ["defaults.retry_files_save_path"], ["ANSIBLE_RETRY_FILES_SAVE_PATH"], [],
        "The folder of that file.";
    roles_path: SearchPath = SearchPath(Vec::new()), ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"], [],
        "Where roles are looked for, after the playbook's own folder.";
    run_tags: Vec<String> = Vec::new(), ["tags.run"], ["ANSIBLE_RUN_TAGS"], [],
        "As `--tags`.";
    skip_tags: Vec<String> = Vec::new(), ["tags.skip"], ["ANSIBLE_SKIP_TAGS"], [],
        "As `--skip-tags`.";
    ssh_args: Option<String> = None, ["ssh_connection.ssh_args"], ["ANSIBLE_SSH_ARGS"], [],
        "Arguments for SSH in place of the usual ones.";
    ssh_common_args: Option<String> = None, ["ssh_connection.ssh_common_args"], ["ANSIBLE_SSH_COMMON_ARGS"], [],
        "Further arguments for SSH.";
    ssh_extra_args: Option<String> = None, ["ssh_connection.ssh_extra_args"], ["ANSIBLE_SSH_EXTRA_ARGS"], [],
        "Further arguments for SSH.";
    stdout_callback: String = text("default"), ["defaults.stdout_callback"], ["ANSIBLE_STDOUT_CALLBACK"], [],
        "How the run is shown.";
    strategy: String = text("linear"), ["defaults.strategy"], ["ANSIBLE_STRATEGY"], [],
        "In which order hosts meet tasks.";
    timeout: i64 = 10, ["defaults.timeout", "ssh_connection.timeout"], ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"], [],
        "Seconds for a connection to come about.";
    transport: String = text("ssh"), ["defaults.transport"], ["ANSIBLE_TRANSPORT"], [],
        "The connection plugin.";
    verbosity: i64 = 0, ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"], [],
        "As many `-v`.";
}

struct Resolver<'r> {
    surroundings: &'r Surroundings,
    folder: Option<&'r Path>,
    file: Option<&'r ConfigFile>,
    diagnostics: &'r mut Diagnostics,
}

impl Resolver<'_> {
    /// The environment, else the file, else the default.
    fn resolve<T: FromText>(&mut self, info: &SettingInfo, default: T) -> Setting<T> {
        let in_environment = info.env.iter().rev().find_map(|name| Some((*name, self.surroundings.variables.get(*name)?)));
        let in_file = info.ini.iter().rev().find_map(|name| self.file?.get(name));
        let here = &self.surroundings.folder;
        let (text, folder, origin) = match (in_environment, in_file) {
            (Some((name, text)), _) => (text, here.as_path(), ConfigOrigin::Environment(name)),
            (None, Some(entry)) => (&entry.value, self.folder.unwrap_or(here), ConfigOrigin::File(entry.span.clone())),
            (None, None) => return Setting { value: default, origin: ConfigOrigin::Default },
        };
        // `NO_COLOR` means what it says whatever its value.
        let text = if origin == ConfigOrigin::Environment("NO_COLOR") { "true" } else { text };
        let reading = Reading { text, folder, surroundings: self.surroundings, choices: info.choices };
        match T::from_text(&reading) {
            Ok(value) => Setting { value, origin },
            Err(wanted) => {
                let name = info.name.trim_start_matches("r#");
                let error = match &origin {
                    ConfigOrigin::File(span) => Diagnostic::error(format!("the setting `{name}` is `{text}`, expected {wanted}")).at(span),
                    other => Diagnostic::error(format!("the setting `{name}` ({other}) is `{text}`, expected {wanted}")),
                };
                self.diagnostics.push(error);
                Setting { value: default, origin }
            }
        }
    }
}

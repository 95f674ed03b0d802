//! What every command that runs something needs: settings, inventory, variables, loader, executor, put together from flags.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::flags::{ConnectionFlags, InventoryFlags, RunFlags};
use super::settings;
use super::sources::{source_options, var_rules};
use super::terminal::Terminal;
use crate::action;
use crate::callback::{self, Screen};
use crate::config::{Config, ConfigOrigin, Surroundings};
use crate::display::{Colour, Display, Echo, Role, Stream};
use crate::executor::{
    ConnectionDefaults, Executor, Gathering, Leases, Options, RunEnd, Shared, TagFilter, TaskDefaults, World, static_scope,
};
use crate::helper::Store;
use crate::inventory::{self, HostId, HostPattern, Inventory};
use crate::playbook::Collections;
use crate::playbook::Playbook;
use crate::playbook::load::{Known, Loader, World as LoaderWorld};
use crate::preflight::{self, Site};
use crate::source::{Diagnostic, Diagnostics, Severity};
use crate::template::{Context, Engine, Extensions, Result as TemplateResult, TemplateError, WorldLookups};
use crate::transport::Secret;
use crate::value::Value;
use crate::vars::{FactCache, GroupLevel, INVALID_EXTRA_VARS, Layer, RunVars, VarWorld, extra_vars};
use crate::vault::{self, Vault};
use crate::yaml::DuplicateKeys;

/// Settings, and a display to speak with.
pub struct Session {
    /// The settings.
    pub config: Config,
    /// The display.
    pub display: Display,
    /// The working folder.
    pub folder: PathBuf,
    surroundings: Surroundings,
}

/// An error that ends the program with this code, told already.
pub struct Exit(pub u8);

/// An inventory with all that it was made of.
pub struct Hosts {
    /// The inventory.
    pub inventory: Arc<Inventory>,
    /// Where it was read from.
    pub sources: Vec<String>,
    /// `--limit`.
    pub limit: Option<HostPattern>,
    /// `-e`.
    pub extra: Arc<Layer>,
    /// The secrets that vaults are opened with.
    pub vault: Arc<Vault>,
}

impl Session {
    /// Reads the settings.
    pub fn start(verbose: u8) -> Result<Self, Exit> {
        Self::begin(verbose, None, Severity::Warning)
    }

    /// Reads the settings of this file; without one, of the file that is found. Warnings about them are left to the command.
    pub fn with_config(named: Option<&Path>) -> Result<Self, Exit> {
        Self::begin(0, named, Severity::Error)
    }

    fn begin(verbose: u8, named: Option<&Path>, least: Severity) -> Result<Self, Exit> {
        let surroundings = match Surroundings::of_process() {
            Ok(surroundings) => surroundings,
            Err(error) => {
                Display::new(verbose, Colour::Auto)
                    .diagnostic(&Diagnostic::error(format!("could not find out the working folder: {error}")));
                return Err(Exit(1));
            }
        };
        let mut diagnostics = Diagnostics::new();
        let config = match named {
            Some(path) if !path.is_file() => {
                let message =
                    format!("The provided configuration file is missing or not accessible: {}", surroundings.folder.join(path).display());
                Display::new(verbose, Colour::Auto).diagnostic(&Diagnostic::error(message));
                return Err(Exit(5));
            }
            Some(path) => Config::load_file(&surroundings, Some(surroundings.folder.join(path)), &mut diagnostics),
            None => Config::load(&surroundings, &mut diagnostics),
        };
        let verbosity = verbose.max(u8::try_from(config.verbosity.value).unwrap_or(0));
        let display = settings::display(&config, verbosity, &surroundings, &mut diagnostics);
        let mut session = Self { config, display, folder: surroundings.folder.clone(), surroundings };
        let mut told = Diagnostics::new();
        diagnostics
            .into_sorted()
            .into_iter()
            .filter(|found| found.severity == Severity::Error || least != Severity::Error)
            .for_each(|found| told.push(found));
        session.tell(told, 5)?;
        if verbosity > 0 {
            let text = match &session.config.file {
                Some(path) => format!("Using {} as config file", path.display()),
                None => "No config file found; using defaults".to_owned(),
            };
            let stream = if session.config.verbose_to_stderr.value { Stream::Err } else { Stream::Out };
            session.display.show(Role::Verbose, &text, stream);
        }
        Ok(session)
    }

    /// A path as written on the command line.
    pub fn path(&self, text: &str) -> PathBuf {
        self.surroundings.path(text)
    }

    /// Shows mistakes; an error among them ends the program with this code.
    pub fn tell(&mut self, diagnostics: Diagnostics, code: u8) -> Result<(), Exit> {
        let diagnostics = DuplicateKeys::of_setting(&self.config.duplicate_dict_key).judge(diagnostics);
        let failed = diagnostics.has_errors();
        for diagnostic in diagnostics.into_sorted() {
            if diagnostic.severity == Severity::Warning && diagnostic.labels.is_empty() {
                self.display.warning(&diagnostic.message);
            } else {
                self.display.diagnostic(&diagnostic);
            }
        }
        if failed { Err(Exit(code)) } else { Ok(()) }
    }

    /// Ends the program with a message.
    pub fn refuse(&mut self, message: impl Into<String>, code: u8) -> Exit {
        self.display.diagnostic(&Diagnostic::error(message));
        Exit(code)
    }

    /// Loads the inventory and the extra variables; a `--limit` that leaves no hosts ends the program.
    pub fn hosts(&mut self, flags: &InventoryFlags) -> Result<Hosts, Exit> {
        let hosts = self.all_hosts(flags)?;
        for name in self.config.precedence.value.iter().filter(|name| GroupLevel::named(name).is_none()) {
            self.display.warning(&format!("Ignoring unknown variable precedence entry: {name}"));
        }
        if hosts.inventory.host_count() == 0 {
            if self.config.localhost_warning.value {
                let warning =
                    "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";
                self.display.warning(warning);
            }
            return Ok(hosts);
        }
        if self.limited(&hosts)?.is_some_and(|limited| limited.is_empty()) {
            return Err(self.refuse("Specified inventory, host pattern and/or --limit leaves us with no hosts to target.", 1));
        }
        Ok(hosts)
    }

    /// The hosts that `--limit` names, where it is given.
    pub fn limited(&mut self, hosts: &Hosts) -> Result<Option<Vec<HostId>>, Exit> {
        let Some(limit) = &hosts.limit else { return Ok(None) };
        self.named_hosts(&hosts.inventory, limit).map(Some)
    }

    /// The hosts that a pattern names.
    pub fn named_hosts(&mut self, inventory: &Inventory, pattern: &HostPattern) -> Result<Vec<HostId>, Exit> {
        let mut diagnostics = Diagnostics::new();
        let found = pattern.resolve(inventory, &mut diagnostics);
        self.tell(diagnostics, 1)?;
        found.map_err(|error| self.refuse(error.to_string(), 1))
    }

    /// Loads the inventory and the extra variables.
    pub fn all_hosts(&mut self, flags: &InventoryFlags) -> Result<Hosts, Exit> {
        let vault = Arc::new(self.vault(&flags.vault)?);
        let sources = if flags.inventory.is_empty() {
            self.config.inventory.value.0.iter().map(|path| path.display().to_string()).collect()
        } else {
            flags.inventory.clone()
        };
        let mut diagnostics = Diagnostics::new();
        for argument in &flags.extra_vars {
            if let Some(file) = argument.strip_prefix('@').filter(|file| !self.folder.join(file).is_file()) {
                return Err(self
                    .refuse(format!("Unable to retrieve file contents. Could not find or access '{file}' on the Ansible Controller."), 1));
            }
        }
        let unopened = flags
            .extra_vars
            .iter()
            .filter_map(|argument| argument.strip_prefix('@'))
            .any(|file| vault.read(&self.folder.join(file)).is_err_and(|error| vault::error_of(&error).is_some()));
        // A file without its `@` is misuse of the option; what is wrong within one is wrong YAML.
        let is_misused = flags.extra_vars.iter().any(|argument| argument.starts_with(['/', '.']));
        let extra = extra_vars(&flags.extra_vars, &self.folder, &vault, &mut diagnostics);
        let is_misused = is_misused || diagnostics.iter().any(|found| found.message.starts_with(INVALID_EXTRA_VARS));
        let code = match (unopened, is_misused) {
            (true, _) => 1,
            (false, true) => 5,
            (false, false) => 4,
        };
        self.tell(diagnostics, code)?;
        let options = source_options(&self.config, &self.folder, &extra, &vault);
        let mut diagnostics = Diagnostics::new();
        let inventory = inventory::load(&sources, &self.folder, &options, &mut diagnostics);
        self.tell(diagnostics, 1)?;
        let limit = match &flags.limit {
            None => None,
            Some(text) => match HostPattern::parse_limit(text, &self.folder) {
                Ok(pattern) => Some(pattern),
                Err(error) => return Err(self.refuse(error.to_string(), 1)),
            },
        };
        Ok(Hosts { inventory: Arc::new(inventory), sources, limit, extra, vault })
    }

    /// `--forks` and the setting of it: nothing runs on no host at once.
    pub fn check_forks(&mut self, asked: Option<usize>) -> Result<(), Exit> {
        let setting = if self.config.forks.is_set() { self.config.forks.value } else { 1 };
        let is_none = asked.map_or(setting < 1, |asked| asked == 0);
        if is_none { Err(self.refuse("The number of processes (--forks) must be >= 1", 2)) } else { Ok(()) }
    }

    /// Where collections are looked for, besides `collections/` next to a playbook.
    pub fn collections_path(&self) -> Vec<PathBuf> {
        self.config.collections_path.value.0.clone()
    }

    /// Loads with a loader that knows modules, lookups and variables.
    pub fn with_loader<T>(&mut self, hosts: &Hosts, body: impl FnOnce(&mut Self, &Loader<'_>) -> T) -> T {
        let engine = Arc::new(Engine::new());
        let lookups = world_lookups(&hosts.inventory, &self.config, &hosts.vault);
        let context = Arc::new(Context::of_playbook(self.folder.clone(), lookups));
        let extra = Arc::clone(&hosts.extra.vars);
        let render =
            |value: &Value, layers: &[Arc<crate::value::Map>]| static_scope::render_for_loader(&engine, &context, value, layers, &extra);
        let is_lookup = |name: &str| engine.lookup(name).is_ok();
        let loader = Loader::new(LoaderWorld {
            roles_path: self.config.roles_path.value.0.clone(),
            collections: Collections::new(self.collections_path()),
            module: &known_module,
            module_names: action::names(),
            lookup: &is_lookup,
            vault: &hosts.vault,
            render: &render,
            duplicate_keys: DuplicateKeys::of_setting(&self.config.duplicate_dict_key),
        });
        body(self, &loader)
    }

    /// The files of playbooks, those of collections by their full names too; ends the program where one is not there.
    pub fn find_playbooks(&mut self, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Exit> {
        let collections = Collections::new(self.collections_path());
        let in_collection = |path: &PathBuf| if path.exists() { None } else { collections.playbook(path.to_str()?) };
        let found: Vec<PathBuf> = paths.iter().map(|path| in_collection(path).unwrap_or_else(|| path.clone())).collect();
        for path in &found {
            if !path.exists() {
                return Err(self.refuse(format!("the playbook: {} could not be found", path.display()), 1));
            }
            if !path.is_file() {
                return Err(self.refuse(format!("the playbook: {} does not appear to be a file", path.display()), 1));
            }
        }
        Ok(found)
    }

    /// The inventory with its variables, for commands that run nothing.
    pub fn world(&mut self, hosts: &Hosts) -> Result<VarWorld, Exit> {
        let mut diagnostics = Diagnostics::new();
        let world = VarWorld::new(
            Arc::clone(&hosts.inventory),
            Arc::clone(&hosts.extra),
            RunVars::default(),
            var_rules(&self.config),
            &hosts.vault,
            &mut diagnostics,
        );
        self.tell(diagnostics, 4)?;
        Ok(world)
    }

    /// What is certainly wrong, before any host is met.
    pub fn preflight(
        &mut self,
        hosts: &Hosts,
        loader: &Loader<'_>,
        playbooks: &[Playbook],
        tags: &[String],
        skip_tags: &[String],
    ) -> Result<Vec<Diagnostic>, Exit> {
        let vars = self.world(hosts)?;
        let (engine, has_fact_cache) = (Engine::new().inspecting(extensions(&self.config)), self.has_fact_cache());
        Ok(preflight::check(&Site { playbooks, loader, engine: &engine, vars: &vars, tags, skip_tags, has_fact_cache }))
    }

    /// Shows what the pre-flight found; as warnings, or as errors that end the program.
    pub fn tell_preflight(&mut self, found: Vec<Diagnostic>, how: Preflight) -> Result<(), Exit> {
        match how {
            Preflight::Silent => Ok(()),
            Preflight::Warns => self.tell(preflight::as_warnings(found), 4),
            Preflight::Refuses => {
                let mut errors = Diagnostics::new();
                found.into_iter().for_each(|diagnostic| errors.push(diagnostic));
                self.tell(errors, 4)
            }
        }
    }

    /// Whether facts of earlier runs are variables of this one.
    fn has_fact_cache(&self) -> bool {
        self.config.fact_caching.value.rsplit('.').next() != Some("memory")
    }

    /// Runs playbooks and gives the exit code.
    pub fn execute(&mut self, hosts: &Hosts, loader: &Loader<'_>, playbooks: &[Playbook], run: &RunRequest<'_>) -> Result<RunEnd, Exit> {
        let defaults = self.connection(run.connection)?;
        let config = &self.config;
        let asked_forks =
            run.flags.forks.or_else(|| config.forks.is_set().then(|| usize::try_from(config.forks.value).unwrap_or(1).max(1)));
        let forks = asked_forks.unwrap_or_else(|| hosts.inventory.host_count().clamp(1, 500));
        let diff = run.flags.diff || config.diff_always.value;
        let verbosity = self.display.verbosity;
        let run_vars = RunVars {
            check_mode: run.flags.check,
            diff_mode: diff,
            forks: i64::try_from(asked_forks.unwrap_or(5)).unwrap_or(i64::MAX),
            verbosity: i64::from(verbosity),
            run_tags: run.tags.only.clone(),
            skip_tags: run.tags.skip.clone(),
            limit: run.limit.map(str::to_owned),
            python: python(),
            config_file: config.file.clone(),
            hides_facts: !config.inject_facts_as_vars.value,
        };
        let rules = var_rules(config);
        let mut diagnostics = Diagnostics::new();
        let vars = VarWorld::new(Arc::clone(&hosts.inventory), Arc::clone(&hosts.extra), run_vars, rules, &hosts.vault, &mut diagnostics);
        let private_roles = (config.private_role_vars.origin != ConfigOrigin::Default).then_some(config.private_role_vars.value);
        let options = Options {
            check: run.flags.check,
            diff,
            forks,
            tags: run.tags.clone(),
            start_at: run.start_at.map(str::to_owned),
            step: run.step,
            limit: hosts.limit.clone(),
            force_handlers: run.force_handlers || config.force_handlers.value,
            gathering: match config.gathering.value.as_str() {
                "explicit" => Gathering::Explicit,
                "smart" => Gathering::Smart,
                _ => Gathering::Implicit,
            },
            any_errors_fatal: config.any_errors_fatal.value,
            strategy: config.strategy.value.clone(),
            action_warnings: config.action_warnings.value,
            extensions: extensions(config),
            private_role_vars: private_roles,
            debugger: config.enable_task_debugger.value,
            debugger_skips_ignored: config.task_debugger_ignore_errors.value,
            missing_handler_is_error: config.error_on_missing_handler.value,
        };
        let screen_options = callback::Options {
            tree: run.tree.map_or_else(|| config.callback_tree_directory.value.clone(), Path::to_path_buf),
            ..callback::Options::of(config, &self.display, run.flags.check)
        };
        let callbacks = self.callbacks(run)?;
        self.tell(diagnostics, 4)?;
        let engine = Arc::new(Engine::new().inspecting(extensions(&self.config)));
        if run.preflight != Preflight::Silent {
            let has_fact_cache = self.has_fact_cache();
            let (tags, skip_tags) = (&run.tags.only, &run.tags.skip);
            let site = Site { playbooks, loader, engine: &engine, vars: &vars, tags, skip_tags, has_fact_cache };
            self.tell_preflight(preflight::check(&site), run.preflight)?;
        }
        let store = match Store::open() {
            Ok(store) => Arc::new(store),
            Err(error) => return Err(self.refuse(error.to_string(), 1)),
        };
        let interrupted = interrupts();
        raise_descriptors();
        let config = &self.config;
        let tasks = TaskDefaults {
            no_log: config.no_log.value,
            timeout: run.task_timeout.unwrap_or(config.task_timeout.value),
            poll: config.poll_interval.value,
            async_dir: config.async_dir.value.clone(),
            inject_invocation: config.inject_invocation.value,
            public_includes: private_roles == Some(false),
        };
        let shared = Shared { engine, leases: Leases::new(store, forks), defaults, verbosity, tasks, interrupted };
        let events = match std::env::var_os("DRIFTLESS_EVENTS").map(File::create).transpose() {
            Ok(events) => events,
            Err(error) => return Err(self.refuse(format!("could not write the file that `DRIFTLESS_EVENTS` names: {error}"), 1)),
        };
        let fact_cache = self.fact_cache(hosts, run.flags.flush_cache)?;
        let sources = hosts.sources.clone();
        let folder = self.folder.clone();
        let options_of_sources = source_options(&self.config, &self.folder, &hosts.extra, &hosts.vault);
        let lookups = world_lookups(&hosts.inventory, &self.config, &hosts.vault);
        let retry = config_retry(&self.config).filter(|_| run.has_callbacks);
        let mut screen = Screen::new(&callbacks, &screen_options, &mut self.display);
        if let Some(folder) = retry {
            screen = screen.with_retry_file(folder);
        }
        let mut terminal = Terminal::new(screen, events);
        let reload = |diagnostics: &mut Diagnostics| inventory::load(&sources, &folder, &options_of_sources, diagnostics);
        let world = World { loader, lookups, fact_cache, reload: &reload, console: &mut terminal };
        Ok(Executor::new(options, vars, shared, world).run(playbooks))
    }

    /// Where facts are kept between runs.
    fn fact_cache(&mut self, hosts: &Hosts, flush: bool) -> Result<Option<FactCache>, Exit> {
        let plugin = self.config.fact_caching.value.clone();
        match plugin.strip_prefix("ansible.builtin.").unwrap_or(&plugin) {
            "memory" => return Ok(None),
            "jsonfile" => {}
            other => {
                self.display
                    .warning(&format!("Unable to load the cache plugin '{other}': facts are not kept, known are `memory` and `jsonfile`"));
                return Ok(None);
            }
        }
        let Some(written) = self.config.fact_caching_connection.value.clone() else {
            self.display.warning("`fact_caching_connection` names no folder: facts are not kept");
            return Ok(None);
        };
        let prefix = if self.config.fact_caching_prefix.is_set() { self.config.fact_caching_prefix.value.clone() } else { String::new() };
        let folder = self.folder.join(written);
        match FactCache::open(&folder, &prefix, self.config.fact_caching_timeout.value) {
            Ok(cache) => {
                if flush {
                    hosts.inventory.host_ids().for_each(|host| cache.forget(hosts.inventory.host(host).name()));
                }
                Ok(Some(cache))
            }
            Err(error) => Err(self.refuse(format!("could not open the fact cache `{}`: {error}", folder.display()), 1)),
        }
    }

    /// The callback that shows the run, and those besides it.
    fn callbacks(&mut self, run: &RunRequest<'_>) -> Result<Vec<&'static callback::Entry>, Exit> {
        let name = run.callback.map_or_else(|| self.config.stdout_callback.value.clone(), str::to_owned);
        let Some(main) = callback::find(&name).filter(|entry| entry.kind == callback::Kind::Stdout) else {
            let names = callback::CALLBACKS.iter().filter(|entry| entry.kind == callback::Kind::Stdout).map(|entry| entry.name);
            let hint = format!("known are {}", names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
            self.display.diagnostic(&Diagnostic::error(format!("Could not load '{name}' callback plugin.")).hint(hint));
            return Err(Exit(1));
        };
        let mut entries = vec![main];
        let enabled = if run.has_callbacks { self.config.callbacks_enabled.value.clone() } else { Vec::new() };
        let tree = run.tree.map(|_| "tree".to_owned());
        for name in enabled.iter().chain(&tree) {
            match callback::find(name) {
                Some(entry) if entry.kind == callback::Kind::Stdout => {}
                Some(entry) if entries.iter().any(|known| known.name == entry.name) => {}
                Some(entry) => entries.push(entry),
                None => self.display.warning(&format!("Skipping callback plugin '{name}', unable to load")),
            }
        }
        Ok(entries)
    }

    fn connection(&mut self, flags: &ConnectionFlags) -> Result<ConnectionDefaults, Exit> {
        if let Some(message) = flags.unsupported() {
            return Err(self.refuse(message, 5));
        }
        let file = flags.connection_password_file.clone().or_else(|| self.config.connection_password_file.value.clone());
        let password = self.password(flags.ask_pass || self.config.ask_pass.value, file.as_deref(), "SSH password: ")?;
        let asks = flags.ask_become_pass || self.config.become_ask_pass.value;
        let hint = if password.is_some() { "BECOME password[defaults to SSH password]: " } else { "BECOME password: " };
        let file = flags.become_password_file.clone().or_else(|| self.config.become_password_file.value.clone());
        let become_password =
            self.password(asks, file.as_deref(), hint)?.or_else(|| self.config.become_pass.value.clone().map(Secret::new));
        let become_password = match become_password {
            Some(empty) if empty.reveal().is_empty() => password.clone(),
            other => other,
        };
        let config = &self.config;
        let method = flags.become_method.clone().unwrap_or_else(|| config.become_method.value.clone());
        let (own_exe, own_flags) = match method.rsplit('.').next() {
            Some("sudo") => (config.sudo_exe.value.clone(), config.sudo_flags.value.clone()),
            Some("su") => (config.su_exe.value.clone(), config.su_flags.value.clone()),
            _ => (None, None),
        };
        Ok(ConnectionDefaults {
            plugin: flags.connection.clone().unwrap_or_else(|| config.transport.value.clone()),
            user: flags.user.clone().or_else(|| config.remote_user.value.clone()),
            private_key_file: flags.private_key.clone().or_else(|| config.private_key_file.value.clone()),
            password,
            port: config.remote_port.value,
            host_key_checking: config.host_key_checking.value,
            timeout: flags.timeout.unwrap_or(config.timeout.value),
            ssh_args: config.ssh_args.value.clone(),
            ssh_common_args: flags.ssh_common_args.clone().or_else(|| config.ssh_common_args.value.clone()),
            ssh_extra_args: flags.ssh_extra_args.clone().or_else(|| config.ssh_extra_args.value.clone()),
            ssh_executable: config.ssh_executable.value.clone(),
            becomes: flags.becomes || config.r#become.value,
            become_method: method,
            become_user: flags.become_user.clone().unwrap_or_else(|| config.become_user.value.clone()),
            become_exe: config.become_exe.value.clone().or(own_exe),
            become_flags: config.become_flags.value.clone().or(own_flags),
            become_password,
        })
    }

    fn password(&mut self, asks: bool, file: Option<&Path>, prompt: &str) -> Result<Option<Secret>, Exit> {
        if let Some(file) = file {
            return match std::fs::read_to_string(file) {
                Ok(text) => Ok(Some(Secret::new(text.trim_end_matches(['\n', '\r'])))),
                Err(error) => Err(self.refuse(format!("could not read the password file `{}`: {error}", file.display()), 1)),
            };
        }
        if !asks {
            return Ok(None);
        }
        Ok(self.display.ask(prompt, Echo::Off).map(Secret::new))
    }
}

/// Where failed hosts are written to: a folder, or beside the playbook; nowhere, unless the settings ask for it.
fn config_retry(config: &Config) -> Option<Option<PathBuf>> {
    config.retry_files_enabled.value.then(|| config.retry_files_save_path.value.clone())
}

/// What a run is asked for.
pub struct RunRequest<'a> {
    /// How it goes.
    pub flags: &'a RunFlags,
    /// How hosts are reached.
    pub connection: &'a ConnectionFlags,
    /// Which tasks.
    pub tags: TagFilter,
    /// `--start-at-task`.
    pub start_at: Option<&'a str>,
    /// `--step`.
    pub step: bool,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// `--limit`, as written.
    pub limit: Option<&'a str>,
    /// The callback, where the command has one of its own.
    pub callback: Option<&'a str>,
    /// Whether callbacks of the settings listen, too.
    pub has_callbacks: bool,
    /// The folder of `--tree`.
    pub tree: Option<&'a Path>,
    /// `--task-timeout`.
    pub task_timeout: Option<i64>,
    /// What becomes of certain mistakes.
    pub preflight: Preflight,
}

/// What becomes of mistakes that are certain before the first connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// Nobody looks for them.
    Silent,
    /// They are warnings.
    Warns,
    /// They are errors: nothing is run.
    Refuses,
}

/// Modules of ansible-core that come with a later release: known, but not to be run.
const LATER: &[&str] = &[
    "apt_key",
    "apt_repository",
    "assemble",
    "deb822_repository",
    "debconf",
    "dnf5",
    "dpkg_selections",
    "expect",
    "iptables",
    "known_hosts",
    "mount_facts",
    "package_facts",
    "pip",
    "rpm_key",
    "service_facts",
    "subversion",
    "sysvinit",
    "uri",
    "validate_argument_spec",
    "yum_repository",
    "add_host",
    "apt",
    "async_status",
    "blockinfile",
    "command",
    "copy",
    "cron",
    "dnf",
    "fetch",
    "file",
    "find",
    "get_url",
    "git",
    "group",
    "hostname",
    "lineinfile",
    "package",
    "replace",
    "service",
    "setup",
    "shell",
    "slurp",
    "stat",
    "systemd",
    "systemd_service",
    "tempfile",
    "unarchive",
    "user",
    "wait_for",
];

/// Collections whose modules are known by their prefix alone.
const COLLECTIONS: &[&str] = &[
    "ansible.posix.",
    "ansible.utils.",
    "ansible.netcommon.",
    "ansible.windows.",
    "community.crypto.",
    "community.docker.",
    "community.general.",
    "community.mysql.",
    "community.postgresql.",
    "community.rabbitmq.",
    "community.windows.",
    "containers.podman.",
    "kubernetes.core.",
];

fn known_module(name: &str) -> Known {
    if action::find(name).is_some() {
        Known::Yes
    } else if LATER.contains(&name) || COLLECTIONS.iter().any(|prefix| name.starts_with(prefix)) {
        Known::NotYet
    } else {
        Known::No
    }
}

/// What templates may ask of an inventory, of settings, of vaults and of files.
pub fn world_lookups(inventory: &Arc<Inventory>, config: &Config, vault: &Arc<Vault>) -> Arc<dyn WorldLookups> {
    let settings = config.all.iter().filter(|setting| setting.info.owner.is_empty());
    let settings = settings.map(|setting| (setting.info.name, setting.value.clone())).collect();
    Arc::new(Lookups { inventory: Arc::clone(inventory), settings, vault: Arc::clone(vault) })
}

/// What lookups ask of the inventory and of files.
struct Lookups {
    inventory: Arc<Inventory>,
    settings: HashMap<&'static str, Value>,
    vault: Arc<Vault>,
}

impl WorldLookups for Lookups {
    fn inventory_hostnames(&self, pattern: &str) -> TemplateResult<Vec<Arc<str>>> {
        // A pattern that names nobody, or that is none, is no mistake here.
        let hosts = HostPattern::parse(pattern).resolve(&self.inventory, &mut Diagnostics::new()).unwrap_or_default();
        Ok(hosts.into_iter().map(|host| Arc::clone(self.inventory.host(host).name())).collect())
    }

    fn config(&self, setting: &str) -> TemplateResult<Value> {
        self.settings.get(setting).cloned().ok_or_else(|| TemplateError::plugin(format!("Setting '{setting}' was not found.")))
    }

    fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }
}

/// The Python that programs of the control machine would use.
fn python() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join("python3")).find(|path| path.is_file())
}

/// Ctrl-C sets a flag; a second one ends the program at once.
fn interrupts() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Without a handler the signal ends the program, as by default.
        let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag));
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
    }
    flag
}

/// A connection is a descriptor; the limit of a login is often 1,024.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Where it cannot be raised, fewer hosts fit; they say so themselves.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Tags of templates that are known beyond Jinja's own.
fn extensions(config: &Config) -> Extensions {
    let has = |extension: &str| config.jinja2_extensions.value.iter().any(|name| name == extension);
    Extensions { do_tag: has("jinja2.ext.do"), loop_controls: has("jinja2.ext.loopcontrols") }
}

//! A run of playbooks: options, connections, callbacks and the executor, put together from settings and flags.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use driftless_modules::host::identity;

use super::flags::{ConnectionFlags, RunFlags};
use super::lookups::lookups_of_run;
use super::secrets::password_of_file;
use super::session::{Exit, Hosts, Preflight, Session, extensions};
use super::sources::{source_options, var_rules};
use super::terminal::Terminal;
use crate::callback::{self, Screen};
use crate::config::{Config, ConfigOrigin};
use crate::display::Echo;
use crate::executor::{ConnectionDefaults, Executor, Gathering, Leases, Options, RunEnd, Shared, TagFilter, TaskDefaults, World};
use crate::helper::Store;
use crate::inventory;
use crate::playbook::Playbook;
use crate::playbook::load::Loader;
use crate::preflight::{self, Site};
use crate::source::{Diagnostic, Diagnostics};
use crate::template::{Engine, Untrusted};
use crate::transport::Secret;
use crate::vars::{FactCache, RunVars, VarWorld};

impl Session {
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
            untrusted: match config.untrusted_template_behavior.value.as_str() {
                "error" => Untrusted::Refuse,
                "warning" => Untrusted::Warn,
                _ => Untrusted::Ignore,
            },
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
        let engine = Arc::new(Engine::new().redirected_by(loader.redirects()).inspecting(extensions(&self.config)));
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
        let lookups = lookups_of_run(&hosts.inventory, &self.config, &hosts.vault, &shared.interrupted);
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
    pub(super) fn fact_cache(&mut self, hosts: &Hosts, flush: bool) -> Result<Option<FactCache>, Exit> {
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
        if let Some(message) = flags.without_effect() {
            self.display.warning(&message);
        }
        let file = flags.connection_password_file.clone().or_else(|| self.config.connection_password_file.value.clone());
        let is_asked = file.is_none();
        let password = self.password(flags.ask_pass || self.config.ask_pass.value, file.as_deref(), "SSH password: ")?;
        // Only a password that was asked for is the other's default.
        let default = password.clone().filter(|_| is_asked);
        let asks = flags.ask_become_pass || self.config.become_ask_pass.value;
        let hint = if default.is_some() { "BECOME password[defaults to SSH password]: " } else { "BECOME password: " };
        let file = flags.become_password_file.clone().or_else(|| self.config.become_password_file.value.clone());
        let become_password =
            self.password(asks, file.as_deref(), hint)?.or_else(|| self.config.become_pass.value.clone().map(Secret::new));
        let become_password = match become_password {
            Some(empty) if empty.reveal().is_empty() => default,
            other => other,
        };
        let config = &self.config;
        let method = flags.become_method.clone().unwrap_or_else(|| config.become_method.value.clone());
        let (own_exe, own_flags, user) = match method.rsplit('.').next() {
            Some("sudo") => (config.sudo_exe.value.clone(), config.sudo_flags.value.clone(), &config.sudo_user.value),
            Some("su") => (config.su_exe.value.clone(), config.su_flags.value.clone(), &config.su_user.value),
            _ => (None, None, &config.become_user.value),
        };
        Ok(ConnectionDefaults {
            plugin: flags.connection.clone().unwrap_or_else(|| config.transport.value.clone()),
            user: flags.user.clone().or_else(|| config.remote_user.value.clone()),
            private_key_file: flags.private_key.clone().or_else(|| config.private_key_file.value.clone()),
            password,
            port: config.remote_port.value,
            host_key_checking: config.host_key_checking.value,
            timeout: flags.timeout.unwrap_or(config.timeout.value),
            retries: u32::try_from(config.ssh_retries.value).unwrap_or(0),
            ssh_args: config.ssh_args.value.clone(),
            ssh_common_args: flags.ssh_common_args.clone().or_else(|| config.ssh_common_args.value.clone()),
            ssh_extra_args: flags.ssh_extra_args.clone().or_else(|| config.ssh_extra_args.value.clone()),
            ssh_executable: config.ssh_executable.value.clone(),
            becomes: flags.becomes || config.r#become.value,
            become_method: method,
            become_user: flags.become_user.clone().unwrap_or_else(|| user.clone()),
            become_exe: own_exe.or_else(|| config.become_exe.value.clone()),
            become_flags: own_flags.or_else(|| config.become_flags.value.clone()),
            become_allow_same_user: config.become_allow_same_user.value,
            su_prompts: config.su_prompt_l10n.value.clone(),
            sudo_chdir: config.sudo_chdir.value.clone(),
            local_user: identity::user_by_id(rustix::process::geteuid().as_raw()).map(|user| user.name),
            become_password,
        })
    }

    fn password(&mut self, asks: bool, file: Option<&Path>, prompt: &str) -> Result<Option<Secret>, Exit> {
        if let Some(file) = file {
            return password_of_file(file).map(Some).map_err(|message| self.refuse(message, 1));
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

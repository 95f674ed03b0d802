//! What every command needs: settings, a display, and from flags the inventory, variables and a loader.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::flags::InventoryFlags;
use super::lookups::world_lookups;
use super::modules::known_module;
use super::settings;
use super::sources::{source_options, var_rules};
use crate::action;
use crate::config::{Config, Surroundings};
use crate::display::{Colour, Display, Role, Stream};
use crate::executor::static_scope;
use crate::inventory::{self, HostId, HostPattern, Inventory};
use crate::playbook::Collections;
use crate::playbook::Playbook;
use crate::playbook::load::{Loader, World as LoaderWorld, redirects};
use crate::preflight::{self, Site};
use crate::source::{Diagnostic, Diagnostics, Severity};
use crate::template::{Context, Engine, Extensions};
use crate::value::Value;
use crate::vars::{GroupLevel, INVALID_EXTRA_VARS, Layer, RunVars, VarWorld, extra_vars};
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

/// Said where `--limit` names none of the hosts.
pub const NO_HOSTS_LEFT: &str = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";

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
        let text = match &session.config.file {
            Some(path) => format!("Using {} as config file", path.display()),
            None => "No config file found; using defaults".to_owned(),
        };
        if session.display.shows(1, &text) {
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
        if self.named_hosts(&hosts.inventory, &HostPattern::parse("all"))?.is_empty() {
            if self.config.localhost_warning.value {
                let warning =
                    "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'";
                self.display.warning(warning);
            }
            return Ok(hosts);
        }
        if self.limited(&hosts)?.is_some_and(|limited| limited.is_empty()) {
            return Err(self.refuse(NO_HOSTS_LEFT, 1));
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
        let extra = extra_vars(&flags.extra_vars, &self.folder, &vault, var_rules(&self.config).hash_behaviour, &mut diagnostics);
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
        let collections = Arc::new(Collections::new(self.collections_path()));
        let engine = Arc::new(Engine::new().redirected_by(redirects(&collections)));
        let lookups = world_lookups(&hosts.inventory, &self.config, &hosts.vault);
        let context = Arc::new(Context::of_playbook(self.folder.clone(), lookups));
        let extra = Arc::clone(&hosts.extra.vars);
        let render =
            |value: &Value, layers: &[Arc<crate::value::Map>]| static_scope::render_for_loader(&engine, &context, value, layers, &extra);
        let is_lookup = |name: &str| engine.lookup(name).is_ok();
        let loader = Loader::new(LoaderWorld {
            roles_path: self.config.roles_path.value.0.clone(),
            collections,
            module: &known_module,
            module_names: action::names(),
            lookup: &is_lookup,
            vault: &hosts.vault,
            render: &render,
            duplicate_keys: DuplicateKeys::of_setting(&self.config.duplicate_dict_key),
            invalid_keywords: match self.config.invalid_task_attribute_failed.value {
                true => Severity::Error,
                false => Severity::Warning,
            },
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
        let (engine, has_fact_cache) =
            (Engine::new().redirected_by(loader.redirects()).inspecting(extensions(&self.config)), self.has_fact_cache());
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
    pub fn has_fact_cache(&self) -> bool {
        self.config.fact_caching.value.rsplit('.').next() != Some("memory")
    }
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

/// Tags of templates that are known beyond Jinja's own.
pub fn extensions(config: &Config) -> Extensions {
    let has = |extension: &str| config.jinja2_extensions.value.iter().any(|name| name == extension);
    Extensions { do_tag: has("jinja2.ext.do"), loop_controls: has("jinja2.ext.loopcontrols") }
}

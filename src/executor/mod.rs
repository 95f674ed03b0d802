//! Running plays. The coordinator (this thread) owns all state that hosts share and emits events; workers run one task on one
//! host at a time. Never prints.

mod batch;
mod conditions;
mod debugger;
mod effects;
mod handlers;
mod host_state;
mod includes;
mod job;
mod keywords;
mod lease;
mod mailbox;
mod meta;
mod outcome;
mod play;
pub mod play_iterator;
pub mod static_scope;
mod tags;
mod talker;
mod target;
mod task_executor;
mod transfer;
mod workers;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use lease::Leases;
pub use tags::TagFilter;
pub use target::ConnectionDefaults;
pub use task_executor::{Shared, TaskDefaults};

use crate::event::{Event, EventSink, RunStats};
use crate::inventory::{HostId, HostPattern, Inventory};
use crate::playbook::Playbook;
use crate::playbook::load::Loader;
use crate::source::{Diagnostic, Diagnostics, absolute};
use crate::template::{Extensions, Untrusted, WorldLookups};
use crate::vars::{FactCache, VarWorld};
use workers::Workers;

/// When facts are gathered by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gathering {
    /// At the start of every play.
    Implicit,
    /// Only where a play says so.
    Explicit,
    /// At the start of a play, for hosts of which nothing is known yet.
    Smart,
}

/// How a run goes.
pub struct Options {
    /// `--check`.
    pub check: bool,
    /// `--diff`.
    pub diff: bool,
    /// How many hosts at once.
    pub forks: usize,
    /// `--tags`, `--skip-tags`.
    pub tags: TagFilter,
    /// `--start-at-task`.
    pub start_at: Option<String>,
    /// `--step`.
    pub step: bool,
    /// `--limit`.
    pub limit: Option<HostPattern>,
    /// `--force-handlers`.
    pub force_handlers: bool,
    /// `gathering`.
    pub gathering: Gathering,
    /// `any_errors_fatal`.
    pub any_errors_fatal: bool,
    /// `strategy`, for plays that name none.
    pub strategy: String,
    /// `action_warnings`.
    pub action_warnings: bool,
    /// `jinja2_extensions`.
    pub extensions: Extensions,
    /// What becomes of values that look like templates.
    pub untrusted: Untrusted,
    /// `private_role_vars`, where somebody says so: only then does it count for includes.
    pub private_role_vars: Option<bool>,
    /// `enable_task_debugger`.
    pub debugger: bool,
    /// `task_debugger_ignore_errors`.
    pub debugger_skips_ignored: bool,
    /// `error_on_missing_handler`.
    pub missing_handler_is_error: bool,
}

/// The person at the terminal, and who listens to events.
pub trait Console: EventSink {
    /// Asks; `None` where nobody is there.
    fn ask(&mut self, prompt: &str, echo: bool) -> Option<String>;

    /// A line of the input, which need not come from a terminal; `None` at its end.
    fn read(&mut self, prompt: &str) -> Option<String>;

    /// Says what is no result.
    fn say(&mut self, text: &str);
}

/// What the executor needs of the world around it.
pub struct World<'a> {
    /// Loads files that tasks include.
    pub loader: &'a Loader<'a>,
    /// What lookups need.
    pub lookups: Arc<dyn WorldLookups>,
    /// Where facts are kept between runs.
    pub fact_cache: Option<FactCache>,
    /// Loads the inventory anew: `meta: refresh_inventory`.
    pub reload: &'a dyn Fn(&mut Diagnostics) -> Inventory,
    /// The person and the listeners.
    pub console: &'a mut dyn Console,
}

/// Why a run ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// Something that the user has to mend: exit code 1.
    Error(Box<Diagnostic>),
    /// A file that a task includes, or a keyword of a play, is wrong: exit code 4.
    Load(Vec<Diagnostic>),
    /// Ctrl-C.
    Interrupted,
    /// The debugger's `quit`: nothing more is said.
    Quit,
    /// All hosts of a play have failed, or an error was fatal for all.
    AllFailed,
}

impl Stop {
    /// The same, as a mistake in what was loaded.
    fn into_mistake(self) -> Self {
        match self {
            Self::Error(diagnostic) => Self::Load(vec![*diagnostic]),
            other => other,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// Whether a host has failed.
    pub failed: bool,
    /// Whether a host could not be reached.
    pub unreachable: bool,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Whether something the user has to mend ended it.
    pub error: bool,
    /// Whether a file that a task includes was wrong.
    pub load: bool,
}

impl RunEnd {
    /// Ansible's exit code.
    pub fn exit_code(self) -> u8 {
        if self.interrupted {
            99
        } else if self.load {
            4
        } else if self.error {
            1
        } else if self.unreachable {
            4
        } else if self.failed {
            2
        } else {
            0
        }
    }
}

/// Runs playbooks.
pub struct Executor<'a> {
    options: Options,
    world: World<'a>,
    vars: VarWorld,
    shared: Arc<Shared>,
    workers: Workers,
    stats: RunStats,
    failed: HashSet<HostId>,
    /// Those of `failed` that another host's `any_errors_fatal` took with it, and that were rescued: they are lost for later plays, but the
    /// run has failed only if one of these wanted them.
    taken_along: HashSet<HostId>,
    unreachable: HashSet<HostId>,
    started: bool,
    step_all: bool,
    /// What tasks added to the inventory, in order.
    inventory_changes: Vec<effects::InventoryChange>,
}

impl<'a> Executor<'a> {
    /// An executor that has not begun; `vars` is the inventory with all that is known.
    pub fn new(options: Options, vars: VarWorld, shared: Shared, world: World<'a>) -> Self {
        let shared = Arc::new(shared);
        let workers = Workers::new(Arc::clone(&shared), options.forks);
        let started = options.start_at.is_none();
        Self {
            options,
            world,
            vars,
            shared,
            workers,
            stats: RunStats::default(),
            failed: HashSet::new(),
            taken_along: HashSet::new(),
            unreachable: HashSet::new(),
            started,
            step_all: false,
            inventory_changes: Vec::new(),
        }
    }

    /// Runs playbooks in order.
    pub fn run(mut self, playbooks: &[Playbook]) -> RunEnd {
        self.read_fact_cache();
        let _caretaker = Caretaker::start(&self.shared);
        let mut end = RunEnd::default();
        for playbook in playbooks {
            match self.playbook(playbook) {
                Ok(()) if !self.has_failed() && self.unreachable.is_empty() => {}
                Ok(()) | Err(Stop::AllFailed) => break,
                Err(Stop::Load(list)) => {
                    for diagnostic in list {
                        self.world.console.event(&Event::Refused(Box::new(diagnostic)));
                    }
                    end.load = true;
                    break;
                }
                Err(Stop::Interrupted) => {
                    self.world.console.say("[ERROR]: User interrupted execution");
                    end.interrupted = true;
                    break;
                }
                Err(Stop::Quit) => {
                    self.world.console.say("[ERROR]: User interrupted execution");
                    self.shared.leases.close_all();
                    return RunEnd { interrupted: true, ..end };
                }
                Err(Stop::Error(diagnostic)) => {
                    self.world.console.event(&Event::Refused(diagnostic));
                    end.error = true;
                    break;
                }
            }
        }
        end.failed = self.has_failed();
        end.unreachable = !self.unreachable.is_empty();
        if !end.error && !end.load {
            self.world.console.event(&Event::Stats(Arc::new(std::mem::take(&mut self.stats))));
        }
        if let Some(wanted) = self.options.start_at.as_ref().filter(|_| !self.started && !end.interrupted && !end.load && !end.error) {
            let message = format!("No matching task \"{wanted}\" found. Note: --start-at-task can only follow static includes.");
            self.world.console.event(&Event::Refused(Box::new(Diagnostic::error(message))));
        }
        self.shared.leases.close_all();
        end
    }

    /// What earlier runs found out.
    fn read_fact_cache(&mut self) {
        let Some(cache) = &self.world.fact_cache else { return };
        for message in self.vars.recall(cache) {
            self.world.console.event(&Event::Warning(message));
        }
    }

    /// Keeps the facts of a host for later runs.
    fn write_fact_cache(&mut self, host: HostId) {
        let Some(cache) = &self.world.fact_cache else { return };
        let name = Arc::clone(self.vars.inventory().host(host).name());
        let written = match self.vars.known(host).filter(|known| !known.injected_facts().is_empty()) {
            Some(known) => cache.write(&name, known.injected_facts()),
            None => {
                cache.forget(&name);
                Ok(())
            }
        };
        if let Err(error) = written {
            self.tell(Event::Warning(format!("could not keep the facts of {name}: {error}")));
        }
    }

    fn playbook(&mut self, playbook: &Playbook) -> Result<(), Stop> {
        self.tell(Event::PlaybookStart { path: playbook.path.clone(), plays: playbook.plays.len() });
        let mut at: Option<&std::path::Path> = None;
        for play in &playbook.plays {
            // An imported playbook brings its own folder.
            if at != Some(&play.dir) {
                let mut diagnostics = Diagnostics::new();
                self.vars = self.vars.with_playbook(&absolute(&play.dir), &mut diagnostics);
                self.report(diagnostics)?;
                at = Some(&play.dir);
            }
            self.play(play)?;
        }
        Ok(())
    }

    fn tell(&mut self, event: Event) {
        self.world.console.event(&event);
    }

    /// Warnings are told; an error ends the run.
    fn report(&mut self, diagnostics: Diagnostics) -> Result<(), Stop> {
        for diagnostic in diagnostics.into_sorted() {
            if diagnostic.severity == crate::source::Severity::Error {
                return Err(Stop::Error(Box::new(diagnostic)));
            }
            // What has no place is said once, by whoever finds it first.
            self.tell(match diagnostic.labels.is_empty() {
                true => Event::Warning(diagnostic.message),
                false => Event::Diagnostic(Box::new(diagnostic)),
            });
        }
        Ok(())
    }

    fn has_failed(&self) -> bool {
        !self.failed.is_subset(&self.taken_along)
    }

    fn check_interrupt(&self) -> Result<(), Stop> {
        if self.shared.interrupted.load(Ordering::Relaxed) { Err(Stop::Interrupted) } else { Ok(()) }
    }
}

/// The thread that looks after idle sessions; ends when dropped.
struct Caretaker {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Caretaker {
    fn start(shared: &Arc<Shared>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(shared), Arc::clone(&stop));
        let thread = std::thread::Builder::new().name("caretaker".to_owned()).spawn(move || {
            let mut told = false;
            while !stopped.load(Ordering::Relaxed) {
                std::thread::park_timeout(std::time::Duration::from_secs(1));
                if shared.interrupted.load(Ordering::Relaxed) && !told {
                    shared.leases.cancel_all();
                    told = true;
                }
                shared.leases.tend();
            }
        });
        Self { stop, thread: thread.ok() }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The caretaker does not panic; were it to, nothing is left to tend.
            let _ = thread.join();
        }
    }
}

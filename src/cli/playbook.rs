//! `driftless playbook`: what `ansible-playbook` does.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::flags::{ConnectionFlags, InventoryFlags, RunFlags};
use super::list;
use super::run::RunRequest;
use super::session::{Exit, Hosts, Preflight, Session};
use crate::executor::TagFilter;
use crate::playbook::Playbook;
use crate::playbook::load::Loader;
use crate::source::Diagnostics;

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct PlaybookArgs {
    /// The playbooks, in the order they run.
    #[arg(required = true)]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    inventory: InventoryFlags,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(flatten)]
    run: RunFlags,
    /// Only tasks with one of these tags.
    #[arg(short = 't', long = "tags", action = ArgAction::Append)]
    tags: Vec<String>,
    /// No tasks with one of these tags.
    #[arg(long = "skip-tags", action = ArgAction::Append)]
    skip_tags: Vec<String>,
    /// List the tasks that would run.
    #[arg(long = "list-tasks")]
    list_tasks: bool,
    /// List all tags.
    #[arg(long = "list-tags")]
    list_tags: bool,
    /// Begin at the task of this name.
    #[arg(long = "start-at-task")]
    start_at_task: Option<String>,
    /// Ask before each task.
    #[arg(long = "step")]
    step: bool,
    /// Run notified handlers of hosts that have failed, too.
    #[arg(long = "force-handlers")]
    force_handlers: bool,
    /// Refuse to start where something is certainly wrong, instead of warning of it.
    #[arg(long = "strict")]
    strict: bool,
}

/// Runs the command.
pub fn run(args: &PlaybookArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &PlaybookArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    if let Some(message) = args.run.without_effect() {
        session.display.warning(&message);
    }
    session.check_forks(args.run.forks)?;
    let playbooks = session.find_playbooks(&args.playbooks)?;
    let hosts = session.hosts(&args.inventory)?;
    session.with_loader(&hosts, |session, loader| loaded(args, &playbooks, session, &hosts, loader))
}

fn loaded(args: &PlaybookArgs, paths: &[PathBuf], session: &mut Session, hosts: &Hosts, loader: &Loader<'_>) -> Result<u8, Exit> {
    let mut diagnostics = Diagnostics::new();
    let playbooks: Vec<Playbook> = paths.iter().map(|path| loader.playbook(path, &mut diagnostics)).collect();
    session.tell(diagnostics, loader.exit_code())?;
    let tags = TagFilter {
        only: words(&session.config.run_tags.value, &args.tags),
        skip: words(&session.config.skip_tags.value, &args.skip_tags),
    };
    let preflight = if args.strict { Preflight::Refuses } else { Preflight::Warns };
    if args.run.syntax_check {
        let found = session.preflight(hosts, loader, &playbooks, &tags.only, &tags.skip)?;
        session.tell_preflight(found, preflight)?;
        for playbook in &playbooks {
            session.display.line(&format!("\nplaybook: {}", playbook.path.display()));
        }
        return Ok(0);
    }
    let what = list::What { hosts: args.run.list_hosts, tasks: args.list_tasks, tags: args.list_tags };
    if what.any() {
        list::show(session, hosts, loader, &playbooks, &tags, what)?;
        return Ok(0);
    }
    let request = RunRequest {
        flags: &args.run,
        connection: &args.connection,
        tags,
        start_at: args.start_at_task.as_deref(),
        step: args.step,
        force_handlers: args.force_handlers,
        limit: args.inventory.limit.as_deref(),
        callback: None,
        preflight,
        has_callbacks: true,
        tree: None,
        task_timeout: None,
    };
    Ok(session.execute(hosts, loader, &playbooks, &request)?.exit_code())
}

/// Words with commas between, those of the settings and those that are given, each once.
pub(super) fn words(setting: &[String], given: &[String]) -> Vec<String> {
    let all = setting.iter().chain(given).flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty());
    all.fold(Vec::new(), |mut words, word| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
        words
    })
}

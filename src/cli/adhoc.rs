//! `driftless adhoc`: one module on hosts, what `ansible` does.

use std::path::PathBuf;

use clap::Args;

use super::flags::{ConnectionFlags, InventoryFlags, RunFlags};
use super::list;
use super::run::RunRequest;
use super::session::{Exit, Hosts, Preflight, Session};
use crate::executor::TagFilter;
use crate::playbook::load::{AdHoc, Loader};
use crate::source::Diagnostics;

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct AdhocArgs {
    /// Which hosts.
    #[arg(allow_hyphen_values = true)]
    pattern: String,
    #[command(flatten)]
    inventory: InventoryFlags,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(flatten)]
    run: RunFlags,
    /// The module.
    #[arg(short = 'm', long = "module-name")]
    module: Option<String>,
    /// Its arguments: `key=value`, a command, or JSON.
    #[arg(short = 'a', long = "args", allow_hyphen_values = true)]
    args: Option<String>,
    /// Run in the background, for so many seconds at most.
    #[arg(short = 'B', long = "background", default_value_t = 0)]
    background: u32,
    /// Seconds between looks at what runs in the background.
    #[arg(short = 'P', long = "poll", default_value_t = 15)]
    poll: u32,
    /// One line a result.
    #[arg(short = 'o', long = "one-line")]
    one_line: bool,
    /// A folder to write results to.
    #[arg(short = 't', long = "tree")]
    tree: Option<PathBuf>,
    /// The task's timeout in seconds.
    #[arg(long = "task-timeout", default_value_t = 0)]
    task_timeout: u32,
}

/// Modules that make no sense without arguments.
const NEED_ARGS: &[&str] = &["command", "raw", "script", "shell"];

/// Runs the command.
pub fn run(args: &AdhocArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &AdhocArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    if let Some(message) = args.run.without_effect() {
        session.display.warning(&message);
    }
    session.check_forks(args.run.forks)?;
    let module = args.module.clone().unwrap_or_else(|| session.config.module_name.value.clone());
    let written = args.args.clone().or_else(|| session.config.module_args.value.clone()).unwrap_or_default();
    let short = module.rsplit('.').next().unwrap_or(&module);
    if NEED_ARGS.contains(&short) && written.trim().is_empty() && !args.run.list_hosts {
        return Err(session.refuse(format!("No argument passed to {module} module"), 5));
    }
    let hosts = session.hosts(&args.inventory)?;
    session.with_loader(&hosts, |session, loader| loaded(args, &(module, written), session, &hosts, loader))
}

fn loaded(args: &AdhocArgs, what: &(String, String), session: &mut Session, hosts: &Hosts, loader: &Loader<'_>) -> Result<u8, Exit> {
    let names = list::matched(session, hosts, &args.pattern)?;
    if args.run.list_hosts {
        list::show_matched(session, &names);
        return Ok(0);
    }
    let mut diagnostics = Diagnostics::new();
    let wanted = AdHoc {
        pattern: &args.pattern,
        module: &what.0,
        args: &what.1,
        background: args.background,
        poll: args.poll,
        timeout: args.task_timeout,
    };
    let setting = session.config.playbook_dir.value.as_ref();
    let folder = args.inventory.playbook_dir.as_ref().or(setting).map_or_else(|| session.folder.clone(), |dir| session.folder.join(dir));
    let playbook = loader.ad_hoc(&wanted, &folder, &mut diagnostics);
    session.tell(diagnostics, loader.exit_code())?;
    let shown_by = if args.one_line { "oneline".to_owned() } else { callback(session) };
    let request = RunRequest {
        flags: &args.run,
        connection: &args.connection,
        tags: TagFilter::default(),
        start_at: None,
        step: false,
        force_handlers: false,
        limit: args.inventory.limit.as_deref(),
        preflight: Preflight::Silent,
        callback: Some(&shown_by),
        has_callbacks: session.config.bin_ansible_callbacks.value,
        tree: args.tree.as_deref(),
        task_timeout: None,
    };
    Ok(session.execute(hosts, loader, &[playbook], &request)?.exit_code())
}

/// Ad-hoc results have a callback of their own, unless the settings ask for callbacks and name another one. That for programs is kept.
fn callback(session: &Session) -> String {
    let setting = &session.config.stdout_callback.value;
    let short = setting.rsplit('.').next();
    let is_asked_for = session.config.bin_ansible_callbacks.value && short != Some("default");
    if short == Some("events") || is_asked_for { setting.clone() } else { "minimal".to_owned() }
}

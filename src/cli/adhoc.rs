//! `driftless adhoc`: one module on hosts, what `ansible` does.

use clap::Args;

use super::flags::{ConnectionFlags, InventoryFlags, RunFlags};
use super::list;
use super::session::{Exit, Hosts, Preflight, RunRequest, Session};
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
    #[arg(short = 'm', long = "module-name", default_value = "command")]
    module: String,
    /// Its arguments: `key=value`, a command, or JSON.
    #[arg(short = 'a', long = "args", default_value = "", allow_hyphen_values = true, hide_default_value = true)]
    args: String,
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
    #[arg(long = "tree", hide = true)]
    tree: Option<String>,
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
    if let Some(message) = args.run.unsupported() {
        return Err(session.refuse(message, 5));
    }
    if args.tree.is_some() {
        return Err(session.refuse("`--tree` is not supported yet: `ANSIBLE_STDOUT_CALLBACK=json` gives results to programs", 5));
    }
    let short = args.module.rsplit('.').next().unwrap_or(&args.module);
    if NEED_ARGS.contains(&short) && args.args.trim().is_empty() && !args.run.list_hosts {
        return Err(session.refuse(format!("No argument passed to {} module", args.module), 5));
    }
    let hosts = session.hosts(&args.inventory)?;
    session.with_loader(&hosts, |session, loader| loaded(args, session, &hosts, loader))
}

fn loaded(args: &AdhocArgs, session: &mut Session, hosts: &Hosts, loader: &Loader<'_>) -> Result<u8, Exit> {
    let mut diagnostics = Diagnostics::new();
    let wanted = AdHoc {
        pattern: &args.pattern,
        module: &args.module,
        args: &args.args,
        background: args.background,
        poll: args.poll,
        timeout: args.task_timeout,
    };
    let playbook = loader.ad_hoc(&wanted, &session.folder, &mut diagnostics);
    session.tell(diagnostics, 4)?;
    if args.run.list_hosts {
        list::matched(session, hosts, &args.pattern)?;
        return Ok(0);
    }
    let request = RunRequest {
        flags: &args.run,
        connection: &args.connection,
        tags: TagFilter::default(),
        start_at: None,
        step: false,
        force_handlers: false,
        limit: args.inventory.limit.as_deref(),
        callback: Some(if args.one_line { "oneline" } else { callback(session) }),
        preflight: Preflight::Silent,
    };
    Ok(session.execute(hosts, loader, &[playbook], &request)?.exit_code())
}

/// A callback for programs is kept; for people ad-hoc results have their own.
fn callback(session: &Session) -> &'static str {
    match session.config.stdout_callback.value.rsplit('.').next() {
        Some("json") => "json",
        Some("jsonl") => "jsonl",
        Some("oneline") => "oneline",
        _ => "minimal",
    }
}

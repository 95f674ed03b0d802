//! `driftless inventory`: what `ansible-inventory` does.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::flags::InventoryFlags;
use super::session::{Exit, Hosts, Session};
use super::sources::var_rules;
use crate::inventory::{HostId, HostPattern, Inventory};
use crate::source::{Diagnostics, absolute};
use crate::vars::{GraphVars, InventoryReport, Kind, RunVars, VarWorld};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct InventoryArgs {
    /// The group that `--graph` begins at.
    #[arg(default_value = "all")]
    group: String,
    #[command(flatten)]
    inventory: InventoryFlags,
    /// All hosts, as JSON that Ansible reads.
    #[arg(long = "list")]
    list: bool,
    /// The variables of one host.
    #[arg(long = "host")]
    host: Option<String>,
    /// Groups and hosts as a tree.
    #[arg(long = "graph")]
    graph: bool,
    /// Show variables in the tree.
    #[arg(long = "vars")]
    vars: bool,
    /// YAML instead of JSON.
    #[arg(short = 'y', long = "yaml")]
    yaml: bool,
    /// TOML instead of JSON.
    #[arg(long = "toml", hide = true)]
    toml: bool,
    /// Show variables where they were written.
    #[arg(long = "export")]
    export: bool,
    /// Forget the facts of earlier runs.
    #[arg(long = "flush-cache")]
    flush_cache: bool,
    /// Write to a file.
    #[arg(long = "output")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &InventoryArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &InventoryArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    match usize::from(args.list) + usize::from(args.graph) + usize::from(args.host.is_some()) {
        0 => return Err(session.refuse("No action selected, at least one of --host, --graph or --list needs to be specified.", 5)),
        1 => {}
        _ => return Err(session.refuse("Conflicting options used, only one of --host, --graph or --list can be used at the same time.", 5)),
    }
    // Of a tree it says nothing.
    if args.toml && !args.graph {
        return Err(session.refuse("`--toml` is not supported; Ansible has it only with the Python library \"tomli-w\"", 1));
    }
    // Given back with the program, which ends with its output.
    let hosts = ManuallyDrop::new(session.all_hosts(&args.inventory)?);
    let text = report(args, &mut session, &hosts)?;
    match &args.output {
        None => session.display.line(&text),
        Some(path) => {
            // YAML is a text of whole lines; the others are what stands between the screen's line breaks.
            let end = if args.yaml && !args.graph { "\n" } else { "" };
            if let Err(error) = std::fs::write(path, text + end) {
                return Err(session.refuse(format!("Unable to write to destination file '{}': {error}", path.display()), 1));
            }
        }
    }
    Ok(0)
}

fn report(args: &InventoryArgs, session: &mut Session, hosts: &Hosts) -> Result<String, Exit> {
    let mut diagnostics = Diagnostics::new();
    let mut world = VarWorld::new(
        Arc::clone(&hosts.inventory),
        Arc::clone(&hosts.extra),
        RunVars { hides_facts: !session.config.inject_facts_as_vars.value, ..RunVars::default() },
        var_rules(&session.config),
        &hosts.vault,
        &mut diagnostics,
    );
    // Without a playbook its folder is that where we are.
    let setting = session.config.playbook_dir.value.as_ref();
    let dir = args.inventory.playbook_dir.as_ref().or(setting).map_or_else(|| session.folder.clone(), |dir| absolute(dir));
    world = world.with_playbook(&dir, &mut diagnostics);
    session.tell(diagnostics, 4)?;
    if let Some(cache) = session.fact_cache(hosts, args.flush_cache)? {
        world.recall(&cache).iter().for_each(|warning| session.display.warning(warning));
    }
    let world = ManuallyDrop::new(Arc::new(world));
    let is_export = args.export || session.config.inventory_export.value;
    let mut report = InventoryReport::new(&world, if is_export { Kind::Export } else { Kind::Merged });
    if let Some(pattern) = &args.host {
        let found = session.named_hosts(&hosts.inventory, &HostPattern::parse(pattern))?;
        let [host] = found.as_slice() else {
            return Err(session.refuse("You must pass a single valid host to --host parameter", 5));
        };
        closed(session, &world, found.iter())?;
        return if args.yaml { report.host_yaml(*host).map_err(|error| session.refuse(error, 1)) } else { Ok(report.host_json(*host)) };
    }
    if let Some(limited) = session.limited(hosts)? {
        report = report.limited_to(limited);
    }
    if args.graph {
        let vars = if args.vars { GraphVars::Show } else { GraphVars::Hide };
        if args.vars {
            closed(session, &world, hosts.inventory.hosts_of(Inventory::ALL).iter())?;
        }
        let graph = report.graph(&args.group, vars).map_err(|error| session.refuse(error.to_string(), 1))?;
        return graph.ok_or_else(|| session.refuse("Pattern must be valid group name when using --graph", 5));
    }
    closed(session, &world, hosts.inventory.hosts_of(Inventory::ALL).iter())?;
    if args.yaml { report.list_yaml().map_err(|error| session.refuse(error, 1)) } else { Ok(report.list_json()) }
}

/// Ends the program where variables of one of these hosts are in a vault that no secret opens.
fn closed<'h>(session: &mut Session, world: &VarWorld, mut hosts: impl Iterator<Item = &'h HostId>) -> Result<(), Exit> {
    let Some(found) = hosts.find_map(|host| world.unopened(*host)) else { return Ok(()) };
    session.display.diagnostic(found);
    Err(Exit(4))
}

//! `driftless explain VAR --host H`: where a variable's value comes from, level by level. Runs nothing, renders nothing.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::flags::InventoryFlags;
use super::session::{Exit, Hosts, Session};
use crate::inventory::{HostId, HostPattern, Inventory};
use crate::playbook::load::{Loader, normal};
use crate::playbook::{Play, Playbook};
use crate::preflight::{Setter, Site, setters};
use crate::source::{Diagnostics, Span, absolute};
use crate::template::Engine;
use crate::template::print::shown;
use crate::value::Value;
use crate::vars::{Definition, LEVELS, Layer, PlayVars, Precedence, VarStack, VarWorld, load_play_vars_file};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// The variable.
    variable: String,
    /// The playbooks whose plays are looked at; without one, the inventory alone.
    playbooks: Vec<PathBuf>,
    /// Of which host.
    #[arg(long = "host", required = true)]
    host: String,
    #[command(flatten)]
    inventory: InventoryFlags,
}

/// Runs the command.
pub fn run(args: &ExplainArgs) -> u8 {
    execute(args).unwrap_or_else(|Exit(code)| code)
}

fn execute(args: &ExplainArgs) -> Result<u8, Exit> {
    let mut session = Session::start(args.inventory.verbose)?;
    let playbooks = session.find_playbooks(&args.playbooks)?;
    let mut hosts = session.hosts(&args.inventory)?;
    if hosts.inventory.host_named(&args.host).is_none() && matches!(args.host.as_str(), "localhost" | "127.0.0.1" | "::1") {
        let mut inventory = Inventory::clone(&hosts.inventory);
        inventory.implicit_localhost(&args.host);
        hosts.inventory = Arc::new(inventory);
    }
    let Some(host) = hosts.inventory.host_named(&args.host) else {
        return Err(session.refuse(format!("the host `{}` is not in the inventory", args.host), 1));
    };
    session.with_loader(&hosts, |session, loader| explained(args, &playbooks, session, &hosts, loader, host))
}

fn explained(
    args: &ExplainArgs,
    paths: &[PathBuf],
    session: &mut Session,
    hosts: &Hosts,
    loader: &Loader<'_>,
    host: HostId,
) -> Result<u8, Exit> {
    let mut diagnostics = Diagnostics::new();
    let playbooks: Vec<Playbook> = paths.iter().map(|path| loader.playbook(path, &mut diagnostics)).collect();
    session.tell(diagnostics, loader.exit_code())?;
    let world = session.world(hosts)?;
    if let Some(closed) = world.unopened(host) {
        session.display.diagnostic(closed);
        return Err(Exit(4));
    }
    let name = args.variable.as_str();
    let mut is_defined = false;
    if playbooks.is_empty() {
        let definitions = Arc::new(world).host_stack(host).definitions(name);
        is_defined |= !definitions.is_empty();
        let head = format!("`{name}` of the host `{}`", args.host);
        session.display.line(&table(&head, &definitions, &[]));
        return Ok(u8::from(!is_defined));
    }
    let engine = Engine::new().redirected_by(loader.redirects());
    let site = Site { playbooks: &playbooks, loader, engine: &engine, vars: &world, tags: &[], skip_tags: &[], has_fact_cache: false };
    let of_plays = setters(&site, name);
    for (play, setters) in of_plays {
        if !is_for(&play, loader, hosts, host) {
            continue;
        }
        let folder = absolute(&play.dir);
        let mut diagnostics = Diagnostics::new();
        let world = Arc::new(world.with_playbook(&folder, &mut diagnostics));
        let stack = play_stack(&world, host, &play, loader, &mut diagnostics);
        session.tell(diagnostics, 4)?;
        let definitions = stack.definitions(name);
        is_defined |= !definitions.is_empty() || !setters.is_empty();
        let title = play.name.as_ref().map_or_else(|| shown(&play.hosts.value), |name| shown(&name.value));
        let head = format!("`{name}` of the host `{}` in the play `{title}` ({})", args.host, line_of(&play.span));
        session.display.line(&table(&head, &definitions, &setters));
    }
    Ok(u8::from(!is_defined))
}

/// Whether the host is one of the play's.
fn is_for(play: &Play, loader: &Loader<'_>, hosts: &Hosts, host: HostId) -> bool {
    let pattern = match loader.play_value(&play.hosts.value, play) {
        Ok(Value::List(items)) => items.iter().map(shown).collect::<Vec<_>>(),
        Ok(one) => vec![shown(&one)],
        // A pattern that only a run can tell may mean any host.
        Err(_) => return true,
    };
    let pattern = HostPattern::parse_all(pattern.iter().map(String::as_str));
    pattern.resolve(&hosts.inventory, &mut Diagnostics::new()).is_ok_and(|found| found.contains(&host))
}

/// What all tasks of the play see, before any has run.
fn play_stack(world: &Arc<VarWorld>, host: HostId, play: &Play, loader: &Loader<'_>, diagnostics: &mut Diagnostics) -> VarStack {
    let mut layers = vec![Layer::new(Precedence::PlayVars, "vars of the play", Arc::clone(&play.vars))];
    for written in &play.vars_files {
        let Ok(value) = loader.play_value(&written.value, play) else { continue };
        let names = match &value {
            Value::List(items) => items.iter().map(shown).collect(),
            one => vec![shown(one)],
        };
        let places = names.iter().flat_map(|name| [play.dir.join("vars").join(name), play.dir.join(name)]).map(|path| normal(&path));
        let Some(path) = places.into_iter().find(|path| path.is_file()) else { continue };
        if let Some(vars) = load_play_vars_file(&path, world.vault(), diagnostics) {
            layers.push(Layer::new(Precedence::PlayVarsFiles, path.display().to_string(), vars));
        }
    }
    for role in &play.roles {
        layers.push(Layer::new(Precedence::RoleDefaults, format!("role `{}`", role.name), Arc::clone(&role.defaults)));
        layers.push(Layer::new(Precedence::RoleVars, format!("role `{}`", role.name), Arc::clone(&role.vars)));
    }
    let vars = PlayVars { hosts: vec![host], hosts_all: vec![host], batch: vec![host], layers, ..PlayVars::default() };
    world.stack(host, &vars.prepare(world.inventory()))
}

/// One row: a level, what it says, where.
struct Row {
    level: Precedence,
    value: String,
    place: String,
    wins: bool,
}

fn table(head: &str, definitions: &[Definition], setters: &[Setter]) -> String {
    let mut rows: Vec<Row> = definitions.iter().enumerate().map(|(index, found)| row_of(found, index == 0)).collect();
    for setter in setters {
        let place = format!("{} ({})", line_of(&setter.place), setter.what);
        // What is the play's already is not said twice.
        if rows.iter().any(|row| row.level == setter.level && row.place.starts_with(&line_of(&setter.place))) {
            continue;
        }
        let value = setter.value.as_ref().map_or_else(|| "while running".to_owned(), written);
        rows.push(Row { level: setter.level, value, place, wins: false });
    }
    let magic = [Precedence::Magic, Precedence::Loop];
    let levels = LEVELS.into_iter().chain(magic.into_iter().filter(|level| rows.iter().any(|row| row.level == *level)));
    let width = rows.iter().map(|row| row.value.chars().count()).max().unwrap_or(1).clamp(1, 40);
    let mut lines = vec![head.to_owned()];
    for (index, level) in levels.enumerate() {
        let of_level: Vec<&Row> = rows.iter().filter(|row| row.level == level).collect();
        let label = format!("{:>2}  {:<31}", index + 1, level.describe());
        if of_level.is_empty() {
            lines.push(format!("   {label} -"));
        }
        for (place, row) in of_level.iter().enumerate() {
            let label = if place == 0 { label.clone() } else { " ".repeat(label.chars().count()) };
            let mark = if row.wins { "=>" } else { "  " };
            lines.push(format!("{mark} {label} {:<width$}  {}", row.value, row.place).trim_end().to_owned());
        }
    }
    let stronger = |setter: &&Setter| definitions.first().is_none_or(|found| setter.level >= found.origin.level);
    if setters.iter().any(|setter| stronger(&setter)) {
        lines.push("a task that defines it at the winner's level or above wins for what it covers".to_owned());
    }
    if definitions.is_empty() && setters.is_empty() {
        lines.push("nothing defines it".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn row_of(found: &Definition, wins: bool) -> Row {
    let value = found.value.as_ref().map_or_else(|| "(looked up when asked for)".to_owned(), written);
    let place = found.place.as_ref().map_or_else(|| found.origin.from.to_string(), line_of);
    Row { level: found.origin.level, value, place, wins }
}

/// As written, on one line; secrets are masked by the value itself.
fn written(value: &Value) -> String {
    const MOST: usize = 60;
    let text = format!("{value:?}");
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

/// `file:line`.
fn line_of(span: &Span) -> String {
    format!("{}:{}", span.source().name(), span.line_column().0)
}

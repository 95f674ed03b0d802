//! `driftless config`: what `ansible-config` does.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use indexmap::IndexMap;

use super::session::{Exit, Session};
use crate::config::{ConfigOrigin, Effect, Resolved, SettingInfo, Written, known};
use crate::template::print::shown;
use crate::value::{Layout, Map, Value, dump};
use crate::yaml::{EmitOptions, FlowStyle, emit};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum ConfigCommand {
    /// All settings, with what they are for.
    List(Which),
    /// All settings, with their values and where they were set.
    Dump(DumpArgs),
    /// The settings file in use.
    View(Which),
    /// A settings file to begin with.
    Init(InitArgs),
    /// Says which settings nobody knows.
    Validate(Which),
}

#[derive(Args, Clone, Debug)]
struct Which {
    /// The settings file, in place of the one that is found.
    #[arg(short = 'c', long = "config")]
    config: Option<PathBuf>,
    /// Settings of Ansible itself, of one kind of plugin, or all.
    #[arg(short = 't', long = "type", default_value = "base", value_parser = PossibleValuesParser::new(KINDS))]
    kind: String,
    /// How it is written.
    #[arg(short = 'f', long = "format", value_enum)]
    format: Option<Format>,
    /// Only of these plugins.
    plugins: Vec<String>,
    /// Show more.
    #[arg(short = 'v', long = "verbose", action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Args, Clone, Debug)]
struct DumpArgs {
    #[command(flatten)]
    which: Which,
    /// Only what was set.
    #[arg(long = "only-changed", visible_alias = "changed-only")]
    only_changed: bool,
}

#[derive(Args, Clone, Debug)]
struct InitArgs {
    #[command(flatten)]
    which: Which,
    /// With a `;` before every setting.
    #[arg(long = "disabled")]
    disabled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Display,
    Env,
    Ini,
    Json,
    Vars,
    Yaml,
}

/// Ansible's own settings, and the kinds of plugins that have some.
const KINDS: [&str; 13] =
    ["all", "base", "become", "cache", "callback", "cliconf", "connection", "httpapi", "inventory", "lookup", "netconf", "shell", "vars"];

/// Servers of `ansible-galaxy` are settings of their own; none is known here.
const GALAXY_SERVERS: &str = "\nGALAXY_SERVERS:";

/// Runs the command.
pub fn run(args: &ConfigArgs) -> u8 {
    match execute(args) {
        Ok(()) => 0,
        Err(Exit(code)) => code,
    }
}

fn execute(args: &ConfigArgs) -> Result<(), Exit> {
    let (ConfigCommand::List(which) | ConfigCommand::View(which) | ConfigCommand::Validate(which)) = &args.command else {
        let (ConfigCommand::Dump(DumpArgs { which, .. }) | ConfigCommand::Init(InitArgs { which, .. })) = &args.command else {
            return Ok(());
        };
        let mut session = Session::with_config(which.config.as_deref())?;
        return match &args.command {
            ConfigCommand::Dump(args) => show_dump(&mut session, args),
            ConfigCommand::Init(args) => init(&mut session, args),
            ConfigCommand::List(_) | ConfigCommand::View(_) | ConfigCommand::Validate(_) => Ok(()),
        };
    };
    let mut session = Session::with_config(which.config.as_deref())?;
    match &args.command {
        ConfigCommand::List(which) => list(&mut session, which),
        ConfigCommand::View(_) => view(&mut session),
        ConfigCommand::Validate(which) => validate(&mut session, which),
        ConfigCommand::Dump(_) | ConfigCommand::Init(_) => Ok(()),
    }
}

impl Which {
    /// Whether a setting was asked for.
    fn has(&self, info: &SettingInfo) -> bool {
        let (kind, plugin) = info.owner.split_once('/').unwrap_or(("base", ""));
        let is_kind = self.kind == "all" || self.kind == kind;
        is_kind && (self.plugins.is_empty() || self.plugins.iter().any(|name| name.rsplit('.').next() == Some(plugin)))
    }

    /// What was asked for, by owner and name.
    fn settings(&self) -> Vec<&'static SettingInfo> {
        let mut all: Vec<&SettingInfo> = known().filter(|info| self.has(info)).collect();
        all.sort_by_key(|info| (info.owner, info.name));
        all
    }

    /// Whether Ansible's own settings were asked for.
    fn is_base(&self) -> bool {
        matches!(self.kind.as_str(), "all" | "base")
    }

    fn format(&self, session: &mut Session, default: Format, allowed: &[Format]) -> Result<Format, Exit> {
        let format = self.format.unwrap_or(default);
        if allowed.contains(&format) {
            return Ok(format);
        }
        Err(session.refuse("this format is not one of the command's", 2))
    }
}

fn entry(name: &str, value: Value) -> (crate::value::Key, Value) {
    (crate::value::Key::from(name), value)
}

fn write(session: &mut Session, value: &Value, format: Format) -> Result<(), Exit> {
    let text = match format {
        Format::Json => dump(value, Layout::Indent(4)),
        _ => {
            let options = EmitOptions { flow: FlowStyle::Block, ..EmitOptions::default() };
            emit(value, &options).map_err(|error| session.refuse(error, 1))?.trim_end().to_owned()
        }
    };
    session.display.line(&text);
    Ok(())
}

fn list(session: &mut Session, which: &Which) -> Result<(), Exit> {
    let format = which.format(session, Format::Yaml, &[Format::Json, Format::Yaml])?;
    let mut base = Map::new();
    let mut plugins: BTreeMap<&str, BTreeMap<&str, Map>> = BTreeMap::new();
    for info in which.settings() {
        match info.owner.split_once('/') {
            None => base.insert(info.name, describe(info)),
            Some((kind, plugin)) => plugins.entry(kind).or_default().entry(plugin).or_default().insert(info.name, describe(info)),
        };
    }
    let mut of_plugins = Map::new();
    for (kind, of_kind) in plugins {
        let of_kind: Map = of_kind.into_iter().map(|(plugin, options)| entry(plugin, Value::map(options))).collect();
        let kind = if which.kind == "all" { kind.to_uppercase() } else { kind.to_owned() };
        of_plugins.insert(kind.as_str(), Value::map(of_kind));
    }
    if !of_plugins.is_empty() {
        base.insert("PLUGINS", Value::map(of_plugins));
    }
    write(session, &Value::map(base), format)
}

fn describe(info: &SettingInfo) -> Value {
    let texts = |names: &[&str]| Value::list(names.iter().map(|name| Value::text(*name)).collect());
    let mut map = Map::new();
    if !info.choices.is_empty() {
        map.insert("choices", texts(info.choices));
    }
    if let Some(default) = info.default {
        map.insert("default", info.kind.plain(default));
    }
    map.insert("description", Value::text(description(info)));
    if !info.env.is_empty() {
        map.insert(
            "env",
            Value::list(info.env.iter().map(|name| Value::map([entry("name", Value::text(*name))].into_iter().collect())).collect()),
        );
    }
    if !info.ini.is_empty() {
        let places = info.ini.iter().filter_map(|place| place.split_once('.'));
        let places = places.map(|(section, key)| {
            Value::map([entry("key", Value::text(key)), entry("section", Value::text(section))].into_iter().collect())
        });
        map.insert("ini", Value::list(places.collect()));
    }
    map.insert("type", Value::text(info.kind.name()));
    Value::map(map)
}

fn description(info: &SettingInfo) -> String {
    match info.effect {
        Effect::Here(doc) => doc.to_owned(),
        Effect::Elsewhere => "Read with the setting of the same place.".to_owned(),
        Effect::Quiet(why) | Effect::Warned(why) => format!("Without effect: {why}."),
    }
}

fn origin(setting: &Resolved) -> String {
    match &setting.origin {
        ConfigOrigin::File(span) => span.source().path().map_or_else(|| span.source().name().to_owned(), |path| path.display().to_string()),
        ConfigOrigin::Default if setting.info.name == "CONFIG_FILE" => String::new(),
        other => other.to_string(),
    }
}

fn show_dump(session: &mut Session, args: &DumpArgs) -> Result<(), Exit> {
    let format = args.which.format(session, Format::Display, &[Format::Display, Format::Json, Format::Yaml])?;
    let mut all = session.config.all.clone();
    if let (Some(file), Some(row)) = (&session.config.file, all.iter_mut().find(|setting| setting.info.name == "CONFIG_FILE")) {
        row.value = Value::text(file.display().to_string());
    }
    let is_shown = |setting: &&Resolved| {
        let is_file = setting.info.name == "CONFIG_FILE" && !setting.value.is_null();
        args.which.has(setting.info) && (!args.only_changed || setting.origin != ConfigOrigin::Default || is_file)
    };
    let rows: Vec<&Resolved> = all.iter().filter(is_shown).collect();
    if format != Format::Display {
        let rows = rows.iter().map(|setting| {
            let row = [
                entry("name", Value::text(setting.info.name)),
                entry("origin", Value::text(origin(setting))),
                entry("value", setting.value.clone()),
            ];
            Value::map(row.into_iter().collect())
        });
        let mut rows: Vec<Value> = rows.collect();
        if args.which.is_base() {
            rows.push(Value::map([entry("GALAXY_SERVERS", Value::map(Map::new()))].into_iter().collect()));
        }
        return write(session, &Value::list(rows), format);
    }
    let mut owner = "";
    for setting in rows {
        if setting.info.owner != owner {
            if args.which.is_base() && owner.is_empty() {
                session.display.line(GALAXY_SERVERS);
            }
            let (kind, plugin) = setting.info.owner.split_once('/').unwrap_or(("", setting.info.owner));
            if args.which.kind == "all" && owner.split_once('/').map(|(kind, _)| kind) != Some(kind) {
                session.display.line(&format!("\n{}:\n{}", kind.to_uppercase(), "=".repeat(kind.len())));
            }
            session.display.line(&format!("\n{plugin}:\n{}", "_".repeat(plugin.len())));
            owner = setting.info.owner;
        }
        let role = if setting.origin == ConfigOrigin::Default { crate::display::Role::Ok } else { crate::display::Role::Changed };
        let value = if setting.value.is_null() { "None".to_owned() } else { shown(&setting.value) };
        session.display.coloured(role, &format!("{}({}) = {value}", setting.info.name, origin(setting)));
    }
    if args.which.is_base() && owner.is_empty() {
        session.display.line(GALAXY_SERVERS);
    }
    Ok(())
}

fn view(session: &mut Session) -> Result<(), Exit> {
    let Some(path) = session.config.file.clone() else {
        return Err(session.refuse("Invalid or no config file was supplied", 1));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            session.display.line(text.trim_end_matches('\n'));
            Ok(())
        }
        Err(error) => Err(session.refuse(format!("failed to read `{}`: {error}", path.display()), 1)),
    }
}

fn init(session: &mut Session, args: &InitArgs) -> Result<(), Exit> {
    let format = args.which.format(session, Format::Ini, &[Format::Env, Format::Ini, Format::Vars])?;
    // Several settings may be read from one place; it is written once.
    let mut sections: IndexMap<&str, IndexMap<&str, String>> = IndexMap::new();
    for info in args.which.settings() {
        let comment = format!("# ({}) {}", info.kind.name(), description(info));
        let default = info.default.unwrap_or_default();
        // An empty value is none for a number or a path.
        let off = if args.disabled || default.is_empty() { ";" } else { "" };
        let place = info.ini.last().and_then(|place| place.split_once('.'));
        match (format, place, info.env.last()) {
            (Format::Ini, Some((section, key)), _) => {
                sections.entry(section).or_default().entry(key).or_insert_with(|| format!("{comment}\n{off}{key}={default}\n"));
            }
            (Format::Env, _, Some(name)) => {
                sections.entry("").or_default().entry(name).or_insert_with(|| format!("{comment}\n{off}{name}={default}\n"));
            }
            _ => {}
        }
    }
    for (section, entries) in sections {
        if !section.is_empty() {
            session.display.line(&format!("[{section}]"));
        }
        for entry in entries.values() {
            session.display.line(entry);
        }
    }
    Ok(())
}

fn validate(session: &mut Session, which: &Which) -> Result<(), Exit> {
    let format = which.format(session, Format::Ini, &[Format::Env, Format::Ini])?;
    let settings = which.settings();
    let is_section = |section: &String| {
        settings.iter().flat_map(|info| info.ini).any(|ini| ini.split_once('.').is_some_and(|(name, _)| name == section.as_str()))
    };
    let mut wrong: Vec<String> = Vec::new();
    for written in &session.config.written {
        let unknown = match (written, format) {
            (Written::File { file, section, .. }, Format::Ini) if !is_section(section) => format!("section '{section}' in '{file}'"),
            (Written::File { file, section, key }, Format::Ini) => {
                let place = format!("{section}.{key}");
                let unknown = !settings.iter().any(|info| info.ini.contains(&place.as_str()));
                if !unknown {
                    continue;
                }
                format!("key '{key}' in section '{section}' in '{file}'")
            }
            (Written::Environment(name), Format::Env) if !settings.iter().any(|info| info.env.contains(&name.as_str())) => {
                format!("environment variable '{name}'")
            }
            _ => continue,
        };
        let message = format!("Found unknown {unknown}.");
        if !wrong.contains(&message) {
            wrong.push(message);
        }
    }
    if wrong.is_empty() {
        session.display.line("All configurations seem valid!");
        return Ok(());
    }
    for message in wrong {
        session.refuse(message, 1);
    }
    Err(Exit(1))
}

//! The command line: what was typed, laid over the settings, and run. One file per command; the only place that ends the process.

mod adhoc;
mod check_syntax;
mod config;
mod doc;
mod explain;
mod flags;
mod inventory;
mod list;
mod locale;
mod lookups;
mod modules;
mod playbook;
mod run;
mod secrets;
mod session;
mod settings;
mod sources;
mod terminal;
mod vault;
mod version;

use std::ffi::OsString;
use std::path::Path;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches, Parser, Subcommand};

use crate::display::{Colour, Display, Manner};

/// Runs Ansible playbooks and ad-hoc commands over SSH, without Python on the hosts.
#[derive(Parser)]
#[command(name = "driftless", version, infer_long_args = true, args_override_self = true, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run playbooks.
    Playbook(Box<playbook::PlaybookArgs>),
    /// Run one module on hosts.
    Adhoc(Box<adhoc::AdhocArgs>),
    /// Show the inventory.
    Inventory(Box<inventory::InventoryArgs>),
    /// Find what is certainly wrong with playbooks, without touching a host.
    CheckSyntax(Box<check_syntax::CheckSyntaxArgs>),
    /// Show where a variable's value comes from, level by level.
    Explain(Box<explain::ExplainArgs>),
    /// Show settings: what they are, what they are set to, and where.
    Config(config::ConfigArgs),
    /// Show what a module is for, and its options.
    Doc(doc::DocArgs),
    /// Encrypt and decrypt files and texts.
    Vault(vault::VaultArgs),
    /// The version, as a program of Ansible's says it: the program as it was called.
    #[command(skip)]
    Version(OsString),
}

/// A name that a link to the program may have, and the command that it stands for.
struct Program {
    name: &'static str,
    command: &'static str,
    read: fn(&ArgMatches) -> Result<Command, clap::Error>,
}

const PROGRAMS: &[Program] = &[
    Program { name: "ansible", command: "adhoc", read: |matches| args(matches).map(Command::Adhoc) },
    Program { name: "ansible-config", command: "config", read: |matches| args(matches).map(Command::Config) },
    Program { name: "ansible-doc", command: "doc", read: |matches| args(matches).map(Command::Doc) },
    Program { name: "ansible-inventory", command: "inventory", read: |matches| args(matches).map(Command::Inventory) },
    Program { name: "ansible-playbook", command: "playbook", read: |matches| args(matches).map(Command::Playbook) },
    Program { name: "ansible-vault", command: "vault", read: |matches| args(matches).map(Command::Vault) },
];

fn args<T: FromArgMatches>(matches: &ArgMatches) -> Result<T, clap::Error> {
    T::from_arg_matches(matches)
}

/// Runs the program; the result is its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let mut display = Display::new(0, Colour::Auto);
    if let Some(message) = locale::refusal().filter(|_| display.manner() == Manner::Ansible) {
        display.note(&format!("ERROR: {message}"));
        return 1;
    }
    let command = match parse(arguments.collect()) {
        Ok(command) => command,
        Err(error) => {
            // The terminal may be gone.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match command {
        Command::Version(program) => version::run(&program),
        Command::Playbook(args) => playbook::run(&args),
        Command::Adhoc(args) => adhoc::run(&args),
        Command::Inventory(args) => inventory::run(&args),
        Command::CheckSyntax(args) => check_syntax::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Doc(args) => doc::run(&args),
        Command::Vault(args) => vault::run(&args),
    }
}

/// What was typed: `ansible-playbook site.yml` is `driftless playbook site.yml`.
fn parse(mut arguments: Vec<OsString>) -> Result<Command, clap::Error> {
    let called = arguments.first().map(Path::new).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let Some(program) = PROGRAMS.iter().find(|program| called.as_deref() == Some(program.name)) else {
        return Cli::try_parse_from(arguments).map(|cli| cli.command);
    };
    // Whatever else is said, the version is all that is shown.
    if arguments.iter().any(|argument| argument == "--version") {
        return Ok(Command::Version(arguments.swap_remove(0)));
    }
    let all = Cli::command();
    let own = all.find_subcommand(program.command).expect("programs stand for commands").clone();
    let own = own.name(program.name).bin_name(program.name).infer_long_args(true).args_override_self(true);
    (program.read)(&own.try_get_matches_from(arguments)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn links_stand_for_commands() {
        let parsed = |text: &str| parse(text.split(' ').map(OsString::from).collect());
        assert!(matches!(parsed("/usr/bin/ansible-playbook -i x y.yml"), Ok(Command::Playbook(_))));
        assert!(matches!(parsed("ansible-vault view x"), Ok(Command::Vault(_))));
        assert!(matches!(parsed("driftless doc copy"), Ok(Command::Doc(_))));
        let error = |text: &str| parsed(text).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(matches!(parsed("/usr/bin/ansible-playbook y.yml --version"), Ok(Command::Version(_))));
        assert!(error("driftless --version").starts_with("driftless "));
        for program in PROGRAMS {
            assert!(error(&format!("{} --help", program.name)).contains(&format!("Usage: {} ", program.name)), "{}", program.name);
        }
        assert!(error("ansible-vault encrypt --nope").contains("Usage: ansible-vault encrypt "));
        assert!(error("driftless vault encrypt --nope").contains("Usage: driftless vault encrypt "));
        assert!(!error("ansible-vault --help").contains("ansible-vault vault"));
    }
}

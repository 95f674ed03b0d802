//! The command line: what was typed, laid over the settings, and run. One file per command; the only place that ends the process.

mod adhoc;
mod check_syntax;
mod config;
mod doc;
mod explain;
mod flags;
mod inventory;
mod list;
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

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand};

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
}

/// Names that a link to the program may have, and the commands that they stand for.
const PROGRAMS: &[(&str, &str)] = &[
    ("ansible", "adhoc"),
    ("ansible-config", "config"),
    ("ansible-doc", "doc"),
    ("ansible-inventory", "inventory"),
    ("ansible-playbook", "playbook"),
    ("ansible-vault", "vault"),
];

/// Runs the program; the result is its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(as_command(arguments.collect())) {
        Ok(cli) => cli,
        Err(error) => {
            // The terminal may be gone.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match cli.command {
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

/// `ansible-playbook site.yml` as `driftless playbook site.yml`.
fn as_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let called = arguments.first().map(Path::new).and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let command = PROGRAMS.iter().find(|(name, _)| called.as_deref() == Some(name)).map(|(_, command)| *command);
    if let Some(command) = command {
        // Whatever else is said, the version is all that is shown.
        if arguments.iter().any(|argument| argument == "--version") {
            arguments.truncate(1);
            arguments.push(OsString::from("--version"));
        } else {
            arguments.insert(1, OsString::from(command));
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn links_stand_for_commands() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(as_command(words("/usr/bin/ansible-playbook -i x y.yml")), words("/usr/bin/ansible-playbook playbook -i x y.yml"));
        assert_eq!(as_command(words("/usr/bin/ansible-playbook y.yml --version")), words("/usr/bin/ansible-playbook --version"));
        assert_eq!(as_command(words("driftless doc copy")), words("driftless doc copy"));
    }
}

//! `driftless vault`: what `ansible-vault` does.

mod edit;
mod files;
mod string;

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use super::flags::VaultFlags;
use super::session::{Exit, Session};
use crate::display::Display;
use crate::vault::{Prompt, Salt, Vault, VaultId, VaultSecret, VaultSource};

/// What was typed.
#[derive(Args, Clone, Debug)]
pub struct VaultArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Clone, Debug)]
#[command(rename_all = "snake_case")]
enum Action {
    /// Make a new file in a vault, with an editor.
    Create(edit::CreateArgs),
    /// Decrypt files.
    Decrypt(files::DecryptArgs),
    /// Change a file in a vault, with an editor.
    Edit(edit::EditArgs),
    /// Encrypt files.
    Encrypt(files::EncryptArgs),
    /// Encrypt texts for variable files.
    EncryptString(string::StringArgs),
    /// Encrypt files in vaults with another secret.
    Rekey(files::RekeyArgs),
    /// Show files in vaults.
    View(files::ViewArgs),
}

/// Flags that every action has.
#[derive(Args, Clone, Debug)]
struct Common {
    #[command(flatten)]
    vault: VaultFlags,
    /// Show more.
    #[arg(short = 'v', long = "verbose", action = ArgAction::Count)]
    verbose: u8,
}

/// Which secret to encrypt with.
#[derive(Args, Clone, Debug)]
struct EncryptFlags {
    /// The vault id to encrypt with; needed where there are several.
    #[arg(long = "encrypt-vault-id")]
    encrypt_vault_id: Option<String>,
}

/// Where the result goes.
#[derive(Args, Clone, Debug)]
struct OutputFlags {
    /// The file that gets the result; `-` for the terminal.
    #[arg(long = "output")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &VaultArgs) -> u8 {
    let done = match &args.action {
        Action::Create(args) => edit::create(args),
        Action::Decrypt(args) => files::decrypt(args),
        Action::Edit(args) => edit::edit(args),
        Action::Encrypt(args) => files::encrypt(args),
        Action::EncryptString(args) => string::encrypt_string(args),
        Action::Rekey(args) => files::rekey(args),
        Action::View(args) => files::view(args),
    };
    done.map_or_else(|Exit(code)| code, |()| 0)
}

/// What texts are encrypted with.
struct Sealer {
    id: String,
    secret: VaultSecret,
    salt: Option<String>,
}

impl Sealer {
    fn seal(&self, session: &mut Session, plain: &[u8]) -> Result<String, Exit> {
        seal(session, plain, &self.secret, &self.id, self.salt.as_deref())
    }
}

fn seal(session: &mut Session, plain: &[u8], secret: &VaultSecret, id: &str, salt: Option<&str>) -> Result<String, Exit> {
    let salt = match salt {
        Some(salt) => Salt::fixed(salt.as_bytes()),
        None => Salt::random().map_err(|error| session.refuse(error.to_string(), 1))?,
    };
    Ok(secret.seal(plain, id, salt))
}

impl Session {
    /// The secrets that vaults are opened with; somebody is asked where none is named.
    fn opener(&mut self, common: &Common) -> Result<Vault, Exit> {
        let mut ids = self.vault_ids(&common.vault);
        self.ask_at_least(&mut ids);
        let secrets = self.vault_secrets(&ids, Prompt::Open)?;
        Ok(Vault::new(secrets, self.config.vault_id_match.value))
    }

    /// The secret to encrypt with; somebody is asked where none is named.
    fn sealer(&mut self, common: &Common, flags: &EncryptFlags) -> Result<Sealer, Exit> {
        let mut ids = self.vault_ids(&common.vault);
        self.ask_at_least(&mut ids);
        let wanted = self.encrypt_id(flags);
        self.sealer_of(&ids, wanted)
    }

    /// The one of these secrets that is wanted, or the only one that could be had.
    fn sealer_of(&mut self, ids: &[VaultId], wanted: Option<String>) -> Result<Sealer, Exit> {
        let secrets = self.vault_secrets(ids, Prompt::Create)?;
        if secrets.len() > 1 && wanted.is_none() {
            let labels: Vec<&str> = secrets.iter().map(|(label, _)| &**label).collect();
            let message = format!(
                "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with --encrypt-vault-id",
                labels.join(",")
            );
            return Err(self.refuse(message, 5));
        }
        let found = match &wanted {
            Some(wanted) => secrets.iter().find(|(id, _)| id == wanted),
            None => secrets.first(),
        };
        let Some((id, secret)) = found.cloned() else {
            let known: Vec<String> = secrets.iter().map(|(id, _)| format!("'{id}'")).collect();
            let message = format!(
                "Did not find a match for --encrypt-vault-id={} in the known vault-ids [{}]",
                wanted.unwrap_or_default(),
                known.join(", ")
            );
            return Err(self.refuse(message, 1));
        };
        Ok(Sealer { id, secret, salt: self.salt() })
    }

    fn encrypt_id(&self, flags: &EncryptFlags) -> Option<String> {
        flags.encrypt_vault_id.clone().or_else(|| self.config.vault_encrypt_identity.value.clone())
    }

    fn salt(&self) -> Option<String> {
        self.config.vault_encrypt_salt.value.clone().filter(|salt| !salt.is_empty())
    }

    fn ask_at_least(&self, ids: &mut Vec<VaultId>) {
        if ids.is_empty() {
            ids.push(VaultId { label: Some(self.config.vault_identity.value.clone()), source: VaultSource::PlainPrompt });
        }
    }

    /// Says on a terminal that it worked.
    fn succeeded(&mut self, what: &str) {
        if Display::is_terminal() {
            self.display.note(what);
        }
    }
}

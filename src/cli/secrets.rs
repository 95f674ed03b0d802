//! The secrets of a run: `--vault-id`, `--vault-password-file`, `--ask-vault-password` and their settings, in Ansible's order.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::flags::VaultFlags;
use super::session::{Exit, Session};
use crate::display::Echo;
use crate::transport::Secret;
use crate::vault::{Prompt, Vault, VaultId, VaultSecret, VaultSource, is_program};

/// The password of a file, or that which a program prints.
pub fn password_of_file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let bytes = if is_program(path) {
        let output = Command::new(path).stdin(Stdio::inherit()).stderr(Stdio::inherit()).output().map_err(|error| {
            format!(
                "Problem occurred when trying to run the password script {shown} ({error}). If this is not a script, remove the executable bit from the file."
            )
        })?;
        if !output.status.success() {
            return Err(format!("The password script {shown} returned an error (rc={}):", output.status.code().unwrap_or(-1)));
        }
        output.stdout
    } else {
        std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("The password file {shown} was not found"),
            _ => format!("Could not read password file {shown}: {error}"),
        })?
    };
    match String::from_utf8_lossy(&bytes).trim() {
        "" => Err(format!("Empty password was provided from file ({shown})")),
        password => Ok(Secret::new(password)),
    }
}

impl Session {
    /// The secrets that are asked for by flags and settings: those of the settings first, then `--vault-id`, then files.
    pub fn vault_ids(&self, flags: &VaultFlags) -> Vec<VaultId> {
        let path = |text: &str| self.path(text);
        let identity = || Some(self.config.vault_identity.value.clone());
        let of_settings = self.config.vault_identity_list.value.iter();
        let mut ids: Vec<VaultId> = of_settings.chain(&flags.vault_id).map(|text| VaultId::parse(text, path)).collect();
        let named = flags.vault_password_file.iter().map(|text| path(text));
        let files: Vec<PathBuf> = named.chain(self.config.vault_password_file.value.clone()).collect();
        ids.extend(files.into_iter().map(|file| VaultId { label: identity(), source: VaultSource::File(file) }));
        if flags.ask_vault_password || self.config.ask_vault_pass.value {
            ids.push(VaultId { label: identity(), source: VaultSource::PlainPrompt });
        }
        ids
    }

    /// The secrets of these ids. One that cannot be had is a warning, as long as another can.
    pub fn vault_secrets(&mut self, ids: &[VaultId], prompt: Prompt) -> Result<Vec<(String, VaultSecret)>, Exit> {
        let mut secrets = Vec::new();
        let mut last = None;
        for id in ids {
            let display = &mut self.display;
            match id.secret(prompt, &mut |text| display.ask(text, Echo::Off)) {
                Ok(secret) => secrets.push((id.label_or(&self.config.vault_identity.value).to_owned(), secret)),
                Err((warning, error)) => {
                    self.display.warning(&warning);
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if secrets.is_empty() => Err(self.refuse(error, 1)),
            _ => Ok(secrets),
        }
    }

    /// The secrets that a run opens vaults with.
    pub fn vault(&mut self, flags: &VaultFlags) -> Result<Vault, Exit> {
        let ids = self.vault_ids(flags);
        let secrets = self.vault_secrets(&ids, Prompt::Open)?;
        Ok(Vault::new(secrets, self.config.vault_id_match.value))
    }
}

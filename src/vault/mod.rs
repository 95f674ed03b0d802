//! Vaults: texts and files encrypted with a password, byte for byte as `ansible-vault` writes and reads them.
//!
//! [`Envelope`] is the format, [`cipher`](self) what is in it, [`Vault`] the secrets of a run, and [`VaultId`] where one of them
//! comes from. Knows neither templates nor the command line; whoever reads a file of the user's asks [`Vault::read`].

mod cipher;
mod envelope;
mod error;
mod id;
mod keys;
mod program;

use std::path::Path;
use std::sync::Arc;

pub use cipher::Salt;
pub use envelope::{Envelope, is_vault};
pub use error::VaultError;
pub use id::{Ask, Prompt, VaultId, VaultSource};
pub use keys::{Opened, Vault, VaultSecret};
pub use program::is_program;

use crate::source::Source;

/// What was wrong with a vault, where reading a file failed for that.
pub fn error_of(error: &std::io::Error) -> Option<&VaultError> {
    error.get_ref()?.downcast_ref()
}

/// A file's content, and whether it was in a vault.
pub struct Content {
    /// The bytes; plain ones.
    pub bytes: Vec<u8>,
    /// Whether they were encrypted.
    pub was_sealed: bool,
}

impl Vault {
    /// The file at `path`, decrypted if it is in a vault.
    pub fn read(&self, path: &Path) -> std::io::Result<Content> {
        let bytes = std::fs::read(path)?;
        if !is_vault(&bytes) {
            return Ok(Content { bytes, was_sealed: false });
        }
        match self.open(&bytes) {
            Ok(opened) => Ok(Content { bytes: opened.plain, was_sealed: true }),
            Err(error) => Err(std::io::Error::new(std::io::ErrorKind::PermissionDenied, error)),
        }
    }

    /// The text of the file at `path`, decrypted if it is in a vault; then diagnostics do not show its lines.
    pub fn read_source(&self, path: &Path) -> std::io::Result<Arc<Source>> {
        let content = self.read(path)?;
        if content.was_sealed { Source::decode_hidden(path, content.bytes) } else { Source::decode(path, content.bytes) }
    }
}

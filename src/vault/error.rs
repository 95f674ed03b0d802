//! Why a vault could not be opened or made, in Ansible's words.

use thiserror::Error;

/// Why a vault could not be opened or made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum VaultError {
    /// The text does not begin as a vault.
    #[error("Input is not vault encrypted data.")]
    NotAVault,
    /// The first line lacks a part.
    #[error("Vault envelope format error: list index out of range")]
    Header,
    /// It was encrypted in a way that nobody knows any more.
    #[error("Cipher '{0}' could not be found.")]
    Cipher(String),
    /// What should be hexadecimal digits is not.
    #[error("Vault format unhexlify error: {0}")]
    Digits(&'static str),
    /// The body has not its three parts.
    #[error("Vault vaulttext format error: not enough values to unpack (expected 3, got {0})")]
    Parts(usize),
    /// It was decrypted and is not what was encrypted.
    #[error("Vault format error: the padding is wrong")]
    Padding,
    /// Nobody gave a secret.
    #[error("Attempting to decrypt but no vault secrets found.")]
    NoSecrets,
    /// None of the secrets fits.
    #[error("Decryption failed (no vault secrets were found that could decrypt).")]
    NoneFits,
    /// What was in it is no text.
    #[error("the decrypted value is not UTF-8 text")]
    NotText,
    /// The system has no random numbers.
    #[error("could not make a salt: {0}")]
    Random(String),
}

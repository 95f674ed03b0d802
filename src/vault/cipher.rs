//! What is in an envelope: AES-256 in counter mode, signed with HMAC-SHA-256; both keys and the counter's start are made of secret
//! and salt by PBKDF2.

use aes::Aes256;
use aes::cipher::{KeyIvInit as _, StreamCipher as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::envelope::Envelope;
use super::{VaultError, VaultSecret};

type Counter = ctr::Ctr128BE<Aes256>;

const ROUNDS: u32 = 10_000;
const BLOCK: usize = 16;

/// What makes two vaults of one content and one secret differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt(Vec<u8>);

impl Salt {
    /// 32 random bytes.
    pub fn random() -> Result<Self, VaultError> {
        let mut bytes = vec![0; 32];
        rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())
            .map_err(|error| VaultError::Random(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// These bytes: the same content becomes the same vault.
    pub fn fixed(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }
}

struct Keys {
    cipher: [u8; 32],
    signature: [u8; 32],
    start: [u8; BLOCK],
}

impl Keys {
    fn of(secret: &VaultSecret, salt: &[u8]) -> Self {
        let mut made = [0; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(secret.reveal(), salt, ROUNDS, &mut made);
        let mut keys = Self { cipher: [0; 32], signature: [0; 32], start: [0; BLOCK] };
        keys.cipher.copy_from_slice(&made[..32]);
        keys.signature.copy_from_slice(&made[32..64]);
        keys.start.copy_from_slice(&made[64..]);
        keys
    }

    fn signer(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.signature).expect("HMAC takes keys of any length")
    }

    fn apply(&self, bytes: &mut [u8]) {
        Counter::new(&self.cipher.into(), &self.start.into()).apply_keystream(bytes);
    }
}

/// Encrypts `plain` for the vault id `id`.
pub(super) fn seal(plain: &[u8], secret: &VaultSecret, id: &str, salt: Salt) -> Envelope {
    let keys = Keys::of(secret, &salt.0);
    let mut content = plain.to_vec();
    let padding = BLOCK - plain.len() % BLOCK;
    content.resize(plain.len() + padding, u8::try_from(padding).expect("a block is shorter than 256 bytes"));
    keys.apply(&mut content);
    let mut signer = keys.signer();
    signer.update(&content);
    let signature = signer.finalize().into_bytes().to_vec();
    Envelope { id: id.to_owned(), salt: salt.0, signature, content }
}

/// Decrypts; `None` if the secret is not the one it was sealed with.
pub(super) fn open(envelope: &Envelope, secret: &VaultSecret) -> Result<Option<Vec<u8>>, VaultError> {
    let keys = Keys::of(secret, &envelope.salt);
    let mut signer = keys.signer();
    signer.update(&envelope.content);
    if signer.verify_slice(&envelope.signature).is_err() {
        return Ok(None);
    }
    let mut content = envelope.content.clone();
    keys.apply(&mut content);
    let padding = content.last().copied().map(usize::from).filter(|count| (1..=BLOCK).contains(count) && *count <= content.len());
    let padding = padding.ok_or(VaultError::Padding)?;
    content.truncate(content.len() - padding);
    Ok(Some(content))
}

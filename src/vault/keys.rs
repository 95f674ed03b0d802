//! `Vault`: the secrets of a run, and what was opened with them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use super::envelope::{DEFAULT_ID, Envelope};
use super::{Salt, VaultError, cipher};
use crate::value::Text;

/// A vault's password: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultSecret(Arc<[u8]>);

impl VaultSecret {
    /// Hides `bytes`.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The password, to be made into keys and handed to nobody else.
    pub(super) fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// Whether it has no characters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The vault of `plain`.
    pub fn seal(&self, plain: &[u8], id: &str, salt: Salt) -> String {
        cipher::seal(plain, self, id, salt).to_text()
    }
}

impl fmt::Debug for VaultSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// The secrets of a run, in the order in which they are tried.
#[derive(Debug, Default)]
pub struct Vault {
    secrets: Vec<(String, VaultSecret)>,
    id_match: bool,
    texts: RwLock<HashMap<Arc<str>, Arc<str>>>,
}

/// What was in a vault.
pub struct Opened {
    /// The content.
    pub plain: Vec<u8>,
    /// The id that the envelope names.
    pub id: String,
    /// The secret that opened it.
    pub secret: VaultSecret,
}

impl fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Opened({})", self.id)
    }
}

impl Vault {
    /// Secrets with their ids; with `id_match` only those of the envelope's own id are tried.
    pub fn new(secrets: Vec<(String, VaultSecret)>, id_match: bool) -> Self {
        Self { secrets, id_match, texts: RwLock::default() }
    }

    /// One secret of no particular id.
    pub fn of(secret: VaultSecret) -> Self {
        Self::new(vec![(DEFAULT_ID.to_owned(), secret)], false)
    }

    /// Whether there is a secret to try.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The ids and their secrets.
    pub fn secrets(&self) -> &[(String, VaultSecret)] {
        &self.secrets
    }

    /// Opens a vault: secrets of its own id are tried first, then all others in their order.
    pub fn open(&self, bytes: &[u8]) -> Result<Opened, VaultError> {
        if !super::is_vault(bytes) {
            return Err(VaultError::NotAVault);
        }
        if self.secrets.is_empty() {
            return Err(VaultError::NoSecrets);
        }
        let envelope = Envelope::parse(bytes)?;
        let (own, others): (Vec<_>, Vec<_>) = self.secrets.iter().partition(|(id, _)| *id == envelope.id);
        let others = if self.id_match { Vec::new() } else { others };
        for (_, secret) in own.into_iter().chain(others) {
            if let Some(plain) = cipher::open(&envelope, secret)? {
                return Ok(Opened { plain, id: envelope.id, secret: secret.clone() });
            }
        }
        Err(VaultError::NoneFits)
    }

    /// Opens a text of a playbook or variable file; each is opened once in a run.
    pub fn open_text(&self, sealed: &Text) -> Result<Text, VaultError> {
        let known = self.texts.read().unwrap_or_else(PoisonError::into_inner).get(sealed.chars()).cloned();
        if let Some(plain) = known {
            return Ok(sealed.opened(plain));
        }
        let opened = self.open(sealed.as_str().as_bytes())?;
        let plain: Arc<str> = String::from_utf8(opened.plain).map_err(|_| VaultError::NotText)?.into();
        self.texts.write().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(sealed.chars()), Arc::clone(&plain));
        Ok(sealed.opened(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `ansible-vault encrypt_string --vault-id two@… 'two {{ other }}'` with the password `secret2`.
    const OF_ANSIBLE: &str = "$ANSIBLE_VAULT;1.2;AES256;two
65396535346537643131623065396561616665616537316263343538303465306532653763663839
3831643932313865383762633832636333636538396164390a633665633936323431306463396534
62353531356235356534363337366166323536303034613133616537653031656664343533356230
3063666432373533610a366439316635343134643138303632666534643734393535633638613463
6532
";

    fn vault(ids: &[(&str, &str)], id_match: bool) -> Vault {
        let secret = |text: &str| VaultSecret::new(text.as_bytes());
        Vault::new(ids.iter().map(|(id, text)| ((*id).to_owned(), secret(text))).collect(), id_match)
    }

    #[test]
    fn opens_what_ansible_sealed() {
        let text = Text::sealed(OF_ANSIBLE, None);
        let open = |vault: Vault| vault.open_text(&text).map(|text| text.as_str().to_owned());
        assert_eq!(open(vault(&[("one", "secret1"), ("two", "secret2")], false)).as_deref(), Ok("two {{ other }}"));
        assert_eq!(open(vault(&[("one", "secret2")], false)).as_deref(), Ok("two {{ other }}"));
        assert_eq!(open(vault(&[("one", "secret2")], true)), Err(VaultError::NoneFits));
        assert_eq!(open(vault(&[("two", "secret1")], false)), Err(VaultError::NoneFits));
        assert_eq!(open(Vault::default()), Err(VaultError::NoSecrets));
    }

    #[test]
    fn seals_as_ansible_does() {
        let sealed = VaultSecret::new(*b"s").seal(b"abc", "filter_default", Salt::fixed(vec![b'x'; 32]));
        assert_eq!(
            sealed,
            "$ANSIBLE_VAULT;1.2;AES256;filter_default
37383738373837383738373837383738373837383738373837383738373837383738373837383738
3738373837383738373837383738373837383738373837380a663963653232386132653064326566
31373134346630623832396263386535653661386266623761313637303064376438326562323363
6363383365636165320a633063666636633661353561613138326232323731393361333766386430
6336
"
        );
    }

    #[test]
    fn contents_of_any_length_come_back() {
        let secret = VaultSecret::new(*b"p");
        for length in [0, 1, 15, 16, 17, 1000] {
            let plain = vec![0xfe; length];
            let sealed = secret.seal(&plain, "default", Salt::random().unwrap());
            assert_eq!(Vault::of(secret.clone()).open(sealed.as_bytes()).unwrap().plain, plain);
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(format!("{:?}", vault(&[("a", "hunter2")], false).secrets()), "[(\"a\", ***)]");
    }
}

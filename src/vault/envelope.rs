//! The envelope: a line that names format, cipher and perhaps the vault's id, then hexadecimal digits in lines of 80.
//!
//! `$ANSIBLE_VAULT;1.1;AES256`, or `$ANSIBLE_VAULT;1.2;AES256;ID`. The digits stand for three texts of digits, one a line: salt,
//! signature, encrypted content.

use super::VaultError;

const MAGIC: &str = "$ANSIBLE_VAULT";
const CIPHER: &str = "AES256";
const WIDTH: usize = 80;

/// The id of vaults that name none.
pub(super) const DEFAULT_ID: &str = "default";

/// Whether these bytes begin as a vault does.
pub fn is_vault(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// A vault's envelope, taken apart and still sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The id of the secret that it was made with; a hint, no more.
    pub id: String,
    /// What makes the key of the secret.
    pub salt: Vec<u8>,
    /// The signature of the content.
    pub signature: Vec<u8>,
    /// The encrypted content.
    pub content: Vec<u8>,
}

impl Envelope {
    /// Takes a vault's bytes apart. Line breaks may be of any kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, VaultError> {
        if !is_vault(bytes) {
            return Err(VaultError::NotAVault);
        }
        let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
        let header = String::from_utf8_lossy(lines.next().unwrap_or_default());
        let mut words = header.trim().split(';').map(str::trim);
        let (Some(MAGIC), Some(version), Some(cipher)) = (words.next(), words.next(), words.next()) else {
            return Err(if header.trim().starts_with(&format!("{MAGIC};")) || header.trim() == MAGIC {
                VaultError::Header
            } else {
                VaultError::NotAVault
            });
        };
        if cipher != CIPHER {
            return Err(VaultError::Cipher(cipher.to_owned()));
        }
        let id = words.next().filter(|_| version == "1.2").unwrap_or(DEFAULT_ID);
        let digits: Vec<u8> = lines.flatten().copied().collect();
        let body = from_hex(&digits)?;
        let parts: Vec<&[u8]> = body.splitn(3, |byte| *byte == b'\n').collect();
        let [salt, signature, content] = parts[..] else { return Err(VaultError::Parts(parts.len())) };
        Ok(Self { id: id.to_owned(), salt: from_hex(salt)?, signature: from_hex(signature)?, content: from_hex(content)? })
    }

    /// The vault as it is written, ending in a line break.
    pub fn to_text(&self) -> String {
        let body = [&self.salt, &self.signature, &self.content].map(|part| to_hex(part)).join("\n");
        let digits = to_hex(body.as_bytes());
        let mut text =
            if self.id == DEFAULT_ID { format!("{MAGIC};1.1;{CIPHER}\n") } else { format!("{MAGIC};1.2;{CIPHER};{}\n", self.id) };
        for at in (0..digits.len()).step_by(WIDTH) {
            text += &digits[at..digits.len().min(at + WIDTH)];
            text.push('\n');
        }
        text
    }
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn from_hex(digits: &[u8]) -> Result<Vec<u8>, VaultError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let whole = digits.chunks_exact(2);
    let is_odd = !whole.remainder().is_empty();
    let bytes = whole.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect::<Option<Vec<u8>>>();
    match bytes {
        _ if is_odd => Err(VaultError::Digits("Odd-length string")),
        None => Err(VaultError::Digits("Non-hexadecimal digit found")),
        Some(bytes) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, error: VaultError) {
        assert_eq!(Envelope::parse(text.as_bytes()), Err(error), "{text}");
    }

    #[test]
    fn what_is_no_vault_is_said_as_ansible_says_it() {
        check("foo", VaultError::NotAVault);
        check("$ANSIBLE_VAULT\n3333", VaultError::Header);
        check("$ANSIBLE_VAULT;1.1\n3333", VaultError::Header);
        check("$ANSIBLE_VAULT;1.1;AES256\n", VaultError::Parts(1));
        check("$ANSIBLE_VAULT;1.1;AES256\n3333\n", VaultError::Parts(1));
        check("$ANSIBLE_VAULT;1.0;AES\n3333\n", VaultError::Cipher("AES".to_owned()));
        check("$ANSIBLE_VAULT;1.1;AES256\n333\n", VaultError::Digits("Odd-length string"));
        check("$ANSIBLE_VAULT;1.1;AES256\nzz\n", VaultError::Digits("Non-hexadecimal digit found"));
        check("$ANSIBLE_VAULT;1.1;AES256\n7a7a0a61610a6161\n", VaultError::Digits("Non-hexadecimal digit found"));
    }

    #[test]
    fn an_envelope_is_written_as_it_is_read() {
        let envelope = Envelope { id: "prod".to_owned(), salt: vec![0; 32], signature: vec![0xab; 32], content: vec![1; 48] };
        let text = envelope.to_text();
        assert!(text.starts_with("$ANSIBLE_VAULT;1.2;AES256;prod\n30303030"));
        assert!(text.lines().skip(1).all(|line| line.len() <= 80));
        assert_eq!(Envelope::parse(text.as_bytes()), Ok(envelope.clone()));
        assert_eq!(Envelope::parse(text.replace('\n', "\r\n").as_bytes()), Ok(envelope.clone()));
        assert_eq!(Envelope::parse(format!("{text}\n\n").as_bytes()), Ok(envelope));
    }
}

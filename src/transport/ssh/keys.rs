//! Private keys: which files there are, and what can be known of one before a host is asked. Files are read once each run.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::known_hosts;
use super::sign::Signer;

/// A private key that was read.
#[derive(Debug, Default)]
pub(super) struct Key {
    /// The text of the file.
    pub(super) text: String,
    /// The public half, where the file or its `.pub` tells it.
    pub(super) public: Option<Vec<u8>>,
    /// The public half as a `.pub` file has it, where the private one holds it in clear: libssh2 need not work it out. Not of a key
    /// with a passphrase: libssh2 could not tell a wrong passphrase from a key that is refused.
    pub(super) public_line: Option<String>,
    /// The text of `-cert.pub` beside it.
    pub(super) certificate: Option<String>,
    /// Whether a passphrase is needed.
    pub(super) encrypted: bool,
    /// The key itself, where we can sign with it.
    pub(super) signer: Option<Signer>,
}

impl Key {
    /// Whether the key lives in a security key, which only OpenSSH can ask.
    pub(super) fn is_hardware(&self) -> bool {
        self.public.as_deref().is_some_and(|public| known_hosts::kind_of(public).starts_with("sk-"))
    }
}

/// The key files of a run.
#[derive(Debug, Default)]
pub(super) struct KeyFiles {
    keys: Mutex<HashMap<PathBuf, Result<Arc<Key>, String>>>,
}

impl KeyFiles {
    /// The key in `path`, or why it cannot be used, in `ssh`'s words.
    pub(super) fn read(&self, path: &Path) -> Result<Arc<Key>, String> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.entry(path.to_owned()).or_insert_with(|| read(path).map(Arc::new)).clone()
    }
}

fn read(path: &Path) -> Result<Key, String> {
    let reason = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        _ => error.to_string(),
    };
    let metadata = std::fs::metadata(path).map_err(reason)?;
    if metadata.uid() == rustix::process::getuid().as_raw() && metadata.mode() & 0o077 != 0 {
        return Err(format!(
            "permissions {:04o} are too open, the private key is readable by others; it is ignored",
            metadata.mode() & 0o7777
        ));
    }
    let text = std::fs::read_to_string(path).map_err(reason)?;
    if !text.contains("PRIVATE KEY") {
        return Err("invalid format".to_owned());
    }
    let with_suffix = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::read_to_string(name).ok()
    };
    let own = openssh_header(&text);
    let beside = with_suffix(".pub").and_then(|text| STANDARD.decode(text.split_ascii_whitespace().nth(1)?).ok());
    let encrypted = match &own {
        Some(header) => header.encrypted,
        None => text.contains("ENCRYPTED"),
    };
    let signer = own.as_ref().filter(|_| !encrypted).and_then(|header| Signer::read(&header.private, header.public.as_deref()?));
    let own = own.and_then(|header| header.public);
    let public_line =
        own.as_deref().filter(|_| !encrypted).map(|public| format!("{} {}", known_hosts::kind_of(public), STANDARD.encode(public)));
    Ok(Key { public: own.or(beside), public_line, certificate: with_suffix("-cert.pub"), encrypted, signer, text })
}

struct Header {
    encrypted: bool,
    public: Option<Vec<u8>>,
    /// The private half and its public one, where it is not encrypted.
    private: Vec<u8>,
}

/// Cipher and keys of the format that begins with `openssh-key-v1`.
fn openssh_header(text: &str) -> Option<Header> {
    let body = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?.1.split_once("-----END")?.0;
    let bytes = STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).ok()?;
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = take_text(&mut rest)?;
    take_text(&mut rest)?;
    take_text(&mut rest)?;
    rest = rest.get(4..)?;
    let public = take_text(&mut rest).map(<[u8]>::to_vec);
    Some(Header { encrypted: cipher != b"none", public, private: take_text(&mut rest).unwrap_or_default().to_vec() })
}

/// The next text of SSH's encoding: its length, and so many bytes.
pub(super) fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let text = after.get(..length)?;
    *rest = &after[length..];
    Some(text)
}

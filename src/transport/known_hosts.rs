//! The `known_hosts` files, as sshd(8) describes them: hashed names, `[host]:port`, wildcards, negation, `@revoked` and
//! `@cert-authority`. A file is parsed once; plain names are looked up in a map, hashed ones by trying.
//!
//! An odd line is skipped, as OpenSSH does, but a key that is marked as revoked is never trusted.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::ConnectionError;

/// One line that names a key.
#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    marker: Marker,
    kind: String,
    key: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Revoked,
    CertAuthority,
}

/// One file, parsed.
#[derive(Debug, Default)]
struct File {
    entries: Vec<Entry>,
    /// Names without wildcards, and the entries that have them.
    plain: HashMap<String, Vec<usize>>,
    /// Lists with wildcards or negation.
    patterns: Vec<(String, usize)>,
    /// Salt and hash.
    hashed: Vec<([u8; 20], [u8; 20], usize)>,
    /// What the file was when it was read; `None`: it could not be.
    size_and_time: Option<(u64, SystemTime)>,
}

/// What the files say of a host's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is the right one.
    Yes,
    /// Nothing is known of the host.
    No,
    /// Another key of the host is known: where.
    Changed(String),
    /// It is revoked: where.
    Revoked(String),
}

/// All that the files say of one host.
#[derive(Debug, Default)]
pub(super) struct HostKeys {
    keys: Vec<(PathBuf, Entry)>,
}

/// The files of a run, each parsed once until it changes.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    files: Mutex<HashMap<PathBuf, Arc<File>>>,
}

impl KnownHosts {
    /// What `files` know of `name`, as it stands in them: `host` or `[host]:port`. Files that do not exist know nothing.
    pub(super) fn of_host(&self, files: &[PathBuf], name: &str) -> Result<HostKeys, ConnectionError> {
        let name = name.to_lowercase();
        let mut found = HostKeys::default();
        for path in files {
            let file = self.file(path)?;
            found.keys.extend(file.find(&name).into_iter().map(|entry| (path.clone(), entry.clone())));
        }
        Ok(found)
    }

    /// Adds a key of `name` to `path` with one append, so that several writers never mix their lines.
    pub(super) fn add(&self, path: &Path, name: &str, kind: &str, key: &[u8], hash: bool) -> Result<(), ConnectionError> {
        let failed = |error: std::io::Error| ConnectionError::Config(format!("cannot add the host key to `{}`: {error}", path.display()));
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let name = if hash { hash_name(&name.to_lowercase())? } else { name.to_lowercase() };
        let mut text = format!("{name} {kind} {}\n", STANDARD.encode(key));
        // A file that was edited by hand may lack its last newline.
        if std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n')) {
            text.insert(0, '\n');
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)
    }

    fn file(&self, path: &Path) -> Result<Arc<File>, ConnectionError> {
        let failed = |error: std::io::Error| ConnectionError::Config(format!("cannot read `{}`: {error}", path.display()));
        let state = match std::fs::metadata(path) {
            Ok(metadata) => Some((metadata.len(), metadata.modified().map_err(failed)?)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied) => None,
            Err(error) => return Err(failed(error)),
        };
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(path).filter(|file| file.size_and_time == state) {
            return Ok(Arc::clone(file));
        }
        let bytes = match state {
            Some((0, _)) | None => Vec::new(),
            Some(_) => std::fs::read(path).map_err(failed)?,
        };
        let file = Arc::new(File { size_and_time: state, ..File::parse(&String::from_utf8_lossy(&bytes)) });
        files.insert(path.to_owned(), Arc::clone(&file));
        Ok(file)
    }
}

impl HostKeys {
    /// What is known of `key`. A revoked key is never trusted, whatever else the files say.
    pub(super) fn check(&self, key: &[u8]) -> Known {
        let place = |path: &Path, entry: &Entry| format!("{}:{}", path.display(), entry.line);
        let same = |marker: Marker| self.keys.iter().find(|(_, entry)| entry.marker == marker && entry.key == key);
        if let Some((path, entry)) = same(Marker::Revoked) {
            return Known::Revoked(place(path, entry));
        }
        if same(Marker::None).is_some() {
            return Known::Yes;
        }
        match self.keys.iter().find(|(_, entry)| entry.marker == Marker::None) {
            Some((path, entry)) => Known::Changed(place(path, entry)),
            None => Known::No,
        }
    }

    /// The kinds of the known keys, in the order of the files: to be asked for first.
    pub(super) fn kinds(&self) -> Vec<&str> {
        self.keys.iter().filter(|(_, entry)| entry.marker == Marker::None).map(|(_, entry)| entry.kind.as_str()).collect()
    }

    /// Whether a certificate authority vouches for the host, which only OpenSSH can check.
    pub(super) fn has_authority(&self) -> bool {
        self.keys.iter().any(|(_, entry)| entry.marker == Marker::CertAuthority)
    }
}

impl File {
    fn parse(text: &str) -> Self {
        let mut file = Self::default();
        for (index, line) in text.lines().enumerate() {
            file.parse_line(index + 1, line.trim());
        }
        file
    }

    fn parse_line(&mut self, line: usize, text: &str) -> Option<()> {
        if text.starts_with('#') {
            return None;
        }
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        let (marker, names) = match first {
            "@revoked" => (Marker::Revoked, words.next()?),
            "@cert-authority" => (Marker::CertAuthority, words.next()?),
            other => (Marker::None, other),
        };
        let kind = words.next()?.to_owned();
        let key = STANDARD.decode(words.next()?).ok()?;
        let index = self.entries.len();
        self.entries.push(Entry { line, marker, kind, key });
        if let Some(hash) = names.strip_prefix("|1|") {
            let (salt, digest) = hash.split_once('|')?;
            let salt = STANDARD.decode(salt).ok()?.try_into().ok()?;
            self.hashed.push((salt, STANDARD.decode(digest).ok()?.try_into().ok()?, index));
        } else if names.contains(['*', '?', '!']) {
            self.patterns.push((names.to_lowercase(), index));
        } else {
            for name in names.split(',') {
                self.plain.entry(name.to_lowercase()).or_default().push(index);
            }
        }
        Some(())
    }

    fn find(&self, name: &str) -> Vec<&Entry> {
        let mut found: Vec<usize> = self.plain.get(name).cloned().unwrap_or_default();
        found.extend(self.patterns.iter().filter(|(patterns, _)| matches_list(patterns, name)).map(|(_, index)| *index));
        found.extend(self.hashed.iter().filter(|(salt, digest, _)| hash_of(salt, name) == *digest).map(|(_, _, index)| *index));
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|index| &self.entries[index]).collect()
    }
}

/// The name of a host as `known_hosts` has it.
pub(super) fn host_and_port(host: &str, port: u16) -> String {
    if port == 22 { host.to_lowercase() } else { format!("[{}]:{port}", host.to_lowercase()) }
}

/// `SHA256:…`, as `ssh-keygen -l` shows a key.
pub(super) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

/// The kind that a key says it has: the first text in its blob.
pub(super) fn kind_of(key: &[u8]) -> String {
    let length = key.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize);
    String::from_utf8_lossy(key.get(4..4 + length).unwrap_or_default()).into_owned()
}

/// A kind as people call it: `ED25519`.
pub(super) fn short_kind(kind: &str) -> String {
    match kind {
        "ssh-rsa" => "RSA".to_owned(),
        kind if kind.starts_with("ecdsa-") => "ECDSA".to_owned(),
        kind => kind.trim_start_matches("ssh-").to_uppercase(),
    }
}

/// A list of patterns with commas: one has to fit, and none with `!`.
pub(super) fn matches_list(patterns: &str, name: &str) -> bool {
    let mut any = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => any |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    any
}

/// `*` and `?`, without going back over the same text twice.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut done, mut star) = (0, 0, None);
    while done < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, done));
                at += 1;
            }
            Some(character) if *character == b'?' || *character == text[done] => {
                at += 1;
                done += 1;
            }
            Some(_) | None => {
                let Some((star_at, star_done)) = star else { return false };
                star = Some((star_at, star_done + 1));
                (at, done) = (star_at + 1, star_done + 1);
            }
        }
    }
    pattern[at..].iter().all(|character| *character == b'*')
}

fn hash_of(salt: &[u8; 20], name: &str) -> [u8; 20] {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).expect("HMAC takes keys of any length");
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hash_name(name: &str) -> Result<String, ConnectionError> {
    let mut salt = [0u8; 20];
    rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| ConnectionError::system("getrandom", error))?;
    Ok(format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash_of(&salt, name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    fn known(text: &str, name: &str, key: &str) -> Known {
        let file = File::parse(text);
        let keys = file.find(name).into_iter().map(|entry| (PathBuf::from("kh"), entry.clone())).collect();
        HostKeys { keys }.check(&STANDARD.decode(key).unwrap())
    }

    #[track_caller]
    fn check(names: &str, name: &str, expected: bool) {
        let expected = if expected { Known::Yes } else { Known::No };
        assert_eq!(known(&format!("{names} ssh-ed25519 {A} comment\n"), name, A), expected, "{names} and {name}");
    }

    #[test]
    fn names_are_found() {
        check("web1", "web1", true);
        check("web1,10.0.0.1", "10.0.0.1", true);
        check("web1", "web2", false);
        check("Web1", "web1", true);
        check("[web1]:2222", "[web1]:2222", true);
        check("[web1]:2222", "web1", false);
        check("*.example.com,!bad.example.com", "www.example.com", true);
        check("*.example.com,!bad.example.com", "bad.example.com", false);
        check("web?", "web1", true);
        check("web?", "web", false);
        check("w*b*1", "weebxb1", true);
        check("*", "anything", true);
    }

    #[test]
    fn hashed_names_are_found() {
        let name = hash_name("[web1]:2222").unwrap();
        check(&name, "[web1]:2222", true);
        check(&name, "web1", false);
        // Made by `ssh-keygen -H`.
        let line = "|1|GKPm7i1jyXjwVBVnTmnFGkpMVcs=|notahash= ssh-ed25519 AAAA";
        assert_eq!(known(line, "web1", A), Known::No);
    }

    #[test]
    fn changed_and_revoked_keys_are_not_trusted() {
        let text = format!("# comment\n\nodd line\nweb1 ssh-ed25519 {B}\n@revoked * ssh-ed25519 {A}\n");
        assert_eq!(known(&text, "web1", A), Known::Revoked("kh:5".to_owned()));
        assert_eq!(known(&text, "web1", B), Known::Yes);
        assert_eq!(known(&text, "web2", A), Known::Revoked("kh:5".to_owned()));
        assert_eq!(known(&text, "web2", B), Known::No);
        assert_eq!(known(&format!("web1 ssh-ed25519 {B}\n"), "web1", A), Known::Changed("kh:1".to_owned()));
        // Any of several keys is right.
        assert_eq!(known(&format!("web1 ssh-ed25519 {B}\nweb1 ssh-ed25519 {A}"), "web1", A), Known::Yes);
        assert_eq!(known(&format!("web1 ssh-ed25519 {A}\n@revoked web1 ssh-ed25519 {A}"), "web1", A), Known::Revoked("kh:2".to_owned()));
    }

    #[test]
    fn a_key_is_added_and_then_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ssh/known_hosts");
        let hosts = KnownHosts::default();
        let key = STANDARD.decode(A).unwrap();
        let files = [path.clone()];
        assert_eq!(hosts.of_host(&files, "web1").unwrap().check(&key), Known::No);
        for (name, hash) in [("web1", false), ("[web2]:2222", true)] {
            hosts.add(&path, name, "ssh-ed25519", &key, hash).unwrap();
            assert_eq!(hosts.of_host(&files, name).unwrap().check(&key), Known::Yes);
        }
        assert_eq!(hosts.of_host(&files, "web3").unwrap().check(&key), Known::No);
        assert_eq!(hosts.of_host(&files, "WEB1").unwrap().kinds(), ["ssh-ed25519"]);
    }

    #[test]
    fn authorities_are_noticed() {
        let file = File::parse(&format!("@cert-authority *.example.com ssh-ed25519 {A}"));
        let keys = file.find("a.example.com").into_iter().map(|entry| (PathBuf::new(), entry.clone())).collect();
        let keys = HostKeys { keys };
        assert!(keys.has_authority() && keys.kinds().is_empty());
        assert_eq!(keys.check(&STANDARD.decode(A).unwrap()), Known::No);
    }

    #[test]
    fn keys_are_named() {
        let key = STANDARD.decode(A).unwrap();
        assert_eq!((kind_of(&key).as_str(), short_kind("ssh-ed25519").as_str()), ("ssh-ed25519", "ED25519"));
        assert_eq!(short_kind("ecdsa-sha2-nistp256"), "ECDSA");
        assert!(fingerprint(&key).starts_with("SHA256:") && fingerprint(&key).len() == 50);
        assert_eq!(kind_of(&[0xff, 0xff, 0xff, 0xff, 1]), "");
    }
}

//! Whether the host is the one that we think it is.

use std::path::PathBuf;

use ssh2::{MethodType, Session};

use super::super::error::{HostKeyError, HostKeyProblem};
use super::super::known_hosts::{HostKeys, Known, KnownHosts, fingerprint, kind_of, short_kind};
use super::super::ssh_config::Settings;
use super::super::{ConnectionError, HostKeyPolicy};

/// A host whose key nobody knows: what to show to the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKeyQuestion {
    /// The host as it would stand in `known_hosts`: `web1` or `[web1]:2222`.
    pub host: String,
    /// The key's kind as people call it: `ED25519`.
    pub kind: String,
    /// `SHA256:…`.
    pub fingerprint: String,
}

/// What the user says to a [`HostKeyQuestion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Trust it from now on.
    Yes,
    /// Do not connect.
    No,
}

/// The plain kinds that libssh2 verifies, the cheapest first. Never certificates: a host that has one would show it by default.
const KINDS: &[&str] =
    &["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256"];

/// What is known of the host of `settings`.
pub(super) fn known_keys(known_hosts: &KnownHosts, settings: &Settings) -> Result<HostKeys, ConnectionError> {
    if settings.host_key_policy == HostKeyPolicy::Ignore {
        return Ok(HostKeys::default());
    }
    let files: Vec<PathBuf> = settings.known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
    known_hosts.of_host(&files, &settings.known_name())
}

/// Asks the host for a key of a kind that is known first, or a host with several keys would seem to have changed.
pub(super) fn prefer_known(session: &Session, keys: &HostKeys, settings: &Settings) -> Result<(), ConnectionError> {
    let wanted: Vec<&str> = match &settings.algorithms.host_keys {
        Some(list) => list.split(',').filter(|kind| KINDS.contains(kind)).collect(),
        None => KINDS.to_vec(),
    };
    let known = keys.kinds();
    let is_known = |kind: &&str| known.iter().any(|known| *known == *kind || (*known == "ssh-rsa" && kind.starts_with("rsa-")));
    let (mut first, rest): (Vec<&str>, Vec<&str>) = wanted.into_iter().partition(is_known);
    first.extend(rest);
    session.method_pref(MethodType::HostKey, &first.join(",")).map_err(|error| {
        ConnectionError::Handshake(format!("none of the host key algorithms `{}` is supported: {}", first.join(","), error.message()))
    })
}

/// Checks the key that the host has shown.
pub(super) fn check(
    session: &Session,
    keys: &HostKeys,
    known_hosts: &KnownHosts,
    settings: &Settings,
    ask: &dyn Fn(&HostKeyQuestion) -> Answer,
) -> Result<(), ConnectionError> {
    let Some((key, _)) = session.host_key() else { return Err(ConnectionError::Handshake("the host shows no key".to_owned())) };
    let name = settings.known_name();
    let kind = kind_of(key);
    let refuse = |problem| {
        let (kind, fingerprint) = (short_kind(&kind), fingerprint(key));
        Err(ConnectionError::HostKey(Box::new(HostKeyError { host: name.clone(), kind, fingerprint, problem })))
    };
    if settings.host_key_policy == HostKeyPolicy::Ignore {
        return Ok(());
    }
    match keys.check(key) {
        Known::Yes => return Ok(()),
        Known::Changed(place) => return refuse(HostKeyProblem::Changed(place)),
        Known::Revoked(place) => return refuse(HostKeyProblem::Revoked(place)),
        Known::No => {}
    }
    let accepted = match settings.host_key_policy {
        HostKeyPolicy::Ignore | HostKeyPolicy::AcceptNew => true,
        HostKeyPolicy::Refuse => false,
        HostKeyPolicy::Ask => {
            let question = HostKeyQuestion { host: name.clone(), kind: short_kind(&kind), fingerprint: fingerprint(key) };
            ask(&question) == Answer::Yes
        }
    };
    if !accepted {
        return refuse(HostKeyProblem::Unknown);
    }
    match settings.known_hosts.first() {
        Some(path) if path.as_os_str() == "/dev/null" => Ok(()),
        Some(path) => known_hosts.add(path, &name, &kind, key, settings.hash_known_hosts),
        None => Ok(()),
    }
}

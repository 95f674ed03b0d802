//! Proving who we are: private keys, the agent's keys, a password, questions and answers; in the order of OpenSSH, and never so
//! many that sshd hangs up.

use std::path::Path;
use std::sync::Arc;

use ssh2::{ErrorCode, KeyboardInteractivePrompt, Prompt, PublicKey};

use super::super::ssh_config::Settings;
use super::super::{Address, ConnectionError, Deadline, Secret};
use super::keys::{Key, KeyFiles};
use super::link::Link;

/// How many keys are tried: sshd hangs up at six failures by default, and a password may be needed too.
const MOST_KEYS: usize = 5;

/// Authenticates the session of `link`.
pub(super) fn authenticate(
    link: &mut Link,
    address: &Address,
    settings: &Settings,
    keys: &KeyFiles,
    deadline: Deadline,
) -> Result<(), ConnectionError> {
    let Some(first) = offered(link, settings, deadline)? else { return Ok(()) };
    let mut attempt = Attempt { link, address, settings, keys, deadline, tried: Vec::new(), left: MOST_KEYS };
    match attempt.all(first.clone()) {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        // sshd hangs up after its `MaxAuthTries`.
        Err(ConnectionError::Closed(_)) if !attempt.tried.is_empty() => {
            attempt.tried.push("then the host hung up: too many authentication failures".to_owned())
        }
        Err(error) => return Err(error),
    }
    Err(ConnectionError::Auth {
        user: settings.user.clone(),
        host: settings.hostname.clone(),
        methods: first.join(","),
        detail: attempt.tried.join("; "),
    })
}

/// The methods that the host offers; `None`: it let us in without any.
fn offered(link: &mut Link, settings: &Settings, deadline: Deadline) -> Result<Option<Vec<String>>, ConnectionError> {
    let methods = link.drive(deadline, "waiting for the host's authentication methods", |session| {
        session.auth_methods(&settings.user).map(|methods| methods.split(',').map(str::to_owned).collect::<Vec<_>>())
    })?;
    match methods {
        Ok(methods) => Ok(Some(methods)),
        Err(_) if link.session.authenticated() => Ok(None),
        Err(error) => Err(ConnectionError::Handshake(format!("the host offers no authentication: {}", error.message()))),
    }
}

struct Attempt<'a> {
    link: &'a mut Link,
    address: &'a Address,
    settings: &'a Settings,
    keys: &'a KeyFiles,
    deadline: Deadline,
    /// What was tried without success, for the message.
    tried: Vec<String>,
    /// How many keys may still be tried.
    left: usize,
}

impl Attempt<'_> {
    /// Tries everything, beginning with the methods that were offered first.
    fn all(&mut self, mut methods: Vec<String>) -> Result<bool, ConnectionError> {
        // A host may want two proofs: after the first it offers other methods.
        for _ in 0..3 {
            if self.wants("publickey", &methods) && self.settings.public_keys && self.public_keys()? {
                return Ok(true);
            }
            if let Some(password) = &self.address.password {
                let by_password = self.wants("password", &methods) && self.settings.passwords;
                let by_keyboard = self.wants("keyboard-interactive", &methods) && self.settings.keyboard;
                let done = match (by_password, by_keyboard) {
                    (true, _) => self.password(password)?,
                    (false, true) => self.keyboard(password)?,
                    (false, false) => false,
                };
                if done {
                    return Ok(true);
                }
            }
            let Some(next) = offered(self.link, self.settings, self.deadline)? else { return Ok(true) };
            if next == methods {
                break;
            }
            methods = next;
        }
        Ok(false)
    }

    fn wants(&self, method: &str, offered: &[String]) -> bool {
        let preferred = self.settings.preferred.as_ref().is_none_or(|list| list.iter().any(|known| known == method));
        preferred && offered.iter().any(|known| known == method)
    }

    /// First the key that the variables name, then the agent's, then the other files.
    fn public_keys(&mut self) -> Result<bool, ConnectionError> {
        let named = self.address.private_key_file.as_deref();
        if let Some(path) = named
            && self.key_file(path, true)?
        {
            return Ok(true);
        }
        if self.agent_keys()? {
            return Ok(true);
        }
        for path in &self.settings.identity_files {
            if Some(path.as_path()) != named && self.key_file(path, self.settings.identity_files_chosen)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// `chosen`: somebody named the file, so that it has to be there.
    fn key_file(&mut self, path: &Path, chosen: bool) -> Result<bool, ConnectionError> {
        let key = match self.keys.read(path) {
            Ok(key) => key,
            Err(reason) => {
                if chosen {
                    self.tried.push(format!("key `{}`: {reason}", path.display()));
                }
                return Ok(false);
            }
        };
        if self.left == 0 || key.is_hardware() {
            return Ok(false);
        }
        let passphrase = self.address.private_key_passphrase.as_ref();
        if key.encrypted && passphrase.is_none() {
            self.tried.push(format!("key `{}` needs a passphrase", path.display()));
            return Ok(false);
        }
        self.left -= 1;
        for certificate in [key.certificate.as_deref(), None] {
            if certificate.is_none() && key.certificate.is_some() {
                self.left = self.left.saturating_sub(1);
            }
            match self.key(&key, certificate, passphrase)? {
                KeyAnswer::Accepted => return Ok(true),
                KeyAnswer::Refused => self.tried.push(format!("key `{}` was refused", path.display())),
                KeyAnswer::Unusable(reason) => self.tried.push(format!("key `{}`: {reason}", path.display())),
            }
            if certificate.is_none() {
                break;
            }
        }
        Ok(false)
    }

    fn key(&mut self, key: &Arc<Key>, certificate: Option<&str>, passphrase: Option<&Secret>) -> Result<KeyAnswer, ConnectionError> {
        let (user, public) = (&self.settings.user, certificate.or(key.public_line.as_deref()));
        let signer = key.signer.as_ref().filter(|_| certificate.is_none());
        let result = self.link.drive(self.deadline, "waiting for the host to check the key", |session| match signer {
            Some(signer) => signer.log_in(session, user),
            None => session.userauth_pubkey_memory(user, public, &key.text, passphrase.map(Secret::reveal)),
        })?;
        Ok(match result {
            Ok(()) if self.link.session.authenticated() => KeyAnswer::Accepted,
            Ok(()) => KeyAnswer::Refused,
            Err(error) => match error.code() {
                ErrorCode::Session(-16) if key.encrypted => {
                    KeyAnswer::Unusable("incorrect passphrase supplied to decrypt private key".to_owned())
                }
                ErrorCode::Session(-16) => KeyAnswer::Unusable("invalid format".to_owned()),
                ErrorCode::Session(-18 | -19) => KeyAnswer::Refused,
                ErrorCode::Session(_) | ErrorCode::SFTP(_) => KeyAnswer::Unusable(error.message().to_owned()),
            },
        })
    }

    fn agent_keys(&mut self) -> Result<bool, ConnectionError> {
        let Some(socket) = &self.settings.agent else { return Ok(false) };
        let Ok(mut agent) = self.link.session.agent() else { return Ok(false) };
        // An agent that is gone is no reason to fail: there may be other ways in.
        if agent.set_identity_path(socket).and_then(|()| agent.connect()).and_then(|()| agent.list_identities()).is_err() {
            return Ok(false);
        }
        let chosen: Vec<Arc<Key>> = self.settings.identity_files.iter().filter_map(|path| self.keys.read(path).ok()).collect();
        let is_chosen = |identity: &PublicKey| chosen.iter().any(|key| key.public.as_deref() == Some(identity.blob()));
        let (mut first, rest): (Vec<PublicKey>, Vec<PublicKey>) = agent.identities().unwrap_or_default().into_iter().partition(is_chosen);
        if !self.settings.identities_only {
            first.extend(rest);
        }
        for identity in first {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let user = &self.settings.user;
            let result =
                self.link.drive(self.deadline, "waiting for the host to check the agent's key", |_| agent.userauth(user, &identity))?;
            if result.is_ok() && self.link.session.authenticated() {
                return Ok(true);
            }
            self.tried.push(format!("the agent's key `{}` was refused", identity.comment()));
        }
        Ok(false)
    }

    fn password(&mut self, password: &Secret) -> Result<bool, ConnectionError> {
        let user = &self.settings.user;
        let result = self.link.drive(self.deadline, "waiting for the host to check the password", |session| {
            session.userauth_password(user, password.reveal())
        })?;
        self.conclude(result.err(), "the password was refused")
    }

    fn keyboard(&mut self, password: &Secret) -> Result<bool, ConnectionError> {
        let user = &self.settings.user;
        let mut answerer = Answerer { password };
        let result = self.link.drive(self.deadline, "waiting for the host to check the password", |session| {
            session.userauth_keyboard_interactive(user, &mut answerer)
        })?;
        self.conclude(result.err(), "the password was refused (keyboard-interactive)")
    }

    fn conclude(&mut self, error: Option<ssh2::Error>, refused: &str) -> Result<bool, ConnectionError> {
        if error.is_none() && self.link.session.authenticated() {
            return Ok(true);
        }
        let expired = error.is_some_and(|error| error.code() == ErrorCode::Session(-15));
        self.tried.push(if expired { "the password has expired and has to be changed".to_owned() } else { refused.to_owned() });
        Ok(false)
    }
}

enum KeyAnswer {
    Accepted,
    Refused,
    Unusable(String),
}

/// Answers what is asked without echo by the password, everything else by nothing.
struct Answerer<'a> {
    password: &'a Secret,
}

impl KeyboardInteractivePrompt for Answerer<'_> {
    fn prompt(&mut self, _user: &str, _instructions: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        prompts.iter().map(|prompt| if prompt.echo { String::new() } else { self.password.reveal().to_owned() }).collect()
    }
}

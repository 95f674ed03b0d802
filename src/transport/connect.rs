//! The way from a [`SessionKey`] to a [`Connection`]: which client does it, and what all connections of a run share.

use super::openssh::OpenSsh;
use super::ssh::{Answer, HostKeyQuestion, Opened, Opener};
use super::{Connection, ConnectionError, Local, Plugin, SessionKey, Waker, wake};
use super::{Deadline, wake::Wait};

use std::time::Duration;

/// What all connections of a run share: what was read of `ssh_config`, `known_hosts` and keys, and the sessions to jump hosts.
#[derive(Default)]
pub struct Transport {
    opener: Opener,
}

/// A connection that stands, and what the user should know of how it came about.
pub struct Connected {
    /// The connection.
    pub connection: Box<dyn Connection>,
    /// Why it is not as usual, if it is not.
    pub notice: Option<Notice>,
}

/// Something to tell once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The host, as the user named it.
    pub host: String,
    /// What is so: a fragment without a full stop.
    pub text: String,
}

impl Transport {
    /// Connects. `ask` is called for a host whose key nobody knows, when the policy is to ask; `waker` ends the attempt early.
    pub fn connect(&self, key: &SessionKey, waker: &Waker, ask: &dyn Fn(&HostKeyQuestion) -> Answer) -> Result<Connected, ConnectionError> {
        let address = key.address();
        let mut attempt = 0;
        loop {
            let error = match self.connect_once(key, waker, ask) {
                Err(error) if error.is_temporary() && attempt < address.retries => error,
                other => return other,
            };
            // As Ansible does: 1, 3, 7, … seconds, 30 at most.
            let pause = Duration::from_secs(((1u64 << (attempt + 1).min(5)) - 1).min(30));
            attempt += 1;
            if wake::wait(&[], waker, Deadline::after(pause))? == Wait::Woken {
                return Err(error);
            }
        }
    }

    fn connect_once(
        &self,
        key: &SessionKey,
        waker: &Waker,
        ask: &dyn Fn(&HostKeyQuestion) -> Answer,
    ) -> Result<Connected, ConnectionError> {
        let address = key.address();
        let plain = |connection: Box<dyn Connection>| Connected { connection, notice: None };
        match address.plugin {
            Plugin::Local => Ok(plain(Box::new(Local::with_waker(address.local_dir.as_deref(), waker)))),
            Plugin::OpenSsh => Ok(plain(Box::new(OpenSsh::new(address, waker)?))),
            Plugin::Ssh => {
                let settings = self.opener.config.settings(address)?;
                match self.opener.open(address, &settings, waker, ask)? {
                    Opened::Ssh(connection) => Ok(plain(connection)),
                    Opened::NeedsSystem(reason) => {
                        let text = format!("the system's `{}` is used because of {reason}", address.ssh_executable);
                        let notice = Some(Notice { host: address.host.clone(), text });
                        Ok(Connected { connection: Box::new(OpenSsh::new(address, waker)?), notice })
                    }
                }
            }
        }
    }
}

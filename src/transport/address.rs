//! What a connection is made from. The floors above resolve variables, settings and flags into an [`Address`]; here nothing is
//! looked up any more, save what `ssh_config` says of the host.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{ConnectionError, Secret};
use crate::source::short_name;

/// Everything that decides which connection a task uses. Two hosts, users or delegations with an equal address share sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// `connection`.
    pub plugin: Plugin,
    /// `ansible_host`: a name of `ssh_config`, a DNS name or an address.
    pub host: String,
    /// `ansible_port`; `None`: what `ssh_config` says, else 22.
    pub port: Option<u16>,
    /// `remote_user`; `None`: what `ssh_config` says, else the name of the user who runs us.
    pub user: Option<String>,
    /// `ansible_password`.
    pub password: Option<Secret>,
    /// `ansible_ssh_private_key_file`, with `~` and variables expanded.
    pub private_key_file: Option<PathBuf>,
    /// `ansible_ssh_private_key_passphrase`.
    pub private_key_passphrase: Option<Secret>,
    /// `ansible_ssh_executable`, for what only the system's `ssh` can do.
    pub ssh_executable: String,
    /// `ansible_ssh_args`. `None` is Ansible's default, which speeds up what we do otherwise and so is nothing to us.
    pub ssh_args: Option<String>,
    /// `ansible_ssh_common_args`.
    pub ssh_common_args: Option<String>,
    /// `ansible_ssh_extra_args`.
    pub ssh_extra_args: Option<String>,
    /// `host_key_checking`.
    pub host_key_policy: HostKeyPolicy,
    /// `timeout`: how long until the connection stands.
    pub connect_timeout: Duration,
    /// `ansible_ssh_retries`: how many more times after a connection that failed.
    pub retries: u32,
    /// Whether `ssh-agent` may be asked for keys.
    pub use_agent: bool,
    /// Where commands of the `local` plugin run: the playbook's folder. `None`: where we were started.
    pub local_dir: Option<PathBuf>,
}

impl Address {
    /// The address of `host` with Ansible's defaults.
    pub fn new(plugin: Plugin, host: impl Into<String>) -> Self {
        Self {
            plugin,
            host: host.into(),
            port: None,
            user: None,
            password: None,
            private_key_file: None,
            private_key_passphrase: None,
            ssh_executable: "ssh".to_owned(),
            ssh_args: None,
            ssh_common_args: None,
            ssh_extra_args: None,
            host_key_policy: HostKeyPolicy::Ask,
            connect_timeout: Duration::from_secs(10),
            retries: 0,
            use_agent: true,
            local_dir: None,
        }
    }
}

/// The connection plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plugin {
    /// The control machine itself.
    Local,
    /// SSH in this process, or the system's `ssh` for what that cannot do.
    Ssh,
    /// Always the system's `ssh`.
    OpenSsh,
}

impl Plugin {
    /// The plugin that a `connection` names. `ssh`, `smart` and `paramiko_ssh` are all our SSH.
    pub fn parse(name: &str) -> Result<Self, ConnectionError> {
        match short_name(name) {
            "local" => Ok(Self::Local),
            "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "ansible.netcommon.paramiko_ssh" => Ok(Self::Ssh),
            "openssh" => Ok(Self::OpenSsh),
            _ => Err(ConnectionError::Unsupported(format!(
                "the connection plugin '{name}' was not found: there are `ssh`, `openssh` and `local`"
            ))),
        }
    }
}

/// What to do with a host key that no `known_hosts` file has. A changed or revoked key is refused by all but `Ignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKeyPolicy {
    /// Ask the user when there is one, else refuse. `StrictHostKeyChecking` of `ssh_config` and `-o` goes before this.
    Ask,
    /// Refuse: `StrictHostKeyChecking=yes`.
    Refuse,
    /// Add it to the file: `StrictHostKeyChecking=accept-new`.
    AcceptNew,
    /// Check nothing: `host_key_checking = False`.
    Ignore,
}

/// The resolved connection: by it sessions are kept and leased. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(Arc<Address>);

impl SessionKey {
    /// What it stands for.
    pub fn address(&self) -> &Address {
        &self.0
    }
}

impl From<Address> for SessionKey {
    fn from(address: Address) -> Self {
        Self(Arc::new(address))
    }
}

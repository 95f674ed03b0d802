//! What `ssh_config` and the words of `ansible_ssh_common_args` say of a host. OpenSSH itself reads them: `ssh -G` gives the truth,
//! and is asked once for all hosts that the same `Host` lines match. What it says that differs from its own defaults is either
//! honoured here, or of no weight here, or makes the system's `ssh` do the work.

mod files;
mod reader;
mod settings;
mod tokens;
mod words;

pub(super) use reader::ConfigReader;
pub(super) use words::user_words;

use std::path::PathBuf;
use std::time::Duration;

use crate::transport::HostKeyPolicy;

/// The settings of one connection.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name or address to call.
    pub(super) hostname: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// Whether `identity_files` were chosen and are not just those that OpenSSH tries by default.
    pub(super) identity_files_chosen: bool,
    pub(super) identity_files: Vec<PathBuf>,
    pub(super) identities_only: bool,
    /// The agent's socket. `None`: no agent.
    pub(super) agent: Option<PathBuf>,
    pub(super) proxy: Proxy,
    pub(super) host_key_policy: HostKeyPolicy,
    pub(super) known_hosts: Vec<PathBuf>,
    pub(super) global_known_hosts: Vec<PathBuf>,
    pub(super) hash_known_hosts: bool,
    pub(super) host_key_alias: Option<String>,
    pub(super) compression: bool,
    pub(super) alive_interval: Duration,
    pub(super) alive_count: u32,
    pub(super) connect_timeout: Duration,
    pub(super) family: Family,
    pub(super) bind_address: Option<String>,
    pub(super) public_keys: bool,
    pub(super) passwords: bool,
    pub(super) keyboard: bool,
    /// `PreferredAuthentications`.
    pub(super) preferred: Option<Vec<String>>,
    pub(super) algorithms: Algorithms,
    /// Environment variables for the commands.
    pub(super) environment: Vec<(String, String)>,
    /// `-F`.
    pub(super) config_file: Option<String>,
    /// Why only the system's `ssh` can do it.
    pub(super) needs_system: Option<String>,
}

/// Algorithms that the user chose, each a list with commas.
#[derive(Clone, Debug, Default)]
pub(super) struct Algorithms {
    pub(super) kex: Option<String>,
    pub(super) host_keys: Option<String>,
    pub(super) ciphers: Option<String>,
    pub(super) macs: Option<String>,
}

/// Which kind of address to call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// What stands between us and the host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Proxy {
    None,
    /// Hosts to go through, the nearest first.
    Jump(Vec<Hop>),
    /// A command whose standard streams are the connection.
    Command(String),
}

/// One host of a `ProxyJump`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hop {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// How long a host may be silent before we ask whether it is there, if `ServerAliveInterval` says nothing.
const ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Settings that change nothing for us: they are for people at a terminal, or for what a connection of ours has no use for.
const WITHOUT_WEIGHT: &[&str] = &[
    "addkeystoagent",
    "batchmode",
    "canonicaldomains",
    "canonicalizefallbacklocal",
    "canonicalizehostname",
    "canonicalizemaxdots",
    "canonicalizepermittedcnames",
    "casignaturealgorithms",
    "channeltimeout",
    "checkhostip",
    "connectionattempts",
    "controlmaster",
    "controlpath",
    "controlpersist",
    "enableescapecommandline",
    "escapechar",
    "exitonforwardfailure",
    "fingerprinthash",
    "forwardx11timeout",
    "forwardx11trusted",
    "gatewayports",
    "gssapidelegatecredentials",
    "gssapikexalgorithms",
    "gssapikeyexchange",
    "gssapirenewalforcesrekey",
    "gssapitrustdns",
    "host",
    "hostbasedacceptedalgorithms",
    "ipqos",
    "loglevel",
    "logverbose",
    "numberofpasswordprompts",
    "obscurekeystroketiming",
    "permitlocalcommand",
    "permitremoteopen",
    "pubkeyacceptedalgorithms",
    "rekeylimit",
    "requesttty",
    "requiredrsasize",
    "securitykeyprovider",
    "streamlocalbindmask",
    "streamlocalbindunlink",
    "syslogfacility",
    "tag",
    "tcpkeepalive",
    "updatehostkeys",
    "visualhostkey",
    "xauthlocation",
];

/// Settings that are honoured here.
const HONOURED: &[&str] = &[
    "addressfamily",
    "bindaddress",
    "ciphers",
    "compression",
    "connecttimeout",
    "globalknownhostsfile",
    "gssapiauthentication",
    "hashknownhosts",
    "hostkeyalgorithms",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "kexalgorithms",
    "macs",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "sendenv",
    "serveralivecountmax",
    "serveraliveinterval",
    "setenv",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

/// Those among [`HONOURED`] that say something only where they differ from OpenSSH's defaults.
const COMPARED: &[&str] = &["ciphers", "hostkeyalgorithms", "identityfile", "kexalgorithms", "macs", "stricthostkeychecking"];

#[cfg(test)]
mod tests;

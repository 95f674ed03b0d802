//! The settings of one connection, out of what `ssh -G` says and the address.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Dump;
use super::tokens::{Tokens, home, local_user};
use super::words::check_name;
use super::{ALIVE_INTERVAL, Algorithms, Family, HONOURED, Hop, Proxy, Settings, WITHOUT_WEIGHT};
use crate::transport::known_hosts::matches_list;
use crate::transport::{Address, ConnectionError, HostKeyPolicy};

impl Settings {
    pub(super) fn from_dump(address: &Address, dump: &Dump, defaults: &Dump) -> Result<Self, ConnectionError> {
        let one = |key: &str| dump.get(key).and_then(|values| values.first()).map(String::as_str).filter(|value| *value != "none");
        let all = |key: &str| dump.get(key).cloned().unwrap_or_default();
        let is_on = |key: &str, default: bool| one(key).map_or(default, |value| matches!(value, "yes" | "true"));
        let changed = |key: &str| (dump.get(key) != defaults.get(key)).then(|| one(key).map(str::to_owned)).flatten();
        let number = |key: &str| one(key).and_then(|value| value.parse::<u64>().ok());
        let hostname = one("hostname").map_or_else(|| address.host.clone(), str::to_owned);
        let user = match address.user.as_deref().or(one("user")) {
            Some(user) => user.to_owned(),
            None => local_user(),
        };
        check_name(&user, "user name")?;
        let port = address.port.or(number("port").and_then(|port| u16::try_from(port).ok())).unwrap_or(22);
        let host_key_alias = one("hostkeyalias").map(str::to_owned);
        let tokens = Tokens { name: &address.host, hostname: &hostname, port, user: &user, alias: host_key_alias.as_deref() };
        let paths = |key: &str| all(key).iter().filter(|path| *path != "none").map(|path| tokens.path(path)).collect::<Result<Vec<_>, _>>();
        let ssh_folder = home().join(".ssh");
        let known = |key: &str, defaults: Vec<PathBuf>| match dump.get(key).and_then(|values| values.first()) {
            Some(files) => files.split(' ').filter(|file| *file != "none").map(|file| tokens.path(file)).collect(),
            None => Ok(defaults),
        };
        let identity_files = if dump.contains_key("identityfile") {
            paths("identityfile")?
        } else {
            ["id_rsa", "id_ecdsa", "id_ed25519"].iter().map(|name| ssh_folder.join(name)).collect()
        };
        let agent = match one("identityagent") {
            _ if !address.use_agent
                || dump.get("identityagent").is_some_and(|values| values.first().is_some_and(|value| value == "none")) =>
            {
                None
            }
            None | Some("SSH_AUTH_SOCK") => std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from),
            Some(variable) if variable.starts_with('$') && !variable.starts_with("${") => {
                std::env::var_os(&variable[1..]).map(PathBuf::from)
            }
            Some(path) => Some(tokens.path(path)?),
        };
        let proxy = match (one("proxyjump"), one("proxycommand")) {
            (Some(hops), _) => Proxy::Jump(hops.split(',').map(Hop::parse).collect::<Result<_, _>>()?),
            (None, Some(command)) => Proxy::Command(tokens.expand(command)?),
            (None, None) => Proxy::None,
        };
        Ok(Self {
            port,
            identity_files_chosen: dump.get("identityfile") != defaults.get("identityfile"),
            identity_files,
            identities_only: is_on("identitiesonly", false),
            agent,
            proxy,
            host_key_policy: match changed("stricthostkeychecking").as_deref() {
                Some("yes" | "true") => HostKeyPolicy::Refuse,
                Some("accept-new") => HostKeyPolicy::AcceptNew,
                Some("no" | "off" | "false") => HostKeyPolicy::Ignore,
                Some(_) | None => address.host_key_policy,
            },
            known_hosts: known("userknownhostsfile", vec![ssh_folder.join("known_hosts"), ssh_folder.join("known_hosts2")])?,
            global_known_hosts: known(
                "globalknownhostsfile",
                vec![PathBuf::from("/etc/ssh/ssh_known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts2")],
            )?,
            hash_known_hosts: is_on("hashknownhosts", false),
            compression: is_on("compression", false),
            alive_interval: match number("serveraliveinterval") {
                Some(0) | None => ALIVE_INTERVAL,
                Some(seconds) => Duration::from_secs(seconds),
            },
            alive_count: number("serveralivecountmax").and_then(|count| u32::try_from(count).ok()).unwrap_or(3),
            connect_timeout: number("connecttimeout").map_or(address.connect_timeout, Duration::from_secs),
            family: match one("addressfamily") {
                Some("inet") => Family::V4,
                Some("inet6") => Family::V6,
                Some(_) | None => Family::Any,
            },
            bind_address: one("bindaddress").map(str::to_owned),
            public_keys: one("pubkeyauthentication").is_none_or(|value| value != "no" && value != "false"),
            passwords: is_on("passwordauthentication", true),
            keyboard: is_on("kbdinteractiveauthentication", true),
            preferred: one("preferredauthentications").map(|list| list.split(',').map(str::to_owned).collect()),
            algorithms: Algorithms {
                kex: changed("kexalgorithms"),
                host_keys: changed("hostkeyalgorithms"),
                ciphers: changed("ciphers"),
                macs: changed("macs"),
            },
            environment: environment(&all("sendenv"), &all("setenv")),
            config_file: None,
            needs_system: needs_system(dump, defaults),
            hostname,
            user,
            host_key_alias,
        })
    }

    /// What the variables say goes before the files.
    pub(super) fn with_address(mut self, address: &Address, config_file: Option<PathBuf>) -> Self {
        self.config_file = config_file.map(|path| path.to_string_lossy().into_owned());
        if let Some(path) = &address.private_key_file {
            self.identity_files.retain(|known| known != path);
            if !self.identity_files_chosen {
                self.identity_files.clear();
            }
            self.identity_files.insert(0, path.clone());
            self.identity_files_chosen = true;
        }
        if address.host_key_policy == HostKeyPolicy::Ignore {
            self.host_key_policy = HostKeyPolicy::Ignore;
        }
        self
    }

    /// The name under which the host's key is known.
    pub(in crate::transport) fn known_name(&self) -> String {
        match &self.host_key_alias {
            Some(alias) => alias.to_lowercase(),
            None => crate::transport::known_hosts::host_and_port(&self.hostname, self.port),
        }
    }
}

/// Why the in-process client is not enough, by the first setting that says so.
pub(super) fn needs_system(dump: &Dump, defaults: &Dump) -> Option<String> {
    // Debian turns it on for everybody: it matters only to those who have a ticket.
    if dump.get("gssapiauthentication").is_some_and(|values| values.first().is_some_and(|value| value == "yes")) && has_ticket() {
        return Some("`GSSAPIAuthentication yes` with a Kerberos ticket".to_owned());
    }
    dump.iter().find_map(|(key, values)| {
        let is_ours = HONOURED.contains(&key.as_str()) || WITHOUT_WEIGHT.contains(&key.as_str());
        (!is_ours && defaults.get(key) != Some(values)).then(|| format!("`{key} {}`", values.join(" ")))
    })
}

pub(super) fn has_ticket() -> bool {
    let cache = std::env::var("KRB5CCNAME").unwrap_or_else(|_| format!("/tmp/krb5cc_{}", rustix::process::getuid().as_raw()));
    match cache.split_once(':') {
        Some(("FILE" | "DIR", path)) => Path::new(path).exists(),
        Some(_) => true,
        None => Path::new(&cache).exists(),
    }
}

/// `SendEnv` and `SetEnv`; the first of a name counts.
pub(super) fn environment(send: &[String], set: &[String]) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let fixed = set.iter().filter_map(|text| text.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut own: Vec<(String, String)> = if send.is_empty() {
        Vec::new()
    } else {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
    };
    own.retain(|(name, _)| matches_list(&send.join(","), name));
    own.sort();
    for (name, value) in fixed.chain(own) {
        if !variables.iter().any(|(known, _)| *known == name) {
            variables.push((name, value));
        }
    }
    variables
}

impl Hop {
    /// `[user@]host[:port]` or `ssh://[user@]host[:port]`.
    pub(in crate::transport) fn parse(text: &str) -> Result<Self, ConnectionError> {
        let wrong = || ConnectionError::Config(format!("`{text}` is no jump host, expected `[user@]host[:port]`"));
        let rest = text.trim().strip_prefix("ssh://").unwrap_or(text.trim());
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user.to_owned()), rest),
            None => (None, rest),
        };
        let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
            let (host, port) = inner.split_once(']').ok_or_else(wrong)?;
            (host, port.strip_prefix(':'))
        } else {
            match rest.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                Some(_) | None => (rest, None),
            }
        };
        check_name(host, "host name")?;
        let port = port.map(|port| port.parse().map_err(|_| wrong())).transpose()?;
        Ok(Self { user, host: host.to_owned(), port })
    }
}

//! How a task reaches its host: the connection and the user to become, out of variables, keywords and settings, in this order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keywords::{KeywordError, Reader};
use crate::action::to_bool;
use crate::playbook::Keyword;
use crate::template::print::shown;
use crate::template::{Templar, TemplateError};
use crate::transport::{Address, Become, ConnectionError, HostKeyPolicy, Plugin, Secret, SessionKey};
use crate::value::Value;

/// What the command line and the settings say where variables and keywords say nothing.
#[derive(Clone, Debug)]
pub struct ConnectionDefaults {
    /// `--connection`, the setting `transport`.
    pub plugin: String,
    /// `remote_user`.
    pub user: Option<String>,
    /// `--private-key`, `private_key_file`.
    pub private_key_file: Option<PathBuf>,
    /// What `-k` asked for.
    pub password: Option<Secret>,
    /// `remote_port`.
    pub port: Option<u16>,
    /// `host_key_checking`.
    pub host_key_checking: bool,
    /// `timeout`.
    pub timeout: Duration,
    /// `ssh_args` and its kin.
    pub ssh_args: Option<String>,
    /// `ssh_common_args`.
    pub ssh_common_args: Option<String>,
    /// `ssh_extra_args`.
    pub ssh_extra_args: Option<String>,
    /// `ssh_executable`.
    pub ssh_executable: String,
    /// `become`.
    pub becomes: bool,
    /// `become_method`.
    pub become_method: String,
    /// `become_user`.
    pub become_user: String,
    /// `become_exe`.
    pub become_exe: Option<String>,
    /// `become_flags`.
    pub become_flags: Option<String>,
    /// What `-K` asked for.
    pub become_password: Option<Secret>,
}

/// How a host is reached, and as whom.
#[derive(Clone, Debug)]
pub struct Route {
    /// The connection.
    pub key: SessionKey,
    /// The user to become.
    pub becomes: Option<Become>,
    /// How long a prompt may take.
    pub timeout: Duration,
}

/// Why a host has no route.
#[derive(Debug)]
pub enum RouteError {
    /// A template or keyword is wrong: the task fails.
    Keyword(Box<KeywordError>),
    /// The connection or the way to become somebody is not one that we have: the task fails.
    Unsupported(String),
}

impl From<KeywordError> for RouteError {
    fn from(error: KeywordError) -> Self {
        Self::Keyword(Box::new(error))
    }
}

impl From<TemplateError> for RouteError {
    fn from(error: TemplateError) -> Self {
        let message = format!("Task failed: {}", error.full_message());
        Self::Keyword(Box::new(KeywordError { message, diagnostic: error.to_diagnostic() }))
    }
}

/// The route of a task: `reader` has the task's keywords, `vars` the variables of the host that is reached.
pub fn route(
    name: &str,
    reader: &Reader<'_>,
    vars: &Templar,
    defaults: &ConnectionDefaults,
    playbook_dir: &Path,
) -> Result<Route, RouteError> {
    let read = Variables { vars };
    let plugin_name = match read.text(&["ansible_connection"])? {
        Some(name) => name,
        None => reader.text(Keyword::Connection)?.unwrap_or_else(|| defaults.plugin.clone()),
    };
    let plugin = parse_plugin(&plugin_name)?;
    if let Some(shell) = read.text(&["ansible_shell_type"])?.filter(|shell| matches!(shell.as_str(), "powershell" | "cmd")) {
        return Err(RouteError::Unsupported(format!("the host's `ansible_shell_type` is `{shell}`: Windows hosts are not supported")));
    }
    let mut address = Address::new(plugin, read.text(&["ansible_host", "ansible_ssh_host"])?.unwrap_or_else(|| name.to_owned()));
    if plugin == Plugin::Local {
        address.local_dir = Some(playbook_dir.to_path_buf());
    } else {
        fill(&mut address, reader, &read, defaults)?;
    }
    let becomes = becomes(reader, &read, defaults)?;
    let timeout =
        read.number(&["ansible_timeout", "ansible_ssh_timeout"])?.map_or(defaults.timeout, |seconds| Duration::from_secs(seconds.max(1)));
    address.connect_timeout = timeout;
    Ok(Route { key: SessionKey::from(address), becomes, timeout })
}

fn parse_plugin(name: &str) -> Result<Plugin, RouteError> {
    Plugin::parse(name).map_err(|error: ConnectionError| RouteError::Unsupported(error.to_string()))
}

fn fill(address: &mut Address, reader: &Reader<'_>, read: &Variables<'_>, defaults: &ConnectionDefaults) -> Result<(), RouteError> {
    let port = match read.number(&["ansible_port", "ansible_ssh_port"])? {
        Some(port) => Some(port),
        None => reader.int(Keyword::Port)?.and_then(|port| u64::try_from(port).ok()),
    };
    address.port = port.and_then(|port| u16::try_from(port).ok()).or(defaults.port);
    address.user = match read.text(&["ansible_user", "ansible_ssh_user"])? {
        Some(user) => Some(user),
        None => reader.text(Keyword::RemoteUser)?.or_else(|| defaults.user.clone()),
    };
    address.password =
        read.secret(&["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"])?.or_else(|| defaults.password.clone());
    let key_file = read.text(&["ansible_private_key_file", "ansible_ssh_private_key_file"])?.map(|path| expand(&path));
    address.private_key_file = key_file.or_else(|| defaults.private_key_file.clone());
    address.private_key_passphrase = read.secret(&["ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"])?;
    address.ssh_args = read.text(&["ansible_ssh_args"])?.or_else(|| defaults.ssh_args.clone());
    address.ssh_common_args = read.text(&["ansible_ssh_common_args"])?.or_else(|| defaults.ssh_common_args.clone());
    address.ssh_extra_args = read.text(&["ansible_ssh_extra_args"])?.or_else(|| defaults.ssh_extra_args.clone());
    address.ssh_executable = read.text(&["ansible_ssh_executable"])?.unwrap_or_else(|| defaults.ssh_executable.clone());
    let checks = read.flag(&["ansible_host_key_checking", "ansible_ssh_host_key_checking"])?.unwrap_or(defaults.host_key_checking);
    address.host_key_policy = if checks { HostKeyPolicy::Ask } else { HostKeyPolicy::Ignore };
    if let Some(retries) = read.number(&["ansible_ssh_retries"])? {
        address.retries = u32::try_from(retries).unwrap_or(u32::MAX);
    }
    Ok(())
}

fn becomes(reader: &Reader<'_>, read: &Variables<'_>, defaults: &ConnectionDefaults) -> Result<Option<Become>, RouteError> {
    let wanted = match read.flag(&["ansible_become"])? {
        Some(wanted) => wanted,
        None => reader.flag(Keyword::Become)?.unwrap_or(defaults.becomes),
    };
    if !wanted {
        return Ok(None);
    }
    let method = match read.text(&["ansible_become_method"])? {
        Some(method) => method,
        None => reader.text(Keyword::BecomeMethod)?.unwrap_or_else(|| defaults.become_method.clone()),
    };
    let short = method.rsplit('.').next().unwrap_or(&method);
    let of_method = |what: &str| format!("ansible_{short}_{what}");
    let parsed = short
        .parse()
        .map_err(|_| RouteError::Unsupported(format!("the become method `{method}` is not supported: `sudo`, `su` and `doas` are")))?;
    let user = match read.text(&["ansible_become_user", &of_method("user")])? {
        Some(user) => user,
        None => reader.text(Keyword::BecomeUser)?.unwrap_or_else(|| defaults.become_user.clone()),
    };
    let password = read.secret(&["ansible_become_password", "ansible_become_pass", &of_method("pass"), &of_method("password")])?;
    let exe = match read.text(&["ansible_become_exe", &of_method("exe")])? {
        Some(exe) => Some(exe),
        None => reader.text(Keyword::BecomeExe)?.or_else(|| defaults.become_exe.clone()),
    };
    let flags = match read.text(&["ansible_become_flags", &of_method("flags")])? {
        Some(flags) => Some(flags),
        None => reader.text(Keyword::BecomeFlags)?.or_else(|| defaults.become_flags.clone()),
    };
    Ok(Some(Become { method: parsed, user, password: password.or_else(|| defaults.become_password.clone()), exe, flags }))
}

/// Variables that say how a host is reached; the first name that is there wins.
struct Variables<'a> {
    vars: &'a Templar,
}

impl Variables<'_> {
    fn get(&self, names: &[&str]) -> Result<Option<Value>, TemplateError> {
        for name in names {
            if let Some(value) = self.vars.get(name)?.filter(|value| !value.is_null()) {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn text(&self, names: &[&str]) -> Result<Option<String>, TemplateError> {
        Ok(self.get(names)?.map(|value| shown(&value)).filter(|text| !text.is_empty()))
    }

    fn secret(&self, names: &[&str]) -> Result<Option<Secret>, TemplateError> {
        Ok(self.text(names)?.map(Secret::new))
    }

    fn number(&self, names: &[&str]) -> Result<Option<u64>, TemplateError> {
        Ok(self.text(names)?.and_then(|text| text.trim().parse().ok()))
    }

    fn flag(&self, names: &[&str]) -> Result<Option<bool>, TemplateError> {
        Ok(self.get(names)?.and_then(|value| to_bool(&value)))
    }
}

fn expand(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => Path::new(&home).join(rest),
        None => PathBuf::from(path),
    }
}

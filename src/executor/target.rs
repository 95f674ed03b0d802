//! How a task reaches its host: the connection and the user to become, out of variables, keywords and settings, in this order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keywords::{KeywordError, Reader, not_converted, quoted, to_int};
use crate::action::to_bool;
use crate::playbook::Keyword;
use crate::source::Diagnostic;
use crate::template::Templar;
use crate::template::print::shown;
use crate::transport::{Address, Become, ConnectionError, HostKeyPolicy, Method, Plugin, Secret, SessionKey};
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
    pub port: Option<i64>,
    /// `host_key_checking`.
    pub host_key_checking: bool,
    /// `timeout`, in seconds.
    pub timeout: i64,
    /// How many more times after a connection that failed.
    pub retries: u32,
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
    /// `become_allow_same_user`.
    pub become_allow_same_user: bool,
    /// `su_prompt_l10n`.
    pub su_prompts: Vec<String>,
    /// `sudo_chdir`.
    pub sudo_chdir: Option<String>,
    /// Who runs this program.
    pub local_user: Option<String>,
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
}

/// Why a host has no route.
#[derive(Debug)]
pub enum RouteError {
    /// A template or keyword is wrong: the task fails.
    Keyword(Box<KeywordError>),
    /// The connection or the way to become somebody is not one that we have: the task fails.
    Unsupported(String),
    /// What no connection can be made with: the host is unreachable.
    Unreachable(String),
}

impl From<KeywordError> for RouteError {
    fn from(error: KeywordError) -> Self {
        Self::Keyword(Box::new(error))
    }
}

/// The route of a task: `reader` has the task's keywords, `vars` the variables of the host that is reached, each property of the
/// connection under its first name: [`crate::vars::Reach`] knows the others.
pub fn route(
    name: &str,
    reader: &Reader<'_>,
    vars: &Templar,
    defaults: &ConnectionDefaults,
    playbook_dir: &Path,
) -> Result<Route, RouteError> {
    let read = Variables { vars };
    let numbers = numbers(reader, &read)?;
    let plugin_name = match read.text("connection", &["ansible_connection"])? {
        Some(name) => name,
        None => reader.text(Keyword::Connection)?.unwrap_or_else(|| defaults.plugin.clone()),
    };
    let plugin = parse_plugin(&plugin_name)?;
    if let Some(shell) = read.text("shell", &["ansible_shell_type"])?.filter(|shell| matches!(shell.as_str(), "powershell" | "cmd")) {
        return Err(RouteError::Unsupported(format!("the host's `ansible_shell_type` is `{shell}`: Windows hosts are not supported")));
    }
    let seconds = numbers.timeout.unwrap_or(defaults.timeout);
    let host = match read.get("remote_addr", &["ansible_host"])? {
        Some((variable, host)) if plugin != Plugin::Local => plain_text("host", variable, &host)?,
        _ => name.to_owned(),
    };
    let mut address = Address::new(plugin, host);
    if plugin == Plugin::Local {
        address.local_dir = Some(playbook_dir.to_path_buf());
    } else {
        address.port = port(numbers.port.or(defaults.port))?;
        if seconds < 0 {
            return Err(RouteError::Unreachable(format!("Failed to connect to the host via ssh: invalid time value '{seconds}'")));
        }
        fill(&mut address, reader, &read, defaults)?;
    }
    let timeout = Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1));
    address.connect_timeout = timeout;
    let becomes = match becomes(numbers.becomes, reader, &read, defaults)? {
        Some(becomes) if is_login(&becomes, &address, defaults) && !defaults.become_allow_same_user => None,
        Some(becomes) => Some(Become { patience: patience(&read, &address)?, ..becomes }),
        None => None,
    };
    Ok(Route { key: SessionKey::from(address), becomes })
}

/// Whether what says how the host is reached can be read at all: a task of which nothing reaches the host fails where it cannot.
pub fn check(reader: &Reader<'_>, vars: &Templar) -> Result<(), RouteError> {
    reader.text(Keyword::Connection)?;
    numbers(reader, &Variables { vars }).map(|_| ())
}

/// What must be a number, or true or false, whatever the connection.
struct Numbers {
    port: Option<i64>,
    timeout: Option<i64>,
    becomes: Option<bool>,
}

fn numbers(reader: &Reader<'_>, read: &Variables<'_>) -> Result<Numbers, RouteError> {
    let (port, becomes) = (reader.int(Keyword::Port)?, reader.flag(Keyword::Become)?);
    read.flag("pipelining", &["ansible_pipelining"])?;
    Ok(Numbers {
        port: read.int("port", &["ansible_port"])?.or(port),
        timeout: read.int("timeout", &["ansible_timeout"])?,
        becomes: read.flag("become", &["ansible_become"])?.or(becomes),
    })
}

/// A port that is none must not end at another one.
fn port(wanted: Option<i64>) -> Result<Option<u16>, RouteError> {
    let bad = |port: i64| RouteError::Unreachable(format!("Failed to connect to the host via ssh: Bad port '{port}'"));
    wanted.map(|port| u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| bad(port))).transpose()
}

fn parse_plugin(name: &str) -> Result<Plugin, RouteError> {
    Plugin::parse(name).map_err(|error: ConnectionError| RouteError::Unsupported(error.to_string()))
}

fn fill(address: &mut Address, reader: &Reader<'_>, read: &Variables<'_>, defaults: &ConnectionDefaults) -> Result<(), RouteError> {
    address.user = match read.plain("remote_user", &["ansible_user"])? {
        Some(user) => Some(user),
        None => reader.text(Keyword::RemoteUser)?.or_else(|| defaults.user.clone()),
    };
    address.password = read.secret("password", &["ansible_password"])?.or_else(|| defaults.password.clone());
    let key_file = read.plain("private_key_file", &["ansible_private_key_file"])?;
    address.private_key_file = key_file.map(|path| expand(&path)).or_else(|| defaults.private_key_file.clone());
    let passphrases = &["ansible_private_key_passphrase", "ansible_ssh_private_key_passphrase"];
    address.private_key_passphrase = read.secret("private_key_passphrase", passphrases)?;
    address.ssh_args = read.plain("ssh_args", &["ansible_ssh_args"])?.or_else(|| defaults.ssh_args.clone());
    address.ssh_common_args = read.plain("ssh_common_args", &["ansible_ssh_common_args"])?.or_else(|| defaults.ssh_common_args.clone());
    address.ssh_extra_args = read.plain("ssh_extra_args", &["ansible_ssh_extra_args"])?.or_else(|| defaults.ssh_extra_args.clone());
    address.ssh_executable = read.plain("ssh_executable", &["ansible_ssh_executable"])?.unwrap_or_else(|| defaults.ssh_executable.clone());
    // Here alone a wrong value is none: the checks are made.
    let checks = read.get("host_key_checking", &["ansible_host_key_checking", "ansible_ssh_host_key_checking"])?;
    let checks = checks.and_then(|(_, value)| to_bool(&value)).unwrap_or(defaults.host_key_checking);
    address.host_key_policy = if checks { HostKeyPolicy::Ask } else { HostKeyPolicy::Ignore };
    address.retries = defaults.retries;
    if let Some((variable, retries)) = read.get("reconnection_retries", &["ansible_ssh_retries"])? {
        let wrong = || wrong_value("reconnection_retries", variable, &retries, "integer");
        let count = to_int(&retries).and_then(|retries| u32::try_from(retries).ok());
        address.retries = count.ok_or_else(wrong)?;
    }
    Ok(())
}

/// Whether the user to become is the one that the connection is made as, which takes nothing.
fn is_login(becomes: &Become, address: &Address, defaults: &ConnectionDefaults) -> bool {
    let login = if address.plugin == Plugin::Local { &defaults.local_user } else { &address.user };
    login.as_ref() == Some(&becomes.user)
}

/// How long a prompt may take.
fn patience(read: &Variables<'_>, address: &Address) -> Result<Duration, RouteError> {
    const LOCAL: u64 = 10;
    if address.plugin != Plugin::Local {
        return Ok(address.connect_timeout + Duration::from_secs(2));
    }
    let seconds = read.int("become_success_timeout", &["ansible_local_become_success_timeout"])?;
    Ok(Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0).unwrap_or(LOCAL)))
}

fn becomes(
    wanted: Option<bool>,
    reader: &Reader<'_>,
    read: &Variables<'_>,
    defaults: &ConnectionDefaults,
) -> Result<Option<Become>, RouteError> {
    if !wanted.unwrap_or(defaults.becomes) {
        return Ok(None);
    }
    let method = match read.text("become_method", &["ansible_become_method"])? {
        Some(method) => method,
        None => reader.text(Keyword::BecomeMethod)?.unwrap_or_else(|| defaults.become_method.clone()),
    };
    let short = method.rsplit('.').next().unwrap_or(&method);
    let of_method = |what: &str| format!("ansible_{short}_{what}");
    let parsed: Method = short.parse().map_err(|_| {
        RouteError::Unsupported(format!(
            "Invalid become method specified, could not find matching plugin: '{method}'. There are `sudo`, `su` and `doas`."
        ))
    })?;
    let user = match read.text("become_user", &["ansible_become_user", &of_method("user")])? {
        Some(user) => user,
        None => reader.text(Keyword::BecomeUser)?.unwrap_or_else(|| defaults.become_user.clone()),
    };
    let passwords = [of_method("pass"), of_method("password")];
    let password = read.secret("become_pass", &["ansible_become_password", "ansible_become_pass", &passwords[0], &passwords[1]])?;
    let exe = match read.text("become_exe", &["ansible_become_exe", &of_method("exe")])? {
        Some(exe) => Some(exe),
        None => reader.text(Keyword::BecomeExe)?.or_else(|| defaults.become_exe.clone()),
    };
    let flags = match read.text("become_flags", &["ansible_become_flags", &of_method("flags")])? {
        Some(flags) => Some(flags),
        None => reader.text(Keyword::BecomeFlags)?.or_else(|| defaults.become_flags.clone()),
    };
    let chdir = match parsed {
        Method::Sudo => read.text("sudo_chdir", &["ansible_sudo_chdir"])?.or_else(|| defaults.sudo_chdir.clone()),
        Method::Su | Method::Doas => None,
    };
    let prompts = if parsed == Method::Su { su_prompts(read, defaults)? } else { Vec::new() };
    let password = password.or_else(|| defaults.become_password.clone());
    Ok(Some(Become { method: parsed, password, exe, flags, prompts, chdir, ..Become::sudo(user) }))
}

fn su_prompts(read: &Variables<'_>, defaults: &ConnectionDefaults) -> Result<Vec<String>, RouteError> {
    Ok(match read.get("prompt_l10n", &["ansible_su_prompt_l10n"])? {
        Some((_, Value::List(prompts))) => prompts.iter().map(shown).collect(),
        Some((_, text)) => shown(&text).split(',').map(|prompt| prompt.trim().to_owned()).filter(|prompt| !prompt.is_empty()).collect(),
        None => defaults.su_prompts.clone(),
    })
}

/// Variables that say how a host is reached, each for a keyword; the first name that is there wins.
struct Variables<'a> {
    vars: &'a Templar,
}

impl Variables<'_> {
    fn get<'n>(&self, keyword: &str, names: &[&'n str]) -> Result<Option<(&'n str, Value)>, KeywordError> {
        for name in names {
            let value = self.vars.get(name).map_err(|error| {
                let message = format!("Task failed: Error processing keyword '{keyword}': {}", error.full_message());
                KeywordError { message, diagnostic: error.to_diagnostic() }
            })?;
            if let Some(value) = value.filter(|value| !value.is_null()) {
                return Ok(Some((name, value)));
            }
        }
        Ok(None)
    }

    fn text(&self, keyword: &str, names: &[&str]) -> Result<Option<String>, KeywordError> {
        Ok(self.get(keyword, names)?.map(|(_, value)| shown(&value)).filter(|text| !text.is_empty()))
    }

    /// A text that a list or a map is an error in place of.
    fn plain(&self, keyword: &str, names: &[&str]) -> Result<Option<String>, KeywordError> {
        let Some((variable, value)) = self.get(keyword, names)? else { return Ok(None) };
        Ok(Some(plain_text(keyword, variable, &value)?).filter(|text| !text.is_empty()))
    }

    fn secret(&self, keyword: &str, names: &[&str]) -> Result<Option<Secret>, KeywordError> {
        Ok(self.text(keyword, names)?.map(Secret::new))
    }

    fn int(&self, keyword: &str, names: &[&str]) -> Result<Option<i64>, KeywordError> {
        self.converted(keyword, names, "int", to_int)
    }

    fn flag(&self, keyword: &str, names: &[&str]) -> Result<Option<bool>, KeywordError> {
        self.converted(keyword, names, "bool", to_bool)
    }

    fn converted<T>(&self, keyword: &str, names: &[&str], kind: &str, convert: fn(&Value) -> Option<T>) -> Result<Option<T>, KeywordError> {
        let Some((variable, value)) = self.get(keyword, names)? else { return Ok(None) };
        let wrong = || {
            let told = format!("`{variable}` is {}, expected a value that can be converted to `{kind}`", quoted(&value));
            let message = format!("Task failed: {}", not_converted(keyword, &value, kind));
            KeywordError { message, diagnostic: at_origin(told, &value) }
        };
        convert(&value).map(Some).ok_or_else(wrong)
    }
}

fn plain_text(option: &str, variable: &str, value: &Value) -> Result<String, KeywordError> {
    match value {
        Value::List(_) | Value::Map(_) => Err(wrong_value(option, variable, value, "string")),
        text => Ok(shown(text)),
    }
}

fn wrong_value(option: &str, variable: &str, value: &Value, kind: &str) -> KeywordError {
    let found = quoted(value);
    let message = format!(
        "Task failed: Config '{option}' for 'ssh' connection plugin from 'var: {variable}' has an invalid value: Invalid value provided for '{kind}': {found}"
    );
    let told = format!("`{variable}` is {found}, which is no valid `{kind}` here");
    KeywordError { message, diagnostic: at_origin(told, value) }
}

/// The place of a variable's text, where it is still known.
fn at_origin(message: String, value: &Value) -> Diagnostic {
    let diagnostic = Diagnostic::error(message);
    match value {
        Value::Text(text) => text.origin().map_or(diagnostic.clone(), |origin| diagnostic.at(origin)),
        _ => diagnostic,
    }
}

fn expand(path: &str) -> PathBuf {
    match path.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => Path::new(&home).join(rest),
        None => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_none_does_not_end_at_another_one() {
        for wrong in [99999, 65536, 0, -1] {
            let error = port(Some(wrong)).unwrap_err();
            assert!(matches!(&error, RouteError::Unreachable(message) if message.ends_with(&format!("Bad port '{wrong}'"))), "{error:?}");
        }
        assert_eq!((port(Some(2222)).unwrap(), port(None).unwrap()), (Some(2222), None));
    }

    #[test]
    fn whole_numbers_are_those_that_keywords_take() {
        let read = |text: &str| to_int(&Value::text(text));
        let found = [" 2222", "22.0", "1e2", "2_2", "abc", "", "2.5", "0x10", "inf"].map(read);
        assert_eq!(found, [Some(2222), Some(22), Some(100), Some(22), None, None, None, None, None]);
        assert_eq!([2.5, 22.0, f64::NAN].map(|number| to_int(&Value::Float(number))), [None, Some(22), None]);
    }
}

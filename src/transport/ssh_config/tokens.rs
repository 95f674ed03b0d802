//! What `%h` and `${NAME}` stand for in settings.

use std::path::PathBuf;
use std::sync::LazyLock;

use crate::transport::ConnectionError;

/// The `%` tokens.
pub(super) struct Tokens<'a> {
    pub(super) name: &'a str,
    pub(super) hostname: &'a str,
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) alias: Option<&'a str>,
}

impl Tokens<'_> {
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, ConnectionError> {
        let text = self.expand(&expand_variables(text)?)?;
        Ok(match text.strip_prefix("~/") {
            Some(rest) => home().join(rest),
            None => PathBuf::from(text),
        })
    }

    pub(super) fn expand(&self, text: &str) -> Result<String, ConnectionError> {
        let mut expanded = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(character) = chars.next() {
            if character != '%' {
                expanded.push(character);
                continue;
            }
            match chars.next() {
                Some('%') => expanded.push('%'),
                Some('d') => expanded.push_str(&home().to_string_lossy()),
                Some('h') => expanded.push_str(self.hostname),
                Some('i') => expanded.push_str(&rustix::process::getuid().as_raw().to_string()),
                Some('k') => expanded.push_str(self.alias.unwrap_or(self.name)),
                Some('L') => expanded.push_str(local_host().split('.').next().unwrap_or_default()),
                Some('l') => expanded.push_str(&local_host()),
                Some('n') => expanded.push_str(self.name),
                Some('p') => expanded.push_str(&self.port.to_string()),
                Some('r') => expanded.push_str(self.user),
                Some('u') => expanded.push_str(&local_user()),
                other => {
                    let token = other.map_or_else(|| "%".to_owned(), |letter| format!("%{letter}"));
                    return Err(ConnectionError::Unsupported(format!("the token `{token}` in `{text}` of ssh_config is not supported")));
                }
            }
        }
        Ok(expanded)
    }
}

/// `${NAME}`.
pub(super) fn expand_variables(text: &str) -> Result<String, ConnectionError> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let wrong = || ConnectionError::Config(format!("`{text}` of ssh_config names an environment variable that is not set"));
        let (name, after) = after.split_once('}').ok_or_else(wrong)?;
        expanded.push_str(before);
        expanded.push_str(&std::env::var(name).map_err(|_| wrong())?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

pub(super) fn local_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of the user who runs us, as OpenSSH takes it: from the account, not the environment.
pub(super) fn local_user() -> String {
    account().map_or_else(|| std::env::var("USER").unwrap_or_else(|_| "root".to_owned()), |(name, _)| name)
}

/// The home folder of the account; OpenSSH does not look at `HOME`.
pub(in crate::transport) fn home() -> PathBuf {
    account().map(|(_, home)| home).or_else(std::env::home_dir).unwrap_or_else(|| PathBuf::from("/"))
}

/// The account of the user who runs us: name and home folder. Looked up once.
pub(super) fn account() -> Option<(String, PathBuf)> {
    static ACCOUNT: LazyLock<Option<(String, PathBuf)>> = LazyLock::new(read_account);
    ACCOUNT.clone()
}

fn read_account() -> Option<(String, PathBuf)> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.len() == 7 && fields[2] == uid).then(|| (fields[0].to_owned(), PathBuf::from(fields[5])))
    })
}

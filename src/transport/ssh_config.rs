//! What `ssh_config` and the words of `ansible_ssh_common_args` say of a host. OpenSSH itself reads them: `ssh -G` gives the truth,
//! and is asked once for all hosts that the same `Host` lines match. What it says that differs from its own defaults is either
//! honoured here, or of no weight here, or makes the system's `ssh` do the work.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::known_hosts::matches_list;
use super::shell;
use super::{Address, ConnectionError, HostKeyPolicy};

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

/// What `ssh -G` prints: every setting and its lines.
type Dump = BTreeMap<String, Vec<String>>;

/// Reads settings, and remembers what it has read.
#[derive(Debug, Default)]
pub(super) struct ConfigReader {
    dumps: Mutex<HashMap<Question, Arc<Dump>>>,
    files: Mutex<HashMap<Option<PathBuf>, Arc<ConfigFiles>>>,
}

/// What decides the answer of `ssh -G`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Question {
    program: String,
    words: Vec<String>,
    user: Option<String>,
    port: Option<u16>,
    about: About,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum About {
    /// One host, since its name changes the answer.
    Host(String),
    /// All hosts that these `Host` lines match.
    Lines(Vec<bool>),
    /// OpenSSH's own defaults.
    Defaults,
}

impl ConfigReader {
    /// The settings for an address.
    pub(super) fn settings(&self, address: &Address) -> Result<Settings, ConnectionError> {
        check_name(&address.host, "host name")?;
        if let Some(user) = &address.user {
            check_name(user, "user name")?;
        }
        let words = argument_words(address)?;
        let files = self.files(words.config_file.as_deref());
        if words.all.is_empty() && !files.exist {
            return Ok(Settings::from_dump(address, &Dump::new(), &Dump::new())?.with_address(address, None));
        }
        let defaults = self.defaults(address)?;
        let dump = self.dump(address, words.all, &files)?;
        Ok(Settings::from_dump(address, &dump, &defaults)?.with_address(address, words.config_file))
    }

    fn defaults(&self, address: &Address) -> Result<Arc<Dump>, ConnectionError> {
        let words = vec!["-F".to_owned(), "none".to_owned()];
        let question = Question { program: address.ssh_executable.clone(), words, user: None, port: None, about: About::Defaults };
        self.ask(question, "driftless.invalid")
    }

    fn dump(&self, address: &Address, words: Vec<String>, files: &ConfigFiles) -> Result<Arc<Dump>, ConnectionError> {
        let about = |about| Question {
            program: address.ssh_executable.clone(),
            words: words.clone(),
            user: address.user.clone(),
            port: address.port,
            about,
        };
        let own = about(About::Host(address.host.clone()));
        let Some(lines) = files.matching_lines(&address.host) else { return self.ask(own, &address.host) };
        let shared = about(About::Lines(lines));
        if let Some(dump) = self.known(&shared).or_else(|| self.known(&own)) {
            return Ok(dump);
        }
        let mut dump = ask_ssh(&own, &address.host)?;
        let is_own = |(key, values): (&String, &Vec<String>)| {
            key != "host" && key != "hostname" && values.iter().any(|value| value.contains(&address.host))
        };
        let same_name = dump.get("hostname").is_some_and(|names| names.first().is_some_and(|name| *name == address.host.to_lowercase()));
        let question = if same_name && !dump.iter().any(is_own) {
            dump.remove("hostname");
            shared
        } else {
            own
        };
        Ok(self.remember(question, dump))
    }

    fn ask(&self, question: Question, host: &str) -> Result<Arc<Dump>, ConnectionError> {
        if let Some(dump) = self.known(&question) {
            return Ok(dump);
        }
        let dump = ask_ssh(&question, host)?;
        Ok(self.remember(question, dump))
    }

    fn known(&self, question: &Question) -> Option<Arc<Dump>> {
        self.dumps.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    fn remember(&self, question: Question, dump: Dump) -> Arc<Dump> {
        let dump = Arc::new(dump);
        self.dumps.lock().unwrap_or_else(PoisonError::into_inner).insert(question, Arc::clone(&dump));
        dump
    }

    fn files(&self, config_file: Option<&Path>) -> Arc<ConfigFiles> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Arc::new(ConfigFiles::read(config_file));
        Arc::clone(files.entry(config_file.map(Path::to_owned)).or_insert_with(read))
    }
}

fn ask_ssh(question: &Question, host: &str) -> Result<Dump, ConnectionError> {
    let mut command = Command::new(&question.program);
    command.arg("-G").args(&question.words);
    if let Some(user) = &question.user {
        command.args(["-l", user]);
    }
    if let Some(port) = question.port {
        command.args(["-p", &port.to_string()]);
    }
    let output = command.args(["--", host]).stdin(Stdio::null()).output().map_err(|error| {
        ConnectionError::Config(format!(
            "`{}` is needed to read ssh_config and ssh arguments, and cannot be run: {error}",
            question.program
        ))
    })?;
    if !output.status.success() {
        return Err(ConnectionError::Config(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut dump = Dump::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        dump.entry(key.to_lowercase()).or_default().push(value.to_owned());
    }
    Ok(dump)
}

/// The `Host` lines of the configuration files.
#[derive(Debug, Default)]
struct ConfigFiles {
    exist: bool,
    hosts: Vec<String>,
    /// A `Match` may ask anything, also a program.
    has_match: bool,
}

impl ConfigFiles {
    fn read(config_file: Option<&Path>) -> Self {
        let mut files = Self::default();
        let home = home();
        match config_file {
            Some(path) if path == Path::new("none") => {}
            Some(path) => files.read_file(path, &home.join(".ssh"), 0),
            None => {
                files.read_file(&home.join(".ssh/config"), &home.join(".ssh"), 0);
                files.read_file(Path::new("/etc/ssh/ssh_config"), Path::new("/etc/ssh"), 0);
            }
        }
        files
    }

    fn read_file(&mut self, path: &Path, folder: &Path, depth: usize) {
        let Ok(bytes) = std::fs::read(path) else { return };
        self.exist = true;
        for line in String::from_utf8_lossy(&bytes).lines() {
            let line = line.trim();
            let (key, value) = line.split_once(|character: char| character.is_whitespace() || character == '=').unwrap_or((line, ""));
            let value = value.trim_start_matches(|character: char| character.is_whitespace() || character == '=');
            match key.to_lowercase().as_str() {
                "match" if value.trim() != "all" => self.has_match = true,
                "host" => self.hosts.push(value.split_ascii_whitespace().collect::<Vec<_>>().join(",")),
                // What is included where is not followed here: only which names matter.
                "include" if depth < 16 => {
                    for pattern in shell::split(value).unwrap_or_default() {
                        self.include(&pattern, folder, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn include(&mut self, pattern: &str, folder: &Path, depth: usize) {
        let pattern = match pattern.strip_prefix("~/") {
            Some(rest) => home().join(rest),
            None => folder.join(pattern),
        };
        let (Some(parent), Some(name)) = (pattern.parent(), pattern.file_name()) else { return };
        if parent.to_string_lossy().contains(['*', '?', '[']) || name.to_string_lossy().contains('[') {
            // Too clever for us: every host is asked for by itself.
            self.has_match = true;
            return;
        }
        let Ok(entries) = std::fs::read_dir(parent) else { return };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.file_name().is_some_and(|file| matches_list(&name.to_string_lossy(), &file.to_string_lossy())) {
                self.read_file(&path, folder, depth + 1);
            }
        }
    }

    /// Which `Host` lines match; `None` when more than they may decide.
    fn matching_lines(&self, host: &str) -> Option<Vec<bool>> {
        let host = host.to_lowercase();
        (!self.has_match).then(|| self.hosts.iter().map(|patterns| matches_list(patterns, &host)).collect())
    }
}

/// The words of the three arguments of Ansible.
struct Words {
    all: Vec<String>,
    /// `-F`.
    config_file: Option<PathBuf>,
}

/// The words that the user wants on ssh's command line.
pub(super) fn user_words(address: &Address) -> Result<Vec<String>, ConnectionError> {
    Ok(argument_words(address)?.all)
}

fn argument_words(address: &Address) -> Result<Words, ConnectionError> {
    let mut words = Words { all: Vec::new(), config_file: None };
    let texts =
        [("ssh_args", &address.ssh_args), ("ssh_common_args", &address.ssh_common_args), ("ssh_extra_args", &address.ssh_extra_args)];
    for (name, text) in texts {
        let Some(text) = text else { continue };
        let split = shell::split(text).map_err(|error| ConnectionError::Config(format!("`{name}` is `{text}`: {error}")))?;
        check_words(name, &split, &mut words)?;
        words.all.extend(split);
    }
    Ok(words)
}

/// Refuses what is no option: `ssh` would take it for the host.
fn check_words(name: &str, words: &[String], found: &mut Words) -> Result<(), ConnectionError> {
    let wrong = |what: String| Err(ConnectionError::Config(format!("`{name}` {what}")));
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty() && *letters != "-") else {
            return wrong(format!("has the word `{word}`, expected only options of ssh"));
        };
        for (index, letter) in letters.char_indices() {
            match letter {
                '4' | '6' | 'A' | 'a' | 'C' | 'g' | 'K' | 'k' | 'M' | 'n' | 'q' | 'T' | 't' | 'v' | 'X' | 'x' | 'Y' | 'y' => {}
                'B' | 'b' | 'c' | 'D' | 'E' | 'e' | 'F' | 'I' | 'i' | 'J' | 'L' | 'l' | 'm' | 'o' | 'P' | 'p' | 'R' | 'S' | 'w' => {
                    let joined = &letters[index + 1..];
                    let value = if joined.is_empty() { rest.next().map(String::as_str) } else { Some(joined) };
                    let Some(value) = value else { return wrong(format!("ends after `-{letter}`, expected its value")) };
                    if letter == 'F' {
                        found.config_file = Some(PathBuf::from(value));
                    }
                    break;
                }
                _ => return wrong(format!("has the option `-{letter}`, which makes no sense for running tasks")),
            }
        }
    }
    Ok(())
}

/// Refuses names that a program or a shell could take for something else.
fn check_name(name: &str, what: &str) -> Result<(), ConnectionError> {
    let is_odd = |character: char| character.is_control() || character.is_whitespace() || "'`\"$\\;&<>|(){}".contains(character);
    if name.is_empty() || name.starts_with('-') || name.contains(is_odd) {
        let shown = name.escape_default();
        return Err(ConnectionError::Config(format!(
            "`{shown}` is no {what}: it is empty, begins with `-` or has characters of the shell"
        )));
    }
    Ok(())
}

impl Settings {
    fn from_dump(address: &Address, dump: &Dump, defaults: &Dump) -> Result<Self, ConnectionError> {
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
    fn with_address(mut self, address: &Address, config_file: Option<PathBuf>) -> Self {
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
    pub(super) fn known_name(&self) -> String {
        match &self.host_key_alias {
            Some(alias) => alias.to_lowercase(),
            None => super::known_hosts::host_and_port(&self.hostname, self.port),
        }
    }
}

/// Why the in-process client is not enough, by the first setting that says so.
fn needs_system(dump: &Dump, defaults: &Dump) -> Option<String> {
    // Debian turns it on for everybody: it matters only to those who have a ticket.
    if dump.get("gssapiauthentication").is_some_and(|values| values.first().is_some_and(|value| value == "yes")) && has_ticket() {
        return Some("`GSSAPIAuthentication yes` with a Kerberos ticket".to_owned());
    }
    dump.iter().find_map(|(key, values)| {
        let is_ours = HONOURED.contains(&key.as_str()) || WITHOUT_WEIGHT.contains(&key.as_str());
        (!is_ours && defaults.get(key) != Some(values)).then(|| format!("`{key} {}`", values.join(" ")))
    })
}

fn has_ticket() -> bool {
    let cache = std::env::var("KRB5CCNAME").unwrap_or_else(|_| format!("/tmp/krb5cc_{}", rustix::process::getuid().as_raw()));
    match cache.split_once(':') {
        Some(("FILE" | "DIR", path)) => Path::new(path).exists(),
        Some(_) => true,
        None => Path::new(&cache).exists(),
    }
}

/// `SendEnv` and `SetEnv`; the first of a name counts.
fn environment(send: &[String], set: &[String]) -> Vec<(String, String)> {
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
    pub(super) fn parse(text: &str) -> Result<Self, ConnectionError> {
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

/// The `%` tokens.
struct Tokens<'a> {
    name: &'a str,
    hostname: &'a str,
    port: u16,
    user: &'a str,
    alias: Option<&'a str>,
}

impl Tokens<'_> {
    fn path(&self, text: &str) -> Result<PathBuf, ConnectionError> {
        let text = self.expand(&expand_variables(text)?)?;
        Ok(match text.strip_prefix("~/") {
            Some(rest) => home().join(rest),
            None => PathBuf::from(text),
        })
    }

    fn expand(&self, text: &str) -> Result<String, ConnectionError> {
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
fn expand_variables(text: &str) -> Result<String, ConnectionError> {
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

fn local_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name of the user who runs us, as OpenSSH takes it: from the account, not the environment.
fn local_user() -> String {
    account().map_or_else(|| std::env::var("USER").unwrap_or_else(|_| "root".to_owned()), |(name, _)| name)
}

/// The home folder of the account; OpenSSH does not look at `HOME`.
pub(super) fn home() -> PathBuf {
    account().map(|(_, home)| home).or_else(std::env::home_dir).unwrap_or_else(|| PathBuf::from("/"))
}

fn account() -> Option<(String, PathBuf)> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.len() == 7 && fields[2] == uid).then(|| (fields[0].to_owned(), PathBuf::from(fields[5])))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Plugin;
    use super::*;

    fn address(arguments: &str) -> Address {
        Address { ssh_common_args: Some(format!("-F none {arguments}")), ..Address::new(Plugin::Ssh, "web1") }
    }

    fn settings(arguments: &str) -> Settings {
        ConfigReader::default().settings(&address(arguments)).unwrap()
    }

    #[test]
    fn arguments_are_honoured() {
        let settings = settings(
            "-o HostName=%h.example.com -p 2222 -l app -o IdentityFile=/k/%r -o IdentitiesOnly=yes -C -J bob@j1:2200,[::1]:22 -o StrictHostKeyChecking=no \
             -o 'UserKnownHostsFile=/a /b' -o ServerAliveInterval=5 -o Ciphers=aes128-ctr -o ConnectTimeout=3 -6 -o 'SetEnv A=b C=d' -q",
        );
        assert_eq!((settings.hostname.as_str(), settings.port, settings.user.as_str()), ("web1.example.com", 2222, "app"));
        assert_eq!(settings.identity_files, [PathBuf::from("/k/app")]);
        assert!(settings.identities_only && settings.identity_files_chosen && settings.compression);
        let hop = |user: Option<&str>, host: &str, port| Hop { user: user.map(str::to_owned), host: host.to_owned(), port: Some(port) };
        assert_eq!(settings.proxy, Proxy::Jump(vec![hop(Some("bob"), "j1", 2200), hop(None, "::1", 22)]));
        assert_eq!(settings.host_key_policy, HostKeyPolicy::Ignore);
        assert_eq!(settings.known_hosts, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!((settings.alive_interval.as_secs(), settings.connect_timeout.as_secs(), settings.family), (5, 3, Family::V6));
        assert_eq!((settings.algorithms.ciphers.as_deref(), settings.algorithms.macs), (Some("aes128-ctr"), None));
        assert_eq!(settings.environment, [("A".to_owned(), "b".to_owned()), ("C".to_owned(), "d".to_owned())]);
        assert_eq!(settings.needs_system, None);
        assert_eq!(settings.known_hosts.len(), 2);
    }

    #[test]
    fn variables_go_before_arguments() {
        let mut address = address("-p 1 -l nobody -o IdentityFile=/other");
        address.user = Some("app".to_owned());
        address.port = Some(2222);
        address.private_key_file = Some(PathBuf::from("/key"));
        let settings = ConfigReader::default().settings(&address).unwrap();
        assert_eq!((settings.port, settings.user.as_str()), (2222, "app"));
        assert_eq!(settings.identity_files, [PathBuf::from("/key"), PathBuf::from("/other")]);
    }

    #[test]
    fn what_is_not_ours_goes_to_the_system() {
        assert_eq!(settings("-o ForwardAgent=yes").needs_system.as_deref(), Some("`forwardagent yes`"));
        assert_eq!(settings("-L 8080:localhost:80").needs_system.as_deref(), Some("`localforward 8080 [localhost]:80`"));
        assert_eq!(settings("-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=/tmp/%C -v").needs_system, None);
    }

    #[test]
    fn odd_names_and_words_are_refused() {
        let refused = |address: &Address| ConfigReader::default().settings(address).unwrap_err().to_string();
        assert!(refused(&Address::new(Plugin::Ssh, "-oProxyCommand=x")).contains("begins with `-`"));
        assert!(refused(&Address::new(Plugin::Ssh, "a;b")).contains("characters of the shell"));
        assert!(refused(&address("-o A=b host")).contains("the word `host`"));
        assert!(refused(&address("-o")).contains("ends after `-o`"));
        assert!(refused(&address("-o Nonsense=yes")).contains("nonsense"), "{}", refused(&address("-o Nonsense=yes")));
        assert!(refused(&address("'")).contains("No closing quotation"));
        assert!(refused(&address("-V")).contains("`-V`"));
    }

    #[test]
    fn a_file_is_asked_once_for_alike_hosts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        std::fs::write(&file, "Host web*\n  User app\n  ProxyCommand nc %h %p\nHost db\n  HostName 10.0.0.9\nHost *\n Port 2222\n")
            .unwrap();
        let reader = ConfigReader::default();
        let settings = |host: &str| {
            let mut address = Address::new(Plugin::Ssh, host);
            address.ssh_common_args = Some(format!("-F {}", file.display()));
            reader.settings(&address).unwrap()
        };
        for host in ["web-1", "web-2", "web-3"] {
            let settings = settings(host);
            assert_eq!((settings.hostname.as_str(), settings.user.as_str(), settings.port), (host, "app", 2222));
            assert_eq!(settings.proxy, Proxy::Command(format!("nc {host} 2222")));
        }
        assert_eq!(settings("db").hostname, "10.0.0.9");
        // The defaults, the web hosts, db.
        assert_eq!(reader.dumps.lock().unwrap().len(), 3);
    }
}

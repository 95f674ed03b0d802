//! Asks `ssh -G`, once for all hosts that get the same answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::ConfigFiles;
use super::words::{argument_words, check_name};
use super::{COMPARED, HONOURED, Settings, WITHOUT_WEIGHT};
use crate::transport::{Address, ConnectionError};

/// What `ssh -G` prints: every setting and its lines.
pub(super) type Dump = BTreeMap<String, Vec<String>>;

/// Reads settings, and remembers what it has read.
#[derive(Debug, Default)]
pub(in crate::transport) struct ConfigReader {
    dumps: Mutex<HashMap<Question, Answer>>,
    files: Mutex<HashMap<Option<PathBuf>, Arc<ConfigFiles>>>,
}

/// An answer, or the right to ask: who comes while another is asking waits for the same answer, so that a thousand hosts that connect
/// at once ask once.
type Answer = Arc<Mutex<Option<Known>>>;

/// What is known of a question.
#[derive(Clone, Debug)]
enum Known {
    Dump(Arc<Dump>),
    /// Hosts that these `Host` lines match have answers of their own.
    EachHostItsOwn,
}

/// What decides the answer of `ssh -G`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
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
    pub(in crate::transport) fn settings(&self, address: &Address) -> Result<Settings, ConnectionError> {
        check_name(&address.host, "host name")?;
        if let Some(user) = &address.user {
            check_name(user, "user name")?;
        }
        let words = argument_words(address)?;
        let files = self.files(words.config_file.as_deref());
        if words.all.is_empty() && !files.exist {
            return Ok(Settings::from_dump(address, &Dump::new(), &Dump::new())?.with_address(address, None));
        }
        let dump = self.dump(address, words.all, &files)?;
        let settings = if defaults_decide(&files.named, &words.named) {
            Settings::from_dump(address, &dump, &*self.defaults(address)?)?
        } else {
            let defaults = dump.iter().filter(|(key, _)| !words.named.contains(*key));
            let defaults = defaults.map(|(key, values)| (key.clone(), values.clone())).collect();
            Settings::from_dump(address, &dump, &defaults)?
        };
        Ok(settings.with_address(address, words.config_file))
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
        let answer = self.answer(about(About::Lines(lines)));
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*answer {
            Some(Known::Dump(dump)) => return Ok(Arc::clone(dump)),
            Some(Known::EachHostItsOwn) => {
                drop(answer);
                return self.ask(own, &address.host);
            }
            None => {}
        }
        let mut dump = ask_ssh(&own, &address.host)?;
        let is_own = |(key, values): (&String, &Vec<String>)| {
            key != "host" && key != "hostname" && values.iter().any(|value| value.contains(&address.host))
        };
        let same_name = dump.get("hostname").is_some_and(|names| names.first().is_some_and(|name| *name == address.host.to_lowercase()));
        if same_name && !dump.iter().any(is_own) {
            dump.remove("hostname");
            let dump = Arc::new(dump);
            *answer = Some(Known::Dump(Arc::clone(&dump)));
            return Ok(dump);
        }
        *answer = Some(Known::EachHostItsOwn);
        let dump = Arc::new(dump);
        *self.answer(own).lock().unwrap_or_else(PoisonError::into_inner) = Some(Known::Dump(Arc::clone(&dump)));
        Ok(dump)
    }

    /// Asks about one host, or gives what was answered before.
    fn ask(&self, question: Question, host: &str) -> Result<Arc<Dump>, ConnectionError> {
        let answer = self.answer(question.clone());
        let mut answer = answer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Known::Dump(dump)) = &*answer {
            return Ok(Arc::clone(dump));
        }
        let dump = Arc::new(ask_ssh(&question, host)?);
        *answer = Some(Known::Dump(Arc::clone(&dump)));
        Ok(dump)
    }

    fn answer(&self, question: Question) -> Answer {
        Arc::clone(self.dumps.lock().unwrap_or_else(PoisonError::into_inner).entry(question).or_default())
    }

    /// How many questions were asked.
    #[cfg(test)]
    pub(super) fn questions(&self) -> usize {
        self.dumps.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn files(&self, config_file: Option<&Path>) -> Arc<ConfigFiles> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let read = || Arc::new(ConfigFiles::read(config_file));
        Arc::clone(files.entry(config_file.map(Path::to_owned)).or_insert_with(read))
    }
}

/// Whether OpenSSH's own defaults must be known: not where the files name only what is taken as it is, and the words only what is ours, so
/// that all else *is* a default.
fn defaults_decide(files: &BTreeSet<String>, words: &BTreeSet<String>) -> bool {
    let is_ours = |key: &str| HONOURED.contains(&key) || WITHOUT_WEIGHT.contains(&key) || matches!(key, "-C" | "-4" | "-6" | "-q" | "-v");
    let is_structure = |key: &str| key.is_empty() || key.starts_with('#') || matches!(key, "host" | "match" | "include");
    let is_taken = |key: &str| is_structure(key) || is_ours(key) && !COMPARED.contains(&key);
    !(files.iter().all(|key| is_taken(key)) && words.iter().all(|key| is_ours(key)))
}

pub(super) fn ask_ssh(question: &Question, host: &str) -> Result<Dump, ConnectionError> {
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

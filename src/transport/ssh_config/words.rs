//! The words of `ansible_ssh_common_args` and its kin, as far as `ssh -G` may be handed them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::transport::{Address, ConnectionError, shell};

/// The words of the three arguments of Ansible.
pub(super) struct Words {
    pub(super) all: Vec<String>,
    /// `-F`.
    pub(super) config_file: Option<PathBuf>,
    /// The settings that they give, in lower case; an option that is not `-o` by itself.
    pub(super) named: BTreeSet<String>,
}

/// The words that the user wants on ssh's command line.
pub(in crate::transport) fn user_words(address: &Address) -> Result<Vec<String>, ConnectionError> {
    Ok(argument_words(address)?.all)
}

pub(super) fn argument_words(address: &Address) -> Result<Words, ConnectionError> {
    let mut words = Words { all: Vec::new(), config_file: None, named: BTreeSet::new() };
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
pub(super) fn check_words(name: &str, words: &[String], found: &mut Words) -> Result<(), ConnectionError> {
    let wrong = |what: String| Err(ConnectionError::Config(format!("`{name}` {what}")));
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty() && *letters != "-") else {
            return wrong(format!("has the word `{word}`, expected only options of ssh"));
        };
        for (index, letter) in letters.char_indices() {
            if !matches!(letter, 'F' | 'o') {
                found.named.insert(format!("-{letter}"));
            }
            match letter {
                '4' | '6' | 'A' | 'a' | 'C' | 'g' | 'K' | 'k' | 'M' | 'n' | 'q' | 'T' | 't' | 'v' | 'X' | 'x' | 'Y' | 'y' => {}
                'B' | 'b' | 'c' | 'D' | 'E' | 'e' | 'F' | 'I' | 'i' | 'J' | 'L' | 'l' | 'm' | 'o' | 'P' | 'p' | 'R' | 'S' | 'w' => {
                    let joined = &letters[index + 1..];
                    let value = if joined.is_empty() { rest.next().map(String::as_str) } else { Some(joined) };
                    let Some(value) = value else { return wrong(format!("ends after `-{letter}`, expected its value")) };
                    match letter {
                        'F' => found.config_file = Some(PathBuf::from(value)),
                        'o' => {
                            found.named.insert(setting_name(value));
                        }
                        _ => {}
                    }
                    break;
                }
                _ => return wrong(format!("has the option `-{letter}`, which makes no sense for running tasks")),
            }
        }
    }
    Ok(())
}

/// The setting that the value of `-o` gives, in lower case; the whole value where it has a second line, which is not known then.
fn setting_name(value: &str) -> String {
    let line = value.trim_start();
    if line.contains('\n') {
        return line.to_owned();
    }
    setting(line).0
}

/// What a line of settings sets, in lower case, and to what.
pub(super) fn setting(line: &str) -> (String, &str) {
    let is_between = |character: char| character.is_whitespace() || character == '=';
    let (name, value) = line.split_once(is_between).unwrap_or((line, ""));
    (name.to_lowercase(), value.trim_start_matches(is_between))
}

/// Refuses names that a program or a shell could take for something else.
pub(super) fn check_name(name: &str, what: &str) -> Result<(), ConnectionError> {
    let is_odd = |character: char| character.is_control() || character.is_whitespace() || "'`\"$\\;&<>|(){}".contains(character);
    if name.is_empty() || name.starts_with('-') || name.contains(is_odd) {
        let shown = name.escape_default();
        return Err(ConnectionError::Config(format!(
            "`{shown}` is no {what}: it is empty, begins with `-` or has characters of the shell"
        )));
    }
    Ok(())
}

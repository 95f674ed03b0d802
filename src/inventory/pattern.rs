//! Host patterns: parses `web:&prod:!db1` and answers which hosts it names. Knows no variables.

use std::collections::HashSet;
use std::path::Path;

use super::{HostId, Inventory};
use crate::source::{Diagnostic, Diagnostics};
use crate::template::python::fnmatch::{fnmatch, has_magic};
use crate::template::python::regex::{self, Anchor, Flags};

/// A pattern taken apart: what is named, what it is cut with, what is taken out, in the order in which it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    terms: Vec<Term>,
}

/// Why a pattern names no hosts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PatternError {
    /// A `~` pattern that is no regular expression.
    #[error("invalid host list pattern `{0}`: {1}")]
    Regex(String, String),
    /// `web[9]` of a group with fewer hosts.
    #[error("No hosts matched the subscripted pattern '{0}'")]
    Subscript(String),
    /// A part that names nobody, where that is an error.
    #[error("Could not match supplied host pattern, ignoring: {0}")]
    Mismatch(String),
    /// `--limit @file` whose file cannot be read.
    #[error("Unable to find limit file {0}: {1}")]
    LimitFile(String, String),
}

/// What a pattern is that names nobody: the setting `host_pattern_mismatch`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatch {
    /// An error.
    Error,
    /// Nothing worth a word.
    Ignore,
    /// A warning.
    #[default]
    Warning,
}

impl Mismatch {
    /// The choice of this name.
    pub fn named(name: &str) -> Self {
        match name {
            "error" => Self::Error,
            "ignore" => Self::Ignore,
            _ => Self::Warning,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    role: Role,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Add,
    Intersect,
    Remove,
}

impl HostPattern {
    /// Takes a text apart at commas, or else at colons that are in no brackets.
    pub fn parse(text: &str) -> Self {
        Self::of_words(words(text))
    }

    /// The pattern of several texts together: the list form of `hosts:`.
    pub fn parse_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::of_words(texts.into_iter().flat_map(words).collect())
    }

    /// The pattern of `--limit`, where `@file` stands for the lines of a file below `folder`.
    pub fn parse_limit(text: &str, folder: &Path) -> Result<Self, PatternError> {
        let mut all = Vec::new();
        for word in words(text) {
            match word.strip_prefix('@') {
                Some(name) => {
                    let lines = std::fs::read_to_string(folder.join(name))
                        .map_err(|error| PatternError::LimitFile(name.to_owned(), error.to_string()))?;
                    all.extend(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
                }
                None => all.push(word),
            }
        }
        Ok(Self::of_words(all))
    }

    fn of_words(words: Vec<String>) -> Self {
        let mut terms: Vec<Term> = words.into_iter().map(term).collect();
        terms.sort_by_key(|term| term.role);
        if terms.first().is_none_or(|term| term.role != Role::Add) {
            terms.insert(0, Term { role: Role::Add, text: "all".to_owned() });
        }
        Self { terms }
    }

    /// The hosts that this names, in inventory order of each part; a part that names none is a warning.
    pub fn resolve(&self, inventory: &Inventory, diagnostics: &mut Diagnostics) -> Result<Vec<HostId>, PatternError> {
        let mut hosts: Vec<HostId> = Vec::new();
        for term in &self.terms {
            let found = named(inventory, &term.text, diagnostics)?;
            match term.role {
                Role::Add => hosts.extend(found),
                Role::Intersect => {
                    let found: HashSet<HostId> = found.into_iter().collect();
                    hosts.retain(|host| found.contains(host));
                }
                Role::Remove => {
                    let found: HashSet<HostId> = found.into_iter().collect();
                    hosts.retain(|host| !found.contains(host));
                }
            }
        }
        let mut seen = HashSet::with_capacity(hosts.len());
        hosts.retain(|host| seen.insert(*host));
        Ok(hosts)
    }
}

fn term(word: String) -> Term {
    let (role, text) = match word.as_bytes().first() {
        Some(b'&') => (Role::Intersect, word[1..].to_owned()),
        Some(b'!') => (Role::Remove, word[1..].to_owned()),
        _ => (Role::Add, word),
    };
    Term { role, text }
}

fn words(text: &str) -> Vec<String> {
    let parts: Vec<&str> = if text.contains(',') {
        text.split(',').collect()
    } else if is_address(text) {
        vec![text]
    } else {
        at_colons(text)
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// An IPv6 address, or a name with a port: their colons separate nothing.
fn is_address(text: &str) -> bool {
    let bare = text.trim_start_matches('[');
    let (host, port) = bare.rsplit_once(':').map_or((bare, ""), |(host, port)| (host.trim_end_matches(']'), port));
    let has_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = !host.is_empty() && host.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '-' | '.'));
    bare.trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok()
        || (has_port && (is_name || host.parse::<std::net::Ipv6Addr>().is_ok()))
}

fn at_colons(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut in_brackets) = (0, false);
    for (at, character) in text.char_indices() {
        match character {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            ':' if !in_brackets => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The hosts of one term without its sign.
fn named(inventory: &Inventory, text: &str, diagnostics: &mut Diagnostics) -> Result<Vec<HostId>, PatternError> {
    if let Some(host) = inventory.host_named(text) {
        return Ok(vec![host]);
    }
    let (name, subscript) = subscript(text);
    if matches!(subscript, Some(Subscript::Range(..))) && !text.contains(':') {
        let message = "Use [x:y] inclusive subscripts instead of [x-y] which has been removed";
        diagnostics.push(Diagnostic::warning(message));
    }
    let hosts = enumerate(inventory, name, diagnostics)?;
    match subscript.filter(|_| !hosts.is_empty()) {
        None => Ok(hosts),
        Some(Subscript::One(index)) => {
            let from_end = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
            let index = if index < 0 { index + from_end } else { index };
            let host = usize::try_from(index).ok().and_then(|index| hosts.get(index));
            host.map(|host| vec![*host]).ok_or_else(|| PatternError::Subscript(text.to_owned()))
        }
        Some(Subscript::Range(start, end)) => {
            let count = end.map_or(usize::MAX, |end| end.saturating_add(1).saturating_sub(start));
            Ok(hosts.into_iter().skip(start).take(count).collect())
        }
    }
}

/// What stands in the brackets behind a name.
#[derive(Clone, Copy)]
enum Subscript {
    /// `[0]`, `[-1]`
    One(i64),
    /// `[0:2]`, both ends included; `[1:]` has no end.
    Range(usize, Option<usize>),
}

/// A name and the subscript behind it; a regular expression has none.
fn subscript(text: &str) -> (&str, Option<Subscript>) {
    let parse = || {
        let (name, inner) = text.strip_suffix(']')?.rsplit_once('[')?;
        if name.is_empty() || text.starts_with('~') {
            return None;
        }
        if let Ok(index) = inner.parse::<i64>() {
            return Some((name, Subscript::One(index)));
        }
        let (start, end) = inner.split_once([':', '-'])?;
        let start: usize = start.parse().ok()?;
        let end = match end {
            "" => None,
            // Ansible takes an end at the first host for no end at all: one host.
            "0" => Some(start),
            end => Some(end.parse().ok()?),
        };
        Some((name, Subscript::Range(start, end)))
    };
    parse().map_or((text, None), |(name, found)| (name, Some(found)))
}

/// The hosts of groups that match, and hosts that match themselves.
fn enumerate(inventory: &Inventory, name: &str, diagnostics: &mut Diagnostics) -> Result<Vec<HostId>, PatternError> {
    let matcher = Matcher::new(name)?;
    let mut hosts = Vec::new();
    let mut found_group = false;
    for id in matcher.groups(inventory) {
        found_group = true;
        hosts.extend(inventory.hosts_of(id));
    }
    if hosts.is_empty() || name.starts_with('~') || name.contains(['.', '?', '*', '[']) {
        hosts.extend(matcher.hosts(inventory));
    }
    if hosts.is_empty() && !found_group && name != "all" {
        match inventory.mismatch {
            Mismatch::Error => return Err(PatternError::Mismatch(name.to_owned())),
            Mismatch::Ignore => {}
            Mismatch::Warning => {
                diagnostics.push(Diagnostic::warning(format!("Could not match supplied host pattern, ignoring: {name}")));
            }
        }
    }
    Ok(hosts)
}

enum Matcher<'p> {
    Name(&'p str),
    Glob(&'p str),
    Regex(std::sync::Arc<regex::Pattern>),
}

impl<'p> Matcher<'p> {
    fn new(text: &'p str) -> Result<Self, PatternError> {
        match text.strip_prefix('~') {
            Some(pattern) => {
                let compiled = regex::compile(pattern, Flags::default(), Anchor::Start);
                compiled.map(Self::Regex).map_err(|error| PatternError::Regex(text.to_owned(), error.to_string()))
            }
            None if has_magic(text) => Ok(Self::Glob(text)),
            None => Ok(Self::Name(text)),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(text) => *text == name,
            Self::Glob(pattern) => fnmatch(name, pattern),
            Self::Regex(pattern) => pattern.is_match(name).unwrap_or(false),
        }
    }

    fn groups(&self, inventory: &Inventory) -> Vec<super::GroupId> {
        match self {
            Self::Name(text) => inventory.group_named(text).into_iter().collect(),
            Self::Glob(_) | Self::Regex(_) => inventory.group_ids().filter(|id| self.matches(inventory.group(*id).name())).collect(),
        }
    }

    fn hosts(&self, inventory: &Inventory) -> Vec<HostId> {
        match self {
            Self::Name(text) => inventory.host_named(text).into_iter().collect(),
            Self::Glob(_) | Self::Regex(_) => {
                let explicit = inventory.host_ids().filter(|id| !inventory.host(*id).is_implicit());
                explicit.filter(|id| self.matches(inventory.host(*id).name())).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &str) {
        let mut inventory = Inventory::new();
        for (group, hosts) in [("web", "web1 web2 web3"), ("prod", "web1 db1"), ("db", "db1 db2"), ("empty", "")] {
            let id = inventory.add_group(group);
            for name in hosts.split_whitespace() {
                let host = inventory.add_host(name);
                inventory.add_host_to_group(host, id);
            }
        }
        inventory.implicit_localhost("localhost");
        inventory.settle();
        let mut diagnostics = Diagnostics::new();
        let shown = match HostPattern::parse(pattern).resolve(&inventory, &mut diagnostics) {
            Ok(hosts) => hosts.iter().map(|id| inventory.host(*id).name().to_string()).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        let said: String = diagnostics.iter().map(|diagnostic| format!(" ({})", diagnostic.message)).collect();
        assert_eq!(format!("{shown}{said}"), expected, "{pattern}");
    }

    #[test]
    fn patterns_name_hosts() {
        check("all", "web1 web2 web3 db1 db2");
        check("*", "web1 web2 web3 db1 db2 web1 db1".split(' ').take(5).collect::<Vec<_>>().join(" ").as_str());
        check("web:db", "web1 web2 web3 db1 db2");
        check("db,web", "db1 db2 web1 web2 web3");
        check("web:&prod", "web1");
        check("!db:web", "web1 web2 web3");
        check("!web", "db1 db2");
        check("&prod", "web1 db1");
        check("web[0]", "web1");
        check("web[-1]", "web3");
        check("web[1:2]", "web2 web3");
        check("web[1:]", "web2 web3");
        check("web[1:0]", "web2");
        check("web[2:1]", "");
        check("web[9]", "No hosts matched the subscripted pattern 'web[9]'");
        check("~(web|db)2", "web2 db2");
        check("*1", "web1 db1");
        check("~web:!web3", "web1 web2");
        check("localhost", "localhost");
        check("local*", " (Could not match supplied host pattern, ignoring: local*)");
        check("nope:web1", "web1 (Could not match supplied host pattern, ignoring: nope)");
        check("empty", "");
        check("~(", "invalid host list pattern `~(`: missing ), unterminated subpattern at position 0");
        check("web1:22", " (Could not match supplied host pattern, ignoring: web1:22)");
        check("", "web1 web2 web3 db1 db2");
    }
}

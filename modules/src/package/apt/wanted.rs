//! A name as the user writes it: `hello`, `hello=1.0`, `hello=1.*`, `hello>=1.0`, `hel*`.

use crate::Host;
use crate::Result;
use crate::host::glob;

/// A package and the versions of it that will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The package's name, or a pattern.
    pub name: String,
    /// The version or pattern.
    pub version: Option<String>,
    /// Whether newer versions do as well.
    pub or_newer: bool,
}

impl Wanted {
    /// Reads one.
    pub fn parse(text: &str) -> Self {
        let (name, or_newer, version) = match (text.split_once(">="), text.split_once('=')) {
            (Some((name, version)), _) => (name, true, Some(version)),
            (None, Some((name, version))) => (name, false, Some(version)),
            (None, None) => (text, false, None),
        };
        Self { name: name.trim().to_owned(), version: version.map(|version| version.trim().to_owned()), or_newer }
    }

    /// Whether a version will do.
    pub fn is_met(&self, host: &Host, version: &str) -> Result<bool> {
        match &self.version {
            None => Ok(true),
            Some(wanted) if self.or_newer => is_at_least(host, version, wanted),
            Some(wanted) => Ok(version == wanted || glob::matches(wanted, version)),
        }
    }
}

/// Whether one version is not older than another, by Debian's rules.
pub fn is_at_least(host: &Host, version: &str, other: &str) -> Result<bool> {
    let command = host.command(host.need_program("dpkg")?).args(["--compare-versions", version, "ge", other]);
    Ok(host.query(&command)?.succeeded())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let wanted = Wanted::parse("hello>=1.0");
        assert_eq!((wanted.name.as_str(), wanted.version.as_deref(), wanted.or_newer), ("hello", Some("1.0"), true));
        assert_eq!(Wanted::parse("g++=4:12*").version.as_deref(), Some("4:12*"));
        assert_eq!(Wanted::parse("a").version, None);
    }
}

//! dnf: what its output says of a transaction, and what rpm knows to be installed.

use std::collections::BTreeMap;

use crate::host::Output;
use crate::package::Step;
use crate::{Host, Result};

/// What is done with a package of a transaction's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is new.
    Install,
    /// Another version of it takes the old one's place: a newer one.
    Upgrade,
    /// An older one.
    Downgrade,
    /// It goes.
    Remove,
}

/// One line of a transaction's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is done.
    pub deed: Deed,
    /// The package.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Its version and release, without an epoch.
    pub version: String,
}

impl Row {
    /// Name, version, release and architecture, as rpm writes them.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.version, self.architecture)
    }

    /// The row as a change.
    pub fn step(&self) -> Step {
        let (before, after) = match self.deed {
            Deed::Install => ("absent", "present"),
            Deed::Upgrade => ("outdated", "latest"),
            Deed::Downgrade => ("newer", "older"),
            Deed::Remove => ("present", "absent"),
        };
        Step { name: self.name.clone(), before, after }
    }
}

/// Reads the table that stands before every transaction, real or declined. Long names have a line of their own.
pub fn rows(stdout: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut deed = None;
    let mut long = None;
    for line in stdout.lines() {
        if line.starts_with("Transaction Summary") {
            break;
        }
        if !line.starts_with(' ') {
            deed = deed_of(line);
            continue;
        }
        let Some(deed) = deed else { continue };
        let mut words: Vec<&str> = long.take().into_iter().collect();
        words.extend(line.split_whitespace());
        match words[..] {
            // What a package takes the place of goes with it, which rpm's own answer says.
            ["replacing", ..] => {}
            [name] => long = Some(name),
            [name, architecture, version, ..] => rows.push(Row {
                deed,
                name: name.to_owned(),
                architecture: architecture.to_owned(),
                version: version.split_once(':').map_or(version, |(_, version)| version).to_owned(),
            }),
            [] | [_, _] => {}
        }
    }
    rows
}

fn deed_of(heading: &str) -> Option<Deed> {
    let heading = heading.strip_suffix(':')?;
    [
        ("Install", Deed::Install),
        ("Reinstall", Deed::Install),
        ("Upgrad", Deed::Upgrade),
        ("Downgrad", Deed::Downgrade),
        ("Remov", Deed::Remove),
    ]
    .into_iter()
    .find(|(word, _)| heading.starts_with(word))
    .map(|(_, deed)| deed)
}

/// The versions of all installed packages, by `name.architecture`.
pub fn installed(host: &Host, root: &str) -> Result<BTreeMap<String, String>> {
    let command = host.command(host.need_program("rpm")?).args(["--root", root, "-qa", "--qf", "%{NAME}.%{ARCH}\t%{VERSION}-%{RELEASE}\n"]);
    let output = host.query(&command)?.or_fail(Output::stderr)?;
    Ok(output
        .stdout()
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect())
}

/// Whether something that is installed answers to a name, a version, a pattern, a file or a capability.
pub fn is_installed(host: &Host, root: &str, spec: &str) -> Result<bool> {
    let rpm = host.command(host.need_program("rpm")?).args(["--root", root]);
    if spec.contains(['<', '>', '=', ' ']) {
        let dnf = host.command(host.need_program("dnf")?).args([
            "-q",
            "-C",
            "--disablerepo=*",
            "--installroot",
            root,
            "repoquery",
            "--installed",
            spec,
        ]);
        return Ok(host.query(&dnf)?.stdout().lines().any(|line| !line.is_empty()));
    }
    if spec.contains(['*', '?', '[']) && !spec.starts_with('/') {
        return Ok(!host.query(&rpm.args(["-qa", spec]))?.stdout().trim().is_empty());
    }
    if spec.ends_with(".rpm") {
        let about = host.command(host.need_program("rpm")?).args(["-qp", "--qf", "%{NEVRA}", "--", spec]);
        let about = host.query(&about)?;
        return Ok(about.succeeded() && host.query(&rpm.args(["-q", "--", about.stdout().trim()]))?.succeeded());
    }
    if host.query(&rpm.clone().args(["-q", "--", spec]))?.succeeded() {
        return Ok(true);
    }
    Ok(host.query(&rpm.args(["-q", "--whatprovides", "--", spec]))?.succeeded())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Dependencies resolved.\n=====\n Package   Architecture   Version  Repository  Size\n=====\nInstalling:\n fleet-app  noarch  1:1.0-1  fleet  6.0 k\nInstalling dependencies:\n a-very-long-name-of-a-package\n            x86_64  2-3  fleet  1 k\nRemoving unused dependencies:\n old noarch 1-1 @fleet 0\n\nTransaction Summary\n=====\nInstall  2 Packages\n";

    #[test]
    fn tables_are_read() {
        let rows = rows(OUTPUT);
        let names: Vec<(String, Deed)> = rows.iter().map(|row| (row.nevra(), row.deed)).collect();
        let expected = [
            ("fleet-app-1.0-1.noarch", Deed::Install),
            ("a-very-long-name-of-a-package-2-3.x86_64", Deed::Install),
            ("old-1-1.noarch", Deed::Remove),
        ];
        assert_eq!(names, expected.map(|(name, deed)| (name.to_owned(), deed)));
    }
}

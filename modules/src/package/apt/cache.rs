//! What apt's cache and dpkg's database know of packages: `apt-cache policy` and `dpkg-query`, each asked once for all names.

use std::collections::BTreeMap;

use crate::{Failure, Host, Result};

/// What is known of one package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// The version that dpkg has unpacked, if any.
    pub unpacked: Option<String>,
    /// Whether it is installed in full.
    pub installed: bool,
    /// Whether files of it are left, such as its configuration.
    pub has_files: bool,
    /// The version that apt would install.
    pub candidate: Option<String>,
    /// All versions, newest first.
    pub versions: Vec<String>,
}

impl Package {
    /// The version that is installed in full.
    pub fn version(&self) -> Option<&str> {
        self.unpacked.as_deref().filter(|_| self.installed)
    }

    /// Whether there is anything behind the name but other packages that provide it.
    pub fn is_real(&self) -> bool {
        !self.versions.is_empty() || self.unpacked.is_some()
    }
}

/// Packages by name.
pub struct Cache(BTreeMap<String, Package>);

impl Cache {
    /// Asks for these names.
    pub fn read(host: &Host, names: &[String], release: Option<&str>) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let mut command = host.command(host.need_program("apt-cache")?);
        if let Some(release) = release {
            command = command.args(["-o", &format!("APT::Default-Release={release}")]);
        }
        let output = host.query(&command.args(["policy", "--"]).args(names))?;
        if !output.succeeded() {
            return Err(Failure::new(output.stderr().trim().replace("E: ", "E:")));
        }
        let mut packages = policies(&output.stdout());
        let format = "${Package}\t${Architecture}\t${db:Status-Status}\t${Version}\n";
        let output = host.query(&host.command(host.need_program("dpkg-query")?).args(["-W", "-f", format, "--"]).args(names))?;
        for line in output.stdout().lines() {
            let words: Vec<&str> = line.split('\t').collect();
            let [name, architecture, status, version] = words[..] else { continue };
            for key in [name.to_owned(), format!("{name}:{architecture}")] {
                if !names.contains(&key) {
                    continue;
                }
                let package = packages.entry(key).or_default();
                package.has_files |= status != "not-installed";
                package.installed |= status == "installed" && package.unpacked.as_deref() == Some(version);
            }
        }
        Ok(Self(packages))
    }

    /// One package; nothing if the name is not known at all.
    pub fn get(&self, name: &str) -> Option<&Package> {
        self.0.get(name)
    }
}

/// Reads the blocks of `apt-cache policy`.
fn policies(text: &str) -> BTreeMap<String, Package> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            let name = line.trim_end().trim_end_matches(':').to_owned();
            packages.insert(name.clone(), Package::default());
            current = Some(name);
            continue;
        }
        let Some(package) = current.as_ref().and_then(|name| packages.get_mut(name)) else { continue };
        let value = |value: &str| Some(value.trim().to_owned()).filter(|value| value != "(none)");
        let word = line.trim_start();
        if let Some(version) = word.strip_prefix("Installed:") {
            package.unpacked = value(version);
        } else if let Some(version) = word.strip_prefix("Candidate:") {
            package.candidate = value(version);
        } else if line.starts_with("     ") && !line.starts_with("      ") || line.starts_with(" *** ") {
            package.versions.extend(line.trim_start_matches([' ', '*']).split_whitespace().next().map(str::to_owned));
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        let text = "hello:\n  Installed: 1.0\n  Candidate: 2.0\n  Version table:\n     2.0 500\n        500 file:/srv ./ Packages\n *** 1.0 100\n        100 /var/lib/dpkg/status\nmta:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\nx:i386:\n  Installed: (none)\n  Candidate: 3\n  Version table:\n     3 500\n";
        let packages = policies(text);
        assert_eq!(packages["hello"].unpacked.as_deref(), Some("1.0"));
        assert_eq!(packages["hello"].versions, ["2.0", "1.0"]);
        assert!(!packages["mta"].is_real());
        assert_eq!(packages["x:i386"].candidate.as_deref(), Some("3"));
    }
}

//! Which distribution this is, and the Linux Standard Base's words for it.

use std::path::Path;

use super::{Facts, Look, set, text_of};
use crate::{Json, JsonMap};

/// Distributions by the `ID` of os-release: Ansible's name for them.
const NAMES: &[(&str, &str)] = &[
    ("almalinux", "AlmaLinux"),
    ("alpine", "Alpine"),
    ("amzn", "Amazon"),
    ("arch", "Archlinux"),
    ("centos", "CentOS"),
    ("cumulus-linux", "Cumulus Linux"),
    ("debian", "Debian"),
    ("devuan", "Devuan"),
    ("fedora", "Fedora"),
    ("gentoo", "Gentoo"),
    ("kali", "Kali"),
    ("linuxmint", "Linux Mint"),
    ("manjaro", "Manjaro"),
    ("neon", "KDE neon"),
    ("nixos", "NixOS"),
    ("ol", "OracleLinux"),
    ("opensuse-leap", "openSUSE Leap"),
    ("opensuse-tumbleweed", "openSUSE Tumbleweed"),
    ("openwrt", "OpenWrt"),
    ("pop", "Pop!_OS"),
    ("raspbian", "Debian"),
    ("rhel", "RedHat"),
    ("rocky", "Rocky"),
    ("sles", "SLES"),
    ("sled", "SLED"),
    ("ubuntu", "Ubuntu"),
    ("void", "Void"),
];

/// Families by Ansible's names of their distributions; others are a family of their own.
const FAMILIES: &[(&str, &[&str])] = &[
    ("RedHat", &["AlmaLinux", "Amazon", "CentOS", "Fedora", "OracleLinux", "RedHat", "Rocky", "Scientific"]),
    ("Debian", &["Cumulus Linux", "Debian", "Devuan", "KDE neon", "Kali", "Linux Mint", "Pop!_OS", "Ubuntu"]),
    ("Suse", &["SLED", "SLES", "openSUSE Leap", "openSUSE Tumbleweed"]),
    ("Archlinux", &["Archlinux", "Manjaro"]),
    ("Alpine", &["Alpine"]),
    ("Gentoo", &["Gentoo"]),
];

/// What a host's distribution is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Distribution {
    pub name: String,
    pub version: String,
    pub major: String,
    pub minor: Option<String>,
    pub release: String,
    pub family: String,
    /// The file that told, and its kind.
    pub file: Option<(String, &'static str)>,
}

pub(super) fn collect(_: &mut Look, facts: &mut Facts) {
    let found = identify();
    set(facts, "distribution", found.name);
    set(facts, "distribution_version", found.version);
    set(facts, "distribution_major_version", found.major);
    if let Some(minor) = found.minor {
        set(facts, "distribution_minor_version", minor);
    }
    set(facts, "distribution_release", found.release);
    if let Some((path, variety)) = found.file {
        set(facts, "distribution_file_path", path);
        set(facts, "distribution_file_variety", variety);
        set(facts, "distribution_file_parsed", true);
    }
    set(facts, "os_family", found.family);
}

pub(super) fn lsb(look: &mut Look, facts: &mut Facts) {
    let mut map = JsonMap::new();
    let mut put = |name: &str, value: &str| map.insert(name.to_owned(), Json::from(value));
    if let Some(text) = look.ask("lsb_release", &["-a"]) {
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            match name.trim() {
                "Distributor ID" => put("id", value.trim()),
                "Description" => put("description", value.trim().trim_matches('"')),
                "Release" => put("release", value.trim()),
                "Codename" => put("codename", value.trim()),
                "LSB Version" => put("release", value.trim()),
                _ => None,
            };
        }
    } else if let Some(text) = text_of("/etc/lsb-release") {
        for (name, value) in fields(&text) {
            match name.as_str() {
                "DISTRIB_ID" => put("id", &value),
                "DISTRIB_RELEASE" => put("release", &value),
                "DISTRIB_DESCRIPTION" => put("description", &value),
                "DISTRIB_CODENAME" => put("codename", &value),
                _ => None,
            };
        }
    }
    if let Some(release) = map.get("release").and_then(Json::as_str) {
        let major = release.split('.').next().unwrap_or_default().to_owned();
        map.insert("major_release".to_owned(), major.into());
    }
    set(facts, "lsb", map);
}

/// The host's distribution.
pub(crate) fn identify() -> Distribution {
    identify_at(Path::new("/"))
}

fn identify_at(root: &Path) -> Distribution {
    let read = |path: &str| text_of(root.join(path.trim_start_matches('/')));
    let (path, text) = match read("/etc/os-release") {
        Some(text) => ("/etc/os-release", text),
        None => ("/usr/lib/os-release", read("/usr/lib/os-release").unwrap_or_default()),
    };
    let fields = fields(&text);
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default();
    let id = field("ID");
    let name = NAMES.iter().find(|(known, _)| *known == id).map(|(_, name)| (*name).to_owned());
    let name = name.unwrap_or_else(|| if id.is_empty() { "Linux".to_owned() } else { capitalized(id) });
    let family = FAMILIES.iter().find(|(_, names)| names.contains(&name.as_str())).map_or(name.clone(), |(family, _)| (*family).to_owned());
    let mut found = Distribution { version: field("VERSION_ID").to_owned(), family, ..Distribution::default() };
    found.release = match field("VERSION_CODENAME") {
        "" => field("VERSION").split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("NA", |(name, _)| name).to_owned(),
        codename => codename.to_owned(),
    };
    match found.family.as_str() {
        "Debian" => {
            found.file = Some((path.to_owned(), "Debian"));
            if name == "Debian"
                && let Some(version) =
                    read("/etc/debian_version").filter(|version| version.starts_with(|letter: char| letter.is_ascii_digit()))
            {
                found.minor = version.split_once('.').map(|(_, minor)| minor.to_owned());
                found.version = version;
            }
        }
        "RedHat" => {
            let file = ["/etc/oracle-release", "/etc/centos-release", "/etc/redhat-release", "/etc/system-release"];
            let told = file.iter().find_map(|path| read(path).map(|text| (*path, text)));
            if let Some((path, text)) = told {
                let variety = match path {
                    "/etc/oracle-release" => "OracleLinux",
                    "/etc/centos-release" => "CentOS",
                    _ if name == "Amazon" => "Amazon",
                    _ => "RedHat",
                };
                found.file = Some((path.to_owned(), variety));
                if let Some(version) = text.split_whitespace().find(|word| word.starts_with(|letter: char| letter.is_ascii_digit())) {
                    found.version = version.to_owned();
                }
                if let Some(release) = text.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')')) {
                    found.release = release.to_owned();
                }
            }
        }
        "Alpine" => {
            found.file = read("/etc/alpine-release").map(|version| {
                found.version = version;
                ("/etc/alpine-release".to_owned(), "Alpine")
            });
            found.release = "NA".to_owned();
        }
        "Suse" => found.file = Some((path.to_owned(), "SUSE")),
        "Archlinux" => {
            found.file = Some((if root.join("etc/arch-release").exists() { "/etc/arch-release" } else { path }.to_owned(), "Archlinux"))
        }
        _ => found.file = (!text.is_empty()).then(|| (path.to_owned(), "NA")),
    }
    if found.version.is_empty() {
        found.version = "NA".to_owned();
    }
    found.major = found.version.split('.').next().unwrap_or_default().to_owned();
    found.name = name;
    found
}

/// `NAME="value"` lines.
fn fields(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| {
            let value = crate::host::words::split(value).map(|words| words.join(" ")).unwrap_or_else(|_| value.to_owned());
            (name.trim().to_owned(), value)
        })
        .collect()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: [&str; 5], minor: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join("etc").join(name), text).unwrap();
        }
        let found = identify_at(folder.path());
        assert_eq!([&found.name, &found.family, &found.version, &found.major, &found.release], expected);
        assert_eq!(found.minor.as_deref(), minor);
    }

    #[test]
    fn distributions_are_named_as_ansible_names_them() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        check(&[("os-release", debian), ("debian_version", "12.11\n")], ["Debian", "Debian", "12.11", "12", "bookworm"], Some("11"));
        let ubuntu = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n";
        check(&[("os-release", ubuntu), ("debian_version", "bookworm/sid\n")], ["Ubuntu", "Debian", "22.04", "22", "jammy"], None);
        let rocky = "NAME=\"Rocky Linux\"\nID=\"rocky\"\nVERSION=\"9.3 (Blue Onyx)\"\nVERSION_ID=\"9.3\"\n";
        let release = "Rocky Linux release 9.3 (Blue Onyx)\n";
        check(&[("os-release", rocky), ("redhat-release", release)], ["Rocky", "RedHat", "9.3", "9", "Blue Onyx"], None);
        check(
            &[("os-release", "ID=alpine\nVERSION_ID=3.19.1\n"), ("alpine-release", "3.19.1\n")],
            ["Alpine", "Alpine", "3.19.1", "3", "NA"],
            None,
        );
    }
}

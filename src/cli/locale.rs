//! Locales that Ansible does not start with: those that are not there, and those that are not UTF-8. To us every text is UTF-8 whatever
//! the locale says, so `C` and `POSIX` are as good as any other.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Where glibc keeps its locales.
const FOLDER: &str = "/usr/lib/locale";

/// Categories that a locale may be chosen for, beside `LC_CTYPE`.
const CATEGORIES: &[&str] = &["LC_COLLATE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"];

/// Why Ansible does not start with the locale of this process.
pub(super) fn refusal() -> Option<String> {
    refused(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()), &is_installed)
}

fn refused(variable: &dyn Fn(&str) -> Option<String>, is_there: &dyn Fn(&str) -> bool) -> Option<String> {
    let all = variable("LC_ALL");
    let of = |category: &str| all.clone().or_else(|| variable(category)).or_else(|| variable("LANG"));
    let is_usable = |name: &String| is_there(name);
    let characters = of("LC_CTYPE");
    // Where nothing is said for all, characters of a locale that is not there are UTF-8: Python sees to that.
    let mut wanted = CATEGORIES.iter().filter_map(|category| of(category)).chain(all.clone());
    if !wanted.all(|name| is_usable(&name)) {
        return Some("Ansible could not initialize the preferred locale: unsupported locale setting".to_owned());
    }
    let encoding = characters.filter(is_usable)?;
    let encoding = encoding.split_once('.')?.1.split('@').next()?;
    let is_utf8 = normal(encoding) == "utf8";
    (!is_utf8).then(|| format!("Ansible requires the locale encoding to be UTF-8; Detected {encoding}."))
}

/// Whether the C library has a locale; where that cannot be found out, it has.
fn is_installed(name: &str) -> bool {
    let is_own = matches!(name, "C" | "POSIX" | "C.UTF-8" | "C.utf8");
    let is_elsewhere = ["LOCPATH", "LOCALE_ARCHIVE"].iter().any(|variable| std::env::var_os(variable).is_some());
    if is_own || is_elsewhere || !Path::new(FOLDER).is_dir() {
        return true;
    }
    let archived = archived(&Path::new(FOLDER).join("locale-archive"));
    spellings(name).iter().any(|spelling| {
        let is_folder = !spelling.contains('/') && Path::new(FOLDER).join(spelling).is_dir();
        is_folder || archived.as_ref().is_ok_and(|names| names.contains(spelling))
    }) || archived.is_err_and(|error| error.kind() != io::ErrorKind::NotFound)
        || is_alias(name)
}

/// The names under which a locale may be kept, `de_DE.UTF-8@euro` as `de_DE.utf8@euro` and shorter.
fn spellings(name: &str) -> Vec<String> {
    let (rest, modifier) = name.split_once('@').map_or((name, String::new()), |(rest, modifier)| (rest, format!("@{modifier}")));
    let (place, encoding) = rest.split_once('.').map_or((rest, None), |(place, encoding)| (place, Some(encoding)));
    let language = place.split('_').next().unwrap_or(place);
    let mut found = vec![name.to_owned()];
    for place in [place, language] {
        if let Some(encoding) = encoding {
            found.push(format!("{place}.{}{modifier}", normal(encoding)));
        }
        found.push(format!("{place}{modifier}"));
    }
    found
}

/// `UTF-8` as `utf8`.
fn normal(encoding: &str) -> String {
    encoding.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// The names in glibc's archive: their offset and length are the sixth and seventh number of its head.
fn archived(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let mut head = [0; 28];
    file.read_exact(&mut head)?;
    let number = |index: usize| head[4 * index..4 * index + 4].try_into().map_or(0, u32::from_ne_bytes);
    file.seek(SeekFrom::Start(number(5).into()))?;
    let mut names = Vec::new();
    file.take(number(6).into()).read_to_end(&mut names)?;
    Ok(names.split(|byte| *byte == 0).map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// Whether `german` and the like is another name of a locale.
fn is_alias(name: &str) -> bool {
    let aliases = fs::read_to_string("/usr/share/locale/locale.alias").unwrap_or_default();
    aliases.lines().any(|line| line.split_whitespace().next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ansible_refuses_is_refused() {
        let check = |variables: &str, expected: Option<&str>| {
            let pairs: Vec<(&str, &str)> = variables.split_whitespace().filter_map(|word| word.split_once('=')).collect();
            let variable = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            let is_there = |name: &str| !name.starts_with("ham");
            let found = refused(&variable, &is_there);
            assert_eq!(found.is_some(), expected.is_some(), "{variables}: {found:?}");
            assert!(expected.is_none_or(|part| found.is_some_and(|found| found.contains(part))), "{variables}");
        };
        for fine in ["", "LANG=C", "LC_ALL=POSIX", "LC_ALL=en_US.UTF-8", "LANG=C LC_CTYPE=ham", "LC_ALL=C.utf8 LC_CTYPE=ham LANG=ham"] {
            check(fine, None);
        }
        for missing in ["LC_ALL=ham_sandwich LC_CTYPE=en_US.UTF-8", "LANG=ham", "LC_MESSAGES=ham LANG=C.UTF-8"] {
            check(missing, Some("unsupported locale setting"));
        }
        for other in ["LC_ALL=de_DE.ISO-8859-1", "LC_CTYPE=de_DE.ISO-8859-15@euro", "LANG=ja_JP.eucJP"] {
            check(other, Some("to be UTF-8; Detected"));
        }
    }

    #[test]
    fn a_locale_is_looked_for_under_all_its_names() {
        assert_eq!(spellings("de_DE.UTF-8@euro"), ["de_DE.UTF-8@euro", "de_DE.utf8@euro", "de_DE@euro", "de.utf8@euro", "de@euro"]);
        assert_eq!(spellings("C.utf8")[0], "C.utf8");
    }
}

//! The lookup `password`: a password kept in a file, made where there is none.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{given, refuse, refuse_option, split_term};
use crate::template::filter::{chance, expand_user};
use crate::template::{Evaluator, Lookup, Options, Result, TemplateError, Val};
use crate::value::Text;

pub(super) const LOOKUPS: &[Lookup] =
    &[Lookup { name: "password", options: &["chars", "encrypt", "ident", "length", "seed"], run: password }];

const OPTIONS: [&str; 5] = ["chars", "encrypt", "ident", "length", "seed"];

fn password(evaluator: &Evaluator, terms: &[Val], options: &Options) -> Result<Vec<Val>> {
    let mut passwords = Vec::new();
    for term in terms {
        let (path, merged) = split_term(evaluator, term, options)?;
        let own = merged.named.iter().filter(|(name, _)| options.get(name).is_none());
        let mut unknown: Vec<&str> = own.map(|(name, _)| &**name).filter(|name| !OPTIONS.contains(name)).collect();
        unknown.sort_unstable();
        if !unknown.is_empty() {
            return refuse(format!("Unrecognized parameter(s) given to password lookup: {}", unknown.join(", ")));
        }
        for option in ["encrypt", "ident", "seed"] {
            if given(&merged, option).is_some_and(|val| val.as_str() != Some("")) {
                return refuse_option("password", option);
            }
        }
        let length = match given(&merged, "length") {
            None => 20,
            Some(val) => match val.as_int().or_else(|| val.as_str()?.parse().ok()).and_then(|length| usize::try_from(length).ok()) {
                Some(length) => length,
                None => return refuse(format!("`length` is `{}`, expected a number", evaluator.text(val)?.as_str())),
            },
        };
        evaluator.charge(length)?;
        let chars = alphabet(evaluator, &merged)?;
        let path = evaluator.context().playbook_dir.join(expand_user(&path));
        let password = if path == Path::new("/dev/null") { random(&chars, length) } else { kept(&path, || random(&chars, length))? };
        passwords.push(Val::from(Text::from(password)));
    }
    Ok(passwords)
}

/// The letters to choose from: named sets, and other letters as they are.
fn alphabet(evaluator: &Evaluator, options: &Options) -> Result<Vec<char>> {
    let mut parts: Vec<String> = Vec::new();
    match given(options, "chars") {
        None => parts.extend(["ascii_letters", "digits", ".,:-_"].map(str::to_owned)),
        Some(list) if list.is_list() => {
            for part in evaluator.items(list)? {
                parts.push(evaluator.text(&part)?.as_str().to_owned());
            }
        }
        Some(text) => {
            let text = evaluator.text(text)?;
            let mut rest = text.as_str().to_owned();
            if rest.contains(",,") {
                parts.push(",".to_owned());
                rest = rest.replace(",,", ",");
            }
            parts.extend(rest.split(',').filter(|part| !part.is_empty()).map(str::to_owned));
        }
    }
    let chars: Vec<char> = parts.iter().flat_map(|part| named_set(part)).collect();
    if chars.is_empty() { refuse("`chars` names no character") } else { Ok(chars) }
}

fn named_set(name: &str) -> Vec<char> {
    let ascii = |fits: fn(&char) -> bool| ('\0'..='\x7f').filter(fits).collect::<Vec<char>>();
    match name {
        "ascii_letters" => ascii(char::is_ascii_alphabetic),
        "ascii_lowercase" => ascii(char::is_ascii_lowercase),
        "ascii_uppercase" => ascii(char::is_ascii_uppercase),
        "digits" => ascii(char::is_ascii_digit),
        "hexdigits" => "0123456789abcdefABCDEF".chars().collect(),
        "octdigits" => "01234567".chars().collect(),
        "punctuation" => ascii(char::is_ascii_punctuation),
        "whitespace" => " \t\n\r\x0b\x0c".chars().collect(),
        "printable" => ascii(|c| c.is_ascii_graphic() || c.is_ascii_whitespace()),
        other => other.chars().collect(),
    }
}

fn random(chars: &[char], length: usize) -> String {
    (0..length).map(|_| chars[chance(chars.len())]).collect()
}

/// The password in the file; where there is none, a new one is put there for whoever asks next, on other threads too.
fn kept(path: &Path, make: impl FnOnce() -> String) -> Result<String> {
    let failed = |error: std::io::Error| TemplateError::plugin(format!("the password file `{}` cannot be used: {error}", path.display()));
    if let Some(password) = stored(path).map_err(failed)? {
        return Ok(password);
    }
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let password = make();
    let draft = folder.join(format!(".{}.{:016x}", path.file_name().unwrap_or_default().to_string_lossy(), chance(usize::MAX)));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    writeln!(file, "{password}").map_err(failed)?;
    // A link never replaces a file: of two who make one, the first wins and the second reads it.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Ok(()) => Ok(password),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(stored(path).map_err(failed)?.unwrap_or(password)),
        Err(error) => Err(failed(error)),
    }
}

/// What the file holds, without the salt that may follow.
fn stored(path: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(content) => {
            let line = content.trim_end();
            Ok(Some(line.rsplit_once(" salt=").map_or(line, |(password, _)| password).to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! The lookup `password`: a password kept in a file, made where there is none.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{given, refuse, refuse_option, split_term};
use crate::template::filter::{chance, crypt_password, expand_user, random_salt};
use crate::template::python::crypt::Method;
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
        for option in ["ident", "seed"] {
            if given(&merged, option).is_some_and(|val| val.as_str() != Some("")) {
                return refuse_option("password", option);
            }
        }
        let hash = hash_of(evaluator, &merged)?;
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
        let make = || Kept { password: random(&chars, length), salt: None };
        let with_salt = |kept: Kept| Kept { salt: kept.salt.or_else(|| hash.is_some().then(random_salt)), ..kept };
        let kept = if path == Path::new("/dev/null") { with_salt(make()) } else { keep(&path, make, with_salt)? };
        passwords.push(match (hash, &kept.salt) {
            (Some(hash), Some(salt)) => match crypt_password(hash, &kept.password, salt, None) {
                Ok(hashed) => Val::from(hashed),
                Err(message) => return refuse(message),
            },
            _ => Val::from(Text::from(kept.password)),
        });
    }
    Ok(passwords)
}

/// How the password is hashed, if it is.
fn hash_of(evaluator: &Evaluator, options: &Options) -> Result<Option<Method>> {
    let Some(encrypt) = given(options, "encrypt") else { return Ok(None) };
    if !evaluator.truthy(encrypt)? {
        return Ok(None);
    }
    match evaluator.text(encrypt)?.as_str() {
        "sha256_crypt" => Ok(Some(Method::Sha256)),
        "sha512_crypt" => Ok(Some(Method::Sha512)),
        other @ ("bcrypt" | "md5_crypt") => refuse(format!("the password hash `{other}` is not supported yet")),
        other => refuse(format!("crypt does not support '{other}' algorithm")),
    }
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

/// What a password file holds.
struct Kept {
    password: String,
    salt: Option<String>,
}

/// What the file holds, once `complete`: what was missing is put there for whoever asks next, on other threads too.
fn keep(path: &Path, make: impl FnOnce() -> Kept, complete: impl Fn(Kept) -> Kept) -> Result<Kept> {
    let failed = |error: std::io::Error| TemplateError::plugin(format!("the password file `{}` cannot be used: {error}", path.display()));
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let lock = std::fs::File::open(&folder).map_err(failed)?;
    // Of two who find no password, the first makes it and the second reads it.
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    let found = stored(path).map_err(failed)?;
    let had = found.as_ref().map(|kept| kept.salt.is_some());
    let kept = complete(found.unwrap_or_else(make));
    if had == Some(kept.salt.is_some()) || had == Some(true) {
        return Ok(kept);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{:016x}", chance(usize::MAX)));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    let salt = kept.salt.as_ref().map_or_else(String::new, |salt| format!(" salt={salt}"));
    let written = writeln!(file, "{}{salt}", kept.password).and_then(|()| std::fs::rename(&draft, path));
    match written {
        Ok(()) => Ok(kept),
        Err(error) => {
            // The draft is of no use to anyone; the error that is told is the first.
            let _ = std::fs::remove_file(&draft);
            Err(failed(error))
        }
    }
}

fn stored(path: &Path) -> std::io::Result<Option<Kept>> {
    match std::fs::read_to_string(path) {
        Ok(content) => {
            let line = content.trim_end();
            let (password, salt) = line.rsplit_once(" salt=").map_or((line, None), |(password, salt)| (password, Some(salt.to_owned())));
            Ok(Some(Kept { password: password.to_owned(), salt }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

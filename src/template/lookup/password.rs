//! The lookup `password`: a password kept in a file, made where there is none.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{given, refuse, split_term};
use crate::template::filter::{Algorithm, Source, chance, expand_user};
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
        let algorithm = algorithm_of(evaluator, &merged)?;
        let ident = match given(&merged, "ident") {
            Some(ident) if algorithm.is_some() => Some(evaluator.text(ident)?.as_str().to_owned()),
            _ => algorithm.filter(|algorithm| algorithm.keeps_ident).map(|algorithm| algorithm.ident.to_owned()),
        };
        let mut source = source_of(evaluator, &merged)?;
        let length = match given(&merged, "length") {
            None => 20,
            Some(val) => match val.as_int().or_else(|| val.as_str()?.parse().ok()) {
                Some(length) => usize::try_from(length).unwrap_or(0),
                None => {
                    let shown = evaluator.repr(val)?;
                    return refuse(format!(
                        "Config 'length' for 'password' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {}",
                        shown.as_str()
                    ));
                }
            },
        };
        evaluator.charge(length)?;
        let chars = alphabet(evaluator, &merged)?;
        let path = evaluator.context().playbook_dir.join(expand_user(&path));
        let mut make = || Kept { password: random(&chars, length, &mut source), salt: None, ident: None };
        let complete = |kept: Kept| match algorithm {
            None => kept,
            Some(algorithm) => {
                Kept { salt: Some(kept.salt.unwrap_or_else(|| algorithm.salt_to_keep())), ident: kept.ident.or(ident), ..kept }
            }
        };
        let kept = if path == Path::new("/dev/null") { complete(make()) } else { keep(&path, make, complete)? };
        passwords.push(match (algorithm, &kept.salt) {
            (Some(algorithm), Some(salt)) => Val::from(algorithm.hash(&kept.password, salt, None, kept.ident.as_deref())?),
            _ => Val::from(Text::from(kept.password)),
        });
    }
    Ok(passwords)
}

/// How the password is hashed, if it is.
fn algorithm_of(evaluator: &Evaluator, options: &Options) -> Result<Option<&'static Algorithm>> {
    let Some(encrypt) = given(options, "encrypt") else { return Ok(None) };
    if !evaluator.truthy(encrypt)? {
        return Ok(None);
    }
    Algorithm::named(evaluator.text(encrypt)?.as_str()).map(Some)
}

/// Where the letters come from. A seed is a text, and none when it is empty.
fn source_of(evaluator: &Evaluator, options: &Options) -> Result<Source> {
    match given(options, "seed") {
        None => Source::new(None),
        Some(val) if val.is_list() || val.is_mapping() => refuse(format!(
            "Config 'seed' for 'password' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'str': {}",
            evaluator.repr(val)?.as_str()
        )),
        Some(val) => {
            let seed = Val::from(evaluator.text(val)?);
            Source::new(Some(&seed).filter(|seed| seed.as_str() != Some("")))
        }
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
    // Ansible takes quotes out of every set.
    let chars: Vec<char> = parts.iter().flat_map(|part| named_set(part)).filter(|char| !matches!(char, '\'' | '"')).collect();
    if chars.is_empty() { refuse("Cannot choose from an empty sequence") } else { Ok(chars) }
}

fn named_set(name: &str) -> Vec<char> {
    let ascii = |fits: fn(&char) -> bool| ('\0'..='\x7f').filter(fits).collect::<Vec<char>>();
    match name {
        "ascii_letters" => ('a'..='z').chain('A'..='Z').collect(),
        "ascii_lowercase" => ascii(char::is_ascii_lowercase),
        "ascii_uppercase" => ascii(char::is_ascii_uppercase),
        "digits" => ascii(char::is_ascii_digit),
        "hexdigits" => "0123456789abcdefABCDEF".chars().collect(),
        "octdigits" => "01234567".chars().collect(),
        "punctuation" => ascii(char::is_ascii_punctuation),
        "whitespace" => " \t\n\r\x0b\x0c".chars().collect(),
        "printable" => ["digits", "ascii_letters", "punctuation", "whitespace"].into_iter().flat_map(named_set).collect(),
        other => other.chars().collect(),
    }
}

fn random(chars: &[char], length: usize, source: &mut Source) -> String {
    (0..length).map(|_| chars[source.index(chars.len())]).collect()
}

/// What a password file holds.
struct Kept {
    password: String,
    salt: Option<String>,
    ident: Option<String>,
}

impl Kept {
    /// The line of the file.
    fn line(&self) -> String {
        let part = |mark: &str, part: &Option<String>| part.as_ref().map_or_else(String::new, |part| format!(" {mark}={part}"));
        format!("{}{}{}", self.password, part("salt", &self.salt), part("ident", &self.ident))
    }
}

/// What the file holds, once `complete`: what was missing is put there for whoever asks next, on other threads too.
fn keep(path: &Path, make: impl FnOnce() -> Kept, complete: impl FnOnce(Kept) -> Kept) -> Result<Kept> {
    let failed = |error: std::io::Error| TemplateError::plugin(format!("the password file `{}` cannot be used: {error}", path.display()));
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
    let lock = std::fs::File::open(&folder).map_err(failed)?;
    // Of two who find no password, the first makes it and the second reads it.
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).map_err(|error| failed(error.into()))?;
    let found = stored(path).map_err(failed)?;
    let had = found.as_ref().map(Kept::line);
    let kept = complete(found.unwrap_or_else(make));
    let line = kept.line();
    if had.as_ref() == Some(&line) {
        return Ok(kept);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder.join(format!(".{name}.{:016x}", chance(usize::MAX)));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed)?;
    let written = writeln!(file, "{line}").and_then(|()| std::fs::rename(&draft, path));
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
            let mut line = content.trim_end();
            let mut part = |mark: &str| {
                let (rest, part) = line.rsplit_once(mark)?;
                line = rest;
                Some(part.to_owned())
            };
            let (ident, salt) = (part(" ident="), part(" salt="));
            Ok(Some(Kept { password: line.to_owned(), salt, ident }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

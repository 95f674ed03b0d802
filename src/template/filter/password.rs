//! The filter `password_hash`, as ansible-core without passlib makes hashes: with the C library's `crypt`.

use super::{chance, derived, filter, refuse};
use crate::template::python::crypt::{DIGITS, Setting};
use crate::template::{Bound, Evaluator, Filter, Param, Result, TemplateError, Val};
use crate::value::{Text, Value};

use Param::Optional;

pub(super) const FILTERS: &[Filter] = &[filter(
    "password_hash",
    &[Optional("hashtype"), Optional("salt"), Optional("salt_size"), Optional("rounds"), Optional("ident")],
    password_hash,
)];

/// A kind of hash under the name that `crypt` has for it.
pub(in crate::template) struct Algorithm {
    /// The name in messages, and for the lookup `password`.
    pub name: &'static str,
    /// What a hash of it starts with.
    pub ident: &'static str,
    /// Whether the identifier is kept beside a salt.
    pub keeps_ident: bool,
    salt_size: SaltSize,
    rounds: i64,
}

#[derive(Clone, Copy)]
enum SaltSize {
    AtMost(usize),
    Exactly(usize),
}

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm { name: "bcrypt", ident: "2b", keeps_ident: true, salt_size: SaltSize::Exactly(22), rounds: 12 },
    Algorithm { name: "md5_crypt", ident: "1", keeps_ident: false, salt_size: SaltSize::AtMost(8), rounds: 0 },
    Algorithm { name: "sha256_crypt", ident: "5", keeps_ident: false, salt_size: SaltSize::AtMost(16), rounds: 535_000 },
    Algorithm { name: "sha512_crypt", ident: "6", keeps_ident: false, salt_size: SaltSize::AtMost(16), rounds: 656_000 },
    Algorithm { name: "yescrypt", ident: "y", keeps_ident: false, salt_size: SaltSize::Exactly(16), rounds: 0 },
];

impl Algorithm {
    /// The algorithm that `crypt` knows by this name.
    pub fn named(name: &str) -> Result<&'static Self> {
        match ALGORITHMS.iter().find(|algorithm| algorithm.name == name) {
            Some(algorithm) => Ok(algorithm),
            None => refuse(format!("crypt does not support '{name}' algorithm")),
        }
    }

    /// A salt that nobody knows yet.
    fn salt(&self) -> String {
        let (SaltSize::AtMost(size) | SaltSize::Exactly(size)) = self.salt_size;
        random_digits(size)
    }

    /// This salt; where there is none, one of this size that nobody knows yet.
    fn chosen_salt(&self, salt: Option<&str>, size: Option<usize>) -> Result<String> {
        if let Some(size) = size {
            self.check_size(size)?;
        }
        Ok(match (salt.filter(|salt| !salt.is_empty()), size) {
            (Some(salt), _) => salt.to_owned(),
            (None, Some(size)) => random_digits(size),
            (None, None) => self.salt(),
        })
    }

    /// A salt for the lookup `password`, whose salts are too short for yescrypt: Ansible fails there, and so do we.
    pub fn salt_to_keep(&self) -> String {
        if self.name == "yescrypt" { random_digits(8) } else { self.salt() }
    }

    /// The hash of a password.
    pub fn hash(&self, password: &str, salt: &str, rounds: Option<i64>, ident: Option<&str>) -> Result<String> {
        if !salt.bytes().all(|byte| DIGITS.contains(&byte)) {
            return refuse("invalid characters in salt");
        }
        self.check_size(salt.len())?;
        let rounds = rounds.filter(|rounds| *rounds != 0).unwrap_or(self.rounds);
        let ident = ident.filter(|ident| !ident.is_empty()).unwrap_or(self.ident);
        if ident == "gy" || (ident == "7" && (6..=11).contains(&rounds)) {
            return refuse(format!("the hash `${ident}$` is not supported yet"));
        }
        match Setting::generate(ident, rounds, salt.as_bytes()).and_then(|setting| setting.hash(password)) {
            Some(hash) => Ok(hash),
            None => refuse(format!("Failed to generate salt for '{}' algorithm: crypt_gensalt failed: unable to generate salt", self.name)),
        }
    }

    fn check_size(&self, size: usize) -> Result<()> {
        match self.salt_size {
            SaltSize::AtMost(most) if size > most => refuse(format!("invalid salt size supplied ({size}), expected at most {most}")),
            SaltSize::Exactly(exact) if size != exact => refuse(format!("invalid salt size supplied ({size}), expected {exact}")),
            _ => Ok(()),
        }
    }
}

/// The hash of a password by the algorithm of this name, with this salt or one of this size that is made up.
pub fn hash_password(password: &str, algorithm: &str, salt: Option<&str>, salt_size: Option<usize>) -> Result<String> {
    let algorithm = Algorithm::named(algorithm)?;
    algorithm.hash(password, &algorithm.chosen_salt(salt, salt_size)?, None, None)
}

fn password_hash(evaluator: &Evaluator, value: &Val, arguments: &Bound) -> Result<Val> {
    let given = |index: usize| arguments.get(index).filter(|val| !val.is_none());
    let text = evaluator.text(value)?;
    let name = match arguments.get(0) {
        None => "sha512_crypt",
        Some(Val::Plain(Value::Text(kind))) => match kind.as_str() {
            "md5" => "md5_crypt",
            "blowfish" => "bcrypt",
            "sha256" => "sha256_crypt",
            "sha512" => "sha512_crypt",
            other => other,
        },
        Some(other) => return refuse(format!("crypt does not support {} algorithm", evaluator.repr(other)?.as_str())),
    };
    let algorithm = Algorithm::named(name)?;
    let size = match given(2) {
        None => None,
        Some(_) => Some(usize::try_from(arguments.int_or(2, 0)?).unwrap_or(0)),
    };
    if let Some(size) = size {
        algorithm.check_size(size)?;
    }
    let salt = match given(1) {
        None => algorithm.chosen_salt(None, size)?,
        Some(Val::Plain(Value::Text(salt))) => algorithm.chosen_salt(Some(salt.as_str()), size)?,
        Some(other) => return refuse(format!("'{}' object is not iterable", other.type_name())),
    };
    let rounds = match given(3) {
        None => None,
        Some(val) => Some(val.as_int().ok_or_else(|| {
            TemplateError::plugin(format!("argument 2: TypeError: '{}' object cannot be interpreted as an integer", val.type_name()))
        })?),
    };
    let hash = algorithm.hash(text.as_str(), &salt, rounds, arguments.text(4)?.map(Text::as_str))?;
    Ok(derived(evaluator, &text, hash))
}

fn random_digits(count: usize) -> String {
    (0..count).map(|_| char::from(DIGITS[chance(DIGITS.len())])).collect()
}

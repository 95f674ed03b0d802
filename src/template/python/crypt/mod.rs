//! `crypt` and `crypt_gensalt` as the C library has them: the password hashes of Unix.

mod blowfish;
mod md5;
mod scramble;
mod sha;

use scramble::Yescrypt;
use sha::Method;

/// The digits of `crypt`, from 0 to 63.
pub const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// One way to hash: what `crypt_gensalt` makes.
pub enum Setting {
    /// `$1$`
    Md5(String),
    /// `$2a$`, `$2b$`, `$2y$`
    Blowfish(blowfish::Blowfish),
    /// `$5$`, `$6$`: how, with which salt and how often.
    Sha(Method, String, u32),
    /// `$y$`
    Yescrypt(Yescrypt),
}

/// Rounds or costs that the caller leaves to the method.
const BY_DEFAULT: i64 = 0;

impl Setting {
    /// `crypt_gensalt("$ident$", rounds, bytes)`; `None` where it refuses.
    pub fn generate(ident: &str, rounds: i64, bytes: &[u8]) -> Option<Self> {
        match ident {
            "1" => (rounds == BY_DEFAULT).then_some(())?,
            "5" | "6" => {
                let method = if ident == "5" { Method::Sha256 } else { Method::Sha512 };
                let rounds = if rounds == BY_DEFAULT { sha::DEFAULT_ROUNDS } else { u32::try_from(rounds).unwrap_or(u32::MAX) };
                return Some(Self::Sha(method, salt_of_bytes(bytes, 4)?, rounds));
            }
            "y" => return Yescrypt::new(rounds, bytes).map(Self::Yescrypt),
            _ => return blowfish::Blowfish::new(ident, rounds, bytes).map(Self::Blowfish),
        }
        salt_of_bytes(bytes, 2).map(Self::Md5)
    }

    /// `crypt(password, setting)`; `None` where the method refuses.
    pub fn hash(&self, password: &str) -> Option<String> {
        // For C a text ends at its first zero.
        let password = password.split('\0').next().unwrap_or_default().as_bytes();
        match self {
            Self::Md5(salt) => Some(md5::md5_crypt(password, salt)),
            Self::Blowfish(blowfish) => Some(blowfish.hash(password)),
            Self::Sha(method, salt, rounds) => Some(sha::sha_crypt(*method, password, salt, *rounds)),
            Self::Yescrypt(yescrypt) => yescrypt.hash(password),
        }
    }
}

/// The salt that the C library makes of bytes: four digits of every three that others follow, so many groups at most; `None` of
/// fewer than three bytes.
fn salt_of_bytes(bytes: &[u8], groups: usize) -> Option<String> {
    if bytes.len() < 3 {
        return None;
    }
    let mut salt = String::new();
    for group in bytes.chunks_exact(3).take((bytes.len() - 1) / 3).take(groups) {
        push_digits(&mut salt, u32::from(group[2]) << 16 | u32::from(group[1]) << 8 | u32::from(group[0]), 4);
    }
    Some(salt)
}

fn push_digits(out: &mut String, mut number: u32, count: usize) {
    for _ in 0..count {
        out.push(char::from(DIGITS[(number & 63) as usize]));
        number >>= 6;
    }
}

/// All bytes as digits, the low bits first.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte));
        push_digits(&mut out, number, group.len() + 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_the_c_library_s() {
        let table = [("ab", None), ("abc", Some("")), ("abcdef", Some("V7qM")), ("abcdefghijklmno", Some("V7qMYJaNbVKOeh4P"))];
        for (bytes, expected) in table {
            assert_eq!(salt_of_bytes(bytes.as_bytes(), 4).as_deref(), expected, "{bytes}");
        }
    }
}

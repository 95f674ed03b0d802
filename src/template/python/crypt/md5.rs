//! MD5-crypt, the password hashes `$1$` of old.

use md5::{Digest as _, Md5};

use super::push_digits;

/// `crypt(password, "$1$salt")`
pub fn md5_crypt(password: &[u8], salt: &str) -> String {
    let salt = salt.as_bytes();
    let alternate = digest(&[password, salt, password]);
    let mut first = Md5::new();
    first.update(password);
    first.update(b"$1$");
    first.update(salt);
    first.update(alternate.iter().copied().cycle().take(password.len()).collect::<Vec<u8>>());
    let mut bits = password.len();
    while bits > 0 {
        // An empty password never comes here, so it has a first byte.
        first.update(if bits & 1 == 1 { &[0] } else { &password[..1] });
        bits >>= 1;
    }
    let mut state = first.finalize().to_vec();
    for round in 0..1000 {
        let odd = round & 1 == 1;
        let mut next = Md5::new();
        next.update(if odd { password } else { &state });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &state } else { password });
        state = next.finalize().to_vec();
    }
    format!("$1${}${}", String::from_utf8_lossy(salt), encode(&state))
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Md5::new(), |digest, part| digest.chain_update(part)).finalize().to_vec()
}

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for [high, middle, low] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        push_digits(&mut out, u32::from(bytes[high]) << 16 | u32::from(bytes[middle]) << 8 | u32::from(bytes[low]), 4);
    }
    push_digits(&mut out, u32::from(bytes[11]), 2);
    out
}

//! SHA-crypt, the password hashes `$5$` and `$6$` of Unix.

use sha2::{Digest, Sha256, Sha512};

use super::push_digits;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `$5$`
    Sha256,
    /// `$6$`
    Sha512,
}

/// Rounds that are not written into the hash.
pub const DEFAULT_ROUNDS: u32 = 5000;

/// `crypt(password, "$6$rounds=…$salt")`
pub fn sha_crypt(method: Method, password: &[u8], salt: &str, rounds: u32) -> String {
    let rounds = rounds.clamp(1000, 999_999_999);
    let (prefix, digest) = match method {
        Method::Sha256 => ("5", encode_256(&rounds_of::<Sha256>(password, salt.as_bytes(), rounds))),
        Method::Sha512 => ("6", encode_512(&rounds_of::<Sha512>(password, salt.as_bytes(), rounds))),
    };
    let written = if rounds == DEFAULT_ROUNDS { String::new() } else { format!("rounds={rounds}$") };
    format!("${prefix}${written}{salt}${digest}")
}

fn rounds_of<D: Digest>(password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
    let digest = |parts: &[&[u8]]| {
        let mut digest = D::new();
        for part in parts {
            digest.update(part);
        }
        digest.finalize().to_vec()
    };
    let stretched = |bytes: &[u8], length: usize| bytes.iter().copied().cycle().take(length).collect::<Vec<u8>>();
    let alternate = digest(&[password, salt, password]);
    let mut first = D::new();
    first.update(password);
    first.update(salt);
    first.update(stretched(&alternate, password.len()));
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { alternate.as_slice() } else { password });
        bits >>= 1;
    }
    let mut state = first.finalize().to_vec();
    let passwords = stretched(&digest(&vec![password; password.len()]), password.len());
    let salts = stretched(&digest(&vec![salt; 16 + usize::from(state[0])]), salt.len());
    for round in 0..rounds {
        let odd = round & 1 == 1;
        let mut next = D::new();
        next.update(if odd { &passwords } else { &state });
        if round % 3 != 0 {
            next.update(&salts);
        }
        if round % 7 != 0 {
            next.update(&passwords);
        }
        next.update(if odd { &state } else { &passwords });
        state = next.finalize().to_vec();
    }
    state
}

fn three(bytes: &[u8], [high, middle, low]: [usize; 3]) -> u32 {
    u32::from(bytes[high]) << 16 | u32::from(bytes[middle]) << 8 | u32::from(bytes[low])
}

fn encode_512(bytes: &[u8]) -> String {
    let mut out = encode_thirds(bytes, 21, [1, 2, 0]);
    push_digits(&mut out, u32::from(bytes[63]), 2);
    out
}

fn encode_256(bytes: &[u8]) -> String {
    let mut out = encode_thirds(bytes, 10, [2, 0, 1]);
    push_digits(&mut out, u32::from(bytes[31]) << 8 | u32::from(bytes[30]), 3);
    out
}

/// A byte of each third at a time, the thirds changing places as `next` says.
fn encode_thirds(bytes: &[u8], third: usize, next: [usize; 3]) -> String {
    let mut out = String::new();
    let mut places = [0, third, 2 * third];
    for _ in 0..third {
        push_digits(&mut out, three(bytes, places), 4);
        places = next.map(|place| places[place] + 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_c_library_s() {
        assert_eq!(
            sha_crypt(Method::Sha512, b"Hello world!", "saltstring", 5000),
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
        );
        assert_eq!(
            sha_crypt(Method::Sha256, b"Hello world!", "saltstring", 5000),
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"
        );
        assert_eq!(
            sha_crypt(Method::Sha256, b"Hello world!", "saltstringsaltst", 10000),
            "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"
        );
        assert_eq!(
            sha_crypt(Method::Sha512, b"Hello world!", "", 1001),
            "$6$rounds=1001$$Bwst39QIFWdBTc2xLnQM/hF0ZDLGEvtLVOSBk1d5HVkgauYJhBa34X.WkpPmbCC/A/jZzlZNFviP4B3dSxmQK/"
        );
    }
}

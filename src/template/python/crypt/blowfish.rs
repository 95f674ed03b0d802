//! bcrypt, the password hashes `$2b$` of OpenBSD.

/// Its digits, in another order than those of the other hashes.
const DIGITS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A salt and a cost.
pub struct Blowfish {
    ident: &'static str,
    cost: u32,
    salt: [u8; 16],
}

impl Blowfish {
    /// Of the first 16 bytes; `None` of fewer, or of a cost or an identifier that it has not.
    pub fn new(ident: &str, cost: i64, bytes: &[u8]) -> Option<Self> {
        let ident = ["2a", "2b", "2y"].into_iter().find(|known| *known == ident)?;
        let cost = if cost == 0 { 5 } else { u32::try_from(cost).ok().filter(|cost| (4..=31).contains(cost))? };
        Some(Self { ident, cost, salt: bytes.get(..16)?.try_into().ok()? })
    }

    /// The hash of a password, of which the first 72 bytes count.
    pub fn hash(&self, password: &[u8]) -> String {
        let mut password = [password, b"\0"].concat();
        password.truncate(72);
        let hash = bcrypt::bcrypt(self.cost, self.salt, &password);
        format!("${}${:02}${}{}", self.ident, self.cost, encode(&self.salt), encode(&hash[..23]))
    }
}

/// Bytes as digits, the high bits first.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut wide = [0; 4];
        wide[1..=group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(wide);
        out.extend((0..=group.len()).map(|digit| char::from(DIGITS[(number >> (18 - 6 * digit) & 63) as usize])));
    }
    out
}

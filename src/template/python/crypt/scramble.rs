//! yescrypt, the password hashes `$y$` of today's distributions.

use yescrypt::{Mode, Params};

use super::{DIGITS, encode};

/// A salt and a cost.
pub struct Yescrypt {
    cost: u32,
    salt: Vec<u8>,
}

/// The largest salt that is kept.
const MAX_SALT: usize = 64;

impl Yescrypt {
    /// `None` of a cost that it has not, or of too few bytes.
    pub fn new(cost: i64, bytes: &[u8]) -> Option<Self> {
        let cost = if cost == 0 { 5 } else { u32::try_from(cost).ok().filter(|cost| (1..=11).contains(cost))? };
        (bytes.len() >= 16).then(|| Self { cost, salt: bytes[..bytes.len().min(MAX_SALT)].to_vec() })
    }

    /// The hash of a password.
    pub fn hash(&self, password: &[u8]) -> Option<String> {
        let (blocks, doublings) = if self.cost < 3 { (8, self.cost + 9) } else { (32, self.cost + 7) };
        let params = Params::new(Mode::Rw, 1 << doublings, blocks, 1).ok()?;
        let mut hash = [0; 32];
        yescrypt::yescrypt(password, &self.salt, &params, &mut hash).ok()?;
        let digit = |number: u32| char::from(DIGITS[(number - 1) as usize]);
        Some(format!("$y$j{}{}${}${}", digit(doublings), digit(blocks), encode(&self.salt), encode(&hash)))
    }
}

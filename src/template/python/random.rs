//! Python's `random.Random(seed)`: the Mersenne Twister, seeded and drawn from as CPython does, so that a seed means the same.

use num_bigint::BigInt;
use sha2::Digest as _;

const SIZE: usize = 624;
const SHIFT: usize = 397;

/// A generator that gives the same numbers for the same seed.
pub struct Random {
    state: [u32; SIZE],
    index: usize,
}

impl Random {
    /// `Random(text)`
    pub fn of_text(seed: &str) -> Self {
        let mut bytes = seed.as_bytes().to_vec();
        bytes.extend_from_slice(&sha2::Sha512::digest(seed.as_bytes()));
        Self::of_words(&BigInt::from_bytes_be(num_bigint::Sign::Plus, &bytes).to_u32_digits().1)
    }

    /// `Random(number)`
    pub fn of_int(seed: &BigInt) -> Self {
        Self::of_words(&seed.to_u32_digits().1)
    }

    fn of_words(words: &[u32]) -> Self {
        let words = if words.is_empty() { &[0] } else { words };
        let mut state = [0_u32; SIZE];
        state[0] = 19_650_218;
        for index in 1..SIZE {
            let before = state[index - 1];
            state[index] = 1_812_433_253_u32.wrapping_mul(before ^ before >> 30).wrapping_add(to_word(index));
        }
        let (mut at, mut word) = (1, 0);
        for _ in 0..SIZE.max(words.len()) {
            let before = state[at - 1];
            let mixed = state[at] ^ (before ^ before >> 30).wrapping_mul(1_664_525);
            state[at] = mixed.wrapping_add(words[word]).wrapping_add(to_word(word));
            at = wrapped(at, &mut state);
            word = (word + 1) % words.len();
        }
        for _ in 1..SIZE {
            let before = state[at - 1];
            let mixed = state[at] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941);
            state[at] = mixed.wrapping_sub(to_word(at));
            at = wrapped(at, &mut state);
        }
        state[0] = 0x8000_0000;
        Self { state, index: SIZE }
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        let bits = u64::BITS - limit.leading_zeros();
        loop {
            let number = self.bits(bits);
            if number < limit {
                return number;
            }
        }
    }

    /// A number below a limit of any size, which is not 0.
    pub fn below_big(&mut self, limit: &BigInt) -> BigInt {
        let bits = limit.bits();
        loop {
            // Whole words first, the low ones before the high ones; of the last the top bits count.
            let (whole, rest) = (bits / 32, u32::try_from(bits % 32).unwrap_or(0));
            let mut words: Vec<u32> = (0..whole).map(|_| self.word()).collect();
            if rest > 0 {
                words.push(self.word() >> (32 - rest));
            }
            let number = BigInt::from_slice(num_bigint::Sign::Plus, &words);
            if number < *limit {
                return number;
            }
        }
    }

    /// A position in a list of `count`, which is not 0.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(u64::try_from(count).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    fn bits(&mut self, bits: u32) -> u64 {
        if bits <= 32 {
            return u64::from(self.word() >> (32 - bits));
        }
        let low = u64::from(self.word());
        low | u64::from(self.word() >> (64 - bits)) << 32
    }

    fn word(&mut self) -> u32 {
        if self.index == SIZE {
            for at in 0..SIZE {
                let joined = self.state[at] & 0x8000_0000 | self.state[(at + 1) % SIZE] & 0x7fff_ffff;
                let twist = if joined & 1 == 0 { 0 } else { 0x9908_b0df };
                self.state[at] = self.state[(at + SHIFT) % SIZE] ^ joined >> 1 ^ twist;
            }
            self.index = 0;
        }
        let mut word = self.state[self.index];
        self.index += 1;
        word ^= word >> 11;
        word ^= word << 7 & 0x9d2c_5680;
        word ^= word << 15 & 0xefc6_0000;
        word ^ word >> 18
    }
}

fn to_word(index: usize) -> u32 {
    u32::try_from(index & 0xffff_ffff).unwrap_or(0)
}

/// The place behind `at`; behind the last comes the second, and the first takes over the last.
fn wrapped(at: usize, state: &mut [u32; SIZE]) -> usize {
    if at + 1 < SIZE {
        return at + 1;
    }
    state[0] = state[SIZE - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_python_s() {
        let mut random = Random::of_int(&BigInt::from(1));
        assert_eq!([random.below(100), random.below(100), random.below(100), random.below(1 << 40)], [17, 72, 97, 558616790225]);
        let mut random = Random::of_text("x");
        assert_eq!([random.below(10), random.below(10), random.below(10)], [5, 9, 9]);
    }
}

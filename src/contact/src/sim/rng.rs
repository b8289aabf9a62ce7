//! Chance that can be repeated.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): small, and good enough for invented citizens.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `from` up to, not including, `to`; `from` when that is empty.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.number() % to.saturating_sub(from).max(1)
    }

    /// True in so many of a thousand cases.
    pub fn permille(&mut self, p: u64) -> bool {
        self.number() % 1_000 < p
    }

    /// One of several; None of none.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let n = self.between(0, of.len() as u64) as usize;
        of.get(n)
    }

    /// Ids of letters and digits, as the program makes them.
    pub fn letters(&mut self, len: usize) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let mut letter = || char::from(ALPHABET[(self.number() & 31) as usize]);
        (0..len).map(|_| letter()).collect()
    }
}

//! Random numbers that can be repeated: the same seed gives the same numbers (SplitMix64).

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Starts a stream at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Starts a separate stream for one part of a test, so that parts do not change each other's numbers.
    pub fn fork(&self, part: u64) -> Self {
        Self(Self(self.0 ^ part.wrapping_mul(0xd6e8_feb8_6659_fd93)).number())
    }

    /// Returns the next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// Returns true in `share` of a thousand cases.
    pub fn permille(&mut self, share: u32) -> bool {
        share > 0 && self.below(1000) < u64::from(share)
    }
}

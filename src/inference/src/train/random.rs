//! Numbers that look like chance and are the same on every machine: splitmix64 (Steele, Lea and Flood, OOPSLA 2014).

/// A generator; its whole state is one number.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A generator of its own for each use: the same parts give the same numbers.
    pub(super) fn of(parts: &[u64]) -> Self {
        let mut this = Self(0x9e37_79b9_7f4a_7c15);
        for &part in parts {
            this.0 ^= part;
            this.0 = this.next();
        }
        this
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to n - 1, and 0 for an empty range.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % (n.max(1) as u64)) as usize
    }

    /// -1 to 1, evenly.
    pub(super) fn symmetric(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    /// `n` of the items, each at most once, in random order; fewer where there are fewer.
    pub(super) fn some<T: Copy>(&mut self, items: &[T], n: usize) -> Vec<T> {
        let mut pool = items.to_vec();
        let n = n.min(pool.len());
        for i in 0..n {
            let j = i + self.below(pool.len() - i);
            pool.swap(i, j);
        }
        pool.truncate(n);
        pool
    }
}

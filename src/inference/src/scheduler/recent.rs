//! Vectors of recent queries: the same question comes again and again, on the day the bins were not emptied.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use super::Vector;
use crate::tokenize::Kind;

/// What an entry takes beside its numbers, in bytes: both maps' places and the vector's own counters, rounded up.
const OVERHEAD: usize = 160;

/// A text by its hash: what citizens wrote is not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key(Kind, [u8; 16]);

impl Key {
    fn new(kind: Kind, text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Self(kind, short)
    }
}

/// The vectors that were used last, as many as fit.
pub(super) struct Recent {
    /// Bytes that all entries may take; 0 keeps nothing.
    limit: usize,
    bytes: usize,
    /// Counts uses: the order of the entries.
    uses: u64,
    entries: HashMap<Key, (Vector, u64)>,
    by_use: BTreeMap<u64, Key>,
}

impl Recent {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            uses: 0,
            entries: HashMap::new(),
            by_use: BTreeMap::new(),
        }
    }

    fn cost(vector: &Vector) -> usize {
        size_of_val(&**vector) + OVERHEAD
    }

    pub(super) fn get(&mut self, kind: Kind, text: &str) -> Option<Vector> {
        if self.entries.is_empty() {
            return None;
        }
        let key = Key::new(kind, text);
        let (vector, used) = self.entries.get_mut(&key)?;
        self.by_use.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.by_use.insert(self.uses, key);
        Some(vector.clone())
    }

    pub(super) fn put(&mut self, kind: Kind, text: &str, vector: &Vector) {
        let cost = Self::cost(vector);
        if cost > self.limit {
            return;
        }
        let key = Key::new(kind, text);
        self.uses += 1;
        if let Some((old, used)) = self.entries.insert(key, (vector.clone(), self.uses)) {
            self.by_use.remove(&used);
            self.bytes -= Self::cost(&old);
        }
        self.by_use.insert(self.uses, key);
        self.bytes += cost;
        while self.bytes > self.limit {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                return;
            };
            if let Some((old, _)) = self.entries.remove(&oldest) {
                self.bytes -= Self::cost(&old);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(n: f32) -> Vector {
        vec![n; 10].into()
    }

    #[test]
    fn what_was_used_last_stays_and_the_bytes_are_bounded() {
        let one = Recent::cost(&vector(0.0));
        let mut recent = Recent::new(2 * one);
        for (text, n) in [("a", 1.0), ("b", 2.0)] {
            recent.put(Kind::Query, text, &vector(n));
        }
        assert_eq!(recent.get(Kind::Query, "a"), Some(vector(1.0)));
        recent.put(Kind::Query, "c", &vector(3.0));
        assert_eq!(recent.get(Kind::Query, "b"), None);
        assert_eq!(recent.get(Kind::Query, "a"), Some(vector(1.0)));
        assert_eq!(recent.get(Kind::Query, "c"), Some(vector(3.0)));
        assert_eq!(recent.get(Kind::Passage, "a"), None);
        // The same text again replaces, and is counted once.
        recent.put(Kind::Query, "a", &vector(4.0));
        assert_eq!(recent.get(Kind::Query, "a"), Some(vector(4.0)));
        assert_eq!((recent.bytes, recent.entries.len()), (2 * one, 2));
        assert_eq!(recent.by_use.len(), 2);
    }

    #[test]
    fn without_room_nothing_is_kept() {
        let mut recent = Recent::new(0);
        recent.put(Kind::Query, "a", &vector(1.0));
        assert_eq!(recent.get(Kind::Query, "a"), None);
        assert_eq!(recent.bytes, 0);
    }
}

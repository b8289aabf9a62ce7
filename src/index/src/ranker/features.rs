//! Sparse lexical features: character 2- to 5-grams within words, words, and pairs of words.
//!
//! Character grams see through inflection, compounds and typos without any dictionary; words and pairs say
//! what grams blur. Each group is weighted by sublinear tf-idf and scaled to unit length, so that a long
//! message and two keywords weigh the same.

use std::cmp::Reverse;
use std::collections::HashMap;

use base::{fold, words};
use serde::{Deserialize, Serialize};

const GRAMS: std::ops::RangeInclusive<usize> = 2..=5;
/// Shares of the squared length: characters, words, pairs.
const GROUPS: [f32; 3] = [0.55, 0.33, 0.12];
/// Longer words are cut: nobody means the rest.
const MAX_WORD_CHARS: usize = 40;
const MAX_WORDS: usize = 120;

/// A feature's column and weight.
pub(crate) type Sparse = Vec<(u32, f32)>;

/// The features that were seen in at least two training sentences, with their inverse document frequency.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Vocabulary {
    columns: HashMap<u64, u32>,
    idf: Vec<f32>,
    group: Vec<u8>,
    /// The first so many columns stand in common sentences.
    common: u32,
}

/// FNV-1a, 64 bits: stable across builds and machines, which a stored ranker needs.
fn hash(seed: u64, bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The raw features of a text: hash, group, and how often.
pub(crate) type Raw = Vec<(u64, u8, u32)>;

/// Every raw feature of a text, in the order of their hashes.
pub(crate) fn raw(text: &str) -> Raw {
    let folded = fold(text);
    let mut all: Vec<(u64, u8)> = Vec::with_capacity(folded.len() * 5);
    let mut add = |h: u64, group: u8| all.push((h, group));
    let mut previous: Option<&str> = None;
    for word in words(&folded).take(MAX_WORDS) {
        let padded: Vec<char> = std::iter::once(' ')
            .chain(word.chars().take(MAX_WORD_CHARS))
            .chain([' '])
            .collect();
        let mut buffer = [0; 4];
        for n in GRAMS {
            for gram in padded.windows(n) {
                let mut h = 0;
                for c in gram {
                    h = hash(h, c.encode_utf8(&mut buffer).bytes());
                }
                add(h, 0);
            }
        }
        add(hash(1, word.bytes()), 1);
        if let Some(p) = previous {
            add(hash(2, p.bytes().chain([b' ']).chain(word.bytes())), 2);
        }
        previous = Some(word);
    }
    all.sort_unstable();
    let mut out: Raw = Vec::with_capacity(all.len());
    for (h, group) in all {
        match out.last_mut() {
            Some(last) if last.0 == h => last.2 += 1,
            _ => out.push((h, group, 1)),
        }
    }
    out
}

impl Vocabulary {
    /// Learns the columns from the training sentences.
    pub(crate) fn learn<'a>(sentences: impl Iterator<Item = &'a Raw>) -> Self {
        Self::of_two(sentences.map(|s| (s, true)))
    }

    /// Learns the columns from sentences that are common or not: what stands in common ones comes first.
    pub(crate) fn of_two<'a>(sentences: impl Iterator<Item = (&'a Raw, bool)>) -> Self {
        struct Seen {
            group: u8,
            df: u32,
            common: bool,
        }
        let mut seen: HashMap<u64, Seen> = HashMap::new();
        let mut n = 0_u32;
        for (sentence, common) in sentences {
            n += 1;
            for &(h, group, _) in sentence {
                let s = seen.entry(h).or_insert(Seen {
                    group,
                    df: 0,
                    common: false,
                });
                s.df += 1;
                s.common |= common;
            }
        }
        let mut kept: Vec<(bool, u64, Seen)> = seen
            .into_iter()
            .filter(|(_, s)| s.df >= 2)
            .map(|(h, s)| (!s.common, h, s))
            .collect();
        // What most sentences have lies together, and so in the nearest caches.
        kept.sort_unstable_by_key(|k| (k.0, Reverse(k.2.df), k.1));
        Self {
            common: kept.partition_point(|k| !k.0) as u32,
            columns: kept.iter().map(|k| k.1).zip(0..).collect(),
            idf: kept
                .iter()
                .map(|k| ((1.0 + n as f32) / (1.0 + k.2.df as f32)).ln() + 1.0)
                .collect(),
            group: kept.iter().map(|k| k.2.group).collect(),
        }
    }

    /// This one and, after it, what stands in at least two of these further sentences, of `n` in all.
    pub(crate) fn extended<'a>(&self, sentences: impl Iterator<Item = &'a Raw>, n: usize) -> Self {
        let mut out = self.clone();
        let more = Self::learn(sentences);
        let mut new: Vec<(u64, u32)> = more.columns.into_iter().collect();
        new.retain(|(h, _)| !self.columns.contains_key(h));
        new.sort_unstable();
        for ((h, column), place) in new.into_iter().zip(self.len()..) {
            out.columns.insert(h, place as u32);
            // Seldom, for it was not known: as if twice.
            out.idf.push(((1.0 + n as f32) / 3.0).ln() + 1.0);
            out.group.push(more.group[column as usize]);
        }
        out
    }

    pub(crate) fn len(&self) -> usize {
        self.idf.len()
    }

    /// The columns that stand in common sentences are the first so many.
    pub(crate) fn common(&self) -> usize {
        self.common as usize
    }

    /// The features of a text, by column, and the share of its words that were never seen (0 to 1).
    pub(crate) fn features(&self, sentence: &Raw) -> (Sparse, f32) {
        let mut out: Sparse = Vec::new();
        let mut length = [0.0_f32; 3];
        let (mut known, mut unknown) = (0_u32, 0_u32);
        for &(h, group, count) in sentence {
            let column = self.columns.get(&h);
            if group == 1 {
                *(if column.is_some() {
                    &mut known
                } else {
                    &mut unknown
                }) += 1;
            }
            if let Some(&column) = column {
                let w = (1.0 + (count as f32).ln()) * self.idf[column as usize];
                length[usize::from(group)] += w * w;
                out.push((column, w));
            }
        }
        for (column, w) in &mut out {
            let g = usize::from(self.group[*column as usize]);
            *w *= (GROUPS[g] / length[g].max(f32::MIN_POSITIVE)).sqrt();
        }
        out.sort_unstable_by_key(|f| f.0);
        let share = unknown as f32 / (known + unknown).max(1) as f32;
        (out, share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_common_sentences_comes_first() {
        let raws = [
            "nyt pas",
            "nyt pas til barn",
            "havnefest",
            "havnefest i nyt telt",
        ]
        .map(raw);
        let v = Vocabulary::of_two(raws.iter().zip([true, true, false, false]));
        assert!(0 < v.common() && v.common() < v.len());
        let columns = |text| v.features(&raw(text)).0;
        let common = |text| {
            columns(text)
                .iter()
                .filter(|f| (f.0 as usize) < v.common())
                .count()
        };
        assert_eq!(common("nyt pas"), columns("nyt pas").len());
        assert!(common("havnefest") < columns("havnefest").len());
    }

    #[test]
    fn known_features_have_unit_length_by_group() {
        let texts = [
            "nyt pas til barn",
            "nyt pas til voksen",
            "skraldespand ikke tømt",
            "tømt skraldespand",
        ];
        let sentences = texts.map(raw);
        let v = Vocabulary::learn(sentences.iter());
        let (f, unknown) = v.features(&raw("nyt pas til hunden"));
        assert!((unknown - 0.25).abs() < 1e-6);
        let squared: f32 = f.iter().map(|(_, w)| w * w).sum();
        assert!((squared - 1.0).abs() < 1e-4, "{squared}");
        assert!(v.features(&raw("")).0.is_empty());
        assert_eq!(v.common(), v.len());
        assert_eq!(v.features(&raw("tømt")).0, v.features(&raw("toemt")).0);
    }
}

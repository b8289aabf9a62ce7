//! What is there already: texts that share most of their runs of three words (shingles, Broder 1997).
//!
//! Every text is looked up by its rarest runs alone: two that share as much as is asked must have one of those in
//! common (prefix filtering, Chaudhuri 2006; Bayardo 2007). So the work grows with the number of texts that are
//! alike, not with the number of pairs.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use base::MunicipalityCode;
use knowledge::Layer;

/// From this share of common runs on, of all that either has, two texts are the same: three in five, see [`prefix`].
const SAME: f32 = 0.6;
/// Shorter texts are compared by their titles alone.
const ENOUGH: usize = 8;

/// A text that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// What people know it by: an article's id, or a row.
    pub name: String,
    /// The article's id.
    pub id: String,
    pub layer: Layer,
    /// The open draft that it is in.
    pub draft: Option<String>,
}

/// Texts by their runs of words.
pub(super) struct Near {
    regions: BTreeMap<MunicipalityCode, MunicipalityCode>,
    /// How many texts have a run.
    often: HashMap<u64, u32>,
    entries: Vec<Entry>,
    /// Of each text, the rarest first.
    runs: Vec<Vec<u64>>,
    with: HashMap<u64, Vec<usize>>,
    titles: HashMap<String, Vec<usize>>,
}

fn runs(text: &str) -> Vec<u64> {
    let folded = base::fold(text);
    let words: Vec<&str> = base::words(&folded).collect();
    let hash = |run: &[&str]| {
        let mut h = DefaultHasher::new();
        run.hash(&mut h);
        h.finish()
    };
    let mut runs: Vec<u64> = words.windows(3).map(hash).collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

pub(super) fn key(title: &str) -> String {
    base::words(&base::fold(title))
        .collect::<Vec<_>>()
        .join(" ")
}

/// How many of the rarest runs of a text are looked up.
fn prefix(runs: usize) -> usize {
    // In whole numbers: a run too few would miss what is exactly as much alike as is asked.
    runs + 1 - (runs * 3).div_ceil(5)
}

impl Near {
    /// Over `texts`, all that will be compared, so that it is known which runs are rare; `regions` by municipality.
    pub(super) fn new<'t>(
        regions: BTreeMap<MunicipalityCode, MunicipalityCode>,
        texts: impl Iterator<Item = &'t str>,
    ) -> Self {
        let mut often: HashMap<u64, u32> = HashMap::new();
        for text in texts {
            for run in runs(text) {
                *often.entry(run).or_default() += 1;
            }
        }
        Self {
            regions,
            often,
            entries: Vec::new(),
            runs: Vec::new(),
            with: HashMap::new(),
            titles: HashMap::new(),
        }
    }

    /// The runs of a text, the rarest first; equally rare ones always in the same order.
    fn ordered(&self, text: &str) -> Vec<u64> {
        let mut runs = runs(text);
        runs.sort_by_key(|run| self.order(*run));
        runs
    }

    fn order(&self, run: u64) -> (u32, u64) {
        (self.often.get(&run).copied().unwrap_or(0), run)
    }

    pub(super) fn add(&mut self, entry: Entry, title: &str, text: &str) {
        let n = self.entries.len();
        let runs = self.ordered(text);
        if runs.len() >= ENOUGH {
            for run in &runs[..prefix(runs.len())] {
                self.with.entry(*run).or_default().push(n);
            }
        }
        self.entries.push(entry);
        self.runs.push(runs);
        self.titles.entry(key(title)).or_default().push(n);
    }

    /// Whether who reads `layer` gets `other` too.
    pub(super) fn inherits(&self, layer: Layer, other: Layer) -> bool {
        match (layer, other) {
            (a, b) if a == b => true,
            (_, Layer::Shared) => true,
            (Layer::Municipality(code), Layer::Region(r)) => self.regions.get(&code) == Some(&r),
            _ => false,
        }
    }

    /// The text that is most like this one among those that its readers get, if it is the same, and how much: 0 to 1.
    /// A title alone makes two the same within a layer: elsewhere a municipality answers in its own words.
    pub(super) fn like(&self, layer: Layer, title: &str, text: &str) -> Option<(&Entry, f32)> {
        let mine = self.ordered(text);
        let mut best: Option<(usize, f32)> = None;
        if mine.len() >= ENOUGH {
            let mut met: Vec<usize> = mine[..prefix(mine.len())]
                .iter()
                .filter_map(|run| self.with.get(run))
                .flatten()
                .copied()
                .collect();
            met.sort_unstable();
            met.dedup();
            for n in met {
                if !self.inherits(layer, self.entries[n].layer) {
                    continue;
                }
                let likeness = self.likeness(&mine, &self.runs[n]);
                if likeness >= SAME && best.is_none_or(|(_, b)| likeness > b) {
                    best = Some((n, likeness));
                }
            }
        }
        if let Some((n, likeness)) = best {
            return Some((&self.entries[n], likeness));
        }
        let same = self.titles.get(&key(title))?;
        let n = same.iter().find(|n| self.entries[**n].layer == layer)?;
        Some((&self.entries[*n], 1.0))
    }

    /// The article that a layer inherits under that title.
    pub(super) fn overridden(&self, layer: Layer, title: &str) -> Option<&Entry> {
        let same = self.titles.get(&key(title))?.iter();
        let mut inherited = same.map(|n| &self.entries[*n]);
        inherited.find(|e| e.layer != layer && self.inherits(layer, e.layer))
    }

    /// Common runs, as a share of all that either has. Both in their order.
    fn likeness(&self, a: &[u64], b: &[u64]) -> f32 {
        let (short, long) = (a.len().min(b.len()), a.len().max(b.len()));
        if (short as f32) < SAME * long as f32 {
            return 0.0;
        }
        let (mut i, mut j, mut common) = (0, 0, 0_usize);
        while i < a.len() && j < b.len() {
            match self.order(a[i]).cmp(&self.order(b[j])) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    (i, j, common) = (i + 1, j + 1, common + 1);
                }
            }
        }
        common as f32 / (a.len() + b.len() - common).max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, layer: Layer) -> Entry {
        Entry {
            name: name.into(),
            id: name.into(),
            layer,
            draft: None,
        }
    }

    fn words(from: usize, n: usize) -> String {
        (from..from + n)
            .map(|i| format!("ord{i}"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// What the rarest runs find is what comparing every pair finds.
    #[test]
    fn nothing_is_missed_that_comparing_all_would_find() {
        let texts: Vec<String> = (0..60)
            .map(|n| {
                format!(
                    "{} {}",
                    words(n % 7 * 10, 20 + n % 11),
                    words(n * 3, 8 + n % 5)
                )
            })
            .collect();
        let mut near = Near::new(BTreeMap::new(), texts.iter().map(String::as_str));
        for (n, text) in texts.iter().enumerate() {
            let mine = near.ordered(text);
            let all = (0..n).map(|m| (m, near.likeness(&mine, &near.runs[m])));
            let best = all
                .filter(|(_, l)| *l >= SAME)
                .fold(0.0_f32, |b, (_, l)| b.max(l));
            let found = near.like(Layer::Shared, &format!("titel {n}"), text);
            assert_eq!(found.map_or(0.0, |(_, l)| l), best, "{n}");
            near.add(
                entry(&n.to_string(), Layer::Shared),
                &format!("titel {n}"),
                text,
            );
        }
    }

    #[test]
    fn what_others_citizens_read_is_not_there_already() {
        let layer = |code: &str| code.parse::<Layer>().unwrap();
        let regions = BTreeMap::from([("0751".parse().unwrap(), "1082".parse().unwrap())]);
        let text = words(0, 30);
        let mut near = Near::new(regions, [text.as_str()].into_iter());
        near.add(entry("a", layer("0751")), "Nyt pas", &text);
        assert!(near.like(layer("0461"), "Nyt pas", &text).is_none());
        assert!(near.like(Layer::Shared, "Nyt pas", &text).is_none());
        near.add(entry("b", layer("1082")), "Hund", &words(50, 30));
        assert_eq!(
            near.like(layer("0751"), "x", &words(50, 30))
                .unwrap()
                .0
                .name,
            "b"
        );
        assert!(near.like(layer("0461"), "x", &words(50, 30)).is_none());
        // The same question answered anew is the municipality's own version.
        assert!(near.like(layer("0751"), "Hund", &words(90, 30)).is_none());
        assert_eq!(near.overridden(layer("0751"), "hund!").unwrap().id, "b");
        assert_eq!(
            near.like(layer("1082"), "hund!", &words(90, 30)).unwrap().1,
            1.0
        );
    }
}

//! What is there already: texts that share most of their runs of three words (shingles, Broder 1997).

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// From this share of common runs on, of all that either has, two texts are the same.
const SAME: f32 = 0.6;
/// Shorter texts are compared by their titles alone.
const ENOUGH: usize = 8;

/// Texts by their runs of words.
#[derive(Default)]
pub(super) struct Near {
    names: Vec<String>,
    runs: Vec<usize>,
    with: HashMap<String, Vec<usize>>,
    titles: HashMap<String, usize>,
}

fn runs(text: &str) -> BTreeSet<String> {
    let folded = base::fold(text);
    let words: Vec<&str> = base::words(&folded).collect();
    words.windows(3).map(|w| w.join(" ")).collect()
}

fn title_key(title: &str) -> String {
    base::words(&base::fold(title))
        .collect::<Vec<_>>()
        .join(" ")
}

impl Near {
    pub(super) fn add(&mut self, name: String, title: &str, text: &str) {
        let n = self.names.len();
        let runs = runs(text);
        self.names.push(name);
        self.runs.push(runs.len());
        for run in runs {
            self.with.entry(run).or_default().push(n);
        }
        self.titles.entry(title_key(title)).or_insert(n);
    }

    /// The text that is most like this one, if it is the same, and how much: 0 to 1.
    pub(super) fn like(&self, title: &str, text: &str) -> Option<(String, f32)> {
        let mine = runs(text);
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for run in &mine {
            for n in self.with.get(run).into_iter().flatten() {
                *common.entry(*n).or_default() += 1;
            }
        }
        let share = |(n, c): (&usize, &usize)| {
            (
                *n,
                *c as f32 / (mine.len() + self.runs[*n] - c).max(1) as f32,
            )
        };
        let best = common.iter().map(share).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((n, likeness)) = best.filter(|(_, l)| *l >= SAME && mine.len() >= ENOUGH) {
            return Some((self.names[n].clone(), likeness));
        }
        let same = self.titles.get(&title_key(title))?;
        Some((self.names[*same].clone(), 1.0))
    }
}

//! Which of the interface's languages a message is written in.
//!
//! Scripts decide first. Among the Latin ones a naive Bayes over character 1- to 4-grams, learned from the
//! release's own sentences, so it knows the words this service is asked in. Norwegian and Swedish are no
//! candidates: a Dane who writes three words is far likelier, and the Danish answer serves them all. Short
//! text leans on the language of the dialogue.

use std::collections::HashMap;

use base::Lang;
use serde::{Deserialize, Serialize};

use crate::ranker::Sample;

const LATIN: [Lang; 5] = [Lang::Da, Lang::En, Lang::De, Lang::Pl, Lang::Tr];
const GRAMS: usize = 4;
const SMOOTHING: f32 = 0.05;
/// Log-odds in favour of the dialogue's language before the text is read.
const PRIOR: f32 = 3.0;
/// Evidence of overlapping grams is not independent: scaled down to this share.
const INDEPENDENT: f32 = 0.5;
/// Places for gram hashes: 2^18.
const TABLE: usize = 1 << 18;

/// A language identifier for one release.
#[derive(Serialize, Deserialize)]
pub(crate) struct Identifier {
    /// Log-probabilities by gram hash, one for each of [`LATIN`].
    table: HashMap<u32, [f32; LATIN.len()]>,
    floor: [f32; LATIN.len()],
}

fn grams(text: &str, mut see: impl FnMut(u32)) {
    let lower = text.to_lowercase();
    for word in lower
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
    {
        let padded: Vec<char> = std::iter::once(' ')
            .chain(word.chars().take(40))
            .chain([' '])
            .collect();
        for n in 1..=GRAMS {
            for gram in padded.windows(n).filter(|g| *g != [' ']) {
                let h = gram.iter().fold(0x811c_9dc5_u32, |h, &c| {
                    (h ^ u32::from(c)).wrapping_mul(0x0100_0193)
                });
                see((h ^ (h >> 15)) & (TABLE as u32 - 1));
            }
        }
    }
}

impl Identifier {
    pub(crate) fn learn(samples: &[Sample]) -> Self {
        let mut counts: HashMap<u32, [f32; LATIN.len()]> = HashMap::new();
        let mut totals = [0.0_f32; LATIN.len()];
        for s in samples {
            let Some(l) = LATIN.iter().position(|l| *l == s.lang) else {
                continue;
            };
            grams(&s.text, |g| {
                counts.entry(g).or_default()[l] += 1.0;
                totals[l] += 1.0;
            });
        }
        let places = counts.len() as f32;
        let mass = totals.map(|t| t + SMOOTHING * places);
        let mut floor = [0.0; LATIN.len()];
        for (f, m) in floor.iter_mut().zip(mass) {
            *f = (SMOOTHING / m).ln();
        }
        for c in counts.values_mut() {
            for (c, m) in c.iter_mut().zip(mass) {
                *c = ((*c + SMOOTHING) / m).ln();
            }
        }
        Self {
            table: counts,
            floor,
        }
    }

    /// The language of a text; `expected` is the dialogue's, which wins where the text says little.
    pub(crate) fn identify(&self, text: &str, expected: Lang) -> Lang {
        let (mut latin, mut cyrillic, mut arabic) = (0, 0, 0);
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            match c {
                '\u{400}'..='\u{52f}' => cyrillic += 1,
                '\u{600}'..='\u{6ff}'
                | '\u{750}'..='\u{77f}'
                | '\u{8a0}'..='\u{8ff}'
                | '\u{fb50}'..='\u{fdff}'
                | '\u{fe70}'..='\u{feff}' => arabic += 1,
                _ => latin += 1,
            }
        }
        if cyrillic > latin.max(arabic) {
            return Lang::Uk;
        }
        if arabic > latin {
            return Lang::Ar;
        }
        if latin == 0 {
            return expected;
        }
        let mut score = [0.0_f32; LATIN.len()];
        grams(text, |g| {
            let row = self.table.get(&g).unwrap_or(&self.floor);
            for (s, p) in score.iter_mut().zip(row) {
                *s += p * INDEPENDENT;
            }
        });
        // Someone who has written Arabic may answer in English: no Latin language is expected then.
        if let Some(e) = LATIN.iter().position(|l| *l == expected) {
            score[e] += PRIOR;
        }
        // Danish is what most write, and what a name or an address looks like.
        score[0] += PRIOR / 2.0;
        let mut best = 0;
        for i in 1..LATIN.len() {
            if score[i] > score[best] {
                best = i;
            }
        }
        LATIN[best]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(train: impl Iterator<Item = (Lang, String)>) -> Identifier {
        let samples: Vec<Sample> = train
            .map(|(lang, text)| Sample {
                text,
                lang,
                class: 0,
                written: true,
                judges: true,
            })
            .collect();
        Identifier::learn(&samples)
    }

    /// On held-out sentences of the real knowledge, at least 99 % right in each language, 97 % of Danish
    /// with fewer than four words.
    #[test]
    fn held_out_sentences_are_identified() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
        let files = knowledge::load(&root).unwrap();
        let (r, _) = knowledge::Release::build(&files, jiff::civil::date(2026, 11, 21)).unwrap();
        let all: Vec<(Lang, String)> = r
            .articles
            .iter()
            .flat_map(|a| {
                a.examples
                    .iter()
                    .flat_map(|(l, s)| s.iter().map(|s| (*l, s.clone())))
            })
            .collect();
        let id = learned(
            all.iter()
                .enumerate()
                .filter(|(i, _)| i % 5 != 0)
                .map(|(_, s)| s.clone()),
        );
        let mut tally: HashMap<(Lang, bool), (u32, u32)> = HashMap::new();
        for (lang, text) in all.iter().step_by(5) {
            let short = text.split_whitespace().count() < 4;
            let t = tally.entry((*lang, short)).or_default();
            t.0 += 1;
            t.1 += u32::from(id.identify(text, Lang::Da) == *lang);
        }
        for ((lang, short), (n, right)) in &tally {
            println!("{} short={short}: {right}/{n}", lang.code());
        }
        for lang in Lang::ALL {
            let (n, right) = tally[&(lang, false)];
            assert!(right * 100 >= n * 98, "{}: {right} of {n}", lang.code());
        }
        let (n, right) = tally[&(Lang::Da, true)];
        assert!(right * 100 >= n * 97, "short Danish: {right} of {n}");
    }
}

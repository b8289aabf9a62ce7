//! Misspelt words read as those that are meant: `kontanthjlp` as `kontanthjælp`.
//!
//! What is meant is what a release writes: its articles and the sentences that citizens ask them with, each word with
//! how often it stands there. A word that the dictionary has is never another; one that only looks like an inflected or
//! a compound word is, if a far more frequent one is a letter away. Names, numbers and short words stay as they are.

use std::borrow::Cow;
use std::collections::HashMap;

use base::{Lang, fold, words};
use knowledge::Release;
use serde::{Deserialize, Serialize};

use crate::analysis::{Compounds, Standing};
use crate::ranker::Sample;

/// Letters of the shortest word that is read otherwise, and of the shortest with two letters wrong.
const SHORT: usize = 4;
const LONG: usize = 8;
/// Letters of the shortest word that may be meant.
const SHORTEST: usize = 3;
/// Words this long are nobody's slip.
const MAX_LETTERS: usize = 32;
/// So many times as often as the word written, and at least so often, stands the one that is meant.
const OFTENER: u32 = 10;
const OFTEN: u32 = 3;
/// So often stands what needs no dictionary to be a word.
const ESTABLISHED: u32 = 40;

/// The words of a release.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Spelling {
    /// By length, then by text.
    words: Vec<Word>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Word {
    /// Folded, ASCII.
    text: Box<str>,
    /// As it is mostly written, in small letters.
    written: Box<str>,
    count: u32,
    /// Letters that it has, a bit each.
    letters: u32,
}

fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |all, b| {
        all | match b {
            b'a'..=b'z' => 1 << (b - b'a'),
            _ => 1 << 26,
        }
    })
}

/// Each word of a text and where it ends; what stands between them comes with an empty word.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let inside = |c: char| c.is_alphanumeric() == first.is_alphanumeric();
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

impl Spelling {
    pub(crate) fn learn(release: &Release, samples: &[Sample]) -> Self {
        let mut seen: HashMap<String, HashMap<String, u32>> = HashMap::new();
        let mut see = |text: &str| {
            for word in words(text) {
                let (small, folded) = (word.to_lowercase(), fold(word));
                if folded.is_ascii() && (SHORTEST..=MAX_LETTERS).contains(&folded.len()) {
                    *seen.entry(folded).or_default().entry(small).or_default() += 1;
                }
            }
        };
        for s in samples.iter().filter(|s| s.lang == Lang::Da) {
            see(&s.text);
        }
        for section in release.articles.iter().flat_map(|a| &a.sections) {
            see(&knowledge::without_slots(&section.text));
        }
        let mut words: Vec<Word> = seen
            .into_iter()
            .filter_map(|(text, forms)| {
                let count = forms.values().sum();
                let most = forms
                    .into_iter()
                    .max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)))?;
                Some(Word {
                    letters: letters(&text),
                    text: text.into(),
                    written: most.0.into(),
                    count,
                })
            })
            .filter(|w| w.count >= OFTEN)
            .collect();
        words.sort_unstable_by(|a, b| (a.text.len(), &a.text).cmp(&(b.text.len(), &b.text)));
        Self { words }
    }

    /// The text with its misspelt words as they are meant; the same text where there are none. Some 20 µs a word that
    /// nobody knows.
    pub(crate) fn read<'a>(&self, text: &'a str, dictionary: &Compounds) -> Cow<'a, str> {
        let mut out = String::new();
        let mut done = 0;
        let mut at = 0;
        let mut first = true;
        for run in runs(text) {
            let start = at;
            at += run.len();
            if !run.starts_with(char::is_alphanumeric) {
                continue;
            }
            let named = run.starts_with(char::is_uppercase) && !first;
            first = false;
            let letters = run.chars().count();
            if named || letters < SHORT || !run.chars().all(char::is_alphabetic) {
                continue;
            }
            let folded = fold(run);
            let meant = match self.typed(run, &folded) {
                Some(word) => Some(word),
                None => self.meant(&folded, dictionary),
            };
            if let Some(meant) = meant {
                out.push_str(&text[done..start]);
                out.push_str(meant);
                done = at;
            }
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[done..]);
        Cow::Owned(out)
    }

    /// The word as the release writes it, where it was typed on a keyboard without its letters: `kører` for `koerer`.
    fn typed(&self, run: &str, folded: &str) -> Option<&str> {
        if !run.is_ascii() {
            return None;
        }
        let key = |w: &Word| (w.text.len(), &*w.text).cmp(&(folded.len(), folded));
        let word = &self.words[self.words.binary_search_by(key).ok()?];
        (!word.written.is_ascii()).then_some(&*word.written)
    }

    /// What a folded word is meant to be, if it is not what it says.
    fn meant(&self, word: &str, dictionary: &Compounds) -> Option<&str> {
        let length = word.len();
        if !(SHORT..=MAX_LETTERS).contains(&length) || !word.is_ascii() {
            return None;
        }
        let standing = dictionary.standing(word);
        let most = match standing {
            Standing::Word => return None,
            Standing::Unknown if length >= LONG => 2,
            Standing::Form | Standing::Unknown => 1,
        };
        let of_length = |n: usize| self.words.partition_point(|w| w.text.len() < n);
        let near = &self.words[of_length(length - most)..of_length(length + most + 1)];
        let bits = letters(word);
        let mut own = 0;
        let mut best: Option<(Slip, &Word)> = None;
        for w in near {
            if (w.letters ^ bits).count_ones() as usize > 2 * most {
                continue;
            }
            if *w.text == *word {
                own = w.count;
                continue;
            }
            let limit = best.map_or(most, |(slip, _)| slip.distance);
            let Some(slip) = Slip::of(word, &w.text, limit) else {
                continue;
            };
            // What looks like a word is a slip only where a letter should stand twice.
            if standing == Standing::Form && !slip.single {
                continue;
            }
            if best.is_none_or(|(b, of)| (slip, of.count) < (b, w.count)) {
                best = Some((slip, w));
            }
        }
        let (_, w) = best?;
        let enough = w.count >= OFTEN.max(OFTENER.saturating_mul(own));
        // What is meant is a word itself, and no slip that many make.
        let sound = || w.count >= ESTABLISHED || dictionary.standing(&w.text) != Standing::Unknown;
        (enough && sound()).then_some(&*w.written)
    }
}

/// How what is written differs from what may be meant; the likelier comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slip {
    distance: usize,
    /// Not a consonant that should stand twice, or once.
    other: bool,
    /// A letter too many: seldomer than one too few.
    longer: bool,
    /// A consonant stands once and should stand twice.
    single: bool,
}

impl Slip {
    fn of(written: &str, meant: &str, limit: usize) -> Option<Self> {
        let (written, meant) = (written.as_bytes(), meant.as_bytes());
        let distance = distance(written, meant, limit)?;
        let single = distance == 1 && doubles(meant, written);
        Some(Self {
            distance,
            other: !(single || distance == 1 && doubles(written, meant)),
            longer: written.len() > meant.len(),
            single,
        })
    }
}

/// Whether the longer of two words that are a letter apart has a consonant twice where the other has it once.
fn doubles(longer: &[u8], shorter: &[u8]) -> bool {
    let same = longer.iter().zip(shorter).take_while(|(a, b)| a == b);
    let at = same.count();
    longer.len() == shorter.len() + 1
        && at > 0
        && longer[at] == longer[at - 1]
        && !b"aeiouy".contains(&longer[at])
}

/// Letters that are missing, too many, other ones, or the other way round; `None` beyond the limit, of at most 2.
fn distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut rows = [[0_u8; MAX_LETTERS + 1]; 3];
    for (n, cell) in (0..).zip(&mut rows[0][..=b.len()]) {
        *cell = n;
    }
    for i in 1..=a.len() {
        let (now, one, two) = (i % 3, (i + 2) % 3, (i + 1) % 3);
        rows[now][0] = i as u8;
        let mut least = i as u8;
        for j in 1..=b.len() {
            let other = u8::from(a[i - 1] != b[j - 1]);
            let mut cost = (rows[one][j - 1] + other).min(rows[one][j].min(rows[now][j - 1]) + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                cost = cost.min(rows[two][j - 2] + 1);
            }
            rows[now][j] = cost;
            least = least.min(cost);
        }
        if usize::from(least) > limit {
            return None;
        }
    }
    let d = usize::from(rows[a.len() % 3][b.len()]);
    (d <= limit).then_some(d)
}

#[cfg(test)]
mod tests;

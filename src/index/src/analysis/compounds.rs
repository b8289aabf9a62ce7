//! Taking Danish compounds apart: `affaldssortering` is found by `affald` and by `sortering`.
//!
//! The words and how they may join come from Stavekontrolden's dictionary for Hunspell (2.8.034). Its flags
//! 29, 30 and 31 let a word stand first or inside a compound with -s-, with -e- or with nothing after it;
//! flag 39 lets it stand last. The best split is found by dynamic programming: fewest parts, then the most
//! even ones. Parts are three letters or longer.

use std::collections::{HashMap, HashSet};

use base::fold;

const LINK_S: u8 = 1;
const LINK_E: u8 = 2;
const LINK_NONE: u8 = 4;
const LAST: u8 = 8;

const MIN_PART: usize = 3;
const MAX_WORD: usize = 60;

/// Municipal parts that the dictionary lacks or does not let join, with how they may.
const DOMAIN: &[(&str, u8)] = &[
    ("dag", LINK_NONE | LINK_S),
    ("pleje", LINK_NONE | LAST),
    ("institution", LINK_S | LAST),
    ("stor", LINK_NONE),
    ("skrald", LINK_NONE | LINK_E | LAST),
    ("foertids", LINK_NONE),
    ("senior", LINK_NONE),
    ("pension", LINK_S | LAST),
    ("aeldre", LINK_NONE),
    ("bolig", LINK_NONE | LAST),
    ("boerne", LINK_NONE),
    ("borger", LINK_NONE | LAST),
    ("sygesikring", LINK_S | LAST),
    ("koerekort", LINK_NONE | LAST),
    ("hjemme", LINK_NONE),
    ("genbrug", LINK_S),
];

/// Whole words that look like compounds and are not: `borgere` is not `borg` + `ere`.
const WHOLE: &[&str] = &[
    "borgere",
    "borgeren",
    "borgerne",
    "kommunen",
    "kommuner",
    "kommunerne",
    "ansoege",
    "ansoeger",
    "forsoerger",
    "forsoergere",
    "foraeldre",
    "forny",
    "fornyelse",
    "betaling",
    "aflastning",
    "bestille",
    "tilmelde",
    "afmelde",
    "anmelde",
    "ordning",
    "ledsager",
    "underretning",
];

/// Endings that an inflected last part may carry, longest first.
const ENDINGS: &[&str] = &[
    "ernes", "erne", "ene", "ens", "ets", "ers", "er", "en", "et", "es", "ne", "s", "e", "r", "n",
    "t",
];

/// Those of verbs and adjectives, which end no compound of a noun.
const MORE_ENDINGS: &[&str] = &[
    "ede", "edes", "te", "tes", "de", "des", "ende", "eres", "ere", "est", "este", "st", "ste",
];

/// The dictionary was not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("the dictionary is not Stavekontrolden's: {0}")]
pub struct DictionaryError(String);

/// The words that compounds are made of. The default knows the municipal ones only.
pub struct Compounds {
    parts: HashMap<Box<str>, u8>,
    /// Hashes of all words of the dictionary, whether they may join or not.
    words: HashSet<u64>,
}

/// What the dictionary says of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is there.
    Word,
    /// It may be a word of it with an ending, or made of several: or a slip that looks so.
    Form,
    Unknown,
}

/// FNV-1a, 64 bits.
fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Compounds {
    /// The same for the same words: what was analysed with others is not comparable.
    pub(crate) fn fingerprint(&self) -> u64 {
        let one = |(word, how): (&str, u8)| {
            word.bytes()
                .chain([how])
                .fold(0xcbf2_9ce4_8422_2325, |h: u64, b| {
                    (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
                })
        };
        // A sum, because the order of a map is not fixed.
        let all = self.parts.iter().map(|(word, how)| one((word, *how)));
        all.fold(0, u64::wrapping_add)
    }
}

impl Default for Compounds {
    fn default() -> Self {
        let mut c = Self {
            parts: HashMap::new(),
            words: HashSet::new(),
        };
        for (word, how) in DOMAIN {
            c.add(word, *how);
        }
        c
    }
}

impl Compounds {
    /// Reads a Hunspell `.dic` file whose numeric flags are Stavekontrolden's.
    ///
    /// # Errors
    /// When fewer than 10,000 words that may join are found: it is another dictionary.
    pub fn from_hunspell(dic: &str) -> Result<Self, DictionaryError> {
        let mut c = Self::default();
        for line in dic.lines().skip(1) {
            let entry = line.split_whitespace().next().unwrap_or("");
            let (word, flags) = entry.split_once('/').unwrap_or((entry, ""));
            c.words.insert(hash(&fold(word)));
            let mut how = 0;
            for flag in flags.split(',') {
                how |= match flag {
                    "29" => LINK_S,
                    "30" => LINK_E,
                    "31" => LINK_NONE,
                    "39" => LAST,
                    _ => 0,
                };
            }
            if how != 0 && word.chars().all(char::is_lowercase) {
                c.add(&fold(word), how);
            }
        }
        if c.parts.len() < 10_000 {
            return Err(DictionaryError(format!(
                "{} words that may join, expected tens of thousands",
                c.parts.len()
            )));
        }
        Ok(c)
    }

    /// A small word list, every word free to join in every way.
    pub fn from_words<'a>(list: impl IntoIterator<Item = &'a str>) -> Self {
        let mut c = Self::default();
        for word in list {
            c.add(&fold(word), LINK_S | LINK_E | LINK_NONE | LAST);
        }
        c
    }

    fn add(&mut self, folded: &str, how: u8) {
        self.words.insert(hash(folded));
        if folded.len() >= MIN_PART {
            *self.parts.entry(folded.into()).or_insert(0) |= how;
        }
    }

    /// Whether a folded word is one of the dictionary's, or may be.
    pub fn standing(&self, word: &str) -> Standing {
        let has = |w: &str| self.words.contains(&hash(w));
        if has(word) {
            return Standing::Word;
        }
        let ends_in_two = |stem: &str| {
            let two = stem.as_bytes().last_chunk::<2>();
            stem.is_ascii() && stem.len() > MIN_PART && two.is_some_and(|[a, b]| a == b)
        };
        // `kattene` is of `kat`, `hugget` and `hug` of `hugge`, `glem` of `glemme`.
        let of_one = |stem: &str| {
            stem.len() >= MIN_PART
                && (has(stem)
                    || has(&format!("{stem}e"))
                    || (ends_in_two(stem) && has(&stem[..stem.len() - 1])))
        };
        let endings = ENDINGS.iter().chain(MORE_ENDINGS);
        let inflected = endings.filter_map(|e| word.strip_suffix(e)).any(of_one);
        let ordered = of_one(word)
            || (word.ends_with(|c: char| c.is_ascii())
                && has(&format!("{word}{}e", &word[word.len() - 1..])));
        if inflected || ordered || !self.split(word).is_empty() {
            Standing::Form
        } else {
            Standing::Unknown
        }
    }

    /// The parts of a folded word, without linking letters, in order; empty when it is not a compound.
    pub fn split<'a>(&self, word: &'a str) -> Vec<&'a str> {
        if word.len() < 2 * MIN_PART
            || word.len() > MAX_WORD
            || !word.is_ascii()
            || WHOLE.contains(&word)
        {
            return Vec::new();
        }
        // best[i]: the cheapest way to cut word[..i] into inner parts; (cost, where the last part began,
        // where it ended without its linking letter).
        let n = word.len();
        let mut best: Vec<Option<(u32, usize, usize)>> = vec![None; n + 1];
        best[0] = Some((0, 0, 0));
        for start in 0..n - MIN_PART {
            let Some((cost, ..)) = best[start] else {
                continue;
            };
            for end in start + MIN_PART..=n - MIN_PART {
                let Some(&how) = self.parts.get(&word[start..end]) else {
                    continue;
                };
                let cost = cost + part_cost(end - start);
                let mut offer = |at: usize, extra: u32| {
                    if at <= n - MIN_PART && best[at].is_none_or(|(c, ..)| cost + extra < c) {
                        best[at] = Some((cost + extra, start, end));
                    }
                };
                if how & LINK_NONE != 0 {
                    offer(end, 0);
                }
                if how & LINK_S != 0 && word.as_bytes()[end] == b's' {
                    offer(end + 1, 1);
                }
                if how & LINK_E != 0 && word.as_bytes()[end] == b'e' {
                    offer(end + 1, 2);
                }
            }
        }
        let last = (MIN_PART..=n - MIN_PART)
            .filter_map(|at| {
                let (cost, ..) = best[at]?;
                Some((cost + self.last_cost(&word[at..])?, at))
            })
            .min();
        let Some((_, mut at)) = last else {
            return Vec::new();
        };
        let mut parts = vec![&word[at..]];
        while at > 0 {
            let Some((_, start, end)) = best[at] else {
                break;
            };
            parts.push(&word[start..end]);
            at = start;
        }
        parts.reverse();
        parts
    }

    /// The cost of a last part, inflected or not; `None` when no word of the list ends so.
    fn last_cost(&self, part: &str) -> Option<u32> {
        let ends = |p: &str| self.parts.get(p).is_some_and(|how| how & LAST != 0);
        if ends(part) {
            return Some(part_cost(part.len()));
        }
        ENDINGS.iter().find_map(|e| {
            let stem = part.strip_suffix(e)?;
            let doubled = stem.len() > MIN_PART
                && stem.as_bytes()[stem.len() - 1] == stem.as_bytes()[stem.len() - 2];
            (stem.len() >= MIN_PART && (ends(stem) || (doubled && ends(&stem[..stem.len() - 1]))))
                .then(|| part_cost(stem.len()) + 1)
        })
    }
}

/// Many parts are dear, and short ones dearer: `fem` and `ten` hide everywhere.
fn part_cost(len: usize) -> u32 {
    match len {
        0..=3 => 26,
        4 => 20,
        5 => 17,
        _ => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Compounds {
        Compounds::from_words([
            "affald",
            "sortering",
            "boern",
            "have",
            "plads",
            "hus",
            "leje",
            "naevn",
            "kort",
            "parkering",
            "handicap",
            "bad",
            "kar",
            "fest",
        ])
    }

    #[test]
    fn links_are_dropped_and_order_is_kept() {
        let c = small();
        assert_eq!(c.split("affaldssortering"), ["affald", "sortering"]);
        assert_eq!(c.split("boernehaveplads"), ["boerne", "have", "plads"]);
        assert_eq!(c.split("huslejenaevnet"), ["hus", "leje", "naevnet"]);
        assert_eq!(
            c.split("handicapparkeringskort"),
            ["handicap", "parkering", "kort"]
        );
        assert_eq!(c.split("badekar"), ["bad", "kar"]);
    }

    #[test]
    fn what_is_whole_stays_whole() {
        let c = small();
        for word in [
            "borgere",
            "affald",
            "sortering",
            "xyzzyhus",
            "пас",
            "",
            "kar",
        ] {
            assert!(c.split(word).is_empty(), "{word}");
        }
    }

    #[test]
    fn another_dictionary_is_refused() {
        assert!(Compounds::from_hunspell("2\nhus/39\nbil/31\n").is_err());
    }

    #[test]
    fn other_words_have_another_fingerprint_and_their_order_does_not_matter() {
        let of = |words: &[&str]| Compounds::from_words(words.iter().copied()).fingerprint();
        assert_eq!(of(&["affald", "plads"]), of(&["plads", "affald"]));
        assert_ne!(of(&["affald", "plads"]), of(&["affald"]));
    }
}

//! Danish text to search terms, the same on both sides except that compounds are taken apart only when
//! indexing: a query for `affald` must find `affaldsgebyr`, but one for `affaldsgebyr` means just that.

mod compounds;

use std::collections::HashSet;

use base::{fold, words};
use frostem::{Algorithm, Stemmer};

pub(crate) use compounds::Standing;
pub use compounds::{Compounds, DictionaryError};

/// Words that say nothing of the matter, folded. tantivy's own Danish list holds `have` (a garden), `under`
/// (a marvel, and under 18), `skal`, `ikke` and the question words, which carry meaning here.
const STOP: &[&str] = &[
    "af", "alle", "alt", "at", "blev", "blive", "bliver", "da", "de", "dem", "den", "denne", "der",
    "deres", "det", "dette", "dig", "din", "dine", "disse", "dit", "du", "eller", "en", "end",
    "er", "et", "for", "fra", "ham", "han", "hans", "har", "havde", "hej", "hende", "hendes",
    "her", "hun", "i", "ind", "jeg", "jer", "jeres", "jo", "kan", "kunne", "man", "med", "meget",
    "men", "mig", "min", "mine", "mit", "naa", "noget", "nogle", "nu", "og", "ogsaa", "om", "os",
    "paa", "sig", "sin", "sine", "sit", "skulle", "som", "saa", "til", "ud", "var", "ved", "vi",
    "vil", "ville", "vores", "vaere", "vaeret", "goer", "goere", "faar", "faa", "lige", "godt",
    "gerne",
];

/// Turns text into terms. Cheap to share, costly to build (it holds the word list).
pub struct Analyzer {
    stemmer: Stemmer,
    stop: HashSet<&'static str>,
    compounds: Compounds,
}

/// A term and where it stands: parts of a compound share the position of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub text: String,
    pub position: usize,
}

impl Analyzer {
    /// The same for the same word list.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.compounds.fingerprint()
    }

    pub fn new(compounds: Compounds) -> Self {
        Self {
            stemmer: Stemmer::new(Algorithm::Danish),
            stop: STOP.iter().copied().collect(),
            compounds,
        }
    }

    /// The terms under which a text is found: every word's stem, and the stems of its parts.
    pub fn index_terms(&self, text: &str) -> Vec<Term> {
        let folded = fold(text);
        let mut terms = Vec::new();
        for (position, word) in words(&folded).enumerate() {
            if self.stop.contains(word) {
                continue;
            }
            terms.push(Term {
                text: self.stem(word),
                position,
            });
            for part in self.compounds.split(word) {
                terms.push(Term {
                    text: self.stem(part),
                    position,
                });
            }
        }
        terms
    }

    /// The terms a query asks for: stems of its words, in order, each once.
    pub fn query_terms(&self, text: &str) -> Vec<String> {
        let folded = fold(text);
        let mut seen = HashSet::new();
        words(&folded)
            .filter(|w| !self.stop.contains(w))
            .map(|w| self.stem(w))
            .filter(|s| seen.insert(s.clone()))
            .collect()
    }

    pub fn compounds(&self) -> &Compounds {
        &self.compounds
    }

    fn stem(&self, word: &str) -> String {
        self.stemmer.stem(word).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_only_from_the_index_side() {
        let a = Analyzer::new(Compounds::from_words(["affald", "gebyr"]));
        let texts = |t: Vec<Term>| t.into_iter().map(|t| t.text).collect::<Vec<_>>();
        assert_eq!(
            texts(a.index_terms("Affaldsgebyret")),
            ["affaldsgebyr", "affald", "gebyr"]
        );
        assert_eq!(a.query_terms("affaldsgebyret"), ["affaldsgebyr"]);
    }

    #[test]
    fn letters_and_their_substitutes_meet_and_meaning_words_stay() {
        let a = Analyzer::new(Compounds::default());
        assert_eq!(
            a.query_terms("Børnehaven på Ærø"),
            a.query_terms("boernehaven paa aeroe")
        );
        assert_eq!(
            a.query_terms("have skal ikke under"),
            ["hav", "skal", "ikk", "und"]
        );
        assert_eq!(a.query_terms("jeg er og det"), Vec::<String>::new());
    }
}

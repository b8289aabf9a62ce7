//! How near a written sentence is to one of the approved ones.
//!
//! The gate reads facts, clause by clause; it cannot tell who does what to whom, and a small model likes to put the
//! beginning of one sentence before the end of another. So a sentence in close wording has the words of one approved
//! sentence, in their order, with nothing of weight left out between them.

use base::{fold, words};

use crate::material::Material;

/// Least share of a sentence's words that one approved sentence has in the same order.
const SHARE: f32 = 0.8;
/// Words that may be left out between the first and the last of them.
const SKIPPED: usize = 1;
/// A sentence that does not stand there as it is has at least so many words in common with the one it is near to.
const LEAST: usize = 3;
/// Letters of a word that tells something; figures tell always.
const LETTERS: usize = 4;

/// The approved sentences, read once.
pub(crate) struct Near {
    all: Vec<Vec<String>>,
    /// Of the title: they may be said anywhere.
    title: Vec<String>,
    plain: Vec<String>,
}

fn telling(text: &str) -> Vec<String> {
    let folded = fold(text);
    let tells = |w: &&str| w.chars().count() >= LETTERS || w.chars().any(|c| c.is_ascii_digit());
    words(&folded).filter(tells).map(str::to_owned).collect()
}

fn plain(text: &str) -> String {
    words(&fold(text)).collect::<Vec<_>>().join(" ")
}

/// The same word, perhaps in another form.
fn same(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longer = a.chars().count().max(b.chars().count());
    a == b || (common >= 4 && common * 10 >= longer * 7)
}

impl Near {
    pub(crate) fn of(material: &Material) -> Self {
        let found = material.sentences();
        Self {
            all: found.iter().map(|s| telling(s)).collect(),
            title: telling(&material.title),
            plain: found.iter().map(|s| plain(s)).collect(),
        }
    }

    /// Whether a sentence stands in the sections as it is, or is near enough to one that does.
    pub(crate) fn holds(&self, sentence: &str) -> bool {
        let as_it_is = plain(sentence);
        if self.plain.contains(&as_it_is) {
            return true;
        }
        let own = telling(sentence);
        own.len() >= LEAST && self.all.iter().any(|other| self.near(&own, other))
    }

    fn near(&self, own: &[String], other: &[String]) -> bool {
        let places = in_order(own, other);
        let known = |w: &String| self.title.iter().any(|t| same(w, t));
        // What only the title has counts neither way.
        let matched = |n: usize| places.iter().any(|(mine, _)| *mine == n);
        let neutral = (0..own.len())
            .filter(|n| !matched(*n) && known(&own[*n]))
            .count();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return false;
        };
        let skipped = last.1 - first.1 + 1 - places.len();
        let told = (own.len() - neutral) as f32;
        places.len() >= LEAST && places.len() as f32 >= SHARE * told && skipped <= SKIPPED
    }
}

/// The longest run of words that both have in the same order, as pairs of places.
fn in_order(own: &[String], other: &[String]) -> Vec<(usize, usize)> {
    let (rows, columns) = (own.len(), other.len());
    let mut longest = vec![vec![0_usize; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            longest[i][j] = if same(&own[i], &other[j]) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < rows && j < columns {
        if same(&own[i], &other[j]) && longest[i][j] == longest[i + 1][j + 1] + 1 {
            out.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base::Lang;

    use super::*;
    use crate::material::Cited;

    #[test]
    fn a_sentence_has_the_words_of_one_approved_sentence_in_their_order() {
        let text = "Juleferien begynder sidst i december og slutter først i januar.\n\n\
                    1. En visitator besøger dig og ser på helbred og bolig.\n2. En pårørende må gerne hjælpe.\n\n\
                    Hjælpen er højst 500 kr. om året. Det er gratis at spørge.";
        let material = Material {
            title: "Skoleferier".to_owned(),
            municipality: "Eksempel Kommune".to_owned(),
            sections: vec![Cited {
                heading: None,
                text: text.to_owned(),
            }],
            whole: String::new(),
            question: String::new(),
            lang: Lang::Da,
        };
        let near = Near::of(&material);
        for good in [
            "Det er gratis at spørge.",
            "En visitator besøger dig og ser på helbred og bolig.",
            "En pårørende må gerne hjælpe dig.",
            "Hjælpen er højst 500 kr. om året.",
            "Skoleferier: juleferien begynder sidst i december.",
        ] {
            assert!(near.holds(good), "{good}");
        }
        for bad in [
            "Juleferie begynder først i januar.",
            // True, and still another order: the approved text is there to be read.
            "Helbred og bolig ser visitatoren på og besøger dig.",
            "En pårørende besøger dig og ser på din bolig.",
            "Du kan få det.",
            "Hjælpen er gratis.",
            // The title says nothing of it.
            "Skoleferier og feriefridage er gratis at spørge.",
            "Skoleferierne er gratis.",
            "Du kan have dit barn på en anden skole.",
            "",
        ] {
            assert!(!near.holds(bad), "{bad}");
        }
    }
}

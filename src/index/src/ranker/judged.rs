//! What became of the sentences that the ranker was calibrated with, each judged by models that had not seen it.
//!
//! Kept with the ranker, some ten bytes a sentence: thresholds can be drawn from it, and articles that take each
//! other's sentences are named by it.

use serde::{Deserialize, Serialize};

use super::Class;
use super::confidence::{Confidence, Trial};
use super::train::Sample;

/// One sentence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// See [`sentence_key`].
    pub(crate) key: u32,
    /// What it is an example of.
    pub(crate) class: u32,
    /// The class of the article that came first.
    pub(crate) first: Option<u32>,
    /// Calibrated, 0 to 1.
    pub(crate) confidence: f32,
}

/// Tells the sentences of one article apart, by the text after [`base::clean`]. FNV-1a, 32 bits: it is stored.
#[must_use]
pub fn sentence_key(text: &str) -> u32 {
    let step = |h: u32, b: u8| (h ^ u32::from(b)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step)
}

impl Judged {
    /// Of a sample, its trial and the class that came first in it.
    pub(super) fn of(
        sample: &Sample,
        trial: &Trial,
        first: Option<usize>,
        confidence: &Confidence,
    ) -> Self {
        Self {
            key: sentence_key(&sample.text),
            class: sample.class,
            first: first.and_then(|c| u32::try_from(c).ok()),
            confidence: confidence.probability(&trial.signals),
        }
    }
}

/// The same of a release with other classes; both lists are sorted. What was of a class that is gone is left out.
pub(super) fn placed(judged: &[Judged], old: &[Class], new: &[Class]) -> Vec<Judged> {
    let to: Vec<Option<u32>> = old
        .iter()
        .map(|c| {
            new.binary_search(c)
                .ok()
                .and_then(|n| u32::try_from(n).ok())
        })
        .collect();
    let moved = |c: u32| to[c as usize];
    judged
        .iter()
        .filter_map(|j| {
            Some(Judged {
                class: moved(j.class)?,
                first: j.first.and_then(moved),
                ..*j
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_come_and_go_move_the_others() {
        let article = |id: &str| Class::Article(id.to_owned());
        let one = |class, first| Judged {
            key: 7,
            class,
            first,
            confidence: 0.5,
        };
        let old = ["b", "c", "d"].map(article);
        let new = ["a", "b", "d"].map(article);
        let judged = [
            one(0, Some(2)),
            one(1, Some(0)),
            one(2, Some(1)),
            one(2, None),
        ];
        let wanted = [one(1, Some(2)), one(2, None), one(2, None)];
        assert_eq!(placed(&judged, &old, &new), wanted);
    }
}

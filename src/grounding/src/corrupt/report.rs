//! What came of a measure.

use std::collections::BTreeMap;
use std::time::Duration;

use base::Lang;
use serde::Serialize;

use super::{Change, Truth};
use crate::verdict::Verdict;

/// The areas the gate was developed on, or the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    Developed,
    HeldOut,
}

/// Examples of each kind that are kept.
const SHOWN: usize = 12;

/// Of so many, so many.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Figures {
    pub n: u32,
    pub hits: u32,
}

impl Figures {
    /// 0 to 100; of none, 100.
    pub fn percent(self) -> f64 {
        if self.n == 0 {
            100.0
        } else {
            100.0 * f64::from(self.hits) / f64::from(self.n)
        }
    }

    fn add(&mut self, hit: bool) {
        self.n += 1;
        self.hits += u32::from(hit);
    }

    fn plus(self, other: Figures) -> Figures {
        Figures {
            n: self.n + other.n,
            hits: self.hits + other.hits,
        }
    }
}

/// A sentence judged wrongly.
#[derive(Clone, Debug, Serialize)]
pub struct Miss {
    pub article: String,
    pub half: Half,
    pub lang: Lang,
    /// The change that was not caught; `None` for a true sentence that was dropped.
    pub change: Option<Change>,
    pub text: String,
    /// The faults that were seen in it.
    pub why: String,
}

/// Changes that were thrown away, for they left the sentence true or the gate drops it unchanged.
#[derive(Clone, Debug, Serialize)]
pub struct Excluded {
    pub change: Change,
    pub why: &'static str,
    pub n: u32,
}

/// What came of a measure.
#[derive(Debug, Default)]
pub struct Report {
    /// Changed sentences, and how many were dropped.
    pub wrong: BTreeMap<(Half, Lang, Change), Figures>,
    /// True sentences by how they were made, and how many were dropped.
    pub truths: BTreeMap<(Half, Lang, &'static str), Figures>,
    pub excluded: BTreeMap<(Change, &'static str), u32>,
    /// The cosines that the encoder gave, by how the sentences were made ("changed", "elsewhere" where they are wrong).
    pub cosines: BTreeMap<(Half, Lang, &'static str), Vec<f32>>,
    pub through: Vec<Miss>,
    pub dropped: Vec<Miss>,
    /// Sentences judged, and the time that took, without reading the evidence.
    pub judged: u32,
    pub spent: Duration,
}

impl Report {
    pub(super) fn truth(&mut self, half: Half, truth: &Truth, article: &str, verdict: &Verdict) {
        let of = self
            .truths
            .entry((half, truth.lang, truth.form))
            .or_default();
        of.add(!verdict.kept());
        if let Verdict::Dropped { why } = verdict {
            self.dropped.push(Miss {
                article: article.to_owned(),
                half,
                lang: truth.lang,
                change: None,
                text: truth.text.clone(),
                why: why
                    .iter()
                    .map(|f| format!("{f:?}"))
                    .collect::<Vec<_>>()
                    .join(", "),
            });
        }
    }

    pub(super) fn near(&mut self, of: (Half, Lang, &'static str), cosine: Option<f32>) {
        if let Some(cosine) = cosine {
            self.cosines.entry(of).or_default().push(cosine);
        }
    }

    pub(super) fn exclude(&mut self, change: Change, why: &'static str) {
        *self.excluded.entry((change, why)).or_default() += 1;
    }

    pub(super) fn wrong(
        &mut self,
        (half, lang, change): (Half, Lang, Change),
        article: &str,
        text: &str,
        caught: bool,
    ) {
        self.wrong
            .entry((half, lang, change))
            .or_default()
            .add(caught);
        if !caught {
            self.through.push(Miss {
                article: article.to_owned(),
                half,
                lang,
                change: Some(change),
                text: text.to_owned(),
                why: String::new(),
            });
        }
    }

    /// Changed sentences caught, of one half and language or of all.
    pub fn caught(&self, half: Option<Half>, lang: Option<Lang>) -> Figures {
        let all = self.wrong.iter();
        all.filter(|((h, l, _), _)| half.is_none_or(|x| x == *h) && lang.is_none_or(|x| x == *l))
            .fold(Figures::default(), |sum, (_, f)| sum.plus(*f))
    }

    /// True sentences dropped, of one half and language or of all.
    pub fn lost(&self, half: Option<Half>, lang: Option<Lang>) -> Figures {
        let all = self.truths.iter();
        all.filter(|((h, l, _), _)| half.is_none_or(|x| x == *h) && lang.is_none_or(|x| x == *l))
            .fold(Figures::default(), |sum, (_, f)| sum.plus(*f))
    }

    /// Time to judge one sentence.
    pub fn ns_per_sentence(&self) -> u64 {
        (self.spent.as_nanos() / u128::from(self.judged.max(1))) as u64
    }

    /// A few of the sentences judged wrongly.
    pub fn examples(list: &[Miss]) -> impl Iterator<Item = &Miss> {
        let step = list.len().div_ceil(SHOWN).max(1);
        list.iter().step_by(step)
    }
}

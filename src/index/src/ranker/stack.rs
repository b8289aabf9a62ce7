//! The second stage: how much each kind of evidence counts, and how sure the result is.
//!
//! A conditional logit over the candidates of a query (McFadden 1974): the score of a candidate is linear in
//! its evidence, the probability is the softmax over candidates. The weights follow the script and language
//! of the message, for lexical evidence is worth most in Danish.

pub(super) mod logit;

use base::Lang;
use serde::{Deserialize, Serialize};

/// Numbers of evidence per candidate. See [`Evidence`].
pub(crate) const EVIDENCE: usize = 13;
/// Each weight has a second one that counts for articles with hardly any example sentence.
pub(crate) const WIDTH: usize = 2 * EVIDENCE;

/// What speaks for one candidate.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Evidence {
    /// Margin of the lexical classifier, and how far it is below the best candidate's.
    pub lexical: f32,
    pub lexical_gap: f32,
    /// The same of the vector classifier.
    pub vector: f32,
    pub vector_gap: f32,
    /// Cosine (centred) to the nearest example sentence, and the mean of the nearest three.
    pub nearest: f32,
    pub nearest_three: f32,
    pub nearest_gap: f32,
    /// Cosine (centred) to the nearest section.
    pub section: f32,
    pub section_gap: f32,
    /// ln(1 + BM25) of the best section, as a share of the best candidate's.
    pub bm25: f32,
    pub bm25_share: f32,
    pub intent: bool,
    pub out_of_scope: bool,
    /// The article has hardly any example sentence: its text must speak for it.
    pub cold: bool,
}

impl Evidence {
    pub(crate) fn numbers(&self) -> [f32; WIDTH] {
        let flag = |b: bool| if b { 1.0 } else { 0.0 };
        let plain: [f32; EVIDENCE] = [
            self.lexical,
            self.lexical_gap,
            self.vector,
            self.vector_gap,
            self.nearest,
            self.nearest_three,
            self.nearest_gap,
            self.section,
            self.section_gap,
            self.bm25,
            self.bm25_share,
            flag(self.intent),
            flag(self.out_of_scope),
        ];
        let mut out = [0.0; WIDTH];
        out[..EVIDENCE].copy_from_slice(&plain);
        if self.cold {
            out[EVIDENCE..].copy_from_slice(&plain);
            // A constant of its own in the place of a flag that a cold article never has.
            out[WIDTH - 1] = 1.0;
        }
        out
    }
}

/// Languages that share weights: Danish, other Latin script, other scripts.
pub(crate) const GROUPS: usize = 3;

pub(crate) fn group(lang: Lang) -> usize {
    match lang {
        Lang::Da => 0,
        Lang::En | Lang::De | Lang::Pl | Lang::Tr => 1,
        Lang::Uk | Lang::Ar => 2,
    }
}

/// One query of the training set: its candidates and the right one among them.
pub(crate) struct Choice<const N: usize = WIDTH> {
    pub group: usize,
    pub candidates: Vec<[f32; N]>,
    pub right: usize,
    pub weight: f32,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stack {
    weights: Vec<Vec<f32>>,
}

impl Stack {
    /// Fits first one set of weights for all, then each group's own, held near the common ones.
    pub(crate) fn fit(choices: &[Choice], threads: usize) -> Self {
        let all: Vec<&Choice> = choices.iter().collect();
        let common = logit::fit(&all, &[0.0; WIDTH], 1e-4, threads);
        let weights = (0..GROUPS)
            .map(|g| {
                let own: Vec<&Choice> = choices.iter().filter(|c| c.group == g).collect();
                if own.len() < 50 {
                    return common.to_vec();
                }
                logit::fit(&own, &common, 2e-3, threads).to_vec()
            })
            .collect();
        Self { weights }
    }

    pub(crate) fn score(&self, group: usize, numbers: &[f32; WIDTH]) -> f32 {
        self.weights[group]
            .iter()
            .zip(numbers)
            .map(|(w, x)| w * x)
            .sum()
    }
}

/// Softmax in place.
pub(crate) fn softmax(scores: &mut [f32]) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        *s = (*s - top).exp();
        sum += *s;
    }
    for s in scores.iter_mut() {
        *s /= sum;
    }
}

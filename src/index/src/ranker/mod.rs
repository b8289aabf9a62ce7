//! The learned ranker: trained in seconds from the example sentences whenever knowledge is released.
//!
//! First stage, each trained one class against the rest: a lexical classifier over character grams, words
//! and pairs; a classifier over encoder vectors; nearest example sentences; nearest sections by vector and
//! by BM25. Second stage: [`stack`] weighs them, fitted on predictions that each sentence got from models
//! that had not seen it. Last, [`confidence`] turns the result into a probability.
//!
//! Besides the articles there are classes for control intents and for kinds of messages that no article
//! answers, so that saying no is learned too.

mod confidence;
mod cross_fit;
mod examples;
mod features;
mod judged;
mod planes;
mod revise;
mod scope;
mod stack;
mod svm;
mod train;

use base::Lang;
use knowledge::Intent;
use serde::{Deserialize, Serialize};

pub use confidence::ErrorBudget;
use confidence::{Confidence, Signals};
use examples::Examples;
use features::Vocabulary;
pub(crate) use judged::Judged;
pub use judged::sentence_key;
use planes::LexicalPlanes;
pub(crate) use revise::{Lesson, Revision};
pub(crate) use scope::Scope;
use stack::{Evidence, Stack};
use svm::dot;
pub(crate) use train::{Sample, Training};

/// What a message can be about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Class {
    /// An article, by id: the same in every layer that has it.
    Article(String),
    Intent(Intent),
    /// A kind of message that no article answers.
    OutOfScope(String),
}

/// Articles with fewer own sentences than this are ranked by their text.
const COLD: u32 = 4;

/// The ranker of one release.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ranker {
    pub(crate) classes: Vec<Class>,
    /// Written example sentences of each class.
    written: Vec<u32>,
    /// What each class was learned from, see [`revise`].
    fingerprints: Vec<u64>,
    dimensions: usize,
    vocabulary: Vocabulary,
    lexical: LexicalPlanes,
    /// `[classes × dimensions]`, then a bias each.
    vector_weights: Vec<f32>,
    vector_bias: Vec<f32>,
    query_mean: Vec<f32>,
    passage_mean: Vec<f32>,
    examples: Examples,
    stack: Stack,
    confidence: Confidence,
    /// What the confidence was fitted on.
    pub(crate) judged: Vec<Judged>,
}

/// What is asked of the ranker.
pub(crate) struct Query<'a> {
    pub(crate) text: &'a str,
    /// From the encoder, unit length.
    pub(crate) vector: &'a [f32],
    pub(crate) lang: Lang,
    /// For each class: whether it may be answered with (an article the municipality sees). Intents and
    /// out-of-scope kinds are always in.
    pub(crate) allowed: &'a dyn Fn(usize) -> bool,
    /// For each class: best centred section cosine and best BM25, where there are any.
    pub(crate) sections: &'a [(f32, f32)],
}

/// One ranked class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ranked {
    pub(crate) class: usize,
    /// Among everything a message can be about, 0 to 1.
    pub(crate) probability: f32,
}

/// The outcome of ranking.
#[derive(Clone, Debug)]
pub(crate) struct Ranking {
    /// Every allowed class, best first.
    pub(crate) ranked: Vec<Ranked>,
    /// Probability that the best article is the right answer, calibrated, 0 to 1.
    pub(crate) confidence: f32,
    /// Summed probability of the out-of-scope kinds.
    pub(crate) outside: f32,
}

/// Raw scores of the first stage, one a class.
#[derive(Default)]
struct First {
    lexical: Vec<f32>,
    vector: Vec<f32>,
    nearest: Vec<f32>,
    nearest_three: Vec<f32>,
    unknown: f32,
    words: f32,
}

impl Ranker {
    /// At or above this confidence the best article is shown as the answer.
    pub(crate) fn answer_threshold(&self) -> f32 {
        self.confidence.answer
    }

    /// At or above this confidence, and below the other, the citizen is asked which article is meant.
    pub(crate) fn clarify_threshold(&self) -> f32 {
        self.confidence.clarify
    }

    /// A passage vector moved to where section cosines are taken: minus the mean passage, unit length.
    pub(crate) fn centre_passage(&self, v: &[f32]) -> Vec<f32> {
        centre(v, &self.passage_mean)
    }

    /// A query vector moved likewise.
    pub(crate) fn centre_query(&self, v: &[f32]) -> Vec<f32> {
        centre(v, &self.query_mean)
    }

    /// For each class, the cosine of its nearest example sentence with a centred query.
    pub(crate) fn nearest(&self, centred: &[f32]) -> Vec<f32> {
        self.examples.nearest(centred, &|_| true).0
    }

    /// Ranks every allowed class for a query.
    pub(crate) fn rank(&self, q: &Query<'_>) -> Ranking {
        let allowed = |c: usize| !matches!(self.classes[c], Class::Article(_)) || (q.allowed)(c);
        let first = self.first_stage(q, &allowed);
        let group = stack::group(q.lang);
        let evidence = evidence(&first, q.sections, &self.classes, &self.written, allowed);
        let mut scores: Vec<f32> = evidence
            .iter()
            .map(|(_, e)| self.stack.score(group, &e.numbers()))
            .collect();
        stack::softmax(&mut scores);
        let mut ranked: Vec<Ranked> = evidence
            .iter()
            .zip(&scores)
            .map(|((class, _), &probability)| Ranked {
                class: *class,
                probability,
            })
            .collect();
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let (signals, _) = signals(&ranked, &evidence, &self.classes, &first, q.lang);
        Ranking {
            confidence: self.confidence.probability(&signals),
            outside: signals.outside,
            ranked,
        }
    }

    /// The scores of the allowed classes; the others' mean nothing.
    fn first_stage(&self, q: &Query<'_>, allowed: &dyn Fn(usize) -> bool) -> First {
        let (features, unknown) = self.vocabulary.features(&features::raw(q.text));
        let v = centre(q.vector, &self.query_mean);
        let d = self.dimensions;
        let margin = |c: usize| {
            if !allowed(c) {
                return 0.0;
            }
            dot(&v, &self.vector_weights[c * d..(c + 1) * d]) + self.vector_bias[c]
        };
        let (nearest, nearest_three) = self.examples.nearest(&v, allowed);
        First {
            lexical: self.lexical.margins(&features, allowed),
            vector: (0..self.classes.len()).map(margin).collect(),
            nearest,
            nearest_three,
            unknown,
            words: base::words(&base::fold(q.text)).count() as f32,
        }
    }
}

/// The cosine of a class without any example: far, but a number.
const FAR: f32 = -0.3;

fn centre(v: &[f32], mean: &[f32]) -> Vec<f32> {
    let mut out: Vec<f32> = v.iter().zip(mean).map(|(v, m)| v - m).collect();
    let length = dot(&out, &out).sqrt().max(1e-9);
    for x in &mut out {
        *x /= length;
    }
    out
}

/// The evidence for every allowed class.
fn evidence(
    first: &First,
    sections: &[(f32, f32)],
    classes: &[Class],
    written: &[u32],
    allowed: impl Fn(usize) -> bool,
) -> Vec<(usize, Evidence)> {
    let inside: Vec<usize> = (0..classes.len()).filter(|&c| allowed(c)).collect();
    let best = |of: &dyn Fn(usize) -> f32| {
        inside
            .iter()
            .map(|&c| of(c))
            .fold(f32::NEG_INFINITY, f32::max)
    };
    let lexical = best(&|c| first.lexical[c]);
    let vector = best(&|c| first.vector[c]);
    let nearest = best(&|c| first.nearest[c]);
    let section = best(&|c| sections[c].0);
    let bm25 = best(&|c| sections[c].1).max(1e-3);
    inside
        .iter()
        .map(|&c| {
            let article = matches!(classes[c], Class::Article(_));
            let (s, b) = sections[c];
            let e = Evidence {
                lexical: first.lexical[c],
                lexical_gap: first.lexical[c] - lexical,
                vector: first.vector[c],
                vector_gap: first.vector[c] - vector,
                nearest: first.nearest[c],
                nearest_three: first.nearest_three[c],
                nearest_gap: first.nearest[c] - nearest,
                section: if article { s } else { 0.0 },
                section_gap: if article { s - section } else { 0.0 },
                bm25: (1.0 + b).ln(),
                bm25_share: b / bm25,
                intent: matches!(classes[c], Class::Intent(_)),
                out_of_scope: matches!(classes[c], Class::OutOfScope(_)),
                cold: article && written[c] < COLD,
            };
            (c, e)
        })
        .collect()
}

/// The signals of a ranked query, and the class of its best article.
fn signals(
    ranked: &[Ranked],
    evidence: &[(usize, Evidence)],
    classes: &[Class],
    first: &First,
    lang: Lang,
) -> (Signals, Option<usize>) {
    // A remark is answered with what it comes nearest to: how sure that is, is asked as if there were no such class.
    let remark = |c: &Class| matches!(c, Class::Intent(Intent::Remark));
    let mass = |of: &dyn Fn(&Class) -> bool| {
        ranked
            .iter()
            .filter(|r| of(&classes[r.class]))
            .map(|r| r.probability)
            .sum::<f32>()
    };
    let rest = (1.0 - mass(&remark)).max(1e-6);
    let sum = |of: &dyn Fn(&Class) -> bool| mass(of) / rest;
    let mut articles = ranked
        .iter()
        .filter(|r| matches!(classes[r.class], Class::Article(_)));
    let Some(top) = articles.next() else {
        return (Signals::default(), None);
    };
    let second = articles.next().map_or(0.0, |r| r.probability / rest);
    let e = evidence
        .iter()
        .find(|(c, _)| *c == top.class)
        .map(|(_, e)| *e)
        .unwrap_or_default();
    let agree = [e.lexical_gap, e.vector_gap, e.nearest_gap]
        .iter()
        .filter(|g| **g > -1e-6)
        .count();
    let s = Signals {
        first: top.probability / rest,
        second,
        outside: sum(&|c| matches!(c, Class::OutOfScope(_))),
        intent: sum(&|c| matches!(c, Class::Intent(_)) && !remark(c)),
        nearest: e.nearest,
        section: e.section,
        lexical: e.lexical,
        vector: e.vector,
        agree: agree as f32 / 3.0,
        unknown: first.unknown,
        words: first.words,
        foreign: if lang == Lang::Da { 0.0 } else { 1.0 },
    };
    (s, Some(top.class))
}

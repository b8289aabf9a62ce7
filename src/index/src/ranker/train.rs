//! Training: cross-fitted first stage, second stage, calibration, then the first stage on everything.

use std::sync::Arc;

use base::Lang;
use inference::{Products, Rounded};

use super::confidence::{Confidence, ErrorBudget, Trial};
use super::features::{Raw, Sparse, Vocabulary, raw};
use super::judged::Judged;
use super::revise::{Column, fingerprints, written};
use super::stack::{self, Choice, Stack};
use super::svm::{self, Fit, LANES, Plane, Rows};
use super::{
    Class, Examples, FAR, First, LexicalPlanes, Nearest, Ranked, Ranker, centre, evidence, signals,
};
use crate::parallel;

/// One training sentence.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) lang: Lang,
    /// Index into [`Training::classes`].
    pub(crate) class: u32,
    /// Written as a citizen's message; otherwise derived from a title, heading or keyword, which trains the
    /// first stage and is never used to judge it.
    pub(crate) written: bool,
    /// Whether the second stage and the calibration may be judged by it: an encoder that was trained on the sentence
    /// places it better than it will place a citizen's.
    pub(crate) judges: bool,
}

/// Everything the ranker learns from.
pub(crate) struct Training<'a> {
    pub(crate) classes: Vec<Class>,
    /// Classes that every municipality can meet: the second stage is fitted among these.
    pub(crate) common: Vec<bool>,
    pub(crate) samples: &'a [Sample],
    /// Encoded as queries, in the order of the samples.
    pub(crate) vectors: &'a [Arc<[f32]>],
    /// Every section of the common articles: (class, vector encoded as passage).
    pub(crate) passages: Vec<(u32, Arc<[f32]>)>,
    /// For each sample, the best BM25 of each class that has any.
    pub(crate) bm25: Vec<Vec<(u32, f32)>>,
    pub(crate) budget: ErrorBudget,
    pub(crate) threads: usize,
}

const FOLDS: usize = 4;
/// Candidates per query that the second stage is fitted on, the right one aside.
const CANDIDATES: usize = 24;
/// In each fold one class in this many loses its written sentences, so that the second stage learns how to
/// rank articles that have none.
const COLD_ONE_IN: usize = 12;

/// Held-out sentences whose neighbours are sought at once.
const BLOCK: usize = 48;

pub(super) const LEXICAL: Fit = Fit {
    c: 1.0,
    positive: 4.0,
    rounds: 3,
    epochs: 8,
    tolerance: 0.05,
};
pub(super) const VECTOR: Fit = Fit {
    c: 2.0,
    positive: 6.0,
    rounds: 3,
    epochs: 8,
    tolerance: 0.05,
};

impl Training<'_> {
    /// Trains a ranker. `progress` is told steps done and their number.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(usize, usize)) -> Ranker {
        let dimensions = self.vectors.first().map_or(1, |v| v.len());
        let written = written(self.classes.len(), self.samples);
        let query_mean = mean(self.vectors.iter().map(|v| &v[..]), dimensions);
        let passage_mean = mean(self.passages.iter().map(|p| &p.1[..]), dimensions);
        let dense: Vec<f32> = self
            .vectors
            .iter()
            .flat_map(|v| centre(v, &query_mean))
            .collect();
        let raws = parallel::map(self.samples.len(), self.threads, |i| {
            raw(&self.samples[i].text)
        });
        let steps = FOLDS + 2;
        let sections = self.sections(&dense, dimensions, &passage_mean);
        let mut choices = Vec::new();
        let mut judged = Vec::new();
        for fold in 0..FOLDS {
            progress(fold, steps);
            for (i, first, cold) in self.held_out(fold, &raws, &dense, dimensions) {
                let mut written = written.clone();
                for c in (0..written.len()).filter(|c| c % COLD_ONE_IN == fold) {
                    written[c] = 0;
                }
                let evidence = evidence(&first, &sections[i], &self.classes, &written, |c| {
                    self.common[c]
                });
                choices.extend(self.choice(i, &evidence));
                judged.push((i, first, evidence, cold));
            }
        }
        progress(FOLDS, steps);
        let stack = Stack::fit(&choices, self.threads);
        judged.retain(|j| !j.3);
        let (trials, firsts): (Vec<Trial>, Vec<Option<usize>>) = judged
            .iter()
            .map(|(i, first, evidence, _)| self.trial(&stack, *i, first, evidence))
            .unzip();
        let confidence = Confidence::fit(&trials, self.budget);
        // What is not common was ranked without its own article.
        let kept: Vec<Judged> = judged
            .iter()
            .map(|j| &self.samples[j.0])
            .zip(trials.iter().zip(firsts))
            .filter(|(s, _)| self.common[s.class as usize])
            .map(|(s, (t, first))| Judged::of(s, t, first, &confidence))
            .collect();
        progress(FOLDS + 1, steps);
        let mut ranker = self.whole(
            dimensions,
            written,
            query_mean,
            passage_mean,
            &raws,
            &dense,
            stack,
            confidence,
        );
        ranker.judged = kept;
        progress(steps, steps);
        ranker
    }

    fn fold_of(&self, i: usize) -> usize {
        i % FOLDS
    }

    /// For each sample, for each class: the best section cosine and BM25.
    fn sections(&self, dense: &[f32], d: usize, passage_mean: &[f32]) -> Vec<Vec<(f32, f32)>> {
        let rows: Vec<f32> = self
            .passages
            .iter()
            .flat_map(|(_, v)| centre(v, passage_mean))
            .collect();
        let products = Products::new(&rows, d);
        parallel::map(self.samples.len(), self.threads, |i| {
            let mut cosines = vec![0.0; self.passages.len()];
            products.with(&dense[i * d..(i + 1) * d], &mut cosines);
            let mut out = vec![(FAR, 0.0_f32); self.classes.len()];
            for ((class, _), &cosine) in self.passages.iter().zip(&cosines) {
                let best = &mut out[*class as usize].0;
                *best = best.max(cosine);
            }
            for (class, score) in &self.bm25[i] {
                let best = &mut out[*class as usize].1;
                *best = best.max(*score);
            }
            out
        })
    }

    /// First-stage scores of the written samples of one fold, from models that saw none of them; the third
    /// part says that the sample's class had been stripped of its sentences.
    fn held_out(
        &self,
        fold: usize,
        raws: &[Raw],
        dense: &[f32],
        d: usize,
    ) -> Vec<(usize, First, bool)> {
        let stripped = |class: u32| class as usize % COLD_ONE_IN == fold;
        let train: Vec<u32> = (0..)
            .zip(self.samples)
            .filter(|(i, s)| {
                !s.written || (self.fold_of(*i as usize) != fold && !stripped(s.class))
            })
            .map(|(i, _)| i)
            .collect();
        let held: Vec<usize> = (0..self.samples.len())
            .filter(|&i| self.samples[i].judges && self.fold_of(i) == fold)
            .collect();
        let vocabulary = Vocabulary::learn(train.iter().map(|&i| &raws[i as usize]));
        let featured = parallel::map(self.samples.len(), self.threads, |i| {
            vocabulary.features(&raws[i])
        });
        let (sparse, unknown): (Vec<Sparse>, Vec<f32>) = featured.into_iter().unzip();
        let n = self.classes.len();
        // Columns of scores of the held-out sentences, one a class.
        let scores = |rows: &Rows<'_>, width: usize, how: Fit| -> Vec<Vec<f32>> {
            self.planes(rows, width, &train, how, |plane| {
                held.iter()
                    .map(|&i| rows.dot(i, &plane.w) + plane.bias)
                    .collect()
            })
        };
        let lexical = scores(&Rows::Sparse(&sparse), vocabulary.len(), LEXICAL);
        let vector = scores(&Rows::Dense(dense, d), d, VECTOR);
        let rows: Vec<f32> = train
            .iter()
            .flat_map(|&t| dense[t as usize * d..(t as usize + 1) * d].iter().copied())
            .collect();
        let products = Products::new(&rows, d);
        let blocks: Vec<&[usize]> = held.chunks(BLOCK).collect();
        let near = parallel::map(blocks.len(), self.threads, |b| {
            let x: Vec<f32> = blocks[b]
                .iter()
                .flat_map(|&h| dense[h * d..(h + 1) * d].iter().copied())
                .collect();
            let mut cosines = vec![0.0; blocks[b].len() * train.len()];
            products.with(&x, &mut cosines);
            let classes = train
                .iter()
                .map(|&t| self.samples[t as usize].class as usize);
            cosines
                .chunks_exact(train.len())
                .map(|row| {
                    let mut near = Nearest::new(n);
                    for (class, &cosine) in classes.clone().zip(row) {
                        near.see(class, cosine);
                    }
                    near.finish()
                })
                .collect::<Vec<_>>()
        });
        let near = near.into_iter().flatten();
        held.iter()
            .zip(near)
            .enumerate()
            .map(|(h, (&i, (nearest, nearest_three)))| {
                let first = First {
                    lexical: lexical.iter().map(|column| column[h]).collect(),
                    vector: vector.iter().map(|column| column[h]).collect(),
                    nearest,
                    nearest_three,
                    unknown: unknown[i],
                    words: base::words(&base::fold(&self.samples[i].text)).count() as f32,
                };
                (i, first, stripped(self.samples[i].class))
            })
            .collect()
    }

    /// What becomes of the plane of each class, fitted on `train`, in the order of the classes.
    fn planes<T: Send>(
        &self,
        rows: &Rows<'_>,
        width: usize,
        train: &[u32],
        how: Fit,
        keep: impl Fn(Plane) -> T + Sync,
    ) -> Vec<T> {
        let n = self.classes.len();
        let class_of = |i: u32| self.samples[i as usize].class as usize;
        let blocks = parallel::map(n.div_ceil(LANES), self.threads, |block| {
            let first = block * LANES;
            let planes = svm::fit(rows, width, train, |i| class_of(i).checked_sub(first), how);
            let planes = planes.into_iter().take(n - first);
            planes.map(&keep).collect::<Vec<_>>()
        });
        blocks.into_iter().flatten().collect()
    }

    /// The likeliest candidates of a sample by a rough sum, and the right one.
    fn choice(&self, i: usize, evidence: &[(usize, stack::Evidence)]) -> Option<Choice> {
        let sample = &self.samples[i];
        let right = evidence.iter().find(|(c, _)| *c == sample.class as usize)?;
        let mut others: Vec<&(usize, stack::Evidence)> =
            evidence.iter().filter(|(c, _)| *c != right.0).collect();
        let rough = |e: &stack::Evidence| {
            e.lexical + e.vector + 2.0 * e.nearest_three + e.section + e.bm25_share
        };
        others.sort_by(|a, b| rough(&b.1).total_cmp(&rough(&a.1)));
        others.truncate(CANDIDATES);
        Some(Choice {
            group: stack::group(sample.lang),
            candidates: std::iter::once(right.1.numbers())
                .chain(others.iter().map(|o| o.1.numbers()))
                .collect(),
            right: 0,
            weight: 1.0,
        })
    }

    /// A calibration row, and the class of the article that came first.
    fn trial(
        &self,
        stack: &Stack,
        i: usize,
        first: &First,
        evidence: &[(usize, stack::Evidence)],
    ) -> (Trial, Option<usize>) {
        let sample = &self.samples[i];
        let group = stack::group(sample.lang);
        let mut scores: Vec<f32> = evidence
            .iter()
            .map(|(_, e)| stack.score(group, &e.numbers()))
            .collect();
        stack::softmax(&mut scores);
        let mut ranked: Vec<Ranked> = evidence
            .iter()
            .zip(scores)
            .map(|((class, _), probability)| Ranked {
                class: *class,
                probability,
            })
            .collect();
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let (signals, top) = signals(&ranked, evidence, &self.classes, first, sample.lang);
        let answerable = matches!(self.classes[sample.class as usize], Class::Article(_));
        let trial = Trial {
            signals,
            right: answerable && top == Some(sample.class as usize),
            answerable,
            weight: 1.0,
        };
        (trial, top)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one value, made in one place"
    )]
    fn whole(
        &self,
        d: usize,
        written: Vec<u32>,
        query_mean: Vec<f32>,
        passage_mean: Vec<f32>,
        raws: &[Raw],
        dense: &[f32],
        stack: Stack,
        confidence: Confidence,
    ) -> Ranker {
        let n = self.classes.len();
        let all: Vec<u32> = (0..).take(self.samples.len()).collect();
        let vocabulary = Vocabulary::learn(raws.iter());
        let sparse: Vec<Sparse> = parallel::map(self.samples.len(), self.threads, |i| {
            vocabulary.features(&raws[i]).0
        });
        let rows = Rows::Sparse(&sparse);
        let columns = self.planes(&rows, vocabulary.len(), &all, LEXICAL, |p| Column::of(&p));
        let mut lexical = LexicalPlanes::new(n, vocabulary.len());
        for (c, column) in columns.iter().enumerate() {
            lexical.put(c, column);
        }
        let planes = self.planes(&Rows::Dense(dense, d), d, &all, VECTOR, |p| p);
        Ranker {
            classes: self.classes.clone(),
            written,
            dimensions: d,
            fingerprints: fingerprints(n, self.samples),
            vocabulary,
            lexical,
            vector_weights: planes.iter().flat_map(|p| p.w.iter().copied()).collect(),
            vector_bias: planes.iter().map(|p| p.bias).collect(),
            query_mean,
            passage_mean,
            examples: Examples {
                vectors: Rounded::new(dense, d),
                class: self.samples.iter().map(|s| s.class).collect(),
            },
            stack,
            confidence,
            judged: Vec::new(),
        }
    }
}

fn mean<'a>(vectors: impl Iterator<Item = &'a [f32]>, d: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; d];
    let mut n = 0.0_f32;
    for v in vectors {
        n += 1.0;
        for (s, x) in sum.iter_mut().zip(v) {
            *s += x;
        }
    }
    for s in &mut sum {
        *s /= n.max(1.0);
    }
    sum
}

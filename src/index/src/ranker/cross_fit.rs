//! The second stage and the calibration: fitted on what a first stage says of sentences that it has not seen.
//!
//! Only the classes that every municipality can meet take part, and only their sentences: what weighs evidence there
//! weighs it everywhere.

use std::sync::Arc;

use inference::Products;
use knowledge::Intent;

use super::confidence::{Confidence, Trial};
use super::examples::Nearest;
use super::features::{Raw, Sparse, Vocabulary};
use super::judged::Judged;
use super::stack::{self, Choice, Evidence, Stack};
use super::svm::{Problem, Rows};
use super::train::{LEXICAL, Sample, Training, VECTOR};
use super::{Class, FAR, First, Ranked, centre, evidence, signals};
use crate::parallel;

const FOLDS: usize = 8;
/// Candidates per query that the second stage is fitted on, the right one aside.
const CANDIDATES: usize = 24;
/// In each fold one class in this many loses its written sentences, so that the second stage learns how to
/// rank articles that have none.
const COLD_ONE_IN: usize = 12;
/// Held-out sentences whose neighbours are sought at once.
const BLOCK: usize = 48;
/// Of the whole training, for progress.
pub(super) const STEPS: usize = FOLDS + 1;

/// The common part of a training, its classes numbered anew.
pub(super) struct CrossFit<'a> {
    training: &'a Training<'a>,
    /// Of each class, its number in the training.
    commons: Vec<usize>,
    classes: Vec<Class>,
    /// Written sentences of each class.
    written: Vec<u32>,
    samples: Vec<Common<'a>>,
    /// (class, vector) of each section.
    passages: Vec<(usize, &'a Arc<[f32]>)>,
}

/// A sentence of a common class.
struct Common<'a> {
    sample: &'a Sample,
    class: usize,
    raw: &'a Raw,
    /// Centred, unit length.
    vector: &'a [f32],
    /// The best BM25 of each class that has any.
    bm25: &'a [(u32, f32)],
}

/// What is known of a held-out sentence: which it is, what the first stage says, what speaks for each class, and
/// whether its class had been stripped of its sentences.
type Held = (usize, First, Vec<(usize, Evidence)>, bool);

impl<'a> CrossFit<'a> {
    /// `raws` and `dense` (`[samples × d]`, centred) are of all samples of the training.
    pub(super) fn new(
        training: &'a Training<'a>,
        written: &[u32],
        raws: &'a [Raw],
        (dense, d): (&'a [f32], usize),
    ) -> Self {
        let commons = training.scope.commons();
        let place = |class: u32| commons.binary_search(&(class as usize)).ok();
        let samples = training.samples.iter().enumerate();
        let samples = samples.filter_map(|(i, sample)| {
            Some(Common {
                sample,
                class: place(sample.class)?,
                raw: &raws[i],
                vector: &dense[i * d..(i + 1) * d],
                bm25: &training.bm25[i],
            })
        });
        let passages = training.passages.iter();
        Self {
            training,
            classes: commons
                .iter()
                .map(|&c| training.classes[c].clone())
                .collect(),
            written: commons.iter().map(|&c| written[c]).collect(),
            samples: samples.collect(),
            passages: passages
                .filter_map(|(class, v)| Some((place(*class)?, v)))
                .collect(),
            commons,
        }
    }

    /// Fits the second stage and the calibration, and tells what became of each sentence. `progress` is told how many of [`STEPS`] are done.
    pub(super) fn run(
        &self,
        passage_mean: &[f32],
        progress: &mut dyn FnMut(usize),
    ) -> (Stack, Confidence, Vec<Judged>) {
        let sections = self.sections(passage_mean);
        let mut choices = Vec::new();
        let mut ranked: Vec<Held> = Vec::new();
        for fold in 0..FOLDS {
            progress(fold);
            let mut written = self.written.clone();
            for c in (0..written.len()).filter(|c| c % COLD_ONE_IN == fold) {
                written[c] = 0;
            }
            for (i, first, cold) in self.held_out(fold) {
                let evidence = evidence(&first, &sections[i], &self.classes, &written, |_| true);
                choices.extend(self.choice(i, &evidence));
                ranked.push((i, first, evidence, cold));
            }
        }
        progress(FOLDS);
        let stack = Stack::fit(&choices, self.training.threads);
        ranked.retain(|r| !r.3);
        let (trials, firsts): (Vec<Trial>, Vec<Option<usize>>) = ranked
            .iter()
            .map(|(i, first, evidence, _)| self.trial(&stack, *i, first, evidence))
            .unzip();
        let confidence = Confidence::fit(&trials, self.training.budget, self.training.threads);
        let judged = ranked.iter().zip(trials.iter().zip(firsts));
        let judged = judged.map(|(r, (trial, first))| {
            let first = first.map(|c| self.commons[c]);
            Judged::of(self.samples[r.0].sample, trial, first, &confidence)
        });
        let judged = judged.collect();
        (stack, confidence, judged)
    }

    fn fold_of(i: usize) -> usize {
        i % FOLDS
    }

    /// For each sample, for each class: the best section cosine and BM25.
    fn sections(&self, passage_mean: &[f32]) -> Vec<Vec<(f32, f32)>> {
        let d = passage_mean.len();
        let rows: Vec<f32> = self
            .passages
            .iter()
            .flat_map(|(_, v)| centre(v, passage_mean))
            .collect();
        let products = Products::new(&rows, d);
        parallel::map(self.samples.len(), self.training.threads, |i| {
            let sample = &self.samples[i];
            // Nobody is judged by it.
            if !sample.sample.judges {
                return Vec::new();
            }
            let mut cosines = vec![0.0; self.passages.len()];
            products.with(sample.vector, &mut cosines);
            let mut out = vec![(FAR, 0.0_f32); self.classes.len()];
            for ((class, _), &cosine) in self.passages.iter().zip(&cosines) {
                let best = &mut out[*class].0;
                *best = best.max(cosine);
            }
            for (class, score) in sample.bm25 {
                if let Ok(class) = self.commons.binary_search(&(*class as usize)) {
                    let best = &mut out[class].1;
                    *best = best.max(*score);
                }
            }
            out
        })
    }

    /// First-stage scores of the sentences of one fold that are judged by, from models that saw none of them; the
    /// third part says that the sentence's class had been stripped.
    fn held_out(&self, fold: usize) -> Vec<(usize, First, bool)> {
        let threads = self.training.threads;
        let stripped = |class: usize| class % COLD_ONE_IN == fold;
        let (samples, n) = (&self.samples, self.classes.len());
        let train: Vec<u32> = (0..)
            .zip(samples)
            .filter(|(i, s)| {
                !s.sample.written || (Self::fold_of(*i as usize) != fold && !stripped(s.class))
            })
            .map(|(i, _)| i)
            .collect();
        let held: Vec<usize> = (0..samples.len())
            .filter(|&i| samples[i].sample.judges && Self::fold_of(i) == fold)
            .collect();
        let vocabulary = Vocabulary::learn(train.iter().map(|&i| samples[i as usize].raw));
        let featured = parallel::map(samples.len(), threads, |i| {
            vocabulary.features(samples[i].raw)
        });
        let (sparse, unknown): (Vec<Sparse>, Vec<f32>) = featured.into_iter().unzip();
        let vectors: Vec<&[f32]> = samples.iter().map(|s| s.vector).collect();
        let all: Vec<usize> = (0..n).collect();
        // Columns of scores of the held-out sentences, one a class.
        let scores = |rows: &Rows<'_>, width, how| -> Vec<Vec<f32>> {
            let class_of = |i: u32| samples[i as usize].class;
            let problem = Problem {
                rows,
                width,
                train: &train,
                class_of: &class_of,
                how,
            };
            problem.planes(&all, threads, |plane| {
                held.iter()
                    .map(|&i| rows.dot(i, &plane.w) + plane.bias)
                    .collect()
            })
        };
        let lexical = scores(&Rows::Sparse(&sparse), vocabulary.len(), LEXICAL);
        let d = vectors.first().map_or(1, |v| v.len());
        let vector = scores(&Rows::Dense(&vectors), d, VECTOR);
        let near = self.nearest(&train, &held, d);
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
                    words: base::words(&base::fold(&samples[i].sample.text)).count() as f32,
                };
                (i, first, stripped(samples[i].class))
            })
            .collect()
    }

    /// For each held-out sentence, for each class, the nearest of the others and the mean of the nearest three.
    fn nearest(&self, train: &[u32], held: &[usize], d: usize) -> Vec<(Vec<f32>, Vec<f32>)> {
        let rows: Vec<f32> = train
            .iter()
            .flat_map(|&t| self.samples[t as usize].vector.iter().copied())
            .collect();
        let products = Products::new(&rows, d);
        let blocks: Vec<&[usize]> = held.chunks(BLOCK).collect();
        let near = parallel::map(blocks.len(), self.training.threads, |b| {
            let x: Vec<f32> = blocks[b]
                .iter()
                .flat_map(|&h| self.samples[h].vector.iter().copied())
                .collect();
            let mut cosines = vec![0.0; blocks[b].len() * train.len()];
            products.with(&x, &mut cosines);
            let classes = train.iter().map(|&t| self.samples[t as usize].class);
            cosines
                .chunks_exact(train.len())
                .map(|row| {
                    let mut near = Nearest::new(self.classes.len());
                    for (class, &cosine) in classes.clone().zip(row) {
                        near.see(class, cosine);
                    }
                    near.finish()
                })
                .collect::<Vec<_>>()
        });
        near.into_iter().flatten().collect()
    }

    /// The likeliest candidates of a sample by a rough sum, and the right one.
    fn choice(&self, i: usize, evidence: &[(usize, Evidence)]) -> Option<Choice> {
        let sample = &self.samples[i];
        let right = evidence.iter().find(|(c, _)| *c == sample.class)?;
        let mut others: Vec<&(usize, Evidence)> =
            evidence.iter().filter(|(c, _)| *c != right.0).collect();
        let rough =
            |e: &Evidence| e.lexical + e.vector + 2.0 * e.nearest_three + e.section + e.bm25_share;
        others.sort_by(|a, b| rough(&b.1).total_cmp(&rough(&a.1)));
        others.truncate(CANDIDATES);
        Some(Choice {
            group: stack::group(sample.sample.lang),
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
        evidence: &[(usize, Evidence)],
    ) -> (Trial, Option<usize>) {
        let Common { sample, class, .. } = &self.samples[i];
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
        let answerable = matches!(self.classes[*class], Class::Article(_));
        // What a citizen tells of circumstances may well be met with an article.
        let remark = matches!(self.classes[*class], Class::Intent(Intent::Remark));
        let trial = Trial {
            signals,
            right: answerable && top == Some(*class),
            answerable,
            weight: if remark { 0.0 } else { 1.0 },
        };
        (trial, top)
    }
}

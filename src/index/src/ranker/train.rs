//! Training: cross-fitted second stage and calibration, then the first stage on everything.

use std::sync::Arc;

use base::Lang;

use super::cross_fit::{self, CrossFit};
use super::examples::Examples;
use super::features::{Raw, Sparse, Vocabulary, raw};
use super::planes::{Column, LexicalPlanes};
use super::scope::Scope;
use super::svm::{Fit, Plane, Problem, Rows};
use super::{Class, ErrorBudget, Ranker, centre};
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
    /// What each class's sentences are, see [`super::revise`].
    pub(crate) fingerprints: Vec<u64>,
    pub(crate) scope: &'a Scope,
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
        let d = self.vectors.first().map_or(1, |v| v.len());
        let written = written(self.classes.len(), self.samples.iter());
        let query_mean = mean(self.vectors.iter().map(|v| &v[..]), d);
        let passage_mean = mean(self.passages.iter().map(|p| &p.1[..]), d);
        let dense: Vec<f32> = self
            .vectors
            .iter()
            .flat_map(|v| centre(v, &query_mean))
            .collect();
        let raws = parallel::map(self.samples.len(), self.threads, |i| {
            raw(&self.samples[i].text)
        });
        let steps = cross_fit::STEPS + 1;
        let (stack, confidence, judged) = CrossFit::new(self, &written, &raws, (&dense, d))
            .run(&passage_mean, &mut |done| progress(done, steps));
        progress(cross_fit::STEPS, steps);
        let (vocabulary, lexical, vectors) = self.first_stage(&raws, (&dense, d));
        progress(steps, steps);
        Ranker {
            classes: self.classes.clone(),
            fingerprints: self.fingerprints.clone(),
            written,
            dimensions: d,
            vocabulary,
            lexical,
            vector_weights: vectors.iter().flat_map(|p| p.w.iter().copied()).collect(),
            vector_bias: vectors.iter().map(|p| p.bias).collect(),
            query_mean,
            passage_mean,
            examples: Examples::new(&dense, d, self.samples, self.order()),
            stack,
            confidence,
            judged,
        }
    }

    /// The classes so that those that are met together are neighbours.
    fn order(&self) -> Vec<u32> {
        let common = self.scope.commons().into_iter();
        let local = self.scope.blocks().into_iter().flatten();
        common.chain(local).map(|c| c as u32).collect()
    }

    /// The classifiers, fitted on everything: common classes against each other, each local one against what can be
    /// met beside it.
    fn first_stage(
        &self,
        raws: &[Raw],
        (dense, d): (&[f32], usize),
    ) -> (Vocabulary, LexicalPlanes, Vec<Plane>) {
        let n = self.classes.len();
        let class_of = |i: u32| self.samples[i as usize].class as usize;
        let of_common = |i: &u32| self.scope.common(class_of(*i));
        let train: Vec<u32> = (0..self.samples.len() as u32).filter(of_common).collect();
        let vocabulary =
            Vocabulary::of_two(raws.iter().zip(0..).map(|(raw, i)| (raw, of_common(&i))));
        let sparse: Vec<Sparse> = parallel::map(self.samples.len(), self.threads, |i| {
            vocabulary.features(&raws[i]).0
        });
        let vectors: Vec<&[f32]> = dense.chunks(d).collect();

        let common = self.scope.commons();
        let mut lexical = LexicalPlanes::new(n);
        let mut planes: Vec<Option<Plane>> = std::iter::repeat_with(|| None).take(n).collect();
        let words = Problem {
            rows: &Rows::Sparse(&sparse),
            width: vocabulary.common(),
            train: &train,
            class_of: &class_of,
            how: LEXICAL,
        };
        let columns = words.planes(&common, self.threads, |p| Column::of(&p));
        let columns: Vec<_> = common.iter().copied().zip(columns).collect();
        lexical.add_wide(vocabulary.common(), &columns);
        drop(columns);
        let meaning = Problem {
            rows: &Rows::Dense(&vectors),
            width: d,
            how: VECTOR,
            ..words
        };
        let fitted = meaning.planes(&common, self.threads, |p| p);
        for (&class, plane) in common.iter().zip(fitted) {
            planes[class] = Some(plane);
        }

        let blocks = self.scope.blocks();
        let fitted = parallel::map(blocks.len(), self.threads, |b| {
            let beside = self.scope.beside(&blocks[b]);
            let train: Vec<u32> = (0..self.samples.len() as u32)
                .filter(|&i| beside[class_of(i)])
                .collect();
            let local = Local::fit(&sparse, &train, &class_of, &blocks[b]);
            let meaning = Problem {
                train: &train,
                ..meaning
            };
            (local, meaning.planes(&blocks[b], 1, |p| p))
        });
        for (classes, (local, fitted)) in blocks.iter().zip(fitted) {
            let columns: Vec<_> = classes.iter().copied().zip(local.planes).collect();
            lexical.add_narrow(local.features, &columns);
            for (&class, plane) in classes.iter().zip(fitted) {
                planes[class] = Some(plane);
            }
        }
        let planes = planes
            .into_iter()
            .map(|p| p.unwrap_or_else(|| Plane::none(d)));
        (vocabulary, lexical, planes.collect())
    }
}

/// Lexical planes over the features that stand in their own classes' sentences: what stands only in others' needs no
/// weight to keep them away.
pub(super) struct Local {
    /// Columns of the vocabulary, ascending.
    pub(super) features: Vec<u32>,
    pub(super) planes: Vec<Column>,
}

impl Local {
    /// Fits up to [`inference::LANES`] classes, ascending, against the other rows of `train`.
    pub(super) fn fit(
        sparse: &[Sparse],
        train: &[u32],
        class_of: &(dyn Fn(u32) -> usize + Sync),
        classes: &[usize],
    ) -> Self {
        let own = |i: &&u32| classes.binary_search(&class_of(**i)).is_ok();
        let columns = train.iter().filter(own);
        let columns = columns.flat_map(|&i| sparse[i as usize].iter().map(|f| f.0));
        let mut features: Vec<u32> = columns.collect();
        features.sort_unstable();
        features.dedup();
        let mut place = vec![u32::MAX; features.last().map_or(0, |&f| f as usize + 1)];
        for (&f, n) in features.iter().zip(0..) {
            place[f as usize] = n;
        }
        let narrow = |i: &u32| {
            let row = sparse[*i as usize].iter();
            row.filter_map(|&(f, v)| match place.get(f as usize) {
                Some(&n) if n != u32::MAX => Some((n, v)),
                _ => None,
            })
            .collect()
        };
        let rows: Vec<Sparse> = train.iter().map(narrow).collect();
        let all: Vec<u32> = (0..train.len() as u32).collect();
        let problem = Problem {
            rows: &Rows::Sparse(&rows),
            width: features.len(),
            train: &all,
            class_of: &|i| class_of(train[i as usize]),
            how: LEXICAL,
        };
        let planes = problem.planes(classes, 1, |p| Column::of(&p));
        Self { features, planes }
    }
}

/// The written sentences of each class.
pub(super) fn written<'a>(classes: usize, samples: impl Iterator<Item = &'a Sample>) -> Vec<u32> {
    let mut written = vec![0_u32; classes];
    for s in samples.filter(|s| s.written) {
        written[s.class as usize] += 1;
    }
    written
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

//! A ranker for a release that differs from another's in a few articles: what was learned of the others stays.
//!
//! Only the planes of the classes whose sentences changed are fitted, against all sentences. The planes of the others
//! have not seen the new sentences, and the second stage and the thresholds are those of before, so a whole training
//! is to follow; but an editor need not wait for it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use inference::Rounded;

use super::features::{Sparse, raw};
use super::svm::{self, LANES, Plane, Rows};
use super::train::{LEXICAL, Sample, VECTOR};
use super::{Class, Examples, LexicalPlanes, Ranker, centre, judged};
use crate::parallel;

/// What a class's sentences are, to see whether they changed.
pub(super) fn fingerprints(classes: usize, samples: &[Sample]) -> Vec<u64> {
    let mut of = vec![DefaultHasher::new(); classes];
    for s in samples {
        (&s.text, s.lang, s.written).hash(&mut of[s.class as usize]);
    }
    of.iter().map(DefaultHasher::finish).collect()
}

/// The written sentences of each class.
pub(super) fn written(classes: usize, samples: &[Sample]) -> Vec<u32> {
    let mut written = vec![0_u32; classes];
    for s in samples.iter().filter(|s| s.written) {
        written[s.class as usize] += 1;
    }
    written
}

impl Ranker {
    #[cfg(test)]
    pub(crate) fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }

    /// The ranker of another release, or `None` when more than [`LANES`] of its classes have other sentences than
    /// here. `vectors` are of the samples, encoded as queries.
    pub(crate) fn revised(
        &self,
        classes: Vec<Class>,
        samples: &[Sample],
        vectors: &[Arc<[f32]>],
        threads: usize,
    ) -> Option<Self> {
        let n = classes.len();
        let fingerprints = fingerprints(n, samples);
        let known: HashMap<&Class, usize> = self.classes.iter().zip(0..).collect();
        // The place of each class here, unless it is to be learned anew.
        let kept: Vec<Option<usize>> = classes
            .iter()
            .zip(&fingerprints)
            .map(|(class, f)| {
                known
                    .get(class)
                    .copied()
                    .filter(|&o| self.fingerprints[o] == *f)
            })
            .collect();
        let anew: Vec<usize> = (0..n).filter(|&c| kept[c].is_none()).collect();
        if anew.len() > LANES {
            return None;
        }
        let d = self.dimensions;
        let raws = parallel::map(samples.len(), threads, |i| raw(&samples[i].text));
        let new = samples.iter().zip(&raws);
        let new = new.filter(|(s, _)| kept[s.class as usize].is_none());
        let vocabulary = self.vocabulary.extended(new.map(|(_, r)| r), samples.len());
        let centred = vectors.iter().flat_map(|v| centre(v, &self.query_mean));
        let dense: Vec<f32> = centred.collect();
        let own = |i: u32| {
            anew.binary_search(&(samples[i as usize].class as usize))
                .ok()
        };
        let all: Vec<u32> = (0..).take(samples.len()).collect();
        let mut fitted: Vec<Vec<Plane>> = match anew.len() {
            0 => vec![Vec::new(), Vec::new()],
            _ => parallel::map(2, threads, |which| {
                if which == 0 {
                    let sparse: Vec<Sparse> =
                        raws.iter().map(|r| vocabulary.features(r).0).collect();
                    svm::fit(&Rows::Sparse(&sparse), vocabulary.len(), &all, own, LEXICAL)
                } else {
                    svm::fit(&Rows::Dense(&dense, d), d, &all, own, VECTOR)
                }
            }),
        };
        let (vector, lexical) = (fitted.pop()?, fitted.pop()?);
        let mut planes = self
            .lexical
            .placed(self.classes.len(), vocabulary.len(), &kept);
        let mut vector_weights = vec![0.0; n * d];
        let mut vector_bias = vec![0.0; n];
        for (c, o) in kept.iter().enumerate() {
            if let Some(o) = *o {
                vector_weights[c * d..(c + 1) * d]
                    .copy_from_slice(&self.vector_weights[o * d..(o + 1) * d]);
                vector_bias[c] = self.vector_bias[o];
            }
        }
        for ((&c, lexical), vector) in anew.iter().zip(&lexical).zip(&vector) {
            planes.put(c, &Column::of(lexical));
            vector_weights[c * d..(c + 1) * d].copy_from_slice(&vector.w);
            vector_bias[c] = vector.bias;
        }
        Some(Self {
            judged: judged::placed(&self.judged, &self.classes, &classes),
            written: written(n, samples),
            classes,
            fingerprints,
            dimensions: d,
            vocabulary,
            lexical: planes,
            vector_weights,
            vector_bias,
            query_mean: self.query_mean.clone(),
            passage_mean: self.passage_mean.clone(),
            examples: Examples {
                vectors: Rounded::new(&dense, d),
                class: samples.iter().map(|s| s.class).collect(),
            },
            stack: self.stack.clone(),
            confidence: self.confidence.clone(),
        })
    }
}

/// A lexical plane in eight bits.
pub(super) struct Column {
    weights: Vec<i8>,
    scale: f32,
    bias: f32,
}

impl Column {
    pub(super) fn of(plane: &Plane) -> Self {
        let scale = plane.w.iter().fold(1e-9_f32, |m, w| m.max(w.abs())) / 127.0;
        Self {
            weights: plane.w.iter().map(|w| (w / scale).round() as i8).collect(),
            scale,
            bias: plane.bias,
        }
    }
}

impl LexicalPlanes {
    /// Planes of `features` weights, none yet.
    pub(super) fn new(classes: usize, features: usize) -> Self {
        Self {
            weights: vec![0; features * classes],
            scale: vec![0.0; classes],
            bias: vec![0.0; classes],
        }
    }

    /// Makes a plane that of class `c`.
    pub(super) fn put(&mut self, c: usize, column: &Column) {
        let n = self.scale.len();
        for (row, w) in self.weights.chunks_exact_mut(n).zip(&column.weights) {
            row[c] = *w;
        }
        self.scale[c] = column.scale;
        self.bias[c] = column.bias;
    }

    /// These of `classes` planes in other places: class c gets the plane `from[c]`, or none. With so many features;
    /// those that are known come first.
    fn placed(&self, classes: usize, features: usize, from: &[Option<usize>]) -> Self {
        let n = from.len();
        let mut to = Self::new(n, features);
        // Neighbours that stay neighbours are copied together: (place there, place here, how many).
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for (c, o) in from.iter().enumerate() {
            let Some(o) = *o else { continue };
            match runs.last_mut() {
                Some((a, b, len)) if *a + *len == c && *b + *len == o => *len += 1,
                _ => runs.push((c, o, 1)),
            }
            to.scale[c] = self.scale[o];
            to.bias[c] = self.bias[o];
        }
        let rows = self.weights.chunks_exact(classes);
        for (to, row) in to.weights.chunks_exact_mut(n).zip(rows) {
            for &(c, o, len) in &runs {
                to[c..c + len].copy_from_slice(&row[o..o + len]);
            }
        }
        to
    }
}

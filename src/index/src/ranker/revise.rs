//! A ranker for a release that differs from another's in a few articles: what was learned of the others stays.
//!
//! Only the planes of the classes whose sentences changed are fitted, each against the sentences of its nearest
//! rivals. The planes of the others have not seen the new sentences, and the second stage and the thresholds are
//! those of before, so a whole training is to follow; but an editor need not wait for it.

use std::borrow::Cow;
use std::collections::HashMap;

use inference::LANES;

use super::features::{Raw, raw};
use super::svm::{Problem, Rows};
use super::train::{Local, Sample, VECTOR, written};
use super::{Class, Ranker, Scope, judged};

/// Classes that a changed one is fitted against: those that come nearest.
const RIVALS: usize = 40;
/// Sentences by which the nearest are found.
const ASKED: usize = 12;

/// The classes of another release, beside those of a ranker.
pub(crate) struct Revision<'a> {
    pub(crate) classes: Vec<Class>,
    fingerprints: Vec<u64>,
    scope: &'a Scope,
    /// The place of each class in the ranker; none: it is to be learned anew.
    kept: Vec<Option<usize>>,
}

/// The sentences of the classes that are wanted.
pub(crate) type Sentences<'a> = dyn Fn(&dyn Fn(usize) -> bool) -> Vec<Sample> + 'a;

/// A sentence that is learned, and its vector, centred and of unit length.
pub(crate) type Lesson = (Sample, Vec<f32>);

impl<'a> Revision<'a> {
    /// `fingerprints` tell of each class what it is learned from. `None` when more than [`LANES`] of the classes are
    /// to be learned anew.
    pub(crate) fn of(
        ranker: &Ranker,
        classes: Vec<Class>,
        fingerprints: Vec<u64>,
        scope: &'a Scope,
    ) -> Option<Self> {
        let known: HashMap<&Class, usize> = ranker.classes.iter().zip(0..).collect();
        let kept: Vec<Option<usize>> = classes
            .iter()
            .zip(&fingerprints)
            .map(|(class, f)| {
                let place = known.get(class).copied();
                place.filter(|&o| ranker.fingerprints[o] == *f)
            })
            .collect();
        let anew = kept.iter().filter(|k| k.is_none()).count();
        (anew <= LANES).then_some(Self {
            classes,
            fingerprints,
            scope,
            kept,
        })
    }

    /// Whether a class is to be learned anew.
    pub(crate) fn anew(&self, class: usize) -> bool {
        self.kept[class].is_none()
    }

    /// Those, in groups that are met in the same places.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups = self.scope.blocks();
        groups.push(self.scope.commons());
        for group in &mut groups {
            group.retain(|c| self.anew(*c));
        }
        groups.retain(|g| !g.is_empty());
        groups
    }
}

impl Ranker {
    #[cfg(test)]
    pub(crate) fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }

    /// The vectors of a class's sentences, in their order: centred, of unit length, rounded.
    pub(crate) fn lessons(&self, class: usize) -> Vec<Vec<f32>> {
        self.examples.of(class, self.dimensions)
    }

    /// The ranker of another release. `anew` holds the sentences of the classes that are to be learned anew;
    /// `sentences` tells those of others, each class's in the order in which this ranker got them.
    pub(crate) fn revised(
        &self,
        revision: &Revision<'_>,
        anew: &[Lesson],
        sentences: &Sentences<'_>,
    ) -> Self {
        let (n, d) = (revision.classes.len(), self.dimensions);
        let raws: Vec<Raw> = anew.iter().map(|(s, _)| raw(&s.text)).collect();
        let known: usize = self.examples.len();
        let vocabulary = self.vocabulary.extended(raws.iter(), known + anew.len());
        let mut lexical = self.lexical.moved(&revision.kept);
        let mut vector_weights = vec![0.0; n * d];
        let mut vector_bias = vec![0.0; n];
        let mut kept_written = written(n, anew.iter().map(|l| &l.0));
        for (c, kept) in revision.kept.iter().enumerate() {
            if let Some(o) = *kept {
                let plane = &self.vector_weights[o * d..(o + 1) * d];
                vector_weights[c * d..(c + 1) * d].copy_from_slice(plane);
                vector_bias[c] = self.vector_bias[o];
                kept_written[c] = self.written[o];
            }
        }
        for group in revision.groups() {
            let rivals = self.rivals(revision, &group, anew);
            let (mut classes, mut sparse, mut dense) = (Vec::new(), Vec::new(), Vec::new());
            for ((sample, vector), raw) in anew.iter().zip(&raws) {
                if group.contains(&(sample.class as usize)) {
                    classes.push(sample.class as usize);
                    sparse.push(vocabulary.features(raw).0);
                    dense.push(Cow::Borrowed(&vector[..]));
                }
            }
            let mut vectors: HashMap<u32, std::vec::IntoIter<Vec<f32>>> = rivals
                .iter()
                .filter_map(|&c| Some((c, revision.kept[c]?)))
                .map(|(c, o)| (c as u32, self.examples.of(o, d).into_iter()))
                .collect();
            for s in sentences(&|c| rivals.contains(&c)) {
                if let Some(vector) = vectors.get_mut(&s.class).and_then(Iterator::next) {
                    classes.push(s.class as usize);
                    sparse.push(vocabulary.features(&raw(&s.text)).0);
                    dense.push(Cow::Owned(vector));
                }
            }
            let class_of = |i: u32| classes[i as usize];
            let all: Vec<u32> = (0..classes.len() as u32).collect();
            let local = Local::fit(&sparse, &all, &class_of, &group);
            let columns: Vec<_> = group.iter().copied().zip(local.planes).collect();
            lexical.add_narrow(local.features, &columns);
            let rows: Vec<&[f32]> = dense.iter().map(|v| &v[..]).collect();
            let meaning = Problem {
                rows: &Rows::Dense(&rows),
                width: d,
                train: &all,
                class_of: &class_of,
                how: VECTOR,
            };
            for (&c, plane) in group.iter().zip(meaning.planes(&group, 1, |p| p)) {
                vector_weights[c * d..(c + 1) * d].copy_from_slice(&plane.w);
                vector_bias[c] = plane.bias;
            }
        }
        let of = |class: usize| {
            let own = anew.iter().filter(move |l| l.0.class as usize == class);
            own.map(|l| &l.1[..])
        };
        Self {
            judged: judged::placed(&self.judged, &self.classes, &revision.classes),
            written: kept_written,
            classes: revision.classes.clone(),
            fingerprints: revision.fingerprints.clone(),
            dimensions: d,
            vocabulary,
            lexical,
            vector_weights,
            vector_bias,
            query_mean: self.query_mean.clone(),
            passage_mean: self.passage_mean.clone(),
            examples: self.examples.moved(&revision.kept, d, of),
            stack: self.stack.clone(),
            confidence: self.confidence.clone(),
        }
    }

    /// The kept classes that come nearest to these and can be met beside them.
    fn rivals(&self, revision: &Revision<'_>, group: &[usize], anew: &[Lesson]) -> Vec<usize> {
        let beside = revision.scope.beside(group);
        // By their places here.
        let mut candidate: Vec<Option<usize>> = vec![None; self.classes.len()];
        for (c, kept) in revision.kept.iter().enumerate() {
            if let (Some(o), true) = (*kept, beside[c]) {
                candidate[o] = Some(c);
            }
        }
        let own: Vec<&Lesson> = anew
            .iter()
            .filter(|l| group.contains(&(l.0.class as usize)))
            .collect();
        let mut near = vec![0.0_f32; self.classes.len()];
        for (_, vector) in own.iter().step_by(own.len().div_ceil(ASKED).max(1)) {
            let (nearest, _) = self.examples.nearest(vector, &|o| candidate[o].is_some());
            for (sum, cosine) in near.iter_mut().zip(nearest) {
                *sum += cosine;
            }
        }
        let mut rivals: Vec<usize> = (0..near.len())
            .filter(|&o| candidate[o].is_some())
            .collect();
        rivals.sort_by(|a, b| near[*b].total_cmp(&near[*a]));
        rivals.truncate(RIVALS);
        rivals.iter().filter_map(|&o| candidate[o]).collect()
    }
}

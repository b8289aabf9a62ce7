//! How good an encoder is on what it was not trained on.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::data::{Ids, Prepared};
use crate::encoder::Encoder;
use crate::error::Result;
use crate::products::Products;

/// Sentences of the first language that stand for a class, beside one of each other.
const MAIN: usize = 5;
/// Classes that are kept as neighbours of each.
const NEAR: usize = 16;
/// Pairs that general retrieval is measured on while training, spread evenly over all; every sentence is encoded at each
/// measurement, and a pair is eight times as long as a question.
pub(super) const SOME_PAIRS: usize = 256;
/// Sequences encoded at once.
const BATCH: usize = 64;

/// Hits among tries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hits {
    pub hits: u32,
    pub of: u32,
}

impl Hits {
    fn count(&mut self, hit: bool) {
        self.hits += u32::from(hit);
        self.of += 1;
    }

    /// 0 where there was nothing to try.
    #[must_use]
    pub fn percent(self) -> f64 {
        100.0 * f64::from(self.hits) / f64::from(self.of.max(1))
    }
}

/// Figures of one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Development {
    /// Held-out sentences whose nearest class centroid is their own, by language.
    pub classes: BTreeMap<String, Hits>,
    /// Texts whose nearest counterpart is their own.
    pub retrieval: Hits,
    /// Mean of 1 / rank of a text's own counterpart, 0 to 1: it moves where the first place alone is luck.
    #[serde(default)]
    pub reciprocal_rank: f64,
}

impl Development {
    /// The first language, and all others together.
    #[must_use]
    pub fn main_and_others(&self, main: &str) -> (Hits, Hits) {
        let mut others = Hits::default();
        let all = self.classes.iter();
        for (_, h) in all.filter(|(language, _)| *language != main) {
            others.hits += h.hits;
            others.of += h.of;
        }
        (self.classes.get(main).copied().unwrap_or_default(), others)
    }
}

/// Measures an encoder, on so many pairs; beside the figures the classes next to each class, nearest first.
pub(super) fn measure(
    encoder: &Encoder,
    data: &Prepared,
    pairs: usize,
) -> Result<(Development, Vec<Vec<u32>>)> {
    let width = encoder.dimensions();
    let (centroids, mean) = centroids(encoder, data)?;
    let products = Products::new(&centroids, width);
    let mut found = Development::default();
    let ids: Vec<Ids> = data.held_out.iter().map(|h| h.2.clone()).collect();
    let vectors = encode(encoder, &ids)?;
    let mut cosines = vec![0.0; data.classes.len()];
    for ((class, language, _), vector) in data.held_out.iter().zip(&vectors) {
        products.with(&apart(vector, &mean), &mut cosines);
        let language = data.languages[*language].clone();
        let hits = found.classes.entry(language).or_default();
        hits.count(best(&cosines) == Some(*class as usize));
    }
    (found.retrieval, found.reciprocal_rank) = retrieval(encoder, data, pairs)?;
    let near = (0..data.classes.len()).map(|class| {
        products.with(&centroids[class * width..(class + 1) * width], &mut cosines);
        let mut order: Vec<u32> = (0..).take(cosines.len()).collect();
        order.retain(|&other| other as usize != class && cosines[other as usize] != 0.0);
        order.sort_by(|&a, &b| cosines[b as usize].total_cmp(&cosines[a as usize]));
        order.truncate(NEAR);
        order
    });
    let near = near.collect();
    Ok((found, near))
}

/// How often a text's nearest counterpart is its own, and the mean reciprocal rank of its own.
fn retrieval(encoder: &Encoder, data: &Prepared, pairs: usize) -> Result<(Hits, f64)> {
    let width = encoder.dimensions();
    let every = data.retrieval.len().div_ceil(pairs.max(1)).max(1);
    let pairs = data.retrieval.iter().step_by(every);
    let (from, to): (Vec<Ids>, Vec<Ids>) = pairs.cloned().unzip();
    let (from, to) = (encode(encoder, &from)?, encode(encoder, &to)?);
    let mut hits = Hits::default();
    if to.is_empty() {
        return Ok((hits, 0.0));
    }
    let (from_mean, to_mean) = (mean(&from, width), mean(&to, width));
    let rows: Vec<f32> = to.iter().flat_map(|v| apart(v, &to_mean)).collect();
    let products = Products::new(&rows, width);
    let mut cosines = vec![0.0; to.len()];
    let mut reciprocal = 0.0;
    for (n, vector) in from.iter().enumerate() {
        products.with(&apart(vector, &from_mean), &mut cosines);
        hits.count(best(&cosines) == Some(n));
        let before = cosines.iter().filter(|c| **c > cosines[n]).count();
        reciprocal += 1.0 / (before + 1) as f64;
    }
    Ok((hits, reciprocal / from.len() as f64))
}

/// Of length 1, end to end, zero for a class without sentences; and the mean that was taken off.
fn centroids(encoder: &Encoder, data: &Prepared) -> Result<(Vec<f32>, Vec<f32>)> {
    let width = encoder.dimensions();
    let samples = data.stand_for(MAIN);
    let all: Vec<Ids> = samples.iter().flatten().cloned().collect();
    let vectors = encode(encoder, &all)?;
    let middle = mean(&vectors, width);
    let mut vectors = vectors.into_iter();
    let mut centroids = Vec::with_capacity(samples.len() * width);
    for sample in &samples {
        let own: Vec<Vec<f32>> = vectors
            .by_ref()
            .take(sample.len())
            .map(|v| apart(&v, &middle))
            .collect();
        let sum = mean(&own, width);
        let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
        centroids.extend(sum.iter().map(|v| v / length));
    }
    Ok((centroids, middle))
}

fn mean<V: AsRef<[f32]>>(vectors: &[V], width: usize) -> Vec<f32> {
    let mut sum = vec![0.0_f32; width];
    for vector in vectors {
        for (sum, value) in sum.iter_mut().zip(vector.as_ref()) {
            *sum += value;
        }
    }
    let count = vectors.len().max(1) as f32;
    sum.iter().map(|v| v / count).collect()
}

/// A vector seen from the mean of its kind, of length 1, as the index compares them: what all texts share is large in
/// this model, and says nothing.
fn apart(vector: &[f32], mean: &[f32]) -> Vec<f32> {
    let out: Vec<f32> = vector.iter().zip(mean).map(|(v, m)| v - m).collect();
    let length = out.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-9);
    out.iter().map(|v| v / length).collect()
}

fn encode(encoder: &Encoder, batch: &[Ids]) -> Result<Vec<Arc<[f32]>>> {
    let mut vectors = Vec::with_capacity(batch.len());
    for part in batch.chunks(BATCH) {
        vectors.extend(encoder.encode(part)?);
    }
    Ok(vectors)
}

fn best(cosines: &[f32]) -> Option<usize> {
    let order = cosines.iter().enumerate();
    order.max_by(|a, b| a.1.total_cmp(b.1)).map(|(n, _)| n)
}

//! The loops of a decoder that are no matrix products: norm, rotary positions, gates, attention over a cache.
//!
//! What is computed of a token never depends on which others are computed beside it: sums run in the order of absolute
//! positions, sixteen lanes by a position's remainder. So a text comes out the same bit for bit however its prompt was cut
//! into pieces, and whoever is answered beside it.

use super::{LANES, accumulate, dispatch, exp, sum};

/// Positions of a page of keys and values.
pub(crate) const PAGE: usize = 32;
/// Queries whose sums are kept in registers together. No power of two: of such the compiler makes vectors across the
/// queries, gathered one by one, instead of along the keys.
const QUERIES: usize = 6;

dispatch! {
    /// out := x / root of its mean square · weight, for rows of the weight's width; `out` and `x` [rows, width].
    pub(crate) fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) = rms_norm_loop
}

#[inline(always)]
fn rms_norm_loop(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let width = weight.len();
    assert!(width > 0 && x.len() == out.len() && x.len().is_multiple_of(width));
    for (row, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
        let scale = 1.0 / (sum(row, |v| v * v) / width as f32 + epsilon).sqrt();
        for ((out, value), weight) in out.iter_mut().zip(row).zip(weight) {
            *out = value * scale * weight;
        }
    }
}

dispatch! {
    /// x := its rows' norm as by [`rms_norm`], in place.
    pub(crate) fn rms_norm_in_place(x: &mut [f32], weight: &[f32], epsilon: f32) = rms_norm_in_place_loop
}

#[inline(always)]
fn rms_norm_in_place_loop(x: &mut [f32], weight: &[f32], epsilon: f32) {
    let width = weight.len();
    assert!(width > 0 && x.len().is_multiple_of(width));
    for row in x.chunks_exact_mut(width) {
        let scale = 1.0 / (sum(row, |v| v * v) / width as f32 + epsilon).sqrt();
        for (value, weight) in row.iter_mut().zip(weight) {
            *value = *value * scale * weight;
        }
    }
}

/// The function in the gate of a wide part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// GELU by its approximation with tanh.
    Gelu,
    /// x · sigmoid(x).
    Silu,
}

/// out := gate(first half) · second half of each row; `x` [rows, 2 · width], `out` [rows, width].
pub(crate) fn gated(x: &[f32], gate: Gate, width: usize, out: &mut [f32]) {
    assert!(width > 0 && x.len() == 2 * out.len() && out.len().is_multiple_of(width));
    for (x, out) in x.chunks_exact(2 * width).zip(out.chunks_exact_mut(width)) {
        let (first, second) = x.split_at(width);
        match gate {
            Gate::Gelu => gelu_times(first, second, out),
            Gate::Silu => silu_times(first, second, out),
        }
    }
}

dispatch! {
    fn gelu_times(x: &[f32], y: &[f32], out: &mut [f32]) = gelu_times_loop
}

#[inline(always)]
fn gelu_times_loop(x: &[f32], y: &[f32], out: &mut [f32]) {
    // 2 · √(2/π): tanh(z) + 1 is twice the sigmoid of 2z.
    const TWICE: f32 = 1.595_769;
    for ((out, &x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x * sigmoid(TWICE * (0.044_715 * x * x).mul_add(x, x)) * y;
    }
}

dispatch! {
    fn silu_times(x: &[f32], y: &[f32], out: &mut [f32]) = silu_times_loop
}

#[inline(always)]
fn silu_times_loop(x: &[f32], y: &[f32], out: &mut [f32]) {
    for ((out, &x), y) in out.iter_mut().zip(x).zip(y) {
        *out = x * sigmoid(x) * y;
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let away = if -x < 87.0 { -x } else { 87.0 };
    1.0 / (1.0 + exp(away))
}

/// Which two values of a head turn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// 0 and 1, 2 and 3, …: llama's order in GGUF.
    Neighbours,
    /// One of each half.
    Halves,
}

/// Turns a head's pairs by the angles of its position; `cos` and `sin` are half as long as `head`.
pub(crate) fn rotate(head: &mut [f32], cos: &[f32], sin: &[f32], pairs: Pairs) {
    let half = head.len() / 2;
    assert!(cos.len() == half && sin.len() == half);
    match pairs {
        Pairs::Halves => {
            let (low, high) = head.split_at_mut(half);
            for (((a, b), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
            }
        }
        Pairs::Neighbours => {
            for (([a, b], cos), sin) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                (*a, *b) = (*a * cos - *b * sin, *a * sin + *b * cos);
            }
        }
    }
}

/// Numbers that [`put`] and [`attend`] take of a page for one layer's head of keys: first [2, width, 16] keys, then
/// [32, width] values.
pub(crate) fn page_part(width: usize) -> usize {
    2 * PAGE * width
}

/// Writes the key and the value of a position into its page.
pub(crate) fn put(page: &mut [f32], position: usize, key: &[f32], value: &[f32]) {
    let (width, at) = (key.len(), position % PAGE);
    assert!(page.len() == page_part(width) && value.len() == width);
    let (keys, values) = page.split_at_mut(PAGE * width);
    let block = &mut keys[at / LANES * LANES * width..][..LANES * width];
    for (column, key) in block.chunks_exact_mut(LANES).zip(key) {
        column[at % LANES] = *key;
    }
    values[at * width..][..width].copy_from_slice(value);
}

/// What one query sees: from `first` up to and with `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

/// What [`attend`] works in.
#[derive(Default)]
pub(crate) struct Scratch {
    queries: Vec<f32>,
    scores: Vec<f32>,
    weights: Vec<f32>,
}

dispatch! {
    /// Softmax attention of some queries, one [`Sight`] each, over one head's keys and values; `pages` by position, each
    /// as by [`page_part`]. `queries` and `out` [queries, width].
    pub(crate) fn attend(queries: &[f32], sights: &[Sight], pages: &[&[f32]], width: usize, out: &mut [f32], scratch: &mut Scratch) = attend_loop
}

#[inline(always)]
fn attend_loop(
    queries: &[f32],
    sights: &[Sight],
    pages: &[&[f32]],
    width: usize,
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    assert!(width > 0 && width.is_multiple_of(LANES) && queries.len() == sights.len() * width);
    assert!(out.len() == queries.len());
    assert!(pages.iter().all(|page| page.len() == page_part(width)));
    let mut at = 0;
    while at < sights.len() {
        let count = match sights.len() - at {
            QUERIES.. => QUERIES,
            3.. => 3,
            _ => 1,
        };
        let sights = &sights[at..at + count];
        let queries = &queries[at * width..][..count * width];
        let out = &mut out[at * width..][..count * width];
        match count {
            QUERIES => some::<QUERIES>(queries, sights, pages, width, out, scratch),
            3 => some::<3>(queries, sights, pages, width, out, scratch),
            _ => some::<1>(queries, sights, pages, width, out, scratch),
        }
        at += count;
    }
}

#[inline(always)]
fn some<const Q: usize>(
    queries: &[f32],
    sights: &[Sight],
    pages: &[&[f32]],
    width: usize,
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    let first = sights.iter().map(|s| s.first).min().unwrap_or(0) / LANES;
    let last = sights.iter().map(|s| s.last).max().unwrap_or(0) / LANES;
    let keys = (last + 1 - first) * LANES;
    let scale = 1.0 / (width as f32).sqrt();
    scratch.queries.resize(width * Q, 0.0);
    scratch.scores.resize(keys * Q, 0.0);
    scratch.weights.resize(keys * Q, 0.0);
    let columns = &mut scratch.queries.as_chunks_mut::<Q>().0[..width];
    for (q, query) in queries.chunks_exact(width).enumerate() {
        for (column, value) in columns.iter_mut().zip(query) {
            column[q] = value * scale;
        }
    }
    let scores = &mut scratch.scores[..keys * Q];
    for block in first..=last {
        let page = pages[block * LANES / PAGE];
        let part = &page[block * LANES % PAGE * width..][..LANES * width];
        let mut sums = [[0.0_f32; LANES]; Q];
        for (column, keys) in columns.iter().zip(part.as_chunks::<LANES>().0) {
            accumulate(&mut sums, column, keys);
        }
        for (scores, sums) in scores.chunks_exact_mut(keys).zip(&sums) {
            scores[(block - first) * LANES..][..LANES].copy_from_slice(sums);
        }
    }
    let weights = &mut scratch.weights.as_chunks_mut::<Q>().0[..keys];
    for (q, (scores, sight)) in scores.chunks_exact_mut(keys).zip(sights).enumerate() {
        let (from, to) = (sight.first - first * LANES, sight.last + 1 - first * LANES);
        scores[..from].fill(f32::NEG_INFINITY);
        scores[to..].fill(f32::NEG_INFINITY);
        let highest = scores
            .iter()
            .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
        for score in scores.iter_mut() {
            *score = exp(*score - highest);
        }
        scores[..from].fill(0.0);
        scores[to..].fill(0.0);
        let total = 1.0 / sum(scores, |v| v);
        for (weights, score) in weights.iter_mut().zip(scores.iter()) {
            weights[q] = score * total;
        }
    }
    for column in (0..width).step_by(LANES) {
        let mut sums = [[0.0_f32; LANES]; Q];
        for (block, weights) in (first..=last).zip(weights.as_chunks::<LANES>().0) {
            let values = &pages[block * LANES / PAGE][PAGE * width..];
            let values = &values[block * LANES % PAGE * width..][..LANES * width];
            for (row, weights) in values.chunks_exact(width).zip(weights) {
                if let Some(values) = row[column..].first_chunk::<LANES>() {
                    accumulate(&mut sums, weights, values);
                }
            }
        }
        for (out, sums) in out.chunks_exact_mut(width).zip(&sums) {
            out[column..column + LANES].copy_from_slice(sums);
        }
    }
}

dispatch! {
    /// The place of the largest value, the first of equals.
    pub(crate) fn highest_at(values: &[f32], found: &mut usize) = highest_at_loop
}

#[inline(always)]
fn highest_at_loop(values: &[f32], found: &mut usize) {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let highest = lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a });
    *found = values.iter().position(|&v| v == highest).unwrap_or(0);
}

#[cfg(test)]
mod tests;

//! Softmax attention within one sequence.
//!
//! A few queries at a time: their sums stay in registers while the keys, and then the values, stream by once.

#[cfg(target_arch = "x86_64")]
mod x86;

use super::{LANES, accumulate, exp, sum};

/// Queries at a time: with 16 lanes each they leave registers for a key and a value.
const QUERIES: usize = 6;

/// Shape of one call of [`attend`].
#[derive(Clone, Copy)]
pub(crate) struct Heads {
    pub(crate) heads: usize,
    /// Width of one head.
    pub(crate) width: usize,
}

/// `qkv` [tokens, 3 · hidden]: each row a token's query, key and value; `out` [some of the tokens, hidden], from the
/// token `first` on. `scratch` is overwritten and grows as needed.
pub(crate) fn attend(
    qkv: &[f32],
    first: usize,
    out: &mut [f32],
    shape: Heads,
    scratch: &mut Vec<f32>,
) {
    #[cfg(target_arch = "x86_64")]
    if shape.width.is_multiple_of(LANES) && std::is_x86_feature_detected!("avx512f") {
        // SAFETY: the machine has AVX-512F: checked above.
        return unsafe { x86::attend(qkv, first, out, shape, scratch) };
    }
    attend_any(qkv, first, out, shape, scratch);
}

super::dispatch! {
    /// The same in plain loops.
    pub(super) fn attend_any(qkv: &[f32], first: usize, out: &mut [f32], shape: Heads, scratch: &mut Vec<f32>) = attend_loop
}

/// One head of one sequence.
struct Head<'a> {
    qkv: &'a [f32],
    hidden: usize,
    tokens: usize,
    /// First column of the head.
    first: usize,
    width: usize,
    /// Keys, scaled, column by column: [width, tokens rounded up to lanes]; what is beyond the tokens is zero.
    keys: &'a [f32],
}

#[inline(always)]
fn attend_loop(qkv: &[f32], from: usize, out: &mut [f32], shape: Heads, scratch: &mut Vec<f32>) {
    let Heads { heads, width } = shape;
    let hidden = heads * width;
    let (tokens, asked) = (qkv.len() / (3 * hidden), out.len() / hidden);
    assert!(out.len() == asked * hidden && qkv.len() == tokens * 3 * hidden);
    assert!(from + asked <= tokens);
    let stride = tokens.next_multiple_of(LANES);
    scratch.clear();
    scratch.resize((width + QUERIES) * stride + width * QUERIES, 0.0);
    let (keys, rest) = scratch.split_at_mut(width * stride);
    let (scores, queries) = rest.split_at_mut(QUERIES * stride);
    let scale = 1.0 / (width as f32).sqrt();
    for head in 0..heads {
        let first = head * width;
        for (token, row) in qkv.chunks_exact(3 * hidden).enumerate() {
            let key = &row[hidden + first..][..width];
            for (column, &value) in keys.chunks_exact_mut(stride).zip(key) {
                column[token] = value * scale;
            }
        }
        let head = Head {
            qkv,
            hidden,
            tokens,
            first,
            width,
            keys,
        };
        match asked {
            0 => {}
            1 => head.rows::<1>(from, out, scores, queries),
            2 => head.rows::<2>(from, out, scores, queries),
            3 => head.rows::<3>(from, out, scores, queries),
            4 => head.rows::<4>(from, out, scores, queries),
            5 => head.rows::<5>(from, out, scores, queries),
            _ => {
                for start in (0..asked).step_by(QUERIES) {
                    // The last ones overlap those before: they come out the same twice.
                    let start = start.min(asked - QUERIES);
                    let out = &mut out[start * hidden..];
                    head.rows::<QUERIES>(from + start, out, scores, queries);
                }
            }
        }
    }
}

impl Head<'_> {
    /// The context of `Q` tokens from `start` on, into the first rows of `out`.
    #[inline(always)]
    fn rows<const Q: usize>(
        &self,
        start: usize,
        out: &mut [f32],
        scores: &mut [f32],
        queries: &mut [f32],
    ) {
        let stride = self.tokens.next_multiple_of(LANES);
        let row = 3 * self.hidden;
        // Side by side, column by column.
        let queries = &mut queries.as_chunks_mut::<Q>().0[..self.width];
        for q in 0..Q {
            let values = &self.qkv[(start + q) * row + self.first..][..self.width];
            for (column, &value) in queries.iter_mut().zip(values) {
                column[q] = value;
            }
        }
        for block in (0..stride).step_by(LANES) {
            let mut sums = [[0.0_f32; LANES]; Q];
            for (query, keys) in queries.iter().zip(self.keys.chunks_exact(stride)) {
                if let Some(keys) = keys[block..].first_chunk::<LANES>() {
                    accumulate(&mut sums, query, keys);
                }
            }
            for (scores, sums) in scores.chunks_exact_mut(stride).zip(&sums) {
                scores[block..block + LANES].copy_from_slice(sums);
            }
        }
        let mut totals = [0.0; Q];
        for (scores, total) in scores.chunks_exact_mut(stride).zip(&mut totals) {
            scores[self.tokens..].fill(f32::NEG_INFINITY);
            let highest = highest(scores);
            for score in scores.iter_mut() {
                *score = exp(*score - highest);
            }
            scores[self.tokens..].fill(0.0);
            *total = 1.0 / sum(scores, |v| v);
        }
        let whole = self.width / LANES * LANES;
        for column in (0..whole).step_by(LANES) {
            let mut sums = [[0.0_f32; LANES]; Q];
            for (token, row) in self.qkv.chunks_exact(row).enumerate() {
                let weights: [f32; Q] = std::array::from_fn(|q| scores[q * stride + token]);
                let values = &row[2 * self.hidden + self.first + column..];
                if let Some(values) = values.first_chunk::<LANES>() {
                    accumulate(&mut sums, &weights, values);
                }
            }
            for (q, (sums, total)) in sums.iter().zip(totals).enumerate() {
                let to = &mut out[q * self.hidden + self.first + column..][..LANES];
                for (to, sum) in to.iter_mut().zip(sums) {
                    *to = sum * total;
                }
            }
        }
        // Heads that are no multiple of the lanes wide.
        for column in whole..self.width {
            for q in 0..Q {
                let weights = &scores[q * stride..][..self.tokens];
                let rows = self.qkv.chunks_exact(row);
                let values = rows.map(|row| row[2 * self.hidden + self.first + column]);
                let sum: f32 = weights.iter().zip(values).map(|(w, v)| w * v).sum();
                out[q * self.hidden + self.first + column] = sum * totals[q];
            }
        }
    }
}

/// The highest of some whole lanes.
#[inline(always)]
fn highest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in values.as_chunks::<LANES>().0 {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes
        .iter()
        .fold(f32::NEG_INFINITY, |a, &b| if a > b { a } else { b })
}

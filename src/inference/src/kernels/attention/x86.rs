//! Attention on 512 bits: up to 12 queries by 32 keys, then by 32 columns of values, with their sums in registers.

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_fmadd_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_mask_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps,
    _mm512_max_ps, _mm512_mul_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps, _mm512_roundscale_ps,
    _mm512_scalef_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_shuffle_f32x4, _mm512_storeu_ps,
    _mm512_sub_ps, _mm512_unpackhi_pd, _mm512_unpackhi_ps, _mm512_unpacklo_pd, _mm512_unpacklo_ps,
};

use super::{Heads, LANES};

/// Queries at a time.
const QUERIES: usize = 12;
/// Blocks of 16 keys, or of 16 columns of values, whose sums fit the registers beside 12 queries.
const BLOCKS: usize = 2;
/// Keys, or columns of values, in so many blocks.
const PANEL: usize = BLOCKS * LANES;

/// As [`super::attend`], for heads whose width is a multiple of 16.
#[target_feature(enable = "avx512f")]
pub(super) fn attend(
    qkv: &[f32],
    first: usize,
    out: &mut [f32],
    shape: Heads,
    scratch: &mut Vec<f32>,
) {
    let Heads { heads, width } = shape;
    let hidden = heads * width;
    let (tokens, asked) = (qkv.len() / (3 * hidden), out.len() / hidden);
    // What the proofs below rest on.
    assert!(width.is_multiple_of(LANES) && out.len() == asked * hidden);
    assert!(qkv.len() == tokens * 3 * hidden && first + asked <= tokens);
    let stride = tokens.next_multiple_of(PANEL);
    // Only ever read after it was written below.
    scratch.resize((2 * width + QUERIES) * stride, 0.0);
    let (keys, rest) = scratch.split_at_mut(width * stride);
    let (values, scores) = rest.split_at_mut(width * stride);
    // Groups of nearly equal height.
    let groups = asked.div_ceil(QUERIES);
    for head in 0..heads {
        let head = Head {
            qkv,
            hidden,
            first: head * width,
            tokens,
            width,
            stride,
        };
        head.pack(keys, values);
        for group in 0..groups {
            let start = group * asked / groups;
            let to = &mut out[start * hidden..];
            let rows = (group + 1) * asked / groups - start;
            let start = first + start;
            match rows {
                1 => head.rows::<1>(start, keys, values, scores, to),
                2 => head.rows::<2>(start, keys, values, scores, to),
                3 => head.rows::<3>(start, keys, values, scores, to),
                4 => head.rows::<4>(start, keys, values, scores, to),
                5 => head.rows::<5>(start, keys, values, scores, to),
                6 => head.rows::<6>(start, keys, values, scores, to),
                7 => head.rows::<7>(start, keys, values, scores, to),
                8 => head.rows::<8>(start, keys, values, scores, to),
                9 => head.rows::<9>(start, keys, values, scores, to),
                10 => head.rows::<10>(start, keys, values, scores, to),
                11 => head.rows::<11>(start, keys, values, scores, to),
                _ => head.rows::<QUERIES>(start, keys, values, scores, to),
            }
        }
    }
}

/// One head of one sequence.
#[derive(Clone, Copy)]
struct Head<'a> {
    /// [tokens, 3 · hidden].
    qkv: &'a [f32],
    hidden: usize,
    /// First column of the head.
    first: usize,
    tokens: usize,
    width: usize,
    /// Tokens rounded up to panels.
    stride: usize,
}

impl Head<'_> {
    /// `keys` [stride / 32, width, 32] := the head's keys, scaled; what is beyond the tokens is zero.
    /// `values` [width / 16, tokens, 16] := its values. Close together, for rows lie some pages apart.
    #[target_feature(enable = "avx512f")]
    fn pack(&self, keys: &mut [f32], values: &mut [f32]) {
        let (row, width) = (3 * self.hidden, self.width);
        let scale = _mm512_set1_ps(1.0 / (width as f32).sqrt());
        for token in (0..self.stride).step_by(LANES) {
            let panel = &mut keys[token / PANEL * PANEL * width..][..PANEL * width];
            for column in (0..width).step_by(LANES) {
                let mut tile = [_mm512_setzero_ps(); LANES];
                let rows = self.qkv.chunks_exact(row).skip(token);
                for (to, row) in tile.iter_mut().zip(rows) {
                    let from = &row[self.hidden + self.first + column..][..LANES];
                    // SAFETY: `from` is 16 floats long, exactly what one load reads.
                    *to = _mm512_mul_ps(unsafe { _mm512_loadu_ps(from.as_ptr()) }, scale);
                }
                for (n, row) in transposed(tile).into_iter().enumerate() {
                    let to = &mut panel[(column + n) * PANEL + token % PANEL..][..LANES];
                    // SAFETY: `to` is 16 floats long, exactly what one store writes.
                    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), row) }
                }
            }
        }
        for (token, row) in self.qkv.chunks_exact(row).enumerate() {
            let from = &row[2 * self.hidden + self.first..][..width];
            for (block, from) in from.as_chunks::<LANES>().0.iter().enumerate() {
                let to = &mut values[(block * self.tokens + token) * LANES..][..LANES];
                to.copy_from_slice(from);
            }
        }
    }

    /// The context of `Q` tokens from `start` on, into the first rows of `out`.
    #[target_feature(enable = "avx512f")]
    fn rows<const Q: usize>(
        &self,
        start: usize,
        keys: &[f32],
        values: &[f32],
        scores: &mut [f32],
        out: &mut [f32],
    ) {
        assert!(start + Q <= self.tokens);
        let queries = &self.qkv[start * 3 * self.hidden + self.first..];
        for (n, panel) in keys.chunks_exact(PANEL * self.width).enumerate() {
            let scores = &mut scores[n * PANEL..];
            if self.tokens - n * PANEL > LANES {
                self.dots::<Q, BLOCKS>(queries, panel, scores);
            } else {
                self.dots::<Q, 1>(queries, panel, scores);
            }
        }
        let mut totals = [0.0; Q];
        for (scores, total) in scores.chunks_exact_mut(self.stride).zip(&mut totals) {
            *total = 1.0 / self.softmax(scores);
        }
        for column in (0..self.width).step_by(PANEL) {
            let values = &values[column * self.tokens..];
            let out = &mut out[self.first + column..];
            if self.width - column > LANES {
                self.mix::<Q, BLOCKS>(values, scores, totals, out);
            } else {
                self.mix::<Q, 1>(values, scores, totals, out);
            }
        }
    }

    /// `scores` [Q, stride], its first `B` blocks of 16: queries · keys of a panel.
    #[target_feature(enable = "avx512f")]
    fn dots<const Q: usize, const B: usize>(
        &self,
        queries: &[f32],
        panel: &[f32],
        scores: &mut [f32],
    ) {
        let row = 3 * self.hidden;
        assert!(B <= BLOCKS && panel.len() == self.width * PANEL);
        assert!(queries.len() >= (Q - 1) * row + self.width);
        assert!(scores.len() >= (Q - 1) * self.stride + B * LANES);
        let mut sums = [[_mm512_setzero_ps(); B]; Q];
        for column in 0..self.width {
            // SAFETY: the farthest load ends at width · 32, as long as `panel` is; the farthest query's last value
            // is at (Q - 1) · row + width - 1, within `queries` as asserted.
            unsafe {
                let keys = load::<B>(panel.as_ptr().add(column * PANEL));
                let query = queries.as_ptr().add(column);
                for (q, sums) in sums.iter_mut().enumerate() {
                    let query = _mm512_set1_ps(*query.add(q * row));
                    for (sum, key) in sums.iter_mut().zip(keys) {
                        *sum = _mm512_fmadd_ps(query, key, *sum);
                    }
                }
            }
        }
        for (q, sums) in sums.into_iter().enumerate() {
            for (b, sum) in sums.into_iter().enumerate() {
                // SAFETY: the farthest store ends at (Q - 1) · stride + 16 · B, within `scores` as asserted.
                unsafe {
                    _mm512_storeu_ps(scores.as_mut_ptr().add(q * self.stride + b * LANES), sum);
                }
            }
        }
    }

    /// `scores` [stride] := eˢ⁻ᵐ, where m is the greatest of the tokens'; zero beyond them. Their sum.
    #[target_feature(enable = "avx512f")]
    fn softmax(&self, scores: &mut [f32]) -> f32 {
        let (whole, rest) = scores.split_at_mut(self.tokens / LANES * LANES);
        let mask = ((1_u32 << (self.tokens % LANES)) - 1) as u16;
        let lowest = _mm512_set1_ps(f32::NEG_INFINITY);
        let mut highest = lowest;
        for block in whole.as_chunks::<LANES>().0 {
            // SAFETY: `block` is an array of 16 floats, exactly what one load reads.
            highest = _mm512_max_ps(highest, unsafe { _mm512_loadu_ps(block.as_ptr()) });
        }
        // Of the tokens after the last whole block.
        let mut end = lowest;
        if let Some(rest) = rest.first_chunk::<LANES>() {
            // SAFETY: `rest` is an array of 16 floats.
            end = unsafe { _mm512_mask_loadu_ps(lowest, mask, rest.as_ptr()) };
            highest = _mm512_max_ps(highest, end);
        }
        let highest = _mm512_set1_ps(_mm512_reduce_max_ps(highest));
        let mut total = _mm512_setzero_ps();
        for block in whole.as_chunks_mut::<LANES>().0 {
            // SAFETY: `block` is an array of 16 floats, exactly what is read and written.
            unsafe {
                let value = exp(_mm512_sub_ps(_mm512_loadu_ps(block.as_ptr()), highest));
                total = _mm512_add_ps(total, value);
                _mm512_storeu_ps(block.as_mut_ptr(), value);
            }
        }
        if let Some(rest) = rest.first_chunk_mut::<LANES>() {
            let value = exp(_mm512_sub_ps(end, highest));
            // SAFETY: `rest` is an array of 16 floats, exactly what is written and then read.
            unsafe {
                _mm512_storeu_ps(rest.as_mut_ptr(), _mm512_setzero_ps());
                _mm512_mask_storeu_ps(rest.as_mut_ptr(), mask, value);
                total = _mm512_add_ps(total, _mm512_maskz_loadu_ps(mask, rest.as_ptr()));
            }
        }
        _mm512_reduce_add_ps(total)
    }

    /// `C` blocks of 16 columns of `Q` tokens' context: scores · values, by `totals`; rows of `out` are `hidden`
    /// apart.
    #[target_feature(enable = "avx512f")]
    fn mix<const Q: usize, const C: usize>(
        &self,
        values: &[f32],
        scores: &[f32],
        totals: [f32; Q],
        out: &mut [f32],
    ) {
        let block = self.tokens * LANES;
        assert!(values.len() >= C * block && scores.len() >= Q * self.stride);
        assert!(out.len() >= (Q - 1) * self.hidden + C * LANES);
        let mut sums = [[_mm512_setzero_ps(); C]; Q];
        for token in 0..self.tokens {
            // SAFETY: the farthest load ends with the last of C blocks, within `values`; the token is less than the
            // stride, and `scores` holds Q strides, as asserted.
            unsafe {
                let mut row = [_mm512_setzero_ps(); C];
                for (c, value) in row.iter_mut().enumerate() {
                    *value = _mm512_loadu_ps(values.as_ptr().add(c * block + token * LANES));
                }
                let score = scores.as_ptr().add(token);
                for (q, sums) in sums.iter_mut().enumerate() {
                    let score = _mm512_set1_ps(*score.add(q * self.stride));
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum = _mm512_fmadd_ps(score, value, *sum);
                    }
                }
            }
        }
        for (q, (sums, total)) in sums.into_iter().zip(totals).enumerate() {
            for (c, sum) in sums.into_iter().enumerate() {
                // SAFETY: the farthest store ends at (Q - 1) · hidden + 16 · C, within `out` as asserted.
                unsafe {
                    let to = out.as_mut_ptr().add(q * self.hidden + c * LANES);
                    _mm512_storeu_ps(to, _mm512_mul_ps(sum, _mm512_set1_ps(total)));
                }
            }
        }
    }
}

/// Closures are not inlined into what is compiled for more than they are, hence a function.
///
/// # Safety
/// 16 · N floats must be readable there.
#[target_feature(enable = "avx512f")]
unsafe fn load<const N: usize>(from: *const f32) -> [__m512; N] {
    let mut blocks = [_mm512_setzero_ps(); N];
    for (n, block) in blocks.iter_mut().enumerate() {
        // SAFETY: the caller's word for it.
        *block = unsafe { _mm512_loadu_ps(from.add(n * LANES)) };
    }
    blocks
}

/// eˣ for x ≤ 0, as [`crate::kernels::exp`].
#[target_feature(enable = "avx512f")]
fn exp(x: __m512) -> __m512 {
    let x = _mm512_max_ps(x, _mm512_set1_ps(-87.0));
    // To the nearest integer.
    let n = _mm512_roundscale_ps::<0>(_mm512_mul_ps(x, _mm512_set1_ps(std::f32::consts::LOG2_E)));
    let r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693_359_4), x);
    let r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.121_944_4e-4), r);
    let mut poly = _mm512_set1_ps(1.987_569_1e-4);
    for term in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ] {
        poly = _mm512_fmadd_ps(poly, r, _mm512_set1_ps(term));
    }
    _mm512_scalef_ps(poly, n)
}

/// Rows become columns.
#[target_feature(enable = "avx512f")]
fn transposed(tile: [__m512; LANES]) -> [__m512; LANES] {
    // Pairs of rows, then of pairs, within each quarter of 128 bits.
    let mut pairs = [_mm512_setzero_ps(); LANES];
    for n in 0..LANES / 2 {
        pairs[2 * n] = _mm512_unpacklo_ps(tile[2 * n], tile[2 * n + 1]);
        pairs[2 * n + 1] = _mm512_unpackhi_ps(tile[2 * n], tile[2 * n + 1]);
    }
    // fours[4 · g + c]: column c (and 4, 8, 12 after it, by quarters) of rows 4 · g to 4 · g + 3.
    let mut fours = [_mm512_setzero_ps(); LANES];
    for g in 0..LANES / 4 {
        for (c, half) in [(0, 0), (2, 1)] {
            let low = _mm512_castps_pd(pairs[4 * g + half]);
            let high = _mm512_castps_pd(pairs[4 * g + 2 + half]);
            fours[4 * g + c] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            fours[4 * g + c + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    }
    // Quarters change places: rows 0 to 7 with 8 to 15.
    let mut columns = [_mm512_setzero_ps(); LANES];
    for c in 0..4 {
        let [a, b, d, e] = [fours[c], fours[4 + c], fours[8 + c], fours[12 + c]];
        let low = _mm512_shuffle_f32x4::<0b10_00_10_00>(a, b);
        let low_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(a, b);
        let high = _mm512_shuffle_f32x4::<0b10_00_10_00>(d, e);
        let high_odd = _mm512_shuffle_f32x4::<0b11_01_11_01>(d, e);
        columns[c] = _mm512_shuffle_f32x4::<0b10_00_10_00>(low, high);
        columns[8 + c] = _mm512_shuffle_f32x4::<0b11_01_11_01>(low, high);
        columns[4 + c] = _mm512_shuffle_f32x4::<0b10_00_10_00>(low_odd, high_odd);
        columns[12 + c] = _mm512_shuffle_f32x4::<0b11_01_11_01>(low_odd, high_odd);
    }
    columns
}

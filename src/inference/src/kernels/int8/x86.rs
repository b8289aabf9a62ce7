//! The product by the dot-product instructions of x86.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_cvtepi32_ps,
    _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_srli_epi16,
    _mm256_storeu_ps, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_srli_epi16, _mm512_storeu_ps,
};

use super::{Block, Part, STEPS, Target, WIDTH};

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512vnni<const ROWS: usize>(
    x: Part<'_>,
    blocks: &[Block],
    target: &mut Target<'_>,
) {
    let values = x.values.as_chunks::<ROWS>().0.as_chunks::<STEPS>().0;
    let starts = x.starts.as_chunks::<ROWS>().0;
    let nibble = _mm512_set1_epi8(15);
    let mut sums = [_mm512_setzero_ps(); ROWS];
    for ((block, values), starts) in blocks.iter().zip(values).zip(starts) {
        let mut dots = starts.map(|start| _mm512_set1_epi32(start));
        for (pairs, values) in block.pairs.iter().zip(values.as_chunks::<2>().0) {
            // SAFETY: `pairs` is an array of 64 bytes, exactly what one load reads.
            let pairs = unsafe { _mm512_loadu_si512(pairs.as_ptr().cast()) };
            let low = _mm512_and_si512(pairs, nibble);
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(pairs), nibble);
            for (dot, &value) in dots.iter_mut().zip(&values[0]) {
                *dot = _mm512_dpbusd_epi32(*dot, low, _mm512_set1_epi32(value));
            }
            for (dot, &value) in dots.iter_mut().zip(&values[1]) {
                *dot = _mm512_dpbusd_epi32(*dot, high, _mm512_set1_epi32(value));
            }
        }
        // SAFETY: `scales` is an array of 16 floats, exactly what one load reads.
        let scale = unsafe { _mm512_loadu_ps(block.scales.as_ptr()) };
        for (sum, dot) in sums.iter_mut().zip(dots) {
            *sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, *sum);
        }
    }
    // SAFETY: `bias` is an array of 16 floats, exactly what one load reads.
    let bias = unsafe { _mm512_loadu_ps(target.bias.as_ptr()) };
    for ((row, sum), &scale) in sums.into_iter().enumerate().zip(x.scales) {
        let to = &mut target.to[row * target.stride..][..WIDTH];
        let sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(scale), bias);
        // SAFETY: `to` is 16 floats long, exactly what one store writes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), sum) }
    }
}

/// Outputs that 256 bits hold.
const HALF: usize = WIDTH / 2;

#[target_feature(enable = "avxvnni,avx2,fma")]
pub(super) fn avxvnni<const ROWS: usize>(x: Part<'_>, blocks: &[Block], target: &mut Target<'_>) {
    for half in 0..2 {
        let mut sums = [_mm256_setzero_ps(); ROWS];
        let values = x.values.as_chunks::<ROWS>().0.as_chunks::<STEPS>().0;
        let starts = x.starts.as_chunks::<ROWS>().0;
        for ((block, values), starts) in blocks.iter().zip(values).zip(starts) {
            let mut dots = starts.map(|start| _mm256_set1_epi32(start));
            for (pairs, values) in block.pairs.iter().zip(values.as_chunks::<2>().0) {
                let [low, high] = weights(pairs, half);
                for (dot, &value) in dots.iter_mut().zip(&values[0]) {
                    *dot = _mm256_dpbusd_avx_epi32(*dot, low, _mm256_set1_epi32(value));
                }
                for (dot, &value) in dots.iter_mut().zip(&values[1]) {
                    *dot = _mm256_dpbusd_avx_epi32(*dot, high, _mm256_set1_epi32(value));
                }
            }
            let scale = eight(&block.scales, half);
            for (sum, dot) in sums.iter_mut().zip(dots) {
                *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), scale, *sum);
            }
        }
        store(sums, x.scales, target, half);
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn avx2<const ROWS: usize>(x: Part<'_>, blocks: &[Block], target: &mut Target<'_>) {
    let ones = _mm256_set1_epi16(1);
    for half in 0..2 {
        let mut sums = [_mm256_setzero_ps(); ROWS];
        let values = x.values.as_chunks::<ROWS>().0.as_chunks::<STEPS>().0;
        let starts = x.starts.as_chunks::<ROWS>().0;
        for ((block, values), starts) in blocks.iter().zip(values).zip(starts) {
            // A pair of products is at most 2 · 15 · 127, and a block adds 8 of them: 30,480 fits 16 bits.
            let mut dots = [_mm256_setzero_si256(); ROWS];
            for (pairs, values) in block.pairs.iter().zip(values.as_chunks::<2>().0) {
                let [low, high] = weights(pairs, half);
                for ((dot, &first), &second) in dots.iter_mut().zip(&values[0]).zip(&values[1]) {
                    let first = _mm256_maddubs_epi16(low, _mm256_set1_epi32(first));
                    let second = _mm256_maddubs_epi16(high, _mm256_set1_epi32(second));
                    *dot = _mm256_add_epi16(*dot, _mm256_add_epi16(first, second));
                }
            }
            let scale = eight(&block.scales, half);
            for ((sum, dot), &start) in sums.iter_mut().zip(dots).zip(starts) {
                let dot = _mm256_madd_epi16(dot, ones);
                let dot = _mm256_add_epi32(dot, _mm256_set1_epi32(start));
                *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(dot), scale, *sum);
            }
        }
        store(sums, x.scales, target, half);
    }
}

/// The weights of 8 outputs for two steps of 4 inputs.
#[target_feature(enable = "avx2")]
fn weights(pairs: &[u8; 64], half: usize) -> [__m256i; 2] {
    let nibble = _mm256_set1_epi8(15);
    let pairs = &pairs.as_chunks::<32>().0[half];
    // SAFETY: `pairs` is an array of 32 bytes, exactly what one load reads.
    let pairs = unsafe { _mm256_loadu_si256(pairs.as_ptr().cast()) };
    [
        _mm256_and_si256(pairs, nibble),
        _mm256_and_si256(_mm256_srli_epi16::<4>(pairs), nibble),
    ]
}

#[target_feature(enable = "avx2")]
fn eight(values: &[f32; WIDTH], half: usize) -> std::arch::x86_64::__m256 {
    let values = &values.as_chunks::<HALF>().0[half];
    // SAFETY: `values` is an array of 8 floats, exactly what one load reads.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[target_feature(enable = "avx2,fma")]
fn store<const ROWS: usize>(
    sums: [std::arch::x86_64::__m256; ROWS],
    scales: &[f32],
    target: &mut Target<'_>,
    half: usize,
) {
    let bias = eight(target.bias, half);
    for ((row, sum), &scale) in sums.into_iter().enumerate().zip(scales) {
        let to = &mut target.to[row * target.stride + half * HALF..][..HALF];
        let sum = _mm256_fmadd_ps(sum, _mm256_set1_ps(scale), bias);
        // SAFETY: `to` is 8 floats long, exactly what one store writes.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), sum) }
    }
}

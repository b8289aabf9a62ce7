//! The product by the dot-product instructions of x86.

use std::arch::x86_64::{
    __m256, __m256i, __m512, __m512i, _MM_HINT_T0, _mm_loadl_epi64, _mm_loadu_si128, _mm_prefetch,
    _mm256_add_epi32, _mm256_broadcastq_epi64, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps,
    _mm256_dpbusd_avx_epi32, _mm256_fmadd_ps, _mm256_hadd_epi32, _mm256_loadu_ps,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_mul_ps, _mm256_permute4x64_epi64,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256, _mm256_storeu_ps, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_storeu_ps,
};

use super::{Panel, Part, STEP, Target, WIDTH};

/// How many bytes ahead weights are asked for: those of a text of a few tokens come from far away.
const AHEAD: usize = 8192;
/// Outputs that 512 and 256 bits hold.
const SIXTEEN: usize = 16;
const EIGHT: usize = 8;

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn avx512vnni<const ROWS: usize>(
    x: Part<'_>,
    panel: &Panel<'_>,
    target: &mut Target<'_>,
) {
    let starts = two(panel.starts);
    let mut sums: [[__m512i; 2]; ROWS] = [starts; ROWS];
    assert!(x.scales.len() == ROWS && target.to.len() >= (ROWS - 1) * target.stride + WIDTH);
    for (line, values) in panel.lines.iter().zip(x.bytes.as_chunks::<ROWS>().0) {
        let halves = line.0.as_chunks::<64>().0;
        ask(&halves[0]);
        ask(&halves[1]);
        // SAFETY: each half is an array of 64 bytes, exactly what one load reads.
        let [low, high] = unsafe { load_two(halves[0].as_ptr().cast(), halves[1].as_ptr().cast()) };
        for (sum, &value) in sums.iter_mut().zip(values) {
            let value = _mm512_set1_epi32(i32::from_le_bytes(value));
            sum[0] = _mm512_dpbusd_epi32(sum[0], value, low);
            sum[1] = _mm512_dpbusd_epi32(sum[1], value, high);
        }
    }
    let (scales, bias) = (two_floats(panel.scales), two_floats(panel.bias));
    let mut to = target.to.as_mut_ptr();
    for (row, sum) in sums.into_iter().enumerate() {
        // SAFETY: there are ROWS scales, and the last row's 32 floats end within `to`, as asserted.
        let (scale, to_row) = unsafe { (*x.scales.as_ptr().add(row), &mut *to.cast()) };
        write_row(sum, scale, (scales, bias), to_row);
        to = to.wrapping_add(target.stride);
    }
}

/// Writes what a row's sums stand for: the sums of 32 outputs, the scale of the row, scales and bias of the outputs.
#[target_feature(enable = "avx512f")]
pub(super) fn write_row(
    sums: [__m512i; 2],
    scale: f32,
    (scales, bias): ([__m512; 2], [__m512; 2]),
    to: &mut [f32; WIDTH],
) {
    let scale = _mm512_set1_ps(scale);
    let halves = to.as_chunks_mut::<SIXTEEN>().0;
    for (half, to) in halves.iter_mut().enumerate() {
        let value = _mm512_cvtepi32_ps(sums[half]);
        let value = _mm512_fmadd_ps(value, _mm512_mul_ps(scales[half], scale), bias[half]);
        // SAFETY: `to` is 16 floats long, exactly what one store writes.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
    }
}

#[target_feature(enable = "avx512f")]
pub(super) fn two_floats(values: &[f32; WIDTH]) -> [__m512; 2] {
    let halves = values.as_chunks::<SIXTEEN>().0;
    // SAFETY: each half is an array of 16 floats, exactly what one load reads.
    unsafe {
        [
            _mm512_loadu_ps(halves[0].as_ptr()),
            _mm512_loadu_ps(halves[1].as_ptr()),
        ]
    }
}

/// 32 numbers of 32 bits.
#[target_feature(enable = "avx512f")]
pub(super) fn two(values: &[i32; WIDTH]) -> [__m512i; 2] {
    let halves = values.as_chunks::<SIXTEEN>().0;
    // SAFETY: each half is an array of 16 numbers of 32 bits, exactly what one load reads.
    unsafe { load_two(halves[0].as_ptr().cast(), halves[1].as_ptr().cast()) }
}

/// # Safety
/// 64 bytes must be readable at each place.
#[target_feature(enable = "avx512f")]
unsafe fn load_two(low: *const u8, high: *const u8) -> [__m512i; 2] {
    // SAFETY: the caller's word for it.
    unsafe {
        [
            _mm512_loadu_si512(low.cast()),
            _mm512_loadu_si512(high.cast()),
        ]
    }
}

#[target_feature(enable = "avxvnni,avx2,fma")]
pub(super) fn avxvnni<const ROWS: usize>(x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
    // Half a panel at a time: 12 sums, two weights and a value fill the 16 registers.
    for half in 0..2 {
        let starts = panel.starts.as_chunks::<EIGHT>().0;
        let starts = [eight(&starts[2 * half]), eight(&starts[2 * half + 1])];
        let mut sums: [[__m256i; 2]; ROWS] = [starts; ROWS];
        let lines = panel.portion::<{ 2 * EIGHT * STEP }>(half);
        for (line, values) in lines.iter().zip(x.bytes.as_chunks::<ROWS>().0) {
            let bytes = line.as_chunks::<{ EIGHT * STEP }>().0;
            ask(line);
            let weights = [bytes32(&bytes[0]), bytes32(&bytes[1])];
            for (sum, &value) in sums.iter_mut().zip(values) {
                let value = _mm256_set1_epi32(i32::from_le_bytes(value));
                sum[0] = _mm256_dpbusd_avx_epi32(sum[0], value, weights[0]);
                sum[1] = _mm256_dpbusd_avx_epi32(sum[1], value, weights[1]);
            }
        }
        let [mut low, mut high] = [[_mm256_setzero_si256(); ROWS]; 2];
        for (row, [l, h]) in sums.into_iter().enumerate() {
            (low[row], high[row]) = (l, h);
        }
        store(low, 2 * half, x, panel, target);
        store(high, 2 * half + 1, x, panel, target);
    }
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn avx2<const ROWS: usize>(x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
    // A quarter of a panel at a time: two sums a row, each of 4 outputs by 2 pairs of inputs.
    for quarter in 0..WIDTH / EIGHT {
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        let lines = panel.portion::<{ EIGHT * STEP }>(quarter);
        for (line, values) in lines.iter().zip(x.words.as_chunks::<ROWS>().0) {
            ask(line);
            let bytes = line.as_chunks::<16>().0;
            let weights = [wide(&bytes[0]), wide(&bytes[1])];
            for (sum, value) in sums.iter_mut().zip(values) {
                // SAFETY: `value` is an array of 4 numbers of 16 bits, exactly what one load reads.
                let value = unsafe { _mm_loadl_epi64(value.as_ptr().cast()) };
                let value = _mm256_broadcastq_epi64(value);
                sum[0] = _mm256_add_epi32(sum[0], _mm256_madd_epi16(weights[0], value));
                sum[1] = _mm256_add_epi32(sum[1], _mm256_madd_epi16(weights[1], value));
            }
        }
        // Neighbours are added: 0 1 4 5 2 3 6 7, and brought in order.
        let mut ordered = [_mm256_setzero_si256(); ROWS];
        for (to, [low, high]) in ordered.iter_mut().zip(sums) {
            *to = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(low, high));
        }
        store(ordered, quarter, x, panel, target);
    }
}

/// Asks for what lies [`AHEAD`] of these weights.
#[inline(always)]
fn ask<const N: usize>(weights: &[i8; N]) {
    let ahead = weights.as_ptr().wrapping_add(AHEAD);
    // SAFETY: a prefetch reads nothing, wherever it points.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead) }
}

#[target_feature(enable = "avx2")]
fn bytes32(bytes: &[i8; 32]) -> __m256i {
    // SAFETY: `bytes` is an array of 32 bytes, exactly what one load reads.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// 16 bytes as 16 numbers of 16 bits.
#[target_feature(enable = "avx2")]
fn wide(bytes: &[i8; 16]) -> __m256i {
    // SAFETY: `bytes` is an array of 16 bytes, exactly what one load reads.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn eight(values: &[i32; EIGHT]) -> __m256i {
    // SAFETY: `values` is an array of 8 numbers of 32 bits, exactly what one load reads.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn eight_floats(values: &[f32; WIDTH], quarter: usize) -> __m256 {
    let values = &values.as_chunks::<EIGHT>().0[quarter];
    // SAFETY: `values` is an array of 8 floats, exactly what one load reads.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

/// Writes a quarter of a panel.
#[target_feature(enable = "avx2,fma")]
fn store<const ROWS: usize>(
    sums: [__m256i; ROWS],
    quarter: usize,
    x: Part<'_>,
    panel: &Panel<'_>,
    target: &mut Target<'_>,
) {
    let scales = eight_floats(panel.scales, quarter);
    let bias = eight_floats(panel.bias, quarter);
    for ((row, sum), &scale) in sums.into_iter().enumerate().zip(x.scales) {
        let to = &mut target.to[row * target.stride + quarter * EIGHT..][..EIGHT];
        let scale = _mm256_mul_ps(scales, _mm256_set1_ps(scale));
        let value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), scale, bias);
        // SAFETY: `to` is 8 floats long, exactly what one store writes.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), value) }
    }
}

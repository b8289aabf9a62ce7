//! The numeric loops, compiled for the vector units this machine has. The only place in the
//! program where unsafe code is allowed; each block carries its proof.
//!
//! Matrices are row-major f32. Every function checks the lengths of its slices and panics on a
//! wrong one: that is a fault in this crate, never in a message.

#![allow(unsafe_code)]

mod attention;
pub(crate) mod decoder;
mod gradients;
pub(crate) mod int8;
pub(crate) mod lanes;
mod matrix;

pub(crate) use attention::{Heads, attend};
pub(crate) use gradients::{gelu_gradient, layer_norm_gradient};
pub use int8::Isa;
pub(crate) use matrix::Packed;

use crate::container::{BLOCK, BLOCK_BYTES};

/// Compiles a loop three times, for AVX-512, for AVX2 and for any machine, and calls the widest
/// that this machine has. Any AArch64 has NEON and fused products: there it is compiled once.
macro_rules! dispatch {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:path) => {
        $(#[$doc])*
        $visibility fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn widest($($arg: $type),*) {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn wide($($arg: $type),*) {
                    $body($($arg),*)
                }
                if std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512vl")
                    && std::is_x86_feature_detected!("avx512dq")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("fma")
                {
                    // SAFETY: the machine has every feature `widest` is compiled for: checked above.
                    return unsafe { widest($($arg),*) };
                }
                if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
                    // SAFETY: the machine has AVX2 and FMA: checked above.
                    return unsafe { wide($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

use dispatch;

/// Lanes that sums are kept in, so that they vectorise without reordering by the compiler.
const LANES: usize = 16;

dispatch! {
    /// x := x / 2 · (1 + erf(x / √2)), the exact GELU; erf by Abramowitz and Stegun 7.1.28, whose
    /// error is at most 3e-7.
    pub(crate) fn gelu(values: &mut [f32]) = gelu_loop
}

#[inline(always)]
fn gelu_loop(values: &mut [f32]) {
    for value in values {
        *value = gelu_of(*value);
    }
}

#[inline(always)]
fn gelu_of(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let mut poly = 4.306_38e-5_f32;
    for term in [
        2.765_672e-4,
        1.520_143e-4,
        9.270_527e-3,
        4.228_201e-2,
        7.052_308e-2,
        1.0,
    ] {
        poly = poly.mul_add(z, term);
    }
    // To the sixteenth.
    for _ in 0..4 {
        poly *= poly;
    }
    let half = 0.5 * x;
    half.mul_add((1.0 - 1.0 / poly).copysign(x), half)
}

/// eˣ for x ≤ 88, relative error below 3e-7; what is below -87 gives e⁻⁸⁷. No branch, so that
/// loops over it vectorise.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(2.121_944_4e-4, n.mul_add(-0.693_359_4, x));
    let mut poly = 1.987_569_1e-4_f32;
    for term in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_6e-1,
        0.5,
        1.0,
        1.0,
    ] {
        poly = poly.mul_add(r, term);
    }
    poly * f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

dispatch! {
    /// rows of `x` := layer norm of (`x` + `added`), scaled and shifted; `added` may be empty.
    /// Variance is the population's. x [rows, width], weight and bias [width].
    pub(crate) fn add_layer_norm(x: &mut [f32], added: &[f32], weight: &[f32], bias: &[f32], eps: f32) = add_layer_norm_loop
}

#[inline(always)]
fn add_layer_norm_loop(x: &mut [f32], added: &[f32], weight: &[f32], bias: &[f32], eps: f32) {
    let width = weight.len();
    assert!(bias.len() == width && x.len().is_multiple_of(width));
    assert!(added.is_empty() || added.len() == x.len());
    for (i, row) in x.chunks_exact_mut(width).enumerate() {
        if !added.is_empty() {
            for (value, more) in row.iter_mut().zip(&added[i * width..(i + 1) * width]) {
                *value += more;
            }
        }
        let mean = sum(row, |v| v) / width as f32;
        let variance = sum(row, |v| (v - mean) * (v - mean)) / width as f32;
        let scale = 1.0 / (variance + eps).sqrt();
        for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
            *value = (*value - mean) * scale * weight + bias;
        }
    }
}

#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += of(value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| of(value)).sum::<f32>()
}

/// sums += factors × values, fused.
#[inline(always)]
fn accumulate<const Q: usize>(
    sums: &mut [[f32; LANES]; Q],
    factors: &[f32; Q],
    values: &[f32; LANES],
) {
    for (sums, &factor) in sums.iter_mut().zip(factors) {
        add_scaled(sums, factor, values);
    }
}

#[cfg(not(target_arch = "aarch64"))]
#[inline(always)]
fn add_scaled(sums: &mut [f32; LANES], factor: f32, values: &[f32; LANES]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = factor.mul_add(value, *sum);
    }
}

/// The same to the bit, written out: of the loop, in a decoder's attention, the compiler makes one product at a time.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn add_scaled(sums: &mut [f32; LANES], factor: f32, values: &[f32; LANES]) {
    use std::arch::aarch64::{vfmaq_n_f32, vld1q_f32, vst1q_f32};
    let values = values.as_chunks::<4>().0;
    for (sums, values) in sums.as_chunks_mut::<4>().0.iter_mut().zip(values) {
        // SAFETY: both are arrays of 4 floats, exactly what one load reads and one store writes.
        unsafe {
            let values = vld1q_f32(values.as_ptr());
            let sum = vfmaq_n_f32(vld1q_f32(sums.as_ptr()), values, factor);
            vst1q_f32(sums.as_mut_ptr(), sum);
        }
    }
}

dispatch! {
    /// out := the inner products of the rows of `rows` [n, width] with `x` [width].
    pub(crate) fn byte_products(rows: &[i8], x: &[i16], out: &mut [i32]) = byte_products_loop
}

#[inline(always)]
fn byte_products_loop(rows: &[i8], x: &[i16], out: &mut [i32]) {
    assert!(!x.is_empty() && rows.len() == out.len() * x.len());
    for (row, out) in rows.chunks_exact(x.len()).zip(out) {
        let products = row.iter().zip(x);
        *out = products.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    }
}

/// Expands `q4_0` blocks (see [`crate::container`]) into `out`, 32 weights a block.
pub(crate) fn dequantise(blocks: &[u8], out: &mut [f32]) {
    let (blocks, rest) = blocks.as_chunks::<BLOCK_BYTES>();
    assert!(rest.is_empty() && out.len() == blocks.len() * BLOCK);
    for (block, out) in blocks.iter().zip(out.chunks_exact_mut(BLOCK)) {
        let scale = half(u16::from_le_bytes([block[0], block[1]]));
        let (low, high) = out.split_at_mut(BLOCK / 2);
        for ((&byte, low), high) in block[2..].iter().zip(low).zip(high) {
            *low = (f32::from(byte & 15) - 8.0) * scale;
            *high = (f32::from(byte >> 4) - 8.0) * scale;
        }
    }
}

/// IEEE 754 binary16 to f32.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = (bits >> 10) & 31;
    let fraction = f32::from(bits & 1023);
    match exponent {
        0 => sign * fraction * 2_f32.powi(-24),
        31 => {
            sign * if fraction == 0.0 {
                f32::INFINITY
            } else {
                f32::NAN
            }
        }
        _ => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    }
}

#[cfg(test)]
mod tests;

//! What training needs beside the loops that encoding uses: gradients of GELU and of layer norm.

use super::{exp, sum};

super::dispatch! {
    /// out := grad · d gelu(x) / dx, all of one length. The derivative is Φ(x) + x φ(x), with Φ and φ the standard
    /// normal distribution and density; Φ to 1.5e-7 as in [`super::gelu`].
    pub(crate) fn gelu_gradient(x: &[f32], grad: &[f32], out: &mut [f32]) = gelu_gradient_loop
}

#[inline(always)]
fn gelu_gradient_loop(x: &[f32], grad: &[f32], out: &mut [f32]) {
    /// 1 / √(2π)
    const DENSITY: f32 = 0.398_942_3;
    assert!(x.len() == grad.len() && x.len() == out.len());
    for ((&x, &grad), out) in x.iter().zip(grad).zip(out) {
        let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * z);
        let poly = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t
            + 0.254_829_6)
            * t;
        let bell = exp(-z * z);
        let erf = (1.0 - poly * bell).copysign(x);
        *out = grad * (0.5 * (1.0 + erf) + x * DENSITY * bell);
    }
}

super::dispatch! {
    /// out := the gradient of layer norm with respect to its input `x` [rows, width], given that of its output.
    /// weight [width]; variance is the population's, as in [`super::add_layer_norm`].
    pub(crate) fn layer_norm_gradient(x: &[f32], grad: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) = layer_norm_gradient_loop
}

#[inline(always)]
fn layer_norm_gradient_loop(x: &[f32], grad: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let width = weight.len();
    assert!(x.len().is_multiple_of(width) && x.len() == grad.len() && x.len() == out.len());
    let rows = x.chunks_exact(width).zip(grad.chunks_exact(width));
    for ((x, grad), out) in rows.zip(out.chunks_exact_mut(width)) {
        let mean = sum(x, |v| v) / width as f32;
        let variance = sum(x, |v| (v - mean) * (v - mean)) / width as f32;
        let scale = 1.0 / (variance + eps).sqrt();
        let (mut plain, mut along) = (0.0_f32, 0.0_f32);
        for ((x, grad), weight) in x.iter().zip(grad).zip(weight) {
            let inner = grad * weight;
            plain += inner;
            along += inner * (x - mean) * scale;
        }
        let (plain, along) = (plain / width as f32, along / width as f32);
        for (((x, grad), weight), out) in x.iter().zip(grad).zip(weight).zip(out) {
            *out = scale * (grad * weight - plain - (x - mean) * scale * along);
        }
    }
}

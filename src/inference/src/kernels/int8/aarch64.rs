//! The product by the dot-product instruction of AArch64.
//!
//! `sdot` multiplies signed by signed bytes, so a row's values are stored as they are and sums start at zero. No
//! weights are asked for ahead of their use, as on x86: whether that helps nobody could measure yet.

use std::arch::aarch64::{
    float32x4_t, int8x16_t, int32x4_t, vcvtq_f32_s32, vdupq_n_s32, vfmaq_f32, vld1q_f32, vld1q_s8,
    vmulq_n_f32, vst1q_f32,
};
use std::arch::asm;

use super::{Panel, Part, STEP, Target, WIDTH};

/// Outputs that 128 bits hold.
const FOUR: usize = 4;
/// Outputs that one pass makes.
const PASS: usize = WIDTH / 2;

#[target_feature(enable = "dotprod")]
pub(super) fn neon<const ROWS: usize>(x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
    // Half a panel at a time: of six rows, 24 sums, four weights and a value fill 29 of 32 registers.
    for half in 0..WIDTH / PASS {
        let mut sums = [[vdupq_n_s32(0); PASS / FOUR]; ROWS];
        let lines = panel.portion::<{ PASS * STEP }>(half);
        for (line, values) in lines.iter().zip(x.bytes.as_chunks::<ROWS>().0) {
            let fours = line.as_chunks::<{ FOUR * STEP }>().0;
            let weights = [
                bytes16(&fours[0]),
                bytes16(&fours[1]),
                bytes16(&fours[2]),
                bytes16(&fours[3]),
            ];
            for (sums, &value) in sums.iter_mut().zip(values) {
                let value = i32::from_le_bytes(value);
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = dot(*sum, weights, value);
                }
            }
        }
        let fours = half * (PASS / FOUR)..(half + 1) * (PASS / FOUR);
        let scales = &panel.scales.as_chunks().0[fours.clone()];
        let bias = &panel.bias.as_chunks().0[fours];
        for ((row, sums), &scale) in sums.into_iter().enumerate().zip(x.scales) {
            let to = &mut target.to[row * target.stride + half * PASS..][..PASS];
            let to = to.as_chunks_mut().0;
            for (n, sum) in sums.into_iter().enumerate() {
                let scale = vmulq_n_f32(four(&scales[n]), scale);
                put(
                    &mut to[n],
                    vfmaq_f32(four(&bias[n]), vcvtq_f32_s32(sum), scale),
                );
            }
        }
    }
}

/// `sum` plus, for each of 4 outputs, its 4 weights times the 4 bytes of `value`.
#[target_feature(enable = "dotprod")]
fn dot(mut sum: int32x4_t, weights: int8x16_t, value: i32) -> int32x4_t {
    // Written out, for the intrinsic `vdotq_lane_s32` is not stable.
    // SAFETY: the instruction is one of those that this is compiled for; it reads and writes these registers alone.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {weights:v}.16b, {value:v}.4b[0]",
            sum = inout(vreg) sum,
            weights = in(vreg) weights,
            value = in(vreg) value,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

fn bytes16(bytes: &[i8; FOUR * STEP]) -> int8x16_t {
    // SAFETY: `bytes` is an array of 16 bytes, exactly what one load reads.
    unsafe { vld1q_s8(bytes.as_ptr()) }
}

fn four(values: &[f32; FOUR]) -> float32x4_t {
    // SAFETY: `values` is an array of 4 floats, exactly what one load reads.
    unsafe { vld1q_f32(values.as_ptr()) }
}

fn put(to: &mut [f32; FOUR], values: float32x4_t) {
    // SAFETY: `to` is an array of 4 floats, exactly what one store writes.
    unsafe { vst1q_f32(to.as_mut_ptr(), values) }
}

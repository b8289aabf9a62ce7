//! Products of rows rounded to 8 bits with a matrix rounded to 8 bits.
//!
//! Each output has a scale for its weights, each row one for its values; in between there are only integers, so
//! sums are exact and every set of instructions gives the same bits. The matrix is packed once into panels of 32
//! outputs, [`Line`] by line in the order in which the dot-product instructions eat them: one takes 4 inputs of
//! each of 16 outputs (8 with 256 bits) against the same 4 inputs of one row. Up to 12 rows go through a panel at
//! once; their sums fill 24 of 32 registers.
//!
//! `vpdpbusd` multiplies unsigned by signed bytes, so a row's values are stored as v + 128. What that adds to an
//! output's sum, 128 times the sum of its weights, is taken off by starting the sum there.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod isa;
mod pack;
mod portable;
mod round;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

pub use self::isa::Isa;
pub(crate) use self::pack::{Packed, Packing};
use self::round::Part;
pub(crate) use self::round::Rows;

/// Outputs in a panel.
const WIDTH: usize = 32;
/// Inputs that one instruction takes of each output.
const STEP: usize = 4;
/// Most inputs of a panel that fills no more than half of a nearest cache of 32 KiB.
const MOST_NEAR: usize = 512;
/// Most rows that are multiplied at once, but for tiles.
const MOST_ROWS: usize = 12;
/// Most rows that tiles multiply at once.
const MOST_TILED: usize = 32;

/// 128 bytes of a panel. Seen as one array, a panel is [32 / p, inputs / 4, p, 4] of weights from 4 inputs to p
/// outputs, where p is [`Isa::outputs`]: what one pass reads lies together.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([i8; WIDTH * STEP]);

/// What a panel's sums are turned into.
struct Panel<'a> {
    /// [inputs / 4].
    lines: &'a [Line],
    /// -128 times the sum of an output's weights.
    starts: &'a [i32; WIDTH],
    /// A weight times this is what it stands for.
    scales: &'a [f32; WIDTH],
    bias: &'a [f32; WIDTH],
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl<'a> Panel<'a> {
    /// The weights of pass `n`, `N` bytes a step.
    #[inline(always)]
    fn portion<const N: usize>(&self, n: usize) -> &'a [[i8; N]] {
        assert!((WIDTH * STEP).is_multiple_of(N) && n < WIDTH * STEP / N);
        let steps = self.lines.len();
        let bytes = self.lines.as_ptr().cast::<[i8; N]>();
        // SAFETY: a panel is `steps` lines of 128 bytes without gaps, so 128 / N portions of `steps` arrays of N
        // bytes; n is less than their number.
        unsafe { std::slice::from_raw_parts(bytes.add(n * steps), steps) }
    }
}

/// Where a product is written: `to` starts at the group's first output of this panel, its rows are `stride` apart.
struct Target<'a> {
    to: &'a mut [f32],
    stride: usize,
}

impl Packed {
    /// out [rows, outputs] = x [rows, inputs] · this + bias [outputs]; panels are dealt to `threads` threads
    /// of the current rayon pool. `x` must have been rounded for the same.
    pub(crate) fn linear(&self, x: &Rows, bias: &[f32], out: &mut [f32], threads: usize) {
        let (bias, rest) = bias.as_chunks::<WIDTH>();
        assert!(rest.is_empty() && self.lines.len() == bias.len() * self.inputs / STEP);
        assert!(x.fits(self.inputs, self.isa));
        assert_eq!(out.len(), x.rows() * bias.len() * WIDTH);
        if threads <= 1 || x.rows() == 0 {
            return self.panels(x, bias, 0, out, bias.len() * WIDTH);
        }
        if x.rows() == 1 {
            let share = bias.len().div_ceil(threads);
            let parts = out.par_chunks_mut(share * WIDTH).enumerate();
            return parts.for_each(|(n, out)| {
                let bias = &bias[n * share..bias.len().min((n + 1) * share)];
                self.panels(x, bias, n * share, out, out.len());
            });
        }
        // Each thread fills its own columns; they are put in place afterwards.
        let stride = bias.len() * WIDTH;
        let share = bias.len().div_ceil(threads);
        let rows = x.rows();
        let parts: Vec<(usize, Vec<f32>)> = (0..bias.len().div_ceil(share))
            .into_par_iter()
            .map(|n| {
                let bias = &bias[n * share..bias.len().min((n + 1) * share)];
                let mut out = vec![0.0; rows * bias.len() * WIDTH];
                self.panels(x, bias, n * share, &mut out, bias.len() * WIDTH);
                (n * share * WIDTH, out)
            })
            .collect();
        for (first, part) in parts {
            let width = part.len() / rows;
            for (to, from) in out.chunks_exact_mut(stride).zip(part.chunks_exact(width)) {
                to[first..first + width].copy_from_slice(from);
            }
        }
    }

    /// As [`Packed::linear`] without a bias, on the calling thread, for some panels of 32 outputs from `first` on:
    /// `out` [rows, their outputs]; `zeros` are at least as many.
    pub(crate) fn linear_from(&self, x: &Rows, first: usize, zeros: &[f32], out: &mut [f32]) {
        assert!(x.fits(self.inputs, self.isa) && x.rows() > 0);
        let stride = out.len() / x.rows();
        assert!(out.len() == x.rows() * stride && stride.is_multiple_of(WIDTH));
        assert!((first + stride / WIDTH) * self.inputs / STEP <= self.lines.len());
        let zeros = &zeros.as_chunks::<WIDTH>().0[..stride / WIDTH];
        self.panels(x, zeros, first, out, stride);
    }

    /// The panels of `bias`, of which the first is `first`; rows of `out` are `stride` apart.
    fn panels(
        &self,
        x: &Rows,
        bias: &[[f32; WIDTH]],
        first: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        let lines = self.inputs / STEP;
        let starts = &self.starts.as_chunks::<WIDTH>().0[first..];
        let scales = &self.scales.as_chunks::<WIDTH>().0[first..];
        let panels = self.lines[first * lines..].chunks_exact(lines);
        let panels = panels.zip(starts).zip(scales).zip(bias).enumerate();
        let panels = panels.map(|(n, (((lines, starts), scales), bias))| {
            let panel = Panel {
                lines,
                starts,
                scales,
                bias,
            };
            (n, panel)
        });
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        let mut tiles = amx::Tiles::default();
        let mut product = |part: Part<'_>, n: usize, panel: &Panel<'_>| {
            let mut target = Target {
                to: &mut out[part.first * stride + n * WIDTH..],
                stride,
            };
            match self.isa {
                #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                Isa::Amx if part.scales.len() > 1 => tiles.product(part, panel, &mut target),
                _ => self.part(part, panel, &mut target),
            }
        };
        // What stays in the nearest cache: a panel, unless it is too large for it, or else a group of rows.
        if self.inputs <= MOST_NEAR {
            for (n, panel) in panels {
                for part in x.parts() {
                    product(part, n, &panel);
                }
            }
        } else {
            for part in x.parts() {
                for (n, panel) in panels.clone() {
                    product(part, n, &panel);
                }
            }
        }
    }

    /// One group of rows through one panel, but by tiles.
    fn part(&self, part: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
        match part.scales.len() {
            1 => self.product::<1>(part, panel, target),
            2 => self.product::<2>(part, panel, target),
            3 => self.product::<3>(part, panel, target),
            4 => self.product::<4>(part, panel, target),
            5 => self.product::<5>(part, panel, target),
            6 => self.product::<6>(part, panel, target),
            7 => self.product::<7>(part, panel, target),
            8 => self.product::<8>(part, panel, target),
            9 => self.product::<9>(part, panel, target),
            10 => self.product::<10>(part, panel, target),
            11 => self.product::<11>(part, panel, target),
            _ => self.product::<MOST_ROWS>(part, panel, target),
        }
    }

    /// One group of rows through one panel.
    fn product<const ROWS: usize>(&self, x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
        match self.isa {
            // Of one row the bytes lie the same.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni | Isa::Amx => {
                // SAFETY: `new` found that the machine has the instructions this is compiled for.
                unsafe { x86::avx512vnni::<ROWS>(x, panel, target) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni => {
                // SAFETY: as above.
                unsafe { x86::avxvnni::<ROWS>(x, panel, target) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                // SAFETY: as above.
                unsafe { x86::avx2::<ROWS>(x, panel, target) }
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => {
                // SAFETY: as above.
                unsafe { aarch64::neon::<ROWS>(x, panel, target) }
            }
            _ => portable::product::<ROWS>(x, panel, target),
        }
    }
}

#[cfg(test)]
mod tests;

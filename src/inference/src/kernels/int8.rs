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
mod pack;
mod portable;
mod round;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::slice::ParallelSliceMut;

pub(crate) use self::pack::{Packed, Packing};
use self::round::Part;
pub(crate) use self::round::Rows;

/// Outputs in a panel.
const WIDTH: usize = 32;
/// Inputs that one instruction takes of each output.
const STEP: usize = 4;
/// Most inputs of a panel that fills no more than half of a nearest cache of 32 KiB.
const MOST_NEAR: usize = 512;
/// Most rows that are multiplied at once.
const MOST_ROWS: usize = 12;

/// The instructions that a product is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// `vpdpbusd` on 512 bits.
    Avx512Vnni,
    /// `vpdpbusd` on 256 bits.
    AvxVnni,
    /// `vpmaddwd` on 256 bits.
    Avx2,
    /// `sdot` on 128 bits.
    Neon,
    /// Plain loops, for any machine.
    Portable,
}

impl Isa {
    /// All of them, the fastest first.
    pub const ALL: [Self; 5] = [
        Self::Avx512Vnni,
        Self::AvxVnni,
        Self::Avx2,
        Self::Neon,
        Self::Portable,
    ];

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => {
                std::is_x86_feature_detected!("avxvnni")
                    && std::is_x86_feature_detected!("avx2")
                    && std::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("dotprod"),
            Self::Portable => true,
            _ => false,
        }
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .find(|isa| isa.available())
            .unwrap_or(Self::Portable)
    }

    /// "avx512vnni", "avxvnni", "avx2", "neon" or "portable".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "avx512vnni",
            Self::AvxVnni => "avxvnni",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Outputs that one pass through the inputs makes, a divisor of 32.
    fn outputs(self) -> usize {
        match self {
            Self::Avx512Vnni | Self::Portable => WIDTH,
            Self::AvxVnni | Self::Neon => WIDTH / 2,
            Self::Avx2 => WIDTH / 4,
        }
    }

    /// Rows whose sums fit the registers.
    fn rows(self) -> usize {
        match self {
            Self::Avx512Vnni => MOST_ROWS,
            Self::AvxVnni | Self::Avx2 | Self::Neon | Self::Portable => 6,
        }
    }
}

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
        // What stays in the nearest cache: a panel, unless it is too large for it, or else a group of rows.
        if self.inputs <= MOST_NEAR {
            for (n, panel) in panels {
                for part in x.parts() {
                    self.part(part, n, &panel, out, stride);
                }
            }
        } else {
            for part in x.parts() {
                for (n, panel) in panels.clone() {
                    self.part(part, n, &panel, out, stride);
                }
            }
        }
    }

    /// One group of rows through panel `n` of `out`.
    fn part(&self, part: Part<'_>, n: usize, panel: &Panel<'_>, out: &mut [f32], stride: usize) {
        let mut target = Target {
            to: &mut out[part.first * stride + n * WIDTH..],
            stride,
        };
        match part.scales.len() {
            1 => self.product::<1>(part, panel, &mut target),
            2 => self.product::<2>(part, panel, &mut target),
            3 => self.product::<3>(part, panel, &mut target),
            4 => self.product::<4>(part, panel, &mut target),
            5 => self.product::<5>(part, panel, &mut target),
            6 => self.product::<6>(part, panel, &mut target),
            7 => self.product::<7>(part, panel, &mut target),
            8 => self.product::<8>(part, panel, &mut target),
            9 => self.product::<9>(part, panel, &mut target),
            10 => self.product::<10>(part, panel, &mut target),
            11 => self.product::<11>(part, panel, &mut target),
            _ => self.product::<MOST_ROWS>(part, panel, &mut target),
        }
    }

    /// One group of rows through one panel.
    fn product<const ROWS: usize>(&self, x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
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

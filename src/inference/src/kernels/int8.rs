//! Products of rows rounded to 8 bits with a matrix of 4-bit weights.
//!
//! The weights stay what the file holds: 4 bits and a scale for each 32 of them, so nothing is lost but the
//! rounding of the activations, which have one scale a row. The matrix is repacked once into [`Block`]s of
//! 16 outputs by 32 inputs, in the order in which the dot-product instructions eat them: an instruction
//! takes 4 inputs of each of 16 outputs (8 with 256 bits) against the same 4 inputs of one row.
//!
//! A weight is stored as w + 8, from 0 to 15, because the instructions multiply an unsigned by a signed
//! byte. What that adds to a sum, 8 times the sum of the row's 32 values, is taken off by starting the sum
//! there ([`Rows`] keeps it).
//!
//! Every set of instructions gives the same bits: sums of integers are exact, and the one multiplication and addition a
//! block is fused in all of them.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::half;
use crate::container::{BLOCK, BLOCK_BYTES};

/// Outputs in a block.
const WIDTH: usize = 16;
/// Inputs that one instruction takes of each output.
const STEP: usize = 4;
/// Instructions a block.
const STEPS: usize = BLOCK / STEP;
/// Most rows that are multiplied at once.
const MOST_ROWS: usize = 12;

/// The instructions that a product is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// `vpdpbusd` on 512 bits.
    Avx512Vnni,
    /// `vpdpbusd` on 256 bits.
    AvxVnni,
    /// `vpmaddubsw` on 256 bits.
    Avx2,
    /// Plain loops, for any machine.
    Portable,
}

impl Isa {
    /// All of them, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2, Self::Portable];

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        let has = match self {
            Self::Avx512Vnni => {
                std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vnni")
            }
            Self::AvxVnni => {
                std::is_x86_feature_detected!("avxvnni")
                    && std::is_x86_feature_detected!("avx2")
                    && std::is_x86_feature_detected!("fma")
            }
            Self::Avx2 => {
                std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
            }
            Self::Portable => true,
        };
        #[cfg(not(target_arch = "x86_64"))]
        let has = matches!(self, Self::Portable);
        has
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .find(|isa| isa.available())
            .unwrap_or(Self::Portable)
    }

    /// "avx512vnni", "avxvnni", "avx2" or "portable".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "avx512vnni",
            Self::AvxVnni => "avxvnni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// Rows whose sums fit the registers.
    fn rows(self) -> usize {
        match self {
            Self::Avx512Vnni => MOST_ROWS,
            Self::AvxVnni | Self::Avx2 | Self::Portable => 6,
        }
    }
}

/// The weights from 32 inputs to 16 outputs.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Block {
    /// Byte 4 · o + i of vector v: the weights, plus 8, of output o for input 8 · v + i in its low half and
    /// for input 8 · v + 4 + i in its high half.
    pairs: [[u8; WIDTH * STEP]; STEPS / 2],
    /// One an output.
    scales: [f32; WIDTH],
}

/// A matrix of 4-bit weights, packed for the right side of products.
pub(crate) struct Packed {
    /// [outputs / 16, inputs / 32].
    blocks: Vec<Block>,
    inputs: usize,
    isa: Isa,
}

/// A few rows, rounded to 8 bits, in the order in which a product takes them.
#[derive(Default)]
pub(crate) struct Rows {
    groups: Vec<Group>,
    /// [inputs / 4, rows] a group: 4 consecutive values of a row in one number, the first in the low byte.
    values: Vec<i32>,
    /// [inputs / 32, rows] a group: -8 times the sum of a row's 32 values.
    starts: Vec<i32>,
    /// One a row: a value times this is the activation.
    scales: Vec<f32>,
    /// The row being rounded.
    row: Vec<i8>,
}

/// Rows that are multiplied at once.
#[derive(Clone, Copy)]
struct Group {
    first: usize,
    rows: usize,
}

impl Rows {
    /// Rounds `x` [rows, inputs] for products on `isa`.
    pub(crate) fn round(&mut self, x: &[f32], inputs: usize, isa: Isa) {
        assert!(inputs.is_multiple_of(BLOCK) && x.len().is_multiple_of(inputs));
        let rows = x.len() / inputs;
        // Groups of nearly equal height: 13 rows are 7 and 6, not 12 and 1.
        let groups = rows.div_ceil(isa.rows());
        self.groups.clear();
        self.groups.extend((0..groups).map(|g| Group {
            first: g * rows / groups,
            rows: (g + 1) * rows / groups - g * rows / groups,
        }));
        // Only ever written below, so what is left of an earlier use does not matter.
        self.values.resize(x.len() / STEP, 0);
        self.starts.resize(x.len() / BLOCK, 0);
        self.scales.resize(rows, 0.0);
        self.row.resize(inputs, 0);
        for group in &self.groups {
            let values = &mut self.values[group.first * inputs / STEP..];
            let starts = &mut self.starts[group.first * inputs / BLOCK..];
            for r in 0..group.rows {
                let at = group.first + r;
                round_row(
                    &x[at * inputs..(at + 1) * inputs],
                    &mut self.row,
                    &mut self.scales[at..=at],
                );
                let (steps, _) = self.row.as_chunks::<STEP>();
                for (to, &step) in values[r..].iter_mut().step_by(group.rows).zip(steps) {
                    *to = i32::from_le_bytes(step.map(i8::cast_unsigned));
                }
                let (blocks, _) = self.row.as_chunks::<BLOCK>();
                for (to, block) in starts[r..].iter_mut().step_by(group.rows).zip(blocks) {
                    *to = -8 * block.iter().map(|&v| i32::from(v)).sum::<i32>();
                }
            }
        }
    }
}

super::dispatch! {
    /// `to` := `row` / scale, rounded to the nearest; scale is such that the largest becomes 127.
    fn round_row(row: &[f32], to: &mut [i8], scale: &mut [f32]) = round_row_loop
}

#[inline(always)]
fn round_row_loop(row: &[f32], to: &mut [i8], scale: &mut [f32]) {
    // Adding 1.5 · 2²³ rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let mut lanes = [0.0_f32; super::LANES];
    let (chunks, rest) = row.as_chunks::<{ super::LANES }>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            let value = value.abs();
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let largest = lanes
        .iter()
        .chain(rest)
        .fold(0.0_f32, |a, &b| if b.abs() > a { b.abs() } else { a });
    let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    for (to, &value) in to.iter_mut().zip(row) {
        *to = (value * inverse + ROUND).to_bits().cast_signed() as i8;
    }
    scale[0] = largest / 127.0;
}

/// What is written where a product's sums are done: `to` starts at the group's first output of this panel,
/// its rows are `stride` apart.
struct Target<'a> {
    to: &'a mut [f32],
    stride: usize,
    bias: &'a [f32; WIDTH],
}

/// One group of rows.
#[derive(Clone, Copy)]
struct Part<'a> {
    values: &'a [i32],
    starts: &'a [i32],
    scales: &'a [f32],
}

impl Packed {
    /// Repacks rows of `q4_0` blocks [outputs, inputs / 32] for `isa`.
    pub(crate) fn new(rows: &[u8], inputs: usize, isa: Isa) -> Self {
        assert!(isa.available() && inputs > 0 && inputs.is_multiple_of(BLOCK));
        let columns = inputs / BLOCK;
        assert!(rows.len().is_multiple_of(columns * BLOCK_BYTES * WIDTH));
        let outputs = rows.len() / (columns * BLOCK_BYTES);
        let empty = Block {
            pairs: [[0; WIDTH * STEP]; STEPS / 2],
            scales: [0.0; WIDTH],
        };
        let mut blocks = vec![empty; outputs / WIDTH * columns];
        for (output, row) in rows.chunks_exact(columns * BLOCK_BYTES).enumerate() {
            let lane = output % WIDTH;
            let panel = &mut blocks[output / WIDTH * columns..][..columns];
            for (to, from) in panel.iter_mut().zip(row.as_chunks::<BLOCK_BYTES>().0) {
                to.scales[lane] = half(u16::from_le_bytes([from[0], from[1]]));
                let weight = |input: usize| match from[2 + input % (BLOCK / 2)] {
                    byte if input < BLOCK / 2 => byte & 15,
                    byte => byte >> 4,
                };
                for (v, pairs) in to.pairs.iter_mut().enumerate() {
                    for (i, pair) in pairs[lane * STEP..][..STEP].iter_mut().enumerate() {
                        let input = 2 * STEP * v + i;
                        *pair = weight(input) | weight(input + STEP) << 4;
                    }
                }
            }
        }
        Self {
            blocks,
            inputs,
            isa,
        }
    }

    /// out [rows, outputs] = x [rows, inputs] · this + bias [outputs]; panels are dealt to `threads` threads
    /// of the current rayon pool. `x` must have been rounded for the same.
    pub(crate) fn linear(&self, x: &Rows, bias: &[f32], out: &mut [f32], threads: usize) {
        let (bias, rest) = bias.as_chunks::<WIDTH>();
        assert!(rest.is_empty() && self.blocks.len() == bias.len() * self.inputs / BLOCK);
        assert_eq!(out.len(), x.scales.len() * bias.len() * WIDTH);
        assert_eq!(x.values.len(), x.scales.len() * self.inputs / STEP);
        if threads <= 1 || x.groups.is_empty() {
            return self.panels(x, bias, 0, out, bias.len() * WIDTH);
        }
        // Each thread fills its own columns; they are put in place afterwards.
        let stride = bias.len() * WIDTH;
        let share = bias.len().div_ceil(threads);
        let rows = x.scales.len();
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

    /// The panels of `bias`, of which the first is `first`; rows of `out` are `stride` apart.
    fn panels(
        &self,
        x: &Rows,
        bias: &[[f32; WIDTH]],
        first: usize,
        out: &mut [f32],
        stride: usize,
    ) {
        let columns = self.inputs / BLOCK;
        for (panel, bias) in bias.iter().enumerate() {
            let blocks = &self.blocks[(first + panel) * columns..][..columns];
            for group in &x.groups {
                let range = |width: usize| group.first * width..(group.first + group.rows) * width;
                let part = Part {
                    values: &x.values[range(self.inputs / STEP)],
                    starts: &x.starts[range(columns)],
                    scales: &x.scales[range(1)],
                };
                let mut target = Target {
                    to: &mut out[group.first * stride + panel * WIDTH..],
                    stride,
                    bias,
                };
                match group.rows {
                    1 => self.product::<1>(part, blocks, &mut target),
                    2 => self.product::<2>(part, blocks, &mut target),
                    3 => self.product::<3>(part, blocks, &mut target),
                    4 => self.product::<4>(part, blocks, &mut target),
                    5 => self.product::<5>(part, blocks, &mut target),
                    6 => self.product::<6>(part, blocks, &mut target),
                    7 => self.product::<7>(part, blocks, &mut target),
                    8 => self.product::<8>(part, blocks, &mut target),
                    9 => self.product::<9>(part, blocks, &mut target),
                    10 => self.product::<10>(part, blocks, &mut target),
                    11 => self.product::<11>(part, blocks, &mut target),
                    _ => self.product::<MOST_ROWS>(part, blocks, &mut target),
                }
            }
        }
    }

    fn product<const ROWS: usize>(&self, x: Part<'_>, blocks: &[Block], target: &mut Target<'_>) {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => {
                // SAFETY: `new` found that the machine has the instructions this is compiled for.
                unsafe { x86::avx512vnni::<ROWS>(x, blocks, target) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::AvxVnni => {
                // SAFETY: as above.
                unsafe { x86::avxvnni::<ROWS>(x, blocks, target) }
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                // SAFETY: as above.
                unsafe { x86::avx2::<ROWS>(x, blocks, target) }
            }
            _ => portable::product::<ROWS>(x, blocks, target),
        }
    }
}

#[cfg(test)]
mod tests;

//! Rows of f32, rounded to 8 bits.

use super::{Isa, STEP};
use crate::kernels::{LANES, dispatch, gelu_of};

/// A few rows, rounded to 8 bits, in the order in which a product takes them.
#[derive(Default)]
pub(crate) struct Rows {
    groups: Vec<Group>,
    inputs: usize,
    /// [inputs / 4, rows] a group, for tiles [rows, inputs / 4]: 4 consecutive values of a row, each plus 128 (but for
    /// `sdot`); for the dot products of bytes.
    bytes: Vec<[u8; STEP]>,
    /// The same without the 128; for the dot products of 16 bits. One of the two is used.
    words: Vec<[i16; STEP]>,
    isa: Option<Isa>,
    /// One a row: a value times this is what it stands for.
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

/// One group of rows.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Its first row.
    pub(super) first: usize,
    pub(super) bytes: &'a [[u8; STEP]],
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "AVX2 alone reads them")
    )]
    pub(super) words: &'a [[i16; STEP]],
    /// One a row.
    pub(super) scales: &'a [f32],
}

impl Rows {
    /// Rounds `x` [rows, inputs] for products on `isa`.
    pub(crate) fn round(&mut self, x: &[f32], inputs: usize, isa: Isa) {
        self.fit(x.len() / inputs, inputs, isa);
        assert_eq!(x.len(), self.scales.len() * inputs);
        for (n, row) in x.chunks_exact(inputs).enumerate() {
            self.scales[n] = round_row(row, &mut self.row);
            self.put(n);
        }
    }

    /// As [`Rows::round`] of the GELU of `x`, which is overwritten.
    pub(crate) fn round_gelu(&mut self, x: &mut [f32], inputs: usize, isa: Isa) {
        self.fit(x.len() / inputs, inputs, isa);
        assert_eq!(x.len(), self.scales.len() * inputs);
        for (n, row) in x.chunks_exact_mut(inputs).enumerate() {
            gelu_round_row(row, &mut self.row, &mut self.scales[n]);
            self.put(n);
        }
    }

    fn fit(&mut self, rows: usize, inputs: usize, isa: Isa) {
        assert!(inputs > 0 && inputs.is_multiple_of(STEP));
        // Groups of nearly equal height: 13 rows are 7 and 6, not 12 and 1.
        let groups = rows.div_ceil(isa.rows());
        self.groups.clear();
        self.groups.extend((0..groups).map(|g| Group {
            first: g * rows / groups,
            rows: (g + 1) * rows / groups - g * rows / groups,
        }));
        // Only ever written below, so what is left of an earlier use does not matter.
        let steps = rows * inputs / STEP;
        if isa == Isa::Avx2 {
            self.words.resize(steps, [0; STEP]);
        } else {
            self.bytes.resize(steps, [0; STEP]);
        }
        self.scales.resize(rows, 0.0);
        self.row.resize(inputs, 0);
        self.inputs = inputs;
        self.isa = Some(isa);
    }

    /// Puts the rounded row `n` in its place.
    fn put(&mut self, n: usize) {
        // The last that begins at it or before.
        let group = self.groups.partition_point(|g| g.first <= n) - 1;
        let Group { first, rows } = self.groups[group];
        let steps = self.row.as_chunks::<STEP>().0;
        let (start, rows) = if self.isa == Some(Isa::Amx) {
            (n * steps.len(), 1)
        } else {
            (first * steps.len() + (n - first), rows)
        };
        if self.isa == Some(Isa::Avx2) {
            let to = self.words[start..].iter_mut().step_by(rows);
            for (to, step) in to.zip(steps) {
                *to = step.map(i16::from);
            }
        } else {
            // Plus 128, of all four at once.
            let shift = if self.isa == Some(Isa::Neon) {
                0
            } else {
                0x8080_8080
            };
            let to = self.bytes[start..].iter_mut().step_by(rows);
            for (to, step) in to.zip(steps) {
                let step = u32::from_ne_bytes(step.map(i8::cast_unsigned));
                *to = (step ^ shift).to_ne_bytes();
            }
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.scales.len()
    }

    /// Whether these were rounded for such a product.
    pub(super) fn fits(&self, inputs: usize, isa: Isa) -> bool {
        self.inputs == inputs && self.isa == Some(isa)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let steps = self.inputs / STEP;
        self.groups.iter().map(move |g| {
            let range = g.first * steps..(g.first + g.rows) * steps;
            let (bytes, words) = match self.isa {
                Some(Isa::Avx2) => (&[][..], &self.words[range]),
                _ => (&self.bytes[range], &[][..]),
            };
            Part {
                first: g.first,
                bytes,
                words,
                scales: &self.scales[g.first..g.first + g.rows],
            }
        })
    }
}

/// `to` := `row` / scale, rounded to the nearest, and the scale, which is such that the largest becomes 127.
pub(super) fn round_row(row: &[f32], to: &mut [i8]) -> f32 {
    let mut scale = 0.0;
    round_row_dispatched(row, to, &mut scale);
    scale
}

dispatch! {
    fn round_row_dispatched(row: &[f32], to: &mut [i8], scale: &mut f32) = round_row_loop
}

#[inline(always)]
fn round_row_loop(row: &[f32], to: &mut [i8], scale: &mut f32) {
    // Adding 1.5 · 2²³ rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let mut lanes = [0.0_f32; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
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
    *scale = largest / 127.0;
}

dispatch! {
    /// `row` := its GELU; then as [`round_row`].
    fn gelu_round_row(row: &mut [f32], to: &mut [i8], scale: &mut f32) = gelu_round_row_loop
}

#[inline(always)]
fn gelu_round_row_loop(row: &mut [f32], to: &mut [i8], scale: &mut f32) {
    for value in row.iter_mut() {
        *value = gelu_of(*value);
    }
    round_row_loop(row, to, scale);
}

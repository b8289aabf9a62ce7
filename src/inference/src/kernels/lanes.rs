//! Sixteen planes side by side: a row of features is read once for all of them.
//!
//! A plane's sum is taken in four parts, feature by feature in turn, and no product is fused with its sum, so every set
//! of instructions gives the same bits.

use std::hint::black_box;

use super::dispatch;

/// Planes side by side.
pub const LANES: usize = 16;

/// One number a plane.
pub type Lanes = [f32; LANES];

/// Sums of one plane that do not wait for each other.
const PARTS: usize = 4;

/// A row of features.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// (column, value), each column less than the planes are wide.
    Sparse(&'a [(u32, f32)]),
    /// One value a column.
    Dense(&'a [f32]),
}

impl Row<'_> {
    /// The inner products with the weights of the planes, `w` [columns].
    ///
    /// # Panics
    /// If a sparse column is not one of `w`.
    #[must_use]
    pub fn dots(self, w: &[Lanes]) -> Lanes {
        let mut sums = [0.0; LANES];
        dots_of(self, w, &mut sums);
        sums
    }

    /// Adds the row to the weights of each plane, `times` as often.
    ///
    /// # Panics
    /// As [`Row::dots`].
    pub fn add_to(self, times: &Lanes, w: &mut [Lanes]) {
        add_times(self, times, w);
    }
}

dispatch! {
    fn dots_of(row: Row<'_>, w: &[Lanes], to: &mut Lanes) = dots
}

dispatch! {
    fn add_times(row: Row<'_>, times: &Lanes, w: &mut [Lanes]) = add
}

#[inline(always)]
fn dots(row: Row<'_>, w: &[Lanes], to: &mut Lanes) {
    let mut sums = [[0.0; LANES]; PARTS];
    match row {
        Row::Sparse(row) => {
            let (fours, rest) = row.as_chunks::<PARTS>();
            for four in fours {
                for (sum, &(column, value)) in sums.iter_mut().zip(four) {
                    one(sum, value, &w[column as usize]);
                }
            }
            for (sum, &(column, value)) in sums.iter_mut().zip(rest) {
                one(sum, value, &w[column as usize]);
            }
        }
        Row::Dense(row) => {
            let (fours, rest) = row.as_chunks::<PARTS>();
            let (weights, _) = w.as_chunks::<PARTS>();
            for (four, weights) in fours.iter().zip(weights) {
                for ((sum, &value), weights) in sums.iter_mut().zip(four).zip(weights) {
                    one(sum, value, weights);
                }
            }
            let weights = w.iter().skip(fours.len() * PARTS);
            for ((sum, &value), weights) in sums.iter_mut().zip(rest).zip(weights) {
                one(sum, value, weights);
            }
        }
    }
    for (lane, to) in to.iter_mut().enumerate() {
        *to = (sums[0][lane] + sums[1][lane]) + (sums[2][lane] + sums[3][lane]);
    }
}

#[inline(always)]
fn one(sums: &mut Lanes, value: f32, weights: &Lanes) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += value * weight;
    }
}

#[inline(always)]
fn add(row: Row<'_>, times: &Lanes, w: &mut [Lanes]) {
    match row {
        Row::Sparse(row) => {
            for &(column, value) in row {
                one(&mut w[column as usize], value, times);
            }
        }
        Row::Dense(row) => {
            for (column, &value) in row.iter().enumerate() {
                // One column after the other: a compiler that sees all of them takes sixteen at once, by gathering and
                // scattering single numbers.
                one(&mut w[black_box(column)], value, times);
            }
        }
    }
}

#[cfg(test)]
mod tests;

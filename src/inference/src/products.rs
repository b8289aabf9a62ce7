//! Many inner products at once, for whoever works with the encoder's vectors.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::kernels::{self, Packed};

/// A matrix of row vectors, packed for products with other vectors by the widest instructions at hand.
pub struct Products {
    packed: Packed,
    zeros: Vec<f32>,
}

impl Products {
    /// Packs `rows` [n, width].
    ///
    /// # Panics
    /// When `width` is 0 or does not divide the number of values.
    #[must_use]
    pub fn new(rows: &[f32], width: usize) -> Self {
        Self {
            packed: Packed::new(rows, width),
            zeros: vec![0.0; rows.len() / width],
        }
    }

    /// The inner products of each row of `x` [m, width] with each packed row: `out` [m, n], on the
    /// caller's thread.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn with(&self, x: &[f32], out: &mut [f32]) {
        self.packed.linear(x, &self.zeros, out, 1);
    }

    /// The number of packed rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.zeros.len()
    }
}

/// Row vectors in 8 bits, each with a scale: a scan reads them all, so it is as fast as they are small.
#[derive(Default, Serialize, Deserialize)]
pub struct Rounded {
    /// [n, width], in units of the row's scale.
    rows: Vec<i8>,
    scales: Vec<f32>,
}

impl Rounded {
    /// Rounds `rows` [n, width].
    ///
    /// # Panics
    /// When `width` is 0 or does not divide the number of values.
    #[must_use]
    pub fn new(rows: &[f32], width: usize) -> Self {
        assert!(rows.len().is_multiple_of(width));
        let mut this = Self::default();
        rows.chunks_exact(width).for_each(|row| this.push(row));
        this
    }

    /// The inner products of `x` with each row, each off by less than a hundredth of the two lengths' product
    /// for vectors of some hundred numbers.
    ///
    /// # Panics
    /// When the width of `x` does not fit.
    #[must_use]
    pub fn with(&self, x: &[f32]) -> Vec<f32> {
        self.within(x, 0..self.len())
    }

    /// The same with some of the rows.
    ///
    /// # Panics
    /// When the width of `x` does not fit, or there are not so many rows.
    #[must_use]
    pub fn within(&self, x: &[f32], rows: Range<usize>) -> Vec<f32> {
        let (values, unit) = eight_bits(x);
        let values: Vec<i16> = values.map(i16::from).collect();
        let scales = &self.scales[rows.clone()];
        let mut sums = vec![0; scales.len()];
        let rows = &self.rows[rows.start * x.len()..rows.end * x.len()];
        kernels::byte_products(rows, &values, &mut sums);
        let scaled = sums.iter().zip(scales);
        scaled
            .map(|(&sum, scale)| sum as f32 * scale * unit)
            .collect()
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// A row of this width, as far as eight bits say it.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn row(&self, n: usize, width: usize) -> impl Iterator<Item = f32> {
        let scale = self.scales[n];
        let row = self.rows[n * width..(n + 1) * width].iter();
        row.map(move |&w| f32::from(w) * scale)
    }

    /// Puts another row after the last; all are of one width.
    pub fn push(&mut self, row: &[f32]) {
        let (values, scale) = eight_bits(row);
        self.rows.extend(values);
        self.scales.push(scale);
    }

    /// Puts some rows of this width after the last, as they are.
    ///
    /// # Panics
    /// When there are not so many rows.
    pub fn extend_from(&mut self, other: &Self, rows: Range<usize>, width: usize) {
        self.scales.extend_from_slice(&other.scales[rows.clone()]);
        let rows = &other.rows[rows.start * width..rows.end * width];
        self.rows.extend_from_slice(rows);
    }
}

/// A vector in units of its largest number's 127th part.
fn eight_bits(v: &[f32]) -> (impl Iterator<Item = i8>, f32) {
    let unit = v.iter().fold(1e-9_f32, |m, x| m.max(x.abs())) / 127.0;
    (v.iter().map(move |x| (x / unit).round() as i8), unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::noise;

    #[test]
    fn rounded_products_are_near_the_exact_ones() {
        let (n, width) = (40, 384);
        let (rows, x) = (noise(1, n * width), noise(2, width));
        let length = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>().sqrt();
        let found = Rounded::new(&rows, width).with(&x);
        assert_eq!(found.len(), n);
        for (row, found) in rows.chunks(width).zip(found) {
            let exact: f32 = row.iter().zip(&x).map(|(a, b)| a * b).sum();
            assert!((found - exact).abs() < 0.01 * length(row) * length(&x));
        }
        assert_eq!(Rounded::new(&[0.0; 4], 2).with(&[0.0, 1.0]), [0.0, 0.0]);
    }

    #[test]
    fn some_rows_are_those_of_all() {
        let (n, width) = (9, 16);
        let (values, x) = (noise(1, n * width), noise(2, width));
        let rows = Rounded::new(&values, width);
        assert_eq!(rows.within(&x, 3..7), rows.with(&x)[3..7]);
        let mut others = Rounded::default();
        others.push(&values[..width]);
        others.extend_from(&rows, 5..8, width);
        assert_eq!(others.len(), 4);
        assert_eq!(others.with(&x)[0], rows.with(&x)[0]);
        assert_eq!(others.with(&x)[1..], rows.with(&x)[5..8]);
        for (near, exact) in rows.row(4, width).zip(&values[4 * width..]) {
            assert!((near - exact).abs() < 0.01);
        }
    }

    #[test]
    fn products_are_inner_products() {
        let rows: Vec<f32> = (0..7 * 5).map(|i| (i % 11) as f32 - 5.0).collect();
        let x: Vec<f32> = (0..3 * 5).map(|i| (i % 7) as f32 - 3.0).collect();
        let p = Products::new(&rows, 5);
        let mut out = vec![0.0; 3 * p.rows()];
        p.with(&x, &mut out);
        for i in 0..3 {
            for j in 0..7 {
                let want: f32 = (0..5).map(|k| x[i * 5 + k] * rows[j * 5 + k]).sum();
                assert!((out[i * 7 + j] - want).abs() < 1e-4);
            }
        }
    }
}

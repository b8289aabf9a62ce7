//! Many inner products at once, for whoever works with the encoder's vectors.

use crate::kernels::Packed;

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

#[cfg(test)]
mod tests {
    use super::*;

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

//! Linear one-against-the-rest classifiers, squared hinge loss, by dual coordinate descent.
//!
//! Hsieh, Chang, Lin, Keerthi, Sundararajan: "A dual coordinate descent method for large-scale linear SVM",
//! ICML 2008, algorithm 1. Deterministic: the order of the samples comes from a fixed seed.

use super::features::Sparse;

/// Training rows, sparse or dense, each with its squared length (the constant feature included).
pub(crate) enum Rows<'a> {
    Sparse(&'a [Sparse]),
    /// Row-major, `width` numbers a row.
    Dense(&'a [f32], usize),
}

impl Rows<'_> {
    /// The inner product of a row with a plane's weights, the constant feature left out.
    pub(crate) fn dot(&self, row: usize, w: &[f32]) -> f32 {
        match self {
            Rows::Sparse(r) => r[row].iter().map(|&(c, v)| v * w[c as usize]).sum(),
            Rows::Dense(r, width) => dot(&r[row * width..(row + 1) * width], w),
        }
    }

    fn add(&self, row: usize, scale: f32, w: &mut [f32]) {
        match self {
            Rows::Sparse(r) => {
                for &(c, v) in &r[row] {
                    w[c as usize] += scale * v;
                }
            }
            Rows::Dense(r, width) => {
                for (w, v) in w.iter_mut().zip(&r[row * width..(row + 1) * width]) {
                    *w += scale * v;
                }
            }
        }
    }

    fn squared(&self, row: usize) -> f32 {
        match self {
            Rows::Sparse(r) => r[row].iter().map(|&(_, v)| v * v).sum(),
            Rows::Dense(r, width) => {
                let r = &r[row * width..(row + 1) * width];
                dot(r, r)
            }
        }
    }
}

/// The inner product of two equally long slices, in sixteen lanes.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [0.0_f32; LANES];
    let (ca, cb) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let tail: f32 = ca
        .remainder()
        .iter()
        .zip(cb.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in ca.zip(cb) {
        for (l, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *l += x * y;
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// How hard a classifier tries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    /// Cost of a unit of squared hinge loss.
    pub c: f32,
    /// Positives count this many times as much: one class against two hundred.
    pub positive: f32,
    /// Whole passes over the samples, at most.
    pub rounds: usize,
    /// Passes over the samples that matter after each whole pass, at most.
    pub epochs: usize,
    /// Stop when no sample is further than this from where it should be.
    pub tolerance: f32,
}

/// A separating plane: `w · x + bias`.
pub(crate) struct Plane {
    pub w: Vec<f32>,
    pub bias: f32,
}

/// The weight of the constant feature. Small, so that most of the decision comes from the text.
const BIAS_FEATURE: f32 = 1.0;

/// Fits one class. `rows[train[i]]` is a sample, `positive(train[i])` its side.
pub(crate) fn fit(
    rows: &Rows<'_>,
    width: usize,
    train: &[u32],
    positive: impl Fn(u32) -> bool,
    how: Fit,
) -> Plane {
    let mut w = vec![0.0_f32; width];
    let mut bias = 0.0_f32;
    let mut alpha = vec![0.0_f32; train.len()];
    // (diagonal of the dual's quadratic form, sign)
    let setup: Vec<(f32, f32, f32)> = train
        .iter()
        .map(|&i| {
            let pos = positive(i);
            let c = how.c * if pos { how.positive } else { 1.0 };
            let shift = 0.5 / c;
            let q = rows.squared(i as usize) + BIAS_FEATURE * BIAS_FEATURE + shift;
            (q, if pos { 1.0 } else { -1.0 }, shift)
        })
        .collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    // One pass over some samples: moves their dual variables, keeps those that may move again, and tells the
    // largest violation of the optimality conditions.
    let mut pass = |samples: &mut Vec<u32>| {
        random.shuffle(samples);
        let mut largest = 0.0_f32;
        samples.retain(|&j| {
            let j = j as usize;
            let row = train[j] as usize;
            let (q, y, shift) = setup[j];
            let g = y * (rows.dot(row, &w) + bias * BIAS_FEATURE) - 1.0 + shift * alpha[j];
            if alpha[j] == 0.0 && g >= 0.0 {
                // On its right side, and not part of the solution: it rests until the next whole pass.
                return g < 0.1;
            }
            largest = largest.max(g.abs());
            let old = alpha[j];
            alpha[j] = (old - g / q).max(0.0);
            let step = (alpha[j] - old) * y;
            rows.add(row, step, &mut w);
            bias += step * BIAS_FEATURE;
            true
        });
        largest
    };
    for _ in 0..how.rounds {
        let mut active: Vec<u32> = (0..).take(train.len()).collect();
        if pass(&mut active) < how.tolerance {
            break;
        }
        for _ in 0..how.epochs {
            if pass(&mut active) < how.tolerance {
                break;
            }
        }
    }
    Plane {
        w,
        bias: bias * BIAS_FEATURE,
    }
}

/// A small generator (xorshift*) for shuffles that are the same on every run.
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let r = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(r).unwrap_or(0) % n.max(1)
    }

    fn shuffle(&mut self, items: &mut [u32]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOW: Fit = Fit {
        c: 1.0,
        positive: 1.0,
        rounds: 20,
        epochs: 50,
        tolerance: 1e-3,
    };

    #[test]
    fn sparse_and_dense_find_the_same_plane() {
        let dense: Vec<f32> = vec![1.0, 0.2, 0.9, 0.0, -1.0, 0.1, -0.8, -0.3, 0.7, 0.6];
        let sparse: Vec<Sparse> = dense
            .chunks(2)
            .map(|r| vec![(0, r[0]), (1, r[1])])
            .collect();
        let train = [0, 1, 2, 3, 4];
        let positive = |i: u32| dense[i as usize * 2] > 0.0;
        let a = fit(&Rows::Dense(&dense, 2), 2, &train, positive, HOW);
        let b = fit(&Rows::Sparse(&sparse), 2, &train, positive, HOW);
        for i in 0..5 {
            let s = Rows::Dense(&dense, 2).dot(i, &a.w) + a.bias;
            assert!((s - Rows::Sparse(&sparse).dot(i, &b.w) - b.bias).abs() < 1e-3);
            assert_eq!(s > 0.0, positive(u32::try_from(i).unwrap()));
        }
    }

    #[test]
    fn dot_handles_every_length() {
        for n in 0..40 {
            let a: Vec<f32> = (0..n).map(|i| i as f32).collect();
            let want: f32 = a.iter().map(|x| x * x).sum();
            assert!((dot(&a, &a) - want).abs() <= want * 1e-6);
        }
    }
}

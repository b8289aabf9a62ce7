//! Linear one-against-the-rest classifiers, squared hinge loss, by dual coordinate descent.
//!
//! Hsieh, Chang, Lin, Keerthi, Sundararajan: "A dual coordinate descent method for large-scale linear SVM",
//! ICML 2008, algorithm 1. Deterministic: the order of the samples comes from a fixed seed.

use inference::{LANES, Row};

use super::features::Sparse;
use crate::parallel;

/// Training rows, sparse or dense, all of one width.
pub(crate) enum Rows<'a> {
    Sparse(&'a [Sparse]),
    Dense(&'a [&'a [f32]]),
}

impl Rows<'_> {
    /// The inner product of a row with a plane's weights, the constant feature left out.
    pub(crate) fn dot(&self, row: usize, w: &[f32]) -> f32 {
        match self {
            Rows::Sparse(r) => r[row].iter().map(|&(c, v)| v * w[c as usize]).sum(),
            Rows::Dense(r) => dot(r[row], w),
        }
    }

    /// For several planes at once.
    fn row(&self, row: usize) -> Row<'_> {
        match self {
            Rows::Sparse(r) => Row::Sparse(&r[row]),
            Rows::Dense(r) => Row::Dense(r[row]),
        }
    }

    fn squared(&self, row: usize) -> f32 {
        match self {
            Rows::Sparse(r) => r[row].iter().map(|&(_, v)| v * v).sum(),
            Rows::Dense(r) => dot(r[row], r[row]),
        }
    }
}

/// The inner product of two equally long slices, in sixteen lanes.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
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

impl Plane {
    /// One that knows nothing and so says no.
    pub(crate) fn none(width: usize) -> Self {
        Self {
            w: vec![0.0; width],
            bias: START,
        }
    }
}

/// The weight of the constant feature. Small, so that most of the decision comes from the text.
const BIAS_FEATURE: f32 = 1.0;

/// What a plane says of a sample that nothing is known of. Then a negative that shares nothing with the
/// positives is on its right side from the start, and never has to be moved there.
const START: f32 = -1.0;

/// What planes are fitted to.
pub(crate) struct Problem<'a> {
    pub rows: &'a Rows<'a>,
    pub width: usize,
    /// The rows that count.
    pub train: &'a [u32],
    pub class_of: &'a (dyn Fn(u32) -> usize + Sync),
    pub how: Fit,
}

impl Problem<'_> {
    /// What becomes of the plane of each of these classes, ascending, against all others; in their order.
    pub(crate) fn planes<T: Send>(
        &self,
        classes: &[usize],
        threads: usize,
        keep: impl Fn(Plane) -> T + Sync,
    ) -> Vec<T> {
        let blocks: Vec<&[usize]> = classes.chunks(LANES).collect();
        let fitted = parallel::map(blocks.len(), threads, |b| {
            let own = |row| blocks[b].binary_search(&(self.class_of)(row)).ok();
            let planes = fit(self.rows, self.width, self.train, own, self.how);
            let planes = planes.into_iter().take(blocks[b].len());
            planes.map(&keep).collect::<Vec<_>>()
        });
        fitted.into_iter().flatten().collect()
    }
}

/// Fits up to [`LANES`] classes: reading a row and finding its columns costs more than the sums. `train` are rows; `own(row)` is the lane of its class, or none of these.
pub(crate) fn fit(
    rows: &Rows<'_>,
    width: usize,
    train: &[u32],
    own: impl Fn(u32) -> Option<usize>,
    how: Fit,
) -> Vec<Plane> {
    let mut w = vec![[0.0; LANES]; width];
    let mut bias = [START; LANES];
    let mut alpha = vec![[0.0; LANES]; train.len()];
    // Side of each lane, what its dual variable is shrunk by, and the diagonal of the dual's form.
    let setup: Vec<(Option<usize>, f32)> = train
        .iter()
        .map(|&i| {
            let lane = own(i).filter(|lane| *lane < LANES);
            (lane, rows.squared(i as usize) + BIAS_FEATURE * BIAS_FEATURE)
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
            let (lane, squared) = setup[j];
            let (mut side, mut shift) = ([-1.0; LANES], [0.5 / how.c; LANES]);
            if let Some(lane) = lane {
                side[lane] = 1.0;
                shift[lane] /= how.positive;
            }
            let features = rows.row(row);
            let dots = features.dots(&w);
            let alpha = &mut alpha[j];
            let mut step = [0.0; LANES];
            let mut violation = 0.0_f32;
            for l in 0..LANES {
                let g = side[l] * (dots[l] + bias[l]) - 1.0 + shift[l] * alpha[l];
                let moved = (alpha[l] - g / (squared + shift[l])).max(0.0);
                step[l] = (moved - alpha[l]) * side[l];
                // On its right side, and not part of the solution: nothing to mend.
                let open = if moved == 0.0 && alpha[l] == 0.0 {
                    0.0
                } else {
                    g.abs()
                };
                violation = violation.max(open);
                alpha[l] = moved;
                bias[l] += step[l] * BIAS_FEATURE * BIAS_FEATURE;
            }
            if step.iter().any(|s| *s != 0.0) {
                features.add_to(&step, &mut w);
            }
            largest = largest.max(violation);
            // What needs no move now rests until the next whole pass.
            violation > how.tolerance
        });
        largest
    };
    // The positives first: only against them do the others have something to be pushed from.
    let mut positives: Vec<u32> = (0..)
        .zip(&setup)
        .filter(|(_, s)| s.0.is_some())
        .map(|(j, _)| j)
        .collect();
    pass(&mut positives);
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
    let plane = |l: usize| Plane {
        w: w.iter().map(|w| w[l]).collect(),
        bias: bias[l],
    };
    (0..LANES).map(plane).collect()
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
        // Lane 0 has the positives, lane 3 the others, the rest nobody.
        let own = |i: u32| Some(if positive(i) { 0 } else { 3 });
        let rows: Vec<&[f32]> = dense.chunks(2).collect();
        let a = fit(&Rows::Dense(&rows), 2, &train, own, HOW);
        let b = fit(&Rows::Sparse(&sparse), 2, &train, own, HOW);
        for i in 0..5 {
            let row = u32::try_from(i).unwrap();
            for (lane, side) in [(0, positive(row)), (3, !positive(row)), (7, false)] {
                let s = Rows::Dense(&rows).dot(i, &a[lane].w) + a[lane].bias;
                let t = Rows::Sparse(&sparse).dot(i, &b[lane].w) + b[lane].bias;
                assert!((s - t).abs() < 1e-3);
                assert_eq!(s > 0.0, side, "{i} in lane {lane}");
            }
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

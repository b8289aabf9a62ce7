//! Fits a conditional logit by Newton's method.
//!
//! The likelihood is concave in some two dozen weights, so that a handful of steps with the exact second
//! derivatives reach what hundreds of steps along the gradient only near (McFadden 1974, section II).

use super::Choice;
use crate::parallel;

/// Choices whose sums are taken together. Fixed, so that any number of threads gives the same bits.
const CHUNK: usize = 512;
const STEPS: usize = 40;
/// A step that promises less than this is the last.
const ENOUGH: f64 = 1e-9;
/// Candidates that are less likely than this do not count in the second derivatives.
const UNLIKELY: f32 = 1e-5;

type Weights<const N: usize> = [f64; N];

/// The loss at one point and its derivatives.
struct Slope<const N: usize> {
    loss: f64,
    gradient: Weights<N>,
    /// The lower triangle counts.
    hessian: [Weights<N>; N],
}

/// The weights with the least mean negative log-likelihood plus `pull` × squared distance to `start`.
pub(in super::super) fn fit<const N: usize>(
    choices: &[&Choice<N>],
    start: &[f32; N],
    pull: f64,
    threads: usize,
) -> [f32; N] {
    let origin = start.map(f64::from);
    let mut at = origin;
    let mut here = slope(choices, &at, &origin, pull, threads);
    for _ in 0..STEPS {
        let step = solve(&here.hessian, &here.gradient);
        let promise: f64 = step.iter().zip(&here.gradient).map(|(s, g)| s * g).sum();
        if promise.is_nan() || promise < ENOUGH {
            break;
        }
        // Far from the optimum a whole step may overshoot.
        let mut size = 1.0;
        let better = loop {
            let next = std::array::from_fn(|i| at[i] - size * step[i]);
            let there = slope(choices, &next, &origin, pull, threads);
            if there.loss <= here.loss {
                break Some((next, there));
            }
            size /= 2.0;
            if size < 1e-3 {
                break None;
            }
        };
        match better {
            Some((next, there)) => (at, here) = (next, there),
            None => break,
        }
    }
    at.map(|w| w as f32)
}

fn slope<const N: usize>(
    choices: &[&Choice<N>],
    at: &Weights<N>,
    origin: &Weights<N>,
    pull: f64,
    threads: usize,
) -> Slope<N> {
    let w = at.map(|w| w as f32);
    let chunks: Vec<&[&Choice<N>]> = choices.chunks(CHUNK).collect();
    let parts = parallel::map(chunks.len(), threads, |i| part(chunks[i], &w));
    let total: f64 = choices.iter().map(|c| f64::from(c.weight)).sum();
    let mut sum = Slope {
        loss: 0.0,
        gradient: [0.0; N],
        hessian: [[0.0; N]; N],
    };
    for p in parts {
        sum.loss += p.loss / total;
        for i in 0..N {
            sum.gradient[i] += p.gradient[i] / total;
            for j in 0..=i {
                sum.hessian[i][j] += p.hessian[i][j] / total;
            }
        }
    }
    for i in 0..N {
        let away = at[i] - origin[i];
        sum.loss += pull * away * away;
        sum.gradient[i] += 2.0 * pull * away;
        sum.hessian[i][i] += 2.0 * pull;
    }
    sum
}

fn part<const N: usize>(choices: &[&Choice<N>], w: &[f32; N]) -> Slope<N> {
    let mut loss = 0.0;
    let mut gradient = [0.0_f64; N];
    let mut hessian = [[0.0_f32; N]; N];
    let mut p = Vec::new();
    for c in choices {
        p.clear();
        p.extend(c.candidates.iter().map(|x| dot(x, w)));
        super::softmax(&mut p);
        loss -= f64::from(c.weight) * f64::from(p[c.right].max(f32::MIN_POSITIVE)).ln();
        let mut mean = [0.0_f32; N];
        for (x, &p) in c.candidates.iter().zip(&p) {
            if p >= UNLIKELY {
                outer(&mut hessian, x, p * c.weight);
            }
            for (m, x) in mean.iter_mut().zip(x) {
                *m += p * x;
            }
        }
        outer(&mut hessian, &mean, -c.weight);
        for ((g, m), x) in gradient.iter_mut().zip(mean).zip(&c.candidates[c.right]) {
            *g += f64::from(c.weight) * f64::from(m - x);
        }
    }
    Slope {
        loss,
        gradient,
        hessian: hessian.map(|row| row.map(f64::from)),
    }
}

fn dot<const N: usize>(x: &[f32; N], w: &[f32; N]) -> f32 {
    x.iter().zip(w).map(|(x, w)| x * w).sum()
}

/// to += scale · x · xᵀ. Whole rows: half of it is not needed, but this way it vectorises.
fn outer<const N: usize>(to: &mut [[f32; N]; N], x: &[f32; N], scale: f32) {
    for (row, &xi) in to.iter_mut().zip(x) {
        let factor = scale * xi;
        for (value, xj) in row.iter_mut().zip(x) {
            *value += factor * xj;
        }
    }
}

/// The solution of `a` · x = `b` by Cholesky's decomposition; `a` is positive definite, and what rounding
/// takes from that is put back on the diagonal.
fn solve<const N: usize>(a: &[Weights<N>; N], b: &Weights<N>) -> Weights<N> {
    let mut l = [[0.0_f64; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let inner: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            let rest = a[i][j] - inner;
            l[i][j] = if i == j {
                rest.max(1e-12).sqrt()
            } else {
                rest / l[j][j]
            };
        }
    }
    let mut y = [0.0; N];
    for i in 0..N {
        let inner: f64 = (0..i).map(|k| l[i][k] * y[k]).sum();
        y[i] = (b[i] - inner) / l[i][i];
    }
    let mut x = [0.0; N];
    for i in (0..N).rev() {
        let inner: f64 = (i + 1..N).map(|k| l[k][i] * x[k]).sum();
        x[i] = (y[i] - inner) / l[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::super::WIDTH;
    use super::*;
    use crate::ranker::svm::Random;

    /// Choices made by known weights are explained by weights near them.
    #[test]
    fn known_weights_are_found() {
        let truth: [f32; 3] = [2.0, -1.0, 0.5];
        let mut random = Random(7);
        let mut uniform = || random.below(1_000_000) as f32 / 1e6;
        let choices: Vec<Choice> = (0..4000)
            .map(|_| {
                let candidates: Vec<[f32; WIDTH]> = (0..5)
                    .map(|_| {
                        let mut x = [0.0; WIDTH];
                        for v in &mut x[..3] {
                            *v = 4.0 * uniform() - 2.0;
                        }
                        x
                    })
                    .collect();
                let mut p: Vec<f32> = candidates
                    .iter()
                    .map(|x| x.iter().zip(truth).map(|(x, w)| x * w).sum())
                    .collect();
                crate::ranker::stack::softmax(&mut p);
                let mut draw = uniform();
                let right = p
                    .iter()
                    .position(|p| {
                        draw -= p;
                        draw <= 0.0
                    })
                    .unwrap_or(4);
                Choice {
                    group: 0,
                    candidates,
                    right,
                    weight: 1.0,
                }
            })
            .collect();
        let all: Vec<&Choice> = choices.iter().collect();
        let one = fit(&all, &[0.0; WIDTH], 1e-6, 1);
        for (found, truth) in one.iter().zip(truth) {
            assert!((found - truth).abs() < 0.15, "{found} for {truth}");
        }
        assert!(one[3..].iter().all(|w| w.abs() < 1e-3));
        assert_eq!(fit(&all, &[0.0; WIDTH], 1e-6, 3), one);
    }
}

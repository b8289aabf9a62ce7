//! AdamW (Loshchilov and Hutter, arXiv:1711.05101). Written here because its moments are part of a checkpoint.

use candle_core::{DType, Tensor, Var};

use crate::error::Result;

const BETA: [f64; 2] = [0.9, 0.98];
const EPSILON: f64 = 1e-8;

pub(super) struct Adam {
    /// First and second moment of each variable, in the model's order.
    pub(super) moments: Vec<[Tensor; 2]>,
    pub(super) decay: f64,
}

impl Adam {
    pub(super) fn new<'a>(variables: impl Iterator<Item = &'a Var>, decay: f64) -> Result<Self> {
        let zeros = |v: &Var| Tensor::zeros(v.shape(), DType::F32, v.device());
        let moments = variables.map(|v| Ok([zeros(v)?, zeros(v)?]));
        Ok(Self {
            moments: moments.collect::<Result<_>>()?,
            decay,
        })
    }

    /// One step down `gradients`, in the same order. `step` counts from 1.
    pub(super) fn step<'a>(
        &mut self,
        variables: impl Iterator<Item = &'a Var>,
        gradients: &[Tensor],
        rate: f64,
        step: u32,
    ) -> Result<()> {
        let [first_left, second_left] = BETA.map(|beta| 1.0 - beta.powi(step.cast_signed()));
        for ((variable, gradient), moments) in variables.zip(gradients).zip(&mut self.moments) {
            let [first, second] = moments;
            *first = ((&*first * BETA[0])? + (gradient * (1.0 - BETA[0]))?)?;
            *second = ((&*second * BETA[1])? + (gradient.sqr()? * (1.0 - BETA[1]))?)?;
            let size = ((&*second / second_left)?.sqrt()? + EPSILON)?;
            let change = ((&*first / first_left)? / size)?;
            let kept = (variable.as_detached_tensor() * (1.0 - rate * self.decay))?;
            variable.set(&(kept - (change * rate)?)?)?;
        }
        Ok(())
    }
}

/// The rate at a step (from 0) of `steps`: up in a straight line for `warm` steps, then down a half cosine to a
/// fiftieth.
pub(super) fn rate(highest: f64, step: u32, steps: u32, warm: u32) -> f64 {
    if step < warm {
        return highest * f64::from(step + 1) / f64::from(warm);
    }
    let done = f64::from(step - warm) / f64::from(steps.saturating_sub(warm).max(1));
    let share = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
    highest * (0.02 + 0.98 * share)
}

/// The factor that brings gradients to at most `limit` together, and their length.
pub(super) fn clip(gradients: &[Tensor], limit: f64) -> Result<(f64, f64)> {
    let mut squares = 0.0;
    for gradient in gradients {
        squares += f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
    }
    let length = squares.sqrt();
    let factor = if length > limit { limit / length } else { 1.0 };
    Ok((factor, length))
}

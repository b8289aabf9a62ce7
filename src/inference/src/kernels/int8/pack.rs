//! A matrix of f32, rounded and packed.

use super::{Isa, Line, STEP, WIDTH};

/// A matrix of weights in 8 bits, packed for the right side of products.
pub(crate) struct Packed {
    /// [outputs / 32, inputs / 4], see [`Line`].
    pub(super) lines: Vec<Line>,
    /// One an output, as `scales`.
    pub(super) starts: Vec<i32>,
    pub(super) scales: Vec<f32>,
    pub(super) inputs: usize,
    pub(super) isa: Isa,
}

impl Packed {
    /// Rounds and packs `rows` [outputs, inputs] for `isa`, which this machine must have; outputs are a multiple of
    /// 32, inputs of 4.
    pub(crate) fn new(rows: &[f32], inputs: usize, isa: Isa) -> Self {
        assert!(isa.available() && inputs > 0 && inputs.is_multiple_of(STEP));
        assert!(rows.len().is_multiple_of(inputs * WIDTH));
        let outputs = rows.len() / inputs;
        let steps = inputs / STEP;
        let mut lines = vec![Line([0; WIDTH * STEP]); outputs / WIDTH * steps];
        let mut starts = Vec::with_capacity(outputs);
        let mut scales = Vec::with_capacity(outputs);
        let mut rounded = vec![0_i8; inputs];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            scales.push(super::round::round_row(row, &mut rounded));
            let sum: i32 = rounded.iter().map(|&w| i32::from(w)).sum();
            starts.push(-128 * sum);
            let panel = &mut lines[output / WIDTH * steps..][..steps];
            let (portion, lane) = (output % WIDTH / isa.outputs(), output % isa.outputs());
            for (n, step) in rounded.as_chunks::<STEP>().0.iter().enumerate() {
                let at = (portion * steps + n) * isa.outputs() + lane;
                let line = &mut panel[at / WIDTH].0;
                line[at % WIDTH * STEP..][..STEP].copy_from_slice(step);
            }
        }
        Self {
            lines,
            starts,
            scales,
            inputs,
            isa,
        }
    }
}

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
        assert!(inputs > 0 && rows.len().is_multiple_of(inputs * WIDTH));
        let mut this = Self::zeros(rows.len() / inputs, inputs, isa);
        this.put(0, rows);
        this
    }

    /// A matrix of zeros, to be filled by [`Packed::put`].
    pub(crate) fn zeros(outputs: usize, inputs: usize, isa: Isa) -> Self {
        assert!(isa.available() && inputs > 0 && inputs.is_multiple_of(STEP));
        assert!(outputs.is_multiple_of(WIDTH));
        Self {
            lines: vec![Line([0; WIDTH * STEP]); outputs / WIDTH * (inputs / STEP)],
            starts: vec![0; outputs],
            scales: vec![0.0; outputs],
            inputs,
            isa,
        }
    }

    /// Rounds and packs the weights of some outputs, `first` and those after it.
    pub(crate) fn put(&mut self, first: usize, rows: &[f32]) {
        let (inputs, isa) = (self.inputs, self.isa);
        assert!(rows.len().is_multiple_of(inputs));
        let steps = inputs / STEP;
        let mut rounded = vec![0_i8; inputs];
        for (output, row) in (first..).zip(rows.chunks_exact(inputs)) {
            self.scales[output] = super::round::round_row(row, &mut rounded);
            let sum: i32 = rounded.iter().map(|&w| i32::from(w)).sum();
            self.starts[output] = -128 * sum;
            let panel = &mut self.lines[output / WIDTH * steps..][..steps];
            let (portion, lane) = (output % WIDTH / isa.outputs(), output % isa.outputs());
            for (n, step) in rounded.as_chunks::<STEP>().0.iter().enumerate() {
                let at = (portion * steps + n) * isa.outputs() + lane;
                let line = &mut panel[at / WIDTH].0;
                line[at % WIDTH * STEP..][..STEP].copy_from_slice(step);
            }
        }
    }

    /// The weights of one output, as far as eight bits say them.
    pub(crate) fn row(&self, output: usize, to: &mut [f32]) {
        assert!(to.len() == self.inputs);
        let (steps, isa) = (self.inputs / STEP, self.isa);
        let panel = &self.lines[output / WIDTH * steps..][..steps];
        let (portion, lane) = (output % WIDTH / isa.outputs(), output % isa.outputs());
        for (n, to) in to.as_chunks_mut::<STEP>().0.iter_mut().enumerate() {
            let at = (portion * steps + n) * isa.outputs() + lane;
            let step = &panel[at / WIDTH].0[at % WIDTH * STEP..][..STEP];
            for (to, &weight) in to.iter_mut().zip(step) {
                *to = f32::from(weight) * self.scales[output];
            }
        }
    }
}

//! A matrix of f32, rounded and packed.

use std::ops::Deref;

use super::{Isa, Line, STEP, WIDTH};
use crate::mapped::Piece;

/// A matrix of weights in 8 bits, packed for the right side of products.
pub(crate) struct Packed {
    /// [outputs / 32, inputs / 4], see [`Line`].
    pub(super) lines: Lines,
    /// One an output, as `scales`.
    pub(super) starts: Vec<i32>,
    pub(super) scales: Vec<f32>,
    pub(super) inputs: usize,
    pub(super) isa: Isa,
}

/// Where a matrix lies.
pub(super) enum Lines {
    Own(Vec<Line>),
    /// Whole lines, each on a multiple of 64 bytes.
    Piece(Piece),
}

impl Deref for Lines {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        match self {
            Self::Own(lines) => lines,
            Self::Piece(bytes) => lines(bytes),
        }
    }
}

/// The lines that lie whole in these bytes.
fn lines(bytes: &[u8]) -> &[Line] {
    // SAFETY: a line is 128 bytes without gaps, each of which may have any value.
    unsafe { bytes.align_to::<Line>() }.1
}

/// A matrix that is being packed.
pub(crate) struct Packing {
    lines: Vec<Line>,
    starts: Vec<i32>,
    scales: Vec<f32>,
    inputs: usize,
    isa: Isa,
}

impl Packing {
    /// A matrix of zeros for `isa`, which this machine must have; outputs are a multiple of 32, inputs of 4.
    pub(crate) fn new(outputs: usize, inputs: usize, isa: Isa) -> Self {
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

    pub(crate) fn done(self) -> Packed {
        Packed {
            lines: Lines::Own(self.lines),
            starts: self.starts,
            scales: self.scales,
            inputs: self.inputs,
            isa: self.isa,
        }
    }
}

impl Packed {
    /// Rounds and packs `rows` [outputs, inputs], as [`Packing`].
    pub(crate) fn new(rows: &[f32], inputs: usize, isa: Isa) -> Self {
        assert!(inputs > 0 && rows.len().is_multiple_of(inputs));
        let mut packing = Packing::new(rows.len() / inputs, inputs, isa);
        packing.put(0, rows);
        packing.done()
    }

    /// Bytes of all weights, a multiple of 128.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.len() * WIDTH * STEP
    }

    /// Copies the weights to as many bytes.
    pub(crate) fn copy_to(&self, to: &mut [u8]) {
        assert_eq!(to.len(), self.bytes());
        for (to, line) in to.chunks_exact_mut(WIDTH * STEP).zip(&*self.lines) {
            for (to, &weight) in to.iter_mut().zip(&line.0) {
                *to = weight.cast_unsigned();
            }
        }
    }

    /// The weights are from now on what [`Packed::copy_to`] wrote there, on a multiple of 64 bytes.
    pub(crate) fn move_to(&mut self, piece: Piece) {
        assert!(lines(&piece).len() == self.lines.len() && piece.len() == self.bytes());
        self.lines = Lines::Piece(piece);
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

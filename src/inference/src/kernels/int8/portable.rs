//! The same product in plain loops.

use super::{Panel, Part, STEP, Target, WIDTH};

pub(super) fn product<const ROWS: usize>(x: Part<'_>, panel: &Panel<'_>, target: &mut Target<'_>) {
    let mut sums = [*panel.starts; ROWS];
    for (line, values) in panel.lines.iter().zip(x.bytes.as_chunks::<ROWS>().0) {
        for (sums, values) in sums.iter_mut().zip(values) {
            for (sum, weights) in sums.iter_mut().zip(line.0.as_chunks::<STEP>().0) {
                for (&weight, &value) in weights.iter().zip(values) {
                    *sum += i32::from(weight) * i32::from(value);
                }
            }
        }
    }
    for ((row, sums), scale) in sums.iter().enumerate().zip(x.scales) {
        let to = &mut target.to[row * target.stride..][..WIDTH];
        let outputs = sums.iter().zip(panel.scales).zip(panel.bias);
        for (to, ((&sum, weight), bias)) in to.iter_mut().zip(outputs) {
            *to = (sum as f32).mul_add(weight * scale, *bias);
        }
    }
}

//! The same product in plain loops.

use super::{Block, Part, Target, WIDTH};

pub(super) fn product<const ROWS: usize>(x: Part<'_>, blocks: &[Block], target: &mut Target<'_>) {
    let values = x.values.as_chunks::<ROWS>().0;
    let starts = x.starts.as_chunks::<ROWS>().0;
    let mut sums = [[0.0_f32; WIDTH]; ROWS];
    for (b, block) in blocks.iter().enumerate() {
        for row in 0..ROWS {
            let mut dots = [starts[b][row]; WIDTH];
            for (v, pairs) in block.pairs.iter().enumerate() {
                let step = (b * block.pairs.len() + v) * 2;
                let low = values[step][row].to_le_bytes();
                let high = values[step + 1][row].to_le_bytes();
                for (dot, pairs) in dots.iter_mut().zip(pairs.as_chunks::<4>().0) {
                    for ((pair, low), high) in pairs.iter().zip(low).zip(high) {
                        *dot += i32::from(pair & 15) * i32::from(low.cast_signed());
                        *dot += i32::from(pair >> 4) * i32::from(high.cast_signed());
                    }
                }
            }
            for ((sum, dot), scale) in sums[row].iter_mut().zip(dots).zip(&block.scales) {
                *sum = (dot as f32).mul_add(*scale, *sum);
            }
        }
    }
    for ((row, sums), scale) in sums.iter().enumerate().zip(x.scales) {
        let to = &mut target.to[row * target.stride..][..WIDTH];
        for ((to, sum), bias) in to.iter_mut().zip(sums).zip(target.bias) {
            *to = sum.mul_add(*scale, *bias);
        }
    }
}

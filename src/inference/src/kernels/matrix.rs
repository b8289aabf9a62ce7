//! Products of a few rows with a fixed matrix.
//!
//! The matrix is packed once into panels of 32 outputs, [`Packed`]; a product takes up to 12 rows
//! at a time through one panel, with all its sums in registers (24 of 512 bits, or twice 12 of 256).
//! Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.

use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// Outputs in a panel.
const WIDTH: usize = 32;

/// The weights of one input to the outputs of a panel; aligned, so that no load crosses a line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; WIDTH]);

/// A matrix of weights, packed for the right side of products.
pub(crate) struct Packed {
    /// [outputs / 32 rounded up, inputs]; missing outputs are zero.
    lines: Vec<Line>,
    inputs: usize,
}

/// Sums of up to `ROWS` rows for one panel.
type Sums<const ROWS: usize> = [[f32; WIDTH]; ROWS];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Machine {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Any,
}

impl Machine {
    fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if std::is_x86_feature_detected!("avx512f") {
                return Self::Avx512;
            }
            if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
                return Self::Avx2;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            return Self::Neon;
        }
        Self::Any
    }

    /// Rows whose sums fit the registers.
    fn rows(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 12,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 6,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => 6,
            Self::Any => 4,
        }
    }
}

impl Packed {
    /// Packs `rows` [outputs, inputs].
    pub(crate) fn new(rows: &[f32], inputs: usize) -> Self {
        assert!(inputs > 0 && rows.len().is_multiple_of(inputs));
        let outputs = rows.len() / inputs;
        let mut lines = vec![Line([0.0; WIDTH]); outputs.div_ceil(WIDTH) * inputs];
        for (output, row) in rows.chunks_exact(inputs).enumerate() {
            let panel = &mut lines[output / WIDTH * inputs..][..inputs];
            for (line, &weight) in panel.iter_mut().zip(row) {
                line.0[output % WIDTH] = weight;
            }
        }
        Self { lines, inputs }
    }

    /// out [rows, outputs] = x [rows, inputs] · this + bias [outputs]; rows are dealt to `threads`
    /// threads of the current rayon pool.
    pub(crate) fn linear(&self, x: &[f32], bias: &[f32], out: &mut [f32], threads: usize) {
        let outputs = bias.len();
        assert_eq!(self.lines.len(), outputs.div_ceil(WIDTH) * self.inputs);
        assert!(x.len().is_multiple_of(self.inputs));
        let rows = x.len() / self.inputs;
        assert_eq!(out.len(), rows * outputs);
        let machine = Machine::detect();
        if threads <= 1 || rows < 2 {
            return self.serial(machine, x, bias, out);
        }
        let share = rows.div_ceil(threads);
        let parts = out
            .par_chunks_mut(share * outputs)
            .zip(x.par_chunks(share * self.inputs));
        parts.for_each(|(out, x)| self.serial(machine, x, bias, out));
    }

    fn serial(&self, machine: Machine, x: &[f32], bias: &[f32], out: &mut [f32]) {
        let outputs = bias.len();
        let rows = x.len() / self.inputs;
        // Blocks of nearly equal height: 13 rows are 7 and 6, not 12 and 1.
        let blocks = rows.div_ceil(machine.rows());
        let first = |block: usize| block * rows / blocks;
        let mut columns = vec![0.0; x.len()];
        for block in 0..blocks {
            let (start, end) = (first(block), first(block + 1));
            let to = &mut columns[start * self.inputs..end * self.inputs];
            for (row, values) in x[start * self.inputs..end * self.inputs]
                .chunks_exact(self.inputs)
                .enumerate()
            {
                for (column, &value) in to.chunks_exact_mut(end - start).zip(values) {
                    column[row] = value;
                }
            }
        }
        for (panel, lines) in self.lines.chunks_exact(self.inputs).enumerate() {
            let bias = &bias[panel * WIDTH..outputs.min((panel + 1) * WIDTH)];
            for block in 0..blocks {
                let (start, end) = (first(block), first(block + 1));
                let part = &columns[start * self.inputs..end * self.inputs];
                let to = &mut out[start * outputs + panel * WIDTH..];
                match end - start {
                    1 => product::<1>(machine, part, lines, bias, to, outputs),
                    2 => product::<2>(machine, part, lines, bias, to, outputs),
                    3 => product::<3>(machine, part, lines, bias, to, outputs),
                    4 => product::<4>(machine, part, lines, bias, to, outputs),
                    5 => product::<5>(machine, part, lines, bias, to, outputs),
                    6 => product::<6>(machine, part, lines, bias, to, outputs),
                    7 => product::<7>(machine, part, lines, bias, to, outputs),
                    8 => product::<8>(machine, part, lines, bias, to, outputs),
                    9 => product::<9>(machine, part, lines, bias, to, outputs),
                    10 => product::<10>(machine, part, lines, bias, to, outputs),
                    11 => product::<11>(machine, part, lines, bias, to, outputs),
                    12 => product::<12>(machine, part, lines, bias, to, outputs),
                    _ => {}
                }
            }
        }
    }
}

/// One block of rows through one panel: `columns` [inputs, ROWS]; `to` starts at the block's
/// first output in this panel, its rows are `stride` apart.
fn product<const ROWS: usize>(
    machine: Machine,
    columns: &[f32],
    lines: &[Line],
    bias: &[f32],
    to: &mut [f32],
    stride: usize,
) {
    let columns = columns.as_chunks::<ROWS>().0;
    let mut sums = [[0.0; WIDTH]; ROWS];
    match machine {
        #[cfg(target_arch = "x86_64")]
        Machine::Avx512 => {
            // SAFETY: `Machine::detect` found AVX-512F, the only feature `sums_avx512` needs.
            unsafe { x86::sums_avx512(columns, lines, &mut sums) }
        }
        #[cfg(target_arch = "x86_64")]
        Machine::Avx2 => {
            // SAFETY: `Machine::detect` found AVX2 and FMA, the features `sums_avx2` needs.
            unsafe { x86::sums_avx2(columns, lines, &mut sums) }
        }
        #[cfg(target_arch = "aarch64")]
        Machine::Neon => sums_neon(columns, lines, &mut sums),
        Machine::Any => sums_any(columns, lines, &mut sums),
    }
    for (row, sums) in sums.iter().enumerate() {
        let to = &mut to[row * stride..][..bias.len()];
        for ((to, sum), bias) in to.iter_mut().zip(sums).zip(bias) {
            *to = sum + bias;
        }
    }
}

fn sums_any<const ROWS: usize>(columns: &[[f32; ROWS]], lines: &[Line], sums: &mut Sums<ROWS>) {
    for (column, line) in columns.iter().zip(lines) {
        for (sums, &value) in sums.iter_mut().zip(column) {
            for (sum, weight) in sums.iter_mut().zip(&line.0) {
                *sum += value * weight;
            }
        }
    }
}

/// Plain loops in the shape of 32 registers of 128 bits, which every AArch64 has, with its fused products: the
/// compiler does the rest.
#[cfg(target_arch = "aarch64")]
fn sums_neon<const ROWS: usize>(columns: &[[f32; ROWS]], lines: &[Line], sums: &mut Sums<ROWS>) {
    // Half a panel at a time: 24 sums, four weights and the values.
    for half in 0..2 {
        let mut acc = [[0.0_f32; WIDTH / 2]; ROWS];
        for (column, line) in columns.iter().zip(lines) {
            let weights = &line.0.as_chunks::<{ WIDTH / 2 }>().0[half];
            for (acc, &value) in acc.iter_mut().zip(column) {
                for (acc, &weight) in acc.iter_mut().zip(weights) {
                    *acc = value.mul_add(weight, *acc);
                }
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            sums.as_chunks_mut().0[half] = acc;
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
        _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_storeu_ps,
    };

    use super::{Line, Sums};

    #[target_feature(enable = "avx512f")]
    pub(super) fn sums_avx512<const ROWS: usize>(
        columns: &[[f32; ROWS]],
        lines: &[Line],
        sums: &mut Sums<ROWS>,
    ) {
        let mut acc: [[__m512; 2]; ROWS] = [[_mm512_setzero_ps(); 2]; ROWS];
        for (column, line) in columns.iter().zip(lines) {
            let halves = line.0.as_chunks::<16>().0;
            // SAFETY: each half is an array of 16 floats, exactly what one load reads.
            let (low, high) = unsafe {
                (
                    _mm512_loadu_ps(halves[0].as_ptr()),
                    _mm512_loadu_ps(halves[1].as_ptr()),
                )
            };
            for (acc, &value) in acc.iter_mut().zip(column) {
                let value = _mm512_set1_ps(value);
                acc[0] = _mm512_fmadd_ps(value, low, acc[0]);
                acc[1] = _mm512_fmadd_ps(value, high, acc[1]);
            }
        }
        for (sums, acc) in sums.iter_mut().zip(acc) {
            for (sums, acc) in sums.as_chunks_mut::<16>().0.iter_mut().zip(acc) {
                // SAFETY: `sums` is an array of 16 floats, exactly what one store writes.
                unsafe { _mm512_storeu_ps(sums.as_mut_ptr(), acc) }
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn sums_avx2<const ROWS: usize>(
        columns: &[[f32; ROWS]],
        lines: &[Line],
        sums: &mut Sums<ROWS>,
    ) {
        // Half a panel at a time: 12 sums, two weights and a value fill the 16 registers.
        for half in 0..2 {
            let mut acc: [[__m256; 2]; ROWS] = [[_mm256_setzero_ps(); 2]; ROWS];
            for (column, line) in columns.iter().zip(lines) {
                let quarters = line.0.as_chunks::<8>().0;
                // SAFETY: each quarter is an array of 8 floats, exactly what one load reads.
                let (low, high) = unsafe {
                    (
                        _mm256_loadu_ps(quarters[2 * half].as_ptr()),
                        _mm256_loadu_ps(quarters[2 * half + 1].as_ptr()),
                    )
                };
                for (acc, &value) in acc.iter_mut().zip(column) {
                    let value = _mm256_set1_ps(value);
                    acc[0] = _mm256_fmadd_ps(value, low, acc[0]);
                    acc[1] = _mm256_fmadd_ps(value, high, acc[1]);
                }
            }
            for (sums, acc) in sums.iter_mut().zip(acc) {
                for (sums, acc) in sums.as_chunks_mut::<8>().0[2 * half..].iter_mut().zip(acc) {
                    // SAFETY: `sums` is an array of 8 floats, exactly what one store writes.
                    unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), acc) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

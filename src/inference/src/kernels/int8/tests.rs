use super::*;
use crate::mapped::Large;
use crate::testing::noise;

fn product(isa: Isa, x: &[f32], weights: &[f32], bias: &[f32], threads: usize) -> Vec<f32> {
    let inputs = weights.len() / bias.len();
    let packed = Packed::new(weights, inputs, isa);
    let mut rows = Rows::default();
    // A larger use before: what it leaves behind must not matter.
    rows.round(&noise(9, 20 * inputs), inputs, isa);
    rows.round(x, inputs, isa);
    let mut out = vec![f32::NAN; x.len() / inputs * bias.len()];
    packed.linear(&rows, bias, &mut out, threads);
    out
}

fn available() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|p| p.available())
}

fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |a, &b| a.max(f64::from(b).abs()))
}

#[test]
fn every_path_gives_the_same_bits_near_the_exact_product() {
    for (inputs, outputs) in [(4, 32), (100, 96), (384, 64)] {
        let weights = noise(1, outputs * inputs);
        let bias = noise(2, outputs);
        // All heights of a group, and groups of several heights.
        for rows in (0..=34).chain([45, 65]) {
            let x = noise(3 + rows as u32, rows * inputs);
            let plain = product(Isa::Portable, &x, &weights, &bias, 1);
            for isa in available() {
                for threads in [1, 2, 5] {
                    let found = product(isa, &x, &weights, &bias, threads);
                    assert_eq!(found, plain, "{isa:?} {rows} x {inputs} x {outputs}");
                }
            }
            for (row, found) in x.chunks(inputs).zip(plain.chunks(outputs)) {
                for ((w, &bias), &found) in weights.chunks(inputs).zip(&bias).zip(found) {
                    let pairs = || {
                        row.iter()
                            .zip(w)
                            .map(|(&x, &w)| (f64::from(x), f64::from(w)))
                    };
                    let dot: f64 = pairs().map(|(x, w)| x * w).sum();
                    // Each value and each weight is off by half a step at most.
                    let (half_x, half_w) = (largest(row) / 254.0, largest(w) / 254.0);
                    let off: f64 = pairs()
                        .map(|(x, w)| x.abs() * half_w + w.abs() * half_x + half_x * half_w)
                        .sum();
                    let error = (f64::from(found) - dot - f64::from(bias)).abs();
                    assert!(error <= off * 1.001 + 1e-4, "{error} over {off}");
                }
            }
        }
    }
}

#[test]
fn the_largest_weights_and_values_do_not_overflow() {
    // As long as the longest row of a BERT of this size, and more.
    let inputs = 4096;
    for weight in [2.0_f32, -2.0] {
        let weights = vec![weight; 32 * inputs];
        for value in [3.0_f32, -3.0] {
            let x = vec![value; inputs];
            for isa in available() {
                for found in product(isa, &x, &weights, &[0.0; 32], 1) {
                    let exact = weight * value * inputs as f32;
                    assert!(
                        (found - exact).abs() <= exact.abs() * 1e-5,
                        "{isa:?} {found}"
                    );
                }
            }
        }
    }
}

#[test]
fn rows_of_zeros_are_zeros() {
    let weights = [noise(1, 31 * 64), vec![0.0; 64]].concat();
    for isa in available() {
        let found = product(isa, &[0.0; 128], &weights, &[0.5; 32], 1);
        assert_eq!(found, [0.5; 64], "{isa:?}");
        let found = product(isa, &noise(2, 64), &weights, &[0.5; 32], 1);
        assert_eq!(found[31], 0.5, "an output without weights");
    }
}

#[test]
fn the_gelu_of_a_row_is_rounded_as_it_would_be_alone() {
    for isa in available() {
        let (inputs, weights) = (96, noise(1, 32 * 96));
        let x = noise(2, 7 * inputs);
        let mut gelu = x.clone();
        crate::kernels::gelu(&mut gelu);
        let packed = Packed::new(&weights, inputs, isa);
        let mut rows = Rows::default();
        let mut out = [vec![0.0; 7 * 32], vec![0.0; 7 * 32]];
        rows.round(&gelu, inputs, isa);
        packed.linear(&rows, &[0.0; 32], &mut out[0], 1);
        rows.round_gelu(&mut x.clone(), inputs, isa);
        packed.linear(&rows, &[0.0; 32], &mut out[1], 1);
        assert_eq!(out[0], out[1], "{isa:?}");
    }
}

#[test]
fn names_are_distinct() {
    let names: std::collections::BTreeSet<_> = Isa::ALL.iter().map(|p| p.name()).collect();
    assert_eq!(names.len(), Isa::ALL.len());
    assert!(Isa::best().available());
}

/// Of an emulated processor it is known what it has: `src/inference/tests/aarch64`.
#[test]
fn the_path_is_the_one_expected() {
    if let Ok(name) = std::env::var("EXPECTED_KERNEL") {
        assert_eq!(Isa::best().name(), name);
    }
}

#[test]
fn weights_that_were_moved_are_the_same() {
    let (inputs, outputs) = (100, 96);
    let (weights, bias, x) = (
        noise(1, outputs * inputs),
        noise(2, outputs),
        noise(3, 7 * inputs),
    );
    for isa in available() {
        let mut packed = Packed::new(&weights, inputs, isa);
        let mut rows = Rows::default();
        rows.round(&x, inputs, isa);
        let product = |packed: &Packed| {
            let mut out = vec![f32::NAN; 7 * outputs];
            packed.linear(&rows, &bias, &mut out, 1);
            out
        };
        let before = product(&packed);
        let mut large = Large::new(64 + packed.bytes()).unwrap();
        packed.copy_to(&mut large[64..]);
        let piece = large.done().unwrap();
        packed.move_to(piece.part(64..piece.len()).unwrap());
        assert_eq!(product(&packed), before);
    }
}

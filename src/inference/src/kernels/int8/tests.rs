use super::*;
use crate::testing::noise;

/// Random `q4_0` rows and what they stand for.
fn weights(seed: u32, outputs: usize, inputs: usize) -> (Vec<u8>, Vec<f64>) {
    let draws = noise(seed, outputs * inputs / BLOCK * BLOCK_BYTES);
    let mut bytes: Vec<u8> = draws.iter().map(|v| (v * 997.0).to_bits() as u8).collect();
    // A scale between 2⁻⁷ and 2⁻⁶: no infinity, no NaN, either sign.
    for block in bytes.as_chunks_mut::<BLOCK_BYTES>().0 {
        block[1] = (block[1] & 0x83) | 0x20;
    }
    let mut floats = vec![0.0; outputs * inputs];
    super::super::dequantise(&bytes, &mut floats);
    (bytes, floats.into_iter().map(f64::from).collect())
}

fn product(isa: Isa, x: &[f32], bytes: &[u8], bias: &[f32], threads: usize) -> Vec<f32> {
    let inputs = bytes.len() / BLOCK_BYTES * BLOCK / bias.len();
    let packed = Packed::new(bytes, inputs, isa);
    let mut rows = Rows::default();
    // A larger use before: what it leaves behind must not matter.
    rows.round(&noise(9, 20 * inputs), inputs, isa);
    rows.round(x, inputs, isa);
    let mut out = vec![f32::NAN; x.len() / inputs * bias.len()];
    packed.linear(&rows, bias, &mut out, threads);
    out
}

#[test]
fn every_path_gives_the_same_bits_near_the_exact_product() {
    for (inputs, outputs) in [(32, 16), (96, 48), (384, 32)] {
        let (bytes, exact) = weights(1, outputs, inputs);
        let bias = noise(2, outputs);
        for rows in 0..=26 {
            let x = noise(3 + rows as u32, rows * inputs);
            let plain = product(Isa::Portable, &x, &bytes, &bias, 1);
            for isa in Isa::ALL.into_iter().filter(|p| p.available()) {
                for threads in [1, 2, 5] {
                    let found = product(isa, &x, &bytes, &bias, threads);
                    assert_eq!(found, plain, "{isa:?} {rows} x {inputs} x {outputs}");
                }
            }
            for (row, found) in x.chunks(inputs).zip(plain.chunks(outputs)) {
                let largest = row.iter().fold(0.0_f64, |a, &b| a.max(f64::from(b).abs()));
                for ((w, &bias), &found) in exact.chunks(inputs).zip(&bias).zip(found) {
                    let dot: f64 = row.iter().zip(w).map(|(&x, w)| f64::from(x) * w).sum();
                    // Each value is off by half a step at most.
                    let off = w.iter().map(|w| w.abs()).sum::<f64>() * largest / 254.0;
                    let error = (f64::from(found) - dot - f64::from(bias)).abs();
                    assert!(error <= off * 1.001 + 1e-4, "{error} over {off}");
                }
            }
        }
    }
}

#[test]
fn the_largest_weights_and_values_do_not_overflow() {
    // Every weight 7 · 1 or -8 · 1, every value ±127.
    let scale = 0x3c00_u16.to_le_bytes();
    for nibbles in [0xff_u8, 0x00] {
        let weight = if nibbles == 0 { -8.0 } else { 7.0 };
        let mut bytes = Vec::new();
        for _ in 0..16 * 3 {
            bytes.extend(scale);
            bytes.extend([nibbles; BLOCK / 2]);
        }
        for value in [3.0_f32, -3.0] {
            let x = vec![value; 96];
            for isa in Isa::ALL.into_iter().filter(|p| p.available()) {
                for found in product(isa, &x, &bytes, &[0.0; 16], 1) {
                    let exact = weight * value * 96.0;
                    assert!((found - exact).abs() <= exact.abs() * 1e-5, "{isa:?}");
                }
            }
        }
    }
}

#[test]
fn rows_of_zeros_are_zeros() {
    let (bytes, _) = weights(1, 16, 64);
    for isa in Isa::ALL.into_iter().filter(|p| p.available()) {
        assert_eq!(
            product(isa, &[0.0; 128], &bytes, &[0.5; 16], 1),
            [0.5; 32],
            "{isa:?}"
        );
    }
}

#[test]
fn names_are_distinct() {
    let names: std::collections::BTreeSet<_> = Isa::ALL.iter().map(|p| p.name()).collect();
    assert_eq!(names.len(), Isa::ALL.len());
    assert!(Isa::best().available());
}

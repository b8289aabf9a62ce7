use super::*;
use crate::testing::noise;

fn machines() -> Vec<Machine> {
    let mut machines = vec![Machine::Any];
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            machines.push(Machine::Avx2);
        }
        if std::is_x86_feature_detected!("avx512f") {
            machines.push(Machine::Avx512);
        }
    }
    #[cfg(target_arch = "aarch64")]
    machines.push(Machine::Neon);
    machines
}

fn plain(x: &[f32], w: &[f32], bias: &[f32], inputs: usize) -> Vec<f64> {
    let row = |x: &[f32]| {
        let dot = |w: &[f32]| {
            x.iter()
                .zip(w)
                .map(|(&x, &w)| f64::from(x) * f64::from(w))
                .sum::<f64>()
        };
        w.chunks(inputs)
            .zip(bias)
            .map(|(w, &b)| dot(w) + f64::from(b))
            .collect::<Vec<_>>()
    };
    x.chunks(inputs).flat_map(row).collect()
}

#[test]
fn every_machine_multiplies_alike() {
    for (inputs, outputs) in [(32, 64), (7, 45), (1, 1), (96, 32)] {
        let w = noise(1, inputs * outputs);
        let bias = noise(2, outputs);
        let packed = Packed::new(&w, inputs);
        for rows in 1..=30 {
            let x = noise(rows as u32, rows * inputs);
            let expected = plain(&x, &w, &bias, inputs);
            for machine in machines() {
                let mut out = vec![f32::NAN; rows * outputs];
                packed.serial(machine, &x, &bias, &mut out);
                for (found, expected) in out.iter().zip(&expected) {
                    assert!(
                        (f64::from(*found) - expected).abs() < 1e-4,
                        "{rows} x {inputs} x {outputs}"
                    );
                }
            }
        }
    }
}

#[test]
fn threads_change_nothing() {
    let (inputs, outputs) = (32, 64);
    let packed = Packed::new(&noise(1, inputs * outputs), inputs);
    let bias = noise(2, outputs);
    for rows in [1, 2, 5, 13] {
        let x = noise(3, rows * inputs);
        let mut alone = vec![0.0; rows * outputs];
        packed.linear(&x, &bias, &mut alone, 1);
        for threads in [2, 3, 16] {
            let mut shared = vec![0.0; rows * outputs];
            packed.linear(&x, &bias, &mut shared, threads);
            assert_eq!(shared, alone);
        }
    }
}

#[test]
fn nothing_times_anything_is_nothing() {
    Packed::new(&noise(1, 64), 2).linear(&[], &noise(2, 32), &mut [], 2);
}

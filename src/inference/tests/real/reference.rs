//! The forward pass once more, as plainly as it can be written and sharing no code with the crate:
//! it reads `encoder.bl` itself and multiplies the dequantised weights one number at a time.

// Indices as in the formulas.
#![allow(clippy::needless_range_loop)]

use std::collections::HashMap;
use std::path::Path;

pub(crate) struct Reference {
    tensors: HashMap<String, (Vec<usize>, Vec<u8>, bool)>,
    /// Matrices of the layers, [inputs][outputs].
    matrices: HashMap<String, Vec<f32>>,
    vectors: HashMap<String, Vec<f32>>,
}

const HIDDEN: usize = 384;
const HEADS: usize = 12;
const WIDTH: usize = HIDDEN / HEADS;
const LAYERS: usize = 12;
const EPS: f32 = 1e-12;

impl Reference {
    pub(crate) fn read(path: &Path) -> Self {
        let file = std::fs::read(path).unwrap();
        assert_eq!(&file[..8], b"BLWEIGHT");
        let length = u32::from_le_bytes(file[12..16].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&file[16..16 + length]).unwrap();
        let start = (16 + length).div_ceil(64) * 64;
        let mut this = Self {
            tensors: HashMap::new(),
            matrices: HashMap::new(),
            vectors: HashMap::new(),
        };
        for entry in header["tensors"].as_array().unwrap() {
            let name = entry["name"].as_str().unwrap().to_owned();
            let at = start + entry["offset"].as_u64().unwrap() as usize;
            let bytes = file[at..at + entry["bytes"].as_u64().unwrap() as usize].to_vec();
            let shape: Vec<usize> = entry["shape"]
                .as_array()
                .unwrap()
                .iter()
                .map(|d| d.as_u64().unwrap() as usize)
                .collect();
            let quantised = entry["dtype"] == "q4_0";
            if !quantised {
                let floats = bytes
                    .chunks(4)
                    .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
                    .collect();
                this.vectors.insert(name, floats);
            } else if name == "word" {
                this.tensors.insert(name, (shape, bytes, quantised));
            } else {
                let (outputs, inputs) = (shape[0], shape[1]);
                let mut matrix = vec![0.0; inputs * outputs];
                for output in 0..outputs {
                    let row =
                        expand(&bytes[output * inputs / 32 * 18..(output + 1) * inputs / 32 * 18]);
                    for input in 0..inputs {
                        matrix[input * outputs + output] = row[input];
                    }
                }
                this.matrices.insert(name, matrix);
            }
        }
        this
    }

    pub(crate) fn encode(&self, ids: &[u32]) -> Vec<f32> {
        let word = &self.tensors["word"].1;
        let row_bytes = HIDDEN / 32 * 18;
        let mut x = Vec::new();
        for (position, &id) in ids.iter().enumerate() {
            let mut row = expand(&word[id as usize * row_bytes..(id as usize + 1) * row_bytes]);
            for i in 0..HIDDEN {
                row[i] += self.vectors["position"][position * HIDDEN + i] + self.vectors["type"][i];
            }
            x.push(row);
        }
        self.norm(&mut x, "norm");
        for n in 0..LAYERS {
            let query = self.linear(&x, &format!("{n}.query"));
            let key = self.linear(&x, &format!("{n}.key"));
            let value = self.linear(&x, &format!("{n}.value"));
            let mut context = vec![vec![0.0_f32; HIDDEN]; ids.len()];
            for head in 0..HEADS {
                let span = head * WIDTH..(head + 1) * WIDTH;
                for t in 0..ids.len() {
                    let mut scores = Vec::new();
                    for s in 0..ids.len() {
                        let dot: f32 = span.clone().map(|i| query[t][i] * key[s][i]).sum();
                        scores.push((dot / (WIDTH as f32).sqrt()).exp());
                    }
                    let total: f32 = scores.iter().sum();
                    for s in 0..ids.len() {
                        for i in span.clone() {
                            context[t][i] += scores[s] / total * value[s][i];
                        }
                    }
                }
            }
            add(&mut x, &self.linear(&context, &format!("{n}.output")));
            self.norm(&mut x, &format!("{n}.norm"));
            let mut wide = self.linear(&x, &format!("{n}.up"));
            for value in wide.iter_mut().flatten() {
                let v = f64::from(*value);
                *value = (0.5 * v * (1.0 + erf(v / std::f64::consts::SQRT_2))) as f32;
            }
            add(&mut x, &self.linear(&wide, &format!("{n}.down")));
            self.norm(&mut x, &format!("{n}.last_norm"));
        }
        let mut mean = vec![0.0; HIDDEN];
        for row in &x {
            for i in 0..HIDDEN {
                mean[i] += row[i] / ids.len() as f32;
            }
        }
        let norm = mean.iter().map(|v| v * v).sum::<f32>().sqrt();
        mean.iter().map(|v| v / norm).collect()
    }

    fn linear(&self, x: &[Vec<f32>], name: &str) -> Vec<Vec<f32>> {
        let weight = &self.matrices[&format!("{name}.weight")];
        let bias = &self.vectors[&format!("{name}.bias")];
        x.iter()
            .map(|row| {
                let mut out = bias.clone();
                for (input, value) in row.iter().enumerate() {
                    let weights = &weight[input * bias.len()..(input + 1) * bias.len()];
                    for (out, weight) in out.iter_mut().zip(weights) {
                        *out += value * weight;
                    }
                }
                out
            })
            .collect()
    }

    fn norm(&self, x: &mut [Vec<f32>], name: &str) {
        let (weight, bias) = (
            &self.vectors[&format!("{name}.weight")],
            &self.vectors[&format!("{name}.bias")],
        );
        for row in x {
            let mean = row.iter().sum::<f32>() / HIDDEN as f32;
            let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / HIDDEN as f32;
            for i in 0..HIDDEN {
                row[i] = (row[i] - mean) / (variance + EPS).sqrt() * weight[i] + bias[i];
            }
        }
    }
}

fn add(x: &mut [Vec<f32>], y: &[Vec<f32>]) {
    for (x, y) in x.iter_mut().flatten().zip(y.iter().flatten()) {
        *x += y;
    }
}

fn expand(blocks: &[u8]) -> Vec<f32> {
    let mut out = Vec::new();
    for block in blocks.chunks(18) {
        let bits = u32::from(block[0]) | u32::from(block[1]) << 8;
        assert_ne!(bits >> 10 & 31, 31, "an infinite scale");
        let fraction = f64::from(bits & 1023) / 1024.0;
        let exponent = (bits >> 10 & 31) as i32;
        let size = if exponent == 0 {
            fraction * 2_f64.powi(-14)
        } else {
            (1.0 + fraction) * 2_f64.powi(exponent - 15)
        };
        let scale = if bits >> 15 == 1 { -size } else { size } as f32;
        for shift in [0, 4] {
            for byte in &block[2..] {
                out.push((f32::from(byte >> shift & 15) - 8.0) * scale);
            }
        }
    }
    out
}

/// Taylor series near zero, continued fraction of the complement beyond; error below 1e-11.
fn erf(x: f64) -> f64 {
    let z = x.abs();
    let value = if z < 3.0 {
        let (mut term, mut sum) = (z, z);
        for n in 1..80 {
            term *= -z * z / f64::from(n);
            sum += term / f64::from(2 * n + 1);
            if term.abs() < 1e-17 {
                break;
            }
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let mut tail = z;
        for n in (1..60).rev() {
            tail = z + f64::from(n) / 2.0 / tail;
        }
        1.0 - (-z * z).exp() / std::f64::consts::PI.sqrt() / tail
    };
    value.copysign(x)
}

#[test]
fn erf_is_right() {
    for (x, expected) in [
        (0.0, 0.0),
        (0.5, 0.520_499_877_8),
        (-1.0, -0.842_700_792_9),
        (3.5, 0.999_999_256_9),
    ] {
        assert!((erf(x) - expected).abs() < 1e-9, "{x}");
    }
}

use super::*;
use crate::testing::noise;

fn close(a: f32, b: f64, tolerance: f64) -> bool {
    (f64::from(a) - b).abs() <= tolerance
}

#[test]
fn exp_is_exact_to_three_in_ten_million() {
    for i in -8700..=8800 {
        let x = i as f32 / 100.0;
        let expected = f64::from(x).exp();
        assert!(
            close(exp(x), expected, expected * 3e-7),
            "exp({x}) = {}",
            exp(x)
        );
    }
    assert!(exp(-1e30) < 1e-37);
    assert!(exp(f32::NEG_INFINITY) < 1e-37);
}

#[test]
fn gelu_is_the_exact_one() {
    // x and x / 2 · (1 + erf(x / √2)), from tables of the normal distribution.
    let table: [(f64, f64); 8] = [
        (0.0, 0.0),
        (0.5, 0.345_731_230_6),
        (1.0, 0.841_344_746_1),
        (-1.0, -0.158_655_253_9),
        (2.0, 1.954_499_736_1),
        (-3.0, -0.004_049_694_1),
        (-9.0, 0.0),
        (30.0, 30.0),
    ];
    let mut values: Vec<f32> = table.iter().map(|(x, _)| *x as f32).collect();
    gelu(&mut values);
    for ((x, expected), found) in table.iter().zip(values) {
        assert!(
            close(found, *expected, 5e-7 * x.abs().max(1.0)),
            "gelu({x}) = {found}"
        );
    }
}

#[test]
fn layer_norm_has_mean_and_deviation() {
    for width in [32, 45] {
        let x = noise(1, 3 * width);
        let added = noise(2, 3 * width);
        let (weight, bias) = (noise(3, width), noise(4, width));
        let mut found = x.clone();
        add_layer_norm(&mut found, &added, &weight, &bias, 1e-12);
        for row in 0..3 {
            let values: Vec<f64> = (row * width..(row + 1) * width)
                .map(|i| f64::from(x[i]) + f64::from(added[i]))
                .collect();
            let mean = values.iter().sum::<f64>() / width as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / width as f64;
            for i in 0..width {
                let expected = (values[i] - mean) / variance.sqrt() * f64::from(weight[i])
                    + f64::from(bias[i]);
                assert!(close(found[row * width + i], expected, 1e-5));
            }
        }
    }
}

#[test]
fn attention_is_softmax_weighted() {
    for (heads, width) in [(2, 32), (3, 24), (1, 64)] {
        let hidden = heads * width;
        for tokens in (1..=17).chain([32, 40, 47, 70, 129]) {
            let qkv = noise(7, tokens * 3 * hidden);
            let shape = Heads { heads, width };
            let attended = |by: fn(&[f32], usize, &mut [f32], Heads, &mut Vec<f32>)| {
                let mut out = vec![f32::NAN; tokens * hidden];
                by(&qkv, 0, &mut out, shape, &mut vec![f32::NAN; 9_999]);
                // Some of the tokens come out as they do among all.
                for cut in [1, tokens / 3, tokens / 2] {
                    let mut rest = vec![f32::NAN; (tokens - cut) * hidden];
                    by(&qkv, cut, &mut rest, shape, &mut vec![f32::NAN; 9_999]);
                    assert_eq!(rest, out[cut * hidden..], "{tokens} from {cut}");
                }
                out
            };
            let (out, plain) = (attended(attend), attended(attention::attend_any));
            for (a, b) in out.iter().zip(&plain) {
                assert!(
                    (a - b).abs() < 1e-5,
                    "{tokens} x {heads} x {width}: {a} and {b}"
                );
            }
            let row = |token: usize, part: usize, head: usize| {
                &qkv[token * 3 * hidden + part * hidden + head * width..][..width]
            };
            for (token, head) in (0..tokens).flat_map(|t| (0..heads).map(move |h| (t, h))) {
                let weight = |s: usize| {
                    let pairs = row(token, 0, head).iter().zip(row(s, 1, head));
                    let dot: f64 = pairs.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
                    (dot / (width as f64).sqrt()).exp()
                };
                let weights: Vec<f64> = (0..tokens).map(weight).collect();
                let total: f64 = weights.iter().sum();
                for i in 0..width {
                    let of = |s: usize| weights[s] / total * f64::from(row(s, 2, head)[i]);
                    let expected: f64 = (0..tokens).map(of).sum();
                    let found = out[token * hidden + head * width + i];
                    assert!(close(found, expected, 1e-5), "{tokens} x {heads} x {width}");
                }
            }
        }
    }
}

#[test]
fn blocks_expand_as_candle_expands_them() {
    use candle_core::Device;
    use candle_core::quantized::{GgmlDType, ggml_file};
    let mut values = noise(9, 320);
    values[32..64].fill(0.0);
    values[64..96].iter_mut().for_each(|v| *v *= 1e-7);
    let blocks = crate::testing::quantise(&values);
    let tensor =
        ggml_file::qtensor_from_ggml(GgmlDType::Q4_0, &blocks, vec![320], &Device::Cpu).unwrap();
    let expected = tensor
        .dequantize(&Device::Cpu)
        .unwrap()
        .to_vec1::<f32>()
        .unwrap();
    let mut found = vec![f32::NAN; 320];
    dequantise(&blocks, &mut found);
    assert_eq!(found, expected);
}

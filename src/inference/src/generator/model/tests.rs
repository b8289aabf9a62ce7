use candle_core::quantized::GgmlDType;

use super::*;
use crate::generator::testing::{self, *};
use crate::kernels::Isa;
use crate::testing::Folder;

/// A decoder of the tiny model, read from its file.
fn decoder(family: Family, dtype: GgmlDType, compute: Compute, threads: usize) -> Decoder {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    testing::write(&path, family, dtype);
    let mut file = Gguf::open(&path).unwrap();
    let architecture = Architecture::read(&file).unwrap();
    Decoder::read(&mut file, architecture, compute, threads).unwrap()
}

/// Scores after each piece of the tokens, read one after the other.
fn scores(decoder: &Decoder, pieces: &[&[u32]]) -> Vec<f32> {
    let (mut cache, mut work) = (Cache::default(), Workspace::default());
    for tokens in pieces {
        let mut segments = [Segment {
            tokens,
            cache: &mut cache,
            scored: true,
        }];
        decoder.forward(&mut work, &mut segments, &|| {}).unwrap();
    }
    work.scores.row(0)
}

fn tokens(count: usize) -> Vec<u32> {
    (0..count as u32)
        .map(|n| 5 + (n * 37 + n * n) % 300)
        .collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The same decoder in loops that can be read beside the papers: everything in f64, no cache, all positions at once.
struct Plain {
    family: Family,
    tensors: Vec<(String, Vec<f64>)>,
}

impl Plain {
    /// Weights as the file's blocks say them.
    fn new(family: Family, dtype: GgmlDType) -> Self {
        let folder = Folder::new();
        let path = folder.join("tiny.gguf");
        testing::write(&path, family, dtype);
        let mut file = Gguf::open(&path).unwrap();
        let names: Vec<String> = file.tensors.keys().cloned().collect();
        let tensors = names.into_iter().map(|name| {
            let info = file.tensor(&name).unwrap();
            let length = info.rows() * info.width();
            let values = file.floats(&name, length).unwrap();
            (name, values.into_iter().map(f64::from).collect())
        });
        Self {
            family,
            tensors: tensors.collect(),
        }
    }

    fn get(&self, name: &str) -> Option<&[f64]> {
        let found = self
            .tensors
            .iter()
            .find(|(n, _)| *n == format!("{name}.weight"));
        found.map(|(_, values)| values.as_slice())
    }

    fn product(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let rows = self.get(name).unwrap().chunks(x.len());
        rows.map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum())
            .collect()
    }

    fn norm(&self, name: &str, x: &[f64]) -> Vec<f64> {
        let Some(weight) = self.get(name) else {
            return x.to_vec();
        };
        let square = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        let scale = 1.0 / (square + 1e-6).sqrt();
        x.iter().zip(weight).map(|(x, w)| x * scale * w).collect()
    }

    fn turned(&self, head: &[f64], position: usize, base: f64) -> Vec<f64> {
        let (half, mut out) = (head.len() / 2, head.to_vec());
        for n in 0..half {
            let angle = position as f64 * base.powf(-(2.0 * n as f64) / head.len() as f64);
            let (a, b) = match self.family {
                Family::Llama => (2 * n, 2 * n + 1),
                _ => (n, n + half),
            };
            out[a] = head[a] * angle.cos() - head[b] * angle.sin();
            out[b] = head[a] * angle.sin() + head[b] * angle.cos();
        }
        out
    }

    fn gate(&self, x: f64) -> f64 {
        match self.family {
            Family::Gemma3 => {
                let z = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + z.tanh())
            }
            _ => x / (1.0 + (-x).exp()),
        }
    }

    /// Scores after the last token.
    fn scores(&self, tokens: &[u32]) -> Vec<f32> {
        let gemma = self.family == Family::Gemma3;
        let scale = if gemma { (HIDDEN as f64).sqrt() } else { 1.0 };
        let table = self.get("token_embd").unwrap();
        let rows = tokens
            .iter()
            .map(|t| &table[*t as usize * HIDDEN..][..HIDDEN]);
        let mut x: Vec<Vec<f64>> = rows
            .map(|row| row.iter().map(|v| v * scale).collect())
            .collect();
        for n in 0..LAYERS {
            let name = |part: &str| format!("blk.{n}.{part}");
            let windowed = gemma && (n + 1) % 2 != 0;
            let base = if windowed { 1e4 } else { 1e6 };
            let heads = |part: &str, x: &[f64], position| -> Vec<Vec<f64>> {
                let normed = self.norm(&name("attn_norm"), x);
                let all = self.product(&name(part), &normed);
                let head = |head: &[f64]| match part {
                    "attn_v" => head.to_vec(),
                    _ => self.turned(
                        &self.norm(&name(&format!("{part}_norm")), head),
                        position,
                        base,
                    ),
                };
                all.chunks(WIDTH).map(head).collect()
            };
            let of = |part: &str| -> Vec<Vec<Vec<f64>>> {
                x.iter()
                    .enumerate()
                    .map(|(p, x)| heads(part, x, p))
                    .collect()
            };
            let (queries, keys, values) = (of("attn_q"), of("attn_k"), of("attn_v"));
            for (position, x) in x.iter_mut().enumerate() {
                let first = if windowed {
                    (position + 1).saturating_sub(WINDOW)
                } else {
                    0
                };
                let mut context = Vec::new();
                for (head, query) in queries[position].iter().enumerate() {
                    let shared = head / (HEADS / KV_HEADS);
                    let scores = (first..=position).map(|p| {
                        let dot: f64 = query.iter().zip(&keys[p][shared]).map(|(a, b)| a * b).sum();
                        (dot / (WIDTH as f64).sqrt()).exp()
                    });
                    let scores: Vec<f64> = scores.collect();
                    let total: f64 = scores.iter().sum();
                    context.extend((0..WIDTH).map(|d| {
                        let seen = scores.iter().zip(first..);
                        seen.map(|(s, p)| s / total * values[p][shared][d])
                            .sum::<f64>()
                    }));
                }
                let added = self.product(&name("attn_output"), &context);
                let added = self.norm(&name("post_attention_norm"), &added);
                x.iter_mut().zip(added).for_each(|(x, a)| *x += a);
                let normed = self.norm(&name("ffn_norm"), x);
                let gates = self.product(&name("ffn_gate"), &normed);
                let ups = self.product(&name("ffn_up"), &normed);
                let wide: Vec<f64> = gates
                    .iter()
                    .zip(ups)
                    .map(|(g, u)| self.gate(*g) * u)
                    .collect();
                let added = self.product(&name("ffn_down"), &wide);
                let added = self.norm(&name("post_ffw_norm"), &added);
                x.iter_mut().zip(added).for_each(|(x, a)| *x += a);
            }
        }
        let last = self.norm("output_norm", &x[x.len() - 1]);
        let head = if self.get("output").is_some() {
            "output"
        } else {
            "token_embd"
        };
        self.product(head, &last)
            .into_iter()
            .map(|v| v as f32)
            .collect()
    }
}

#[test]
fn each_family_in_each_quantisation_is_the_plain_decoder() {
    use GgmlDType::{BF16, F16, F32, Q2K, Q3K, Q4_0, Q4_1, Q4K, Q5_0, Q5_1, Q5K, Q6K, Q8_0};
    let dtypes = [
        F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2K, Q3K, Q4K, Q5K, Q6K,
    ];
    // Longer than a window, a block of keys and a page.
    let tokens = tokens(37);
    for family in Family::ALL {
        for dtype in dtypes {
            // Two quantisations see everything, the others the exact path and ours.
            let plain = Plain::new(family, dtype).scores(&tokens);
            for (compute, least) in [
                (Compute::Dense, 0.999_999),
                (Compute::default(), 0.997),
                (Compute::Candle, 0.99),
            ] {
                if !compute.is_available() {
                    continue;
                }
                let decoder = decoder(family, dtype, compute, 1);
                let found = cosine(&scores(&decoder, &[&tokens]), &plain);
                assert!(
                    found > least,
                    "{family:?} {dtype:?} {compute:?}: cosine {found}"
                );
            }
        }
    }
}

#[test]
fn scores_are_the_same_bits_however_a_text_is_cut() {
    let tokens = tokens(75);
    for family in Family::ALL {
        let decoder = decoder(family, GgmlDType::Q8_0, Compute::default(), 2);
        let whole = scores(&decoder, &[&tokens]);
        for cut in [1, 16, 31, 32, 33, 74] {
            let (first, rest) = tokens.split_at(cut);
            assert_eq!(
                scores(&decoder, &[first, rest]),
                whole,
                "{family:?} cut at {cut}"
            );
        }
        let singly: Vec<&[u32]> = tokens.chunks(1).collect();
        assert_eq!(
            scores(&decoder, &singly),
            whole,
            "{family:?} token by token"
        );
    }
}

#[test]
fn scores_are_the_same_bits_by_any_instructions_and_threads_but_for_rounding() {
    let tokens = tokens(40);
    let best = scores(
        &decoder(Family::Gemma3, GgmlDType::Q4K, Compute::default(), 1),
        &[&tokens],
    );
    let threads = scores(
        &decoder(Family::Gemma3, GgmlDType::Q4K, Compute::default(), 3),
        &[&tokens],
    );
    assert_eq!(threads, best);
    for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
        let found = scores(
            &decoder(Family::Gemma3, GgmlDType::Q4K, Compute::Int8(isa), 1),
            &[&tokens],
        );
        assert_eq!(found, best, "{isa:?}");
    }
}

#[test]
fn texts_read_beside_each_other_are_as_alone() {
    let decoder = decoder(Family::Gemma3, GgmlDType::Q8_0, Compute::default(), 2);
    let texts = [tokens(50), tokens(9), tokens(33).split_off(12)];
    let alone: Vec<Vec<f32>> = texts.iter().map(|t| scores(&decoder, &[t])).collect();
    let mut caches = [const { None }; 3].map(|c: Option<Cache>| c.unwrap_or_default());
    let mut work = Workspace::default();
    let mut segments: Vec<Segment<'_>> = texts
        .iter()
        .zip(&mut caches)
        .map(|(tokens, cache)| Segment {
            tokens,
            cache,
            scored: true,
        })
        .collect();
    decoder.forward(&mut work, &mut segments, &|| {}).unwrap();
    for (n, alone) in alone.iter().enumerate() {
        assert_eq!(&work.scores.row(n), alone, "text {n}");
        let highest = work.scores.highest(n) as usize;
        assert!(alone.iter().all(|v| *v <= alone[highest]));
    }
}

#[test]
fn what_is_written_after_a_shared_beginning_changes_nobody_elses() {
    let decoder = decoder(Family::Qwen3, GgmlDType::Q8_0, Compute::default(), 1);
    let (text, mut work) = (tokens(60), Workspace::default());
    let mut read = |cache: &mut Cache, tokens: &[u32]| {
        let mut segments = [Segment {
            tokens,
            cache,
            scored: true,
        }];
        decoder.forward(&mut work, &mut segments, &|| {}).unwrap();
        work.scores.row(0)
    };
    let mut shared = Cache::default();
    read(&mut shared, &text[..40]);
    let (mut one, mut other) = (shared.clone(), shared.clone());
    let first = read(&mut one, &text[40..]);
    read(&mut other, &[7, 8, 9]);
    assert_eq!(read(&mut shared, &text[40..]), first);
    assert_eq!(first, scores(&decoder, &[&text]));
}

#[test]
fn a_tensor_that_is_not_known_is_named() {
    let folder = Folder::new();
    let path = folder.join("tiny.gguf");
    let mut tensors = testing::tensors(Family::Llama);
    tensors.push(("blk.0.attn_q.bias".into(), vec![256], vec![0.0; 256]));
    testing::write_with(
        &path,
        &testing::metadata(Family::Llama),
        &tensors,
        GgmlDType::Q8_0,
    );
    let mut file = Gguf::open(&path).unwrap();
    let architecture = Architecture::read(&file).unwrap();
    let said = Decoder::read(&mut file, architecture, Compute::default(), 1)
        .err()
        .unwrap();
    assert!(said.to_string().contains("blk.0.attn_q.bias"), "{said}");
}

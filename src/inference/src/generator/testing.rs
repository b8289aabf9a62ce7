//! Decoders small enough to make by hand, written by candle's own writer of GGUF.

use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::architecture::Family;
use crate::testing::noise;

pub(crate) const HIDDEN: usize = 256;
pub(crate) const WIDE: usize = 512;
pub(crate) const LAYERS: usize = 2;
pub(crate) const HEADS: usize = 4;
pub(crate) const KV_HEADS: usize = 2;
pub(crate) const WIDTH: usize = 64;
pub(crate) const VOCABULARY: usize = 310;
/// Of every second layer in Gemma.
pub(crate) const WINDOW: usize = 8;
pub(crate) const CONTEXT: usize = 512;

pub(crate) type Entries = Vec<(String, Value)>;
pub(crate) type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Four tokens of control, one that stands for itself, a byte each, and some of letters.
pub(crate) fn vocabulary() -> (Vec<String>, Vec<i32>, Vec<f32>) {
    let mut tokens: Vec<String> = ["<pad>", "<eos>", "<bos>", "<unk>", "<b>"]
        .map(String::from)
        .into();
    let mut kinds = vec![3, 3, 3, 2, 4];
    let mut scores = vec![-1000.0; 5];
    for byte in 0..=255 {
        tokens.push(format!("<0x{byte:02X}>"));
        kinds.push(6);
        scores.push(-1000.0);
    }
    let texts = [
        "▁", "a", "b", "e", "n", "s", "t", "en", "ten", "s▁", "▁a", "▁en", "ø", "nt", "te",
    ];
    for (n, text) in texts.into_iter().enumerate() {
        tokens.push(text.to_owned());
        kinds.push(1);
        scores.push(-(n as f32));
    }
    while tokens.len() < VOCABULARY {
        tokens.push(format!("<unused{}>", tokens.len()));
        kinds.push(5);
        scores.push(-1000.0);
    }
    (tokens, kinds, scores)
}

fn texts(texts: &[String]) -> Value {
    Value::Array(texts.iter().cloned().map(Value::String).collect())
}

pub(crate) fn metadata(family: Family) -> Entries {
    let name = family.name();
    let number = |key: &str, n: usize| (format!("{name}.{key}"), Value::U32(n as u32));
    let (tokens, kinds, scores) = vocabulary();
    let mut entries = vec![
        (
            "general.architecture".to_owned(),
            Value::String(name.to_owned()),
        ),
        ("general.name".to_owned(), Value::String("tiny".to_owned())),
        number("embedding_length", HIDDEN),
        number("block_count", LAYERS),
        number("feed_forward_length", WIDE),
        number("attention.head_count", HEADS),
        number("attention.head_count_kv", KV_HEADS),
        number("attention.key_length", WIDTH),
        number("attention.value_length", WIDTH),
        number("context_length", CONTEXT),
        (
            format!("{name}.attention.layer_norm_rms_epsilon"),
            Value::F32(1e-6),
        ),
        (format!("{name}.rope.freq_base"), Value::F32(1e6)),
        (
            "tokenizer.ggml.model".to_owned(),
            Value::String("llama".to_owned()),
        ),
        ("tokenizer.ggml.tokens".to_owned(), texts(&tokens)),
        (
            "tokenizer.ggml.token_type".to_owned(),
            Value::Array(kinds.into_iter().map(Value::I32).collect()),
        ),
        (
            "tokenizer.ggml.scores".to_owned(),
            Value::Array(scores.into_iter().map(Value::F32).collect()),
        ),
        ("tokenizer.ggml.bos_token_id".to_owned(), Value::U32(2)),
        ("tokenizer.ggml.eos_token_id".to_owned(), Value::U32(1)),
        ("tokenizer.ggml.unknown_token_id".to_owned(), Value::U32(3)),
        (
            "tokenizer.ggml.add_space_prefix".to_owned(),
            Value::Bool(false),
        ),
    ];
    if family == Family::Gemma3 {
        entries.push(number("attention.sliding_window", WINDOW));
        entries.push(number("attention.sliding_window_pattern", 2));
    }
    entries
}

/// Random weights by name, shape and values.
pub(crate) fn tensors(family: Family) -> Tensors {
    let mut list: Tensors = Vec::new();
    let mut matrix = |name: String, outputs: usize, inputs: usize| {
        let seed = 1 + list.len() as u32;
        let scale = 1.7 / (inputs as f32).sqrt();
        let values = noise(seed, outputs * inputs).into_iter().map(|v| v * scale);
        list.push((name, vec![outputs, inputs], values.collect()));
    };
    matrix("token_embd.weight".into(), VOCABULARY, HIDDEN);
    if family == Family::Llama {
        matrix("output.weight".into(), VOCABULARY, HIDDEN);
    }
    for n in 0..LAYERS {
        let mut layer =
            |part: &str, outputs, inputs| matrix(format!("blk.{n}.{part}.weight"), outputs, inputs);
        layer("attn_q", HEADS * WIDTH, HIDDEN);
        layer("attn_k", KV_HEADS * WIDTH, HIDDEN);
        layer("attn_v", KV_HEADS * WIDTH, HIDDEN);
        layer("attn_output", HIDDEN, HEADS * WIDTH);
        layer("ffn_gate", WIDE, HIDDEN);
        layer("ffn_up", WIDE, HIDDEN);
        layer("ffn_down", HIDDEN, WIDE);
    }
    let mut norms = vec![("output_norm.weight".to_owned(), HIDDEN)];
    for n in 0..LAYERS {
        let mut norm = |part: &str, width| norms.push((format!("blk.{n}.{part}.weight"), width));
        norm("attn_norm", HIDDEN);
        norm("ffn_norm", HIDDEN);
        if family != Family::Llama {
            norm("attn_q_norm", WIDTH);
            norm("attn_k_norm", WIDTH);
        }
        if family == Family::Gemma3 {
            norm("post_attention_norm", HIDDEN);
            norm("post_ffw_norm", HIDDEN);
        }
    }
    for (seed, (name, width)) in (1000..).zip(norms) {
        let values = noise(seed, width).into_iter().map(|v| 1.0 + 0.2 * v);
        list.push((name, vec![width], values.collect()));
    }
    list
}

/// Writes a file; matrices are quantised so, norms never.
pub(crate) fn write_with(path: &Path, entries: &Entries, tensors: &Tensors, dtype: GgmlDType) {
    let quantised: Vec<(String, QTensor)> = tensors
        .iter()
        .map(|(name, shape, values)| {
            let tensor = Tensor::from_slice(values, shape.as_slice(), &Device::Cpu).unwrap();
            let dtype = if shape.len() == 1 {
                GgmlDType::F32
            } else {
                dtype
            };
            (name.clone(), QTensor::quantize(&tensor, dtype).unwrap())
        })
        .collect();
    let entries: Vec<(&str, &Value)> = entries.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let quantised: Vec<(&str, &QTensor)> = quantised.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let mut file = std::fs::File::create(path).unwrap();
    gguf_file::write(&mut file, &entries, &quantised).unwrap();
}

/// A whole model of this family.
pub(crate) fn write(path: &Path, family: Family, dtype: GgmlDType) {
    write_with(path, &metadata(family), &tensors(family), dtype);
}

//! What several unit tests need: a folder of their own, and a model small enough to make by hand.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::container::{self, Architecture, Dtype, Origin, Tensor};
use crate::convert::wanted;

/// A new folder, removed with its content when dropped.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "inference-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers in -1..1 that look like chance and are the same each time.
pub(crate) fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// 64 wide, 2 layers, 40 tokens, 96 positions.
pub(crate) fn architecture() -> Architecture {
    Architecture {
        hidden: 64,
        layers: 2,
        heads: 2,
        intermediate: 96,
        vocabulary: 40,
        positions: 96,
        position_offset: 0,
        layer_norm_eps: 1e-12,
    }
}

pub(crate) fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Values of every tensor of a model of this shape, by our names.
pub(crate) fn values(a: &Architecture) -> Vec<(String, Vec<usize>, Dtype, Vec<f32>)> {
    let list = wanted(a).into_iter().enumerate();
    list.map(|(i, tensor)| {
        let values = noise(i as u32, tensor.shape.iter().product());
        (tensor.name, tensor.shape, tensor.dtype, values)
    })
    .collect()
}

pub(crate) fn quantise(values: &[f32]) -> Vec<u8> {
    use candle_core::quantized::{GgmlDType, QTensor};
    let tensor = candle_core::Tensor::new(values, &candle_core::Device::Cpu).unwrap();
    QTensor::quantize(&tensor, GgmlDType::Q4_0)
        .unwrap()
        .data()
        .unwrap()
        .into_owned()
}

/// The tensors of [`values`], quantised where they are to be.
pub(crate) fn tensors(a: &Architecture) -> Vec<Tensor<'static>> {
    let list = values(a).into_iter();
    list.map(|(name, shape, dtype, values)| {
        let data = match dtype {
            Dtype::Q4_0 => quantise(&values),
            Dtype::F32 => little_endian(&values),
        };
        Tensor {
            name,
            shape,
            dtype,
            data: data.into(),
        }
    })
    .collect()
}

/// Writes `encoder.bl` of a model of [`architecture`].
pub(crate) fn write_model(path: &Path) -> container::Header {
    write_model_of(path, architecture())
}

/// The tensors of [`architecture`] in a file that claims to be of this one.
pub(crate) fn write_model_of(path: &Path, claimed: Architecture) -> container::Header {
    let origin = Origin {
        model: "tiny".into(),
        revision: "1".into(),
        source: "test".into(),
        architecture: claimed,
        tokenizer_sha256: "0".repeat(64),
    };
    let mut file = std::fs::File::create(path).unwrap();
    container::write(path, &mut file, origin, &tensors(&architecture())).unwrap()
}

/// The same tensors as `e5-small-q4.bin` holds them, with an empty vocabulary.
pub(crate) fn packed_file() -> Vec<u8> {
    let a = architecture();
    let mut file = b"E5S1".to_vec();
    file.extend(1_u32.to_le_bytes());
    for count in [
        a.hidden,
        a.layers,
        a.heads,
        a.intermediate,
        a.vocabulary,
        a.positions,
        2,
    ] {
        file.extend((count as i32).to_le_bytes());
    }
    file.extend(a.layer_norm_eps.to_le_bytes());
    file.extend(32_i32.to_le_bytes());
    file.extend([0; 4 * 5]); // pieces and special tokens
    file.extend(0_u64.to_le_bytes()); // text of the pieces
    file.extend([0; 4]); // offsets: one more than pieces
    file.extend([0; 4 * 2]); // normalisation table
    let tensors = tensors(&a);
    let names: Vec<String> = wanted(&a).into_iter().map(|wanted| wanted.packed).collect();
    file.extend((names.len() as i32).to_le_bytes());
    let directory: usize = names
        .iter()
        .map(|name| 2 + name.len() + 1 + 4 + 8 + 8)
        .sum();
    let mut offset = file.len() + directory;
    for (name, tensor) in names.iter().zip(&tensors) {
        file.extend((name.len() as u16).to_le_bytes());
        file.extend(name.as_bytes());
        file.push(u8::from(tensor.dtype == Dtype::Q4_0));
        file.extend((tensor.shape.iter().product::<usize>() as u32).to_le_bytes());
        // A second token type follows the first.
        let bytes = tensor.data.len() * if tensor.name == "type" { 2 } else { 1 };
        file.extend((offset as u64).to_le_bytes());
        file.extend((bytes as u64).to_le_bytes());
        offset += bytes;
    }
    for tensor in &tensors {
        file.extend(tensor.data.iter());
        if tensor.name == "type" {
            file.extend(tensor.data.iter());
        }
    }
    file
}

/// A Unigram tokenizer of a few letters that puts ids 0 and 2 around a text.
pub(crate) const TOKENIZER: &str = r#"{
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [],
  "normalizer": null,
  "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}},
  "decoder": null,
  "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false,
    "vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁query:", -1.0], ["▁passage:", -1.0], ["▁pas", -2.0], ["▁", -5.0], ["p", -6.0], ["a", -6.0], ["s", -6.0]]}
}"#;

//! A low-rank adapter (LoRA, Hu et al., arXiv:2106.09685): W + B·A for the matrices of an encoder's layers.
//!
//! A file of two parts: `adapter.safetensors` holds for layer N and each of its matrices `N.PART.a` [rank, inputs] and
//! `N.PART.b` [outputs, rank] in f16, the scale multiplied into B; `adapter.toml` beside it says what it was trained
//! on, what it belongs to and how good it is.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::container::{Architecture, Dtype, Reader};
use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::kernels;
use crate::train::replace;

/// The matrices of a layer: name, and whether its outputs and its inputs are as many as the feed-forward layer is wide.
pub(crate) const PARTS: [(&str, bool, bool); 6] = [
    ("query", false, false),
    ("key", false, false),
    ("value", false, false),
    ("output", false, false),
    ("up", true, false),
    ("down", false, true),
];

/// [outputs, inputs] of a part.
pub(crate) fn shape(a: &Architecture, wide_out: bool, wide_in: bool) -> [usize; 2] {
    let width = |wide| if wide { a.intermediate } else { a.hidden };
    [width(wide_out), width(wide_in)]
}

/// `adapter.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterManifest {
    pub title: String,
    /// SPDX identifier.
    pub licence: String,
    /// The tensors, beside this file.
    pub file: String,
    pub sha256: String,
    pub bytes: u64,
    /// [`Encoder::hash`](crate::Encoder::hash) of the stock encoder that it belongs to.
    pub base: String,
    /// SHA-256 over all sentences with their classes.
    pub data_sha256: String,
    pub seed: u64,
    pub rank: usize,
    pub steps: u32,
    /// How much of what was learned is added, above 0 and at most 1: B·A counts this many times.
    #[serde(default = "whole")]
    pub strength: f64,
    /// What was measured at that strength, in per cent, stock and adapted.
    pub figures: BTreeMap<String, Figure>,
}

fn whole() -> f64 {
    1.0
}

impl AdapterManifest {
    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn save(&self, manifest: &Path) -> Result<()> {
        let text = toml::to_string(self).map_err(|e| Error::Failed(e.to_string()))?;
        replace(manifest, text.as_bytes())
    }
}

/// A measure before and after.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    pub stock: f64,
    pub adapted: f64,
}

/// Name of the manifest in the folder of models.
pub(crate) const MANIFEST: &str = "adapter.toml";

/// What is added to one matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Low {
    /// [rank, inputs]
    pub(crate) a: Vec<f32>,
    /// [outputs, rank]
    pub(crate) b: Vec<f32>,
    pub(crate) rank: usize,
}

/// An adapter in memory.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// By the matrix's name, `N.PART`.
    parts: HashMap<String, Low>,
    /// Stock encoder that it belongs to; empty: any.
    base: String,
    hash: String,
}

impl Adapter {
    /// Reads `adapter.toml` and the tensors that it names, at the strength that it says.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Manifest`], [`Error::Hash`] when the tensors are not those of the manifest, and
    /// [`Error::Format`] when they cannot be read.
    pub fn read(manifest: &Path) -> Result<(Self, AdapterManifest)> {
        let (adapter, about) = Self::read_whole(manifest)?;
        Ok((adapter.at(about.strength), about))
    }

    /// As [`Self::read`], with all that was learned.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_whole(manifest: &Path) -> Result<(Self, AdapterManifest)> {
        let text = std::fs::read_to_string(manifest).at("read", manifest)?;
        let fault = |fault: String| Error::Manifest {
            path: manifest.to_owned(),
            fault,
        };
        let about: AdapterManifest = toml::from_str(&text).map_err(|e| fault(e.to_string()))?;
        if about.file.contains(['/', '\\']) || about.file.starts_with('.') {
            let found = &about.file;
            return Err(fault(format!(
                "file = {found:?}: expected a plain file name"
            )));
        }
        if !(about.strength > 0.0 && about.strength <= 1.0) {
            let found = about.strength;
            return Err(fault(format!(
                "strength = {found}: expected a number above 0, at most 1"
            )));
        }
        let path = manifest.with_file_name(&about.file);
        let bytes = std::fs::read(&path).at("read", &path)?;
        let mut adapter = Self::from_bytes(&bytes, &path)?;
        if adapter.hash != about.sha256 {
            return Err(Error::Hash {
                path,
                expected: about.sha256,
                found: adapter.hash,
            });
        }
        adapter.base.clone_from(&about.base);
        Ok((adapter, about))
    }

    /// This one at some of its strength, 0 to 1.
    #[must_use]
    pub(crate) fn at(mut self, strength: f64) -> Self {
        if strength == 1.0 {
            return self;
        }
        for low in self.parts.values_mut() {
            low.b.iter_mut().for_each(|b| *b *= strength as f32);
        }
        // Vectors made at another strength are others.
        self.hash = digest::of_bytes(format!("{}\n{strength}", self.hash).as_bytes());
        self
    }

    /// An adapter that is not on disk; it has no hash and fits any encoder of its shape.
    pub(crate) fn of(parts: BTreeMap<String, Low>) -> Self {
        Self {
            parts: parts.into_iter().collect(),
            base: String::new(),
            hash: String::new(),
        }
    }

    /// Reads the tensors; `path` only names them in errors.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let fault = |e: candle_core::Error| Error::format(path, e.to_string());
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(fault)?;
        let matrix = |name: &str| -> Result<(usize, usize, Vec<f32>)> {
            let tensor = tensors.get(name);
            let tensor = tensor.ok_or_else(|| Error::format(path, format!("no tensor {name}")))?;
            let (rows, columns) = tensor.dims2().map_err(fault)?;
            let values = tensor.to_dtype(DType::F32).and_then(|t| t.flatten_all());
            let values = values.and_then(|t| t.to_vec1::<f32>()).map_err(fault)?;
            if values.iter().any(|v| !v.is_finite()) {
                let what = format!("tensor {name} holds what is no number; train it anew");
                return Err(Error::format(path, what));
            }
            Ok((rows, columns, values))
        };
        let mut parts = HashMap::new();
        for name in tensors.keys().filter_map(|name| name.strip_suffix(".a")) {
            let (rank, _, a) = matrix(&format!("{name}.a"))?;
            let (_, columns, b) = matrix(&format!("{name}.b"))?;
            if rank == 0 || columns != rank {
                let what = format!("the two parts of {name} do not fit: {rank} and {columns}");
                return Err(Error::format(path, what));
            }
            parts.insert(name.to_owned(), Low { a, b, rank });
        }
        Ok(Self {
            parts,
            base: String::new(),
            hash: digest::of_bytes(bytes),
        })
    }

    /// The tensors as a safetensors file in f16. `parts` as [`Low`], by name.
    pub(crate) fn to_bytes(parts: &BTreeMap<String, Low>, folder: &Path) -> Result<Vec<u8>> {
        let mut tensors = HashMap::new();
        for (name, low) in parts {
            for (side, values, shape) in [
                ("a", &low.a, (low.rank, low.a.len() / low.rank)),
                ("b", &low.b, (low.b.len() / low.rank, low.rank)),
            ] {
                let tensor = Tensor::from_slice(values, shape, &Device::Cpu)?;
                tensors.insert(format!("{name}.{side}"), tensor.to_dtype(DType::F16)?);
            }
        }
        let path: PathBuf = folder.join(format!("adapter-{}.half", std::process::id()));
        candle_core::safetensors::save(&tensors, &path)?;
        let bytes = std::fs::read(&path).at("read", &path);
        std::fs::remove_file(&path).at("remove", &path)?;
        bytes
    }

    /// Names what is added, in hexadecimal: SHA-256 of the tensors' file, at less than its whole strength of that and
    /// the strength.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Refuses an encoder that this adapter was not trained on.
    pub(crate) fn check(&self, base: &str, weights: &Path) -> Result<()> {
        if self.base.is_empty() || self.base == base {
            return Ok(());
        }
        let what = format!(
            "the adapter was trained on another encoder ({}…, this is {}…): train it anew, or set BORGERLINJE_ADAPTER=off",
            &self.base[..12.min(self.base.len())],
            &base[..12.min(base.len())]
        );
        Err(Error::format(weights, what))
    }

    /// What names the vectors of an encoder with this adapter.
    pub(crate) fn joint_hash(&self, base: &str) -> String {
        digest::of_bytes(format!("{base}\n{}", self.hash).as_bytes())
    }

    /// Adds B·A to `rows` [outputs, inputs] of a matrix, if there is anything to add.
    fn add_to(&self, name: &str, rows: &mut [f32], inputs: usize) -> Result<()> {
        let Some(low) = self.parts.get(name) else {
            return Ok(());
        };
        if low.a.len() != low.rank * inputs || low.b.len() * inputs != rows.len() * low.rank {
            let what = format!("the adapter's {name} has another shape than the encoder's");
            return Err(Error::Failed(what));
        }
        for (row, b) in rows
            .chunks_exact_mut(inputs)
            .zip(low.b.chunks_exact(low.rank))
        {
            for (&b, a) in b.iter().zip(low.a.chunks_exact(inputs)) {
                for (value, a) in row.iter_mut().zip(a) {
                    *value += b * a;
                }
            }
        }
        Ok(())
    }
}

/// A layer's matrix `N.PART` as f32 [outputs, inputs]: what the file holds, and the adapter on top.
pub(crate) fn rows(
    reader: &Reader,
    adapter: Option<&Adapter>,
    name: &str,
    shape: [usize; 2],
) -> Result<Vec<f32>> {
    let blocks = reader.bytes(&format!("{name}.weight"), &shape, Dtype::Q4_0)?;
    let mut rows = vec![0.0; shape[0] * shape[1]];
    kernels::dequantise(&blocks, &mut rows);
    if let Some(adapter) = adapter {
        adapter.add_to(name, &mut rows, shape[1])?;
    }
    Ok(rows)
}

/// The same in 4-bit blocks: the file's own, or, with an adapter, rounded anew.
pub(crate) fn blocks(
    reader: &Reader,
    adapter: Option<&Adapter>,
    name: &str,
    shape: [usize; 2],
) -> Result<Vec<u8>> {
    use candle_core::quantized::{GgmlDType, QTensor};
    if adapter.is_none_or(|adapter| !adapter.parts.contains_key(name)) {
        let blocks = reader.bytes(&format!("{name}.weight"), &shape, Dtype::Q4_0)?;
        return Ok(blocks.to_vec());
    }
    let rows = rows(reader, adapter, name, shape)?;
    let tensor = Tensor::from_vec(rows, (shape[0], shape[1]), &Device::Cpu)?;
    let blocks = QTensor::quantize(&tensor, GgmlDType::Q4_0)?;
    Ok(blocks.data()?.into_owned())
}

#[cfg(test)]
mod tests;

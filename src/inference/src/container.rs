//! `encoder.bl`, our own file of named tensors.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | magic `BLWEIGHT` |
//! | 8..12 | version, u32 little-endian: 1 |
//! | 12..16 | length of the header, u32 little-endian |
//! | 16.. | header: JSON, [`Header`] |
//! | next multiple of 64 | tensors, each starting on a multiple of 64 |
//!
//! Offsets in the header count from the first tensor, so that the header's own length does not
//! change them. Blocks of `q4_0` are ggml's: 18 bytes for 32 weights, an f16 scale and then 16
//! bytes of which byte j holds weight j in its low and weight j + 16 in its high half.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::digest;
use crate::error::{Error, IoContext, Result};
use crate::mapped::Piece;

const MAGIC: &[u8; 8] = b"BLWEIGHT";
const VERSION: u32 = 1;
const ALIGN: u64 = 64;
/// A header is about 50 kB; anything near this is damage.
const HEADER_LIMIT: u32 = 16 << 20;
/// Weights in one `q4_0` block, and its bytes.
pub(crate) const BLOCK: usize = 32;
pub(crate) const BLOCK_BYTES: usize = 18;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) model: String,
    pub(crate) revision: String,
    /// "pypi", "hub" or "directory".
    pub(crate) source: String,
    pub(crate) architecture: Architecture,
    pub(crate) tokenizer_sha256: String,
    /// SHA-256 over the tensors' digests and the tokenizer's: names the model in records.
    pub(crate) hash: String,
    pub(crate) tensors: Vec<Entry>,
}

/// Shape of a BERT-like encoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Architecture {
    /// Width of the token vectors; a multiple of 32.
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) intermediate: usize,
    pub(crate) vocabulary: usize,
    pub(crate) positions: usize,
    /// Row of the position table for the first token: 0 for BERT, 2 for XLM-R.
    pub(crate) position_offset: usize,
    pub(crate) layer_norm_eps: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dtype {
    F32,
    #[serde(rename = "q4_0")]
    Q4_0,
}

impl Dtype {
    /// Bytes of `elements` weights; `None` where they do not fill whole blocks.
    pub(crate) fn bytes(self, elements: usize) -> Option<usize> {
        match self {
            Self::F32 => elements.checked_mul(4),
            Self::Q4_0 => elements
                .is_multiple_of(BLOCK)
                .then(|| elements / BLOCK * BLOCK_BYTES),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// Rows first: a linear layer is [outputs, inputs].
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// A tensor about to be written.
pub(crate) struct Tensor<'a> {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: Dtype,
    pub(crate) data: std::borrow::Cow<'a, [u8]>,
}

/// What names a container besides its tensors.
pub(crate) struct Origin {
    pub(crate) model: String,
    pub(crate) revision: String,
    pub(crate) source: String,
    pub(crate) architecture: Architecture,
    pub(crate) tokenizer_sha256: String,
}

/// Writes to `out`, which is complete and on disk when this returns.
pub(crate) fn write(
    path: &Path,
    out: &mut File,
    origin: Origin,
    tensors: &[Tensor<'_>],
) -> Result<Header> {
    let mut entries = Vec::with_capacity(tensors.len());
    let mut offset = 0_u64;
    for tensor in tensors {
        let bytes = tensor.data.len() as u64;
        entries.push(Entry {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            dtype: tensor.dtype,
            offset,
            bytes,
            sha256: digest::of_bytes(&tensor.data),
        });
        offset = (offset + bytes).next_multiple_of(ALIGN);
    }
    let hash = model_hash(&entries, &origin.tokenizer_sha256);
    let header = Header {
        model: origin.model,
        revision: origin.revision,
        source: origin.source,
        architecture: origin.architecture,
        tokenizer_sha256: origin.tokenizer_sha256,
        hash,
        tensors: entries,
    };
    let json =
        serde_json::to_vec(&header).map_err(|error| Error::format(path, error.to_string()))?;
    let length = u32::try_from(json.len()).map_err(|_| Error::format(path, "header over 4 GiB"))?;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, out);
    let mut position = 16 + u64::from(length);
    out.write_all(MAGIC).at("write", path)?;
    out.write_all(&VERSION.to_le_bytes()).at("write", path)?;
    out.write_all(&length.to_le_bytes()).at("write", path)?;
    out.write_all(&json).at("write", path)?;
    for tensor in tensors {
        let padding = position.next_multiple_of(ALIGN) - position;
        out.write_all(&[0; ALIGN as usize][..padding as usize])
            .at("write", path)?;
        out.write_all(&tensor.data).at("write", path)?;
        position += padding + tensor.data.len() as u64;
    }
    out.flush().at("write", path)?;
    out.get_ref().sync_all().at("write", path)?;
    Ok(header)
}

fn model_hash(entries: &[Entry], tokenizer_sha256: &str) -> String {
    let mut text = String::new();
    for entry in entries {
        text.push_str(&entry.name);
        text.push(' ');
        text.push_str(&entry.sha256);
        text.push('\n');
    }
    text.push_str(tokenizer_sha256);
    digest::of_bytes(text.as_bytes())
}

/// An open container. It is mapped: what is not asked for never comes into memory.
pub(crate) struct Reader {
    path: PathBuf,
    /// The whole file.
    all: Piece,
    data_start: usize,
    pub(crate) header: Header,
    index: HashMap<String, usize>,
}

impl Reader {
    /// Reads the header and checks that every tensor lies within the file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let all = Piece::of_file(path)?;
        let other = || {
            let what = format!(
                "not a weights file of version {VERSION}; delete it and run `borgerlinje model fetch`"
            );
            Error::format(path, what)
        };
        let (start, rest) = all.split_first_chunk::<16>().ok_or_else(other)?;
        let (magic, start) = start.split_at(8);
        let version = u32::from_le_bytes([start[0], start[1], start[2], start[3]]);
        let length = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
        if magic != MAGIC || version != VERSION || length > HEADER_LIMIT {
            return Err(other());
        }
        let length = length as usize;
        let json = rest.get(..length).ok_or_else(other)?;
        let header: Header = serde_json::from_slice(json)
            .map_err(|error| Error::format(path, format!("damaged header: {error}")))?;
        let data_start = (16 + length).next_multiple_of(ALIGN as usize);
        let mut index = HashMap::with_capacity(header.tensors.len());
        for (i, entry) in header.tensors.iter().enumerate() {
            let elements = entry
                .shape
                .iter()
                .try_fold(1_usize, |n, &d| n.checked_mul(d));
            let expected = elements
                .and_then(|n| entry.dtype.bytes(n))
                .map(|n| n as u64);
            let place = place(data_start, entry).and_then(|at| all.part(at));
            if expected != Some(entry.bytes) || place.is_none() {
                return Err(Error::format(
                    path,
                    format!(
                        "tensor {} does not fit the file; delete it and run `borgerlinje model fetch`",
                        entry.name
                    ),
                ));
            }
            index.insert(entry.name.clone(), i);
        }
        Ok(Self {
            path: path.to_owned(),
            all,
            data_start,
            header,
            index,
        })
    }

    /// Raw bytes of a tensor that must have this shape and type.
    pub(crate) fn bytes(&self, name: &str, shape: &[usize], dtype: Dtype) -> Result<Piece> {
        let entry = self.index.get(name).map(|&i| &self.header.tensors[i]);
        let entry = entry.ok_or_else(|| Error::format(&self.path, format!("no tensor {name}")))?;
        if entry.shape != shape || entry.dtype != dtype {
            return Err(Error::format(
                &self.path,
                format!(
                    "tensor {name} is {:?} {:?}, expected {dtype:?} {shape:?}",
                    entry.dtype, entry.shape
                ),
            ));
        }
        let at = place(self.data_start, entry).and_then(|at| self.all.part(at));
        at.ok_or_else(|| Error::format(&self.path, format!("tensor {name} ends too early")))
    }

    /// Values of an f32 tensor.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let bytes = self.bytes(name, shape, Dtype::F32)?;
        Ok(bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }

    /// Re-reads every tensor and compares its digest and the model's hash with the header.
    pub(crate) fn verify(&self) -> Result<()> {
        let hash = model_hash(&self.header.tensors, &self.header.tokenizer_sha256);
        if hash != self.header.hash {
            return Err(Error::Hash {
                path: self.path.clone(),
                expected: self.header.hash.clone(),
                found: hash,
            });
        }
        for entry in &self.header.tensors {
            let found = digest::of_bytes(&self.bytes(&entry.name, &entry.shape, entry.dtype)?);
            if found != entry.sha256 {
                return Err(Error::Hash {
                    path: self.path.join(&entry.name),
                    expected: entry.sha256.clone(),
                    found,
                });
            }
        }
        Ok(())
    }
}

/// Where a tensor lies in its file.
fn place(data_start: usize, entry: &Entry) -> Option<Range<usize>> {
    let start = usize::try_from(entry.offset)
        .ok()?
        .checked_add(data_start)?;
    let end = start.checked_add(usize::try_from(entry.bytes).ok()?)?;
    Some(start..end)
}

#[cfg(test)]
pub(crate) mod tests;

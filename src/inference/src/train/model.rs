//! The encoder's forward pass once more, on candle's tensors, so that the adapter gets gradients.
//!
//! A chunk of sentences is padded to its longest; what is padded is masked in attention and left out of the mean. The
//! frozen weights are there once, as f32; W + s·B·A is made anew when A and B have changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use candle_core::{D, DType, Device, Tensor, Var};

use super::ops::{Merged, Norm, Product, gelu};
use super::random::Random;
use super::workers::Workers;
use crate::adapter::{self, Low, PARTS};
use crate::container::{Architecture, Reader};
use crate::encoder::Encoder;
use crate::error::Result;

/// What is added to a masked score before the softmax.
const MASKED: f32 = -1e9;

/// One matrix with its adapter.
struct Adapted {
    /// "N.PART"
    name: String,
    /// [outputs, inputs]
    frozen: Tensor,
    bias: Arc<[f32]>,
    /// [rank, inputs]
    a: Var,
    /// [outputs, rank]
    b: Var,
}

struct Layer {
    /// In the order of [`PARTS`].
    parts: [usize; 6],
    norm: Norm,
    last_norm: Norm,
}

/// The encoder that learns.
pub(super) struct Model {
    architecture: Architecture,
    matrices: Vec<Adapted>,
    layers: Vec<Layer>,
    device: Device,
    scale: f64,
    rank: usize,
}

impl Model {
    /// Reads `encoder.bl`; B is zero and A random, so that it starts as the stock encoder.
    pub(super) fn read(
        weights: &Path,
        rank: usize,
        scale: f64,
        seed: u64,
        device: &Device,
    ) -> Result<Self> {
        let reader = Reader::open(weights)?;
        let a = reader.header.architecture.clone();
        let mut matrices = Vec::new();
        let mut layers = Vec::new();
        for n in 0..a.layers {
            let mut parts = [0; 6];
            for (part, (name, wide_out, wide_in)) in parts.iter_mut().zip(PARTS) {
                let name = format!("{n}.{name}");
                let [outputs, inputs] = adapter::shape(&a, wide_out, wide_in);
                let frozen = adapter::rows(&reader, None, &name, [outputs, inputs])?;
                let bias = reader.floats(&format!("{name}.bias"), &[outputs])?;
                let mut random = Random::of(&[seed, 1, matrices.len() as u64]);
                let bound = 1.0 / (inputs as f32).sqrt();
                let start: Vec<f32> = (0..rank * inputs)
                    .map(|_| random.symmetric() * bound)
                    .collect();
                *part = matrices.len();
                matrices.push(Adapted {
                    name,
                    frozen: Tensor::from_vec(frozen, (outputs, inputs), device)?,
                    bias: bias.into(),
                    a: Var::from_vec(start, (rank, inputs), device)?,
                    b: Var::zeros((outputs, rank), DType::F32, device)?,
                });
            }
            let norm = |name: &str| -> Result<Norm> {
                Ok(Norm {
                    weight: reader
                        .floats(&format!("{n}.{name}.weight"), &[a.hidden])?
                        .into(),
                    bias: reader
                        .floats(&format!("{n}.{name}.bias"), &[a.hidden])?
                        .into(),
                    eps: a.layer_norm_eps,
                })
            };
            layers.push(Layer {
                parts,
                norm: norm("norm")?,
                last_norm: norm("last_norm")?,
            });
        }
        Ok(Self {
            architecture: a,
            matrices,
            layers,
            device: device.clone(),
            scale,
            rank,
        })
    }

    /// Everything that learns, in a fixed order, by name: `N.PART.a` and `N.PART.b`.
    pub(super) fn variables(&self) -> impl Iterator<Item = (String, &Var)> {
        self.matrices.iter().flat_map(|m| {
            [
                (format!("{}.a", m.name), &m.a),
                (format!("{}.b", m.name), &m.b),
            ]
        })
    }

    /// The adapter as it is now, its scale multiplied into B.
    pub(super) fn parts(&self) -> Result<BTreeMap<String, Low>> {
        let flat = |t: &Tensor| -> Result<Vec<f32>> { Ok(t.flatten_all()?.to_vec1::<f32>()?) };
        let part = |m: &Adapted| -> Result<(String, Low)> {
            let low = Low {
                a: flat(m.a.as_tensor())?,
                b: flat(&(m.b.as_tensor() * self.scale)?)?,
                rank: self.rank,
            };
            Ok((m.name.clone(), low))
        };
        self.matrices.iter().map(part).collect()
    }

    /// W + s·B·A of every matrix, as it is now.
    pub(super) fn merge(&self, workers: &Workers) -> Result<Vec<Arc<Merged>>> {
        let merge = |n: usize| -> Result<Arc<Merged>> {
            let m = &self.matrices[n];
            let low = m.b.as_detached_tensor().matmul(&m.a.as_detached_tensor())?;
            Ok(Arc::new(Merged::new(&m.frozen, &low, self.scale)?))
        };
        workers
            .map(self.matrices.len(), merge)
            .into_iter()
            .collect()
    }

    fn product(&self, merged: &[Arc<Merged>], matrix: usize, x: &Tensor) -> Result<Tensor> {
        let m = &self.matrices[matrix];
        let product = Product {
            merged: merged[matrix].clone(),
            bias: m.bias.clone(),
            scale: self.scale,
        };
        Ok(product.apply(x, m.a.as_tensor(), m.b.as_tensor())?)
    }

    /// Unit vectors [sentences, hidden] of the sentences; `stock` knows the words.
    pub(super) fn forward(
        &self,
        stock: &Encoder,
        merged: &[Arc<Merged>],
        batch: &[Vec<u32>],
    ) -> Result<Tensor> {
        let hidden = self.architecture.hidden;
        let heads = self.architecture.heads;
        let width = hidden / heads;
        let lengths: Vec<usize> = batch.iter().map(Vec::len).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let count = batch.len();
        let mut x = Vec::with_capacity(count * longest * hidden);
        for (ids, &length) in batch.iter().zip(&lengths) {
            let mut rows = vec![0.0; length * hidden];
            stock.embed(std::slice::from_ref(ids), &[length], &mut rows)?;
            rows.resize(longest * hidden, 0.0);
            x.extend(rows);
        }
        let mut x = Tensor::from_vec(x, (count * longest, hidden), &self.device)?;
        let mask = self.mask(&lengths, longest, [0.0, MASKED])?;
        let mask = mask
            .map(|m| m.reshape((count, 1, 1, longest)))
            .transpose()?;
        let split = |x: Tensor| -> candle_core::Result<Tensor> {
            x.reshape((count, longest, heads, width))?
                .transpose(1, 2)?
                .contiguous()
        };
        for layer in &self.layers {
            let [query, key, value, output, up, down] = layer.parts;
            let q = split(self.product(merged, query, &x)?)?;
            let k = split(self.product(merged, key, &x)?)?;
            let v = split(self.product(merged, value, &x)?)?;
            let mut scores = (q.matmul(&k.t()?)? * (1.0 / (width as f64).sqrt()))?;
            if let Some(mask) = &mask {
                scores = scores.broadcast_add(mask)?;
            }
            let context = softmax(&scores)?.matmul(&v)?;
            let context = context
                .transpose(1, 2)?
                .reshape((count * longest, hidden))?;
            let attended = self.product(merged, output, &context)?;
            x = layer.norm.apply(&(x + attended)?)?;
            let wide = gelu(&self.product(merged, up, &x)?)?;
            let added = self.product(merged, down, &wide)?;
            x = layer.last_norm.apply(&(x + added)?)?;
        }
        let mut x = x.reshape((count, longest, hidden))?;
        if let Some(mask) = self.mask(&lengths, longest, [1.0, 0.0])? {
            x = x.broadcast_mul(&mask.reshape((count, longest, 1))?)?;
        }
        // The mean's divisor cancels in the norm.
        let sum = x.sum(1)?;
        let length = (sum.sqr()?.sum_keepdim(D::Minus1)? + 1e-24)?.sqrt()?;
        Ok(sum.broadcast_div(&length)?)
    }

    /// [sentences, longest] of `inside` for a sentence's tokens and `outside` for its padding; none where nothing is
    /// padded.
    fn mask(
        &self,
        lengths: &[usize],
        longest: usize,
        [inside, outside]: [f32; 2],
    ) -> Result<Option<Tensor>> {
        if lengths.iter().all(|&length| length == longest) {
            return Ok(None);
        }
        let row =
            |&length: &usize| (0..longest).map(move |i| if i < length { inside } else { outside });
        let values: Vec<f32> = lengths.iter().flat_map(row).collect();
        let mask = Tensor::from_vec(values, (lengths.len(), longest), &self.device)?;
        Ok(Some(mask))
    }
}

/// Over the last dimension.
pub(super) fn softmax(x: &Tensor) -> candle_core::Result<Tensor> {
    let highest = x.detach().max_keepdim(D::Minus1)?;
    let powers = x.broadcast_sub(&highest)?.exp()?;
    powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)
}

//! A decoder's matrices, in any of three forms.

use std::sync::Arc;

use candle_core::quantized::{QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::gguf::{self, Gguf, TensorInfo};
use crate::encoder::Compute;
use crate::error::{Error, Result};
use crate::kernels::int8::{self, Rows};
use crate::kernels::{Isa, Packed};

/// Outputs of one panel.
const PANEL: usize = 32;
/// Panels of the head between two looks at who else wants the processor: some 5 MB of weights.
const HEAD_PANELS: usize = 256;

/// out = x · wᵀ, of one or several tensors side by side.
pub(super) struct Matrix {
    weights: Weights,
    /// As long as there are outputs.
    zeros: Vec<f32>,
    inputs: usize,
}

enum Weights {
    Int8(int8::Packed, Isa),
    Dense(Packed),
    Candle(Vec<QMatMul>),
}

impl Matrix {
    /// Reads tensors [outputs, inputs] of these names and outputs, and stacks their outputs.
    pub(super) fn read(
        file: &mut Gguf,
        parts: &[(String, usize)],
        inputs: usize,
        compute: Compute,
    ) -> Result<Self> {
        let outputs = parts.iter().map(|(_, outputs)| outputs).sum();
        for (name, outputs) in parts {
            let info = file.tensor(name)?;
            if info.shape != [*outputs, inputs] {
                let found = format!("{name} is {:?}, expected [{outputs}, {inputs}]", info.shape);
                return Err(file.fault(found));
            }
        }
        let weights = match compute {
            Compute::Int8(isa) => {
                let mut packing = int8::Packing::new(outputs, inputs, isa);
                each(file, parts, |output, rows| packing.put(output, rows))?;
                Weights::Int8(packing.done(), isa)
            }
            Compute::Dense => {
                let mut all = Vec::with_capacity(outputs * inputs);
                each(file, parts, |_, rows| all.extend_from_slice(rows))?;
                Weights::Dense(Packed::new(&all, inputs))
            }
            Compute::Candle => {
                let mut products = Vec::new();
                for (name, _) in parts {
                    products.push(QMatMul::from_qtensor(file.blocks(name)?)?);
                }
                Weights::Candle(products)
            }
        };
        Ok(Self {
            weights,
            zeros: vec![0.0; outputs],
            inputs,
        })
    }

    pub(super) fn outputs(&self) -> usize {
        self.zeros.len()
    }

    /// x [rows, inputs] to out [rows, outputs]; `scratch` is overwritten.
    pub(super) fn forward(
        &self,
        x: &[f32],
        out: &mut [f32],
        scratch: &mut Rows,
        threads: usize,
    ) -> Result<()> {
        match &self.weights {
            Weights::Int8(weights, isa) => {
                scratch.round(x, self.inputs, *isa);
                weights.linear(scratch, &self.zeros, out, threads);
            }
            Weights::Dense(weights) => weights.linear(x, &self.zeros, out, threads),
            Weights::Candle(products) => {
                let x = Tensor::from_slice(x, (x.len() / self.inputs, self.inputs), &Device::Cpu)?;
                let mut first = 0;
                for product in products {
                    first += columns(product, &x, out, self.outputs(), first)?;
                }
            }
        }
        Ok(())
    }
}

/// Expands the tensors' rows in order, numbered as if they were one.
fn each(
    file: &mut Gguf,
    parts: &[(String, usize)],
    mut take: impl FnMut(usize, &[f32]),
) -> Result<()> {
    let mut first = 0;
    for (name, outputs) in parts {
        file.expand(name, 0, *outputs, |row, values| take(first + row, values))?;
        first += outputs;
    }
    Ok(())
}

/// Writes a product beside others, `stride` wide together; returns its outputs.
fn columns(
    product: &QMatMul,
    x: &Tensor,
    out: &mut [f32],
    stride: usize,
    first: usize,
) -> Result<usize> {
    let product = product.forward(x)?;
    let (rows, outputs) = product.dims2()?;
    let product = product.flatten_all()?.to_vec1::<f32>()?;
    if out.len() != rows * stride || first + outputs > stride {
        return Err(Error::Failed(format!(
            "{outputs} products from {first} on in {stride}"
        )));
    }
    for (out, row) in out
        .chunks_exact_mut(stride)
        .zip(product.chunks_exact(outputs))
    {
        out[first..first + outputs].copy_from_slice(row);
    }
    Ok(outputs)
}

/// The vectors of tokens at a decoder's start, and the product with them (or with others) at its end.
pub(super) struct Vocabulary {
    embedding: Embedding,
    head: Head,
    hidden: usize,
    tokens: usize,
    zeros: Vec<f32>,
}

enum Embedding {
    /// The head's own rows.
    Tied,
    /// The file's blocks, expanded a row at a time.
    Blocks(TensorInfo, Arc<QTensor>),
}

enum Head {
    /// Outputs are rounded up to whole panels.
    Int8(int8::Packed, Isa),
    Dense(Packed),
    Candle(QMatMul),
}

impl Vocabulary {
    pub(super) fn read(
        file: &mut Gguf,
        [tokens, hidden]: [usize; 2],
        compute: Compute,
    ) -> Result<Self> {
        const EMBEDDING: &str = "token_embd.weight";
        let tied = !file.tensors.contains_key("output.weight");
        let name = if tied { EMBEDDING } else { "output.weight" };
        let info = file.tensor(name)?;
        if info.shape != [tokens, hidden] {
            let found = format!("{name} is {:?}, expected [{tokens}, {hidden}]", info.shape);
            return Err(file.fault(found));
        }
        let padded = tokens.next_multiple_of(PANEL);
        let mut blocks = None;
        let head = match compute {
            Compute::Int8(isa) => {
                let mut packing = int8::Packing::new(padded, hidden, isa);
                file.expand(name, 0, tokens, |token, rows| packing.put(token, rows))?;
                Head::Int8(packing.done(), isa)
            }
            Compute::Dense => {
                let mut all = Vec::with_capacity(padded * hidden);
                file.expand(name, 0, tokens, |_, rows| all.extend_from_slice(rows))?;
                all.resize(padded * hidden, 0.0);
                Head::Dense(Packed::new(&all, hidden))
            }
            Compute::Candle => {
                let tensor = Arc::new(file.blocks(name)?);
                blocks = tied.then(|| Arc::clone(&tensor));
                Head::Candle(QMatMul::from_arc(tensor)?)
            }
        };
        let embedding = if tied && matches!(head, Head::Int8(..)) {
            Embedding::Tied
        } else {
            let info = file.tensor(EMBEDDING)?.clone();
            let blocks = match blocks {
                Some(blocks) => blocks,
                None => Arc::new(file.blocks(EMBEDDING)?),
            };
            Embedding::Blocks(info, blocks)
        };
        Ok(Self {
            embedding,
            head,
            hidden,
            tokens,
            zeros: vec![0.0; HEAD_PANELS * PANEL],
        })
    }

    /// The vector of a token, times `scale`.
    pub(super) fn embed(&self, token: u32, scale: f32, to: &mut [f32]) -> Result<()> {
        let token = token as usize;
        if token >= self.tokens {
            return Err(Error::Failed(format!(
                "token {token} of a vocabulary of {}",
                self.tokens
            )));
        }
        match (&self.embedding, &self.head) {
            (Embedding::Tied, Head::Int8(packed, _)) => packed.row(token, to),
            (Embedding::Blocks(info, blocks), _) => {
                let bytes = blocks.data()?;
                let row = info.bytes() / self.tokens;
                let bytes = &bytes[token * row..(token + 1) * row];
                to.copy_from_slice(&gguf::expand(info.dtype, bytes, self.hidden)?);
            }
            (Embedding::Tied, _) => {
                return Err(Error::Failed("a tied head that is not in 8 bits".into()));
            }
        }
        for value in to {
            *value *= scale;
        }
        Ok(())
    }

    /// x [rows, hidden] to the scores of all tokens; `between` is called every millisecond or so.
    pub(super) fn scores(
        &self,
        x: &[f32],
        scratch: &mut Rows,
        threads: usize,
        scores: &mut Scores,
        between: &dyn Fn(),
    ) -> Result<()> {
        let rows = x.len() / self.hidden;
        scores.fit(rows, self.tokens);
        if rows == 0 {
            return Ok(());
        }
        match &self.head {
            Head::Int8(packed, isa) => {
                scratch.round(x, self.hidden, *isa);
                let scratch = &*scratch;
                for (n, group) in scores.parts.chunks_mut(2 * threads).enumerate() {
                    between();
                    let part = |(at, part): (usize, &mut Vec<f32>)| {
                        let first = (n * 2 * threads + at) * HEAD_PANELS;
                        packed.linear_from(scratch, first, &self.zeros, part);
                    };
                    if threads > 1 {
                        group.par_iter_mut().enumerate().for_each(part);
                    } else {
                        group.iter_mut().enumerate().for_each(part);
                    }
                }
            }
            Head::Dense(packed) => {
                let padded = self.tokens.next_multiple_of(PANEL);
                let mut out = vec![0.0; rows * padded];
                packed.linear(x, &vec![0.0; padded], &mut out, threads);
                scores.take(&out, padded);
            }
            Head::Candle(product) => {
                let x = Tensor::from_slice(x, (rows, self.hidden), &Device::Cpu)?;
                let padded = self.tokens.next_multiple_of(PANEL);
                let mut out = vec![0.0; rows * padded];
                columns(product, &x, &mut out, padded, 0)?;
                scores.take(&out, padded);
            }
        }
        Ok(())
    }
}

/// Scores of all tokens for some rows, as they are computed: part by part of the vocabulary.
#[derive(Default)]
pub(super) struct Scores {
    /// [rows, outputs of the part] each.
    parts: Vec<Vec<f32>>,
    rows: usize,
    tokens: usize,
}

impl Scores {
    fn fit(&mut self, rows: usize, tokens: usize) {
        const WHOLE: usize = HEAD_PANELS * PANEL;
        (self.rows, self.tokens) = (rows, tokens);
        self.parts.resize_with(tokens.div_ceil(WHOLE), Vec::new);
        for (n, part) in self.parts.iter_mut().enumerate() {
            let outputs = WHOLE.min(tokens.next_multiple_of(PANEL) - n * WHOLE);
            part.resize(rows * outputs, 0.0);
        }
    }

    /// From rows that are `stride` wide.
    fn take(&mut self, out: &[f32], stride: usize) {
        for (n, row) in out.chunks_exact(stride).enumerate() {
            for (part, from) in self.parts.iter_mut().zip(row.chunks(HEAD_PANELS * PANEL)) {
                part[n * from.len()..][..from.len()].copy_from_slice(from);
            }
        }
    }

    /// Of one row, in order.
    #[cfg(test)]
    pub(super) fn row(&self, n: usize) -> Vec<f32> {
        let mut all = Vec::with_capacity(self.tokens);
        for part in &self.parts {
            let width = part.len() / self.rows.max(1);
            all.extend_from_slice(&part[n * width..][..width]);
        }
        all.truncate(self.tokens);
        all
    }

    /// The token with the highest score of one row, the first of equals.
    pub(super) fn highest(&self, n: usize) -> u32 {
        let (mut best, mut token, mut first) = (f32::NEG_INFINITY, 0, 0);
        for part in &self.parts {
            let width = part.len() / self.rows.max(1);
            let within = width.min(self.tokens - first);
            let values = &part[n * width..][..within];
            let mut at = 0;
            crate::kernels::decoder::highest_at(values, &mut at);
            if values[at] > best {
                (best, token) = (values[at], first + at);
            }
            first += width;
        }
        token as u32
    }
}

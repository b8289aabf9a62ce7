//! Token ids to one unit vector a text: BERT as in Devlin et al. (arXiv:1810.04805), mean pooling
//! and L2 norm as in the E5 paper (arXiv:2402.05672).
//!
//! Texts of a batch lie end to end in one [tokens, hidden] matrix; only attention looks at where
//! one ends. So nothing is padded and every weight is read once a batch.

mod pass;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rayon::ThreadPool;

use crate::adapter::Adapter;
use crate::container::{Architecture, BLOCK, BLOCK_BYTES, Dtype, Reader};
use crate::error::{Error, Result};
use crate::kernels::int8::Packed;
use crate::kernels::{self, Isa};
use crate::linear::Linear;
use crate::mapped::{Large, Piece};

use pass::Space;

/// How the weights, which come in 4 bits, are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compute {
    /// Rounded to 8 bits, as activations are, by our own kernels: the same products whatever the instructions.
    Int8(Isa),
    /// Expanded once, at load, to f32 (85 MB): exact.
    Dense,
    /// As they are, with activations rounded to 8 bits, by candle's kernels.
    Candle,
}

impl Default for Compute {
    /// The fastest on this machine.
    fn default() -> Self {
        Self::Int8(Isa::best())
    }
}

impl Compute {
    /// Every form that this machine can run.
    pub fn available() -> impl Iterator<Item = Self> {
        let all = Isa::ALL.into_iter().map(Self::Int8);
        let all = all.chain([Self::Dense, Self::Candle]);
        all.filter(|compute| compute.is_available())
    }

    /// Whether this machine can run it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Int8(isa) => isa.available(),
            Self::Dense => true,
            // On AArch64 candle takes the dot-product instruction for granted.
            Self::Candle => !cfg!(target_arch = "aarch64") || Isa::Neon.available(),
        }
    }

    /// "dense", "candle", or the name of the instructions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8(isa) => isa.name(),
            Self::Dense => "dense",
            Self::Candle => "candle",
        }
    }

    /// What names the vectors that come out: the same for all instructions.
    #[must_use]
    pub fn family(self) -> &'static str {
        match self {
            Self::Int8(_) => "w8a8",
            Self::Dense | Self::Candle => self.name(),
        }
    }

    /// The inverse of [`Compute::name`] among what this machine can run; "auto" is the default.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "auto" {
            return Some(Self::default());
        }
        Self::available().find(|compute| compute.name() == name)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct EncoderOptions {
    pub compute: Compute,
    /// Threads of [`Encoder::encode`], at least 1.
    pub threads: usize,
}

impl Default for EncoderOptions {
    /// The faster kernel, one thread.
    fn default() -> Self {
        Self {
            compute: Compute::default(),
            threads: 1,
        }
    }
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Layer {
    /// Query, key and value side by side: [3 · hidden, hidden].
    attention: Linear,
    output: Linear,
    norm: Norm,
    up: Linear,
    down: Linear,
    last_norm: Norm,
}

/// A loaded model. Encoding takes `&self`: share it by [`Arc`].
pub struct Encoder {
    architecture: Architecture,
    compute: Compute,
    hash: String,
    tokenizer_sha256: String,
    /// [vocabulary, hidden] in `q4_0` blocks of the file, expanded a row at a time.
    word: Piece,
    /// [positions, hidden]: position and token type together.
    position: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    threads: usize,
    pool: Option<ThreadPool>,
    /// Of passes that are done; as many as there were at once.
    spaces: Mutex<Vec<Space>>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("hash", &self.hash)
            .field("compute", &self.compute)
            .finish()
    }
}

impl Encoder {
    /// Loads `encoder.bl`.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Format`] for a file that is absent or damaged; [`Error::Failed`]
    /// if no threads can be had.
    pub fn load(weights: &Path, options: &EncoderOptions) -> Result<Self> {
        Self::load_with(weights, options, None)
    }

    /// As [`Encoder::load`], with an adapter merged into the layers.
    ///
    /// # Errors
    /// As [`Encoder::load`], and [`Error::Format`] for an adapter of another encoder.
    pub fn load_with(
        weights: &Path,
        options: &EncoderOptions,
        adapter: Option<&Adapter>,
    ) -> Result<Self> {
        let reader = Reader::open(weights)?;
        let architecture = reader.header.architecture.clone();
        let a = &architecture;
        // A header is read from a file: what nothing could be computed with is said here, not met later.
        let whole = |width: usize| width > 0 && width.is_multiple_of(BLOCK);
        if a.heads == 0
            || !a.hidden.is_multiple_of(a.heads)
            || !whole(a.hidden)
            || !whole(a.intermediate)
        {
            let (heads, inner) = (a.heads, a.intermediate);
            let what = format!("{} wide with {heads} heads, {inner} within", a.hidden);
            return Err(Error::format(weights, what));
        }
        if a.positions.saturating_sub(a.position_offset) < 2 {
            let what = format!(
                "{} positions, of which {} are unused",
                a.positions, a.position_offset
            );
            return Err(Error::format(weights, what));
        }
        let hash = match adapter {
            Some(adapter) => {
                adapter.check(&reader.header.hash, weights)?;
                adapter.joint_hash(&reader.header.hash)
            }
            None => reader.header.hash.clone(),
        };
        let compute = options.compute;
        let word = reader.bytes("word", &[a.vocabulary, a.hidden], Dtype::Q4_0)?;
        word.ahead();
        let mut position = reader.floats("position", &[a.positions, a.hidden])?;
        let token_type = reader.floats("type", &[a.hidden])?;
        for row in position.chunks_exact_mut(a.hidden) {
            for (value, more) in row.iter_mut().zip(&token_type) {
                *value += more;
            }
        }
        let norm = |name: &str| -> Result<Norm> {
            Ok(Norm {
                weight: reader.floats(&format!("{name}.weight"), &[a.hidden])?,
                bias: reader.floats(&format!("{name}.bias"), &[a.hidden])?,
            })
        };
        let mut layers = Vec::new();
        for n in 0..a.layers {
            let square = [a.hidden, a.hidden];
            let r = &reader;
            layers.push(Layer {
                attention: Linear::read(
                    r,
                    adapter,
                    n,
                    &["query", "key", "value"],
                    square,
                    compute,
                )?,
                output: Linear::read(r, adapter, n, &["output"], square, compute)?,
                norm: norm(&format!("{n}.norm"))?,
                up: Linear::read(r, adapter, n, &["up"], [a.intermediate, a.hidden], compute)?,
                down: Linear::read(
                    r,
                    adapter,
                    n,
                    &["down"],
                    [a.hidden, a.intermediate],
                    compute,
                )?,
                last_norm: norm(&format!("{n}.last_norm"))?,
            });
        }
        gather(&mut layers)?;
        let norm = norm("norm")?;
        let mut encoder = Self {
            hash,
            tokenizer_sha256: reader.header.tokenizer_sha256,
            architecture,
            compute,
            word,
            position,
            norm,
            layers,
            threads: 1,
            pool: None,
            spaces: Mutex::default(),
        };
        encoder.set_threads(options.threads)?;
        Ok(encoder)
    }

    /// Replaces the pool that [`Encoder::encode`] runs on; 0 counts as 1.
    ///
    /// # Errors
    /// [`Error::Failed`] if the operating system gives no threads.
    pub fn set_threads(&mut self, threads: usize) -> Result<()> {
        self.threads = threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads)
            .thread_name(|i| format!("encoder-{i}"))
            .build();
        self.pool = Some(pool.map_err(|error| Error::Failed(error.to_string()))?);
        Ok(())
    }

    /// Width of a vector.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.architecture.hidden
    }

    /// Longest sequence, special tokens included.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.architecture.positions - self.architecture.position_offset
    }

    #[must_use]
    pub fn compute(&self) -> Compute {
        self.compute
    }

    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Hexadecimal SHA-256 that names weights, tokenizer and adapter in records and caches.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Of the `tokenizer.json` that belongs to the weights.
    pub(crate) fn tokenizer_sha256(&self) -> &str {
        &self.tokenizer_sha256
    }

    /// One vector of length 1 a sequence, in the order given, on this encoder's threads.
    /// Sequences longer than [`Encoder::max_tokens`] are cut; an empty batch gives no vectors.
    ///
    /// # Errors
    /// [`Error::Failed`] for an empty sequence or a token outside the vocabulary.
    pub fn encode(&self, batch: &[Vec<u32>]) -> Result<Vec<Arc<[f32]>>> {
        match &self.pool {
            Some(pool) => pool.install(|| self.split(batch)),
            None => self.encode_serial(batch),
        }
    }

    /// As [`Encoder::encode`], on the calling thread alone; except that candle's kernels
    /// ([`Compute::Candle`]) spread over rayon's global pool.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_serial(&self, batch: &[Vec<u32>]) -> Result<Vec<Arc<[f32]>>> {
        self.forward(batch, 1)
    }

    /// Deals sequences to threads, so that each gets about as many tokens; of a single sequence the tokens are dealt.
    fn split(&self, batch: &[Vec<u32>]) -> Result<Vec<Arc<[f32]>>> {
        let threads = self.threads.min(batch.len());
        if threads <= 1 {
            return self.forward(batch, self.threads);
        }
        let total: usize = batch.iter().map(Vec::len).sum();
        let mut parts: Vec<&[Vec<u32>]> = Vec::with_capacity(threads);
        let (mut start, mut seen) = (0, 0);
        for (i, sequence) in batch.iter().enumerate() {
            seen += sequence.len();
            if seen * threads >= total * (parts.len() + 1) && parts.len() + 1 < threads {
                parts.push(&batch[start..=i]);
                start = i + 1;
            }
        }
        if start < batch.len() {
            parts.push(&batch[start..]);
        }
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        let vectors: Result<Vec<_>> = parts
            .into_par_iter()
            .map(|part| self.forward(part, 1))
            .collect();
        Ok(vectors?.concat())
    }

    /// Word, position and type vectors of every token, normalised, into `x`.
    pub(crate) fn embed(&self, batch: &[Vec<u32>], lengths: &[usize], x: &mut [f32]) -> Result<()> {
        let a = &self.architecture;
        let row_bytes = a.hidden / BLOCK * BLOCK_BYTES;
        let mut rows = x.chunks_exact_mut(a.hidden);
        for (ids, &length) in batch.iter().zip(lengths) {
            if length == 0 {
                return Err(Error::Failed("a sequence without tokens".into()));
            }
            let positions = self.position.chunks_exact(a.hidden).skip(a.position_offset);
            for ((&id, position), row) in ids[..length].iter().zip(positions).zip(&mut rows) {
                let start = id as usize * row_bytes;
                let blocks = self.word.get(start..start + row_bytes);
                let blocks = blocks.ok_or_else(|| {
                    Error::Failed(format!("token {id} of a vocabulary of {}", a.vocabulary))
                })?;
                kernels::dequantise(blocks, row);
                for (value, more) in row.iter_mut().zip(position) {
                    *value += more;
                }
            }
        }
        self.add_norm(x, &[], &self.norm);
        Ok(())
    }

    fn add_norm(&self, x: &mut [f32], added: &[f32], norm: &Norm) {
        kernels::add_layer_norm(
            x,
            added,
            &norm.weight,
            &norm.bias,
            self.architecture.layer_norm_eps,
        );
    }
}

/// Brings the weights of all layers together on large pages: every text reads them from one end to the other.
fn gather(layers: &mut [Layer]) -> Result<()> {
    let mut all: Vec<&mut Packed> = layers
        .iter_mut()
        .flat_map(|l| [&mut l.attention, &mut l.output, &mut l.up, &mut l.down])
        .filter_map(Linear::packed)
        .collect();
    let bytes = all.iter().map(|packed| packed.bytes()).sum();
    if bytes == 0 {
        return Ok(());
    }
    let mut large = Large::new(bytes)?;
    let mut rest = &mut large[..];
    for packed in &all {
        let (to, after) = rest.split_at_mut(packed.bytes());
        packed.copy_to(to);
        rest = after;
    }
    let piece = large.done()?;
    let mut start = 0;
    for packed in &mut all {
        let end = start + packed.bytes();
        if let Some(part) = piece.part(start..end) {
            packed.move_to(part);
        }
        start = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

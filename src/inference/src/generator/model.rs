//! Tokens to scores: a decoder of RMS norms, rotary positions and gated wide parts, as Gemma 3 (arXiv:2503.19786), Qwen 3
//! (arXiv:2505.09388) and Llama (arXiv:2302.13971) have in common.
//!
//! A pass takes tokens of several texts at once: the pieces of prompts and the last tokens of answers. So weights, which
//! are what takes the time, are read once for all of them.

mod attend;

use rayon::ThreadPool;
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use super::architecture::{Architecture, Family};
use super::cache::Cache;
use super::gguf::Gguf;
use super::weights::{Matrix, Scores, Vocabulary};
use crate::encoder::Compute;
use crate::error::{Error, Result};
use crate::kernels::decoder::{self, Gate, Pairs, Scratch, Sight};
use crate::kernels::int8::Rows;
use crate::precedence;

/// From so many tokens a thread on, threads share tokens rather than outputs.
const ROWS_TO_SHARE: usize = 12;

struct Layer {
    norm: Vec<f32>,
    /// Query, key and value heads.
    qkv: Matrix,
    /// Of a query head, and of a key head.
    head_norms: Option<[Vec<f32>; 2]>,
    output: Matrix,
    /// Of what attention adds.
    added_norm: Option<Vec<f32>>,
    wide_norm: Vec<f32>,
    /// Gate, then what it is multiplied by.
    up: Matrix,
    down: Matrix,
    last_norm: Option<Vec<f32>>,
    window: Option<usize>,
}

/// A text's tokens that a pass reads, after those that its cache holds.
pub(super) struct Segment<'a> {
    pub(super) tokens: &'a [u32],
    pub(super) cache: &'a mut Cache,
    /// Whether the scores of what follows the last one are wanted.
    pub(super) scored: bool,
}

#[derive(Clone, Copy)]
struct Row {
    segment: usize,
    position: usize,
}

/// What some of a pass's tokens are worked in.
#[derive(Default)]
struct Space {
    rows: Vec<Row>,
    /// [tokens, hidden], as `normed` and `added`.
    x: Vec<f32>,
    normed: Vec<f32>,
    added: Vec<f32>,
    qkv: Vec<f32>,
    context: Vec<f32>,
    wide: Vec<f32>,
    gated: Vec<f32>,
    /// [tokens, width / 2]: of layers that see everything, and of those with a window.
    cos: [Vec<f32>; 2],
    sin: [Vec<f32>; 2],
    queries: Vec<f32>,
    contexts: Vec<f32>,
    sights: Vec<Sight>,
    rounded: Rows,
    scratch: Scratch,
}

/// What passes work in; kept, so that the next one allocates little.
#[derive(Default)]
pub(super) struct Workspace {
    spaces: Vec<Space>,
    last: Vec<f32>,
    rounded: Rows,
    pub(super) scores: Scores,
}

/// A loaded decoder.
pub(super) struct Decoder {
    pub(super) architecture: Architecture,
    vocabulary: Vocabulary,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// Turns a position, of each pair of a head's values: everywhere, and in layers with a window.
    frequencies: [Vec<f64>; 2],
    pool: ThreadPool,
    threads: usize,
}

impl Decoder {
    /// Reads every tensor; one that is not known here is refused, since it would be left out of the sums.
    pub(super) fn read(
        file: &mut Gguf,
        architecture: Architecture,
        compute: Compute,
        threads: usize,
    ) -> Result<Self> {
        let a = &architecture;
        let mut seen = vec!["token_embd.weight".to_owned(), "output.weight".to_owned()];
        let vocabulary = Vocabulary::read(file, [a.vocabulary, a.hidden], compute)?;
        let layers: Result<Vec<_>> = (0..a.layers)
            .map(|n| Layer::read(file, a, n, compute, &mut seen))
            .collect();
        let layers = layers?;
        let norm = file.floats("output_norm.weight", a.hidden)?;
        seen.push("output_norm.weight".to_owned());
        let mut frequencies = [
            frequencies(a, a.rope_base, a.rope_divisor),
            frequencies(a, a.window_rope_base, 1.0),
        ];
        if file.tensors.contains_key("rope_freqs.weight") {
            let factors = file.floats("rope_freqs.weight", a.width / 2)?;
            seen.push("rope_freqs.weight".to_owned());
            for (frequency, factor) in frequencies[0].iter_mut().zip(factors) {
                *frequency /= f64::from(factor);
            }
        }
        if let Some(unknown) = file.tensors.keys().find(|name| !seen.contains(name)) {
            return Err(file.fault(format!(
                "has a tensor {unknown}, which is not known here in a {}",
                a.family.name()
            )));
        }
        let threads = threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("generator-{i}"))
            .start_handler(|_| precedence::nice(precedence::WRITING))
            .build();
        Ok(Self {
            vocabulary,
            layers,
            norm,
            frequencies,
            pool: pool.map_err(|error| Error::Failed(error.to_string()))?,
            threads,
            architecture,
        })
    }

    /// One pass. `between` is called every millisecond or so, and may wait. Scores are in the workspace afterwards, a row
    /// for each segment that wants them, in order.
    pub(super) fn forward(
        &self,
        work: &mut Workspace,
        segments: &mut [Segment<'_>],
        between: &(dyn Fn() + Sync),
    ) -> Result<()> {
        self.pool.install(|| self.pass(work, segments, between))
    }

    fn pass(
        &self,
        work: &mut Workspace,
        segments: &mut [Segment<'_>],
        between: &(dyn Fn() + Sync),
    ) -> Result<()> {
        let a = &self.architecture;
        for segment in segments.iter_mut() {
            segment.cache.grow(segment.tokens.len(), a);
        }
        let inner = self.begin(work, segments)?;
        for (n, layer) in self.layers.iter().enumerate() {
            between();
            let kind = usize::from(layer.window.is_some());
            each(&mut work.spaces, |s| layer.before(a, s, kind, inner))?;
            for space in &work.spaces {
                write(a, n, space, segments);
            }
            let segments = &*segments;
            each(&mut work.spaces, |s| {
                layer.attend(a, n, s, segments, between);
                layer.after(a, s, inner, between)
            })?;
        }
        self.end(work, segments, between)?;
        for segment in segments {
            segment.cache.advance(segment.tokens.len());
        }
        Ok(())
    }

    /// Deals tokens to spaces and looks them up; returns how many threads each space's products may use.
    fn begin(&self, work: &mut Workspace, segments: &[Segment<'_>]) -> Result<usize> {
        let a = &self.architecture;
        let total: usize = segments.iter().map(|s| s.tokens.len()).sum();
        let shared = total >= self.threads * ROWS_TO_SHARE;
        let count = if shared { self.threads } else { 1 };
        work.spaces.resize_with(count, Space::default);
        let rows = segments.iter().enumerate().flat_map(|(segment, s)| {
            let from = s.cache.len();
            let tokens = s.tokens.iter().enumerate();
            tokens.map(move |(n, token)| {
                (
                    Row {
                        segment,
                        position: from + n,
                    },
                    *token,
                )
            })
        });
        let mut rows = rows.collect::<Vec<_>>().into_iter();
        for (n, space) in work.spaces.iter_mut().enumerate() {
            let share = (n + 1) * total / count - n * total / count;
            space.fit(share, a);
            space.rows.clear();
            let lines = space.x.chunks_exact_mut(a.hidden);
            for ((row, token), x) in rows.by_ref().take(share).zip(lines) {
                self.vocabulary.embed(token, a.embedding_scale(), x)?;
                space.rows.push(row);
            }
            for kind in 0..2 {
                let (cos, sin) = (&mut space.cos[kind], &mut space.sin[kind]);
                cos.clear();
                sin.clear();
                for row in &space.rows {
                    for frequency in &self.frequencies[kind] {
                        let (s, c) = (row.position as f64 * frequency).sin_cos();
                        cos.push(c as f32);
                        sin.push(s as f32);
                    }
                }
            }
        }
        Ok(if shared { 1 } else { self.threads })
    }

    /// Scores of what follows the last tokens.
    fn end(
        &self,
        work: &mut Workspace,
        segments: &[Segment<'_>],
        between: &dyn Fn(),
    ) -> Result<()> {
        let a = &self.architecture;
        let mut last = std::mem::take(&mut work.last);
        last.clear();
        for (n, segment) in segments.iter().enumerate().filter(|(_, s)| s.scored) {
            let end = segment.cache.len() + segment.tokens.len();
            for space in &work.spaces {
                let rows = space.rows.iter();
                let at = rows
                    .clone()
                    .position(|r| r.segment == n && r.position + 1 == end);
                if let Some(at) = at {
                    last.extend_from_slice(&space.x[at * a.hidden..][..a.hidden]);
                }
            }
        }
        decoder::rms_norm_in_place(&mut last, &self.norm, a.epsilon);
        let Workspace {
            rounded, scores, ..
        } = work;
        let outcome = self
            .vocabulary
            .scores(&last, rounded, self.threads, scores, between);
        work.last = last;
        outcome
    }
}

/// Calls for every space, each on a thread of its own when there are several.
fn each(spaces: &mut [Space], work: impl Fn(&mut Space) -> Result<()> + Send + Sync) -> Result<()> {
    match spaces {
        [one] => work(one),
        many => many.par_iter_mut().try_for_each(work),
    }
}

/// Puts the keys and values of a space's tokens into their texts' caches.
fn write(a: &Architecture, layer: usize, space: &Space, segments: &mut [Segment<'_>]) {
    let (queries, keys) = (a.heads * a.width, a.kv_heads * a.width);
    let lines = space.qkv.chunks_exact(queries + 2 * keys);
    for (row, line) in space.rows.iter().zip(lines) {
        let (key, value) = line[queries..].split_at(keys);
        let pairs = key.chunks_exact(a.width).zip(value.chunks_exact(a.width));
        for (head, (key, value)) in pairs.enumerate() {
            let head = layer * a.kv_heads + head;
            let cache = &mut segments[row.segment].cache;
            let part = cache.part_mut(row.position, head, a.width);
            decoder::put(part, row.position, key, value);
        }
    }
}

/// Of each pair of a head's values, radians a position.
fn frequencies(a: &Architecture, base: f32, divisor: f32) -> Vec<f64> {
    let pairs = 0..a.width / 2;
    pairs
        .map(|n| {
            let power = -(2.0 * n as f64) / a.width as f64;
            f64::from(base).powf(power) / f64::from(divisor)
        })
        .collect()
}

impl Space {
    fn fit(&mut self, tokens: usize, a: &Architecture) {
        for narrow in [&mut self.x, &mut self.normed, &mut self.added] {
            narrow.resize(tokens * a.hidden, 0.0);
        }
        let heads = a.heads * a.width;
        self.qkv
            .resize(tokens * (heads + 2 * a.kv_heads * a.width), 0.0);
        self.context.resize(tokens * heads, 0.0);
        self.wide.resize(tokens * 2 * a.intermediate, 0.0);
        self.gated.resize(tokens * a.intermediate, 0.0);
    }
}

impl Layer {
    fn read(
        file: &mut Gguf,
        a: &Architecture,
        n: usize,
        compute: Compute,
        seen: &mut Vec<String>,
    ) -> Result<Self> {
        let mut name = |part: &str| {
            let name = format!("blk.{n}.{part}.weight");
            seen.push(name.clone());
            name
        };
        let (queries, keys) = (a.heads * a.width, a.kv_heads * a.width);
        let qkv = [
            (name("attn_q"), queries),
            (name("attn_k"), keys),
            (name("attn_v"), keys),
        ];
        let up = [
            (name("ffn_gate"), a.intermediate),
            (name("ffn_up"), a.intermediate),
        ];
        let output = [(name("attn_output"), a.hidden)];
        let down = [(name("ffn_down"), a.hidden)];
        let gemma = a.family == Family::Gemma3;
        let heads_normed = gemma || a.family == Family::Qwen3;
        let head_norms = heads_normed.then(|| [name("attn_q_norm"), name("attn_k_norm")]);
        let after = gemma.then(|| [name("post_attention_norm"), name("post_ffw_norm")]);
        let norms = [name("attn_norm"), name("ffn_norm")];
        let [added_norm, last_norm] = match after {
            Some([added, last]) => [
                Some(file.floats(&added, a.hidden)?),
                Some(file.floats(&last, a.hidden)?),
            ],
            None => [None, None],
        };
        let head_norms = match head_norms {
            Some([query, key]) => {
                Some([file.floats(&query, a.width)?, file.floats(&key, a.width)?])
            }
            None => None,
        };
        Ok(Self {
            norm: file.floats(&norms[0], a.hidden)?,
            qkv: Matrix::read(file, &qkv, a.hidden, compute)?,
            head_norms,
            output: Matrix::read(file, &output, queries, compute)?,
            added_norm,
            wide_norm: file.floats(&norms[1], a.hidden)?,
            up: Matrix::read(file, &up, a.hidden, compute)?,
            down: Matrix::read(file, &down, a.intermediate, compute)?,
            last_norm,
            window: a.window_of(n),
        })
    }

    /// Queries, keys and values of a space's tokens, turned to their positions.
    fn before(&self, a: &Architecture, s: &mut Space, kind: usize, threads: usize) -> Result<()> {
        decoder::rms_norm(&s.x, &self.norm, a.epsilon, &mut s.normed);
        self.qkv
            .forward(&s.normed, &mut s.qkv, &mut s.rounded, threads)?;
        let half = a.width / 2;
        let pairs = match a.family {
            Family::Llama => Pairs::Neighbours,
            Family::Gemma3 | Family::Qwen3 => Pairs::Halves,
        };
        let turns = s.cos[kind]
            .chunks_exact(half)
            .zip(s.sin[kind].chunks_exact(half));
        for (line, (cos, sin)) in s.qkv.chunks_exact_mut(self.qkv.outputs()).zip(turns) {
            let heads = line.chunks_exact_mut(a.width).take(a.heads + a.kv_heads);
            for (n, head) in heads.enumerate() {
                if let Some(norms) = &self.head_norms {
                    let norm = &norms[usize::from(n >= a.heads)];
                    decoder::rms_norm_in_place(head, norm, a.epsilon);
                }
                decoder::rotate(head, cos, sin, pairs);
            }
        }
        Ok(())
    }

    /// The rest of a layer. A prompt's piece takes milliseconds in each of its products.
    fn after(
        &self,
        a: &Architecture,
        s: &mut Space,
        threads: usize,
        between: &(dyn Fn() + Sync),
    ) -> Result<()> {
        between();
        self.output
            .forward(&s.context, &mut s.added, &mut s.rounded, threads)?;
        add(
            &mut s.x,
            &mut s.added,
            self.added_norm.as_deref(),
            a.epsilon,
        );
        decoder::rms_norm(&s.x, &self.wide_norm, a.epsilon, &mut s.normed);
        between();
        self.up
            .forward(&s.normed, &mut s.wide, &mut s.rounded, threads)?;
        let gate = match a.family {
            Family::Gemma3 => Gate::Gelu,
            Family::Qwen3 | Family::Llama => Gate::Silu,
        };
        decoder::gated(&s.wide, gate, a.intermediate, &mut s.gated);
        between();
        self.down
            .forward(&s.gated, &mut s.added, &mut s.rounded, threads)?;
        add(&mut s.x, &mut s.added, self.last_norm.as_deref(), a.epsilon);
        Ok(())
    }
}

/// x += the norm of `added`, or that itself.
fn add(x: &mut [f32], added: &mut [f32], norm: Option<&[f32]>, epsilon: f32) {
    if let Some(norm) = norm {
        decoder::rms_norm_in_place(added, norm, epsilon);
    }
    for (x, added) in x.iter_mut().zip(added) {
        *x += *added;
    }
}

#[cfg(test)]
mod tests;

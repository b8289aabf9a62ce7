//! One pass through the layers, on one thread or with the tokens dealt to several.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::{Encoder, Layer};
use crate::container::Architecture;
use crate::error::Result;
use crate::kernels::int8::Rows;
use crate::kernels::{self, Heads};

/// Tokens that go through the wide part of a layer together: what it holds of them stays in a near cache.
const CHUNK: usize = 96;
/// Tokens that are worth a thread: fewer read all weights for too little.
const WORTH: usize = 6;

/// What one pass works in; kept, so that the next one allocates nothing.
#[derive(Default)]
pub(super) struct Space {
    /// [tokens, hidden], as `context` and `added`.
    x: Vec<f32>,
    /// [tokens, 3 · hidden].
    qkv: Vec<f32>,
    context: Vec<f32>,
    added: Vec<f32>,
    /// One a thread.
    scratch: Vec<Scratch>,
}

/// What one thread works in.
#[derive(Default)]
struct Scratch {
    /// [some tokens, intermediate].
    wide: Vec<f32>,
    scores: Vec<f32>,
    rows: Rows,
}

impl Space {
    fn fit(&mut self, tokens: usize, threads: usize, a: &Architecture) {
        for narrow in [&mut self.x, &mut self.context, &mut self.added] {
            narrow.resize(tokens * a.hidden, 0.0);
        }
        self.qkv.resize(tokens * 3 * a.hidden, 0.0);
        // What other passes left beyond these is kept for them.
        if self.scratch.len() < threads {
            self.scratch.resize_with(threads, Scratch::default);
        }
        let most = tokens.div_ceil(threads).min(CHUNK) * a.intermediate;
        for scratch in &mut self.scratch[..threads] {
            if scratch.wide.len() < most {
                scratch.wide.resize(most, 0.0);
            }
        }
    }

    /// All of it, to be dealt to so many threads; `qkv` to be written, or beside it to be read by all.
    fn split(&mut self, threads: usize, write: bool) -> (Share<'_>, &[f32]) {
        let (write, read): (&mut [f32], &[f32]) = if write {
            (&mut self.qkv, &[])
        } else {
            (&mut [], &self.qkv)
        };
        let all = Share {
            first: 0,
            x: &mut self.x,
            qkv: write,
            context: &mut self.context,
            added: &mut self.added,
            scratch: &mut self.scratch[..threads],
        };
        (all, read)
    }
}

/// Some tokens of a pass, and what they become.
struct Share<'a> {
    /// The first of them.
    first: usize,
    /// As in [`Space`].
    x: &'a mut [f32],
    qkv: &'a mut [f32],
    context: &'a mut [f32],
    added: &'a mut [f32],
    scratch: &'a mut [Scratch],
}

impl Share<'_> {
    /// Deals the tokens to as many threads as there is scratch for; each runs `work` on its own.
    fn deal(self, hidden: usize, work: &(impl Fn(Share<'_>) -> Result<()> + Sync)) -> Result<()> {
        let threads = self.scratch.len();
        if threads <= 1 {
            return work(self);
        }
        // The first half of the threads gets what is over, so that no share is larger than `Space::fit` thinks.
        let here = threads.div_ceil(2);
        let tokens = self.x.len() / hidden;
        let cut = (tokens.div_ceil(threads) * here).min(tokens);
        let (x, x_rest) = self.x.split_at_mut(cut * hidden);
        let (qkv, qkv_rest) = self.qkv.split_at_mut(self.qkv.len().min(cut * 3 * hidden));
        let (context, context_rest) = self.context.split_at_mut(cut * hidden);
        let (added, added_rest) = self.added.split_at_mut(cut * hidden);
        let (scratch, scratch_rest) = self.scratch.split_at_mut(here);
        let first = self.first;
        let one = Share {
            first,
            x,
            qkv,
            context,
            added,
            scratch,
        };
        let other = Share {
            first: first + cut,
            x: x_rest,
            qkv: qkv_rest,
            context: context_rest,
            added: added_rest,
            scratch: scratch_rest,
        };
        let (a, b) = rayon::join(|| one.deal(hidden, work), || other.deal(hidden, work));
        a.and(b)
    }
}

impl Encoder {
    /// One vector of length 1 a sequence; the tokens are dealt to at most so many threads of the current rayon pool.
    pub(super) fn forward(&self, batch: &[Vec<u32>], threads: usize) -> Result<Vec<Arc<[f32]>>> {
        let a = &self.architecture;
        let lengths: Vec<usize> = batch
            .iter()
            .map(|ids| ids.len().min(self.max_tokens()))
            .collect();
        let tokens: usize = lengths.iter().sum();
        let mut space = self.spaces().pop().unwrap_or_default();
        let threads = threads.min(tokens / WORTH).max(1);
        space.fit(tokens, threads, a);
        let outcome = self.layers(batch, &lengths, &mut space, threads);
        let vectors = outcome.map(|()| pooled(&space.x, &lengths, a.hidden));
        self.spaces().push(space);
        vectors
    }

    fn spaces(&self) -> MutexGuard<'_, Vec<Space>> {
        // A panic leaves a whole list behind.
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Token vectors of every sequence, into `space.x`.
    fn layers(
        &self,
        batch: &[Vec<u32>],
        lengths: &[usize],
        space: &mut Space,
        threads: usize,
    ) -> Result<()> {
        let hidden = self.architecture.hidden;
        self.embed(batch, lengths, &mut space.x)?;
        for layer in &self.layers {
            let (all, _) = space.split(threads, true);
            all.deal(hidden, &|share: Share<'_>| {
                let rows = &mut share.scratch[0].rows;
                layer.attention.forward(share.x, share.qkv, rows)
            })?;
            // Attention reads what all of them wrote.
            let (all, qkv) = space.split(threads, false);
            all.deal(hidden, &|share: Share<'_>| {
                self.after_attention(layer, qkv, lengths, share)
            })?;
        }
        Ok(())
    }

    /// The rest of a layer, which looks at each token alone but for the attention.
    fn after_attention(
        &self,
        layer: &Layer,
        qkv: &[f32],
        lengths: &[usize],
        share: Share<'_>,
    ) -> Result<()> {
        let hidden = self.architecture.hidden;
        let heads = Heads {
            heads: self.architecture.heads,
            width: hidden / self.architecture.heads,
        };
        let Share {
            first,
            x,
            context,
            added,
            scratch,
            ..
        } = share;
        let Scratch { wide, scores, rows } = &mut scratch[0];
        let last = first + x.len() / hidden;
        let mut start = 0;
        for &length in lengths {
            let end = start + length;
            // Those of this sequence that are ours.
            let (from, to) = (first.clamp(start, end), last.clamp(start, end));
            if from < to {
                let of = &qkv[start * 3 * hidden..end * 3 * hidden];
                let out = &mut context[(from - first) * hidden..(to - first) * hidden];
                kernels::attend(of, from - start, out, heads, scores);
            }
            start = end;
        }
        layer.output.forward(context, added, rows)?;
        self.add_norm(x, added, &layer.norm);
        let parts = x.chunks(CHUNK * hidden);
        for (x, added) in parts.zip(added.chunks_mut(CHUNK * hidden)) {
            let wide = &mut wide[..x.len() / hidden * self.architecture.intermediate];
            layer.up.forward(x, wide, rows)?;
            layer.down.forward_gelu(wide, added, rows)?;
        }
        self.add_norm(x, added, &layer.last_norm);
        Ok(())
    }
}

/// One vector of length 1 for each sequence of `x` [tokens, hidden].
fn pooled(x: &[f32], lengths: &[usize], hidden: usize) -> Vec<Arc<[f32]>> {
    let mut rest = x;
    let mut vectors = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (part, after) = rest.split_at(length * hidden);
        rest = after;
        vectors.push(pool_mean(part, hidden));
    }
    vectors
}

/// Mean of the token vectors `part` [tokens, hidden], scaled to length 1.
fn pool_mean(part: &[f32], hidden: usize) -> Arc<[f32]> {
    let mut mean = vec![0.0_f32; hidden];
    for row in part.chunks_exact(hidden) {
        for (sum, value) in mean.iter_mut().zip(row) {
            *sum += value;
        }
    }
    // The mean's divisor cancels in the norm.
    let length = mean.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    mean.iter().map(|v| v / length).collect()
}

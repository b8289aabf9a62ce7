//! How fast an encoder is here, told by a clock the caller brings.

use std::time::Duration;

use crate::encoder::Encoder;
use crate::error::Result;

/// What `borgerlinje bench encoder` prints.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// As [`Compute::name`](crate::Compute::name).
    pub kernel: &'static str,
    /// Median of one text of 12 tokens on one thread.
    pub ms_12_tokens: f64,
    /// Median of one text of 38 tokens on one thread.
    pub ms_38_tokens: f64,
    /// Median over batches of 32 texts of 38 tokens on two threads.
    pub tokens_per_s_32x38: f64,
}

/// Measures; takes some seconds. `now` must never go back. The encoder's threads are set to 2.
///
/// # Errors
/// As [`Encoder::encode`].
pub fn encoder(encoder: &mut Encoder, now: &dyn Fn() -> Duration) -> Result<Report> {
    encoder.set_threads(1)?;
    let short = median(60, now, || encoder.encode(&texts(1, 12)).map(drop))?;
    let long = median(30, now, || encoder.encode(&texts(1, 38)).map(drop))?;
    encoder.set_threads(2)?;
    let batch = median(5, now, || encoder.encode(&texts(32, 38)).map(drop))?;
    Ok(Report {
        kernel: encoder.compute().name(),
        ms_12_tokens: short.as_secs_f64() * 1e3,
        ms_38_tokens: long.as_secs_f64() * 1e3,
        tokens_per_s_32x38: f64::from(32 * 38) / batch.as_secs_f64().max(1e-9),
    })
}

/// Median of `runs` after a tenth as many to warm up.
fn median(
    runs: usize,
    now: &dyn Fn() -> Duration,
    mut work: impl FnMut() -> Result<()>,
) -> Result<Duration> {
    for _ in 0..runs.div_ceil(10) {
        work()?;
    }
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = now();
        work()?;
        times.push(now().saturating_sub(start));
    }
    times.sort_unstable();
    Ok(times[runs / 2])
}

/// Sequences of ordinary tokens, all different, between `<s>` and `</s>`.
fn texts(count: u32, tokens: u32) -> Vec<Vec<u32>> {
    let sequence = |text: u32| {
        let inner = (0..tokens - 2).map(move |i| 1000 + (text * 977 + i * 7919) % 200_000);
        [0].into_iter().chain(inner).chain([2]).collect()
    };
    (0..count).map(sequence).collect()
}

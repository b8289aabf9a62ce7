//! How long a citizen will likely wait.
//!
//! The base is a queue-length predictor: the citizens in front who compete for the same agents, and one
//! more, times the mean handling time, divided by those agents' slots (Ibrahim and Whitt, "Real-time delay
//! estimation based on delay history", M&SOM 11(3), 2009: with a known queue length it has the least
//! error, as long as staffing and handling times are current). Those two move over a day, agents differ,
//! people give up: no formula for the spread would hold. So the spread is learnt from the waits that ended:
//! three factors (10th, 50th and 90th percentile of true wait over base) for each range of bases, each
//! pulled by the wait that just ended, by steps whose ratio is that of the misses wanted (adaptive conformal
//! inference, Gibbs and Candès, NeurIPS 2021). Whatever the base gets wrong, in the long run one wait in
//! ten is shorter than the band and one in ten longer.
//!
//! Whole numbers only, so that every node foretells the same.

use serde::{Deserialize, Serialize};

const MINUTE: u64 = 60_000;
/// Bases up to these, in ms, share factors; the last range is open.
const RANGES: [u64; 5] = [MINUTE, 3 * MINUTE, 8 * MINUTE, 20 * MINUTE, u64::MAX];
/// What is assumed of a chat before any has ended: 8 minutes.
const FIRST_HANDLING_MS: u64 = 8 * MINUTE;
/// A handling time moves the mean by one part in so many.
const MEMORY: u64 = 32;
/// Factors are in millionths, so that small steps are not lost in rounding; these bound them.
const ONE: u64 = 1_000_000;
const FACTOR: (u64, u64) = (ONE / 50, ONE * 20);
/// How far a miss moves a factor, in thousandths of it, divided among the two directions.
const STEP: u64 = 60;

/// A likely wait in whole minutes. "4 til 9 minutter" is `low_min` to `high_min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// The 10th percentile, rounded down: one in ten waits less.
    pub low_min: u32,
    /// The 50th percentile, to the nearest minute.
    pub median_min: u32,
    /// The 90th percentile, rounded up: one in ten waits longer. Above `low_min`.
    pub high_min: u32,
}

/// What was foretold to a citizen, to learn from when the wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    pub band: Band,
    /// The queue-length predictor, in ms.
    pub base_ms: u64,
}

/// What the waits of the past taught.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Estimator {
    /// Mean time that an item takes a slot, wrap-up included, in ms.
    handling_ms: u64,
    /// Millionths of the base, by range: 10th, 50th and 90th percentile.
    factors: [[u64; 3]; RANGES.len()],
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            handling_ms: FIRST_HANDLING_MS,
            // Where a queue is served by several agents the spread narrows as it grows.
            factors: [
                [200, 700, 2_300],
                [300, 800, 2_000],
                [400, 900, 1_700],
                [500, 900, 1_500],
                [600, 900, 1_400],
            ]
            .map(|row: [u64; 3]| row.map(|permille| permille * (ONE / 1_000))),
        }
    }
}

fn range(base_ms: u64) -> usize {
    RANGES.iter().position(|&r| base_ms <= r).unwrap_or(0)
}

impl Estimator {
    /// An item took a slot for so long.
    pub(super) fn handled(&mut self, ms: u64) {
        let ms = ms.min(4 * 60 * MINUTE);
        self.handling_ms = (self.handling_ms * (MEMORY - 1) + ms) / MEMORY;
    }

    /// The predictor for somebody with `ahead` in front, served in `slots`. None without slots.
    pub(super) fn base_ms(&self, ahead: u64, slots: u64) -> Option<u64> {
        (ahead + 1)
            .saturating_mul(self.handling_ms)
            .checked_div(slots)
    }

    pub(super) fn band(&self, base_ms: u64) -> Band {
        let [low, mid, high] = self.factors[range(base_ms)].map(|f| {
            let ms = base_ms.saturating_mul(f) / ONE;
            ms.min(u64::from(u32::MAX))
        });
        let minutes = |ms: u64| u32::try_from(ms / MINUTE).unwrap_or(u32::MAX);
        let low_min = minutes(low);
        let high_min = minutes(high + MINUTE - 1).max(low_min + 1);
        let median_min = minutes(mid + MINUTE / 2).clamp(low_min, high_min);
        Band {
            low_min,
            median_min,
            high_min,
        }
    }

    /// A wait ended after so long; `answered` when an agent took the item, else the citizen gave up, which
    /// only tells that the wait was at least as long.
    pub(super) fn learn(&mut self, promise: &Promise, wait_ms: u64, answered: bool) {
        let Promise { band, base_ms } = *promise;
        let row = &mut self.factors[range(base_ms)];
        let above = |min: u32| wait_ms > u64::from(min) * MINUTE;
        if !answered && !above(band.high_min) {
            return;
        }
        pull(&mut row[0], above(band.low_min), 100);
        // Against the unrounded median, lest rounding shifts it.
        let median_ms = base_ms.saturating_mul(row[1]) / ONE;
        pull(&mut row[1], wait_ms > median_ms, 500);
        pull(&mut row[2], above(band.high_min), 900);
        row[1] = row[1].clamp(row[0], row[2].max(row[0]));
        row[2] = row[2].max(row[1]);
    }
}

/// Moves a factor up when the wait was above it, else down, so that it rests where `permille` of the waits
/// are below.
fn pull(factor: &mut u64, above: bool, permille: u64) {
    let (up, down) = (STEP * permille / 1_000, STEP * (1_000 - permille) / 1_000);
    let moved = if above {
        *factor * (1_000 + up) / 1_000
    } else {
        *factor * (1_000 - down) / 1_000
    };
    *factor = moved.clamp(FACTOR.0, FACTOR.1);
}

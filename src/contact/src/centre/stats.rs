//! The centre's figures, over a window of quarters of an hour.

use std::collections::{BTreeMap, VecDeque};

use base::MunicipalityCode;
use serde::{Deserialize, Serialize};

use super::Centre;
use super::ids::Moment;

/// Length of a quarter, in ms; quarters begin at multiples of it.
const QUARTER_MS: u64 = 15 * 60 * 1_000;
/// Quarters kept: one day.
const KEPT: usize = 96;

/// What is counted in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// Handovers that came in, callbacks outside hours included.
    pub requested: u64,
    /// Chats that got their first owner, and those within `Settings::service_level_ms`.
    pub answered: u64,
    pub answered_within: u64,
    /// Citizens who gave up before anybody had them, and those within the service level's time.
    pub abandoned: u64,
    pub abandoned_within: u64,
    /// Waits of the answered, summed, in ms.
    pub wait_ms: u64,
    /// Chats and calls that were done with, wrap-up included, and how long they took a slot in all, in ms.
    pub handled: u64,
    pub handle_ms: u64,
    /// Waiting places that were turned into callbacks.
    pub converted: u64,
    /// Slots worked in times ms; only in the figures of the whole centre.
    pub busy_ms: u64,
    /// Slots that were staffed times ms; only in the figures of the whole centre.
    pub staffed_ms: u64,
}

impl Figures {
    /// Service level in thousandths: answered in time, of all answered and of those who gave up later than
    /// that. Who gives up sooner says nothing about the service. None without any. 80/20 is 800 with
    /// `service_level_ms` 20,000.
    pub fn service_level_permille(&self) -> Option<u64> {
        let counted = self.answered + self.abandoned - self.abandoned_within;
        (self.answered_within * 1_000).checked_div(counted)
    }

    /// Average speed of answer, in ms.
    pub fn asa_ms(&self) -> Option<u64> {
        self.wait_ms.checked_div(self.answered)
    }

    /// Average handling time, wrap-up included, in ms.
    pub fn aht_ms(&self) -> Option<u64> {
        self.handle_ms.checked_div(self.handled)
    }

    /// Who gave up, in thousandths of those who gave up or were answered.
    pub fn abandonment_permille(&self) -> Option<u64> {
        (self.abandoned * 1_000).checked_div(self.answered + self.abandoned)
    }

    /// How much of the staffed slots was worked in, in thousandths.
    pub fn occupancy_permille(&self) -> Option<u64> {
        (self.busy_ms * 1_000).checked_div(self.staffed_ms)
    }

    /// Counts others too.
    pub fn add(&mut self, other: &Figures) {
        let pairs = [
            (&mut self.requested, other.requested),
            (&mut self.answered, other.answered),
            (&mut self.answered_within, other.answered_within),
            (&mut self.abandoned, other.abandoned),
            (&mut self.abandoned_within, other.abandoned_within),
            (&mut self.wait_ms, other.wait_ms),
            (&mut self.handled, other.handled),
            (&mut self.handle_ms, other.handle_ms),
            (&mut self.converted, other.converted),
            (&mut self.busy_ms, other.busy_ms),
            (&mut self.staffed_ms, other.staffed_ms),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Quarter {
    from: Moment,
    all: Figures,
    by: BTreeMap<MunicipalityCode, Figures>,
}

/// The quarters of the last day, oldest first; the last is going on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stats {
    quarters: VecDeque<Quarter>,
}

fn quarter_of(t: Moment) -> Moment {
    let length = i64::try_from(QUARTER_MS).unwrap_or(i64::MAX);
    Moment::from_ms(t.as_ms().div_euclid(length).saturating_mul(length))
}

impl Stats {
    /// Time passes, while so many slots are worked in and staffed.
    pub(super) fn pass(&mut self, from: Moment, to: Moment, (busy, staffed): (u64, u64)) {
        let length = QUARTER_MS * KEPT as u64;
        let mut t = if self.quarters.is_empty() {
            to
        } else {
            from.max(to.minus(length)).min(to)
        };
        loop {
            let quarter = quarter_of(t);
            if self.quarters.back().is_none_or(|q| q.from < quarter) {
                self.quarters.push_back(Quarter {
                    from: quarter,
                    all: Figures::default(),
                    by: BTreeMap::new(),
                });
            }
            if self.quarters.len() > KEPT {
                self.quarters.pop_front();
            }
            let end = quarter.plus(QUARTER_MS).min(to);
            let ms = end.since(t);
            if let Some(q) = self.quarters.back_mut() {
                q.all.busy_ms += busy.saturating_mul(ms);
                q.all.staffed_ms += staffed.saturating_mul(ms);
            }
            if end >= to || end <= t {
                break;
            }
            t = end;
        }
    }

    fn count(&mut self, code: Option<MunicipalityCode>, change: impl Fn(&mut Figures)) {
        if let Some(q) = self.quarters.back_mut() {
            change(&mut q.all);
            if let Some(code) = code {
                change(q.by.entry(code).or_default());
            }
        }
    }

    pub(super) fn requested(&mut self, code: MunicipalityCode) {
        self.count(Some(code), |f| f.requested += 1);
    }

    pub(super) fn converted(&mut self, code: MunicipalityCode) {
        self.count(Some(code), |f| f.converted += 1);
    }

    pub(super) fn answered(&mut self, code: MunicipalityCode, wait_ms: u64, within: bool) {
        self.count(Some(code), |f| {
            f.answered += 1;
            f.answered_within += u64::from(within);
            f.wait_ms += wait_ms;
        });
    }

    pub(super) fn abandoned(&mut self, code: MunicipalityCode, within: bool) {
        self.count(Some(code), |f| {
            f.abandoned += 1;
            f.abandoned_within += u64::from(within);
        });
    }

    pub(super) fn handled(&mut self, code: Option<MunicipalityCode>, ms: u64) {
        self.count(code, |f| {
            f.handled += 1;
            f.handle_ms += ms;
        });
    }
}

impl Centre {
    /// The figures of the quarters that reach into the last so many ms, at most a day; of one municipality,
    /// or of all.
    pub fn figures(&self, of: Option<MunicipalityCode>, window_ms: u64) -> Figures {
        let begin = self.state.now.minus(window_ms);
        let mut sum = Figures::default();
        for q in &self.state.stats.quarters {
            if q.from.plus(QUARTER_MS) > begin {
                match of {
                    None => sum.add(&q.all),
                    Some(code) => sum.add(&q.by.get(&code).copied().unwrap_or_default()),
                }
            }
        }
        sum
    }
}

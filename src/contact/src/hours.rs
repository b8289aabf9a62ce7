//! When the municipality answers: weekly hours, less holidays and closed days, in Copenhagen time.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::{Date, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::holiday;

/// Month and day of what is not statutory but usually closed: grundlovsdag, juleaften, nytårsaften.
/// Given to [`Hours::closed_yearly`] by municipalities that keep to custom.
pub const CUSTOMARILY_CLOSED: [(i8, i8); 3] = [(6, 5), (12, 24), (12, 31)];

/// How far ahead [`status`] looks for the next opening: two years.
const HORIZON_DAYS: usize = 731;

/// Opening hours within one day, local time, from inclusive, to exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "(Time, Time)", into = "(Time, Time)")]
pub struct Span {
    from: Time,
    /// Midnight stands for the end of the day.
    to: Time,
}

impl TryFrom<(Time, Time)> for Span {
    type Error = SpanError;
    fn try_from((from, to): (Time, Time)) -> Result<Self, SpanError> {
        Self::new(from, to)
    }
}

impl From<Span> for (Time, Time) {
    fn from(span: Span) -> (Time, Time) {
        (span.from, span.to)
    }
}

/// A span that is empty or runs backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("opening hours from {from} to {to} are empty: `to` must be later, or 00:00 for midnight")]
pub struct SpanError {
    pub from: Time,
    pub to: Time,
}

impl Span {
    /// A span from `from` to `to`, where a `to` of 00:00 is the end of the day.
    ///
    /// # Errors
    /// When `to` is neither later than `from` nor midnight.
    pub fn new(from: Time, to: Time) -> Result<Self, SpanError> {
        if from < to || to == Time::midnight() {
            Ok(Self { from, to })
        } else {
            Err(SpanError { from, to })
        }
    }

    /// The instants of this span on a date; none at the end of jiff's years, and none when a change to
    /// summer time swallows it.
    fn on(self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let last = if self.to == Time::midnight() {
            date.tomorrow().ok()?
        } else {
            date
        };
        let (from, to) = (instant(date, self.from)?, instant(last, self.to)?);
        (from < to).then_some((from, to))
    }
}

/// The first instant at which the clocks of Copenhagen show at least this time of this date: in the hour
/// that is skipped in March the change itself, in the hour that is repeated in October the first round.
fn instant(date: Date, time: Time) -> Option<Timestamp> {
    let ambiguous = copenhagen().to_ambiguous_timestamp(date.to_datetime(time));
    if let AmbiguousOffset::Gap { before, .. } = ambiguous.offset() {
        let after_change = before.to_timestamp(date.to_datetime(time)).ok()?;
        let later = after_change
            .checked_add(SignedDuration::from_secs(1))
            .ok()?;
        return copenhagen().preceding(later).next().map(|t| t.timestamp());
    }
    ambiguous.earlier().ok()
}

/// Europe/Copenhagen, from the time zone data that jiff carries when the machine has none.
pub fn copenhagen() -> &'static TimeZone {
    static ZONE: LazyLock<TimeZone> = LazyLock::new(|| {
        TimeZone::get("Europe/Copenhagen").expect("jiff is built with its own time zone data")
    });
    &ZONE
}

/// The opening hours of one municipality. Public holidays are closed, except to [`Hours::always`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Hours {
    /// Monday first; sorted.
    week: [Vec<Span>; 7],
    closed: BTreeSet<Date>,
    closed_yearly: BTreeSet<(i8, i8)>,
    always: bool,
}

/// Hours as they are written down; spans in any order.
#[derive(Serialize, Deserialize)]
struct Written {
    week: [Vec<Span>; 7],
    closed: BTreeSet<Date>,
    closed_yearly: BTreeSet<(i8, i8)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    always: bool,
}

impl From<Written> for Hours {
    fn from(w: Written) -> Self {
        Self {
            always: w.always,
            ..Self::new(w.week)
                .closed_on(w.closed)
                .closed_yearly(w.closed_yearly)
        }
    }
}

impl From<Hours> for Written {
    fn from(h: Hours) -> Self {
        Self {
            week: h.week,
            closed: h.closed,
            closed_yearly: h.closed_yearly,
            always: h.always,
        }
    }
}

impl Hours {
    /// Weekly hours, Monday first; spans of a day may touch or overlap, and come in any order.
    pub fn new(mut week: [Vec<Span>; 7]) -> Self {
        for day in &mut week {
            day.sort();
        }
        Self {
            week,
            ..Self::default()
        }
    }

    /// Open at every hour of every day, holidays included: for demonstrations and tests.
    pub fn always() -> Self {
        let day = Span {
            from: Time::midnight(),
            to: Time::midnight(),
        };
        Self {
            always: true,
            ..Self::new(std::array::from_fn(|_| vec![day]))
        }
    }

    /// Also closed on these dates.
    #[must_use]
    pub fn closed_on(mut self, dates: impl IntoIterator<Item = Date>) -> Self {
        self.closed.extend(dates);
        self
    }

    /// Also closed every year on these months and days; see [`CUSTOMARILY_CLOSED`].
    #[must_use]
    pub fn closed_yearly(mut self, days: impl IntoIterator<Item = (i8, i8)>) -> Self {
        self.closed_yearly.extend(days);
        self
    }

    /// The spans that hold on a date: none on a holiday or a closed day.
    pub fn on(&self, date: Date) -> &[Span] {
        let closed = !self.always
            && (self.closed.contains(&date)
                || self.closed_yearly.contains(&(date.month(), date.day()))
                || holiday(date).is_some());
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset());
        match weekday {
            Ok(i) if !closed => &self.week[i],
            _ => &[],
        }
    }

    /// The openings of the two years from a date on, as instants, in order of their beginning.
    fn openings(&self, date: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let dates = std::iter::successors(Some(date), |d| d.tomorrow().ok()).take(HORIZON_DAYS);
        dates.flat_map(|d| self.on(d).iter().filter_map(move |s| s.on(d)))
    }
}

/// Whether somebody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Until the first instant that is closed.
    Open { until: Zoned },
    /// Until the first instant that is open; None when there is none within two years.
    Closed { opens: Option<Zoned> },
}

/// Whether the municipality is open at an instant, and until when. Times are in Europe/Copenhagen.
pub fn status(hours: &Hours, at: Timestamp) -> Status {
    let zoned = |t: Timestamp| t.to_zoned(copenhagen().clone());
    if hours.always {
        // Nobody waits for the end; looking day by day would find the same.
        let days = SignedDuration::from_hours(24 * HORIZON_DAYS as i64);
        return Status::Open {
            until: zoned(at.saturating_add(days).unwrap_or(Timestamp::MAX)),
        };
    }
    if hours.week.iter().all(Vec::is_empty) {
        return Status::Closed { opens: None };
    }
    let mut ahead = hours
        .openings(zoned(at).date())
        .skip_while(|&(_, to)| to <= at);
    let Some((from, mut until)) = ahead.next() else {
        return Status::Closed { opens: None };
    };
    if from > at {
        return Status::Closed {
            opens: Some(zoned(from)),
        };
    }
    for (from, to) in ahead {
        if from > until {
            break;
        }
        until = until.max(to);
    }
    Status::Open {
        until: zoned(until),
    }
}

#[cfg(test)]
mod tests;

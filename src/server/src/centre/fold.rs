//! From records to steps: the one place where the centre is changed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contact::centre::{Centre, Effect, Input, Moment};
use jiff::Timestamp;
use storage::log::{Position, Record};

/// One input of the log and what followed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its number in the log. Every node has the same steps in the same order.
    pub seq: u64,
    pub at: Moment,
    pub input: Input,
    pub effects: Vec<Effect>,
    /// The program fails at it: it was passed over and changed nothing.
    pub faulty: bool,
}

/// The state as it is shared with readers.
#[derive(Default)]
pub(super) struct Folded {
    pub(super) centre: Centre,
    /// False before the log was read, and after a step that failed half-way.
    pub(super) whole: bool,
}

/// Called before each step.
#[cfg(test)]
pub(super) type Before = Arc<dyn Fn(&Input) + Send + Sync>;

/// Where a fold is, for whoever finds it dead; and what it is to pass over.
#[derive(Clone, Default)]
pub(super) struct Watch {
    stepping: Arc<(AtomicU64, AtomicU64)>,
    pub(super) faulty: BTreeSet<Position>,
    #[cfg(test)]
    pub(super) before: Option<Before>,
}

impl Watch {
    fn begin(&self, at: Position) {
        self.stepping.1.store(at.link, Ordering::Relaxed);
        self.stepping.0.store(at.seq, Ordering::Release);
    }

    fn end(&self) {
        self.stepping.0.store(0, Ordering::Release);
    }

    /// The record whose step began and did not end.
    pub(super) fn fell_at(&self) -> Option<Position> {
        let seq = self.stepping.0.swap(0, Ordering::Acquire);
        let link = self.stepping.1.load(Ordering::Relaxed);
        (seq > 0).then_some(Position { seq, link })
    }
}

/// What a fold came to.
pub(super) struct Done {
    pub(super) steps: Vec<Step>,
    /// After the last record folded, which is the last given unless one was unreadable.
    pub(super) at: Position,
    pub(super) time: Option<Timestamp>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) unreadable: Option<(u64, String)>,
}

/// Folds records that follow `at`. Takes about 50 µs a record: more than a few belong on a blocking thread.
pub(super) fn fold(
    folded: &mut Folded,
    mut at: Position,
    records: &[Record],
    watch: &Watch,
) -> Done {
    let mut steps = Vec::with_capacity(records.len());
    let (mut time, mut unreadable) = (None, None);
    let was_whole = std::mem::replace(&mut folded.whole, false);
    for record in records {
        let input: Input = match serde_json::from_slice(&record.body) {
            Ok(input) => input,
            Err(e) => {
                unreadable = Some((record.seq, e.to_string()));
                break;
            }
        };
        let faulty = watch.faulty.contains(&record.position());
        let effects = if faulty {
            Vec::new()
        } else {
            watch.begin(record.position());
            #[cfg(test)]
            if let Some(before) = &watch.before {
                before(&input);
            }
            let effects = folded.centre.step(&input, record.at);
            watch.end();
            effects
        };
        at = record.position();
        time = Some(record.at);
        steps.push(Step {
            seq: record.seq,
            at: record.at.into(),
            input,
            effects,
            faulty,
        });
    }
    folded.whole = was_whole;
    Done {
        steps,
        at,
        time,
        deadline: folded.centre.next_deadline(),
        unreadable,
    }
}

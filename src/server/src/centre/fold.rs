//! From records to steps: the one place where the centre is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base::{DialogueId, Lang, MunicipalityCode};
use contact::Reference;
use contact::centre::{AgentId, Centre, Effect, Input, ItemId, Moment, Slot};
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
    /// The items that the effects name, by id, as they are after the step.
    pub about: Vec<About>,
    /// What citizens see of the agents that the effects name.
    pub names: BTreeMap<AgentId, String>,
}

/// What the effects of a step leave out of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub item: ItemId,
    pub dialogue: DialogueId,
    pub municipality: MunicipalityCode,
    pub language: Lang,
    /// The promise to ring, when it is a callback.
    pub reference: Option<Reference>,
    /// When the citizen was just offered a callback: at most [`SLOTS`].
    pub slots: Vec<Slot>,
}

/// Slots that a citizen is offered at once.
pub(crate) const SLOTS: usize = 8;

impl Step {
    /// Folds an input.
    pub(crate) fn of(centre: &mut Centre, seq: u64, input: Input, at: Timestamp) -> Self {
        let effects = centre.step(&input, at);
        Self {
            about: about(centre, &effects),
            names: names(centre, &effects),
            seq,
            at: at.into(),
            input,
            effects,
            faulty: false,
        }
    }

    fn faulty(seq: u64, input: Input, at: Timestamp) -> Self {
        Self {
            seq,
            at: at.into(),
            input,
            effects: Vec::new(),
            faulty: true,
            about: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// Whether the command was allowed.
    pub(crate) fn done(&self) -> bool {
        let refused =
            |e: &Effect| matches!(e, Effect::Refused { input, .. } if *input == self.input.id);
        !self.faulty && !self.effects.iter().any(refused)
    }

    pub(crate) fn about(&self, item: &ItemId) -> Option<&About> {
        let at = self.about.binary_search_by(|a| a.item.cmp(item)).ok()?;
        self.about.get(at)
    }
}

/// What is known of the items that effects name.
fn about(centre: &Centre, effects: &[Effect]) -> Vec<About> {
    let offered =
        |e: &Effect, id: &ItemId| matches!(e, Effect::CallbackOffered { item, .. } if item == id);
    let ids: BTreeSet<&ItemId> = effects.iter().filter_map(Effect::item).collect();
    let items = ids.into_iter().filter_map(|id| centre.item(id));
    items
        .map(|i| About {
            item: i.id.clone(),
            dialogue: i.dialogue.clone(),
            municipality: i.municipality,
            language: i.language,
            reference: i.callback.as_ref().map(|c| c.reference.clone()),
            slots: if effects.iter().any(|e| offered(e, &i.id)) {
                centre.callback_slots(i.municipality, i.area.as_ref(), SLOTS)
            } else {
                Vec::new()
            },
        })
        .collect()
}

fn names(centre: &Centre, effects: &[Effect]) -> BTreeMap<AgentId, String> {
    let agents = effects.iter().filter_map(Effect::agent);
    agents
        .filter_map(|a| Some((a.clone(), centre.agent_state(a)?.profile.name.clone())))
        .collect()
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
        let step = if faulty {
            Step::faulty(record.seq, input, record.at)
        } else {
            watch.begin(record.position());
            #[cfg(test)]
            if let Some(before) = &watch.before {
                before(&input);
            }
            let step = Step::of(&mut folded.centre, record.seq, input, record.at);
            watch.end();
            step
        };
        at = record.position();
        time = Some(record.at);
        steps.push(step);
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

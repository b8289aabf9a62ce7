//! Who is answered next when there are more questions than processors: networks in turn, not questions in order.
//!
//! Dialogues that pause between their questions go before those in haste, with one question after the other: so a citizen
//! who reads what is said waits for the turns at hand and hardly for more, whatever somebody else sends. Among those who
//! pause, and among those in haste, networks take turns, so whoever sends a lot waits behind himself; within a network the
//! order is that of asking, and a dialogue has one question there at a time. Nobody is held back while there is room, and
//! nobody starves: each few who pause are followed by one in haste.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::DialogueId;
use tokio::sync::oneshot;

use crate::auth::Network;

/// Those who pause, in a row, before one in haste.
const IN_A_ROW: u32 = 3;

/// Questions without a pause, from the next of which on a dialogue is in haste; and what a pause is.
const IN_HASTE: u32 = 3;
const PAUSE: Duration = Duration::from_secs(10);

/// How fast a dialogue asks.
#[derive(Default)]
pub(crate) struct Pace {
    /// When it asked last, of a monotonic clock.
    last: Option<Duration>,
    without_pause: u32,
}

impl Pace {
    /// Counts a question; whether the dialogue is in haste.
    pub(crate) fn asks(&mut self, now: Duration) -> bool {
        let paused = |last| now.saturating_sub(last) >= PAUSE;
        if self.last.is_none_or(paused) {
            self.without_pause = 0;
        }
        self.last = Some(now);
        self.without_pause = self.without_pause.saturating_add(1);
        self.without_pause > IN_HASTE
    }
}

/// Whose turns are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Flow {
    Network(Network),
    /// It is not known where it comes from.
    Dialogue(DialogueId),
}

/// The line. So many turns are at hand at once.
pub(crate) struct Line {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    waiting: usize,
    pausing: Class,
    in_haste: Class,
    in_a_row: u32,
    next: u64,
}

/// Networks that take turns.
#[derive(Default)]
struct Class {
    /// Each has one place in the ring; one without tickets, because they were given up, is forgotten when it comes up.
    flows: HashMap<Flow, VecDeque<Ticket>>,
    ring: VecDeque<Flow>,
}

struct Ticket {
    number: u64,
    grant: oneshot::Sender<Turn>,
}

/// A turn at hand; the next one begins when it is dropped.
pub(crate) struct Turn {
    line: Arc<Line>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.line.lock();
            state.running -= 1;
            state.grants(self.line.most)
        };
        for grant in next {
            // Whoever has gone meanwhile gives it back by this same way.
            let _ = grant.send(Turn {
                line: Arc::clone(&self.line),
            });
        }
    }
}

impl Line {
    /// A line with so many turns at once, at least one.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most: most.max(1),
            state: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn; in haste behind those who pause. Who stops waiting leaves the line.
    pub(crate) async fn turn(self: &Arc<Self>, of: Flow, in_haste: bool) -> Turn {
        let (ticket, granted) = {
            let mut state = self.lock();
            if state.running < self.most && state.waiting == 0 {
                state.running += 1;
                return Turn {
                    line: Arc::clone(self),
                };
            }
            let (grant, granted) = oneshot::channel();
            let number = state.next;
            state.next += 1;
            state.waiting += 1;
            let ticket = Ticket { number, grant };
            state.class(in_haste).stand(of.clone(), ticket);
            (number, granted)
        };
        let waiting = Waiting {
            line: self,
            of,
            in_haste,
            ticket,
        };
        let turn = granted.await;
        drop(waiting);
        turn.unwrap_or_else(|_| {
            // Not possible while the line is there: a ticket is given its turn or taken out by `waiting`.
            self.lock().running += 1;
            Turn {
                line: Arc::clone(self),
            }
        })
    }

    /// Questions that wait.
    pub(crate) fn questions(&self) -> usize {
        self.lock().waiting
    }

    /// Networks that wait and pause: how far back a citizen begins who comes now.
    pub(crate) fn flows(&self) -> usize {
        let state = self.lock();
        let flows = state.pausing.flows.values();
        flows.filter(|t| !t.is_empty()).count()
    }
}

impl State {
    fn class(&mut self, in_haste: bool) -> &mut Class {
        if in_haste {
            &mut self.in_haste
        } else {
            &mut self.pausing
        }
    }

    /// Those whose turn has come.
    fn grants(&mut self, most: usize) -> Vec<oneshot::Sender<Turn>> {
        let mut grants = Vec::new();
        while self.running < most {
            let Some(grant) = self.pop() else { break };
            self.running += 1;
            grants.push(grant);
        }
        grants
    }

    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        let haste_first = self.in_a_row >= IN_A_ROW;
        for in_haste in [haste_first, !haste_first] {
            if let Some(grant) = self.class(in_haste).pop() {
                self.waiting -= 1;
                self.in_a_row = if in_haste { 0 } else { self.in_a_row + 1 };
                return Some(grant);
            }
        }
        None
    }
}

impl Class {
    fn stand(&mut self, of: Flow, ticket: Ticket) {
        match self.flows.entry(of) {
            Entry::Occupied(mut flow) => flow.get_mut().push_back(ticket),
            Entry::Vacant(new) => {
                self.ring.push_back(new.key().clone());
                new.insert(VecDeque::from([ticket]));
            }
        }
    }

    /// The next ticket of the network whose turn it is.
    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        loop {
            let Entry::Occupied(mut tickets) = self.flows.entry(self.ring.pop_front()?) else {
                continue;
            };
            let first = tickets.get_mut().pop_front();
            if tickets.get().is_empty() {
                tickets.remove();
            } else {
                self.ring.push_back(tickets.key().clone());
            }
            if let Some(ticket) = first {
                return Some(ticket.grant);
            }
        }
    }
}

/// Takes a ticket out of the line when it is given up.
struct Waiting<'a> {
    line: &'a Line,
    of: Flow,
    in_haste: bool,
    ticket: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        let Some(tickets) = state.class(self.in_haste).flows.get_mut(&self.of) else {
            return;
        };
        let before = tickets.len();
        tickets.retain(|t| t.number != self.ticket);
        state.waiting -= before - tickets.len();
    }
}

#[cfg(test)]
mod tests;

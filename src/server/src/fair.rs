//! Who is answered next when there are more questions than processors: networks in turn, not questions in order.
//!
//! A network that asks a lot waits behind itself. One that has not waited lately goes before those that have, so a
//! citizen who asks now and then waits for the turns at hand and hardly for more, whatever somebody else sends. Nobody is
//! held back while there is room, and nobody starves: each few fresh ones are followed by one that has waited. Within a
//! network the order is that of asking, and a dialogue has one question there at a time.
//!
//! After the idea of fair queueing with sparse flows first (RFC 8290), each turn counted as one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::DialogueId;
use tokio::sync::oneshot;

use crate::auth::Network;

/// Fresh ones in a row before one that has waited.
const IN_A_ROW: u32 = 3;

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
    /// Each has a place in `fresh` or in `known`; one without tickets is forgotten when its place comes up.
    flows: HashMap<Flow, VecDeque<Ticket>>,
    fresh: VecDeque<Flow>,
    known: VecDeque<Flow>,
    in_a_row: u32,
    next: u64,
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

    /// Waits for a turn. Who stops waiting leaves the line.
    pub(crate) async fn turn(self: &Arc<Self>, of: Flow) -> Turn {
        let (ticket, granted) = {
            let mut state = self.lock();
            if state.running < self.most && state.waiting == 0 {
                state.running += 1;
                return Turn {
                    line: Arc::clone(self),
                };
            }
            state.stand(of.clone())
        };
        let waiting = Waiting {
            line: self,
            of,
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

    /// Networks that wait: how far back a citizen begins who has not asked lately.
    pub(crate) fn flows(&self) -> usize {
        let state = self.lock();
        state.flows.values().filter(|t| !t.is_empty()).count()
    }
}

impl State {
    fn stand(&mut self, of: Flow) -> (u64, oneshot::Receiver<Turn>) {
        let (grant, granted) = oneshot::channel();
        let number = self.next;
        self.next += 1;
        self.waiting += 1;
        let ticket = Ticket { number, grant };
        match self.flows.entry(of) {
            Entry::Occupied(mut flow) => flow.get_mut().push_back(ticket),
            Entry::Vacant(new) => {
                self.fresh.push_back(new.key().clone());
                new.insert(VecDeque::from([ticket]));
            }
        }
        (number, granted)
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
        loop {
            let fresh =
                !self.fresh.is_empty() && (self.in_a_row < IN_A_ROW || self.known.is_empty());
            let from = if fresh {
                &mut self.fresh
            } else {
                &mut self.known
            };
            let flow = from.pop_front()?;
            let Entry::Occupied(mut tickets) = self.flows.entry(flow) else {
                continue;
            };
            match tickets.get_mut().pop_front() {
                Some(ticket) => {
                    // Known from now on, also when nothing more of it waits, until its place comes up.
                    self.known.push_back(tickets.key().clone());
                    self.waiting -= 1;
                    self.in_a_row = if fresh { self.in_a_row + 1 } else { 0 };
                    return Some(ticket.grant);
                }
                None => drop(tickets.remove()),
            }
        }
    }
}

/// Takes a ticket out of the line when it is given up.
struct Waiting<'a> {
    line: &'a Line,
    of: Flow,
    ticket: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        let Some(tickets) = state.flows.get_mut(&self.of) else {
            return;
        };
        let before = tickets.len();
        tickets.retain(|t| t.number != self.ticket);
        state.waiting -= before - tickets.len();
    }
}

#[cfg(test)]
mod tests;

//! Who waits for what.

use std::collections::{HashMap, VecDeque};

use contact::centre::Effect;
use storage::log::Entry;
use tokio::sync::{mpsc, oneshot};

use super::Error;
use super::fold::Step;
use super::handle::{Answer, Ask};

/// What outlives a worker that fell: who waits, and what is still to be appended for them.
pub(super) struct Inbox {
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) queue: VecDeque<Entry>,
    pub(super) pending: HashMap<String, oneshot::Sender<Answer>>,
    /// This process has said that it started.
    pub(super) started: bool,
}

impl Inbox {
    pub(super) fn new(asks: mpsc::Receiver<Ask>) -> Self {
        Self {
            asks,
            queue: VecDeque::new(),
            pending: HashMap::new(),
            started: false,
        }
    }

    /// Takes what waits, up to so many; what nobody waits for any more is not done.
    pub(super) fn gather(&mut self, most: usize) {
        let pending = &mut self.pending;
        self.queue
            .retain(|e| pending.get(&e.id).is_some_and(|reply| !reply.is_closed()));
        pending.retain(|_, reply| !reply.is_closed());
        while self.queue.len() < most
            && let Ok(ask) = self.asks.try_recv()
        {
            self.take(ask);
        }
    }

    /// Takes no more; whether nothing is left to be done.
    pub(super) fn is_idle(&mut self) -> bool {
        self.asks.close();
        self.gather(usize::MAX);
        self.queue.is_empty()
    }

    pub(super) fn take(&mut self, ask: Ask) {
        if !ask.reply.is_closed() {
            self.pending.insert(ask.entry.id.clone(), ask.reply);
            self.queue.push_back(ask.entry);
        }
    }

    pub(super) fn answer(&mut self, id: &str, answer: Answer) {
        if let Some(reply) = self.pending.remove(id) {
            // Who asked may have gone.
            let _ = reply.send(answer);
        }
    }

    /// Answers whoever waits for a step.
    pub(super) fn told(&mut self, step: &Step) {
        let id = step.input.id.as_str();
        if self.pending.contains_key(id) {
            self.answer(id, answer(step));
        }
    }
}

fn answer(step: &Step) -> Answer {
    if step.faulty {
        return Err(Error::Faulty);
    }
    let refused = step.effects.iter().find_map(|e| match e {
        Effect::Refused { input, why } if *input == step.input.id => Some(why.clone()),
        _ => None,
    });
    match refused {
        Some(why) => Err(Error::Refused(why)),
        None => Ok(step.effects.clone()),
    }
}

//! What must hold of callbacks, and of time.

use super::super::bench::Record;
use super::super::books::{Place, Slot};
use super::Checker;
use crate::centre::{DialEnd, Effect};

impl Checker {
    pub(super) fn of_callbacks(&mut self, record: &Record, effect: &Effect) {
        match effect {
            Effect::CallbackPromised {
                item,
                team,
                from,
                to,
                ..
            } => {
                self.expect(item, "callback", |p| {
                    matches!(p, Place::Nowhere | Place::Waiting { .. })
                });
                let code = self.books.items.get(item).map(|i| i.municipality);
                let may = code.map(|c| self.books.may_promise(c, team.as_ref(), *from, *to));
                if let Some(Err(why)) = may
                    && !record.input.recovered
                {
                    self.fault(format!("{item} was promised a callback {why}"));
                }
                let slot = self
                    .books
                    .promised
                    .entry((team.clone(), *from))
                    .or_default();
                slot.insert(item.clone());
                if let Some(i) = self.books.items.get_mut(item) {
                    i.promised = true;
                }
                self.go(item, Place::Callback);
            }
            Effect::CallbackDue { item } | Effect::CallbackPostponed { item, .. } => {
                self.expect(item, "due", |p| {
                    matches!(p, Place::Callback | Place::Nowhere)
                });
                self.go(item, Place::Callback);
            }
            Effect::Dialing {
                item,
                agent,
                epoch,
                until,
            } => {
                self.expect(item, "dialing", |p| {
                    matches!(p, Place::Callback | Place::Nowhere)
                });
                if !self.books.items.get(item).is_some_and(|i| i.promised) {
                    self.fault(format!("{item} is rung without a promise"));
                }
                self.epoch(item, *epoch, "dialing");
                self.gets(agent, item, Slot::Work, "dialing");
                let (agent, until) = (agent.clone(), *until);
                self.go(item, Place::Ringing { agent, until });
            }
            Effect::DialRenewed {
                item, agent, until, ..
            } => {
                let now = self.now;
                self.expect(item, "renewed", |p| {
                    matches!(p, Place::Ringing { agent: a, until: u } if a == agent && *u > now)
                });
                let (agent, until) = (agent.clone(), *until);
                self.go(item, Place::Ringing { agent, until });
            }
            Effect::DialEnded {
                item,
                agent,
                epoch,
                why,
                attempts,
            } => {
                let now = self.now;
                let result = matches!(why, DialEnd::Result(_));
                self.expect(item, "dial ended", |p| {
                    matches!(p, Place::Ringing { agent: a, until } if a == agent && (!result || *until > now))
                });
                self.epoch(item, *epoch, "dial ended");
                let most = self.books.settings.callbacks.attempts;
                if let Some(i) = self.books.items.get_mut(item) {
                    i.attempts += u8::from(*why != DialEnd::Cancelled);
                    if i.attempts != *attempts || i.attempts > most {
                        let rung = i.attempts;
                        self.found
                            .push(format!("{item} was rung {rung} times, not {attempts}"));
                    }
                }
                self.gives_up(agent, item);
                self.go(item, Place::Callback);
            }
            _ => {}
        }
    }

    /// Nothing waits for long while somebody who may take it is free.
    pub(super) fn look_for_the_forgotten(&mut self) {
        let patience = self.books.patience_ms();
        let mut found = Vec::new();
        for id in &self.books.waiting {
            let item = &self.books.items[id];
            for (agent, book) in &self.books.agents {
                let Some(free) = book.free_since else {
                    continue;
                };
                let both = self.now.since(free.max(item.since));
                let right = book
                    .profile
                    .skills
                    .municipalities
                    .contains(&item.municipality);
                if right && both > patience {
                    found.push(format!("{id} waits, and {agent} was free for {both} ms"));
                }
            }
        }
        self.found.extend(found);
    }
}

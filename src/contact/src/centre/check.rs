//! What must hold of the state after every step. For tests: it searches everything.

use super::agent::Hold;
use super::index::Timer;
use super::item::{Item, ItemState, Stage};
use super::{Centre, Fault};

impl Centre {
    /// Makes a deliberate mistake from now on.
    pub fn break_with(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    /// What is wrong with the state; empty when nothing is.
    pub fn faults(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut copy = self.clone();
        for (n, item) in &self.state.items {
            if copy.placing(*n) != self.index.placed.get(n).copied() {
                out.push(format!("{} is not where it belongs in the queue", item.id));
            }
            self.check_item(*n, item, &mut out);
        }
        for (id, agent) in &self.state.agents {
            for (n, hold) in &agent.holds {
                let item = self.state.items.get(n);
                let right = match (hold, item.map(|i| &i.state)) {
                    (Hold::Offer, Some(ItemState::Offered { agent, .. }))
                    | (Hold::Chat, Some(ItemState::Owned { agent, .. }))
                    | (Hold::Call, Some(ItemState::Callback(Stage::Ringing { agent, .. }))) => {
                        agent == id
                    }
                    (Hold::WrapUp { .. }, None | Some(ItemState::Closed { .. })) => true,
                    _ => false,
                };
                if !right {
                    out.push(format!("{id} has {hold:?} of {n}, which is {item:?}"));
                }
            }
            let holds = !agent.holds.is_empty() || !agent.links.is_empty();
            if holds && !agent.signed_in {
                out.push(format!("{id} is signed out and holds {:?}", agent.holds));
            }
            if agent.takes_offers() != self.index.free.contains(id) {
                out.push(format!("{id} is wrongly in or out of the free"));
            }
        }
        if self.index.next_timer().is_some_and(|t| t <= self.state.now) {
            out.push(format!(
                "a deadline is not ahead: {:?}",
                self.index.next_timer()
            ));
        }
        if !self.index.dirty_items.is_empty() || !self.index.dirty_agents.is_empty() {
            out.push("something is not looked at".into());
        }
        let fresh = Centre::from_state(self.state.clone());
        for n in self.state.items.keys() {
            let (a, b) = (
                self.index.timer(&Timer::Item(*n)),
                fresh.index.timer(&Timer::Item(*n)),
            );
            if a != b {
                out.push(format!("item {n} has timer {a:?}, a fresh index {b:?}"));
            }
        }
        for id in self.state.agents.keys() {
            let timer = Timer::Agent(id.clone());
            let (a, b) = (self.index.timer(&timer), fresh.index.timer(&timer));
            if a != b {
                out.push(format!("{id} has timer {a:?}, a fresh index {b:?}"));
            }
        }
        if self.index.slots != fresh.index.slots || self.index.promised != fresh.index.promised {
            out.push("slots or promises are miscounted".into());
        }
        out
    }

    fn check_item(&self, n: u64, item: &Item, out: &mut Vec<String>) {
        let id = &item.id;
        if let Some(holder) = item.holder() {
            match self.state.agents.get(holder) {
                None => out.push(format!("{id} is with nobody known: {holder}")),
                Some(agent) => {
                    if !agent.holds.contains_key(&n) {
                        out.push(format!("{id} is with {holder}, whose slots do not show it"));
                    }
                    let right = &agent.profile.skills.municipalities;
                    if !right.contains(&item.municipality) {
                        out.push(format!("{id} is with {holder}, who has no right to it"));
                    }
                    let offered = matches!(item.state, ItemState::Offered { .. });
                    if !agent.signed_in || offered && agent.links.is_empty() {
                        out.push(format!("{id} is with {holder}, who is absent"));
                    }
                }
            }
        }
        let rings = matches!(item.state, ItemState::Callback(_));
        let chats = matches!(
            item.state,
            ItemState::Waiting { .. } | ItemState::Owned { .. }
        );
        if rings && item.callback.is_none() || chats && item.callback.is_some() {
            out.push(format!("{id} is neither chat nor callback"));
        }
        if let ItemState::Waiting { held } = item.state
            && held == self.serves(item.municipality)
        {
            out.push(format!("{id} is held {held}, against the hours"));
        }
        if let Some((key, _)) = self.index.placed.get(&n) {
            for free in &self.index.free {
                let fits = self.index.able.get(free).is_some_and(|a| a.fits(key));
                let rests = item.avoid.get(free).is_some_and(|t| *t > self.state.now);
                if fits && !rests {
                    out.push(format!("{id} waits while {free} is free"));
                }
            }
        }
    }
}

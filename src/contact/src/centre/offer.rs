//! Offers: made, accepted, declined, ignored; and taking from the list.

use super::Centre;
use super::agent::{Hold, Pause};
use super::effect::{Effect, OfferEnd, Refusal, WaitReason};
use super::ids::{AgentId, ItemId};
use super::item::{Decision, ItemState, Reason};

impl Centre {
    /// Offers an item to the agent that was decided on.
    pub(super) fn offer(&mut self, n: u64, decision: Decision) {
        let until = self.state.now.plus(self.state.settings.offer_timeout_ms);
        let (agent, offer) = (decision.agent.clone(), decision.offer);
        let item = self.item_mut(n);
        item.offers = offer;
        item.state = ItemState::Offered {
            agent: agent.clone(),
            offer,
            until,
        };
        Self::keep_decision(item, decision.clone());
        let (id, call) = (item.id.clone(), item.callback.is_some());
        self.take_slot(&agent, n, Hold::Offer);
        self.out.push(Effect::Offered {
            item: id,
            until,
            call,
            decision,
        });
        self.touch_item(n);
    }

    pub(super) fn take_slot(&mut self, id: &AgentId, n: u64, hold: Hold) {
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.holds.insert(n, hold);
            self.touch_agent(id);
        }
    }

    pub(super) fn free_slot(&mut self, id: &AgentId, n: u64) {
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.holds.remove(&n);
            self.touch_agent(id);
        }
    }

    /// Ends an offer; the caller says where the item goes.
    pub(super) fn end_offer(&mut self, n: u64, why: OfferEnd) {
        let item = self.item_at(n);
        let ItemState::Offered { agent, offer, .. } = item.state.clone() else {
            return;
        };
        let item = item.id.clone();
        self.free_slot(&agent, n);
        self.out.push(Effect::OfferEnded {
            item,
            agent,
            offer,
            why,
        });
    }

    /// Back to the queue, or for a callback to what is due, at the old place.
    pub(super) fn put_back(&mut self, n: u64, why: WaitReason) {
        if self.item_at(n).callback.is_some() {
            self.ring_or_rest(n);
            self.touch_item(n);
        } else {
            self.wait(n, why);
        }
    }

    /// Not to be offered to the same agent at once.
    pub(super) fn rest(&mut self, n: u64, agent: &AgentId) {
        let until = self.state.now.plus(self.state.settings.rest_ms);
        self.item_mut(n).avoid.insert(agent.clone(), until);
    }

    pub(super) fn accept(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        offer: u64,
    ) -> Result<(), Refusal> {
        let n = self.number(id)?;
        self.agent(agent)?;
        let unchecked = self.accepts_unchecked();
        match &self.item_at(n).state {
            ItemState::Offered {
                agent: to,
                offer: current,
                ..
            } if unchecked || (to == agent && *current == offer) => {}
            ItemState::Owned { agent: owner, .. } if owner == agent => {
                return Err(Refusal::Duplicate);
            }
            ItemState::Owned { .. } if unchecked => {}
            ItemState::Owned { .. } => return Err(Refusal::Taken),
            ItemState::Closed { .. } => return Err(Refusal::Ended),
            _ => return Err(Refusal::OfferOver),
        }
        if unchecked && self.item_at(n).callback.is_some() {
            return Err(Refusal::OfferOver);
        }
        if !unchecked {
            self.end_offer(n, OfferEnd::Accepted);
        }
        self.own(n, agent);
        Ok(())
    }

    #[cfg(any(test, feature = "sim"))]
    fn accepts_unchecked(&self) -> bool {
        self.fault == Some(super::Fault::AcceptUnchecked)
    }

    #[cfg(not(any(test, feature = "sim")))]
    fn accepts_unchecked(&self) -> bool {
        false
    }

    pub(super) fn decline(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        offer: u64,
    ) -> Result<(), Refusal> {
        let n = self.number(id)?;
        match &self.item_at(n).state {
            ItemState::Offered {
                agent: to,
                offer: current,
                ..
            } if to == agent && *current == offer => {}
            _ => return Err(Refusal::OfferOver),
        }
        if let Ok(a) = self.agent_mut(agent) {
            a.ignored = 0;
        }
        self.end_offer(n, OfferEnd::Declined);
        self.rest(n, agent);
        self.put_back(n, WaitReason::Declined);
        Ok(())
    }

    /// An offer ran out. Who lets too many run out is paused, and stays signed in.
    pub(super) fn ignored(&mut self, n: u64) {
        let Some(id) = self.item_at(n).holder().cloned() else {
            return;
        };
        self.end_offer(n, OfferEnd::Ignored);
        let limit = self.state.settings.ignored_limit;
        if let Ok(agent) = self.agent_mut(&id) {
            agent.ignored = agent.ignored.saturating_add(1);
            if limit > 0 && agent.ignored >= limit && agent.paused.is_none() {
                agent.paused = Some(Pause::Ignored);
                self.touch_agent(&id);
                self.show_agent(&id);
            }
        }
        self.rest(n, &id);
        self.put_back(n, WaitReason::Ignored);
    }

    /// Whether an agent could take an item from the list now.
    pub(super) fn may_take(&mut self, n: u64, id: &AgentId) -> Result<(), Refusal> {
        let key = self.key(n).ok_or(Refusal::UnknownItem)?;
        let agent = self.agent(id)?;
        if !agent.signed_in || agent.links.is_empty() {
            Err(Refusal::Absent)
        } else if agent.paused.is_some() {
            Err(Refusal::Paused)
        } else if !self.index.able.get(id).is_some_and(|a| a.fits(&key)) {
            Err(Refusal::NotAllowed)
        } else if agent.free() == 0 {
            Err(Refusal::NoRoom)
        } else {
            Ok(())
        }
    }

    pub(super) fn pick(&mut self, id: &ItemId, agent: &AgentId) -> Result<(), Refusal> {
        let n = self.number(id)?;
        match &self.item_at(n).state {
            ItemState::Waiting { .. } => {}
            ItemState::Owned { agent: owner, .. } if owner == agent => {
                return Err(Refusal::Duplicate);
            }
            ItemState::Offered { .. } | ItemState::Owned { .. } => return Err(Refusal::Taken),
            ItemState::Callback(_) => return Err(Refusal::WrongState),
            ItemState::Closed { .. } => return Err(Refusal::Ended),
        }
        self.may_take(n, agent)?;
        self.note_pick(n, agent);
        self.own(n, agent);
        Ok(())
    }

    /// Keeps with the item that the agent chose it.
    pub(super) fn note_pick(&mut self, n: u64, id: &AgentId) {
        self.charge(n, id);
        let (item, now) = (self.item_at(n), self.state.now);
        let Some(agent) = self.state.agents.get(id) else {
            return;
        };
        let decision = Decision {
            at: now,
            agent: id.clone(),
            offer: item.offers,
            reason: Reason::Picked,
            candidates: 1,
            free: agent.free(),
            idle_since: agent.idle_since,
            skills: self.index.able.get(id).map_or(0, |a| a.breadth),
            needs: self.state.insists(item).needs,
            overdue: self.state.overdue_at(item) <= now,
            owed: false,
        };
        Self::keep_decision(self.item_mut(n), decision);
    }
}

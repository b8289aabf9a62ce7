//! Ringing back: promised, due, rung by one agent at a time, tracked to the end.

use base::MunicipalityCode;

use super::Centre;
use super::agent::Hold;
use super::effect::{DialEnd, Effect, OfferEnd, Refusal};
use super::ids::{AgentId, AreaId, ItemId};
use super::input::{CallbackRequest, Command, DialResult};
use super::item::{Brief, Callback, Handover, ItemState, Outcome, Stage};

impl Centre {
    /// Turns a waiting place into a callback.
    ///
    /// One that is recovered was promised: it is kept, whatever the slot looks like by now.
    pub(super) fn convert(
        &mut self,
        id: &ItemId,
        wish: &CallbackRequest,
        recovered: bool,
    ) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        match &item.state {
            ItemState::Waiting { .. } | ItemState::Offered { .. } if item.callback.is_none() => {}
            ItemState::Closed { .. } => return Err(Refusal::Ended),
            _ => return Err(Refusal::WrongState),
        }
        let mut others = self
            .index
            .of_dialogue
            .get(&item.dialogue)
            .into_iter()
            .flatten();
        if let Some(other) = others.find(|o| {
            let other = self.item_at(**o);
            other.is_open() && other.callback.is_some()
        }) {
            return Err(Refusal::AlreadyOpen(self.item_at(*other).id.clone()));
        }
        let callback = self.callback(item.municipality, item.area.as_ref(), wish, recovered)?;
        if matches!(self.item_at(n).state, ItemState::Offered { .. }) {
            self.end_offer(n, OfferEnd::Withdrawn);
        }
        let code = self.item_at(n).municipality;
        self.state.stats.converted(code);
        self.promise(n, callback);
        Ok(())
    }

    /// The promise that a wish makes.
    fn callback(
        &self,
        municipality: MunicipalityCode,
        area: Option<&AreaId>,
        wish: &CallbackRequest,
        recovered: bool,
    ) -> Result<Callback, Refusal> {
        let team = self.slot_team(municipality, area);
        let to = match self.check_slot(municipality, team.as_ref(), wish.from) {
            Ok(to) => to,
            Err(_) if recovered && wish.from < self.slots_end() => {
                wish.from.plus(self.state.settings.callbacks.slot_ms)
            }
            Err(why) => return Err(why),
        };
        if let Some(topic) = &wish.topic {
            self.fits("topic", topic)?;
        }
        Ok(Callback {
            reference: wish.reference.clone(),
            phone: wish.phone.clone(),
            topic: wish.topic.clone(),
            team,
            from: wish.from,
            to,
            attempts: 0,
            late: false,
        })
    }

    fn promise(&mut self, n: u64, callback: Callback) {
        let (team, from) = (callback.team.clone(), callback.from);
        self.index.promise(team.clone(), from, true);
        self.out.push(Effect::CallbackPromised {
            item: self.item_at(n).id.clone(),
            reference: callback.reference.clone(),
            team,
            from,
            to: callback.to,
        });
        let item = self.item_mut(n);
        item.callback = Some(callback);
        item.state = ItemState::Callback(Stage::Promised);
        item.links.clear();
        item.lost_at = None;
        self.touch_item(n);
    }

    /// A callback for somebody who does not wait, such as outside hours.
    pub(super) fn request_callback(
        &mut self,
        command: &Command,
        recovered: bool,
    ) -> Result<(), Refusal> {
        let Command::RequestCallback {
            item,
            dialogue,
            municipality,
            area,
            language,
            audience,
            class,
            promise,
        } = command
        else {
            return Err(Refusal::WrongState);
        };
        let handover = Handover {
            item: item.clone(),
            dialogue: dialogue.clone(),
            municipality: *municipality,
            area: area.clone(),
            language: *language,
            audience: *audience,
            class: *class,
            brief: Brief::default(),
        };
        self.may_open(&handover, true)?;
        let callback = self.callback(*municipality, area.as_ref(), promise, recovered)?;
        let n = self.open(&handover, None, false);
        self.promise(n, callback);
        Ok(())
    }

    /// The citizen wants no call any more.
    pub(super) fn cancel(&mut self, id: &ItemId) -> Result<(), Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        match &item.state {
            ItemState::Closed { .. } => return Err(Refusal::Ended),
            _ if item.callback.is_none() => return Err(Refusal::WrongState),
            ItemState::Offered { .. } => self.end_offer(n, OfferEnd::Withdrawn),
            ItemState::Callback(Stage::Ringing { agent, .. }) => {
                let agent = agent.clone();
                self.stop_ringing(n, &agent, DialEnd::Cancelled, false);
            }
            _ => {}
        }
        self.close(n, Outcome::Cancelled, None);
        Ok(())
    }

    /// The slot has begun, or the time between two attempts is over.
    pub(super) fn callback_due(&mut self, n: u64) {
        let now = self.state.now;
        let item = self.item_mut(n);
        item.avoid.clear();
        item.route.since = now;
        if self.ring_or_rest(n) && self.attempts(n) == 0 {
            self.route(n, true);
        }
        self.touch_item(n);
    }

    /// To be rung now; but not after closing time, then at the next opening. True when now.
    pub(super) fn ring_or_rest(&mut self, n: u64) -> bool {
        let now = self.state.now;
        let code = self.item_at(n).municipality;
        let m = self.state.municipalities.get(&code);
        // Hours that never come are looked at again after the time between attempts.
        let retry = now.plus(self.state.settings.callbacks.retry_ms);
        let opens = m.and_then(|m| m.changes_at).unwrap_or(retry);
        let serves = self.serves(code);
        let item = self.item_mut(n);
        let id = item.id.clone();
        if serves {
            item.state = ItemState::Callback(Stage::Due);
            self.out.push(Effect::CallbackDue { item: id });
        } else {
            item.state = ItemState::Callback(Stage::Resting { until: opens });
            self.out.push(Effect::CallbackPostponed {
                item: id,
                until: opens,
            });
        }
        self.note_late(n);
        serves
    }

    fn attempts(&self, n: u64) -> u8 {
        let callback = self.item_at(n).callback.as_ref();
        callback.map_or(0, |c| c.attempts)
    }

    /// Tells supervisors, once, that a slot ended before anybody rang.
    pub(super) fn note_late(&mut self, n: u64) {
        let now = self.state.now;
        let item = self.item_mut(n);
        if let Some(c) = &mut item.callback
            && c.attempts == 0
            && !c.late
            && c.to <= now
        {
            c.late = true;
            let item = item.id.clone();
            self.out.push(Effect::CallbackLate { item });
        }
    }

    /// An agent takes a callback from the list.
    pub(super) fn dial(&mut self, id: &ItemId, agent: &AgentId) -> Result<(), Refusal> {
        let n = self.number(id)?;
        match &self.item_at(n).state {
            ItemState::Callback(Stage::Due) => {}
            ItemState::Callback(Stage::Ringing { agent: other, .. }) if other == agent => {
                return Err(Refusal::Duplicate);
            }
            ItemState::Callback(Stage::Ringing { .. }) => return Err(Refusal::Taken),
            ItemState::Offered { .. } if self.item_at(n).callback.is_some() => {
                return Err(Refusal::Taken);
            }
            ItemState::Callback(_) => return Err(Refusal::NotDue),
            ItemState::Closed { .. } => return Err(Refusal::Ended),
            _ => return Err(Refusal::WrongState),
        }
        self.may_take(n, agent)?;
        self.note_pick(n, agent);
        self.ring(n, agent);
        Ok(())
    }

    /// Gives an agent the sole right to ring.
    pub(super) fn ring(&mut self, n: u64, id: &AgentId) {
        let now = self.state.now;
        let until = now.plus(self.state.settings.callbacks.lease_ms);
        let item = self.item_mut(n);
        item.epoch += 1;
        item.state = ItemState::Callback(Stage::Ringing {
            agent: id.clone(),
            since: now,
            until,
        });
        let (item, epoch) = (item.id.clone(), item.epoch);
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.ignored = 0;
            agent.idle_since = now;
        }
        self.take_slot(id, n, Hold::Call);
        self.out.push(Effect::Dialing {
            item,
            agent: id.clone(),
            epoch,
            until,
        });
        self.touch_item(n);
    }

    /// The item's number, if this agent alone may ring. A lease that ran out is over, whoever noticed first:
    /// time passed before this was asked.
    fn ringing(&self, id: &ItemId, agent: &AgentId, epoch: u64) -> Result<u64, Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        match &item.state {
            ItemState::Callback(Stage::Ringing { agent: a, .. })
                if a == agent && item.epoch == epoch =>
            {
                Ok(n)
            }
            ItemState::Closed { .. } => Err(Refusal::Ended),
            _ => Err(Refusal::LeaseOver),
        }
    }

    pub(super) fn renew(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
    ) -> Result<(), Refusal> {
        let n = self.ringing(id, agent, epoch)?;
        let end = self.state.now.plus(self.state.settings.callbacks.lease_ms);
        if let ItemState::Callback(Stage::Ringing { until, .. }) = &mut self.item_mut(n).state {
            *until = end;
        }
        self.out.push(Effect::DialRenewed {
            item: id.clone(),
            agent: agent.clone(),
            epoch,
            until: end,
        });
        self.touch_item(n);
        Ok(())
    }

    pub(super) fn end_dial(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
        result: DialResult,
    ) -> Result<(), Refusal> {
        let n = self.ringing(id, agent, epoch)?;
        let end = DialEnd::Result(result);
        let ItemState::Callback(Stage::Ringing { since, .. }) = self.item_at(n).state else {
            return Err(Refusal::LeaseOver);
        };
        match result {
            DialResult::Reached => {
                self.stop_ringing(n, agent, end, true);
                self.close(n, Outcome::Reached, Some(agent.clone()));
                self.wrap_up(n, agent, since);
            }
            DialResult::WrongNumber => {
                self.stop_ringing(n, agent, end, true);
                self.close(n, Outcome::Unreached, Some(agent.clone()));
            }
            DialResult::NoAnswer | DialResult::Busy => self.end_ringing(n, end),
        }
        Ok(())
    }

    pub(super) fn lease_over(&mut self, n: u64) {
        self.end_ringing(n, DialEnd::LeaseOver);
    }

    /// An attempt is over, in vain as far as is known: another later, or the end.
    pub(super) fn end_ringing(&mut self, n: u64, why: DialEnd) {
        let ItemState::Callback(Stage::Ringing { agent, .. }) = self.item_at(n).state.clone()
        else {
            return;
        };
        self.stop_ringing(n, &agent, why, true);
        let rules = &self.state.settings.callbacks;
        let (most, until) = (rules.attempts, self.state.now.plus(rules.retry_ms));
        if self.attempts(n) >= most {
            self.close(n, Outcome::Unreached, Some(agent));
        } else {
            self.item_mut(n).state = ItemState::Callback(Stage::Resting { until });
            self.touch_item(n);
        }
    }

    /// Takes the right to ring away; the caller says where the item goes.
    fn stop_ringing(&mut self, n: u64, id: &AgentId, why: DialEnd, attempt: bool) {
        let now = self.state.now;
        let item = self.item_mut(n);
        item.epoch += 1;
        let attempts = item.callback.as_mut().map_or(0, |c| {
            c.attempts = c.attempts.saturating_add(u8::from(attempt));
            c.attempts
        });
        let (item, epoch) = (item.id.clone(), item.epoch);
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.idle_since = now;
        }
        self.free_slot(id, n);
        self.out.push(Effect::DialEnded {
            item,
            agent: id.clone(),
            epoch,
            why,
            attempts,
        });
    }
}

//! Owning an item: beginning, handing on, losing, closing.

use super::Centre;
use super::agent::Hold;
use super::effect::{DialEnd, Effect, OfferEnd, Refusal, ReleaseReason, WaitReason};
use super::ids::{AgentId, ItemId, Text};
use super::item::{Brief, Chosen, Item, ItemState, Outcome, Route, Stage, Target};

impl Centre {
    /// Gives an item to an agent; for a callback the sole right to ring.
    pub(super) fn own(&mut self, n: u64, id: &AgentId) {
        if self.item_at(n).callback.is_some() {
            return self.ring(n, id);
        }
        let now = self.state.now;
        self.learn(n, true);
        let item = self.item_mut(n);
        item.epoch += 1;
        item.state = ItemState::Owned {
            agent: id.clone(),
            since: now,
        };
        item.told = None;
        let first = item.answered_at.is_none();
        item.answered_at.get_or_insert(now);
        let (code, wait_ms) = (item.municipality, now.since(item.place));
        let (item, dialogue, epoch) = (item.id.clone(), item.dialogue.clone(), item.epoch);
        if first {
            let within = wait_ms <= self.state.settings.service_level_ms;
            self.state.stats.answered(code, wait_ms, within);
        }
        let mut name = String::new();
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.ignored = 0;
            agent.idle_since = now;
            name.clone_from(&agent.profile.name);
        }
        self.take_slot(id, n, Hold::Chat);
        self.out.push(Effect::Owned {
            item,
            dialogue,
            agent: id.clone(),
            name,
            epoch,
        });
        self.touch_item(n);
    }

    /// The item's number, if this agent owns it and knows it.
    pub(super) fn owned_by(
        &self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
    ) -> Result<u64, Refusal> {
        let n = self.number(id)?;
        let item = self.item_at(n);
        #[cfg(any(test, feature = "sim"))]
        if self.fault == Some(super::Fault::EpochUnchecked) && item.owner().is_some() {
            return Ok(n);
        }
        match &item.state {
            ItemState::Owned { agent: owner, .. } if owner != agent => Err(Refusal::NotYours),
            ItemState::Owned { .. } if item.epoch != epoch => Err(Refusal::Stale),
            ItemState::Owned { .. } => Ok(n),
            ItemState::Closed { .. } => Err(Refusal::Ended),
            _ => Err(Refusal::NotYours),
        }
    }

    /// Takes an item from its owner; the caller says where it goes.
    pub(super) fn disown(&mut self, n: u64, why: ReleaseReason) {
        let now = self.state.now;
        let item = self.item_mut(n);
        let ItemState::Owned { agent, since } = item.state.clone() else {
            return;
        };
        item.epoch += 1;
        let (item, epoch) = (item.id.clone(), item.epoch);
        self.count_handled(n, now.since(since));
        if let Some(a) = self.state.agents.get_mut(&agent) {
            a.idle_since = now;
        }
        self.free_slot(&agent, n);
        self.out.push(Effect::Released {
            item,
            agent,
            epoch,
            why,
        });
    }

    /// An item took a slot for so long, wrap-up included.
    pub(super) fn count_handled(&mut self, n: u64, ms: u64) {
        self.state.estimator.handled(ms);
        let item = self.state.items.get(&n);
        self.state.stats.handled(item.map(|i| i.municipality), ms);
    }

    /// An agent who is gone, or has no right any more, gives up what takes a slot.
    pub(super) fn lose(&mut self, n: u64, id: &AgentId, revoked: bool) {
        let state = self.state.items.get(&n).map(|i| i.state.clone());
        match state {
            Some(ItemState::Offered { agent, .. }) if agent == *id => {
                let (end, why) = if revoked {
                    (OfferEnd::Revoked, WaitReason::Withdrawn)
                } else {
                    (OfferEnd::AgentLost, WaitReason::AgentLost)
                };
                self.end_offer(n, end);
                self.put_back(n, why);
            }
            Some(ItemState::Owned { agent, .. }) if agent == *id => {
                let (release, why) = if revoked {
                    (ReleaseReason::Revoked, WaitReason::Withdrawn)
                } else {
                    (ReleaseReason::AgentLost, WaitReason::AgentLost)
                };
                self.disown(n, release);
                self.wait(n, why);
            }
            Some(ItemState::Callback(Stage::Ringing { agent, .. })) if agent == *id => {
                let why = if revoked {
                    DialEnd::Revoked
                } else {
                    DialEnd::AgentLost
                };
                self.end_ringing(n, why);
            }
            _ => {
                self.end_wrap_up(id, n);
                self.free_slot(id, n);
            }
        }
    }

    pub(super) fn transfer(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
        to: &Target,
        note: Option<&Text>,
    ) -> Result<(), Refusal> {
        let n = self.owned_by(id, agent, epoch)?;
        if let Some(note) = note {
            self.fits("note", note)?;
        }
        let item = self.item_at(n);
        let mut code = item.municipality;
        match to {
            Target::Agent(other) => {
                let a = self.agent(other)?;
                if other == agent {
                    return Err(Refusal::WrongState);
                } else if !a.signed_in || a.links.is_empty() {
                    return Err(Refusal::Absent);
                } else if !a.profile.skills.municipalities.contains(&code) {
                    return Err(Refusal::NotAllowed);
                }
            }
            Target::Team(team) => {
                let t = self.state.teams.get(team).ok_or(Refusal::UnknownTeam)?;
                if !t.team.municipalities.contains(&code) {
                    return Err(Refusal::NotAllowed);
                }
            }
            Target::Municipality(other) => {
                let m = self.state.municipalities.get(other);
                let m = m.ok_or(Refusal::UnknownMunicipality)?;
                if *other == code {
                    return Err(Refusal::WrongState);
                } else if !m.open {
                    let opens = m.changes_at;
                    return Err(Refusal::Closed { opens });
                }
                code = *other;
            }
            Target::Specialist(_) | Target::Bot => {}
        }
        let transferred = Effect::Transferred {
            item: id.clone(),
            agent: agent.clone(),
            to: to.clone(),
            municipality: code,
            note: note.cloned(),
        };
        if *to == Target::Bot {
            self.out.push(transferred);
            self.close(n, Outcome::Bot, Some(agent.clone()));
            return Ok(());
        }
        self.disown(n, ReleaseReason::Transferred);
        self.out.push(transferred);
        let since = self.state.now;
        let item = self.item_mut(n);
        let mut route = Route {
            since,
            team: item.route.team.clone(),
            chosen: None,
            fallback: item.route.fallback,
        };
        match to {
            Target::Agent(other) => {
                route.chosen = Some(Chosen::Agent(other.clone()));
                item.avoid.remove(other);
            }
            Target::Team(team) => {
                route.team = Some(team.clone());
                route.chosen = Some(Chosen::Team);
                route.fallback = false;
            }
            Target::Specialist(area) => {
                item.area = Some(area.clone());
                route.team = None;
                route.chosen = Some(Chosen::Specialist);
                route.fallback = false;
            }
            Target::Municipality(_) | Target::Bot => {}
        }
        item.route = route;
        item.told = None;
        if code != item.municipality {
            item.passed.insert(item.municipality);
            item.municipality = code;
            self.route(n, true);
            self.end_watching_without_right(n);
        }
        self.rest(n, agent);
        self.wait(n, WaitReason::Transferred);
        if !self.staffed(code) {
            self.offer_callback(n, super::CallbackReason::NoAgents);
        }
        Ok(())
    }

    pub(super) fn close_by(
        &mut self,
        id: &ItemId,
        agent: &AgentId,
        epoch: u64,
        code: &Text,
    ) -> Result<(), Refusal> {
        let n = self.owned_by(id, agent, epoch)?;
        self.fits("code", code)?;
        let outcome = Outcome::Settled { code: code.clone() };
        self.close(n, outcome, Some(agent.clone()));
        Ok(())
    }

    /// Settles an item. What it held is given back; its owner's slot stays taken for wrapping up. The brief
    /// and the citizen's traces are forgotten.
    pub(super) fn close(&mut self, n: u64, outcome: Outcome, by: Option<AgentId>) {
        let now = self.state.now;
        let state = self.item_at(n).state.clone();
        let promise = self.item_at(n).callback.clone();
        if let Some(c) = promise {
            self.index.promise(c.team, c.from, false);
        }
        let item = self.item_mut(n);
        if let ItemState::Owned { .. } = state {
            item.epoch += 1;
        }
        item.state = ItemState::Closed {
            at: now,
            outcome: outcome.clone(),
            by: by.clone(),
        };
        forget_texts(item);
        let closed = Effect::Closed {
            item: item.id.clone(),
            dialogue: item.dialogue.clone(),
            outcome,
            by,
            epoch: item.epoch,
        };
        self.state.settled.push_back((now, n));
        self.out.push(closed);
        if let ItemState::Owned { agent, since } = state {
            self.wrap_up(n, &agent, since);
        }
        self.touch_item(n);
    }

    /// A slot taken since `since` stays taken for wrapping up.
    pub(super) fn wrap_up(&mut self, n: u64, id: &AgentId, since: super::Moment) {
        let now = self.state.now;
        let ms = self.state.settings.wrap_up_ms;
        if let Some(agent) = self.state.agents.get_mut(id) {
            agent.idle_since = now;
            let until = now.plus(ms);
            agent.holds.insert(n, Hold::WrapUp { since, until });
        }
        if ms == 0 {
            self.end_wrap_up(id, n);
        }
        self.touch_agent(id);
        self.show_agent(id);
    }
}

fn forget_texts(item: &mut Item) {
    item.brief = Brief::default();
    item.links.clear();
    item.lost_at = None;
    item.avoid.clear();
    item.watchers.clear();
    if let Some(callback) = &mut item.callback {
        callback.topic = None;
    }
}

//! Agents who come, go, are lost and come back.

use base::MunicipalityCode;

use super::Centre;
use super::agent::{Agent, Hold, Mode, Pause};
use super::effect::{Effect, Refusal};
use super::ids::{AgentId, ConnectionId, ItemId, Moment, NodeId};
use super::item::{CallbackReason, ItemState, Link};

/// Connections kept of one agent or citizen.
pub(super) const LINKS: usize = 16;

impl Centre {
    pub(super) fn agent_deadline(&self, id: &AgentId) -> Option<Moment> {
        let agent = self.state.agents.get(id)?;
        let grace = self.state.settings.connection_grace_ms;
        let lost = agent.lost_at.map(|t| t.plus(grace));
        let wraps = agent.holds.values().filter_map(|h| match h {
            Hold::WrapUp { until, .. } => Some(*until),
            _ => None,
        });
        let dates = wraps.chain(lost).chain(agent.steady_at);
        dates.min()
    }

    pub(super) fn expire_agent(&mut self, id: &AgentId) {
        let now = self.state.now;
        let grace = self.state.settings.connection_grace_ms;
        let Some(agent) = self.state.agents.get_mut(id) else {
            return;
        };
        if agent.steady_at.is_some_and(|t| t <= now) {
            agent.steady_at = None;
        }
        let gone = agent.lost_at.is_some_and(|t| t.plus(grace) <= now);
        let wrapped = |(n, h): (&u64, &Hold)| match h {
            Hold::WrapUp { until, .. } if *until <= now => Some(*n),
            _ => None,
        };
        let wrapped: Vec<u64> = agent.holds.iter().filter_map(wrapped).collect();
        wrapped.into_iter().for_each(|n| self.end_wrap_up(id, n));
        if gone {
            self.sign_out(id, false);
        }
        self.touch_agent(id);
    }

    pub(super) fn agent_present(&mut self, id: &AgentId, link: &Link) -> Result<(), Refusal> {
        let (now, steady_ms) = (self.state.now, self.state.settings.steady_ms);
        let agent = self.agent_mut(id)?;
        if agent.links.len() >= LINKS && !agent.links.contains_key(&link.connection) {
            return Err(Refusal::Full);
        }
        let link = link.clone();
        agent.links.insert(link.connection, link.node);
        if !agent.signed_in {
            agent.signed_in = true;
            agent.paused = None;
            agent.ignored = 0;
            agent.idle_since = now;
        } else if agent.lost_at.is_some() {
            agent.steady_at = Some(now.plus(steady_ms));
        }
        agent.lost_at = None;
        self.touch_agent(id);
        self.show_agent(id);
        self.tell_staffed(id);
        Ok(())
    }

    /// A connection is gone, or its page answers no more. The last one starts the grace: what was offered
    /// goes back at once, the chats stay.
    pub(super) fn agent_absent(
        &mut self,
        id: &AgentId,
        connection: &ConnectionId,
    ) -> Result<(), Refusal> {
        if self.agent_mut(id)?.links.remove(connection).is_some() {
            self.link_lost(id);
        }
        Ok(())
    }

    fn link_lost(&mut self, id: &AgentId) {
        let now = self.state.now;
        let Some(agent) = self.state.agents.get_mut(id) else {
            return;
        };
        if !agent.links.is_empty() || agent.lost_at.is_some() || !agent.signed_in {
            return;
        }
        agent.lost_at = Some(now);
        agent.steady_at = None;
        let offered = |(n, h): (&u64, &Hold)| (*h == Hold::Offer).then_some(*n);
        let offered: Vec<u64> = agent.holds.iter().filter_map(offered).collect();
        offered.into_iter().for_each(|n| self.lose(n, id, false));
        self.touch_agent(id);
        self.show_agent(id);
    }

    /// All connections that a node held are gone, because it died or has just started.
    pub(super) fn node_lost(&mut self, node: &NodeId) -> Result<(), Refusal> {
        let mut agents: Vec<AgentId> = Vec::new();
        for (id, agent) in &mut self.state.agents {
            let before = agent.links.len();
            agent.links.retain(|_, on| on != node);
            if agent.links.len() < before {
                agents.push(id.clone());
            }
        }
        agents.iter().for_each(|a| self.link_lost(a));
        let now = self.state.now;
        let mut items: Vec<u64> = Vec::new();
        for (n, item) in &mut self.state.items {
            let before = item.links.len();
            item.links.retain(|_, on| on != node);
            if item.links.len() < before && item.links.is_empty() {
                item.lost_at = item.lost_at.or(Some(now));
                items.push(*n);
            }
        }
        items.into_iter().for_each(|n| self.touch_item(n));
        Ok(())
    }

    pub(super) fn sign_out_by(&mut self, id: &AgentId) -> Result<(), Refusal> {
        if !self.agent(id)?.signed_in {
            return Err(Refusal::Absent);
        }
        self.sign_out(id, false);
        Ok(())
    }

    /// Everything the agent holds goes back to where it was, at its place.
    pub(super) fn sign_out(&mut self, id: &AgentId, revoked: bool) {
        let Some(agent) = self.state.agents.get_mut(id) else {
            return;
        };
        if !agent.signed_in {
            return;
        }
        agent.signed_in = false;
        agent.links.clear();
        agent.lost_at = None;
        agent.steady_at = None;
        let held: Vec<u64> = agent.holds.keys().copied().collect();
        held.into_iter().for_each(|n| self.lose(n, id, revoked));
        self.out.push(Effect::SignedOut { agent: id.clone() });
        self.touch_agent(id);
        self.show_agent(id);
        self.tell_unstaffed(Some(id));
    }

    pub(super) fn pause(&mut self, id: &AgentId, why: Pause) -> Result<(), Refusal> {
        let agent = self.agent_mut(id)?;
        if !agent.signed_in {
            return Err(Refusal::Absent);
        }
        agent.paused = Some(why);
        self.touch_agent(id);
        self.show_agent(id);
        Ok(())
    }

    pub(super) fn resume(&mut self, id: &AgentId) -> Result<(), Refusal> {
        let agent = self.agent_mut(id)?;
        if !agent.signed_in {
            return Err(Refusal::Absent);
        }
        agent.paused = None;
        agent.ignored = 0;
        self.touch_agent(id);
        self.show_agent(id);
        Ok(())
    }

    pub(super) fn set_mode(&mut self, id: &AgentId, mode: Mode) -> Result<(), Refusal> {
        self.agent_mut(id)?.mode = mode;
        self.touch_agent(id);
        Ok(())
    }

    pub(super) fn wrap_up_done(&mut self, item: &ItemId, id: &AgentId) -> Result<(), Refusal> {
        let n = self.number(item)?;
        match self.agent(id)?.holds.get(&n) {
            Some(Hold::WrapUp { .. }) => {
                self.end_wrap_up(id, n);
                self.touch_agent(id);
                Ok(())
            }
            _ => Err(Refusal::WrongState),
        }
    }

    pub(super) fn end_wrap_up(&mut self, id: &AgentId, n: u64) {
        let now = self.state.now;
        let Some(agent) = self.state.agents.get_mut(id) else {
            return;
        };
        let Some(Hold::WrapUp { since, .. }) = agent.holds.remove(&n) else {
            return;
        };
        agent.idle_since = now;
        self.count_handled(n, now.since(since));
        if let Some(item) = self.state.items.get(&n) {
            let (item, agent) = (item.id.clone(), id.clone());
            self.out.push(Effect::WrapUpEnded { item, agent });
        }
        self.show_agent(id);
    }

    /// Whether any agent is there, the lost ones within their grace included, with the right to a
    /// municipality.
    pub(super) fn staffed(&self, code: MunicipalityCode) -> bool {
        let there = |a: &Agent| a.signed_in && a.profile.skills.municipalities.contains(&code);
        self.state.agents.values().any(there)
    }

    /// Tells those who wait that nobody is left who could answer them; of the municipalities that an agent
    /// who left answered for, or of all.
    pub(super) fn tell_unstaffed(&mut self, left: Option<&AgentId>) {
        let of = left.and_then(|id| self.state.agents.get(id));
        let concerns = |code: &MunicipalityCode| {
            of.is_none_or(|a| a.profile.skills.municipalities.contains(code))
        };
        let codes = self.state.municipalities.keys().copied();
        let bare: Vec<MunicipalityCode> =
            codes.filter(|c| concerns(c) && !self.staffed(*c)).collect();
        if bare.is_empty() {
            return;
        }
        let waits = self.open_items().filter(|i| {
            matches!(i.state, ItemState::Waiting { .. }) && bare.contains(&i.municipality)
        });
        let numbers: Vec<u64> = waits.map(|i| i.number).collect();
        for n in numbers {
            self.offer_callback(n, CallbackReason::NoAgents);
        }
    }

    /// Somebody is there again: should they leave too, the citizens are told again.
    fn tell_staffed(&mut self, id: &AgentId) {
        let Some(agent) = self.state.agents.get(id) else {
            return;
        };
        let right = &agent.profile.skills.municipalities;
        for item in self.state.items.values_mut() {
            if item.told == Some(CallbackReason::NoAgents) && right.contains(&item.municipality) {
                item.told = None;
            }
        }
    }
}

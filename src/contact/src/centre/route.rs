//! Who gets what.
//!
//! An agent with a free slot takes, of everything that fits: first what waited longer than the maximum, by
//! its place; then what belongs to a municipality that is owed a turn; then the lowest score. An item goes,
//! of all the agents it fits who are free: to the agent of last time, if asked for recently; to the one with
//! most free slots; longest idle; fewest skills; lowest id.
//!
//! Between two steps nothing waits that a free agent could take. So only agents who became free in a step
//! need to look at the queue, and only items that came or relaxed in it need to look for agents.

use std::cmp::Reverse;

use super::Centre;
use super::ids::{AgentId, Moment};
use super::index::{Rank, Together, number};
use super::item::{Decision, Item, ItemState, Reason};

/// A municipality is owed this much of an assignment before it goes first.
const TURN: u32 = 1_000;
/// No more turns than these are saved up.
const MOST_OWED: u32 = 3 * TURN;
const DECISIONS_KEPT: usize = 5;

/// What an agent would take; less is first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Choice {
    in_time: bool,
    owed: Reverse<u32>,
    rank: Rank,
}

/// How agents are compared; less is first.
type Merit = (bool, Reverse<u8>, Moment, u32, AgentId);

impl Centre {
    /// Offers what can be offered.
    pub(super) fn dispatch(&mut self) {
        loop {
            let mut best: Option<Choice> = None;
            let mut done: Vec<AgentId> = Vec::new();
            for agent in &self.index.dirty_agents {
                match self.best_for(agent) {
                    Some(choice) => best = Some(best.map_or(choice, |b| b.min(choice))),
                    None => done.push(agent.clone()),
                }
            }
            for agent in &done {
                self.index.dirty_agents.remove(agent);
            }
            let Some(choice) = best else { break };
            if !self.assign(choice.rank.number, choice.owed.0 >= TURN) {
                // Cannot be: whoever chose it fits. But no endless loop, whatever happens.
                break;
            }
        }
        let dirty = std::mem::take(&mut self.index.dirty_items);
        let ranks = dirty.iter().filter_map(|n| self.index.placed.get(n));
        let mut ranks: Vec<Rank> = ranks.map(|(_, rank)| *rank).collect();
        ranks.sort();
        for rank in ranks {
            self.assign(rank.number, false);
        }
        self.index.dirty_agents.clear();
    }

    /// What an agent would take.
    fn best_for(&self, agent: &AgentId) -> Option<Choice> {
        if !self.index.free.contains(agent) {
            return None;
        }
        let able = self.index.able.get(agent)?;
        let avoids = |n: u64| self.avoids(n, agent);
        let firsts = self.state.municipalities.iter().filter_map(|(code, m)| {
            let queue = self.index.queues.get(&number(*code))?;
            let rank = queue.first(able, avoids)?;
            let owed = if m.credit >= TURN { m.credit } else { 0 };
            Some(Choice {
                in_time: rank.in_time,
                owed: Reverse(owed),
                rank,
            })
        });
        firsts.min()
    }

    /// Whether an agent had an item lately and is not to have it again yet.
    fn avoids(&self, n: u64, agent: &AgentId) -> bool {
        let item = self.state.items.get(&n);
        let until = item.and_then(|i| i.avoid.get(agent));
        until.is_some_and(|t| *t > self.state.now)
    }

    /// Finds the best free agent for an item and makes the offer; false when there is none.
    fn assign(&mut self, n: u64, owed: bool) -> bool {
        let Some((key, rank)) = self.index.placed.get(&n).copied() else {
            return false;
        };
        let item = self.item_at(n);
        let now = self.state.now;
        let recent = now.since(item.route.since) < self.state.settings.earlier_agent_ms;
        let earlier = item.earlier.as_ref().filter(|_| recent);
        let mut candidates = 0;
        let (mut first, mut second): (Option<Merit>, Option<Merit>) = (None, None);
        for id in &self.index.free {
            let Some(able) = self.index.able.get(id).filter(|a| a.fits(&key)) else {
                continue;
            };
            let Some(agent) = self.state.agents.get(id).filter(|_| !self.avoids(n, id)) else {
                continue;
            };
            candidates += 1;
            let merit = (
                earlier != Some(id),
                Reverse(agent.free()),
                agent.idle_since,
                able.breadth,
                id.clone(),
            );
            if first.as_ref().is_none_or(|f| merit < *f) {
                second = first.replace(merit);
            } else if second.as_ref().is_none_or(|s| merit < *s) {
                second = Some(merit);
            }
        }
        let Some(merit) = first else { return false };
        let reason = reason(&merit, second.as_ref(), key.agent != 0);
        let needs = self.state.insists(item).needs;
        let (_, Reverse(free), idle_since, skills, agent) = merit;
        let decision = Decision {
            at: now,
            agent,
            offer: item.offers + 1,
            reason,
            candidates,
            free,
            idle_since,
            skills,
            needs,
            overdue: !rank.in_time,
            owed,
        };
        self.charge(n, &decision.agent);
        self.offer(n, decision);
        true
    }

    /// Keeps the account of the municipalities' turns: each one that waits and that this agent could have
    /// served is owed its share of this assignment; the one that got it has had a turn.
    pub(super) fn charge(&mut self, n: u64, agent: &AgentId) {
        let chosen = self.item_at(n).municipality;
        let default = self.state.settings.fair_share_permille;
        for (code, m) in &mut self.state.municipalities {
            let queue = self.index.queues.get(&number(*code));
            if queue.is_none_or(|q| q.buckets.is_empty()) {
                m.credit = 0;
                continue;
            }
            if self.index.may_serve(agent, *code) {
                let share = m.fair_share_permille.unwrap_or(default);
                m.credit = (m.credit + u32::from(share)).min(MOST_OWED);
            }
            if *code == chosen {
                m.credit = m.credit.saturating_sub(TURN);
            }
        }
    }

    /// How many wait in front of an item and compete for its agents, and what the queue-length predictor
    /// makes of it, in ms. None when it does not wait or nobody is there for it.
    pub(super) fn ahead(&self, n: u64) -> Option<(u64, u64)> {
        let (key, rank) = self.index.placed.get(&n)?;
        let there = |id: &AgentId| {
            let agent = self.state.agents.get(id);
            agent.filter(|a| a.signed_in && a.paused.is_none())
        };
        let mut slots = 0;
        let mut rivals = Vec::new();
        let mut together = Together::default();
        for (id, able) in &self.index.able {
            if able.fits(key)
                && let Some(agent) = there(id)
            {
                slots += u64::from(agent.profile.capacity);
                rivals.push(able);
                together.add(able);
            }
        }
        let base = |ahead| self.state.estimator.base_ms(ahead, slots);
        base(0)?;
        let mut ahead = 0;
        for (municipality, queue) in &self.index.queues {
            if !together.may_serve(*municipality) {
                continue;
            }
            for (other, bucket) in &queue.buckets {
                if !together.may_fit(other) || !rivals.iter().any(|able| able.fits(other)) {
                    continue;
                }
                ahead += match (bucket.first(), bucket.last()) {
                    (Some(first), _) if first >= rank => 0,
                    (_, Some(last)) if last < rank => bucket.len() as u64,
                    _ => bucket.range(..rank).count() as u64,
                };
            }
        }
        Some((ahead, base(ahead)?))
    }

    /// Keeps the decision with the item, for "why this agent?".
    pub(super) fn keep_decision(item: &mut Item, decision: Decision) {
        if item.decisions.len() >= DECISIONS_KEPT {
            item.decisions.pop_front();
        }
        item.decisions.push_back(decision);
        debug_assert!(!matches!(item.state, ItemState::Closed { .. }));
    }
}

/// The first thing in which the best is better than the next.
fn reason(best: &Merit, next: Option<&Merit>, transferred: bool) -> Reason {
    let Some(next) = next else {
        return if transferred {
            Reason::Transferred
        } else {
            Reason::Only
        };
    };
    if best.0 != next.0 {
        Reason::Earlier
    } else if best.1 != next.1 {
        Reason::MostFree
    } else if best.2 != next.2 {
        Reason::LongestIdle
    } else if best.3 != next.3 {
        Reason::FewestSkills
    } else {
        Reason::Order
    }
}

//! What time does: deadlines, opening and closing, and the key and rank that an item has by now.

use base::MunicipalityCode;

use super::effect::{Effect, HoursNow, WaitReason};
use super::ids::{AgentId, Moment, TeamId};
use super::index::{Key, Rank, Timer, audience_bit, language_bit, number};
use super::item::{CallbackReason, Chosen, Class, Item, ItemState, Needs, Stage};
use super::{Centre, State};
use crate::{Hours, Status, status};

/// Time's consequences have no longer chains than this.
const ROUNDS: usize = 16;

/// What an item insists on now, and until when at the earliest.
pub(super) struct Insists {
    pub needs: Needs,
    /// The one agent it is for.
    pub agent: Option<AgentId>,
    /// The next time something is relaxed.
    pub until: Option<Moment>,
}

impl State {
    pub(super) fn insists(&self, item: &Item) -> Insists {
        let relax = &self.settings.relax;
        let mut until: Option<Moment> = None;
        let mut within = |limit: Option<u64>| match limit.map(|ms| item.route.since.plus(ms)) {
            None => true,
            Some(end) if end > self.now => {
                until = Some(until.map_or(end, |u| u.min(end)));
                true
            }
            Some(_) => false,
        };
        if let Some(Chosen::Agent(agent)) = &item.route.chosen
            && within(relax.target_ms)
        {
            return Insists {
                needs: Needs::default(),
                agent: Some(agent.clone()),
                until,
            };
        }
        let chosen = &item.route.chosen;
        let limit = |is: Chosen, otherwise| {
            if *chosen == Some(is) {
                relax.target_ms
            } else {
                otherwise
            }
        };
        let team = item.route.team.as_ref().and_then(|t| self.teams.get(t));
        let fallback = item.route.fallback;
        let needs = Needs {
            team: team.is_some_and(|t| t.open) && within(limit(Chosen::Team, relax.team_ms)),
            area: item.area.is_some()
                && !fallback
                && within(limit(Chosen::Specialist, relax.area_ms)),
            language: within(relax.language_ms),
            audience: !fallback && within(relax.audience_ms),
        };
        Insists {
            needs,
            agent: None,
            until,
        }
    }

    /// When an item has waited too long: for a callback when its slot ends.
    pub(super) fn overdue_at(&self, item: &Item) -> Moment {
        match &item.callback {
            Some(c) => c.to,
            None => item.place.plus(self.settings.max_wait_ms),
        }
    }

    pub(super) fn rank(&self, item: &Item) -> Rank {
        let in_time = self.overdue_at(item) > self.now;
        let place = item.callback.as_ref().map_or(item.place, |c| c.from);
        let head_start = match item.class {
            _ if !in_time => 0,
            Class::Normal => 0,
            Class::High => self.settings.head_start.high_ms,
            Class::Urgent => self.settings.head_start.urgent_ms,
        };
        Rank {
            in_time,
            score: place.minus(head_start).as_ms(),
            number: item.number,
        }
    }
}

impl Centre {
    /// Where an item belongs in the queues; None when nobody is to be found for it.
    pub(super) fn placing(&mut self, n: u64) -> Option<(Key, Rank)> {
        let item = self.state.items.get(&n)?;
        let rank = item.wants_agent().then(|| self.state.rank(item))?;
        Some((self.key(n)?, rank))
    }

    /// What an item insists on, for comparing with agents.
    pub(super) fn key(&mut self, n: u64) -> Option<Key> {
        let item = self.state.items.get(&n)?;
        let insists = self.state.insists(item);
        let needs = insists.needs;
        let wanted = |needed: bool| move |number: u32| if needed { number } else { 0 };
        let index = &mut self.index;
        let key = Key {
            municipality: number(item.municipality),
            area: wanted(needs.area)(item.area.as_ref().map_or(0, |a| index.areas.of(a))),
            team: wanted(needs.team)(item.route.team.as_ref().map_or(0, |t| index.teams.of(t))),
            agent: insists.agent.map_or(0, |a| index.agents.of(&a)),
            language: if needs.language {
                language_bit(item.language)
            } else {
                0
            },
            audience: if needs.audience {
                audience_bit(item.audience)
            } else {
                0
            },
        };
        #[cfg(any(test, feature = "sim"))]
        let key = if self.fault == Some(super::Fault::RightRelaxed) && !needs.area {
            Key {
                municipality: super::index::ANY,
                ..key
            }
        } else {
            key
        };
        Some(key)
    }

    pub(super) fn item_deadline(&self, n: u64) -> Option<Moment> {
        let state = &self.state;
        let item = state.items.get(&n)?;
        let lost = item
            .lost_at
            .map(|t| t.plus(state.settings.citizen_grace_ms));
        let searching = || {
            let overdue = Some(state.overdue_at(item)).filter(|t| *t > state.now);
            let rests = item.avoid.values().copied();
            let rested = rests.filter(|t| *t > state.now).min();
            let relaxed = state.insists(item).until;
            overdue.into_iter().chain(rested).chain(relaxed).min()
        };
        match &item.state {
            ItemState::Waiting { held: true } => lost,
            ItemState::Waiting { held: false } => lost.into_iter().chain(searching()).min(),
            ItemState::Offered { until, .. } if item.callback.is_some() => Some(*until),
            ItemState::Offered { until, .. } => lost.into_iter().chain(Some(*until)).min(),
            ItemState::Owned { .. } | ItemState::Closed { .. } => None,
            ItemState::Callback(Stage::Promised) => item.callback.as_ref().map(|c| c.from),
            ItemState::Callback(Stage::Due) => searching(),
            ItemState::Callback(Stage::Resting { until } | Stage::Ringing { until, .. }) => {
                Some(*until)
            }
        }
    }

    /// Lets time pass up to an instant, and does what falls due on the way, in its order.
    pub(super) fn advance(&mut self, to: Moment) {
        self.state.stats.pass(self.state.now, to, self.index.slots);
        self.state.now = self.state.now.max(to);
        self.expire();
    }

    /// Does what is due by now, and what that makes due at once when some time is set to nothing.
    pub(super) fn expire(&mut self) {
        for _ in 0..ROUNDS {
            let due = self.index.due(self.state.now);
            if due.is_empty() {
                return;
            }
            for timer in due {
                match timer {
                    Timer::Municipality(code) => self.refresh_municipality(code),
                    Timer::Team(id) => self.refresh_team(&id),
                    Timer::Agent(id) => self.expire_agent(&id),
                    Timer::Item(n) => self.expire_item(n),
                }
            }
        }
    }

    fn expire_item(&mut self, n: u64) {
        let now = self.state.now;
        let grace = self.state.settings.citizen_grace_ms;
        let Some(item) = self.state.items.get_mut(&n) else {
            return;
        };
        let rests = item.avoid.len();
        item.avoid.retain(|_, until| *until > now);
        let rested = item.avoid.len() < rests;
        let gone = item.callback.is_none() && item.lost_at.is_some_and(|t| t.plus(grace) <= now);
        match item.state.clone() {
            ItemState::Waiting { .. } | ItemState::Offered { .. } if gone => self.abandon(n),
            ItemState::Offered { until, .. } if until <= now => self.ignored(n),
            ItemState::Callback(Stage::Promised) => self.callback_due(n),
            ItemState::Callback(Stage::Resting { until }) if until <= now => self.callback_due(n),
            ItemState::Callback(Stage::Ringing { until, .. }) if until <= now => self.lease_over(n),
            _ => {}
        }
        if self.state.items[&n].wants_agent() {
            self.note_late(n);
            if rested {
                self.index.dirty_items.insert(n);
            }
        }
        self.touch_item(n);
    }

    /// Open or not, and when that changes.
    fn hours_now(&self, hours: &Hours) -> (bool, Option<Moment>) {
        match status(hours, self.state.now.timestamp()) {
            Status::Open { until } => (true, Some(until.timestamp().into())),
            Status::Closed { opens } => (false, opens.map(|t| t.timestamp().into())),
        }
    }

    /// Sees whether a municipality is open now, and does what follows when that changed.
    pub(super) fn refresh_municipality(&mut self, code: MunicipalityCode) {
        let now = self.state.now;
        let Some(hours) = self
            .state
            .municipalities
            .get(&code)
            .map(|m| m.hours.clone())
        else {
            return;
        };
        let drain_ms = self.state.settings.drain_ms;
        let (open, changes_at) = self.hours_now(&hours);
        let Some(m) = self.state.municipalities.get_mut(&code) else {
            return;
        };
        let (was_open, was_draining) = (m.open, m.draining_since.is_some());
        if was_open && !open {
            // The hour on the door, not the tick that noticed.
            m.draining_since = Some(m.changes_at.map_or(now, |t| t.min(now)));
        }
        if open || m.draining_since.is_some_and(|t| t.plus(drain_ms) <= now) {
            m.draining_since = None;
        }
        m.open = open;
        m.changes_at = changes_at;
        let draining = m.draining_since.is_some();
        self.touch_municipality(code);
        let now = match (open, draining) {
            (true, _) => HoursNow::Open,
            (false, true) => HoursNow::Draining,
            (false, false) => HoursNow::Closed,
        };
        if (was_open, was_draining) != (open, draining) {
            self.out.push(Effect::Hours {
                municipality: code,
                now,
            });
            self.hold_all(code, now == HoursNow::Closed);
        }
    }

    pub(super) fn touch_municipality(&mut self, code: MunicipalityCode) {
        let drain_ms = self.state.settings.drain_ms;
        let deadline = self.state.municipalities.get(&code).and_then(|m| {
            let drained = m.draining_since.map(|t| t.plus(drain_ms));
            m.changes_at.into_iter().chain(drained).min()
        });
        self.index.set_timer(Timer::Municipality(code), deadline);
    }

    /// Whether who waits for a municipality is served now.
    pub(super) fn serves(&self, code: MunicipalityCode) -> bool {
        let m = self.state.municipalities.get(&code);
        m.is_some_and(|m| m.open || m.draining_since.is_some())
    }

    /// Holds all who wait for a municipality, or lets them go on.
    fn hold_all(&mut self, code: MunicipalityCode, hold: bool) {
        let concerned = |i: &&Item| {
            i.municipality == code && matches!(i.state, ItemState::Waiting { held } if held != hold)
        };
        let items = self.state.items.values().filter(concerned);
        let numbers: Vec<u64> = items.map(|i| i.number).collect();
        for n in numbers {
            let why = if hold {
                WaitReason::Held
            } else {
                WaitReason::Reopened
            };
            self.wait(n, why);
        }
        if hold {
            let due =
                |i: &&Item| i.municipality == code && i.state == ItemState::Callback(Stage::Due);
            let due = self.state.items.values().filter(due);
            let numbers: Vec<u64> = due.map(|i| i.number).collect();
            for n in numbers {
                self.ring_or_rest(n);
                self.touch_item(n);
            }
        }
    }

    /// Puts an item in the queue, at its place; held when its municipality is closed.
    pub(super) fn wait(&mut self, n: u64, why: WaitReason) {
        let held = !self.serves(self.item_at(n).municipality);
        let now = self.state.now;
        let item = self.item_mut(n);
        item.state = ItemState::Waiting { held };
        item.avoid.retain(|_, until| *until > now);
        let (id, place) = (item.id.clone(), item.place);
        self.out.push(Effect::Waiting {
            item: id,
            why,
            held,
            place,
        });
        if held {
            self.offer_callback(n, CallbackReason::Closed);
        }
        self.touch_item(n);
    }

    /// Tells a citizen that a callback is to be had; once for each reason.
    pub(super) fn offer_callback(&mut self, n: u64, why: CallbackReason) {
        let item = self.item_mut(n);
        if item.told != Some(why) {
            item.told = Some(why);
            let item = item.id.clone();
            self.out.push(Effect::CallbackOffered { item, why });
        }
    }

    pub(super) fn refresh_team(&mut self, id: &TeamId) {
        let Some(hours) = self.state.teams.get(id).map(|t| t.team.hours.clone()) else {
            return;
        };
        let (open, changes_at) = self.hours_now(&hours);
        let Some(t) = self.state.teams.get_mut(id) else {
            return;
        };
        let changed = t.open != open;
        t.open = open;
        t.changes_at = changes_at;
        self.touch_team(id);
        if changed {
            self.touch_all();
        }
    }

    pub(super) fn touch_team(&mut self, id: &TeamId) {
        let deadline = self.state.teams.get(id).and_then(|t| t.changes_at);
        self.index.set_timer(Timer::Team(id.clone()), deadline);
    }

    /// Looks at every item again that is in the queue.
    pub(super) fn touch_all(&mut self) {
        let numbers: Vec<u64> = self.index.placed.keys().copied().collect();
        numbers.into_iter().for_each(|n| self.touch_item(n));
    }
}

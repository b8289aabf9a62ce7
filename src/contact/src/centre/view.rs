//! What the desk, the supervisor and the citizen are shown. Reading changes nothing.

use base::{DialogueId, Lang, MunicipalityCode};
use serde::{Deserialize, Serialize};

use super::Centre;
use super::agent::{Agent, AgentState, Hold, Mode, Pause, Team};
use super::estimate::Band;
use super::ids::{AgentId, AreaId, ItemId, Moment};
use super::index::{Rank, number};
use super::item::{Audience, Brief, Class, Decision, Item, ItemState, Stage};
use super::slots::Slot;

/// A row of the queue: no text of the citizen's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRow {
    pub item: ItemId,
    pub municipality: MunicipalityCode,
    pub area: Option<AreaId>,
    pub language: Lang,
    pub audience: Audience,
    pub class: Class,
    pub place: Moment,
    pub state: ItemState,
    /// Waited longer than the maximum; for a callback, its slot is over.
    pub overdue: bool,
}

/// How one municipality's queue stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MunicipalityRow {
    pub municipality: MunicipalityCode,
    pub open: bool,
    /// Closed, but those who waited at closing time are still served.
    pub draining: bool,
    /// Some agent is there with the right to it.
    pub staffed: bool,
    pub waiting: u32,
    pub held: u32,
    pub offered: u32,
    pub owned: u32,
    /// Callbacks: promised for later or resting, to be rung now, and being rung.
    pub callbacks: u32,
    pub due: u32,
    pub ringing: u32,
    /// The earliest place of those waiting.
    pub oldest: Option<Moment>,
}

/// A row of the list of agents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    pub agent: AgentId,
    pub name: String,
    pub state: AgentState,
    pub paused: Option<Pause>,
    pub mode: Mode,
    pub capacity: u8,
    pub offers: u8,
    pub chats: u8,
    pub calls: u8,
    pub wrap_ups: u8,
    pub idle_since: Moment,
}

/// An item as one agent may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub row: QueueRow,
    pub epoch: u64,
    /// None when the agent has no right to the municipality where it was asked.
    pub brief: Option<Brief>,
    pub decisions: Vec<Decision>,
    /// Whether the citizen has the page open.
    pub citizen_present: bool,
}

/// What a citizen is told about the wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// 1 is next. Counts those in front who compete for the same agents, of whatever municipality.
    pub position: u64,
    /// From now on. None when nobody is there to answer.
    pub band: Option<Band>,
    /// Held until the municipality opens again.
    pub held: bool,
}

/// What a citizen who asks for a person can have now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// It is open and somebody is there with the right to the municipality.
    pub queue: bool,
    /// Times to be rung at; none when no agent has that right.
    pub slots: Vec<Slot>,
}

/// A municipality that nobody of the centre has the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub municipality: MunicipalityCode,
}

impl Centre {
    /// An item, open or settled lately.
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        let n = self.index.number_of.get(id)?;
        self.state.items.get(n)
    }

    /// All items of a dialogue, open or settled lately, by number.
    pub fn items_of(&self, dialogue: &DialogueId) -> impl Iterator<Item = &Item> {
        let of = move |i: &&Item| i.dialogue == *dialogue;
        self.state.items.values().filter(of)
    }

    pub fn agent_state(&self, id: &AgentId) -> Option<&Agent> {
        self.state.agents.get(id)
    }

    fn row(&self, item: &Item) -> QueueRow {
        QueueRow {
            item: item.id.clone(),
            municipality: item.municipality,
            area: item.area.clone(),
            language: item.language,
            audience: item.audience,
            class: item.class,
            place: item.place,
            state: item.state.clone(),
            overdue: item.is_open() && self.state.overdue_at(item) <= self.state.now,
        }
    }

    /// Everything that is not settled, of the municipalities that `may` allows, in the order of waiting.
    /// Nothing that is open is missing here, whatever its state.
    pub fn queue(&self, may: impl Fn(MunicipalityCode) -> bool) -> Vec<QueueRow> {
        let mut items: Vec<&Item> = self.open_items().filter(|i| may(i.municipality)).collect();
        items.sort_by_cached_key(|i| self.state.rank(i));
        items.into_iter().map(|i| self.row(i)).collect()
    }

    /// What an agent may take from the list now, in the order of waiting; at most `most`. Chats and due
    /// callbacks.
    pub fn pickable(&self, agent: &AgentId, most: usize) -> Vec<QueueRow> {
        let Some(able) = self.index.able.get(agent) else {
            return Vec::new();
        };
        let mut ranks: Vec<Rank> = Vec::new();
        for queue in self.index.queues.values() {
            for (key, bucket) in &queue.buckets {
                if able.fits(key) {
                    ranks.extend(bucket.iter().copied().take(most));
                }
            }
        }
        ranks.sort();
        let ranks = ranks.into_iter().take(most);
        ranks.map(|r| self.row(self.item_at(r.number))).collect()
    }

    /// What an agent's desk shows: what takes a slot, wrap-ups included, and what the agent watches.
    pub fn at_desk(&self, agent: &AgentId) -> Vec<&Item> {
        let Some(a) = self.state.agents.get(agent) else {
            return Vec::new();
        };
        let held = a.holds.keys().filter_map(|n| self.state.items.get(n));
        let watched = self.open_items().filter(|i| {
            a.profile.supervisor
                && i.watchers.contains_key(agent)
                && !a.holds.contains_key(&i.number)
        });
        held.chain(watched).collect()
    }

    /// Whether an item is among [`Centre::at_desk`].
    pub fn is_at_desk(&self, item: &Item, agent: &AgentId) -> bool {
        let agent_state = self.state.agents.get(agent);
        agent_state.is_some_and(|a| a.holds.contains_key(&item.number))
            || item.watchers.contains_key(agent)
    }

    /// Whether an agent has the right to everything that was written while an item was anywhere.
    pub fn may_read_all(&self, item: &Item, agent: &AgentId) -> bool {
        let codes = item.passed.iter().chain([&item.origin, &item.municipality]);
        codes.into_iter().all(|c| self.index.may_serve(agent, *c))
    }

    /// Whether an agent has the right to a municipality.
    pub fn may_serve(&self, agent: &AgentId, code: MunicipalityCode) -> bool {
        self.index.may_serve(agent, code)
    }

    /// All teams, by id.
    pub fn teams(&self) -> impl Iterator<Item = &Team> {
        self.state.teams.values().map(|t| &t.team)
    }

    /// What an agent holds: offers, chats and calls, by number.
    pub fn held_by(&self, agent: &AgentId) -> Vec<Card> {
        let Some(a) = self.state.agents.get(agent) else {
            return Vec::new();
        };
        let numbers = a.holds.keys();
        let items = numbers.filter_map(|n| self.state.items.get(n));
        items
            .filter(|i| i.holder() == Some(agent))
            .map(|i| self.make_card(i, agent))
            .collect()
    }

    /// An item for an agent's desk; None without the right to its municipality.
    pub fn card(&self, item: &ItemId, agent: &AgentId) -> Option<Card> {
        let item = self.item(item)?;
        let may = self.index.may_serve(agent, item.municipality);
        may.then(|| self.make_card(item, agent))
    }

    fn make_card(&self, item: &Item, agent: &AgentId) -> Card {
        let may = self.index.may_serve(agent, item.origin);
        Card {
            row: self.row(item),
            epoch: item.epoch,
            brief: may.then(|| item.brief.clone()),
            decisions: item.decisions.iter().cloned().collect(),
            citizen_present: !item.links.is_empty(),
        }
    }

    /// The callbacks that are not settled, by the beginning of their slots.
    pub fn callbacks(&self, may: impl Fn(MunicipalityCode) -> bool) -> Vec<&Item> {
        let open = self.open_items();
        let mut items: Vec<&Item> = open
            .filter(|i| i.callback.is_some() && may(i.municipality))
            .collect();
        items.sort_by_key(|i| (i.callback.as_ref().map(|c| c.from), i.number));
        items
    }

    /// How each municipality's queue stands.
    pub fn municipalities(&self) -> Vec<MunicipalityRow> {
        let row = |(code, m): (&MunicipalityCode, &super::MunicipalityState)| MunicipalityRow {
            municipality: *code,
            open: m.open,
            draining: m.draining_since.is_some(),
            staffed: self.staffed(*code),
            waiting: 0,
            held: 0,
            offered: 0,
            owned: 0,
            callbacks: 0,
            due: 0,
            ringing: 0,
            oldest: None,
        };
        let mut rows: Vec<MunicipalityRow> = self.state.municipalities.iter().map(row).collect();
        for item in self.open_items() {
            let at = rows.binary_search_by_key(&item.municipality, |r| r.municipality);
            let Some(row) = at.ok().and_then(|i| rows.get_mut(i)) else {
                continue;
            };
            let count = match &item.state {
                ItemState::Waiting { held: false } => &mut row.waiting,
                ItemState::Waiting { held: true } => &mut row.held,
                ItemState::Offered { .. } => &mut row.offered,
                ItemState::Owned { .. } => &mut row.owned,
                ItemState::Callback(Stage::Due) => &mut row.due,
                ItemState::Callback(Stage::Ringing { .. }) => &mut row.ringing,
                ItemState::Callback(_) => &mut row.callbacks,
                ItemState::Closed { .. } => continue,
            };
            *count += 1;
            if let ItemState::Waiting { .. } = item.state {
                let oldest = row.oldest.map_or(item.place, |o| o.min(item.place));
                row.oldest = Some(oldest);
            }
        }
        rows
    }

    /// All agents, by id.
    pub fn agents(&self) -> Vec<AgentRow> {
        let row = |(id, a): (&AgentId, &Agent)| {
            let count = |is: fn(&Hold) -> bool| {
                let those = a.holds.values().filter(|h| is(h));
                u8::try_from(those.count()).unwrap_or(u8::MAX)
            };
            AgentRow {
                agent: id.clone(),
                name: a.profile.name.clone(),
                state: a.state(),
                paused: a.paused,
                mode: a.mode,
                capacity: a.profile.capacity,
                offers: count(|h| *h == Hold::Offer),
                chats: count(|h| *h == Hold::Chat),
                calls: count(|h| *h == Hold::Call),
                wrap_ups: count(|h| matches!(h, Hold::WrapUp { .. })),
                idle_since: a.idle_since,
            }
        };
        self.state.agents.iter().map(row).collect()
    }

    /// Why the item was offered to whom, latest last.
    pub fn why(&self, item: &ItemId) -> Vec<Decision> {
        let item = self.item(item);
        item.map_or_else(Vec::new, |i| i.decisions.iter().cloned().collect())
    }

    /// A waiting citizen's position and likely wait from now. None when the item does not wait.
    pub fn wait_of(&self, item: &ItemId) -> Option<Wait> {
        let item = self.item(item)?;
        let ItemState::Waiting { held } = item.state else {
            return None;
        };
        if let Some((ahead, base_ms)) = self.ahead(item.number) {
            return Some(Wait {
                position: ahead + 1,
                band: Some(self.state.estimator.band(base_ms)),
                held,
            });
        }
        // Nobody is there to compete for: the own municipality's queue is what is in front.
        let rank = self.state.rank(item);
        let queue = self.index.queues.get(&number(item.municipality));
        let buckets = queue.into_iter().flat_map(|q| q.buckets.values());
        let ahead: usize = buckets.map(|b| b.range(..rank).count()).sum();
        Some(Wait {
            position: ahead as u64 + 1,
            band: None,
            held,
        })
    }

    /// The open chat of a dialogue; there is at most one.
    pub fn chat_of(&self, dialogue: &DialogueId) -> Option<&Item> {
        self.open_of_dialogue(dialogue)
            .find(|i| i.callback.is_none())
    }

    /// The open callback of a dialogue; there is at most one.
    pub fn callback_of(&self, dialogue: &DialogueId) -> Option<&Item> {
        self.open_of_dialogue(dialogue)
            .find(|i| i.callback.is_some())
    }

    fn open_of_dialogue(&self, dialogue: &DialogueId) -> impl Iterator<Item = &Item> {
        let numbers = self.index.of_dialogue.get(dialogue).into_iter().flatten();
        let items = numbers.filter_map(|n| self.state.items.get(n));
        items.filter(|i| i.is_open())
    }

    /// What a citizen of a municipality who asks for a person can have now, with at most `most` slots.
    pub fn offers(
        &self,
        municipality: MunicipalityCode,
        area: Option<&AreaId>,
        most: usize,
    ) -> Offers {
        let Some(m) = self.state.municipalities.get(&municipality) else {
            return Offers::default();
        };
        let mut agents = self.state.agents.values();
        let able = agents.any(|a| a.profile.skills.municipalities.contains(&municipality));
        Offers {
            queue: m.open && self.staffed(municipality),
            slots: if able {
                self.callback_slots(municipality, area, most)
            } else {
                Vec::new()
            },
        }
    }

    /// The end of a slot that begins then.
    pub fn slot_end(&self, from: Moment) -> Moment {
        from.plus(self.state.settings.callbacks.slot_ms)
    }

    /// Municipalities that nobody of the centre has the right to.
    pub fn gaps(&self) -> Vec<Gap> {
        let agents = self.state.agents.values();
        let skills: Vec<_> = agents.map(|a| &a.profile.skills.municipalities).collect();
        let codes = self.state.municipalities.keys();
        codes
            .filter(|c| !skills.iter().any(|s| s.contains(c)))
            .map(|c| Gap { municipality: *c })
            .collect()
    }
}

//! What is derived from the state so that a step need not search it: who may serve what, who is free, what
//! waits in which order, what is due when.
//!
//! Nothing here is in a snapshot; [`super::Centre`] builds it again. Numbers given to names depend on the
//! order in which they came, so nothing may be decided by them.

use std::collections::{BTreeMap, BTreeSet};

use base::{DialogueId, MunicipalityCode};

use super::agent::{Agent, Allowed};
use super::ids::{AgentId, AreaId, ItemId, Moment, TeamId};
use super::item::{Audience, Item};

/// What an item insists on, as small numbers; 0 is "anything". Items with equal keys have equal chances
/// with every agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub municipality: u32,
    pub area: u32,
    pub team: u32,
    pub agent: u32,
    /// A bit of [`Able::languages`], or 0.
    pub language: u8,
    pub audience: u8,
}

/// A municipality that everybody has the right to: only a deliberate fault makes one.
#[cfg(any(test, feature = "sim"))]
pub(super) const ANY: u32 = u32::MAX;

impl Key {
    #[cfg(any(test, feature = "sim"))]
    fn is_any_municipality(&self) -> bool {
        self.municipality == ANY
    }

    #[cfg(not(any(test, feature = "sim")))]
    fn is_any_municipality(&self) -> bool {
        false
    }
}

/// The order of waiting: less is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// False for those who waited longer than the maximum: they are first.
    pub in_time: bool,
    /// The place in ms, less the class's head start; the bare place when overdue.
    pub score: i64,
    pub number: u64,
}

/// Something that time does something to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    Municipality(MunicipalityCode),
    Team(TeamId),
    Agent(AgentId),
    Item(u64),
}

/// Names as numbers from 1.
#[derive(Clone, Debug)]
pub(super) struct Names<T>(BTreeMap<T, u32>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Ord + Clone> Names<T> {
    pub(super) fn of(&mut self, name: &T) -> u32 {
        if let Some(n) = self.0.get(name) {
            return *n;
        }
        let n = u32::try_from(self.0.len() + 1).unwrap_or(u32::MAX);
        self.0.insert(name.clone(), n);
        n
    }
}

/// A set of small numbers, or all.
#[derive(Clone, Debug, Default)]
struct Bits {
    all: bool,
    words: Vec<u64>,
}

impl Bits {
    fn new<T: Ord>(allowed: &Allowed<T>, mut number: impl FnMut(&T) -> u32) -> Self {
        let mut bits = Self::default();
        match allowed {
            Allowed::All => bits.all = true,
            Allowed::Only(some) => {
                for one in some {
                    let n = number(one) as usize;
                    bits.words.resize(bits.words.len().max(n / 64 + 1), 0);
                    bits.words[n / 64] |= 1 << (n % 64);
                }
            }
        }
        bits
    }

    fn add(&mut self, other: &Bits) {
        self.all |= other.all;
        let len = self.words.len().max(other.words.len());
        self.words.resize(len, 0);
        for (word, more) in self.words.iter_mut().zip(&other.words) {
            *word |= more;
        }
    }

    fn has(&self, n: u32) -> bool {
        let word = self.words.get(n as usize / 64).copied().unwrap_or(0);
        self.all || (word >> (n % 64)) & 1 == 1
    }
}

/// An agent's skills, for comparing with keys.
#[derive(Clone, Debug)]
pub(super) struct Able {
    number: u32,
    team: u32,
    municipalities: Bits,
    areas: Bits,
    languages: u8,
    audiences: u8,
    /// How many skills there are.
    pub breadth: u32,
}

/// What some agents can do together: what does not fit them together fits none of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Together {
    municipalities: Bits,
    areas: Bits,
    languages: u8,
    audiences: u8,
}

impl Together {
    pub(super) fn add(&mut self, able: &Able) {
        self.municipalities.add(&able.municipalities);
        self.areas.add(&able.areas);
        self.languages |= able.languages;
        self.audiences |= able.audiences;
    }

    pub(super) fn may_serve(&self, municipality: u32) -> bool {
        self.municipalities.has(municipality)
    }

    pub(super) fn may_fit(&self, key: &Key) -> bool {
        (key.area == 0 || self.areas.has(key.area))
            && (key.language == 0 || self.languages & key.language != 0)
            && (key.audience == 0 || self.audiences & key.audience != 0)
    }
}

impl Able {
    /// Whether everything that the key insists on is there.
    pub(super) fn fits(&self, key: &Key) -> bool {
        (self.municipalities.has(key.municipality) || key.is_any_municipality())
            && (key.area == 0 || self.areas.has(key.area))
            && (key.language == 0 || self.languages & key.language != 0)
            && (key.audience == 0 || self.audiences & key.audience != 0)
            && (key.team == 0 || self.team == key.team)
            && (key.agent == 0 || self.number == key.agent)
    }
}

/// A municipality's code as a number: 0 to 9999.
pub(super) fn number(code: MunicipalityCode) -> u32 {
    let digits = code.as_str().bytes();
    digits.fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
}

pub(super) fn language_bit(lang: base::Lang) -> u8 {
    1 << (lang as u8)
}

pub(super) fn audience_bit(audience: Audience) -> u8 {
    1 << (audience as u8)
}

/// Those who wait for one municipality.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub buckets: BTreeMap<Key, BTreeSet<Rank>>,
    /// The first of each bucket.
    heads: BTreeSet<(Rank, Key)>,
}

impl Queue {
    fn insert(&mut self, key: Key, rank: Rank) {
        let bucket = self.buckets.entry(key).or_default();
        let before = bucket.first().copied();
        bucket.insert(rank);
        if before.is_none_or(|b| rank < b) {
            if let Some(b) = before {
                self.heads.remove(&(b, key));
            }
            self.heads.insert((rank, key));
        }
    }

    fn remove(&mut self, key: Key, rank: Rank) {
        let Some(bucket) = self.buckets.get_mut(&key) else {
            return;
        };
        bucket.remove(&rank);
        let after = bucket.first().copied();
        if self.heads.remove(&(rank, key))
            && let Some(first) = after
        {
            self.heads.insert((first, key));
        }
        if after.is_none() {
            self.buckets.remove(&key);
        }
    }

    /// The first in order that fits an agent and is not to be kept from this agent.
    pub(super) fn first(&self, able: &Able, avoids: impl Fn(u64) -> bool) -> Option<Rank> {
        let mut best: Option<Rank> = None;
        for (head, key) in &self.heads {
            if best.is_some_and(|b| b < *head) {
                break;
            }
            if able.fits(key) {
                let bucket = self.buckets.get(key).into_iter().flatten();
                let first = bucket.copied().find(|r| !avoids(r.number));
                best = best.into_iter().chain(first).min();
            }
        }
        best
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub areas: Names<AreaId>,
    pub teams: Names<TeamId>,
    pub agents: Names<AgentId>,
    pub able: BTreeMap<AgentId, Able>,
    /// Agents whom an offer may go to.
    pub free: BTreeSet<AgentId>,
    /// By municipality.
    pub queues: BTreeMap<u32, Queue>,
    /// Where an item stands in them.
    pub placed: BTreeMap<u64, (Key, Rank)>,
    /// Item numbers by id, and by dialogue.
    pub number_of: BTreeMap<ItemId, u64>,
    pub of_dialogue: BTreeMap<DialogueId, BTreeSet<u64>>,
    /// Callbacks promised and not settled, by team and beginning of the slot.
    pub promised: BTreeMap<(Option<TeamId>, Moment), u32>,
    timers: BTreeSet<(Moment, Timer)>,
    timer_of: BTreeMap<Timer, Moment>,
    /// What the router must look at before the step ends.
    pub dirty_items: BTreeSet<u64>,
    pub dirty_agents: BTreeSet<AgentId>,
    /// Who came to wait in this step, and is to be told how long.
    pub fresh: BTreeSet<u64>,
    /// Slots that are worked in, and staffed, as last counted for each agent, and in all.
    pub slots_of: BTreeMap<AgentId, (u64, u64)>,
    pub slots: (u64, u64),
}

impl Index {
    pub(super) fn set_able(&mut self, agent: &Agent) {
        let p = &agent.profile;
        let able = Able {
            number: self.agents.of(&p.id),
            team: p.team.as_ref().map_or(0, |t| self.teams.of(t)),
            municipalities: Bits::new(&p.skills.municipalities, |m| number(*m)),
            areas: Bits::new(&p.skills.areas, |a| self.areas.of(a)),
            languages: p
                .skills
                .languages
                .iter()
                .fold(0, |b, l| b | language_bit(*l)),
            audiences: p
                .skills
                .audiences
                .iter()
                .fold(0, |b, a| b | audience_bit(*a)),
            breadth: p
                .skills
                .municipalities
                .breadth()
                .saturating_add(p.skills.areas.breadth())
                .saturating_add(p.skills.languages.len() as u32)
                .saturating_add(p.skills.audiences.len() as u32),
        };
        self.able.insert(p.id.clone(), able);
    }

    /// Whether an agent has the right to a municipality.
    pub(super) fn may_serve(&self, agent: &AgentId, code: MunicipalityCode) -> bool {
        let able = self.able.get(agent);
        able.is_some_and(|a| a.municipalities.has(number(code)))
    }

    /// Puts an item where it belongs, or nowhere; says whether more agents may fit now.
    pub(super) fn place(&mut self, number: u64, to: Option<(Key, Rank)>) {
        let from = self.placed.get(&number).copied();
        if from == to {
            return;
        }
        if let Some((key, rank)) = from {
            if let Some(q) = self.queues.get_mut(&key.municipality) {
                q.remove(key, rank);
            }
            self.placed.remove(&number);
        }
        if let Some((key, rank)) = to {
            self.queues
                .entry(key.municipality)
                .or_default()
                .insert(key, rank);
            self.placed.insert(number, (key, rank));
            if from.map(|f| f.0) != Some(key) {
                self.dirty_items.insert(number);
            }
        } else {
            self.dirty_items.remove(&number);
        }
    }

    pub(super) fn set_timer(&mut self, timer: Timer, at: Option<Moment>) {
        if let Some(old) = self.timer_of.get(&timer).copied() {
            if Some(old) == at {
                return;
            }
            self.timers.remove(&(old, timer.clone()));
            self.timer_of.remove(&timer);
        }
        if let Some(at) = at {
            self.timers.insert((at, timer.clone()));
            self.timer_of.insert(timer, at);
        }
    }

    /// An item is known from now on.
    pub(super) fn add_item(&mut self, item: &Item) {
        self.number_of.insert(item.id.clone(), item.number);
        let of_dialogue = self.of_dialogue.entry(item.dialogue.clone()).or_default();
        of_dialogue.insert(item.number);
    }

    /// An item is forgotten.
    pub(super) fn drop_item(&mut self, item: &Item) {
        self.number_of.remove(&item.id);
        if let Some(some) = self.of_dialogue.get_mut(&item.dialogue) {
            some.remove(&item.number);
            if some.is_empty() {
                self.of_dialogue.remove(&item.dialogue);
            }
        }
    }

    /// A callback was promised, or a promise is settled.
    pub(super) fn promise(&mut self, team: Option<TeamId>, from: Moment, made: bool) {
        let count = self.promised.entry((team.clone(), from)).or_default();
        *count = if made {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
        if *count == 0 {
            self.promised.remove(&(team, from));
        }
    }

    pub(super) fn next_timer(&self) -> Option<Moment> {
        self.timers.first().map(|(at, _)| *at)
    }

    #[cfg(any(test, feature = "sim"))]
    pub(super) fn timer(&self, timer: &Timer) -> Option<Moment> {
        self.timer_of.get(timer).copied()
    }

    /// Takes out what is due.
    pub(super) fn due(&mut self, now: Moment) -> Vec<Timer> {
        let mut due = Vec::new();
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, timer)) = self.timers.pop_first() {
                self.timer_of.remove(&timer);
                due.push(timer);
            }
        }
        due
    }

    /// Counts an agent's slots anew.
    pub(super) fn count_slots(&mut self, agent: &AgentId, slots: Option<(u64, u64)>) {
        let old = match slots {
            Some(s) => self.slots_of.insert(agent.clone(), s),
            None => self.slots_of.remove(agent),
        };
        let (old, new) = (old.unwrap_or_default(), slots.unwrap_or_default());
        self.slots.0 = self.slots.0 - old.0 + new.0;
        self.slots.1 = self.slots.1 - old.1 + new.1;
    }
}

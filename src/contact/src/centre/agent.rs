//! Agents, teams and municipalities.

use std::collections::{BTreeMap, BTreeSet};

use base::{Lang, MunicipalityCode};
use serde::{Deserialize, Serialize};

use super::ids::{AgentId, AreaId, ConnectionId, Moment, NodeId, TeamId};
use super::item::Audience;
use crate::Hours;

/// All, or only some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed<T: Ord> {
    All,
    Only(BTreeSet<T>),
}

impl<T: Ord> Allowed<T> {
    pub fn contains(&self, one: &T) -> bool {
        match self {
            Allowed::All => true,
            Allowed::Only(some) => some.contains(one),
        }
    }

    pub fn only(some: impl IntoIterator<Item = T>) -> Self {
        Allowed::Only(some.into_iter().collect())
    }

    /// How many; all count as a thousand.
    pub(super) fn breadth(&self) -> u32 {
        match self {
            Allowed::All => 1_000,
            Allowed::Only(some) => u32::try_from(some.len()).unwrap_or(u32::MAX),
        }
    }
}

/// What an agent may and can answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skills {
    /// A right, never relaxed: other municipalities' citizens are not shown to this agent.
    pub municipalities: Allowed<MunicipalityCode>,
    pub areas: Allowed<AreaId>,
    pub languages: BTreeSet<Lang>,
    pub audiences: BTreeSet<Audience>,
}

/// An agent as an administrator sets one up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: AgentId,
    /// What citizens see.
    pub name: String,
    pub team: Option<TeamId>,
    pub skills: Skills,
    /// Chats, calls and wrap-ups at once, offers included.
    pub capacity: u8,
    /// May monitor, coach, barge in and release, within the municipalities' rights.
    pub supervisor: bool,
}

/// How an agent gets work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Is offered what comes.
    #[default]
    Push,
    /// Takes from the list.
    Pick,
}

/// Why an agent is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    Break,
    Meeting,
    Training,
    Other,
    /// Too many offers went unanswered. Ends like any other pause.
    Ignored,
}

/// What an agent shows to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    Available,
    Paused,
    /// All that is left to do is wrapping up.
    WrapUp,
    /// Signed out, or without a connection.
    Absent,
}

/// What takes one of an agent's slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    Offer,
    Chat,
    Call,
    WrapUp { since: Moment, until: Moment },
}

/// An agent as the centre knows one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    pub profile: Profile,
    /// Present, or lost for less than the grace.
    pub signed_in: bool,
    pub links: BTreeMap<ConnectionId, NodeId>,
    /// Since when there is no connection.
    pub lost_at: Option<Moment>,
    /// No offer before this: the line must first prove steady.
    pub steady_at: Option<Moment>,
    pub paused: Option<Pause>,
    pub mode: Mode,
    /// What takes the slots, by item number.
    pub holds: BTreeMap<u64, Hold>,
    /// Offers ignored in a row.
    pub ignored: u8,
    /// The last time work came or went.
    pub idle_since: Moment,
}

impl Agent {
    pub(super) fn new(profile: Profile, now: Moment) -> Self {
        Self {
            profile,
            signed_in: false,
            links: BTreeMap::new(),
            lost_at: None,
            steady_at: None,
            paused: None,
            mode: Mode::Push,
            holds: BTreeMap::new(),
            ignored: 0,
            idle_since: now,
        }
    }

    pub fn state(&self) -> AgentState {
        let wraps = |h: &Hold| matches!(h, Hold::WrapUp { .. });
        if !self.signed_in || self.links.is_empty() {
            AgentState::Absent
        } else if self.paused.is_some() {
            AgentState::Paused
        } else if !self.holds.is_empty() && self.holds.values().all(wraps) {
            AgentState::WrapUp
        } else {
            AgentState::Available
        }
    }

    /// Slots that nothing takes.
    pub fn free(&self) -> u8 {
        let taken = u8::try_from(self.holds.len()).unwrap_or(u8::MAX);
        self.profile.capacity.saturating_sub(taken)
    }

    /// Whether an offer may go to this agent now.
    pub fn takes_offers(&self) -> bool {
        self.signed_in
            && !self.links.is_empty()
            && self.steady_at.is_none()
            && self.paused.is_none()
            && self.mode == Mode::Push
            && self.free() > 0
    }

    /// What of the slots is worked in, and how many are staffed: for the occupancy.
    pub(super) fn slots(&self) -> (u64, u64) {
        let works = |h: &&Hold| !matches!(h, Hold::Offer);
        let busy = self.holds.values().filter(works).count() as u64;
        let ready = self.signed_in && !self.links.is_empty() && self.paused.is_none();
        let staffed = if ready {
            busy.max(u64::from(self.profile.capacity))
        } else {
            busy
        };
        (busy, staffed)
    }
}

/// How many agents of a team are planned: by weekday (Monday first) and local hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Staffing(pub [[u8; 24]; 7]);

/// A team: what it answers for, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub municipalities: Allowed<MunicipalityCode>,
    pub areas: Allowed<AreaId>,
    pub hours: Hours,
    /// What callbacks may be promised against.
    pub staffing: Staffing,
}

/// A team as the centre knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TeamState {
    pub team: Team,
    pub open: bool,
    pub changes_at: Option<Moment>,
}

/// A municipality as the centre knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MunicipalityState {
    pub hours: Hours,
    /// None: `Settings::fair_share_permille`.
    pub fair_share_permille: Option<u16>,
    pub open: bool,
    pub changes_at: Option<Moment>,
    /// When it closed, while those who waited are still served.
    pub draining_since: Option<Moment>,
    /// Thousandths of an assignment that it is owed.
    pub credit: u32,
}

//! A handover and where it stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use base::{DialogueId, Lang, MunicipalityCode};
use serde::{Deserialize, Serialize};

use super::estimate::Promise;
use super::ids::{AgentId, AreaId, ConnectionId, ItemId, MessageId, Moment, NodeId, TeamId, Text};
use crate::{Phone, Reference};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Citizen,
    Employee,
}

/// How urgent an item is; see `Settings::head_start`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    #[default]
    Normal,
    High,
    Urgent,
}

/// What an agent needs to go on where the bot stopped. Texts are redacted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brief {
    /// In the citizen's words.
    pub question: Text,
    /// What the bot understood or searched for, oldest first.
    pub tried: Vec<Text>,
    /// Ids of the articles that were shown, in order.
    pub sources: Vec<Text>,
    /// Why the bot gave up.
    pub failed: Text,
}

/// A citizen's or an agent's socket, and the node that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub node: NodeId,
    pub connection: ConnectionId,
}

/// What the bot hands over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    pub item: ItemId,
    pub dialogue: DialogueId,
    pub municipality: MunicipalityCode,
    /// None when the bot could not tell: then no area is asked for.
    pub area: Option<AreaId>,
    pub language: Lang,
    pub audience: Audience,
    pub class: Class,
    pub brief: Brief,
}

/// Whom an item is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Agent(AgentId),
    Team(TeamId),
    /// Whoever answers for another municipality.
    Municipality(MunicipalityCode),
    /// Somebody with the skill of this area.
    Specialist(AreaId),
    Bot,
}

/// How an item is routed at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// When it was routed so: from here the times of `Settings::relax` run.
    pub since: Moment,
    /// The team that fits best, or was chosen.
    pub team: Option<TeamId>,
    /// What somebody transferred it to: `target_ms` counts for it.
    pub chosen: Option<Chosen>,
    /// No team is set up for it: the fallback team has it, whatever its area and audience.
    pub fallback: bool,
}

/// A transfer's wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// This agent alone, whatever the other skills; the municipality's right is still needed.
    Agent(AgentId),
    Team,
    Specialist,
}

/// Where an item stands: exactly one of five.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// In the queue. `held` while the municipality is closed and its drain time is over: nobody is offered
    /// it, but the place stays, and whoever is still there may take it from the list.
    Waiting {
        held: bool,
    },
    /// With one agent until a time. For a callback this is an offer to ring.
    Offered {
        agent: AgentId,
        offer: u64,
        until: Moment,
    },
    Owned {
        agent: AgentId,
        since: Moment,
    },
    Callback(Stage),
    Closed {
        at: Moment,
        outcome: Outcome,
        by: Option<AgentId>,
    },
}

/// Where a callback stands while nobody is offered it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its slot has not begun.
    Promised,
    /// To be rung now.
    Due,
    /// Nobody answered; to be rung again.
    Resting { until: Moment },
    /// One agent alone may ring, until the lease ends; each renewal moves the end.
    Ringing {
        agent: AgentId,
        since: Moment,
        until: Moment,
    },
}

/// How an item ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The owner closed it with a wrap-up code.
    Settled { code: Text },
    /// The citizen went, or stayed away too long, before anybody had it.
    Abandoned,
    /// The citizen ended a chat that somebody owned.
    Left,
    /// Handed back to the bot.
    Bot,
    /// Rung and spoken to.
    Reached,
    /// Rung as often as promised, in vain.
    Unreached,
    /// The citizen no longer wants to be rung.
    Cancelled,
}

/// A promise to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    pub reference: Reference,
    pub phone: Phone,
    /// In the citizen's words, redacted.
    pub topic: Option<Text>,
    /// Whose staffing the slot was counted against; None when there is no team at all.
    pub team: Option<TeamId>,
    pub from: Moment,
    pub to: Moment,
    /// How often it was rung, or might have been: a lease that ran out counts.
    pub attempts: u8,
    /// The slot ended before anybody rang; supervisors were told.
    pub late: bool,
}

/// Why a citizen is offered a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackReason {
    /// Closing time and the drain time are over.
    Closed,
    /// The last agent who could answer has left.
    NoAgents,
    /// The likely wait is longer than `Settings::long_wait_ms`.
    LongWait,
}

/// Why an agent was offered an item: what "why this agent?" shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub at: Moment,
    pub agent: AgentId,
    pub offer: u64,
    pub reason: Reason,
    /// Agents with a free slot and what the item asked for at that time, the chosen one included.
    pub candidates: u32,
    /// The chosen agent's free slots before the offer, and since when without new work.
    pub free: u8,
    pub idle_since: Moment,
    /// How many skills the chosen agent has; the fewest is chosen last of all, so that the versatile stay
    /// free.
    pub skills: u32,
    /// What the item still insisted on then.
    pub needs: Needs,
    /// It came before others because it had waited too long, or because its municipality was owed a turn.
    pub overdue: bool,
    pub owed: bool,
}

/// What was decisive among the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nobody else was free and able.
    Only,
    /// The agent took it from the list.
    Picked,
    /// Somebody transferred it to this agent.
    Transferred,
    /// The agent of last time.
    Earlier,
    MostFree,
    LongestIdle,
    FewestSkills,
    /// All else was equal.
    Order,
}

/// What an item insists on besides its municipality, which it always does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    pub team: bool,
    pub area: bool,
    pub language: bool,
    pub audience: bool,
}

/// How deep a supervisor is in somebody's chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Reads.
    Monitor,
    /// Reads, and writes to the agent alone.
    Coach,
    /// Reads, and writes to both.
    BargeIn,
}

/// A handover, from its request until it is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Counts requests from 1: the order among equals.
    pub number: u64,
    pub id: ItemId,
    pub dialogue: DialogueId,
    pub municipality: MunicipalityCode,
    /// Where it was asked: who has no right to this one does not see the brief.
    pub origin: MunicipalityCode,
    /// The municipalities that had it before the present one: who lacks the right to one of them does not see
    /// what was written meanwhile.
    #[serde(default)]
    pub passed: BTreeSet<MunicipalityCode>,
    pub area: Option<AreaId>,
    pub language: Lang,
    pub audience: Audience,
    pub class: Class,
    pub brief: Brief,
    /// When the citizen asked: the original place, kept through everything that happens later.
    pub place: Moment,
    pub route: Route,
    pub state: ItemState,
    /// Raised by every change of owner, and of whoever may ring.
    pub epoch: u64,
    /// Offers made so far.
    pub offers: u64,
    /// Agents not to be offered it before a time.
    pub avoid: BTreeMap<AgentId, Moment>,
    /// The latest, at most five.
    pub decisions: VecDeque<Decision>,
    /// The citizen's connections.
    pub links: BTreeMap<ConnectionId, NodeId>,
    /// Since when there is none.
    pub lost_at: Option<Moment>,
    /// Ids of the latest messages.
    pub seen: VecDeque<MessageId>,
    pub callback: Option<Callback>,
    /// The agent of this dialogue's last item.
    pub earlier: Option<AgentId>,
    /// When the first owner came.
    pub answered_at: Option<Moment>,
    /// The wait that was foretold when it came to wait.
    pub promise: Option<Promise>,
    /// What a callback was last offered for.
    pub told: Option<CallbackReason>,
    pub watchers: BTreeMap<AgentId, Level>,
}

impl Item {
    /// The agent who has it: offered, owned or ringing.
    pub fn holder(&self) -> Option<&AgentId> {
        match &self.state {
            ItemState::Offered { agent, .. }
            | ItemState::Owned { agent, .. }
            | ItemState::Callback(Stage::Ringing { agent, .. }) => Some(agent),
            _ => None,
        }
    }

    pub fn owner(&self) -> Option<&AgentId> {
        match &self.state {
            ItemState::Owned { agent, .. } => Some(agent),
            _ => None,
        }
    }

    pub fn is_open(&self) -> bool {
        !matches!(self.state, ItemState::Closed { .. })
    }

    /// Whether somebody should be found for it now.
    pub(super) fn wants_agent(&self) -> bool {
        matches!(
            self.state,
            ItemState::Waiting { held: false } | ItemState::Callback(Stage::Due)
        )
    }
}

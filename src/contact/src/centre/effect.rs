//! What follows from an input: told to people, stored, and recorded.

use base::{DialogueId, MunicipalityCode};
use serde::{Deserialize, Serialize};

use super::agent::{AgentState, Pause};
use super::estimate::Band;
use super::ids::{AgentId, InputId, ItemId, MessageId, Moment, TeamId, Text};
use super::input::{DialResult, Sender};
use super::item::{CallbackReason, Decision, Level, Outcome, Target};
use crate::Reference;

/// One consequence. The effects of a step, in order, say everything that changed in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The input was not allowed and changed nothing.
    Refused {
        input: InputId,
        why: Refusal,
    },

    /// A handover or callback exists from now on: the acknowledgement.
    Requested {
        item: ItemId,
        dialogue: DialogueId,
        municipality: MunicipalityCode,
        place: Moment,
    },
    /// No team is set up for it; the fallback team gets it, or without one anybody with the right.
    Fallback {
        item: ItemId,
        team: Option<TeamId>,
    },
    /// No agent of the centre has the right to its municipality: supervisors must act.
    Stranded {
        item: ItemId,
    },
    /// It is in the queue, at its original place.
    Waiting {
        item: ItemId,
        why: WaitReason,
        held: bool,
        /// When the citizen asked: never another than in `Requested`.
        place: Moment,
    },
    /// The citizen is told the likely wait, when it came to wait.
    Foretold {
        item: ItemId,
        band: Band,
    },
    /// One agent has until `until` to answer. The agent sees the brief, if the right reaches to its origin.
    Offered {
        item: ItemId,
        until: Moment,
        /// An offer to ring, not to chat.
        call: bool,
        decision: Decision,
    },
    OfferEnded {
        item: ItemId,
        agent: AgentId,
        offer: u64,
        why: OfferEnd,
    },
    /// A new owner. The citizen is told the name.
    Owned {
        item: ItemId,
        dialogue: DialogueId,
        agent: AgentId,
        name: String,
        epoch: u64,
    },
    /// It has no owner any more; `epoch` is the new one.
    Released {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        why: ReleaseReason,
    },
    Transferred {
        item: ItemId,
        agent: AgentId,
        to: Target,
        /// The municipality from now on.
        municipality: MunicipalityCode,
        note: Option<Text>,
    },
    /// To be stored in the dialogue and shown.
    Deliver {
        item: ItemId,
        /// None when the item is no longer known: the message is kept all the same.
        dialogue: Option<DialogueId>,
        /// Whose citizen it was when this was written: nobody without that right may read it.
        municipality: Option<MunicipalityCode>,
        message: MessageId,
        from: Sender,
        to: Readers,
        /// Whose desk shows it.
        owner: Option<AgentId>,
        text: Text,
        /// Recovered after others went on: shown marked as late.
        late: bool,
    },
    Noted {
        item: ItemId,
        agent: AgentId,
        municipality: MunicipalityCode,
        text: Text,
    },
    Closed {
        item: ItemId,
        dialogue: DialogueId,
        outcome: Outcome,
        by: Option<AgentId>,
        epoch: u64,
    },

    /// The citizen is offered a callback.
    CallbackOffered {
        item: ItemId,
        why: CallbackReason,
    },
    CallbackPromised {
        item: ItemId,
        reference: Reference,
        team: Option<TeamId>,
        from: Moment,
        to: Moment,
    },
    /// To be rung now.
    CallbackDue {
        item: ItemId,
    },
    /// Closing time came first: it is rung at the next opening.
    CallbackPostponed {
        item: ItemId,
        until: Moment,
    },
    /// The slot ended and nobody has rung: supervisors are told.
    CallbackLate {
        item: ItemId,
    },
    /// This agent alone may ring, until `until`.
    Dialing {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        until: Moment,
    },
    DialRenewed {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        until: Moment,
    },
    DialEnded {
        item: ItemId,
        agent: AgentId,
        /// Raised: the agent's right to ring is over.
        epoch: u64,
        why: DialEnd,
        /// Attempts so far.
        attempts: u8,
    },

    AgentChanged {
        agent: AgentId,
        state: AgentState,
        paused: Option<Pause>,
    },
    /// All slots are given back: signed out, or gone for longer than the grace.
    SignedOut {
        agent: AgentId,
    },
    WrapUpEnded {
        item: ItemId,
        agent: AgentId,
    },
    /// The municipality opened, closed, or its drain time is over.
    Hours {
        municipality: MunicipalityCode,
        now: HoursNow,
    },

    /// For the audit: a supervisor reads from now on, at a level.
    Supervised {
        item: ItemId,
        supervisor: AgentId,
        level: Level,
    },
    SupervisionEnded {
        item: ItemId,
        supervisor: AgentId,
    },
}

impl Effect {
    /// The item that it is about.
    pub fn item(&self) -> Option<&ItemId> {
        match self {
            Self::Requested { item, .. }
            | Self::Fallback { item, .. }
            | Self::Stranded { item }
            | Self::Waiting { item, .. }
            | Self::Foretold { item, .. }
            | Self::Offered { item, .. }
            | Self::OfferEnded { item, .. }
            | Self::Owned { item, .. }
            | Self::Released { item, .. }
            | Self::Transferred { item, .. }
            | Self::Deliver { item, .. }
            | Self::Noted { item, .. }
            | Self::Closed { item, .. }
            | Self::CallbackOffered { item, .. }
            | Self::CallbackPromised { item, .. }
            | Self::CallbackDue { item }
            | Self::CallbackPostponed { item, .. }
            | Self::CallbackLate { item }
            | Self::Dialing { item, .. }
            | Self::DialRenewed { item, .. }
            | Self::DialEnded { item, .. }
            | Self::WrapUpEnded { item, .. }
            | Self::Supervised { item, .. }
            | Self::SupervisionEnded { item, .. } => Some(item),
            Self::Refused { .. }
            | Self::AgentChanged { .. }
            | Self::SignedOut { .. }
            | Self::Hours { .. } => None,
        }
    }

    /// The agent or supervisor who did it, or whom it befell.
    pub fn agent(&self) -> Option<&AgentId> {
        match self {
            Self::Offered { decision, .. } => Some(&decision.agent),
            Self::OfferEnded { agent, .. }
            | Self::Owned { agent, .. }
            | Self::Released { agent, .. }
            | Self::Transferred { agent, .. }
            | Self::Noted { agent, .. }
            | Self::Dialing { agent, .. }
            | Self::DialRenewed { agent, .. }
            | Self::DialEnded { agent, .. }
            | Self::AgentChanged { agent, .. }
            | Self::SignedOut { agent }
            | Self::WrapUpEnded { agent, .. } => Some(agent),
            Self::Deliver { from, .. } => match from {
                Sender::Agent { agent, .. } | Sender::Supervisor { agent } => Some(agent),
                Sender::Citizen | Sender::Bot => None,
            },
            Self::Closed { by, .. } => by.as_ref(),
            Self::Supervised { supervisor, .. } | Self::SupervisionEnded { supervisor, .. } => {
                Some(supervisor)
            }
            Self::Refused { .. }
            | Self::Requested { .. }
            | Self::Fallback { .. }
            | Self::Stranded { .. }
            | Self::Waiting { .. }
            | Self::Foretold { .. }
            | Self::CallbackOffered { .. }
            | Self::CallbackPromised { .. }
            | Self::CallbackDue { .. }
            | Self::CallbackPostponed { .. }
            | Self::CallbackLate { .. }
            | Self::Hours { .. } => None,
        }
    }
}

/// Why an item waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    Requested,
    Declined,
    Ignored,
    AgentLost,
    Transferred,
    Released,
    /// The agent no longer has the right, or the offer became impossible.
    Withdrawn,
    /// Closing time and drain time are over.
    Held,
    /// The municipality opened again.
    Reopened,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferEnd {
    Accepted,
    Declined,
    /// Not answered in time.
    Ignored,
    /// The citizen went, or chose a callback.
    Withdrawn,
    AgentLost,
    /// The agent's rights changed, or the account was removed.
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    AgentLost,
    Transferred,
    Supervisor,
    /// The agent's rights changed, or the account was removed.
    Revoked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialEnd {
    Result(DialResult),
    /// Not renewed in time: counts as an attempt.
    LeaseOver,
    AgentLost,
    Cancelled,
    Revoked,
}

/// Who may see a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    All,
    /// The owner and supervisors, not the citizen.
    Staff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoursNow {
    Open,
    /// Closed; who waits is still served until the drain time is over.
    Draining,
    Closed,
}

/// Why an input changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("no such item, or long settled")]
    UnknownItem,
    #[error("no such agent")]
    UnknownAgent,
    #[error("no such team")]
    UnknownTeam,
    #[error("no such municipality")]
    UnknownMunicipality,
    #[error("taken by somebody else")]
    Taken,
    #[error("the offer is over")]
    OfferOver,
    #[error("the item is not with this agent")]
    NotYours,
    #[error("the owner has changed since (stale epoch)")]
    Stale,
    #[error("the agent has not the right or the skill")]
    NotAllowed,
    #[error("the agent has no free slot")]
    NoRoom,
    #[error("the agent is not signed in")]
    Absent,
    #[error("the agent is paused")]
    Paused,
    #[error("the item is settled")]
    Ended,
    #[error("there is one already: {0}")]
    AlreadyOpen(ItemId),
    #[error("this id was used before")]
    Duplicate,
    #[error("a person has the chat: the bot is silent")]
    BotSilenced,
    #[error("closed")]
    Closed { opens: Option<Moment> },
    #[error("the queue is full")]
    Full,
    #[error("there is no such slot")]
    NoSuchSlot,
    #[error("the slot is full")]
    SlotFull,
    #[error("not to be rung now")]
    NotDue,
    #[error("the lease is over")]
    LeaseOver,
    #[error("not possible where the item stands")]
    WrongState,
    #[error("{0} is too long")]
    TooLong(String),
    #[error("{0}")]
    Setting(String),
}

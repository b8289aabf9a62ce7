//! What the log carries.

use base::{DialogueId, Lang, MunicipalityCode};
use serde::{Deserialize, Serialize};

use super::agent::{Mode, Pause, Profile, Team};
use super::ids::{
    AgentId, AreaId, ConnectionId, InputId, ItemId, MessageId, Moment, NodeId, TeamId, Text,
};
use super::item::{Audience, Class, Handover, Level, Link, Target};
use super::settings::Settings;
use crate::{Hours, Phone, Reference};

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub id: InputId,
    /// Appended a second time, by a node that had acknowledged it and then found it gone from the log.
    #[serde(default)]
    pub recovered: bool,
    pub command: Command,
    /// What every node writes beside the state when the command is allowed, such as the lines of a dialogue.
    /// Opaque here, and no part of the state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Text>,
}

/// What somebody wants, or what was noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Time passed. Every other input lets it pass too.
    Tick,

    Configure {
        settings: Box<Settings>,
    },
    SetMunicipality {
        code: MunicipalityCode,
        hours: Box<Hours>,
        fair_share_permille: Option<u16>,
    },
    SetTeam {
        team: Box<Team>,
    },
    RemoveTeam {
        team: TeamId,
    },
    SetAgent {
        profile: Box<Profile>,
    },
    RemoveAgent {
        agent: AgentId,
    },

    NodeStarted {
        node: NodeId,
    },
    NodeLost {
        node: NodeId,
    },
    AgentPresent {
        agent: AgentId,
        link: Link,
    },
    AgentAbsent {
        agent: AgentId,
        connection: ConnectionId,
    },
    SignOut {
        agent: AgentId,
    },
    Pause {
        agent: AgentId,
        why: Pause,
    },
    Resume {
        agent: AgentId,
    },
    SetMode {
        agent: AgentId,
        mode: Mode,
    },

    /// The bot hands over. `asked_at` is heeded only in a recovered input: it keeps the place.
    Request {
        handover: Box<Handover>,
        link: Option<Link>,
        asked_at: Moment,
    },
    CitizenPresent {
        item: ItemId,
        link: Link,
    },
    CitizenAbsent {
        item: ItemId,
        connection: ConnectionId,
    },
    /// The citizen goes, or goes on with the bot alone.
    Leave {
        item: ItemId,
    },

    Accept {
        item: ItemId,
        agent: AgentId,
        offer: u64,
    },
    Decline {
        item: ItemId,
        agent: AgentId,
        offer: u64,
    },
    /// An agent takes it from the list.
    Pick {
        item: ItemId,
        agent: AgentId,
    },
    Transfer {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        to: Target,
        /// For whoever gets it.
        note: Option<Text>,
    },
    Close {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        /// The wrap-up code.
        code: Text,
    },
    WrapUpDone {
        item: ItemId,
        agent: AgentId,
    },
    Message {
        item: ItemId,
        message: MessageId,
        from: Sender,
        text: Text,
    },
    /// A note that only staff see.
    Note {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        text: Text,
    },

    /// Turns a waiting place into a callback.
    ConvertToCallback {
        item: ItemId,
        promise: CallbackRequest,
    },
    /// Asks for a callback without a place in the queue, such as outside hours.
    RequestCallback {
        item: ItemId,
        dialogue: DialogueId,
        municipality: MunicipalityCode,
        area: Option<AreaId>,
        language: Lang,
        audience: Audience,
        class: Class,
        promise: CallbackRequest,
    },
    CancelCallback {
        item: ItemId,
    },
    /// Takes the sole right to ring.
    Dial {
        item: ItemId,
        agent: AgentId,
    },
    RenewDial {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
    },
    EndDial {
        item: ItemId,
        agent: AgentId,
        epoch: u64,
        result: DialResult,
    },

    Supervise {
        item: ItemId,
        supervisor: AgentId,
        level: Level,
    },
    /// The supervisor stops reading.
    StopSupervising {
        item: ItemId,
        supervisor: AgentId,
    },
    /// The supervisor takes the chat from its owner and puts it back in the queue.
    Release {
        item: ItemId,
        supervisor: AgentId,
    },
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    Citizen,
    Bot,
    Agent { agent: AgentId, epoch: u64 },
    Supervisor { agent: AgentId },
}

/// Where and when to ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackRequest {
    pub reference: Reference,
    pub phone: Phone,
    pub topic: Option<Text>,
    /// The beginning of a slot, one of [`super::Centre::callback_slots`].
    pub from: Moment,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialResult {
    Reached,
    NoAnswer,
    Busy,
    /// Not a number that can be rung: no further attempt.
    WrongNumber,
}

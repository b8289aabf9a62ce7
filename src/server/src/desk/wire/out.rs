//! What a desk is sent.

use base::{Lang, MunicipalityCode};
use contact::centre::{
    AgentId, AgentState, Audience, Class, ItemId, Level, Mode, Pause, Reason, TeamId,
};
use serde::Serialize;

use super::CommandId;
use crate::transcript::Line;

/// A frame to a desk.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(in crate::desk) enum ToDesk {
    Welcome(Box<Welcome>),
    Snapshot {
        me: Option<Standing>,
        cards: Vec<Card>,
    },
    Agent(Standing),
    Card {
        card: Box<Card>,
    },
    CardGone {
        item: ItemId,
        why: Gone,
    },
    Line {
        item: ItemId,
        line: Line,
    },
    Typing {
        item: ItemId,
    },
    /// What the citizen lets this agent see of a message; kept nowhere.
    Revealed {
        item: ItemId,
        text: String,
    },
    Suggestions {
        item: ItemId,
        line: String,
        articles: Vec<Article>,
    },
    Queue {
        rows: Vec<Row>,
        total: usize,
    },
    Callbacks {
        rows: Vec<Card>,
    },
    Supervisor(Box<Overview>),
    Ping {
        n: u64,
    },
    Ok {
        id: CommandId,
        #[serde(flatten)]
        said: Said,
    },
    Refused {
        id: CommandId,
        code: &'static str,
        text: String,
    },
    Error {
        code: &'static str,
        text: String,
    },
}

/// What an `ok` carries.
#[derive(Debug, Default, Serialize)]
pub(in crate::desk) struct Said {
    /// The id of the line that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Kinds of personal data that were hidden in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<base::Masked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub articles: Option<Vec<Article>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Targets>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Targets {
    pub agents: Vec<Colleague>,
    pub teams: Vec<Named<TeamId>>,
    pub municipalities: Vec<Municipality>,
    pub areas: Vec<Area>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Colleague {
    pub id: AgentId,
    pub name: String,
    pub state: AgentState,
    pub free: u8,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Welcome {
    pub v: u32,
    pub me: Me,
    pub now_ms: i64,
    pub limits: Limits,
    pub municipalities: Vec<Served>,
    pub areas: Vec<Area>,
    pub codes: Vec<Code>,
    pub canned: Vec<Canned>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Me {
    pub id: AgentId,
    pub name: String,
    pub roles: Vec<&'static str>,
    pub capacity: u8,
}

#[derive(Clone, Debug, Serialize)]
pub(in crate::desk) struct Limits {
    pub text_chars: u32,
    pub offer_ms: u64,
    pub lease_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::desk) struct Municipality {
    pub code: MunicipalityCode,
    pub name: String,
}

/// A municipality of the account's.
#[derive(Debug, Serialize)]
pub(in crate::desk) struct Served {
    #[serde(flatten)]
    pub municipality: Municipality,
    /// What `{{NAME}}` in a canned reply stands for there.
    pub slots: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::desk) struct Area {
    pub id: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Code {
    pub code: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Canned {
    pub id: String,
    pub title: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::desk) struct Named<Id> {
    pub id: Id,
    pub name: String,
}

/// How this agent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::desk) struct Standing {
    pub state: AgentState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    pub mode: Mode,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Card {
    pub item: ItemId,
    pub municipality: Municipality,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    pub language: Lang,
    pub audience: Audience,
    pub class: Class,
    pub place_ms: i64,
    pub state: State,
    pub epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brief: Option<Brief>,
    pub citizen_present: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    pub watchers: Vec<Watcher>,
    pub decisions: Vec<Decision>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct State {
    #[serde(flatten)]
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Named<AgentId>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(in crate::desk) enum Kind {
    Waiting,
    Held,
    Offered {
        offer: u64,
        until_ms: i64,
        call: bool,
    },
    Owned {
        since_ms: i64,
    },
    Promised,
    Due,
    Resting {
        until_ms: i64,
    },
    Ringing {
        since_ms: i64,
        until_ms: i64,
    },
    WrapUp {
        until_ms: i64,
    },
    Closed,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Brief {
    pub question: String,
    pub tried: Vec<String>,
    pub sources: Vec<Source>,
    pub failed: String,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Source {
    pub article_id: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Callback {
    pub reference: String,
    pub phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub from_ms: i64,
    pub to_ms: i64,
    pub attempts: u8,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Watcher {
    pub name: String,
    pub level: Level,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Decision {
    pub at_ms: i64,
    pub agent: Named<AgentId>,
    pub reason: Reason,
    pub candidates: u32,
    pub free: u8,
    pub idle_ms: u64,
    pub skills: u32,
    pub needs: Vec<&'static str>,
    pub overdue: bool,
    pub owed: bool,
}

/// Why a card is not this agent's any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::desk) enum Gone {
    Ignored,
    Declined,
    Withdrawn,
    AgentLost,
    Revoked,
    Transferred,
    Released,
    Closed,
    Settled,
}

/// A row of the queue: no word of the citizen's.
#[derive(Debug, Serialize)]
pub(in crate::desk) struct Row {
    pub item: ItemId,
    pub municipality: Municipality,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<Area>,
    pub language: Lang,
    pub audience: Audience,
    pub class: Class,
    pub place_ms: i64,
    pub state: State,
    pub overdue: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(in crate::desk) struct Article {
    pub article_id: String,
    pub title: String,
    /// Markdown, whole, slots filled.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What supervisors see.
#[derive(Debug, Serialize)]
pub(in crate::desk) struct Overview {
    pub municipalities: Vec<Queue>,
    pub agents: Vec<AgentRow>,
    pub figures: Figures,
    pub items: Vec<Row>,
    pub unserved: Vec<MunicipalityCode>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Queue {
    #[serde(flatten)]
    pub municipality: Municipality,
    pub open: bool,
    pub draining: bool,
    pub staffed: bool,
    pub waiting: u32,
    pub held: u32,
    pub offered: u32,
    pub owned: u32,
    pub callbacks: u32,
    pub due: u32,
    pub ringing: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_ms: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct AgentRow {
    pub id: AgentId,
    pub name: String,
    #[serde(flatten)]
    pub standing: Standing,
    pub capacity: u8,
    pub offers: u8,
    pub chats: u8,
    pub calls: u8,
    pub wrap_ups: u8,
    pub idle_ms: u64,
}

#[derive(Debug, Serialize)]
pub(in crate::desk) struct Figures {
    pub window_ms: u64,
    pub requested: u64,
    pub answered: u64,
    pub abandoned: u64,
    pub converted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_level: Option<f64>,
    pub service_level_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asa_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aht_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandonment: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occupancy: Option<f64>,
}

/// Any frame as text. None of these types has a map whose keys are not strings, so it cannot fail.
pub(in crate::desk) fn text(frame: &ToDesk) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

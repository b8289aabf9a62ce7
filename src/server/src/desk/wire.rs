//! The JSON of the desk's protocol, version 1: docs/desk-protocol.md.

use base::{Lang, MunicipalityCode};
use contact::centre::{
    AgentId, AgentState, AreaId, Audience, Class, DialResult, ItemId, Level, Mode, Pause, Reason,
    Target, TeamId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transcript::Line;

pub(super) const VERSION: u32 = 1;
/// The largest frame that is read, in bytes.
pub(super) const MAX_FRAME: usize = 32 << 10;

/// The desk's own id of a command: 1 to 64 of A-Z a-z 0-9 and -.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct CommandId(String);

impl CommandId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommandId {
    type Error = &'static str;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if (1..=64).contains(&s.len()) && s.bytes().all(plain) {
            Ok(Self(s))
        } else {
            Err("id: must be 1 to 64 of A-Z a-z 0-9 and -")
        }
    }
}

impl From<CommandId> for String {
    fn from(id: CommandId) -> String {
        id.0
    }
}

/// A frame from a desk.
#[derive(Debug)]
pub(super) enum FromDesk {
    Hello { v: u32, csrf: String, visible: bool },
    Pong { visible: bool },
    Watch { what: Vec<What> },
    Typing { item: ItemId },
    Ask { id: CommandId, ask: Ask },
}

/// A frame that could not be read; with its id when it had one.
#[derive(Debug)]
pub(super) struct BadFrame {
    pub(super) id: Option<CommandId>,
    pub(super) why: String,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Plain {
    Hello {
        v: u32,
        csrf: String,
        #[serde(default)]
        visible: bool,
    },
    Pong {
        #[serde(rename = "n")]
        _n: u64,
        #[serde(default = "seen")]
        visible: bool,
    },
    Watch {
        what: Vec<What>,
    },
    Typing {
        item: ItemId,
    },
}

fn seen() -> bool {
    true
}

/// A list that a desk shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Queue,
    Callbacks,
    Supervisor,
}

/// A command: answered once, by `ok` or `refused`.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Ask {
    Pause {
        why: PauseWhy,
    },
    Resume,
    Mode {
        mode: Mode,
    },
    SignOut,
    Accept {
        item: ItemId,
        offer: u64,
    },
    Decline {
        item: ItemId,
        offer: u64,
    },
    Pick {
        item: ItemId,
    },
    Open {
        item: ItemId,
    },
    Message {
        item: ItemId,
        epoch: u64,
        text: String,
    },
    Note {
        item: ItemId,
        epoch: u64,
        text: String,
    },
    Transfer {
        item: ItemId,
        epoch: u64,
        to: To,
        #[serde(default)]
        note: Option<String>,
    },
    Targets {
        item: ItemId,
    },
    Close {
        item: ItemId,
        epoch: u64,
        code: String,
    },
    WrapUpDone {
        item: ItemId,
    },
    Dial {
        item: ItemId,
    },
    RenewDial {
        item: ItemId,
        epoch: u64,
    },
    EndDial {
        item: ItemId,
        epoch: u64,
        result: DialResult,
    },
    Search {
        municipality: MunicipalityCode,
        text: String,
    },
    Draft {
        item: ItemId,
        line: String,
        text: String,
    },
    Supervise {
        item: ItemId,
        level: Level,
    },
    StopSupervising {
        item: ItemId,
    },
    SupervisorMessage {
        item: ItemId,
        text: String,
    },
    Release {
        item: ItemId,
    },
}

/// Why an agent pauses; being paused for ignored offers is not chosen.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PauseWhy {
    Break,
    Meeting,
    Training,
    Other,
}

impl From<PauseWhy> for Pause {
    fn from(why: PauseWhy) -> Self {
        match why {
            PauseWhy::Break => Self::Break,
            PauseWhy::Meeting => Self::Meeting,
            PauseWhy::Training => Self::Training,
            PauseWhy::Other => Self::Other,
        }
    }
}

/// One of these, and no other.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct To {
    agent: Option<AgentId>,
    team: Option<TeamId>,
    municipality: Option<MunicipalityCode>,
    specialist: Option<AreaId>,
    bot: bool,
}

impl To {
    /// None when it is not exactly one.
    pub(super) fn target(self) -> Option<Target> {
        let all = [
            self.agent.map(Target::Agent),
            self.team.map(Target::Team),
            self.municipality.map(Target::Municipality),
            self.specialist.map(Target::Specialist),
            self.bot.then_some(Target::Bot),
        ];
        let mut named = all.into_iter().flatten();
        named.next().filter(|_| named.next().is_none())
    }
}

/// Reads a frame.
///
/// # Errors
/// What is wrong with it, in words for whoever writes a desk.
pub(super) fn read(text: &str) -> Result<FromDesk, BadFrame> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "type")]
        kind: String,
        #[serde(default)]
        id: Value,
    }
    let bad = |id: Option<CommandId>, e: &dyn std::fmt::Display| BadFrame {
        id,
        why: e.to_string().chars().take(200).collect(),
    };
    let head: Head = serde_json::from_str(text).map_err(|e| bad(None, &e))?;
    if matches!(head.kind.as_str(), "hello" | "pong" | "watch" | "typing") {
        let plain = serde_json::from_str(text).map_err(|e| bad(None, &e))?;
        return Ok(match plain {
            Plain::Hello { v, csrf, visible } => FromDesk::Hello { v, csrf, visible },
            Plain::Pong { visible, .. } => FromDesk::Pong { visible },
            Plain::Watch { what } => FromDesk::Watch { what },
            Plain::Typing { item } => FromDesk::Typing { item },
        });
    }
    let id: CommandId = serde_json::from_value(head.id).map_err(|e| bad(None, &e))?;
    match serde_json::from_str(text) {
        Ok(ask) => Ok(FromDesk::Ask { id, ask }),
        Err(e) => Err(bad(Some(id), &e)),
    }
}

/// A frame to a desk.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToDesk {
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
pub(super) struct Said {
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
pub(super) struct Targets {
    pub agents: Vec<Colleague>,
    pub teams: Vec<Named<TeamId>>,
    pub municipalities: Vec<Municipality>,
    pub areas: Vec<Area>,
}

#[derive(Debug, Serialize)]
pub(super) struct Colleague {
    pub id: AgentId,
    pub name: String,
    pub state: AgentState,
    pub free: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Welcome {
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
pub(super) struct Me {
    pub id: AgentId,
    pub name: String,
    pub roles: Vec<&'static str>,
    pub capacity: u8,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Limits {
    pub text_chars: u32,
    pub offer_ms: u64,
    pub lease_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Municipality {
    pub code: MunicipalityCode,
    pub name: String,
}

/// A municipality of the account's.
#[derive(Debug, Serialize)]
pub(super) struct Served {
    #[serde(flatten)]
    pub municipality: Municipality,
    /// What `{{NAME}}` in a canned reply stands for there.
    pub slots: std::collections::BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Area {
    pub id: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Code {
    pub code: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Canned {
    pub id: String,
    pub title: String,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Named<Id> {
    pub id: Id,
    pub name: String,
}

/// How this agent stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Standing {
    pub state: AgentState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    pub mode: Mode,
}

#[derive(Debug, Serialize)]
pub(super) struct Card {
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
pub(super) struct State {
    #[serde(flatten)]
    pub kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Named<AgentId>>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Kind {
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
pub(super) struct Brief {
    pub question: String,
    pub tried: Vec<String>,
    pub sources: Vec<Source>,
    pub failed: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Source {
    pub article_id: String,
    pub title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Callback {
    pub reference: String,
    pub phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    pub from_ms: i64,
    pub to_ms: i64,
    pub attempts: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct Watcher {
    pub name: String,
    pub level: Level,
}

#[derive(Debug, Serialize)]
pub(super) struct Decision {
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
pub(super) enum Gone {
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
pub(super) struct Row {
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
pub(super) struct Article {
    pub article_id: String,
    pub title: String,
    /// Markdown, whole, slots filled.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What supervisors see.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    pub municipalities: Vec<Queue>,
    pub agents: Vec<AgentRow>,
    pub figures: Figures,
    pub items: Vec<Row>,
    pub unserved: Vec<MunicipalityCode>,
}

#[derive(Debug, Serialize)]
pub(super) struct Queue {
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
pub(super) struct AgentRow {
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
pub(super) struct Figures {
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
pub(super) fn text(frame: &ToDesk) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_faults_keep_their_id() {
        let frame =
            r#"{"type":"transfer","id":"a-1","item":"i","epoch":3,"to":{"bot":true},"x":1}"#;
        let Ok(FromDesk::Ask { id, ask }) = read(frame) else {
            panic!("{frame}")
        };
        assert_eq!(id.as_str(), "a-1");
        let Ask::Transfer { to, epoch: 3, .. } = ask else {
            panic!("{ask:?}")
        };
        assert_eq!(to.target(), Some(Target::Bot));
        for two in [r#"{"bot":true,"team":"t"}"#, "{}"] {
            let to: To = serde_json::from_str(two).unwrap();
            assert_eq!(to.target(), None, "{two}");
        }
        for (bad, id) in [
            (r#"{"type":"pick","id":"a-1"}"#, Some("a-1")),
            (
                r#"{"type":"pause","id":"a-1","why":"ignored"}"#,
                Some("a-1"),
            ),
            (r#"{"type":"nonsense","id":"a-1"}"#, Some("a-1")),
            (r#"{"type":"pick","id":"","item":"i"}"#, None),
            (r#"{"type":"pick","item":"i"}"#, None),
            (r#"{"type":"pong"}"#, None),
            ("[]", None),
            ("", None),
        ] {
            let fault = read(bad).unwrap_err();
            assert_eq!(fault.id.as_ref().map(CommandId::as_str), id, "{bad}");
            assert!(!fault.why.is_empty());
        }
    }

    #[test]
    fn an_ok_is_flat() {
        let id = CommandId::try_from("a".to_owned()).unwrap();
        let plain = ToDesk::Ok {
            id,
            said: Said::default(),
        };
        assert_eq!(text(&plain), r#"{"type":"ok","id":"a"}"#);
    }
}

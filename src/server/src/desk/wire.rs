//! The JSON of the desk's protocol, version 1: docs/desk-protocol.md.

mod out;

use base::MunicipalityCode;
use contact::centre::{AgentId, AreaId, DialResult, ItemId, Level, Mode, Pause, Target, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::out::*;

use crate::auth::rights::{Message, desk as rights};

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

impl FromDesk {
    /// Who may send it.
    pub(super) fn right(&self) -> &'static Message {
        match self {
            Self::Hello { .. } => &rights::HELLO,
            Self::Pong { .. } => &rights::PONG,
            Self::Watch { .. } => &rights::WATCH,
            Self::Typing { .. } => &rights::TYPING,
            Self::Ask { ask, .. } => ask.right(),
        }
    }
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

impl Ask {
    fn right(&self) -> &'static Message {
        match self {
            Self::Pause { .. } => &rights::PAUSE,
            Self::Resume => &rights::RESUME,
            Self::Mode { .. } => &rights::MODE,
            Self::SignOut => &rights::SIGN_OUT,
            Self::Accept { .. } => &rights::ACCEPT,
            Self::Decline { .. } => &rights::DECLINE,
            Self::Pick { .. } => &rights::PICK,
            Self::Open { .. } => &rights::OPEN,
            Self::Message { .. } => &rights::MESSAGE,
            Self::Note { .. } => &rights::NOTE,
            Self::Transfer { .. } => &rights::TRANSFER,
            Self::Targets { .. } => &rights::TARGETS,
            Self::Close { .. } => &rights::CLOSE,
            Self::WrapUpDone { .. } => &rights::WRAP_UP_DONE,
            Self::Dial { .. } => &rights::DIAL,
            Self::RenewDial { .. } => &rights::RENEW_DIAL,
            Self::EndDial { .. } => &rights::END_DIAL,
            Self::Search { .. } => &rights::SEARCH,
            Self::Draft { .. } => &rights::DRAFT,
            Self::Supervise { .. } => &rights::SUPERVISE,
            Self::StopSupervising { .. } => &rights::STOP_SUPERVISING,
            Self::SupervisorMessage { .. } => &rights::SUPERVISOR_MESSAGE,
            Self::Release { .. } => &rights::RELEASE,
        }
    }
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

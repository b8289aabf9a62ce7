//! The JSON of the chat protocol, version 1: docs/protocol.md.

mod code;
mod fields;

use base::{Dir, Lang, MunicipalityCode};
use dialogue::{Choice, Outcome};
use knowledge::Link;
use serde::{Deserialize, Serialize};

pub(crate) use self::code::Code;
pub(crate) use self::fields::wrong_field;
use crate::auth::rights::{Message, chat as rights};

pub(crate) const VERSION: u32 = 1;
/// The largest frame that is read, in bytes.
pub(crate) const MAX_FRAME: usize = 16 << 10;
/// Characters of a message, a comment, a topic.
pub(crate) const MAX_TEXT: usize = 2_000;
pub(crate) const MAX_COMMENT: usize = 1_000;
pub(crate) const MAX_TOPIC: usize = 500;
pub(crate) const MESSAGES_PER_MINUTE: u32 = 20;

/// A frame from a citizen.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum FromCitizen {
    Hello(Hello),
    Message {
        client_id: ClientId,
        text: String,
    },
    Choose {
        client_id: ClientId,
        article_id: String,
    },
    Human {
        client_id: ClientId,
    },
    Callback {
        client_id: ClientId,
        phone: String,
        #[serde(default)]
        topic: Option<String>,
        /// The beginning of a slot that was offered, in ms since 1970.
        #[serde(default)]
        slot: Option<i64>,
    },
    /// Shows whoever has the chat what was hidden in a message, as it was written.
    Reveal {
        /// Of that message.
        client_id: ClientId,
        /// As the service's `reveal` said it: whoever has the chat since sees nothing.
        epoch: u64,
        text: String,
    },
    /// Wants the person who was offered.
    Queue {
        client_id: ClientId,
    },
    /// Leaves the queue or the chat, and goes on with the bot.
    Leave {
        client_id: ClientId,
    },
    CancelCallback {
        client_id: ClientId,
        reference: String,
    },
    Rate {
        client_id: ClientId,
        #[serde(default)]
        turn: Option<String>,
        score: u8,
        #[serde(default)]
        comment: Option<String>,
    },
    Lang {
        lang: Lang,
    },
    Typing,
    Ping {
        n: u64,
    },
    Pong {
        #[serde(rename = "n")]
        _n: u64,
    },
    Bye,
}

impl FromCitizen {
    /// Who may send it.
    pub(crate) fn right(&self) -> &'static Message {
        match self {
            Self::Hello(_) => &rights::HELLO,
            Self::Message { .. } => &rights::MESSAGE,
            Self::Choose { .. } => &rights::CHOOSE,
            Self::Human { .. } => &rights::HUMAN,
            Self::Callback { .. } => &rights::CALLBACK,
            Self::Reveal { .. } => &rights::REVEAL,
            Self::Queue { .. } => &rights::QUEUE,
            Self::Leave { .. } => &rights::LEAVE,
            Self::CancelCallback { .. } => &rights::CANCEL_CALLBACK,
            Self::Rate { .. } => &rights::RATE,
            Self::Lang { .. } => &rights::LANG,
            Self::Typing => &rights::TYPING,
            Self::Ping { .. } => &rights::PING,
            Self::Pong { .. } => &rights::PONG,
            Self::Bye => &rights::BYE,
        }
    }

    /// Of what is carried out once.
    pub(crate) fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Message { client_id, .. }
            | Self::Choose { client_id, .. }
            | Self::Human { client_id }
            | Self::Callback { client_id, .. }
            | Self::Reveal { client_id, .. }
            | Self::Queue { client_id }
            | Self::Leave { client_id }
            | Self::CancelCallback { client_id, .. }
            | Self::Rate { client_id, .. } => Some(client_id),
            Self::Hello(_)
            | Self::Lang { .. }
            | Self::Typing
            | Self::Ping { .. }
            | Self::Pong { .. }
            | Self::Bye => None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Hello {
    pub v: u32,
    pub municipality: String,
    #[serde(default)]
    pub lang: Lang,
    /// The configuration that the operator signed for the page.
    #[serde(default)]
    pub signed: Option<String>,
    #[serde(default)]
    pub resume: Option<Resume>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Resume {
    pub dialogue: String,
    pub token: String,
    /// The newest event the client has seen; 0 for none.
    pub seq: u64,
    /// As its last welcome said: whose numbers these are.
    #[serde(default)]
    pub stream: Option<String>,
}

/// The citizen's own id of what it sends: 1 to 64 of A-Z a-z 0-9 and -.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ClientId(String);

impl ClientId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = &'static str;

    fn try_from(s: String) -> Result<Self, Self::Error> {
        let fits = (1..=64).contains(&s.len())
            && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            Ok(Self(s))
        } else {
            Err("client_id must be 1 to 64 of A-Z a-z 0-9 and -")
        }
    }
}

impl From<ClientId> for String {
    fn from(c: ClientId) -> String {
        c.0
    }
}

/// A frame that belongs to no place in the dialogue.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToCitizen<'a> {
    Welcome {
        v: u32,
        dialogue: &'a str,
        token: &'a str,
        seq: u64,
        /// Whose numbers these are: another node counts otherwise.
        stream: &'a str,
        resumed: bool,
        /// All events follow, from the first: what was shown is to be forgotten.
        replay: bool,
        lang: Lang,
        municipality: Municipality<'a>,
        disclosure: &'a str,
        greeting: &'a str,
        contact: Contact<'a>,
        limits: Limits,
    },
    Typing,
    AgentTyping,
    /// What was hidden in this message can be shown to whoever has the chat, if the citizen says so; without an epoch
    /// it was.
    Reveal {
        client_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch: Option<u64>,
        text: &'a str,
    },
    /// How the place in the queue stands now.
    Wait {
        position: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        low_min: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        high_min: Option<u32>,
        held: bool,
        text: &'a str,
    },
    Ping {
        n: u64,
    },
    Pong {
        n: u64,
    },
    Error {
        code: Code,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
}

#[derive(Debug, Serialize)]
pub(crate) struct Municipality<'a> {
    pub code: MunicipalityCode,
    pub name: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Contact<'a> {
    pub open: bool,
    pub hours: &'a str,
    pub phone: &'a str,
}

#[derive(Debug, Serialize)]
pub(crate) struct Limits {
    pub message_chars: usize,
    pub messages_per_minute: u32,
    pub comment_chars: usize,
}

impl Limits {
    pub(crate) const OURS: Limits = Limits {
        message_chars: MAX_TEXT,
        messages_per_minute: MESSAGES_PER_MINUTE,
        comment_chars: MAX_COMMENT,
    };
}

/// An event of the dialogue, as it is journalled: the number is added when it is sent.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event<'a> {
    Citizen {
        client_id: &'a str,
        text: &'a str,
        masked: &'a [base::Masked],
    },
    AnswerStart {
        turn: &'a str,
        outcome: Outcome,
        lang: Lang,
        content_lang: Lang,
        dir: Dir,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        notice: Option<&'a str>,
        /// How it is said, when it is not the approved text: "shortened" or "generated".
        #[serde(skip_serializing_if = "Option::is_none")]
        written: Option<&'static str>,
        /// What is shown above such an answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        mark: Option<&'a str>,
    },
    AnswerPart {
        turn: &'a str,
        text: &'a str,
        /// Of a written answer: what carries it, by name.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        sections: &'a [String],
    },
    AnswerEnd {
        turn: &'a str,
        sources: Vec<SourceShown<'a>>,
        links: &'a [Link],
        choices: &'a [Choice],
        offer_human: bool,
        can_rate: bool,
        /// The approved text, where something else was shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        approved: Option<Approved<'a>>,
    },
    HandoverOffer {
        text: &'a str,
        open: bool,
        hours: &'a str,
        phone: &'a str,
        /// People can be asked for in the chat, now.
        queue: bool,
        slots: Vec<SlotShown>,
    },
    Queued {
        client_id: &'a str,
        text: &'a str,
    },
    AgentJoined {
        name: &'a str,
        text: &'a str,
    },
    Agent {
        id: &'a str,
        name: &'a str,
        text: &'a str,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        supervisor: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        late: bool,
    },
    AgentLeft {
        why: &'a str,
        name: &'a str,
        text: &'a str,
    },
    CallbackOffer {
        reason: &'a str,
        text: &'a str,
        slots: Vec<SlotShown>,
    },
    CallbackSaved {
        client_id: &'a str,
        reference: &'a str,
        text: &'a str,
        /// The promised time; none when it is only known that we ring.
        #[serde(skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        to_ms: Option<i64>,
    },
    CallbackCancelled {
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        reference: &'a str,
        text: &'a str,
    },
    HandoverEnded {
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
        outcome: &'a str,
        text: &'a str,
        can_rate: bool,
    },
    Rated {
        client_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        turn: Option<&'a str>,
        score: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        comment: Option<&'a str>,
    },
    Notice {
        text: &'a str,
    },
}

/// A time at which we can ring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct SlotShown {
    pub from_ms: i64,
    pub to_ms: i64,
    /// Day and time, in the citizen's language.
    pub text: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct SourceShown<'a> {
    pub title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<&'a str>,
    pub article_id: &'a str,
    /// Of a written answer: the sections it is from, by name.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub sections: &'a [String],
}

/// The municipality's own text, whole.
#[derive(Debug, Serialize)]
pub(crate) struct Approved<'a> {
    pub text: &'a str,
    pub content_lang: Lang,
    pub dir: Dir,
}

impl Event<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Event::Citizen { .. } => "citizen",
            Event::AnswerStart { .. } => "answer_start",
            Event::AnswerPart { .. } => "answer_part",
            Event::AnswerEnd { .. } => "answer_end",
            Event::HandoverOffer { .. } => "handover_offer",
            Event::Queued { .. } => "queued",
            Event::AgentJoined { .. } => "agent_joined",
            Event::Agent { .. } => "agent",
            Event::AgentLeft { .. } => "agent_left",
            Event::CallbackOffer { .. } => "callback_offer",
            Event::CallbackSaved { .. } => "callback_saved",
            Event::CallbackCancelled { .. } => "callback_cancelled",
            Event::HandoverEnded { .. } => "handover_ended",
            Event::Rated { .. } => "rated",
            Event::Notice { .. } => "notice",
        }
    }
}

/// Any frame as text. These types have no map keys that are not strings, so it cannot fail.
pub(crate) fn text<T: Serialize>(frame: &T) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

/// A journalled event with its number, as it is sent.
pub(crate) fn numbered(json: &str, seq: u64) -> String {
    format!("{{\"seq\":{seq},{}", json.get(1..).unwrap_or("}"))
}

//! What travels through the log beside a command.

use base::{DialogueId, Lang, MunicipalityCode, hex};
use contact::centre::{MessageId, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Copied, Journal, NewEvent};

/// Bytes of the events in a copy at most; older ones are left out. With the rest of a request and the escapes of
/// JSON within JSON it stays below 64 KiB.
const COPY_BYTES: usize = 40 << 10;

/// Written by every node when the command is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub dialogue: DialogueId,
    /// With a request: for nodes that do not know the dialogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Copy>,
    /// The first one's key makes them all idempotent.
    #[serde(default)]
    pub events: Vec<CarriedEvent>,
}

/// An event on its way into a journal. Its JSON is redacted, and in no log of the program.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CarriedEvent {
    pub kind: String,
    pub json: String,
    /// The citizen's own id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl std::fmt::Debug for CarriedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.kind, self.json.len())
    }
}

/// A dialogue as its own node knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copy {
    /// SHA-256 of the token, in hexadecimal.
    token: String,
    municipality: MunicipalityCode,
    lang: Lang,
    created_ms: i64,
    /// Each with its time, in ms since 1970.
    events: Vec<(i64, CarriedEvent)>,
}

impl Carried {
    pub(crate) fn new(dialogue: DialogueId, events: Vec<CarriedEvent>) -> Self {
        Self {
            dialogue,
            copy: None,
            events,
        }
    }

    /// With a copy of the dialogue as it is in this journal.
    ///
    /// # Errors
    /// The journal's.
    pub(crate) async fn with_copy(mut self, journal: &Journal) -> Result<Self, storage::Error> {
        let Some(loaded) = journal.load(&self.dialogue, 0, 0).await? else {
            return Err(storage::Error::UnknownDialogue);
        };
        let found = journal.transcript(&self.dialogue).await?;
        let mut left = COPY_BYTES;
        let mut events = Vec::new();
        for (event, key) in found.map_or_else(Vec::new, |t| t.events).into_iter().rev() {
            // What escaping adds: a backslash for each quote.
            let quotes = event.json.bytes().filter(|b| matches!(b, b'"' | b'\\'));
            let bytes = event.json.len() + quotes.count() + 100;
            let Some(rest) = left.checked_sub(bytes) else {
                break;
            };
            left = rest;
            let (kind, json) = (event.kind, event.json);
            events.push((event.at.as_millisecond(), CarriedEvent { kind, json, key }));
        }
        events.reverse();
        let meta = loaded.meta;
        self.copy = Some(Copy {
            token: hex(meta.token_hash()),
            municipality: meta.municipality,
            lang: meta.lang,
            created_ms: meta.created.as_millisecond(),
            events,
        });
        Ok(self)
    }

    /// As a command carries it.
    pub(crate) fn text(&self) -> Text {
        crate::wire::text(self).into()
    }

    /// What a command carried; None when it carried nothing that this program knows.
    pub(crate) fn read(text: &Text) -> Option<Self> {
        serde_json::from_str(text.as_str()).ok()
    }

    pub(super) fn copied(&self) -> Option<Copied> {
        let copy = self.copy.as_ref()?;
        let events = copy.events.iter();
        Some(Copied {
            id: self.dialogue.clone(),
            token_sha256: unhex(&copy.token)?,
            municipality: copy.municipality,
            lang: copy.lang,
            created: Timestamp::from_millisecond(copy.created_ms).ok()?,
            events: events
                .map(|(at, e)| Some((Timestamp::from_millisecond(*at).ok()?, e.new_event())))
                .collect::<Option<_>>()?,
        })
    }
}

impl CarriedEvent {
    pub(crate) fn of(event: &crate::wire::Event<'_>, key: Option<&str>) -> Self {
        Self {
            kind: event.kind().to_owned(),
            json: crate::wire::text(event),
            key: key.map(str::to_owned),
        }
    }

    pub(super) fn new_event(&self) -> NewEvent {
        NewEvent {
            kind: self.kind.clone(),
            json: self.json.clone(),
            client_id: self.key.clone(),
        }
    }
}

/// The id in the centre of what a citizen sent under an id of its own: of one length, and nobody else's.
pub(crate) fn citizen_message(client_id: &str) -> MessageId {
    let digest = Sha256::digest(client_id.as_bytes());
    let id = format!("c-{}", hex(&digest[..16]));
    id.parse().expect("hexadecimal is an id")
}

/// A SHA-256 in hexadecimal, as `base::hex` writes it.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let bytes: Vec<u8> = (0..text.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok())
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

//! What goes into the journal and what comes out of it.

use std::ops::Range;
use std::time::Duration;

use base::{DialogueId, Lang, MunicipalityCode, Secret};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// How a journal is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests that may wait; one more is answered Overloaded. At least 1.
    pub queue: usize,
    /// Requests in one transaction at most. At least 1.
    pub batch: usize,
    /// How long to wait for another process that holds the file.
    pub patience: Duration,
    /// A limit for the file, in pages of 4,096 bytes; beyond it writes are answered Full.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 1024,
            batch: 256,
            patience: Duration::from_secs(5),
            max_pages: None,
        }
    }
}

/// A dialogue that begins.
#[derive(Debug)]
pub struct NewDialogue<'a> {
    pub id: DialogueId,
    /// Only its SHA-256 is stored.
    pub token: &'a Secret,
    pub municipality: MunicipalityCode,
    pub lang: Lang,
    pub at: Timestamp,
}

/// An event to append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The `type` of the frame, such as `citizen`.
    pub kind: String,
    /// A JSON object, redacted, without `seq`: whoever reads the event adds it.
    pub json: String,
    /// The citizen's own id of what this event acknowledges.
    pub client_id: Option<String>,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The events have these numbers, in their order; the end is exclusive.
    Written { seqs: Range<u64> },
    /// One of the client ids was there already, with the event of this number. Nothing was written.
    Known { seq: u64 },
}

/// A callback to append beside its event.
#[derive(Clone)]
pub struct NewCallback {
    /// Such as `B-7K3QF`; unique in the journal.
    pub reference: String,
    pub phone: String,
    /// Redacted.
    pub topic: Option<String>,
}

/// An event as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// From 1, without gaps.
    pub seq: u64,
    /// To the millisecond.
    pub at: Timestamp,
    pub kind: String,
    /// Without `seq`.
    pub json: String,
}

/// What is known of a dialogue beside its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub id: DialogueId,
    pub municipality: MunicipalityCode,
    /// The language it began in.
    pub lang: Lang,
    pub created: Timestamp,
    pub ended: Option<Timestamp>,
    /// The number of the newest event; 0 when there is none.
    pub newest: u64,
    pub(crate) token_sha256: [u8; 32],
}

impl Meta {
    /// Whether this is the token the dialogue was created with.
    pub fn owned_by(&self, token: &str) -> bool {
        // Both are hashes: where they differ says nothing about the token.
        sha256(token) == self.token_sha256
    }

    /// The SHA-256 of the token, for a copy of the dialogue at another node.
    pub fn token_hash(&self) -> [u8; 32] {
        self.token_sha256
    }
}

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A dialogue and some of its events, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub meta: Meta,
    pub events: Vec<Event>,
}

/// A turn's record, and what the citizen thought of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnRow {
    pub turn: String,
    pub dialogue: String,
    pub municipality: MunicipalityCode,
    pub at: Timestamp,
    /// JSON.
    pub record: String,
    /// The lowest rating of the turn, 1 to 3.
    pub rated: Option<u8>,
    /// The number of the first event at or after the turn by which the citizen took a place in the queue or left a
    /// number.
    pub person: Option<u64>,
}

/// A callback as it was stored.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackRow {
    pub reference: String,
    pub dialogue: DialogueId,
    pub municipality: MunicipalityCode,
    pub phone: String,
    pub topic: Option<String>,
    pub created: Timestamp,
    /// `waiting` when written; then `handed_in` (it is the contact centre's) or `cancelled`.
    pub state: String,
}

impl std::fmt::Debug for CallbackRow {
    /// Without the number and the topic: neither belongs in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackRow")
            .field("reference", &self.reference)
            .field("dialogue", &self.dialogue)
            .field("municipality", &self.municipality)
            .field("created", &self.created)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How much is in the journal. Kept by the database itself, so that asking costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub dialogues: u64,
    pub events: u64,
    pub callbacks: u64,
    pub turns: u64,
    /// Transactions committed since the journal was opened.
    pub commits: u64,
}

//! What stands in the log of releases: JSON, compressed, in as many records as it needs, appended at once.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use storage::log::{Entry, MAX_BATCH, MAX_BODY, Record};

/// Bytes that something compressed may come to: more is no release of ours.
const MAX_PLAIN: u64 = 512 << 20;

/// What is in the log and cannot be read, or does not fit.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Odd(pub String);

impl Odd {
    fn because(e: impl std::fmt::Display) -> Self {
        Self(e.to_string())
    }
}

/// One line of the log. A form that a version does not know is not read past: the node says so, and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Release(Decided),
    /// The next release has a higher number than this: a node came that has such numbers in its own history.
    Floor {
        number: u64,
    },
}

/// A release that the log has decided on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decided {
    pub number: u64,
    /// Of all files.
    pub hash: String,
    pub at_ms: i64,
    /// `ReleaseMeta` in JSON.
    pub meta: String,
    pub files: Vec<Changed>,
}

/// A file that a release changes; `None` is a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Changed {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// All that a release is, for whoever was away for longer than the log remembers.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copy {
    pub number: u64,
    pub hash: String,
    pub at_ms: i64,
    pub meta: String,
    pub files: Vec<(String, String)>,
    /// Of every text that ever was in the log.
    pub known: Vec<u64>,
}

/// # Errors
/// None that a value of ours can bring about.
pub(super) fn pack(value: &impl Serialize) -> Result<Vec<u8>, Odd> {
    let plain = serde_json::to_vec(value).map_err(Odd::because)?;
    let mut into = DeflateEncoder::new(Vec::new(), Compression::default());
    into.write_all(&plain).map_err(Odd::because)?;
    into.finish().map_err(Odd::because)
}

/// # Errors
/// When it is damaged, too large, or of a form that is not known.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Odd> {
    let mut plain = Vec::new();
    DeflateDecoder::new(bytes)
        .take(MAX_PLAIN)
        .read_to_end(&mut plain)
        .map_err(Odd::because)?;
    serde_json::from_slice(&plain).map_err(Odd::because)
}

/// A packed line as entries of the log, all of one append; `id` is one that nothing else has.
///
/// # Errors
/// When it is larger than one append may be.
pub(super) fn entries(id: &str, bytes: &[u8]) -> Result<Vec<Entry>, Odd> {
    let pieces: Vec<&[u8]> = bytes.chunks(MAX_BODY).collect();
    let of = pieces.len();
    if of > MAX_BATCH {
        return Err(Odd(format!("{} bytes in one release", bytes.len())));
    }
    let entry = |(n, piece): (usize, &[u8])| Entry {
        id: format!("{id}.{n}.{of}"),
        body: piece.to_vec(),
    };
    Ok(pieces.into_iter().enumerate().map(entry).collect())
}

/// Which line a record belongs to, its place in it, and how many there are.
pub(super) fn part(record: &Record) -> Result<(&str, usize, usize), Odd> {
    let mut ends = record.id.rsplitn(3, '.');
    let read = |s: Option<&str>| s.and_then(|s| s.parse::<usize>().ok());
    let (of, n, id) = (read(ends.next()), read(ends.next()), ends.next());
    match (id, n, of) {
        (Some(id), Some(n), Some(of)) if n < of => Ok((id, n, of)),
        _ => Err(Odd(format!("a record by the name of {}", record.id))),
    }
}

/// Puts the records of a line together again.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    id: String,
    next: usize,
    bytes: Vec<u8>,
}

impl Parts {
    /// The line, with its last record.
    ///
    /// # Errors
    /// When the records do not follow one another, or the line cannot be read.
    pub(super) fn push(&mut self, record: &Record) -> Result<Option<Line>, Odd> {
        let (id, n, of) = part(record)?;
        if n == 0 {
            (self.next, self.bytes) = (0, Vec::new());
            id.clone_into(&mut self.id);
        }
        if n != self.next || id != self.id {
            let found = &record.id;
            return Err(Odd(format!("{found} after {} of {}", self.next, self.id)));
        }
        self.bytes.extend_from_slice(&record.body);
        self.next += 1;
        if self.next < of {
            return Ok(None);
        }
        self.next = 0;
        unpack(&std::mem::take(&mut self.bytes)).map(Some)
    }
}

impl From<io::Error> for Odd {
    fn from(e: io::Error) -> Self {
        Self::because(e)
    }
}

//! The newest release, folded from the log.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use knowledge::File;
use sha2::{Digest as _, Sha256};
use storage::log::{Position, Record, Snapshot};

use super::record::{Changed, Copy, Decided, Line, Odd, Parts, pack, unpack};

/// What all nodes should serve, as far as the log was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// After the last line.
    pub at: Position,
    /// Of the last record.
    time: Timestamp,
    /// The highest number that is taken; 0: nothing was decided yet.
    pub number: u64,
    pub hash: String,
    at_ms: i64,
    meta: String,
    files: BTreeMap<String, String>,
    known: BTreeSet<u64>,
    parts: Parts,
    /// Records since the last copy.
    pub unsaved: u64,
}

/// Tells one text of a file from every other.
fn mark(path: &str, text: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(path);
    hash.update([0]);
    hash.update(text);
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl Head {
    /// From a copy of the whole; before the first record without one.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub(super) fn from(copy: Option<Snapshot>) -> Result<Self, Odd> {
        let Some(copy) = copy else {
            return Ok(Self::default());
        };
        let read: Copy = unpack(&copy.bytes)?;
        Ok(Self {
            at: copy.position,
            time: copy.at,
            number: read.number,
            hash: read.hash,
            at_ms: read.at_ms,
            meta: read.meta,
            files: read.files.into_iter().collect(),
            known: read.known.into_iter().collect(),
            parts: Parts::default(),
            unsaved: 0,
        })
    }

    /// # Errors
    /// None that a state of ours can bring about.
    pub(super) fn copy(&self) -> Result<Snapshot, Odd> {
        let copy = Copy {
            number: self.number,
            hash: self.hash.clone(),
            at_ms: self.at_ms,
            meta: self.meta.clone(),
            files: self.files.clone().into_iter().collect(),
            known: self.known.iter().copied().collect(),
        };
        Ok(Snapshot {
            position: self.at,
            at: self.time,
            bytes: pack(&copy)?,
        })
    }

    /// Takes records that follow; what they decide, each with the position after it.
    ///
    /// # Errors
    /// What cannot be read, or does not follow from what was folded. The records before it are taken.
    pub(super) fn fold(&mut self, records: &[Record]) -> Result<Vec<(Decided, Position)>, Odd> {
        let mut decided = Vec::new();
        for record in records {
            self.unsaved += 1;
            self.time = record.at;
            match self.parts.push(record)? {
                None => continue,
                Some(Line::Floor { number }) => self.number = self.number.max(number),
                Some(Line::Release(release)) => {
                    self.take(&release)?;
                    decided.push((release, record.position()));
                }
            }
            self.at = record.position();
        }
        Ok(decided)
    }

    fn take(&mut self, release: &Decided) -> Result<(), Odd> {
        let number = release.number;
        if number <= self.number {
            return Err(Odd(format!("release {number} after {}", self.number)));
        }
        for f in &release.files {
            if self.files.get(&f.path) != f.before.as_ref() {
                let path = &f.path;
                return Err(Odd(format!(
                    "release {number} begins on another text of {path}"
                )));
            }
            match &f.after {
                Some(text) => {
                    self.known.insert(mark(&f.path, text));
                    self.files.insert(f.path.clone(), text.clone());
                }
                None => {
                    self.files.remove(&f.path);
                }
            }
        }
        self.number = number;
        self.hash.clone_from(&release.hash);
        self.at_ms = release.at_ms;
        self.meta.clone_from(&release.meta);
        Ok(())
    }

    /// Whether a file was ever released with this text.
    pub(super) fn knows(&self, path: &str, text: &str) -> bool {
        self.known.contains(&mark(path, text))
    }

    /// In the order of their paths.
    pub(super) fn files(&self) -> Vec<File> {
        let file = |(path, text): (&String, &String)| File {
            path: path.clone(),
            text: text.clone(),
        };
        self.files.iter().map(file).collect()
    }

    /// The whole as one change of something else.
    pub(super) fn over(&self, live: &[File]) -> Decided {
        let changed = super::super::texts::differences(live, &self.files());
        let changed = changed.into_iter().map(|d| Changed {
            path: d.path,
            before: d.base,
            after: d.text,
        });
        Decided {
            number: self.number,
            hash: self.hash.clone(),
            at_ms: self.at_ms,
            meta: self.meta.clone(),
            files: changed.collect(),
        }
    }
}

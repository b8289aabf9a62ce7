//! The audit: lines in a chain of hashes.
//!
//! A line holds the SHA-256 of the hash before it and of its own content, so that a line that was changed, taken out,
//! put in or moved breaks the chain. Of its detail the hash covers a commitment alone (SHA-256 over a salt and the
//! text), so that a detail that leads to a citizen can be taken out, with its salt, and the chain still holds. Old
//! lines go from the beginning: the table `audit_base` keeps the hash of the last that went, and a line of the audit
//! itself says the same. Whoever may write the file can write the whole chain anew; that, and lines cut off the end,
//! is found with a head that was noted elsewhere.

use std::fmt;
use std::str::FromStr;

use base::{DialogueId, hex};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::AuditLine;
use super::ops::time;
use crate::{Error, read};

type Hash = [u8; 32];

/// What is hashed before all else: another form of line would have another.
const FORM: &[u8] = b"borgerlinje audit 1";
/// The line that says what the base says.
const TRIMMED: &str = "audit_trimmed";

/// A line of the audit by its number, and the hash of all up to it. Written `52:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditHead {
    pub line: i64,
    pub hash: Hash,
}

impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, hex(self.hash))
    }
}

impl FromStr for AuditHead {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a head is a number, a colon and 64 hexadecimal digits";
        let (line, digits) = s.trim().split_once(':').ok_or(WRONG)?;
        let line = line.parse().map_err(|_| WRONG)?;
        if digits.len() != 64 || !digits.is_ascii() {
            return Err(WRONG);
        }
        let mut hash = Hash::default();
        for (n, byte) in hash.iter_mut().enumerate() {
            let pair = digits.get(2 * n..2 * n + 2).ok_or(WRONG)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| WRONG)?;
        }
        Ok(Self { line, hash })
    }
}

/// What became of a walk along the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditWalk {
    /// Lines that hold, in their order from the first.
    pub lines: u64,
    /// Of these: whose detail was taken out by an erasure.
    pub blanked: u64,
    /// Lines that went with age.
    pub deleted: u64,
    /// Of the last line that holds.
    pub head: AuditHead,
    /// The line of the noted head went with age: it says nothing of those that are left.
    pub noted_gone: bool,
    /// The first that does not, and why; None: all hold.
    pub broken: Option<(i64, &'static str)>,
}

/// A line as it is stored.
struct Stored {
    id: i64,
    line: AuditLine,
    /// None: the detail was taken out.
    salt: Option<Vec<u8>>,
    detail_sha256: Vec<u8>,
    hash: Vec<u8>,
}

fn commitment(salt: &[u8], detail: &str) -> Hash {
    let mut h = Sha256::new();
    h.update(salt);
    h.update(detail);
    h.finalize().into()
}

fn link(before: &[u8], id: i64, at_ms: i64, line: &AuditLine, detail_sha256: &[u8]) -> Hash {
    let mut h = Sha256::new();
    h.update(FORM);
    h.update(before);
    h.update(id.to_be_bytes());
    h.update(at_ms.to_be_bytes());
    for text in [&line.user, &line.what, &line.origin] {
        h.update((text.len() as u64).to_be_bytes());
        h.update(text);
    }
    h.update(detail_sha256);
    h.finalize().into()
}

fn bytes(found: &[u8]) -> Result<Hash, Error> {
    let short = || Error::Corrupt("a hash of the audit has another length".to_owned());
    found.try_into().map_err(|_| short())
}

fn base(c: &Connection) -> Result<(AuditHead, u64), Error> {
    let (line, hash, lines): (i64, Vec<u8>, u64) =
        c.query_one("SELECT id, hash, lines FROM audit_base", [], |r| {
            Ok((r.get(0)?, r.get(1)?, read::number(r, 2)?))
        })?;
    let hash = bytes(&hash)?;
    Ok((AuditHead { line, hash }, lines))
}

fn head(c: &Connection) -> Result<AuditHead, Error> {
    let mut s = c.prepare_cached("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")?;
    let last: Option<(i64, Vec<u8>)> =
        s.query_row([], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    match last {
        Some((line, hash)) => Ok(AuditHead {
            line,
            hash: bytes(&hash)?,
        }),
        None => Ok(base(c)?.0),
    }
}

/// Writes a line behind the last.
pub(super) fn append(c: &Connection, line: &AuditLine) -> Result<(), Error> {
    let before = head(c)?;
    let salt: Vec<u8> = c.query_one("SELECT randomblob(16)", [], |r| r.get(0))?;
    let (id, at_ms) = (before.line + 1, line.at.as_millisecond());
    let digest = commitment(&salt, &line.detail);
    let hash = link(&before.hash, id, at_ms, line, &digest);
    let mut s = c.prepare_cached(
        "INSERT INTO audit (id, at_ms, user, what, origin, detail, salt, detail_sha256, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    s.execute(params![
        id,
        at_ms,
        line.user,
        line.what,
        line.origin,
        line.detail,
        salt,
        digest,
        hash
    ])?;
    Ok(())
}

/// Makes a chain of what was there before there was one. The numbers stay; they may have gaps.
pub(super) fn chain(c: &Connection) -> Result<(), Error> {
    let mut s = c.prepare("SELECT *, randomblob(16) AS new FROM audit ORDER BY id")?;
    let mut rows = s.query([])?;
    let mut before = base(c)?.0.hash;
    while let Some(r) = rows.next()? {
        let (id, line, salt): (i64, AuditLine, Vec<u8>) = (r.get("id")?, line(r)?, r.get("new")?);
        let digest = commitment(&salt, &line.detail);
        before = link(&before, id, line.at.as_millisecond(), &line, &digest);
        c.execute(
            "UPDATE audit SET salt = ?2, detail_sha256 = ?3, hash = ?4 WHERE id = ?1",
            params![id, salt, digest, before],
        )?;
    }
    Ok(())
}

fn line(r: &rusqlite::Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        at: time(r, "at_ms")?,
        user: r.get("user")?,
        what: r.get("what")?,
        origin: r.get("origin")?,
        detail: r.get("detail")?,
    })
}

pub(super) fn newest(c: &Connection, limit: u32) -> Result<Vec<AuditLine>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM audit ORDER BY id DESC LIMIT ?1")?;
    let rows = s.query_map([limit], line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes what stands before the first line that is young enough, and notes where the chain begins now.
pub(super) fn forget(c: &Connection, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
    let last: Option<(i64, Vec<u8>)> = c
        .query_row(
            "SELECT id, hash FROM audit WHERE id <
             (SELECT coalesce(min(id), 9223372036854775807) FROM audit WHERE at_ms >= ?1)
             ORDER BY id DESC LIMIT 1",
            [before.as_millisecond()],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
        .optional()?;
    let Some((line, hash)) = last else {
        return Ok(0);
    };
    let hash = bytes(&hash)?;
    // The line that says so goes behind all others: after the deletion there may be none.
    let trimmed = AuditHead { line, hash };
    append(c, &said(trimmed, now))?;
    let gone = c.execute("DELETE FROM audit WHERE id <= ?1", [line])?;
    let gone = u64::try_from(gone).unwrap_or(u64::MAX);
    c.execute(
        "UPDATE audit_base SET id = ?1, hash = ?2, lines = lines + ?3",
        params![line, hash, i64::try_from(gone).unwrap_or(i64::MAX)],
    )?;
    Ok(gone)
}

fn said(trimmed: AuditHead, at: Timestamp) -> AuditLine {
    AuditLine {
        at,
        user: "service".to_owned(),
        what: TRIMMED.to_owned(),
        origin: "service".to_owned(),
        detail: trimmed.to_string(),
    }
}

/// Takes out of the audit what leads to a dialogue; of how many lines.
pub(super) fn erase(c: &Connection, dialogue: &DialogueId) -> Result<u64, Error> {
    let sql = "UPDATE audit SET detail = '', salt = NULL WHERE instr(detail, ?1)";
    let n = c.execute(sql, [dialogue.as_str()])?;
    Ok(u64::try_from(n).unwrap_or(u64::MAX))
}

/// Walks the chain from its beginning. `noted` is a head that was kept elsewhere: the line must be there as it was.
pub(super) fn walk(c: &Connection, noted: Option<AuditHead>) -> Result<AuditWalk, Error> {
    let (from, deleted) = base(c)?;
    let mut walk = AuditWalk {
        lines: 0,
        blanked: 0,
        deleted,
        head: from,
        noted_gone: noted.is_some_and(|n| n.line < from.line),
        broken: None,
    };
    let mut wanted = noted.filter(|n| n.line >= from.line);
    if wanted.is_some_and(|n| n == from) {
        wanted = None;
    }
    let mut trimmed = (deleted == 0).then_some(from);
    let mut s = c.prepare("SELECT * FROM audit ORDER BY id")?;
    let mut rows = s.query([])?;
    while let Some(r) = rows.next()? {
        let stored = Stored {
            id: r.get("id")?,
            line: line(r)?,
            salt: r.get("salt")?,
            detail_sha256: r.get("detail_sha256")?,
            hash: r.get("hash")?,
        };
        if let Some(why) = fault(&walk.head, &stored) {
            walk.broken = Some((stored.id, why));
            return Ok(walk);
        }
        walk.lines += 1;
        walk.blanked += u64::from(stored.salt.is_none());
        walk.head = AuditHead {
            line: stored.id,
            hash: bytes(&stored.hash)?,
        };
        if wanted.is_some_and(|n| n.line == stored.id) {
            if wanted != Some(walk.head) {
                walk.broken = Some((stored.id, "it is not the line that the noted head is of"));
                return Ok(walk);
            }
            wanted = None;
        }
        if stored.line.what == TRIMMED && stored.line.detail == from.to_string() {
            trimmed = Some(from);
        }
    }
    if let Some(noted) = wanted {
        walk.broken = Some((noted.line, "the line of the noted head is not there"));
    } else if trimmed.is_none() {
        let why = "lines before it are gone, and no line of the audit says so";
        walk.broken = Some((from.line + 1, why));
    }
    Ok(walk)
}

/// What is wrong with a line that stands behind that one.
fn fault(before: &AuditHead, s: &Stored) -> Option<&'static str> {
    let shown = match &s.salt {
        Some(salt) => commitment(salt, &s.line.detail)[..] == s.detail_sha256[..],
        None => s.line.detail.is_empty(),
    };
    let at_ms = s.line.at.as_millisecond();
    let hash = link(&before.hash, s.id, at_ms, &s.line, &s.detail_sha256);
    if !shown {
        Some("its detail is not what was written")
    } else if hash[..] != s.hash[..] {
        Some("it, or the line before it, is not what was written")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;

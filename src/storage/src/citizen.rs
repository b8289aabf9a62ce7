//! All that is kept of one citizen's dialogue, by the code that the citizen has.

use base::DialogueId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;

use crate::retention::STAFF_OF;
use crate::types::sha256;
use crate::{CallbackRow, Error, Event, Forgotten, Meta, StaffLine, read, retention, transcript};

/// Everything of a dialogue, for whoever asks to see what is kept.
#[derive(Clone, Debug)]
pub struct Citizen {
    pub meta: Meta,
    pub events: Vec<Event>,
    /// Id, time in ms, record.
    pub turns: Vec<(String, i64, String)>,
    pub callbacks: Vec<CallbackRow>,
    pub staff: Vec<StaffLine>,
    /// Records of the contact centre's log that name the dialogue: copies, until the log drops them.
    pub in_log: u64,
}

/// What was erased, and what is still in the contact centre's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    pub gone: Forgotten,
    /// See [`Citizen::in_log`].
    pub in_log: u64,
}

/// The dialogue that a code belongs to: the reference of a callback, or the dialogue's own id.
pub(crate) fn find(conn: &Connection, code: &str) -> Result<Option<DialogueId>, Error> {
    if let Ok(id) = code.parse::<DialogueId>() {
        let known = conn
            .query_one(
                "SELECT 1 FROM dialogues WHERE id = ?1",
                [id.as_str()],
                |r| r.get::<_, i64>(0),
            )
            .optional()?;
        return Ok(known.map(|_| id));
    }
    let found: Option<String> = conn
        .query_one(BY_REFERENCE, [code], |r| r.get(0))
        .optional()?;
    Ok(found.and_then(|id| id.parse().ok()))
}

/// A callback that the contact centre promised is told in an event alone.
const BY_REFERENCE: &str = "
    SELECT dialogue FROM callbacks WHERE reference = ?1
    UNION ALL SELECT dialogue FROM events WHERE kind = 'callback_saved' AND json_extract(json, '$.reference') = ?1
    LIMIT 1";

pub(crate) fn all(conn: &Connection, id: &DialogueId) -> Result<Option<Citizen>, Error> {
    let Some(loaded) = read::load(conn, id, 0, u32::MAX)? else {
        return Ok(None);
    };
    let turns = conn
        .prepare_cached(
            "SELECT turn, at_ms, record FROM turns WHERE dialogue = ? ORDER BY at_ms, turn",
        )?
        .query_map([id.as_str()], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Citizen {
        meta: loaded.meta,
        events: loaded.events,
        turns,
        callbacks: read::callbacks_of(conn, id)?,
        staff: transcript::staff(conn, STAFF_OF, id)?,
        in_log: in_log(conn, id)?,
    }))
}

fn in_log(conn: &Connection, id: &DialogueId) -> Result<u64, Error> {
    let n = conn.query_one(
        "SELECT (SELECT count(*) FROM log WHERE instr(body, CAST(?1 AS BLOB)))
              + (SELECT count(*) FROM log_lost WHERE instr(body, CAST(?1 AS BLOB)))",
        [id.as_str()],
        |r| read::number(r, 0),
    )?;
    Ok(n)
}

pub(crate) fn erase(conn: &Connection, id: &DialogueId, at: Timestamp) -> Result<Erased, Error> {
    conn.execute(
        "INSERT OR REPLACE INTO erased (dialogue_sha256, at_ms) VALUES (?, ?)",
        rusqlite::params![sha256(id.as_str()), at.as_millisecond()],
    )?;
    Ok(Erased {
        gone: retention::forget_dialogue(conn, id.as_str())?,
        in_log: in_log(conn, id)?,
    })
}

#[cfg(test)]
mod tests;

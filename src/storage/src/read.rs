//! What is read.

use std::str::FromStr;

use base::{DialogueId, MunicipalityCode, TurnId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{CallbackRow, Counts, Error, Event, Loaded, Meta, TurnRow};

/// SQLite's integers are signed; no dialogue will have 2^63 events.
pub(crate) fn to_sql(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn corrupt(
    index: usize,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Null, why.into())
}

pub(crate) fn number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    let n: i64 = row.get(index)?;
    u64::try_from(n).map_err(|e| corrupt(index, e))
}

pub(crate) fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(row.get(index)?).map_err(|e| corrupt(index, e))
}

fn parsed<T: FromStr>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T::Err: std::fmt::Display,
{
    let text = row.get_ref(index)?.as_str()?;
    text.parse()
        .map_err(|e: T::Err| corrupt(index, e.to_string()))
}

/// The number of the newest event; 0 when there is none.
pub(crate) fn newest(conn: &Connection, dialogue: &DialogueId) -> Result<u64, Error> {
    let n = conn
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM events WHERE dialogue = ?")?
        .query_one([dialogue.as_str()], |r| number(r, 0))?;
    Ok(n)
}

pub(crate) fn find_client_id(
    conn: &Connection,
    dialogue: &DialogueId,
    client_id: &str,
) -> Result<Option<u64>, Error> {
    let seq = conn
        .prepare_cached("SELECT seq FROM client_ids WHERE dialogue = ? AND client_id = ?")?
        .query_one([dialogue.as_str(), client_id], |r| number(r, 0))
        .optional()?;
    Ok(seq)
}

pub(crate) fn load(
    conn: &Connection,
    dialogue: &DialogueId,
    after_seq: u64,
    limit: u32,
) -> Result<Option<Loaded>, Error> {
    let newest = newest(conn, dialogue)?;
    let meta = conn
        .prepare_cached(
            "SELECT id, municipality, lang, created_ms, ended_ms, token_sha256 FROM dialogues WHERE id = ?",
        )?
        .query_one([dialogue.as_str()], |r| {
            let ended: Option<i64> = r.get(4)?;
            Ok(Meta {
                id: parsed(r, 0)?,
                municipality: parsed(r, 1)?,
                lang: parsed(r, 2)?,
                created: time(r, 3)?,
                ended: ended.map(|_| time(r, 4)).transpose()?,
                newest,
                token_sha256: r.get(5)?,
            })
        })
        .optional()?;
    let Some(meta) = meta else {
        return Ok(None);
    };
    let events = conn
        .prepare_cached(
            "SELECT seq, at_ms, kind, json FROM events WHERE dialogue = ? AND seq > ? ORDER BY seq LIMIT ?",
        )?
        .query_map(params![dialogue.as_str(), to_sql(after_seq), limit], |r| {
            Ok(Event {
                seq: number(r, 0)?,
                at: time(r, 1)?,
                kind: r.get(2)?,
                json: r.get(3)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Loaded { meta, events }))
}

pub(crate) fn turn(conn: &Connection, turn: &TurnId) -> Result<Option<String>, Error> {
    let record = conn
        .prepare_cached("SELECT record FROM turns WHERE turn = ?")?
        .query_one([turn.as_str()], |r| r.get(0))
        .optional()?;
    Ok(record)
}

pub(crate) fn turns(
    conn: &Connection,
    since: Timestamp,
    after: Option<(Timestamp, String)>,
    limit: u32,
) -> Result<Vec<TurnRow>, Error> {
    let (at, turn) = after.map_or((i64::MAX, String::new()), |(at, t)| {
        (at.as_millisecond(), t)
    });
    let rows = conn
        .prepare_cached(
            "SELECT t.turn, d.municipality, t.at_ms, t.record,
                    (SELECT min(json_extract(e.json, '$.score')) FROM events e
                     WHERE e.dialogue = t.dialogue AND e.kind = 'rated'
                       AND json_extract(e.json, '$.turn') = t.turn),
                    t.dialogue,
                    (SELECT min(e.seq) FROM events e
                     WHERE e.dialogue = t.dialogue AND e.kind IN ('queued', 'callback_saved')
                       AND e.at_ms >= t.at_ms)
             FROM turns t JOIN dialogues d ON d.id = t.dialogue
             WHERE t.at_ms >= ? AND (t.at_ms, t.turn) < (?, ?)
             ORDER BY t.at_ms DESC, t.turn DESC LIMIT ?",
        )?
        .query_map(params![since.as_millisecond(), at, turn, limit], |r| {
            Ok(TurnRow {
                turn: r.get(0)?,
                municipality: parsed(r, 1)?,
                at: time(r, 2)?,
                record: r.get(3)?,
                rated: r.get(4)?,
                dialogue: r.get(5)?,
                person: r.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

pub(crate) fn callbacks(
    conn: &Connection,
    municipality: MunicipalityCode,
    limit: u32,
) -> Result<Vec<CallbackRow>, Error> {
    let rows = conn
        .prepare_cached(
            "SELECT reference, dialogue, municipality, phone, topic, created_ms, state FROM callbacks
             WHERE municipality = ? ORDER BY created_ms, reference LIMIT ?",
        )?
        .query_map(params![municipality.as_str(), limit], callback)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

pub(crate) fn callbacks_of(
    conn: &Connection,
    dialogue: &DialogueId,
) -> Result<Vec<CallbackRow>, Error> {
    let rows = conn
        .prepare_cached(
            "SELECT reference, dialogue, municipality, phone, topic, created_ms, state FROM callbacks
             WHERE dialogue = ? ORDER BY created_ms, reference",
        )?
        .query_map([dialogue.as_str()], callback)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

pub(crate) fn waiting_callbacks(conn: &Connection, limit: u32) -> Result<Vec<CallbackRow>, Error> {
    let rows = conn
        .prepare_cached(
            "SELECT reference, dialogue, municipality, phone, topic, created_ms, state FROM callbacks
             WHERE state = 'waiting' ORDER BY created_ms, reference LIMIT ?",
        )?
        .query_map([limit], callback)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

fn callback(r: &Row<'_>) -> rusqlite::Result<CallbackRow> {
    Ok(CallbackRow {
        reference: r.get(0)?,
        dialogue: parsed(r, 1)?,
        municipality: parsed(r, 2)?,
        phone: r.get(3)?,
        topic: r.get(4)?,
        created: time(r, 5)?,
        state: r.get(6)?,
    })
}

pub(crate) fn counts(conn: &Connection) -> Result<Counts, Error> {
    let counts = conn
        .prepare_cached("SELECT dialogues, events, callbacks, turns FROM counts")?
        .query_one([], |r| {
            Ok(Counts {
                dialogues: number(r, 0)?,
                events: number(r, 1)?,
                callbacks: number(r, 2)?,
                turns: number(r, 3)?,
                commits: 0,
            })
        })?;
    Ok(counts)
}

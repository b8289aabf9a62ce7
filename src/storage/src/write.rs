//! What is written, each inside a transaction that the owner began.

use base::{DialogueId, Lang, MunicipalityCode, TurnId};
use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use crate::read;
use crate::{Appended, Error, NewCallback, NewEvent};

/// The error of an INSERT whose key may exist.
fn taken(what: &'static str) -> impl FnOnce(rusqlite::Error) -> Error {
    move |e| match e.sqlite_error() {
        Some(f) if f.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            Error::Taken(what)
        }
        Some(f) if f.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            Error::UnknownDialogue
        }
        Some(f) if f.code == ErrorCode::ConstraintViolation => Error::Sqlite(e.to_string()),
        _ => e.into(),
    }
}

pub(crate) fn create(
    conn: &Connection,
    id: &DialogueId,
    token_sha256: [u8; 32],
    municipality: MunicipalityCode,
    lang: Lang,
    at: Timestamp,
) -> Result<(), Error> {
    conn.prepare_cached(
        "INSERT INTO dialogues (id, token_sha256, municipality, lang, created_ms) VALUES (?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id.as_str(),
        token_sha256,
        municipality.as_str(),
        lang.code(),
        at.as_millisecond()
    ])
    .map_err(taken("dialogue id"))?;
    Ok(())
}

pub(crate) fn end(conn: &Connection, id: &DialogueId, at: Timestamp) -> Result<(), Error> {
    let rows = conn
        .prepare_cached("UPDATE dialogues SET ended_ms = coalesce(ended_ms, ?) WHERE id = ?")?
        .execute(params![at.as_millisecond(), id.as_str()])?;
    if rows == 0 {
        return Err(Error::UnknownDialogue);
    }
    Ok(())
}

pub(crate) fn append(
    conn: &Connection,
    dialogue: &DialogueId,
    events: &[NewEvent],
    at: Timestamp,
) -> Result<Appended, Error> {
    if municipality(conn, dialogue)?.is_none() {
        return Err(Error::UnknownDialogue);
    }
    for client_id in events.iter().filter_map(|e| e.client_id.as_deref()) {
        if let Some(seq) = read::find_client_id(conn, dialogue, client_id)? {
            return Ok(Appended::Known { seq });
        }
    }
    let first = read::newest(conn, dialogue)? + 1;
    let mut next = first;
    let mut insert = conn.prepare_cached(
        "INSERT INTO events (dialogue, seq, at_ms, kind, json) VALUES (?, ?, ?, ?, ?)",
    )?;
    // The same id twice in one append is the same request: its first event counts.
    let mut remember = conn.prepare_cached(
        "INSERT INTO client_ids (dialogue, client_id, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    )?;
    for e in events {
        let seq = read::to_sql(next);
        insert.execute(params![
            dialogue.as_str(),
            seq,
            at.as_millisecond(),
            e.kind,
            e.json
        ])?;
        if let Some(client_id) = &e.client_id {
            remember.execute(params![dialogue.as_str(), client_id, seq])?;
        }
        next += 1;
    }
    Ok(Appended::Written { seqs: first..next })
}

pub(crate) fn append_callback(
    conn: &Connection,
    dialogue: &DialogueId,
    event: &NewEvent,
    callback: &NewCallback,
    at: Timestamp,
) -> Result<Appended, Error> {
    let appended = append(conn, dialogue, std::slice::from_ref(event), at)?;
    if matches!(appended, Appended::Written { .. }) {
        conn.prepare_cached(
            "INSERT INTO callbacks (reference, dialogue, municipality, phone, topic, created_ms, state)
             SELECT ?, id, municipality, ?, ?, ?, 'waiting' FROM dialogues WHERE id = ?",
        )?
        .execute(params![
            callback.reference,
            callback.phone,
            callback.topic,
            at.as_millisecond(),
            dialogue.as_str()
        ])
        .map_err(taken("callback reference"))?;
    }
    Ok(appended)
}

pub(crate) fn cancel_callback(
    conn: &Connection,
    dialogue: &DialogueId,
    reference: &str,
    event: &NewEvent,
    at: Timestamp,
) -> Result<Option<Appended>, Error> {
    let rows = conn
        .prepare_cached(
            "UPDATE callbacks SET state = 'cancelled' WHERE reference = ? AND dialogue = ? AND state = 'waiting'",
        )?
        .execute([reference, dialogue.as_str()])?;
    if rows == 0 {
        return Ok(None);
    }
    append(conn, dialogue, std::slice::from_ref(event), at).map(Some)
}

pub(crate) fn hand_in_callback(conn: &Connection, reference: &str) -> Result<bool, Error> {
    let rows = conn
        .prepare_cached(
            "UPDATE callbacks SET state = 'handed_in' WHERE reference = ? AND state = 'waiting'",
        )?
        .execute([reference])?;
    Ok(rows > 0)
}

pub(crate) fn record_turn(
    conn: &Connection,
    turn: &TurnId,
    dialogue: &DialogueId,
    json: &str,
    at: Timestamp,
) -> Result<(), Error> {
    conn.prepare_cached("INSERT INTO turns (turn, dialogue, at_ms, record) VALUES (?, ?, ?, ?)")?
        .execute(params![
            turn.as_str(),
            dialogue.as_str(),
            at.as_millisecond(),
            json
        ])
        .map_err(taken("turn id"))?;
    Ok(())
}

fn municipality(conn: &Connection, dialogue: &DialogueId) -> Result<Option<String>, Error> {
    let found = conn
        .prepare_cached("SELECT municipality FROM dialogues WHERE id = ?")?
        .query_one([dialogue.as_str()], |r| r.get(0))
        .optional()?;
    Ok(found)
}

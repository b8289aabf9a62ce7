//! The tables of the log in the journal's file: the embedded log itself, or a node's mirror of the one in
//! Redis. Every function runs inside a transaction of the owner thread.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::types::{Append, Appended, Entry, LostNode, Position, Put, Read, Record, Snapshot};
use crate::Error;
use crate::read::{number, time, to_sql};

/// Where the log begins and ends.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) generation: String,
    /// The last record dropped.
    pub(crate) base: Position,
    /// The time of the last record dropped, in ms; 0 when none was.
    pub(crate) base_at: i64,
    pub(crate) head: Position,
    /// The time of the last record, in ms.
    pub(crate) at: i64,
}

pub(crate) fn ends(conn: &Connection) -> Result<Ends, Error> {
    let ends = conn
        .prepare_cached(
            "SELECT generation, base, base_link, base_ms, head, head_link, at_ms FROM log_ends",
        )?
        .query_one([], |r| {
            Ok(Ends {
                generation: r.get(0)?,
                base: position(r, 1)?,
                base_at: r.get(3)?,
                head: position(r, 4)?,
                at: r.get(6)?,
            })
        })?;
    Ok(ends)
}

fn position(row: &Row<'_>, index: usize) -> rusqlite::Result<Position> {
    Ok(Position {
        seq: number(row, index)?,
        link: link(row, index + 1)?,
    })
}

fn link(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(index)?.cast_unsigned())
}

/// From the columns seq, link, at_ms, node, id, body.
fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        seq: number(row, 0)?,
        link: link(row, 1)?,
        at: time(row, 2)?,
        node: row.get(3)?,
        id: row.get(4)?,
        body: row.get(5)?,
    })
}

/// The position of a record that is there, or where the kept records begin; None for any other.
pub(crate) fn at(conn: &Connection, seq: u64) -> Result<Option<Position>, Error> {
    let ends = ends(conn)?;
    if seq == ends.base.seq {
        return Ok(Some(ends.base));
    }
    let found = conn
        .prepare_cached("SELECT seq, link FROM log WHERE seq = ?")?
        .query_one([to_sql(seq)], |r| position(r, 0))
        .optional()?;
    Ok(found)
}

/// None when the position is of this log or too old to tell; the head when it is of another.
fn diverged(conn: &Connection, ends: &Ends, from: Position) -> Result<Option<u64>, Error> {
    let ours = if from.seq > ends.head.seq {
        None
    } else if from.seq < ends.base.seq {
        Some(from)
    } else {
        at(conn, from.seq)?
    };
    Ok((ours != Some(from)).then_some(ends.head.seq))
}

pub(crate) fn seq_of(conn: &Connection, id: &str) -> Result<Option<u64>, Error> {
    let seq = conn
        .prepare_cached("SELECT seq FROM log WHERE id = ?")?
        .query_one([id], |r| number(r, 0))
        .optional()?;
    Ok(seq)
}

/// Eight bytes of a hash over the link before and all that the record says.
fn chain(before: Position, at: i64, node: &str, entry: &Entry) -> u64 {
    let mut hash = Sha256::new();
    hash.update(before.link.to_be_bytes());
    hash.update(at.to_be_bytes());
    for part in [node.as_bytes(), entry.id.as_bytes(), &entry.body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash.finalize());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Puts records behind the head, whatever they are. What was lost and is there again is no longer lost.
fn insert(conn: &Connection, records: &[Record], mut ends: Ends) -> Result<(), Error> {
    let mut into = conn.prepare_cached(
        "INSERT INTO log (seq, link, at_ms, node, id, body) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let mut found = conn.prepare_cached("DELETE FROM log_lost WHERE id = ?")?;
    for r in records {
        let at = r.at.as_millisecond();
        into.execute(params![
            to_sql(r.seq),
            r.link.cast_signed(),
            at,
            r.node,
            r.id,
            r.body
        ])?;
        found.execute([&r.id])?;
        ends.head = r.position();
        ends.at = ends.at.max(at);
    }
    set_ends(conn, &ends)
}

fn set_ends(conn: &Connection, ends: &Ends) -> Result<(), Error> {
    conn.prepare_cached(
        "UPDATE log_ends SET base = ?, base_link = ?, base_ms = ?, head = ?, head_link = ?, at_ms = ?",
    )?
    .execute(params![
        to_sql(ends.base.seq),
        ends.base.link.cast_signed(),
        ends.base_at,
        to_sql(ends.head.seq),
        ends.head.link.cast_signed(),
        ends.at
    ])?;
    Ok(())
}

pub(crate) fn append(
    conn: &Connection,
    node: &str,
    after: Position,
    entries: Vec<Entry>,
    now: Timestamp,
) -> Result<Append, Error> {
    let ends = ends(conn)?;
    if let Some(head) = diverged(conn, &ends, after)? {
        return Ok(Append::Diverged { head });
    }
    let at = now.as_millisecond().max(ends.at);
    let (mut seqs, mut new) = (Vec::with_capacity(entries.len()), Vec::<Record>::new());
    let mut last = ends.head;
    for entry in entries {
        let twice = new.iter().find(|r| r.id == entry.id).map(|r| r.seq);
        if let Some(seq) = twice.map_or_else(|| seq_of(conn, &entry.id), |s| Ok(Some(s)))? {
            seqs.push(seq);
            continue;
        }
        last = Position {
            seq: last.seq + 1,
            link: chain(last, at, node, &entry),
        };
        seqs.push(last.seq);
        new.push(Record {
            seq: last.seq,
            link: last.link,
            at: Timestamp::from_millisecond(at).unwrap_or(now),
            node: node.to_owned(),
            id: entry.id,
            body: entry.body,
        });
    }
    if !new.is_empty() {
        if after != ends.head {
            return Ok(Append::Conflict {
                head: ends.head.seq,
            });
        }
        insert(conn, &new, ends)?;
    }
    Ok(Append::Appended(Appended { seqs, new }))
}

pub(crate) fn read(conn: &Connection, after: Position, limit: usize) -> Result<Read, Error> {
    let ends = ends(conn)?;
    if let Some(head) = diverged(conn, &ends, after)? {
        return Ok(Read::Diverged { head });
    }
    if after.seq < ends.base.seq {
        return Ok(Read::Compacted {
            base: ends.base.seq,
        });
    }
    let records = conn
        .prepare_cached(
            "SELECT seq, link, at_ms, node, id, body FROM log WHERE seq > ? ORDER BY seq LIMIT ?",
        )?
        .query_map(params![to_sql(after.seq), to_sql(limit as u64)], record)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Read::Records(records))
}

/// Appends records as they are.
pub(crate) fn restore(
    conn: &Connection,
    after: Position,
    records: &[Record],
) -> Result<Put, Error> {
    let ends = ends(conn)?;
    if let Some(head) = diverged(conn, &ends, after)? {
        return Ok(Put::Diverged { head });
    }
    if after != ends.head {
        return Ok(Put::Conflict {
            head: ends.head.seq,
        });
    }
    insert(conn, records, ends)?;
    Ok(Put::Done)
}

/// Keeps records that are in the log elsewhere; those that are here already are passed over. The head when they
/// do not follow.
pub(crate) fn mirror(conn: &Connection, records: &[Record]) -> Result<Result<(), u64>, Error> {
    let ends = ends(conn)?;
    let head = ends.head.seq;
    let fresh = records.iter().take_while(|r| r.seq <= head).count();
    let (here, fresh) = records.split_at(fresh);
    // Equal at the last means equal before it.
    if let Some(last) = here.last()
        && diverged(conn, &ends, last.position())?.is_some()
    {
        return Ok(Err(head));
    }
    if !fresh
        .iter()
        .map(|r| r.seq)
        .eq((head + 1..).take(fresh.len()))
    {
        return Ok(Err(head));
    }
    if !fresh.is_empty() {
        insert(conn, fresh, ends)?;
    }
    Ok(Ok(()))
}

pub(crate) fn save_snapshot(
    conn: &Connection,
    snapshot: &Snapshot,
    tail: u64,
) -> Result<Put, Error> {
    let mut ends = ends(conn)?;
    let from = snapshot.position;
    if let Some(head) = diverged(conn, &ends, from)? {
        return Ok(Put::Diverged { head });
    }
    // One that is older than the kept records has been overtaken.
    if from.seq < ends.base.seq || load_snapshot(conn)?.is_some_and(|s| s.position >= from) {
        return Ok(Put::Done);
    }
    put_snapshot(conn, snapshot)?;
    let base = from.seq.saturating_sub(tail);
    if base > ends.base.seq
        && let Some(position) = at(conn, base)?
    {
        ends.base_at = conn
            .prepare_cached("SELECT at_ms FROM log WHERE seq = ?")?
            .query_one([to_sql(base)], |r| r.get(0))?;
        conn.prepare_cached("DELETE FROM log WHERE seq <= ?")?
            .execute([to_sql(base)])?;
        ends.base = position;
        set_ends(conn, &ends)?;
    }
    Ok(Put::Done)
}

fn put_snapshot(conn: &Connection, snapshot: &Snapshot) -> Result<(), Error> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO log_snapshot (one, seq, link, at_ms, bytes) VALUES (1, ?, ?, ?, ?)",
    )?
    .execute(params![
        to_sql(snapshot.position.seq),
        snapshot.position.link.cast_signed(),
        snapshot.at.as_millisecond(),
        snapshot.bytes
    ])?;
    Ok(())
}

pub(crate) fn load_snapshot(conn: &Connection) -> Result<Option<Snapshot>, Error> {
    let found = conn
        .prepare_cached("SELECT seq, link, at_ms, bytes FROM log_snapshot")?
        .query_one([], |r| {
            Ok(Snapshot {
                position: position(r, 0)?,
                at: time(r, 2)?,
                bytes: r.get(3)?,
            })
        })
        .optional()?;
    Ok(found)
}

/// Takes over a snapshot of the log elsewhere. When the mirror ends before it, the mirror begins anew from it.
pub(crate) fn adopt(conn: &Connection, snapshot: &Snapshot) -> Result<(), Error> {
    let mut ends = ends(conn)?;
    let (ours, theirs) = (ends.head.seq, snapshot.position.seq);
    if theirs < ends.base.seq || load_snapshot(conn)?.is_some_and(|s| s.position.seq >= theirs) {
        return Ok(());
    }
    if ours < theirs || at(conn, theirs)? != Some(snapshot.position) {
        conn.execute("DELETE FROM log", [])?;
        ends.base = snapshot.position;
        ends.base_at = snapshot.at.as_millisecond();
        ends.head = snapshot.position;
        ends.at = ends.base_at;
        set_ends(conn, &ends)?;
    }
    put_snapshot(conn, snapshot)
}

/// Ends the mirror at a position that the log agrees with; what came after and is not `known` to it is lost.
/// Without such a position the mirror begins anew.
pub(crate) fn cut(
    conn: &Connection,
    common: Option<Position>,
    known: &std::collections::BTreeSet<String>,
) -> Result<(), Error> {
    let mut ends = ends(conn)?;
    let from = common.map_or(0, |c| c.seq);
    let mut keep = conn.prepare_cached(
        "INSERT OR IGNORE INTO log_lost (id, seq, link, at_ms, node, body)
         SELECT id, seq, link, at_ms, node, body FROM log WHERE id = ?",
    )?;
    for id in ids_after(conn, from)? {
        if !known.contains(&id) {
            keep.execute([&id])?;
        }
    }
    conn.prepare_cached("DELETE FROM log WHERE seq > ?")?
        .execute([to_sql(from)])?;
    conn.prepare_cached("DELETE FROM log_snapshot WHERE seq > ?")?
        .execute([to_sql(from)])?;
    match common {
        Some(c) => ends.head = c,
        None => {
            ends.base = Position::START;
            ends.base_at = 0;
            ends.head = Position::START;
            ends.at = 0;
        }
    }
    set_ends(conn, &ends)
}

/// Keeps records of a log that is about to be thrown away, so that they can be appended again: those that are not
/// here. What was here and has been dropped is not later than where the kept records begin.
pub(crate) fn rescue(conn: &Connection, records: &[Record]) -> Result<(), Error> {
    let base_at = ends(conn)?.base_at;
    let mut keep = conn.prepare_cached(
        "INSERT OR IGNORE INTO log_lost (id, seq, link, at_ms, node, body) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for r in records {
        let at = r.at.as_millisecond();
        if at > base_at && seq_of(conn, &r.id)?.is_none() {
            keep.execute(params![
                r.id,
                to_sql(r.seq),
                r.link.cast_signed(),
                at,
                r.node,
                r.body
            ])?;
        }
    }
    Ok(())
}

pub(crate) fn ids_after(conn: &Connection, seq: u64) -> Result<Vec<String>, Error> {
    let ids = conn
        .prepare_cached("SELECT id FROM log WHERE seq > ? ORDER BY seq")?
        .query_map([to_sql(seq)], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(ids)
}

pub(crate) fn lost(conn: &Connection) -> Result<Vec<Record>, Error> {
    let records = conn
        .prepare_cached(
            "SELECT seq, link, at_ms, node, id, body FROM log_lost ORDER BY at_ms, seq, id",
        )?
        .query_map([], record)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(records)
}

pub(crate) fn settle(conn: &Connection, ids: &[String]) -> Result<(), Error> {
    let mut gone = conn.prepare_cached("DELETE FROM log_lost WHERE id = ?")?;
    for id in ids {
        gone.execute([id])?;
    }
    Ok(())
}

pub(crate) fn beat(conn: &Connection, node: &str, now: i64, ttl: i64) -> Result<(), Error> {
    let (last, span) = pulse(conn)?;
    // Nobody was heard of for a while: it was the store that was away, so everybody gets their time again.
    if now - last > span / 2 {
        conn.prepare_cached("UPDATE log_nodes SET until_ms = max(until_ms, ?)")?
            .execute([now + ttl])?;
    }
    conn.prepare_cached("INSERT OR REPLACE INTO log_nodes (node, until_ms) VALUES (?, ?)")?
        .execute(params![node, now + ttl])?;
    conn.prepare_cached("UPDATE log_ends SET beat_ms = ?, beat_ttl_ms = ?")?
        .execute([now, ttl])?;
    Ok(())
}

/// When anybody was last heard of, and for how long that was said to hold.
fn pulse(conn: &Connection) -> Result<(i64, i64), Error> {
    let pulse = conn
        .prepare_cached("SELECT beat_ms, beat_ttl_ms FROM log_ends")?
        .query_one([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(pulse)
}

pub(crate) fn expect(conn: &Connection, nodes: &[String], until: i64) -> Result<(), Error> {
    let mut add =
        conn.prepare_cached("INSERT OR IGNORE INTO log_nodes (node, until_ms) VALUES (?, ?)")?;
    for node in nodes {
        add.execute(params![node, until])?;
    }
    Ok(())
}

pub(crate) fn lost_nodes(conn: &Connection, now: i64) -> Result<Vec<LostNode>, Error> {
    let (last, span) = pulse(conn)?;
    if now - last > span / 2 {
        return Ok(Vec::new());
    }
    let nodes = conn
        .prepare_cached(
            "SELECT node, until_ms FROM log_nodes WHERE until_ms < ? ORDER BY until_ms, node",
        )?
        .query_map([now], |r| {
            Ok(LostNode {
                node: r.get(0)?,
                since: time(r, 1)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(nodes)
}

pub(crate) fn forget(conn: &Connection, lost: &LostNode) -> Result<(), Error> {
    conn.prepare_cached("DELETE FROM log_nodes WHERE node = ? AND until_ms = ?")?
        .execute(params![lost.node, lost.since.as_millisecond()])?;
    Ok(())
}

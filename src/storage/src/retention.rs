//! What is old goes, and it is looked whether it has gone; what it says of no person stays, as counts a day.
//!
//! A dialogue goes whole: its events, turns, callbacks, what staff wrote beside it. The bytes go too: SQLite writes
//! zeros over what it deletes (`secure_delete`), and freed pages are
//! given back ([`give_back`]) and the WAL is emptied ([`empty_wal`]).

use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::log::Position;
use crate::{Error, read};

/// Before which instant each kind of data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// Dialogues whose last event is older, with all that belongs to them, and lines that only staff see.
    pub dialogues: Timestamp,
    /// Records of turns: from what an answer came.
    pub turns: Timestamp,
    /// Callbacks, with their phone numbers, whatever became of them.
    pub callbacks: Timestamp,
    /// Records of the contact centre's log behind a snapshot.
    pub log: Timestamp,
}

/// How much has gone, or is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    pub dialogues: u64,
    pub events: u64,
    pub turns: u64,
    pub callbacks: u64,
    pub staff_lines: u64,
    pub log_records: u64,
}

impl Forgotten {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub fn add(&mut self, more: Self) {
        self.dialogues += more.dialogues;
        self.events += more.events;
        self.turns += more.turns;
        self.callbacks += more.callbacks;
        self.staff_lines += more.staff_lines;
        self.log_records += more.log_records;
    }
}

/// Dialogues whose last event lies before an instant; those that began long ago first.
const OLD: &str = "
    SELECT d.id FROM dialogues d WHERE d.created_ms < ?1 AND coalesce(
        (SELECT e.at_ms FROM events e WHERE e.dialogue = d.id ORDER BY e.seq DESC LIMIT 1), d.created_ms) < ?1";

/// Lines that staff wrote beside a dialogue (`?1`), also of an item that nobody knew any more: its id begins with the
/// dialogue's and a hyphen.
pub(crate) const STAFF_OF: &str = "(dialogue = ?1 OR (item >= ?1 || '-' AND item < ?1 || '.'))";

/// Deletes some of what is old: `most` dialogues and as many of everything else. Nothing when nothing is left.
pub(crate) fn forget(conn: &Connection, before: &Before, most: u32) -> Result<Forgotten, Error> {
    let ms = |t: Timestamp| t.as_millisecond();
    let dialogues: Vec<String> = conn
        .prepare_cached(&format!("{OLD} ORDER BY d.created_ms LIMIT ?2"))?
        .query_map(params![ms(before.dialogues), most], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut gone = Forgotten::default();
    for id in &dialogues {
        gone.add(forget_dialogue(conn, id)?);
    }
    let turns: Vec<String> = conn
        .prepare_cached("SELECT turn FROM turns WHERE at_ms < ? ORDER BY at_ms LIMIT ?")?
        .query_map(params![ms(before.turns), most], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for turn in &turns {
        gone.turns += forget_turns(conn, "t.turn = ?1", turn)?;
    }
    let callbacks: Vec<String> = conn
        .prepare_cached(
            "SELECT reference FROM callbacks WHERE created_ms < ? ORDER BY created_ms LIMIT ?",
        )?
        .query_map(params![ms(before.callbacks), most], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for reference in &callbacks {
        gone.callbacks += forget_callbacks(conn, "reference = ?1", reference)?;
    }
    // Of dialogues that are not here (any more).
    gone.staff_lines += rows(conn.execute(
        "DELETE FROM staff_lines WHERE (item, id) IN (SELECT item, id FROM staff_lines WHERE at_ms < ?1
         AND (dialogue IS NULL OR dialogue NOT IN (SELECT id FROM dialogues)) LIMIT ?2)",
        params![ms(before.dialogues), most],
    )?);
    // No copy of an older dialogue is in the log any more, and nothing late is written of it: a row is a hash alone.
    conn.execute(
        "DELETE FROM erased WHERE at_ms < min(?1, coalesce((SELECT min(at_ms) FROM log), ?1))",
        [ms(before.log.min(before.dialogues))],
    )?;
    Ok(gone)
}

fn rows(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Deletes a dialogue and all that belongs to it, and counts it.
pub(crate) fn forget_dialogue(conn: &Connection, id: &str) -> Result<Forgotten, Error> {
    count(
        conn,
        "SELECT date(d.created_ms / 1000, 'unixepoch'), d.municipality, 'dialogue', 1 FROM dialogues d WHERE d.id = ?1",
        id,
    )?;
    count(
        conn,
        "SELECT date(e.at_ms / 1000, 'unixepoch'), d.municipality, 'rated.' || json_extract(e.json, '$.score'), 1
         FROM events e JOIN dialogues d ON d.id = e.dialogue WHERE e.dialogue = ?1 AND e.kind = 'rated'",
        id,
    )?;
    let mut gone = Forgotten {
        turns: forget_turns(conn, "t.dialogue = ?1", id)?,
        callbacks: forget_callbacks(conn, "dialogue = ?1", id)?,
        ..Forgotten::default()
    };
    let delete = |from: &str| -> Result<u64, Error> {
        Ok(rows(
            conn.prepare_cached(&format!("DELETE FROM {from}"))?
                .execute([id])?,
        ))
    };
    gone.staff_lines = delete(&format!("staff_lines WHERE {STAFF_OF}"))?;
    delete("client_ids WHERE dialogue = ?1")?;
    gone.events = delete("events WHERE dialogue = ?1")?;
    gone.dialogues = delete("dialogues WHERE id = ?1")?;
    Ok(gone)
}

fn forget_turns(conn: &Connection, which: &str, of: &str) -> Result<u64, Error> {
    let counted = format!(
        "SELECT date(t.at_ms / 1000, 'unixepoch'), d.municipality,
                'turn.' || coalesce(json_extract(t.record, '$.outcome'), '?'), count(*)
         FROM turns t JOIN dialogues d ON d.id = t.dialogue WHERE {which} GROUP BY 1, 2, 3"
    );
    count(conn, &counted, of)?;
    let delete = format!("DELETE FROM turns AS t WHERE {which}");
    Ok(rows(conn.prepare_cached(&delete)?.execute([of])?))
}

fn forget_callbacks(conn: &Connection, which: &str, of: &str) -> Result<u64, Error> {
    let counted = format!(
        "SELECT date(created_ms / 1000, 'unixepoch'), municipality, 'callback', count(*) FROM callbacks
         WHERE {which} GROUP BY 1, 2"
    );
    count(conn, &counted, of)?;
    let delete = format!("DELETE FROM callbacks WHERE {which}");
    Ok(rows(conn.prepare_cached(&delete)?.execute([of])?))
}

/// Adds to the counts what a query gives: day, municipality, what, how many.
fn count(conn: &Connection, query: &str, of: &str) -> Result<(), Error> {
    conn.prepare_cached(&format!(
        "INSERT INTO tallies (day, municipality, what, n) SELECT * FROM ({query}) WHERE true
         ON CONFLICT (day, municipality, what) DO UPDATE SET n = n + excluded.n"
    ))?
    .execute([of])?;
    Ok(())
}

/// How much is there that should have gone.
pub(crate) fn left(conn: &Connection, before: &Before) -> Result<Forgotten, Error> {
    let ms = |t: Timestamp| t.as_millisecond();
    let n = |sql: &str, at: i64| -> Result<u64, Error> {
        Ok(conn.query_one(sql, [at], |r| read::number(r, 0))?)
    };
    Ok(Forgotten {
        dialogues: n(
            &format!("SELECT count(*) FROM ({OLD})"),
            ms(before.dialogues),
        )?,
        // None without its dialogue: a foreign key.
        events: 0,
        turns: n(
            "SELECT count(*) FROM turns WHERE at_ms < ?",
            ms(before.turns),
        )?,
        callbacks: n(
            "SELECT count(*) FROM callbacks WHERE created_ms < ?",
            ms(before.callbacks),
        )?,
        staff_lines: n(
            "SELECT count(*) FROM staff_lines WHERE at_ms < ?
             AND (dialogue IS NULL OR dialogue NOT IN (SELECT id FROM dialogues))",
            ms(before.dialogues),
        )?,
        log_records: n(
            "SELECT (SELECT count(*) FROM log WHERE at_ms < ?1) + (SELECT count(*) FROM log_lost WHERE at_ms < ?1)",
            ms(before.log),
        )?,
    })
}

/// The last record of the log before an instant, when a snapshot makes it needless.
pub(crate) fn cut(conn: &Connection, before: Timestamp) -> Result<Option<u64>, Error> {
    let cut = conn
        .prepare_cached(
            "SELECT coalesce(max(seq), 0) FROM log
             WHERE at_ms < ?1 AND seq <= (SELECT coalesce(max(seq), 0) FROM log_snapshot)",
        )?
        .query_one([before.as_millisecond()], |r| read::number(r, 0))?;
    Ok((cut > 0).then_some(cut))
}

/// Drops the log's records up to this one, `most` at once, and lost ones from before an instant.
pub(crate) fn trim(conn: &Connection, before: Timestamp, most: u32) -> Result<u64, Error> {
    let lost = rows(
        conn.prepare_cached("DELETE FROM log_lost WHERE at_ms < ?")?
            .execute([before.as_millisecond()])?,
    );
    let Some(cut) = cut(conn, before)? else {
        return Ok(lost);
    };
    let first: u64 = conn.query_one("SELECT min(seq) FROM log", [], |r| read::number(r, 0))?;
    let cut = cut.min(first + u64::from(most));
    let (position, at_ms) = conn
        .prepare_cached("SELECT link, at_ms FROM log WHERE seq = ?")?
        .query_one([read::to_sql(cut)], |r| {
            let position = Position {
                seq: cut,
                link: r.get::<_, i64>(0)?.cast_unsigned(),
            };
            Ok((position, r.get::<_, i64>(1)?))
        })?;
    conn.prepare_cached("UPDATE log_ends SET base = ?, base_link = ?, base_ms = ?")?
        .execute(params![
            read::to_sql(position.seq),
            position.link.cast_signed(),
            at_ms
        ])?;
    let gone = conn
        .prepare_cached("DELETE FROM log WHERE seq <= ?")?
        .execute([read::to_sql(cut)])?;
    Ok(lost + rows(gone))
}

/// Pages that are given back at once: other requests go between.
const PAGES: u32 = 1_000;

/// Gives some freed pages back; whether there are more. Outside any transaction.
pub(crate) fn give_back(conn: &Connection) -> Result<bool, Error> {
    let free = || conn.query_one("PRAGMA freelist_count", [], |r| r.get::<_, i64>(0));
    let before = free()?;
    // A row for each page: the statement frees one with each step.
    let mut vacuum = conn.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    let after = free()?;
    // A file made by an older version gives nothing back.
    Ok(after > 0 && after < before)
}

/// Empties the WAL; false when somebody else reads the file just now. Outside any transaction.
pub(crate) fn empty_wal(conn: &Connection) -> Result<bool, Error> {
    let busy: i64 = conn.query_one("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0))?;
    Ok(busy == 0)
}

/// What has gone, a day: counts of no person. Day (UTC), municipality, what, how many.
pub(crate) fn tallies(conn: &Connection) -> Result<Vec<(String, String, String, u64)>, Error> {
    let all = conn
        .prepare_cached(
            "SELECT day, municipality, what, n FROM tallies ORDER BY day, municipality, what",
        )?
        .query_map([], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, read::number(r, 3)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(all)
}

/// Keeps a report of a deletion: JSON without a word of a citizen's.
pub(crate) fn report(conn: &Connection, at: Timestamp, json: &str) -> Result<(), Error> {
    conn.execute(
        "INSERT INTO deletions (at_ms, json) VALUES (?, ?)",
        params![at.as_millisecond(), json],
    )?;
    Ok(())
}

/// The newest reports, newest first.
pub(crate) fn reports(conn: &Connection, limit: u32) -> Result<Vec<String>, Error> {
    let all = conn
        .prepare_cached("SELECT json FROM deletions ORDER BY id DESC LIMIT ?")?
        .query_map([limit], |r| r.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(all)
}

#[cfg(test)]
mod tests;

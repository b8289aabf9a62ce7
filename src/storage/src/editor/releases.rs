//! Releases and what is live: the statements.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::{Editor, NewRelease, ReleaseFile, ReleaseRow, keep, marks, text_of};
use crate::Error;
use crate::log::Position;
use crate::read::{number, time, to_sql};

const ROW: &str = "number, state, hash, at_ms, meta, seq, link";

fn row(r: &Row<'_>) -> rusqlite::Result<ReleaseRow> {
    Ok(ReleaseRow {
        number: number(r, 0)?,
        state: r.get(1)?,
        hash: r.get(2)?,
        at: time(r, 3)?,
        meta: r.get(4)?,
        position: match r.get::<_, Option<i64>>(5)? {
            None => None,
            Some(_) => Some(Position {
                seq: number(r, 5)?,
                link: r.get::<_, i64>(6)?.cast_unsigned(),
            }),
        },
    })
}

pub(super) fn live(c: &Connection) -> Result<Vec<(String, String)>, Error> {
    let mut s = c.prepare_cached(
        "SELECT live.path, texts.text FROM live JOIN texts ON texts.sha256 = live.text ORDER BY live.path",
    )?;
    let rows = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn begin(c: &Connection, new: &NewRelease) -> Result<u64, Error> {
    if unfinished(c)?.is_some() {
        return Err(Error::Taken("release"));
    }
    if let Some((n, _)) = new.shared {
        // A number that was given up before there was a log: nothing of it was ever live.
        c.execute(
            "DELETE FROM release_files WHERE release IN
             (SELECT number FROM releases WHERE number = ?1 AND state = 'undone')",
            [to_sql(n)],
        )?;
        c.execute(
            "DELETE FROM releases WHERE number = ?1 AND state = 'undone'",
            [to_sql(n)],
        )?;
    }
    c.execute(
        "INSERT INTO releases (number, state, hash, at_ms, meta, seq, link)
         VALUES (?1, 'writing', ?2, ?3, ?4, ?5, ?6)",
        params![
            new.shared.map(|(n, _)| to_sql(n)),
            new.hash,
            new.at.as_millisecond(),
            new.meta,
            new.shared.map(|(_, at)| to_sql(at.seq)),
            new.shared.map(|(_, at)| at.link.cast_signed())
        ],
    )?;
    let n = c.last_insert_rowid();
    let mut s = c.prepare_cached("INSERT INTO release_files VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for f in &new.files {
        let before = keep(c, f.before.as_deref())?;
        let found = keep(c, f.found.as_deref())?;
        let after = keep(c, f.after.as_deref())?;
        s.execute(params![n, f.path, before, found, after])?;
    }
    u64::try_from(n).map_err(|e| Error::Corrupt(e.to_string()))
}

pub(super) fn end(c: &Connection, n: u64, draft: Option<&(String, u64)>) -> Result<(), Error> {
    c.execute(
        "UPDATE releases SET state = 'live' WHERE number = ?1",
        [to_sql(n)],
    )?;
    c.execute(
        "DELETE FROM live WHERE path IN (SELECT path FROM release_files WHERE release = ?1)",
        [to_sql(n)],
    )?;
    c.execute(
        "INSERT INTO live SELECT path, after FROM release_files WHERE release = ?1 AND after IS NOT NULL",
        [to_sql(n)],
    )?;
    if let Some((draft, version)) = draft {
        c.execute(
            "UPDATE drafts SET state = 'published' WHERE id = ?1 AND version = ?2",
            params![draft, to_sql(*version)],
        )?;
    }
    Ok(())
}

pub(super) fn give_up(c: &Connection, n: u64) -> Result<(), Error> {
    c.execute(
        "UPDATE releases SET state = 'undone' WHERE number = ?1",
        [to_sql(n)],
    )?;
    Ok(())
}

pub(super) fn unfinished(c: &Connection) -> Result<Option<(ReleaseRow, Vec<ReleaseFile>)>, Error> {
    let found = c
        .prepare_cached(&format!(
            "SELECT {ROW} FROM releases WHERE state = 'writing'"
        ))?
        .query_row([], row)
        .optional()?;
    found.map(|r| with_files(c, r)).transpose()
}

pub(super) fn list(
    c: &Connection,
    below: Option<u64>,
    limit: u32,
) -> Result<Vec<ReleaseRow>, Error> {
    let mut s = c.prepare_cached(&format!(
        "SELECT {ROW} FROM releases WHERE state = 'live' AND number < ?1 ORDER BY number DESC LIMIT ?2"
    ))?;
    let rows = s.query_map(params![to_sql(below.unwrap_or(u64::MAX)), limit], row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn one(c: &Connection, n: u64) -> Result<Option<(ReleaseRow, Vec<ReleaseFile>)>, Error> {
    let found = c
        .prepare_cached(&format!(
            "SELECT {ROW} FROM releases WHERE state = 'live' AND number = ?1"
        ))?
        .query_row([to_sql(n)], row)
        .optional()?;
    found.map(|r| with_files(c, r)).transpose()
}

pub(super) fn of(c: &Connection, paths: &[String], limit: u32) -> Result<Vec<ReleaseRow>, Error> {
    let mut s = c.prepare(&format!(
        "SELECT {ROW} FROM releases WHERE state = 'live'
         AND number IN (SELECT release FROM release_files WHERE path IN ({}))
         ORDER BY number DESC LIMIT {limit}",
        marks(paths.len())
    ))?;
    let rows = s.query_map(params_from_iter(paths), row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn placed(c: &Connection) -> Result<Option<ReleaseRow>, Error> {
    let found = c
        .prepare_cached(&format!(
            "SELECT {ROW} FROM releases WHERE state = 'live' ORDER BY number DESC LIMIT 1"
        ))?
        .query_row([], row)
        .optional()?;
    Ok(found.filter(|r| r.position.is_some()))
}

pub(super) fn place(c: &Connection, n: u64, at: Position) -> Result<(), Error> {
    c.execute(
        "UPDATE releases SET seq = ?2, link = ?3 WHERE number = ?1",
        params![to_sql(n), to_sql(at.seq), at.link.cast_signed()],
    )?;
    Ok(())
}

pub(super) fn leave(c: &Connection, n: u64, paths: &[String]) -> Result<(), Error> {
    let of: Vec<String> = c
        .prepare_cached("SELECT path FROM release_files WHERE release = ?1")?
        .query_map([to_sql(n)], |r| r.get(0))?
        .collect::<Result<_, _>>()?;
    let written: Vec<String> = of.into_iter().filter(|p| !paths.contains(p)).collect();
    as_released(c, &written)?;
    let mut s = c.prepare_cached(
        "INSERT OR IGNORE INTO by_hand SELECT path, before FROM release_files WHERE release = ?1 AND path = ?2",
    )?;
    for path in paths {
        s.execute(params![to_sql(n), path])?;
    }
    Ok(())
}

impl Editor {
    /// Keeps what other thresholds would give with the release of this hash; what is kept of a later instant stays.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn keep_thresholds(
        &self,
        hash: String,
        at: Timestamp,
        json: String,
    ) -> Result<(), Error> {
        self.file
            .write(move |c| keep_thresholds(c, &hash, at, &json))
            .await
    }

    /// What other thresholds would have given with a release of the history, and its hash: JSON, where it was kept.
    ///
    /// # Errors
    /// Corrupt, Io.
    pub async fn thresholds(&self, number: u64) -> Result<Option<(String, Option<String>)>, Error> {
        self.file.read(move |c| thresholds(c, number)).await
    }
}

fn keep_thresholds(c: &Connection, hash: &str, at: Timestamp, json: &str) -> Result<(), Error> {
    c.prepare_cached(
        "INSERT INTO thresholds VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, json = excluded.json WHERE excluded.at_ms >= thresholds.at_ms",
    )?
    .execute(params![hash, at.as_millisecond(), json])?;
    Ok(())
}

fn thresholds(c: &Connection, number: u64) -> Result<Option<(String, Option<String>)>, Error> {
    let found = c
        .prepare_cached(
            "SELECT r.hash, t.json FROM releases r LEFT JOIN thresholds t ON t.hash = r.hash
             WHERE r.number = ?1 AND r.state = 'live'",
        )?
        .query_one([to_sql(number)], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    Ok(found)
}

pub(super) fn by_hand(c: &Connection) -> Result<Vec<(String, Option<String>)>, Error> {
    let rows: Vec<(String, Option<String>)> = c
        .prepare_cached("SELECT path, base FROM by_hand ORDER BY path")?
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(path, base)| Ok((path, text_of(c, base)?)))
        .collect()
}

pub(super) fn as_released(c: &Connection, paths: &[String]) -> Result<(), Error> {
    let mut s = c.prepare_cached("DELETE FROM by_hand WHERE path = ?1")?;
    for path in paths {
        s.execute([path])?;
    }
    Ok(())
}

fn with_files(c: &Connection, r: ReleaseRow) -> Result<(ReleaseRow, Vec<ReleaseFile>), Error> {
    type Keys = (String, Option<String>, Option<String>, Option<String>);
    let keys: Vec<Keys> = c
        .prepare_cached(
            "SELECT path, before, found, after FROM release_files WHERE release = ?1 ORDER BY path",
        )?
        .query_map([to_sql(r.number)], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let files = keys.into_iter().map(|(path, before, found, after)| {
        Ok(ReleaseFile {
            path,
            before: text_of(c, before)?,
            found: text_of(c, found)?,
            after: text_of(c, after)?,
        })
    });
    let files = files.collect::<Result<_, Error>>()?;
    Ok((r, files))
}

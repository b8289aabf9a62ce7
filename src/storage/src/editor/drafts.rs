//! Drafts: the statements.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::{CommentRow, DraftChange, DraftRow, DraftText, VersionRow, keep, marks, text_of};
use crate::Error;
use crate::read::{number, time, to_sql};

const ROW: &str = "id, state, version, changed_ms, meta";

fn row(r: &Row<'_>) -> rusqlite::Result<DraftRow> {
    Ok(DraftRow {
        id: r.get(0)?,
        state: r.get(1)?,
        version: number(r, 2)?,
        changed: time(r, 3)?,
        meta: r.get(4)?,
    })
}

pub(super) fn save(c: &Connection, change: &DraftChange) -> Result<bool, Error> {
    let now = version_of(c, &change.id)?.unwrap_or(0);
    if now != change.expected {
        return Ok(false);
    }
    let next = now + u64::from(change.version.is_some());
    c.prepare_cached(
        "INSERT INTO drafts VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET state = ?2, version = ?3, changed_ms = ?4, meta = ?5",
    )?
    .execute(params![
        change.id,
        change.state,
        to_sql(next),
        change.at.as_millisecond(),
        change.meta
    ])?;
    let Some((meta, files)) = &change.version else {
        return Ok(true);
    };
    c.execute(
        "INSERT INTO draft_versions VALUES (?1, ?2, ?3, ?4)",
        params![change.id, to_sql(next), change.at.as_millisecond(), meta],
    )?;
    let mut s = c.prepare_cached("INSERT INTO draft_files VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for f in files {
        let base = keep(c, f.base.as_deref())?;
        let text = keep(c, f.text.as_deref())?;
        s.execute(params![change.id, to_sql(next), f.path, base, text])?;
    }
    Ok(true)
}

fn version_of(c: &Connection, id: &str) -> Result<Option<u64>, Error> {
    Ok(
        c.prepare_cached("SELECT version FROM drafts WHERE id = ?1")?
            .query_row([id], |r| number(r, 0))
            .optional()?,
    )
}

pub(super) fn list(c: &Connection, states: &[String], limit: u32) -> Result<Vec<DraftRow>, Error> {
    let mut s = c.prepare(&format!(
        "SELECT {ROW} FROM drafts WHERE state IN ({}) ORDER BY changed_ms DESC, id LIMIT {limit}",
        marks(states.len())
    ))?;
    let rows = s.query_map(params_from_iter(states), row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn one(c: &Connection, id: &str) -> Result<Option<(DraftRow, Vec<DraftText>)>, Error> {
    let found = c
        .prepare_cached(&format!("SELECT {ROW} FROM drafts WHERE id = ?1"))?
        .query_row([id], row)
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    let files = files(c, id, found.version)?;
    Ok(Some((found, files)))
}

pub(super) fn files(c: &Connection, id: &str, version: u64) -> Result<Vec<DraftText>, Error> {
    type Keys = (String, Option<String>, Option<String>);
    let keys: Vec<Keys> = c
        .prepare_cached(
            "SELECT path, base, text FROM draft_files WHERE draft = ?1 AND version = ?2 ORDER BY path",
        )?
        .query_map(params![id, to_sql(version)], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let files = keys.into_iter().map(|(path, base, text)| {
        Ok(DraftText {
            path,
            base: text_of(c, base)?,
            text: text_of(c, text)?,
        })
    });
    files.collect()
}

pub(super) fn versions(c: &Connection, id: &str) -> Result<Vec<VersionRow>, Error> {
    let mut s = c.prepare_cached(
        "SELECT version, at_ms, meta FROM draft_versions WHERE draft = ?1 ORDER BY version",
    )?;
    let rows = s.query_map([id], |r| {
        Ok(VersionRow {
            version: number(r, 0)?,
            at: time(r, 1)?,
            meta: r.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn keep_pages(
    c: &Connection,
    layer: &str,
    at: Timestamp,
    pages: &[(String, String)],
) -> Result<(), Error> {
    let mut s = c.prepare_cached(
        "INSERT INTO pages VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (layer, address) DO UPDATE SET at_ms = ?3, text = ?4",
    )?;
    for (address, text) in pages {
        let key = keep(c, Some(text))?;
        s.execute(params![layer, address, at.as_millisecond(), key])?;
    }
    Ok(())
}

pub(super) fn pages(
    c: &Connection,
    layer: &str,
    addresses: &[String],
) -> Result<Vec<(String, String)>, Error> {
    let mut s = c.prepare_cached(
        "SELECT t.text FROM pages p JOIN texts t ON t.sha256 = p.text
         WHERE p.layer = ?1 AND p.address = ?2",
    )?;
    let mut found = Vec::new();
    for address in addresses {
        let text = s.query_row([layer, address], |r| r.get(0)).optional()?;
        found.extend(text.map(|t| (address.clone(), t)));
    }
    Ok(found)
}

pub(super) fn touched(c: &Connection, states: &[String]) -> Result<Vec<(String, String)>, Error> {
    let mut s = c.prepare(&format!(
        "SELECT f.draft, f.path FROM drafts d
         JOIN draft_files f ON f.draft = d.id AND f.version = d.version
         WHERE d.state IN ({}) ORDER BY f.path, f.draft",
        marks(states.len())
    ))?;
    let rows = s.query_map(params_from_iter(states), |r| Ok((r.get(0)?, r.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn comment(c: &Connection, draft: &str, at: Timestamp, meta: &str) -> Result<(), Error> {
    c.prepare_cached("INSERT INTO comments (draft, at_ms, meta) VALUES (?1, ?2, ?3)")?
        .execute(params![draft, at.as_millisecond(), meta])?;
    Ok(())
}

pub(super) fn comments(c: &Connection, draft: &str) -> Result<Vec<CommentRow>, Error> {
    let mut s =
        c.prepare_cached("SELECT id, at_ms, meta FROM comments WHERE draft = ?1 ORDER BY id")?;
    let rows = s.query_map([draft], |r| {
        Ok(CommentRow {
            id: number(r, 0)?,
            at: time(r, 1)?,
            meta: r.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

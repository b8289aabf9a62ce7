//! The statements. Each runs on the thread that owns the connection, a write within its transaction.

use base::DialogueId;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Account, Draft, NewAccount, NewSession, Proof, Session, audit, identities, second};
use crate::{Error, read};

/// Sessions of one account at once.
const SESSIONS: u32 = 20;

pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    let ms: i64 = row.get(column)?;
    Timestamp::from_millisecond(ms)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, Type::Integer, e.into()))
}

pub(super) fn list(c: &Connection) -> Result<Vec<Account>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM accounts ORDER BY user")?;
    let rows = s.query_map([], |r| {
        Ok(Account {
            user: r.get("user")?,
            details: r.get("details")?,
            password: r.get("password")?,
            changed: time(r, "changed_ms")?,
            removed: r.get::<_, Option<i64>>("removed_ms")?.is_some(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn add(c: &Connection, new: &[NewAccount], at: Timestamp) -> Result<(), Error> {
    let mut s = c.prepare_cached(
        "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, NULL)
         ON CONFLICT (user) DO UPDATE
         SET details = ?2, password = ?3, changed_ms = ?4, removed_ms = NULL
         WHERE removed_ms IS NOT NULL",
    )?;
    for a in new {
        let changed = s.execute(params![a.user, a.details, a.password, at.as_millisecond()])?;
        if changed == 0 {
            return Err(Error::Taken("account"));
        }
    }
    Ok(())
}

fn one(changed: usize) -> Result<(), Error> {
    if changed == 0 {
        return Err(Error::UnknownAccount);
    }
    Ok(())
}

pub(super) fn change(
    c: &Connection,
    user: &str,
    details: &str,
    end: bool,
    at: Timestamp,
) -> Result<(), Error> {
    one(c.execute(
        "UPDATE accounts SET details = ?2, changed_ms = ?3 WHERE user = ?1 AND removed_ms IS NULL",
        params![user, details, at.as_millisecond()],
    )?)?;
    if end {
        end_sessions(c, user)?;
    }
    Ok(())
}

pub(super) fn set_password(
    c: &Connection,
    user: &str,
    password: &str,
    at: Timestamp,
) -> Result<(), Error> {
    one(c.execute(
        "UPDATE accounts SET password = ?2, changed_ms = ?3 WHERE user = ?1 AND removed_ms IS NULL",
        params![user, password, at.as_millisecond()],
    )?)?;
    end_sessions(c, user)?;
    Ok(())
}

pub(super) fn remove(c: &Connection, user: &str, at: Timestamp) -> Result<(), Error> {
    one(c.execute(
        "UPDATE accounts SET password = '', removed_ms = ?2, changed_ms = ?2
         WHERE user = ?1 AND removed_ms IS NULL",
        params![user, at.as_millisecond()],
    )?)?;
    second::remove(c, user)?;
    identities::remove(c, user)?;
    end_sessions(c, user)?;
    Ok(())
}

pub(super) fn end_sessions(c: &Connection, user: &str) -> Result<u64, Error> {
    let ended = c.execute("DELETE FROM sessions WHERE user = ?1", [user])?;
    Ok(u64::try_from(ended).unwrap_or(u64::MAX))
}

pub(super) fn begin_session(
    c: &Connection,
    new: &NewSession,
    at: Timestamp,
) -> Result<bool, Error> {
    if !second::spend(c, &new.user, &new.proof)? {
        return Ok(false);
    }
    let shown = new.proof != Proof::None;
    let begun = c.execute(
        "INSERT INTO sessions (sha256, user, created_ms, seen_ms, second, origin)
         SELECT ?1, user, ?4, ?4, ?5, ?6 FROM accounts
         WHERE user = ?2 AND password = ?3 AND removed_ms IS NULL",
        params![
            new.sha256,
            new.user,
            new.password,
            at.as_millisecond(),
            shown,
            new.origin
        ],
    )?;
    c.execute(
        "DELETE FROM sessions WHERE sha256 IN
         (SELECT sha256 FROM sessions WHERE user = ?1 ORDER BY created_ms DESC LIMIT -1 OFFSET ?2)",
        params![new.user, SESSIONS],
    )?;
    Ok(begun == 1)
}

fn read_session(r: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        user: r.get("user")?,
        created: time(r, "created_ms")?,
        seen: time(r, "seen_ms")?,
        second: r.get("second")?,
        origin: r.get("origin")?,
        sha256: r.get("sha256")?,
    })
}

pub(super) fn session(c: &Connection, sha256: [u8; 32]) -> Result<Option<Session>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM sessions WHERE sha256 = ?1")?;
    Ok(s.query_row([sha256], read_session).optional()?)
}

pub(super) fn sessions_of(c: &Connection, user: &str) -> Result<Vec<Session>, Error> {
    let mut s = c.prepare_cached(
        "SELECT * FROM sessions WHERE user = ?1 ORDER BY created_ms DESC, sha256",
    )?;
    let rows = s.query_map([user], read_session)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn touch_session(c: &Connection, sha256: [u8; 32], at: Timestamp) -> Result<(), Error> {
    c.execute(
        "UPDATE sessions SET seen_ms = max(seen_ms, ?2) WHERE sha256 = ?1",
        params![sha256, at.as_millisecond()],
    )?;
    Ok(())
}

pub(super) fn end_session(c: &Connection, sha256: [u8; 32]) -> Result<(), Error> {
    c.execute("DELETE FROM sessions WHERE sha256 = ?1", [sha256])?;
    Ok(())
}

pub(super) fn end_old_sessions(
    c: &Connection,
    created_before: Timestamp,
    seen_before: Timestamp,
) -> Result<(), Error> {
    c.execute(
        "DELETE FROM sessions WHERE created_ms < ?1 OR seen_ms < ?2",
        [
            created_before.as_millisecond(),
            seen_before.as_millisecond(),
        ],
    )?;
    Ok(())
}

pub(super) fn forget(
    c: &Connection,
    drafts_before: Timestamp,
    audit_before: Timestamp,
    now: Timestamp,
) -> Result<(u64, u64), Error> {
    let sql = "DELETE FROM drafts WHERE at_ms < ?1";
    let drafts = c.execute(sql, [drafts_before.as_millisecond()])?;
    let drafts = u64::try_from(drafts).unwrap_or(u64::MAX);
    Ok((drafts, audit::forget(c, audit_before, now)?))
}

pub(super) fn left(
    c: &Connection,
    drafts_before: Timestamp,
    audit_before: Timestamp,
) -> Result<(u64, u64), Error> {
    let count = |sql: &str, before: Timestamp| {
        c.query_one(sql, [before.as_millisecond()], |r| read::number(r, 0))
    };
    Ok((
        count(
            "SELECT count(*) FROM drafts WHERE at_ms < ?1",
            drafts_before,
        )?,
        count("SELECT count(*) FROM audit WHERE at_ms < ?1", audit_before)?,
    ))
}

/// An item's id begins with its dialogue's and a hyphen.
const OF_DIALOGUE: &str = "item >= ?1 || '-' AND item < ?1 || '.'";

pub(super) fn erase(c: &Connection, dialogue: &DialogueId) -> Result<(u64, u64), Error> {
    let sql = format!("DELETE FROM drafts WHERE {OF_DIALOGUE}");
    let drafts = c.execute(&sql, [dialogue.as_str()])?;
    let drafts = u64::try_from(drafts).unwrap_or(u64::MAX);
    Ok((drafts, audit::erase(c, dialogue)?))
}

pub(super) fn add_draft(c: &Connection, d: &Draft) -> Result<(), Error> {
    c.execute(
        "INSERT INTO drafts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        params![
            d.id,
            d.item,
            d.municipality.as_str(),
            d.question,
            d.text,
            d.by,
            d.at.as_millisecond()
        ],
    )?;
    Ok(())
}

pub(super) fn drafts(c: &Connection, limit: u32) -> Result<Vec<Draft>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM drafts ORDER BY at_ms DESC, id LIMIT ?1")?;
    let rows = s.query_map([limit], draft)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn drafts_of(c: &Connection, dialogue: &DialogueId) -> Result<Vec<Draft>, Error> {
    let of = format!("SELECT * FROM drafts WHERE {OF_DIALOGUE} ORDER BY at_ms, id");
    let mut s = c.prepare_cached(&of)?;
    let rows = s.query_map([dialogue.as_str()], draft)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn draft(r: &Row<'_>) -> rusqlite::Result<Draft> {
    let code: String = r.get("municipality")?;
    Ok(Draft {
        id: r.get("id")?,
        item: r.get("item")?,
        municipality: code.parse().map_err(|e: String| {
            rusqlite::Error::FromSqlConversionFailure(2, Type::Text, e.into())
        })?,
        question: r.get("question")?,
        text: r.get("text")?,
        by: r.get("by")?,
        at: time(r, "at_ms")?,
    })
}

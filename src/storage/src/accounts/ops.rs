//! The statements. Each runs on the thread that owns the connection, a write within its transaction.

use base::DialogueId;
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Account, AuditLine, Draft, NewAccount, Session};
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
    end_sessions(c, user)
}

pub(super) fn remove(c: &Connection, user: &str, at: Timestamp) -> Result<(), Error> {
    one(c.execute(
        "UPDATE accounts SET password = '', removed_ms = ?2, changed_ms = ?2
         WHERE user = ?1 AND removed_ms IS NULL",
        params![user, at.as_millisecond()],
    )?)?;
    end_sessions(c, user)
}

fn end_sessions(c: &Connection, user: &str) -> Result<(), Error> {
    c.execute("DELETE FROM sessions WHERE user = ?1", [user])?;
    Ok(())
}

pub(super) fn begin_session(
    c: &Connection,
    sha256: [u8; 32],
    user: &str,
    password: &str,
    at: Timestamp,
) -> Result<bool, Error> {
    let begun = c.execute(
        "INSERT INTO sessions SELECT ?1, user, ?4, ?4 FROM accounts
         WHERE user = ?2 AND password = ?3 AND removed_ms IS NULL",
        params![sha256, user, password, at.as_millisecond()],
    )?;
    c.execute(
        "DELETE FROM sessions WHERE sha256 IN
         (SELECT sha256 FROM sessions WHERE user = ?1 ORDER BY created_ms DESC LIMIT -1 OFFSET ?2)",
        params![user, SESSIONS],
    )?;
    Ok(begun == 1)
}

pub(super) fn session(c: &Connection, sha256: [u8; 32]) -> Result<Option<Session>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM sessions WHERE sha256 = ?1")?;
    let found = s.query_row([sha256], |r| {
        Ok(Session {
            user: r.get("user")?,
            created: time(r, "created_ms")?,
            seen: time(r, "seen_ms")?,
        })
    });
    Ok(found.optional()?)
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

pub(super) fn audit(c: &Connection, line: &AuditLine) -> Result<(), Error> {
    let mut s = c.prepare_cached(
        "INSERT INTO audit (at_ms, user, what, origin, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    s.execute(params![
        line.at.as_millisecond(),
        line.user,
        line.what,
        line.origin,
        line.detail
    ])?;
    Ok(())
}

pub(super) fn audited(c: &Connection, limit: u32) -> Result<Vec<AuditLine>, Error> {
    let mut s = c.prepare_cached("SELECT * FROM audit ORDER BY id DESC LIMIT ?1")?;
    let rows = s.query_map([limit], |r| {
        Ok(AuditLine {
            at: time(r, "at_ms")?,
            user: r.get("user")?,
            what: r.get("what")?,
            origin: r.get("origin")?,
            detail: r.get("detail")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn forget(
    c: &Connection,
    drafts_before: Timestamp,
    audit_before: Timestamp,
) -> Result<(u64, u64), Error> {
    let delete = |sql: &str, before: Timestamp| -> Result<u64, Error> {
        let n = c.execute(sql, [before.as_millisecond()])?;
        Ok(u64::try_from(n).unwrap_or(u64::MAX))
    };
    Ok((
        delete("DELETE FROM drafts WHERE at_ms < ?1", drafts_before)?,
        delete("DELETE FROM audit WHERE at_ms < ?1", audit_before)?,
    ))
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
    let change = |sql: &str| -> Result<u64, Error> {
        let n = c.execute(sql, [dialogue.as_str()])?;
        Ok(u64::try_from(n).unwrap_or(u64::MAX))
    };
    Ok((
        change(&format!("DELETE FROM drafts WHERE {OF_DIALOGUE}"))?,
        change("UPDATE audit SET detail = '' WHERE instr(detail, ?1)")?,
    ))
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

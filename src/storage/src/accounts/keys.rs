//! Security keys and passkeys of staff (WebAuthn). What a key says is judged elsewhere; here a counter only grows.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::ops::time;
use super::{Accounts, Proof, second};
use crate::Error;

pub(super) const TABLE: &str = "
CREATE TABLE security_keys (
    id         BLOB PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES accounts (user),
    name       TEXT NOT NULL,
    handle     BLOB NOT NULL CHECK (length(handle) = 16),
    public_key BLOB NOT NULL,
    transports INTEGER NOT NULL,
    backup     INTEGER NOT NULL,
    verified   INTEGER NOT NULL,
    sign_count INTEGER NOT NULL,
    added_ms   INTEGER NOT NULL,
    used_ms    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX security_keys_by_user ON security_keys (user, added_ms);
";

/// Keys that an account may have.
const KEYS: i64 = 10;

/// A key that an account may show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityKey {
    /// As the key itself has it: no two are alike.
    pub id: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// What the key knows the account by: random, one for all keys of the account.
    pub handle: [u8; 16],
    /// In the form of whoever judges it.
    pub public_key: Vec<u8>,
    /// How it is reached: a hint for browsers.
    pub transports: u8,
    /// 0: it is in one thing alone; 1: it may be copied; 2: it was.
    pub backup: u8,
    /// Whether it knew its owner, by a PIN or a finger, when it was added.
    pub verified: bool,
    /// What it had counted when it was last used; 0: it does not count.
    pub sign_count: u32,
    pub added: Timestamp,
    pub used: Option<Timestamp>,
}

/// What became of a key that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAdded {
    /// It is the account's first second factor: these are its recovery codes.
    First,
    /// It stands beside what there was.
    Another,
    /// It is there already, here or with another account.
    Taken,
    /// There are too many, or there is no such account.
    Full,
}

impl Accounts {
    /// Adds a key. `session` counts as one that showed it. Where it is the account's first second factor, its other
    /// sessions end and these are its recovery codes.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn add_key(
        &self,
        user: &str,
        key: SecurityKey,
        codes: Vec<[u8; 32]>,
        session: [u8; 32],
    ) -> Result<KeyAdded, Error> {
        let user = user.to_owned();
        let add = move |c: &_| add(c, &user, &key, &codes, session);
        self.file.write(add).await
    }

    /// Gives a key of the account another name; whether it has it.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn name_key(&self, user: &str, id: Vec<u8>, name: String) -> Result<bool, Error> {
        let user = user.to_owned();
        let write = move |c: &Connection| {
            let sql = "UPDATE security_keys SET name = ?3 WHERE user = ?1 AND id = ?2";
            Ok(c.execute(sql, params![user, id, name])? == 1)
        };
        self.file.write(write).await
    }

    /// Uses a proof up, takes a key away, and ends the account's sessions but this one; false where the proof was used
    /// before, or the account has no such key.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn remove_key(
        &self,
        user: &str,
        id: Vec<u8>,
        proof: Proof,
        session: [u8; 32],
    ) -> Result<bool, Error> {
        let user = user.to_owned();
        let write = move |c: &Connection| {
            let sql = "DELETE FROM security_keys WHERE user = ?1 AND id = ?2";
            if !second::spend(c, &user, &proof)? || c.execute(sql, params![user, id])? == 0 {
                return Ok(false);
            }
            second::after_removal(c, &user, session)?;
            Ok(true)
        };
        self.file.write(write).await
    }
}

fn key(r: &Row<'_>) -> rusqlite::Result<SecurityKey> {
    let used: Option<i64> = r.get("used_ms")?;
    Ok(SecurityKey {
        id: r.get("id")?,
        name: r.get("name")?,
        handle: r.get("handle")?,
        public_key: r.get("public_key")?,
        transports: r.get("transports")?,
        backup: r.get("backup")?,
        verified: r.get("verified")?,
        sign_count: r.get("sign_count")?,
        added: time(r, "added_ms")?,
        used: used.map(|_| time(r, "used_ms")).transpose()?,
    })
}

pub(super) fn of(c: &Connection, user: &str) -> Result<Vec<SecurityKey>, Error> {
    let sql = "SELECT * FROM security_keys WHERE user = ?1 ORDER BY added_ms, id";
    let mut s = c.prepare_cached(sql)?;
    let rows = s.query_map([user], key)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn add(
    c: &Connection,
    user: &str,
    new: &SecurityKey,
    codes: &[[u8; 32]],
    session: [u8; 32],
) -> Result<KeyAdded, Error> {
    let there = "SELECT 1 FROM security_keys WHERE id = ?1";
    if c.query_row(there, [&new.id], |_| Ok(()))
        .optional()?
        .is_some()
    {
        return Ok(KeyAdded::Taken);
    }
    let first = !second::is_on(c, user)?;
    let added = c.execute(
        "INSERT INTO security_keys
         SELECT ?2, user, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL FROM accounts
         WHERE user = ?1 AND removed_ms IS NULL
         AND (SELECT count(*) FROM security_keys k WHERE k.user = ?1) < ?11",
        params![
            user,
            new.id,
            new.name,
            new.handle,
            new.public_key,
            new.transports,
            new.backup,
            new.verified,
            new.sign_count,
            new.added.as_millisecond(),
            KEYS
        ],
    )?;
    if added == 0 {
        return Ok(KeyAdded::Full);
    }
    if first {
        // What was begun without showing anything is not ended beside it.
        let sql = "DELETE FROM second_factors WHERE user = ?1 AND confirmed_ms IS NULL";
        c.execute(sql, [user])?;
    }
    second::added(c, user, first.then_some(codes), session)?;
    Ok(if first {
        KeyAdded::First
    } else {
        KeyAdded::Another
    })
}

/// Notes a use; how many keys it was of. A counter that has not grown is of a copy, or of an old word: none.
pub(super) fn used(
    c: &Connection,
    user: &str,
    id: &[u8],
    (sign_count, backup): (u32, u8),
    at: Timestamp,
) -> Result<usize, Error> {
    Ok(c.execute(
        "UPDATE security_keys SET sign_count = ?3, backup = ?4, used_ms = ?5
         WHERE user = ?1 AND id = ?2 AND (sign_count < ?3 OR sign_count = 0 AND ?3 = 0)",
        params![user, id, sign_count, backup, at.as_millisecond()],
    )?)
}

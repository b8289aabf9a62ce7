//! The second factor of an account: the secret that its code app shares, and codes for when that is lost.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Proof, SecondFactor};
use crate::{Error, read};

pub(super) fn find(c: &Connection, user: &str) -> Result<Option<SecondFactor>, Error> {
    let mut s = c.prepare_cached(
        "SELECT secret, confirmed_ms IS NOT NULL, (SELECT count(*) FROM recovery_codes r WHERE r.user = f.user)
         FROM second_factors f WHERE user = ?1",
    )?;
    let found = s.query_row([user], |r| {
        Ok(SecondFactor {
            secret: r.get(0)?,
            confirmed: r.get(1)?,
            recovery_codes: read::number(r, 2)?,
        })
    });
    Ok(found.optional()?)
}

/// Keeps a secret until it is confirmed; one that was confirmed stays.
pub(super) fn enrol(c: &Connection, user: &str, secret: &[u8]) -> Result<bool, Error> {
    let kept = c.execute(
        "INSERT INTO second_factors SELECT user, ?2, NULL, 0 FROM accounts
         WHERE user = ?1 AND removed_ms IS NULL
         ON CONFLICT (user) DO UPDATE SET secret = ?2, last_step = 0 WHERE confirmed_ms IS NULL",
        params![user, secret],
    )?;
    Ok(kept == 1)
}

/// From now on it is asked for. This session counts as one that showed it; the account's others end.
pub(super) fn confirm(
    c: &Connection,
    (user, secret): (&str, &[u8]),
    step: u64,
    codes: &[[u8; 32]],
    session: [u8; 32],
    at: Timestamp,
) -> Result<bool, Error> {
    let confirmed = c.execute(
        "UPDATE second_factors SET confirmed_ms = ?3, last_step = ?4
         WHERE user = ?1 AND secret = ?2 AND confirmed_ms IS NULL",
        params![user, secret, at.as_millisecond(), signed(step)],
    )?;
    if confirmed == 0 {
        return Ok(false);
    }
    set_codes(c, user, codes)?;
    c.execute(
        "DELETE FROM sessions WHERE user = ?1 AND sha256 <> ?2",
        params![user, session],
    )?;
    c.execute(
        "UPDATE sessions SET second = 1 WHERE sha256 = ?1",
        [session],
    )?;
    Ok(true)
}

pub(super) fn set_codes(c: &Connection, user: &str, codes: &[[u8; 32]]) -> Result<(), Error> {
    c.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let mut s = c.prepare_cached("INSERT INTO recovery_codes VALUES (?1, ?2)")?;
    for code in codes {
        s.execute(params![user, code])?;
    }
    Ok(())
}

/// Takes it away; whether there was one.
pub(super) fn remove(c: &Connection, user: &str) -> Result<bool, Error> {
    c.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let gone = c.execute("DELETE FROM second_factors WHERE user = ?1", [user])?;
    Ok(gone == 1)
}

/// Uses a proof up; whether it was still good.
pub(super) fn spend(c: &Connection, user: &str, proof: &Proof) -> Result<bool, Error> {
    let spent = match proof {
        Proof::None | Proof::Provider => return Ok(true),
        Proof::Step(step) => c.execute(
            "UPDATE second_factors SET last_step = ?2
             WHERE user = ?1 AND confirmed_ms IS NOT NULL AND last_step < ?2",
            params![user, signed(*step)],
        )?,
        Proof::Recovery(sha256) => c.execute(
            "DELETE FROM recovery_codes WHERE user = ?1 AND sha256 = ?2",
            params![user, sha256],
        )?,
    };
    Ok(spent == 1)
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

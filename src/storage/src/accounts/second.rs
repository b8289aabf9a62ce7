//! The second factor of an account: the secret that its code app shares, its security keys ([`super::keys`]), and
//! codes for when those are lost. It is on as long as one of the two is there; the codes are there as long as it is on.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Accounts, Proof, SecurityKey, keys};
use crate::{Error, read};

/// What an account may show besides its password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondFactor {
    pub app: Option<CodeApp>,
    /// In the order in which they were added.
    pub keys: Vec<SecurityKey>,
    /// How many are left.
    pub recovery_codes: u64,
}

/// What an account's code app shares with us.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeApp {
    pub secret: Vec<u8>,
    /// Whether a code of it was shown; before, nobody is asked for one.
    pub confirmed: bool,
}

impl std::fmt::Debug for CodeApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeApp")
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}

impl SecondFactor {
    /// The app whose codes are asked for.
    pub fn confirmed_app(&self) -> Option<&CodeApp> {
        self.app.as_ref().filter(|a| a.confirmed)
    }

    /// Whether the account is asked for one.
    pub fn is_on(&self) -> bool {
        self.confirmed_app().is_some() || !self.keys.is_empty()
    }
}

impl Accounts {
    /// # Errors
    /// Corrupt, Io.
    pub async fn second_factor(&self, user: &str) -> Result<SecondFactor, Error> {
        let user = user.to_owned();
        self.file.read(move |c| find(c, &user)).await
    }

    /// Keeps a secret that is still to be confirmed; false where one is confirmed already.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn enrol(&self, user: &str, secret: Vec<u8>) -> Result<bool, Error> {
        let user = user.to_owned();
        self.file.write(move |c| enrol(c, &user, &secret)).await
    }

    /// From now on codes of this secret are asked for. `session` counts as one that showed it. Where it is the
    /// account's first, its other sessions end and these are its recovery codes: then true. None where the secret is
    /// another by now, or confirmed already.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn confirm(
        &self,
        user: &str,
        secret: Vec<u8>,
        step: u64,
        codes: Vec<[u8; 32]>,
        session: [u8; 32],
        at: Timestamp,
    ) -> Result<Option<bool>, Error> {
        let user = user.to_owned();
        let confirm = move |c: &_| confirm(c, (&user, &secret), step, &codes, session, at);
        self.file.write(confirm).await
    }

    /// Uses a proof up; false where it was used before.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn use_proof(&self, user: &str, proof: Proof) -> Result<bool, Error> {
        let user = user.to_owned();
        self.file.write(move |c| spend(c, &user, &proof)).await
    }

    /// Uses a proof up, and gives the account other recovery codes; false where it was used before.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn set_recovery_codes(
        &self,
        user: &str,
        proof: Proof,
        codes: Vec<[u8; 32]>,
    ) -> Result<bool, Error> {
        let user = user.to_owned();
        let set = move |c: &_| {
            let good = spend(c, &user, &proof)?;
            if good {
                set_codes(c, &user, &codes)?;
            }
            Ok(good)
        };
        self.file.write(set).await
    }

    /// Uses a proof up, takes the account's code app away, and ends its sessions but this one; false where the proof
    /// was used before, or there is no app.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn remove_code_app(
        &self,
        user: &str,
        proof: Proof,
        session: [u8; 32],
    ) -> Result<bool, Error> {
        let user = user.to_owned();
        let remove = move |c: &_| {
            if !spend(c, &user, &proof)? || !remove_app(c, &user)? {
                return Ok(false);
            }
            after_removal(c, &user, session)?;
            Ok(true)
        };
        self.file.write(remove).await
    }

    /// Takes the whole second factor of an account away, keys and codes too; whether there was one.
    ///
    /// # Errors
    /// Full, Io.
    pub async fn reset_second_factor(&self, user: &str) -> Result<bool, Error> {
        let user = user.to_owned();
        self.file.write(move |c| remove(c, &user)).await
    }
}

fn find(c: &Connection, user: &str) -> Result<SecondFactor, Error> {
    let sql = "SELECT secret, confirmed_ms IS NOT NULL FROM second_factors WHERE user = ?1";
    let app = c.prepare_cached(sql)?.query_row([user], |r| {
        Ok(CodeApp {
            secret: r.get(0)?,
            confirmed: r.get(1)?,
        })
    });
    let sql = "SELECT count(*) FROM recovery_codes WHERE user = ?1";
    let mut codes = c.prepare_cached(sql)?;
    Ok(SecondFactor {
        app: app.optional()?,
        keys: keys::of(c, user)?,
        recovery_codes: codes.query_one([user], |r| read::number(r, 0))?,
    })
}

/// Keeps a secret until it is confirmed; one that was confirmed stays.
fn enrol(c: &Connection, user: &str, secret: &[u8]) -> Result<bool, Error> {
    let kept = c.execute(
        "INSERT INTO second_factors SELECT user, ?2, NULL, 0 FROM accounts
         WHERE user = ?1 AND removed_ms IS NULL
         ON CONFLICT (user) DO UPDATE SET secret = ?2, last_step = 0 WHERE confirmed_ms IS NULL",
        params![user, secret],
    )?;
    Ok(kept == 1)
}

fn confirm(
    c: &Connection,
    (user, secret): (&str, &[u8]),
    step: u64,
    codes: &[[u8; 32]],
    session: [u8; 32],
    at: Timestamp,
) -> Result<Option<bool>, Error> {
    let first = !is_on(c, user)?;
    let confirmed = c.execute(
        "UPDATE second_factors SET confirmed_ms = ?3, last_step = ?4
         WHERE user = ?1 AND secret = ?2 AND confirmed_ms IS NULL",
        params![user, secret, at.as_millisecond(), signed(step)],
    )?;
    if confirmed == 0 {
        return Ok(None);
    }
    added(c, user, first.then_some(codes), session)?;
    Ok(Some(first))
}

/// Whether the account is asked for a second factor.
pub(super) fn is_on(c: &Connection, user: &str) -> Result<bool, Error> {
    Ok(c.query_one(
        "SELECT EXISTS (SELECT 1 FROM second_factors WHERE user = ?1 AND confirmed_ms IS NOT NULL)
             OR EXISTS (SELECT 1 FROM security_keys WHERE user = ?1)",
        [user],
        |r| r.get(0),
    )?)
}

/// What comes of a factor that was added: `session` has shown it. With the first come codes, and the account's other
/// sessions end, which have shown none.
pub(super) fn added(
    c: &Connection,
    user: &str,
    first: Option<&[[u8; 32]]>,
    session: [u8; 32],
) -> Result<(), Error> {
    if let Some(codes) = first {
        set_codes(c, user, codes)?;
        end_others(c, user, session)?;
    }
    c.execute(
        "UPDATE sessions SET second = 1 WHERE sha256 = ?1",
        [session],
    )?;
    Ok(())
}

/// What comes of a factor that was taken away: whoever has it may have signed in by it.
pub(super) fn after_removal(c: &Connection, user: &str, session: [u8; 32]) -> Result<(), Error> {
    if !is_on(c, user)? {
        set_codes(c, user, &[])?;
    }
    end_others(c, user, session)
}

fn end_others(c: &Connection, user: &str, session: [u8; 32]) -> Result<(), Error> {
    c.execute(
        "DELETE FROM sessions WHERE user = ?1 AND sha256 <> ?2",
        params![user, session],
    )?;
    Ok(())
}

fn set_codes(c: &Connection, user: &str, codes: &[[u8; 32]]) -> Result<(), Error> {
    c.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let mut s = c.prepare_cached("INSERT INTO recovery_codes VALUES (?1, ?2)")?;
    for code in codes {
        s.execute(params![user, code])?;
    }
    Ok(())
}

fn remove_app(c: &Connection, user: &str) -> Result<bool, Error> {
    Ok(c.execute("DELETE FROM second_factors WHERE user = ?1", [user])? == 1)
}

/// Takes all of it away; whether there was any.
pub(super) fn remove(c: &Connection, user: &str) -> Result<bool, Error> {
    c.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let keys = c.execute("DELETE FROM security_keys WHERE user = ?1", [user])?;
    Ok(remove_app(c, user)? || keys > 0)
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
        Proof::Key {
            id,
            sign_count,
            backup,
            at,
        } => keys::used(c, user, id, (*sign_count, *backup), *at)?,
    };
    Ok(spent == 1)
}

fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
